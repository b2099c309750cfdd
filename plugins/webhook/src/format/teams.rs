//! An adaptive card for Microsoft Teams. Limit: 28 KB for a message,
//! <https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook>.

use crate::cut;
use bansuri_plugin_api::FailureInfo;
use bansuri_plugin_kit::{facts, heading, outputs};
use serde_json::{Value, json};

/// Bytes of JSON for each output: both and the rest stay below the limit of a message.
const OUTPUT: usize = 8 * 1024;
/// Bytes of JSON for the heading, and for one detail, of which there are nine.
const DETAIL: usize = 512;

pub(super) fn body(failure: &FailureInfo) -> Value {
    let facts: Vec<_> = facts(failure)
        .iter()
        .map(|(name, value)| json!({ "title": name, "value": cut::head(value, DETAIL, cut::json) }))
        .collect();
    let mut card = vec![
        json!({
            "type": "TextBlock", "size": "Medium", "weight": "Bolder", "color": "Attention", "wrap": true,
            "text": cut::head(&heading(failure), DETAIL, cut::json),
        }),
        json!({ "type": "FactSet", "facts": facts }),
    ];
    for (name, text) in outputs(failure) {
        card.push(json!({ "type": "TextBlock", "weight": "Bolder", "text": name }));
        // Rich text knows no markdown, so that output is shown as it is, line by line.
        card.push(json!({
            "type": "RichTextBlock",
            "inlines": [{
                "type": "TextRun", "fontType": "Monospace",
                "text": cut::tail(text.trim_end(), OUTPUT, cut::json),
            }],
        }));
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": { "width": "Full" },
                "body": card,
            },
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bansuri_plugin_api::testing::Failure;

    #[test]
    fn a_small_failure() {
        let body = body(&Failure::of("a").stdout("out\n").build());
        assert_eq!(body["type"], "message");
        let card = &body["attachments"][0]["content"];
        assert_eq!((&card["type"], &card["version"]), (&json!("AdaptiveCard"), &json!("1.4")));
        assert_eq!(card["body"][0]["text"], "task \"a\" failed on host: exit code 1");
        assert_eq!(card["body"][1]["facts"][0], json!({ "title": "Task", "value": "a" }));
        assert_eq!(card["body"][2]["text"], "Output");
        assert_eq!(card["body"][3]["inlines"][0]["text"], "out");
        assert_eq!(card["body"].as_array().unwrap().len(), 4);
    }

    #[test]
    fn a_huge_failure_keeps_the_limit() {
        let long = "\u{1}\u{2}\"\\€ \n".repeat(10_000);
        let failure =
            Failure::of(long.clone()).command(long.clone()).description(long.clone()).reason(long.clone());
        let failure =
            failure.stdout(long.clone()).stderr(long.clone()).run_id(long.clone()).host_name(long).build();
        let length = body(&failure).to_string().len();
        assert!(length <= 28 * 1000 && length > 2 * OUTPUT, "{length}");
    }
}
