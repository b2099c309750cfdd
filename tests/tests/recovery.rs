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

#[test]
fn signals_are_heard_while_what_is_left_is_ended() {
    let command = "trap 'echo x >> asked' TERM; echo $$ > leader; while ! [ -e go ]; do sleep 0.02; done";
    // Its shell says what ended there, and nobody would read it.
    let task = json!({ "name": "slow", "command": command, "stop-timeout": "1000s", "stdout": "ignore" });
    let sandbox = Sandbox::new(&json!({ "scripts": [task] }));
    for (signals, code) in [(vec![Signal::HUP, Signal::TERM], 0), (vec![Signal::INT, Signal::INT], 130)] {
        for old in ["asked", "go"] {
            let _ = std::fs::remove_file(sandbox.file(old));
        }
        let mut host = sandbox.start(&["-q"]);
        let leader = host.state("slow", "RUNNING")["pid"].as_u64().unwrap() as u32;
        bansuri_tests::wait_until("it listens", || sandbox.file("leader").exists());
        host.signal(Signal::KILL);
        host.wait();

        let mut next = sandbox.start(&[]);
        bansuri_tests::wait_until("it was asked to stop", || sandbox.file("asked").exists());
        let is_killed = signals[0] == Signal::INT;
        for signal in signals {
            next.signal(signal);
            // Two of one kind that are pending at once are one.
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        if !is_killed {
            assert!(is_alive(leader), "it has its time");
            std::fs::write(sandbox.file("go"), "").unwrap();
        }
        assert_eq!(next.wait(), code);
        assert!(group_members(leader).is_empty());
        assert!(!next.seen().iter().any(|event| event["to"] == "RUNNING"), "nothing was started any more");
        std::fs::remove_file(sandbox.file("leader")).unwrap();
    }
}
