//! What comes out of the core.

use crate::event::Event;
use crate::id::{RunId, TaskId};
use crate::input::Command;
use crate::outcome::Outcome;

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
    /// The limit of attempts, which is 1 where nothing is retried; `None`: no limit.
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
