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
    for (field, shape) in fields.iter().zip(shapes) {
        if !field.split(',').all(|item| is_item(item, shape)) {
            let FieldShape { name, min, max, .. } = shape;
            let help =
                format!("the {name} {field:?} is not a list of numbers and ranges from {min} to {max}");
            return Err(Misfit::new(EXPECTED).help(Some(help)));
        }
    }
    Ok(Typed::Text(expression))
}

/// `*`, `5`, `1-5`, `MON-FRI`, each with `/STEP`.
fn is_item(item: &str, shape: &FieldShape) -> bool {
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (item, None),
    };
    let step_fits = step.is_none_or(|step| number(step).is_some_and(|step| (1..=shape.max).contains(&step)));
    let range_fits = match range.split_once('-') {
        _ if range == "*" => true,
        Some((from, to)) => match (place(from, shape), place(to, shape)) {
            (Some(from), Some(to)) => from <= to,
            (None, _) | (_, None) => false,
        },
        None => place(range, shape).is_some(),
    };
    step_fits && range_fits
}

fn place(text: &str, shape: &FieldShape) -> Option<u32> {
    let word = shape.words.iter().position(|word| word.eq_ignore_ascii_case(text));
    let word = word.and_then(|index| u32::try_from(index).ok()).map(|index| index + shape.min);
    word.or_else(|| number(text)).filter(|place| (shape.min..=shape.max).contains(place))
}

fn number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}
