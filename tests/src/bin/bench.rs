//! The macro benchmark: `cargo run --release -p bansuri-tests --bin bench -- --help`.

use bansuri_tests::bench::{Options, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(&Options::of_command_line()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
