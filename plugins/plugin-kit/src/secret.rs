//! Texts that nobody is shown.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;
use std::fmt;

/// A text, not empty, that no error and no log shows.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Secret(String);

impl Secret {
    /// For whom it is meant.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl TryFrom<String> for Secret {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        if text.is_empty() { Err("an empty secret proves nothing") } else { Ok(Self(text)) }
    }
}

impl JsonSchema for Secret {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // Nor does the host repeat it.
        json_schema!({ "type": "string", "minLength": 1, "writeOnly": true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_secret_is_not_shown() {
        let secret: Secret = serde_json::from_str("\"hunter2\"").unwrap();
        assert_eq!(secret.text(), "hunter2");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        let error = serde_json::from_str::<Secret>("\"\"").unwrap_err().to_string();
        assert!(error.contains("an empty secret proves nothing"), "{error}");
    }

    #[test]
    fn the_schema_takes_what_is_read() {
        bansuri_plugin_test::agree::<Secret>([
            (json!("hunter2"), true),
            (json!(""), false),
            (json!(1), false),
        ]);
    }
}
