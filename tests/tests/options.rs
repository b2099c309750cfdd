//! Options of plugin types, as their user meets them: checked with their place, shown, and known to editors.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::{Sandbox, library};
use jsonschema::Validator;
use serde_json::{Value, json};

const WRONG: &str = r#"{
  "defaults": { "options": { "timeout": "5x" } },
  "notifiers": {
    "ops": { "plugin": "webhook", "options": { "url": "https://example.com/", "format": "slak" } }
  },
  "scripts": [
    {
      "name": "site",
      "no-interface": true,
      "command": "http-check",
      "options": {
        "url": "http://127.0.0.1:1/",
        "expect-status": [200, "9xx"],
        "metod": "GET"
      }
    },
    { "name": "spool", "general": { "no-interface": true, "command": "minimal-task:FileCount", "options": { "at-most": -1 } } },
    { "name": "bare", "no-interface": true, "command": "http-check", "options": null, "notify": "ops" }
  ]
}
"#;

#[test]
fn a_wrong_option_is_found_with_its_place() {
    let sandbox = Sandbox::with_text(WRONG);
    let output = sandbox.output(&["check", "--format", "json"]);
    assert_eq!(output.status.code(), Some(3));
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let found: Vec<String> = findings
        .iter()
        .map(|finding| {
            let text = |key: &str| finding[key].as_str().unwrap_or_default();
            let (line, column) = (&finding["line"], &finding["column"]);
            format!("{}:{line}:{column}: {} {}", text("file"), text("code"), text("message"))
        })
        .collect();
    let expected = [
        r#"scripts.json:2:41: invalid-option defaults: options.timeout "5x": expected a whole number, 1 or more, or text such as "500ms", "10s" or "1m30s""#,
        r#"scripts.json:4:89: invalid-option notifier "ops": options.format "slak": expected "json", "slack", "discord" or "teams""#,
        r#"scripts.json:13:32: invalid-option task "site": options.expect-status[1] "9xx": expected a whole number from 100 to 599 or text such as "2xx" or "200-299""#,
        r#"scripts.json:14:9: unknown-option task "site": options.metod: HttpCheck has no such option"#,
        r#"scripts.json:17:107: missing-option task "spool": general.options.folder is missing"#,
        r#"scripts.json:17:120: invalid-option task "spool": general.options.at-most -1: expected a whole number, 0 or more"#,
        r#"scripts.json:18:56: missing-option task "bare": options.url is missing"#,
    ];
    // The minimal task does not know the option that all tasks share.
    let (shared, found): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|line| line.contains("FileCount has no such option"));
    assert_eq!(
        shared,
        ["scripts.json:2:30: unknown-option defaults: options.timeout: FileCount has no such option"]
    );
    assert_eq!(found, expected);
    assert_eq!(findings.iter().filter(|finding| finding["help"] == "did you mean \"method\"?").count(), 1);

    for arguments in [&["check"][..], &["run"]] {
        let output = sandbox.output(arguments);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{text}");
        assert!(text.contains("scripts.json:13:32") && text.contains("^^^^^"), "{text}");
        assert!(text.contains("did you mean \"slack\"?"), "{text}");
    }
}

#[test]
fn inspect_shows_options_and_their_schema() {
    let sandbox = Sandbox::new(&json!({ "scripts": [] }));
    let output = sandbox.output(&["plugin", "inspect", "webhook"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    let row = |name: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("{name} in {text}")).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(row("option"), "option type required default description");
    assert!(row("url").starts_with("url string yes - Where failures are posted"), "{text}");
    assert!(row("timeout").starts_with("timeout integer | string no \"10s\" When one attempt"), "{text}");
    assert!(
        row("format").starts_with("format \"json\" | \"slack\" | \"discord\" | \"teams\" no \"json\""),
        "{text}"
    );
    let output = sandbox.output(&["plugin", "inspect", "minimal-notifier", "--format", "json"]);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let journal = &value["notifiers"][0];
    assert_eq!(journal["description"], "appends a line to a file for every failure");
    assert_eq!(journal["options_schema"]["required"], json!(["path"]));
    assert_eq!(journal["options_schema"]["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

/// The schema that these arguments print, and what was said beside it.
fn schema(sandbox: &Sandbox, arguments: &[&str]) -> (Value, String) {
    let output = sandbox.output(arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let schema = serde_json::from_slice(&output.stdout).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap_or_else(|error| panic!("{error}"));
    (schema, said)
}

fn validator(schema: &Value) -> Validator {
    jsonschema::options().offline().build(schema).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_schema_knows_the_options_of_what_is_installed() {
    let sandbox = Sandbox::new(&json!({ "scripts": [] }));
    let (plain, said) = schema(&sandbox, &["schema"]);
    assert_eq!(said, "");
    let (known, said) = schema(&sandbox, &["schema", "--plugins"]);
    // Libraries that are no plugins lie beside the binary of the tests.
    assert!(
        said.lines().any(|line| line.contains("no_root_module") && line.contains("root module")),
        "{said}"
    );
    let (plain, known) = (validator(&plain), validator(&known));
    let check = |configuration: &Value, is_good: bool| {
        assert!(plain.is_valid(configuration), "{configuration:#}");
        assert_eq!(known.is_valid(configuration), is_good, "{configuration:#}");
    };
    let task = |command: &str, options: Value| {
        let flat = json!({ "name": "x", "no-interface": true, "command": command, "options": options });
        let inner = json!({ "no_interface": "true", "command": command, "options": options });
        let grouped = json!({ "name": "x", "general": inner });
        [flat, grouped].map(|script| json!({ "scripts": [script] }))
    };
    let (good, bad) =
        (json!({ "url": "http://a/", "timeout": "5s" }), json!({ "url": "http://a/", "timeout": "5x" }));
    for command in
        ["http-check", "http_check", "http-check:HttpCheck", "libhttp_check.so", "libhttp_check.so:HttpCheck"]
    {
        task(command, good.clone()).iter().for_each(|file| check(file, true));
        for wrong in [bad.clone(), json!({}), json!(null), json!({ "url": "http://a/", "?": 1 })] {
            task(command, wrong).iter().for_each(|file| check(file, false));
        }
    }
    // Another plugin, a command of that name, and options that `defaults` may complete.
    task("no-such-plugin", bad.clone()).iter().for_each(|file| check(file, true));
    task("misbehaving:Exits", json!({ "code": 1 })).iter().for_each(|file| check(file, true));
    check(&json!({ "scripts": [{ "name": "x", "command": "http-check", "options": bad }] }), true);
    check(&json!({ "scripts": [{ "name": "x", "no-interface": true, "command": "http-check" }] }), false);
    let shared = json!({ "general": { "options": { "url": "http://a/" } } });
    let completed =
        json!({ "name": "x", "no-interface": true, "command": "http-check", "options": { "timeout": 5 } });
    check(&json!({ "defaults": shared, "scripts": [completed] }), true);
    check(&json!({ "defaults": { "timeout": 5 }, "scripts": [completed] }), false);

    let notifier = |plugin: Value| json!({ "notifiers": { "ops": plugin }, "scripts": [] });
    for plugin in ["webhook", "webhook:Webhook"] {
        check(
            &notifier(json!({ "plugin": plugin, "options": { "url": "https://a/", "format": "slack" } })),
            true,
        );
        check(
            &notifier(json!({ "plugin": plugin, "options": { "url": "https://a/", "format": "irc" } })),
            false,
        );
        check(&notifier(json!({ "plugin": plugin })), false);
    }
    check(&notifier(json!({ "plugin": "misbehaving:Fails" })), true);
}

/// What an editor shows beside the keys of a task.
#[test]
fn the_schema_describes_what_is_installed() {
    let sandbox = Sandbox::new(&json!({ "scripts": [] }));
    let (schema, _) = schema(&sandbox, &["schema", "--plugins"]);
    let rules = schema["$defs"]["plugin-tasks"]["allOf"].as_array().unwrap();
    let rule = rules.iter().find(|rule| rule["if"].to_string().contains("\"minimal-task\"")).unwrap();
    let command = &rule["then"]["properties"]["command"];
    assert_eq!(command["description"], "fails when a folder holds more files than it should");
    let options = rule["then"]["properties"]["options"]["$ref"].as_str().unwrap();
    let options = schema.pointer(options.trim_start_matches('#')).unwrap();
    assert_eq!(options["properties"]["at-most"]["description"], "How many files are still good.");
}

#[test]
fn the_schema_knows_what_a_configuration_names() {
    // The rest of the file may be wrong: it is what is being edited.
    let sandbox = Sandbox::with_text(
        r#"{ "plugins": { "search-paths": ["lib"] }, "notifiers": { "j": { "plugin": "./own/journal.so" } },
             "scripts": [ { "name": "x", "no-interface": true, "command": "own/files.so:FileCount", "timeout": "5x" },
                          { "name": "y", "no-interface": true, "command": "own/missing.so" } ] }"#,
    );
    for (from, to) in [
        ("minimal-task", "own/files.so"),
        ("minimal-notifier", "own/journal.so"),
        ("minimal-task", "lib/libmy_files.so"),
    ] {
        std::fs::create_dir_all(sandbox.file(to).parent().unwrap()).unwrap();
        std::fs::copy(library(from), sandbox.file(to)).unwrap();
    }
    std::fs::rename(sandbox.file("scripts.json"), sandbox.file("other.json")).unwrap();
    let task = |command: &str, at_most: i32| {
        let options = json!({ "folder": "/", "at-most": at_most });
        json!({ "scripts": [{ "name": "x", "no-interface": true, "command": command, "options": options }] })
    };
    let (unnamed, _) = schema(&sandbox, &["schema", "--plugins"]);
    let (named, said) = schema(&sandbox, &["schema", "--plugins", "-c", "other.json"]);
    assert!(said.lines().any(|line| line.contains("own/missing.so")), "{said}");
    let (unnamed, named) = (validator(&unnamed), validator(&named));
    for command in ["own/files.so:FileCount", "my-files", "my_files:FileCount"] {
        assert!(named.is_valid(&task(command, 1)), "{command}");
        assert!(!named.is_valid(&task(command, -1)), "{command}");
        assert!(unnamed.is_valid(&task(command, -1)), "{command}");
    }
    let notifier =
        json!({ "notifiers": { "j": { "plugin": "./own/journal.so", "options": {} } }, "scripts": [] });
    assert!(!named.is_valid(&notifier) && unnamed.is_valid(&notifier));
    // Without -c the file that a host would read is taken.
    std::fs::rename(sandbox.file("other.json"), sandbox.file("scripts.json")).unwrap();
    let (default, _) = schema(&sandbox, &["schema", "--plugins"]);
    assert!(!validator(&default).is_valid(&task("my-files", -1)));
    // A file that cannot be read is no reason to say nothing of what is installed.
    let (installed, said) = schema(&sandbox, &["schema", "--plugins", "-c", "missing.json"]);
    assert!(said.contains("missing.json: which plugins it names cannot be told: "), "{said}");
    assert!(!validator(&installed).is_valid(&task("minimal-task", -1)));
    assert_eq!(sandbox.output(&["schema", "-c", "scripts.json"]).status.code(), Some(2));
}
