//! Telling a command.

use super::calls::Calls;
use super::exchange::Exchange;
use super::recorded;
use super::words::fill;
use crate::clock::rfc3339_seconds;
use crate::notify::{Failure, Notifier, text};
use crate::process::{Environment, Group, Spawn, Stdio, pipe};
use crate::records::Records;
use rustix::fs::{Access, access};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a notify command may take.
pub const COMMAND_LIMIT: Duration = Duration::from_secs(30);

/// Values in the environment are cut to this many bytes: the system refuses long ones, and with them the command.
const LONGEST_VALUE: usize = 16 * 1024;

/// Runs a command for each failure, without a shell, in the working directory of the task, with the message on its
/// standard input and `BANSURI_TASK` and the like in its environment. Whatever it leaves behind in its process group
/// ends with the call.
pub struct CommandNotifier {
    words: Arc<[String]>,
    limit: Duration,
    records: Records,
    calls: Calls,
}

impl CommandNotifier {
    /// `words`: the command, split, never empty, with `{task}` and the like still in it. A call that takes longer than
    /// `limit` is ended by SIGTERM, and 2 s later by SIGKILL.
    pub fn new(words: Arc<[String]>, limit: Duration) -> Self {
        Self { words, limit, records: Records::none(), calls: Calls::default() }
    }

    /// Has its processes remembered while they live, for the host after this one.
    #[must_use]
    pub fn with_records(self, records: Records) -> Self {
        Self { records, ..self }
    }

    fn run(&self, failure: &Failure, bell: BorrowedFd<'_>) -> Result<(), String> {
        let deadline = Instant::now() + self.limit;
        let (program, arguments) = match fill(&self.words, failure).split_first() {
            Some((program, arguments)) => (program.into(), arguments.iter().map(Into::into).collect()),
            None => return Err("the notify command is empty".to_owned()),
        };
        let ((their_stdin, stdin), (stderr, their_stderr)) = pipe()
            .and_then(|stdin| Ok((stdin, pipe()?)))
            .map_err(|error| format!("no pipe for the notify command: {error}"))?;
        let spawn = Spawn {
            program,
            arguments,
            environment: environment(failure)?,
            working_directory: working_directory(&failure.working_directory),
            stdin: Stdio::To(their_stdin),
            stdout: Stdio::Null,
            stderr: Some(Stdio::To(their_stderr)),
            more: Vec::new(),
        };
        recorded::during(spawn, &self.records, failure, self.limit, |group| {
            self.tell(group, stdin, stderr, failure, deadline, bell)
        })
    }

    /// Hands the message over and waits for the end of the whole group.
    fn tell(
        &self,
        group: Group,
        stdin: OwnedFd,
        stderr: OwnedFd,
        failure: &Failure,
        deadline: Instant,
        bell: BorrowedFd<'_>,
    ) -> Result<(), String> {
        let message = text(failure);
        // A group that is dropped is killed.
        let mut exchange = Exchange::new(group, stdin, stderr, message.as_bytes(), bell)
            .map_err(|error| format!("pipes to the notify command: {error}"))?;
        let ending = exchange.finish(deadline);
        exchange.verdict(&ending, self.limit)
    }
}

impl Notifier for CommandNotifier {
    fn notify(&self, failure: &Failure) -> Result<(), String> {
        self.calls.during(|bell| self.run(failure, bell))
    }

    fn keeps_its_limit(&self) -> bool {
        true
    }

    fn abort(&self) {
        self.calls.abort();
    }
}

/// The task's; but a task may have failed for the very reason that it is not there, and that is to be told too.
fn working_directory(path: &Path) -> PathBuf {
    if path.is_dir() && access(path, Access::EXEC_OK).is_ok() { path.to_owned() } else { PathBuf::from("/") }
}

fn environment(failure: &Failure) -> Result<Environment, String> {
    let mut environment = Environment::of_host();
    let set = [
        ("BANSURI_TASK", failure.task.clone()),
        ("BANSURI_COMMAND", failure.command.clone()),
        ("BANSURI_WORKING_DIRECTORY", failure.working_directory.to_string_lossy().into_owned()),
        ("BANSURI_CODE", failure.return_code.to_string()),
        ("BANSURI_OUTCOME", failure.outcome.to_owned()),
        ("BANSURI_REASON", failure.reason.clone()),
        ("BANSURI_ATTEMPT", failure.attempt.to_string()),
        // As in the configuration, 0 is no limit.
        ("BANSURI_MAX_ATTEMPTS", failure.max_attempts.unwrap_or(0).to_string()),
        ("BANSURI_TIMESTAMP", rfc3339_seconds(failure.timestamp)),
        ("BANSURI_DESCRIPTION", failure.description.clone()),
        ("BANSURI_RUN_ID", failure.run_id.clone()),
        ("BANSURI_HOST", failure.host_name.clone()),
        ("BANSURI_FOLDED", failure.folded.to_string()),
    ];
    for (name, value) in set {
        environment.set(name, presentable(value))?;
    }
    Ok(environment)
}

/// A value that the system takes.
fn presentable(value: String) -> String {
    let mut value = value.replace('\0', "\u{fffd}");
    value.truncate(value.floor_char_boundary(LONGEST_VALUE));
    value
}
