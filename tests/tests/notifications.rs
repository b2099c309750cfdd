//! Failures that reach somebody: by command, in order, without holding a run up.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::{Sandbox, group_members};
use serde_json::json;

#[test]
fn the_notify_command_gets_the_message_the_words_and_the_environment() {
    let sandbox = Sandbox::new(&json!({
        "notify-command": "sh -c 'cat > message-$BANSURI_ATTEMPT; echo \"$1\" > words-$BANSURI_ATTEMPT; echo $BANSURI_TASK > task' - '{task} said {code} ({outcome}, {attempt})'",
        "scripts": [
            { "name": "back up", "description": "nightly", "command": "echo out; exit 3", "notify": "command",
              "on-fail": "restart", "max-attempts": 2, "restart-delay": "1ms" },
        ],
    }));
    let (code, events) = sandbox.run();
    assert_eq!(code, 1);
    assert_eq!(sandbox.read("words-1"), "back up said 3 (FAILED, 1)\n");
    assert_eq!(sandbox.read("words-2"), "back up said 3 (FAILED, 2)\n");
    assert_eq!(sandbox.read("task"), "back up\n");
    let message = sandbox.read("message-2");
    for (name, value) in [
        ("Task", "back up"),
        ("Command", "echo out; exit 3"),
        ("Return code", "3"),
        ("Outcome", "FAILED"),
        ("Attempt", "2"),
        ("Max attempts", "2"),
        ("Description", "nightly"),
    ] {
        let line = message.lines().find(|line| line.starts_with(&format!("{name}:")));
        let line = line.unwrap_or_else(|| panic!("{name} in {message}"));
        assert!(line.ends_with(value), "{line}");
    }
    assert!(message.contains("--- Output ---\nout\n"), "{message}");
    let sent: Vec<_> = events.iter().filter(|event| event["event"] == "notification").collect();
    assert_eq!(sent.len(), 2);
    assert!(sent.iter().all(|event| event["ok"] == true && event["task"] == "back up"), "{sent:?}");
    assert_eq!(events.last().unwrap()["event"], "host-stopped", "the host waits for its notifications");
}

#[test]
fn a_notify_command_that_fails_is_logged_and_changes_nothing_else() {
    let sandbox = Sandbox::new(&json!({
        "scripts": [
            { "name": "a", "command": "exit 1", "notify": "command", "notify-command": "sh -c 'echo no route >&2; exit 7'" },
            { "name": "b", "command": "exit 1", "notify": "command", "notify-command": "/nonexistent/mailer" },
        ],
    }));
    let (code, events) = sandbox.run();
    assert_eq!(code, 1);
    let result = |task: &str| {
        let event = events.iter().find(|e| e["event"] == "notification" && e["task"] == task);
        event.unwrap_or_else(|| panic!("{task}")).clone()
    };
    assert_eq!(result("a")["ok"], false);
    let error = result("a")["error"].as_str().unwrap().to_owned();
    assert!(error.contains('7') && error.contains("no route"), "{error}");
    assert!(result("b")["error"].as_str().unwrap().contains("/nonexistent/mailer"));
}

#[test]
fn a_notifier_never_delays_a_restart_and_leaves_nothing_behind() {
    // The notify command waits until the task has run five times, which it could not if it held the task up.
    let sandbox = Sandbox::new(&json!({
        "notify-command": "sh -c 'echo $$ >> notifiers; while [ $(wc -l < runs) -lt 5 ]; do sleep 0.01; done'",
        "scripts": [
            { "name": "a", "command": "echo x >> runs; exit 1", "notify": "command", "on-fail": "restart",
              "max-attempts": 5, "restart-delay": "1ms" },
        ],
    }));
    let (code, events) = sandbox.run();
    assert_eq!(code, 1);
    let sent = events.iter().filter(|event| event["event"] == "notification").count();
    assert_eq!(sent, 5);
    for pid in sandbox.read("notifiers").lines() {
        assert!(group_members(pid.parse().unwrap()).is_empty(), "a notifier's group ends with it");
    }
}

#[test]
fn a_timed_out_run_is_told_with_return_code_minus_1_and_a_signal_with_128_and_it() {
    let sandbox = Sandbox::new(&json!({
        "notify-command": "sh -c 'echo {task} {code} {outcome} $(grep -c \"^Max attempts: *1$\") >> told'",
        "scripts": [
            { "name": "slow", "command": "exec sleep 600", "timeout": "50ms", "notify": "command" },
            { "name": "killed", "command": "kill -9 $$", "notify": "mail" },
            { "name": "lost", "command": ["/nonexistent"], "notify": "command" },
        ],
    }));
    assert_eq!(sandbox.run().0, 1);
    let mut told: Vec<String> = sandbox.read("told").lines().map(str::to_owned).collect();
    told.sort();
    assert_eq!(told, ["killed 137 FAILED 1", "lost 127 FAILED 1", "slow -1 TIMED_OUT 1"]);
}

/// What a notify command that appends `{task} {outcome} {attempt}` was told, in order.
fn told(scripts: serde_json::Value) -> (Sandbox, Vec<String>) {
    let sandbox = Sandbox::new(&json!({
        "notify-command": "sh -c 'cat > /dev/null; echo {task} {outcome} {attempt} >> told'",
        "defaults": { "notify": "command", "on-fail": "restart", "restart-delay": "1ms" },
        "scripts": scripts,
    }));
    sandbox.run();
    let told = std::fs::read_to_string(sandbox.file("told")).unwrap_or_default();
    (sandbox, told.lines().map(str::to_owned).collect())
}

#[test]
fn after_many_fires_once_when_the_threshold_is_reached() {
    let (_, told) = told(json!([
        { "name": "a", "command": "exit 1", "max-attempts": 5, "notify-mode": "after-many", "notify-threshold": 3 },
    ]));
    assert_eq!(told, ["a FAILED 3"]);
}

#[test]
fn on_exhausted_fires_when_no_attempt_is_left() {
    let (_, told) = told(json!([
        { "name": "a", "command": "exit 1", "max-attempts": 3, "notify-mode": "on-exhausted" },
        { "name": "b", "command": "test $BANSURI_ATTEMPT -eq 3", "max-attempts": 3, "notify-mode": "on-exhausted" },
    ]));
    assert_eq!(told, ["a FAILED 3"]);
}

#[test]
fn a_recovery_is_told_once_after_what_was_told() {
    let (_, told) = told(json!([
        { "name": "a", "command": "test $BANSURI_ATTEMPT -eq 3", "max-attempts": 3, "notify-recovery": true },
    ]));
    assert_eq!(told, ["a FAILED 1", "a FAILED 2", "a COMPLETED 3"]);
}

#[test]
fn what_is_held_back_is_dropped_by_a_success_and_sent_when_the_task_is_over() {
    let (_, told) = told(json!([
        { "name": "recovers", "command": "test $BANSURI_ATTEMPT -eq 2", "max-attempts": 3, "notify-after": "1h" },
        { "name": "ends", "command": "exit 1", "max-attempts": 2, "notify-after": "1h" },
    ]));
    assert_eq!(told, ["ends FAILED 1", "ends FAILED 2"]);
}
