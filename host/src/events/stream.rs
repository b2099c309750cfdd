//! The writer of the event stream: a thread of its own behind a bounded queue, so that a slow reader never holds the
//! control thread up. While the queue is empty and the sink a pipe with room, nobody has to be woken for a line.

use super::output::{Line, Output};
use super::record::HostEvent;
use crate::clock::wall_now;
use crate::process::start_thread;
use crossbeam::channel::{Receiver, Select, Sender, TryRecvError, bounded, unbounded};
use parking_lot::Mutex;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
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
    /// Locked by the thread while it writes, and by who finds it unlocked. `None`: a FIFO that nobody reads yet.
    output: Arc<Mutex<Option<Output>>>,
    /// Disconnected when the thread has written everything and ended.
    ended: Receiver<()>,
    thread: JoinHandle<()>,
}

impl EventStream {
    /// Opens the sink and starts the writer thread. An unusable file is an error here; a FIFO without a reader is
    /// opened by the thread, when one comes.
    pub fn open(sink: Option<&EventSink>) -> io::Result<Self> {
        Self::with_backlog(sink, BACKLOG)
    }

    fn with_backlog(sink: Option<&EventSink>, backlog: usize) -> io::Result<Self> {
        let Some(sink) = sink else { return Ok(Self { writer: None, seq: 0 }) };
        let (opened, fifo) = match sink {
            EventSink::Stdout => (Some(io::stdout().as_fd().try_clone_to_owned()?), None),
            EventSink::File(path) => match open_file(path)? {
                Some(file) => (Some(file.into()), None),
                None => (None, Some(path.clone())),
            },
        };
        Self::writing_to(opened, fifo, backlog)
    }

    /// To what is open, or to the FIFO once that has a reader.
    fn writing_to(opened: Option<OwnedFd>, fifo: Option<PathBuf>, backlog: usize) -> io::Result<Self> {
        let output = Arc::new(Mutex::new(opened.map(Output::new)));
        let (queue, lines) = unbounded();
        let (alive, ended) = bounded(0);
        let (overflow, shared) = (lines.clone(), Arc::clone(&output));
        let thread = start_thread("events", move || {
            let _alive: Sender<()> = alive;
            let opened = fifo.map_or(Ok(()), |path| {
                let file = OpenOptions::new().append(true).open(path)?;
                *shared.lock() = Some(Output::new(file.into()));
                Ok(())
            });
            if let Err(error) = opened.and_then(|()| write_lines(&lines, &shared)) {
                log::warn!(target: "bansuri", "event stream: {error}: no more events are written");
            }
        })?;
        Ok(Self { writer: Some(Writer { queue, backlog, overflow, output, ended, thread }), seq: 0 })
    }

    /// Whether anybody listens: if not, an event need not even be made.
    pub fn is_open(&self) -> bool {
        self.writer.is_some()
    }

    /// Writes an event with the time of now. Never blocks.
    pub fn emit(&mut self, event: &HostEvent<'_>) {
        let Some(writer) = &self.writer else { return };
        self.seq += 1;
        let line = Line { seq: self.seq, bytes: event.to_line(wall_now(), self.seq) };
        if writer.write_at_once(&line) {
            return;
        }
        while writer.queue.len() >= writer.backlog {
            // The writer sees the gap in the numbers and says so.
            let _ = writer.overflow.try_recv();
        }
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

impl Writer {
    /// False: the line has to wait for those before it, or for the reader.
    fn write_at_once(&self, line: &Line) -> bool {
        let Some(mut output) = self.output.try_lock() else { return false };
        // Looked at while it is locked: a line that the thread has taken is written by now.
        self.queue.is_empty() && output.as_mut().is_some_and(|output| output.write_at_once(line))
    }
}

/// `None` for a FIFO that nobody reads yet: opening it would block.
fn open_file(path: &Path) -> io::Result<Option<File>> {
    if std::fs::metadata(path).is_ok_and(|meta| meta.file_type().is_fifo()) {
        return Ok(None);
    }
    OpenOptions::new().append(true).create(true).open(path).map(Some)
}

fn write_lines(lines: &Receiver<Line>, output: &Mutex<Option<Output>>) -> io::Result<()> {
    let mut next = Select::new();
    next.recv(lines);
    loop {
        next.ready();
        // Locked before the line is taken, so that none overtakes it.
        let mut output = output.lock();
        match lines.try_recv() {
            Ok(line) => output.as_mut().map_or(Ok(()), |output| output.write(&line))?,
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Read};

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
    fn a_pipe_has_every_line_in_order_however_its_reader_comes_and_goes() {
        let (read, write) = io::pipe().unwrap();
        let mut stream = EventStream::writing_to(Some(write.into()), None, BACKLOG).unwrap();
        let mut lines = BufReader::new(read).lines().map(Result::unwrap);
        let mut expect = 1..;
        let mut read = |count| {
            for seq in expect.by_ref().take(count) {
                let value: serde_json::Value = serde_json::from_str(&lines.next().unwrap()).unwrap();
                assert_eq!(value["seq"], seq);
            }
        };
        // What a pipe has room for, and then what it has not, which the thread writes as it is read.
        for count in [1, 10, 5_000, 1, 3_000, 20] {
            for n in 0..count {
                stream.emit(&lost(n));
            }
            read(count);
        }
        stream.emit(&HostEvent::ConfigLoaded { file: &"x".repeat(2 * rustix::pipe::PIPE_BUF), tasks: 1 });
        stream.emit(&lost(0));
        read(2);
        stream.close(Duration::from_secs(60));
        assert_eq!(lines.next(), None);
    }

    #[test]
    fn an_unusable_file_is_an_error_at_once() {
        assert!(EventStream::open(Some(&EventSink::File("/nonexistent/events".into()))).is_err());
    }
}
