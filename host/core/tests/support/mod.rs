//! What the tests of the whole orchestrator share.

mod checker;
mod plans;

pub(crate) use checker::{Checker, now};
pub(crate) use plans::{Options, plan, retry};
