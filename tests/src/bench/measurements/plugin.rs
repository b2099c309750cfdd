//! What one run of a plugin that does nothing costs, from the end of one run to the end of the next: on a thread beside a
//! bare new thread, and in a process beside a bare new process, which is dynamically linked as the host is.

use crate::bench::clock;
use crate::bench::figures::Figures;
use crate::bench::lab::Lab;
use crate::bench::measurement::{Measurement, Row, Subject, Target};
use crate::bench::observe;
use crate::bench::running::{PATIENCE, Running};
use crate::bench::supervisors::{Ours, with};
use serde_json::json;
use std::io;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;

/// Runs on a thread for one in a process.
const THREADS: usize = 20;

pub(super) const PLUGIN: Measurement = Measurement {
    name: "plugin",
    rows: &[
        Row {
            key: "plugin-thread",
            what: "a run of a plugin on a thread (limit: a new thread)",
            unit: "µs",
            target: Target::TimesLimit(1.2),
        },
        Row {
            key: "plugin-process",
            what: "… in a process (limit: `/bin/true`)",
            unit: "µs",
            target: Target::TimesLimit(2.5),
        },
    ],
    rounds: usize::MAX,
    round,
};

fn round(lab: &Lab, subject: &Subject) -> io::Result<Figures> {
    let runs = lab.scale.events;
    match subject {
        Subject::Limit => {
            Ok(vec![("plugin-thread", threads(runs * THREADS)?), ("plugin-process", processes(runs)?)])
        }
        Subject::Ours(ours) => {
            let mut figures = vec![("plugin-thread", of_plugin(lab, ours, "thread", runs * THREADS)?)];
            match of_plugin(lab, ours, "process", runs) {
                Ok(figure) => figures.push(("plugin-process", figure)),
                Err(error) => eprintln!("plugin: in a process: {error}"),
            }
            Ok(figures)
        }
        Subject::Peer(_) => Ok(vec![]),
    }
}

/// A thread that says that it is done, the next when that is heard.
fn threads(runs: usize) -> io::Result<f64> {
    let (done, ends) = channel();
    let began = clock::now();
    for _ in 0..runs {
        let done = done.clone();
        std::thread::Builder::new().spawn(move || done.send(()))?;
        ends.recv().map_err(io::Error::other)?;
    }
    Ok(each(clock::now() - began, runs))
}

/// A process, the next when it has ended.
fn processes(runs: usize) -> io::Result<f64> {
    let began = clock::now();
    for _ in 0..runs {
        let status = Command::new("/bin/true").stdin(Stdio::null()).status()?;
        if !status.success() {
            return Err(io::Error::other(format!("/bin/true ended with {status}")));
        }
    }
    Ok(each(clock::now() - began, runs))
}

/// A host that lives for so many runs beside one that lives for one.
fn of_plugin(lab: &Lab, ours: &Ours, isolation: &str, runs: usize) -> io::Result<f64> {
    let life = |runs: usize| {
        // All runs on threads succeed but the last, so that none has to be told of; a process knows of no other.
        let ends = match isolation {
            "process" => json!({ "on-fail": "restart", "max-attempts": runs, "options": { "code": 1 } }),
            _ => json!({ "service": true, "max-attempts": 1, "options": { "code": 1, "after": runs - 1 } }),
        };
        let mut running = Running::start_with(lab, ours, |folder, _| {
            let script = json!({
                "name": "nothing", "no-interface": true, "command": "misbehaving:Exits",
                "isolation": isolation, "stdout": "ignore", "restart-delay": "0s",
            });
            let scripts = json!({ "scripts": [with(script, ends)] });
            Ours::command(lab, folder, &scripts, &["--exit-when-done"])
        })?;
        if !observe::ended(running.child.id(), PATIENCE)? {
            return Err(io::Error::other(format!("not ended in {PATIENCE:?}")));
        }
        let took = clock::now() - running.started;
        match running.child.wait()? {
            // Its task has failed, as it was to.
            status if status.code() == Some(1) => Ok(took),
            status => Err(io::Error::other(format!("the host ended with {status}"))),
        }
    };
    let short = life(1)?;
    Ok(each(life(runs + 1)?.saturating_sub(short), runs))
}

/// In microseconds.
fn each(nanoseconds: u64, runs: usize) -> f64 {
    nanoseconds as f64 / 1e3 / runs as f64
}
