//! Instances of exported types.

use super::context::RunContext;
use super::error::PluginFault;
use super::failure::FailureRecord;
use super::logger::logger;
use super::plain::{PlainNotifier, PlainTask};
use bansuri_plugin_api::abi::abi_stable::sabi_trait::TD_Opaque;
use bansuri_plugin_api::abi::abi_stable::std_types::{RResult, RStr, RString};
use bansuri_plugin_api::abi::{
    AbiConfig, AbiConfig_TO, ConfigBox, FaultBox, FaultKind, LogArc, NotifierBox, TaskBox,
};
use std::sync::Arc;

/// What a constructor is given.
#[derive(Clone, Debug)]
pub struct InstanceSetup<'a> {
    /// The task's or notifier's name, under which the instance logs.
    pub name: Arc<str>,
    /// Its options, an object.
    pub options: &'a serde_json::Value,
}

impl InstanceSetup<'_> {
    pub(super) fn boxed(self) -> ConfigBox {
        AbiConfig_TO::from_value(
            Config { options: self.options.to_string().into(), name: self.name },
            TD_Opaque,
        )
    }
}

struct Config {
    name: Arc<str>,
    options: RString,
}

impl AbiConfig for Config {
    fn name(&self) -> RStr<'_> {
        RStr::from_str(&self.name)
    }

    fn options(&self) -> RStr<'_> {
        self.options.as_rstr()
    }

    fn logger(&self) -> LogArc {
        logger(Arc::clone(&self.name))
    }
}

/// A task, for one run. Its methods call author's code and may block; none unwinds.
pub struct TaskInstance(pub(super) TaskKind);

/// By the interface of its library.
pub(super) enum TaskKind {
    Stable(TaskBox),
    Plain(PlainTask),
}

impl TaskInstance {
    /// Runs it to its end; the result is the exit code.
    pub fn run(&self, context: &RunContext) -> Result<i32, PluginFault> {
        match &self.0 {
            TaskKind::Stable(task) => checked(task.run(context.shared())),
            TaskKind::Plain(task) => task.run(context),
        }
    }

    /// Calls `Task::stop`. To be called once, on another thread than the run's.
    pub fn stop(&self) -> Result<(), PluginFault> {
        match &self.0 {
            TaskKind::Stable(task) => checked(task.stop()),
            TaskKind::Plain(task) => {
                task.stop();
                Ok(())
            }
        }
    }

    /// Drops the author's value.
    pub fn close(self) -> Result<(), PluginFault> {
        match self.0 {
            TaskKind::Stable(task) => checked(task.close()),
            TaskKind::Plain(task) => {
                drop(task);
                Ok(())
            }
        }
    }
}

/// A notifier. Its methods call author's code and may block; none unwinds.
pub struct NotifierInstance(pub(super) NotifierKind);

/// By the interface of its library.
pub(super) enum NotifierKind {
    Stable(NotifierBox),
    Plain(PlainNotifier),
}

impl NotifierInstance {
    /// Delivers one failure. After a panic the instance is spent.
    pub fn notify(&self, failure: FailureRecord) -> Result<(), PluginFault> {
        match &self.0 {
            NotifierKind::Stable(notifier) => checked(notifier.notify(failure.boxed())),
            NotifierKind::Plain(notifier) => notifier.notify(failure),
        }
    }

    /// Drops the author's value.
    pub fn close(self) -> Result<(), PluginFault> {
        match self.0 {
            NotifierKind::Stable(notifier) => checked(notifier.close()),
            NotifierKind::Plain(notifier) => {
                drop(notifier);
                Ok(())
            }
        }
    }
}

pub(super) fn checked<T>(result: RResult<T, FaultBox>) -> Result<T, PluginFault> {
    result.into_result().map_err(|fault| {
        let message = one_line(fault.message().as_str());
        if fault.kind() == FaultKind::PANIC {
            PluginFault::Panic(message)
        } else {
            PluginFault::Error(message)
        }
    })
}

/// What libraries say is shown in one line, and terminals do what is written to them: an assertion's message, among others,
/// has several lines, and anything may be in the name of a symbol.
pub(super) fn one_line(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join("; ").replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn a_message_of_several_lines_becomes_one() {
        assert_eq!(
            one_line("left == right failed\n  left: 1\n\n right: 2\n"),
            "left == right failed; left: 1; right: 2"
        );
        assert_eq!(one_line("one"), "one");
        assert_eq!(one_line("red: \u{1b}[31mred\tend\r\n"), "red:  [31mred end");
    }
}
