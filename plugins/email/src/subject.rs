//! The subject of a mail.

use bansuri_plugin_api::FailureInfo;
use regex::{Captures, Regex};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;
use std::sync::LazyLock;

/// Text, and words in braces that stand for something.
const SYNTAX: &str = r"^([^{}\x00-\x1f\x7f]|\{(task|outcome|code|attempt|host)\})+$";

/// A template.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Subject(String);

impl Subject {
    /// Of one failure: one line, whatever a task calls itself.
    pub(crate) fn text(&self, failure: &FailureInfo) -> String {
        static WORD: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"\{([a-z]+)\}").expect("the syntax is an expression"));
        let text = WORD.replace_all(&self.0, |found: &Captures<'_>| match &found[1] {
            "task" => failure.task_name().to_owned(),
            "outcome" => failure.outcome().to_owned(),
            "code" => failure.return_code().to_string(),
            "attempt" => failure.attempt().to_string(),
            // The template has no other.
            _ => failure.host_name().to_owned(),
        });
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    }
}

impl Default for Subject {
    fn default() -> Self {
        Self("[bansuri] {task}: {outcome} on {host}".to_owned())
    }
}

impl TryFrom<String> for Subject {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        static KNOWN: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(SYNTAX).expect("the syntax is an expression"));
        if KNOWN.is_match(&text) {
            return Ok(Self(text));
        }
        Err(format!(
            "{text:?}: expected a line with {{task}}, {{outcome}}, {{code}}, {{attempt}} and {{host}} only in braces"
        ))
    }
}

impl JsonSchema for Subject {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Subject".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": SYNTAX, "default": Subject::default().0, "examples": ["{task} on {host}: {outcome}"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bansuri_plugin_api::testing::Failure;
    use bansuri_plugin_test::{agree, read};

    #[test]
    fn words_are_replaced() {
        let failure =
            Failure::of("a {host}\r\nBcc: b").return_code(7).attempt(2, None).host_name("db1").build();
        let check = |template: &str, expect: &str| {
            assert_eq!(Subject::try_from(template.to_owned()).unwrap().text(&failure), expect);
        };
        check("{task}/{outcome}/{code}/{attempt}/{host} ünd so", "a {host}  Bcc: b/FAILED/7/2/db1 ünd so");
        assert_eq!(Subject::default().text(&failure), "[bansuri] a {host}  Bcc: b: FAILED on db1");
    }

    #[test]
    fn what_is_no_template() {
        for text in ["", "{}", "{tsk}", "{task", "task}", "{{task}}", "a\nb", "{Task}"] {
            let error = read::<Subject>(&text.into()).expect_err(text);
            assert!(error.contains("expected a line with {task}, {outcome}"), "{error}");
        }
        agree::<Subject>([("{task} {code}", true)]);
    }
}
