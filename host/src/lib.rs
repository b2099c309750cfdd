//! The host: everything around the core. `cli` starts it, `driver` owns it; see ARCHITECTURE.md.

pub mod cli;
pub mod clock;
pub mod clock_watch;
pub mod config;
pub mod driver;
pub mod envfile;
pub mod events;
pub mod exit_code;
pub mod launch;
pub mod logger;
pub mod notify;
pub mod plugin;
pub mod process;
pub mod records;
pub mod runner;
pub mod shared;
pub mod signals;
pub mod state_dir;
pub mod tail;
pub mod ticks;
pub mod wire;
