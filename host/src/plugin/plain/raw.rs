//! The header's declarations, in Rust. A test compiles the header and compares.

use std::ffi::{c_char, c_void};

/// The version of the interface. A library of another one is refused.
pub(super) const VERSION: u32 = 1;

pub(super) const OK: i32 = 0;
pub(super) const FAILED: i32 = 1;
pub(super) const ENDED: i32 = 2;

pub(super) const STDERR: u32 = 2;

pub(super) const NO_TIMEOUT: i64 = -1;
pub(super) const FOREVER: u64 = u64::MAX;

/// A text that ends with a NUL; NULL is the empty one.
pub(super) type Text = *const c_char;
/// What `create` returned.
pub(super) type Instance = *mut c_void;

/// `bansuri_plugin`, the one exported function.
pub(super) type Entry = unsafe extern "C" fn() -> *const Exports;
pub(super) type Attach = unsafe extern "C" fn(*const Log);
pub(super) type Create = unsafe extern "C" fn(*const Config, *mut Error) -> Instance;
pub(super) type Run = unsafe extern "C" fn(Instance, *const Context, *mut i32, *mut Error) -> i32;
pub(super) type Notify = unsafe extern "C" fn(Instance, *const Failure, *mut Error) -> i32;
/// `stop` and `close`.
pub(super) type Plain = unsafe extern "C" fn(Instance);

/// `bansuri_error`.
#[repr(C)]
pub(super) struct Error {
    pub(super) size: usize,
    pub(super) message: *mut c_char,
    pub(super) capacity: usize,
}

/// `bansuri_log`.
#[repr(C)]
pub(super) struct Log {
    pub(super) size: usize,
    pub(super) level: extern "C" fn(*const Log) -> u32,
    pub(super) write: extern "C" fn(*const Log, u32, Text),
}

/// `bansuri_config`.
#[repr(C)]
pub(super) struct Config {
    pub(super) size: usize,
    pub(super) name: Text,
    pub(super) options: Text,
    pub(super) log: *const Log,
}

/// `bansuri_variable`.
#[repr(C)]
pub(super) struct Variable {
    pub(super) name: Text,
    pub(super) value: Text,
}

/// `bansuri_context`.
#[repr(C)]
pub(super) struct Context {
    pub(super) size: usize,
    pub(super) name: Text,
    pub(super) run_id: Text,
    pub(super) working_directory: Text,
    pub(super) variables: *const Variable,
    pub(super) variable_count: usize,
    pub(super) log: *const Log,
    pub(super) retain: extern "C" fn(*const Context),
    pub(super) release: extern "C" fn(*const Context),
    pub(super) time_left: extern "C" fn(*const Context) -> i64,
    pub(super) write: extern "C" fn(*const Context, u32, *const c_void, usize) -> i32,
    pub(super) progress: extern "C" fn(*const Context, f64, Text),
    pub(super) is_stopping: extern "C" fn(*const Context) -> i32,
    pub(super) wait_for_stop: extern "C" fn(*const Context, u64) -> i32,
    pub(super) attempt: u32,
    pub(super) reserved: u32,
}

/// `bansuri_failure`.
#[repr(C)]
pub(super) struct Failure {
    pub(super) size: usize,
    pub(super) task_name: Text,
    pub(super) command: Text,
    pub(super) working_directory: Text,
    pub(super) outcome: Text,
    pub(super) reason: Text,
    pub(super) description: Text,
    pub(super) run_id: Text,
    pub(super) host_name: Text,
    pub(super) stdout_tail: Text,
    pub(super) stdout_length: usize,
    pub(super) stderr_tail: Text,
    pub(super) stderr_length: usize,
    pub(super) folded: u64,
    pub(super) timestamp_seconds: i64,
    pub(super) timestamp_nanoseconds: u32,
    pub(super) return_code: i32,
    pub(super) attempt: u32,
    pub(super) max_attempts: u32,
}

/// `bansuri_task`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Task {
    pub(super) size: usize,
    pub(super) name: Text,
    pub(super) description: Text,
    pub(super) options_schema: Text,
    pub(super) create: Option<Create>,
    pub(super) run: Option<Run>,
    pub(super) stop: Option<Plain>,
    pub(super) close: Option<Plain>,
}

/// `bansuri_notifier`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Notifier {
    pub(super) size: usize,
    pub(super) name: Text,
    pub(super) description: Text,
    pub(super) options_schema: Text,
    pub(super) create: Option<Create>,
    pub(super) notify: Option<Notify>,
    pub(super) close: Option<Plain>,
}

/// `bansuri_exports`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Exports {
    pub(super) size: usize,
    pub(super) version: u32,
    pub(super) revision: u32,
    pub(super) tasks: *const *const Task,
    pub(super) task_count: usize,
    pub(super) notifiers: *const *const Notifier,
    pub(super) notifier_count: usize,
    pub(super) attach: Option<Attach>,
}

/// A struct that libraries give. What they leave out of it is zero.
///
/// # Safety
/// Zero in all of it, or in any of its members, is a value of it.
pub(super) unsafe trait Given: Copy {}

// SAFETY: numbers, pointers and functions that may be absent.
unsafe impl Given for Task {}
// SAFETY: the same.
unsafe impl Given for Notifier {}
// SAFETY: the same.
unsafe impl Given for Exports {}

#[cfg(test)]
mod tests;
