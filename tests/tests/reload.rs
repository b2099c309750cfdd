//! The configuration changes under a running host.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::{Host, Sandbox, group_members};
use rustix::process::Signal;
use serde_json::{Value, json};

fn sleeper(name: &str) -> Value {
    json!({ "name": name, "command": format!("exec sleep 600 # {name}") })
}

fn scripts(scripts: &[Value]) -> String {
    json!({ "scripts": scripts }).to_string()
}

fn names(event: &Value, key: &str) -> Vec<String> {
    event[key].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

fn reloaded(host: &mut Host) -> Value {
    host.event("config-reloaded", |event| {
        event["event"] == "config-reloaded" || event["event"] == "config-rejected"
    })
}

/// Puts a whole file in the place of another at once.
fn replace(sandbox: &Sandbox, text: &str) {
    std::fs::write(sandbox.file("new"), text).unwrap();
    std::fs::rename(sandbox.file("new"), sandbox.file("scripts.json")).unwrap();
}

#[test]
fn new_tasks_start_removed_ones_stop_and_the_rest_is_left_alone() {
    let sandbox = Sandbox::with_text(&scripts(&[sleeper("stays"), sleeper("goes"), sleeper("changes")]));
    let mut host = sandbox.start(&[]);
    let mut pid = |task: &str| {
        host.event(task, |event| event["task"] == task && event["to"] == "RUNNING")["pid"].as_u64().unwrap()
            as u32
    };
    let (stays, goes, changes) = (pid("stays"), pid("goes"), pid("changes"));
    let mut changed = sleeper("changes");
    changed["command"] = json!("exec sleep 601");
    let mut kept = sleeper("stays");
    // Only how it is judged: the run is not touched.
    kept["success-codes"] = json!([0, 1]);
    kept["stop-timeout"] = json!("3s");
    replace(&sandbox, &scripts(&[kept, changed, sleeper("comes")]));
    let event = reloaded(&mut host);
    assert_eq!(event["event"], "config-reloaded", "{event}");
    assert_eq!(names(&event, "added"), ["comes"]);
    assert_eq!(names(&event, "removed"), ["goes"]);
    let mut all = names(&event, "changed");
    all.sort();
    assert_eq!(all, ["changes", "stays"]);
    let again = host
        .event("the changed command", |e| e["task"] == "changes" && e["to"] == "RUNNING" && e["run"] == 2);
    assert_ne!(again["pid"].as_u64().unwrap() as u32, changes);
    assert!(group_members(changes).is_empty(), "stopped in full before the new one starts");
    // Removed and added are settled by now, or their events are yet to come.
    if !host.seen().iter().any(|e| e["task"] == "goes" && e["to"] == "STOPPED") {
        host.state("goes", "STOPPED");
    }
    if !host.seen().iter().any(|e| e["task"] == "comes" && e["to"] == "RUNNING") {
        host.state("comes", "RUNNING");
    }
    assert!(group_members(goes).is_empty());
    assert!(!group_members(stays).is_empty());
    assert_eq!(host.stop(), 0);
    let of_stays: Vec<_> =
        host.seen().iter().filter(|e| e["task"] == "stays" && e["to"] == "RUNNING").collect();
    assert_eq!(of_stays.len(), 1);
}

#[test]
fn every_way_a_file_changes_is_seen() {
    let sandbox = Sandbox::with_text(&scripts(&[sleeper("a")]));
    // As Kubernetes mounts a ConfigMap: scripts.json → ..data/scripts.json, ..data → a folder.
    for (folder, tasks) in [("one", vec![sleeper("a")]), ("two", vec![sleeper("a"), sleeper("b")])] {
        std::fs::create_dir(sandbox.file(folder)).unwrap();
        std::fs::write(sandbox.file(folder).join("scripts.json"), scripts(&tasks)).unwrap();
    }
    let link = |target: &str, name: &str| {
        std::os::unix::fs::symlink(target, sandbox.file("link")).unwrap();
        std::fs::rename(sandbox.file("link"), sandbox.file(name)).unwrap();
    };
    link("one", "..data");
    link("..data/scripts.json", "scripts.json");
    let mut host = sandbox.start(&[]);
    host.state("a", "RUNNING");
    link("two", "..data");
    assert_eq!(names(&reloaded(&mut host), "added"), ["b"]);
    // In place, through the links.
    std::fs::write(sandbox.file("scripts.json"), scripts(&[sleeper("a"), sleeper("c")])).unwrap();
    let event = reloaded(&mut host);
    assert_eq!(
        (names(&event, "added"), names(&event, "removed")),
        (vec!["c".to_owned()], vec!["b".to_owned()])
    );
    // A plain file takes the place of the link.
    replace(&sandbox, &scripts(&[sleeper("a"), sleeper("d")]));
    assert_eq!(names(&reloaded(&mut host), "added"), ["d"]);
    assert_eq!(host.stop(), 0);
}

#[test]
fn an_invalid_file_changes_nothing_and_is_reported() {
    let sandbox = Sandbox::with_text(&scripts(&[sleeper("a")]));
    let mut host = sandbox.start(&[]);
    let pid = host.state("a", "RUNNING")["pid"].as_u64().unwrap() as u32;
    replace(&sandbox, "{ \"scripts\": [ { \"name\": \"a\" } ] }");
    let event = reloaded(&mut host);
    assert_eq!(event["event"], "config-rejected");
    assert!(event["errors"][0].as_str().unwrap().contains("command"), "{event}");
    std::fs::remove_file(sandbox.file("scripts.json")).unwrap();
    host.signal(Signal::HUP);
    let event = host.event("a missing file", |event| {
        event["event"] == "config-rejected" && event["errors"].to_string().contains("no such file")
    });
    assert!(event["errors"].is_array());
    assert!(!group_members(pid).is_empty());
    assert_eq!(host.stop(), 0);
}

#[test]
fn sighup_reloads_even_where_nothing_changed() {
    let mut configuration: Value = serde_json::from_str(&scripts(&[sleeper("a")])).unwrap();
    configuration["reload"] = json!("signal");
    let sandbox = Sandbox::new(&configuration);
    let mut host = sandbox.start(&[]);
    host.state("a", "RUNNING");
    host.signal(Signal::HUP);
    let event = reloaded(&mut host);
    assert_eq!(event["event"], "config-reloaded");
    for key in ["added", "removed", "changed"] {
        assert_eq!(names(&event, key), Vec::<String>::new());
    }
    assert_eq!(host.stop(), 0);
}

#[test]
fn reloads_leak_nothing() {
    let sandbox = Sandbox::with_text(&scripts(&[sleeper("a")]));
    let mut configuration: Value = serde_json::from_str(&scripts(&[sleeper("a")])).unwrap();
    configuration["reload"] = json!("signal");
    std::fs::write(sandbox.file("scripts.json"), configuration.to_string()).unwrap();
    let mut host = sandbox.start(&["-q"]);
    host.state("a", "RUNNING");
    let proc = format!("/proc/{}", host.pid());
    let descriptors = |proc: &str| std::fs::read_dir(format!("{proc}/fd")).unwrap().count();
    let mut before = 0;
    for n in 0..1000 {
        let other = json!({ "name": format!("other {n}"), "command": "true", "timer": "1h" });
        configuration["scripts"] = json!([sleeper("a"), other]);
        replace(&sandbox, &configuration.to_string());
        host.signal(Signal::HUP);
        let event = reloaded(&mut host);
        assert_eq!(names(&event, "added"), [format!("other {n}")]);
        host.event("its run", |e| e["task"] == format!("other {n}") && e["to"] == "COMPLETED");
        if n == 50 {
            before = descriptors(&proc);
        }
    }
    assert!(descriptors(&proc) <= before + 2, "{} descriptors, then {before}", descriptors(&proc));
    let threads = std::fs::read_dir(format!("{proc}/task")).unwrap().count();
    assert!(threads < 12, "{threads} threads");
    assert_eq!(host.stop(), 0);
}

#[test]
fn a_task_that_comes_again_before_it_is_gone_has_no_second_run_beside_the_first() {
    let deaf = json!({ "name": "deaf", "stop-timeout": "1s",
                       "command": "trap '' TERM; echo $$ >> ready; while :; do sleep 0.05; done" });
    let sandbox = Sandbox::with_text(&scripts(std::slice::from_ref(&deaf)));
    let mut host = sandbox.start(&[]);
    let first = host.state("deaf", "RUNNING")["pid"].as_u64().unwrap() as u32;
    bansuri_tests::wait_until("it is deaf", || sandbox.file("ready").exists());
    replace(&sandbox, &scripts(&[sleeper("other")]));
    assert_eq!(names(&reloaded(&mut host), "removed"), ["deaf"]);
    replace(&sandbox, &scripts(&[deaf]));
    assert_eq!(names(&reloaded(&mut host), "added"), ["deaf"]);
    let second = host.state("deaf", "RUNNING");
    assert!(group_members(first).is_empty(), "the first run is gone");
    assert_eq!(second["run"], 2);
    assert_eq!(host.stop(), 0);
}

#[test]
fn a_library_that_comes_with_a_reload_is_told_of() {
    let sandbox = Sandbox::with_text(&scripts(&[sleeper("a")]));
    let mut host = sandbox.start(&[]);
    host.state("a", "RUNNING");
    let plugin = json!({ "name": "p", "no-interface": true, "command": "minimal-task", "options": { "folder": ".", "at-most": 99 } });
    replace(&sandbox, &scripts(&[sleeper("a"), plugin]));
    host.event("plugin-loaded", |event| event["event"] == "plugin-loaded");
    host.state("p", "COMPLETED");
    assert_eq!(host.stop(), 0);
}
