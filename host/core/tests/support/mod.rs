//! What the tests of the whole orchestrator share.

mod book;
mod checker;
mod plans;
mod time;

pub(crate) use checker::Checker;
pub(crate) use plans::{Options, plan, retry};
pub(crate) use time::now;
