//! What a call costs.

use crate::times::{at, cron};
use std::hint::black_box;
use std::time::{Duration, Instant};

#[test]
#[ignore = "measures: run with cargo test --release -p bansuri-core --test cron cost -- --ignored --nocapture"]
fn a_call_takes_microseconds() {
    const CALLS: u32 = 10_000;
    let mut slow = Vec::new();
    for zone_name in ["UTC", "America/New_York"] {
        for text in [
            "*/5 * * * *",
            "0 3 * * *",
            "0 9-17 * * MON-FRI",
            "0 0 1 * *",
            "*/10 * * * * *",
            "0 0 29 2 *",
            "0 0 29 2 *,MON#5",
            "*/5 * 29 2 *",
            "0 0 */28 2 FRI#5",
            "* * */28 2 FRI#5",
        ] {
            let cron = cron(text, zone_name);
            let begin = at("2026-05-01 12:34", zone_name);
            let mut now = begin;
            let started = Instant::now();
            for _ in 0..CALLS {
                now = black_box(cron.next_after(black_box(now))).unwrap_or(begin);
            }
            let forwards = started.elapsed() / CALLS;
            let started = Instant::now();
            for _ in 0..CALLS {
                black_box(cron.last_at_or_before(black_box(begin)));
            }
            let backwards = started.elapsed() / CALLS;
            println!("{text:20} {zone_name:20} next {forwards:>10.1?}  last {backwards:>10.1?}");
            if forwards.max(backwards) > Duration::from_micros(200) {
                slow.push(text);
            }
        }
    }
    assert!(slow.is_empty(), "{slow:?}");
}
