//! The least supervisor: programs/limit.c.

use crate::bench::lab::Lab;
use crate::bench::supervisor::{Supervisor, Task, Tasks};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// The limit of what a supervisor can reach.
pub(in crate::bench) struct Limit;

impl Limit {
    /// It runs tasks once, so many at a time.
    pub(in crate::bench) fn once(lab: &Lab, tasks: &Tasks, at_a_time: usize, stamps: &Path) -> Command {
        let number = tasks.count.to_string();
        command(lab, &["once", &number, &at_a_time.to_string()], &tasks.each(lab, stamps))
    }

    /// It runs a task at each even second.
    pub(in crate::bench) fn tick(lab: &Lab, task: &Tasks, stamps: &Path) -> Command {
        command(lab, &["tick"], &task.each(lab, stamps))
    }
}

/// The program numbers the tasks itself.
fn command(lab: &Lab, arguments: &[&str], tasks: &[Task]) -> Command {
    let mut command = Command::new(&lab.limit);
    command.args(arguments).stdout(Stdio::null());
    match tasks.first().map(|task| &task.command[..]) {
        Some([program, stamps, _, mode @ ..]) => command.args([program, stamps]).args(mode),
        _ => command.args([&lab.stamp, &lab.stamp]).arg("stay"),
    };
    command
}

impl Supervisor for Limit {
    fn name(&self) -> &'static str {
        "limit"
    }

    fn version(&self) -> Option<String> {
        None
    }

    fn prepare(&self, lab: &Lab, _: &Path, tasks: &[Task]) -> io::Result<Command> {
        Ok(command(lab, &["keep", &tasks.len().to_string()], tasks))
    }
}
