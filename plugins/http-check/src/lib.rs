//! A task plugin that asks an HTTP server whether it is well. See README.md for its options.
#![forbid(unsafe_code)]

mod answer;
mod options;
mod redirects;
mod statuses;
mod task;
mod verdict;

use bansuri_plugin_api::export_plugin;

pub use task::HttpCheck;

export_plugin! { tasks: [HttpCheck] }
