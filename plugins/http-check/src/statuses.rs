//! Which statuses are good.

use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;
use std::ops::RangeInclusive;

/// A set of statuses, written as a number, as `"204"`, `"2xx"` or `"200-299"`, or as a list of those.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "Written")]
#[schemars(with = "Written")]
pub(crate) struct Statuses(Vec<RangeInclusive<u16>>);

impl Statuses {
    pub(crate) fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }
}

impl Default for Statuses {
    fn default() -> Self {
        Self(vec![200..=299])
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            if range.start() == range.end() {
                write!(f, "{comma}{}", range.start())?;
            } else {
                write!(f, "{comma}{}-{}", range.start(), range.end())?;
            }
        }
        Ok(())
    }
}

const EXPECTED: &str = "expected a status such as 200, \"2xx\" or \"200-299\", or a list of them";

#[derive(Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a status such as 200, \"2xx\" or \"200-299\", or a list of them")]
#[schemars(inline)]
enum Written {
    One(Pattern),
    Several(#[schemars(length(min = 1))] Vec<Pattern>),
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a status such as 200, \"2xx\" or \"200-299\"")]
#[schemars(inline)]
enum Pattern {
    Number(#[schemars(range(min = 100, max = 599))] u64),
    Text(
        #[schemars(
            regex(pattern = r"^(\+?0*[1-5](xx|XX)|\s*\+?0*[1-5][0-9]{2}\s*(-\s*\+?0*[1-5][0-9]{2}\s*)?)$"),
            extend("examples" = ["2xx", "200-299"])
        )]
        String,
    ),
}

impl TryFrom<Written> for Statuses {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let patterns = match written {
            Written::One(pattern) => vec![pattern],
            Written::Several(patterns) if patterns.is_empty() => {
                return Err(format!("an empty list, {EXPECTED}"));
            }
            Written::Several(patterns) => patterns,
        };
        patterns.iter().map(range).collect::<Result<_, _>>().map(Self)
    }
}

fn range(pattern: &Pattern) -> Result<RangeInclusive<u16>, String> {
    let (found, range) = match pattern {
        Pattern::Number(number) => {
            (number.to_string(), u16::try_from(*number).ok().map(|status| status..=status))
        }
        Pattern::Text(text) => (format!("{text:?}"), text_range(text)),
    };
    range
        .filter(|range| !range.is_empty() && *range.start() >= 100 && *range.end() <= 599)
        .ok_or_else(|| format!("{found}: {EXPECTED}"))
}

fn text_range(text: &str) -> Option<RangeInclusive<u16>> {
    if let Some(class) = text.strip_suffix("xx").or_else(|| text.strip_suffix("XX")) {
        let hundreds = class.parse::<u16>().ok().filter(|digit| (1..=5).contains(digit))? * 100;
        return Some(hundreds..=hundreds + 99);
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Statuses, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    fn check(json: &str, good: &[u16], bad: &[u16], shown: &str) {
        let statuses = read(json).unwrap();
        assert!(good.iter().all(|status| statuses.contains(*status)), "{json}");
        assert!(!bad.iter().any(|status| statuses.contains(*status)), "{json}");
        assert_eq!(statuses.to_string(), shown);
    }

    #[test]
    fn every_way_to_write_them() {
        check("200", &[200], &[201, 199], "200");
        check("\"204\"", &[204], &[200], "204");
        check("\"3xx\"", &[300, 399], &[200, 400], "300-399");
        check("\"200-204\"", &[200, 204], &[205], "200-204");
        check("[200, \"4XX\", \"500-501\"]", &[200, 404, 501], &[201, 502], "200, 400-499, 500-501");
        assert_eq!(Statuses::default().to_string(), "200-299");
    }

    #[test]
    fn what_is_no_status() {
        for json in [
            "0",
            "99",
            "600",
            "-1",
            "70000",
            "\"\"",
            "\"xx\"",
            "\"6xx\"",
            "\"299-200\"",
            "\"2x\"",
            "[]",
            "{}",
            "[[]]",
        ] {
            let error = read(json).expect_err(json);
            assert!(
                error.contains("expected a status such as 200, \"2xx\" or \"200-299\""),
                "{json}: {error}"
            );
        }
    }
}
