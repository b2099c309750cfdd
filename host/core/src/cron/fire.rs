//! When a pattern of civil times fires in a zone.

use super::pattern::Pattern;
use super::{Rule, Zone};
use crate::time::Wall;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
/// No offset is as wide, to either side.
const WIDEST_OFFSET: SignedDuration = SignedDuration::from_hours(26);
const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// The first time after `after`.
pub(super) fn next_after(pattern: &Pattern, rule: Rule, zone: &Zone, after: Wall) -> Option<Wall> {
    let after = whole_second(after)?;
    let next = match rule {
        Rule::Elapsed => next_elapsed(pattern, zone.rules(), after),
        Rule::Civil => next_civil(pattern, zone.rules(), after),
    };
    wall(next?)
}

/// The last time at or before `until`.
pub(super) fn last_at_or_before(pattern: &Pattern, rule: Rule, zone: &Zone, until: Wall) -> Option<Wall> {
    let until = whole_second(until)?;
    let last = match rule {
        Rule::Elapsed => last_elapsed(pattern, zone.rules(), until),
        Rule::Civil => last_civil(pattern, zone.rules(), until),
    };
    wall(last?)
}

/// From one change of the offset to the next civil time flows evenly, and each such stretch is searched by itself.
fn next_elapsed(pattern: &Pattern, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let mut from = after.checked_add(SECOND).ok()?;
    loop {
        let offset = zone.to_offset(from);
        let next = offset.to_timestamp(pattern.next(offset.to_datetime(from))?).ok()?;
        match zone.following(from).next() {
            Some(change) if change.timestamp() <= next => from = change.timestamp(),
            Some(_) | None => return Some(next),
        }
    }
}

fn last_elapsed(pattern: &Pattern, zone: &TimeZone, until: Timestamp) -> Option<Timestamp> {
    let mut until = until;
    loop {
        let offset = zone.to_offset(until);
        let last = offset.to_timestamp(pattern.previous(offset.to_datetime(until))?).ok()?;
        match last_change(zone, last, until) {
            Some(change) => until = change.checked_sub(SECOND).ok()?,
            None => return Some(last),
        }
    }
}

/// A civil time has its run when the zone's clocks first show it or, behind a gap, a later one.
fn next_civil(pattern: &Pattern, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    first_at_or_past(zone, pattern.next(latest_shown(zone, after)?.checked_add(SECOND).ok()?)?)
}

fn last_civil(pattern: &Pattern, zone: &TimeZone, until: Timestamp) -> Option<Timestamp> {
    first_at_or_past(zone, pattern.previous(latest_shown(zone, until)?)?)
}

/// The latest civil time that the zone's clocks have shown at some time up to `now`: later than that of `now` in the
/// second pass of an overlap.
fn latest_shown(zone: &TimeZone, now: Timestamp) -> Option<DateTime> {
    let mut latest = zone.to_datetime(now);
    let changes = zone.following(now.checked_sub(WIDEST_OFFSET * 2).ok()?);
    for change in changes.map(|change| change.timestamp()).take_while(|change| *change <= now) {
        latest = latest.max(zone.to_datetime(change.checked_sub(SECOND).ok()?));
    }
    Some(latest)
}

/// The first instant at which the zone's clocks show this civil time or a later one.
///
/// Not asked of jiff's `to_ambiguous_timestamp`, which applies the zone's rule for years to come to civil times before
/// its table of changes ends, and tells of overlaps that never were (America/Nuuk on 2023-10-28 at 23:30).
fn first_at_or_past(zone: &TimeZone, civil: DateTime) -> Option<Timestamp> {
    let mut from = Offset::UTC.to_timestamp(civil).ok()?.checked_sub(WIDEST_OFFSET).ok()?;
    loop {
        // Before `from` where a change has just skipped it.
        let at = zone.to_offset(from).to_timestamp(civil).ok()?.max(from);
        match zone.following(from).next() {
            Some(change) if change.timestamp() <= at => from = change.timestamp(),
            Some(_) | None => return Some(at),
        }
    }
}

/// The last change of the zone after `after` and not after `until`.
///
/// Not asked of jiff's `preceding`, which is at fault like `to_ambiguous_timestamp` (it tells of a change of
/// America/Ciudad_Juarez on 2022-11-06 when asked from 2022-12-01).
fn last_change(zone: &TimeZone, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
    let last_since = |from| {
        let changes = zone.following(from).map(|change| change.timestamp());
        changes.take_while(|change| *change <= until).last()
    };
    zone.following(after).next().filter(|change| change.timestamp() <= until)?;
    // Most zones change every year, and `after` may be decades ago.
    let year_ago = until.checked_sub(SignedDuration::from_hours(366 * 24)).ok()?;
    last_since(year_ago).or_else(|| last_since(after))
}

/// Rounded down: before 1970 too.
fn whole_second(wall: Wall) -> Option<Timestamp> {
    Timestamp::from_second(wall.as_nanos().div_euclid(NANOS_PER_SECOND)).ok()
}

/// `None` outside of what [`Wall`] can tell.
fn wall(timestamp: Timestamp) -> Option<Wall> {
    timestamp.as_second().checked_mul(NANOS_PER_SECOND).map(Wall::from_nanos)
}
