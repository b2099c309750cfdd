//! The host's end of a pipe whose bytes go to a log: read by the writer's thread, and once by the thread that learns
//! of the run's end, so that the end of the output is known at once.

use crate::runner::Tail;
use parking_lot::Mutex;
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// As many reads are made at a time, so that the lock is held briefly.
const READS: usize = 16;

/// A non-blocking pipe. Whoever reads holds the lock for reads that do not wait.
#[derive(Debug)]
pub(super) struct Source {
    pipe: OwnedFd,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// `None`: taken; what comes later is not kept.
    tail: Option<Tail>,
    /// What was read ahead of the writer.
    ahead: Vec<u8>,
    /// So much of `ahead` the writer has taken.
    taken: usize,
}

/// What a read came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Read {
    /// So many bytes.
    Bytes(usize),
    /// There is nothing now.
    Nothing,
    /// There will never be more.
    Ended,
}

impl Source {
    pub(super) fn new(pipe: OwnedFd) -> Self {
        let state = State { tail: Some(Tail::default()), ahead: Vec::new(), taken: 0 };
        Self { pipe, state: Mutex::new(state) }
    }

    /// The next bytes, in order.
    pub(super) fn read(&self, buffer: &mut [u8]) -> Read {
        let mut state = self.state.lock();
        let ahead = &state.ahead[state.taken..];
        if !ahead.is_empty() {
            let count = ahead.len().min(buffer.len());
            buffer[..count].copy_from_slice(&ahead[..count]);
            state.taken += count;
            if state.taken == state.ahead.len() {
                state.ahead = Vec::new();
                state.taken = 0;
            }
            return Read::Bytes(count);
        }
        let (mut count, mut reads) = (0, 0);
        let ended = loop {
            match rustix::io::read(&self.pipe, &mut buffer[count..]) {
                Ok(0) => break true,
                Ok(more) => count += more,
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => break false,
                // A pipe has no other errors to give; if it does, there is nothing more to be had from it.
                Err(_) => break true,
            }
            // Small writes of a fast task come together: one write to the log for many.
            reads += 1;
            if count == buffer.len() || reads == READS {
                break false;
            }
        };
        if let Some(tail) = &mut state.tail {
            tail.push(&buffer[..count]);
        }
        match (count, ended) {
            (0, true) => Read::Ended,
            (0, false) => Read::Nothing,
            // An end is found again the next time.
            (count, _) => Read::Bytes(count),
        }
    }

    /// Reads ahead what is there now, and no more: somebody who outlives the run may go on writing. True if the writer
    /// has to be told. At most what a pipe holds.
    pub(super) fn read_ahead(&self) -> bool {
        let mut state = self.state.lock();
        let mut left = self.in_pipe();
        let State { tail, ahead, .. } = &mut *state;
        while left > 0 {
            let start = ahead.len();
            ahead.resize(start + left, 0);
            let count = rustix::io::read(&self.pipe, &mut ahead[start..]).unwrap_or(0);
            ahead.truncate(start + count);
            if count == 0 {
                break;
            }
            if let Some(tail) = tail {
                tail.push(&ahead[start..]);
            }
            left -= count;
        }
        !ahead.is_empty()
    }

    /// The end of what was read.
    pub(super) fn take_tail(&self) -> Vec<u8> {
        self.state.lock().tail.take().map(Tail::into_bytes).unwrap_or_default()
    }

    /// How many bytes were read ahead of the writer.
    pub(super) fn ahead(&self) -> usize {
        let state = self.state.lock();
        state.ahead.len() - state.taken
    }

    /// How many bytes wait in the pipe.
    pub(super) fn in_pipe(&self) -> usize {
        let waiting = rustix::io::ioctl_fionread(&self.pipe).unwrap_or(0);
        usize::try_from(waiting).unwrap_or(0)
    }

    /// Has the pipe hold so many bytes. True if it now does.
    pub(super) fn grow(&self, bytes: usize) -> bool {
        rustix::pipe::fcntl_setpipe_size(&self.pipe, bytes).is_ok()
    }
}

impl AsFd for Source {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}
