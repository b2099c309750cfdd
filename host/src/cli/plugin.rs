//! `bansuri plugin …`: what a library exports, what there is, and how one begins.

mod crate_name;
mod describe;
mod list;
mod new;

use super::args::{Format, PluginCommand, fail};
use super::usual;
use crate::exit_code;
use crate::plugin::Registry;
use crate::process::OWN_BINARY;
use std::io::{self, Write};

/// Runs the subcommand.
pub(super) fn plugin(command: &PluginCommand) -> i32 {
    match command {
        PluginCommand::Inspect { library, format } => inspect(library, *format),
        PluginCommand::List(args) => list::list(args),
        PluginCommand::New(args) => new::new(args),
    }
}

/// 0: done; 3: the library is no usable plugin.
fn inspect(library: &str, format: Format) -> i32 {
    let registry = Registry::new().with_probe(OWN_BINARY.into());
    let library = match registry.find(library, &usual::folder(None)) {
        Ok(library) => library,
        Err(error) => {
            eprintln!("bansuri: {error}");
            return exit_code::INVALID;
        }
    };
    let (path, api_version, exports) = (library.path(), library.api_version(), library.exports());
    let text = match format {
        Format::Human => describe::for_people(path, api_version, exports),
        Format::Json => describe::for_programs(path, api_version, exports),
    };
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => exit_code::FINE,
        Err(error) => fail(format_args!("what it exports cannot be written: {error}")),
    }
}
