//! What notifiers are given, and what a notifier is.

use std::path::PathBuf;
use std::time::SystemTime;

/// One failure, complete: tails have been read from where they were kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The task's name.
    pub task: String,
    /// The command as written in the configuration.
    pub command: String,
    /// The task's working directory.
    pub working_directory: PathBuf,
    /// 128 + N for signal N, -1 where the run has none.
    pub return_code: i32,
    /// `FAILED` or `TIMED_OUT`.
    pub outcome: &'static str,
    /// Why, in words: `exit code 1`.
    pub reason: String,
    /// Counts from 1.
    pub attempt: u32,
    /// `None`: no limit.
    pub max_attempts: Option<u32>,
    /// When the run ended.
    pub timestamp: SystemTime,
    /// The task's description; may be empty.
    pub description: String,
    /// The last 64 KiB of standard output.
    pub stdout: Vec<u8>,
    /// The last 64 KiB of standard error; empty where combined.
    pub stderr: Vec<u8>,
    /// `NAME#NUMBER`.
    pub run_id: String,
    /// The machine.
    pub host_name: String,
    /// Later failures of the task that were folded into this message because too many waited.
    pub folded: u64,
}

/// Delivers failures. Called on threads of the notifier pool, never twice at once for one task.
pub trait Notifier: Send + Sync {
    /// Delivers one. The error is a lowercase fragment; a panic is the implementation's to catch.
    fn notify(&self, failure: &Failure) -> Result<(), String>;
}
