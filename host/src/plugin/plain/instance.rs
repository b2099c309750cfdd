//! Instances of plain types, and the calls into them.

use super::buffer::ErrorBuffer;
use super::context::PlainContext;
use super::failure::with_failure;
use super::log::PlainLog;
use super::{raw, text};
use crate::plugin::context::RunContext;
use crate::plugin::error::PluginFault;
use crate::plugin::failure::FailureRecord;
use crate::plugin::instance::InstanceSetup;
use parking_lot::Mutex;
use std::ptr;
use std::sync::Arc;

/// A task, for one run. Dropping it closes it.
pub(in crate::plugin) struct PlainTask {
    state: State,
    run: raw::Run,
    stop: Option<raw::Plain>,
    /// What `run` was given: stays until `close` has returned.
    context: Mutex<Option<Arc<PlainContext>>>,
}

/// A notifier. Dropping it closes it.
pub(in crate::plugin) struct PlainNotifier {
    state: State,
    notify: raw::Notify,
}

impl PlainTask {
    pub(super) fn new(
        task: &raw::Task,
        run: raw::Run,
        setup: InstanceSetup<'_>,
    ) -> Result<Self, PluginFault> {
        let state = State::new(task.create, task.close, setup)?;
        Ok(Self { state, run, stop: task.stop, context: Mutex::new(None) })
    }

    pub(in crate::plugin) fn run(&self, context: &RunContext) -> Result<i32, PluginFault> {
        let context = PlainContext::new(context);
        *self.context.lock() = Some(Arc::clone(&context));
        let mut code = 0;
        let (status, error) = ErrorBuffer::call(|error| {
            // SAFETY: the instance is open, and what is pointed to lives as long as the header says.
            unsafe { (self.run)(self.state.instance, context.raw(), &raw mut code, error) }
        });
        if status == raw::OK { Ok(code) } else { Err(error.fault("run")) }
    }

    pub(in crate::plugin) fn stop(&self) {
        if let Some(stop) = self.stop {
            // SAFETY: the instance is open: closing it takes it out of everybody's hands.
            unsafe { stop(self.state.instance) };
        }
    }
}

impl PlainNotifier {
    pub(super) fn new(
        notifier: &raw::Notifier,
        notify: raw::Notify,
        setup: InstanceSetup<'_>,
    ) -> Result<Self, PluginFault> {
        Ok(Self { state: State::new(notifier.create, notifier.close, setup)?, notify })
    }

    pub(in crate::plugin) fn notify(&self, failure: FailureRecord) -> Result<(), PluginFault> {
        let (status, error) = ErrorBuffer::call(|error| {
            // SAFETY: the instance is open, and what is pointed to lives as long as the call.
            with_failure(failure, |failure| unsafe { (self.notify)(self.state.instance, failure, error) })
        });
        if status == raw::OK { Ok(()) } else { Err(error.fault("notify")) }
    }
}

/// What `create` returned, open until this is dropped.
struct State {
    instance: raw::Instance,
    close: Option<raw::Plain>,
    /// The log that `create` was given: stays until `close` has returned.
    _log: Box<PlainLog>,
}

// SAFETY: the header has types bear calls on any thread, and on several at once where it says so.
unsafe impl Send for State {}
// SAFETY: the same.
unsafe impl Sync for State {}

impl State {
    fn new(
        create: Option<raw::Create>,
        close: Option<raw::Plain>,
        setup: InstanceSetup<'_>,
    ) -> Result<Self, PluginFault> {
        let (name, options) = (text::given(&*setup.name), text::given(setup.options.to_string()));
        let log = PlainLog::new(setup.name);
        let mut instance = ptr::null_mut();
        if let Some(create) = create {
            let config = raw::Config {
                size: size_of::<raw::Config>(),
                name: name.as_ptr(),
                options: options.as_ptr(),
                log: log.raw(),
            };
            let error;
            // SAFETY: what is pointed to lives longer than the call.
            (instance, error) = ErrorBuffer::call(|error| unsafe { create(&raw const config, error) });
            if instance.is_null() {
                return Err(error.fault("create"));
            }
        }
        Ok(Self { instance, close, _log: log })
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if let Some(close) = self.close {
            // SAFETY: it was open, and nobody else has it any more.
            unsafe { close(self.instance) };
        }
    }
}
