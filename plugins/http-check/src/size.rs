//! Sizes as they are written in the configuration.

use serde::Deserialize;

/// A number of bytes greater than zero: a number, or `"64K"`, `"1M"`, `"1G"` (of 1024).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub(crate) struct Size(u64);

impl Size {
    pub(crate) const MEBIBYTE: Size = Size(1024 * 1024);

    /// In bytes.
    pub(crate) fn bytes(self) -> u64 {
        self.0
    }
}

const EXPECTED: &str = "expected a size such as 4096, 64K or 1M";

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a size such as 4096, 64K or 1M")]
enum Written {
    Bytes(u64),
    Text(String),
}

impl TryFrom<Written> for Size {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let (found, bytes) = match written {
            Written::Bytes(bytes) => (bytes.to_string(), Some(bytes)),
            Written::Text(text) => (format!("{text:?}"), bytes(&text)),
        };
        bytes.filter(|bytes| *bytes > 0).map(Self).ok_or_else(|| format!("{found}: {EXPECTED}"))
    }
}

fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = match text.strip_suffix(['K', 'k']) {
        Some(number) => (number, 1 << 10),
        None => match text.strip_suffix(['M', 'm']) {
            Some(number) => (number, 1 << 20),
            None => text.strip_suffix(['G', 'g']).map_or((text, 1), |number| (number, 1 << 30)),
        },
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<u64, String> {
        serde_json::from_str::<Size>(json).map(Size::bytes).map_err(|error| error.to_string())
    }

    #[test]
    fn sizes() {
        for (json, bytes) in
            [("1", 1), ("\"4096\"", 4096), ("\"64K\"", 65_536), ("\"2M\"", 2 << 20), ("\"1g\"", 1 << 30)]
        {
            assert_eq!(read(json), Ok(bytes), "{json}");
        }
        for json in
            ["0", "\"0K\"", "-1", "\"\"", "\"K\"", "\"1T\"", "\"1.5M\"", "\"99999999999999999G\"", "null"]
        {
            assert!(read(json).expect_err(json).contains(EXPECTED), "{json}");
        }
    }
}
