//! The options of a check.

use crate::redirects::Redirects;
use crate::statuses::Statuses;
use bansuri_http_client::ureq::http::Method;
use bansuri_http_client::{Headers, Url};
use bansuri_plugin_kit::{Size, Span, Trust};
use regex::bytes::Regex;
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What is asked, and what is a good answer. README.md has the table.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "http-check")]
pub(crate) struct Options {
    /// What is asked, http or https, without credentials.
    pub(crate) url: Url,
    /// How it is asked.
    #[serde(default)]
    #[schemars(extend("default" = "GET"))]
    pub(crate) method: Verb,
    /// Names and values sent with the request.
    #[serde(default)]
    pub(crate) headers: Headers,
    /// Text sent with the request, by a method that takes one: POST, PUT or PATCH.
    pub(crate) body: Option<String>,
    /// Good statuses: a number, `"2xx"`, `"200-204"`, or a list of them.
    #[serde(default)]
    #[schemars(extend("default" = "200-299"))]
    pub(crate) expect_status: Statuses,
    /// A regular expression that the body has to match somewhere.
    pub(crate) expect_body: Option<Pattern>,
    /// The longest good time from the lookup of the name to the end of the body, redirects included.
    pub(crate) max_latency: Option<Span>,
    /// When the check is given up.
    #[serde(default = "default_timeout")]
    #[schemars(extend("default" = "10s"))]
    pub(crate) timeout: Span,
    /// `true` (10 of them), `false` (a redirect is the answer), or how many.
    #[serde(default)]
    #[schemars(extend("default" = true))]
    pub(crate) follow_redirects: Redirects,
    /// A PEM file of the authorities to trust instead of the public ones; relative to the working directory.
    ca_file: Option<PathBuf>,
    /// Whether every certificate is good.
    #[serde(default)]
    insecure: bool,
    /// How much of the body is read; the rest is not looked at.
    #[serde(default = "default_body_limit")]
    #[schemars(extend("default" = "1M"))]
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
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend(
    "pattern" = "^([Gg][Ee][Tt]|[Hh][Ee][Aa][Dd]|[Pp][Oo][Ss][Tt]|[Pp][Uu][Tt]|[Pp][Aa][Tt][Cc][Hh]|\
                 [Dd][Ee][Ll][Ee][Tt][Ee]|[Oo][Pp][Tt][Ii][Oo][Nn][Ss])$",
    "examples" = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
))]
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
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("format" = "regex"))]
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
    use bansuri_plugin_test::{
        HEADERS, SPANS, URLS, Values, agree, agree_on_options, documented, example, option_names,
    };
    use serde_json::json;

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

    /// Of each option what is good and what is not.
    const OPTIONS: &[(&str, Values)] = &[
        ("url", URLS),
        ("headers", HEADERS),
        (
            "method",
            Values {
                good: r#"["GET", "get", "Patch", "OPTIONS", "delete", "PUT", "Head", "POST"]"#,
                bad: r#"["FETCH", "", "GETS", " GET", null, 1]"#,
            },
        ),
        ("body", Values { good: r#"["", "a", null]"#, bad: "[1, {}, []]" }),
        (
            "expect-status",
            Values {
                good: r#"[200, 100, 599, "204", "2xx", "5XX", "200-299", " 200 - 299 ", [200, "4xx"], "0200", "+2xx"]"#,
                bad: r#"[0, 99, 600, -1, 70000, 200.5, "", "xx", "6xx", "0xx", "2x", "2Xx", " 2xx", "200-", "-200", "99", "600",
                "200-600", "1-200", [], [600], [[200]], {}, null, true]"#,
            },
        ),
        ("expect-body", Values { good: r#"["", "a|b", null]"#, bad: "[1, []]" }),
        (
            "max-latency",
            Values {
                good: r#"[1, 18446744073709551615, "2", "500ms", "0m1s", "1d2h3m4s5ms", "007", null]"#,
                bad: r#"[0, -1, 1.5, "", "0", "0s", "s", "5 s", "5x", "-5s", "1.5s", "5s ", "+5", "+5s", true, []]"#,
            },
        ),
        ("timeout", SPANS),
        (
            "follow-redirects",
            Values { good: "[true, false, 0, 4294967295]", bad: r#"[-1, 4294967296, 1.5, "yes", null]"# },
        ),
        ("ca-file", Values { good: r#"["", "ca.pem", null]"#, bad: "[1, {}]" }),
        ("insecure", Values { good: "[true, false]", bad: r#"["true", 1, null]"# }),
        (
            "body-limit",
            Values {
                good: r#"[1, "4096", "64K", "2m", "1G", "01k", "1T", 18446744073709551615]"#,
                bad: r#"[0, "0K", -1, 1.5, "", "K", "+1", "1P", "1KB", "1.5M", "1 M", null]"#,
            },
        ),
        ("uri", Values { good: "[]", bad: "[1, null]" }),
    ];

    /// No schema can tell that these are wrong.
    const BEYOND_A_SCHEMA: &[(&str, &str)] = &[
        ("url", r#"["http://[::1/"]"#),
        ("headers", r#"[{ "A": "b", "a": "c" }]"#),
        ("expect-status", r#"["299-200"]"#),
        ("expect-body", r#"["a(b"]"#),
        ("timeout", r#"[1.0, "99999999999999999d"]"#),
        ("body-limit", r#"["99999999999999999G"]"#),
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
        bansuri_plugin_test::read::<Options>(&example(include_str!("../README.md"), "/scripts/0/options"))
            .unwrap();
    }
}
