//! `bansuri schema`: what editors need to complete and check scripts.json.

mod installed;

use super::args::{SchemaArgs, fail};
use crate::{config, exit_code};
use std::io::{self, Write};

/// Writes the JSON Schema to standard output. 0: done. Plugins that cannot be included are told of on standard error.
pub(super) fn schema(args: &SchemaArgs) -> i32 {
    let (types, mut faults) = match args.plugins {
        true => installed::types(args.config.as_deref()),
        false => Default::default(),
    };
    let (schema, of_schemas) = config::json_schema_with(&types);
    faults.extend(of_schemas);
    for fault in faults {
        eprintln!("bansuri: {fault}");
    }
    match io::stdout().write_all(schema.as_bytes()) {
        Ok(()) => exit_code::FINE,
        Err(error) => fail(format_args!("the schema cannot be written: {error}")),
    }
}
