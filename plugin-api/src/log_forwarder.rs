//! Every library has statics of its own, those of `log` included: this carries its records to the host.

use crate::abi::LogArc;
use std::cell::RefCell;
use std::sync::OnceLock;

thread_local! {
    /// The instance whose code this thread is in.
    static CURRENT: RefCell<Option<LogArc>> = const { RefCell::new(None) };
}

/// For threads that are in no instance's code.
static LIBRARY: OnceLock<LogArc> = OnceLock::new();

/// Installs the forwarder as the logger of this library; a second one changes nothing.
pub(crate) fn install() {
    // Fails where a program under test has a logger of its own, which then stays.
    let _ = log::set_logger(&Forwarder);
}

/// Sets where the records of this library's own threads go.
pub(crate) fn attach(logger: LogArc) {
    install();
    adopt_level(&logger);
    // A host attaches once; a second one would be the same host.
    let _ = LIBRARY.set(logger);
}

/// Takes the host's level over, so that a record nobody wants costs a comparison.
pub(crate) fn adopt_level(logger: &LogArc) {
    log::set_max_level(match logger.max_level() {
        0 => log::LevelFilter::Off,
        1 => log::LevelFilter::Error,
        2 => log::LevelFilter::Warn,
        3 => log::LevelFilter::Info,
        4 => log::LevelFilter::Debug,
        _ => log::LevelFilter::Trace,
    });
}

/// The library's logger, where a host attached one.
pub(crate) fn library_logger() -> Option<&'static LogArc> {
    LIBRARY.get()
}

/// Sends this thread's records to `logger` until the result is dropped.
pub(crate) fn enter(logger: Option<&LogArc>) -> Entered {
    let logger = logger.map(share);
    Entered { previous: CURRENT.with(|current| current.replace(logger)) }
}

/// Another handle to the same logger.
pub(crate) fn share(logger: &LogArc) -> LogArc {
    LogArc::from_sabi(logger.obj.shallow_clone())
}

/// Writes one record.
pub(crate) fn send(logger: &LogArc, level: log::Level, target: &str, message: &str) {
    logger.log(level as u32, target.into(), message.into());
}

/// Restores what was there.
pub(crate) struct Entered {
    previous: Option<LogArc>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let previous = self.previous.take();
        CURRENT.with(|current| current.replace(previous));
    }
}

struct Forwarder;

impl log::Log for Forwarder {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        // A thread that is ending has no current instance any more.
        let current = CURRENT.try_with(|current| current.borrow().as_ref().map(share)).ok().flatten();
        let Some(logger) = current.as_ref().or(LIBRARY.get()) else { return };
        match record.args().as_str() {
            Some(text) => send(logger, record.level(), record.target(), text),
            None => send(logger, record.level(), record.target(), &record.args().to_string()),
        }
    }

    fn flush(&self) {}
}
