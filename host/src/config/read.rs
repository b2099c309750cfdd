//! From one value of the syntax tree to what its key asks for.

use super::cron;
use super::duration::{DurationError, parse_duration, parse_size};
use super::findings::{Findings, Place, quoted};
use super::nearest::did_you_mean;
use super::read_list::{codes, dependencies, paths, words};
use super::read_object::object;
use super::typed::{Kind, Typed};
use super::zone::nearest_zone;
use crate::launch::Sink;
use bansuri_core::{Signal, Zone};
use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;
use std::time::Duration;

/// A value that does not fit: what would, and what may help.
pub(super) struct Misfit {
    expected: String,
    help: Option<String>,
}

impl Misfit {
    pub(super) fn new(expected: impl Into<String>) -> Self {
        Self { expected: expected.into(), help: None }
    }

    pub(super) fn help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }
}

/// Reads a value; what is wrong with it is reported, and what is left is [`Typed::Broken`]. `None`: it says that there
/// is nothing (`"timer": "none"`).
pub(super) fn read<'a>(
    kind: Kind,
    value: &'a Value<'a>,
    place: &Place<'_>,
    findings: &mut Findings<'_>,
) -> Option<Typed<'a>> {
    let read = match kind {
        Kind::Name => name(value),
        Kind::Text => text(value).map(Typed::Text),
        Kind::Timezone => timezone(value),
        Kind::Boolean => boolean(value).map(Typed::Boolean),
        Kind::Integer { min, max } => integer(value, min, max).map(Typed::Integer),
        Kind::Fraction => fraction(value),
        Kind::Step => step(value),
        Kind::Word(words) => word(value, words).map(Typed::Word),
        Kind::Duration => duration(value).map(Typed::Duration),
        Kind::Positive => positive(value),
        Kind::Timeout if is_none(value) => return None,
        Kind::Timeout => positive(value),
        Kind::Interval if is_none(value) => return None,
        Kind::Interval => match duration(value) {
            Ok(Duration::ZERO) => return None,
            other => other.map(Typed::Duration),
        },
        Kind::Size | Kind::Limit => size(value, matches!(kind, Kind::Limit)),
        Kind::Path => path(value).map(Typed::Text),
        Kind::Umask => umask(value),
        Kind::Sha256 => sha256(value),
        Kind::Signal => signal(value),
        Kind::Account => account(value),
        Kind::Cron => cron::check(value),
        Kind::Params => Ok(Typed::Text("")),
        Kind::Stdout => sink(value, false),
        Kind::Stderr => sink(value, true),
        Kind::Command | Kind::Words => return Some(words(kind, value, place, findings)),
        Kind::Paths => return Some(paths(value, place, findings)),
        Kind::Codes => return Some(codes(value, place, findings)),
        Kind::Dependencies => return Some(dependencies(value, place, findings)),
        Kind::Merged(what) => return Some(object(what, &[(place.subject, value)], place, findings)),
    };
    Some(read.unwrap_or_else(|misfit| reject(misfit, value, place, findings)))
}

/// Reports a misfit.
pub(super) fn reject<'a>(
    misfit: Misfit,
    value: &Value<'_>,
    place: &Place<'_>,
    findings: &mut Findings<'_>,
) -> Typed<'a> {
    findings.unexpected(place, value, &misfit.expected, misfit.help);
    Typed::Broken
}

/// The text of a string that an operating system can take: those end at a NUL.
pub(super) fn text<'a>(value: &'a Value<'a>) -> Result<&'a str, Misfit> {
    match value.as_string_lit() {
        Some(text) if text.value.contains('\0') => Err(Misfit::new("text without a NUL character")),
        Some(text) => Ok(&text.value),
        None => {
            let help = value.as_number_lit().map(|number| format!("write \"{}\"", number.value));
            Err(Misfit::new("text in double quotes").help(help))
        }
    }
}

pub(super) fn integer(value: &Value<'_>, min: i64, max: i64) -> Result<i64, Misfit> {
    let digits =
        number_text(value).filter(|text| text.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit()));
    match digits.and_then(|text| text.parse::<i64>().ok()).filter(|number| (min..=max).contains(number)) {
        Some(number) => Ok(number),
        None if max == i64::MAX => Err(Misfit::new(format!("a whole number, {min} or more"))),
        None => Err(Misfit::new(format!("a whole number from {min} to {max}"))),
    }
}

/// The text of a number, quoted or not.
fn number_text<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    match value {
        Value::NumberLit(number) => Some(number.value),
        Value::StringLit(text) => Some(&text.value),
        Value::BooleanLit(_) | Value::Object(_) | Value::Array(_) | Value::NullKeyword(_) => None,
    }
}

fn boolean(value: &Value<'_>) -> Result<bool, Misfit> {
    match value {
        Value::BooleanLit(boolean) => Ok(boolean.value),
        Value::StringLit(text) if text.value == "true" => Ok(true),
        Value::StringLit(text) if text.value == "false" => Ok(false),
        Value::StringLit(text) => {
            Err(Misfit::new("true or false").help(did_you_mean(&text.value, ["true", "false"])))
        }
        Value::NumberLit(_) | Value::Object(_) | Value::Array(_) | Value::NullKeyword(_) => {
            Err(Misfit::new("true or false"))
        }
    }
}

fn name<'a>(value: &'a Value<'a>) -> Result<Typed<'a>, Misfit> {
    match text(value)? {
        text if text.trim().is_empty() => Err(Misfit::new("a name")),
        // Names go into log lines and headings of messages, where a line break would forge another line.
        text if text.contains(char::is_control) => Err(Misfit::new("a name without control characters")),
        text => Ok(Typed::Text(text)),
    }
}

fn word(value: &Value<'_>, words: &'static [&'static str]) -> Result<&'static str, Misfit> {
    let written = value.as_string_lit().map(|text| &*text.value);
    if let Some(word) = words.iter().find(|word| written.is_some_and(|w| same_word(w, word))) {
        return Ok(word);
    }
    let help = written.and_then(|written| did_you_mean(written, words.iter().copied()));
    Err(Misfit::new(alternatives(words)).help(help))
}

/// Whether they are one word, with `-` or `_`.
fn same_word(written: &str, word: &str) -> bool {
    written.len() == word.len()
        && written.bytes().zip(word.bytes()).all(|(a, b)| a == b || (a == b'_' && b == b'-'))
}

/// `"a", "b" or "c"`.
pub(super) fn alternatives(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((only, _)) => only.clone(),
        None => String::new(),
    }
}

fn duration(value: &Value<'_>) -> Result<Duration, Misfit> {
    const EXPECTED: &str = "a duration such as 30s, 5m or 1h30m";
    match value {
        Value::StringLit(text) => {
            parse_duration(&text.value).map_err(|error| Misfit::new(EXPECTED).help(error.help()))
        }
        Value::NumberLit(number) => parse_duration(number.value).map_err(|error| {
            let whole = number.value.bytes().all(|b| b.is_ascii_digit() || b == b'-');
            let error = if whole { error } else { DurationError::Fraction };
            Misfit::new(EXPECTED).help(error.help())
        }),
        Value::BooleanLit(_) | Value::Object(_) | Value::Array(_) | Value::NullKeyword(_) => {
            Err(Misfit::new(EXPECTED))
        }
    }
}

fn positive<'a>(value: &Value<'_>) -> Result<Typed<'a>, Misfit> {
    match duration(value)? {
        Duration::ZERO => Err(Misfit::new("a duration longer than zero, such as 30s, 5m or 1h30m")),
        duration => Ok(Typed::Duration(duration)),
    }
}

fn is_none(value: &Value<'_>) -> bool {
    value.as_string_lit().is_some_and(|text| text.value == "none")
}

fn fraction<'a>(value: &Value<'_>) -> Result<Typed<'a>, Misfit> {
    decimal(value)
        .filter(|number| (0.0..=1.0).contains(number))
        .map(Typed::Number)
        .ok_or_else(|| Misfit::new("a number from 0 to 1"))
}

/// A number as JSON writes it, quoted or not: not the words that Rust reads as numbers.
fn decimal(value: &Value<'_>) -> Option<f64> {
    let text = number_text(value)?;
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    text.parse::<f64>().ok().filter(|number| plain && number.is_finite())
}

fn step<'a>(value: &Value<'_>) -> Result<Typed<'a>, Misfit> {
    if let Some(number) = decimal(value).filter(|number| *number >= 0.0) {
        return Ok(Typed::Number(number));
    }
    duration(value).map(Typed::Duration).map_err(|misfit| Misfit {
        expected: "a number, 0 or more, or a duration such as 30s".to_owned(),
        ..misfit
    })
}

fn size<'a>(value: &Value<'_>, may_be_unlimited: bool) -> Result<Typed<'a>, Misfit> {
    let text = number_text(value);
    if may_be_unlimited && text == Some("unlimited") {
        return Ok(Typed::Word("unlimited"));
    }
    match text.and_then(parse_size).and_then(|bytes| i64::try_from(bytes).ok()) {
        Some(0) if !may_be_unlimited => Err(Misfit::new("a size above zero, such as 512K, 10M or 1G")),
        Some(bytes) => Ok(Typed::Integer(bytes)),
        None if may_be_unlimited => Err(Misfit::new("a whole number, a size such as 10M, or \"unlimited\"")),
        None => Err(Misfit::new("a size such as 512K, 10M or 1G")),
    }
}

pub(super) fn path<'a>(value: &'a Value<'a>) -> Result<&'a str, Misfit> {
    match text(value)? {
        "" => Err(Misfit::new("a path")),
        path => Ok(path),
    }
}

fn umask<'a>(value: &Value<'_>) -> Result<Typed<'a>, Misfit> {
    // A number without quotes is decimal to JSON and octal to whoever wrote it.
    let octal = value
        .as_string_lit()
        .filter(|text| !text.value.is_empty() && text.value.bytes().all(|b| (b'0'..=b'7').contains(&b)))
        .and_then(|text| i64::from_str_radix(&text.value, 8).ok())
        .filter(|mask| *mask <= 0o777);
    let help = value.as_number_lit().map(|number| format!("write \"0{}\"", number.value));
    octal.map(Typed::Integer).ok_or_else(|| Misfit::new("octal digits such as \"027\"").help(help))
}

fn sha256<'a>(value: &Value<'_>) -> Result<Typed<'a>, Misfit> {
    let text = value.as_string_lit().map(|text| text.value.as_bytes()).unwrap_or_default();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |pair: &[u8]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
    let bytes: Option<Vec<u8>> = text.chunks_exact(2).map(byte).collect();
    match bytes.and_then(|bytes| bytes.try_into().ok()) {
        Some(bytes) if text.len() == 64 => Ok(Typed::Sha256(bytes)),
        Some(_) | None => {
            let help = Some("sha256sum LIBRARY prints them".to_owned());
            Err(Misfit::new("64 hexadecimal digits").help(help))
        }
    }
}

fn signal<'a>(value: &Value<'_>) -> Result<Typed<'a>, Misfit> {
    let written = number_text(value);
    let signal = written.and_then(|text| text.parse::<Signal>().ok());
    signal.map(Typed::Signal).ok_or_else(|| {
        let help = written
            .map(|text| text.trim_start_matches("SIG"))
            .and_then(|text| did_you_mean(text, Signal::names().iter().copied()));
        Misfit::new("a signal such as \"TERM\", \"INT\" or 15").help(help)
    })
}

fn timezone<'a>(value: &'a Value<'a>) -> Result<Typed<'a>, Misfit> {
    let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+');
    let misfit = || Misfit::new("an IANA name such as \"Europe/Berlin\" or \"UTC\"");
    match text(value)? {
        zone if !zone.is_empty() && zone.chars().all(of_name) => match Zone::named(zone) {
            Some(_) => Ok(Typed::Text(zone)),
            None => Err(misfit().help(nearest_zone(zone))),
        },
        _ => Err(misfit()),
    }
}

fn account<'a>(value: &'a Value<'a>) -> Result<Typed<'a>, Misfit> {
    let id = |text: &str| text.parse::<u32>().is_ok_and(|id| id != u32::MAX);
    match value {
        Value::NumberLit(number) if id(number.value) => Ok(Typed::Text(number.value)),
        Value::StringLit(text)
            if !text.value.is_empty()
                && (!text.value.bytes().all(|b| b.is_ascii_digit()) || id(&text.value))
                && !text.value.contains(|c: char| c.is_control() || c.is_whitespace() || c == ':') =>
        {
            Ok(Typed::Text(&text.value))
        }
        Value::StringLit(_)
        | Value::NumberLit(_)
        | Value::BooleanLit(_)
        | Value::Object(_)
        | Value::Array(_)
        | Value::NullKeyword(_) => Err(Misfit::new("a name or a number")),
    }
}

fn sink<'a>(value: &'a Value<'a>, is_stderr: bool) -> Result<Typed<'a>, Misfit> {
    let expected = || match is_stderr {
        false => Misfit::new("null, a path, \"ignore\" or \"inherit\""),
        true => Misfit::new("\"combined\", null, a path, \"ignore\" or \"inherit\""),
    };
    if matches!(value, Value::NullKeyword(_)) {
        return Ok(Typed::Sink(Sink::Tail));
    }
    match text(value).map_err(|_| expected())? {
        "" => Err(expected()),
        "ignore" => Ok(Typed::Sink(Sink::Ignore)),
        "inherit" => Ok(Typed::Sink(Sink::Inherit)),
        "combined" | "$$combined" if is_stderr => Ok(Typed::Combined),
        "combined" | "$$combined" => {
            Err(expected().help(Some("only stderr can be combined, and that is its default".to_owned())))
        }
        other if other.starts_with("$$") => {
            let words: &[&str] = if is_stderr { &["$$combined"] } else { &[] };
            Err(expected().help(did_you_mean(other, words.iter().copied())))
        }
        path => Ok(Typed::Sink(Sink::File(path.into()))),
    }
}

/// Whether a value is nothing at all.
pub(super) fn is_null(value: &Value<'_>) -> bool {
    matches!(value, Value::NullKeyword(_))
}

/// The beginning of an object or array: enough to underline when something in it is missing.
pub(super) fn opening(value: &impl Ranged) -> jsonc_parser::common::Range {
    let start = value.range().start;
    jsonc_parser::common::Range::new(start, start + 1)
}
