//! The whole of it: counting, and comparing or keeping.

use super::comparison::Comparison;
use super::count::count;
use super::figures::Figures;
use super::options::{Options, Scenario};
use super::scenarios::{crons, timers};
use crate::{callgrind, workspace};
use std::error::Error;
use std::path::PathBuf;

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The counts are those that are kept, or are now.
    Same,
    /// They differ.
    Differs,
}

/// Does what is asked for.
///
/// # Errors
/// Why nothing could be counted or kept.
pub fn run(options: &Options) -> Result<Outcome, Box<dyn Error>> {
    match options.scenario {
        Some(Scenario::Crons { tasks }) => println!("{} runs", crons(tasks)),
        Some(Scenario::Timers { tasks, runs }) => println!("{} runs", timers(tasks, runs)),
        None => {
            callgrind::find()?;
            if cfg!(debug_assertions) {
                return Err(
                    "this is a debug build, and the figures are of a release build: cargo run --release …"
                        .into(),
                );
            }
            let now = count()?;
            if !options.update {
                return compare(&now);
            }
            std::fs::write(file(), now.to_text())?;
            print!("{}", now.to_text());
        }
    }
    Ok(Outcome::Same)
}

fn compare(now: &Figures) -> Result<Outcome, Box<dyn Error>> {
    let path = file();
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let kept = Figures::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let comparison = Comparison::new(&kept, now);
    print!("{comparison}");
    Ok(if comparison.is_same() && comparison.is_flat() { Outcome::Same } else { Outcome::Differs })
}

fn file() -> PathBuf {
    workspace().join("tests/instructions.txt")
}
