//! Headers of requests, from the configuration.

use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use ureq::http::{HeaderMap, HeaderName, HeaderValue};

/// Header names and values that can be sent. Values may be secrets: errors do not show them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(try_from = "BTreeMap<String, String>")]
#[schemars(with = "BTreeMap<String, String>", extend(
    "propertyNames" = { "pattern": "^[0-9A-Za-z!#$%&'*+.^_`|~-]+$" },
    "additionalProperties" = { "type": "string", "pattern": r"^[^\x00-\x08\x0a-\x1f\x7f]*$", "writeOnly": true },
    "default" = {},
))]
pub struct Headers(HeaderMap);

impl Headers {
    /// For requests.
    pub fn map(&self) -> &HeaderMap {
        &self.0
    }
}

impl TryFrom<BTreeMap<String, String>> for Headers {
    type Error = String;

    fn try_from(written: BTreeMap<String, String>) -> Result<Self, String> {
        let mut map = HeaderMap::with_capacity(written.len());
        for (name, value) in written {
            let key: HeaderName = name.parse().map_err(|_| format!("{name:?}: no valid header name"))?;
            let value = HeaderValue::from_str(&value)
                .map_err(|_| format!("{name:?}: its value holds what no header may hold"))?;
            if map.insert(key, value).is_some() {
                return Err(format!("{name:?}: this header is there twice"));
            }
        }
        Ok(Self(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Headers, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn names_in_any_case() {
        let headers = read(r#"{ "X-Token": "a b", "accept": "text/plain" }"#).unwrap();
        assert_eq!(headers.map()["x-token"], "a b");
        assert_eq!(headers.map().len(), 2);
    }

    #[test]
    fn what_cannot_be_sent() {
        assert!(read(r#"{ "a b": "c" }"#).unwrap_err().contains("\"a b\": no valid header name"));
        assert!(read(r#"{ "A": "b", "a": "c" }"#).unwrap_err().contains("there twice"));
        let error = read(r#"{ "A": "secret\r\nB: c" }"#).unwrap_err();
        assert!(error.contains("\"A\": its value holds") && !error.contains("secret"), "{error}");
    }
}
