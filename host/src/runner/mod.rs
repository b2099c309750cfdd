//! Running tasks: the interface that both executors share.

mod command;
mod health;
mod keys;
mod log_file;
mod log_path;
mod output;
mod plugin;
mod plugin_output;
mod pump;
mod shell_line;
mod spec;
mod streams;
mod subprocess;

pub use health::{HealthChecker, HealthUpdate};
pub use output::Tail;
pub use plugin::{PluginRunner, Waker};
pub use pump::Logs;
pub use spec::{CannotForce, Finished, LiveRun, RunSpec, StartError, Started, Tails, TaskRunner, Update};
pub use subprocess::SubprocessRunner;
