//! What plugin authors write and use: plain Rust, nothing of the boundary.

mod config;
mod context;
mod error;
mod failure;
mod notifier;
mod options;
mod output;
mod task;

pub use config::{NotifierConfig, TaskConfig};
pub use context::TaskContext;
pub use error::{NotifyError, TaskError};
pub(crate) use failure::FailureFields;
pub use failure::FailureInfo;
pub use notifier::Notifier;
pub use options::OptionsError;
pub use output::TaskOutput;
pub use task::Task;
