//! A task as the host sees it.

use super::{ContextArc, FaultBox};
use abi_stable::{
    sabi_trait,
    std_types::{RBox, RResult},
};

/// One task instance, for one run.
///
/// Made by the plugin, owned by the host. `run` is called once, on the run's own thread; `stop` at most once, on
/// another, before, while or after `run` is in progress. `close` follows when both have returned.
#[sabi_trait]
pub trait AbiTask: Send + Sync + 'static {
    /// Runs it; the result is the exit code.
    fn run(&self, context: ContextArc) -> RResult<i32, FaultBox>;

    /// Asks a run in progress to end. May block.
    fn stop(&self) -> RResult<(), FaultBox>;

    /// Drops the author's value and says how that went. Dropping the object without it logs a failure instead.
    #[sabi(last_prefix_field)]
    fn close(self) -> RResult<(), FaultBox>;
}

/// An owned [`AbiTask`].
pub type TaskBox = AbiTask_TO<RBox<()>>;
