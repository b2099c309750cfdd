//! Random expressions, each with a matcher of its own that shares nothing with the one under test.

use crate::random::Random;
use jiff::civil::{Date, DateTime};
use std::collections::BTreeSet;

/// An expression and what it means.
pub(crate) struct Expression {
    pub(crate) seconds: Option<Values>,
    pub(crate) minute: Values,
    pub(crate) hour: Values,
    pub(crate) day_of_month: Values,
    pub(crate) month: Values,
    pub(crate) day_of_week: Values,
}

/// One field.
pub(crate) struct Values {
    pub(crate) text: String,
    pub(crate) set: BTreeSet<i8>,
    /// `L` in the day of month, `5L` in the day of week.
    pub(crate) last: BTreeSet<i8>,
    /// `5#2`.
    pub(crate) nth: BTreeSet<(i8, i8)>,
}

impl Expression {
    pub(crate) fn random(random: &mut Random, with_seconds: bool) -> Self {
        Self {
            seconds: with_seconds.then(|| Values::random(random, 0, 59)),
            minute: Values::random(random, 0, 59),
            hour: Values::random(random, 0, 23),
            day_of_month: Values::random(random, 1, 31).with_last_day(random),
            month: Values::random(random, 1, 12),
            day_of_week: Values::random(random, 0, 6).with_weekdays_of_the_month(random),
        }
    }

    pub(crate) fn text(&self) -> String {
        let fields = [&self.minute, &self.hour, &self.day_of_month, &self.month, &self.day_of_week];
        self.seconds.iter().chain(fields).map(|field| field.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn follows_elapsed_time(&self) -> bool {
        self.minute.begins_with_star() || self.hour.begins_with_star()
    }

    pub(crate) fn fits(&self, civil: DateTime) -> bool {
        let second = match &self.seconds {
            Some(seconds) => seconds.set.contains(&civil.second()),
            None => civil.second() == 0,
        };
        second
            && self.minute.set.contains(&civil.minute())
            && self.hour.set.contains(&civil.hour())
            && self.fits_date(civil.date())
    }

    pub(crate) fn fits_date(&self, date: Date) -> bool {
        let weekday = date.weekday().to_sunday_zero_offset();
        let of_month = self.day_of_month.set.contains(&date.day())
            || (!self.day_of_month.last.is_empty() && date == date.last_of_month());
        let of_week = self.day_of_week.set.contains(&weekday)
            || self.day_of_week.nth.contains(&(weekday, (date.day() + 6) / 7))
            || (self.day_of_week.last.contains(&weekday) && date.day() + 7 > date.days_in_month());
        let both = self.day_of_month.begins_with_star() || self.day_of_week.begins_with_star();
        self.month.set.contains(&date.month()) && if both { of_month && of_week } else { of_month || of_week }
    }
}

impl Values {
    fn random(random: &mut Random, least: i64, most: i64) -> Self {
        let mut values =
            Self { text: String::new(), set: BTreeSet::new(), last: BTreeSet::new(), nth: BTreeSet::new() };
        if random.one_in(3) {
            values.add("*".to_owned(), least, most, 1);
            return values;
        }
        for _ in 0..=random.between(0, 2) {
            let from = random.between(least, most);
            let step = random.between(1, (most - least).min(12));
            match random.between(0, 4) {
                0 => {
                    let to = random.between(from, most);
                    values.add(format!("{from}-{to}"), from, to, 1);
                }
                1 => {
                    let to = random.between(from, most);
                    values.add(format!("{from}-{to}/{step}"), from, to, step);
                }
                2 if values.text.is_empty() => values.add(format!("*/{step}"), least, most, step),
                _ => values.add(from.to_string(), from, from, 1),
            }
        }
        values
    }

    pub(crate) fn begins_with_star(&self) -> bool {
        self.text.starts_with('*')
    }

    fn push(&mut self, item: &str) {
        if !self.text.is_empty() {
            self.text.push(',');
        }
        self.text.push_str(item);
    }

    fn add(&mut self, item: String, from: i64, to: i64, step: i64) {
        self.push(&item);
        let mut value = from;
        while value <= to {
            self.set.insert(i8::try_from(value).unwrap());
            value += step;
        }
    }

    fn with_last_day(mut self, random: &mut Random) -> Self {
        if random.one_in(6) {
            self.last.insert(0);
            if random.one_in(2) {
                self.text = "L".to_owned();
                self.set.clear();
            } else {
                self.push("L");
            }
        }
        self
    }

    fn with_weekdays_of_the_month(mut self, random: &mut Random) -> Self {
        if random.one_in(5) {
            if random.one_in(2) {
                self.text.clear();
                self.set.clear();
            }
            let day = i8::try_from(random.between(0, 6)).unwrap();
            let nth = i8::try_from(random.between(1, 5)).unwrap();
            if random.one_in(2) {
                self.nth.insert((day, nth));
                self.push(&format!("{day}#{nth}"));
            } else {
                self.last.insert(day);
                self.push(&format!("{day}L"));
            }
        }
        self
    }
}
