//! What must hold for any expression, shown by searching every minute.

use crate::expression::Expression;
use crate::random::Random;
use crate::times::{cron, second, ticks, wall, zone};
use bansuri_core::{Cron, Wall};
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

const DAY: i64 = 86_400;

/// Every minute of a stretch of time with its civil time.
fn minutes(zone_name: &str, from: i64, to: i64) -> Vec<(i64, DateTime)> {
    let rules = crate::times::rules(zone_name);
    (from.div_euclid(60)..to.div_euclid(60))
        .map(|minute| minute * 60)
        .map(|second| (second, rules.to_datetime(Timestamp::from_second(second).unwrap())))
        .collect()
}

/// When each civil time of a stretch has its run, from its minutes alone.
fn runs(minutes: &[(i64, DateTime)]) -> BTreeMap<DateTime, i64> {
    let mut first_at = BTreeMap::new();
    for pair in minutes.windows(2) {
        let [(at, civil), (next_at, next)] = pair else { unreachable!("windows of two") };
        first_at.entry(*civil).or_insert(*at);
        // What lies between two minutes that follow each other was skipped.
        let mut skipped = civil.checked_add(SignedDuration::from_mins(1)).unwrap();
        while skipped < *next {
            first_at.entry(skipped).or_insert(*next_at);
            skipped = skipped.checked_add(SignedDuration::from_mins(1)).unwrap();
        }
    }
    first_at
}

/// The ticks of a stretch, found by trying all of it.
fn searched(
    expression: &Expression,
    minutes: &[(i64, DateTime)],
    runs: &BTreeMap<DateTime, i64>,
) -> Vec<i64> {
    let ticks: BTreeSet<i64> = if expression.follows_elapsed_time() {
        minutes.iter().filter(|(_, civil)| expression.fits(*civil)).map(|(at, _)| *at).collect()
    } else {
        runs.iter().filter(|(civil, _)| expression.fits(**civil)).map(|(_, at)| *at).collect()
    };
    ticks.into_iter().collect()
}

fn parsed(expression: &Expression, zone_name: &str) -> Option<Cron> {
    let cron = Cron::parse(&expression.text(), zone(zone_name));
    if let Err(error) = &cron {
        assert!(error.to_string().starts_with("it can never fire"), "{}: {error}", expression.text());
    }
    cron.ok()
}

#[test]
fn around_every_change_of_the_clock_the_ticks_are_those_of_a_search() {
    const ZONES: [(&str, i16); 16] = [
        ("America/New_York", 2026),
        ("Europe/Berlin", 2026),
        ("Australia/Lord_Howe", 2026),
        ("America/Santiago", 2026),
        ("Africa/Cairo", 2026),
        ("Pacific/Apia", 2011),
        ("Africa/Casablanca", 2026),
        ("America/Havana", 2026),
        ("Europe/Dublin", 2150),
        ("Antarctica/Troll", 2026),
        ("Europe/Lisbon", 1992),
        ("Asia/Kolkata", 2026),
        ("America/Caracas", 2016),
        ("Asia/Pyongyang", 2018),
        // Where the data's table of changes ends, jiff's own answers are wrong.
        ("America/Nuuk", 2023),
        ("America/Ciudad_Juarez", 2022),
    ];
    let mut random = Random::new(41);
    for (zone_name, year) in ZONES {
        let from = jiff::civil::date(year, 1, 1).to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
        let rules = crate::times::rules(zone_name);
        let mut changes: Vec<i64> =
            rules.following(from).take(3).map(|change| change.timestamp().as_second()).collect();
        if changes.is_empty() {
            changes.push(from.as_second());
        }
        for change in changes {
            let minutes = minutes(zone_name, change - 3 * DAY, change + 4 * DAY);
            let runs = runs(&minutes);
            for _ in 0..30 {
                let mut expression = Expression::random(&mut random, false);
                if random.one_in(2) {
                    // Otherwise most of them have no tick in these days.
                    expression.month.set = (1..=12).collect();
                    expression.month.text = "*".to_owned();
                }
                let Some(cron) = parsed(&expression, zone_name) else { continue };
                // The search does not know what a gap or an overlap at its ends has on the other side.
                let expect = searched(&expression, &minutes, &runs);
                for (after, until) in [
                    (change - 2 * DAY, change + 3 * DAY),
                    (change - DAY, change),
                    (change, change + DAY),
                    (change + 1_200, change + DAY),
                ] {
                    let expect: Vec<i64> =
                        expect.iter().copied().filter(|at| (after + 1..=until).contains(at)).collect();
                    let found: Vec<i64> =
                        ticks(&cron, wall(after), wall(until)).into_iter().map(second).collect();
                    assert_eq!(found, expect, "{} in {zone_name} about {change}", cron.text());
                }
            }
        }
    }
}

#[test]
fn nothing_that_fits_lies_between_a_time_and_the_next_tick() {
    let mut random = Random::new(42);
    for round in 0..3_000 {
        let expression = Expression::random(&mut random, round % 3 == 0);
        let Some(cron) = parsed(&expression, "UTC") else { continue };
        let after = random.between(-2_000_000_000, 6_000_000_000);
        let next = second(cron.next_after(wall(after)).unwrap());
        assert!(next > after);
        let civil =
            |at: i64| Timestamp::from_second(at).unwrap().to_zoned(jiff::tz::TimeZone::UTC).datetime();
        assert!(expression.fits(civil(next)), "{} at {}", cron.text(), civil(next));
        let mut at = after + 1;
        while at < next {
            let now = civil(at);
            if !expression.fits_date(now.date()) {
                at = at - at.rem_euclid(DAY) + DAY;
                continue;
            }
            assert!(!expression.fits(now), "{} fits {now}, before {}", cron.text(), civil(next));
            at = if expression.seconds.is_some() && expression.minute.set.contains(&now.minute()) {
                at + 1
            } else {
                at - at.rem_euclid(60) + 60
            };
        }
    }
}

#[test]
fn backwards_is_the_inverse_of_forwards() {
    let mut random = Random::new(43);
    let zones = ["America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "UTC"];
    for round in 0..3_000_usize {
        let expression = Expression::random(&mut random, round % 2 == 0);
        let Some(cron) = parsed(&expression, zones[round % zones.len()]) else { continue };
        let now = Wall::from_nanos(
            random.between(0, 4_000_000_000) * 1_000_000_000 + random.between(0, 999_999_999),
        );
        let next = cron.next_after(now).unwrap();
        assert_eq!(cron.last_at_or_before(next), Some(next), "{}", cron.text());
        let before = cron.last_at_or_before(Wall::from_nanos(next.as_nanos() - 1));
        assert!(before.is_none_or(|before| before <= now), "{}: {before:?}, {now:?}", cron.text());
        if let Some(before) = before {
            assert_eq!(cron.next_after(before), Some(next), "{}", cron.text());
        }
    }
}

#[test]
fn civil_times_fire_once_for_each_day_that_fits() {
    for zone_name in
        ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo"]
    {
        for text in ["0 0 * * *", "30 1 * * *", "30 2 * * *", "15 23 * * *", "59 59 1 * * *"] {
            let from = crate::times::at("2020-01-01 12:00", zone_name);
            let to = crate::times::at("2030-01-01 12:00", zone_name);
            let found = ticks(&cron(text, zone_name), from, to);
            let dates: BTreeSet<String> =
                found.iter().map(|tick| crate::times::shown(*tick, zone_name)[..10].to_owned()).collect();
            assert_eq!((found.len(), dates.len()), (3_653, 3_653), "{text} in {zone_name}");
        }
    }
}

#[test]
fn a_time_inside_a_second_is_before_the_next_one() {
    let cron = cron("* * * * * *", "UTC");
    let check = |after, expect| {
        assert_eq!(cron.next_after(Wall::from_nanos(after)), Some(Wall::from_nanos(expect)), "{after}");
    };
    check(0, 1_000_000_000);
    check(-1, 0);
    check(999_999_999, 1_000_000_000);
    check(1_000_000_000, 2_000_000_000);
    check(-1_000_000_001, -1_000_000_000);
    assert_eq!(cron.last_at_or_before(Wall::from_nanos(-1)), Some(wall(-1)));
    assert_eq!(cron.last_at_or_before(Wall::from_nanos(1_999_999_999)), Some(wall(1)));
}

#[test]
fn the_ends_of_time_are_no_surprise() {
    let mut random = Random::new(44);
    let zones = ["UTC", "Pacific/Apia", "America/New_York", "Europe/Dublin", "Pacific/Niue"];
    for round in 0..4_000_usize {
        let expression = Expression::random(&mut random, round % 2 == 0);
        let Some(cron) = parsed(&expression, zones[round % zones.len()]) else { continue };
        let far = random.between(0, 100_000_000_000_000_000);
        for now in [i64::MIN, i64::MIN + far, i64::MAX - far, i64::MAX, far, -far] {
            let now = Wall::from_nanos(now);
            assert!(cron.next_after(now).is_none_or(|next| next > now), "{}", cron.text());
            assert!(cron.last_at_or_before(now).is_none_or(|last| last <= now), "{}", cron.text());
        }
    }
    let every_second = cron("* * * * * *", "Pacific/Apia");
    let end = Wall::from_nanos(i64::MAX / 1_000_000_000 * 1_000_000_000);
    assert_eq!(every_second.next_after(Wall::from_nanos(end.as_nanos() - 1)), Some(end));
    assert_eq!(every_second.next_after(end), None);
    assert_eq!(every_second.next_after(Wall::from_nanos(i64::MAX)), None);
    assert_eq!(every_second.last_at_or_before(Wall::from_nanos(i64::MAX)), Some(end));
    assert_eq!(every_second.last_at_or_before(Wall::from_nanos(i64::MIN)), None);
    let begin = Wall::from_nanos(i64::MIN / 1_000_000_000 * 1_000_000_000);
    assert_eq!(every_second.next_after(Wall::from_nanos(i64::MIN)), Some(begin));
    assert_eq!(every_second.last_at_or_before(begin), Some(begin));
    assert_eq!(cron("0 0 29 2 *", "UTC").next_after(crate::times::at("2260-03-01 00:00", "UTC")), None);
}
