//! Notifiers that plugins export.

use super::{Failure, Notifier};
use crate::plugin::{Digest, FailureRecord, InstanceSetup, Library, NotifierInstance, PluginFault, Registry};
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::Arc;

/// A notifier type of a library, and its instance: made at the first failure, and anew after a panic or when the library
/// has a new build.
pub struct PluginNotifier {
    registry: Arc<Registry>,
    name: Arc<str>,
    library: PathBuf,
    type_name: String,
    /// `None`: any content will do.
    pin: Option<Digest>,
    options: serde_json::Value,
    /// `None`: to be made. Held while the constructor runs, so that one failure makes it for all.
    instance: Mutex<Option<Made>>,
}

/// An instance and the build it is of.
struct Made {
    library: Arc<Library>,
    instance: Arc<NotifierInstance>,
}

impl PluginNotifier {
    /// The notifier of this name in the configuration. The library's path is absolute; nothing is loaded or called yet.
    pub fn new(
        registry: Arc<Registry>,
        name: impl Into<Arc<str>>,
        library: PathBuf,
        type_name: String,
        options: serde_json::Value,
    ) -> Self {
        let name = name.into();
        Self { registry, name, library, type_name, pin: None, options, instance: Mutex::new(None) }
    }

    /// Takes no other content of the library than one of this SHA-256.
    #[must_use]
    pub fn pinned_to(mut self, sha256: Option<[u8; 32]>) -> Self {
        self.pin = sha256.map(Digest);
        self
    }

    fn instance(&self) -> Result<Arc<NotifierInstance>, String> {
        let mut slot = self.instance.lock();
        let prepared = self.registry.prepare(&self.library, self.pin.as_ref());
        let library = prepared.and_then(|prepared| prepared.library()).map_err(|error| error.to_string())?;
        if let Some(made) = &*slot
            && Arc::ptr_eq(&made.library, &library)
        {
            return Ok(Arc::clone(&made.instance));
        }
        let setup = InstanceSetup { name: Arc::clone(&self.name), options: &self.options };
        let instance = library.new_notifier(&self.type_name, setup).map_err(|fault| fault.to_string())?;
        // Others may still be in calls of the instance before: the last of them drops it.
        let made = slot.insert(Made { library, instance: Arc::new(instance) });
        Ok(Arc::clone(&made.instance))
    }

    /// Has the next failure make a new instance. Others may still be in calls of this one: the last of them drops it.
    fn discard(&self, spent: &Arc<NotifierInstance>) {
        let mut slot = self.instance.lock();
        if slot.as_ref().is_some_and(|made| Arc::ptr_eq(&made.instance, spent)) {
            *slot = None;
        }
    }
}

impl Notifier for PluginNotifier {
    fn notify(&self, failure: &Failure) -> Result<(), String> {
        let instance = self.instance()?;
        let result = instance.notify(record(failure));
        if let Err(PluginFault::Panic(_)) = &result {
            self.discard(&instance);
        }
        result.map_err(|fault| fault.to_string())
    }
}

pub(super) fn record(failure: &Failure) -> FailureRecord {
    FailureRecord {
        task: failure.task.clone(),
        command: failure.command.clone(),
        working_directory: FailureRecord::path_bytes(&failure.working_directory),
        return_code: failure.return_code,
        outcome: failure.outcome.into(),
        reason: failure.reason.clone(),
        attempt: failure.attempt,
        max_attempts: failure.max_attempts,
        timestamp: failure.timestamp,
        description: failure.description.clone(),
        stdout: failure.stdout.clone(),
        stderr: failure.stderr.clone(),
        run_id: failure.run_id.clone(),
        host_name: failure.host_name.clone(),
        folded: failure.folded,
    }
}
