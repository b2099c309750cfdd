//! `bansuri check`: every finding of a configuration, and whether it can be used.

use super::args::{CheckArgs, Format, fail};
use super::catalog::RegistryCatalog;
use super::machine::ThisMachine;
use crate::config::{self, CheckOptions};
use crate::exit_code;
use crate::plugin::Registry;
use crate::process::OWN_BINARY;
use crate::state_dir::{STATE_DIR_VARIABLE, StateDir};
use std::io::{self, IsTerminal, Write};
use std::path::Path;

/// Checks the file and writes what was found. 0: it can be used; 3: it cannot.
pub(super) fn check(args: &CheckArgs) -> i32 {
    // What hosts have found is read; nothing is written, as one of them may be running.
    let state_dir = std::env::var_os(STATE_DIR_VARIABLE).filter(|folder| !folder.is_empty());
    let places = StateDir::places(state_dir.as_deref().map(Path::new), &args.file.config);
    let registry = Registry::new().with_probe(OWN_BINARY.into()).remembering(&places);
    let options = CheckOptions { strict: args.strict };
    let report = config::load(&args.file.config, &mut RegistryCatalog(&registry), &ThisMachine, options);
    let written = match args.format {
        Format::Json => writeln!(io::stdout(), "{}", config::render_json(&report.findings)),
        Format::Human => write_for_people(&args.file.config.display(), &report),
    };
    match (written, report.errors()) {
        (Err(error), _) => fail(format_args!("the findings cannot be written: {error}")),
        (Ok(()), 0) => exit_code::FINE,
        (Ok(()), _) => exit_code::INVALID,
    }
}

fn write_for_people(file: &dyn std::fmt::Display, report: &config::Report) -> io::Result<()> {
    write!(io::stderr(), "{}", report.render(io::stderr().is_terminal()))?;
    match &report.configuration {
        Some(configuration) => {
            let tasks = configuration.launches.len();
            writeln!(io::stdout(), "{file}: fine ({tasks} task{})", plural(tasks))
        }
        None => writeln!(io::stderr(), "{file}: {} error{}", report.errors(), plural(report.errors())),
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
