//! The checked, immutable plan: what the core needs to know of each task. A wrong one cannot be built.
//!
//! What a run consists of (command, plugin, log files) is of no concern here.

use crate::cron::Cron;
use crate::order::order;
use crate::success_codes::SuccessCodes;
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
    /// At the times of a cron expression.
    Cron(Cron),
    /// Kept alive: any exit is followed by a restart with the restart delay and backoff ([`OnFail::Restart`] always).
    Service,
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
    /// How the delay grows from retry to retry.
    pub backoff: Backoff,
    /// What a scheduled task does when no attempt is left.
    pub on_exhausted: OnExhausted,
}

/// How the delay before a retry grows. The n-th retry in a row (from 1) waits for the delay by `growth`, at most `max`,
/// and then a random part of it, up to `jitter`, longer or shorter.
#[derive(Clone, PartialEq, Debug)]
pub struct Backoff {
    /// From retry to retry.
    pub growth: Growth,
    /// No delay is longer, jitter included.
    pub max: Duration,
    /// From 0 to 1: 0.1 is up to 10 % either way.
    pub jitter: f64,
}

/// How the delay before the n-th retry follows from the first.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Growth {
    /// It does not grow.
    Constant,
    /// delay + step · (n - 1).
    Linear {
        /// Added for each further retry.
        step: Duration,
    },
    /// delay · factorⁿ⁻¹.
    Exponential {
        /// At least 1 and finite.
        factor: f64,
    },
}

impl Eq for Backoff {}

impl Backoff {
    /// The delay stays as it is.
    pub const NONE: Backoff =
        Backoff { growth: Growth::Constant, max: Duration::from_secs(300), jitter: 0.0 };
}

/// What must be true of another task before this one starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dependency {
    /// The other task.
    pub task: TaskName,
    /// What must be true of it.
    pub condition: Condition,
}

/// What a dependency waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Condition {
    /// A run has completed successfully.
    Completed,
    /// A run has been RUNNING.
    Started,
    /// A health check has passed.
    Healthy,
}

/// When a run is checked, and when it counts as unhealthy. What is checked and the limit of one check are the host's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HealthPlan {
    /// From the start of the run to the first check, and from the end of a check to the next.
    pub interval: Positive,
    /// Failures in a row that make a run unhealthy.
    pub retries: NonZeroU32,
    /// From the start of a run: failures in it do not count.
    pub start_period: Duration,
}

/// Which failures somebody is told of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotifyPlan {
    /// Which of them.
    pub mode: NotifyMode,
    /// One message when a task that was notified succeeds again.
    pub recovery: bool,
    /// Held back for this long, and dropped if the task succeeds meanwhile; `None`: told at once.
    pub after: Option<Positive>,
}

/// Which failures somebody is told of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotifyMode {
    /// Every failed attempt.
    AfterFail,
    /// When failures in a row reach this number: once in a streak.
    AfterMany(NonZeroU32),
    /// A failure that no retry of its tick follows.
    OnExhausted,
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
    pub success_codes: SuccessCodes,
    /// Each scheduled start is delayed by a random time up to this; the grid does not move.
    pub jitter: Duration,
    /// A cron tick that was missed while the host was down is run once at start.
    pub catch_up: bool,
    /// What must be true of other tasks first.
    pub depends_on: Vec<Dependency>,
    /// How its health is checked; `None`: it is not.
    pub health: Option<HealthPlan>,
    /// Which of its failures somebody is told of; `None`: none.
    pub notify: Option<NotifyPlan>,
}

impl TaskPlan {
    /// Whether it runs each time all it depends on has completed: no service, no schedule, and dependencies by
    /// [`Condition::Completed`] alone. The dependencies of any other task gate its first start.
    pub fn is_triggered(&self) -> bool {
        self.schedule == Schedule::Once
            && !self.depends_on.is_empty()
            && self.depends_on.iter().all(|dependency| dependency.condition == Condition::Completed)
    }

    /// Whether its runs count towards [`Plan::max_running`]: services do not.
    pub(crate) fn takes_slot(&self) -> bool {
        self.schedule != Schedule::Service
    }

    /// A task that runs once, with the built-in defaults for everything else.
    pub fn new(name: TaskName) -> Self {
        Self {
            name,
            schedule: Schedule::Once,
            timeout: None,
            stop_timeout: Duration::from_secs(10),
            on_fail: OnFail::Stop,
            max_runs: None,
            success_codes: SuccessCodes::default(),
            jitter: Duration::ZERO,
            catch_up: false,
            depends_on: Vec::new(),
            health: None,
            notify: None,
        }
    }
}

/// All tasks, with names that occur once and dependencies that exist, can come true and have no cycle. A clone is the
/// same plan, not another in memory.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    tasks: Arc<[TaskPlan]>,
    /// The places of the tasks, each after all it depends on.
    order: Arc<[u32]>,
    max_running: Option<NonZeroU32>,
}

/// Why a plan cannot be built.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PlanError {
    /// Two tasks have this name.
    DuplicateName(TaskName),
    /// A task depends on one that does not exist.
    UnknownDependency {
        /// Which task does.
        task: TaskName,
        /// On what.
        dependency: TaskName,
    },
    /// Tasks depend on each other: each on the next, the last on the first, which is named again. A task that depends
    /// on itself is named twice.
    Cycle(Vec<TaskName>),
    /// A task waits for a service to complete, which it never does.
    CompletedService {
        /// Which task does.
        task: TaskName,
        /// The service.
        dependency: TaskName,
    },
    /// A task waits for one to be healthy that has no health check.
    HealthyUnchecked {
        /// Which task does.
        task: TaskName,
        /// The one without a check.
        dependency: TaskName,
    },
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlanError::DuplicateName(name) => write!(f, "two tasks are named {name:?}", name = name.as_str()),
            PlanError::UnknownDependency { task, dependency } => {
                let (task, dependency) = (task.as_str(), dependency.as_str());
                write!(f, "task {task:?} depends on {dependency:?}, which does not exist")
            }
            PlanError::Cycle(path) => {
                f.write_str("tasks depend on each other: ")?;
                for (index, name) in path.iter().enumerate() {
                    let arrow = if index == 0 { "" } else { " → " };
                    write!(f, "{arrow}{name}")?;
                }
                Ok(())
            }
            PlanError::CompletedService { task, dependency } => {
                let (task, dependency) = (task.as_str(), dependency.as_str());
                write!(
                    f,
                    "task {task:?} waits for {dependency:?} to complete, which is a service: valid are \"started\" and \"healthy\""
                )
            }
            PlanError::HealthyUnchecked { task, dependency } => {
                let (task, dependency) = (task.as_str(), dependency.as_str());
                write!(f, "task {task:?} waits for {dependency:?} to be healthy, which has no health check")
            }
        }
    }
}

impl std::error::Error for PlanError {}

impl Plan {
    /// Builds the plan; the place of a task in `tasks` is its [`TaskId`](crate::TaskId) in an orchestrator that begins
    /// with it.
    pub fn new(tasks: Vec<TaskPlan>) -> Result<Self, PlanError> {
        let order = order(&tasks)?;
        Ok(Self { tasks: tasks.into(), order: order.into(), max_running: None })
    }

    /// The same with a limit of runs that are alive at once; `None`: no limit. Services take no slot.
    pub fn with_max_running(self, max_running: Option<NonZeroU32>) -> Self {
        Self { max_running, ..self }
    }

    /// The limit of runs that are alive at once.
    pub fn max_running(&self) -> Option<NonZeroU32> {
        self.max_running
    }

    /// The tasks, in the order they were given in.
    pub fn tasks(&self) -> &[TaskPlan] {
        &self.tasks
    }

    /// The places of the tasks, each after all it depends on.
    pub(crate) fn order(&self) -> impl Iterator<Item = usize> {
        self.order.iter().map(|&place| place as usize)
    }
}
