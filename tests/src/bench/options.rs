//! What the benchmark is asked for.

use super::scale::Scale;
use clap::Parser;
use std::path::PathBuf;

/// Measures what the host costs, beside the least a supervisor can cost and beside other supervisors that are installed.
#[derive(Parser, Debug)]
#[command(name = "bench")]
pub struct Options {
    /// Only these measurements, by the beginning of their names [default: all; see --list]
    #[arg(value_name = "NAME")]
    pub(super) names: Vec<String>,
    /// Fewer rounds of less, for figures to work with
    #[arg(long)]
    pub(super) quick: bool,
    /// Only see whether everything works
    #[arg(long, conflicts_with = "quick", hide = true)]
    pub(super) smoke: bool,
    /// Name the measurements, and the supervisors that are found
    #[arg(long)]
    pub(super) list: bool,
    /// Write the result to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Where other supervisors are looked for before PATH: folders, each with its bin/ and node_modules/.bin/
    #[arg(long, value_name = "DIR", value_delimiter = ',')]
    pub(super) peers: Vec<PathBuf>,
    /// Measure the host and the limit alone
    #[arg(long)]
    pub(super) no_peers: bool,
    /// The folder of the host's binary and the library with the plugin [default: they are built, in the profile of the
    /// benchmark]
    #[arg(long, value_name = "DIR")]
    pub(super) artifacts: Option<PathBuf>,
}

impl Options {
    /// Those of the command line.
    pub fn of_command_line() -> Self {
        Self::parse()
    }

    pub(super) fn scale(&self) -> Scale {
        match (self.quick, self.smoke) {
            (_, true) => Scale::SMOKE,
            (true, false) => Scale::QUICK,
            (false, false) => Scale::FULL,
        }
    }
}
