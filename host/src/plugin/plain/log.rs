//! The host's log as plain plugins reach it.

use super::{raw, text};
use crate::plugin::guard::guarded;
use crate::plugin::logger::{max_level, write_lines};
use std::sync::Arc;

/// The log under one name, for as long as it lives. Does not move: plugins have its address.
#[repr(C)]
pub(super) struct PlainLog {
    /// First, so that a pointer to it is one to the whole.
    raw: raw::Log,
    name: Arc<str>,
}

impl PlainLog {
    pub(super) fn new(name: Arc<str>) -> Box<Self> {
        Box::new(Self { raw: raw::Log { size: size_of::<raw::Log>(), level, write }, name })
    }

    /// Writes a record of the host's own.
    pub(super) fn write(&self, level: u32, message: &str) {
        write_lines(&self.name, level, message);
    }

    /// What plugins are given.
    pub(super) fn raw(&self) -> *const raw::Log {
        (&raw const *self).cast()
    }

    /// Behind a pointer that [`PlainLog::raw`] gave; `None` for NULL.
    ///
    /// # Safety
    /// It is such a pointer or NULL, and the log lives for `'a`.
    unsafe fn of<'a>(log: *const raw::Log) -> Option<&'a Self> {
        // SAFETY: every raw log begins a `PlainLog`, and the caller promises that this one lives.
        unsafe { log.cast::<Self>().as_ref() }
    }
}

extern "C" fn level(log: *const raw::Log) -> u32 {
    if log.is_null() { 0 } else { max_level() }
}

extern "C" fn write(log: *const raw::Log, level: u32, message: raw::Text) {
    guarded((), || {
        // SAFETY: the header lets a plugin call this with a log that it may still use.
        let log = unsafe { PlainLog::of(log) };
        // SAFETY: the plugin gives a text or NULL, which stays during this call.
        let message = unsafe { text::taken(message) };
        if let Some(log) = log {
            log.write(level, &message);
        }
    });
}
