//! Telling people: notifiers, the queue before them and the message.

mod calls;
mod command;
mod exchange;
mod failure;
mod isolated;
mod message;
mod plugin;
mod pool;
mod queue;
mod recorded;
mod words;

pub use command::{COMMAND_LIMIT, CommandNotifier};
pub use failure::{Failure, Notifier, host_name};
pub use isolated::IsolatedNotifier;
pub use message::text;
pub use plugin::PluginNotifier;
pub use pool::Notifications;
pub use queue::{NotificationDone, PendingFailure, Recipient, WAITING_LIMIT};
