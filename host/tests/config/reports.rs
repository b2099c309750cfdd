//! Reports as people and programs see them.

use crate::run;
use bansuri::config::{Diagnostic, render_human, render_json};

fn findings(text: &str) -> Vec<Diagnostic> {
    let (Ok((_, findings)) | Err(findings)) = run(text);
    findings
}

const TEXT: &str = r#"{
  "verison": "1.0",
  "scripts": [
    {
      "name": "bäckup", "timeout": "5x",
      "on-fail": "restrat"
    }
  ]
}
"#;

#[test]
fn every_finding_has_its_place_its_line_and_what_helps() {
    let expected = r#"warning[unknown-key]: verison: unknown key
 --> scripts.json:2:3
  |
2 |   "verison": "1.0",
  |   ^^^^^^^^^
  |
  = help: did you mean "version"?

error[missing-key]: task "bäckup": command is missing
 --> scripts.json:4:5
  |
4 |     {
  |     ^

error[invalid-value]: task "bäckup": timeout "5x": expected a duration such as 30s, 5m or 1h30m
 --> scripts.json:5:36
  |
5 |       "name": "bäckup", "timeout": "5x",
  |                                    ^^^^
  |
  = help: the units are ms, s, m, h and d

error[invalid-value]: task "bäckup": on-fail "restrat": expected "stop", "restart" or "ignore"
 --> scripts.json:6:18
  |
6 |       "on-fail": "restrat"
  |                  ^^^^^^^^^
  |
  = help: did you mean "restart"?

"#;
    let report = render_human(&findings(TEXT), TEXT, false);
    assert_eq!(report, expected, "\n{report}");
}

#[test]
fn the_end_of_the_file_is_a_place() {
    let text = "{\n  \"scripts\":\n";
    let expected = r#"error[syntax]: expected a value, found the end of the file
 --> scripts.json:3:1
  |
3 |
  | ^

"#;
    let report = render_human(&findings(text), text, false);
    let trimmed: String = report.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    assert_eq!(trimmed, expected, "\n{report}");
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_not_shown() {
    let text = "\u{FEFF}{ \"scripts\": 5 }\r\n";
    let report = render_human(&findings(text), text, false);
    assert!(report.contains(" --> scripts.json:1:14\n"), "{report}");
    assert!(report.contains("1 | { \"scripts\": 5 }\n"), "{report}");
}

#[test]
fn what_spans_lines_is_underlined_to_the_end_of_its_first() {
    let text = "{ \"scripts\": {\n \"a\": 1\n} }";
    let report = render_human(&findings(text), text, false);
    assert!(report.contains("1 | { \"scripts\": {\n  |              ^\n"), "{report}");
}

#[test]
fn of_a_long_line_the_part_that_matters_is_shown() {
    let text = format!(
        "{{ \"version\": \"{}\", \"srcipts\": [], \"scripts\": [], \"notifiers\": {{{}}} }}",
        "é".repeat(1000),
        " ".repeat(1000)
    );
    let report = render_human(&findings(&text), &text, false);
    let expected = format!(
        r#"warning[unknown-key]: srcipts: unknown key
 --> scripts.json:1:1018
  |
 ::: 
1 | …{}", "srcipts": [], "scripts": [], "notifiers": {{                         …
  | {}^^^^^^^^^
  |
  = help: did you mean "scripts"?

"#,
        "é".repeat(57),
        " ".repeat(61),
    );
    assert_eq!(report, expected, "\n{report}");
}

#[test]
fn colours_only_when_asked_for() {
    let plain = render_human(&findings(TEXT), TEXT, false);
    assert!(!plain.contains('\x1b'));
    assert!(render_human(&findings(TEXT), TEXT, true).contains("\x1b["));
    assert_eq!(render_human(&[], "", true), "");
}

#[test]
fn what_the_file_holds_cannot_command_the_terminal() {
    let text = "{ \"scripts\": [ { \"name\": \"a\\u001b[31m\", \"command\": \"true\", \"\u{9b}31m\": 1 } ] }";
    let report = render_human(&findings(text), text, false);
    assert!(!report.contains('\x1b') && !report.contains('\u{9b}'), "{report:?}");
}

#[test]
fn another_text_than_the_one_that_was_checked_does_no_harm() {
    for other in ["", "\n", "ä", "{"] {
        assert!(render_human(&findings(TEXT), other, false).contains("command is missing"));
    }
}

#[test]
fn json_is_one_array_of_objects_with_these_fields() {
    let json = render_json(&findings(TEXT));
    let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let list = value.as_array().expect("an array");
    assert_eq!(list.len(), 4);
    let expected = serde_json::json!({
        "severity": "error", "code": "invalid-value",
        "message": "task \"bäckup\": timeout \"5x\": expected a duration such as 30s, 5m or 1h30m",
        "file": "scripts.json", "line": 5, "column": 36, "length": 4,
        "help": "the units are ms, s, m, h and d",
    });
    assert_eq!(list[2], expected);
    assert_eq!(list[0]["severity"], "warning");
    assert_eq!(list[1]["help"], serde_json::Value::Null);
    assert_eq!(render_json(&[]), "[]");
}
