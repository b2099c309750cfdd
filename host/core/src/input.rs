//! What goes into the core.

use crate::id::{RunId, TaskId};
use crate::outcome::Exit;

/// What the world tells the core. The only way in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// The host has started: every task becomes PENDING, and those that are due are started.
    Begin,
    /// Time has passed: whatever is due at `now` is done. To be given when `next_deadline` is reached; harmless before.
    Tick,
    /// The answer to [`Effect::Start`](crate::Effect::Start): the run is alive.
    Started {
        /// Which run.
        run: RunId,
        /// Its process, where it is one.
        pid: Option<u32>,
    },
    /// The other answer to [`Effect::Start`](crate::Effect::Start): it could not be started ([`Exit::NotStarted`] or a plugin's error), and
    /// nothing is left of it.
    NotStarted {
        /// Which run.
        run: RunId,
        /// Why.
        exit: Exit,
    },
    /// A started run has ended. Exactly one for each.
    Finished {
        /// Which run.
        run: RunId,
        /// How.
        exit: Exit,
        /// Whether processes of its group are still alive: then [`Input::Gone`] follows when they are not.
        remains: bool,
    },
    /// The last process of a finished run's group has ended.
    Gone {
        /// Which run.
        run: RunId,
    },
    /// The answer to [`Effect::ForceStop`](crate::Effect::ForceStop) from a runner that cannot: the run is stuck.
    CannotForce {
        /// Which run.
        run: RunId,
    },
    /// An operator wants something; a refusal comes back as [`Effect::Refused`](crate::Effect::Refused).
    Operator {
        /// Of which task.
        task: TaskId,
        /// What.
        command: Command,
    },
    /// Everything is to be stopped in order; nothing starts any more.
    Shutdown,
    /// After or instead of [`Input::Shutdown`]: no more waiting, every run is forced at once.
    Kill,
}

/// What an operator can ask of a task.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Command {
    /// End the run, suspend schedule and retries until `Start`.
    Stop,
    /// Behave as at host start.
    Start,
    /// Stop, one run now, then the schedule.
    Restart,
    /// Run once now under the same policies, then back to the former state; refused while a run lives.
    Trigger,
}
