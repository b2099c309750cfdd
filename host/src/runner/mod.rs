//! Running tasks: the interface that both executors share.

mod plugin;
mod plugin_output;
mod spec;

pub use plugin::{PluginRunner, Waker};
pub use spec::{
    CannotForce, Finished, LiveRun, RunSpec, StartError, Started, Stream, Tails, TaskRunner, Update,
};
