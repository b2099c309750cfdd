//! Plugins that take too much: the host stays small, goes on and ends.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::Sandbox;
use serde_json::json;

/// A number of /proc/PID/status.
fn status(pid: u32, field: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_gibibyte_of_output_takes_no_memory() {
    let flood = |name: &str, more: serde_json::Value| {
        let mut task = json!({ "name": name, "no-interface": true, "command": "misbehaving:Pours" });
        task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        task
    };
    let gibibyte = json!({ "bytes": 1 << 30 });
    let sandbox = Sandbox::new(&json!({ "scripts": [
        flood("unread", json!({ "options": gibibyte })),
        flood("ignored", json!({ "options": gibibyte, "stdout": "ignore" })),
        flood("rotated", json!({ "options": { "bytes": 256 << 20 }, "stdout": "out.log", "rotate": { "max-size": "8M", "keep": 2 } })),
        { "name": "lives", "command": "exec sleep 600" },
    ]}));
    let mut host = sandbox.start(&[]);
    for _ in 0..3 {
        let ended = host.event("the end of a flood", |event| !event["duration_ms"].is_null());
        assert_eq!(ended["to"], "COMPLETED", "{ended}");
    }
    let peak = status(host.pid(), "VmHWM");
    assert!(peak < 64 << 10, "{peak} KiB at the most");
    assert_eq!(host.stop(), 0);
}

#[test]
fn threads_that_are_left_behind_do_not_keep_the_host() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "leaks", "no-interface": true, "command": "misbehaving:LeaksThreads", "options": { "threads": 40 },
          "timer": "10ms", "max-runs": 5 },
        { "name": "lives", "command": "exec sleep 600" },
    ]}));
    let mut host = sandbox.start(&[]);
    for run in 1..=5 {
        assert_eq!(host.state("leaks", "COMPLETED")["run"], run);
    }
    assert!(status(host.pid(), "Threads") > 200);
    assert_eq!(host.stop(), 0);
}

#[test]
fn a_panic_in_a_thread_of_a_plugin_is_logged_and_ends_that_thread_alone() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "panics", "no-interface": true, "command": "misbehaving:PanicInThread", "success-codes": [3] },
    ]}));
    let mut host = sandbox.start(&["--exit-when-done"]);
    assert_eq!(host.wait(), 0);
    let log = host.log();
    assert!(log.contains("thread \"helper\" panicked at ") && log.contains(": in a thread"), "{log}");
}
