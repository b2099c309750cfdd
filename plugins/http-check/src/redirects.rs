//! How many redirects are followed.

use schemars::JsonSchema;
use serde::Deserialize;

/// `true` (10), `false` (none) or a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(from = "Written")]
#[schemars(with = "Written")]
pub(crate) struct Redirects(u32);

impl Redirects {
    pub(crate) fn limit(self) -> u32 {
        self.0
    }
}

impl Default for Redirects {
    fn default() -> Self {
        Self(10)
    }
}

#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(untagged, expecting = "expected true, false or the number of redirects to follow")]
enum Written {
    Whether(bool),
    Limit(#[schemars(range(max = 4_294_967_295_u32))] u32),
}

impl From<Written> for Redirects {
    fn from(written: Written) -> Self {
        match written {
            Written::Whether(true) => Self::default(),
            Written::Whether(false) => Self(0),
            Written::Limit(limit) => Self(limit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_them() {
        let read = |json| serde_json::from_str(json).map(Redirects::limit).map_err(|error| error.to_string());
        assert_eq!((read("true"), read("false"), read("3")), (Ok(10), Ok(0), Ok(3)));
        assert_eq!(
            read("\"yes\""),
            Err("expected true, false or the number of redirects to follow".to_owned())
        );
    }
}
