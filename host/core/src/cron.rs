//! Cron expressions: when they fire.
//!
//! The fields are matched in civil time, and the zone says when that is. croner is what the tests compare with and not
//! what is used here: a pattern of it is some 5 KiB (a byte for each year up to 5000) where a plan may hold ten
//! thousand, its messages name bit positions, it drops empty list items silently, and it cannot apply the rules of
//! [`Cron`] for days and clock changes to lists.

mod days;
mod field;
mod fire;
mod pattern;
mod syntax;
mod zone;

pub use zone::Zone;

use crate::time::Wall;
use pattern::Pattern;
use std::fmt;
use std::sync::Arc;

/// A cron expression in a time zone that fires at some time.
///
/// **Fields**: minute, hour, day of month, month, day of week; with six, seconds first. A field is a list of numbers and
/// ranges with or without a step (`1,5-10,20-40/5,*/15`; `5/15` goes on to the field's end); months and weekdays have
/// names (`JAN`, `MON-FRI`), 0 and 7 are both Sunday. Besides: `L` as day of month is its last day, `5#2` as day of week
/// the second Friday, `5L` (or `5#L`) the last one, and `?` as a day field is `*`.
///
/// **Days**: where both day fields are set, a day fits when either fits. One that begins with `*` counts as not set, and
/// must fit as well: `0 0 */2 * MON` fires on Mondays with an odd date, as in vixie cron.
///
/// **Clock changes**: where the minute or the hour begins with `*`, the expression follows elapsed time: it fires at every
/// instant whose civil time fits, twice in an overlap, and makes nothing up for a gap. Every other expression is a set
/// of civil times that fire once each: one that a gap skips fires at the end of the gap (several fold into one), one
/// that an overlap repeats fires the first time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cron {
    text: Arc<str>,
    zone: Zone,
    pattern: Pattern,
    rule: Rule,
}

/// What a change of the zone's offset means to an expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Rule {
    /// Every instant whose civil time fits.
    Elapsed,
    /// Every civil time that fits, once.
    Civil,
}

/// Why a text is no cron expression, as a lowercase fragment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CronError(String);

impl fmt::Display for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CronError {}

impl Cron {
    /// Five fields, six with seconds first, or a macro such as `@daily` (not `@reboot`, which is no time).
    ///
    /// # Errors
    ///
    /// The text is no such expression, or one that no date fits (30 February).
    pub fn parse(text: &str, zone: Zone) -> Result<Self, CronError> {
        let (pattern, rule) = syntax::parse(text)?;
        Ok(Self { text: text.into(), zone, pattern, rule })
    }

    /// The same expression in this zone.
    #[must_use]
    pub fn in_zone(&self, zone: Zone) -> Self {
        Self { zone, ..self.clone() }
    }

    /// The expression as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The zone whose civil time it is in.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Whether it follows elapsed time, as one does whose minute or hour begins with `*`.
    pub(crate) fn is_interval_like(&self) -> bool {
        self.rule == Rule::Elapsed
    }

    /// The first time strictly after `after` at which it fires, a whole second; `None`: never again (before the end of [`Wall`]).
    pub fn next_after(&self, after: Wall) -> Option<Wall> {
        fire::next_after(&self.pattern, self.rule, &self.zone, after)
    }

    /// The last time at or before `until` at which it fires, a whole second; `None`: never (since the beginning of [`Wall`]).
    ///
    /// Costs as little as [`next_after`](Self::next_after), however long ago that was.
    pub fn last_at_or_before(&self, until: Wall) -> Option<Wall> {
        fire::last_at_or_before(&self.pattern, self.rule, &self.zone, until)
    }
}
