//! When a cron task is due next.

use bansuri_core::{Cron, Wall, Zone};
use divan::Bencher;

const EXPRESSIONS: [&str; 5] =
    ["*/5 * * * *", "30 2 * * *", "0 9 * * MON-FRI", "0 0 29 2 *", "15 30 4 L * 5#2"];

fn cron(expression: &str) -> Cron {
    let zone = Zone::named("Europe/Berlin").expect("it is a zone");
    Cron::parse(expression, zone).expect("it is an expression")
}

#[divan::bench(args = EXPRESSIONS)]
fn next_fire(bencher: Bencher<'_, '_>, expression: &str) {
    let cron = cron(expression);
    let mut at = Wall::from_nanos(1_729_857_600_000_000_000);
    // On through the years, changes of the clock included, and from the start again.
    bencher.bench_local(|| {
        at = cron.next_after(at).unwrap_or_default();
        at
    });
}

#[divan::bench(args = EXPRESSIONS)]
fn parse(bencher: Bencher<'_, '_>, expression: &str) {
    bencher.bench_local(|| cron(expression));
}
