//! What can be asked of the core.

use crate::event::StateName;
use crate::outcome::Outcome;
use crate::time::Wall;

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
