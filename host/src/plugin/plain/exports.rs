//! The types that a plain library exports.

use super::descriptor::{Described, read};
use super::instance::{PlainNotifier, PlainTask};
use super::log::PlainLog;
use super::raw;
use crate::plugin::error::{LoadProblem, PluginFault};
use crate::plugin::instance::InstanceSetup;
use crate::plugin::library::{Export, ExportKind};
use bansuri_plugin_api::abi::abi_stable::library::RawLibrary;
use std::sync::Arc;

/// What a library exports, read and checked. The functions in it stay: a library is never unloaded.
pub(in crate::plugin) struct PlainExports(Described);

// SAFETY: what it points to is functions of the library, and texts that the header has stay as they are.
unsafe impl Send for PlainExports {}
// SAFETY: the same.
unsafe impl Sync for PlainExports {}

/// Calls the library's `bansuri_plugin` and reads what it returns; `None`: it has none.
pub(in crate::plugin) fn find(library: &RawLibrary) -> Option<Result<PlainExports, LoadProblem>> {
    // SAFETY: the symbol's type is that of the header.
    let entry = unsafe { library.get::<raw::Entry>(b"bansuri_plugin") }.ok()?;
    // SAFETY: the function takes nothing, and what it returns is the header's, which `read` is careful with.
    Some(unsafe { read(entry()) }.map(PlainExports))
}

impl PlainExports {
    /// Gives the library its log. To be called once, before anything else of it.
    pub(in crate::plugin) fn attach(&self, name: Arc<str>) {
        if let Some(attach) = self.0.attach {
            // Stays for good, as the library does.
            let log = Box::leak(PlainLog::new(name));
            // SAFETY: the log stays until the process ends.
            unsafe { attach(log.raw()) };
        }
    }

    /// Of the header it was built with.
    pub(in crate::plugin) fn version(&self) -> String {
        format!("C {}.{}", raw::VERSION, self.0.revision)
    }

    /// In the order of its author, tasks first.
    pub(in crate::plugin) fn list(&self) -> Vec<Export> {
        let tasks = self.0.tasks.iter().map(|task| &task.export);
        tasks.chain(self.0.notifiers.iter().map(|notifier| &notifier.export)).cloned().collect()
    }

    pub(in crate::plugin) fn new_task(
        &self,
        type_name: &str,
        setup: InstanceSetup<'_>,
    ) -> Result<PlainTask, PluginFault> {
        match self.0.tasks.iter().find(|task| task.export.name == type_name) {
            Some(task) => PlainTask::new(&task.raw, task.call, setup),
            None => Err(unknown_type(ExportKind::Task, type_name)),
        }
    }

    pub(in crate::plugin) fn new_notifier(
        &self,
        type_name: &str,
        setup: InstanceSetup<'_>,
    ) -> Result<PlainNotifier, PluginFault> {
        match self.0.notifiers.iter().find(|notifier| notifier.export.name == type_name) {
            Some(notifier) => PlainNotifier::new(&notifier.raw, notifier.call, setup),
            None => Err(unknown_type(ExportKind::Notifier, type_name)),
        }
    }
}

/// In the words of plugin-api.
fn unknown_type(kind: ExportKind, type_name: &str) -> PluginFault {
    PluginFault::Error(format!("the library exports no {kind} type {type_name:?}"))
}
