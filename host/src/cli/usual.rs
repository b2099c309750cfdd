//! Which configuration a subcommand means that can do without, and where relative paths start then.

use std::path::{Path, PathBuf};

/// The file that was asked for, or else scripts.json, if there is one.
pub(super) fn configuration(asked_for: Option<&Path>) -> Option<&Path> {
    let usual = Path::new("scripts.json");
    asked_for.or_else(|| usual.exists().then_some(usual))
}

/// The folder of the file, absolute, as for a host that reads it; without a file the current one.
pub(super) fn folder(file: Option<&Path>) -> PathBuf {
    let beside = file.and_then(|file| Some(std::path::absolute(file).ok()?.parent()?.to_owned()));
    beside.or_else(|| std::env::current_dir().ok()).unwrap_or_else(|| Path::new("/").to_owned())
}
