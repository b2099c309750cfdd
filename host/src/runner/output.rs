//! What a run writes to pipes, whose end is kept.

use crate::process::Watched;
use crate::tail::TAIL_LIMIT;
use rustix::io::Errno;
use std::os::fd::OwnedFd;

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
        if bytes.len() >= TAIL_LIMIT {
            self.bytes.clear();
            self.bytes.extend_from_slice(&bytes[bytes.len() - TAIL_LIMIT..]);
            self.oldest = 0;
            return;
        }
        let (grow, wrap) = bytes.split_at(bytes.len().min(TAIL_LIMIT - self.bytes.len()));
        self.bytes.extend_from_slice(grow);
        let (first, second) = wrap.split_at(wrap.len().min(TAIL_LIMIT - self.oldest));
        self.bytes[self.oldest..][..first.len()].copy_from_slice(first);
        self.bytes[..second.len()].copy_from_slice(second);
        self.oldest = (self.oldest + wrap.len()) % TAIL_LIMIT;
    }

    /// The bytes, oldest first.
    pub fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.rotate_left(self.oldest);
        self.bytes
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
        for step in [1, 7, 1000, TAIL_LIMIT - 1, TAIL_LIMIT, TAIL_LIMIT + 1, 300_000] {
            for length in [0, 1, 65_535, 65_536, 65_537, 140_001, 400_000] {
                let mut tail = Tail::default();
                all[..length].chunks(step).for_each(|chunk| tail.push(chunk));
                let expected = &all[length.saturating_sub(TAIL_LIMIT)..length];
                assert!(tail.into_bytes() == expected, "{length} bytes, {step} at a time");
            }
        }
        assert_eq!(Tail::default().bytes.capacity(), 0);
    }
}
