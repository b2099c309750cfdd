//! Libraries that were loaded when a host died.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::{Host, Sandbox, library, wait_until};
use rustix::process::Signal;
use serde_json::{Value, json};

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "waiting", "no-interface": true, "command": "./plugin.so:WaitsForStop",
          "stdout": "waiting.log" },
        { "name": "idle", "no-interface": true, "command": "misbehaving:Exits", "options": { "code": 0 },
          "schedule-cron": "0 0 1 1 *" },
    ]}));
    std::fs::copy(library("misbehaving"), sandbox.file("plugin.so")).unwrap();
    sandbox
}

/// A host that dies once the library is loaded; what it said until then.
fn die(sandbox: &Sandbox) -> String {
    let mut host = running(sandbox);
    host.signal(Signal::KILL);
    assert_eq!(host.wait(), 128 + 9);
    host.log()
}

fn running(sandbox: &Sandbox) -> Host {
    let log = sandbox.file("waiting.log");
    let _ = std::fs::remove_file(&log);
    let mut host = sandbox.start(&[]);
    host.state("waiting", "RUNNING");
    // The run's thread loads the library.
    wait_until("the library's code runs", || {
        std::fs::read_to_string(&log).is_ok_and(|text| !text.is_empty())
    });
    host
}

fn warnings(sandbox: &Sandbox) -> Vec<String> {
    let output = sandbox.output(&["check", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    findings.iter().map(|finding| finding["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn two_deaths_put_a_library_under_suspicion_until_its_file_changes() {
    let sandbox = sandbox();
    let died = "was loaded when the last host died without a clean end";
    assert!(!die(&sandbox).contains(died));
    assert_eq!(warnings(&sandbox), Vec::<String>::new());
    let log = die(&sandbox);
    assert!(log.contains("plugin.so was loaded when the last host died without a clean end (once)"), "{log}");
    assert!(
        !log.contains("misbehaving.so was loaded"),
        "a library that no run has used was not loaded: {log}"
    );

    let found = warnings(&sandbox);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("task \"waiting\": command \"./plugin.so:WaitsForStop\": library "),
        "{found:?}"
    );
    assert!(
        found[0].contains("died without a clean end, 2 times: it runs in processes of its own"),
        "{found:?}"
    );
    let mut host = running(&sandbox);
    assert!(pid_of(&host).is_u64(), "it runs in a process of its own");
    assert_eq!(host.stop(), 0);
    let log = host.log();
    assert!(
        log.contains("(2 times): its tasks run in processes of their own until its file changes"),
        "{log}"
    );

    std::fs::remove_file(sandbox.file("plugin.so")).unwrap();
    std::fs::copy(library("misbehaving"), sandbox.file("plugin.so")).unwrap();
    assert_eq!(warnings(&sandbox), Vec::<String>::new());
    let mut host = running(&sandbox);
    assert!(pid_of(&host).is_null(), "it runs in the host again");
    assert_eq!(host.stop(), 0);
}

#[test]
fn what_kills_the_host_twice_harms_itself_alone_the_third_time() {
    let crash = json!({ "how": "segfault" });
    let scripts = |name: &str| {
        let task =
            json!({ "name": name, "no-interface": true, "command": "misbehaving:Crash", "options": crash });
        let told = json!({ "name": name, "command": "exit 3", "notify": "pager" });
        json!({
            "notifiers": { "pager": { "plugin": "misbehaving:Crashes",
                                      "options": { "how": "segfault", "once": "crashed" } } },
            "scripts": [if name == "task" { task } else { told }],
        })
    };
    for name in ["task", "notifier"] {
        let sandbox = Sandbox::new(&scripts(name));
        let run = || {
            let _ = std::fs::remove_file(sandbox.file("crashed"));
            let mut host = sandbox.start(&["--exit-when-done"]);
            (host.wait(), host.seen().to_vec())
        };
        for _ in 0..2 {
            assert_eq!(run().0, 128 + Signal::SEGV.as_raw(), "{name}");
        }
        let (code, events) = run();
        assert_eq!(code, 1, "{name}: {events:#?}");
        let key = if name == "task" { "reason" } else { "error" };
        assert!(events.iter().any(|event| event[key] == "killed by SIGSEGV"), "{name}: {events:#?}");
    }
}

/// The process of the run that is alive.
fn pid_of(host: &Host) -> &Value {
    let running = host.seen().iter().rfind(|event| event["task"] == "waiting" && event["to"] == "RUNNING");
    &running.unwrap()["pid"]
}

#[test]
fn a_clean_end_is_no_death() {
    let sandbox = sandbox();
    for _ in 0..3 {
        assert_eq!(running(&sandbox).stop(), 0);
    }
    let mut host = running(&sandbox);
    assert_eq!(host.stop(), 0);
    assert!(!host.log().contains("died"), "{}", host.log());
    assert_eq!(warnings(&sandbox), Vec::<String>::new());
}

/// Hosts with this task or notifier that crashes, in `./plugin.so`, until one of them survives it: that one, at its end.
fn crash(configuration: &Value) -> (Sandbox, Host) {
    let sandbox = Sandbox::new(configuration);
    for name in ["plugin.so", "bystander.so"] {
        std::fs::copy(library("misbehaving"), sandbox.file(name)).unwrap();
    }
    for _ in 0..2 {
        let mut host = sandbox.start(&["--exit-when-done"]);
        assert_eq!(host.wait(), 128 + 11, "{}", host.log());
        // What keeps the notifier from crashing again.
        let _ = std::fs::remove_file(sandbox.file("once"));
    }
    let mut host = sandbox.start(&["--exit-when-done"]);
    assert_eq!(host.wait(), 1);
    (sandbox, host)
}

#[test]
fn a_task_that_has_ended_two_hosts_ends_no_third() {
    let (sandbox, host) = crash(&json!({ "scripts": [
        { "name": "bystander", "no-interface": true, "command": "./bystander.so:Exits", "options": { "code": 0 } },
        { "name": "crash", "no-interface": true, "command": "./plugin.so:Crash",
          "options": { "how": "segfault" }, "depends-on": ["bystander"] },
    ]}));
    let events = host.seen();
    let ended = bansuri_tests::end(events, "crash");
    assert_eq!((&ended["to"], &ended["signal"]), (&json!("FAILED"), &json!("SIGSEGV")), "{ended}");
    assert_eq!(bansuri_tests::end(events, "bystander")["to"], "COMPLETED");
    // Which of those that were loaded has done it is not known.
    let found = warnings(&sandbox);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|found| found.contains("runs in processes of its own")), "{found:?}");
}

#[test]
fn a_notifier_that_has_ended_two_hosts_ends_no_third() {
    let (sandbox, host) = crash(&json!({
        "notifiers": { "pager": {
            "plugin": "./plugin.so:Crashes", "options": { "how": "segfault", "once": "once" },
        }},
        "scripts": [{ "name": "fails", "command": "exit 1", "notify": "pager" }],
    }));
    let told = host.seen().iter().find(|event| event["event"] == "notification").unwrap();
    assert_eq!((&told["ok"], &told["error"]), (&json!(false), &json!("killed by SIGSEGV")), "{told}");
    let found = warnings(&sandbox);
    assert!(found.len() == 1 && found[0].contains("runs in processes of its own"), "{found:?}");
}

#[test]
fn what_looks_at_a_library_beside_a_host_disturbs_nothing() {
    let sandbox = sandbox();
    let temporary = sandbox.file("tmp");
    std::fs::create_dir(&temporary).unwrap();
    // One that has died before, so that there is something to count.
    die(&sandbox);
    let mut host = running(&sandbox);
    let kept = || {
        let mut kept = Vec::new();
        for folder in [".bansuri", ".bansuri/plugins"] {
            for entry in std::fs::read_dir(sandbox.file(folder)).unwrap() {
                let path = entry.unwrap().path();
                let content = if path.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
                kept.push((path, content));
            }
        }
        kept.sort();
        kept
    };
    let before = kept();
    for arguments in
        [&["check"][..], &["plugin", "inspect", "./plugin.so"], &["plugin", "list"], &["schema", "--plugins"]]
    {
        let output = sandbox.command(arguments).env("TMPDIR", &temporary).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0, "{arguments:?} leaves a copy");
    }
    assert_eq!(warnings(&sandbox), Vec::<String>::new());
    assert!(kept() == before, "something in the state dir has changed");
    let output = sandbox.output(&["run"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(kept() == before, "a host that finds another has changed its state dir");
    assert_eq!(host.stop(), 0);
    assert_eq!(warnings(&sandbox), Vec::<String>::new(), "one death");
}
