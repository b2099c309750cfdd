//! Plugins in processes of their own: the same plugins, unchanged, under the real host.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::{Host, Sandbox, group_members, is_alive, library, wait_until};
use rustix::process::Signal;
use serde_json::{Value, json};

fn task(name: &str, type_name: &str, more: Value) -> Value {
    let mut task = json!({ "name": name, "no-interface": true, "isolation": "process",
                           "command": format!("misbehaving:{type_name}") });
    task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    task
}

fn end<'a>(events: &'a [Value], task: &str) -> &'a Value {
    let ends = |e: &&Value| e["event"] == "task-state" && e["task"] == task && !e["duration_ms"].is_null();
    events.iter().rfind(ends).unwrap_or_else(|| panic!("{task} has not ended: {events:#?}"))
}

fn pid(event: &Value) -> u32 {
    u32::try_from(event["pid"].as_u64().expect("it is a process")).unwrap()
}

/// The whole first line that the run has written.
fn first_line(sandbox: &Sandbox, file: &str) -> String {
    let read = || std::fs::read_to_string(sandbox.file(file)).unwrap_or_default();
    wait_until("there is a line", || read().contains('\n'));
    read().lines().next().unwrap().to_owned()
}

#[test]
fn a_plugin_sees_the_same_on_a_thread_and_in_a_process() {
    let run = |isolation: &str| {
        let more = json!({ "isolation": isolation, "stdout": "out", "stderr": "err", "timeout": "1m",
                           "working-directory": "/", "environment": { "MINE": "yes" }, "options": { "a": "b" } });
        let sandbox = Sandbox::new(&json!({ "scripts": [
            task("echo", "Echo", more),
            task("seven", "Exits", json!({ "isolation": isolation, "options": { "code": -7 } })),
            task("new", "ErrorInNew", json!({ "isolation": isolation })),
            task("run", "ErrorInRun", json!({ "isolation": isolation })),
            task("panic-new", "PanicInNew", json!({ "isolation": isolation })),
            task("panic-run", "PanicInRun", json!({ "isolation": isolation })),
            task("panic-drop", "PanicInDrop", json!({ "isolation": isolation })),
            task("panic-odd", "OddPanic", json!({ "isolation": isolation })),
            task("panic-stop", "PanicInStop", json!({ "isolation": isolation, "timeout": "100ms" })),
            task("options", "Crash", json!({ "isolation": isolation, "options": { "hoe": 1 } })),
        ]}));
        let text = sandbox.read("scripts.json");
        let logs = |name: &str| format!("\"{}\"", sandbox.file(name).display());
        std::fs::write(
            sandbox.file("scripts.json"),
            text.replace("\"out\"", &logs("out")).replace("\"err\"", &logs("err")),
        )
        .unwrap();
        let (code, events) = sandbox.run();
        assert_eq!(code, 1);
        let ends: Vec<Vec<Value>> = events
            .iter()
            .filter(|event| event["event"] == "task-state" && !event["duration_ms"].is_null())
            .map(|event| {
                assert_eq!(event["pid"].is_null(), isolation == "thread", "{event}");
                ["task", "to", "exit_code", "signal", "reason"].map(|key| event[key].clone()).to_vec()
            })
            .collect();
        let mut ends: Vec<String> = ends.iter().map(|end| format!("{end:?}")).collect();
        ends.sort();
        (ends, sandbox.read("out"), sandbox.read("err"))
    };
    let (thread, process) = (run("thread"), run("process"));
    assert_eq!(thread.0.len(), 10, "{thread:#?}");
    assert_eq!(process, thread);
    assert!(process.1.contains("thread task:echo"), "{process:?}");
}

#[test]
fn options_of_any_length_and_a_pinned_library_reach_a_plugin_in_a_process() {
    let output = std::process::Command::new("sha256sum").arg(library("misbehaving")).output().unwrap();
    let digest = String::from_utf8(output.stdout).unwrap()[..64].to_owned();
    let long = "x".repeat(1_000_000);
    let sandbox = Sandbox::new(&json!({ "scripts": [
        task("long", "Echo", json!({ "options": { "long": long }, "stdout": "long" })),
        task("pinned", "Exits", json!({ "options": { "code": 0 }, "sha256": digest })),
    ]}));
    let (code, events) = sandbox.run();
    assert_eq!(code, 0, "{:?}", [end(&events, "long"), end(&events, "pinned")]);
    assert!(sandbox.read("long").contains(&long));
}

#[test]
fn a_new_build_is_used_by_the_next_run_in_a_process() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "t", "no-interface": true, "isolation": "process", "command": "./plugin.so:WaitsForStop",
          "stdout": "log", "service": true, "restart-delay": "1ms", "timeout": "1h" },
    ]}));
    std::fs::copy(library("misbehaving"), sandbox.file("plugin.so")).unwrap();
    let mut host = sandbox.start(&[]);
    let pid = pid(&host.state("t", "RUNNING"));
    assert_eq!(first_line(&sandbox, "log"), "waiting");
    // Overwritten in place: neither the run nor the host is touched by that.
    std::fs::write(sandbox.file("plugin.so"), "no library any more").unwrap();
    assert!(is_alive(pid));
    let process = rustix::process::Pid::from_raw(pid as i32).unwrap();
    rustix::process::kill_process(process, Signal::TERM).unwrap();
    let second = host.state("t", "RUNNING");
    assert_eq!(second["run"], 2, "the old build is used as long as the new one is refused");
    host.event("the refusal", |event| event["event"] == "plugin-loaded" && !event["error"].is_null());
    wait_until("the second run waits", || sandbox.read("log").lines().count() == 3);
    assert_eq!(host.stop(), 0);
    assert_eq!(sandbox.read("log"), "waiting\nstopping\n".repeat(2));
}

#[test]
fn however_a_plugin_crashes_its_run_has_failed_and_the_host_goes_on() {
    let crash =
        |name: &str, how: Value| task(name, "Crash", json!({ "options": { "how": how }, "stdout": name }));
    let sandbox = Sandbox::new(&json!({ "scripts": [
        crash("segfault", json!("segfault")),
        crash("abort", json!("abort")),
        crash("stack-overflow", json!("stack-overflow")),
        crash("exit-3", json!({ "exit": 3 })),
        crash("exit-0", json!({ "exit": 0 })),
        { "name": "after", "command": "sleep 0.5" },
    ]}));
    let (code, events) = sandbox.run();
    assert_eq!(code, 1);
    for (name, reason, signal) in [
        ("segfault", "killed by SIGSEGV", json!("SIGSEGV")),
        ("abort", "killed by SIGABRT", json!("SIGABRT")),
        ("exit-3", "the plugin ended its process with exit code 3", Value::Null),
        ("exit-0", "the plugin ended its process with exit code 0", Value::Null),
    ] {
        let ended = end(&events, name);
        assert_eq!((&ended["to"], &ended["reason"]), (&json!("FAILED"), &json!(reason)), "{ended}");
        assert_eq!((&ended["signal"], &ended["exit_code"]), (&signal, &Value::Null), "{ended}");
        assert!(sandbox.read(name).starts_with("about to end\n"), "what it wrote before is kept");
    }
    let overflow = end(&events, "stack-overflow");
    assert_eq!(overflow["to"], "FAILED");
    // Rust's runtime would abort: a child goes without it.
    assert_eq!(overflow["signal"], "SIGSEGV", "{overflow}");
    assert_eq!(end(&events, "after")["to"], "COMPLETED");
}

#[test]
fn a_plugin_that_does_not_stop_is_killed_and_runs_again() {
    let more = json!({ "timeout": "200ms", "stop-timeout": "100ms", "on-fail": "restart",
                       "max-attempts": 2, "restart-delay": "1ms" });
    let mut deaf = more.clone();
    deaf["options"] = json!({ "until": "/nonexistent" });
    let mut slow = deaf.clone();
    slow["max-attempts"] = json!(1);
    let sandbox = Sandbox::new(&json!({ "scripts": [
        task("loops", "Loops", more),
        task("deaf", "IgnoresStop", deaf),
        task("slow-stop", "SlowStop", slow),
    ]}));
    let (code, events) = sandbox.run();
    assert_eq!(code, 1);
    for (name, attempts) in [("loops", 2), ("deaf", 2), ("slow-stop", 1)] {
        let ended = end(&events, name);
        assert_eq!((&ended["to"], &ended["signal"]), (&json!("TIMED_OUT"), &json!("SIGKILL")), "{ended}");
        assert_eq!(ended["attempt"], attempts);
        assert!(group_members(pid(ended)).is_empty());
    }
    assert!(!events.iter().any(|event| event["event"] == "task-stuck"));
}

#[test]
fn a_plugin_is_asked_to_stop_by_a_call_and_its_children_by_the_signal() {
    let line = "trap 'echo asked >> asked; exit 5' USR1; echo ready > ready; while :; do sleep 0.02; done";
    let sandbox = Sandbox::new(&json!({ "scripts": [
        task("waits", "WaitsForStop", json!({ "stdout": "waits" })),
        task("late", "WaitsForStop", json!({ "timeout": "100ms" })),
        task("spawns", "Spawns", json!({ "stop-signal": "USR1", "options": { "line": line } })),
    ]}));
    let mut host = sandbox.start(&[]);
    assert_eq!(first_line(&sandbox, "ready"), "ready");
    assert_eq!(first_line(&sandbox, "waits"), "waiting");
    let late = host.state("late", "TIMED_OUT");
    assert_eq!((&late["exit_code"], &late["signal"]), (&json!(0), &Value::Null));
    assert_eq!(host.stop(), 0);
    for (name, code) in [("waits", 0), ("spawns", 5)] {
        let ended = end(host.seen(), name);
        assert_eq!((&ended["to"], &ended["exit_code"]), (&json!("STOPPED"), &json!(code)), "{ended}");
    }
    assert_eq!(sandbox.read("waits"), "waiting\nstopping\n");
    assert_eq!(sandbox.read("asked"), "asked\n");
}

#[test]
fn a_plugin_that_is_sent_its_stop_signal_is_asked_to_stop() {
    let sandbox =
        Sandbox::new(&json!({ "scripts": [task("waits", "WaitsForStop", json!({ "stdout": "waits" }))] }));
    let mut host = sandbox.start(&["--exit-when-done"]);
    let pid = pid(&host.state("waits", "RUNNING"));
    assert_eq!(first_line(&sandbox, "waits"), "waiting");
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid as i32).unwrap(), Signal::TERM).unwrap();
    assert_eq!(host.wait(), 0);
    assert_eq!(sandbox.read("waits"), "waiting\nstopping\n");
}

/// The value after `name` in what `Surroundings` wrote.
fn said<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).trim()
}

#[test]
fn a_plugin_runs_where_under_what_limits_and_with_what_variables_it_is_to() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let sandbox = Sandbox::new(&json!({ "scripts": [
        task("plain", "Surroundings", json!({ "environment": { "MINE": "a b" }, "working-directory": folder, "stdout": "log" })),
        task("other", "Surroundings", json!({
            "umask": "027", "priority": 4, "limits": { "nofile": 99, "core": 0 }, "stdout": "other.log" })),
    ]}));
    let (code, events) = sandbox.run();
    assert_eq!(code, 0, "{events:#?}");
    let plain = std::fs::read_to_string(folder.join("log")).unwrap();
    assert_eq!(said(&plain, "folder "), folder.to_str().unwrap());
    assert_eq!(said(&plain, "variable MINE="), "a b");
    assert_eq!(said(&plain, "variable BANSURI_TASK="), "plain");
    assert!(plain.contains("variable PATH="), "the host's own are there as well");
    assert_eq!(said(&plain, "pid "), end(&events, "plain")["pid"].to_string());
    assert_eq!(said(&plain, "Name:"), "task:plain");
    let other = sandbox.read("other.log");
    assert_eq!(said(&other, "Umask:"), "0027");
    assert_eq!(said(&other, "nice "), "4");
    assert_eq!(said(&other, "Max open files").split_whitespace().next(), Some("99"));
    assert_eq!(said(&other, "Max core file size").split_whitespace().next(), Some("0"));
    assert_eq!(said(&other, "pid "), end(&events, "other")["pid"].to_string());
}

#[test]
fn a_folder_or_a_log_that_cannot_be_used_keeps_the_run_from_starting() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        task("folder", "Exits", json!({ "options": { "code": 0 }, "working-directory": "/nonexistent" })),
        task("helped", "Exits", json!({ "options": { "code": 0 }, "working-directory": "/nonexistent", "umask": "027" })),
        task("log", "Exits", json!({ "options": { "code": 0 }, "stdout": "/nonexistent/log" })),
    ]}));
    let (code, events) = sandbox.run();
    assert_eq!(code, 1);
    let folder = "working directory \"/nonexistent\": no such file or directory";
    assert_eq!(end(&events, "folder")["reason"], folder);
    assert_eq!(end(&events, "helped")["reason"], folder);
    assert!(end(&events, "log")["reason"].as_str().unwrap().contains("\"/nonexistent\" does not exist"));
}

#[test]
fn a_plugin_of_another_user_has_no_more_rights_than_that_user() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("a_plugin_of_another_user_has_no_more_rights_than_that_user: skipped: takes root");
        return;
    }
    let sandbox = Sandbox::new(&json!({ "scripts": [
        task("who", "Surroundings", json!({ "user": "nobody", "working-directory": "/", "stdout": "/dev/null" })),
    ]}));
    let log = tempfile::NamedTempFile::new().unwrap();
    let text = sandbox.read("scripts.json").replace("/dev/null", log.path().to_str().unwrap());
    std::fs::write(sandbox.file("scripts.json"), text).unwrap();
    std::fs::set_permissions(log.path(), std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    rustix::fs::chown(log.path(), Some(rustix::fs::Uid::from_raw(65534)), None).unwrap();
    let (code, events) = sandbox.run();
    assert_eq!(code, 0, "{:#?}", end(&events, "who"));
    let said_of = std::fs::read_to_string(log.path()).unwrap();
    assert_eq!(said(&said_of, "Uid:").split_whitespace().next(), Some("65534"), "{said_of}");
    assert_eq!(said(&said_of, "CapEff:"), "0000000000000000");
}

#[test]
fn records_and_progress_come_out_in_the_hosts_log_under_the_name_of_the_task() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        task("logs", "Logs", json!({})),
        task("progress", "Progress", json!({})),
        task("thread", "PanicInThread", json!({ "success-codes": [3] })),
    ]}));
    let mut host = sandbox.start(&["--exit-when-done", "-v"]);
    assert_eq!(host.wait(), 0);
    let log = host.log();
    for line in [
        "[INFO] logs: from new\n",
        "[ERROR] logs: from run\n",
        "[ERROR] logs: in two lines\n",
        "[WARN] logs: from a thread\n",
        "[INFO] logs: from drop\n",
        "[DEBUG] progress: 0% lost\n",
        "[DEBUG] progress: 50% half\n",
        "[DEBUG] progress: 100% more than all\n",
    ] {
        assert!(log.contains(line), "{line} in {log}");
    }
    assert!(log.contains("[ERROR] thread: thread \"helper\" panicked at "), "{log}");
    assert!(!log.contains("too much"), "{log}");
    let mut host = sandbox.start(&["--exit-when-done", "-q"]);
    assert_eq!(host.wait(), 0);
    let log = host.log();
    assert!(log.contains("logs: from run") && !log.contains("from new") && !log.contains("half"), "{log}");
}

#[test]
fn what_a_plugin_prints_past_its_context_is_output_of_the_run() {
    let sandbox = Sandbox::new(&json!({ "scripts": [task("prints", "Prints", json!({ "stdout": "log" }))] }));
    assert_eq!(sandbox.run().0, 0);
    assert_eq!(sandbox.read("log"), "printed\ncomplained\nwritten, unfinished");
}

#[test]
fn what_a_plugin_leaves_behind_ends_as_with_a_command() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        task("leaves", "LeavesThings", json!({ "stdout": "log", "stop-timeout": "10s" })),
    ]}));
    let (code, events) = sandbox.run();
    assert_eq!((code, &end(&events, "leaves")["to"]), (0, &json!("COMPLETED")));
    let left: u32 = sandbox.read("log").trim().parse().unwrap();
    assert!(!is_alive(left), "the host has ended it before it ended itself");
}

#[test]
fn a_flood_of_output_and_records_neither_stops_nor_swells_the_host() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        task("pours", "Pours", json!({ "options": { "bytes": 1_u64 << 30, "records": 300_000 } })),
        { "name": "ticks", "command": "true", "timer": "20ms" },
    ]}));
    let mut host = sandbox.start(&[]);
    let mut ticks = 0;
    let mut largest = 0;
    loop {
        let event = host.event("an end", |event| {
            event["event"] == "task-state" && ["COMPLETED", "FAILED"].contains(&event["to"].as_str().unwrap())
        });
        assert_eq!(event["to"], "COMPLETED", "{event}");
        largest = largest.max(resident_kib(host.pid()));
        if event["task"] == "pours" {
            break;
        }
        ticks += 1;
    }
    assert!(ticks > 5, "others have run meanwhile: {ticks}");
    assert!(largest < 100 * 1024, "{largest} KiB");
    assert_eq!(host.stop(), 0);
    assert!(host.log().contains("[INFO] pours: record 0\n"));
}

#[test]
fn a_plugin_that_writes_nonsense_to_its_host_harms_itself_alone() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        task("babbles", "Babbles", json!({})),
        task("after", "Exits", json!({ "options": { "code": 0 } })),
    ]}));
    let mut host = sandbox.start(&["--exit-when-done"]);
    assert_eq!(host.wait(), 1);
    let ended = end(host.seen(), "babbles");
    assert_eq!(ended["reason"], "the plugin ended its process with exit code 0", "{ended}");
    assert_eq!(end(host.seen(), "after")["to"], "COMPLETED");
    assert!(host.log().contains("[WARN] babbles: its process writes what is none of its words to its host"));
}

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    said(&status, "VmRSS:").split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn a_host_that_is_killed_leaves_nothing_behind() {
    let until = json!({ "until": "/nonexistent" });
    let sandbox = Sandbox::new(&json!({ "scripts": [
        task("good", "WaitsForStop", json!({ "stdout": "good" })),
        task("deaf", "IgnoresStop", json!({ "options": until, "stdout": "deaf", "stop-timeout": "300ms" })),
        task("patient", "IgnoresStop", json!({ "options": until, "stdout": "patient", "stop-timeout": "1h" })),
    ]}));
    let mut host = sandbox.start(&[]);
    let mut runs = Vec::new();
    for name in ["good", "deaf", "patient"] {
        runs.push(pid(&host.state(name, "RUNNING")));
        assert_eq!(first_line(&sandbox, name), "waiting");
    }
    host.signal(Signal::KILL);
    host.wait();
    // They see by themselves that their host is gone: the one ends, the other is ended.
    wait_until("the first two are gone", || runs[..2].iter().all(|pid| !is_alive(*pid)));
    assert_eq!(sandbox.read("good"), "waiting\nstopping\n");
    assert!(is_alive(runs[2]), "it has its time");
    let text = sandbox.read("scripts.json").replace("1h", "200ms");
    std::fs::write(sandbox.file("scripts.json"), text).unwrap();
    // The record says how long it may take, and a second SIGINT that it may not.
    let mut next = sandbox.start(&[]);
    wait_until("the next host has its signals", || handles(next.pid(), 2));
    while is_alive(runs[2]) {
        next.signal(Signal::INT);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(next.wait(), 130);
}

/// Whether the process has a handler for this signal.
fn handles(pid: u32, signal: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    u64::from_str_radix(said(&status, "SigCgt:"), 16).unwrap() & (1 << (signal - 1)) != 0
}

#[test]
fn a_reload_that_changes_where_a_plugin_runs_restarts_the_run() {
    let sandbox = Sandbox::new(&json!({ "scripts": [task("waits", "WaitsForStop", json!({}))] }));
    let mut host = sandbox.start(&[]);
    let first = pid(&host.state("waits", "RUNNING"));
    let text = sandbox.read("scripts.json");
    std::fs::write(sandbox.file("scripts.json"), text.replace("\"process\"", "\"thread\"")).unwrap();
    host.state("waits", "STOPPED");
    assert!(host.state("waits", "RUNNING")["pid"].is_null());
    assert!(!is_alive(first));
    std::fs::write(sandbox.file("scripts.json"), text).unwrap();
    host.state("waits", "STOPPED");
    assert!(host.state("waits", "RUNNING")["pid"].is_u64());
    assert_eq!(host.stop(), 0);
}

#[test]
fn a_host_that_was_started_with_ignored_signals_runs_plugins_all_the_same() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        task("plain", "Surroundings", json!({ "stdout": "plain" })),
        task("helped", "Surroundings", json!({ "stdout": "helped", "umask": "022" })),
    ]}));
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "trap '' HUP; exec \"$@\"", "sh"]).arg(bansuri_tests::bansuri());
    command.args(["run", "--events", "-", "--exit-when-done"]).current_dir(sandbox.path());
    command.env("BANSURI_PLUGIN_PATH", bansuri_tests::artifacts()).env_remove("BANSURI_STATE_DIR");
    let mut host = Host::start(command);
    assert_eq!(host.wait(), 0, "{:#?}", host.seen());
    for name in ["plain", "helped"] {
        let ignored = u64::from_str_radix(said(&sandbox.read(name), "SigIgn:"), 16).unwrap();
        assert_eq!(ignored & 1, 1, "SIGHUP is still ignored");
    }
}

#[test]
fn isolated_notifiers_are_told_and_whatever_happens_to_one_harms_nobody() {
    let isolated = |type_name: &str, options: Value| json!({ "plugin": format!("misbehaving:{type_name}"), "isolation": "process", "options": options });
    let mut hangs = isolated("Hangs", json!({ "until": "/nonexistent" }));
    hangs["timeout"] = json!("300ms");
    let told = |name: &str, notifier: &str| {
        json!({ "name": name, "command": "echo out; echo err >&2; exit 9", "stderr": null, "notify": notifier,
                "description": "nightly", "on-fail": "restart", "max-attempts": 2, "restart-delay": "1ms" })
    };
    let sandbox = Sandbox::new(&json!({
        "notifiers": {
            "writes": isolated("Writes", json!({ "path": "told" })),
            "fails": isolated("Fails", json!({})),
            "panics": isolated("PanicsInNew", json!({})),
            "crashes": isolated("Crashes", json!({ "how": "segfault", "once": "crashed" })),
            "exits": isolated("Crashes", json!({ "how": { "exit": 0 }, "once": "exited" })),
            "hangs": hangs,
        },
        "scripts": [
            told("a", "writes"), told("b", "fails"), told("c", "panics"), told("d", "crashes"), told("e", "exits"),
            told("f", "hangs"),
        ],
    }));
    let mut host = sandbox.start(&["--exit-when-done"]);
    assert_eq!(host.wait(), 1);
    let results = |task: &str| -> Vec<Value> {
        let notified = host.seen().iter().filter(|e| e["event"] == "notification" && e["task"] == task);
        notified.map(|event| if event["ok"] == true { json!("ok") } else { event["error"].clone() }).collect()
    };
    assert_eq!(results("a"), ["ok", "ok"]);
    assert_eq!(results("b"), ["nobody wants to hear of b"; 2]);
    for panic in results("c") {
        let panic = panic.as_str().unwrap();
        assert!(panic.starts_with("constructor panicked at ") && panic.ends_with(": in new"), "{panic}");
    }
    assert_eq!(results("d"), ["killed by SIGSEGV", "ok"], "the next one gets a process of its own");
    assert_eq!(results("e"), ["the plugin ended its process with exit code 0", "ok"]);
    assert_eq!(results("f"), ["took longer than 300ms"; 2]);
    let told = sandbox.read("told");
    assert_eq!(told.lines().count(), 2);
    for part in ["\"a\"", "exit code 9", "\"nightly\"", "\"out\\n\"", "\"err\\n\"", "\"a#1\"", "attempt: 1"] {
        assert!(told.lines().next().unwrap().contains(part), "{part} in {told}");
    }
    let log = host.log();
    assert!(log.contains("[INFO] writes: made writes"), "{log}");
}

#[test]
fn an_isolated_notifier_at_work_ends_with_its_host() {
    let sandbox = Sandbox::new(&json!({
        "notifiers": { "hangs": { "plugin": "misbehaving:Hangs", "isolation": "process", "timeout": "1h",
                                  "options": { "until": "/nonexistent" } } },
        "scripts": [{ "name": "a", "command": "exit 1", "notify": "hangs" }],
    }));
    let mut host = sandbox.start(&[]);
    host.state("a", "FAILED");
    let child = || {
        let pids = std::fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        pids.filter_map(|pid| pid.parse::<u32>().ok()).find(|pid| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            line.ends_with(b"\0__plugin\0hangs\0") && status.contains(&format!("PPid:\t{}\n", host.pid()))
        })
    };
    wait_until("it is at work", || child().is_some());
    let child = child().unwrap();
    host.signal(Signal::INT);
    host.signal(Signal::INT);
    wait_until("both were heard or one of them", || {
        host.signal(Signal::INT);
        !is_alive(child)
    });
    assert_eq!(host.wait(), 130);
}

/// The median time between two starts of a service that ends at once, in milliseconds.
fn cycle(task: Value) -> f64 {
    const RUNS: usize = 300;
    let mut task = task;
    task.as_object_mut().unwrap().extend([
        ("name".to_owned(), json!("t")),
        ("service".to_owned(), json!(true)),
        ("restart-delay".to_owned(), json!("0")),
    ]);
    let sandbox = Sandbox::new(&json!({ "scripts": [task] }));
    let mut host = sandbox.start(&["-q"]);
    let mut starts = Vec::with_capacity(RUNS);
    while starts.len() < RUNS {
        let event = host.state("t", "RUNNING");
        // Minutes and seconds of the time.
        let time = &event["ts"].as_str().unwrap()[14..26];
        let (minutes, seconds) = time.split_once(':').unwrap();
        starts.push(minutes.parse::<f64>().unwrap() * 60.0 + seconds.parse::<f64>().unwrap());
    }
    assert!(host.seen().iter().all(|event| event["to"] != "FAILED"), "{:#?}", host.seen().last());
    host.stop();
    median(starts.windows(2).map(|two| (two[1] - two[0]).rem_euclid(3600.0) * 1e3).collect())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[test]
#[ignore = "measures: cargo test --release -p bansuri-tests --test isolation -- --ignored --nocapture"]
fn a_run_in_a_process_costs_at_most_two_and_a_half_bare_processes() {
    let mut ratios = Vec::new();
    for _ in 0..5 {
        let bare = median(
            (0..300)
                .map(|_| {
                    let started = std::time::Instant::now();
                    assert!(std::process::Command::new("/bin/true").status().unwrap().success());
                    started.elapsed().as_secs_f64() * 1e3
                })
                .collect(),
        );
        let command = cycle(json!({ "command": ["/bin/true"] }));
        let isolated = cycle(task("t", "Exits", json!({ "options": { "code": 0 } })));
        // What a host does around every run is no part of it.
        let alone = isolated - (command - bare);
        println!(
            "/bin/true {bare:.3} ms, as a task {command:.3} ms, a plugin in a process {isolated:.3} ms: {:.2}",
            alone / bare
        );
        ratios.push(alone / bare);
    }
    assert!(median(ratios) <= 2.5);
}
