//! The command line: one file a subcommand.

mod args;
mod catalog;
mod check;
mod exec_helper;
mod machine;
mod plugin;
mod plugin_child;
mod probe;
mod run;
mod schema;
mod usual;

pub use args::main;
