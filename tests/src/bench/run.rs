//! A whole benchmark: everybody's turns, and the result.

use super::lab::Lab;
use super::machine;
use super::measurement::{Measurement, Subject};
use super::measurements;
use super::options::Options;
use super::report::Report;
use super::scale::Scale;
use super::supervisor::Supervisor;
use super::supervisors::{self, Ours};
use super::table;
use crate::build;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

/// Runs the benchmark that is asked for and prints its table.
pub fn run(options: &Options) -> io::Result<()> {
    let peers = if options.no_peers { Vec::new() } else { supervisors::installed(&options.peers) };
    let chosen = chosen(&options.names)?;
    if options.list {
        chosen.iter().for_each(|measurement| println!("{}", measurement.name));
        peers.iter().for_each(|peer| println!("beside {}", peer.name()));
        return Ok(());
    }
    let machine = machine::describe();
    let artifacts = match &options.artifacts {
        Some(folder) => std::path::absolute(folder)?,
        None => build::only(&["bansuri", "misbehaving"]),
    };
    let scale = options.scale();
    let lab = Lab::new(scale, &artifacts)?;
    let ours = Ours::new(&lab);
    let names: Vec<&str> = peers.iter().map(|peer| peer.name()).collect();
    let versions: BTreeMap<&str, String> = std::iter::once(&ours as &dyn Supervisor)
        .chain(peers.iter().map(|peer| &**peer))
        .filter_map(|supervisor| Some((supervisor.name(), supervisor.version()?)))
        .collect();

    let mut report = Report::default();
    for measurement in chosen {
        report.open(measurement);
        take_turns(&lab, measurement, &ours, &peers, &mut report);
        // After each, so that one that is interrupted was not for nothing.
        if let Some(file) = &options.json {
            std::fs::write(
                file,
                serde_json::to_vec_pretty(&report.to_json(scale.name, &machine, &versions))?,
            )?;
        }
    }
    println!("{}", table::markdown(&report, &names));
    println!("{machine}\n{versions:?}");
    Ok(())
}

/// The memory of the host in this folder when it has no tasks, in KiB: its own, and its part of what is shared.
pub fn memory_without_tasks(artifacts: &Path) -> io::Result<f64> {
    let lab = Lab::new(Scale::QUICK, artifacts)?;
    measurements::memory_without_tasks(&lab, &Subject::Ours(&Ours::new(&lab)))
}

fn chosen(names: &[String]) -> io::Result<Vec<&'static Measurement>> {
    let begins = |measurement: &Measurement, name: &String| measurement.name.starts_with(name.as_str());
    if let Some(unknown) = names.iter().find(|name| !measurements::ALL.iter().any(|m| begins(m, name))) {
        let all: Vec<&str> = measurements::ALL.iter().map(|measurement| measurement.name).collect();
        return Err(io::Error::other(format!("measurement {unknown:?}: expected one of {}", all.join(", "))));
    }
    let is_chosen =
        |measurement: &&Measurement| names.is_empty() || names.iter().any(|name| begins(measurement, name));
    Ok(measurements::ALL.iter().filter(is_chosen).collect())
}

/// The limit, the host, the others; and again. One that fails is told of, and has no more turns.
fn take_turns(
    lab: &Lab,
    measurement: &'static Measurement,
    ours: &Ours,
    peers: &[Box<dyn Supervisor>],
    report: &mut Report,
) {
    let Scale { rounds, peer_rounds, .. } = lab.scale;
    let mut failed = BTreeSet::new();
    for round in 0..rounds.min(measurement.rounds) {
        let others = peers.iter().filter(|_| round < peer_rounds).map(|peer| Subject::Peer(&**peer));
        for subject in [Subject::Limit, Subject::Ours(ours)].into_iter().chain(others) {
            let name = subject.supervisor().name();
            if failed.contains(name) {
                continue;
            }
            eprintln!("{}, round {}: {name}", measurement.name, round + 1);
            match (measurement.round)(lab, &subject) {
                Ok(figures) => report.add(name, figures),
                Err(error) => {
                    eprintln!("{}: {name}: {error}", measurement.name);
                    failed.insert(name);
                }
            }
        }
    }
}
