//! The smallest useful notifier plugin: it appends a line to a file for every failure.
//!
//! `"notifiers": { "journal": { "plugin": "minimal-notifier", "options": { "path": "/var/log/failures" } } }`
#![forbid(unsafe_code)]

use bansuri_plugin_api::{FailureInfo, Notifier, NotifierConfig, NotifyError, export_plugin};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{fs::OpenOptions, io::Write, path::PathBuf};

/// The options in `scripts.json` are the fields of the notifier.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Journal {
    /// The file that gets the lines; a relative one lies in the working directory of the task that failed.
    path: PathBuf,
}

impl Notifier for Journal {
    fn new(config: &NotifierConfig) -> Result<Self, NotifyError> {
        Ok(config.options()?) // A wrong option is an error that names the field.
    }

    fn notify(&self, failure: &FailureInfo) -> Result<(), NotifyError> {
        // The process is the host's: a relative path means something only beside a folder of the task's.
        let path = failure.working_directory().join(&self.path);
        let mut file = OpenOptions::new().append(true).create(true).open(path)?;
        let line = format!("{} {}: {}\n", failure.run_id(), failure.outcome(), failure.reason());
        Ok(file.write_all(line.as_bytes())?) // `?` takes any error; the host logs it.
    }

    fn description() -> &'static str {
        "appends a line to a file for every failure"
    }

    fn options_schema() -> Option<String> {
        // With it `bansuri check` finds a wrong option, and `plugin inspect` tells of all of them.
        Some(schemars::schema_for!(Self).to_value().to_string())
    }
}

export_plugin! { notifiers: [Journal] }
