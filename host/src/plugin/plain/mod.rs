//! Plugins by the plain C interface of `plugin-api/include/bansuri_plugin.h`. What the header promises about lifetimes
//! and threads is kept here.

mod buffer;
mod context;
mod descriptor;
mod exports;
mod failure;
mod instance;
mod log;
mod raw;
mod text;

pub(super) use exports::{PlainExports, find};
pub(super) use instance::{PlainNotifier, PlainTask};
