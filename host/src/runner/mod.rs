//! Running tasks: the interface that all executors share.

mod command;
mod health;
mod isolated;
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
pub use isolated::IsolatedRunner;
pub use output::Tail;
pub use plugin::{PluginRunner, Waker};
pub use pump::Logs;
pub use spec::{CannotForce, Finished, LiveRun, RunSpec, StartError, Started, Tails, TaskRunner, Update};
pub use subprocess::SubprocessRunner;
