//! From a text to a pattern.

use super::days::{Days, DaysOfMonth, DaysOfWeek, Join};
use super::field::{DAY_OF_MONTH, DAY_OF_WEEK, Field, HOUR, Item, MINUTE, MONTH, SECOND};
use super::pattern::Pattern;
use super::{CronError, Rule};

/// What a macro stands for.
const MACROS: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// The pattern of an expression, and how it takes changes of the clock.
pub(super) fn parse(text: &str) -> Result<(Pattern, Rule), CronError> {
    let text = text.trim();
    let text = if text.starts_with('@') { expand(text)? } else { text };
    // Plans of thousands of expressions are read at once: the many without other white space are split by its bytes.
    let fields: Vec<&str> = match text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        true => text.split(' ').filter(|field| !field.is_empty()).collect(),
        false => text.split_whitespace().collect(),
    };
    let (second, [minute, hour, day_of_month, month, day_of_week]) = match fields[..] {
        [minute, hour, day, month, weekday] => ("0", [minute, hour, day, month, weekday]),
        [second, minute, hour, day, month, weekday] => (second, [minute, hour, day, month, weekday]),
        _ => {
            return Err(CronError(format!(
                "found {} fields, expected 5 (minute, hour, day of month, month, day of week), or 6 with seconds first",
                fields.len()
            )));
        }
    };
    let pattern = Pattern {
        seconds: values(&SECOND, second)?,
        minutes: values(&MINUTE, minute)?,
        hours: values(&HOUR, hour)?,
        days: Days {
            of_month: days_of_month(day_of_month)?,
            of_week: days_of_week(day_of_week)?,
            join: if is_open(day_of_month) || is_open(day_of_week) { Join::Both } else { Join::Either },
        },
        months: values(&MONTH, month)?,
    };
    if !pattern.fits_any_date() {
        return Err(CronError(format!(
            "it can never fire: no year has a date that fits the day of month {day_of_month:?}, the month {month:?} and the \
             day of week {day_of_week:?}"
        )));
    }
    let rule = if minute.starts_with('*') || hour.starts_with('*') { Rule::Elapsed } else { Rule::Civil };
    Ok((pattern, rule))
}

fn expand(text: &str) -> Result<&'static str, CronError> {
    if text.eq_ignore_ascii_case("@reboot") {
        return Err(CronError(format!("{text:?} is no time, it is when the host starts")));
    }
    let found = MACROS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    found.map(|(_, fields)| *fields).ok_or_else(|| {
        let names = MACROS.map(|(name, _)| name).join(", ");
        CronError(format!("{text:?} is not one of {names}"))
    })
}

/// Whether a day field counts as not set.
fn is_open(field: &str) -> bool {
    field.starts_with('*') || field == "?"
}

/// The values of a field that has nothing but values.
fn values(field: &Field, text: &str) -> Result<u64, CronError> {
    let mut all = 0;
    field.items(text, |item| match item {
        Item::Values(values) | Item::Last(values) | Item::Nth(values, _) => all |= values,
    })?;
    Ok(all)
}

fn days_of_month(text: &str) -> Result<DaysOfMonth, CronError> {
    let mut days = DaysOfMonth::default();
    DAY_OF_MONTH.items(text, |item| match item {
        Item::Values(values) | Item::Nth(values, _) => days.days |= low_bits(values),
        Item::Last(_) => days.last = true,
    })?;
    Ok(days)
}

fn days_of_week(text: &str) -> Result<DaysOfWeek, CronError> {
    let mut days = DaysOfWeek::default();
    let weekdays = |values: u64| low_bits(values) as u8;
    DAY_OF_WEEK.items(text, |item| match item {
        Item::Values(values) => days.every |= weekdays(values),
        Item::Last(values) => days.last |= weekdays(values),
        Item::Nth(values, nth) => days.nth[usize::from(nth) - 1] |= weekdays(values),
    })?;
    Ok(days)
}

/// No day field has a value above 31.
fn low_bits(values: u64) -> u32 {
    (values & u64::from(u32::MAX)) as u32
}
