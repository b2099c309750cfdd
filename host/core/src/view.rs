//! What can be asked of the core.

use crate::dependency::Links;
use crate::event::StateName;
use crate::id::TaskId;
use crate::outcome::Outcome;
use crate::plan::TaskPlan;
use crate::policy;
use crate::state::{End, Phase, Running, State, Then};
use crate::task::{STUCK, Task};
use crate::time::{Now, Wall};

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
    /// Whether the live run is healthy; `None`: no check has passed yet, there is none, or no run is alive.
    pub healthy: Option<bool>,
}

impl Task {
    /// As users see it.
    pub(crate) fn view(&self, id: TaskId, plan: &TaskPlan, links: &Links, now: Now) -> TaskView {
        TaskView {
            state: self.shown.unwrap_or(StateName::Pending),
            reason: self.reason(id, plan, links),
            run: self.last_run(),
            attempt: self.attempt,
            pid: self.live().and_then(|running| running.pid),
            next_run: self.next_run(now),
            last_outcome: self.last_outcome.clone(),
            successes: self.successes,
            healthy: self.live().and_then(Running::is_healthy),
        }
    }

    fn reason(&self, id: TaskId, plan: &TaskPlan, links: &Links) -> Option<String> {
        let last_reason = || self.last_outcome.as_ref().map(|last| last.reason.clone());
        match self.state {
            State::New => Some("the host has not begun".to_owned()),
            State::Waiting { wait, .. } => Some(wait.reason(policy::max_attempts(plan))),
            State::Held { hold, .. } => match self.shown {
                Some(StateName::Pending) => Some(hold.reason(id, links)),
                Some(_) | None => last_reason(),
            },
            State::Starting { .. } => Some("starting".to_owned()),
            State::Running(Running { phase: Phase::Free { .. }, .. }) => None,
            State::Running(Running { phase: Phase::Stopping { cause, .. }, .. }) => {
                Some(format!("stopping: {}", self.reason_of(cause)))
            }
            State::Stuck { .. } => Some(STUCK.to_owned()),
            State::Clearing { then: Then::Wait(_), .. } => Some(self.waiting_for_remains()),
            State::Clearing { then: Then::End(End::Stopped(order)), .. }
            | State::Ended(End::Stopped(order)) => Some(order.reason().to_owned()),
            State::Clearing { then: Then::End(End::AsLastRun), .. } | State::Ended(End::AsLastRun) => {
                last_reason()
            }
        }
    }

    fn next_run(&self, now: Now) -> Option<Wall> {
        match self.state {
            State::Waiting { due, .. } => Some(due.start.wall(now)),
            State::New
            | State::Held { .. }
            | State::Starting { .. }
            | State::Running(_)
            | State::Stuck { .. }
            | State::Clearing { .. }
            | State::Ended(_) => None,
        }
    }

    fn live(&self) -> Option<&Running> {
        match &self.state {
            State::Running(running) | State::Stuck { running, .. } => Some(running),
            State::New
            | State::Waiting { .. }
            | State::Held { .. }
            | State::Starting { .. }
            | State::Clearing { .. }
            | State::Ended(_) => None,
        }
    }
}
