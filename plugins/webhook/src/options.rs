//! The options of a webhook.

use crate::format::Format;
use bansuri_http_client::{Headers, Url};
use bansuri_plugin_kit::{Secret, Span, Trust};
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// What `options` holds in the configuration; README.md has the table.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Options {
    pub(crate) url: Url,
    #[serde(default)]
    pub(crate) format: Format,
    #[serde(default)]
    pub(crate) headers: Headers,
    #[serde(default = "default_timeout")]
    pub(crate) timeout: Span,
    #[serde(default = "default_total_timeout")]
    pub(crate) total_timeout: Span,
    #[serde(default = "default_retries")]
    pub(crate) retries: u32,
    #[serde(default = "default_backoff")]
    pub(crate) backoff: Span,
    pub(crate) secret: Option<Secret>,
    ca_file: Option<PathBuf>,
    #[serde(default)]
    insecure: bool,
}

fn default_timeout() -> Span {
    const { Span::new(Duration::from_secs(10)).expect("10 is not 0") }
}

/// Below the 30 s that the host gives a notifier, so that the reason is told before it abandons the call.
fn default_total_timeout() -> Span {
    const { Span::new(Duration::from_secs(28)).expect("28 is not 0") }
}

fn default_retries() -> u32 {
    3
}

fn default_backoff() -> Span {
    const { Span::new(Duration::from_secs(1)).expect("1 is not 0") }
}

impl Options {
    /// Whose certificates are good.
    pub(crate) fn trust(&self) -> Result<Trust, String> {
        Trust::of_notifier(self.ca_file.as_deref(), self.insecure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Options {
        serde_json::from_str(json).unwrap()
    }

    fn error(json: &str) -> String {
        serde_json::from_str::<Options>(json).unwrap_err().to_string()
    }

    #[test]
    fn defaults() {
        let options = read(r#"{ "url": "http://localhost/" }"#);
        assert_eq!((options.format, options.retries, options.secret.is_none()), (Format::Json, 3, true));
        assert_eq!(options.timeout.duration(), Duration::from_secs(10));
        assert_eq!(options.total_timeout.duration(), Duration::from_secs(28));
        assert_eq!(options.backoff.duration(), Duration::from_secs(1));
        assert_eq!(options.trust(), Ok(Trust::Public));
    }

    #[test]
    fn what_cannot_be() {
        assert!(
            error(r#"{ "url": "http://a/", "format": "irc" }"#).contains("expected one of `json`, `slack`")
        );
        assert!(error(r#"{ "url": "http://a/", "secret": "" }"#).contains("an empty secret"));
        assert!(error(r#"{ "url": "http://a/", "retries": -1 }"#).contains("invalid value"));
        let relative = read(r#"{ "url": "http://a/", "ca-file": "ca.pem" }"#).trust().unwrap_err();
        assert_eq!(relative, "options.ca-file: \"ca.pem\": expected an absolute path");
        assert!(read(r#"{ "url": "http://a/", "ca-file": "/ca.pem", "insecure": true }"#).trust().is_err());
    }

    #[test]
    fn a_secret_is_not_shown() {
        let options = read(r#"{ "url": "http://a/", "secret": "hunter2" }"#);
        assert!(!format!("{options:?}").contains("hunter2"));
    }

    /// The schema, the table in the README and the options are one list.
    #[test]
    fn schema_readme_and_options_agree() {
        let schema: serde_json::Value = serde_json::from_str(include_str!("../options.schema.json")).unwrap();
        let mut described: Vec<_> = schema["properties"].as_object().unwrap().keys().cloned().collect();
        described.sort();
        let unknown = error(r#"{ "?": 1 }"#);
        let (_, list) = unknown.split_once("expected one of ").unwrap();
        let list = list.split(" at line").next().unwrap();
        let mut known: Vec<_> = list.split(", ").map(|name| name.trim_matches('`').to_owned()).collect();
        known.sort();
        assert_eq!(described, known);
        assert_eq!(schema["additionalProperties"], false);
        let rows = include_str!("../README.md").lines().filter_map(|line| line.strip_prefix("| `"));
        let mut rows: Vec<_> = rows.map(|row| row.split('`').next().unwrap().to_owned()).collect();
        rows.sort();
        assert_eq!(rows, known);
    }

    #[test]
    fn the_example_in_the_readme_is_valid() {
        let (_, rest) = include_str!("../README.md").split_once("```json\n").unwrap();
        let configuration: serde_json::Value =
            serde_json::from_str(rest.split("```").next().unwrap()).unwrap();
        let options = configuration.pointer("/notifiers/ops/options").unwrap().clone();
        serde_json::from_value::<Options>(options).unwrap();
    }
}
