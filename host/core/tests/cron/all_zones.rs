//! Every change of every bundled zone.

use crate::random::Random;
use crate::times::{rules, second, ticks, wall, zone};
use bansuri_core::Cron;
use jiff::civil::{DateTime, Time};
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

const DAY: i64 = 86_400;

/// When a civil time has its run, by trying every offset and, if none does, every change.
fn by_definition(
    zone: &TimeZone,
    civil: DateTime,
    offsets: &BTreeSet<Offset>,
    changes: &[i64],
) -> Option<i64> {
    let instants = offsets.iter().filter_map(|offset| offset.to_timestamp(civil).ok());
    let exact = instants.filter(|at| zone.to_datetime(*at) == civil).min();
    if let Some(exact) = exact {
        return Some(exact.as_second());
    }
    let local = |at: i64| zone.to_datetime(Timestamp::from_second(at).unwrap());
    changes.iter().copied().find(|change| local(change - 1) < civil && civil < local(*change))
}

#[test]
#[ignore = "takes minutes in a debug build: cargo test --release -p bansuri-core --test cron all_zones -- --ignored --nocapture"]
fn every_change_of_every_zone_is_by_definition() {
    let mut random = Random::new(71);
    let (begin, end) = (-3_500_000_000, 2_900_000_000);
    let (mut checked, mut changed) = (0, 0);
    let names: Vec<String> = TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect();
    assert!(names.len() > 500, "{} zones", names.len());
    for name in names {
        let rules = rules(&name);
        let from = Timestamp::from_second(begin).unwrap();
        let all: Vec<_> =
            rules.following(from).take_while(|change| change.timestamp().as_second() < end).collect();
        let changes: Vec<i64> = all.iter().map(|change| change.timestamp().as_second()).collect();
        let offsets: BTreeSet<Offset> =
            all.iter().map(|change| change.offset()).chain([rules.to_offset(from)]).collect();
        for change in &changes {
            changed += 1;
            let (after, until) = (change - 2 * DAY, change + 2 * DAY);
            for _ in 0..3 {
                let minutes: BTreeSet<i64> = (0..3).map(|_| random.between(0, 59)).collect();
                let hours: BTreeSet<i64> = (0..12).map(|_| random.between(0, 23)).collect();
                let list = |set: &BTreeSet<i64>| set.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
                let text = format!("{} {} * * *", list(&minutes), list(&hours));
                let cron = Cron::parse(&text, zone(&name)).unwrap();
                let first = rules.to_datetime(Timestamp::from_second(after - 2 * DAY).unwrap()).date();
                let times = hours.iter().flat_map(|hour| minutes.iter().map(move |minute| (*hour, *minute)));
                let times: Vec<Time> =
                    times.map(|(hour, minute)| jiff::civil::time(hour as i8, minute as i8, 0, 0)).collect();
                let expect: BTreeSet<i64> = (0..9)
                    .map(|days| first + SignedDuration::from_hours(24 * days))
                    .flat_map(|date| times.iter().map(move |time| date.to_datetime(*time)))
                    .filter_map(|civil| by_definition(&rules, civil, &offsets, &changes))
                    .filter(|at| (after + 1..=until).contains(at))
                    .collect();
                let found: Vec<i64> =
                    ticks(&cron, wall(after), wall(until)).into_iter().map(second).collect();
                assert_eq!(found, expect.into_iter().collect::<Vec<_>>(), "{text} in {name} about {change}");
                checked += found.len();
            }
        }
    }
    println!("{changed} changes, {checked} ticks");
}
