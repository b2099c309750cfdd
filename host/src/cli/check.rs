//! `bansuri check`: every finding of a configuration, and whether it can be used.

use super::args::{CheckArgs, Format};
use super::catalog::RegistryCatalog;
use crate::config::{self, Severity};
use crate::exit_code;
use crate::plugin::Registry;
use std::io::{IsTerminal, Write};

/// Checks the file and writes what was found. 0: it can be used; 3: it cannot.
pub(super) fn check(args: &CheckArgs) -> i32 {
    let registry = Registry::new();
    let report = config::load(&args.file.config, &mut RegistryCatalog(&registry), config::Options { strict: args.strict });
    let findings = report.findings();
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    match args.format {
        Format::Json => {
            if writeln!(std::io::stdout(), "{}", config::render_json(findings)).is_err() {
                return exit_code::FAILED;
            }
        }
        Format::Human => {
            eprint!("{}", config::render_human(findings, report.source(), std::io::stderr().is_terminal()));
            match report.configuration() {
                Some(configuration) => {
                    let tasks = configuration.launches.len();
                    let s = if tasks == 1 { "" } else { "s" };
                    println!("{}: fine ({tasks} task{s})", args.file.config.display());
                }
                None => {
                    let s = if errors == 1 { "" } else { "s" };
                    eprintln!("{}: {errors} error{s}", args.file.config.display());
                }
            }
        }
    }
    if errors == 0 { exit_code::FINE } else { exit_code::INVALID }
}
