//! The macro benchmark: what this host costs, beside the least that a supervisor can cost and beside other supervisors,
//! measured on the same machine, in turns.
//!
//! A measurement looks at one running supervisor from outside: at the times its tasks write down themselves, at /proc. So
//! one text measures all of them, and the limit, a small program in C, is one of them.

mod clock;
mod figures;
mod interrupt;
mod lab;
mod machine;
mod measurement;
mod measurements;
mod observe;
mod options;
mod report;
mod run;
mod running;
mod scale;
mod stamps;
mod supervisor;
mod supervisors;
mod table;

pub use options::Options;
pub use run::{memory_without_tasks, run};
