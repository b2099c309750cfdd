//! How late scheduled runs begin, and whether they come later each time.

use crate::bench::figures::{Figures, median, milliseconds, quantile};
use crate::bench::lab::Lab;
use crate::bench::measurement::{Measurement, Row, Subject, Target};
use crate::bench::running::Running;
use crate::bench::supervisor::{Supervisor, Tasks};
use crate::bench::supervisors::{Limit, Ours, with};
use serde_json::json;
use std::io;

const SECOND: u64 = 1_000_000_000;

pub(super) const TIMER: Measurement = Measurement {
    name: "timer",
    rows: &[
        Row {
            key: "timer-late-median",
            what: "scheduled time → main(), every 2 s by cron",
            unit: "ms",
            target: Target::AtMost(1.5),
        },
        Row { key: "timer-late-p99", what: "… the latest of them", unit: "ms", target: Target::Less },
        Row {
            key: "timer-drift",
            what: "drift of a 1 s timer, a run",
            unit: "ms",
            target: Target::AtMost(0.05),
        },
    ],
    rounds: 2,
    round,
};

fn round(lab: &Lab, subject: &Subject) -> io::Result<Figures> {
    let tasks = Tasks { count: 2, mode: &["exit", "0"], is_logged: false };
    let supervisor: &dyn Supervisor = match subject {
        Subject::Limit => &Limit,
        Subject::Ours(ours) => *ours,
        Subject::Peer(_) => return Ok(vec![]),
    };
    let running = Running::start_with(lab, supervisor, |folder, stamps| match subject {
        Subject::Ours(_) => {
            let each = tasks.each(lab, stamps);
            let cron = with(Ours::script(&each[0]), json!({ "schedule-cron": "*/2 * * * * *" }));
            let timer = with(Ours::script(&each[1]), json!({ "timer": "1s" }));
            Ours::command(lab, folder, &json!({ "scripts": [cron, timer] }), &[])
        }
        Subject::Limit | Subject::Peer(_) => Ok(Limit::tick(lab, &tasks, stamps)),
    })?;
    std::thread::sleep(lab.scale.timer_window);
    let stamps = running.stamps.all()?;
    let of = |id: u32| stamps.iter().filter(move |stamp| stamp.id == id);
    let late: Vec<f64> = of(0).map(|stamp| milliseconds(stamp.wall % (2 * SECOND))).collect();
    let mut figures = vec![("timer-late-median", median(&late)), ("timer-late-p99", quantile(&late, 1.0))];
    let starts: Vec<u64> = of(1).map(|stamp| stamp.start).collect();
    if starts.len() > 2 {
        figures.push(("timer-drift", drift(&starts).abs()));
    }
    Ok(figures)
}

/// By how much more than a second the runs are apart, in milliseconds: the middle of what every two of them say, as one
/// that is late by chance says little.
fn drift(starts: &[u64]) -> f64 {
    let pairs = (0..starts.len()).flat_map(|first| (first + 1..starts.len()).map(move |last| (first, last)));
    let drifts = pairs.map(|(first, last)| {
        let runs = (last - first) as u64;
        ((starts[last] - starts[first]) as f64 - (runs * SECOND) as f64) / 1e6 / runs as f64
    });
    median(&drifts.collect::<Vec<f64>>())
}

#[cfg(test)]
mod tests {
    use super::{SECOND, drift};

    #[test]
    fn drift_is_not_lateness() {
        let late_by =
            |late: [u64; 5]| -> Vec<u64> { (1..).zip(late).map(|(n, late)| n * SECOND + late).collect() };
        assert_eq!(drift(&late_by([5_000_000, 0, 0, 0, 0])), 0.0);
        assert_eq!(drift(&late_by([0, 1_000_000, 2_000_000, 3_000_000, 4_000_000])), 1.0);
    }
}
