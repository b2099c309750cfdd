//! How fast a task can write: to a file of its own, to one that the supervisor writes for it, and to nobody.

use crate::bench::clock;
use crate::bench::figures::Figures;
use crate::bench::lab::Lab;
use crate::bench::measurement::{Measurement, Row, Subject, Target};
use crate::bench::running::{PATIENCE, Running};
use crate::bench::supervisor::{Task, Tasks};
use crate::bench::supervisors::{Limit, Ours, with};
use serde_json::{Value, json};
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

pub(super) const OUTPUT: Measurement = Measurement {
    name: "output",
    rows: &[
        Row {
            key: "output-file",
            what: "output to a file (limit: `task > file`)",
            unit: "MB/s",
            target: Target::PartOfLimit(0.95),
        },
        Row {
            key: "output-rotated",
            what: "… that is rotated (limit: `task \\| cat > file`)",
            unit: "MB/s",
            target: Target::PartOfLimit(1.0),
        },
        Row {
            key: "output-stamped",
            what: "… with the time before each line (the same)",
            unit: "MB/s",
            target: Target::More,
        },
        Row {
            key: "output-unread",
            what: "output of which the end is kept (limit: `task \\| cat > /dev/null`)",
            unit: "MB/s",
            target: Target::More,
        },
    ],
    rounds: usize::MAX,
    round,
};

fn round(lab: &Lab, subject: &Subject) -> io::Result<Figures> {
    let mebibytes = lab.scale.output.to_string();
    let mode = ["write", &mebibytes];
    let tasks = Tasks { count: 1, mode: &mode, is_logged: true };
    match subject {
        Subject::Limit => limits(lab, &tasks),
        Subject::Ours(ours) => ours_of(lab, ours, &tasks),
        Subject::Peer(peer) => {
            let running = Running::start(lab, *peer, &tasks)?;
            // One hands the file to the task, the others write it.
            let key = if peer.name() == "horust" { "output-file" } else { "output-rotated" };
            Ok(vec![(key, speed(lab, &running)?)])
        }
    }
}

fn limits(lab: &Lab, tasks: &Tasks) -> io::Result<Figures> {
    let direct = Running::start_with(lab, &Limit, |_, stamps| {
        let mut command = Limit::once(lab, tasks, 1, stamps);
        command.stdout(File::create(log_of(&tasks.each(lab, stamps)))?);
        Ok(command)
    })?;
    let direct = speed(lab, &direct)?;
    let piped = |to_file: bool| {
        let running = Running::start_with(lab, &Limit, |_, stamps| {
            let each = tasks.each(lab, stamps);
            let to = if to_file { log_of(&each) } else { Path::new("/dev/null") };
            let mut command = Command::new("/bin/sh");
            command.arg("-c").arg(format!("{} | cat > {}", each[0].command.join(" "), to.display()));
            command.stdout(Stdio::null());
            Ok(command)
        })?;
        speed(lab, &running)
    };
    let rotated = piped(true)?;
    Ok(vec![
        ("output-file", direct),
        ("output-rotated", rotated),
        ("output-stamped", rotated),
        ("output-unread", piped(false)?),
    ])
}

fn ours_of(lab: &Lab, ours: &Ours, tasks: &Tasks) -> io::Result<Figures> {
    let speed_with = |members: Value| {
        let running = Running::start_with(lab, ours, |folder, stamps| {
            let script = with(Ours::script(&tasks.each(lab, stamps)[0]), members);
            Ours::command(lab, folder, &json!({ "scripts": [script] }), &[])
        })?;
        speed(lab, &running)
    };
    Ok(vec![
        ("output-file", speed_with(json!({}))?),
        ("output-rotated", speed_with(json!({ "rotate": { "max-size": "100G", "keep": 1 } }))?),
        ("output-stamped", speed_with(json!({ "timestamps": true }))?),
        ("output-unread", speed_with(json!({ "stdout": null }))?),
    ])
}

fn log_of(tasks: &[Task]) -> &Path {
    tasks[0].log.as_deref().expect("the output of these tasks is kept")
}

/// How fast the task wrote, in millions of bytes a second.
fn speed(lab: &Lab, running: &Running) -> io::Result<f64> {
    let mut written = None;
    clock::wait(PATIENCE, || {
        written =
            running.stamps.all().ok().and_then(|all| all.first().copied()).filter(|stamp| stamp.end != 0);
        written.is_some()
    });
    let stamp = written.ok_or_else(|| io::Error::other(format!("not written in {PATIENCE:?}")))?;
    Ok((lab.scale.output << 20) as f64 * 1e3 / (stamp.end - stamp.start) as f64)
}
