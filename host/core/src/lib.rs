//! The pure heart of Bansuri: it decides, and nothing else.
//!
//! No I/O, no thread, no clock and no unsafe code. Inputs go in through [`Orchestrator::handle`] with the current
//! time as an argument, effects come out of [`Orchestrator::poll_effect`], and [`Orchestrator::next_deadline`] says
//! when it wants to be called next if nothing else happens.

#![forbid(unsafe_code)]

mod backoff;
mod civil;
mod context;
mod cron;
mod dependency;
mod effect;
mod event;
mod health;
mod held;
mod id;
mod input;
mod judgement;
mod lifecycle;
mod orchestrator;
mod order;
mod outcome;
mod plan;
mod policy;
mod random;
mod reload;
mod schedule;
mod signal;
mod slots;
mod state;
mod streak;
mod success_codes;
mod task;
mod telling;
mod time;
mod view;
mod waiting;

pub use cron::{Cron, CronError, Zone};
pub use effect::{Effect, Notice, NoticeKind};
pub use event::{Event, StateName, TaskState};
pub use id::{RunId, TaskId};
pub use input::{Change, Command, Input, Origin, Reload};
pub use orchestrator::Orchestrator;
pub use outcome::{Exit, Outcome, OutcomeKind};
pub use plan::{
    Backoff, Condition, Dependency, Growth, HealthPlan, NotifyMode, NotifyPlan, OnExhausted, OnFail, Plan,
    PlanError, Positive, Retry, Schedule, TaskName, TaskPlan, TimerMode,
};
pub use signal::Signal;
pub use success_codes::SuccessCodes;
pub use time::{Mono, Now, Wall};
pub use view::{TaskView, Verdict};
