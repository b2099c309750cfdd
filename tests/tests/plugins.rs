//! Plugin tasks and plugin notifiers in the real host, beside commands.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::{Sandbox, end, library};
use serde_json::{Value, json};

fn task(name: &str, type_name: &str) -> Value {
    json!({ "name": name, "no-interface": true, "command": format!("misbehaving:{type_name}") })
}

fn with(mut task: Value, more: Value) -> Value {
    task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    task
}

#[test]
fn plugins_and_commands_run_side_by_side_under_one_lifecycle() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "command", "command": "exit 0" },
        with(task("seven", "Exits"), json!({ "options": { "code": 7 }, "success-codes": [7] })),
        with(task("three", "Exits"), json!({ "options": { "code": 3 }, "on-fail": "restart", "max-attempts": 2, "restart-delay": "1ms" })),
        with(task("echo", "Echo"), json!({ "options": { "a": "b" }, "stdout": "echo.log", "timeout": "1m", "environment": { "MINE": "yes" } })),
        with(task("bad-options", "Crash"), json!({ "options": { "hoe": 1 } })),
        { "name": "other-library", "no-interface": true, "command": "minimal-task", "options": { "folder": ".", "at-most": 0 } },
    ]}));
    let (code, events) = sandbox.run();
    assert_eq!(code, 1);
    assert_eq!(end(&events, "command")["to"], "COMPLETED");
    assert_eq!(end(&events, "seven")["to"], "COMPLETED");
    assert_eq!(end(&events, "three")["to"], "FAILED");
    assert_eq!(end(&events, "three")["exit_code"], 3);
    assert_eq!(end(&events, "three")["attempt"], 2);
    assert_eq!(end(&events, "other-library")["exit_code"], 1);
    let reason = end(&events, "bad-options")["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("hoe") && reason.contains("how"), "{reason}");
    let echo = sandbox.read("echo.log");
    for part in ["\"a\": \"b\"", "echo attempt 1 run echo#1", "\"MINE\": \"yes\"", "timeout true"] {
        assert!(echo.contains(part), "{part} in {echo}");
    }
    assert!(
        echo.contains(&format!("in {}", sandbox.path().canonicalize().unwrap().display()))
            || echo.contains("in /"),
        "{echo}"
    );
    let loaded: Vec<_> = events.iter().filter(|event| event["event"] == "plugin-loaded").collect();
    assert_eq!(loaded.len(), 2, "{loaded:?}");
}

#[test]
fn a_panic_is_a_failed_run_with_its_place_and_the_host_lives() {
    let panics = ["PanicInNew", "PanicInRun", "PanicInDrop", "OddPanic"];
    let mut scripts: Vec<Value> = panics.iter().map(|name| task(name, name)).collect();
    scripts.push(json!({ "name": "after", "command": "sleep 0.3" }));
    let (code, events) = Sandbox::new(&json!({ "scripts": scripts })).run();
    assert_eq!(code, 1);
    for name in panics {
        let ended = end(&events, name);
        assert_eq!(ended["to"], "FAILED");
        assert!(ended["exit_code"].is_null());
        let reason = ended["reason"].as_str().unwrap();
        assert!(reason.contains("panicked at") && reason.contains("panics.rs:"), "{name}: {reason}");
    }
    assert_eq!(end(&events, "after")["to"], "COMPLETED");
}

#[test]
fn a_plugin_is_stopped_by_its_timeout_and_by_shutdown() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        with(task("late", "WaitsForStop"), json!({ "timeout": "100ms" })),
        task("waiting", "WaitsForStop"),
    ]}));
    let mut host = sandbox.start(&[]);
    host.state("late", "TIMED_OUT");
    assert_eq!(host.stop(), 0);
    assert!(host.seen().iter().any(|e| e["task"] == "waiting" && e["to"] == "STOPPED"));
}

#[test]
fn a_plugin_that_ignores_stop_is_stuck_until_it_returns_and_starts_no_second_run() {
    let sandbox = Sandbox::new(&json!({
        "notify-command": "sh -c 'cat > told-$BANSURI_OUTCOME-$(ls told* 2>/dev/null | wc -l)'",
        "scripts": [
            with(task("deaf", "IgnoresStop"), json!({
                "options": { "until": "/nonexistent" }, "timeout": "50ms", "stop-timeout": "50ms", "notify": "command",
                "timer": "10ms", "on-fail": "restart", "restart-delay": "1ms",
            })),
        ],
    }));
    let until = sandbox.file("until");
    let text = sandbox.read("scripts.json").replace("/nonexistent", until.to_str().unwrap());
    std::fs::write(sandbox.file("scripts.json"), text).unwrap();
    let mut host = sandbox.start(&[]);
    let stuck = host.event("stuck", |event| event["event"] == "task-stuck");
    assert_eq!(stuck["task"], "deaf");
    assert_eq!(stuck["run"], 1);
    host.event("its notification", |event| event["event"] == "notification" && event["ok"] == true);
    let running =
        host.seen().iter().rfind(|event| event["task"] == "deaf" && event["event"] == "task-state").unwrap();
    assert_eq!(running["to"], "RUNNING");
    assert_eq!(running["reason"], "stuck: ignored stop");
    std::fs::write(&until, "").unwrap();
    let ended = host.state("deaf", "TIMED_OUT");
    assert_eq!(ended["run"], 1);
    std::fs::remove_file(&until).unwrap();
    // Only now may it run again.
    assert_eq!(host.state("deaf", "RUNNING")["run"], 2);
    assert_eq!(host.stop(), 0, "a stuck run does not keep the host alive");
}

#[test]
fn exit_when_done_counts_a_stuck_run_as_done_and_failed() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        with(task("deaf", "IgnoresStop"), json!({ "options": { "until": "/nonexistent" }, "timeout": "50ms", "stop-timeout": "50ms" })),
    ]}));
    let (code, events) = sandbox.run();
    assert_eq!(code, 1);
    assert!(events.iter().any(|event| event["event"] == "task-stuck"));
}

#[test]
fn plugin_notifiers_are_told_and_one_that_panics_harms_nobody() {
    let sandbox = Sandbox::new(&json!({
        "notifiers": {
            "journal": { "plugin": "minimal-notifier", "options": { "path": "journal" } },
            "panics": { "plugin": "misbehaving:Panics", "options": { "log": "panics.log", "path": "panics.log" } },
            "fails": { "plugin": "misbehaving:Fails" },
            "hangs": { "plugin": "misbehaving:Hangs", "options": { "until": "/nonexistent" }, "timeout": "100ms" },
        },
        "scripts": [
            { "name": "a", "command": "exit 9", "notify": "journal" },
            { "name": "b", "command": "exit 9", "notify": "fails" },
            { "name": "c", "command": "exit 9", "notify": "hangs" },
            with(task("d", "PanicInRun"), json!({ "notify": "journal" })),
        ],
    }));
    let (code, events) = sandbox.run();
    assert_eq!(code, 1);
    let notified = |task: &str| {
        events
            .iter()
            .find(|e| e["event"] == "notification" && e["task"] == task)
            .unwrap_or_else(|| panic!("{task}: {events:#?}"))
    };
    assert_eq!(notified("a")["ok"], true);
    assert_eq!(notified("a")["notifier"], "journal");
    assert_eq!(notified("b")["ok"], false);
    assert!(notified("c")["error"].as_str().unwrap().contains("longer than 100ms"), "{}", notified("c"));
    assert_eq!(notified("d")["ok"], true);
    let mut journal: Vec<String> = sandbox.read("journal").lines().map(str::to_owned).collect();
    journal.sort();
    assert_eq!(journal[0], "a#1 FAILED: exit code 9");
    assert!(journal[1].starts_with("d#1 FAILED: ") && journal[1].contains("panicked"), "{journal:?}");
}

#[test]
fn a_library_that_is_no_plugin_is_one_error_of_check_and_run() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "text", "no-interface": true, "command": "./text.so" },
        { "name": "missing", "no-interface": true, "command": "no-such-plugin" },
        { "name": "several", "no-interface": true, "command": "misbehaving" },
        { "name": "unknown", "no-interface": true, "command": "misbehaving:Exist" },
        { "name": "no-root", "no-interface": true, "command": "no-root-module" },
        { "name": "incompatible", "no-interface": true, "command": "incompatible" },
    ]}));
    std::fs::write(sandbox.file("text.so"), "#!/bin/sh\necho hello\n").unwrap();
    let output = sandbox.output(&["check", "--format", "json"]);
    assert_eq!(output.status.code(), Some(3));
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(findings.len(), 6, "{findings:#?}");
    let messages: Vec<&str> = findings.iter().map(|finding| finding["message"].as_str().unwrap()).collect();
    for (message, part) in messages.iter().zip([
        "text.so",
        "no-such-plugin",
        "PanicInRun",
        "Exits",
        "root module",
        "incompatible",
    ]) {
        assert!(message.contains(part), "{part} in {message}");
        assert!(!message.contains('\n') && message.len() < 1000, "{message}");
    }
    assert_eq!(sandbox.output(&["run"]).status.code(), Some(3));
}

#[test]
fn inspect_shows_what_a_library_exports() {
    let sandbox = Sandbox::new(&json!({ "scripts": [] }));
    let output = sandbox.output(&["plugin", "inspect", "misbehaving"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(concat!("bansuri-plugin-api ", env!("CARGO_PKG_VERSION"))), "{text}");
    assert!(text.contains("Exits") && text.contains("exits as its options say"), "{text}");
    assert!(text.contains("Tasks:") && text.contains("Notifiers:"), "{text}");
    let path = library("minimal-task");
    let output = sandbox.output(&["plugin", "inspect", path.to_str().unwrap(), "--format", "json"]);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["tasks"][0]["name"], "FileCount");
    let output = sandbox.output(&["plugin", "inspect", "scripts.json"]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 1);
}
