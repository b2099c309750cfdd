//! The host's log on standard error. simplelog formats each record where it happens; a thread writes the lines behind a
//! bounded queue, so that a reader of standard error that has stalled never holds the control thread up.

use crate::process::start_thread;
use crossbeam::channel::{Receiver, Sender, bounded, unbounded};
use log::{Level, LevelFilter, Log, Metadata, Record};
use parking_lot::Mutex;
use simplelog::{ConfigBuilder, WriteLogger};
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use termcolor::{Color, ColorChoice, ColorSpec, StandardStream, WriteColor};
use time::macros::format_description;

/// How many lines wait before new ones are dropped (and counted).
const BACKLOG: usize = 8_192;

/// How long the end of the host waits for lines to be written.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);

enum Message {
    Line { level: Level, text: Vec<u8> },
    Flush(Sender<()>),
}

struct QueuedLogger {
    level: LevelFilter,
    /// Locked for one record at a time: simplelog writes a record in several pieces.
    formatter: Mutex<Formatter>,
    /// It grows with what waits, and who fills it keeps it to [`BACKLOG`]: a bounded one would have its memory from the
    /// start.
    queue: Sender<Message>,
    dropped: AtomicU64,
}

struct Formatter {
    simplelog: Box<WriteLogger<Shared>>,
    line: Shared,
}

/// What simplelog writes into.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts the logger for the process. Levels: warnings and above with `quiet`, info by default, debug and trace with one
/// and two of `verbose`. A second call does nothing.
pub fn start(verbose: u8, quiet: bool) {
    let level = match (quiet, verbose) {
        (true, _) => LevelFilter::Warn,
        (false, 0) => LevelFilter::Info,
        (false, 1) => LevelFilter::Debug,
        (false, _) => LevelFilter::Trace,
    };
    let (queue, messages) = unbounded();
    let logger = QueuedLogger {
        level,
        formatter: Mutex::new(Formatter::new(level)),
        queue,
        dropped: AtomicU64::new(0),
    };
    if log::set_boxed_logger(Box::new(logger)).is_err() {
        return;
    }
    log::set_max_level(level);
    let spawned = start_thread("log", move || write_messages(&messages));
    if spawned.is_err() {
        // Without its thread nothing takes lines from the queue: better than no host.
        log::set_max_level(LevelFilter::Off);
    }
}

/// Waits until what was logged so far is written, but not longer than a second.
pub fn flush() {
    log::logger().flush();
}

impl Formatter {
    fn new(level: LevelFilter) -> Self {
        let config = ConfigBuilder::new()
            .set_time_format_custom(format_description!(
                "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
            ))
            .set_time_level(LevelFilter::Error)
            .set_target_level(LevelFilter::Error)
            .set_thread_level(LevelFilter::Off)
            .set_location_level(LevelFilter::Off)
            .build();
        let line = Shared::default();
        Self { simplelog: WriteLogger::new(level, config, line.clone()), line }
    }

    /// `2026-11-22T10:00:00.123Z [INFO] target: text`, with its line feed.
    fn format(&self, record: &Record<'_>) -> Vec<u8> {
        self.simplelog.log(record);
        std::mem::take(&mut *self.line.0.lock())
    }
}

impl QueuedLogger {
    fn send(&self, record: &Record<'_>) -> bool {
        if self.queue.len() >= BACKLOG {
            return false;
        }
        let text = self.formatter.lock().format(record);
        // Where the thread is gone, nobody can be told.
        let _ = self.queue.send(Message::Line { level: record.level(), text });
        true
    }
}

impl Log for QueuedLogger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= self.level
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        let said = dropped == 0
            || self.send(
                &Record::builder()
                    .level(Level::Warn)
                    .target("bansuri")
                    .args(format_args!("{dropped} log lines were dropped: standard error was not read"))
                    .build(),
            );
        if !said {
            self.dropped.fetch_add(dropped, Ordering::Relaxed);
        }
        if !said || !self.send(record) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {
        let (done, written) = bounded(1);
        if self.queue.send(Message::Flush(done)).is_ok() {
            let _ = written.recv_timeout(FLUSH_LIMIT);
        }
    }
}

fn write_messages(messages: &Receiver<Message>) {
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let choice = if colours { ColorChoice::Auto } else { ColorChoice::Never };
    let mut stderr = StandardStream::stderr(choice);
    for message in messages {
        match message {
            // Nobody can be told that standard error is gone.
            Message::Line { level, text } => drop(write_line(&mut stderr, level, &text)),
            Message::Flush(done) => {
                let _ = stderr.flush();
                let _ = done.try_send(());
            }
        }
    }
}

/// The line in one piece, with its level in colour where the stream has colours.
fn write_line(stderr: &mut StandardStream, level: Level, text: &[u8]) -> io::Result<()> {
    let tag = format!("[{level}]");
    let found = text.windows(tag.len()).position(|window| window == tag.as_bytes());
    let (Some(at), true) = (found, stderr.supports_color()) else { return stderr.write_all(text) };
    let (before, rest) = text.split_at(at);
    let (tag, after) = rest.split_at(tag.len());
    stderr.write_all(before)?;
    stderr.set_color(ColorSpec::new().set_fg(Some(colour(level))).set_bold(level <= Level::Warn))?;
    stderr.write_all(tag)?;
    stderr.reset()?;
    stderr.write_all(after)
}

fn colour(level: Level) -> Color {
    match level {
        Level::Error => Color::Red,
        Level::Warn => Color::Yellow,
        Level::Info => Color::Green,
        Level::Debug => Color::Cyan,
        Level::Trace => Color::White,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_time_level_and_target() {
        let formatter = Formatter::new(LevelFilter::Info);
        let line = formatter.format(
            &Record::builder().level(Level::Warn).target("backup").args(format_args!("late")).build(),
        );
        let line = String::from_utf8(line).unwrap();
        let (time, rest) = line.split_once(' ').unwrap();
        assert_eq!(rest, "[WARN] backup: late\n");
        assert_eq!(time.len(), "2026-11-22T10:00:00.123Z".len(), "{time}");
    }
}
