//! What a configuration becomes.

use crate::{accept, script, scripts};
use bansuri::config::NotifierSpec;
use bansuri::launch::{Action, ErrorSink, Launch, NotifyTarget, Sink};
use bansuri_core::{
    Backoff, NotifyMode, NotifyPlan, OnExhausted, OnFail, Positive, Retry, Schedule, Signal, TaskPlan,
    TimerMode,
};
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

#[track_caller]
fn task(keys: &str) -> (TaskPlan, Arc<Launch>) {
    let configuration = accept(&script(keys));
    (configuration.plan.tasks()[0].clone(), Arc::clone(&configuration.launches[0]))
}

fn seconds(seconds: u64) -> Option<Positive> {
    Positive::new(Duration::from_secs(seconds))
}

#[test]
fn a_task_that_says_nothing() {
    let (plan, launch) = task("");
    assert_eq!(plan.name.as_str(), "x");
    assert_eq!(plan.schedule, Schedule::Once);
    assert_eq!(plan.timeout, None);
    assert_eq!(plan.stop_timeout, Duration::from_secs(10));
    assert_eq!(plan.on_fail, OnFail::Stop);
    assert_eq!(plan.max_runs, None);
    assert_eq!(plan.success_codes, BTreeSet::from([0]));
    assert_eq!(plan.notify, None);
    let expected = Launch {
        command_text: "true".to_owned(),
        ..Launch::new(plan.name.clone(), Action::Shell("true".to_owned()), PathBuf::from("/srv/jobs"))
    };
    assert_eq!(*launch, expected);
}

#[test]
fn the_flat_example() {
    let configuration = accept(
        r#"{ "version": "1.0", "notify-command": "mail -s 'failed: {task}' ops@example.com",
             "scripts": [ { "name": "backup", "command": "pg_dump mydb > backup.sql", "timer": "1h", "timeout": "10m",
                            "on-fail": "restart", "max-attempts": 3, "stdout": "backup.log", "notify": "command" } ] }"#,
    );
    let (plan, launch) = (&configuration.plan.tasks()[0], &configuration.launches[0]);
    let interval = seconds(3600).expect("an hour is some time");
    assert_eq!(plan.schedule, Schedule::Timer { interval, mode: TimerMode::FixedRate });
    assert_eq!(plan.timeout, seconds(600));
    assert_eq!(launch.timeout, seconds(600));
    let delay = Duration::from_secs(5);
    let retry = Retry {
        max_attempts: NonZeroU32::new(3),
        delay,
        backoff: Backoff::NONE,
        on_exhausted: OnExhausted::Continue,
    };
    assert_eq!(plan.on_fail, OnFail::Restart(retry));
    assert_eq!(plan.notify, Some(NotifyPlan { mode: NotifyMode::AfterFail, recovery: false, after: None }));
    assert_eq!(launch.action, Action::Shell("pg_dump mydb > backup.sql".to_owned()));
    assert_eq!(launch.stdout, Sink::File(PathBuf::from("/srv/jobs/backup.log")));
    let words = ["mail", "-s", "failed: {task}", "ops@example.com"].map(str::to_owned);
    assert_eq!(launch.notify, Some(NotifyTarget::Command(Arc::new(words))));
}

#[test]
fn the_grouped_example_says_what_the_flat_one_would() {
    let grouped = r#"{ "version": "1.0",
      "defaults": { "failure-control": { "on-fail": "restart", "max-attempts": "4", "restart-params": { "after": "30s" } } },
      "scripts": [ { "general": { "name": "sync", "command": "sync.sh", "working-directory": "/srv/jobs" },
                     "scheduling": { "scheduler": "timer", "params": "5m", "timeout": "1m", "max-runs": 10 },
                     "failure-control": { "notify": { "enabled": true, "mode": "after-fail", "after-threshold": 1,
                                                      "handler": "command", "handler-config": "send-alert --ops" } },
                     "logging": { "stdout": "/var/log/sync.log", "stderr": "$$combined" } } ] }"#;
    let flat = r#"{ "scripts": [ { "name": "sync", "command": "sync.sh", "working_directory": "/srv/jobs", "timer": 300,
        "timeout": 60, "max_runs": "10", "on_fail": "restart", "max_attempts": 4, "restart_delay": 30, "notify": "mail",
        "notify_command": "send-alert --ops", "stdout": "/var/log/sync.log", "stderr": "combined" } ] }"#;
    let (grouped, flat) = (accept(grouped), accept(flat));
    assert_eq!(grouped.plan, flat.plan);
    assert_eq!(grouped.launches, flat.launches);
}

#[test]
fn what_follows_a_failure_if_nobody_says() {
    assert_eq!(task("").0.on_fail, OnFail::Stop);
    assert_eq!(task(r#""timer": "1h""#).0.on_fail, OnFail::Ignore);
    assert_eq!(task(r#""timer": "none""#).0.on_fail, OnFail::Stop);
    assert_eq!(task(r#""timer": "1h", "on-fail": "stop""#).0.on_fail, OnFail::Stop);
    let retry = Retry {
        max_attempts: None,
        delay: Duration::from_secs(5),
        backoff: Backoff::NONE,
        on_exhausted: OnExhausted::Continue,
    };
    assert_eq!(task(r#""on-fail": "restart""#).0.on_fail, OnFail::Restart(retry));
    let (plan, _) =
        task(r#""on-fail": "restart", "restart-delay": 0, "on-exhausted": "stop", "max-attempts": 2"#);
    let retry = Retry {
        max_attempts: NonZeroU32::new(2),
        delay: Duration::ZERO,
        backoff: Backoff::NONE,
        on_exhausted: OnExhausted::Stop,
    };
    assert_eq!(plan.on_fail, OnFail::Restart(retry));
}

#[test]
fn times_is_a_limit_of_attempts_or_of_runs() {
    let limits = |keys: &str| {
        let plan = task(keys).0;
        let attempts = match plan.on_fail {
            OnFail::Restart(retry) => retry.max_attempts.map(NonZeroU32::get),
            OnFail::Stop | OnFail::Ignore => None,
        };
        (attempts, plan.max_runs.map(|runs| runs.get()))
    };
    assert_eq!(limits(r#""times": 3"#), (None, Some(3)));
    assert_eq!(limits(r#""times": 3, "timer": 1"#), (None, Some(3)));
    assert_eq!(limits(r#""times": 3, "on-fail": "restart""#), (Some(3), None));
    assert_eq!(limits(r#""times": 3, "on-fail": "restart", "max-runs": 7"#), (Some(3), Some(7)));
    assert_eq!(limits(r#""times": 3, "on-fail": "restart", "max-attempts": 5"#), (Some(5), Some(3)));
    assert_eq!(limits(r#""times": 0"#), (None, None));
}

#[test]
fn paths() {
    let directory =
        |path: &str| task(&format!(r#""working-directory": "{path}""#)).1.working_directory.clone();
    assert_eq!(directory("sub/./folder/"), Path::new("/srv/jobs/sub/folder"));
    assert_eq!(directory("../other"), Path::new("/srv/jobs/../other"));
    assert_eq!(directory("/tmp"), Path::new("/tmp"));
    let (_, launch) = task(r#""working-directory": "sub", "stdout": "out.log", "stderr": "/var/log/err""#);
    assert_eq!(launch.stdout, Sink::File(PathBuf::from("/srv/jobs/sub/out.log")));
    assert_eq!(launch.stderr, ErrorSink::Separate(Sink::File(PathBuf::from("/var/log/err"))));
}

#[test]
fn output() {
    let sinks = |keys: &str| {
        let launch = task(keys).1;
        (launch.stdout.clone(), launch.stderr.clone())
    };
    assert_eq!(
        sinks(r#""stdout": "ignore", "stderr": "inherit""#),
        (Sink::Ignore, ErrorSink::Separate(Sink::Inherit))
    );
    assert_eq!(sinks(r#""stdout": "inherit""#), (Sink::Inherit, ErrorSink::Combined));
    assert_eq!(sinks(r#""stderr": null"#), (Sink::Tail, ErrorSink::Separate(Sink::Tail)));
    let (stdout, stderr) = sinks(r#""stdout": "a/x.log", "stderr": "./a/x.log""#);
    assert_eq!((stdout, stderr), (Sink::File(PathBuf::from("/srv/jobs/a/x.log")), ErrorSink::Combined));
}

#[test]
fn commands_that_are_executed_directly() {
    let configuration = accept(&scripts(r#"{ "name": "x", "command": ["echo", "a b", "it's", ""] }"#));
    let launch = &configuration.launches[0];
    assert_eq!(launch.action, Action::Exec(["echo", "a b", "it's", ""].map(str::to_owned).to_vec()));
    assert_eq!(launch.command_text, "echo 'a b' \"it's\" ''");
}

#[test]
fn plugins_and_their_notifiers() {
    let configuration = accept(
        r#"{ "plugins": { "search-paths": ["plugins", "/usr/lib/bansuri"] },
             "notifiers": { "on_call": { "plugin": "pager.so:Pager", "options": { "to_whom": "ops" }, "timeout": "5s" },
                            "other": { "plugin": "pager.so" } },
             "scripts": [ { "name": "x", "command": "disk.so", "no-interface": true, "notify": "on_call",
                            "options": { "min_free": "10%" } } ] }"#,
    );
    let library = PathBuf::from("/srv/jobs/disk.so");
    let options = serde_json::json!({ "min_free": "10%" });
    let launch = &configuration.launches[0];
    assert_eq!(launch.action, Action::Plugin { library, type_name: "Space".to_owned(), options });
    assert_eq!(launch.command_text, "disk.so");
    assert_eq!(launch.notify, Some(NotifyTarget::Named("on_call".to_owned())));
    assert!(configuration.plan.tasks()[0].notify.is_some());
    let spec = |options: serde_json::Value, timeout: u64| NotifierSpec {
        library: PathBuf::from("/srv/jobs/pager.so"),
        type_name: "Pager".to_owned(),
        options,
        timeout: Duration::from_secs(timeout),
    };
    assert_eq!(configuration.notifiers["on_call"], spec(serde_json::json!({ "to_whom": "ops" }), 5));
    assert_eq!(configuration.notifiers["other"], spec(serde_json::json!({}), 30));
}

#[test]
fn the_shapes_of_notify() {
    let told = |keys: &str| {
        let text = format!(
            r#"{{ "defaults": {{ "notify": {{ "enabled": false }} }}, "notifiers": {{ "pager": {{ "plugin": "pager.so" }} }},
                 "scripts": [ {{ "name": "x", "command": "true", {keys} }} ] }}"#
        );
        match accept(&text).launches[0].notify.clone() {
            None => "nobody".to_owned(),
            Some(NotifyTarget::Command(words)) => words.join("+"),
            Some(NotifyTarget::Named(name)) => name,
        }
    };
    assert_eq!(told(""), "nobody");
    assert_eq!(told(r#""notify": null"#), "nobody");
    assert_eq!(told(r#""notify": "none""#), "nobody");
    assert_eq!(told(r#""notify": "pager""#), "pager");
    assert_eq!(told(r#""failure-control": { "notify": "pager" }"#), "pager");
    assert_eq!(told(r#""notify": "command", "notify-command": "a b""#), "a+b");
    assert_eq!(told(r#""notify": { "handler": "mail", "handler-config": "a b", "enabled": "true" }"#), "a+b");
    assert_eq!(told(r#""failure_control": { "notify": { "handler": "pager" } }"#), "nobody");
    assert_eq!(told(r#""notify": { "handler": "pager", "enabled": true }"#), "pager");
    assert_eq!(told(r#""notify": { "handler": "pager", "enabled": null }"#), "pager");
}
