//! The shape of a cron expression.

use super::nearest::did_you_mean;
use super::read::{Misfit, text};
use super::typed::Typed;
use jsonc_parser::ast::Value;

const MACROS: &[&str] =
    &["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually", "@reboot"];

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

const DAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

struct FieldShape {
    name: &'static str,
    min: u32,
    max: u32,
    /// What stands for numbers, from `min`.
    words: &'static [&'static str],
}

const FIELDS: [FieldShape; 6] = [
    FieldShape { name: "second", min: 0, max: 59, words: &[] },
    FieldShape { name: "minute", min: 0, max: 59, words: &[] },
    FieldShape { name: "hour", min: 0, max: 23, words: &[] },
    FieldShape { name: "day of month", min: 1, max: 31, words: &[] },
    FieldShape { name: "month", min: 1, max: 12, words: MONTHS },
    FieldShape { name: "day of week", min: 0, max: 7, words: DAYS },
];

/// Reads an expression: 5 fields, 6 with seconds first, or a word that begins with `@`.
pub(super) fn check<'a>(value: &'a Value<'a>) -> Result<Typed<'a>, Misfit> {
    const EXPECTED: &str = "a cron expression such as \"*/5 * * * *\" or \"@daily\"";
    let expression = text(value).map_err(|_| Misfit::new(EXPECTED))?.trim();
    if expression.starts_with('@') {
        if MACROS.contains(&expression) {
            return Ok(Typed::Text(expression));
        }
        return Err(Misfit::new(EXPECTED).help(did_you_mean(expression, MACROS.iter().copied())));
    }
    let fields: Vec<&str> = expression.split_whitespace().collect();
    let shapes = match fields.len() {
        5 => &FIELDS[1..],
        6 => &FIELDS[..],
        count => {
            let help =
                format!("5 fields (minute hour day month weekday), or 6 with seconds first, not {count}");
            return Err(Misfit::new(EXPECTED).help(Some(help)));
        }
    };
    let mut sets = Vec::with_capacity(shapes.len());
    for (field, shape) in fields.iter().zip(shapes) {
        let Some(set) = set(field, shape) else {
            let FieldShape { name, min, max, .. } = shape;
            let help =
                format!("the {name} {field:?} is not a list of numbers and ranges from {min} to {max}");
            return Err(Misfit::new(EXPECTED).help(Some(help)));
        };
        sets.push(set);
    }
    let day_of_week = fields[fields.len() - 1];
    let (days, months) = (sets[sets.len() - 3], sets[sets.len() - 2]);
    if day_of_week.starts_with('*') && !is_ever(days, months) {
        let help = "it can never fire: no month that it names has such a day".to_owned();
        return Err(Misfit::new(EXPECTED).help(Some(help)));
    }
    Ok(Typed::Text(expression))
}

/// Whether one of the months has one of the days, in some year.
fn is_ever(days: u64, months: u64) -> bool {
    const LENGTHS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    (1..).zip(LENGTHS).any(|(month, length)| {
        let has = (1u64 << (length + 1)) - 1;
        months & (1 << month) != 0 && days & has != 0
    })
}

/// The numbers a field names, a bit for each.
fn set(field: &str, shape: &FieldShape) -> Option<u64> {
    field.split(',').try_fold(0, |set, item| Some(set | item_set(item, shape)?))
}

/// `*`, `5`, `1-5`, `MON-FRI`, each with `/STEP`.
fn item_set(item: &str, shape: &FieldShape) -> Option<u64> {
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(number(step).filter(|step| (1..=shape.max).contains(step))?)),
        None => (item, None),
    };
    let (from, to) = match range.split_once('-') {
        _ if range == "*" => (shape.min, shape.max),
        Some((from, to)) => (place(from, shape)?, place(to, shape)?),
        None => match place(range, shape)? {
            // With a step, a number is where the steps begin.
            from if step.is_some() => (from, shape.max),
            only => (only, only),
        },
    };
    let step = usize::try_from(step.unwrap_or(1)).ok()?;
    (from <= to).then(|| (from..=to).step_by(step).fold(0, |set, number| set | 1 << number))
}

fn place(text: &str, shape: &FieldShape) -> Option<u32> {
    let word = shape.words.iter().position(|word| word.eq_ignore_ascii_case(text));
    let word = word.and_then(|index| u32::try_from(index).ok()).map(|index| index + shape.min);
    word.or_else(|| number(text)).filter(|place| (shape.min..=shape.max).contains(place))
}

fn number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets() {
        let minutes = |field| set(field, &FIELDS[1]);
        assert_eq!(minutes("1,3-5"), Some(0b111010));
        assert_eq!(minutes("*/30"), Some(1 | 1 << 30));
        assert_eq!(minutes("50/5"), Some(1 << 50 | 1 << 55));
        assert_eq!(minutes("0-10/5"), Some(1 | 1 << 5 | 1 << 10));
        assert_eq!(set("sun,MON-tue", &FIELDS[5]), Some(0b111));
        assert_eq!(set("dec", &FIELDS[4]), Some(1 << 12));
        for field in ["", ",", "60", "1-", "-1", "5-1", "*/0", "*/60", "**", "1/2/3", "MON", "+1"] {
            assert_eq!(minutes(field), None, "{field:?}");
        }
    }

    #[test]
    fn days_that_no_month_has() {
        #[track_caller]
        fn check(expression: &str, fires: bool) {
            let text = format!("\"{expression}\"");
            let value = crate::config::syntax::parse(&text).expect("a string");
            assert_eq!(super::check(&value).is_ok(), fires, "{expression}");
        }
        check("0 0 30 2 *", false);
        check("0 0 0 31 2,4,jun *", false);
        check("0 0 30,31 2 */2", false);
        check("0 0 29 2 *", true);
        check("0 0 31 2,3 *", true);
        check("0 0 30 2 mon", true);
        check("0 0 */31 2 *", true);
    }
}
