//! Slack's blocks. Limits: <https://api.slack.com/reference/block-kit/blocks>.

use crate::cut;
use bansuri_plugin_api::FailureInfo;
use bansuri_plugin_kit::{facts, heading, outputs};
use serde_json::{Value, json};

/// Characters of a header block.
const HEADER: usize = 150;
/// Characters of the text of a section.
const SECTION: usize = 3000;
/// Characters of a field of a section, of which there may be ten.
const FIELD: usize = 2000;

pub(super) fn body(failure: &FailureInfo) -> Value {
    let title = heading(failure);
    let fields: Vec<_> = facts(failure).iter().map(|(name, value)| field(name, value)).collect();
    let mut blocks = vec![
        json!({ "type": "header", "text": { "type": "plain_text", "text": cut::head(&title, HEADER, cut::utf16) } }),
        json!({ "type": "section", "fields": fields }),
    ];
    for (name, text) in outputs(failure) {
        blocks.push(json!({ "type": "section", "text": { "type": "mrkdwn", "text": output(name, text) } }));
    }
    // Shown in notifications, where there are no blocks.
    json!({ "text": escaped(&cut::head(&title, SECTION, cost)), "blocks": blocks })
}

fn field(name: &str, value: &str) -> Value {
    let label = format!("*{name}*\n");
    let value = escaped(&cut::head(value, FIELD - label.len(), cost));
    json!({ "type": "mrkdwn", "text": format!("{label}{value}") })
}

fn output(name: &str, text: &str) -> String {
    let (before, after) = (format!("*{name}*\n```\n"), "\n```");
    // Three backquotes of the output's own would end the block.
    let text = text.trim_end().replace("```", "'''");
    format!("{before}{}{after}", escaped(&cut::tail(&text, SECTION - before.len() - after.len(), cost)))
}

/// The three characters that mean something to Slack; in user and channel mentions too, so that no output calls anybody.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What a character counts once it is escaped.
fn cost(c: char) -> usize {
    match c {
        '&' => 5,
        '<' | '>' => 4,
        other => other.len_utf16(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bansuri_plugin_api::testing::Failure;

    #[test]
    fn a_small_failure() {
        let failure = Failure::of("a&b").command("x < y").stderr("oops <!channel>\n").build();
        let body = body(&failure);
        assert_eq!(body["text"], "task \"a&amp;b\" failed on host: exit code 1");
        assert_eq!(body["blocks"][0]["text"]["text"], "task \"a&b\" failed on host: exit code 1");
        let fields = body["blocks"][1]["fields"].as_array().unwrap();
        assert_eq!(fields[0], json!({ "type": "mrkdwn", "text": "*Task*\na&amp;b" }));
        assert_eq!(fields[1]["text"], "*Command*\nx &lt; y");
        assert_eq!(body["blocks"][2]["text"]["text"], "*Error*\n```\noops &lt;!channel&gt;\n```");
        assert_eq!(body["blocks"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn a_huge_failure_keeps_the_limits() {
        let long = "a <b> & ``` 😀\n".repeat(10_000);
        let failure = Failure::of(long.clone()).command(long.clone()).description(long.clone());
        let failure = failure.stdout(long.clone()).stderr(long).build();
        let body = body(&failure);
        let length = |value: &Value| value.as_str().unwrap().encode_utf16().count();
        let blocks = body["blocks"].as_array().unwrap();
        assert_eq!(blocks.len(), 4);
        assert!(length(&body["text"]) <= SECTION);
        assert!(length(&blocks[0]["text"]["text"]) <= HEADER);
        let fields = blocks[1]["fields"].as_array().unwrap();
        assert!(fields.len() <= 10 && fields.iter().all(|field| length(&field["text"]) <= FIELD));
        for block in &blocks[2..] {
            let text = block["text"]["text"].as_str().unwrap();
            assert!(
                length(&block["text"]["text"]) <= SECTION && length(&block["text"]["text"]) > SECTION - 50
            );
            assert_eq!(text.matches("```").count(), 2, "{text}");
            assert!(text.ends_with("😀\n```"), "{text}");
        }
    }
}
