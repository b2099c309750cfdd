//! What tasks cost that wait for their time.

use crate::bench::figures::Figures;
use crate::bench::lab::Lab;
use crate::bench::measurement::{Measurement, Row, Subject, Target};
use crate::bench::observe;
use crate::bench::running::{PATIENCE, Running};
use crate::bench::supervisor::Tasks;
use crate::bench::supervisors::{Ours, with};
use serde_json::{Value, json};
use std::io;

pub(super) const WAITING: Measurement = Measurement {
    name: "waiting",
    rows: &[
        Row {
            key: "memory-cron",
            what: "memory for one more task that waits for its cron time",
            unit: "KiB",
            target: Target::AtMost(1.5),
        },
        Row {
            key: "memory-timer",
            what: "… that waits for its timer, and ran before",
            unit: "KiB",
            target: Target::AtMost(1.5),
        },
    ],
    rounds: 2,
    round,
};

fn round(lab: &Lab, subject: &Subject) -> io::Result<Figures> {
    // Others have no such tasks, and the limit has none either.
    let Subject::Ours(ours) = subject else { return Ok(vec![]) };
    let memory = |schedule: &Value, count: usize, runs: usize| {
        let tasks = Tasks { count, mode: &["exit", "0"], is_logged: false };
        let running = Running::start_with(lab, *ours, |folder, stamps| {
            let script = |task| with(Ours::script(task), schedule.clone());
            let scripts: Vec<_> = tasks.each(lab, stamps).iter().map(script).collect();
            Ours::command(lab, folder, &json!({ "max-running": 4, "scripts": scripts }), &[])
        })?;
        running.stamps.wait(runs, PATIENCE)?;
        running.settle();
        observe::memory(&running.processes())
    };
    let all = lab.scale.waiting;
    let few = (all / 10).max(1);
    // What one more costs, as with running tasks.
    let one_more = |schedule: Value, runs: fn(usize) -> usize| {
        let of_few = memory(&schedule, few, runs(few))?;
        Ok::<f64, io::Error>((memory(&schedule, all, runs(all))? - of_few) / (all - few) as f64)
    };
    Ok(vec![
        ("memory-cron", one_more(json!({ "schedule-cron": "0 0 1 1 *" }), |_| 0)?),
        ("memory-timer", one_more(json!({ "timer": "1d" }), |count| count)?),
    ])
}
