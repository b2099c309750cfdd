//! The options of plugin types against the schemas that those publish.

use crate::machine::Fake;
use crate::{Checked, lines};
use bansuri::config::{CheckOptions, NamedType, PluginCatalog, PluginKind, ResolvedType, check_text};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Resolves any reference to a type of that name, whose schema is the one here of that name.
struct Catalog;

const SCHEMAS: &[(&str, &str)] = &[
    (
        "Probe",
        r##"{
            "type": "object", "required": ["url"], "additionalProperties": false,
            "properties": {
                "url": { "type": "string", "pattern": "^https?://", "description": "what is asked" },
                "method": { "type": "string", "enum": ["GET", "POST"] },
                "wait": { "$ref": "#/$defs/span", "description": "when it is given up" },
                "expect": { "oneOf": [{ "$ref": "#/$defs/status" },
                                      { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/status" } }] },
                "headers": { "type": "object", "additionalProperties": { "type": "string" },
                             "propertyNames": { "pattern": "^[A-Za-z-]+$" } },
                "body": { "type": ["string", "null"] },
                "token": { "type": "string", "minLength": 8, "writeOnly": true },
                "limits": { "type": "object", "required": ["cpu"], "additionalProperties": false,
                            "properties": { "cpu": { "type": "integer", "minimum": 1, "maximum": 9 },
                                            "old": false } },
                "target": { "oneOf": [
                    { "type": "object", "required": ["kind", "path"], "additionalProperties": false,
                      "properties": { "kind": { "const": "file" }, "path": { "type": "string" } } },
                    { "type": "object", "required": ["kind", "port"], "additionalProperties": false,
                      "properties": { "kind": { "const": "socket" }, "port": { "type": "integer" } } },
                    { "type": "null" }] },
                "tags": { "type": "array", "uniqueItems": true, "maxItems": 2 }
            },
            "$defs": {
                "span": { "description": "a number of seconds, or with a unit: 500ms, 10s, 1m30s",
                          "anyOf": [{ "type": "integer", "minimum": 1 },
                                    { "type": "string", "pattern": "^([0-9]+[smh])+$", "examples": ["10s", "1m30s"] }] },
                "status": { "anyOf": [{ "type": "integer", "minimum": 100, "maximum": 599 },
                                      { "type": "string", "pattern": "^[1-5]xx$" }] }
            }
        }"##,
    ),
    ("Broken", r#"{ "type": "text" }"#),
    ("Remote", r#"{ "$ref": "https://example.com/schema.json" }"#),
    ("Nested", r##"{ "additionalProperties": { "$ref": "#" }, "type": "object" }"##),
    ("Never", "false"),
    ("Price", r#"{ "properties": { "price": { "type": "number", "multipleOf": 0.01 } } }"#),
    (
        "Vault",
        r#"{ "properties": { "auth": { "writeOnly": true, "properties": { "pin": { "minLength": 12 } } } } }"#,
    ),
    (
        "Old",
        r#"{ "$schema": "http://json-schema.org/draft-07/schema#",
             "properties": { "wait": { "format": "duration" }, "mail": { "format": "email" } } }"#,
    ),
];

/// Of a type with this name, the notifier has no schema.
const BOTH: &str = "Price";

impl PluginCatalog for Catalog {
    fn resolve(&mut self, named: &NamedType<'_>) -> Result<ResolvedType, String> {
        let hidden = named.kind == PluginKind::Notifier && named.reference == BOTH;
        let schema = SCHEMAS.iter().find(|(name, _)| *name == named.reference);
        let schema = if hidden { Some(&(BOTH, "{}")) } else { schema };
        Ok(ResolvedType {
            library: named.folder.join("probe.so"),
            type_name: named.reference.to_owned(),
            options_schema: schema.map(|(_, schema)| Arc::from(*schema)),
            warnings: Vec::new(),
        })
    }
}

fn run(text: &str) -> Checked {
    let (file, folder) = (Path::new("scripts.json"), Path::new("/srv/jobs"));
    let machine = Fake { is_root: true };
    check_text(text.as_bytes(), file, folder, &mut Catalog, &machine, CheckOptions::default())
}

fn task(name: &str, command: &str, keys: &str) -> String {
    format!(r#"{{ "name": "{name}", "no-interface": true, "command": "{command}", {keys} }}"#)
}

fn file(tasks: &str) -> String {
    format!("{{ \"scripts\": [ {tasks} ] }}")
}

/// Checks that the findings about a text are these, one a line.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let (Ok((_, findings)) | Err(findings)) = run(text);
    let found = lines(text, findings);
    assert_eq!(found.lines().collect::<Vec<_>>(), expected, "\nin {text}");
}

/// What is found about these options of a Probe, besides the address that they need.
#[track_caller]
fn probe(options: &str, expected: &[&str]) {
    let options = format!(r#""options": {{ "url": "http://a", {options} }}"#);
    check(&file(&task("x", "Probe", &options)), expected);
}

#[test]
fn what_fits_is_taken() {
    probe(
        r#""method": "POST", "wait": "1m30s", "expect": [200, "4xx"], "headers": { "A-b": "c" }, "body": null,
           "limits": { "cpu": 9 }, "target": { "kind": "file", "path": "/x" }, "tags": ["a"], "token": "12345678""#,
        &[],
    );
    probe(r#""target": null, "expect": "2xx", "wait": 5"#, &[]);
    check(&file(&task("x", "Unknown", r#""options": { "a": 1 }"#)), &[]);
}

#[test]
fn a_wrong_value_is_underlined_with_what_would_do() {
    probe(
        r#""method": "PSOT""#,
        &[
            r#""PSOT" | error invalid-option task "x": options.method "PSOT": expected "GET" or "POST" | did you mean "POST"?"#,
        ],
    );
    probe(
        r#""wait": "5x""#,
        &[
            r#""5x" | error invalid-option task "x": options.wait "5x": expected a whole number, 1 or more, or text such as "10s" or "1m30s" | a number of seconds, or with a unit: 500ms, 10s, 1m30s"#,
        ],
    );
    probe(
        r#""limits": { "cpu": "4" }"#,
        &[
            r#""4" | error invalid-option task "x": options.limits.cpu "4": expected a whole number from 1 to 9"#,
        ],
    );
    probe(
        r#""tags": ["a", "a"]"#,
        &[
            r#"["a", "a"] | error invalid-option task "x": options.tags […]: expected an array without repetitions"#,
        ],
    );
    let text = file(&task("x", "Probe", r#""options": { "url": "ftp://a" }"#));
    check(
        &text,
        &[
            r#""ftp://a" | error invalid-option task "x": options.url "ftp://a": expected text that matches ^https?:// | what is asked"#,
        ],
    );
}

#[test]
fn every_fault_is_told_in_one_go() {
    let options = r#""general": { "options": { "ulr": "x",
        "wait": 0, "method": 1 } }"#;
    check(
        &file(&task("x", "Probe", options)),
        &[
            r#"{ | error missing-option task "x": general.options.url is missing | what is asked"#,
            r#""ulr" | error unknown-option task "x": general.options.ulr: Probe has no such option | did you mean "url"?"#,
            r#"0 | error invalid-option task "x": general.options.wait 0: expected a whole number, 1 or more, or text such as "10s" or "1m30s" | a number of seconds, or with a unit: 500ms, 10s, 1m30s"#,
            r#"1 | error invalid-option task "x": general.options.method 1: expected "GET" or "POST""#,
        ],
    );
}

#[test]
fn of_several_forms_the_one_that_was_meant_is_told() {
    probe(
        r#""expect": [200, "9xx"]"#,
        &[
            r#""9xx" | error invalid-option task "x": options.expect[1] "9xx": expected a whole number from 100 to 599 or text that matches ^[1-5]xx$"#,
        ],
    );
    probe(
        r#""expect": true"#,
        &[
            r#"true | error invalid-option task "x": options.expect true: expected a whole number from 100 to 599, text that matches ^[1-5]xx$, or an array that is not empty"#,
        ],
    );
    probe(
        r#""target": { "kind": "socket", "port": "80" }"#,
        &[r#""80" | error invalid-option task "x": options.target.port "80": expected a whole number"#],
    );
    probe(
        r#""target": { "kind": "file" }"#,
        &[r#"{ | error missing-option task "x": options.target.path is missing"#],
    );
    probe(
        r#""target": { "kind": "sockt", "port": 80 }"#,
        &[
            r#""sockt" | error invalid-option task "x": options.target.kind "sockt": expected "file" or "socket" | did you mean "socket"?"#,
        ],
    );
    probe(r#""target": 5"#, &["5 | error invalid-option task \"x\": options.target 5: expected an object"]);
}

#[test]
fn keys_inside_options_are_their_own() {
    probe(
        r#""headers": { "A b": "x", "C": 5 }"#,
        &[
            r#""A b" | error invalid-option task "x": options.headers."A b": as a name, expected text that matches ^[A-Za-z-]+$"#,
            r#"5 | error invalid-option task "x": options.headers.C 5: expected text"#,
        ],
    );
    probe(
        r#""limits": { "old": 1, "cpus": 2 }"#,
        &[
            r#"{ | error missing-option task "x": options.limits.cpu is missing"#,
            r#""old" | error unknown-option task "x": options.limits.old: Probe has no such option"#,
            r#""cpus" | error unknown-option task "x": options.limits.cpus: Probe has no such option | did you mean "cpu"?"#,
        ],
    );
}

/// The validator reckons with binary fractions.
#[test]
fn a_decimal_fraction_is_a_multiple_of_another() {
    check(&file(&task("x", "Price", r#""options": { "price": 19.99 }"#)), &[]);
    let found = r#"19.995 | error invalid-option task "x": options.price 19.995: expected a number, a multiple of 0.01"#;
    check(&file(&task("x", "Price", r#""options": { "price": 19.995 }"#)), &[found]);
}

#[test]
fn what_is_inside_a_secret_is_one() {
    check(
        &file(&task("x", "Vault", r#""options": { "auth": { "pin": "1234" } }"#)),
        &[
            r#""1234" | error invalid-option task "x": options.auth.pin: expected text of 12 or more characters"#,
        ],
    );
}

#[test]
fn a_format_that_a_draft_does_not_have_is_an_annotation() {
    check(&file(&task("x", "Old", r#""options": { "wait": "10s" }"#)), &[]);
    check(
        &file(&task("x", "Old", r#""options": { "mail": "nobody" }"#)),
        &[
            r#""nobody" | error invalid-option task "x": options.mail "nobody": expected what the schema asks for: text of the format email"#,
        ],
    );
}

#[test]
fn a_task_and_a_notifier_of_one_name_have_schemas_of_their_own() {
    let options = r#""options": { "price": 0.005 }"#;
    check(
        &format!(
            r#"{{ "notifiers": {{ "n": {{ "plugin": "Price", {options} }} }}, "scripts": [ {} ] }}"#,
            task("x", "Price", &format!(r#"{options}, "notify": "n""#))
        ),
        &[
            r#"0.005 | error invalid-option task "x": options.price 0.005: expected a number, a multiple of 0.01"#,
        ],
    );
}

#[test]
fn a_secret_is_not_repeated() {
    probe(
        r#""token": "hunter2""#,
        &[
            r#""hunter2" | error invalid-option task "x": options.token: expected text of 8 or more characters"#,
        ],
    );
}

#[test]
fn without_options_what_is_missing_is_told_where_the_type_is_named() {
    let expected = r#""Probe" | error missing-option task "x": options.url is missing | what is asked"#;
    check(&file(&task("x", "Probe", "")), &[expected]);
    check(&file(&task("x", "Probe", r#""options": null"#)), &[expected]);
    let shared = r#"{ "defaults": { "options": { "url": "http://a" } }, "scripts": [ "#;
    check(&format!("{shared} {} ] }}", task("x", "Probe", "")), &[]);
    check(&format!("{shared} {} ] }}", task("x", "Probe", r#""options": null"#)), &[expected]);
    check(
        &file(&task("x", "Never", "")),
        &[
            r#""Never" | error invalid-option task "x": options {}: expected what the schema asks for: False schema does not allow value"#,
        ],
    );
}

#[test]
fn what_defaults_give_is_told_of_where_it_is_written_and_once() {
    let text = format!(
        r#"{{ "defaults": {{ "options": {{ "method": "PUT", "wait": "1x", "limits": {{ "cpu": 0 }} }} }}, "scripts": [ {}, {}, {}, {} ] }}"#,
        task("a", "Probe", r#""options": { "url": "http://a", "wait": 5 }"#),
        task("b", "Probe", r#""options": { "url": "http://b", "wait": "1y", "limits": { "cpu": 5 } }"#),
        task("c", "Probe", ""),
        task("d", "Unknown", ""),
    );
    check(
        &text,
        &[
            r#"{ | error missing-option task "c": options.url is missing | what is asked"#,
            r#""PUT" | error invalid-option defaults: options.method "PUT": expected "GET" or "POST""#,
            r#""1x" | error invalid-option defaults: options.wait "1x": expected a whole number, 1 or more, or text such as "10s" or "1m30s" | a number of seconds, or with a unit: 500ms, 10s, 1m30s"#,
            "0 | error invalid-option defaults: options.limits.cpu 0: expected a whole number from 1 to 9",
            r#""1y" | error invalid-option task "b": options.wait "1y": expected a whole number, 1 or more, or text such as "10s" or "1m30s" | a number of seconds, or with a unit: 500ms, 10s, 1m30s"#,
        ],
    );
}

#[test]
fn a_notifiers_options_are_checked_too() {
    let notifier = |rest: &str| {
        format!(
            r#"{{ "notifiers": {{ "ops": {{ "plugin": "Probe"{rest} }} }},
                  "scripts": [ {{ "name": "x", "command": "true", "notify": "ops" }} ] }}"#
        )
    };
    check(&notifier(r#", "options": { "url": "http://a" }"#), &[]);
    check(
        &notifier(r#", "options": { "url": 5, "limits": {} }"#),
        &[
            r#"5 | error invalid-option notifier "ops": options.url 5: expected text that matches ^https?:// | what is asked"#,
            r#"{ | error missing-option notifier "ops": options.limits.cpu is missing"#,
        ],
    );
    let missing = r#""Probe" | error missing-option notifier "ops": options.url is missing | what is asked"#;
    check(&notifier(""), &[missing]);
    check(&notifier(r#", "options": null"#), &[missing]);
}

#[test]
fn a_schema_that_cannot_be_used_is_a_warning_for_its_type() {
    let two = |name: &str| {
        let tasks = ["a", "b"].map(|task_name| task(task_name, name, r#""options": { "x": 1 }"#));
        file(&tasks.join(", "))
    };
    for (name, part) in [("Broken", "\"text\""), ("Remote", "https://example.com/schema.json")] {
        let text = two(name);
        let (configuration, warnings) = run(&text).expect("it can be used");
        assert_eq!(configuration.launches.len(), 2);
        let found = lines(&text, warnings);
        let start = format!(
            "\"{name}\" | warning options-schema library \"/srv/jobs/probe.so\": the schema for the options of {name} cannot be used: "
        );
        assert!(found.starts_with(&start) && found.contains(part), "{found}");
        assert_eq!(found.lines().count(), 1, "{found}");
        assert!(found.ends_with(&format!("| options of {name} are not checked\n")), "{found}");
    }
}

#[test]
fn deep_options_are_checked_to_their_end() {
    let deep = format!("{}1{}", r#"{ "a": "#.repeat(200), " }".repeat(200));
    let text = file(&task("x", "Nested", &format!(r#""options": {deep}"#)));
    let findings = run(&text).expect_err("a number is no object");
    assert_eq!(findings.len(), 1);
    assert!(findings[0].message.ends_with("a 1: expected an object"), "{}", findings[0].message);
}

#[test]
fn ten_thousand_tasks_of_one_type() {
    let options = r#""options": { "url": "http://a/b", "wait": "1m30s", "expect": [200, "4xx"] }"#;
    let mut tasks = String::new();
    for n in 0..10_000 {
        write!(tasks, "{},", task(&format!("task {n}"), "Probe", options)).expect("a string grows");
    }
    let text = file(&tasks);
    let begin = Instant::now();
    let (configuration, warnings) = run(&text).expect("all are fine");
    let took = begin.elapsed();
    assert_eq!((configuration.launches.len(), warnings.len()), (10_000, 0));
    println!("the options of 10,000 tasks checked in {took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
}
