//! The host's log as plugins reach it.

use super::guard::guarded;
use bansuri_plugin_api::abi::abi_stable::sabi_trait::TD_Opaque;
use bansuri_plugin_api::abi::abi_stable::std_types::{RArc, RStr};
use bansuri_plugin_api::abi::{AbiLog, AbiLog_TO, LogArc};
use log::{Level, Record};
use std::sync::Arc;

/// The log under this name: a task's, a notifier's or a library's.
pub(super) fn logger(name: Arc<str>) -> LogArc {
    AbiLog_TO::from_ptr(RArc::new(NamedLog { name }), TD_Opaque)
}

struct NamedLog {
    name: Arc<str>,
}

impl AbiLog for NamedLog {
    fn max_level(&self) -> u32 {
        guarded(0, max_level)
    }

    fn log(&self, level: u32, _target: RStr<'_>, message: RStr<'_>) {
        // The plugin's target names a module of its own, which tells the reader of the host's log nothing.
        guarded((), || write_lines(&self.name, level, &message));
    }
}

/// The most detailed level that is written, as a number; 0: none.
pub(super) fn max_level() -> u32 {
    log::max_level() as u32
}

/// Writes a record for each line of a plugin's message.
pub(super) fn write_lines(name: &str, level: u32, message: &str) {
    let level = level_of(level);
    if level > log::max_level() {
        return;
    }
    for line in message.lines() {
        log::logger().log(&Record::builder().level(level).target(name).args(format_args!("{line}")).build());
    }
}

/// A number that is no level is the most detailed one.
fn level_of(number: u32) -> Level {
    match number {
        1 => Level::Error,
        2 => Level::Warn,
        3 => Level::Info,
        4 => Level::Debug,
        _ => Level::Trace,
    }
}
