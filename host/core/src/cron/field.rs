//! The fields: their values, their names, and the items of their lists.

use super::CronError;

/// A field's values and what they are called.
pub(super) struct Field {
    pub(super) name: &'static str,
    least: u32,
    most: u32,
    /// What may stand for numbers, from `least`.
    words: &'static [&'static str],
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    DayOfMonth,
    DayOfWeek,
}

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

pub(super) const SECOND: Field = Field { name: "second", least: 0, most: 59, words: &[], kind: Kind::Plain };
pub(super) const MINUTE: Field = Field { name: "minute", least: 0, most: 59, words: &[], kind: Kind::Plain };
pub(super) const HOUR: Field = Field { name: "hour", least: 0, most: 23, words: &[], kind: Kind::Plain };
pub(super) const DAY_OF_MONTH: Field =
    Field { name: "day of month", least: 1, most: 31, words: &[], kind: Kind::DayOfMonth };
pub(super) const MONTH: Field = Field { name: "month", least: 1, most: 12, words: MONTHS, kind: Kind::Plain };
pub(super) const DAY_OF_WEEK: Field =
    Field { name: "day of week", least: 0, most: 7, words: WEEKDAYS, kind: Kind::DayOfWeek };

/// One item of a field's list. In each mask bit n is the value n.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Item {
    /// These values.
    Values(u64),
    /// The last day of the month, or of these weekdays the last of the month.
    Last(u64),
    /// Of these weekdays the n-th of the month, from 1 to 5.
    Nth(u64, u8),
}

impl Field {
    /// Gives each item of a field's list, of which there is one at least.
    pub(super) fn items(&self, text: &str, mut take: impl FnMut(Item)) -> Result<(), CronError> {
        let takes_question_mark = self.kind != Kind::Plain;
        if text == "*" || text == "?" && takes_question_mark {
            take(Item::Values(self.all()));
            return Ok(());
        }
        for item in text.split(',') {
            take(self.item(item).map_err(|what| CronError(format!("{} {text:?}: {what}", self.name)))?);
        }
        Ok(())
    }

    fn item(&self, text: &str) -> Result<Item, String> {
        if text.is_empty() {
            return Err(format!("an item of the list is empty, expected {}", self.valid()));
        }
        if let Some((days, which)) = text.split_once('#') {
            return self.nth(text, days, which);
        }
        match (self.kind, text.strip_suffix(['L', 'l'])) {
            (Kind::DayOfMonth, Some("")) => return Ok(Item::Last(0)),
            (Kind::DayOfWeek, Some("")) => {
                return Err(
                    "\"L\" needs a day before it, such as 5L for the last Friday of the month".to_owned()
                );
            }
            (Kind::DayOfWeek, Some(days)) => return Ok(Item::Last(self.days(days)?)),
            (Kind::Plain, _) | (Kind::DayOfMonth | Kind::DayOfWeek, _) => {}
        }
        self.values(text).map(Item::Values)
    }

    /// `5#2`, `MON-FRI#1`, `5#L`.
    fn nth(&self, text: &str, days: &str, which: &str) -> Result<Item, String> {
        if self.kind != Kind::DayOfWeek {
            return Err(format!("{text:?} has a #, which the day of week alone may have"));
        }
        let days = self.days(days)?;
        match number(which) {
            Some(nth @ 1..=5) => Ok(Item::Nth(days, u8::try_from(nth).unwrap_or(5))),
            Some(_) | None if which.eq_ignore_ascii_case("L") => Ok(Item::Last(days)),
            Some(_) | None => Err(format!("{which:?} after the # is not a number from 1 to 5, nor L")),
        }
    }

    /// A day or a range of them, without a step.
    fn days(&self, text: &str) -> Result<u64, String> {
        match text.split_once('-') {
            Some((from, to)) => self.range(text, from, to).map(|(from, to)| self.mask(from, to, 1)),
            None => self.value(text).map(|value| self.mask(value, value, 1)),
        }
    }

    fn values(&self, text: &str) -> Result<u64, String> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, Some(self.step(step)?)),
            None => (text, None),
        };
        if range == "*" {
            return Ok(self.mask(self.least, self.end(), step.unwrap_or(1)));
        }
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => self.range(range, from, to)?,
            None => {
                let value = self.value(range)?;
                match step {
                    // Sunday as 7 has the week before it and not behind it.
                    Some(_) if value > self.end() => (self.least, self.end()),
                    Some(_) => (value, self.end()),
                    None => (value, value),
                }
            }
        };
        Ok(self.mask(from, to, step.unwrap_or(1)))
    }

    fn range(&self, text: &str, from: &str, to: &str) -> Result<(u32, u32), String> {
        let (from, to) = (self.value(from)?, self.value(to)?);
        // A week that begins on Monday ends on Sunday.
        let to = if self.kind == Kind::DayOfWeek && to == 0 && from > 0 { 7 } else { to };
        if from > to {
            let end = self.end();
            let least = self.least;
            return Err(format!(
                "the range {text:?} runs backwards, write {from}-{end},{least}-{to} for one that wraps"
            ));
        }
        Ok((from, to))
    }

    fn step(&self, text: &str) -> Result<u32, String> {
        number(text)
            .filter(|step| (1..=self.most).contains(step))
            .ok_or_else(|| format!("the step {text:?} is not a number from 1 to {}", self.most))
    }

    fn value(&self, text: &str) -> Result<u32, String> {
        let word = (self.least..).zip(self.words).find(|(_, word)| word.eq_ignore_ascii_case(text));
        word.map(|(value, _)| value)
            .or_else(|| number(text))
            .filter(|value| (self.least..=self.most).contains(value))
            .ok_or_else(|| format!("{text:?} is not {}", self.valid()))
    }

    fn valid(&self) -> String {
        let Self { least, most, .. } = self;
        match self.kind {
            Kind::DayOfMonth => format!("a number from {least} to {most} or L for the last"),
            Kind::DayOfWeek => format!("a number from {least} to {most} or a name from MON to SUN"),
            Kind::Plain if self.words.is_empty() => format!("a number from {least} to {most}"),
            Kind::Plain => format!("a number from {least} to {most} or a name from JAN to DEC"),
        }
    }

    fn all(&self) -> u64 {
        self.mask(self.least, self.end(), 1)
    }

    /// The last value of `*`: 7 is but another name of 0.
    fn end(&self) -> u32 {
        match self.kind {
            Kind::DayOfWeek => 6,
            Kind::Plain | Kind::DayOfMonth => self.most,
        }
    }

    fn mask(&self, from: u32, to: u32, step: u32) -> u64 {
        let mut mask = 0;
        let mut value = from;
        while value <= to {
            let sunday = self.kind == Kind::DayOfWeek && value == 7;
            mask |= 1 << if sunday { 0 } else { value };
            value += step;
        }
        mask
    }
}

fn number(text: &str) -> Option<u32> {
    // A sign would do for `parse`.
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}
