#![doc = include_str!("lib.md")]
// What the macros of abi_stable expand to.
#![allow(non_local_definitions, non_camel_case_types)]

#[doc(hidden)]
// The macros of abi_stable expand to casts that change nothing.
#[allow(clippy::unnecessary_cast)]
pub mod abi;
mod adapter;
mod author;
#[doc(hidden)]
pub mod export;
mod log_forwarder;
#[doc(hidden)]
pub mod paths;
mod shield;
pub mod testing;

pub use author::{
    FailureInfo, Notifier, NotifierConfig, NotifyError, OptionsError, Task, TaskConfig, TaskContext,
    TaskError, TaskOutput,
};

/// The version of this crate. A library carries the one it was built with; ABI.md says what is promised between two.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Compiles the guide's examples.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Guide;
