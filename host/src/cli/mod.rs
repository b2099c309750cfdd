//! The command line: one file a subcommand.

mod args;
mod catalog;
mod check;
mod plugin;
mod run;

pub use args::main;
