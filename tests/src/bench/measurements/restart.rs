//! How long a task that ended is away: from the last thing a run does to the first of the next.

use crate::bench::clock;
use crate::bench::figures::{Figures, median, milliseconds, quantile};
use crate::bench::lab::Lab;
use crate::bench::measurement::{Measurement, Row, Subject, Target};
use crate::bench::running::{PATIENCE, Running};
use crate::bench::supervisor::Tasks;
use std::io;

pub(super) const RESTART: Measurement = Measurement {
    name: "restart",
    rows: &[
        Row {
            key: "restart-median",
            what: "restart, delay 0: exit of a run → main() of the next",
            unit: "ms",
            target: Target::TimesLimit(1.5),
        },
        Row { key: "restart-p99", what: "… 99th percentile", unit: "ms", target: Target::TimesLimit(4.0) },
    ],
    rounds: usize::MAX,
    round,
};

fn round(lab: &Lab, subject: &Subject) -> io::Result<Figures> {
    let tasks = Tasks { count: 1, mode: &["exit", "1"], is_logged: false };
    let running = Running::start(lab, subject.supervisor(), &tasks)?;
    // Some wait a second and longer: three restarts are told from none.
    running.stamps.wait(4, PATIENCE)?;
    clock::wait(lab.scale.window, || running.stamps.count() > lab.scale.events);
    let stamps = running.stamps.all()?;
    let pairs = stamps.iter().zip(stamps.iter().skip(1)).filter(|(run, _)| run.end != 0);
    let gaps: Vec<f64> =
        pairs.map(|(run, next)| milliseconds(next.start.saturating_sub(run.end))).skip(1).collect();
    Ok(vec![("restart-median", median(&gaps)), ("restart-p99", quantile(&gaps, 0.99))])
}
