//! Running tasks: the interface that both executors share.

mod spec;

pub use spec::{
    CannotForce, Finished, LiveRun, RunSpec, StartError, Started, Stream, Tails, TaskRunner, Update,
};
