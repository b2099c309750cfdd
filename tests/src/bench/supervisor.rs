//! What a measurement knows of a supervisor.

use super::lab::Lab;
use rustix::process::Signal;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Tasks that are all alike.
pub(super) struct Tasks<'a> {
    /// How many.
    pub(super) count: usize,
    /// What each does: see programs/stamp.c.
    pub(super) mode: &'a [&'a str],
    /// Whether its output goes to a file. If not, it goes nowhere.
    pub(super) is_logged: bool,
}

/// One task of them.
pub(super) struct Task {
    pub(super) name: String,
    /// Program and arguments.
    pub(super) command: Vec<String>,
    /// The file its output goes to.
    pub(super) log: Option<PathBuf>,
}

impl Tasks<'_> {
    /// Each of them, writing its times to this file and its output beside it.
    pub(super) fn each(&self, lab: &Lab, stamps: &Path) -> Vec<Task> {
        let of = |index: usize| {
            let mut command =
                vec![text(&lab.stamp), text(stamps), index.to_string(), self.mode[0].to_owned()];
            command.extend(self.mode[1..].iter().map(|word| (*word).to_owned()));
            let name = format!("t{index:05}");
            let log = self.is_logged.then(|| stamps.with_file_name(format!("{name}.log")));
            Task { name, command, log }
        };
        (0..self.count).map(of).collect()
    }
}

/// A path as text: those of the benchmark's folders are.
pub(super) fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A program that starts tasks, and starts them again as soon as it may when they have ended.
pub(super) trait Supervisor {
    /// As the table has it.
    fn name(&self) -> &'static str;

    /// Its version, where it tells.
    fn version(&self) -> Option<String>;

    /// Writes a configuration for these tasks into a folder: the command that starts it with that.
    fn prepare(&self, lab: &Lab, folder: &Path, tasks: &[Task]) -> io::Result<Command>;

    /// What makes it stop its tasks and end.
    fn stop_signal(&self) -> Signal {
        Signal::TERM
    }

    /// The names of the processes it has for its tasks, beside its own.
    fn helpers(&self) -> &'static [&'static str] {
        &[]
    }

    /// Where it writes its number, if the command that starts it ends before it.
    fn pid_file(&self, _folder: &Path) -> Option<PathBuf> {
        None
    }
}
