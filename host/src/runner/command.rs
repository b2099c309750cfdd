//! What a run is started as: program and environment.

use super::{RunSpec, StartError};
use crate::launch::Action;
use crate::process::Environment;
use std::ffi::OsString;

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
