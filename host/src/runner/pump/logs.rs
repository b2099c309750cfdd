//! The handle of the thread that writes logs, and of each stream that goes there.

use super::chain::Chain;
use super::sink::Target;
use super::source::Source;
use super::writer::Writer;
use crate::launch::{Launch, Rotation};
use crate::process::{describe, start_thread};
use crossbeam::channel::{Receiver, bounded};
use parking_lot::Mutex;
use polling::Poller;
use rustix::fs::{FileType, OFlags};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long a log may not be writable before bytes are dropped.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the writer may take to write what it has when the host ends.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);
/// So many orders wait for the writer at most; a start that would add to them is refused.
const ORDERS: usize = 65_536;

/// The logs that the host writes. All clones share one thread, named `logs`, that is there once there is a log. When
/// the last one is dropped, what the runs wrote is written, for up to five seconds.
#[derive(Clone, Debug)]
pub struct Logs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    patience: Duration,
    writer: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    desk: Arc<Desk>,
    /// Disconnected when the thread has ended.
    ended: Receiver<()>,
}

/// Where the writer finds its orders. Nobody who leaves one waits.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) poller: Arc<Poller>,
    orders: Mutex<Vec<Order>>,
    /// Keys of the poller, none used twice.
    next: AtomicUsize,
}

/// What the writer is to do. Orders are carried out in order.
pub(super) enum Order {
    /// Serve this stream.
    Open { key: usize, source: Arc<Source>, target: Target, timestamps: bool },
    /// Bytes of it were read ahead.
    Ahead { key: usize },
    /// Write what there is of it, and close it.
    Close { key: usize },
    /// Write what there is of all, until then at most, and end.
    End { limit: Instant },
}

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Order::Open { key, .. } => write!(f, "open {key}"),
            Order::Ahead { key } => write!(f, "ahead {key}"),
            Order::Close { key } => write!(f, "close {key}"),
            Order::End { .. } => f.write_str("end"),
        }
    }
}

/// A log as it was opened for a run.
pub(in crate::runner) struct PumpedLog<'a> {
    file: OwnedFd,
    path: &'a Path,
    task: Arc<str>,
    rotation: Option<Rotation>,
    timestamps: bool,
}

impl<'a> PumpedLog<'a> {
    /// The rules of a task for this file of its.
    pub(in crate::runner) fn new(file: OwnedFd, path: &'a Path, launch: &Launch) -> Self {
        let (rotation, timestamps) = (launch.rotate, launch.timestamps);
        Self { file, path, task: launch.name.shared(), rotation, timestamps }
    }
}

impl Default for Logs {
    fn default() -> Self {
        Self::with_patience(PATIENCE)
    }
}

impl Logs {
    /// Bytes are dropped only when a log could not be written for so long; 10 s by default.
    pub fn with_patience(patience: Duration) -> Self {
        Self { inner: Arc::new(Inner { patience, writer: Mutex::new(None) }) }
    }

    /// Has a log written from a pipe of its own. Gives the pipe's end to write to, which blocks. Never waits.
    ///
    /// # Errors
    /// A lowercase fragment that names the file.
    pub(in crate::runner) fn open(&self, log: PumpedLog<'_>) -> Result<(OwnedFd, PumpedStream), String> {
        let path = log.path;
        self.try_open(log).map_err(|error| format!("log file {path:?}: {}", describe(&error)))
    }

    fn try_open(&self, log: PumpedLog<'_>) -> io::Result<(OwnedFd, PumpedStream)> {
        let stat = rustix::fs::fstat(&log.file)?;
        let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        if !regular {
            // A slow reader of it must not hold other logs up.
            let flags = rustix::fs::fcntl_getfl(&log.file)?;
            rustix::fs::fcntl_setfl(&log.file, flags | OFlags::NONBLOCK)?;
        }
        let rotation = log.rotation.filter(|_| regular);
        let rotation = rotation.map(|rule| (rule, Chain::of(log.file.as_fd(), log.path)));
        let target = Target { file: Arc::new(log.file), path: log.path.to_owned(), task: log.task, rotation };
        let desk = self.inner.desk()?;
        let (read, write) = crate::process::pipe()?;
        rustix::fs::fcntl_setfl(&read, OFlags::NONBLOCK)?;
        let source = Arc::new(Source::new(read));
        let key = desk.next.fetch_add(1, Ordering::Relaxed);
        if desk.orders.lock().len() >= ORDERS {
            return Err(io::Error::other("the writer of logs is too far behind"));
        }
        let timestamps = log.timestamps;
        desk.leave(Order::Open { key, source: Arc::clone(&source), target, timestamps });
        Ok((write, PumpedStream { key, source, desk }))
    }
}

impl Inner {
    fn desk(&self) -> io::Result<Arc<Desk>> {
        let mut writer = self.writer.lock();
        if let Some(running) = &*writer {
            return Ok(Arc::clone(&running.desk));
        }
        let desk = Arc::new(Desk {
            poller: Arc::new(Poller::new()?),
            orders: Mutex::default(),
            next: AtomicUsize::new(0),
        });
        let (alive, ended) = bounded(0);
        let work = Writer::new(Arc::clone(&desk), self.patience);
        start_thread("logs", move || {
            work.run();
            drop(alive);
        })?;
        *writer = Some(Running { desk: Arc::clone(&desk), ended });
        Ok(desk)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(Running { desk, ended }) = self.writer.get_mut().take() {
            desk.leave(Order::End { limit: Instant::now() + CLOSE_LIMIT });
            // It says itself what it could not write; on a disk that hangs it cannot even say that.
            let _: Result<(), _> = ended.recv_timeout(CLOSE_LIMIT + Duration::from_millis(500));
        }
    }
}

impl Desk {
    pub(super) fn take_orders(&self) -> Vec<Order> {
        std::mem::take(&mut self.orders.lock())
    }

    pub(super) fn new_key(&self) -> usize {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    fn leave(&self, order: Order) {
        let first = {
            let mut orders = self.orders.lock();
            orders.push(order);
            orders.len() == 1
        };
        if first {
            // Who finds orders there already has not taken them yet, and was told.
            let _ = self.poller.notify();
        }
    }
}

/// A stream that is pumped. Dropping it has what is in the pipe written, and the pipe closed; nothing waits for that.
#[derive(Debug)]
pub(in crate::runner) struct PumpedStream {
    key: usize,
    source: Arc<Source>,
    desk: Arc<Desk>,
}

impl PumpedStream {
    /// Takes what is in the pipe now, so that [`PumpedStream::take_tail`] has it.
    pub(in crate::runner) fn read_ahead(&self) {
        if self.source.read_ahead() {
            self.desk.leave(Order::Ahead { key: self.key });
        }
    }

    /// The end of what was written, without times; what comes later is not kept.
    pub(in crate::runner) fn take_tail(&self) -> Vec<u8> {
        self.source.take_tail()
    }
}

impl Drop for PumpedStream {
    fn drop(&mut self) {
        self.desk.leave(Order::Close { key: self.key });
    }
}
