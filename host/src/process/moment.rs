//! Moments that processes of one machine can tell each other: an `Instant` means nothing elsewhere.

use std::time::Duration;

/// What the clock says now that all processes share and that nobody sets.
pub fn monotonic() -> Duration {
    read(libc::CLOCK_MONOTONIC)
}

/// How long ago the system was started, whatever it slept since.
pub(super) fn since_boot() -> Duration {
    read(libc::CLOCK_BOOTTIME)
}

/// Asks the C library: rustix looks for the kernel's clock by itself, where valgrind hides it.
fn read(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live structure of the right type. Every Linux has these clocks; at worst it is zero.
    unsafe { libc::clock_gettime(clock, &mut time) };
    // Both clocks begin with the system, and so are never negative.
    let (seconds, nanoseconds) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or(0), nanoseconds.unwrap_or(0))
}
