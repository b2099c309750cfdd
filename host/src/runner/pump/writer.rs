//! The thread that writes logs. It has a poller of its own, so that the control thread touches no byte on its way.
//!
//! Back-pressure comes by itself: what the writer has not read stays in the pipe, and a task that fills its pipe waits.

use super::gzip::Compressor;
use super::logs::{Desk, Order};
use super::sink::{Sink, Target};
use super::source::{Read, Source};
use super::stamper::Stamper;
use super::stream::Stream;
use crate::process::Watched;
use polling::Events;
use std::collections::{HashMap, HashSet};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What one read takes of a pipe as it comes, and of one whose lines get longer.
const PIPE_BYTES: usize = 64 * 1024;
/// What a pipe that filled a whole read is grown to, and what one read takes of it.
const GROWN_BYTES: usize = 1024 * 1024;
/// What one read takes of a grown pipe whose lines begin with their times: all lines of a read have the same.
const STAMPED_BYTES: usize = 256 * 1024;
/// As many pipes are grown at a time: the system gives an unprivileged user a budget.
const GROWN_PIPES: usize = 16;
/// When closed streams have left so many bytes to a log that takes nothing, those of the next are dropped.
const LEFT_BYTES: usize = 4 * 1024 * 1024;

pub(super) struct Writer {
    desk: Arc<Desk>,
    patience: Duration,
    /// By key of the poller, like the sinks.
    streams: HashMap<usize, Entry>,
    sinks: HashMap<usize, Log>,
    by_path: HashMap<PathBuf, usize>,
    /// The sinks that are tried again by the clock.
    failing: HashSet<usize>,
    /// All pipes are read into this, one after another.
    buffer: Vec<u8>,
    stamper: Stamper,
    grown: usize,
    compressor: Compressor,
    /// Set once the host ends.
    limit: Option<Instant>,
}

struct Entry {
    stream: Stream,
    sink: usize,
    /// `None`: it is not read now, or no more.
    watched: Option<Watched<Arc<Source>>>,
    grown: bool,
    /// Nothing more is read; it stays until its bytes are with the sink.
    closed: bool,
}

struct Log {
    sink: Sink,
    path: PathBuf,
    /// In the order in which their bytes are to be written.
    streams: Vec<usize>,
    /// While it is full.
    watched: Option<Watched<Arc<OwnedFd>>>,
}

impl Writer {
    pub(super) fn new(desk: Arc<Desk>, patience: Duration) -> Self {
        Self {
            desk,
            patience,
            streams: HashMap::new(),
            sinks: HashMap::new(),
            by_path: HashMap::new(),
            failing: HashSet::new(),
            buffer: Vec::new(),
            stamper: Stamper::default(),
            grown: 0,
            compressor: Compressor::default(),
            limit: None,
        }
    }

    pub(super) fn run(mut self) {
        let mut events = Events::new();
        loop {
            for order in self.desk.take_orders() {
                self.obey(order);
            }
            if self.limit.is_some_and(|limit| self.sinks.is_empty() || Instant::now() >= limit) {
                break;
            }
            events.clear();
            if let Err(error) = self.desk.poller.wait(&mut events, self.timeout())
                && error.kind() != std::io::ErrorKind::Interrupted
            {
                log::error!(target: "bansuri", "logs: poller: {error}: rotated logs are written no more");
                break;
            }
            for event in events.iter() {
                if self.streams.contains_key(&event.key) {
                    self.serve(event.key);
                } else if self.sinks.contains_key(&event.key) {
                    self.resume(event.key);
                }
            }
            self.retry();
        }
        for log in self.sinks.values_mut() {
            for key in &log.streams {
                if let Some(entry) = self.streams.get_mut(key) {
                    entry.stream.discard(&mut log.sink);
                }
            }
            log.sink.close();
        }
        if let Some(limit) = self.limit {
            self.compressor.close(limit);
        }
    }

    fn timeout(&self) -> Option<Duration> {
        let tries = self.failing.iter().filter_map(|id| self.sinks.get(id)?.sink.next_try());
        let next = tries.chain(self.limit).min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Open { key, source, target, timestamps } => self.open(key, source, target, timestamps),
            Order::Ahead { key } => self.serve(key),
            Order::Close { key } => self.close(key),
            Order::End { limit } => {
                self.limit = Some(limit);
                let keys: Vec<usize> = self.streams.keys().copied().collect();
                for key in keys {
                    self.close(key);
                }
            }
        }
    }

    fn open(&mut self, key: usize, source: Arc<Source>, target: Target, timestamps: bool) {
        let path = target.path.clone();
        let found = self.by_path.get(&path).copied();
        let id = found.unwrap_or_else(|| self.desk.new_key());
        match self.sinks.get_mut(&id) {
            Some(log) => log.sink.renew(target),
            None => {
                let sink = Sink::new(target, self.patience);
                self.sinks.insert(id, Log { sink, path: path.clone(), streams: Vec::new(), watched: None });
                self.by_path.insert(path, id);
            }
        }
        let stream = Stream::new(source, timestamps);
        self.streams.insert(key, Entry { stream, sink: id, watched: None, grown: false, closed: false });
        let log = self.sinks.get_mut(&id).expect("it was found or made above");
        log.streams.push(key);
        if log.sink.is_fine() {
            self.watch(key);
        }
    }

    /// Reads of a stream, unless its log takes nothing.
    fn serve(&mut self, key: usize) {
        loop {
            let Some(entry) = self.streams.get(&key).filter(|entry| !entry.closed) else { return };
            let Some(log) = self.sinks.get(&entry.sink) else { return };
            // While it drops, it is read.
            if entry.watched.is_none() && !log.sink.is_fine() {
                return;
            }
            match self.read(key, usize::MAX) {
                Read::Bytes(_) => {}
                Read::Nothing => return,
                Read::Ended => return self.end(key),
            }
            if self.streams.get(&key).is_none_or(|entry| entry.stream.source.ahead() == 0) {
                return;
            }
        }
    }

    fn read(&mut self, key: usize, limit: usize) -> Read {
        let Some(entry) = self.streams.get_mut(&key) else { return Read::Ended };
        let Some(log) = self.sinks.get_mut(&entry.sink) else { return Read::Ended };
        if self.buffer.is_empty() {
            self.buffer = vec![0; GROWN_BYTES];
        }
        let timestamps = entry.stream.timestamps;
        let size = match (entry.grown, timestamps) {
            (false, _) => PIPE_BYTES,
            (true, true) => STAMPED_BYTES,
            (true, false) => GROWN_BYTES,
        };
        let read = entry.stream.source.read(&mut self.buffer[..size.min(limit)]);
        let Read::Bytes(count) = read else { return read };
        if count == PIPE_BYTES && !entry.grown && self.grown < GROWN_PIPES {
            entry.grown = entry.stream.source.grow(GROWN_BYTES);
            self.grown += usize::from(entry.grown);
        }
        if timestamps {
            self.stamper.set_to_now();
        }
        let alone = log.streams.len() == 1;
        let fresh = &self.buffer[..count];
        entry.stream.take(fresh, &mut self.stamper, alone, &mut log.sink, &mut self.compressor);
        let id = entry.sink;
        self.pause_if_needed(id);
        read
    }

    /// Has the tasks of a log wait that takes nothing, and itself be woken when it does.
    fn pause_if_needed(&mut self, id: usize) {
        let Some(log) = self.sinks.get_mut(&id) else { return };
        if !log.sink.is_full() {
            // Else what has no reader any more would wake the thread for ever.
            log.watched = None;
        }
        // While it drops, its streams are read; who only looks must not have it try.
        if log.sink.is_fine() || log.sink.drops() {
            return;
        }
        for key in &log.streams {
            if let Some(entry) = self.streams.get_mut(key) {
                entry.watched = None;
            }
        }
        if log.sink.next_try().is_some() {
            self.failing.insert(id);
        }
        if log.sink.is_full() && log.watched.is_none() {
            // Out of watches: then the next run of the task, or the host's end, tries again.
            log.watched = Watched::for_writing(&self.desk.poller, id, log.sink.descriptor()).ok();
        }
    }

    /// Reads what is there of a stream, and no more.
    fn close(&mut self, key: usize) {
        let Some(entry) = self.streams.get(&key).filter(|entry| !entry.closed) else { return };
        let mut left = entry.stream.source.ahead() + entry.stream.source.in_pipe();
        while left > 0 {
            match self.read(key, left) {
                Read::Bytes(count) => left -= count,
                Read::Nothing | Read::Ended => break,
            }
        }
        self.end(key);
    }

    /// Nothing more will be read of it.
    fn end(&mut self, key: usize) {
        let Some(entry) = self.streams.get_mut(&key) else { return };
        entry.closed = true;
        entry.watched = None;
        if std::mem::take(&mut entry.grown) {
            self.grown -= 1;
        }
        let id = entry.sink;
        let Some(log) = self.sinks.get_mut(&id) else { return };
        let done = entry.stream.finish(&mut log.sink, &mut self.compressor);
        if done {
            self.forget(key, id);
        } else {
            // The last that ended keeps its bytes, however many: a pipe holds no more than that.
            let others = log.streams.iter().filter(|other| **other != key);
            let left = others.filter_map(|other| self.streams.get(other)).filter(|other| other.closed);
            if left.map(|other| other.stream.waiting()).sum::<usize>() > LEFT_BYTES
                && let Some(entry) = self.streams.get_mut(&key)
            {
                log.sink.lose(entry.stream.waiting());
                self.forget(key, id);
            }
        }
        self.pause_if_needed(id);
    }

    fn forget(&mut self, key: usize, id: usize) {
        self.streams.remove(&key);
        if let Some(log) = self.sinks.get_mut(&id) {
            log.streams.retain(|it| *it != key);
        }
        self.release(id);
    }

    /// Lets go of a log that nobody writes.
    fn release(&mut self, id: usize) {
        let unused = |log: &Log| log.streams.is_empty() && log.sink.waiting() == 0;
        if self.sinks.get(&id).is_some_and(unused)
            && let Some(mut log) = self.sinks.remove(&id)
        {
            log.sink.close();
            self.by_path.remove(&log.path);
        }
        if self.streams.is_empty() {
            self.buffer = Vec::new();
            self.stamper = Stamper::default();
        }
    }

    fn retry(&mut self) {
        if self.failing.is_empty() {
            return;
        }
        let now = Instant::now();
        for id in std::mem::take(&mut self.failing) {
            let Some(next) = self.sinks.get(&id).and_then(|log| log.sink.next_try()) else { continue };
            if next > now {
                self.failing.insert(id);
            } else {
                self.resume(id);
            }
        }
    }

    /// A log may take bytes again.
    fn resume(&mut self, id: usize) {
        let Some(log) = self.sinks.get_mut(&id) else { return };
        let fine = log.sink.resume();
        let gave_up = !fine && (log.sink.give_up_if_late() || log.sink.drops());
        if !fine && !gave_up {
            return self.pause_if_needed(id);
        }
        log.watched = None;
        for key in log.streams.clone() {
            let Some(log) = self.sinks.get_mut(&id) else { return };
            let Some(entry) = self.streams.get_mut(&key) else { continue };
            if gave_up {
                entry.stream.discard(&mut log.sink);
            } else {
                let alone = log.streams.len() == 1;
                entry.stream.resume(alone, &mut log.sink, &mut self.compressor);
                if log.sink.drops() {
                    // A try failed that nobody waits for any more.
                    entry.stream.discard(&mut log.sink);
                }
            }
            if !log.sink.is_fine() && !log.sink.drops() {
                return self.pause_if_needed(id);
            }
            if entry.closed {
                if entry.stream.finish(&mut log.sink, &mut self.compressor) {
                    self.forget(key, id);
                }
            } else {
                self.watch(key);
                self.serve(key);
            }
        }
        self.release(id);
        self.pause_if_needed(id);
    }

    fn watch(&mut self, key: usize) {
        let Some(entry) = self.streams.get_mut(&key).filter(|entry| entry.watched.is_none()) else { return };
        let source = Arc::clone(&entry.stream.source);
        match Watched::new(&self.desk.poller, key, source) {
            Ok(watched) => entry.watched = Some(watched),
            Err(error) => {
                log::error!(target: "bansuri", "logs: a stream cannot be watched and is closed: {error}");
                self.close(key);
            }
        }
    }
}
