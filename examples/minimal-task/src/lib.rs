//! The smallest useful task plugin: it fails when a folder holds more files than it should.
//!
//! `"no-interface": true, "command": "minimal-task", "options": { "folder": "spool", "at-most": 100 }`
#![forbid(unsafe_code)]

use bansuri_plugin_api::{Task, TaskConfig, TaskContext, TaskError, export_plugin};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{fs, io::Write, path::PathBuf};

/// The options in `scripts.json` are the fields of the task.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct FileCount {
    /// The folder whose files are counted; a relative one lies in the working directory.
    folder: PathBuf,
    /// How many files are still good.
    at_most: usize,
}

impl Task for FileCount {
    fn new(config: &TaskConfig) -> Result<Self, TaskError> {
        Ok(config.options()?) // A wrong option fails the run with the name of the field.
    }

    fn run(&self, context: &TaskContext) -> Result<i32, TaskError> {
        // The process is the host's: relative paths are the task's only through its working directory.
        let folder = context.working_directory().join(&self.folder);
        let count = fs::read_dir(&folder)?.count();
        log::debug!("attempt {} looked at {}", context.attempt(), folder.display()); // In the host's log.
        writeln!(context.stdout(), "{count} files in {}", folder.display())?; // The task's output.
        Ok(if count > self.at_most { 1 } else { 0 }) // The exit code: 1 is a failure.
    }

    fn description() -> &'static str {
        "fails when a folder holds more files than it should"
    }

    fn options_schema() -> Option<String> {
        // With it `bansuri check` finds a wrong option before any run, and `plugin inspect` tells of all of them.
        Some(schemars::schema_for!(Self).to_value().to_string())
    }
}

export_plugin! { tasks: [FileCount] }
