//! Compresses old logs, on a thread of low priority that writing never waits for.

use super::chain::{Chain, identity};
use crate::process::start_thread;
use crossbeam::channel::{Receiver, Sender, bounded, unbounded};
use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::fs::Timestamps;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// As low as it goes: whatever else is to be done comes first.
const NICE: i32 = 19;
const PIECE: usize = 64 * 1024;

/// A chain whose old files are compressed.
#[derive(Debug)]
pub(super) struct Compressed {
    pub(super) chain: Arc<Chain>,
    pub(super) keep: u32,
    /// For messages.
    pub(super) task: Arc<str>,
    /// It waits for the thread: a chain is in the queue once at most.
    queued: AtomicBool,
}

impl Compressed {
    pub(super) fn new(chain: Arc<Chain>, keep: u32, task: Arc<str>) -> Self {
        Self { chain, keep, task, queued: AtomicBool::new(false) }
    }
}

/// Hands chains to the thread, which is there once there was something for it.
#[derive(Debug, Default)]
pub(super) struct Compressor {
    thread: Option<Thread>,
}

#[derive(Debug)]
struct Thread {
    queue: Sender<Arc<Compressed>>,
    stop: Arc<AtomicBool>,
    /// Disconnected when the thread has ended.
    ended: Receiver<()>,
}

impl Compressor {
    /// Has all that is old and plain compressed. Never waits.
    pub(super) fn compress(&mut self, log: &Arc<Compressed>) {
        if log.queued.swap(true, Ordering::AcqRel) {
            return;
        }
        let sent = self.thread().map(|thread| thread.queue.send(Arc::clone(log)).is_ok());
        if let Err(error) = sent {
            log.queued.store(false, Ordering::Release);
            log::warn!(target: &log.task, "old logs stay uncompressed for now: no thread: {error}");
        }
    }

    fn thread(&mut self) -> io::Result<&Thread> {
        if self.thread.is_none() {
            // Bounded by the number of logs: each is in it once.
            let (queue, chains) = unbounded();
            let stop = Arc::new(AtomicBool::new(false));
            let stopped = Arc::clone(&stop);
            let (alive, ended) = bounded(0);
            start_thread("logs-gzip", move || {
                work(&chains, &stopped);
                drop(alive);
            })?;
            self.thread = Some(Thread { queue, stop, ended });
        }
        Ok(self.thread.as_ref().expect("it was just put there"))
    }
}

impl Compressor {
    /// Gives the thread until then to do what is left. What it has not done is given up, and done anew by the next
    /// host.
    pub(super) fn close(self, limit: Instant) {
        let Some(Thread { queue, stop, ended }) = self.thread else { return };
        drop(queue);
        let _: Result<(), _> = ended.recv_deadline(limit);
        stop.store(true, Ordering::Release);
    }
}

fn work(chains: &Receiver<Arc<Compressed>>, stop: &AtomicBool) {
    // Of this thread alone; one that may not is as good.
    let _ = rustix::process::setpriority_process(None, NICE);
    while let Ok(log) = chains.recv() {
        log.queued.store(false, Ordering::Release);
        loop {
            match compress_one(&log, stop) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    log::warn!(target: &log.task, "an old log stays uncompressed for now: {error}");
                    break;
                }
            }
        }
    }
}

/// False if there was nothing to do, or the host ends.
fn compress_one(log: &Compressed, stop: &AtomicBool) -> io::Result<bool> {
    if stop.load(Ordering::Acquire) {
        return Ok(false);
    }
    let names = log.chain.names()?;
    let Some(plain) = names.next_plain(log.keep)? else { return Ok(false) };
    let stat = rustix::fs::fstat(&plain)?;
    let part = names.create_part(&stat)?;
    // The names may change while it is at work: what is done then goes by what the file is.
    drop(names);
    let done = pack(plain.into(), part.into(), stop);
    let names = log.chain.names()?;
    match done {
        Ok(true) => names.replace(identity(&stat), log.keep).map(|()| true),
        Ok(false) => names.remove_part().map(|()| false),
        Err(error) => {
            // Else it would be in the way of nothing but its own next try, which replaces it.
            let _ = names.remove_part();
            Err(error)
        }
    }
}

/// False if it was given up because the host ends.
fn pack(mut plain: File, part: File, stop: &AtomicBool) -> io::Result<bool> {
    let mut encoder = GzEncoder::new(part, Compression::default());
    let mut piece = vec![0; PIECE];
    loop {
        if stop.load(Ordering::Acquire) {
            return Ok(false);
        }
        match plain.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => encoder.write_all(&piece[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let part = encoder.finish()?;
    let stat = rustix::fs::fstat(&plain)?;
    let time = |seconds, nanoseconds| rustix::fs::Timespec { tv_sec: seconds, tv_nsec: nanoseconds as _ };
    let times = Timestamps {
        last_access: time(stat.st_atime, stat.st_atime_nsec),
        last_modification: time(stat.st_mtime, stat.st_mtime_nsec),
    };
    // Its age is a courtesy to people.
    let _ = rustix::fs::futimens(part.as_fd(), &times);
    // It replaces the plain file: after a power cut one of the two is to be whole.
    part.sync_all()?;
    Ok(true)
}
