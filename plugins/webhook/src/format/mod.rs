//! The bodies that services take.

mod choice;
mod discord;
mod plain;
mod slack;
mod teams;

pub(crate) use choice::Format;
