//! Time in tests: both clocks run alike, but for what was done to that on the wall.

use bansuri_core::{Mono, Now, Wall};

/// Civil time is this far ahead of the other clock in tests.
const EPOCH: u64 = 1_700_000_000_000_000_000;

/// The time this many nanoseconds after the start of a test, on both clocks.
pub(crate) fn now(nanos: u64) -> Now {
    shifted(nanos, 0)
}

/// The same, where the clock on the wall was set forwards by so many nanoseconds (or backwards).
pub(crate) fn shifted(nanos: u64, shift: i64) -> Now {
    let wall = Wall::from_nanos((EPOCH + nanos) as i64 + shift);
    Now { mono: Mono::from_nanos(nanos), wall }
}

/// The point on the other clock, as both stand now.
pub(super) fn mono_of(wall: Wall, now: Now) -> Mono {
    let ahead = wall.as_nanos() - now.wall.as_nanos();
    Mono::from_nanos(now.mono.as_nanos().checked_add_signed(ahead).expect("after the start of the test"))
}
