//! The options of a check.

use crate::redirects::Redirects;
use crate::statuses::Statuses;
use bansuri_http_client::ureq::http::Method;
use bansuri_http_client::{Headers, Url};
use bansuri_plugin_kit::{Size, Span, Trust};
use regex::bytes::Regex;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What `options` holds in the configuration; README.md has the table.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Options {
    pub(crate) url: Url,
    #[serde(default)]
    pub(crate) method: Verb,
    #[serde(default)]
    pub(crate) headers: Headers,
    pub(crate) body: Option<String>,
    #[serde(default)]
    pub(crate) expect_status: Statuses,
    pub(crate) expect_body: Option<Pattern>,
    pub(crate) max_latency: Option<Span>,
    #[serde(default = "default_timeout")]
    pub(crate) timeout: Span,
    #[serde(default)]
    pub(crate) follow_redirects: Redirects,
    ca_file: Option<PathBuf>,
    #[serde(default)]
    insecure: bool,
    #[serde(default = "default_body_limit")]
    pub(crate) body_limit: Size,
}

fn default_timeout() -> Span {
    const { Span::new(Duration::from_secs(10)).expect("10 is not 0") }
}

fn default_body_limit() -> Size {
    Size::MEBIBYTE
}

impl Options {
    /// What the options cannot say together.
    pub(crate) fn checked(self) -> Result<Self, String> {
        let takes_body = matches!(self.method.0, Method::POST | Method::PUT | Method::PATCH);
        if self.body.is_some() && !takes_body {
            return Err(format!("options.body: {} sends none, use POST, PUT or PATCH", self.method.0));
        }
        self.trust(Path::new("/"))?;
        Ok(self)
    }

    /// Whose certificates are good. A relative `ca-file` lies in the task's working directory.
    pub(crate) fn trust(&self, working_directory: &Path) -> Result<Trust, String> {
        Trust::new(self.ca_file.as_ref().map(|path| working_directory.join(path)), self.insecure)
            .map_err(|error| format!("options: {error}"))
    }
}

/// A method that can be sent.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Verb(pub(crate) Method);

impl TryFrom<String> for Verb {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let known = [
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::OPTIONS,
        ];
        let upper = text.to_ascii_uppercase();
        known
            .into_iter()
            .find(|method| method.as_str() == upper)
            .map(Verb)
            .ok_or_else(|| format!("{text:?}: expected GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS"))
    }
}

/// A regular expression over the bytes of a body.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Pattern(pub(crate) Regex);

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // The crate's errors are drawings of several lines; the last says what is wrong.
        Regex::new(&text).map(Pattern).map_err(|error| {
            let drawing = error.to_string();
            let what = drawing.lines().last().unwrap_or_default();
            format!("{text:?}: no regular expression: {}", what.trim_start_matches("error: "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(json: &str) -> String {
        serde_json::from_str::<Options>(json).unwrap_err().to_string()
    }

    #[test]
    fn defaults() {
        let options: Options = serde_json::from_str(r#"{ "url": "http://localhost/" }"#).unwrap();
        assert_eq!(options.method.0, Method::GET);
        assert_eq!(options.timeout.duration(), Duration::from_secs(10));
        assert_eq!(options.follow_redirects.limit(), 10);
        assert_eq!(options.body_limit.bytes(), 1 << 20);
        assert_eq!(options.trust(Path::new("/srv")), Ok(Trust::Public));
    }

    #[test]
    fn a_ca_file_lies_in_the_working_directory() {
        let json = r#"{ "url": "http://localhost/", "ca-file": "ca.pem" }"#;
        let options: Options = serde_json::from_str(json).unwrap();
        assert_eq!(options.trust(Path::new("/srv")), Ok(Trust::File("/srv/ca.pem".into())));
    }

    #[test]
    fn what_cannot_go_together() {
        let checked = |json| serde_json::from_str::<Options>(json).unwrap().checked();
        let error = checked(r#"{ "url": "http://a/", "body": "x" }"#).unwrap_err();
        assert_eq!(error, "options.body: GET sends none, use POST, PUT or PATCH");
        let error = checked(r#"{ "url": "http://a/", "ca-file": "x", "insecure": true }"#).unwrap_err();
        assert_eq!(error, "options: ca-file and insecure exclude each other");
        assert!(checked(r#"{ "url": "http://a/", "method": "put", "body": "x" }"#).is_ok());
    }

    #[test]
    fn errors_name_the_value_and_what_is_valid() {
        assert!(error("{}").contains("missing field `url`"));
        assert!(
            error(r#"{ "url": "http://a/", "uri": 1 }"#)
                .contains("unknown field `uri`, expected one of `url`")
        );
        assert!(
            error(r#"{ "url": "http://a/", "method": "FETCH" }"#).contains("\"FETCH\": expected GET, HEAD")
        );
        assert!(
            error(r#"{ "url": "http://a/", "expect-body": "a(b" }"#)
                .contains("no regular expression: unclosed group")
        );
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
        let options = configuration.pointer("/scripts/0/options").unwrap().clone();
        serde_json::from_value::<Options>(options).unwrap();
    }
}
