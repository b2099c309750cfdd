//! The failure that plugin notifiers are given.

use super::guard::guarded;
use bansuri_plugin_api::abi::abi_stable::sabi_trait::TD_Opaque;
use bansuri_plugin_api::abi::abi_stable::std_types::{RDuration, ROption, RSlice, RStr};
use bansuri_plugin_api::abi::{AbiFailure, AbiFailure_TO, FailureBox};
use bansuri_plugin_api::paths;
use std::borrow::Cow;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// One failure of one task, borrowed for one call. The meaning of the fields is that of `notify::Failure`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FailureRecord {
    /// The task's name.
    pub task: String,
    /// The command as written in the configuration.
    pub command: String,
    /// The task's working directory, as [`FailureRecord::path_bytes`] gives it.
    pub working_directory: Vec<u8>,
    /// 128 + N for signal N, -1 where the run has none.
    pub return_code: i32,
    /// `FAILED` or `TIMED_OUT`.
    pub outcome: Cow<'static, str>,
    /// Why, in words.
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
    /// Later failures of the task that were folded into this one.
    pub folded: u64,
}

impl FailureRecord {
    /// A path as it crosses to plugins.
    pub fn path_bytes(path: &Path) -> Vec<u8> {
        paths::to_bytes(path).into_owned()
    }

    pub(super) fn boxed(self) -> FailureBox {
        AbiFailure_TO::from_value(self, TD_Opaque)
    }
}

impl AbiFailure for FailureRecord {
    fn task_name(&self) -> RStr<'_> {
        self.task.as_str().into()
    }

    fn command(&self) -> RStr<'_> {
        self.command.as_str().into()
    }

    fn working_directory(&self) -> RSlice<'_, u8> {
        self.working_directory.as_slice().into()
    }

    fn return_code(&self) -> i32 {
        self.return_code
    }

    fn outcome(&self) -> RStr<'_> {
        RStr::from_str(&self.outcome)
    }

    fn reason(&self) -> RStr<'_> {
        self.reason.as_str().into()
    }

    fn attempt(&self) -> u32 {
        self.attempt
    }

    fn max_attempts(&self) -> ROption<u32> {
        self.max_attempts.into()
    }

    fn timestamp(&self) -> RDuration {
        guarded(RDuration::new(0, 0), || {
            // A clock before 1970 gives the start of 1970.
            self.timestamp.duration_since(UNIX_EPOCH).unwrap_or_default().into()
        })
    }

    fn description(&self) -> RStr<'_> {
        self.description.as_str().into()
    }

    fn stdout(&self) -> RSlice<'_, u8> {
        self.stdout.as_slice().into()
    }

    fn stderr(&self) -> RSlice<'_, u8> {
        self.stderr.as_slice().into()
    }

    fn run_id(&self) -> RStr<'_> {
        self.run_id.as_str().into()
    }

    fn host_name(&self) -> RStr<'_> {
        self.host_name.as_str().into()
    }

    fn folded(&self) -> u64 {
        self.folded
    }
}
