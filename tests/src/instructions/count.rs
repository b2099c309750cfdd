//! What is counted.

use super::comparison::{AMONG_FEW, AMONG_MANY};
use super::figures::Figures;
use crate::build;
use crate::callgrind::{instructions, of_check};
use std::collections::BTreeMap;
use std::error::Error;
use std::process::Command;

/// Runs that are counted of tasks with timers.
const RUNS: u64 = 20_000;

/// Counts all scenarios.
pub(super) fn count() -> Result<Figures, Box<dyn Error>> {
    let own = std::env::current_exe()?;
    let mut counts = BTreeMap::new();
    counts.insert("a day of 1,000 cron tasks".into(), instructions(&own, &["crons", "1000"])?);
    for (name, tasks) in [(AMONG_FEW, "100"), (AMONG_MANY, "100000")] {
        let timers = |runs: u64| instructions(&own, &["timers", tasks, &runs.to_string()]);
        // Less what setting up takes.
        counts.insert(name.into(), timers(RUNS)?.saturating_sub(timers(0)?) / RUNS);
    }
    let host = build::only(&["bansuri"]).join("bansuri");
    counts.insert("a check of 10,000 tasks".into(), of_check(&host, 10_000)?);
    Ok(Figures { compiler: compiler()?, counts })
}

fn compiler() -> Result<String, Box<dyn Error>> {
    let rustc = Command::new("rustc").arg("--version").output()?;
    Ok(String::from_utf8_lossy(&rustc.stdout).trim().to_owned())
}
