//! `defaults` under the scripts.

use crate::{accept, check};
use bansuri::launch::{Action, Launch};
use bansuri_core::{OnFail, Schedule, TaskPlan};
use std::sync::Arc;
use std::time::Duration;

/// The one task of a file with these defaults and keys.
#[track_caller]
fn merged(defaults: &str, keys: &str) -> (TaskPlan, Arc<Launch>) {
    let configuration = accept(&file(defaults, keys));
    (configuration.plan.tasks()[0].clone(), Arc::clone(&configuration.launches[0]))
}

fn file(defaults: &str, keys: &str) -> String {
    format!(
        r#"{{ "defaults": {{ {defaults} }}, "scripts": [ {{ "name": "x", "command": "true", {keys} }} ] }}"#
    )
}

fn timeout(plan: &TaskPlan) -> Option<u64> {
    plan.timeout.map(|timeout| timeout.duration().as_secs())
}

#[test]
fn a_scripts_own_value_lies_over_that_of_defaults_in_any_spelling() {
    assert_eq!(timeout(&merged(r#""timeout": 5"#, "").0), Some(5));
    assert_eq!(timeout(&merged(r#""timeout": 5"#, r#""scheduling": { "timeout": 6 }"#).0), Some(6));
    assert_eq!(timeout(&merged(r#""scheduling": { "timeout": 5 }"#, r#""timeout": 6"#).0), Some(6));
}

#[test]
fn null_takes_back_to_the_built_in_default() {
    assert_eq!(timeout(&merged(r#""timeout": 5"#, r#""timeout": null"#).0), None);
    assert_eq!(
        merged(r#""stop_timeout": 5"#, r#""stop-timeout": null"#).0.stop_timeout,
        Duration::from_secs(10)
    );
    let restart = r#""on-fail": "restart", "failure-control": { "restart-params": { "after": "1s" } }"#;
    let OnFail::Restart(retry) =
        merged(restart, r#""failure-control": { "restart_params": null }"#).0.on_fail
    else {
        panic!("on-fail stays as it is");
    };
    assert_eq!(retry.delay, Duration::from_secs(5));
    let notify = r#""notify": { "handler": "command", "handler-config": "mail ops" }"#;
    check(
        &file(notify, r#""notify": null"#),
        &[r#""handler-config" | warning unused defaults: notify-command: no task uses it"#],
    );
}

#[test]
fn objects_are_merged_key_by_key_and_arrays_replaced() {
    let (_, launch) = merged(
        r#""environment": { "A": "1", "B": "2", "C": "3" }, "success-codes": [1, 2]"#,
        r#""environment": { "B": "two", "C": null, "D": "4" }"#,
    );
    let environment: Vec<_> = launch.environment.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(environment, ["A=1", "B=two", "D=4"]);
    assert!(merged(r#""environment": { "A": "1" }"#, r#""environment": null"#).1.environment.is_empty());
    let (plan, _) = merged(r#""success-codes": [1, 2]"#, r#""success-codes": [3]"#);
    assert_eq!(plan.success_codes.iter().collect::<Vec<_>>(), [3]);
    let text = r#"{ "defaults": { "options": { "a": { "b": 1, "c-d": 2 }, "e": [1], "f": 1 } },
        "scripts": [ { "name": "x", "command": "disk.so", "no-interface": true,
                       "options": { "a": { "c_d": 3, "b": "4" }, "e": [2], "f": null } } ] }"#;
    let Action::Plugin(plugin) = &accept(text).launches[0].action else { panic!("it is a plugin task") };
    let expected = serde_json::json!({ "a": { "b": "4", "c-d": 2, "c_d": 3 }, "e": [2], "f": null });
    assert_eq!(plugin.options, expected);
}

#[test]
fn a_script_that_names_a_schedule_drops_the_one_of_defaults() {
    let interval = |plan: &TaskPlan| match &plan.schedule {
        Schedule::Timer { interval, .. } => Some(interval.duration().as_secs()),
        Schedule::Once | Schedule::Cron(_) | Schedule::Service => None,
    };
    let cron = r#""scheduling": { "scheduler": "cron", "params": "@daily" }"#;
    let timer = r#""scheduling": { "scheduler": "timer", "params": "1m" }"#;
    assert_eq!(interval(&merged(cron, r#""timer": 60"#).0), Some(60));
    assert_eq!(interval(&merged(cron, r#""timer": "none""#).0), None);
    assert_eq!(interval(&merged(r#""timer": 60"#, r#""timer": null"#).0), None);
    assert_eq!(interval(&merged(timer, r#""timer": null"#).0), None);
    assert_eq!(interval(&merged(r#""timer": 60"#, r#""service": false"#).0), Some(60));
    let is_daily =
        |plan: &TaskPlan| matches!(&plan.schedule, Schedule::Cron(cron) if cron.text() == "@daily");
    assert!(is_daily(&merged(cron, r#""timer": null"#).0));
    assert!(is_daily(&merged(cron, "").0));
    assert_eq!(interval(&merged(cron, r#""scheduling": { "scheduler": "none" }"#).0), None);
    assert_eq!(interval(&merged(cron, r#""scheduling": { "scheduler": null }"#).0), None);
    assert_eq!(interval(&merged(cron, r#""scheduling": null"#).0), None);
    assert_eq!(interval(&merged(r#""timer": 60"#, "").0), Some(60));
    assert_eq!(interval(&merged(r#""timer": 60"#, r#""scheduling": { "params": 30 }"#).0), Some(30));
    assert_eq!(interval(&merged(timer, r#""scheduling": { "params": 30 }"#).0), Some(30));
    assert_eq!(
        interval(&merged(r#""scheduling": { "scheduler": "timer" }"#, r#""scheduling": { "params": 30 }"#).0),
        Some(30)
    );
    check(
        &file("", r#""scheduling": { "params": 30 }"#),
        &[
            r#""params" | error conflict task "x": scheduling.params needs a scheduler | name it: "scheduler": "none", "timer", "cron" or "service""#,
        ],
    );
    check(
        &file(timer, r#""scheduling": { "scheduler": "timer" }"#),
        &[r#""scheduler" | error missing-key task "x": scheduling.params is missing, expected an interval"#],
    );
    check(
        &file("", r#""scheduling": { "scheduler": "none", "params": "5m" }"#),
        &[
            r#""5m" | error conflict task "x": scheduling.params cannot apply to the scheduler "none" | "timer" takes an interval, "cron" an expression"#,
        ],
    );
    check(&file("", r#""scheduling": { "scheduler": "none", "params": "" }"#), &[]);
}

#[test]
fn what_is_wrong_in_defaults_is_said_once_and_even_if_nobody_uses_it() {
    let scripts = r#"[ { "name": "x", "command": "a" }, { "name": "y", "command": "b", "timeout": 5, "environment": { "B": "1" } } ]"#;
    let text = format!(
        r#"{{ "defaults": {{ "timeout": "5x", "environment": {{ "A": [] }}, "user": "wwww", "notify": "pagre" }}, "scripts": {scripts} }}"#
    );
    check(
        &text,
        &[
            r#""5x" | error invalid-value defaults: timeout "5x": expected a duration such as 30s, 5m or 1h30m | the units are ms, s, m, h and d"#,
            "[] | error invalid-value defaults: environment.A []: expected text, a number or a boolean",
            r#""wwww" | error unknown-account defaults: user "wwww": there is no such user | did you mean "www"?"#,
            r#""pagre" | error unknown-notifier defaults: notify "pagre": there is no such notifier | "none", "command" or a name of "notifiers""#,
        ],
    );
    check(
        r#"{ "defaults": { "on-fail": "x", "health-check": { "interval": "5s" } }, "scripts": [] }"#,
        &[r#""x" | error invalid-value defaults: on-fail "x": expected "stop", "restart" or "ignore""#],
    );
}

#[test]
fn an_object_may_be_completed_by_the_script() {
    let health = r#""health-check": { "interval": "5s" }"#;
    let (plan, launch) = merged(health, r#""health-check": { "command": "curl" }"#);
    assert_eq!(plan.health.map(|health| health.interval.duration().as_secs()), Some(5));
    assert_eq!(launch.health.as_ref().map(|health| &health.action), Some(&Action::Shell("curl".into())));
    check(&file(health, r#""health-check": null"#), &[]);
    check(&file(health, ""), &[r#"{ | error missing-key task "x": health-check.command is missing"#]);
}
