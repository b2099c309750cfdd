//! What the end-to-end tests share: building the workspace, running the real binary, waiting for its events. And the
//! macro benchmark, and the counts of instructions.
//!
//! But for the benchmark nothing here sleeps for a guess: a test waits for an event, with a limit that is only reached when it fails.

pub mod bench;
mod build;
pub mod callgrind;
mod host;
pub mod instructions;
mod processes;

pub use build::{artifacts, bansuri, cargo, compile, file_name, library, library_of, sha256, workspace};
pub use host::{Host, Sandbox, end};
pub use processes::{group_members, is_alive, wait_until};

use std::time::Duration;

/// How long a test waits for something that is to happen: far longer than it takes on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(60);
