//! The options of a webhook.

use crate::format::Format;
use bansuri_http_client::{Headers, Url};
use bansuri_plugin_kit::{Secret, Span, Trust};
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// Where failures are posted, and how. README.md has the table.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "webhook")]
pub(crate) struct Options {
    /// Where failures are posted, http or https, without credentials.
    #[schemars(extend("writeOnly" = true))]
    pub(crate) url: Url,
    /// The shape of the body.
    #[serde(default)]
    #[schemars(extend("default" = "json"))]
    pub(crate) format: Format,
    /// Names and values sent with the request.
    #[serde(default)]
    pub(crate) headers: Headers,
    /// When one attempt is given up.
    #[serde(default = "default_timeout")]
    #[schemars(extend("default" = "10s"))]
    pub(crate) timeout: Span,
    /// When all attempts are given up, pauses included; below the notifier's own timeout.
    #[serde(default = "default_total_timeout")]
    #[schemars(extend("default" = "28s"))]
    pub(crate) total_timeout: Span,
    /// Attempts after the first, where the failure may pass.
    #[serde(default = "default_retries")]
    #[schemars(range(max = 4_294_967_295_u32))]
    pub(crate) retries: u32,
    /// The pause before the first retry; each further one is twice as long.
    #[serde(default = "default_backoff")]
    #[schemars(extend("default" = "1s"))]
    pub(crate) backoff: Span,
    /// Signs the body: `X-Bansuri-Signature` is `sha256=` and its HMAC-SHA256.
    pub(crate) secret: Option<Secret>,
    /// A PEM file of the authorities to trust instead of the public ones, absolute.
    ca_file: Option<PathBuf>,
    /// Whether every certificate is good.
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
    use bansuri_plugin_test::{
        HEADERS, SPANS, URLS, Values, agree, agree_on_options, documented, example, option_names,
    };
    use serde_json::json;

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

    /// Of each option what is good and what is not.
    const OPTIONS: &[(&str, Values)] = &[
        ("url", URLS),
        ("headers", HEADERS),
        (
            "format",
            Values {
                good: r#"["json", "slack", "discord", "teams"]"#,
                bad: r#"["irc", "JSON", "", null, 1]"#,
            },
        ),
        ("timeout", SPANS),
        ("total-timeout", SPANS),
        ("backoff", SPANS),
        ("retries", Values { good: "[0, 3, 4294967295]", bad: r#"[-1, 4294967296, 1.5, "3", null]"# }),
        ("secret", Values { good: r#"["a", null]"#, bad: r#"["", 1]"# }),
        ("ca-file", Values { good: r#"["/ca.pem", null]"#, bad: "[1, []]" }),
        ("insecure", Values { good: "[true, false]", bad: r#"["true", null]"# }),
        ("uri", Values { good: "[]", bad: "[1, null]" }),
    ];

    /// No schema can tell that these are wrong.
    const BEYOND_A_SCHEMA: &[(&str, &str)] = &[
        ("url", r#"["http://[::1/"]"#),
        ("headers", r#"[{ "A": "b", "a": "c" }]"#),
        ("retries", "[1.0]"),
        ("timeout", r#"["99999999999999999d"]"#),
    ];

    /// What a checker refuses by the schema, and what the type refuses: the same, but for what no schema can say.
    #[test]
    fn the_schema_takes_what_the_type_takes() {
        agree_on_options::<Options>(&json!({ "url": "http://a/" }), OPTIONS, BEYOND_A_SCHEMA);
        agree::<Options>([(json!({}), false)]);
    }

    /// The schema, the table in the README and the options are one list.
    #[test]
    fn schema_readme_and_options_agree() {
        assert_eq!(documented(include_str!("../README.md")), option_names::<Options>());
    }

    #[test]
    fn the_example_in_the_readme_is_valid() {
        bansuri_plugin_test::read::<Options>(&example(
            include_str!("../README.md"),
            "/notifiers/ops/options",
        ))
        .unwrap();
    }
}
