//! Plugin libraries: finding, loading and calling them. The only place that names `abi_stable` or `libloading`.

mod context;
#[cfg(all(unix, not(target_vendor = "apple")))]
mod elf;
mod error;
mod failure;
mod guard;
mod instance;
mod layout;
mod library;
mod loader;
mod logger;
mod plain;
mod reference;
mod registry;

pub use context::{OutputSink, Progress, RunContext, RunSetup};
pub use error::{LoadProblem, PluginError, PluginFault};
pub use failure::FailureRecord;
pub use instance::{InstanceSetup, NotifierInstance, TaskInstance};
pub use library::{Export, ExportKind, Library};
pub use reference::SearchPath;
pub use registry::{Registry, Resolved};
