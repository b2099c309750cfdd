//! The checked, immutable plan: what the core needs to know of each task. A wrong one cannot be built.
//!
//! What a run consists of (command, plugin, log files) is of no concern here.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;
use std::time::Duration;

/// A task's name: never empty.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TaskName(Arc<str>);

impl TaskName {
    /// `None` if the text is empty.
    pub fn new(text: impl Into<Arc<str>>) -> Option<Self> {
        let text = text.into();
        (!text.is_empty()).then_some(Self(text))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name, shared.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl fmt::Display for TaskName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A duration that is not zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Positive(Duration);

impl Positive {
    /// `None` if the duration is zero.
    pub fn new(duration: Duration) -> Option<Self> {
        (!duration.is_zero()).then_some(Self(duration))
    }

    /// The duration.
    pub fn duration(self) -> Duration {
        self.0
    }
}

/// When a task runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Schedule {
    /// Once, at start.
    Once,
    /// At start, and again at this interval.
    Timer {
        /// From start to start, or from end to start.
        interval: Positive,
        /// Which of the two.
        mode: TimerMode,
    },
}

/// What a timer's interval is measured from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TimerMode {
    /// Start to start, on a grid without drift; a tick that falls in a run is skipped.
    #[default]
    FixedRate,
    /// End of a run (its retries included) to the start of the next.
    FixedDelay,
}

/// What follows a failure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OnFail {
    /// The task ends, its schedule included.
    Stop,
    /// It waits for its next tick.
    Ignore,
    /// It is tried again inside the same tick.
    Restart(Retry),
}

/// How a failed run is tried again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Retry {
    /// Executions in a row, the first included; `None`: no limit.
    pub max_attempts: Option<NonZeroU32>,
    /// From the end of a run to the start of the next; may be zero.
    pub delay: Duration,
    /// What a scheduled task does when no attempt is left.
    pub on_exhausted: OnExhausted,
}

/// What a scheduled task does when no attempt is left.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnExhausted {
    /// It runs again at its next tick, with attempt 1.
    #[default]
    Continue,
    /// It ends FAILED.
    Stop,
}

/// One task of the plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskPlan {
    /// Unique in the plan.
    pub name: TaskName,
    /// When it runs.
    pub schedule: Schedule,
    /// How long a run may live; `None`: for ever.
    pub timeout: Option<Positive>,
    /// How long a run has between being asked to stop and being killed; may be zero.
    pub stop_timeout: Duration,
    /// What follows a failure.
    pub on_fail: OnFail,
    /// Successful runs after which the task is done; `None`: no limit.
    pub max_runs: Option<NonZeroU64>,
    /// Exit codes that count as success.
    pub success_codes: BTreeSet<i32>,
    /// Whether failures of this task are to be told to somebody.
    pub notify: bool,
}

/// All tasks, with names that occur once.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    tasks: Vec<TaskPlan>,
}

/// Why a plan cannot be built.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PlanError {
    /// Two tasks have this name.
    DuplicateName(TaskName),
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlanError::DuplicateName(name) => write!(f, "two tasks are named {name:?}", name = name.as_str()),
        }
    }
}

impl std::error::Error for PlanError {}

impl Plan {
    /// Builds the plan; the place of a task in `tasks` is its [`TaskId`](crate::TaskId).
    pub fn new(tasks: Vec<TaskPlan>) -> Result<Self, PlanError> {
        let mut seen = HashSet::with_capacity(tasks.len());
        for task in &tasks {
            if !seen.insert(&task.name) {
                return Err(PlanError::DuplicateName(task.name.clone()));
            }
        }
        Ok(Self { tasks })
    }

    /// The tasks, in the order of their ids.
    pub fn tasks(&self) -> &[TaskPlan] {
        &self.tasks
    }
}
