//! Libraries that end or hold the process that loads them: the host and `check` are not that process.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::{Sandbox, compile, library, wait_until};
use serde_json::{Value, json};
use std::process::Output;
use std::time::{Duration, Instant};

/// A sandbox with a task for this fixture, compiled as `plugin.so`.
fn sandbox(source: &str) -> Sandbox {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "bad", "no-interface": true, "command": "./plugin.so" },
        { "name": "good", "command": "touch ran" },
    ]}));
    compile(&format!("at-load/{source}.c"), &sandbox.file("plugin.so"));
    sandbox
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Has every word that tries the library, and checks that each says this in one line.
fn each_says(sandbox: &Sandbox, why: &str) {
    let output = sandbox.output(&["check", "--format", "json"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let library = sandbox.path().canonicalize().unwrap().join("plugin.so");
    let expect = format!("task \"bad\": command \"./plugin.so\": library {library:?}: {why}");
    assert_eq!(findings[0]["message"], expect);

    let run = sandbox.output(&["run"]);
    assert_eq!(run.status.code(), Some(3));
    assert_eq!(text(&run.stderr).matches(why).count(), 1, "{}", text(&run.stderr));
    assert!(!sandbox.file("ran").exists(), "nothing runs");
    assert!(!sandbox.file(".bansuri").exists(), "nothing is left behind");

    let Output { status, stderr, .. } = sandbox.output(&["plugin", "inspect", "./plugin.so"]);
    assert_eq!(status.code(), Some(3));
    assert_eq!(text(&stderr), format!("bansuri: library {library:?}: {why}\n"));
}

#[test]
fn one_that_crashes_is_one_error() {
    each_says(&sandbox("crashes"), "ends the process that loads it: killed by SIGSEGV");
}

#[test]
fn one_that_exits_is_one_error_whatever_it_prints() {
    let why = "ends the process that loads it: exit code 0 (it printed \"no licence found\")";
    each_says(&sandbox("exits"), why);
}

#[test]
fn one_that_hangs_is_one_error_and_leaves_nothing_alive() {
    let sandbox = sandbox("hangs");
    let started = Instant::now();
    each_says(&sandbox, "hangs: not loaded after 5 s");
    assert!(started.elapsed() >= Duration::from_secs(15), "each was waited for");
    let path = sandbox.file("plugin.so");
    let maps_it = |pid: &u32| {
        let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
        maps.contains(path.to_str().unwrap()) || maps.contains("-plugin.so")
    };
    wait_until("nobody has the library", || {
        let everybody = std::fs::read_dir("/proc").unwrap();
        let pids = everybody.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
        !pids.into_iter().any(|pid| maps_it(&pid) && is_of(pid, &sandbox))
    });
}

/// Whether a process was started for this sandbox: others run the same fixture.
fn is_of(pid: u32, sandbox: &Sandbox) -> bool {
    std::fs::read_link(format!("/proc/{pid}/cwd"))
        .is_ok_and(|cwd| cwd == sandbox.path().canonicalize().unwrap())
}

#[test]
fn a_reload_that_names_one_changes_nothing() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "waiting", "no-interface": true, "command": "misbehaving:WaitsForStop" },
    ]}));
    compile("at-load/crashes.c", &sandbox.file("plugin.so"));
    let mut host = sandbox.start(&[]);
    host.state("waiting", "RUNNING");
    let text = sandbox.read("scripts.json").replace("misbehaving:WaitsForStop", "./plugin.so");
    std::fs::write(sandbox.file("scripts.json"), text).unwrap();
    let rejected = host.event("its rejection", |event| event["event"] == "config-rejected");
    assert!(rejected["errors"][0].as_str().unwrap().contains("killed by SIGSEGV"), "{rejected}");
    assert_eq!(host.stop(), 0);
    assert!(host.seen().iter().any(|event| event["task"] == "waiting" && event["to"] == "STOPPED"));
}

#[test]
fn what_was_tried_is_not_tried_again_by_the_next_host_nor_by_check() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "quick", "no-interface": true, "command": "./plugin.so:Exits", "options": { "code": 0 } },
    ]}));
    std::fs::copy(library("misbehaving"), sandbox.file("plugin.so")).unwrap();
    let trials = |arguments: &[&str]| {
        let log = sandbox.file("trace");
        let mut strace = std::process::Command::new("strace");
        strace
            .args(["-f", "-qq", "-e", "trace=execve", "-o"])
            .arg(&log)
            .arg(bansuri_tests::bansuri())
            .args(arguments);
        let status = strace.current_dir(sandbox.path()).output().ok()?.status;
        assert!(status.success(), "{arguments:?}");
        Some(std::fs::read_to_string(&log).unwrap().matches("\"__probe\"").count())
    };
    // The stamp of a file that was just written tells nothing yet.
    wait_until("its stamp is old", || {
        let age = std::fs::metadata(sandbox.file("plugin.so")).unwrap().modified().unwrap().elapsed();
        age.is_ok_and(|age| age > Duration::from_millis(100))
    });
    let Some(first) = trials(&["run", "--exit-when-done"]) else {
        eprintln!("what_was_tried_is_not_tried_again: skipped: takes strace");
        return;
    };
    assert_eq!(first, 1);
    assert_eq!(trials(&["check"]), Some(0));
    assert_eq!(trials(&["run", "--exit-when-done"]), Some(0));
    assert!(sandbox.read(".bansuri/plugins.json").contains("Exits"));
    std::fs::write(sandbox.file(".bansuri/plugins.json"), "rubbish").unwrap();
    assert_eq!(trials(&["check"]), Some(1));
    assert_eq!(sandbox.read(".bansuri/plugins.json"), "rubbish", "check writes nothing");
    assert_eq!(trials(&["run", "--exit-when-done"]), Some(1));
    assert_eq!(trials(&["check"]), Some(0));
}
