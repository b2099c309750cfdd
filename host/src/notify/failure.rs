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
    /// `FAILED` or `TIMED_OUT`; `COMPLETED` where a task that was notified has succeeded again.
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

/// Delivers failures. Called on threads of the notifier pool, never twice at once for one task, but for several tasks
/// at once.
pub trait Notifier: Send + Sync {
    /// Delivers one. The error is a lowercase fragment; a panic is the implementation's to catch.
    fn notify(&self, failure: &Failure) -> Result<(), String>;

    /// Whether every call ends by itself within the notifier's limit. A call of one that does not is abandoned when it
    /// is past its limit, and the notifier gets no further call until it returns.
    fn keeps_its_limit(&self) -> bool {
        false
    }

    /// The host is ending: calls under way end at once with an error, and so do later ones, for good. Called on the
    /// control thread; never blocks. Of use only to a notifier that keeps its limit.
    fn abort(&self) {}
}

/// The machine's name, as `uname -n` prints it.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
pub(super) fn example() -> Failure {
    Failure {
        task: "backup".into(),
        command: "pg_dump mydb > backup.sql".into(),
        working_directory: "/srv/jobs".into(),
        return_code: 1,
        outcome: "FAILED",
        reason: "exit code 1".into(),
        attempt: 1,
        max_attempts: None,
        timestamp: SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_795_342_400),
        description: "nightly dump".into(),
        stdout: Vec::new(),
        stderr: Vec::new(),
        run_id: "backup#7".into(),
        host_name: "db1".into(),
        folded: 0,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_name_that_the_system_gives() {
        let expect = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        assert_eq!(super::host_name(), expect.trim_end());
    }
}
