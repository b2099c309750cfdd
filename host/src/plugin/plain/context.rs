//! A run as plain plugins see it: the header's functions over [`RunContext`], which guards against panics itself.

use super::log::PlainLog;
use super::{raw, text};
use crate::plugin::context::RunContext;
use crate::plugin::guard::guarded;
use bansuri_plugin_api::abi::abi_stable::std_types::{RDuration, RErr, ROk, ROption, RSlice};
use bansuri_plugin_api::abi::{AbiTaskContext, FaultKind, OutputStream};
use std::ffi::{CString, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// One run's view of its host. Lives until the host lets go of it and the plugin holds it no more.
#[repr(C)]
pub(super) struct PlainContext {
    /// First, so that a pointer to it is one to the whole.
    raw: raw::Context,
    run: RunContext,
    /// How often the plugin holds it. Counted apart, so that one release too many cannot take the host's hold away.
    held: AtomicUsize,
    /// What `raw` points to.
    _texts: Vec<CString>,
    _variables: Vec<raw::Variable>,
    log: Box<PlainLog>,
}

// SAFETY: the pointers in it are to what it owns itself and never changes.
unsafe impl Send for PlainContext {}
// SAFETY: the same.
unsafe impl Sync for PlainContext {}

impl PlainContext {
    pub(super) fn new(run: &RunContext) -> Arc<Self> {
        let mut texts = Vec::new();
        let mut keep = |text: &[u8]| -> raw::Text {
            texts.push(text::given(text));
            // A CString's bytes stay where they are when it moves.
            texts.last().map_or(std::ptr::null(), |text| text.as_ptr())
        };
        let environment = run.environment();
        let variables: Vec<_> = environment
            .iter()
            .map(|entry| raw::Variable {
                name: keep(entry.name.as_bytes()),
                value: keep(entry.value.as_bytes()),
            })
            .collect();
        let log = PlainLog::new(run.name().as_str().into());
        let raw = raw::Context {
            size: size_of::<raw::Context>(),
            name: keep(run.name().as_str().as_bytes()),
            run_id: keep(run.run_id().as_str().as_bytes()),
            working_directory: keep(run.working_directory().as_slice()),
            variables: variables.as_ptr(),
            variable_count: variables.len(),
            log: log.raw(),
            retain,
            release,
            time_left,
            write,
            progress,
            is_stopping,
            wait_for_stop,
            attempt: run.attempt(),
            reserved: 0,
        };
        let (run, held) = (run.clone(), AtomicUsize::new(0));
        Arc::new(Self { raw, run, held, _texts: texts, _variables: variables, log })
    }

    /// What plugins are given.
    pub(super) fn raw(self: &Arc<Self>) -> *const raw::Context {
        Arc::as_ptr(self).cast()
    }
}

/// Calls `body` with the context behind a pointer of a plugin's; `otherwise` is the answer for NULL and for a panic.
/// Holds the context meanwhile: a call may wait for longer than the run lasts.
fn with<R: Copy>(
    context: *const raw::Context,
    otherwise: R,
    body: impl FnOnce(&Arc<PlainContext>) -> R,
) -> R {
    if context.is_null() {
        return otherwise;
    }
    guarded(otherwise, || {
        let context = context.cast::<PlainContext>();
        // SAFETY: every raw context begins a `PlainContext` that lives in an Arc, and the header lets a plugin call this
        // only while it lives.
        let context = unsafe {
            Arc::increment_strong_count(context);
            Arc::from_raw(context)
        };
        body(&context)
    })
}

extern "C" fn retain(context: *const raw::Context) {
    with(context, (), |it| {
        it.held.fetch_add(1, Ordering::Relaxed);
        std::mem::forget(Arc::clone(it));
    });
}

extern "C" fn release(context: *const raw::Context) {
    with(context, (), |it| {
        let one_less = |held: usize| held.checked_sub(1);
        if it.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
            // SAFETY: the hold that was counted left one of these behind.
            drop(unsafe { Arc::from_raw(Arc::as_ptr(it)) });
        } else {
            it.log.write(log::Level::Error as u32, "the plugin let go of a context that it did not hold");
        }
    });
}

extern "C" fn time_left(context: *const raw::Context) -> i64 {
    with(context, 0, |it| match it.run.time_left() {
        ROption::RSome(left) => i64::try_from(Duration::from(left).as_nanos()).unwrap_or(i64::MAX),
        ROption::RNone => raw::NO_TIMEOUT,
    })
}

extern "C" fn write(context: *const raw::Context, stream: u32, bytes: *const c_void, length: usize) -> i32 {
    with(context, raw::FAILED, |it| {
        let bytes = match (bytes.is_null(), isize::try_from(length)) {
            (_, Ok(0)) => &[],
            // More than any memory holds.
            (true, _) | (_, Err(_)) => return raw::FAILED,
            // SAFETY: the plugin gives that many bytes, which stay during this call.
            (false, Ok(_)) => unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), length) },
        };
        let stream = if stream == raw::STDERR { OutputStream::STDERR } else { OutputStream::STDOUT };
        match it.run.write(stream, RSlice::from_slice(bytes)) {
            ROk(()) => raw::OK,
            RErr(fault) if fault.kind() == FaultKind::RUN_ENDED => raw::ENDED,
            RErr(_) => raw::FAILED,
        }
    })
}

extern "C" fn progress(context: *const raw::Context, fraction: f64, text: raw::Text) {
    with(context, (), |it| {
        // SAFETY: the plugin gives a text or NULL, which stays during this call.
        AbiTaskContext::progress(&it.run, fraction, (&*unsafe { text::taken(text) }).into());
    });
}

extern "C" fn is_stopping(context: *const raw::Context) -> i32 {
    with(context, 1, |it| it.run.is_stopping().into())
}

extern "C" fn wait_for_stop(context: *const raw::Context, nanoseconds: u64) -> i32 {
    let at_most = match nanoseconds {
        raw::FOREVER => RDuration::from(Duration::MAX),
        some => Duration::from_nanos(some).into(),
    };
    with(context, 1, |it| it.run.wait_for_stop(at_most).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::context::{OutputSink, RunSetup};
    use std::thread;

    struct Drain;

    impl OutputSink for Drain {
        fn stdout(&self, _: &[u8]) -> std::io::Result<()> {
            Ok(())
        }

        fn stderr(&self, _: &[u8]) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn run() -> RunContext {
        RunContext::new(RunSetup {
            task: "task".into(),
            attempt: 1,
            run_id: "task#1".to_owned(),
            working_directory: "/".into(),
            environment: std::collections::BTreeMap::new(),
            deadline: None,
            output: Arc::new(Drain),
        })
    }

    #[test]
    fn holds_are_counted_and_one_that_is_missing_changes_nothing() {
        let context = PlainContext::new(&run());
        let raw = context.raw();
        release(raw);
        assert_eq!(Arc::strong_count(&context), 1);
        retain(raw);
        retain(raw);
        release(raw);
        assert_eq!(Arc::strong_count(&context), 2);
        let weak = Arc::downgrade(&context);
        drop(context);
        assert_eq!(is_stopping(raw), 0);
        release(raw);
        assert!(weak.upgrade().is_none());
    }

    #[test]
    fn a_call_in_progress_keeps_the_context() {
        let run = run();
        let context = PlainContext::new(&run);
        // A plugin's thread that holds nothing but the pointer.
        let address = context.raw().expose_provenance();
        let waits =
            thread::spawn(move || wait_for_stop(std::ptr::with_exposed_provenance(address), raw::FOREVER));
        while Arc::strong_count(&context) == 1 {
            thread::yield_now();
        }
        let weak = Arc::downgrade(&context);
        drop(context);
        run.request_stop();
        assert_eq!(waits.join().unwrap(), 1);
        assert!(weak.upgrade().is_none());
    }
}
