//! A log file that the host writes: its size, its rotation, and what is done when it cannot be written.

use super::chain::Chain;
use super::gzip::{Compressed, Compressor};
use crate::launch::Rotation;
use crate::process::describe;
use rustix::io::Errno;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long after a failure the next try is.
pub(super) const RETRY: Duration = Duration::from_secs(1);

/// How a sink is made.
pub(super) struct Target {
    pub(super) file: Arc<OwnedFd>,
    /// As it is named in the configuration.
    pub(super) path: PathBuf,
    pub(super) task: Arc<str>,
    /// Of a regular file only.
    pub(super) rotation: Option<(Rotation, Chain)>,
}

/// A file, or something like one, that streams are written to. Used by the writer's thread alone.
pub(super) struct Sink {
    path: PathBuf,
    task: Arc<str>,
    file: Arc<OwnedFd>,
    /// With what waits to be written.
    size: u64,
    rotation: Option<Rotating>,
    /// Not before this time is rotation tried again.
    rotate_after: Option<Instant>,
    /// What was decided to be written to the file as it is now, and could not yet be.
    waiting: Vec<u8>,
    state: State,
    /// Bytes lost since writing first failed.
    dropped: u64,
    /// A failure has been logged, and no recovery since.
    in_trouble: bool,
    /// Whether the file is at the start of a line, as far as it was written by this.
    at_start: bool,
    patience: Duration,
}

struct Rotating {
    rule: Rotation,
    chain: Arc<Chain>,
    compressed: Option<Arc<Compressed>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Fine,
    /// A pipe or terminal whose reader is slow: its tasks wait, as if they wrote to it themselves.
    Full,
    /// Bytes wait for the next try.
    Failing {
        since: Instant,
        next: Instant,
    },
    /// Bytes are dropped until the next try.
    Dropping {
        next: Instant,
    },
}

impl Sink {
    pub(super) fn new(target: Target, patience: Duration) -> Self {
        let mut sink = Self {
            path: target.path.clone(),
            task: Arc::clone(&target.task),
            file: Arc::clone(&target.file),
            size: 0,
            rotation: None,
            rotate_after: None,
            waiting: Vec::new(),
            state: State::Fine,
            dropped: 0,
            in_trouble: false,
            at_start: true,
            patience,
        };
        sink.renew(target);
        sink
    }

    /// Goes on with what a new run has opened: the same file, or another that has come into its place.
    pub(super) fn renew(&mut self, target: Target) {
        let Target { mut file, path: _, task, rotation } = target;
        self.rotation = rotation.map(|(rule, chain)| {
            let chain = Arc::new(chain);
            match self.rotation.take() {
                // The names are held by their lock, and so there must be one.
                Some(old) if old.chain.same_names(&chain) && old.rule == rule => old,
                old => {
                    let chain =
                        old.map(|old| old.chain).filter(|old| old.same_names(&chain)).unwrap_or(chain);
                    let compressed = (rule.compress && rule.keep > 0)
                        .then(|| Arc::new(Compressed::new(Arc::clone(&chain), rule.keep, Arc::clone(&task))));
                    Rotating { rule, chain, compressed }
                }
            }
        });
        self.task = task;
        if let Some(rotating) = &self.rotation {
            // An earlier run's last bytes may have had it rotated since the new run opened it.
            match rotating.chain.current(file.as_fd()) {
                Ok(None) => {}
                Ok(Some(current)) => file = Arc::new(current),
                // Rotation will say why.
                Err(_) => {}
            }
        }
        // What waits was meant for the file as it was; the order of the bytes matters more.
        self.size = size_of(file.as_fd()) + self.waiting.len() as u64;
        self.file = file;
        self.rotate_after = None;
        if matches!(self.state, State::Dropping { .. }) {
            // What a new run writes is worth a try at once.
            self.state = State::Fine;
        }
    }

    pub(super) fn descriptor(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.file)
    }

    /// Whether it takes bytes now.
    pub(super) fn is_fine(&self) -> bool {
        self.state == State::Fine
    }

    /// Whether it waits to become writable.
    pub(super) fn is_full(&self) -> bool {
        self.state == State::Full
    }

    /// When to call [`Sink::resume`] at the latest.
    pub(super) fn next_try(&self) -> Option<Instant> {
        match self.state {
            State::Failing { next, .. } => Some(next),
            State::Fine | State::Full | State::Dropping { .. } => None,
        }
    }

    /// Whether bytes are thrown away, until a try that may be due.
    pub(super) fn drops(&self) -> bool {
        matches!(self.state, State::Dropping { .. })
    }

    /// Whether bytes are thrown away now. If a try is due, they are not.
    pub(super) fn is_dropping(&mut self) -> bool {
        let State::Dropping { next } = self.state else { return false };
        if Instant::now() < next {
            return true;
        }
        self.state = State::Fine;
        false
    }

    /// Counts bytes that are thrown away.
    pub(super) fn drop_bytes(&mut self, count: usize) {
        self.dropped += count as u64;
    }

    /// Says that bytes are lost because too many wait already.
    pub(super) fn lose(&self, count: usize) {
        log::error!(
            target: &self.task,
            "log file {:?}: takes nothing: {count} bytes of a run that has ended were dropped", self.path
        );
    }

    pub(super) fn has_rotation(&self) -> bool {
        self.rotation.is_some()
    }

    /// Whether a line may begin whose length is not known.
    pub(super) fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// How many bytes the file still takes.
    pub(super) fn room(&self) -> u64 {
        match &self.rotation {
            Some(_) if self.rotate_after.is_some_and(|after| Instant::now() < after) => u64::MAX,
            Some(rotating) => rotating.rule.max_size.get().saturating_sub(self.size),
            None => u64::MAX,
        }
    }

    /// Puts a fresh file in the place of this one. False if that cannot be done: then it grows past its size.
    pub(super) fn make_room(&mut self, compressor: &mut Compressor) -> bool {
        let Some(rotating) = &self.rotation else { return false };
        if self.rotate_after.is_some_and(|after| Instant::now() < after) {
            return false;
        }
        let size = size_of(self.file.as_fd());
        if size < self.size {
            // Somebody has truncated it.
            self.size = size;
            return true;
        }
        match rotating.chain.rotate(self.file.as_fd(), rotating.rule) {
            Ok(file) => {
                self.size = size_of(file.as_fd());
                self.file = Arc::new(file);
                self.at_start = true;
                if let Some(compressed) = &rotating.compressed {
                    compressor.compress(compressed);
                }
                if self.rotate_after.take().is_some() {
                    log::info!(target: &self.task, "log file {:?}: rotated again", self.path);
                }
                true
            }
            Err(error) => {
                if self.rotate_after.is_none() {
                    log::error!(
                        target: &self.task,
                        "log file {:?}: cannot be rotated and grows: {}", self.path, describe(&error)
                    );
                }
                self.rotate_after = Some(Instant::now() + RETRY);
                false
            }
        }
    }

    /// Writes both parts, one after the other, or keeps what cannot be written now. Only while it is fine.
    pub(super) fn write(&mut self, first: &[u8], second: &[u8]) {
        let Some(last) = second.last().or(first.last()).copied() else { return };
        if self.dropped > 0 && !self.at_start && self.waiting.is_empty() {
            // A line that was cut is not to run into the next.
            self.waiting.push(b'\n');
            self.size += 1;
            self.waiting.extend_from_slice(first);
            self.waiting.extend_from_slice(second);
            self.size += (first.len() + second.len()) as u64;
            self.write_waiting();
            return;
        }
        self.size += (first.len() + second.len()) as u64;
        let (written, result) = write_all(self.file.as_fd(), first, second);
        match result {
            Ok(()) => {
                self.at_start = last == b'\n';
                self.recover();
            }
            Err(error) => {
                self.note_written(first, second, written);
                let rest = written.min(first.len());
                self.waiting.extend_from_slice(&first[rest..]);
                self.waiting.extend_from_slice(&second[written.saturating_sub(first.len())..]);
                self.fail(error);
            }
        }
    }

    /// Tries again to write what waits. True if it is fine now.
    pub(super) fn resume(&mut self) -> bool {
        match self.state {
            State::Fine | State::Dropping { .. } => {}
            State::Full => self.write_waiting(),
            State::Failing { next, .. } => {
                if Instant::now() >= next {
                    self.write_waiting();
                }
            }
        }
        matches!(self.state, State::Fine)
    }

    /// Gives up what waits if it has waited for too long. True if so: then what waits elsewhere is to go as well.
    pub(super) fn give_up_if_late(&mut self) -> bool {
        let State::Failing { since, next } = self.state else { return false };
        if since.elapsed() < self.patience {
            return false;
        }
        self.state = State::Dropping { next };
        self.drop_waiting();
        log::error!(
            target: &self.task,
            "log file {:?}: could not be written for {} s: what the task writes is dropped until it can",
            self.path,
            self.patience.as_secs()
        );
        true
    }

    /// Says what was lost, at the end.
    pub(super) fn close(&mut self) {
        self.drop_waiting();
        if self.dropped > 0 {
            log::error!(target: &self.task, "log file {:?}: {} bytes were dropped", self.path, self.dropped);
            self.dropped = 0;
        }
    }

    /// What waits to be written.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    fn drop_waiting(&mut self) {
        self.dropped += self.waiting.len() as u64;
        self.size = self.size.saturating_sub(self.waiting.len() as u64);
        self.waiting = Vec::new();
    }

    fn write_waiting(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        let (written, result) = write_all(self.file.as_fd(), &waiting, &[]);
        self.note_written(&waiting, &[], written);
        match result {
            Ok(()) => {
                self.state = State::Fine;
                self.recover();
            }
            Err(error) => {
                self.waiting = waiting;
                self.waiting.drain(..written);
                self.fail(error);
            }
        }
    }

    fn note_written(&mut self, first: &[u8], second: &[u8], written: usize) {
        if let Some(place) = written.checked_sub(1) {
            let last = first.get(place).or_else(|| second.get(place - first.len()));
            self.at_start = last == Some(&b'\n');
        }
    }

    fn recover(&mut self) {
        // Another stream may have skipped the rest of a line since.
        if !std::mem::take(&mut self.in_trouble) && self.dropped == 0 {
            return;
        }
        match std::mem::take(&mut self.dropped) {
            0 => {
                log::info!(target: &self.task, "log file {:?}: is written again, nothing was lost", self.path)
            }
            lost => {
                log::warn!(target: &self.task, "log file {:?}: is written again, {lost} bytes were dropped", self.path);
            }
        }
    }

    fn fail(&mut self, error: io::Error) {
        if error.kind() == io::ErrorKind::WouldBlock {
            self.state = State::Full;
            return;
        }
        let now = Instant::now();
        let next = now + RETRY.min(self.patience);
        if !std::mem::replace(&mut self.in_trouble, true) {
            log::error!(
                target: &self.task,
                "log file {:?}: cannot be written: {}: the task waits for up to {} s",
                self.path,
                describe(&error),
                self.patience.as_secs()
            );
        }
        self.state = match self.state {
            State::Failing { since, .. } => State::Failing { since, next },
            State::Fine | State::Full | State::Dropping { .. } if self.dropped > 0 => {
                self.drop_waiting();
                State::Dropping { next }
            }
            State::Fine | State::Full | State::Dropping { .. } => State::Failing { since: now, next },
        };
    }
}

fn size_of(file: BorrowedFd<'_>) -> u64 {
    rustix::fs::fstat(file).ok().and_then(|stat| u64::try_from(stat.st_size).ok()).unwrap_or(0)
}

/// How many bytes were written, and why not all.
fn write_all(file: BorrowedFd<'_>, first: &[u8], second: &[u8]) -> (usize, io::Result<()>) {
    let total = first.len() + second.len();
    let mut written = 0;
    while written < total {
        let head = &first[written.min(first.len())..];
        let tail = &second[written.saturating_sub(first.len())..];
        let result = match (head, tail) {
            ([], part) | (part, []) => rustix::io::write(file, part),
            (head, tail) => rustix::io::writev(file, &[IoSlice::new(head), IoSlice::new(tail)]),
        };
        match result {
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(Errno::INTR) => {}
            Err(error) => return (written, Err(error.into())),
        }
    }
    (written, Ok(()))
}
