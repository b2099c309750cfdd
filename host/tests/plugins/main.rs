//! Real plugin libraries, good and bad, in one process: whatever they do, it lives.

mod files;
mod logs;
mod notifiers;
mod references;
mod support;
mod tasks;
