//! The log and the last word of a child, on their way to the host.

use super::super::error::PluginFault;
use super::frame::framed;
use super::report::Report;
use log::{LevelFilter, Log, Metadata, Record};
use parking_lot::Mutex;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// Speaks to the host, on any thread, one message after another. A host that does not listen holds the caller up; one
/// that is gone does not.
pub(super) struct Voice {
    stream: Arc<UnixStream>,
    speaking: Mutex<()>,
}

impl Voice {
    pub(super) fn new(stream: Arc<UnixStream>) -> Self {
        Self { stream, speaking: Mutex::new(()) }
    }

    /// Says how the work has ended.
    pub(super) fn ended(&self, result: Result<i32, PluginFault>) {
        self.say(&Report::Ended(result));
    }

    fn say(&self, report: &Report) {
        let Some(message) = framed(&report.encode()) else { return };
        let _speaking = self.speaking.lock();
        // Nobody else could be told that the host is gone.
        let _ = (&*self.stream).write_all(&message);
    }
}

/// Has this process log to its host.
pub(super) fn start_logging(voice: &Arc<Voice>, level: LevelFilter) {
    log::set_max_level(level);
    // There is no other logger in this process.
    let _ = log::set_boxed_logger(Box::new(ForwardingLogger { voice: Arc::clone(voice) }));
}

struct ForwardingLogger {
    voice: Arc<Voice>,
}

impl Log for ForwardingLogger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            // The host knows under which name: everything in this process is for one task or notifier.
            self.voice.say(&Report::Log { level: record.level(), text: record.args().to_string() });
        }
    }

    fn flush(&self) {}
}
