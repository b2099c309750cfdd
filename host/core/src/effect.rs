//! What comes out of the core.

use crate::event::Event;
use crate::id::{RunId, TaskId};
use crate::input::Command;
use crate::outcome::Outcome;
use crate::time::Wall;

/// What the core wants done. The only way out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Start this run now; answered by [`Input::Started`](crate::Input::Started) or [`Input::NotStarted`](crate::Input::NotStarted).
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
    /// Kill the run (or what remains of its group); where that cannot be, answered by [`Input::CannotForce`](crate::Input::CannotForce).
    ForceStop {
        /// Which run.
        run: RunId,
    },
    /// Check the health of a live run; answered by [`Input::HealthChecked`](crate::Input::HealthChecked).
    CheckHealth {
        /// Which run.
        run: RunId,
    },
    /// Remember that this tick of a task with `catch_up` was taken, for [`Input::LastTick`](crate::Input::LastTick) of the next host.
    RememberTick {
        /// Which task.
        task: TaskId,
        /// When it was due.
        tick: Wall,
    },
    /// Nothing is left of a task that a reload removed; its place may be taken again.
    Removed {
        /// Which task.
        task: TaskId,
    },
    /// Tell somebody, or hold it until [`Effect::SendHeld`] or [`Effect::DropHeld`] where it says so.
    Notify(Notice),
    /// Tell what was held back of this task.
    SendHeld {
        /// Which task.
        task: TaskId,
    },
    /// The task has succeeded: what was held back of it is told to nobody.
    DropHeld {
        /// Which task.
        task: TaskId,
    },
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
    /// The limit of attempts, which is 1 where nothing is retried; `None`: no limit.
    pub max_attempts: Option<u32>,
    /// How the run ended; for a stuck run, a TIMED_OUT outcome of the time so far.
    pub outcome: Outcome,
    /// What it is about.
    pub kind: NoticeKind,
    /// It is not told yet: the task may succeed in time.
    pub held: bool,
}

/// What a notice is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoticeKind {
    /// A run failed or timed out.
    Failure,
    /// A run ignores `stop` and lives on.
    Stuck,
    /// A task that was notified has succeeded again; the outcome is COMPLETED.
    Recovery,
}
