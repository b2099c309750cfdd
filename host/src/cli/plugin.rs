//! `bansuri plugin …`: what a library exports, what there is, and how one begins.

mod crate_name;
mod list;
mod new;

use super::args::{Format, PluginCommand};
use crate::exit_code;
use crate::plugin::{Export, ExportKind, Manifest, Registry};
use crate::process::OWN_BINARY;
use std::fmt::Write;
use std::path::Path;

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
    let folder = std::env::current_dir().unwrap_or_else(|_| Path::new("/").to_owned());
    let library = match registry.find(library, &folder) {
        Ok(library) => library,
        Err(error) => {
            eprintln!("bansuri: {error}");
            return exit_code::INVALID;
        }
    };
    let text = match format {
        Format::Human => describe(&library),
        Format::Json => describe_json(&library),
    };
    print!("{text}");
    exit_code::FINE
}

fn describe(library: &Manifest) -> String {
    let mut text = format!("{}\nbansuri-plugin-api {}\n", library.path().display(), library.api_version());
    section(&mut text, "Tasks", library, ExportKind::Task);
    section(&mut text, "Notifiers", library, ExportKind::Notifier);
    text
}

fn of_kind(library: &Manifest, kind: ExportKind) -> Vec<&Export> {
    library.exports().iter().filter(|export| export.kind == kind).collect()
}

fn section(text: &mut String, title: &str, library: &Manifest, kind: ExportKind) {
    let exports = of_kind(library, kind);
    if exports.is_empty() {
        return;
    }
    let width = exports.iter().map(|export| export.name.chars().count()).max().unwrap_or(0);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "\n{title}:");
    for export in exports {
        let line = format!("  {:width$}  {}", export.name, export.description);
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

fn describe_json(library: &Manifest) -> String {
    let list = |exports: Vec<&Export>| -> serde_json::Value {
        exports.iter().map(|e| serde_json::json!({ "name": e.name, "description": e.description })).collect()
    };
    let value = serde_json::json!({
        "library": library.path(),
        "api_version": library.api_version(),
        "tasks": list(of_kind(library, ExportKind::Task)),
        "notifiers": list(of_kind(library, ExportKind::Notifier)),
    });
    format!("{value:#}\n")
}
