//! What the core tells the world. The host adds time, number and names, and writes each as a line of `--events`.

use crate::id::TaskId;
use crate::signal::Signal;
use crate::time::Wall;
use std::fmt;
use std::time::Duration;

/// The states of a task as users know them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StateName {
    /// About to start: waiting for its time, a retry or the remains of its last run.
    Pending,
    /// A run is alive.
    Running,
    /// Its last run exited with a success code, and no other follows.
    Completed,
    /// Its last run failed.
    Failed,
    /// Its last run was ended because it outlived its timeout.
    TimedOut,
    /// Stopped by an operator, by removal from the configuration or by shutdown.
    Stopped,
}

impl StateName {
    /// As it is written: `TIMED_OUT`.
    pub fn as_str(self) -> &'static str {
        match self {
            StateName::Pending => "PENDING",
            StateName::Running => "RUNNING",
            StateName::Completed => "COMPLETED",
            StateName::Failed => "FAILED",
            StateName::TimedOut => "TIMED_OUT",
            StateName::Stopped => "STOPPED",
        }
    }
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One change of one task's state, or of the reason why it is PENDING or RUNNING.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskState {
    /// Which task.
    pub task: TaskId,
    /// Its last run's number; `None` before the first.
    pub run: Option<u64>,
    /// Counts from 1; a success resets it.
    pub attempt: u32,
    /// `None` for the first event of a task.
    pub from: Option<StateName>,
    /// The state from now on.
    pub to: StateName,
    /// The run's process, where it is one.
    pub pid: Option<u32>,
    /// With the end of a run, where it had one.
    pub exit_code: Option<i32>,
    /// With the end of a run, where a signal ended it.
    pub signal: Option<Signal>,
    /// With the end of a run.
    pub duration: Option<Duration>,
    /// Why, as a lowercase fragment.
    pub reason: Option<String>,
    /// With PENDING: when the next run starts, where a time is known.
    pub next_run: Option<Wall>,
}

/// Something happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A task changed its state.
    TaskState(TaskState),
    /// Ticks of a task's schedule were not run because a run or a retry was under way.
    TickSkipped {
        /// Which task.
        task: TaskId,
        /// How many ticks.
        count: u64,
        /// When the first of them was due.
        due: Wall,
        /// What was in the way.
        reason: String,
    },
    /// A run ignored `stop` past its stop-timeout and cannot be forced.
    TaskStuck {
        /// Which task.
        task: TaskId,
        /// Which of its runs.
        run: u64,
    },
}
