//! What a run writes: log files that are handed to it, and pipes whose end is kept.

use super::Stream;
use crate::process::{Watched, describe, retrying};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// So much of the end of a stream is kept, in bytes.
pub const TAIL_BYTES: usize = 64 * 1024;

/// What a pipe holds unless it is asked to hold more, and what one read takes.
const PIPE_BYTES: usize = 64 * 1024;
/// What a pipe that filled a whole read is grown to.
const GROWN_BYTES: usize = 1024 * 1024;
/// As many pipes are grown at a time: the system gives an unprivileged user a budget, and shrinks later pipes once it
/// is spent.
const GROWN_PIPES: usize = 16;

/// The last 64 KiB of what was pushed. Takes no memory until there is something.
#[derive(Debug, Default)]
pub struct Tail {
    bytes: Vec<u8>,
    /// Where the oldest byte is, once `bytes` is full.
    oldest: usize,
}

impl Tail {
    /// Adds bytes at the end; the oldest make room.
    pub fn push(&mut self, bytes: &[u8]) {
        if bytes.len() >= TAIL_BYTES {
            self.bytes.clear();
            self.bytes.extend_from_slice(&bytes[bytes.len() - TAIL_BYTES..]);
            self.oldest = 0;
            return;
        }
        let (grow, wrap) = bytes.split_at(bytes.len().min(TAIL_BYTES - self.bytes.len()));
        self.bytes.extend_from_slice(grow);
        let (first, second) = wrap.split_at(wrap.len().min(TAIL_BYTES - self.oldest));
        self.bytes[self.oldest..][..first.len()].copy_from_slice(first);
        self.bytes[..second.len()].copy_from_slice(second);
        self.oldest = (self.oldest + wrap.len()) % TAIL_BYTES;
    }

    /// The bytes, oldest first.
    pub fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.rotate_left(self.oldest);
        self.bytes
    }
}

/// A log file as a run found it. The descriptor is the run's alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    identity: (u64, u64),
    start: u64,
}

/// Opens a log to append to, made if it is not there. `None` beside the descriptor: what is written cannot be read
/// back (a terminal, a named pipe). Never blocks but on the file system.
///
/// # Errors
/// A lowercase fragment that names the file, and its folder if that is what is missing.
pub(super) fn open_log(path: &Path) -> Result<(OwnedFd, Option<LogFile>), String> {
    let explain = |error: Errno| format!("log file {path:?}: {}", reason(error, path));
    // O_NONBLOCK: opening a named pipe that nobody reads would block.
    let flags = OFlags::APPEND
        | OFlags::CREATE
        | OFlags::WRONLY
        | OFlags::CLOEXEC
        | OFlags::NONBLOCK
        | OFlags::NOCTTY;
    let descriptor = retrying(|| Ok(rustix::fs::open(path, flags, Mode::from_raw_mode(0o666))?))
        .map_err(|error| explain(Errno::from_io_error(&error).unwrap_or(Errno::IO)))?;
    // The run is not to meet EAGAIN: it is the only one to use what was opened.
    rustix::fs::fcntl_setfl(&descriptor, flags & OFlags::APPEND).map_err(explain)?;
    let stat = rustix::fs::fstat(&descriptor).map_err(explain)?;
    let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    let file = regular.then(|| LogFile {
        path: path.to_owned(),
        identity: (stat.st_dev, stat.st_ino),
        start: u64::try_from(stat.st_size).unwrap_or(0),
    });
    Ok((descriptor, file))
}

impl LogFile {
    /// What the run wrote, at its end: up to where the file reaches now.
    pub(super) fn end(self) -> Stream {
        let LogFile { path, identity, start } = self;
        let found = rustix::fs::stat(&path).ok().filter(|stat| (stat.st_dev, stat.st_ino) == identity);
        // A file that was moved away has kept its bytes where nobody can say.
        let end = found.map_or(start, |stat| u64::try_from(stat.st_size).unwrap_or(0));
        // One that is shorter than it was has been truncated since: all that is in it was written after.
        let start = if end < start { 0 } else { start };
        Stream::File { path, identity, start, end }
    }
}

fn reason(error: Errno, path: &Path) -> String {
    let kind = rustix::fs::stat(path).map(|stat| FileType::from_raw_mode(stat.st_mode)).ok();
    match (error, kind) {
        (Errno::NXIO, Some(FileType::Fifo)) => "a named pipe that nobody reads".into(),
        (Errno::NXIO, Some(FileType::Socket)) => "a socket, not a file".into(),
        (Errno::ISDIR, _) => "is a directory".into(),
        (Errno::NOENT | Errno::NOTDIR, None) => match path.parent().filter(|folder| !folder.is_dir()) {
            Some(folder) if folder.exists() => format!("{folder:?} is not a directory"),
            Some(folder) => format!("its folder {folder:?} does not exist"),
            None => describe(&error.into()),
        },
        (error, _) => describe(&error.into()),
    }
}

/// The memory that all pipes are read into, one after another, and how many of them are grown.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    buffer: Vec<u8>,
    grown: usize,
}

/// The host's end of a pipe that a run writes to.
#[derive(Debug)]
pub(super) struct OutputPipe {
    pipe: Watched<OwnedFd>,
    /// `None`: what is read is thrown away.
    tail: Option<Tail>,
    grown: bool,
}

/// Whether there may be more to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pumped {
    Open,
    Ended,
}

impl OutputPipe {
    /// A non-blocking pipe that is being watched.
    pub(super) fn new(pipe: Watched<OwnedFd>) -> Self {
        Self { pipe, tail: Some(Tail::default()), grown: false }
    }

    /// Reads once, so that one that floods holds nobody up: a level-triggered poller comes back.
    pub(super) fn pump(&mut self, scratch: &mut Scratch) -> Pumped {
        self.read(scratch, usize::MAX).1
    }

    /// Reads what is there now, and no more: somebody who outlives the run may go on writing.
    pub(super) fn drain(&mut self, scratch: &mut Scratch) {
        let available = rustix::io::ioctl_fionread(self.pipe.source()).unwrap_or(0);
        let mut left = usize::try_from(available).unwrap_or(0);
        while left > 0 {
            let (read, state) = self.read(scratch, left);
            if read == 0 || state == Pumped::Ended {
                return;
            }
            left -= read;
        }
    }

    /// The end of what was read; what comes later is thrown away.
    pub(super) fn take_tail(&mut self) -> Vec<u8> {
        self.tail.take().map(Tail::into_bytes).unwrap_or_default()
    }

    /// Gives its part of the scratch memory back.
    pub(super) fn close(self, scratch: &mut Scratch) {
        if self.grown {
            scratch.grown -= 1;
            if scratch.grown == 0 {
                scratch.buffer = Vec::new();
            }
        }
    }

    fn read(&mut self, scratch: &mut Scratch, limit: usize) -> (usize, Pumped) {
        let size = if self.grown { GROWN_BYTES } else { PIPE_BYTES };
        if scratch.buffer.len() < size {
            scratch.buffer.resize(size, 0);
        }
        let part = &mut scratch.buffer[..size.min(limit)];
        let read = match rustix::io::read(self.pipe.source(), &mut *part) {
            Ok(0) => return (0, Pumped::Ended),
            Ok(read) => read,
            Err(Errno::AGAIN | Errno::INTR) => return (0, Pumped::Open),
            // A pipe has no other errors to give; if it does, there is nothing more to be had from it.
            Err(_) => return (0, Pumped::Ended),
        };
        if let Some(tail) = &mut self.tail {
            tail.push(&part[..read]);
        }
        if read == PIPE_BYTES && !self.grown && scratch.grown < GROWN_PIPES {
            self.grown = rustix::pipe::fcntl_setpipe_size(self.pipe.source(), GROWN_BYTES).is_ok();
            scratch.grown += usize::from(self.grown);
        }
        (read, Pumped::Open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_is_the_end_of_what_was_pushed() {
        let all: Vec<u8> = (0..400_000u32).map(|n| (n % 251) as u8).collect();
        for step in [1, 7, 1000, TAIL_BYTES - 1, TAIL_BYTES, TAIL_BYTES + 1, 300_000] {
            for length in [0, 1, 65_535, 65_536, 65_537, 140_001, 400_000] {
                let mut tail = Tail::default();
                all[..length].chunks(step).for_each(|chunk| tail.push(chunk));
                let expected = &all[length.saturating_sub(TAIL_BYTES)..length];
                assert!(tail.into_bytes() == expected, "{length} bytes, {step} at a time");
            }
        }
        assert_eq!(Tail::default().bytes.capacity(), 0);
    }

    #[test]
    fn a_file_that_was_truncated_or_moved_has_only_what_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, "0123456789").unwrap();
        let span = |file: LogFile| match file.end() {
            Stream::File { start, end, .. } => (start, end),
            other => panic!("no file: {other:?}"),
        };
        let (_descriptor, file) = open_log(&path).unwrap();
        let file = file.unwrap();
        std::fs::write(&path, "0123456789abc").unwrap();
        assert_eq!(span(file.clone()), (10, 13));
        std::fs::write(&path, "new").unwrap();
        assert_eq!(span(file.clone()), (0, 3));
        std::fs::rename(&path, folder.path().join("log.1")).unwrap();
        assert_eq!(span(file.clone()), (10, 10));
        std::fs::write(&path, "another file of that name").unwrap();
        assert_eq!(span(file), (10, 10));
    }

    #[test]
    fn what_a_run_gets_blocks_as_it_expects() {
        let folder = tempfile::tempdir().unwrap();
        let (descriptor, _) = open_log(&folder.path().join("log")).unwrap();
        let flags = rustix::fs::fcntl_getfl(&descriptor).unwrap();
        assert!(flags.contains(OFlags::APPEND) && !flags.contains(OFlags::NONBLOCK));
    }
}
