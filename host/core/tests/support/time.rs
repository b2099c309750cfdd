//! Time in tests: both clocks run alike.

use bansuri_core::{Mono, Now, Wall};

/// Civil time is this far ahead of the other clock in tests.
const EPOCH: u64 = 1_700_000_000_000_000_000;

/// The time this many nanoseconds after the start of a test, on both clocks.
pub(crate) fn now(nanos: u64) -> Now {
    Now { mono: Mono::from_nanos(nanos), wall: at(nanos) }
}

/// The same, in civil time.
fn at(nanos: u64) -> Wall {
    Wall::from_nanos((EPOCH + nanos) as i64)
}

/// The point on the other clock.
pub(super) fn mono_of(wall: Wall) -> Mono {
    Mono::from_nanos(wall.as_nanos() as u64 - EPOCH)
}
