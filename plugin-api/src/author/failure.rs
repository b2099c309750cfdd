//! What a notifier is told.

use crate::abi::FailureBox;
use crate::paths;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// One failure of one task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FailureInfo {
    fields: FailureFields,
    /// The tails as text.
    stdout: String,
    stderr: String,
}

/// What a [`FailureInfo`] consists of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct FailureFields {
    pub(crate) task_name: String,
    pub(crate) command: String,
    pub(crate) working_directory: PathBuf,
    pub(crate) return_code: i32,
    pub(crate) outcome: String,
    pub(crate) reason: String,
    pub(crate) attempt: u32,
    pub(crate) max_attempts: Option<u32>,
    pub(crate) timestamp: SystemTime,
    pub(crate) description: String,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) run_id: String,
    pub(crate) host_name: String,
    pub(crate) folded: u64,
}

impl FailureInfo {
    pub(crate) fn from_fields(fields: FailureFields) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { stdout: text(&fields.stdout), stderr: text(&fields.stderr), fields }
    }

    /// Copies what the host hands over, so that the author's code needs nothing of the boundary.
    pub(crate) fn from_abi(failure: &FailureBox) -> Self {
        Self::from_fields(FailureFields {
            task_name: failure.task_name().into(),
            command: failure.command().into(),
            working_directory: paths::from_bytes(failure.working_directory().as_slice()).to_owned(),
            return_code: failure.return_code(),
            outcome: failure.outcome().into(),
            reason: failure.reason().into(),
            attempt: failure.attempt(),
            max_attempts: failure.max_attempts().into_option(),
            timestamp: UNIX_EPOCH + failure.timestamp().into(),
            description: failure.description().into(),
            stdout: failure.stdout().to_vec(),
            stderr: failure.stderr().to_vec(),
            run_id: failure.run_id().into(),
            host_name: failure.host_name().into(),
            folded: failure.folded(),
        })
    }

    /// The task's name.
    pub fn task_name(&self) -> &str {
        &self.fields.task_name
    }

    /// The command as written in the configuration: a command line, or `LIBRARY:Type`.
    pub fn command(&self) -> &str {
        &self.fields.command
    }

    /// The task's working directory, absolute.
    pub fn working_directory(&self) -> &Path {
        &self.fields.working_directory
    }

    /// The exit code, 128 + N for a run ended by signal N, and -1 where the run has none (timed out, could not start,
    /// plugin error or panic).
    pub fn return_code(&self) -> i32 {
        self.fields.return_code
    }

    /// `FAILED` or `TIMED_OUT`; later versions may know more.
    pub fn outcome(&self) -> &str {
        &self.fields.outcome
    }

    /// Why, in words: `exit code 1`.
    pub fn reason(&self) -> &str {
        &self.fields.reason
    }

    /// Counts from 1; a success resets it.
    pub fn attempt(&self) -> u32 {
        self.fields.attempt
    }

    /// `None`: no limit.
    pub fn max_attempts(&self) -> Option<u32> {
        self.fields.max_attempts
    }

    /// When the run ended.
    pub fn timestamp(&self) -> SystemTime {
        self.fields.timestamp
    }

    /// The task's description; may be empty.
    pub fn description(&self) -> &str {
        &self.fields.description
    }

    /// The last 64 KiB of standard output, with U+FFFD for what is not UTF-8.
    pub fn stdout(&self) -> &str {
        &self.stdout
    }

    /// The last 64 KiB of standard error, with U+FFFD for what is not UTF-8; empty where it went to standard output.
    pub fn stderr(&self) -> &str {
        &self.stderr
    }

    /// The bytes behind [`stdout`](Self::stdout).
    pub fn stdout_bytes(&self) -> &[u8] {
        &self.fields.stdout
    }

    /// The bytes behind [`stderr`](Self::stderr).
    pub fn stderr_bytes(&self) -> &[u8] {
        &self.fields.stderr
    }

    /// `NAME#NUMBER`.
    pub fn run_id(&self) -> &str {
        &self.fields.run_id
    }

    /// The machine.
    pub fn host_name(&self) -> &str {
        &self.fields.host_name
    }

    /// Later failures of the task that were folded into this one because too many waited to be told; mostly 0.
    pub fn folded(&self) -> u64 {
        self.fields.folded
    }
}
