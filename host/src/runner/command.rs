//! What a run is started as: program, environment, and where its output goes.

use super::output::{LogFile, open_log};
use super::{RunSpec, StartError};
use crate::launch::{Action, ErrorSink, Launch, Sink};
use crate::process::{self, Environment, Stdio};
use rustix::fs::OFlags;
use std::ffi::OsString;
use std::os::fd::OwnedFd;

/// The child's side of its output, before it is started.
pub(super) struct Streams {
    pub(super) stdout: Stdio,
    pub(super) stderr: Option<Stdio>,
    pub(super) captures: [Planned; 2],
}

/// The host's side.
pub(super) enum Planned {
    None,
    File(LogFile),
    Pipe(OwnedFd),
}

/// The program and its arguments.
pub(super) fn command(action: &Action) -> Result<(OsString, Vec<OsString>), StartError> {
    match action {
        Action::Shell(line) => {
            let mut arguments = vec![OsString::from("-c")];
            if line.starts_with(['-', '+']) {
                // Else the shell would take the line for an option.
                arguments.push("--".into());
            }
            arguments.push(line.into());
            Ok(("/bin/sh".into(), arguments))
        }
        Action::Exec(words) => {
            let mut words = words.iter().map(OsString::from);
            let program = words.next().ok_or_else(|| blameless("command: no program is named".into()))?;
            Ok((program, words.collect()))
        }
        Action::Plugin { .. } => Err(blameless("a plugin task is not run as a process".into())),
    }
}

pub(super) fn environment(host: &Environment, run: &RunSpec) -> Result<Environment, String> {
    let mut environment = host.clone();
    for (name, value) in &run.launch.environment {
        environment.set(name, value)?;
    }
    environment.set("BANSURI_TASK", run.launch.name.as_str())?;
    environment.set("BANSURI_RUN", run.run.number.to_string())?;
    environment.set("BANSURI_ATTEMPT", run.attempt.to_string())?;
    Ok(environment)
}

/// An error that is not the program's.
pub(super) fn blameless(reason: String) -> StartError {
    StartError { reason, code: None }
}

impl Streams {
    /// Opens everything.
    ///
    /// # Errors
    /// A lowercase fragment that names the file.
    pub(super) fn open(launch: &Launch) -> Result<Self, String> {
        let (stdout, first) = open(&launch.stdout)?;
        let (stderr, second) = match &launch.stderr {
            ErrorSink::Combined => (None, Planned::None),
            // One file under both names: one descriptor keeps what is written in order.
            ErrorSink::Separate(Sink::File(path)) if launch.stdout == Sink::File(path.clone()) => {
                (None, Planned::None)
            }
            ErrorSink::Separate(sink) => {
                let (stdio, planned) = open(sink)?;
                (Some(stdio), planned)
            }
        };
        Ok(Self { stdout, stderr, captures: [first, second] })
    }
}

fn open(sink: &Sink) -> Result<(Stdio, Planned), String> {
    match sink {
        Sink::Tail => {
            let made = process::pipe().and_then(|(read, write)| {
                rustix::fs::fcntl_setfl(&read, OFlags::NONBLOCK)?;
                Ok((read, write))
            });
            let (read, write) = made.map_err(|error| {
                format!("cannot make a pipe for its output: {}", process::describe(&error))
            })?;
            Ok((Stdio::To(write), Planned::Pipe(read)))
        }
        Sink::File(path) => {
            let (descriptor, file) = open_log(path)?;
            Ok((Stdio::To(descriptor), file.map_or(Planned::None, Planned::File)))
        }
        Sink::Ignore => Ok((Stdio::Null, Planned::None)),
        Sink::Inherit => Ok((Stdio::Inherit, Planned::None)),
    }
}
