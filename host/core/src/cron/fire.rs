//! When a pattern of civil times fires in a zone.

use super::pattern::Pattern;
use super::{Rule, Zone};
use crate::time::Wall;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
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
        // The changes before a time leave out one at that very time.
        match zone.preceding(until.checked_add(SECOND).ok()?).next() {
            Some(change) if last < change.timestamp() => {
                until = change.timestamp().checked_sub(SECOND).ok()?
            }
            Some(_) | None => return Some(last),
        }
    }
}

/// The later of two civil times never has its instant before the earlier's, so the first whose instant is late enough
/// is the one. Civil times up to that of `after` have theirs by then.
fn next_civil(pattern: &Pattern, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let mut from = zone.to_datetime(after).checked_add(SECOND).ok()?;
    loop {
        let civil = pattern.next(from)?;
        let occurrence = Occurrence::of(zone, civil)?;
        if occurrence.at > after {
            return Some(occurrence.at);
        }
        // `after` is in the second pass of an overlap, whose civil times have all had their instants in the first.
        from = civil.checked_add(SECOND).ok()?.max(occurrence.overlap_end.unwrap_or(civil));
    }
}

fn last_civil(pattern: &Pattern, zone: &TimeZone, until: Timestamp) -> Option<Timestamp> {
    let civil = zone.to_datetime(until);
    // In the second pass of an overlap all of its civil times are past, later ones too.
    let latest = match Occurrence::of(zone, civil)? {
        Occurrence { at, overlap_end: Some(end) } if at < until => end.checked_sub(SECOND).ok()?,
        Occurrence { .. } => civil,
    };
    Some(Occurrence::of(zone, pattern.previous(latest)?)?.at)
}

/// When a civil time has its run.
struct Occurrence {
    at: Timestamp,
    /// Where the civil time is one of an overlap: the first civil time after it.
    overlap_end: Option<DateTime>,
}

impl Occurrence {
    fn of(zone: &TimeZone, civil: DateTime) -> Option<Self> {
        match zone.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => {
                Some(Self { at: offset.to_timestamp(civil).ok()?, overlap_end: None })
            }
            AmbiguousOffset::Gap { after, .. } => {
                // By the later offset the civil time would be before the change.
                let at = change_to(zone, after, after.to_timestamp(civil).ok()?)?;
                Some(Self { at, overlap_end: None })
            }
            AmbiguousOffset::Fold { before, after } => {
                let at = before.to_timestamp(civil).ok()?;
                let change = change_to(zone, after, at)?;
                Some(Self { at, overlap_end: Some(before.to_datetime(change)) })
            }
        }
    }
}

/// The first change to this offset after `from`. Changes of the name alone are no changes.
fn change_to(zone: &TimeZone, offset: Offset, from: Timestamp) -> Option<Timestamp> {
    zone.following(from).find(|change| change.offset() == offset).map(|change| change.timestamp())
}

/// Rounded down: before 1970 too.
fn whole_second(wall: Wall) -> Option<Timestamp> {
    Timestamp::from_second(wall.as_nanos().div_euclid(NANOS_PER_SECOND)).ok()
}

/// `None` outside of what [`Wall`] can tell.
fn wall(timestamp: Timestamp) -> Option<Wall> {
    timestamp.as_second().checked_mul(NANOS_PER_SECOND).map(Wall::from_nanos)
}
