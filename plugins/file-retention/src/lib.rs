//! A task plugin that removes old backups and logs. See README.md for its options.
#![forbid(unsafe_code)]

mod folder;
mod options;
mod pattern;
mod plan;
mod report;
mod scan;
mod sweep;
mod task;

use bansuri_plugin_api::export_plugin;

pub use task::FileRetention;

export_plugin! { tasks: [FileRetention] }
