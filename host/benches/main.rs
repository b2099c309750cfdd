//! What happens on every event, and how it grows with the number of tasks: `cargo bench -p bansuri`. One program, so that
//! it is linked once.

#![allow(missing_docs, reason = "a benchmark is its own description")]

mod config;
mod core;
mod cron;
mod plugin;

fn main() {
    divan::main();
}
