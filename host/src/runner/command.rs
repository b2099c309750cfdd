//! From what a task says to a process that runs it: the program, its environment, and as whom it runs.

use super::{StartError, shell_line};
use crate::envfile;
use crate::launch::{Action, Launch};
use crate::process::{self, Environment, Group, Handover, OWN_BINARY, Spawn, SpawnError, Stdio, Verdict};
use crate::records::MARK;
use bansuri_core::RunId;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Starts processes for tasks.
#[derive(Clone, Debug)]
pub(super) struct Commands {
    /// The host's own, read once.
    environment: Environment,
    /// `None`: the host's own binary.
    helper: Option<PathBuf>,
}

/// What is executed for a run.
pub(super) struct Program {
    pub(super) file: ProgramFile,
    /// What the task adds to the environment of its host.
    pub(super) variables: BTreeMap<String, String>,
    /// Further descriptors, as in [`Spawn`].
    pub(super) more: Vec<OwnedFd>,
}

/// Which file is executed.
pub(super) enum ProgramFile {
    /// What the task's command names.
    Tasks,
    /// The host's own binary, once more, with these arguments.
    Host { arguments: Vec<OsString> },
}

/// Standard output and standard error of a process to be.
pub(super) struct Outputs {
    pub(super) stdout: Stdio,
    /// `None`: where standard output goes.
    pub(super) stderr: Option<Stdio>,
    /// What becomes of each if the process is to run as another user.
    pub(super) handovers: [Handover; 2],
}

/// A process that was started. With a verdict, whether it executes its program is still to be seen.
pub(super) struct Begun {
    pub(super) group: Group,
    pub(super) verdict: Option<Verdict>,
}

impl Commands {
    pub(super) fn new(helper: Option<PathBuf>) -> Self {
        Self { environment: Environment::of_host(), helper }
    }

    /// The environment of a run: the host's, the environment file's, the task's, and what names the run.
    pub(super) fn environment(&self, program: &Program) -> Result<Environment, StartError> {
        let mut environment = self.environment.clone();
        for (name, value) in &program.variables {
            environment.set(name, value).map_err(blameless)?;
        }
        Ok(environment)
    }

    /// Starts one process. Who runs as the host is started directly; everybody else by the helper, off this thread.
    pub(super) fn start(
        &self,
        launch: &Launch,
        program: Program,
        mut environment: Environment,
        outputs: Outputs,
    ) -> Result<Begun, StartError> {
        let Program { file, more, .. } = program;
        let (program, arguments) = match file {
            ProgramFile::Tasks => words(&launch.action, &mut environment, &launch.working_directory)?,
            ProgramFile::Host { arguments } => {
                let own = self.helper.as_deref().unwrap_or(Path::new(OWN_BINARY));
                (own.into(), arguments)
            }
        };
        let Outputs { stdout, stderr, handovers } = outputs;
        let spawn = Spawn {
            program,
            arguments,
            environment,
            working_directory: launch.working_directory.to_path_buf(),
            stdin: Stdio::Null,
            stdout,
            stderr,
            more,
        };
        let begun = if launch.privileges.is_default() {
            spawn.start().map(|group| Begun { group, verdict: None })
        } else {
            // The helper bears the mark too: should the host die now, the next one finds it.
            let started = spawn.start_as(&launch.privileges, handovers, self.helper.as_deref(), MARK);
            started.map(|(group, verdict)| Begun { group, verdict: Some(verdict) })
        };
        begun.map_err(|SpawnError { reason, code }| StartError { reason, code })
    }
}

/// What a task adds to the environment of its host, for a command and for a plugin. `attempt`: a health check has none.
///
/// The environment file is read now. It is small and regular, or an error, so that the control thread may do it.
pub(super) fn of_task(
    launch: &Launch,
    run: RunId,
    attempt: Option<u32>,
) -> Result<BTreeMap<String, String>, StartError> {
    let mut environment = match &launch.environment_file {
        Some(file) => envfile::read(file).map_err(|error| blameless(format!("environment file {error}")))?,
        None => BTreeMap::new(),
    };
    environment.extend(launch.environment.iter().map(|(name, value)| (name.clone(), value.clone())));
    environment.insert("BANSURI_TASK".into(), launch.name.as_str().into());
    environment.insert("BANSURI_RUN".into(), run.number.to_string());
    if let Some(attempt) = attempt {
        environment.insert("BANSURI_ATTEMPT".into(), attempt.to_string());
    }
    Ok(environment)
}

impl Program {
    /// What the task's command names. `attempt`: a health check has none.
    pub(super) fn of_command(launch: &Launch, run: RunId, attempt: Option<u32>) -> Result<Self, StartError> {
        let variables = of_task(launch, run, attempt)?;
        Ok(Self { file: ProgramFile::Tasks, variables, more: Vec::new() })
    }
}

/// The program and its arguments. A line that needs no shell gets none, and the environment that it would give.
fn words(
    action: &Action,
    environment: &mut Environment,
    directory: &Path,
) -> Result<(OsString, Vec<OsString>), StartError> {
    match action {
        Action::Shell(line) => {
            if let Some(words) = shell_line::words(line, environment, directory) {
                return named(words.iter().map(String::as_str));
            }
            let mut arguments = vec![OsString::from("-c")];
            if line.starts_with(['-', '+']) {
                // Else the shell would take the line for an option.
                arguments.push("--".into());
            }
            arguments.push(line.as_ref().into());
            Ok(("/bin/sh".into(), arguments))
        }
        Action::Exec(words) => named(words.iter()),
        Action::Plugin(_) => Err(blameless("a plugin task is not run as a process".into())),
    }
}

fn named<'w>(words: impl Iterator<Item = &'w str>) -> Result<(OsString, Vec<OsString>), StartError> {
    let mut words = words.map(OsString::from);
    let program = words.next().ok_or_else(|| blameless("command: no program is named".into()))?;
    Ok((program, words.collect()))
}

/// An error that is not the program's.
pub(super) fn blameless(reason: String) -> StartError {
    StartError { reason, code: None }
}

/// An error of the system, met while `doing` something.
pub(super) fn unable(doing: &str, error: &std::io::Error) -> StartError {
    blameless(format!("cannot {doing}: {}", process::describe(error)))
}
