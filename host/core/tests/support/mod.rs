//! What the tests of the whole orchestrator share.

// Each of them uses its part.
#![allow(dead_code, unused_imports)]

mod book;
mod checker;
mod health;
mod pending;
mod plans;
pub(crate) mod story;
mod telling;
mod time;

pub(crate) use checker::Checker;
pub(crate) use plans::{Options, backoff, doubling, health, notify, plan, retry};
pub(crate) use time::{now, shifted};
