//! What the tests of plugins share: the real host that runs a plugin as its user would, a type's schema held against the
//! same type as a reader, and the README held against both.
//!
//! It knows no plugin: a plugin is found by its name, as a host finds it, so that a test links none but its own.
#![forbid(unsafe_code)]

mod host;
mod readme;
mod schema;
mod values;

pub use host::{Ran, notify, only_export, run_task};
pub use readme::{documented, example};
pub use schema::{agree, agree_on_options, beyond_schema, option_names, read};
pub use values::{HEADERS, SPANS, URLS, Values};
