//! Counts the instructions of fixed scenarios, which is repeatable on any machine, and compares them with the figures
//! that are kept in `tests/instructions.txt`: a change that makes the host dearer is seen in review.

mod comparison;
mod count;
mod figures;
mod options;
mod run;
mod scenarios;

pub use options::Options;
pub use run::{Outcome, run};
