//! A notifier plugin that mails failures. See README.md for its options.
#![forbid(unsafe_code)]

mod address;
mod body;
mod delivery;
mod email;
mod fault;
mod message;
mod options;
mod password;
mod route;
mod session;
mod subject;

use bansuri_plugin_api::export_plugin;

pub use email::Email;

export_plugin! { notifiers: [Email] }
