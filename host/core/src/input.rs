//! What goes into the core.

use crate::id::{RunId, TaskId};
use crate::outcome::Exit;
use crate::plan::Plan;
use crate::time::Wall;

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
    /// Before [`Input::Begin`]: the last tick of a task with `catch_up` that an earlier host took.
    LastTick {
        /// Which task.
        task: TaskId,
        /// When that tick was due.
        tick: Wall,
    },
    /// The wall clock was set, or the machine was suspended: what follows it is computed afresh.
    ClockChanged,
    /// The answer to [`Effect::CheckHealth`](crate::Effect::CheckHealth).
    HealthChecked {
        /// Which run.
        run: RunId,
        /// `None`: healthy. Otherwise why not, as a lowercase fragment.
        problem: Option<String>,
    },
    /// Another plan takes the place of this one.
    Reload(Box<Reload>),
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

/// A plan that takes the place of another. Tasks of the old one that no origin names are removed: stopped, and gone
/// when nothing of them is left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reload {
    /// The new plan.
    pub plan: Plan,
    /// For each of its tasks, where it comes from.
    pub origins: Vec<Origin>,
}

/// Where a task of a new plan comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// It was not there before.
    Added,
    /// It is this one.
    Kept {
        /// Its id, which it keeps.
        task: TaskId,
        /// What is different.
        change: Change,
    },
}

/// What is different in a task that stays.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Change {
    /// Nothing.
    None,
    /// How its runs are judged and followed: taken over in place; revives nothing.
    Policy,
    /// When it runs: its next run is computed afresh.
    Schedule,
    /// What it runs: a live run is stopped in full and started anew; one that has ended, but is not STOPPED, runs again.
    Command,
}
