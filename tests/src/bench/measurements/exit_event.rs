//! How long after the last thing a run does somebody who reads the events knows of its end.

use crate::bench::clock;
use crate::bench::figures::{Figures, median, milliseconds, quantile};
use crate::bench::lab::Lab;
use crate::bench::measurement::{Measurement, Row, Subject, Target};
use crate::bench::running::{PATIENCE, Running};
use crate::bench::supervisor::{Supervisor, Tasks};
use crate::bench::supervisors::{Limit, Ours};
use serde_json::json;
use std::io::{self, BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc::channel;

pub(super) const EXIT_EVENT: Measurement = Measurement {
    name: "exit-event",
    rows: &[
        Row {
            key: "exit-event-median",
            what: "exit of a run → its event is read",
            unit: "ms",
            target: Target::AtMost(0.25),
        },
        Row { key: "exit-event-p99", what: "… 99th percentile", unit: "ms", target: Target::Less },
    ],
    rounds: usize::MAX,
    round,
};

fn round(lab: &Lab, subject: &Subject) -> io::Result<Figures> {
    // Long enough for everything of the last run to be over, so that an exit comes upon a host that sleeps.
    let tasks = Tasks { count: 1, mode: &["sleep", "3"], is_logged: false };
    let (supervisor, mark): (&dyn Supervisor, _) = match subject {
        Subject::Limit => (&Limit, "ended "),
        Subject::Ours(ours) => (*ours, "\"from\":\"RUNNING\""),
        // Each has a log of its own kind, if any.
        Subject::Peer(_) => return Ok(vec![]),
    };
    let mut running = Running::start_with(lab, supervisor, |folder, stamps| {
        let each = tasks.each(lab, stamps);
        let mut command = match subject {
            Subject::Ours(_) => {
                let scripts: Vec<_> = each.iter().map(Ours::service).collect();
                Ours::command(lab, folder, &json!({ "scripts": scripts }), &["--events", "-"])?
            }
            Subject::Limit | Subject::Peer(_) => supervisor.prepare(lab, folder, &each)?,
        };
        command.stdout(Stdio::piped());
        Ok(command)
    })?;
    let times = {
        let stdout = running.child.stdout.take().ok_or_else(|| io::Error::other("no standard output"))?;
        let (sender, times) = channel();
        std::thread::spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            for line in lines.filter(|line| line.contains(mark)) {
                let _ = sender.send((clock::now(), line));
            }
        });
        times
    };
    let mut read = Vec::new();
    while read.len() < lab.scale.events {
        read.push(times.recv_timeout(PATIENCE).map_err(io::Error::other)?.0);
    }
    let stamps = running.stamps.all()?;
    let pairs = stamps.iter().zip(&read).filter(|(run, _)| run.end != 0);
    let late: Vec<f64> =
        pairs.map(|(run, read)| milliseconds(read.saturating_sub(run.end))).skip(1).collect();
    Ok(vec![("exit-event-median", median(&late)), ("exit-event-p99", quantile(&late, 0.99))])
}
