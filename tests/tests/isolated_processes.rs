//! What a plugin can do to the process that is its own, and what can be wrong with such a process, under the real host.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::{Host, Sandbox, artifacts, bansuri, end, is_alive, wait_until, workspace};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// A task of the fixture in C.
fn task(name: &str, type_name: &str, more: Value) -> Value {
    isolated(name, &format!("./libisolated.so:{type_name}"), more)
}

fn isolated(name: &str, command: &str, more: Value) -> Value {
    let mut task = json!({ "name": name, "no-interface": true, "isolation": "process", "command": command });
    task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    task
}

fn sandbox(scripts: Value) -> Sandbox {
    let sandbox = Sandbox::new(&json!({ "scripts": scripts }));
    let source = workspace().join("tests/fixtures/plain/isolated.c");
    cc(sandbox.path(), &["-pthread", "-o", "libisolated.so", source.to_str().unwrap()]);
    sandbox
}

fn cc(folder: &Path, arguments: &[&str]) {
    let mut cc = Command::new("cc");
    cc.current_dir(folder).args(["-shared", "-fPIC", "-I"]).arg(workspace().join("plugin-api/include"));
    assert!(cc.args(arguments).status().unwrap().success(), "{cc:?}");
}

#[test]
fn a_library_that_looks_beside_its_own_file_is_found_through_a_link() {
    let scripts = ["thread", "process"].map(|isolation| {
        isolated(isolation, "links/outer.so", json!({ "isolation": isolation, "success-codes": [5] }))
    });
    let sandbox = Sandbox::new(&json!({ "scripts": scripts }));
    for folder in ["real", "links"] {
        std::fs::create_dir(sandbox.file(folder)).unwrap();
    }
    std::os::unix::fs::symlink("../real/outer.so", sandbox.file("links/outer.so")).unwrap();
    std::fs::write(sandbox.file("inner.c"), "int inner(void) { return 7; }").unwrap();
    cc(sandbox.path(), &["inner.c", "-o", "real/libinner.so"]);
    let source = workspace().join("tests/fixtures/plain/exports.c");
    let needs = ["-Wl,-rpath,$ORIGIN", "-Wl,--no-as-needed", "-Lreal", "-linner"];
    cc(sandbox.path(), &[&["-o", "real/outer.so", source.to_str().unwrap()], &needs[..]].concat());
    let (code, events) = sandbox.run();
    assert_eq!(code, 0, "{:#?}", [end(&events, "thread"), end(&events, "process")]);
}

#[test]
fn limits_that_a_process_cannot_even_start_with_are_named() {
    let limited = |name: &str, limits: Value| {
        isolated(name, "misbehaving:Exits", json!({ "options": { "code": 0 }, "limits": limits }))
    };
    let sandbox = Sandbox::new(&json!({ "scripts": [
        limited("memory", json!({ "as": "1M" })),
        limited("files", json!({ "nofile": 3 })),
        limited("few-files", json!({ "nofile": 4, "core": 0 })),
        limited("enough", json!({ "nofile": 16 })),
    ]}));
    let (code, events) = sandbox.run();
    assert_eq!(code, 1);
    for (name, reason) in [
        (
            "memory",
            "its process ended before it could load the plugin: killed by SIGSEGV; its limits may be too low: as",
        ),
        (
            "files",
            "its process ended before it could load the plugin: exit code 127; its limits may be too low: nofile",
        ),
        ("few-files", "its stop signal cannot be taken: too many open files"),
    ] {
        let ended = end(&events, name);
        assert_eq!((&ended["to"], &ended["reason"]), (&json!("FAILED"), &json!(reason)), "{ended}");
    }
    assert_eq!(end(&events, "enough")["to"], "COMPLETED");
}

#[test]
fn a_binary_that_a_user_may_not_execute_is_named_as_what_it_is() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("a_binary_that_a_user_may_not_execute_is_named_as_what_it_is: skipped: takes root");
        return;
    }
    let more = json!({ "options": { "code": 0 }, "user": "nobody", "working-directory": "/" });
    let sandbox = Sandbox::new(&json!({ "scripts": [isolated("theirs", "misbehaving:Exits", more)] }));
    let binary = sandbox.file("bansuri");
    std::fs::copy(bansuri(), &binary).unwrap();
    std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(0o700)).unwrap();
    let mut command = Command::new(&binary);
    command.args(["run", "--events", "-", "--exit-when-done"]).current_dir(sandbox.path());
    command.env("BANSURI_PLUGIN_PATH", artifacts()).env_remove("BANSURI_STATE_DIR");
    let mut host = Host::start(command);
    assert_eq!(host.wait(), 1);
    let ended = end(host.seen(), "theirs");
    assert_eq!(ended["reason"], "the host's own binary: permission denied");
    assert!(ended["exit_code"].is_null(), "that is not the task's: {ended}");
}

#[test]
fn a_plugin_that_closes_what_its_process_needs_comes_to_an_end() {
    let sandbox = sandbox(json!([task("closes", "Closes", json!({ "stop-timeout": "200ms" }))]));
    let (code, events) = sandbox.run();
    let ended = end(&events, "closes");
    assert_eq!((code, &ended["to"], &ended["signal"]), (1, &json!("FAILED"), &json!("SIGKILL")), "{ended}");
}

#[test]
fn a_thread_that_ends_the_process_has_failed_the_run() {
    let sandbox = sandbox(json!([task("exits", "ExitsInThread", json!({}))]));
    let (code, events) = sandbox.run();
    assert_eq!(code, 1);
    assert_eq!(end(&events, "exits")["reason"], "the plugin ended its process with exit code 3");
}

#[test]
fn a_copy_of_the_process_that_is_left_behind_does_not_hold_the_outcome_back() {
    let more = json!({ "stdout": "pid", "stop-timeout": "1h" });
    let sandbox = sandbox(json!([task("forks", "Forks", more)]));
    let mut host = sandbox.start(&["--exit-when-done"]);
    host.state("forks", "COMPLETED");
    let left: i32 = sandbox.read("pid").trim().parse().unwrap();
    assert!(is_alive(left.unsigned_abs()), "it has an hour");
    kill_process(Pid::from_raw(left).unwrap(), Signal::KILL).unwrap();
    assert_eq!(host.wait(), 0);
}

#[test]
fn what_the_c_library_holds_back_is_written_out() {
    let sandbox = sandbox(json!([task("prints", "Prints", json!({ "stdout": "log" }))]));
    assert_eq!(sandbox.run().0, 0);
    assert_eq!(sandbox.read("log"), "printed");
}

#[test]
fn no_descriptor_of_the_process_reaches_programs_of_the_plugin() {
    let sandbox = sandbox(json!([
        task("plain", "Lists", json!({ "stdout": "plain" })),
        task("helped", "Lists", json!({ "stdout": "helped", "umask": "022" })),
        { "name": "command", "stdout": "command",
          "command": "for each in /proc/$$/fd/*; do echo \"${each##*/}\"; done" },
    ]));
    let (code, events) = sandbox.run();
    assert_eq!(code, 0, "{events:#?}");
    let command = sandbox.read("command");
    assert!(command.starts_with("0\n1\n2\n"), "{command}");
    for name in ["plain", "helped"] {
        assert_eq!(sandbox.read(name), command, "{name}");
    }
}

#[test]
fn programs_of_the_plugin_ignore_no_more_signals_than_those_of_a_command() {
    let sandbox = sandbox(json!([
        task("plain", "Ignored", json!({ "stdout": "plain" })),
        task("helped", "Ignored", json!({ "stdout": "helped", "umask": "022" })),
        { "name": "command", "stdout": "command", "command": "grep SigIgn /proc/self/status" },
    ]));
    let (code, events) = sandbox.run();
    assert_eq!(code, 0, "{events:#?}");
    let ignored = |name: &str| {
        let said = sandbox.read(name);
        let ignored = u64::from_str_radix(said.trim().strip_prefix("SigIgn:").unwrap().trim(), 16).unwrap();
        // Two are the C library's own: whatever it starts from a process with threads ignores them.
        ignored & !(0b11 << 31)
    };
    for name in ["plain", "helped"] {
        assert_eq!(ignored(name), ignored("command"), "{name}");
    }
}

#[test]
fn a_library_is_what_the_loader_calls_it() {
    for isolation in ["thread", "process"] {
        let sandbox = sandbox(json!([task("opens", "Opens", json!({ "isolation": isolation }))]));
        let (code, events) = sandbox.run();
        assert_eq!(code, 0, "{isolation}: {}", end(&events, "opens")["reason"]);
    }
}

#[test]
fn a_run_ends_in_time_even_while_its_library_is_being_loaded() {
    let more = json!({ "environment": { "HANG_AT_LOAD": "yes" }, "stop-timeout": "100ms" });
    let mut late = more.clone();
    late["timeout"] = json!("200ms");
    let sandbox = sandbox(json!([task("late", "Prints", late), task("stopped", "Prints", more)]));
    let mut host = sandbox.start(&[]);
    let pid = host.state("stopped", "RUNNING")["pid"].as_u64().unwrap();
    let ended = host.state("late", "TIMED_OUT");
    assert_eq!((&ended["signal"], &ended["reason"].is_null()), (&json!("SIGKILL"), &false), "{ended}");
    wait_until("its signal is one that it takes", || takes(pid, Signal::TERM));
    assert_eq!(host.stop(), 0);
    assert_eq!(end(host.seen(), "stopped")["to"], "STOPPED");
}

/// Whether the process has a handler for this signal.
fn takes(pid: u64, signal: Signal) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or_default();
    let caught = u64::from_str_radix(caught.trim(), 16).unwrap_or(0);
    caught & (1 << (signal.as_raw() - 1)) != 0
}

/// However early it comes: before the process executes anything, before it takes its signals, before it has a library.
#[test]
fn a_stop_at_any_moment_of_a_start_is_a_stop() {
    for microseconds in (0..40).map(|round| round * 150) {
        let waits = isolated("waits", "misbehaving:WaitsForStop", json!({ "stop-timeout": "1h" }));
        let sandbox = Sandbox::new(&json!({ "scripts": [waits] }));
        let mut host = sandbox.start(&[]);
        host.state("waits", "RUNNING");
        std::thread::sleep(std::time::Duration::from_micros(microseconds));
        assert_eq!(host.stop(), 0);
        let ended = end(host.seen(), "waits");
        assert_eq!(ended["to"], "STOPPED", "{ended}");
        // It was killed before it could do better, or was asked.
        let how = (&ended["exit_code"], &ended["signal"]);
        assert!([(&Value::Null, &json!("SIGTERM")), (&json!(0), &Value::Null)].contains(&how), "{ended}");
    }
}

#[test]
fn the_health_of_an_isolated_run_is_watched() {
    let check = json!({ "command": "test -e well", "interval": "20ms", "retries": 1 });
    let sandbox = Sandbox::new(&json!({ "scripts": [
        isolated("waits", "misbehaving:WaitsForStop", json!({ "health-check": check, "stdout": "log" })),
        { "name": "after", "command": "rm well", "depends-on": { "waits": "healthy" } },
    ]}));
    std::fs::write(sandbox.file("well"), "").unwrap();
    let mut host = sandbox.start(&[]);
    host.state("after", "COMPLETED");
    let ended = host.state("waits", "FAILED");
    assert_eq!(ended["reason"], "unhealthy: exit code 1");
    assert_eq!(host.stop(), 0);
    assert!(sandbox.read("log").ends_with("stopping\n"));
}

#[test]
fn attempts_and_the_time_that_is_left_are_those_of_the_run() {
    let more = json!({ "on-fail": "restart", "max-attempts": 3, "restart-delay": "1ms", "success-codes": [9],
                       "stdout": "log", "timeout": "1h" });
    let sandbox = Sandbox::new(&json!({ "scripts": [isolated("echo", "misbehaving:Echo", more)] }));
    assert_eq!(sandbox.run().0, 1);
    let said = sandbox.read("log");
    for attempt in 1..=3 {
        assert!(said.contains(&format!("attempt {attempt}")), "{said}");
        assert!(said.contains(&format!("echo#{attempt}")), "{said}");
    }
}

/// By a library that its environment brings into the process, as into a command's.
#[test]
fn a_process_that_takes_long_to_start_has_less_time_left() {
    let more = json!({ "timeout": "60s", "stdout": "left", "environment": { "SLOW_AT_LOAD": "yes",
                       "LD_PRELOAD": "./libisolated.so" } });
    let mut helped = more.clone();
    helped["umask"] = json!("022");
    helped["stdout"] = json!("helped");
    let sandbox = sandbox(json!([task("slow", "TimeLeft", more), task("helped", "TimeLeft", helped)]));
    assert_eq!(sandbox.run().0, 0);
    for name in ["left", "helped"] {
        let left: u64 = sandbox.read(name).trim().parse().unwrap();
        // Two seconds before anything of the host's own ran, and two while the plugin was loaded.
        assert!(left < 57, "{left}");
    }
}

#[test]
fn a_reload_that_changes_options_runs_with_the_new_ones() {
    let echo = |word: &str| {
        let more = json!({ "options": { "word": word }, "stdout": "log" });
        json!({ "scripts": [isolated("echo", "misbehaving:Echo", more)] })
    };
    let sandbox = Sandbox::new(&echo("first"));
    let mut host = sandbox.start(&[]);
    host.state("echo", "COMPLETED");
    std::fs::write(sandbox.file("scripts.json"), echo("second").to_string()).unwrap();
    host.state("echo", "COMPLETED");
    assert_eq!(host.stop(), 0);
    let said = sandbox.read("log");
    assert!(said.contains("first") && said.contains("second"), "{said}");
}

#[test]
fn runs_and_notifications_that_have_ended_keep_nothing_in_the_host() {
    let sandbox = Sandbox::new(&json!({
        "notifiers": { "writes": { "plugin": "misbehaving:Writes", "isolation": "process", "options": { "path": "told" } } },
        "scripts": [isolated("runs", "misbehaving:Exits", json!({
            "options": { "code": 1 }, "on-fail": "restart", "max-attempts": 60, "restart-delay": "1ms", "timer": "1h",
            "notify": "writes" }))],
    }));
    let mut host = sandbox.start(&[]);
    let open = |host: &Host| std::fs::read_dir(format!("/proc/{}/fd", host.pid())).unwrap().count();
    host.event("a notification", |event| event["event"] == "notification" && event["ok"] == true);
    let before = open(&host);
    host.event("the last attempt", |event| event["to"] == "FAILED" && event["attempt"] == 60);
    // Of the messages some go on, each for several failures.
    wait_until("what has ended is let go of", || open(&host) <= before + 4);
    assert_eq!(host.stop(), 0);
    assert!(sandbox.read("told").lines().count() > 16);
}

#[test]
fn notifications_of_several_tasks_go_at_once_and_the_host_waits_for_them() {
    let sandbox = Sandbox::new(&json!({
        "notifiers": { "slow": { "plugin": "misbehaving:Hangs", "isolation": "process", "options": { "until": "go" } } },
        "scripts": [
            { "name": "a", "command": "exit 1", "notify": "slow" },
            { "name": "b", "command": "exit 1", "notify": "slow" },
        ],
    }));
    let mut host = sandbox.start(&[]);
    let at_work = || {
        let pids = std::fs::read_dir("/proc").unwrap();
        let pids = pids.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
        let is_one = |pid: &u32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            line.ends_with(b"\0__plugin\0slow\0") && status.contains(&format!("PPid:\t{}\n", host.pid()))
        };
        pids.filter(is_one).count()
    };
    wait_until("both are at work", || at_work() == 2);
    host.signal(Signal::TERM);
    std::fs::write(sandbox.file("go"), "").unwrap();
    assert_eq!(host.wait(), 0);
    let told = host.seen().iter().filter(|event| event["event"] == "notification" && event["ok"] == true);
    assert_eq!(told.count(), 2);
}
