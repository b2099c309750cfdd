//! Log files that tasks share.

use super::findings::{Findings, Subject, quoted};
use crate::launch::{ErrorSink, Launch, Sink};
use jsonc_parser::common::Range;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Reports `rotate` on a file that another task writes to as well: one of them would go on writing to the old file.
/// `rotates` holds the place of the key, task by task.
pub(super) fn check(launches: &[Arc<Launch>], rotates: &[Option<Range>], findings: &mut Findings<'_>) {
    if rotates.iter().all(Option::is_none) {
        return;
    }
    let mut writers: HashMap<&Path, Vec<usize>> = HashMap::new();
    for (task, launch) in launches.iter().enumerate() {
        for file in files(launch) {
            writers.entry(file).or_default().push(task);
        }
    }
    for (task, rotate) in rotates.iter().enumerate() {
        let Some(span) = rotate else { continue };
        for file in files(&launches[task]) {
            if let Some(other) = writers[file].iter().find(|other| **other != task) {
                let subject = Subject::Task(launches[task].name.as_str());
                let message = format!(
                    "{subject}rotate cannot apply: the task {} writes to {} too",
                    quoted(launches[*other].name.as_str()),
                    quoted(&file.to_string_lossy())
                );
                let help = Some("give each task a file of its own".to_owned());
                findings.error("conflict", *span, message, help);
            }
        }
    }
}

fn files(launch: &Launch) -> impl Iterator<Item = &Path> {
    let stderr = match &launch.stderr {
        ErrorSink::Separate(sink) => file(sink),
        ErrorSink::Combined => None,
    };
    file(&launch.stdout).into_iter().chain(stderr)
}

fn file(sink: &Sink) -> Option<&Path> {
    match sink {
        Sink::File(path) => Some(path),
        Sink::Tail | Sink::Ignore | Sink::Inherit => None,
    }
}
