//! Which civil times fit, and the next and the previous of them.

use super::days::Days;
use jiff::civil::{Date, DateTime, Time};

/// The years that are searched: [`Wall`](crate::Wall) reaches from 1677 to 2262, and no zone is a year off.
const YEARS: std::ops::RangeInclusive<i16> = 1676..=2263;

/// The fields of an expression; in each mask bit n is the value n, and at least one of its field is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pattern {
    pub(super) seconds: u64,
    pub(super) minutes: u64,
    pub(super) hours: u64,
    pub(super) days: Days,
    pub(super) months: u64,
}

impl Pattern {
    /// The first civil time that fits, at or after `from`, in whole seconds.
    pub(super) fn next(&self, from: DateTime) -> Option<DateTime> {
        let date = self.next_date(from.date())?;
        if date == from.date()
            && let Some(time) = self.next_time(from.time())
        {
            return Some(date.to_datetime(time));
        }
        let date = if date == from.date() { self.next_date(date.tomorrow().ok()?)? } else { date };
        Some(date.to_datetime(self.first_time()))
    }

    /// The last civil time that fits, at or before `until`, in whole seconds.
    pub(super) fn previous(&self, until: DateTime) -> Option<DateTime> {
        let date = self.previous_date(until.date())?;
        if date == until.date()
            && let Some(time) = self.previous_time(until.time())
        {
            return Some(date.to_datetime(time));
        }
        let date = if date == until.date() { self.previous_date(date.yesterday().ok()?)? } else { date };
        Some(date.to_datetime(self.last_time()))
    }

    /// Whether any date fits. Dates and weekdays repeat after 400 years.
    pub(super) fn fits_any_date(&self) -> bool {
        (2000..2400)
            .flat_map(|year| (1..=12).map(move |month| Date::constant(year, month, 1)))
            .any(|first| self.dates_of(first) != 0)
    }

    fn next_date(&self, from: Date) -> Option<Date> {
        let mut first = from.first_of_month();
        let mut open = u32::MAX << bit(from.day());
        while first.year() <= *YEARS.end() {
            let days = self.dates_of(first) & open;
            if days != 0 {
                return date_of(first, days.trailing_zeros());
            }
            open = u32::MAX;
            first = match first.month() {
                12 => Date::new(first.year() + 1, 1, 1).ok()?,
                month => Date::new(first.year(), month + 1, 1).ok()?,
            };
        }
        None
    }

    fn previous_date(&self, until: Date) -> Option<Date> {
        let mut first = until.first_of_month();
        let mut open = u32::MAX >> (31 - bit(until.day()));
        while first.year() >= *YEARS.start() {
            let days = self.dates_of(first) & open;
            if days != 0 {
                return date_of(first, days.ilog2());
            }
            open = u32::MAX;
            first = match first.month() {
                1 => Date::new(first.year() - 1, 12, 1).ok()?,
                month => Date::new(first.year(), month - 1, 1).ok()?,
            };
        }
        None
    }

    /// The days that fit of the month that begins with `first`.
    fn dates_of(&self, first: Date) -> u32 {
        if has(self.months, first.month()) { self.days.in_month(first) } else { 0 }
    }

    fn next_time(&self, from: Time) -> Option<Time> {
        let (hour, minute, second) = (bit(from.hour()), bit(from.minute()), bit(from.second()));
        if has(self.hours, from.hour()) {
            if has(self.minutes, from.minute())
                && let Some(second) = at_or_above(self.seconds, second)
            {
                return time_of(hour, minute, second);
            }
            if let Some(minute) = at_or_above(self.minutes, minute + 1) {
                return time_of(hour, minute, lowest(self.seconds));
            }
        }
        let hour = at_or_above(self.hours, hour + 1)?;
        time_of(hour, lowest(self.minutes), lowest(self.seconds))
    }

    fn previous_time(&self, until: Time) -> Option<Time> {
        let (hour, minute, second) = (bit(until.hour()), bit(until.minute()), bit(until.second()));
        if has(self.hours, until.hour()) {
            if has(self.minutes, until.minute())
                && let Some(second) = below(self.seconds, second + 1)
            {
                return time_of(hour, minute, second);
            }
            if let Some(minute) = below(self.minutes, minute) {
                return time_of(hour, minute, highest(self.seconds));
            }
        }
        let hour = below(self.hours, hour)?;
        time_of(hour, highest(self.minutes), highest(self.seconds))
    }

    fn first_time(&self) -> Time {
        time_of(lowest(self.hours), lowest(self.minutes), lowest(self.seconds))
            .expect("the fields of a time hold values of a time alone")
    }

    fn last_time(&self) -> Time {
        time_of(highest(self.hours), highest(self.minutes), highest(self.seconds))
            .expect("the fields of a time hold values of a time alone")
    }
}

fn bit(value: i8) -> u32 {
    u32::from(value.unsigned_abs())
}

fn has(mask: u64, value: i8) -> bool {
    mask >> bit(value) & 1 == 1
}

fn lowest(mask: u64) -> u32 {
    mask.trailing_zeros()
}

fn highest(mask: u64) -> u32 {
    mask.checked_ilog2().unwrap_or(0)
}

/// The lowest value of at least `least`, which is at most 60.
fn at_or_above(mask: u64, least: u32) -> Option<u32> {
    let rest = mask & (u64::MAX << least);
    (rest != 0).then(|| lowest(rest))
}

/// The highest value below `limit`, which is at most 60.
fn below(mask: u64, limit: u32) -> Option<u32> {
    (mask & ((1 << limit) - 1)).checked_ilog2()
}

fn time_of(hour: u32, minute: u32, second: u32) -> Option<Time> {
    let part = |value: u32| i8::try_from(value).ok();
    Time::new(part(hour)?, part(minute)?, part(second)?, 0).ok()
}

fn date_of(first: Date, day: u32) -> Option<Date> {
    Date::new(first.year(), first.month(), i8::try_from(day).ok()?).ok()
}
