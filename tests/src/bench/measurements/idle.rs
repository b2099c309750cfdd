//! What a supervisor does while nothing is to be done, and how many threads it has for it. The host has tasks that wait
//! for their time beside those that run.

use crate::bench::clock;
use crate::bench::figures::Figures;
use crate::bench::lab::Lab;
use crate::bench::measurement::{Measurement, Row, Subject, Target};
use crate::bench::running::{PATIENCE, Running};
use crate::bench::supervisor::Tasks;
use crate::bench::supervisors::{Ours, with};
use serde_json::json;
use std::io;

pub(super) const IDLE: Measurement = Measurement {
    name: "idle",
    rows: &[
        Row {
            key: "idle-wakeups",
            what: "wakeups a second while nothing is due",
            unit: "/s",
            target: Target::AtMost(0.0),
        },
        Row { key: "idle-threads", what: "threads, of all its processes", unit: "", target: Target::Less },
    ],
    rounds: 2,
    round,
};

fn round(lab: &Lab, subject: &Subject) -> io::Result<Figures> {
    let tasks = Tasks { count: lab.scale.running, mode: &["stay"], is_logged: false };
    let running = match subject {
        Subject::Ours(ours) => Running::start_with(lab, *ours, |folder, stamps| {
            let waiting = Tasks { count: lab.scale.waiting, mode: &["exit", "0"], is_logged: false };
            let wait = |task| {
                with(
                    Ours::script(task),
                    json!({ "name": format!("w{}", task.name), "schedule-cron": "0 0 1 1 *" }),
                )
            };
            let mut scripts: Vec<_> = tasks.each(lab, stamps).iter().map(Ours::service).collect();
            scripts.extend(waiting.each(lab, stamps).iter().map(wait));
            Ours::command(lab, folder, &json!({ "scripts": scripts }), &[])
        })?,
        Subject::Limit | Subject::Peer(_) => Running::start(lab, subject.supervisor(), &tasks)?,
    };
    running.stamps.wait(tasks.count, PATIENCE)?;
    running.settle();
    let (before, began) = (running.work(), clock::now());
    std::thread::sleep(lab.scale.window * 2);
    let (after, took) = (running.work(), clock::now() - began);
    let wakeups = after.sleeps.saturating_sub(before.sleeps) as f64 * 1e9 / took as f64;
    Ok(vec![("idle-wakeups", wakeups), ("idle-threads", after.threads as f64)])
}
