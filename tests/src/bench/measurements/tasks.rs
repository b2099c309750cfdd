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
            what: "… for one more running task",
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
    let few = (lab.scale.running / 10).max(1);
    let of_few = running(lab, subject, few)?.1;
    let (running, memory) = running(lab, subject, lab.scale.running)?;
    let last = running.stamps.all()?.iter().map(|stamp| stamp.start).max().unwrap_or_default();
    let start = last.saturating_sub(running.started);
    let stop = running.stop()?;
    let mut figures = vec![("start", start as f64 / 1e9), ("stop", stop as f64 / 1e9)];
    figures.extend(empty.map(|empty| ("memory-empty", empty / 1024.0)));
    // What one more costs: what the first takes besides, code that is run for the first time, is no task's.
    figures.push(("memory-running", (memory - of_few) / (lab.scale.running - few) as f64));
    Ok(figures)
}

/// A supervisor once so many tasks run, and its memory then, in KiB.
fn running(lab: &Lab, subject: &Subject, count: usize) -> io::Result<(Running, f64)> {
    let tasks = Tasks { count, mode: &["stay"], is_logged: false };
    let running = Running::start(lab, subject.supervisor(), &tasks)?;
    running.stamps.wait(count, PATIENCE)?;
    running.settle();
    let memory = observe::memory(&running.processes())?;
    Ok((running, memory))
}

/// Its memory without any task, in KiB.
pub(in crate::bench) fn memory_without_tasks(lab: &Lab, subject: &Subject) -> io::Result<f64> {
    let none = Tasks { count: 0, mode: &["stay"], is_logged: false };
    let running = Running::start(lab, subject.supervisor(), &none)?;
    running.settle();
    observe::memory(&running.processes())
}
