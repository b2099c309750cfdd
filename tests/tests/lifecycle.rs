//! Schedules, attempts and outcomes of real commands, as the event stream tells them.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::{Host, Sandbox};
use serde_json::{Value, json};

/// The states a task went through, with the reason where it has one.
fn history(events: &[Value], task: &str) -> Vec<String> {
    let of_task = events.iter().filter(|event| event["event"] == "task-state" && event["task"] == task);
    of_task.map(|event| event["to"].as_str().unwrap().to_owned()).collect()
}

fn outcomes(events: &[Value], task: &str) -> Vec<String> {
    history(events, task).into_iter().filter(|state| state != "PENDING" && state != "RUNNING").collect()
}

/// Runs these scripts to their end.
fn run(scripts: Value) -> (i32, Vec<Value>) {
    Sandbox::new(&json!({ "version": "1.0", "scripts": scripts })).run()
}

#[test]
fn a_command_runs_once_and_the_host_ends_with_its_verdict() {
    let (code, events) = run(json!([{ "name": "a", "command": "true" }]));
    assert_eq!(code, 0);
    assert_eq!(history(&events, "a"), ["PENDING", "RUNNING", "COMPLETED"]);

    let (code, events) =
        run(json!([{ "name": "a", "command": "true" }, { "name": "b", "command": "exit 3" }]));
    assert_eq!(code, 1);
    let failed = events.iter().find(|e| e["task"] == "b" && e["to"] == "FAILED").unwrap();
    assert_eq!(failed["exit_code"], 3);
    assert_eq!(failed["reason"], "exit code 3");
    assert_eq!(failed["from"], "RUNNING");
    assert!(failed["duration_ms"].as_f64().unwrap() > 0.0);
    assert!(failed["pid"].as_u64().unwrap() > 1);
}

#[test]
fn a_host_without_tasks_is_done_at_once() {
    let (code, events) = run(json!([]));
    assert_eq!(code, 0);
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["host-started", "config-loaded", "host-stopped"]);
}

#[test]
fn the_event_stream_is_numbered_from_start_to_stop() {
    let (_, events) = run(json!([{ "name": "a", "command": "true" }]));
    assert_eq!(events.first().unwrap()["event"], "host-started");
    assert_eq!(events.last().unwrap()["event"], "host-stopped");
    assert_eq!(events.last().unwrap()["exit_code"], 0);
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event["seq"], index + 1);
    }
}

#[test]
fn restart_tries_again_until_it_succeeds_or_no_attempt_is_left() {
    let (code, events) = run(json!([
        { "name": "third", "command": "test $BANSURI_ATTEMPT -eq 3", "on-fail": "restart", "max-attempts": 3,
          "restart-delay": "1ms" },
        { "name": "never", "command": "false", "on-fail": "restart", "max-attempts": "2", "restart-delay": "1ms" },
        { "name": "times", "command": "false", "on-fail": "restart", "times": 2, "restart-delay": "1ms" },
    ]));
    assert_eq!(code, 1);
    assert_eq!(outcomes(&events, "third"), ["FAILED", "FAILED", "COMPLETED"]);
    assert_eq!(outcomes(&events, "never"), ["FAILED", "FAILED"]);
    assert_eq!(outcomes(&events, "times"), ["FAILED", "FAILED"]);
    let attempts: Vec<_> = events
        .iter()
        .filter(|event| event["task"] == "third" && event["to"] == "RUNNING")
        .map(|event| (event["run"].as_u64().unwrap(), event["attempt"].as_u64().unwrap()))
        .collect();
    assert_eq!(attempts, [(1, 1), (2, 2), (3, 3)]);
    let waiting = events
        .iter()
        .find(|e| e["task"] == "third" && e["to"] == "PENDING" && e["from"] == "FAILED")
        .unwrap();
    assert!(waiting["next_run"].is_string(), "{waiting}");
    assert!(waiting["reason"].as_str().unwrap().contains("retry"), "{waiting}");
}

#[test]
fn a_timer_runs_on_its_grid_until_max_runs() {
    let (code, events) = run(json!([{ "name": "t", "command": "true", "timer": "100ms", "max-runs": 4 }]));
    assert_eq!(code, 0);
    assert_eq!(outcomes(&events, "t"), ["COMPLETED"; 4]);
}

#[test]
fn what_a_timer_ignores_does_not_end_it_and_does_not_count_as_a_run() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "t", "command": "echo x >> tries; test $(wc -l < tries) -ge 3", "timer": "50ms", "max-runs": 1 },
    ]}));
    let (code, events) = sandbox.run();
    assert_eq!(code, 0);
    assert_eq!(outcomes(&events, "t"), ["FAILED", "FAILED", "COMPLETED"]);
}

#[test]
fn on_fail_stop_ends_a_timer() {
    let (code, events) =
        run(json!([{ "name": "t", "command": "exit 2", "timer": "10ms", "on-fail": "stop" }]));
    assert_eq!(code, 1);
    assert_eq!(outcomes(&events, "t"), ["FAILED"]);
}

#[test]
fn on_exhausted_decides_whether_a_timer_goes_on() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "goes-on", "timer": "50ms", "max-runs": 1, "on-fail": "restart", "max-attempts": 2, "restart-delay": "1ms",
          "command": "echo x >> tries; test $(wc -l < tries) -ge 4" },
        { "name": "ends", "command": "false", "timer": "50ms", "on-fail": "restart", "max-attempts": 2,
          "restart-delay": "1ms", "on-exhausted": "stop" },
    ]}));
    let (code, events) = sandbox.run();
    assert_eq!(code, 1);
    assert_eq!(outcomes(&events, "goes-on"), ["FAILED", "FAILED", "FAILED", "COMPLETED"]);
    let attempts: Vec<_> = events
        .iter()
        .filter(|event| event["task"] == "goes-on" && event["to"] == "RUNNING")
        .map(|event| event["attempt"].as_u64().unwrap())
        .collect();
    assert_eq!(attempts, [1, 2, 1, 2]);
    assert_eq!(outcomes(&events, "ends"), ["FAILED", "FAILED"]);
}

#[test]
fn a_tick_that_falls_in_a_run_is_skipped_and_said_once() {
    let (code, events) = run(json!([
        { "name": "slow", "command": "sleep 0.35", "timer": "100ms", "max-runs": 2 },
    ]));
    assert_eq!(code, 0);
    let skipped = events.iter().find(|event| event["event"] == "tick-skipped").expect("ticks were skipped");
    assert_eq!(skipped["task"], "slow");
    assert!(skipped["count"].as_u64().unwrap() >= 3, "{skipped}");
}

#[test]
fn success_codes_are_the_tasks_own() {
    let (code, events) = run(json!([
        { "name": "a", "command": "exit 75", "success-codes": [0, 75] },
        { "name": "b", "command": "exit 0", "success-codes": ["1"] },
    ]));
    assert_eq!(code, 1);
    assert_eq!(outcomes(&events, "a"), ["COMPLETED"]);
    assert_eq!(outcomes(&events, "b"), ["FAILED"]);
}

#[test]
fn a_run_that_outlives_its_timeout_is_ended() {
    let (code, events) = run(json!([
        { "name": "polite", "command": "exec sleep 600", "timeout": "100ms" },
        { "name": "deaf", "command": "trap '' TERM; while :; do sleep 0.05; done", "timeout": "200ms", "stop-timeout": "200ms" },
        { "name": "graceful", "command": "trap 'exit 0' TERM; while :; do sleep 0.05; done", "timeout": "200ms" },
    ]));
    assert_eq!(code, 1);
    for task in ["polite", "deaf", "graceful"] {
        assert_eq!(outcomes(&events, task), ["TIMED_OUT"], "{task}");
    }
    let end =
        |task: &str| events.iter().find(|e| e["task"] == task && e["to"] == "TIMED_OUT").unwrap().clone();
    assert_eq!(end("polite")["signal"], "SIGTERM");
    assert_eq!(end("deaf")["signal"], "SIGKILL");
    assert_eq!(end("graceful")["exit_code"], 0);
}

#[test]
fn what_cannot_be_started_fails_with_its_reason_and_the_policy_applies() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "no-program", "command": ["/nonexistent/program", "x"], "on-fail": "restart", "max-attempts": 2, "restart-delay": "1ms" },
        { "name": "not-executable", "command": ["./data"] },
        { "name": "no-folder", "command": "true", "working-directory": "missing" },
        { "name": "no-log", "command": "true", "stdout": "missing/log" },
        { "name": "log-is-folder", "command": "true", "stdout": "." },
        { "name": "shell-says", "command": "no-such-program-anywhere" },
    ]}));
    std::fs::write(sandbox.file("data"), "x").unwrap();
    let (code, events) = sandbox.run();
    assert_eq!(code, 1);
    let failed =
        |task: &str| events.iter().find(|e| e["task"] == task && e["to"] == "FAILED").unwrap().clone();
    assert_eq!(outcomes(&events, "no-program"), ["FAILED", "FAILED"]);
    assert_eq!(failed("no-program")["from"], "PENDING");
    assert_eq!(failed("no-program")["run"], 1);
    assert_eq!(failed("no-program")["exit_code"], 127);
    assert_eq!(failed("not-executable")["exit_code"], 126);
    assert_eq!(failed("shell-says")["exit_code"], 127);
    for (task, names) in [
        ("no-program", "/nonexistent/program"),
        ("not-executable", "data"),
        ("no-folder", "missing"),
        ("no-log", "missing"),
        ("log-is-folder", "directory"),
    ] {
        let reason = failed(task)["reason"].as_str().unwrap().to_owned();
        assert!(reason.contains(names), "{task}: {reason}");
    }
}

#[test]
fn tasks_that_restart_without_a_delay_leave_room_for_signals() {
    let scripts: Vec<Value> = (0..20)
        .map(|n| json!({ "name": format!("t{n}"), "command": ["/nonexistent"], "on-fail": "restart", "restart-delay": 0 }))
        .collect();
    let sandbox = Sandbox::new(&json!({ "scripts": scripts }));
    let mut host: Host = sandbox.start(&["-q"]);
    for n in 0..20 {
        host.event("a tenth failure", |e| {
            e["task"] == format!("t{n}") && e["run"] == 10 && e["to"] == "FAILED"
        });
    }
    assert_eq!(host.stop(), 0);
}
