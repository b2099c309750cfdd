//! `bansuri schema`: what editors need to complete and check scripts.json.

use super::args::fail;
use crate::{config, exit_code};
use std::io::{self, Write};

/// Writes the JSON Schema to standard output. 0: done.
pub(super) fn schema() -> i32 {
    match io::stdout().write_all(config::json_schema().as_bytes()) {
        Ok(()) => exit_code::FINE,
        Err(error) => fail(format_args!("the schema cannot be written: {error}")),
    }
}
