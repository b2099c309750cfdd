//! Telling people: notifiers, the queue before them and the message.

mod failure;

pub use failure::{Failure, Notifier};
