//! An idle host makes no system calls, whatever the number of its tasks. On demand, as it takes more than a minute, needs
//! strace, and is for a release build: `cargo test --release -p bansuri-tests --test idle -- --ignored`.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::{Host, Sandbox, wait_until};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const RUNNING: usize = 1_000;
const WAITING: usize = 10_000;

/// How long nothing is to happen.
const MINUTE: Duration = Duration::from_secs(60);

fn tasks() -> Value {
    let running = (0..RUNNING).map(|n| json!({ "name": format!("running {n}"), "command": "sleep 1000000" }));
    // On 29 February, at noon.
    let waiting = (0..WAITING).map(
        |n| json!({ "name": format!("waiting {n}"), "command": "true", "schedule-cron": "0 12 29 2 *" }),
    );
    running.chain(waiting).collect()
}

/// How long each thread has run.
fn time_of_threads(pid: u32) -> Vec<String> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    threads.map(|thread| std::fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap()).collect()
}

/// Waits for a second in which no thread of it runs: what was to be done is done.
fn sleeps(host: &Host) {
    wait_until("the host sleeps", || {
        let before = time_of_threads(host.pid());
        std::thread::sleep(Duration::from_secs(1));
        before == time_of_threads(host.pid())
    });
}

#[test]
#[ignore = "takes more than a minute and needs strace: on demand"]
fn an_idle_host_makes_no_system_calls() {
    let sandbox = Sandbox::new(&json!({ "version": "1.0", "scripts": tasks() }));
    let mut host = sandbox.start(&["-q"]);
    for _ in 0..RUNNING {
        host.event("a run that is alive", |event| event["to"] == "RUNNING");
    }
    sleeps(&host);
    let calls = sandbox.file("calls");
    let mut strace = Command::new("strace")
        .args(["-f", "-q", "-ttt", "-o", calls.to_str().unwrap(), "-p", &host.pid().to_string()])
        .stdin(Stdio::null())
        .spawn()
        .expect("strace can be run");
    // Its coming ends the call that the host waits in, and the host goes back to wait.
    wait_until("strace is there", || {
        std::fs::read_to_string(format!("/proc/{}/status", host.pid()))
            .is_ok_and(|status| !status.contains("TracerPid:\t0"))
    });
    sleeps(&host);
    let begin = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    std::thread::sleep(MINUTE);
    let pid = rustix::process::Pid::from_child(&strace);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    strace.wait().unwrap();
    let seen = std::fs::read_to_string(&calls).unwrap();
    let time = |line: &str| line.split_whitespace().nth(1).and_then(|time| time.parse::<f64>().ok());
    assert!(seen.contains("<detached ...>"), "strace tells where each thread was when it went:\n{seen}");
    // That is no call that was made.
    let made: Vec<&str> = seen
        .lines()
        .filter(|line| time(line).is_some_and(|time| time > begin) && !line.contains("<detached ...>"))
        .collect();
    assert!(made.is_empty(), "{} system calls in {MINUTE:?}:\n{}", made.len(), made.join("\n"));
    assert_eq!(host.stop(), 0);
}
