//! How much has to be free.

use bansuri_plugin_kit::{Size, human_size};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;
use std::fmt;

/// A share of the whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Percent {
    /// From 1 to 10,000.
    hundredths: u16,
}

impl Percent {
    /// From `10%`, `2.5%` or `0.25%`.
    fn parse(text: &str) -> Option<Self> {
        let number = text.strip_suffix('%')?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
        if !digits(whole) || !digits(fraction) || fraction.len() > 2 {
            return None;
        }
        let whole: u16 = whole.parse().ok().filter(|whole| *whole <= 100)?;
        let fraction: u16 = format!("{fraction:0<2}").parse().ok()?;
        let hundredths = whole * 100 + fraction;
        (1..=10_000).contains(&hundredths).then_some(Self { hundredths })
    }

    fn is_met(self, free: u64, total: u64) -> bool {
        u128::from(free) * 10_000 >= u128::from(total) * u128::from(self.hundredths)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:02}", self.hundredths / 100, self.hundredths % 100);
        write!(f, "{}%", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// The least free space: `"10%"` of the file system, or a size such as `"5G"`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub(crate) enum SpaceLimit {
    Share(Percent),
    Bytes(Size),
}

/// The least free inodes: `"10%"` of those of the file system, or a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub(crate) enum InodeLimit {
    Share(Percent),
    Number(u64),
}

impl SpaceLimit {
    pub(crate) fn is_met(self, free: u64, total: u64) -> bool {
        match self {
            SpaceLimit::Share(percent) => percent.is_met(free, total),
            SpaceLimit::Bytes(size) => free >= size.bytes(),
        }
    }
}

impl InodeLimit {
    pub(crate) fn is_met(self, free: u64, total: u64) -> bool {
        match self {
            InodeLimit::Share(percent) => percent.is_met(free, total),
            InodeLimit::Number(number) => free >= number,
        }
    }
}

impl fmt::Display for SpaceLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SpaceLimit::Share(percent) => percent.fmt(f),
            SpaceLimit::Bytes(size) => f.write_str(&human_size(size.bytes())),
        }
    }
}

impl fmt::Display for InodeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InodeLimit::Share(percent) => percent.fmt(f),
            InodeLimit::Number(number) => number.fmt(f),
        }
    }
}

const SPACE: &str = "expected a share or a size such as \"10%\", \"2.5%\" or \"5G\"";
const INODES: &str = "expected a share or a number such as \"10%\", \"2.5%\" or 10000";

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a share such as \"10%\", or how much")]
enum Written {
    Number(u64),
    Text(String),
}

impl Written {
    fn found(&self) -> String {
        match self {
            Written::Number(number) => number.to_string(),
            Written::Text(text) => format!("{text:?}"),
        }
    }

    fn text(&self) -> String {
        match self {
            Written::Number(number) => number.to_string(),
            Written::Text(text) => text.clone(),
        }
    }
}

impl TryFrom<Written> for SpaceLimit {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let text = written.text();
        let size = || text.parse().ok().map(SpaceLimit::Bytes);
        let limit = Percent::parse(&text).map(SpaceLimit::Share).or_else(size);
        limit.ok_or_else(|| format!("{}: {SPACE}", written.found()))
    }
}

impl TryFrom<Written> for InodeLimit {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let text = written.text();
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| digits && *number > 0);
        let limit = Percent::parse(&text).map(InodeLimit::Share).or(number.map(InodeLimit::Number));
        limit.ok_or_else(|| format!("{}: {INODES}", written.found()))
    }
}

/// More than 0 and at most 100, with two decimals at most.
const PERCENT: &str = r"(0*(100(\.0{1,2})?|[1-9][0-9]?(\.[0-9]{1,2})?|0\.([1-9][0-9]?|0[1-9]))%)";

fn schema(examples: [&str; 3], amount: &str) -> Schema {
    json_schema!({
        "examples": examples,
        "anyOf": [
            { "type": "integer", "minimum": 1, "maximum": u64::MAX },
            { "type": "string", "pattern": format!("^({PERCENT}|{amount})$") }
        ]
    })
}

impl JsonSchema for SpaceLimit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SpaceLimit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema(["10%", "2.5%", "5G"], "0*[1-9][0-9]*[KMGTkmgt]?")
    }
}

impl JsonSchema for InodeLimit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "InodeLimit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema(["10%", "2.5%", "10000"], "0*[1-9][0-9]*")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::DeserializeOwned;

    /// What is read, in words, which is what the schema takes too.
    fn read<T: DeserializeOwned + JsonSchema + fmt::Debug + fmt::Display>(
        json: &str,
    ) -> Result<String, String> {
        bansuri_plugin_test::read::<T>(&json.parse().unwrap()).map(|limit| limit.to_string())
    }

    #[test]
    fn limits_of_space() {
        for (json, shown) in [
            ("\"10%\"", "10%"),
            ("\"2.50%\"", "2.5%"),
            ("\"0.05%\"", "0.05%"),
            ("\"00.1%\"", "0.1%"),
            ("\"100%\"", "100%"),
            ("\"5G\"", "5.0 GiB"),
            ("4096", "4.0 KiB"),
            ("\"1t\"", "1.0 TiB"),
        ] {
            assert_eq!(read::<SpaceLimit>(json).as_deref(), Ok(shown), "{json}");
        }
        for json in [
            "0",
            "\"0%\"",
            "\"0.00%\"",
            "\"101%\"",
            "\"100.01%\"",
            "\"1.234%\"",
            "\".5%\"",
            "\"5.%\"",
            "\"%\"",
            "\"-1%\"",
            "\"+1%\"",
            "\"10 %\"",
            "\"0G\"",
            "\"1P\"",
            "\"1.5G\"",
            "\"\"",
            "-1",
            "1.5",
            "null",
        ] {
            let error = read::<SpaceLimit>(json).expect_err(json);
            assert!(error.contains("expected a share"), "{json}: {error}");
        }
    }

    #[test]
    fn limits_of_inodes() {
        assert_eq!(read::<InodeLimit>("\"5%\"").as_deref(), Ok("5%"));
        assert_eq!(read::<InodeLimit>("10000").as_deref(), Ok("10000"));
        assert_eq!(read::<InodeLimit>("\"10000\"").as_deref(), Ok("10000"));
        for json in ["0", "\"0\"", "\"5G\"", "\"+5\"", "\"0%\"", "\"\"", "[]"] {
            assert!(read::<InodeLimit>(json).expect_err(json).contains("expected a share"), "{json}");
        }
    }

    #[test]
    fn what_meets_a_limit() {
        let space = |json: &str| serde_json::from_str::<SpaceLimit>(json).unwrap();
        assert!(space("\"10%\"").is_met(100, 1000));
        assert!(!space("\"10%\"").is_met(99, 1000));
        assert!(space("\"0.01%\"").is_met(u64::MAX / 10_000 + 1, u64::MAX));
        assert!(!space("\"0.01%\"").is_met(u64::MAX / 10_000 - 1, u64::MAX));
        assert!(space("\"1K\"").is_met(1024, 1 << 40) && !space("\"1K\"").is_met(1023, 1023));
        let inodes = |json: &str| serde_json::from_str::<InodeLimit>(json).unwrap();
        assert!(inodes("10").is_met(10, 20) && !inodes("10").is_met(9, 20));
        assert!(inodes("\"50%\"").is_met(10, 20) && !inodes("\"50%\"").is_met(9, 20));
    }
}
