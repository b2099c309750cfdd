//! Process groups: what is started is ended, all of it, and nothing else is touched.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::{Sandbox, group_members, is_alive, wait_until};
use rustix::process::Signal;
use serde_json::json;

/// Reads a pid that a task writes into a file of the sandbox.
fn pid_in(sandbox: &Sandbox, name: &str) -> u32 {
    let path = sandbox.file(name);
    let read = || std::fs::read_to_string(&path).ok()?.trim().parse().ok();
    wait_until(&format!("{name} holds a pid"), || read().is_some());
    read().unwrap()
}

#[test]
fn a_timeout_ends_grandchildren_too() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "a", "command": "sleep 600 & echo $! > grandchild; wait", "timeout": "300ms" },
    ]}));
    let mut host = sandbox.start(&["--exit-when-done"]);
    let leader = host.state("a", "RUNNING")["pid"].as_u64().unwrap() as u32;
    let grandchild = pid_in(&sandbox, "grandchild");
    host.state("a", "TIMED_OUT");
    assert_eq!(host.wait(), 1);
    assert!(!is_alive(grandchild));
    assert!(group_members(leader).is_empty());
}

#[test]
fn what_is_left_of_a_group_is_ended_and_the_next_run_waits_for_it() {
    // The leader exits at once; a grandchild that ignores SIGTERM and holds the pipe stays behind.
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "a", "timer": "10ms", "max-runs": 2, "stop-timeout": "300ms",
          "command": "(trap '' TERM; while :; do sleep 0.05; done) & echo $! >> grandchildren" },
    ]}));
    let mut host = sandbox.start(&["--exit-when-done"]);
    let first = host.state("a", "RUNNING")["pid"].as_u64().unwrap() as u32;
    let ended = host.state("a", "COMPLETED");
    assert!(
        ended["duration_ms"].as_f64().unwrap() < 290.0,
        "the outcome does not wait for the remains: {ended}"
    );
    let waiting = host.event("a wait for the remains", |e| {
        e["task"] == "a"
            && e["to"] == "PENDING"
            && e["reason"].as_str().is_some_and(|r| r.contains("remains"))
    });
    assert_eq!(waiting["run"], 1);
    host.state("a", "RUNNING");
    assert!(group_members(first).is_empty(), "the second run starts when the first one's group is gone");
    assert_eq!(host.wait(), 0);
    for pid in sandbox.read("grandchildren").lines() {
        assert!(!is_alive(pid.parse().unwrap()));
    }
}

#[test]
fn a_daemon_that_left_the_group_holds_nothing_back() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "a", "command": "setsid sh -c 'echo $$ > daemon; exec sleep 600' & while [ ! -s daemon ]; do sleep 0.01; done" },
    ]}));
    let mut host = sandbox.start(&["--exit-when-done"]);
    assert_eq!(host.wait(), 0);
    let daemon = pid_in(&sandbox, "daemon");
    assert!(is_alive(daemon), "a process in a session of its own is not the host's to end");
    rustix::process::kill_process(rustix::process::Pid::from_raw(daemon as i32).unwrap(), Signal::KILL)
        .unwrap();
}

#[test]
fn sigterm_stops_everything_in_order_and_exits_0() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "plain", "command": "exec sleep 600" },
        { "name": "family", "command": "sleep 600 & sleep 600 & wait" },
        { "name": "deaf", "command": "trap '' TERM; echo $$ > deaf; while :; do sleep 0.05; done", "stop-timeout": "300ms" },
        { "name": "waiting", "command": "true", "timer": "1h" },
        { "name": "over", "command": "true" },
    ]}));
    let mut host = sandbox.start(&[]);
    let pids: Vec<u32> = ["plain", "family", "deaf"]
        .map(|task| {
            host.event(task, |e| e["task"] == task && e["to"] == "RUNNING")["pid"].as_u64().unwrap() as u32
        })
        .into();
    host.state("over", "COMPLETED");
    pid_in(&sandbox, "deaf");
    assert_eq!(host.stop(), 0);
    for pid in pids {
        assert!(group_members(pid).is_empty());
    }
    for task in ["plain", "family", "deaf", "waiting"] {
        assert!(host.seen().iter().any(|e| e["task"] == task && e["to"] == "STOPPED"), "{task}");
    }
    assert!(!host.seen().iter().any(|e| e["task"] == "over" && e["to"] == "STOPPED"));
}

#[test]
fn a_second_sigint_kills_at_once_and_exits_130() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "deaf", "command": "trap 'echo $$ > asked' TERM; echo $$ > deaf; while :; do sleep 0.05; done", "stop-timeout": "1h" },
    ]}));
    let mut host = sandbox.start(&[]);
    let leader = host.state("deaf", "RUNNING")["pid"].as_u64().unwrap() as u32;
    pid_in(&sandbox, "deaf");
    host.signal(Signal::INT);
    // Two signals sent at once are one: the second has to wait until the first was acted upon.
    pid_in(&sandbox, "asked");
    host.signal(Signal::INT);
    assert_eq!(host.wait(), 130);
    assert!(group_members(leader).is_empty());
}

#[test]
fn stop_signal_is_the_tasks_own() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "a", "stop-signal": "USR1", "stop-timeout": "1h",
          "command": "trap '' TERM; trap 'echo usr1 > said; exit 0' USR1; echo $$ > ready; while :; do sleep 0.02; done" },
    ]}));
    let mut host = sandbox.start(&[]);
    host.state("a", "RUNNING");
    pid_in(&sandbox, "ready");
    assert_eq!(host.stop(), 0);
    assert_eq!(sandbox.read("said"), "usr1\n");
}

#[test]
fn a_run_sees_the_world_as_it_would_without_the_host() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "look at this", "environment": { "MINE": "yes" }, "working-directory": "sub", "on-fail": "stop",
          "stdout": "seen",
          "command": "pwd; echo $BANSURI_TASK/$BANSURI_RUN/$BANSURI_ATTEMPT/$MINE; ls /proc/self/fd | tr '\\n' ' '; echo; \
                      readlink /proc/$$/fd/0; ulimit -n; grep -E '^Sig(Blk|Ign)' /proc/$$/status | cut -f2; \
                      test $(cut -d' ' -f5 /proc/$$/stat) = $$ && echo own group" },
    ]}));
    std::fs::create_dir(sandbox.file("sub")).unwrap();
    // What a shell, started as the host is, sees of limits and signals.
    let mut plain = std::process::Command::new("sh");
    plain.args(["-c", "ulimit -n; grep -E '^Sig(Blk|Ign)' /proc/$$/status | cut -f2"]);
    let plain = String::from_utf8(plain.output().unwrap().stdout).unwrap();
    let (code, _) = sandbox.run();
    assert_eq!(code, 0);
    let seen = sandbox.read("sub/seen");
    let folder = sandbox.path().canonicalize().unwrap().join("sub");
    // Three descriptors, and the one that ls looks through.
    let expected =
        format!("{}\nlook at this/1/1/yes\n0 1 2 3 \n/dev/null\n{plain}own group\n", folder.display());
    assert_eq!(seen, expected);
}

#[test]
fn a_thousand_commands_run_side_by_side_on_a_few_threads() {
    let scripts: Vec<_> =
        (0..1000).map(|n| json!({ "name": format!("t{n}"), "command": ["sleep", "600"] })).collect();
    let sandbox = Sandbox::new(&json!({ "scripts": scripts }));
    let mut host = sandbox.start(&["-q"]);
    let mut pids = Vec::new();
    while pids.len() < 1000 {
        let event = host.event("a start", |event| event["to"] == "RUNNING");
        pids.push(event["pid"].as_u64().unwrap() as u32);
    }
    let threads = std::fs::read_dir(format!("/proc/{}/task", host.pid())).unwrap().count();
    assert!(threads <= 8, "{threads} threads");
    assert_eq!(host.stop(), 0);
    assert!(pids.iter().all(|pid| !is_alive(*pid)));
}

#[test]
fn a_task_that_waits_takes_no_descriptor_and_no_thread() {
    let held = |tasks: usize| {
        let waiting = |n| json!({ "name": format!("t{n}"), "command": "true", "stdout": format!("log {n}"), "schedule-cron": "0 12 29 2 *" });
        let sandbox = Sandbox::new(&json!({ "scripts": (0..tasks).map(waiting).collect::<Vec<_>>() }));
        let mut host = sandbox.start(&["-q"]);
        for _ in 0..tasks {
            host.event("a wait", |event| event["to"] == "PENDING");
        }
        let count = |of: &str| std::fs::read_dir(format!("/proc/{}/{of}", host.pid())).unwrap().count();
        let held = (count("fd"), count("task"));
        assert_eq!(host.stop(), 0);
        held
    };
    assert_eq!(held(1), held(2_000));
}

/// Runs that are somebody else's can only be shown by root.
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn a_task_runs_as_its_user_under_its_limits() {
    if !is_root() {
        eprintln!("skipped: only root can run tasks as somebody else");
        return;
    }
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "a", "user": "daemon", "group": "nogroup", "umask": "027", "priority": 5, "limits": { "nofile": 77, "core": 0 },
          "working-directory": "/", "environment": { "MINE": "yes" },
          "command": "id -un; id -gn; umask; ulimit -n; ulimit -c; nice; echo $HOME $USER $MINE; grep -c . /proc/self/status > /dev/null",
          "notify": "command", "notify-command": "false" },
        { "name": "b", "user": "daemon", "working-directory": "/root", "command": "true" },
        { "name": "c", "limits": { "fsize": 10 }, "command": "exit 0" },
    ]}));
    std::fs::write(sandbox.file("seen"), "").unwrap();
    let text = sandbox.read("scripts.json").replace(
        "\"notify\": \"command\"",
        &format!("\"stdout\": {:?}, \"notify\": \"none\"", sandbox.file("seen")),
    );
    std::fs::write(sandbox.file("scripts.json"), text.replace("\"notify-command\": \"false\",", "")).unwrap();
    let (code, events) = sandbox.run();
    assert_eq!(code, 1, "{events:#?}");
    let seen = sandbox.read("seen");
    let lines: Vec<&str> = seen.lines().collect();
    assert_eq!(lines[..6], ["daemon", "nogroup", "0027", "77", "0", "5"], "{seen}");
    assert!(lines[6].ends_with(" daemon yes"), "{seen}");
    let refused = events.iter().find(|event| event["task"] == "b" && event["to"] == "FAILED").unwrap();
    assert!(refused["reason"].as_str().unwrap().contains("/root"), "{refused}");
    assert!(events.iter().any(|event| event["task"] == "c" && event["to"] == "COMPLETED"));
}

#[test]
fn an_environment_file_is_read_at_every_start() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "a", "environment-file": "env", "environment": { "B": "of the task" }, "on-fail": "restart", "max-attempts": 2,
          "restart-delay": "1ms", "command": "echo $A/$B >> seen; echo 'A=second' > env; test $BANSURI_ATTEMPT -eq 2" },
        { "name": "b", "environment-file": "broken", "command": "true" },
    ]}));
    std::fs::write(sandbox.file("env"), "# a comment\nexport A='first'\nB=of the file\n").unwrap();
    std::fs::write(sandbox.file("broken"), "A=1\nno equals sign\n").unwrap();
    let (code, events) = sandbox.run();
    assert_eq!(code, 1);
    assert_eq!(sandbox.read("seen"), "first/of the task\nsecond/of the task\n");
    let failed = events.iter().find(|event| event["task"] == "b" && event["to"] == "FAILED").unwrap();
    assert!(failed["reason"].as_str().unwrap().contains("broken:2"), "{failed}");
}
