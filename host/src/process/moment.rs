//! Moments that processes of one machine can tell each other: an `Instant` means nothing elsewhere.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// What the clock says now that all processes share and that nobody sets.
pub fn monotonic() -> Duration {
    // It begins with the system, and so is never negative.
    clock_gettime(ClockId::Monotonic).try_into().unwrap_or_default()
}
