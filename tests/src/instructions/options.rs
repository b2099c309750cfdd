//! What is asked for.

use clap::{Parser, Subcommand};

/// Counts the instructions of fixed scenarios and compares them with tests/instructions.txt.
///
/// Exit codes: 0 as kept, 1 a count differs by more than 2 %, 2 they could not be counted. Needs valgrind, and is for a
/// release build.
#[derive(Parser, Debug)]
#[command(name = "instructions")]
pub struct Options {
    /// Write the counts to tests/instructions.txt instead of comparing them
    #[arg(long)]
    pub(super) update: bool,
    #[command(subcommand)]
    pub(super) scenario: Option<Scenario>,
}

/// By this the program runs itself under valgrind.
#[derive(Subcommand, Clone, Copy, Debug)]
pub(super) enum Scenario {
    /// A day of so many cron tasks
    #[command(hide = true)]
    Crons { tasks: usize },
    /// So many runs among so many tasks with timers
    #[command(hide = true)]
    Timers { tasks: usize, runs: usize },
}

impl Options {
    /// Those of the command line.
    pub fn of_command_line() -> Self {
        Self::parse()
    }
}
