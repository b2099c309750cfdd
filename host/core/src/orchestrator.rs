//! All tasks together: inputs in, effects out, and the next deadline.

use crate::event::{Event, StateName};
use crate::id::{RunId, TaskId};
use crate::outcome::{Exit, Outcome};
use crate::plan::Plan;
use crate::time::{Mono, Now, Wall};

/// What the world tells the core. The only way in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// The host has started: every task becomes PENDING, and those that are due are started.
    Begin,
    /// Time has passed: whatever is due at `now` is done. To be given when `next_deadline` is reached; harmless before.
    Tick,
    /// The answer to [`Effect::Start`]: the run is alive.
    Started {
        /// Which run.
        run: RunId,
        /// Its process, where it is one.
        pid: Option<u32>,
    },
    /// The other answer to [`Effect::Start`]: it could not be started ([`Exit::NotStarted`] or a plugin's error), and
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
    /// The answer to [`Effect::ForceStop`] from a runner that cannot: the run is stuck.
    CannotForce {
        /// Which run.
        run: RunId,
    },
    /// An operator wants something; a refusal comes back as [`Effect::Refused`].
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

/// What the core wants done. The only way out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Start this run now; answered by [`Input::Started`] or [`Input::NotStarted`].
    Start {
        /// Which run.
        run: RunId,
        /// Counts from 1.
        attempt: u32,
    },
    /// Ask the run (or what remains of its group) to stop.
    RequestStop {
        /// Which run.
        run: RunId,
    },
    /// Kill the run (or what remains of its group); where that cannot be, answered by [`Input::CannotForce`].
    ForceStop {
        /// Which run.
        run: RunId,
    },
    /// Tell somebody.
    Notify(Notice),
    /// Write it down.
    Event(Event),
    /// The operator's command was not carried out.
    Refused {
        /// Of which task.
        task: TaskId,
        /// Which command.
        command: Command,
        /// Why, as a lowercase fragment.
        reason: String,
    },
}

/// A failure somebody is to be told of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// Which run failed.
    pub run: RunId,
    /// Its attempt, from 1.
    pub attempt: u32,
    /// The limit of attempts; `None`: no limit, or no retries.
    pub max_attempts: Option<u32>,
    /// How the run ended; for a stuck run, a TIMED_OUT outcome of the time so far.
    pub outcome: Outcome,
    /// Whether the run has ended.
    pub kind: NoticeKind,
}

/// What a notice is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoticeKind {
    /// A run failed or timed out.
    Failure,
    /// A run ignores `stop` and lives on.
    Stuck,
}

/// What became of everything, once nothing will ever run again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Every task's last outcome is COMPLETED (or there are no tasks).
    AllCompleted,
    /// Some task's last outcome is another, or it never ran, or it is stuck.
    SomeFailed,
}

/// One task as it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskView {
    /// Its state.
    pub state: StateName,
    /// Why it is in that state, where there is more to say.
    pub reason: Option<String>,
    /// Its last run's number; `None` before the first.
    pub run: Option<u64>,
    /// Counts from 1.
    pub attempt: u32,
    /// The live run's process.
    pub pid: Option<u32>,
    /// When its next run is due.
    pub next_run: Option<Wall>,
    /// How its last run ended.
    pub last_outcome: Option<Outcome>,
    /// Successful runs since it was started.
    pub successes: u64,
}

/// All tasks of a plan and what is under way for each.
#[derive(Debug)]
pub struct Orchestrator {
    plan: Plan,
}

impl Orchestrator {
    /// Nothing happens before [`Input::Begin`]. The seed feeds whatever is random (jitter).
    pub fn new(plan: Plan, seed: u64) -> Self {
        let _ = seed;
        Self { plan }
    }

    /// The plan it works from.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Takes one input. May change the answers of every other method.
    pub fn handle(&mut self, input: Input, now: Now) {
        let _ = (input, now);
    }

    /// The next thing to be done, in order; `None` when there is nothing until the next `handle`.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        None
    }

    /// When to call `handle(Input::Tick)` at the latest; `None`: not before another input. Never lies before the `now`
    /// of the last `handle`. Changes only in `handle`.
    pub fn next_deadline(&self) -> Option<Mono> {
        None
    }

    /// One task as it stands, with civil times computed from `now`.
    pub fn view(&self, task: TaskId, now: Now) -> TaskView {
        let _ = (task, now);
        unreachable!("written in its own step")
    }

    /// `Some` once nothing will ever run again: every task has ended, is stopped, or is stuck, and no retry, tick,
    /// remains of a group or run is left to wait for.
    pub fn verdict(&self) -> Option<Verdict> {
        None
    }

    /// Whether the host may end: after [`Input::Shutdown`], no run is alive but stuck ones, and no group remains.
    pub fn is_shut_down(&self) -> bool {
        false
    }
}
