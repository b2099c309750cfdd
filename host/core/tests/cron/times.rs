//! Times as tests write and read them.

use bansuri_core::{Cron, Wall, Zone};
use jiff::Timestamp;
use jiff::tz::TimeZone;

pub(crate) fn zone(name: &str) -> Zone {
    Zone::named(name).unwrap_or_else(|| panic!("{name} is not bundled"))
}

pub(crate) fn rules(name: &str) -> TimeZone {
    jiff::tz::TimeZoneDatabase::bundled().get(name).unwrap()
}

pub(crate) fn cron(text: &str, zone_name: &str) -> Cron {
    Cron::parse(text, zone(zone_name)).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

pub(crate) fn wall(second: i64) -> Wall {
    Wall::from_nanos(second * 1_000_000_000)
}

pub(crate) fn second(wall: Wall) -> i64 {
    assert_eq!(wall.as_nanos().rem_euclid(1_000_000_000), 0, "ticks are whole seconds");
    wall.as_nanos() / 1_000_000_000
}

/// `2026-03-08 00:00` in the zone (the later of two).
pub(crate) fn at(text: &str, zone_name: &str) -> Wall {
    let civil: jiff::civil::DateTime = text.parse().unwrap();
    let timestamp = rules(zone_name).to_ambiguous_timestamp(civil).later().unwrap();
    wall(timestamp.as_second())
}

/// `2026-03-08 03:00:00 -0400`.
pub(crate) fn shown(wall: Wall, zone_name: &str) -> String {
    let zoned = Timestamp::from_second(second(wall)).unwrap().to_zoned(rules(zone_name));
    zoned.strftime("%Y-%m-%d %H:%M:%S %z").to_string()
}

/// All ticks after `after` up to `until`, found forwards; backwards must find the same.
pub(crate) fn ticks(cron: &Cron, after: Wall, until: Wall) -> Vec<Wall> {
    let mut forwards = Vec::new();
    let mut from = after;
    while let Some(next) = cron.next_after(from).filter(|next| *next <= until) {
        assert!(next > from, "{}: {next:?} does not lie after {from:?}", cron.text());
        forwards.push(next);
        from = next;
    }
    let mut backwards = Vec::new();
    let mut from = until;
    while let Some(last) = cron.last_at_or_before(from).filter(|last| *last > after) {
        assert!(last <= from, "{}: {last:?} lies after {from:?}", cron.text());
        backwards.push(last);
        from = Wall::from_nanos(last.as_nanos() - 1);
    }
    backwards.reverse();
    let differ = forwards.iter().zip(&backwards).find(|(one, other)| one != other);
    assert_eq!(forwards.len(), backwards.len(), "{} in {:?}: {differ:?}", cron.text(), cron.zone().name());
    assert_eq!(differ, None, "{} in {:?}: forwards and backwards", cron.text(), cron.zone().name());
    forwards
}
