//! Every change of every bundled zone.

use crate::random::Random;
use crate::times::{rules, second, ticks, wall, zone};
use bansuri_core::Cron;
use jiff::civil::{DateTime, Time};
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

const DAY: i64 = 86_400;

/// Every change of a zone in the time that is searched.
struct Changes {
    zone: TimeZone,
    at: Vec<i64>,
    offsets: BTreeSet<Offset>,
}

impl Changes {
    /// Every instant that has this civil time, by trying every offset.
    fn instants(&self, civil: DateTime) -> BTreeSet<i64> {
        let instants = self.offsets.iter().filter_map(|offset| offset.to_timestamp(civil).ok());
        instants.filter(|at| self.zone.to_datetime(*at) == civil).map(Timestamp::as_second).collect()
    }

    /// The change that skips this civil time.
    fn skipping(&self, civil: DateTime) -> Option<i64> {
        let local = |at: i64| self.zone.to_datetime(Timestamp::from_second(at).unwrap());
        self.at.iter().copied().find(|change| local(change - 1) < civil && civil < local(*change))
    }

    fn ticks(&self, civil: DateTime, follows_elapsed_time: bool) -> Vec<i64> {
        let instants = self.instants(civil);
        if follows_elapsed_time {
            return instants.into_iter().collect();
        }
        instants.first().copied().or_else(|| self.skipping(civil)).into_iter().collect()
    }
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
        let zone_rules = rules(&name);
        let from = Timestamp::from_second(begin).unwrap();
        let all: Vec<_> =
            zone_rules.following(from).take_while(|change| change.timestamp().as_second() < end).collect();
        let changes = Changes {
            at: all.iter().map(|change| change.timestamp().as_second()).collect(),
            offsets: all.iter().map(|change| change.offset()).chain([zone_rules.to_offset(from)]).collect(),
            zone: rules(&name),
        };
        for change in &changes.at {
            changed += 1;
            let (after, until) = (change - 2 * DAY, change + 2 * DAY);
            for round in 0..4 {
                let elapsed = round % 2 == 0;
                let step = random.between(7, 59);
                let minutes: BTreeSet<i64> = match elapsed {
                    true => (0..60).filter(|minute| minute % step == 0).collect(),
                    false => (0..3).map(|_| random.between(0, 59)).collect(),
                };
                let hours: BTreeSet<i64> = (0..12).map(|_| random.between(0, 23)).collect();
                let list = |set: &BTreeSet<i64>| set.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
                let minute = if elapsed { format!("*/{step}") } else { list(&minutes) };
                let text = format!("{minute} {} * * *", list(&hours));
                let cron = Cron::parse(&text, zone(&name)).unwrap();
                let first = zone_rules.to_datetime(Timestamp::from_second(after - 2 * DAY).unwrap()).date();
                let times = hours.iter().flat_map(|hour| minutes.iter().map(move |minute| (*hour, *minute)));
                let times: Vec<Time> =
                    times.map(|(hour, minute)| jiff::civil::time(hour as i8, minute as i8, 0, 0)).collect();
                let expect: BTreeSet<i64> = (0..9)
                    .map(|days| first + SignedDuration::from_hours(24 * days))
                    .flat_map(|date| times.iter().map(move |time| date.to_datetime(*time)))
                    .flat_map(|civil| changes.ticks(civil, elapsed))
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
