//! Options from the configuration, as a type of the author's.

use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;

/// The options do not fit the type that was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OptionsError(String);

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OptionsError {}

/// The JSON text of the options; empty text stands for no options.
pub(super) fn parse(text: &str) -> Result<Value, OptionsError> {
    if text.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    serde_json::from_str(text).map_err(|error| OptionsError(format!("options: {error}")))
}

/// The options as a `T`; the error names the field.
pub(super) fn read<T: DeserializeOwned>(options: &Value) -> Result<T, OptionsError> {
    serde_path_to_error::deserialize(options).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        // The path of the object itself is a lone dot.
        OptionsError(if path == "." {
            format!("options: {error}")
        } else {
            format!("options.{path}: {error}")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Options {
        url: String,
        #[serde(default)]
        limits: Vec<Limit>,
    }

    #[derive(Deserialize, Debug)]
    #[allow(dead_code)]
    struct Limit {
        seconds: u64,
    }

    fn error(text: &str) -> String {
        read::<Options>(&parse(text).unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn an_error_names_the_field() {
        assert_eq!(error("{}"), "options: missing field `url`");
        assert_eq!(error(""), "options: missing field `url`");
        assert_eq!(
            error(r#"{"url":"x","limits":[{"seconds":1},{"seconds":"5"}]}"#),
            "options.limits[1].seconds: invalid type: string \"5\", expected u64"
        );
        assert_eq!(error(r#"{"ulr":"x"}"#), "options.ulr: unknown field `ulr`, expected `url` or `limits`");
    }

    #[test]
    fn what_is_no_json_is_an_error() {
        assert!(parse("{").unwrap_err().to_string().starts_with("options: "));
    }
}
