//! The command line: one file a subcommand.

mod args;
mod catalog;
mod check;
mod exec_helper;
mod plugin;
mod run;

pub use args::main;
