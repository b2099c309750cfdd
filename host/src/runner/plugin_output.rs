//! Where the output of a plugin task goes.

use super::pump::{Logs, PumpedLog, PumpedStream};
use super::{StartError, Stream, Tails};
use crate::launch::{ErrorSink, Launch, Sink};
use parking_lot::Mutex;
use rustix::fs::OFlags;
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What is kept of a stream, in bytes.
const TAIL: usize = 64 * 1024;

/// Both streams of one run. Written by the threads of the plugin; a write to a file may wait for it.
#[derive(Debug)]
pub(super) struct PluginOutput {
    stdout: Target,
    /// `None`: where standard output goes.
    stderr: Option<Target>,
}

impl PluginOutput {
    /// Opens the files of a run. Never waits, so that the control thread may call it.
    pub(super) fn open(launch: &Launch, logs: &Logs) -> Result<Self, StartError> {
        let stdout = Target::open(&launch.stdout, Own::Stdout, launch, logs)?;
        let stderr = match &launch.stderr {
            ErrorSink::Combined => None,
            // One file under both names: one target keeps what is written in order.
            ErrorSink::Separate(sink @ Sink::File(_)) if *sink == launch.stdout => None,
            ErrorSink::Separate(sink) => Some(Target::open(sink, Own::Stderr, launch, logs)?),
        };
        Ok(Self { stdout, stderr })
    }

    /// What was written up to now.
    pub(super) fn tails(&self) -> Tails {
        let stderr = self.stderr.as_ref().map(Target::tail).unwrap_or_default();
        Tails { stdout: self.stdout.tail(), stderr }
    }

    pub(super) fn write_stdout(&self, bytes: &[u8]) -> io::Result<()> {
        self.stdout.write(bytes)
    }

    pub(super) fn write_stderr(&self, bytes: &[u8]) -> io::Result<()> {
        self.stderr.as_ref().unwrap_or(&self.stdout).write(bytes)
    }
}

#[derive(Debug)]
enum Target {
    Tail(Mutex<VecDeque<u8>>),
    File(Log),
    Pumped(Pumped),
    Ignore,
    Inherit(Own),
}

/// A stream of the host's own.
#[derive(Clone, Copy, Debug)]
enum Own {
    Stdout,
    Stderr,
}

impl Own {
    fn write(self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Own::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(bytes)?;
                stdout.flush()
            }
            Own::Stderr => io::stderr().write_all(bytes),
        }
    }
}

impl Target {
    /// `own` is the host's stream of that name.
    fn open(sink: &Sink, own: Own, launch: &Launch, logs: &Logs) -> Result<Self, StartError> {
        Ok(match sink {
            Sink::Tail => Target::Tail(Mutex::default()),
            Sink::File(path) => {
                let log = Log::open(path).map_err(|error| StartError {
                    reason: format!("log file {path:?}: {}", words(&error)),
                    code: None,
                })?;
                if launch.rotate.is_none() && !launch.timestamps {
                    return Ok(Target::File(log));
                }
                let (pipe, stream) = logs
                    .open(PumpedLog::new(log.file.into(), path, launch))
                    .map_err(|reason| StartError { reason, code: None })?;
                Target::Pumped(Pumped { pipe: Mutex::new(pipe.into()), stream })
            }
            Sink::Ignore => Target::Ignore,
            Sink::Inherit => Target::Inherit(own),
        })
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Target::Tail(tail) => keep_end(&mut tail.lock(), bytes),
            // Every write appends as one: of two threads, none comes between the other's bytes.
            Target::File(log) => (&log.file).write_all(bytes)?,
            // A long write to a pipe comes in pieces: the lock keeps them together.
            Target::Pumped(pumped) => pumped.pipe.lock().write_all(bytes)?,
            Target::Ignore => {}
            Target::Inherit(own) => own.write(bytes)?,
        }
        Ok(())
    }

    fn tail(&self) -> Stream {
        match self {
            Target::Tail(tail) => Stream::Bytes(tail.lock().iter().copied().collect()),
            Target::File(log) => log.stream(),
            Target::Pumped(Pumped { stream, .. }) => {
                stream.read_ahead();
                Stream::Bytes(stream.take_tail())
            }
            Target::Ignore | Target::Inherit(_) => Stream::None,
        }
    }
}

fn keep_end(tail: &mut VecDeque<u8>, bytes: &[u8]) {
    let bytes = &bytes[bytes.len().saturating_sub(TAIL)..];
    let excess = (tail.len() + bytes.len()).saturating_sub(TAIL);
    tail.drain(..excess);
    tail.extend(bytes);
}

/// A log that the writer of logs writes.
#[derive(Debug)]
struct Pumped {
    /// Closed first, so that the writer finds the end of the stream.
    pipe: Mutex<File>,
    stream: PumpedStream,
}

/// A log file, opened for one run.
#[derive(Debug)]
struct Log {
    file: File,
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
    /// Its length in bytes when it was opened.
    start: u64,
}

impl Log {
    fn open(path: &Path) -> io::Result<Self> {
        // A FIFO without a reader must not hold the control thread up, and a terminal not become the host's.
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        let file =
            OpenOptions::new().append(true).create(true).custom_flags(flags.bits() as i32).open(path)?;
        // From here on it is written by threads that may wait.
        let status = rustix::fs::fcntl_getfl(&file)?;
        rustix::fs::fcntl_setfl(&file, status - OFlags::NONBLOCK)?;
        let metadata = file.metadata()?;
        let identity = (metadata.dev(), metadata.ino());
        Ok(Self { file, path: path.to_owned(), identity, start: metadata.len() })
    }

    fn stream(&self) -> Stream {
        // Where its length cannot be told, nothing of it can be read either.
        let Ok(metadata) = self.file.metadata() else { return Stream::None };
        let (path, identity, start) = (self.path.clone(), self.identity, self.start);
        Stream::File { path, identity, start, end: metadata.len() }
    }
}

/// An error of the system in its own words, without its number.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launch::Action;
    use bansuri_core::TaskName;

    fn open(sink: &Sink) -> Result<Target, StartError> {
        let name = TaskName::new("task").unwrap();
        let launch = Launch::new(name, Action::Shell(String::new()), PathBuf::from("/"));
        Target::open(sink, Own::Stdout, &launch, &Logs::default())
    }

    #[test]
    fn a_tail_is_the_last_64_kib() {
        let target = open(&Sink::Tail).unwrap();
        let all: Vec<u8> = (0..200_000u32).map(|i| (i % 251) as u8).collect();
        for chunk in all.chunks(1000) {
            target.write(chunk).unwrap();
        }
        assert_eq!(target.tail(), Stream::Bytes(all[all.len() - TAIL..].to_vec()));
        target.write(&all).unwrap();
        assert_eq!(target.tail(), Stream::Bytes(all[all.len() - TAIL..].to_vec()));
        target.write(b"end").unwrap();
        let Stream::Bytes(bytes) = target.tail() else { panic!("a tail is bytes") };
        assert_eq!((bytes.len(), &bytes[TAIL - 3..]), (TAIL, &b"end"[..]));
    }

    #[test]
    fn a_file_is_appended_to_and_says_which_bytes_are_the_runs() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("log");
        std::fs::write(&path, "before\n").unwrap();
        let target = open(&Sink::File(path.clone())).unwrap();
        target.write(b"during\n").unwrap();
        let Stream::File { path: found, start, end, .. } = target.tail() else { panic!("a file") };
        assert_eq!((found, start, end), (path.clone(), 7, 14));
        assert_eq!(std::fs::read(&path).unwrap(), b"before\nduring\n");
    }

    #[test]
    fn a_file_that_cannot_be_opened_says_why() {
        let error = open(&Sink::File("/nonexistent/log".into())).unwrap_err();
        assert_eq!(error.reason, "log file \"/nonexistent/log\": no such file or directory");
        let home = tempfile::tempdir().unwrap();
        let fifo = home.path().join("fifo");
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)
            .unwrap();
        let error = open(&Sink::File(fifo)).unwrap_err();
        assert!(error.reason.ends_with(": no such device or address"), "{}", error.reason);
    }
}
