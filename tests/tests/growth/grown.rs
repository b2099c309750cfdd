//! A plugin built with a later plugin-api in today's host, and today's plugins in a host built with it.

use crate::{copy, frozen};
use bansuri_tests::{Host, Sandbox, artifacts, cargo, end, library, library_of};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;

#[test]
fn a_plugin_of_a_grown_plugin_api_uses_what_is_new_and_finds_the_defaults() {
    let library = library_of(copy::grown(), "grown", &["--offline"]);
    let reference = |name: &str| format!("{}:{name}", library.display());
    let sandbox = Sandbox::new(&json!({
        "notifiers": { "told": { "plugin": reference("Told") } },
        "scripts": [
            { "name": "fails", "no-interface": true, "command": reference("Curious"), "stdout": "out.log", "notify": "told" },
            { "name": "late", "no-interface": true, "command": reference("Curious"), "options": { "waits": true },
              "timeout": "100ms" },
        ],
    }));
    let output = sandbox.output(&["plugin", "inspect", library.to_str().unwrap(), "--format", "json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["tasks"][0]["name"], "Curious");
    assert_eq!(value["notifiers"][0]["name"], "Told");

    let mut host = sandbox.start(&["--exit-when-done"]);
    assert_eq!(host.wait(), 1);
    let events = host.seen();
    assert_eq!(end(events, "fails")["reason"], "no more than the defaults");
    assert_eq!(end(events, "late")["to"], "TIMED_OUT");
    let told = events.iter().find(|event| event["event"] == "notification").unwrap();
    assert_eq!(told["ok"], true, "{told}");
    // What today's host does not have answers as the later plugin-api says that it does for such a host.
    assert_eq!(sandbox.read("out.log"), "context 7\n");
    let log = host.log();
    for text in ["config 7 log 7", "failure 7"] {
        assert!(log.contains(text), "{text} in {log}");
    }
}

/// Today's host, built with the grown plugin-api.
fn grown_host() -> PathBuf {
    let build = ["build", "--quiet", "--offline", "--package", "bansuri", "--bin", "grown-host"];
    assert!(cargo(copy::grown(), &build).status().unwrap().success(), "the grown host does not build");
    artifacts().join("grown-host")
}

#[test]
fn todays_plugins_and_those_of_the_first_release_run_in_a_grown_host() {
    let host = grown_host();
    let task = |name: &str, command: String, options: Value| json!({ "name": name, "no-interface": true, "command": command, "options": options });
    let today = |name: &str| format!("{}:{name}", library("misbehaving").display());
    let first = |name: &str| format!("{}:{name}", frozen::library().display());
    let mut late = task("late", first("Everything"), json!({ "code": 0, "act": "wait-for-stop" }));
    late["timeout"] = json!("100ms");
    let mut fails = task("fails", today("ErrorInRun"), json!({}));
    fails["notify"] = json!("first");
    let sandbox = Sandbox::new(&json!({
        "notifiers": { "first": { "plugin": first("Teller"), "options": { "path": "told" } } },
        "scripts": [
            late,
            fails,
            task("first-returns", first("Everything"), json!({ "code": 0 })),
            task("first-panics", first("Everything"), json!({ "code": 0, "act": "panic" })),
            task("panics", today("PanicInRun"), json!({})),
            task("returns", today("Exits"), json!({ "code": 0 })),
        ],
    }));
    let mut command = Command::new(&host);
    command.args(["run", "--exit-when-done", "--events", "-"]).current_dir(sandbox.path());
    let mut host = Host::start(command);
    assert_eq!(host.wait(), 1);
    let events = host.seen();
    let loaded: Vec<_> = events.iter().filter(|event| event["event"] == "plugin-loaded").collect();
    assert_eq!(loaded.len(), 2, "{events:#?}");
    assert_eq!(end(events, "late")["to"], "TIMED_OUT");
    for task in ["first-returns", "returns"] {
        assert_eq!(end(events, task)["to"], "COMPLETED");
    }
    for task in ["first-panics", "panics"] {
        assert!(end(events, task)["reason"].as_str().unwrap().starts_with("run panicked at "), "{events:#?}");
    }
    assert!(sandbox.read("told").starts_with("fails "));
}
