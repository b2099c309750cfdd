//! A plugin of the first release in today's host.

use bansuri_tests::{Sandbox, end, library_of, workspace};
use serde_json::{Value, json};
use std::path::PathBuf;

pub(crate) fn library() -> PathBuf {
    library_of(&workspace().join("tests/fixtures/frozen"), "frozen", &["--locked"])
}

fn task(name: &str, options: Value) -> Value {
    let command = format!("{}:Everything", library().display());
    json!({ "name": name, "no-interface": true, "command": command, "options": options })
}

#[test]
fn it_is_inspected() {
    let sandbox = Sandbox::new(&json!({ "scripts": [] }));
    let output = sandbox.output(&["plugin", "inspect", library().to_str().unwrap(), "--format", "json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["api_version"], "0.1.0");
    assert_eq!(value["tasks"][0]["name"], "Everything");
    assert_eq!(value["tasks"][0]["description"], "tells all that its context tells");
    assert_eq!(value["notifiers"][0]["name"], "Teller");
}

#[test]
fn it_runs_fails_panics_and_is_stopped() {
    run_all("thread");
}

#[test]
fn it_does_so_in_a_process_of_its_own() {
    run_all("process");
}

fn run_all(isolation: &str) {
    let mut returns = task("returns", json!({ "code": 7 }));
    let more = json!({ "success-codes": [7], "stdout": "out.log", "timeout": "1m", "environment": { "MINE": "yes" } });
    returns.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let mut late = task("late", json!({ "code": 0, "act": "wait-for-stop" }));
    late["timeout"] = json!("100ms");
    let sandbox = Sandbox::new(&json!({ "plugins": { "isolation": isolation }, "scripts": [
        returns,
        late,
        task("fails", json!({ "code": 0, "act": "fail" })),
        task("panics", json!({ "code": 0, "act": "panic" })),
        task("odd", json!({ "code": 0, "act": "dance" })),
        task("waits", json!({ "code": 0, "act": "wait-for-stop" })),
    ]}));
    let mut host = sandbox.start(&["-v"]);
    for (name, outcome) in [
        ("returns", "COMPLETED"),
        ("late", "TIMED_OUT"),
        ("fails", "FAILED"),
        ("panics", "FAILED"),
        ("odd", "FAILED"),
    ] {
        if !host.seen().iter().any(|event| event["task"] == name && event["to"] == outcome) {
            host.state(name, outcome);
        }
    }
    assert_eq!(host.stop(), 0);
    let events = host.seen();
    assert_eq!(end(events, "returns")["exit_code"], 7);
    assert_eq!(end(events, "fails")["reason"], "as the options say");
    assert_eq!(end(events, "waits")["to"], "STOPPED");
    let reason = end(events, "panics")["reason"].as_str().unwrap();
    assert!(reason.starts_with("run panicked at ") && reason.ends_with(": as the options say"), "{reason}");
    let reason = end(events, "odd")["reason"].as_str().unwrap();
    assert!(reason.contains("unknown variant `dance`"), "{reason}");

    let out = sandbox.read("out.log");
    let folder = format!("in {}", sandbox.path().canonicalize().unwrap().display());
    for line in ["returns attempt 1 run returns#1", &folder, "time left true", "stopping false"] {
        assert!(out.lines().any(|found| found == line), "{line} in {out}");
    }
    assert!(out.contains("\"MINE\": \"yes\""), "{out}");
    let log = host.log();
    for text in ["new returns", "run returns#1", "drop"] {
        assert!(log.contains(text), "{text} in {log}");
    }
}

#[test]
fn it_notifies() {
    let notifier =
        |options: Value| json!({ "plugin": format!("{}:Teller", library().display()), "options": options });
    let sandbox = Sandbox::new(&json!({
        "notifiers": {
            "teller": notifier(json!({ "path": "told" })),
            "panics": notifier(json!({ "path": "told", "panics": true })),
        },
        "scripts": [
            { "name": "a", "command": "echo out; echo err >&2; exit 9", "stderr": null, "description": "first",
              "notify": "teller", "on-fail": "restart", "max-attempts": 1 },
            { "name": "b", "command": "exit 9", "notify": "panics" },
        ],
    }));
    let (code, events) = sandbox.run();
    assert_eq!(code, 1);
    let folder = sandbox.path().canonicalize().unwrap();
    let expected = format!(
        "a echo out; echo err >&2; exit 9 {} 9 FAILED exit code 9 1 Some(1) true \"first\" \"out\\n\" \"err\\n\" a#1 true \
         0 (4, 4)\n",
        folder.display()
    );
    assert_eq!(sandbox.read("told"), expected);
    let told =
        |task: &str| events.iter().find(|e| e["event"] == "notification" && e["task"] == task).unwrap();
    assert_eq!(told("a")["ok"], true);
    let error = told("b")["error"].as_str().unwrap();
    assert!(error.starts_with("notify panicked at ") && error.ends_with(": as the options say"), "{error}");
}
