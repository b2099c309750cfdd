//! How many short tasks a second are run when there is always one more, and what each costs the supervisor.

use crate::bench::clock;
use crate::bench::figures::Figures;
use crate::bench::lab::Lab;
use crate::bench::measurement::{Measurement, Row, Subject, Target};
use crate::bench::running::{PATIENCE, Running};
use crate::bench::supervisor::{Supervisor, Tasks};
use crate::bench::supervisors::{Limit, Ours};
use serde_json::json;
use std::io;

/// How many run at the same time.
const AT_A_TIME: usize = 2;

pub(super) const SPAWN: Measurement = Measurement {
    name: "spawn",
    rows: &[
        Row {
            key: "spawn-rate",
            what: "short tasks a second, 2 at a time",
            unit: "/s",
            target: Target::PartOfLimit(0.8),
        },
        Row {
            key: "spawn-cpu",
            what: "… CPU time of the host for each",
            unit: "µs",
            target: Target::AtMost(60.0),
        },
    ],
    rounds: usize::MAX,
    round,
};

fn round(lab: &Lab, subject: &Subject) -> io::Result<Figures> {
    let tasks = Tasks { count: lab.scale.short_tasks, mode: &["exit", "0"], is_logged: false };
    let supervisor: &dyn Supervisor = match subject {
        Subject::Limit => &Limit,
        Subject::Ours(ours) => *ours,
        // None has a number of tasks that run at once.
        Subject::Peer(_) => return Ok(vec![]),
    };
    let running = Running::start_with(lab, supervisor, |folder, stamps| match subject {
        Subject::Ours(_) => {
            let scripts: Vec<_> = tasks.each(lab, stamps).iter().map(Ours::script).collect();
            Ours::command(lab, folder, &json!({ "max-running": AT_A_TIME, "scripts": scripts }), &[])
        }
        Subject::Limit | Subject::Peer(_) => Ok(Limit::once(lab, &tasks, AT_A_TIME, stamps)),
    })?;
    // What it does before its first start is not counted.
    running.stamps.wait(1, PATIENCE)?;
    let (before, busy) = (running.stamps.count(), running.work().busy);
    running.stamps.wait(tasks.count, PATIENCE)?;
    clock::wait(PATIENCE, || running.stamps.all().is_ok_and(|all| all.iter().all(|stamp| stamp.end != 0)));
    let busy = running.work().busy - busy;
    let stamps = running.stamps.all()?;
    let starts = || stamps.iter().map(|stamp| stamp.start);
    let span = starts().max().unwrap_or_default() - starts().min().unwrap_or_default();
    let rate = (stamps.len() - 1) as f64 * 1e9 / span as f64;
    Ok(vec![("spawn-rate", rate), ("spawn-cpu", busy as f64 / 1e3 / (tasks.count - before).max(1) as f64)])
}
