//! The pure heart of Bansuri: it decides, and nothing else.
//!
//! No I/O, no thread, no clock and no unsafe code. Inputs go in through [`Orchestrator::handle`] with the current
//! time as an argument, effects come out of [`Orchestrator::poll_effect`], and [`Orchestrator::next_deadline`] says
//! when it wants to be called next if nothing else happens.

#![forbid(unsafe_code)]

mod event;
mod id;
mod lifecycle;
mod orchestrator;
mod outcome;
mod plan;
mod policy;
mod schedule;
mod signal;
mod time;

pub use event::{Event, StateName, TaskState};
pub use id::{RunId, TaskId};
pub use orchestrator::{Command, Effect, Input, Notice, NoticeKind, Orchestrator, TaskView, Verdict};
pub use outcome::{Exit, Outcome, OutcomeKind};
pub use plan::{
    OnExhausted, OnFail, Plan, PlanError, Positive, Retry, Schedule, TaskName, TaskPlan, TimerMode,
};
pub use signal::Signal;
pub use time::{Mono, Now, Wall};
