//! What a configuration that was read again changes.

use crate::accept;
use bansuri::config::diff;
use bansuri_core::{Change, Origin, TaskId, TaskName};

fn file(scripts: &str) -> String {
    format!(
        r#"{{ "notifiers": {{ "pager": {{ "plugin": "pager.so" }} }}, "notify-command": "mail ops", "scripts": [
             {{ "name": "told", "command": "t", "notify": "command" }}, {scripts} ] }}"#
    )
}

/// The change of the task x from one set of keys to another, and back.
#[track_caller]
fn check(before: &str, after: &str, expected: Change) {
    let file = |keys: &str| {
        let command = if keys.starts_with("\"command\"") { "" } else { r#""command": "run","# };
        file(&format!(r#"{{ "name": "x", {command} {keys} }}, {{ "name": "y", "command": "y" }}"#))
    };
    let (one, other) = (accept(&file(before)), accept(&file(after)));
    for (old, new) in [(&one, &other), (&other, &one)] {
        let found = diff(old, new, |name| (name.as_str() == "x").then(|| TaskId::new(7)));
        assert_eq!(found.reload.plan, new.plan);
        let kept = Origin::Kept { task: TaskId::new(7), change: expected };
        assert_eq!(found.reload.origins, [Origin::Added, kept, Origin::Added], "{before} → {after}");
        let changed = if expected == Change::None { &[][..] } else { &["x"] };
        assert_eq!(found.changed, changed);
    }
}

#[test]
fn another_spelling_is_no_change() {
    check(r#""timer": "1h""#, r#""scheduling": { "scheduler": "timer", "params": 3600 }"#, Change::None);
    check(
        r#""environment": { "A": 1 }"#,
        r#""general": { "environment": { "A": "1" } }, "timeout": null"#,
        Change::None,
    );
    check(r#""stderr": "combined""#, "", Change::None);
}

#[test]
fn what_is_run() {
    for keys in [
        r#""command": "walk""#,
        r#""command": ["run"]"#,
        r#""working-directory": "sub""#,
        r#""environment": { "A": "1" }"#,
        r#""environment-file": "x.env""#,
        r#""user": "www""#,
        r#""umask": "077""#,
        r#""limits": { "nofile": 1 }"#,
        r#""stdout": "x.log""#,
        r#""stderr": "ignore""#,
        r#""stdout": "x.log", "timer": "1h", "timeout": 1"#,
    ] {
        check("", keys, Change::Command);
    }
    check(r#""stdout": "x""#, r#""stdout": "x", "rotate": {}"#, Change::Command);
    check(r#""stdout": "x""#, r#""stdout": "x", "timestamps": true"#, Change::Command);
    let plugin = r#""command": "disk.so", "no-interface": true, "options": "#;
    check(&format!("{plugin} {{}}"), &format!(r#"{plugin} {{ "a": 1 }}"#), Change::Command);
}

#[test]
fn when_it_runs() {
    check("", r#""timer": "1h""#, Change::Schedule);
    check(r#""timer": "1h""#, r#""timer": "1h", "timer-mode": "fixed-delay""#, Change::Schedule);
    check(r#""timer": "1h""#, r#""schedule-cron": "@hourly""#, Change::Schedule);
    let cron = |keys: &str| format!(r#""schedule-cron": "@daily", "timezone": {keys}"#);
    check(&cron("\"UTC\""), &cron("\"Asia/Tokyo\""), Change::Schedule);
    check(&cron("\"UTC\""), &cron("\"UTC\", \"catch-up\": true"), Change::Schedule);
    check(r#""timer": "1h""#, r#""timer": "1h", "jitter": "1s", "timeout": "1m""#, Change::Schedule);
    check(r#""on-fail": "stop""#, r#""on-fail": "stop", "depends-on": ["y"]"#, Change::Schedule);
    check("", r#""service": true"#, Change::Schedule);
}

#[test]
fn how_runs_are_judged_and_followed() {
    for keys in [
        r#""timeout": "1m""#,
        r#""stop-timeout": "1m""#,
        r#""stop-signal": "INT""#,
        r#""on-fail": "restart""#,
        r#""max-runs": 3"#,
        r#""success-codes": [0, 1]"#,
        r#""description": "nightly""#,
        r#""health-check": { "command": "curl" }"#,
        r#""notify": "command""#,
        r#""notify": "pager""#,
    ] {
        check("", keys, Change::Policy);
    }
    let health = r#""health-check": { "command": "curl", "timeout": "#;
    check(&format!("{health} 1 }}"), &format!("{health} 2 }}"), Change::Policy);
    let told = r#""notify": "command""#;
    check(told, &format!(r#"{told}, "notify-command": "mail dev""#), Change::Policy);
    check(told, &format!(r#"{told}, "notify-mode": "on-exhausted""#), Change::Policy);
    let restart = r#""on-fail": "restart""#;
    check(restart, &format!(r#"{restart}, "restart-jitter": 0.5"#), Change::Policy);
}

#[test]
fn tasks_come_and_go() {
    let task = |name: &str| format!(r#"{{ "name": "{name}", "command": "{name}" }}"#);
    let old = accept(&file(&["a", "b", "c"].map(task).join(",")));
    let new = accept(&file(&["d", "c", "b"].map(task).join(",")));
    let id = |name: &TaskName| old.plan.tasks().iter().position(|task| task.name == *name).map(TaskId::new);
    let found = diff(&old, &new, id);
    assert_eq!(
        (found.added, found.removed, found.changed),
        (vec!["d".to_owned()], vec!["a".to_owned()], vec![])
    );
    let kept = |index| Origin::Kept { task: TaskId::new(index), change: Change::None };
    assert_eq!(found.reload.origins, [kept(0), Origin::Added, kept(3), kept(2)]);
    let same = diff(&old, &old, id);
    assert_eq!((same.added.len(), same.removed.len(), same.changed.len()), (0, 0, 0));
}

#[test]
fn a_notifier_changes_for_those_who_use_it() {
    let file = |timeout: u32| {
        accept(&format!(
            r#"{{ "notifiers": {{ "pager": {{ "plugin": "pager.so", "timeout": {timeout} }} }}, "scripts": [
                 {{ "name": "a", "command": "a", "notify": "pager" }}, {{ "name": "b", "command": "b" }} ] }}"#
        ))
    };
    let found = diff(&file(5), &file(6), |_| Some(TaskId::new(0)));
    assert_eq!(found.changed, ["a"]);
}
