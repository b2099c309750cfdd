//! What a configuration becomes.

use crate::{accept, script, scripts};
use bansuri::config::NotifierSpec;
use bansuri::launch::{
    Account, Action, ErrorSink, HealthCommand, Isolation, Launch, Limit, NotifyTarget, PluginAction,
    Privileges, Resource, Rotation, Sink, Words,
};
use bansuri_core::{
    Backoff, Growth, HealthPlan, NotifyMode, NotifyPlan, OnExhausted, OnFail, Positive, Retry, Schedule,
    SuccessCodes, TaskPlan, TimerMode,
};
use std::num::{NonZeroU32, NonZeroU64};
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
    assert_eq!(plan.success_codes, SuccessCodes::default());
    assert_eq!(plan.notify, None);
    let expected = Launch {
        reference: None,
        ..Launch::new(plan.name.clone(), Action::Shell("true".into()), PathBuf::from("/srv/jobs"))
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
    assert_eq!(launch.action, Action::Shell("pg_dump mydb > backup.sql".into()));
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
fn schedules() {
    let cron = |keys: &str| match task(keys).0.schedule {
        Schedule::Cron(cron) => format!("{} in {}", cron.text(), cron.zone().name().unwrap_or("no zone")),
        other => format!("{other:?}"),
    };
    let daily = r#""schedule-cron": "@daily", "timezone": "#;
    assert_eq!(cron(&format!("{daily} \"Europe/Berlin\"")), "@daily in Europe/Berlin");
    assert_eq!(cron(&format!("{daily} \"utc\"")), "@daily in UTC");
    assert_eq!(
        cron(r#""scheduling": { "scheduler": "cron", "params": " 0 9 * * MON ", "timezone": "Asia/Tokyo" }"#),
        "0 9 * * MON in Asia/Tokyo"
    );
    let plan = task(r#""schedule-cron": "@daily", "catch-up": true, "jitter": "5m""#).0;
    assert!(plan.catch_up);
    assert_eq!((plan.jitter, plan.on_fail), (Duration::from_secs(300), OnFail::Ignore));
    let plan = task(r#""schedule-cron": "@reboot", "max-runs": 2"#).0;
    assert_eq!((plan.schedule, plan.on_fail), (Schedule::Once, OnFail::Ignore));
    let plan = task(r#""service": true"#).0;
    let retry = Retry {
        max_attempts: None,
        delay: Duration::from_secs(5),
        backoff: Backoff::NONE,
        on_exhausted: OnExhausted::Continue,
    };
    assert_eq!((plan.schedule, plan.on_fail), (Schedule::Service, OnFail::Restart(retry)));
    let grouped = task(r#""scheduling": { "scheduler": "service" }"#).0;
    assert_eq!(grouped, task(r#""service": "true""#).0);
}

#[test]
fn how_delays_grow() {
    let backoff = |keys: &str| match task(&format!(r#""on-fail": "restart", {keys}"#)).0.on_fail {
        OnFail::Restart(retry) => retry.backoff,
        OnFail::Stop | OnFail::Ignore => panic!("{keys}"),
    };
    let growth = |keys: &str| backoff(keys).growth;
    let linear = |millis| Growth::Linear { step: Duration::from_millis(millis) };
    let is_linear = r#""restart-backoff": "dynamic-linear""#;
    let is_dynamic = r#""restart-backoff": "dynamic""#;
    assert_eq!(backoff(""), Backoff::NONE);
    assert_eq!(growth(is_linear), linear(1000));
    assert_eq!(growth(&format!(r#"{is_linear}, "restart-step": 1.5"#)), linear(1500));
    assert_eq!(growth(&format!(r#"{is_linear}, "restart-step": "0.25""#)), linear(250));
    assert_eq!(growth(&format!(r#"{is_linear}, "restart-step": "2m""#)), linear(120_000));
    assert_eq!(growth(&format!(r#"{is_linear}, "restart-step": 0"#)), linear(0));
    let longest = Growth::Linear { step: Duration::from_nanos(i64::MAX as u64) };
    assert_eq!(growth(&format!(r#"{is_linear}, "restart-step": 1e300"#)), longest);
    assert_eq!(growth(is_dynamic), Growth::Exponential { factor: 2.0 });
    assert_eq!(
        growth(&format!(r#"{is_dynamic}, "restart-step": "1.5""#)),
        Growth::Exponential { factor: 1.5 }
    );
    let all = backoff(
        r#""restart-params": { "after-scheduling": "dynamic", "after-step": 3, "max": "1h", "jitter": "0.1" }"#,
    );
    let growth = Growth::Exponential { factor: 3.0 };
    assert_eq!(all, Backoff { growth, max: Duration::from_secs(3600), jitter: 0.1 });
    // A first delay beyond the built-in maximum is not cut short by it.
    assert_eq!(backoff(r#""restart-delay": "1h""#).max, Duration::from_secs(3600));
    assert_eq!(backoff(r#""restart-delay": "1h", "restart-jitter": 0.5"#).max, Duration::from_secs(5400));
    assert_eq!(backoff(&format!(r#"{is_dynamic}, "restart-delay": "1h""#)).max, Duration::from_secs(3600));
}

#[test]
fn what_others_are_waited_for() {
    let depends_on = |list: &str| {
        let text = scripts(&format!(
            r#"{{ "name": "x", "command": "t", "depends-on": {list} }}, {{ "name": "a", "command": "t" }},
               {{ "name": "b", "command": "t", "service": true, "health-check": {{ "command": "curl" }} }}"#
        ));
        let plan = accept(&text).plan.tasks()[0].clone();
        let list = plan.depends_on.iter().map(|on| format!("{} {:?}", on.task, on.condition));
        (list.collect::<Vec<_>>().join(", "), plan.on_fail)
    };
    assert_eq!(depends_on(r#"["a"]"#), ("a Completed".to_owned(), OnFail::Ignore));
    assert_eq!(depends_on(r#"["a", "a"]"#).0, "a Completed");
    let gate = ("a Completed, b Healthy, b Started".to_owned(), OnFail::Stop);
    assert_eq!(depends_on(r#"["a", { "b": "healthy" }, { "b": "started" }]"#), gate);
    assert_eq!(depends_on(r#"{ "b": "healthy", "a": "started" }"#).0, "b Healthy, a Started");
    assert_eq!(depends_on("[]"), (String::new(), OnFail::Stop));
}

#[test]
fn health_checks() {
    let (plan, launch) = task(r#""health-check": { "command": "curl -f localhost" }"#);
    let interval = seconds(30).expect("some time");
    let retries = NonZeroU32::new(3).expect("not zero");
    assert_eq!(plan.health, Some(HealthPlan { interval, retries, start_period: Duration::ZERO }));
    let action = Action::Shell("curl -f localhost".into());
    assert_eq!(launch.health, Some(Box::new(HealthCommand { action, timeout: Duration::from_secs(30) })));
    let (plan, launch) = task(
        r#""health-check": { "command": ["curl", "-f"], "interval": 1, "timeout": "2s", "retries": "4", "start_period": 5 }"#,
    );
    let (interval, retries) = (seconds(1).expect("some time"), NonZeroU32::new(4).expect("not zero"));
    assert_eq!(plan.health, Some(HealthPlan { interval, retries, start_period: Duration::from_secs(5) }));
    let action = Action::Exec(Words::new(["curl", "-f"]).unwrap());
    assert_eq!(launch.health, Some(Box::new(HealthCommand { action, timeout: Duration::from_secs(2) })));
}

#[test]
fn as_whom_and_under_which_limits() {
    let launch = task(
        r#""user": "www", "group": 44, "priority": "-5", "umask": "027", "environment-file": "sub/./x.env",
           "limits": { "nofile": "1024", "as": "2G", "core": "unlimited" }"#,
    )
    .1;
    let limits = [
        (Resource::Nofile, Limit::At(1024)),
        (Resource::As, Limit::At(2 << 30)),
        (Resource::Core, Limit::Unlimited),
    ];
    let expected = Privileges {
        user: Some(Account::Name("www".to_owned())),
        group: Some(Account::Id(44)),
        priority: Some(-5),
        umask: Some(0o027),
        limits: limits.into(),
    };
    assert_eq!(*launch.privileges, expected);
    assert_eq!(launch.environment_file, Some(PathBuf::from("/srv/jobs/sub/x.env")));
    assert!(task(r#""user": null, "limits": {}"#).1.privileges.is_default());
}

#[test]
fn log_files() {
    let rotate = |fields: &str| task(&format!(r#""stdout": "x.log", "rotate": {fields}"#)).1.rotate;
    let rotation = |max_size, keep, compress| {
        Some(Rotation { max_size: NonZeroU64::new(max_size).expect("not zero"), keep, compress })
    };
    assert_eq!(rotate("{}"), rotation(10 << 20, 5, false));
    assert_eq!(rotate(r#"{ "max_size": "4K", "keep": 2, "compress": true }"#), rotation(4096, 2, true));
    assert_eq!(rotate("null"), None);
    assert!(task(r#""stderr": "x.log", "timestamps": true"#).1.timestamps);
}

#[test]
fn which_failures_are_told() {
    let notify = |keys: &str| {
        let text = format!(
            r#"{{ "notify-command": "mail", "scripts": [ {{ "name": "x", "command": "true", {keys} }} ] }}"#
        );
        accept(&text).plan.tasks()[0].notify.clone().expect("somebody is told")
    };
    let plan = |mode, recovery, after| NotifyPlan { mode, recovery, after };
    let many = |count| NotifyMode::AfterMany(NonZeroU32::new(count).expect("not zero"));
    assert_eq!(notify(r#""notify": "command""#), plan(NotifyMode::AfterFail, false, None));
    assert_eq!(
        notify(
            r#""notify": { "enabled": true, "mode": "after-many", "after-threshold": 3, "handler": "command",
                           "after": "5m", "recovery": true }"#
        ),
        plan(many(3), true, seconds(300))
    );
    assert_eq!(notify(r#""notify": "mail", "notify-mode": "after_many""#), plan(many(1), false, None));
    assert_eq!(
        notify(r#""notify": "mail", "notify-mode": "on-exhausted", "notify-after": 0"#),
        plan(NotifyMode::OnExhausted, false, None)
    );
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
        |path: &str| task(&format!(r#""working-directory": "{path}""#)).1.working_directory.to_path_buf();
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
    assert_eq!(launch.action, Action::Exec(Words::new(["echo", "a b", "it's", ""]).unwrap()));
    assert_eq!(launch.command_text(), "echo 'a b' \"it's\" ''");
}

#[test]
fn plugins_and_their_notifiers() {
    let configuration = accept(
        r#"{ "plugins": { "search-paths": ["plugins", "/usr/lib/bansuri"] },
             "notifiers": { "on_call": { "plugin": "pager.so:Pager", "options": { "to_whom": "ops" }, "timeout": "5s" },
                            "other": { "plugin": "pager.so", "isolation": "process" } },
             "scripts": [ { "name": "x", "command": "disk.so", "no-interface": true, "notify": "on_call",
                            "options": { "min_free": "10%" } } ] }"#,
    );
    let library = PathBuf::from("/srv/jobs/disk.so");
    let options = serde_json::json!({ "min_free": "10%" });
    let launch = &configuration.launches[0];
    assert_eq!(
        launch.action,
        Action::from(PluginAction {
            library,
            type_name: "Space".to_owned(),
            sha256: None,
            options,
            isolation: Isolation::Thread
        })
    );
    assert_eq!(launch.command_text(), "disk.so");
    assert_eq!(launch.notify, Some(NotifyTarget::Named("on_call".to_owned())));
    assert!(configuration.plan.tasks()[0].notify.is_some());
    let spec = |options: serde_json::Value, timeout: u64, isolation| NotifierSpec {
        library: PathBuf::from("/srv/jobs/pager.so"),
        type_name: "Pager".to_owned(),
        sha256: None,
        options,
        isolation,
        timeout: Duration::from_secs(timeout),
    };
    assert_eq!(
        configuration.notifiers["on_call"],
        spec(serde_json::json!({ "to_whom": "ops" }), 5, Isolation::Thread)
    );
    assert_eq!(configuration.notifiers["other"], spec(serde_json::json!({}), 30, Isolation::Process));
}

#[test]
fn where_plugin_tasks_run() {
    let isolation = |root: &str, keys: &str| {
        let text = format!(
            r#"{{ {root} "scripts": [ {{ "name": "x", "command": "disk.so", "no-interface": true, {keys} }} ] }}"#
        );
        match &accept(&text).launches[0].action {
            Action::Plugin(plugin) => plugin.isolation,
            other => panic!("{other:?}"),
        }
    };
    let (thread, process) = (Isolation::Thread, Isolation::Process);
    let plugins = r#""plugins": { "isolation": "process" },"#;
    let defaults = r#""defaults": { "isolation": "process" },"#;
    assert_eq!(isolation("", ""), thread);
    assert_eq!(isolation("", r#""isolation": "process""#), process);
    assert_eq!(isolation(plugins, ""), process);
    assert_eq!(isolation(plugins, r#""isolation": "thread""#), thread);
    assert_eq!(isolation(defaults, ""), process);
    // What `defaults` says is taken back, what the file says stays.
    assert_eq!(isolation(defaults, r#""isolation": null"#), thread);
    assert_eq!(isolation(&format!("{plugins}{defaults}"), r#""isolation": null"#), process);
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
