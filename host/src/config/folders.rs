//! Folders that runs need.

use super::findings::{Findings, Shown};
use super::keys::Key;
use super::settings::Settings;
use super::task::Surroundings;
use crate::launch::{ErrorSink, Sink};
use jsonc_parser::common::Ranged;
use std::path::Path;

/// Warns of a working directory and of folders of log files that are not there. Not an error: what comes before a run
/// may make them.
pub(super) fn check(
    settings: &Settings<'_>,
    working_directory: &Path,
    stdout: &Sink,
    stderr: &ErrorSink,
    surroundings: &mut Surroundings<'_>,
    findings: &mut Findings<'_>,
) {
    let mut look = |key: Key, folder: &Path, what: &str| {
        if let Some(written) = settings.stated(key)
            && let Some(problem) = surroundings.machine.folder_problem(folder)
        {
            let subject = settings.owner(key);
            let message = format!("{subject}{} {}: {what}{problem}", written.path, Shown(written.value));
            findings.shared_warning(subject, "folder", written.value.range(), message);
        }
    };
    look(Key::WorkingDirectory, working_directory, "");
    let mut look_around = |key: Key, sink: &Sink| {
        if let Sink::File(file) = sink
            && let Some(folder) = file.parent()
            && folder != working_directory
        {
            look(key, folder, "its folder: ");
        }
    };
    look_around(Key::Stdout, stdout);
    if let ErrorSink::Separate(sink) = stderr {
        look_around(Key::Stderr, sink);
    }
}
