//! Keys that cannot apply together, or to such a task at all.

use crate::{accept, check, script, scripts};
use bansuri_core::OnFail;

const SERVICE: &str = r#""service" | error not-supported task "x": service: not supported yet"#;

#[test]
fn one_schedule_at_a_time() {
    check(
        &script(r#""timer": "1h", "schedule-cron": "@daily""#),
        &[
            r#""timer" | error conflict task "x": timer cannot apply together with schedule-cron: a task has one of them"#,
            r#""schedule-cron" | error not-supported task "x": schedule-cron: not supported yet"#,
        ],
    );
    check(&script(r#""timer": "0", "schedule-cron": null"#), &[]);
}

#[test]
fn a_service_has_no_schedule_and_no_end() {
    check(
        &script(r#""service": true, "timer": "1h", "max-runs": 3, "on-fail": "stop""#),
        &[
            SERVICE,
            r#""timer" | error conflict task "x": timer cannot apply together with service: a service is kept alive and has no schedule"#,
            r#""max-runs" | error conflict task "x": max-runs cannot apply together with service: a service is never done; max-attempts limits its failures"#,
            r#""on-fail" | error conflict task "x": on-fail cannot apply together with service: a service takes on-fail "restart""#,
        ],
    );
    check(&script(r#""service": true, "max-runs": 0, "on-fail": "restart", "times": 3"#), &[SERVICE]);
    check(
        &script(r#""service": true, "max-attempts": 3, "times": 3"#),
        &[
            SERVICE,
            r#""times" | error conflict task "x": times cannot apply together with service: with max-attempts it means max-runs, and a service is never done"#,
        ],
    );
}

#[test]
fn attempts_are_for_tasks_that_restart() {
    check(
        &script(r#""max-attempts": 3"#),
        &[
            r#""max-attempts" | error conflict task "x": max-attempts 3: applies with on-fail "restart" only, and on-fail is "stop" | add "on-fail": "restart""#,
        ],
    );
    check(
        &script(r#""max_attempts": "3", "timer": "1h""#),
        &[
            r#""max_attempts" | error conflict task "x": max-attempts "3": applies with on-fail "restart" only, and on-fail is "ignore" | add "on-fail": "restart""#,
        ],
    );
    check(&script(r#""max-attempts": 0"#), &[]);
    // What follows a failure is not known here, so nothing is said of it.
    check(
        &script(r#""max-attempts": 3, "on-fail": "x""#),
        &[r#""x" | error invalid-value task "x": on-fail "x": expected "stop", "restart" or "ignore""#],
    );
    let defaults = r#"{ "defaults": { "max-attempts": 3 }, "scripts": [
        { "name": "a", "command": "a" }, { "name": "b", "command": "b", "on-fail": "restart" } ] }"#;
    let plan = accept(defaults).plan;
    assert_eq!(plan.tasks()[0].on_fail, OnFail::Stop);
    assert!(matches!(&plan.tasks()[1].on_fail, OnFail::Restart(retry) if retry.max_attempts.is_some()));
}

#[test]
fn a_step_is_a_factor_where_it_multiplies() {
    let refused = |key: &str| format!(r#""{key}" | error not-supported task "x": {key}: not supported yet"#);
    let (backoff, step) = (refused("restart-backoff"), refused("restart-step"));
    let dynamic = r#""on-fail": "restart", "restart-backoff": "dynamic", "restart-step": "#;
    check(&script(&format!("{dynamic} 1.5")), &[&backoff, &step]);
    for value in ["0.5", "\"30s\""] {
        let expected = format!(
            r#"{value} | error invalid-value task "x": restart-step {value}: expected a factor, 1 or more, with "dynamic""#
        );
        check(&script(&format!("{dynamic} {value}")), &[&backoff, &step, &expected]);
        check(
            &script(&format!("{} {value}", dynamic.replace("dynamic", "dynamic-linear"))),
            &[&backoff, &step],
        );
    }
}

#[test]
fn times_and_what_it_stands_for() {
    check(
        &script(r#""times": 3, "max-runs": 4"#),
        &[
            r#""times" | error conflict task "x": times cannot apply together with max-runs: they are the same here; a task has one of them"#,
        ],
    );
    check(&script(r#""times": 3, "max-runs": 4, "on-fail": "restart""#), &[]);
    let runs = |defaults: &str, keys: &str| {
        let text = format!(
            r#"{{ "defaults": {{ {defaults} }}, "scripts": [ {{ "name": "x", "command": "a", {keys} }} ] }}"#
        );
        accept(&text).plan.tasks()[0].max_runs.map(|runs| runs.get())
    };
    assert_eq!(runs(r#""times": 3"#, r#""max-runs": 4"#), Some(4));
    assert_eq!(runs(r#""max-runs": 4"#, r#""times": 3"#), Some(3));
}

#[test]
fn a_plugin_task_on_a_thread_is_no_process() {
    let why = "applies to processes, not to a plugin task on a thread | it would apply with \"isolation\": \"process\"";
    check(
        &script(r#""no-interface": true, "user": "a""#).replace("\"true\"", "\"disk.so\""),
        &[
            &format!(r#""user" | error conflict task "x": user: {why}"#),
            r#""user" | error not-supported task "x": user: not supported yet"#,
        ],
    );
    let plugin = r#"{ "name": "x", "command": "disk.so", "no-interface": true, "stop-signal": "INT" }"#;
    check(
        &scripts(plugin),
        &[
            r#""stop-signal" | error conflict task "x": stop-signal: a plugin task on a thread is stopped by a call of stop() | it would apply with "isolation": "process""#,
        ],
    );
    check(&scripts(&plugin.replace("INT", "TERM")), &[]);
    accept(
        r#"{ "defaults": { "stop-signal": "INT" },
             "scripts": [ { "name": "x", "command": "disk.so", "no-interface": true } ] }"#,
    );
    check(
        &scripts(r#"{ "name": "x", "command": ["disk.so"], "no-interface": true }"#),
        &[
            r#"["disk.so"] | error conflict task "x": command […]: expected "LIBRARY" or "LIBRARY:Type", as no-interface is true"#,
        ],
    );
}

#[test]
fn plugins_that_cannot_be_loaded() {
    check(
        r#"{ "notifiers": { "pager": { "plugin": "pagre.so" } }, "scripts": [
             { "name": "x", "command": "disk.so:Spcae", "no-interface": true, "timeout": "5x" } ] }"#,
        &[
            r#""pagre.so" | error plugin notifier "pager": plugin "pagre.so": no such file"#,
            r#""disk.so:Spcae" | error plugin task "x": command "disk.so:Spcae": no type "Spcae", it exports "Space""#,
            r#""5x" | error invalid-value task "x": timeout "5x": expected a duration such as 30s, 5m or 1h30m | the units are ms, s, m, h and d"#,
        ],
    );
}

#[test]
fn notifying() {
    let notifiers = r#""notifiers": { "pager": { "plugin": "pager.so" } }"#;
    let file = |root: &str, keys: &str| {
        format!(r#"{{ {root}, "scripts": [ {{ "name": "x", "command": "true", {keys} }} ] }}"#)
    };
    check(&file(notifiers, r#""notify": "pager""#), &[]);
    check(
        &file(notifiers, r#""notify": "pagre""#),
        &[
            r#""pagre" | error unknown-notifier task "x": notify "pagre": there is no such notifier | did you mean "pager"?"#,
        ],
    );
    check(
        &file(notifiers, r#""notify": "command""#),
        &[
            r#""command" | error missing-key task "x": notify "command": there is no notify-command | add "notify-command" to the task or to the file"#,
        ],
    );
    check(
        &file(r#""notify-command": "a""#, r#""notify-command": "b""#),
        &[
            r#""notify-command" | warning unused notify-command: no task uses it | a task uses it with "notify": "command""#,
            r#""notify-command" | warning unused task "x": notify-command is not used | add "notify": "command""#,
        ],
    );
    check(
        &file(r#""notify-command": "a 'b""#, r#""notify": "mail""#),
        &[
            r#""a 'b" | error invalid-value notify-command "a 'b": expected a command whose quotes are closed"#,
        ],
    );
    check(&script(r#""notify": { "enabled": false, "handler": "command" }"#), &[]);
    check(
        &script(r#""notify": { "enabled": true }"#),
        &[
            r#""enabled" | error missing-key task "x": notify is enabled, and nobody is named to be told | name a "handler": "command" or a notifier"#,
        ],
    );
    check(
        r#"{ "notifiers": { "command": { "plugin": "pager.so" }, "a": {}, "b": 5,
                            "c": { "plugin": "pager.so", "timeout": 0, "options": [], "optoins": {} } }, "scripts": [] }"#,
        &[
            r#""command" | error invalid-value notifier "command": this name cannot be given to a notifier | "notify": "command" means itself"#,
            "{ | error missing-key notifiers.a.plugin is missing",
            "5 | error invalid-value notifiers.b 5: expected an object",
            "0 | error invalid-value notifiers.c.timeout 0: expected a duration longer than zero, such as 30s, 5m or 1h30m",
            "[] | error invalid-value notifiers.c.options []: expected an object",
            r#""optoins" | warning unknown-key notifiers.c.optoins: unknown key | did you mean "options"?"#,
        ],
    );
}

#[test]
fn depending_on_others() {
    let tasks = |depends: &str| {
        scripts(&format!(
            r#"{{ "name": "x", "command": "true", "depends-on": {depends} }}, {{ "name": "y", "command": "true" }},
               {{ "name": "s", "command": "true", "service": true }}"#
        ))
    };
    let service = r#""service" | error not-supported task "s": service: not supported yet"#;
    let refused = r#""depends-on" | error not-supported task "x": depends-on: not supported yet"#;
    check(
        &tasks(r#"["yy"]"#),
        &[
            refused,
            r#""yy" | error unknown-dependency task "x": depends-on "yy": there is no such task | did you mean "y"?"#,
            service,
        ],
    );
    check(
        &tasks(r#"["s", { "y": "healthy" }]"#),
        &[
            refused,
            r#""s" | error conflict task "x": depends-on "s": a service never completes | wait for "started" or "healthy""#,
            r#""y" | error conflict task "x": depends-on "y": the task has no health-check | wait for "started", or give it a health-check"#,
            service,
        ],
    );
    check(
        &tasks(r#"["y", 5, { "y": "complete" }]"#),
        &[
            r#"5 | error invalid-value task "x": depends-on[1] 5: expected a task's name or { name: condition }"#,
            r#""complete" | error invalid-value task "x": depends-on[2].y "complete": expected "completed", "started" or "healthy" | did you mean "completed"?"#,
            service,
        ],
    );
    check(
        &tasks(r#"["x"]"#),
        &[refused, r#""x" | error dependency-cycle task "x": depends-on makes a cycle: x → x"#, service],
    );
    let text = scripts(
        r#"{ "name": "a", "command": "t", "depends-on": ["b"] }, { "name": "b", "command": "t", "depends-on": { "c": "started" } },
           { "name": "c", "command": "t", "depends-on": ["a", "b"] }"#,
    );
    let found = crate::findings(&text);
    let cycles: Vec<&str> = found.lines().filter(|line| line.contains("cycle")).collect();
    assert_eq!(
        cycles,
        [
            r#""a" | error dependency-cycle task "c": depends-on makes a cycle: a → b → c → a"#,
            r#""b" | error dependency-cycle task "c": depends-on makes a cycle: b → c → b"#,
        ]
    );
}

#[test]
fn rotating_a_file_that_somebody_else_writes_to() {
    check(
        &scripts(
            r#"{ "name": "a", "command": "t", "stdout": "x.log", "rotate": {} },
               { "name": "b", "command": "t", "stdout": "b.log", "stderr": "./x.log" }"#,
        ),
        &[
            r#""rotate" | error not-supported task "a": rotate: not supported yet"#,
            r#""rotate" | error conflict task "a": rotate cannot apply: the task "b" writes to "/srv/jobs/x.log" too | give each task a file of its own"#,
        ],
    );
}

#[test]
fn keys_of_the_tasks_own_that_change_nothing() {
    check(
        &script(r#""on-exhausted": "stop", "restart-delay": 1, "timer-mode": "fixed-rate", "options": {}"#),
        &[
            r#""on-exhausted" | warning no-effect task "x": on-exhausted has no effect: it applies with on-fail "restart""#,
            r#""restart-delay" | warning no-effect task "x": restart-delay has no effect: it applies with on-fail "restart""#,
            r#""timer-mode" | warning no-effect task "x": timer-mode has no effect: the task has no timer"#,
            r#""options" | warning no-effect task "x": options has no effect: they are for a plugin task ("no-interface": true)"#,
        ],
    );
    check(
        r#"{ "defaults": { "on-exhausted": "stop", "restart-delay": 1, "timer-mode": "fixed-rate", "options": {} },
             "scripts": [ { "name": "x", "command": "a" } ] }"#,
        &[],
    );
}
