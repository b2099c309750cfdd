//! Plugin libraries: finding, loading and calling them. The only place that names `abi_stable` or `libloading`.

mod build;
mod context;
mod copies;
mod digest;
#[cfg(all(unix, not(target_vendor = "apple")))]
mod elf;
mod error;
mod failure;
mod guard;
mod installed;
mod instance;
mod keepsake;
mod known;
mod layout;
mod library;
mod loader;
mod logger;
mod manifest;
mod news;
mod plain;
mod prepared;
mod probe;
mod reference;
mod registry;
mod remote;
mod slot;
mod source;
mod stamp;
mod suspects;
mod task_run;
mod trust;

pub use context::{OutputSink, Progress, RunContext, RunSetup};
pub use digest::Digest;
pub use error::{LoadProblem, PluginError, PluginFault};
pub use failure::FailureRecord;
pub use installed::{Installed, InstalledLibrary};
pub use instance::{InstanceSetup, NotifierInstance, TaskInstance};
pub use library::{Export, ExportKind, Library};
pub use manifest::Manifest;
pub use news::News;
pub use prepared::Prepared;
pub use probe::{WORD as PROBE_WORD, answer_probe};
pub use reference::SearchPath;
pub use registry::{Registry, Resolved};
pub use remote::{
    Assignment, Conversation, Heard, InstanceAssignment, LastWord, NotifierAssignment, Speaker,
    TaskAssignment, WORD as CHILD_WORD, serve as serve_as_child,
};
pub use task_run::{TaskRun, thread_name};
