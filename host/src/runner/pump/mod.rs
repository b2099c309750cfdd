//! Logs that the host writes: those that are rotated, and those whose lines begin with their time.

mod chain;
mod gzip;
mod logs;
mod sink;
mod source;
mod stamper;
mod stream;
mod writer;

pub use logs::Logs;
pub(super) use logs::{PumpedLog, PumpedStream};
