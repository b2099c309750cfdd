//! A message for Discord. Limits: <https://discord.com/developers/docs/resources/webhook#execute-webhook>.

use crate::cut;
use bansuri_plugin_api::FailureInfo;
use bansuri_plugin_kit::{facts, heading, outputs};
use serde_json::{Value, json};

/// Characters of a message; counted in UTF-16, which never comes to less.
const CONTENT: usize = 2000;
/// Of those, for the heading.
const HEADING: usize = 400;
/// Of those, for one detail.
const DETAIL: usize = 100;
/// What is around the text of one output.
const AROUND: usize = "\n**Output**\n```\n\n```".len();

pub(super) fn body(failure: &FailureInfo) -> Value {
    let mut content = format!("**{}**", escaped(&heading(failure), HEADING));
    for (name, value) in facts(failure) {
        content.push_str(&format!("\n{name}: {}", escaped(&value, DETAIL)));
    }
    let outputs = outputs(failure);
    let mut left = CONTENT.saturating_sub(content.encode_utf16().count());
    for (index, (name, text)) in outputs.iter().enumerate() {
        let share = left / (outputs.len() - index);
        // Three backquotes of the output's own would end the block.
        let text = text.trim_end().replace("```", "'''");
        let text = cut::tail(&text, share.saturating_sub(AROUND), cut::utf16);
        let part = format!("\n**{name}**\n```\n{text}\n```");
        left = left.saturating_sub(part.encode_utf16().count());
        content.push_str(&part);
    }
    // No output calls anybody.
    json!({ "content": content, "allowed_mentions": { "parse": [] } })
}

/// One line, cut, with what means something to Discord shown as it is.
fn escaped(text: &str, limit: usize) -> String {
    let special = |c: char| matches!(c, '\\' | '*' | '_' | '~' | '`' | '|' | '>' | '#' | '[' | ']');
    let line = text.replace(['\n', '\r'], " ");
    let mut escaped = String::with_capacity(line.len());
    for c in cut::head(&line, limit, |c| c.len_utf16() + usize::from(special(c))).chars() {
        if special(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use bansuri_plugin_api::testing::Failure;

    #[test]
    fn a_small_failure() {
        let body = body(&Failure::of("a_b").command("x\ny").stdout("out ```\n").stderr("@everyone").build());
        let content = body["content"].as_str().unwrap();
        assert!(
            content
                .starts_with("**task \"a\\_b\" failed on host: exit code 1**\nTask: a\\_b\nCommand: x y\n")
        );
        let outputs = "\n**Output**\n```\nout '''\n```\n**Error**\n```\n@everyone\n```";
        assert!(content.ends_with(outputs), "{content}");
        assert_eq!(body["allowed_mentions"], json!({ "parse": [] }));
    }

    #[test]
    fn a_huge_failure_keeps_the_limit() {
        let long = "a*b 😀 ```\n".repeat(10_000);
        let failure =
            Failure::of(long.clone()).command(long.clone()).description(long.clone()).reason(long.clone());
        let failure =
            failure.stdout(long.clone()).stderr(long.clone()).run_id(long.clone()).host_name(long).build();
        let body = body(&failure);
        let content = body["content"].as_str().unwrap();
        let length = content.encode_utf16().count();
        assert!(length <= CONTENT && length > CONTENT - 100, "{length}");
        assert_eq!(content.matches("```").count(), 4, "{content}");
        assert!(content.contains("**Output**") && content.contains("**Error**"));
    }
}
