//! Keys that cannot apply together, or to such a task at all.

use crate::machine::Fake;
use crate::{accept, check, findings, lines, run_on, script, scripts};
use bansuri::config::CheckOptions;
use bansuri::launch::Action;
use bansuri_core::OnFail;

#[test]
fn one_schedule_at_a_time() {
    check(
        &script(r#""timer": "1h", "schedule-cron": "@daily""#),
        &[
            r#""timer" | error conflict task "x": timer cannot apply together with schedule-cron: a task has one of them"#,
        ],
    );
    check(&script(r#""timer": "0", "schedule-cron": null"#), &[]);
}

#[test]
fn a_service_has_no_schedule_and_no_end() {
    check(
        &script(r#""service": true, "timer": "1h", "max-runs": 3, "on-fail": "stop""#),
        &[
            r#""timer" | error conflict task "x": timer cannot apply together with service: a service is kept alive and has no schedule"#,
            r#""max-runs" | error conflict task "x": max-runs cannot apply together with service: a service is never done; max-attempts limits its failures"#,
            r#""on-fail" | error conflict task "x": on-fail cannot apply together with service: a service takes on-fail "restart""#,
        ],
    );
    check(&script(r#""service": true, "max-runs": 0, "on-fail": "restart", "times": 3"#), &[]);
    check(
        &script(r#""service": true, "max-attempts": 3, "times": 3"#),
        &[
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
    let dynamic = r#""on-fail": "restart", "restart-backoff": "dynamic", "restart-step": "#;
    check(&script(&format!("{dynamic} 1.5")), &[]);
    for value in ["0.5", "\"30s\""] {
        let expected = format!(
            r#"{value} | error invalid-value task "x": restart-step {value}: expected a factor, 1 or more, with "dynamic""#
        );
        check(&script(&format!("{dynamic} {value}")), &[&expected]);
        check(&script(&format!("{} {value}", dynamic.replace("dynamic", "dynamic-linear"))), &[]);
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
fn a_digest_pins_a_plugin_and_no_command() {
    let sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    check(
        &script(&format!(r#""sha256": "{sha256}""#)),
        &[
            r#""sha256" | error conflict task "x": sha256: pins the library of a plugin task, and this one runs a command | it would apply with "no-interface": true"#,
        ],
    );
    // What `defaults` say is for those to whom it can apply.
    let text = format!(
        r#"{{ "defaults": {{ "sha256": "{sha256}" }}, "notifiers": {{ "pager": {{ "plugin": "pager.so", "sha256": "{sha256}" }} }},
             "scripts": [ {{ "name": "a", "command": "b", "notify": "pager" }},
                          {{ "name": "c", "command": "disk.so", "no-interface": true }} ] }}"#
    );
    let configuration = accept(&text);
    let Action::Plugin(plugin) = &configuration.launches[1].action else { panic!("a plugin task") };
    let empty = [0xe3, 0xb0, 0xc4, 0x42];
    assert_eq!(plugin.sha256.unwrap()[..4], empty);
    assert_eq!(configuration.notifiers["pager"].sha256.unwrap()[..4], empty);
    for wrong in ["b85", "b8555", "b85g", "b85ä"] {
        let found = findings(&text.replace("b855", wrong));
        assert!(found.lines().all(|line| line.contains("expected 64 hexadecimal digits")), "{found}");
        assert_eq!(found.lines().count(), 2);
    }
}

#[test]
fn what_makes_a_library_less_than_trustworthy_is_said_once() {
    let warning = "library \"/srv/jobs/shaky.so\": file \"/srv/jobs/shaky.so\" belongs to user 7";
    let task = |name: &str| format!(r#"{{ "name": "{name}", "command": "shaky.so", "no-interface": true }}"#);
    check(
        &scripts(&format!("{}, {}", task("a"), task("b"))),
        &[&format!(r#""shaky.so" | warning plugin task "a": command "shaky.so": {warning}"#)],
    );
    let text = r#"{ "notifiers": { "pager": { "plugin": "shaky.so" } },
                    "scripts": [ { "name": "a", "command": "b", "notify": "pager" } ] }"#;
    check(text, &[&format!(r#""shaky.so" | warning plugin notifier "pager": plugin "shaky.so": {warning}"#)]);
}

#[test]
fn a_plugin_task_on_a_thread_is_no_process() {
    let why = "applies to processes, not to a plugin task on a thread | it would apply with \"isolation\": \"process\"";
    check(
        &script(r#""no-interface": true, "user": "a""#).replace("\"true\"", "\"disk.so\""),
        &[&format!(r#""user" | error conflict task "x": user: {why}"#)],
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
fn a_plugin_task_in_a_process_takes_what_a_process_takes() {
    let privileges = r#""stop-signal": "INT", "priority": 1, "umask": "027", "limits": { "core": 0 }"#;
    let task = format!(r#"{{ "name": "x", "command": "disk.so", "no-interface": true, {privileges} @ }}"#);
    for text in [
        scripts(&task.replace('@', r#", "isolation": "process""#)),
        format!(r#"{{ "plugins": {{ "isolation": "process" }}, "scripts": [ {} ] }}"#, task.replace('@', "")),
        format!(
            r#"{{ "defaults": {{ "isolation": "process" }}, "scripts": [ {} ] }}"#,
            task.replace('@', "")
        ),
    ] {
        let launch = &accept(&text).launches[0];
        assert_eq!(launch.privileges.priority, Some(1), "{text}");
        assert_eq!(launch.privileges.umask, Some(0o27));
        assert_eq!(launch.privileges.limits.len(), 1);
        assert_eq!(launch.stop_signal.to_string(), "SIGINT");
    }
    let thread = r#"{ "name": "x", "command": "disk.so", "no-interface": true, "umask": "027", "isolation": "thread" }"#;
    check(
        &format!(r#"{{ "plugins": {{ "isolation": "process" }}, "scripts": [ {thread} ] }}"#),
        &[
            r#""umask" | error conflict task "x": umask: applies to processes, not to a plugin task on a thread | it would apply with "isolation": "process""#,
        ],
    );
    check(
        &script(r#""isolation": "process""#),
        &[
            r#""isolation" | warning no-effect task "x": isolation has no effect: it is for a plugin task ("no-interface": true)"#,
        ],
    );
}

#[test]
fn what_the_host_may_not_do() {
    let on = |is_root: bool, keys: &str| {
        let text = script(keys);
        let result = run_on(&Fake { is_root }, text.as_bytes(), CheckOptions::default());
        let (Ok((_, findings)) | Err(findings)) = result;
        lines(&text, findings)
    };
    let keys =
        r#""user": "root", "group": 0, "priority": -1, "limits": { "nofile": 5000, "core": "unlimited" }"#;
    assert_eq!(on(true, keys), "");
    assert_eq!(
        on(false, keys),
        r#""root" | error not-permitted task "x": user "root": the host runs with user 33 and may not take another | run the host as root
0 | error not-permitted task "x": group 0: the host runs with group 44 and may not take another | run the host as root
-1 | error not-permitted task "x": priority -1: the host may not go below 0 | run the host as root, or raise its RLIMIT_NICE
"limits" | error not-permitted task "x": limits.nofile 5000: the host may not go above 4096 | run the host as root, or raise its own hard limit
"#
    );
    assert_eq!(
        on(false, r#""user": "www", "group": "web", "priority": 19, "limits": { "nofile": 4096 }"#),
        ""
    );
    assert!(on(true, r#""limits": { "nofile": "unlimited" }"#).contains("the host may not go above 1048576"));
    check(
        &script(r#""user": "wwww", "group": "wbe""#),
        &[
            r#""wwww" | error unknown-account task "x": user "wwww": there is no such user | did you mean "www"?"#,
            r#""wbe" | error unknown-account task "x": group "wbe": there is no such group | did you mean "web"?"#,
        ],
    );
    check(
        &script(r#""user": "distant""#),
        &[
            r#""distant" | warning unknown-account task "x": user "distant": it cannot be looked up: the server is away"#,
        ],
    );
    check(
        r#"{ "defaults": { "environment-file": "missing.env" }, "scripts": [
             { "name": "a", "command": "a" }, { "name": "b", "command": "b" } ] }"#,
        &[
            r#""missing.env" | warning environment-file defaults: environment-file "missing.env": there is no such file yet"#,
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
    check(
        &tasks(r#"["yy"]"#),
        &[
            r#""yy" | error unknown-dependency task "x": depends-on "yy": there is no such task | did you mean "y"?"#,
        ],
    );
    check(
        &tasks(r#"["s", { "y": "healthy" }]"#),
        &[
            r#""s" | error conflict task "x": depends-on "s": a service never completes | wait for "started" or "healthy""#,
            r#""y" | error conflict task "x": depends-on "y": the task has no health-check | wait for "started", or give it a health-check"#,
        ],
    );
    check(
        &tasks(r#"["y", 5, { "y": "complete" }]"#),
        &[
            r#"5 | error invalid-value task "x": depends-on[1] 5: expected a task's name or { name: condition }"#,
            r#""complete" | error invalid-value task "x": depends-on[2].y "complete": expected "completed", "started" or "healthy" | did you mean "completed"?"#,
        ],
    );
    check(&tasks(r#"["x"]"#), &[r#""x" | error dependency-cycle task "x": depends-on makes a cycle: x → x"#]);
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
        &script(
            r#""restart-backoff": "none", "timezone": "UTC", "catch-up": true, "timestamps": true, "rotate": {}, "notify": "command", "notify-command": "mail", "notify-threshold": 3"#,
        ),
        &[
            r#""restart-backoff" | warning no-effect task "x": restart-backoff has no effect: it applies with on-fail "restart""#,
            r#""timezone" | warning no-effect task "x": timezone has no effect: the task has no cron expression"#,
            r#""catch-up" | warning no-effect task "x": catch-up has no effect: the task has no cron expression"#,
            r#""timestamps" | warning no-effect task "x": timestamps has no effect: neither stdout nor stderr goes to a file"#,
            r#""rotate" | warning no-effect task "x": rotate has no effect: neither stdout nor stderr goes to a file"#,
            r#""notify-threshold" | warning no-effect task "x": notify-threshold has no effect: it applies with notify-mode "after-many""#,
        ],
    );
    check(
        &script(
            r#""on-fail": "restart", "restart-step": 2, "restart-delay": "10m", "restart-max-delay": "1m""#,
        ),
        &[
            r#""restart-step" | warning no-effect task "x": restart-step has no effect: restart-backoff is "none""#,
            r#""1m" | warning conflict task "x": restart-max-delay "1m": it is shorter than the first delay"#,
        ],
    );
    check(
        r#"{ "defaults": { "on-exhausted": "stop", "restart-delay": 1, "timer-mode": "fixed-rate", "options": {} },
             "scripts": [ { "name": "x", "command": "a" } ] }"#,
        &[],
    );
}

#[test]
fn how_to_tell_needs_somebody_to_tell() {
    check(
        &script(r#""notify-mode": "after-many", "failure-control": { "notify": { "recovery": true } }"#),
        &[
            r#""notify-mode" | warning no-effect task "x": notify-mode has no effect: nobody is told: the task has no notify"#,
            r#""recovery" | warning no-effect task "x": failure-control.notify.recovery has no effect: nobody is told: the task has no notify"#,
        ],
    );
    check(
        &script(
            r#""failure-control": { "notify": { "enabled": false, "handler": "command", "mode": "after-many" } }"#,
        ),
        &[],
    );
}

#[test]
fn a_misspelt_cron_word_is_answered_with_the_nearest() {
    let error = |word: &str, help: &str| {
        let expected = "expected a cron expression such as \"*/5 * * * *\" or \"@daily\"";
        let line = format!(
            r#""{word}" | error invalid-value task "x": schedule-cron "{word}": {expected} | {help}"#
        );
        check(&script(&format!(r#""schedule-cron": "{word}""#)), &[&line]);
    };
    error("@dayly", r#"did you mean "@daily"?"#);
    error("@rebot", r#"did you mean "@reboot"?"#);
    let all = "@hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually, @reboot";
    error("@fortnightly", &format!("the words are {all}"));
}

#[test]
fn folders_that_are_missing() {
    check(
        &script(r#""working-directory": "missing", "stdout": "x.log", "stderr": "/var/missing/x.err""#),
        &[
            r#""missing" | warning folder task "x": working-directory "missing": there is no such folder yet"#,
            r#""/var/missing/x.err" | warning folder task "x": stderr "/var/missing/x.err": its folder: there is no such folder yet"#,
        ],
    );
    check(
        &script(r#""logging": { "stdout": "missing/x.log" }"#),
        &[
            r#""missing/x.log" | warning folder task "x": logging.stdout "missing/x.log": its folder: there is no such folder yet"#,
        ],
    );
    check(
        r#"{ "defaults": { "working-directory": "missing" }, "scripts": [
             { "name": "a", "command": "a" }, { "name": "b", "command": "b" } ] }"#,
        &[r#""missing" | warning folder defaults: working-directory "missing": there is no such folder yet"#],
    );
}
