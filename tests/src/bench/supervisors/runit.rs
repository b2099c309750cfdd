//! runit and s6: a folder for each task, with a program `run` in it, and a process for each.
//! <http://smarden.org/runit/runsvdir.8.html>, <https://skarnet.org/software/s6/servicedir.html>.

use super::find;
use crate::bench::lab::Lab;
use crate::bench::supervisor::{Supervisor, Task, text};
use rustix::process::Signal;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(super) struct Runit {
    pub(super) program: PathBuf,
}

pub(super) struct S6 {
    pub(super) program: PathBuf,
}

impl Supervisor for Runit {
    fn name(&self) -> &'static str {
        "runit"
    }

    fn version(&self) -> Option<String> {
        find::package_version("runit")
    }

    fn prepare(&self, _: &Lab, folder: &Path, tasks: &[Task]) -> io::Result<Command> {
        let services = services(folder, tasks, |log| {
            // One file, as the others have it.
            std::fs::write(log.join("config"), "s2000000000\n")?;
            Ok(format!("svlogd {}", text(log)))
        })?;
        let mut command = Command::new(&self.program);
        command.arg(services).stdout(Stdio::null());
        Ok(command)
    }

    fn stop_signal(&self) -> Signal {
        Signal::HUP
    }

    fn helpers(&self) -> &'static [&'static str] {
        &["runsv", "svlogd"]
    }
}

impl Supervisor for S6 {
    fn name(&self) -> &'static str {
        "s6"
    }

    fn version(&self) -> Option<String> {
        find::package_version("s6")
    }

    fn prepare(&self, _: &Lab, folder: &Path, tasks: &[Task]) -> io::Result<Command> {
        let services = services(folder, tasks, |log| Ok(format!("s6-log s268435455 {}", text(log))))?;
        let mut command = Command::new(&self.program);
        command.args(["-c", "20000", "-t", "0"]).arg(services).stdout(Stdio::null());
        Ok(command)
    }

    fn helpers(&self) -> &'static [&'static str] {
        &["s6-supervise", "s6-log"]
    }
}

/// Writes the folders: where they lie. `logger` has the command that writes a log into a folder.
fn services(
    folder: &Path,
    tasks: &[Task],
    logger: impl Fn(&Path) -> io::Result<String>,
) -> io::Result<PathBuf> {
    let services = folder.join("services");
    std::fs::create_dir(&services)?;
    for task in tasks {
        let service = services.join(&task.name);
        std::fs::create_dir(&service)?;
        program(&service.join("run"), &task.command.join(" "))?;
        if let Some(log) = &task.log {
            std::fs::create_dir(log)?;
            std::fs::create_dir(service.join("log"))?;
            program(&service.join("log/run"), &logger(log)?)?;
        }
    }
    Ok(services)
}

fn program(file: &Path, command: &str) -> io::Result<()> {
    std::fs::write(file, format!("#!/bin/sh\nexec {command}\n"))?;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755))
}
