//! Which days of a month fit.

use jiff::civil::Date;

/// The two day fields of an expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Days {
    pub(super) of_month: DaysOfMonth,
    pub(super) of_week: DaysOfWeek,
    pub(super) join: Join,
}

/// How the two day fields work together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Join {
    /// A day fits when it fits one of them.
    Either,
    /// A day fits when it fits both: one of them begins with `*` and so counts as not set.
    Both,
}

/// The day of month field.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct DaysOfMonth {
    /// Bit d: day d.
    pub(super) days: u32,
    /// The last day, whichever it is.
    pub(super) last: bool,
}

/// The day of week field. In each mask bit 0 is Sunday, bit 6 Saturday.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct DaysOfWeek {
    /// Every such day.
    pub(super) every: u8,
    /// The first, second … fifth such day of the month.
    pub(super) nth: [u8; 5],
    /// The last such day of the month.
    pub(super) last: u8,
}

impl Days {
    /// The days that fit of the month that begins with `first`; bit d is day d.
    pub(super) fn in_month(&self, first: Date) -> u32 {
        let length = u32::from(first.days_in_month().unsigned_abs());
        let sunday_based = u32::from(first.weekday().to_sunday_zero_offset().unsigned_abs());
        let of_month = self.of_month.in_month(length);
        let of_week = self.of_week.in_month(length, sunday_based);
        match self.join {
            Join::Either => of_month | of_week,
            Join::Both => of_month & of_week,
        }
    }
}

impl DaysOfMonth {
    fn in_month(self, length: u32) -> u32 {
        let last = if self.last { 1 << length } else { 0 };
        (self.days | last) & up_to(length)
    }
}

impl DaysOfWeek {
    /// `first`: the weekday of the first of the month, 0 for Sunday.
    fn in_month(&self, length: u32, first: u32) -> u32 {
        // The weekdays from the first of the month on, as days 1 to 7.
        let first_seven = |weekdays: u8| {
            let weekdays = u32::from(weekdays);
            ((weekdays >> first | weekdays << (7 - first)) & 0x7f) << 1
        };
        let weekly = |weekdays: u8| (0..5).fold(0, |days, week| days | first_seven(weekdays) << (7 * week));
        let mut days = weekly(self.every);
        for (week, weekdays) in (0..).zip(self.nth) {
            days |= first_seven(weekdays) << (7 * week);
        }
        days |= weekly(self.last) & !up_to(length - 7);
        days & up_to(length)
    }
}

/// Days 1 to `day`.
fn up_to(day: u32) -> u32 {
    // 2 << 31 is no u32, and wraps to 0 as it should.
    2_u32.checked_shl(day).unwrap_or(0).wrapping_sub(2)
}
