//! The host's log on standard error: simplelog's terminal logger behind a bounded queue and a thread, so that a reader
//! of standard error that has stalled never holds the control thread up.

use crossbeam::channel::{Receiver, Sender, TrySendError, bounded};
use log::{Level, LevelFilter, Log, Metadata, Record};
use simplelog::{ColorChoice, ConfigBuilder, TermLogger, TerminalMode};
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How many lines wait before new ones are dropped (and counted).
const BACKLOG: usize = 8_192;

enum Message {
    Line { level: Level, target: String, text: String },
    Flush(Sender<()>),
}

struct QueuedLogger {
    level: LevelFilter,
    queue: Sender<Message>,
    dropped: AtomicU64,
}

/// Starts the logger for the process. Levels: 0 warnings and above with `quiet`, info by default, debug and trace with
/// one and two of `verbose`. A second call does nothing.
pub fn start(verbose: u8, quiet: bool) {
    let level = match (quiet, verbose) {
        (true, _) => LevelFilter::Warn,
        (false, 0) => LevelFilter::Info,
        (false, 1) => LevelFilter::Debug,
        (false, _) => LevelFilter::Trace,
    };
    let (queue, messages) = bounded(BACKLOG);
    let logger = QueuedLogger { level, queue, dropped: AtomicU64::new(0) };
    if log::set_boxed_logger(Box::new(logger)).is_err() {
        return;
    }
    log::set_max_level(level);
    let spawned =
        std::thread::Builder::new().name("log".into()).spawn(move || write_messages(&messages, level));
    if spawned.is_err() {
        // Without its thread the queue's far end is gone, and every line is dropped: better than no host.
        log::set_max_level(LevelFilter::Off);
    }
}

/// Waits until what was logged so far is written, but not longer than a second.
pub fn flush() {
    log::logger().flush();
}

impl Log for QueuedLogger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= self.level
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = |text| Message::Line { level: record.level(), target: record.target().to_owned(), text };
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let text = format!("{dropped} log lines were dropped: standard error is not being read");
            if self.queue.try_send(line(text)).is_err() {
                self.dropped.fetch_add(dropped, Ordering::Relaxed);
            }
        }
        if let Err(TrySendError::Full(_)) = self.queue.try_send(line(record.args().to_string())) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {
        let (done, written) = bounded(0);
        if self.queue.send_timeout(Message::Flush(done), Duration::from_secs(1)).is_ok() {
            let _ = written.recv_timeout(Duration::from_secs(1));
        }
    }
}

fn write_messages(messages: &Receiver<Message>, level: LevelFilter) {
    let colours = if std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        ColorChoice::Auto
    } else {
        ColorChoice::Never
    };
    let config = ConfigBuilder::new()
        .set_time_format_rfc3339()
        .set_time_level(LevelFilter::Error)
        .set_target_level(LevelFilter::Error)
        .set_thread_level(LevelFilter::Off)
        .set_location_level(LevelFilter::Off)
        .build();
    let terminal = TermLogger::new(level, config, TerminalMode::Stderr, colours);
    for message in messages {
        match message {
            Message::Line { level, target, text } => {
                terminal.log(
                    &Record::builder().level(level).target(&target).args(format_args!("{text}")).build(),
                );
            }
            Message::Flush(done) => {
                terminal.flush();
                let _ = done.send_timeout((), Duration::from_secs(1));
            }
        }
    }
}
