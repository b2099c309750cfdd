//! A task plugin that fails when a file system runs out of space or inodes. See README.md for its options.
#![forbid(unsafe_code)]

mod limit;
mod options;
mod question;
mod room;
mod task;
mod verdict;

use bansuri_plugin_api::export_plugin;

pub use task::DiskSpace;

export_plugin! { tasks: [DiskSpace] }
