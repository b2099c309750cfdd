//! The host: everything around the core. `cli` starts it, `driver` owns it; see ARCHITECTURE.md.

pub mod config;
pub mod launch;
pub mod notify;
pub mod plugin;
pub mod process;
pub mod runner;
pub mod timestamp;
