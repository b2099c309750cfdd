//! A host that was killed leaves nothing behind once the next one is up.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::{Sandbox, group_members, is_alive};
use rustix::process::Signal;
use serde_json::{Value, json};

#[test]
fn what_a_killed_host_left_is_ended_before_tasks_start_and_nothing_runs_twice() {
    let scripts: Vec<Value> = (0..50)
        .map(|n| {
            json!({ "name": format!("t{n}"), "stop-timeout": "2s",
                    "command": "sleep 600 & echo $! >> grandchildren; wait" })
        })
        .collect();
    let sandbox = Sandbox::new(&json!({ "scripts": scripts }));
    let mut host = sandbox.start(&["-q"]);
    let mut leaders = Vec::new();
    while leaders.len() < 50 {
        leaders.push(host.event("a start", |e| e["to"] == "RUNNING")["pid"].as_u64().unwrap() as u32);
    }
    bansuri_tests::wait_until("every grandchild is there", || {
        std::fs::read_to_string(sandbox.file("grandchildren")).is_ok_and(|text| text.lines().count() == 50)
    });
    let grandchildren: Vec<u32> =
        sandbox.read("grandchildren").lines().map(|line| line.parse().unwrap()).collect();
    host.signal(Signal::KILL);
    assert_eq!(host.wait(), 128 + 9);
    assert!(grandchildren.iter().all(|pid| is_alive(*pid)), "nobody has ended them yet");

    let mut next = sandbox.start(&[]);
    let mut started = 0;
    while started < 50 {
        next.event("a start", |e| e["to"] == "RUNNING");
        if started == 0 {
            assert!(leaders.iter().all(|pid| group_members(*pid).is_empty()), "ended before any task starts");
            assert!(grandchildren.iter().all(|pid| !is_alive(*pid)));
        }
        started += 1;
    }
    assert_eq!(next.stop(), 0);
}

#[test]
fn a_clean_end_leaves_nothing_to_recover() {
    let sandbox = Sandbox::new(&json!({ "scripts": [{ "name": "a", "command": "true" }] }));
    assert_eq!(sandbox.run().0, 0);
    let output = sandbox.output(&["--exit-when-done"]);
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(!log.contains("WARN"), "{log}");
}
