//! Cron, services, backoff, health checks and limits of real commands, as the event stream tells them.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::{Sandbox, group_members, wait_until};
use serde_json::{Value, json};
use std::time::SystemTime;

fn states<'a>(events: &'a [Value], task: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["event"] == "task-state" && event["task"] == task).collect()
}

fn outcomes(events: &[Value], task: &str) -> Vec<String> {
    let all = states(events, task).into_iter().filter(|event| !event["duration_ms"].is_null());
    all.map(|event| event["to"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_cron_task_waits_for_its_tick_and_runs_at_it() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "each-second", "command": "date +%s.%N >> ticks", "schedule-cron": "* * * * * *", "max-runs": 3 },
        { "name": "grouped", "command": "true", "scheduling": { "scheduler": "cron", "params": "*/1 * * * * *", "max-runs": 1 } },
        { "name": "at-start", "command": "true", "schedule-cron": "@reboot" },
    ]}));
    let (code, events) = sandbox.run();
    assert_eq!(code, 0);
    assert_eq!(outcomes(&events, "each-second"), ["COMPLETED"; 3]);
    assert_eq!(outcomes(&events, "grouped"), ["COMPLETED"]);
    assert_eq!(outcomes(&events, "at-start"), ["COMPLETED"]);
    let first = states(&events, "each-second")[0];
    assert_eq!(first["to"], "PENDING");
    assert!(first["next_run"].as_str().unwrap().ends_with(".000000Z"), "{first}");
    let seconds: Vec<f64> = sandbox.read("ticks").lines().map(|line| line.parse().unwrap()).collect();
    assert!(seconds.iter().all(|at| at.fract() < 0.9), "not before the tick: {seconds:?}");
    assert!((seconds[2].floor() - seconds[0].floor() - 2.0).abs() < 0.5, "{seconds:?}");
}

#[test]
fn a_tick_missed_while_no_host_ran_is_caught_up_once() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "caught", "command": "true", "schedule-cron": "* * * * * *", "catch-up": true },
        { "name": "not", "command": "true", "schedule-cron": "* * * * * *" },
    ]}));
    let mut host = sandbox.start(&[]);
    host.state("caught", "COMPLETED");
    assert_eq!(host.stop(), 0);
    let second = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let stopped = second();
    wait_until("a tick has passed", || second() > stopped + 1);
    let mut host = sandbox.start(&[]);
    let first = host.event("its first state", |event| event["task"] == "caught" && event["to"] == "PENDING");
    assert!(first["reason"].as_str().unwrap().contains("catch"), "{first}");
    host.state("caught", "COMPLETED");
    assert_eq!(host.stop(), 0);
}

#[test]
fn a_service_is_kept_alive_whatever_its_exit() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "flat", "service": true, "restart-delay": "10ms", "command": "echo x >> flat; exit 0" },
        { "name": "grouped", "scheduling": { "scheduler": "service" }, "restart-delay": "10ms", "command": "exit 1" },
        { "name": "gives-up", "service": true, "restart-delay": "1ms", "max-attempts": 3, "command": "exit 4" },
    ]}));
    let mut host = sandbox.start(&[]);
    // Either may be ahead of the other, and what has been is not waited for.
    for task in ["flat", "grouped"] {
        host.event("a fourth run, or a later one", |event| {
            event["task"] == task && event["run"].as_u64() >= Some(4) && event["to"] == "RUNNING"
        });
    }
    assert_eq!(host.stop(), 0);
    assert_eq!(outcomes(host.seen(), "gives-up"), ["FAILED"; 3]);
}

#[test]
fn a_backoff_grows_from_retry_to_retry() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "doubles", "command": "exit 1", "on-fail": "restart", "max-attempts": 4, "restart-delay": "40ms",
          "restart-backoff": "dynamic", "restart-step": 3, "restart-max-delay": "200ms" },
    ]}));
    let (code, events) = sandbox.run();
    assert_eq!(code, 1);
    let at = |state: &str| -> Vec<f64> {
        let of = states(&events, "doubles").into_iter().filter(|event| event["to"] == state);
        of.map(|event| seconds_of(event["ts"].as_str().unwrap())).collect()
    };
    let (starts, ends) = (at("RUNNING"), at("FAILED"));
    let delays: Vec<f64> = ends.iter().zip(&starts[1..]).map(|(end, start)| start - end).collect();
    for (delay, wanted) in delays.iter().zip([0.04, 0.12, 0.2]) {
        assert!(*delay >= wanted - 0.005, "{delays:?}");
    }
}

/// The seconds within its minute of an event's time.
fn seconds_of(time: &str) -> f64 {
    let clock = &time[11..time.len() - 1];
    let parts: Vec<f64> = clock.split(':').map(|part| part.parse().unwrap()).collect();
    parts[0] * 3600.0 + parts[1] * 60.0 + parts[2]
}

#[test]
fn an_unhealthy_run_is_ended_and_restarted() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "web", "service": true, "restart-delay": "10ms", "command": "echo up > up; sleep 600 & wait",
          "health-check": { "command": "test -e up || { echo gone; exit 1; }", "interval": "50ms", "timeout": "10s", "retries": 2 } },
        { "name": "client", "command": "true", "depends-on": { "web": "healthy" } },
    ]}));
    let mut host = sandbox.start(&[]);
    let first = host.event("a run", |event| event["task"] == "web" && event["to"] == "RUNNING")["pid"]
        .as_u64()
        .unwrap();
    host.state("client", "COMPLETED");
    std::fs::remove_file(sandbox.file("up")).unwrap();
    let ended = host.state("web", "FAILED");
    assert!(ended["reason"].as_str().unwrap().starts_with("unhealthy: "), "{ended}");
    assert!(ended["reason"].as_str().unwrap().contains("gone"), "{ended}");
    host.state("web", "RUNNING");
    assert!(group_members(first as u32).is_empty());
    assert_eq!(host.stop(), 0);
}

#[test]
fn no_more_runs_than_max_running_are_alive_at_once() {
    let scripts: Vec<Value> =
        (0..6).map(|n| json!({ "name": format!("t{n}"), "command": "sleep 0.1" })).collect();
    let (code, events) = Sandbox::new(&json!({ "max-running": 2, "scripts": scripts })).run();
    assert_eq!(code, 0);
    let (mut alive, mut most) = (0_i32, 0);
    for event in &events {
        alive += i32::from(event["to"] == "RUNNING");
        alive -= i32::from(event["to"] == "COMPLETED");
        most = most.max(alive);
    }
    assert_eq!(most, 2);
    assert!(events.iter().any(|e| e["reason"].as_str().is_some_and(|reason| reason.contains("free slot"))));
}

#[test]
fn jitter_delays_a_start_and_leaves_the_grid() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "t", "command": "true", "timer": "200ms", "jitter": "100ms", "max-runs": 4 },
    ]}));
    let (code, events) = sandbox.run();
    assert_eq!(code, 0);
    assert_eq!(outcomes(&events, "t"), ["COMPLETED"; 4]);
}

#[test]
fn a_cron_expression_is_read_in_its_time_zone() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "kolkata", "command": "true", "schedule-cron": "0 12 * * *", "timezone": "Asia/Kolkata" },
        { "name": "utc", "command": "true", "schedule-cron": "0 12 * * *", "timezone": "UTC" },
        { "name": "system", "command": "true", "schedule-cron": "0 12 * * *" },
    ]}));
    let mut command = sandbox.command(&["run", "--events", "-"]);
    command.env("TZ", "America/Caracas");
    let mut host = bansuri_tests::Host::start(command);
    for (task, time) in
        [("kolkata", "T06:30:00.000000Z"), ("utc", "T12:00:00.000000Z"), ("system", "T16:00:00.000000Z")]
    {
        let seen = host.seen().iter().find(|event| event["task"] == task).cloned();
        let pending = seen.unwrap_or_else(|| host.state(task, "PENDING"));
        assert!(pending["next_run"].as_str().unwrap().ends_with(time), "{pending}");
    }
    assert_eq!(host.stop(), 0);
}

#[test]
fn a_fixed_delay_is_counted_from_the_end_of_a_run() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "t", "command": "sleep 0.1", "timer": "100ms", "timer-mode": "fixed-delay", "max-runs": 3 },
    ]}));
    let (code, events) = sandbox.run();
    assert_eq!(code, 0);
    let at = |state: &str| -> Vec<f64> {
        let of = states(&events, "t").into_iter().filter(|event| event["to"] == state);
        of.map(|event| seconds_of(event["ts"].as_str().unwrap())).collect()
    };
    let (starts, ends) = (at("RUNNING"), at("COMPLETED"));
    assert!(ends.iter().zip(&starts[1..]).all(|(end, start)| start - end > 0.09), "{starts:?} {ends:?}");
    assert!(!events.iter().any(|event| event["event"] == "tick-skipped"));
}
