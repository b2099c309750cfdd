//! The JSON Schema agrees with the checker about every file of these tests: [`agrees`] is called for each of them.

use crate::{Checked, accept, script};
use bansuri::config::{Diagnostic, Severity, json_schema};
use jsonc_parser::ast;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use jsonschema::Validator;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::LazyLock;

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(&json_schema()).expect("the schema is JSON");
    jsonschema::draft202012::new(&schema).expect("the schema is one")
});

/// Larger files take a validator that is not optimised too long, and hold the same a thousand times.
const LARGEST: usize = 50_000;

/// A file that is accepted is valid, and one that is refused for its shape is not.
#[track_caller]
pub(crate) fn agrees(text: &[u8], result: &Checked) {
    let Some(value) = std::str::from_utf8(text).ok().filter(|text| text.len() < LARGEST).and_then(parse)
    else {
        return;
    };
    match result {
        Ok(_) => {
            let errors: Vec<String> = VALIDATOR
                .iter_errors(&value)
                .map(|error| format!("{} at {}", error, error.instance_path()))
                .collect();
            assert!(
                errors.is_empty(),
                "accepted, and not valid: {errors:#?}\n{}",
                String::from_utf8_lossy(text)
            );
        }
        Err(findings) => {
            let Some(finding) = findings.iter().find(|finding| is_by_shape(finding, &value)) else { return };
            assert!(!VALIDATOR.is_valid(&value), "valid, but {}\n{value:#}", finding.message);
        }
    }
}

/// Whether a finding is about what a schema can see.
fn is_by_shape(finding: &Diagnostic, file: &Value) -> bool {
    if finding.severity != Severity::Error || !["invalid-value", "missing-key"].contains(&finding.code) {
        return false;
    }
    // These need more than a look at one value.
    let meanings = [
        "expected a cron expression",
        "expected an IANA name",
        "expected a factor",
        "expected a command whose quotes are closed",
        "nobody is named to be told",
        "there is no notify-command",
    ];
    if meanings.iter().any(|meaning| finding.message.contains(meaning)) {
        return false;
    }
    // What a script lacks may be given by `defaults`.
    if finding.code == "missing-key" && file.get("defaults").is_some_and(Value::is_object) {
        return false;
    }
    // And so may the scheduler, which says what its `params` are.
    if finding.message.contains("scheduling.params ") && file.get("defaults").is_some_and(Value::is_object) {
        return false;
    }
    let Some((before, _)) = finding.message.split_once(": expected ") else { return true };
    let shown = before.rsplit(' ').next().unwrap_or_default();
    // The first word of a split line is empty.
    if shown == "ops\"" {
        return false;
    }
    match shown.trim_matches('"').parse::<f64>() {
        // A pattern does not tell how large a number in quotes is.
        Ok(_) if shown.starts_with('"') => false,
        // For JSON Schema, 1.0 and 1e3 are whole numbers.
        Ok(number) => number.fract() != 0.0 || !shown.contains(['.', 'e', 'E']),
        Err(_) => finding.help.as_deref() != Some("the longest duration is 106751d"),
    }
}

/// The text as a validator sees it; `None` if it is no JSON with comments, or a key occurs twice.
fn parse(text: &str) -> Option<Value> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let strict = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    convert(&parse_to_ast(text, &CollectOptions::default(), &strict).ok()?.value?)
}

fn convert(value: &ast::Value<'_>) -> Option<Value> {
    Some(match value {
        ast::Value::NullKeyword(_) => Value::Null,
        ast::Value::BooleanLit(boolean) => Value::Bool(boolean.value),
        ast::Value::StringLit(text) => Value::String(text.value.to_string()),
        ast::Value::NumberLit(number) => Value::Number(number.value.parse().ok()?),
        ast::Value::Array(array) => array.elements.iter().map(convert).collect::<Option<_>>()?,
        ast::Value::Object(object) => {
            let mut map = Map::new();
            for property in &object.properties {
                if map.insert(property.name.as_str().to_owned(), convert(&property.value)?).is_some() {
                    return None;
                }
            }
            Value::Object(map)
        }
    })
}

#[track_caller]
fn check(keys: &str, is_valid: bool) {
    let value = parse(&script(keys)).expect("it is JSON");
    assert_eq!(VALIDATOR.is_valid(&value), is_valid, "{keys}");
}

#[test]
fn it_is_a_schema() {
    let schema: Value = serde_json::from_str(&json_schema()).expect("the schema is JSON");
    jsonschema::draft202012::meta::validate(&schema).expect("it is valid itself");
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

#[test]
fn the_command_line_prints_it() {
    let output =
        std::process::Command::new(env!("CARGO_BIN_EXE_bansuri")).arg("schema").output().expect("it runs");
    assert!(output.status.success() && output.stderr.is_empty());
    assert_eq!(String::from_utf8_lossy(&output.stdout), json_schema());
}

#[test]
fn an_editor_finds_names_descriptions_and_defaults() {
    let schema: Value = serde_json::from_str(&json_schema()).expect("the schema is JSON");
    let defs = &schema["$defs"];
    assert_eq!(defs["script"]["properties"]["restart-delay"], json!({ "$ref": "#/$defs/restart-delay" }));
    let grouped = &defs["script.failure-control.restart-params"]["properties"];
    assert_eq!(grouped["after"], json!({ "$ref": "#/$defs/restart-delay" }));
    assert_eq!(defs["restart-delay"]["default"], "5s");
    assert_eq!(defs["restart-delay"]["description"], "from the end of a run to its retry");
    assert!(schema["properties"]["max-running"]["description"].is_string());
    for (name, definition) in defs.as_object().expect("definitions") {
        let is_object =
            ["script", "defaults", "whole-objects"].contains(&name.split('.').next().unwrap_or(""));
        assert!(is_object || definition["description"].is_string(), "{name}");
    }
}

#[test]
fn it_takes_every_spelling_and_refuses_wrong_values_in_each() {
    for key in ["restart-max-delay", "restart_max-delay", "restart-max_delay", "restart_max_delay"] {
        check(&format!(r#""{key}": "5m""#), true);
        check(&format!(r#""{key}": "5x""#), false);
        check(&format!(r#""failure_control": {{ "{key}": 0 }}"#), false);
    }
    check(r#""failure-control": { "restart_params": { "max": "1x" } }"#, false);
    check(r#""restart-params": { "after_scheduling": "dynamic_linear" }"#, true);
    check(r#""restart-params": { "after_scheduling": "linear" }"#, false);
    check(r#""notify": "pager""#, true);
    check(r#""notify": { "handler": 5 }"#, false);
    check(r#""unknown": {}"#, true);
}

#[test]
fn defaults_complete_the_scripts() {
    let valid = |text: &str| VALIDATOR.is_valid(&parse(text).expect("it is JSON"));
    let script = r#""scripts": [ { "name": "x" } ]"#;
    assert!(!valid(&format!("{{ {script} }}")));
    assert!(!valid(&format!(r#"{{ "defaults": {{ "timeout": 5 }}, {script} }}"#)));
    assert!(valid(&format!(r#"{{ "defaults": {{ "command": "a" }}, {script} }}"#)));
    assert!(valid(&format!(r#"{{ "defaults": {{ "general": {{ "command": ["a"] }} }}, {script} }}"#)));
    assert!(!valid(r#"{ "defaults": { "name": "x" }, "scripts": [] }"#));
    check(r#""health_check": { "interval": 5 }"#, false);
    check(r#""failure-control": { "health_check": { "interval": 5 } }"#, false);
    check(r#""scheduling": { "scheduler": "timer" }"#, false);
    check(r#""scheduling": { "scheduler": "timer", "params": "* * * * *" }"#, false);
    check(r#""scheduling": { "scheduler": "cron", "params": "5m" }"#, false);
    check(r#""scheduling": { "scheduler": "cron", "params": "* * * * *" }"#, true);
}

/// What editors show beside a key.
#[test]
fn every_field_has_a_description() {
    let schema: Value = serde_json::from_str(&json_schema()).expect("the schema is JSON");
    let notifier = &schema["properties"]["notifiers"]["additionalProperties"];
    let mut objects: Vec<(&str, &Value)> = vec![("notifiers", notifier)];
    objects.extend(["rotate", "health-check", "limits"].map(|name| (name, &schema["$defs"][name])));
    objects.push(("plugins", &schema["properties"]["plugins"]));
    for (name, object) in objects {
        let fields = object["properties"].as_object().expect(name);
        assert!(!fields.is_empty(), "{name}");
        for (field, schema) in fields {
            assert!(schema["description"].as_str().is_some_and(|text| !text.is_empty()), "{name}.{field}");
        }
    }
}

#[test]
fn the_examples_and_what_the_readme_shows() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the host is in a workspace");
    let quickstart =
        std::fs::read_to_string(workspace.join("examples/quickstart/scripts.json")).expect("read");
    let readme = std::fs::read_to_string(workspace.join("README.md")).expect("read");
    let blocks = readme.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut files: Vec<&str> = blocks.filter(|block| block.contains("\"scripts\"")).collect();
    assert!(files.len() >= 3, "the README shows configurations");
    files.push(&quickstart);
    for file in files {
        let value = parse(file).expect("it is JSON");
        let errors: Vec<String> = VALIDATOR.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}\n{file}");
    }
    accept(files_without_plugins(&readme));
}

/// The flat example: it needs no library.
fn files_without_plugins(readme: &str) -> &str {
    let block = readme.split("```json\n").nth(1).expect("a block");
    block.split("```").next().expect("its text")
}
