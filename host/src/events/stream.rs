//! The writer of the event stream: a thread of its own behind a bounded queue, so that a slow reader never holds the
//! control thread up.

use super::record::HostEvent;
use crate::clock::wall_now;
use crossbeam::channel::{Receiver, Sender, bounded, unbounded};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

/// How many events wait for a slow reader before the oldest are dropped.
const BACKLOG: usize = 65_536;

/// Where events go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EventSink {
    /// Standard output.
    Stdout,
    /// Appended to this file (or FIFO).
    File(PathBuf),
}

/// Numbers events and hands them to the writer thread. Without a sink it costs nothing.
pub struct EventStream {
    writer: Option<Writer>,
    seq: u64,
}

struct Writer {
    /// It grows with what waits, and who fills it keeps it to `backlog`: a bounded one would have its memory from the
    /// start.
    queue: Sender<Line>,
    backlog: usize,
    /// The far end of the queue: to drop the oldest event when it is full.
    overflow: Receiver<Line>,
    /// Disconnected when the thread has written everything and ended.
    ended: Receiver<()>,
    thread: JoinHandle<()>,
}

struct Line {
    seq: u64,
    bytes: Vec<u8>,
}

impl EventStream {
    /// Opens the sink and starts the writer thread. An unusable file is an error here; a FIFO without a reader is
    /// opened by the thread, when one comes.
    pub fn open(sink: Option<&EventSink>) -> io::Result<Self> {
        Self::with_backlog(sink, BACKLOG)
    }

    fn with_backlog(sink: Option<&EventSink>, backlog: usize) -> io::Result<Self> {
        let Some(sink) = sink else { return Ok(Self { writer: None, seq: 0 }) };
        let output: Box<dyn FnOnce() -> io::Result<Box<dyn Write>> + Send> = match sink {
            EventSink::Stdout => Box::new(|| Ok(Box::new(io::stdout()))),
            EventSink::File(path) => match open_file(path)? {
                Some(file) => Box::new(move || Ok(Box::new(file))),
                None => {
                    let path = path.clone();
                    Box::new(move || Ok(Box::new(OpenOptions::new().append(true).open(path)?)))
                }
            },
        };
        let (queue, lines) = unbounded();
        let (alive, ended) = bounded(0);
        let overflow = lines.clone();
        let thread = std::thread::Builder::new().name("events".into()).spawn(move || {
            let _alive: Sender<()> = alive;
            if let Err(error) = output().and_then(|mut output| write_lines(&lines, &mut output)) {
                log::warn!(target: "bansuri", "event stream: {error}: no more events are written");
            }
        })?;
        Ok(Self { writer: Some(Writer { queue, backlog, overflow, ended, thread }), seq: 0 })
    }

    /// Whether anybody listens: if not, an event need not even be made.
    pub fn is_open(&self) -> bool {
        self.writer.is_some()
    }

    /// Writes an event with the time of now. Never blocks.
    pub fn emit(&mut self, event: &HostEvent<'_>) {
        let Some(writer) = &self.writer else { return };
        self.seq += 1;
        while writer.queue.len() >= writer.backlog {
            // The writer sees the gap in the numbers and says so.
            let _ = writer.overflow.try_recv();
        }
        let line = Line { seq: self.seq, bytes: event.to_line(wall_now(), self.seq) };
        // Where nobody takes it any more, its reader is gone, which was said.
        let _ = writer.queue.send(line);
    }

    /// Waits until everything is written, but not longer than `limit`: a reader that has stalled must not keep the host
    /// alive.
    pub fn close(&mut self, limit: Duration) {
        let Some(Writer { queue, overflow, ended, thread, .. }) = self.writer.take() else { return };
        drop(queue);
        drop(overflow);
        match ended.recv_timeout(limit) {
            Err(crossbeam::channel::RecvTimeoutError::Disconnected) => {
                if thread.join().is_err() {
                    log::error!(target: "bansuri", "event stream: the writer panicked");
                }
            }
            Ok(()) | Err(crossbeam::channel::RecvTimeoutError::Timeout) => {
                log::warn!(target: "bansuri", "event stream: the reader has stalled: the last events are lost");
            }
        }
    }
}

/// `None` for a FIFO that nobody reads yet: opening it would block.
fn open_file(path: &Path) -> io::Result<Option<File>> {
    if std::fs::metadata(path).is_ok_and(|meta| meta.file_type().is_fifo()) {
        return Ok(None);
    }
    OpenOptions::new().append(true).create(true).open(path).map(Some)
}

fn write_lines(lines: &Receiver<Line>, output: &mut dyn Write) -> io::Result<()> {
    let mut last = 0;
    for Line { seq, bytes } in lines {
        if seq > last + 1 {
            let lost = HostEvent::EventsLost { count: seq - last - 1 };
            output.write_all(&lost.to_line(wall_now(), seq - 1))?;
        }
        last = seq;
        output.write_all(&bytes)?;
        output.flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn lost(n: usize) -> HostEvent<'static> {
        HostEvent::HostStopped { exit_code: n as i32 }
    }

    #[test]
    fn events_reach_the_file_in_order_and_an_existing_file_is_appended_to() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events");
        std::fs::write(&path, "before\n").unwrap();
        let mut stream = EventStream::open(Some(&EventSink::File(path.clone()))).unwrap();
        for n in 0..100 {
            stream.emit(&lost(n));
        }
        stream.close(Duration::from_secs(10));
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("before"));
        for (n, line) in lines.enumerate() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(value["seq"], n + 1);
            assert_eq!(value["exit_code"], n);
        }
    }

    #[test]
    fn a_reader_that_falls_behind_loses_the_oldest_and_is_told_how_many() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        let mut stream = EventStream::with_backlog(Some(&EventSink::File(path.clone())), 8).unwrap();
        // Nobody reads yet: the queue fills, and the writer thread waits in open.
        for n in 0..100 {
            stream.emit(&lost(n));
        }
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            File::open(path).unwrap().read_to_string(&mut text).unwrap();
            text
        });
        stream.close(Duration::from_secs(10));
        let text = reader.join().unwrap();
        let values: Vec<serde_json::Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(values[0]["event"], "events-lost");
        assert_eq!(values[0]["count"], 92);
        assert_eq!(values[0]["seq"], 92);
        assert_eq!(
            values.iter().skip(1).map(|v| v["seq"].as_u64().unwrap()).collect::<Vec<_>>(),
            (93..=100).collect::<Vec<_>>()
        );
    }

    #[test]
    fn an_unusable_file_is_an_error_at_once() {
        assert!(EventStream::open(Some(&EventSink::File("/nonexistent/events".into()))).is_err());
    }
}
