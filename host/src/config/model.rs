//! A configuration that has been checked. Types only.

use crate::launch::{Isolation, Launch};
use bansuri_core::Plan;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Everything a host needs to know. Built by the checker alone.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// The file, as given.
    pub file: PathBuf,
    /// The absolute folder of the file: relative paths resolve against it.
    pub folder: PathBuf,
    /// For the core; a task's place in it is its id.
    pub plan: Plan,
    /// For the runners, by task id.
    pub launches: Vec<Arc<Launch>>,
    /// The notifiers, by name.
    pub notifiers: BTreeMap<String, NotifierSpec>,
    /// When the file is read again.
    pub reload: ReloadMode,
}

/// When a configuration file is read again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ReloadMode {
    /// When it changes, and when asked to.
    #[default]
    Auto,
    /// When asked to: by SIGHUP or by command.
    Signal,
}

/// A notifier of the configuration.
#[derive(Clone, PartialEq, Debug)]
pub struct NotifierSpec {
    /// The library, absolute.
    pub library: PathBuf,
    /// The exported type.
    pub type_name: String,
    /// What the SHA-256 of the library has to be; `None`: anything.
    pub sha256: Option<[u8; 32]>,
    /// Handed to its constructor, an object.
    pub options: serde_json::Value,
    /// How long one call may take.
    pub timeout: Duration,
    /// Where it runs.
    pub isolation: Isolation,
}
