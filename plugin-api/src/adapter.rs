//! The author's plain types, dressed for the boundary: every entry is shielded.

use crate::abi::{
    AbiNotifier, AbiNotifier_TO, AbiTask, AbiTask_TO, ConfigBox, ContextArc, FailureBox, FaultBox, FaultKind,
    LogArc, NotifierBox, TaskBox,
};
use crate::author::{
    FailureInfo, Notifier, NotifierConfig, NotifyError, Task, TaskConfig, TaskContext, TaskError,
};
use crate::log_forwarder;
use crate::shield::{shielded, Entry, Fault};
use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::std_types::RResult;
use std::convert::Infallible;
use std::io::Write;

/// Makes a task instance.
pub(crate) fn new_task<T: Task>(config: ConfigBox) -> Result<TaskBox, Fault> {
    let logger = config.logger();
    log_forwarder::adopt_level(&logger);
    let value = shielded(Entry::Constructor, Some(&logger), || {
        T::new(&TaskConfig::from_json(config.name().as_str(), config.options().as_str())?)
    })?;
    Ok(AbiTask_TO::from_value(Shielded { value: Some(value), logger }, TD_Opaque))
}

/// Makes a notifier instance.
pub(crate) fn new_notifier<N: Notifier>(config: ConfigBox) -> Result<NotifierBox, Fault> {
    let logger = config.logger();
    log_forwarder::adopt_level(&logger);
    let value = shielded(Entry::Constructor, Some(&logger), || {
        N::new(&NotifierConfig::from_json(config.name().as_str(), config.options().as_str())?)
    })?;
    Ok(AbiNotifier_TO::from_value(Shielded { value: Some(value), logger }, TD_Opaque))
}

/// An author's value and where its log records go.
struct Shielded<T> {
    /// Taken by `close` alone, which consumes the whole.
    value: Option<T>,
    logger: LogArc,
}

impl<T> Shielded<T> {
    fn enter<R, E: std::fmt::Display>(
        &self,
        entry: Entry,
        body: impl FnOnce(&T) -> Result<R, E>,
    ) -> RResult<R, FaultBox> {
        let Some(value) = &self.value else {
            return RResult::RErr(Fault::new(FaultKind::ERROR, "the instance has been closed").boxed());
        };
        shielded(entry, Some(&self.logger), || body(value)).map_err(Fault::boxed).into()
    }

    fn drop_value(&mut self) -> Result<(), Fault> {
        let value = self.value.take();
        shielded(Entry::Drop, Some(&self.logger), move || {
            drop(value);
            // Nobody else could: what this library prints is held back by a standard library of its own.
            let _ = std::io::stdout().flush();
            Ok::<(), Infallible>(())
        })
    }
}

impl<T> Drop for Shielded<T> {
    fn drop(&mut self) {
        if self.value.is_some() {
            if let Err(fault) = self.drop_value() {
                log_forwarder::send(&self.logger, log::Level::Error, module_path!(), &fault.message);
            }
        }
    }
}

impl<T: Task> AbiTask for Shielded<T> {
    fn run(&self, context: ContextArc) -> RResult<i32, FaultBox> {
        self.enter(Entry::Run, |task| -> Result<i32, TaskError> { task.run(&TaskContext::new(context)) })
    }

    fn stop(&self) -> RResult<(), FaultBox> {
        self.enter(Entry::Stop, |task| -> Result<(), Infallible> {
            task.stop();
            Ok(())
        })
    }

    fn close(mut self) -> RResult<(), FaultBox> {
        self.drop_value().map_err(Fault::boxed).into()
    }
}

impl<N: Notifier> AbiNotifier for Shielded<N> {
    fn notify(&self, failure: FailureBox) -> RResult<(), FaultBox> {
        self.enter(Entry::Notify, |notifier| -> Result<(), NotifyError> {
            notifier.notify(&FailureInfo::from_abi(&failure))
        })
    }

    fn close(mut self) -> RResult<(), FaultBox> {
        self.drop_value().map_err(Fault::boxed).into()
    }
}
