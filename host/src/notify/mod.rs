//! Telling people: notifiers, the queue before them and the message.

mod failure;
mod plugin;

pub use failure::{Failure, Notifier};
pub use plugin::PluginNotifier;
