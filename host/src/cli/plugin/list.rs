//! `bansuri plugin list`: the libraries that bare names find, and what is wrong with them.

use crate::cli::args::{Format, ListPluginsArgs, fail};
use crate::cli::usual;
use crate::config;
use crate::exit_code;
use crate::plugin::{ExportKind, InstalledLibrary, Manifest, PluginError, Registry, SearchPath};
use crate::process::OWN_BINARY;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::path::Path;
use std::sync::Arc;

/// A library that was found, and what came of trying it in a child process.
struct Listed {
    found: InstalledLibrary,
    tried: Result<Arc<Manifest>, String>,
}

/// Lists what lies on the search path; nothing of it is loaded here. 0: done, whatever is wrong with a library; 3: the
/// configuration cannot be read.
pub(super) fn list(args: &ListPluginsArgs) -> i32 {
    let file = usual::configuration(args.config.as_deref());
    let configured = match file.map(config::load_search_paths) {
        Some(Ok(folders)) => folders,
        Some(Err(report)) => {
            eprint!("{}", report.render(io::stderr().is_terminal()));
            return exit_code::INVALID;
        }
        None => Vec::new(),
    };
    let search_path = SearchPath::of_process();
    let folder = usual::folder(file);
    let installed = search_path.installed(&folder, &configured);
    for (folder, why) in &installed.unreadable {
        eprintln!("bansuri: folder {folder:?}: {why}");
    }
    if installed.libraries.is_empty() {
        eprintln!("bansuri: no library lies on the search path");
    }
    let registry = Registry::with_search_path(search_path).with_probe(OWN_BINARY.into());
    let listed: Vec<Listed> =
        installed.libraries.into_iter().map(|found| Listed::of(found, &registry)).collect();
    let text = match args.format {
        Format::Human => describe(&listed),
        Format::Json => describe_json(&listed),
    };
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => exit_code::FINE,
        Err(error) => fail(format_args!("the list cannot be written: {error}")),
    }
}

impl Listed {
    fn of(found: InstalledLibrary, registry: &Registry) -> Self {
        // An absolute path starts nowhere else.
        let tried = registry.find(&found.path.to_string_lossy(), Path::new("/"));
        let tried = tried.map_err(|error| match error {
            // Without the path, which is said beside it.
            PluginError::Load { problem, .. } => problem.to_string(),
            other => other.to_string(),
        });
        Self { found, tried }
    }
}

/// A line for each library, and below it one for each type or for what is wrong.
fn describe(listed: &[Listed]) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for Listed { found, tried } in listed {
        let version =
            tried.as_ref().map_or_else(|_| String::new(), |it| format!(" (plugin-api {})", it.api_version()));
        let _ = writeln!(text, "{}{version}: {}", found.name, found.path.display());
        if let Some(other) = &found.shadowed_by {
            let _ = writeln!(text, "  not found by its name: {} comes first", other.display());
        }
        match tried {
            Ok(library) => {
                for export in library.exports() {
                    let line = format!("  {} {}  {}", export.kind, export.name, export.description);
                    let _ = writeln!(text, "{}", line.trim_end());
                }
            }
            Err(fault) => {
                let _ = writeln!(text, "  fault: {fault}");
            }
        }
    }
    text
}

fn describe_json(listed: &[Listed]) -> String {
    let list: Value = listed
        .iter()
        .map(|Listed { found, tried }| {
            let library = tried.as_ref().ok();
            let types = |kind| -> Value {
                let exports = library.iter().flat_map(|library| library.exports());
                let of_kind = exports.filter(|export| export.kind == kind);
                of_kind.map(|it| json!({ "name": it.name, "description": it.description })).collect()
            };
            json!({
                "name": found.name,
                "library": found.path,
                "shadowed_by": found.shadowed_by,
                "api_version": library.map(|library| library.api_version()),
                "tasks": types(ExportKind::Task),
                "notifiers": types(ExportKind::Notifier),
                "fault": tried.as_ref().err(),
            })
        })
        .collect();
    format!("{list:#}\n")
}
