//! A notifier plugin that posts failures to a web hook. See README.md for its options.
#![forbid(unsafe_code)]

mod cut;
mod delivery;
mod format;
mod options;
mod retry;
mod signature;
mod webhook;

use bansuri_plugin_api::export_plugin;

pub use webhook::Webhook;

export_plugin! { notifiers: [Webhook] }
