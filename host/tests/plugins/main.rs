//! Real plugin libraries, good and bad, in one process: whatever they do, it lives.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod builds;
mod files;
mod logs;
mod notifiers;
mod plain;
mod plain_exports;
mod references;
mod support;
mod tasks;
