//! How many starts a second there are when many tasks end as soon as they are started.

use crate::bench::clock;
use crate::bench::figures::Figures;
use crate::bench::lab::Lab;
use crate::bench::measurement::{Measurement, Row, Subject, Target};
use crate::bench::running::{PATIENCE, Running};
use crate::bench::supervisor::Tasks;
use std::io;
use std::time::Duration;

/// How long restarts are waited for.
const LONGEST: Duration = Duration::from_secs(12);

pub(super) const RESPAWN: Measurement = Measurement {
    name: "respawn",
    rows: &[
        Row {
            key: "respawn-rate",
            what: "starts a second, 100 tasks that restart for ever, delay 0",
            unit: "/s",
            target: Target::PartOfLimit(0.7),
        },
        Row {
            key: "respawn-cpu",
            what: "… CPU time of the host for each",
            unit: "µs",
            target: Target::AtMost(60.0),
        },
    ],
    rounds: usize::MAX,
    round,
};

fn round(lab: &Lab, subject: &Subject) -> io::Result<Figures> {
    let tasks = Tasks { count: lab.scale.restarting, mode: &["exit", "1"], is_logged: false };
    let running = Running::start(lab, subject.supervisor(), &tasks)?;
    running.stamps.wait(tasks.count, PATIENCE)?;
    std::thread::sleep(lab.scale.window / 4);
    let (count, busy, began) = (running.stamps.count(), running.work().busy, clock::now());
    std::thread::sleep(lab.scale.window);
    // Some wait for seconds and then start all at once: of them a window shows too much or nothing.
    clock::wait(LONGEST, || running.stamps.count() >= count + 2 * tasks.count);
    let starts = (running.stamps.count() - count) as f64;
    let (busy, took) = (running.work().busy.saturating_sub(busy), clock::now() - began);
    if starts == 0.0 {
        return Err(io::Error::other("no restarts"));
    }
    Ok(vec![("respawn-rate", starts * 1e9 / took as f64), ("respawn-cpu", busy as f64 / 1e3 / starts)])
}
