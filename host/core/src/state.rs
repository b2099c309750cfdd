//! What a task can be doing. Each state carries what it needs, so that an impossible mix cannot be built.
//!
//! A turn is what one tick, one start or one trigger leads to: a run and its retries.

use crate::dependency::Need;
use crate::event::StateName;
use crate::health::Health;
use crate::outcome::OutcomeKind;
use crate::schedule::{Due, Start, Tick};
use crate::slots::Ticket;
use crate::time::{Mono, Wall, spelled};
use std::time::Duration;

/// What a task is doing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum State {
    /// Nothing: the host has not begun.
    New,
    /// PENDING: it starts at `due`.
    Waiting {
        /// What for.
        wait: Wait,
        /// When.
        due: Due,
    },
    /// Not until something else lets it go on: PENDING, or as its last run ended where that will not happen by itself.
    Held {
        /// What it would wait for otherwise.
        wait: Wait,
        /// What holds it.
        hold: Hold,
    },
    /// PENDING: a run has been asked for, and no answer has come yet.
    Starting {
        /// What the run belongs to.
        turn: Turn,
        /// What somebody wanted meanwhile.
        order: Option<Order>,
    },
    /// RUNNING.
    Running(Running),
    /// RUNNING, but it ignored `stop` and cannot be forced.
    Stuck {
        /// The run.
        running: Running,
        /// Why it was to stop.
        cause: Cause,
    },
    /// The last run has ended, and processes of its group have not.
    Clearing {
        /// How far their ending has come.
        force: Force,
        /// What follows when they are gone.
        then: Then,
    },
    /// Nothing follows by itself.
    Ended(End),
}

/// What holds a task that would start otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hold {
    /// What it depends on.
    Dependencies {
        /// What has to come true.
        need: Need,
        /// What was known of that at last.
        hope: Hope,
    },
    /// Runs of other tasks have taken all slots.
    Slot {
        /// Its place in the queue.
        ticket: Ticket,
        /// When it would have started.
        due: Due,
    },
}

/// How much of what a task waits for is still to come true.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hope {
    /// So many conditions.
    Left(usize),
    /// Some that will not by themselves.
    None,
}

/// A live run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Running {
    /// What it belongs to.
    pub(crate) turn: Turn,
    /// Its process, where it is one.
    pub(crate) pid: Option<u32>,
    /// When it was started.
    pub(crate) since: Mono,
    /// Whether it is being stopped.
    pub(crate) phase: Phase,
}

/// Whether a live run is being stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    /// It is not.
    Free {
        /// When it will be; `None`: never.
        timeout_at: Option<Mono>,
        /// What is known of its health.
        health: Health,
    },
    /// It is.
    Stopping {
        /// Why.
        cause: Cause,
        /// How far that has come.
        force: Force,
    },
}

/// How far the ending of a group has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Force {
    /// It was asked to stop, and is forced at this time.
    At(Mono),
    /// It was forced; nothing more can be done.
    Sent,
}

/// Why a run is being stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cause {
    /// It outlived its timeout.
    Timeout {
        /// The timeout.
        limit: Duration,
        /// What somebody wanted after that; `None`: policy decides.
        order: Option<Order>,
    },
    /// Its health checks failed.
    Unhealthy {
        /// What somebody wanted after that; `None`: policy decides.
        order: Option<Order>,
    },
    /// Somebody wanted it.
    Order(Order),
}

/// What somebody wants of a run that is alive or being started. The latest order counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    /// An operator: that it ends, and the task with it.
    Stop,
    /// An operator: that it ends, and the task begins afresh.
    Restart,
    /// A reload: that it ends, and the task begins afresh with another command.
    Change,
    /// A reload: that it ends, and the task is gone.
    Remove,
    /// The host: that it ends.
    Shutdown,
    /// The host: that it ends without being asked.
    Kill,
}

/// What a run belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Turn {
    /// This tick of the schedule.
    Scheduled {
        /// When it was due.
        tick: Tick,
    },
    /// An operator's trigger.
    Triggered(Former),
}

/// Where a task goes after a triggered turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Former {
    /// It was waiting for a tick.
    Tick {
        /// When that was due.
        due: Start,
    },
    /// It was waiting for a retry.
    Retry {
        /// When that was due.
        at: Mono,
        /// Its number.
        attempt: u32,
        /// The tick it belongs to.
        tick: Tick,
    },
    /// It was held before it could begin.
    Begin(Why),
    /// It was waiting for its dependencies to complete.
    Dependencies,
    /// It had ended; it ends as the triggered turn does.
    Ended,
    /// It was stopped.
    Stopped(Order),
}

/// What a PENDING task waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wait {
    /// To begin, at once but for the jitter of a scheduled start.
    First(Why),
    /// Its next tick.
    Tick {
        /// When that is due if nothing is in the way.
        due: Start,
    },
    /// A retry.
    Retry {
        /// When that is due if nothing is in the way.
        at: Mono,
        /// Its number.
        attempt: u32,
        /// The turn it belongs to.
        turn: Turn,
    },
    /// A triggered run, at once.
    Trigger(Former),
    /// What it depends on, to complete again.
    Dependencies,
}

/// Why a task begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Why {
    /// The host does.
    Host,
    /// A tick was missed while no host was there.
    CatchUp {
        /// The last of those that were.
        tick: Wall,
    },
    /// An operator started it.
    Start,
    /// An operator restarted it.
    Restart,
    /// A reload gave it another command.
    Change,
}

/// What follows a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Then {
    /// Another one.
    Wait(Wait),
    /// Nothing.
    End(End),
}

/// How a task has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// As its last run did.
    AsLastRun,
    /// By order.
    Stopped(Order),
}

/// What is left of the group of a run that has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Remains {
    /// Nothing.
    None,
    /// Some, and nobody has asked it to stop.
    Unasked,
    /// Some, and the stop of the run was meant for it as well.
    Asked(Force),
}

impl State {
    /// When something is to be done without another input.
    pub(crate) fn deadline(&self) -> Option<Mono> {
        match self {
            State::Waiting { due, .. } => Some(due.at),
            State::Running(Running { phase: Phase::Free { timeout_at, health }, .. }) => {
                timeout_at.iter().copied().chain(health.deadline()).min()
            }
            State::Running(Running { phase: Phase::Stopping { force, .. }, .. })
            | State::Clearing { force, .. } => force.deadline(),
            State::New
            | State::Held { .. }
            | State::Starting { .. }
            | State::Stuck { .. }
            | State::Ended(_) => None,
        }
    }
}

impl Running {
    /// `None`: nothing is known of it.
    pub(crate) fn is_healthy(&self) -> Option<bool> {
        match self.phase {
            Phase::Free { health, .. } => health.is_healthy(),
            Phase::Stopping { cause: Cause::Unhealthy { .. }, .. } => Some(false),
            Phase::Stopping { cause: Cause::Timeout { .. } | Cause::Order(_), .. } => None,
        }
    }

    /// What somebody wants to follow it.
    pub(crate) fn order(&self) -> Option<Order> {
        match self.phase {
            Phase::Free { .. } => None,
            Phase::Stopping { cause, .. } => cause.order(),
        }
    }
}

impl Force {
    fn deadline(self) -> Option<Mono> {
        match self {
            Force::At(at) => Some(at),
            Force::Sent => None,
        }
    }
}

impl Remains {
    /// `asked`: how far the stop of the run had come, where there was one.
    pub(crate) fn of(alive: bool, asked: Option<Force>) -> Self {
        match (alive, asked) {
            (false, _) => Remains::None,
            (true, None) => Remains::Unasked,
            (true, Some(force)) => Remains::Asked(force),
        }
    }
}

impl Cause {
    /// What somebody wants to follow; `None`: policy decides.
    pub(crate) fn order(self) -> Option<Order> {
        match self {
            Cause::Timeout { order, .. } | Cause::Unhealthy { order } => order,
            Cause::Order(order) => Some(order),
        }
    }

    /// The same stop, after which somebody wants something else. A run that outlived its timeout stays one that did, and
    /// one that was unhealthy as well.
    pub(crate) fn ordered(self, order: Order) -> Self {
        match self {
            Cause::Timeout { limit, .. } => Cause::Timeout { limit, order: Some(order) },
            Cause::Unhealthy { .. } => Cause::Unhealthy { order: Some(order) },
            Cause::Order(_) => Cause::Order(order),
        }
    }

    /// How a run that was stopped for this cause is judged.
    pub(crate) fn kind(self) -> OutcomeKind {
        match self {
            Cause::Timeout { .. } => OutcomeKind::TimedOut,
            Cause::Unhealthy { .. } => OutcomeKind::Failed,
            Cause::Order(_) => OutcomeKind::Stopped,
        }
    }

    /// In words; `problem` is what the last check found.
    pub(crate) fn reason(self, problem: &str) -> String {
        match self {
            Cause::Unhealthy { .. } => format!("unhealthy: {problem}"),
            Cause::Timeout { limit, .. } => format!("outlived its timeout of {}", spelled(limit)),
            Cause::Order(order) => order.reason().to_owned(),
        }
    }
}

impl Order {
    /// In words.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Order::Stop => "stopped by an operator",
            Order::Restart => "restarted by an operator",
            Order::Change => "its command was changed",
            Order::Remove => "removed from the configuration",
            Order::Shutdown | Order::Kill => "the host is shutting down",
        }
    }
}

impl Wait {
    /// The number of the attempt it waits for.
    pub(crate) fn attempt(self) -> u32 {
        match self {
            Wait::First(_) | Wait::Tick { .. } | Wait::Trigger(_) | Wait::Dependencies => 1,
            Wait::Retry { attempt, .. } => attempt,
        }
    }

    /// In words; `max_attempts` is the limit of attempts, where there is one.
    pub(crate) fn reason(self, max_attempts: Option<u32>) -> String {
        match (self, max_attempts) {
            (Wait::First(Why::Host), _) => "first run".to_owned(),
            (Wait::First(Why::CatchUp { tick }), _) => format!("catching up the tick of {tick}"),
            (Wait::First(Why::Start), _) => "started by an operator".to_owned(),
            (Wait::First(Why::Restart), _) => "restarted by an operator".to_owned(),
            (Wait::First(Why::Change), _) => "its command was changed".to_owned(),
            (Wait::Dependencies, _) => "every dependency has completed".to_owned(),
            (Wait::Tick { .. }, _) => "next tick".to_owned(),
            // A service goes on, and this is no retry of a failure.
            (Wait::Retry { attempt: 1, .. }, _) => "restart".to_owned(),
            (Wait::Retry { attempt, .. }, Some(limit)) => format!("retry {attempt} of {limit}"),
            (Wait::Retry { attempt, .. }, None) => format!("retry {attempt}"),
            (Wait::Trigger(_), _) => "triggered by an operator".to_owned(),
        }
    }
}

impl From<OutcomeKind> for StateName {
    fn from(kind: OutcomeKind) -> Self {
        match kind {
            OutcomeKind::Completed => StateName::Completed,
            OutcomeKind::Failed => StateName::Failed,
            OutcomeKind::TimedOut => StateName::TimedOut,
            OutcomeKind::Stopped => StateName::Stopped,
        }
    }
}
