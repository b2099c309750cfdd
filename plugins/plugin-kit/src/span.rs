//! Durations as they are written in the configuration.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;
use std::time::Duration;

/// A duration greater than zero: a number of seconds, `"500ms"`, `"30s"`, `"5m"`, `"1h"`, `"2d"`, or a sum such as
/// `"1m30s"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct Span(Duration);

impl Span {
    /// `None` for zero.
    pub const fn new(duration: Duration) -> Option<Self> {
        if duration.is_zero() { None } else { Some(Self(duration)) }
    }

    /// The duration.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a duration such as 500ms, 10s or 1m30s")]
enum Written {
    Seconds(u64),
    Text(String),
}

impl TryFrom<Written> for Span {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let (duration, text) = match written {
            Written::Seconds(seconds) => (Some(Duration::from_secs(seconds)), seconds.to_string()),
            Written::Text(text) => (sum(&text), text),
        };
        duration
            .and_then(Span::new)
            .ok_or_else(|| format!("{text:?}: expected a duration such as 500ms, 10s or 1m30s"))
    }
}

fn sum(text: &str) -> Option<Duration> {
    // `parse` alone would take a sign.
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Duration::from_secs);
    }
    let (mut total, mut rest) = (Duration::ZERO, text);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let millis = match &rest[..letters] {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        rest = &rest[letters..];
        total = total.checked_add(Duration::from_millis(number.checked_mul(millis)?))?;
    }
    Some(total)
}

impl JsonSchema for Span {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // One of the numbers is not zero.
        let part = "[0-9]+(ms|s|m|h|d)";
        let real = "[0-9]*[1-9][0-9]*";
        json_schema!({
            "description": "a duration such as 500ms, 10s or 1m30s",
            "anyOf": [
                { "type": "integer", "minimum": 1, "maximum": u64::MAX },
                { "type": "string", "pattern": format!("^({real}|({part})*{real}(ms|s|m|h|d)({part})*)$"),
                  "examples": ["500ms", "10s", "1m30s"] }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Duration, String> {
        bansuri_plugin_test::read(&json.parse().unwrap()).map(Span::duration)
    }

    #[test]
    fn what_is_a_duration() {
        for (json, millis) in [
            ("2", 2000),
            ("\"2\"", 2000),
            ("\"500ms\"", 500),
            ("\"1m30s\"", 90_000),
            ("\"1h\"", 3_600_000),
            ("\"2d1ms\"", 172_800_001),
            ("\"0h10s\"", 10_000),
        ] {
            assert_eq!(read(json), Ok(Duration::from_millis(millis)), "{json}");
        }
    }

    #[test]
    fn what_is_none() {
        for json in [
            "0", "\"0s\"", "-1", "1.5", "\"\"", "\"s\"", "\"5 s\"", "\"5x\"", "\"-5s\"", "\"+5\"",
            "\"0h0m\"", "null", "[]",
        ] {
            let error = read(json).expect_err(json);
            assert!(error.contains("expected a duration such as 500ms, 10s or 1m30s"), "{json}: {error}");
        }
        for text in ["99999999999999999d", "18446744073709551616"] {
            bansuri_plugin_test::beyond_schema::<Span>(&text.into());
        }
    }
}
