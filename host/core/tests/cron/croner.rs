//! The same expressions asked of croner, in civil time.
//!
//! Where the two differ, and why those expressions are left out:
//!
//! - A day field that begins with `*` and goes on (`*/2`, `*,5`): croner takes it for set, so that the other day field
//!   is an alternative. Here both must fit, as in vixie cron.

use crate::expression::Expression;
use crate::random::Random;
use crate::times::{second, wall, zone};
use bansuri_core::Cron;
use jiff::Timestamp;
use jiff::tz::TimeZone;

fn differs(expression: &Expression) -> bool {
    let (month, week) = (&expression.day_of_month, &expression.day_of_week);
    let begins = |text: &str| text.starts_with('*') && text != "*";
    begins(&month.text) || begins(&week.text)
}

#[test]
fn croner_finds_the_same_times() {
    let parser = croner::parser::CronParser::new();
    let mut random = Random::new(51);
    let mut compared = 0;
    for round in 0..5_000 {
        let expression = Expression::random(&mut random, round % 3 == 0);
        let text = expression.text();
        if differs(&expression) {
            continue;
        }
        let Ok(cron) = Cron::parse(&text, zone("UTC")) else { continue };
        let peer = parser.parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let after = random.between(0, 4_000_000_000);
        let civil = Timestamp::from_second(after).unwrap().to_zoned(TimeZone::UTC).datetime();
        let expect =
            peer.find_next_occurrence(&civil, false).unwrap_or_else(|error| panic!("{text}: {error}"));
        let found = second(cron.next_after(wall(after)).unwrap());
        let found = Timestamp::from_second(found).unwrap().to_zoned(TimeZone::UTC).datetime();
        assert_eq!(found, expect, "{text} after {civil}");
        compared += 1;
    }
    assert!(compared > 3_000, "{compared} compared");
}
