//! Keys that are unknown, missing or written twice, and names that occur twice or nowhere.

use crate::{accept, check, script, scripts};
use bansuri::config::ReloadMode;

#[test]
fn unknown_keys_warn_and_say_what_may_be_meant() {
    check(
        r#"{ "verison": "1", "timeout": "5s", "frobnicate": 1, "scripts": [] }"#,
        &[
            r#""verison" | warning unknown-key verison: unknown key | did you mean "version"?"#,
            r#""timeout" | warning unknown-key timeout: unknown key | it belongs in a script or in "defaults""#,
            r#""frobnicate" | warning unknown-key frobnicate: unknown key"#,
        ],
    );
    check(
        &script(
            r#""time_out": "5s", "handler": "command", "general": { "timeout": "5s", "times": 3, "nmae": "y" }"#,
        ),
        &[
            r#""time_out" | warning unknown-key task "x": time_out: unknown key | did you mean "timeout"?"#,
            r#""handler" | warning unknown-key task "x": handler: unknown key | it belongs in "failure-control.notify""#,
            r#""timeout" | warning unknown-key task "x": general.timeout: unknown key | it belongs in "scheduling""#,
            r#""times" | warning unknown-key task "x": general.times: unknown key | it stands in the script itself"#,
            r#""nmae" | warning unknown-key task "x": general.nmae: unknown key | did you mean "name"?"#,
        ],
    );
    check(
        r#"{ "defaults": { "tiemr": 5 }, "plugins": { "search_path": [] },
             "scripts": [ { "name": "x", "command": "a" }, { "name": "y", "command": "b" } ] }"#,
        &[
            r#""tiemr" | warning unknown-key defaults: tiemr: unknown key | did you mean "timer"?"#,
            r#""search_path" | warning unknown-key plugins.search_path: unknown key | did you mean "search-paths"?"#,
        ],
    );
}

#[test]
fn an_unknown_key_is_shown_without_disfiguring_the_message() {
    check(
        &script(r#""two\nlines": 1, "": 2"#),
        &[
            r#""two\nlines" | warning unknown-key task "x": "two\nlines": unknown key"#,
            r#""" | warning unknown-key task "x": "": unknown key"#,
        ],
    );
}

#[test]
fn misspelt_values_say_what_may_be_meant() {
    let on_fail = r#"expected "stop", "restart" or "ignore""#;
    check(
        &script(r#""on-fail": "restrat", "stop-signal": "SIGTREM", "no-interface": "flase""#),
        &[
            &format!(
                r#""restrat" | error invalid-value task "x": on-fail "restrat": {on_fail} | did you mean "restart"?"#
            ),
            r#""SIGTREM" | error invalid-value task "x": stop-signal "SIGTREM": expected a signal such as "TERM", "INT" or 15 | did you mean "TERM"?"#,
            r#""flase" | error invalid-value task "x": no-interface "flase": expected true or false | did you mean "false"?"#,
        ],
    );
    check(
        &script(r#""scheduling": { "scheduler": "tmier", "params": "5m", "timer-mode": "fixed-delay" }"#),
        &[
            r#""tmier" | error invalid-value task "x": scheduling.scheduler "tmier": expected "none", "timer", "cron" or "service" | did you mean "timer"?"#,
        ],
    );
    check(
        &script(
            r#""timeout": "5min", "stop-timeout": 1.5, "schedule-cron": "61 * * * *", "umask": 22, "description": 5"#,
        ),
        &[
            r#""5min" | error invalid-value task "x": timeout "5min": expected a duration such as 30s, 5m or 1h30m | the units are ms, s, m, h and d"#,
            r#"1.5 | error invalid-value task "x": stop-timeout 1.5: expected a duration such as 30s, 5m or 1h30m | write whole numbers, in a smaller unit: 1500ms, 90m, 1h30m"#,
            r#""61 * * * *" | error invalid-value task "x": schedule-cron "61 * * * *": expected a cron expression such as "*/5 * * * *" or "@daily" | minute "61": "61" is not a number from 0 to 59"#,
            r#"22 | error invalid-value task "x": umask 22: expected octal digits such as "027" | write "022""#,
            r#"5 | error invalid-value task "x": description 5: expected text in double quotes | write "5""#,
        ],
    );
}

#[test]
fn a_key_written_twice_is_an_error_at_the_second() {
    check(
        &script(r#""timeout": 5, "timeout": 6"#),
        &[r#""timeout" | error duplicate-key task "x": key "timeout" is written twice, first on line 1"#],
    );
    check(
        &script("\"on-fail\": \"stop\",\n\"on_fail\": \"stop\""),
        &[
            r#""on_fail" | error duplicate-key task "x": key "on_fail" is written twice, first on line 1 as "on-fail""#,
        ],
    );
    check(
        &script(r#""timeout": 5, "scheduling": { "timeout": 5 }"#),
        &[r#""timeout" | error duplicate-key task "x": key "timeout" is written twice, first on line 1"#],
    );
    check(
        &script(
            r#""restart-delay": 5, "on-fail": "restart", "failure_control": { "restart_params": { "after": 5 } }"#,
        ),
        &[
            r#""after" | error duplicate-key task "x": key "after" is written twice, first on line 1 as "restart-delay""#,
        ],
    );
    check(
        &script(r#""timer": 5, "scheduling": { "scheduler": "timer", "params": 5 }"#),
        &[
            r#""params" | error duplicate-key task "x": key "params" is written twice, first on line 1 as "timer""#,
        ],
    );
    check(
        &script(r#""general": { "user": null }, "general": {}"#),
        &[r#""general" | error duplicate-key task "x": key "general" is written twice, first on line 1"#],
    );
    check(
        r#"{ "scripts": [], "notify-command": "a", "scripts": [] }"#,
        &[
            r#""notify-command" | warning unused notify-command: no task uses it | a task uses it with "notify": "command""#,
            r#""scripts" | error duplicate-key key "scripts" is written twice, first on line 1"#,
        ],
    );
}

#[test]
fn other_peoples_keys_are_their_own_but_not_twice() {
    check(&script(r#""environment": { "A-B": "1", "A_B": "2", "a-b": "3" }"#), &[]);
    check(
        &script(r#""environment": { "A": "1", "A": "2" }"#),
        &[r#""A" | error duplicate-key task "x": key "A" is written twice, first on line 1"#],
    );
    check(
        &scripts(
            r#"{ "name": "x", "command": "disk.so", "no-interface": true, "options": { "d": [ { "p": 1, "p": 2 } ] } }"#,
        ),
        &[r#""p" | error duplicate-key task "x": key "p" is written twice, first on line 1"#],
    );
    let many: String = (0..100).map(|n| format!("\"K{}\": \"\",", n % 99)).collect();
    check(
        &script(&format!("\"environment\": {{ {many} }}")),
        &[r#""K0" | error duplicate-key task "x": key "K0" is written twice, first on line 1"#],
    );
}

#[test]
fn variables_that_no_environment_can_hold() {
    check(
        &script(r#""environment": { "": "1", "A=B": "2", "C": "a\u0000b", "D": [] }"#),
        &[
            r#""" | error invalid-value task "x": environment."": "" cannot be the name of a variable"#,
            r#""A=B" | error invalid-value task "x": environment."A=B": "A=B" cannot be the name of a variable"#,
            r#""a\u0000b" | error invalid-value task "x": environment.C "a\0b": expected text without a NUL character"#,
            r#"[] | error invalid-value task "x": environment.D []: expected text, a number or a boolean"#,
        ],
    );
}

#[test]
fn what_is_missing() {
    check("{}", &["{ | error missing-key scripts is missing"]);
    check(r#"{ "scripts": null }"#, &["{ | error missing-key scripts is missing"]);
    check(r#"{ "scripts": [] }"#, &[]);
    check(
        &scripts("{}"),
        &[
            "{ | error missing-key scripts[0]: name is missing",
            "{ | error missing-key scripts[0]: command is missing",
        ],
    );
    check(
        &scripts(r#"{ "general": { "name": "a" } }"#),
        &[r#"{ | error missing-key task "a": command is missing"#],
    );
    check(
        &scripts(r#"{ "name": "a", "command": null }"#),
        &[r#"{ | error missing-key task "a": command is missing"#],
    );
}

#[test]
fn names_and_commands() {
    check(
        &scripts(
            r#"{ "name": "a", "command": "1" }, { "name": "a", "command": "2" }, { "general": { "name": "a", "command": "3" } }"#,
        ),
        &[
            r#""a" | error duplicate-name two tasks are named "a", the first on line 1"#,
            r#""a" | error duplicate-name two tasks are named "a", the first on line 1"#,
        ],
    );
    check(
        &scripts(
            r#"{ "name": "", "command": "" }, { "name": "a\nb", "command": [] }, { "name": 5, "command": [""] },
               { "name": "c", "command": ["a", 1] }, { "name": "d", "command": {} }"#,
        ),
        &[
            r#""" | error invalid-value scripts[0]: name "": expected a name"#,
            r#""" | error invalid-value scripts[0]: command "": expected a command, or an array of a program and its arguments"#,
            r#""a\nb" | error invalid-value task "a\nb": name "a\nb": expected a name without control characters"#,
            r#"[] | error invalid-value task "a\nb": command []: expected a command, or an array of a program and its arguments"#,
            r#"5 | error invalid-value scripts[2]: name 5: expected text in double quotes | write "5""#,
            r#""" | error invalid-value scripts[2]: command[0] "": expected a program"#,
            r#"1 | error invalid-value task "c": command[1] 1: expected text in double quotes | write "1""#,
            r#"{} | error invalid-value task "d": command {}: expected a command, or an array of a program and its arguments"#,
        ],
    );
    check(
        r#"{ "defaults": { "name": "a" }, "scripts": [] }"#,
        &[r#""name" | error conflict defaults: name cannot be shared, every script has its own"#],
    );
}

#[test]
fn what_is_no_object() {
    check("[]", &["[ | error invalid-value expected an object { \"scripts\": […] }, found []"]);
    check("5", &["5 | error invalid-value expected an object { \"scripts\": […] }, found 5"]);
    check(r#"{ "scripts": {} }"#, &["{} | error invalid-value scripts {}: expected an array of tasks"]);
    check(
        r#"{ "scripts": [ 5, null ], "defaults": [], "notifiers": "x", "plugins": 1, "version": 1 }"#,
        &[
            "5 | error invalid-value scripts[0] 5: expected an object",
            "null | error invalid-value scripts[1] null: expected an object",
            "[] | error invalid-value defaults []: expected an object",
            r#""x" | error invalid-value notifiers "x": expected an object"#,
            "1 | error invalid-value plugins 1: expected an object",
            r#"1 | error invalid-value version 1: expected text in double quotes | write "1""#,
        ],
    );
    check(
        &script(
            r#""scheduling": "cron", "notify": 5, "restart-params": [], "limits": { "nofile": "many", "nofiles": 1 }"#,
        ),
        &[
            r#""cron" | error invalid-value task "x": scheduling "cron": expected an object"#,
            r#"5 | error invalid-value task "x": failure-control.notify 5: expected a notifier's name or an object"#,
            r#"[] | error invalid-value task "x": failure-control.restart-params []: expected an object"#,
            r#""many" | error invalid-value task "x": limits.nofile "many": expected a whole number, a size such as 10M, or "unlimited""#,
            r#""nofiles" | warning unknown-key task "x": limits.nofiles: unknown key | did you mean "nofile"?"#,
        ],
    );
}

#[test]
fn root_keys_that_are_plain_values() {
    let read = |keys: &str| {
        let configuration = accept(&format!(r#"{{ {keys} "scripts": [] }}"#));
        (configuration.plan.max_running().map(|number| number.get()), configuration.reload)
    };
    assert_eq!(read(""), (None, ReloadMode::Auto));
    assert_eq!(read(r#""max-running": 0, "reload": null,"#), (None, ReloadMode::Auto));
    assert_eq!(read(r#""max_running": "4", "reload": "signal","#), (Some(4), ReloadMode::Signal));
    assert_eq!(read(r#""max-running": 1, "reload": "auto","#), (Some(1), ReloadMode::Auto));
    check(
        r#"{ "$schema": "scripts.schema.json", "plugins": { "isolation": "thread" }, "scripts": [] }"#,
        &[],
    );
    check(
        r#"{ "plugins": { "isolation": "fork" }, "scripts": [] }"#,
        &[r#""fork" | error invalid-value plugins.isolation "fork": expected "thread" or "process""#],
    );
    check(
        r#"{ "max-running": -1, "reload": "atuo", "scripts": [] }"#,
        &[
            "-1 | error invalid-value max-running -1: expected a whole number from 0 to 4294967295",
            r#""atuo" | error invalid-value reload "atuo": expected "auto" or "signal" | did you mean "auto"?"#,
        ],
    );
}
