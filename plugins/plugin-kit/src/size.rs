//! Sizes as they are written in the configuration, and for people.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;

/// A number of bytes greater than zero: a number, or `"64K"`, `"1M"`, `"5G"`, `"2T"` (of 1024).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct Size(u64);

impl Size {
    /// 1024 × 1024.
    pub const MEBIBYTE: Size = Size(1024 * 1024);

    /// In bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

const EXPECTED: &str = "expected a size such as 4096, 64K, 1M or 5G";

const UNITS: [(char, u64); 4] = [('K', 1 << 10), ('M', 1 << 20), ('G', 1 << 30), ('T', 1 << 40)];

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a size such as 4096, 64K, 1M or 5G")]
enum Written {
    Bytes(u64),
    Text(String),
}

impl TryFrom<Written> for Size {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Bytes(0) => Err(format!("0: {EXPECTED}")),
            Written::Bytes(bytes) => Ok(Self(bytes)),
            Written::Text(text) => text.parse(),
        }
    }
}

impl std::str::FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bytes = bytes(text).filter(|bytes| *bytes > 0);
        bytes.map(Self).ok_or_else(|| format!("{text:?}: {EXPECTED}"))
    }
}

fn bytes(text: &str) -> Option<u64> {
    let unit = |c: char| UNITS.iter().find(|(letter, _)| c.eq_ignore_ascii_case(letter));
    let (number, unit) = match text.char_indices().next_back() {
        Some((at, c)) => unit(c).map_or((text, 1), |(_, bytes)| (&text[..at], *bytes)),
        None => return None,
    };
    // `parse` alone would take a sign.
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse::<u64>().ok().filter(|_| digits)?.checked_mul(unit)
}

impl JsonSchema for Size {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": EXPECTED.trim_start_matches("expected "),
            "anyOf": [
                { "type": "integer", "minimum": 1, "maximum": u64::MAX },
                { "type": "string", "pattern": "^0*[1-9][0-9]*[KMGTkmgt]?$",
                  "examples": ["64K", "1M", "5G"] }
            ]
        })
    }
}

/// A number of bytes for people: `512 B`, `64.0 KiB`, `1.5 GiB`.
pub fn human_size(bytes: u64) -> String {
    // A tenth of a unit is as much as is shown: what would be shown as 1024.0 is one of the next unit.
    let fits = |unit: u64| bytes as f64 / unit as f64 >= 1.0 - 0.05 / 1024.0;
    match UNITS.iter().rev().find(|(_, unit)| fits(*unit)) {
        Some((letter, unit)) => format!("{:.1} {letter}iB", bytes as f64 / *unit as f64),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bansuri_plugin_test::beyond_schema;

    fn read(json: &str) -> Result<u64, String> {
        bansuri_plugin_test::read(&json.parse().unwrap()).map(Size::bytes)
    }

    #[test]
    fn sizes() {
        for (json, bytes) in [
            ("1", 1),
            ("\"4096\"", 4096),
            ("\"64K\"", 65_536),
            ("\"2M\"", 2 << 20),
            ("\"1g\"", 1 << 30),
            ("\"010T\"", 10 << 40),
        ] {
            assert_eq!(read(json), Ok(bytes), "{json}");
        }
        let faulty = [
            "0", "\"0K\"", "-1", "\"\"", "\"K\"", "\"+1\"", "\"1P\"", "\"1.5M\"", "\"1 K\"", "\"1€\"", "null",
        ];
        for json in faulty {
            assert!(read(json).expect_err(json).contains(EXPECTED), "{json}");
        }
        assert!(beyond_schema::<Size>(&"99999999999999999G".into()).contains(EXPECTED));
    }

    #[test]
    fn sizes_for_people() {
        for (bytes, shown) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            ((1 << 20) - 1, "1.0 MiB"),
            (5 << 30, "5.0 GiB"),
            (u64::MAX, "16777216.0 TiB"),
        ] {
            assert_eq!(human_size(bytes), shown);
        }
    }
}
