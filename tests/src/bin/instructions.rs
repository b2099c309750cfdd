//! Instruction counts: `cargo run --release -p bansuri-tests --bin instructions -- --help`.

use bansuri_tests::instructions::{Options, Outcome, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(&Options::of_command_line()) {
        Ok(Outcome::Same) => ExitCode::SUCCESS,
        Ok(Outcome::Differs) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("instructions: {error}");
            ExitCode::from(2)
        }
    }
}
