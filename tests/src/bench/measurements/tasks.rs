//! Many tasks that run: how soon all do, how soon none does any more, and how much memory they take meanwhile.

use crate::bench::figures::Figures;
use crate::bench::lab::Lab;
use crate::bench::measurement::{Measurement, Row, Subject, Target};
use crate::bench::observe;
use crate::bench::running::{PATIENCE, Running};
use crate::bench::supervisor::Tasks;
use std::io;

pub(super) const TASKS: Measurement = Measurement {
    name: "tasks",
    rows: &[
        Row { key: "start", what: "many tasks started", unit: "s", target: Target::TimesLimit(1.5) },
        Row { key: "stop", what: "many tasks stopped", unit: "s", target: Target::TimesLimit(2.0) },
        Row { key: "memory-empty", what: "memory without tasks", unit: "MiB", target: Target::AtMost(5.0) },
        Row {
            key: "memory-running",
            what: "… for each running task",
            unit: "KiB",
            target: Target::AtMost(2.0),
        },
    ],
    rounds: usize::MAX,
    round,
};

fn round(lab: &Lab, subject: &Subject) -> io::Result<Figures> {
    // One of them ends at once when it has no task.
    let empty = memory_without_tasks(lab, subject).ok();
    let tasks = Tasks { count: lab.scale.running, mode: &["stay"], is_logged: false };
    let running = Running::start(lab, subject.supervisor(), &tasks)?;
    running.stamps.wait(tasks.count, PATIENCE)?;
    let last = running.stamps.all()?.iter().map(|stamp| stamp.start).max().unwrap_or_default();
    let start = last.saturating_sub(running.started);
    running.settle();
    let memory = observe::memory(&running.processes())?;
    let stop = running.stop()?;
    let mut figures = vec![("start", start as f64 / 1e9), ("stop", stop as f64 / 1e9)];
    if let Some(empty) = empty {
        figures.push(("memory-empty", empty / 1024.0));
        figures.push(("memory-running", (memory - empty) / tasks.count as f64));
    }
    Ok(figures)
}

/// Its memory without any task, in KiB.
pub(in crate::bench) fn memory_without_tasks(lab: &Lab, subject: &Subject) -> io::Result<f64> {
    let none = Tasks { count: 0, mode: &["stay"], is_logged: false };
    let running = Running::start(lab, subject.supervisor(), &none)?;
    running.settle();
    observe::memory(&running.processes())
}
