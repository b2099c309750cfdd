//! Failures that never were.

use crate::abi::AbiFailure;
use crate::author::{FailureFields, FailureInfo};
use crate::paths;
use abi_stable::std_types::{RDuration, ROption, RSlice, RStr};
use std::borrow::Cow;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Builds a [`FailureInfo`]. Without further words: exit code 1 at the first attempt of an unlimited number, at
/// 2026-11-22T10:00:00Z on a machine named `host`, with no output.
#[derive(Clone, Debug)]
pub struct Failure(FailureFields);

impl Failure {
    /// A failure of the task of this name.
    pub fn of(task: impl Into<String>) -> Self {
        let task_name = task.into();
        Self(FailureFields {
            command: task_name.clone(),
            working_directory: PathBuf::from("/"),
            return_code: 1,
            outcome: "FAILED".to_owned(),
            reason: "exit code 1".to_owned(),
            attempt: 1,
            max_attempts: None,
            timestamp: UNIX_EPOCH + Duration::from_secs(1_795_341_600),
            description: String::new(),
            stdout: Vec::new(),
            stderr: Vec::new(),
            run_id: format!("{task_name}#1"),
            host_name: "host".to_owned(),
            folded: 0,
            task_name,
        })
    }

    /// The command.
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.0.command = command.into();
        self
    }

    /// The working directory.
    pub fn working_directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.0.working_directory = path.into();
        self
    }

    /// The return code; the reason becomes `exit code N`.
    pub fn return_code(mut self, code: i32) -> Self {
        self.0.return_code = code;
        self.0.reason = format!("exit code {code}");
        self
    }

    /// A run that outlived its timeout of this many seconds.
    pub fn timed_out_after(mut self, seconds: u64) -> Self {
        self.0.return_code = -1;
        self.0.outcome = "TIMED_OUT".to_owned();
        self.0.reason = format!("outlived its timeout of {seconds}s");
        self
    }

    /// Why, in words.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.0.reason = reason.into();
        self
    }

    /// Which attempt it was, and of how many; `None`: no limit.
    pub fn attempt(mut self, attempt: u32, max_attempts: Option<u32>) -> Self {
        self.0.attempt = attempt;
        self.0.max_attempts = max_attempts;
        self
    }

    /// When the run ended.
    pub fn timestamp(mut self, at: SystemTime) -> Self {
        self.0.timestamp = at;
        self
    }

    /// The task's description.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.0.description = text.into();
        self
    }

    /// What it wrote to standard output.
    pub fn stdout(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.stdout = bytes.into();
        self
    }

    /// What it wrote to standard error.
    pub fn stderr(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.stderr = bytes.into();
        self
    }

    /// `NAME#NUMBER`.
    pub fn run_id(mut self, run_id: impl Into<String>) -> Self {
        self.0.run_id = run_id.into();
        self
    }

    /// The machine.
    pub fn host_name(mut self, name: impl Into<String>) -> Self {
        self.0.host_name = name.into();
        self
    }

    /// Later failures that were folded into this one.
    pub fn folded(mut self, failures: u64) -> Self {
        self.0.folded = failures;
        self
    }

    /// The failure.
    pub fn build(self) -> FailureInfo {
        FailureInfo::from_fields(self.0)
    }
}

/// So that a test's failure takes the way of a real one.
impl AbiFailure for FailureInfo {
    fn task_name(&self) -> RStr<'_> {
        self.task_name().into()
    }

    fn command(&self) -> RStr<'_> {
        self.command().into()
    }

    fn working_directory(&self) -> RSlice<'_, u8> {
        match paths::to_bytes(self.working_directory()) {
            Cow::Borrowed(bytes) => bytes.into(),
            // A path of a test that is not Unicode, elsewhere than on Unix.
            Cow::Owned(_) => RSlice::from_slice(&[]),
        }
    }

    fn return_code(&self) -> i32 {
        self.return_code()
    }

    fn outcome(&self) -> RStr<'_> {
        self.outcome().into()
    }

    fn reason(&self) -> RStr<'_> {
        self.reason().into()
    }

    fn attempt(&self) -> u32 {
        self.attempt()
    }

    fn max_attempts(&self) -> ROption<u32> {
        self.max_attempts().into()
    }

    fn timestamp(&self) -> RDuration {
        self.timestamp().duration_since(UNIX_EPOCH).unwrap_or_default().into()
    }

    fn description(&self) -> RStr<'_> {
        self.description().into()
    }

    fn stdout(&self) -> RSlice<'_, u8> {
        self.stdout_bytes().into()
    }

    fn stderr(&self) -> RSlice<'_, u8> {
        self.stderr_bytes().into()
    }

    fn run_id(&self) -> RStr<'_> {
        self.run_id().into()
    }

    fn host_name(&self) -> RStr<'_> {
        self.host_name().into()
    }

    fn folded(&self) -> u64 {
        self.folded()
    }
}
