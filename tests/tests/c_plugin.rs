//! Plugins in C in the real host: the example, the one of the guide, and one that behaves badly.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::{Sandbox, workspace};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

/// Where plugin tasks run; each is put through the same.
const ISOLATIONS: &[&str] = &["thread", "process"];

/// Builds a plugin as its author would, in a sandbox.
fn build(sandbox: &Sandbox, source: &Path, library: &str) -> PathBuf {
    let library = sandbox.file(library);
    let mut cc = Command::new("cc");
    cc.args(["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread"]);
    cc.arg("-I").arg(workspace().join("plugin-api/include")).arg("-o").arg(&library).arg(source);
    assert!(cc.status().unwrap().success(), "{} does not build", source.display());
    library
}

fn example(sandbox: &Sandbox) -> PathBuf {
    build(sandbox, &workspace().join("examples/c-plugin/plugin.c"), "libc_plugin.so")
}

fn end<'a>(events: &'a [Value], task: &str) -> &'a Value {
    let ends = |e: &&Value| e["event"] == "task-state" && e["task"] == task && !e["duration_ms"].is_null();
    events.iter().rfind(ends).unwrap_or_else(|| panic!("{task} has not ended: {events:#?}"))
}

#[test]
fn inspect_shows_what_the_example_exports() {
    let sandbox = Sandbox::new(&json!({ "scripts": [] }));
    let library = example(&sandbox);
    let output = sandbox.output(&["plugin", "inspect", "./libc_plugin.so"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    for part in ["C 1.0", "FreshFile", "waits until a file is there and was written to lately", "Journal"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let output = sandbox.output(&["plugin", "inspect", library.to_str().unwrap(), "--format", "json"]);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["api_version"], "C 1.0");
    assert_eq!(value["tasks"][0]["name"], "FreshFile");
    assert_eq!(value["notifiers"][0]["description"], "appends a line for every failure to a file");
}

#[test]
fn the_schemas_of_the_example_hold_its_options() {
    let sandbox = Sandbox::new(&json!({
        "notifiers": { "journal": { "plugin": "./libc_plugin.so", "options": {} } },
        "scripts": [{
            "name": "fresh", "no-interface": true, "command": "./libc_plugin.so", "notify": "journal",
            "options": { "path": "fresh", "max-age": "soon" },
        }],
    }));
    example(&sandbox);
    let output = sandbox.output(&["check", "--format", "json"]);
    assert_eq!(output.status.code(), Some(3));
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(findings.len(), 2, "{findings:#?}");
    for part in ["max-age", "path"] {
        assert!(
            findings.iter().any(|it| it["message"].as_str().unwrap().contains(part)),
            "{part}: {findings:#?}"
        );
    }
}

#[test]
fn the_example_runs_and_notifies() {
    for isolation in ISOLATIONS {
        let task = |name: &str, options: Value, more: Value| {
            let mut task = json!({
                "name": name, "no-interface": true, "command": "./libc_plugin.so:FreshFile", "options": options,
                "isolation": isolation, "stdout": format!("{name}.log"), "notify": "journal",
            });
            task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            task
        };
        let sandbox = Sandbox::new(&json!({
            "notifiers": { "journal": { "plugin": "./libc_plugin.so", "options": { "path": "journal" }, "isolation": isolation } },
            "scripts": [
                task("fresh", json!({ "path": "fresh", "max-age": 3600 }), json!({})),
                task("late", json!({ "path": "late", "max-age": 3600 }), json!({ "depends-on": { "writes": "started" } })),
                { "name": "writes", "command": "sleep 0.3; echo > late" },
                task("stale", json!({ "path": "stale", "max-age": 60 }), json!({ "timeout": "300ms" })),
                task("bad", json!({ "path": "fresh/below" }), json!({})),
            ],
        }));
        example(&sandbox);
        std::fs::write(sandbox.file("fresh"), "").unwrap();
        let stale = std::fs::File::create(sandbox.file("stale")).unwrap();
        stale.set_modified(SystemTime::now() - Duration::from_secs(7200)).unwrap();
        let (code, events) = sandbox.run();
        assert_eq!(code, 1);
        for task in ["fresh", "late"] {
            assert_eq!(end(&events, task)["to"], "COMPLETED", "{isolation}");
            assert_eq!(sandbox.read(&format!("{task}.log")), format!("{task} is fresh\n"));
        }
        assert_eq!(end(&events, "stale")["to"], "TIMED_OUT", "{isolation}");
        assert_eq!(sandbox.read("stale.log"), "stale is missing or too old\n");
        let bad = end(&events, "bad");
        assert_eq!(bad["to"], "FAILED", "{isolation}");
        assert!(bad["reason"].as_str().unwrap().ends_with("fresh/below: Not a directory"), "{bad}");
        let mut journal: Vec<_> = sandbox.read("journal").lines().map(str::to_owned).collect();
        journal.sort_by_key(|line| line.split(' ').nth(1).map(str::to_owned));
        assert_eq!(journal.len(), 2, "{journal:?}");
        assert!(journal[0].contains(" bad#1 FAILED: ") && journal[1].contains(" stale#1 TIMED_OUT: "));
    }
}

#[test]
fn a_run_is_stopped_with_its_host() {
    for isolation in ISOLATIONS {
        let sandbox = Sandbox::new(&json!({ "scripts": [{
            "name": "waits", "no-interface": true, "command": "./libc_plugin.so", "options": { "path": "never" },
            "isolation": isolation,
        }] }));
        example(&sandbox);
        let mut host = sandbox.start(&[]);
        host.state("waits", "RUNNING");
        assert_eq!(host.stop(), 0);
        assert!(host.seen().iter().any(|e| e["task"] == "waits" && e["to"] == "STOPPED"), "{isolation}");
    }
}

#[test]
fn the_plugin_of_the_guide_runs() {
    let guide = std::fs::read_to_string(workspace().join("plugin-api/include/README.md")).unwrap();
    let (_, code) = guide.split_once("```c\n").unwrap();
    let (code, _) = code.split_once("```").unwrap();
    let sandbox = Sandbox::new(
        &json!({ "scripts": [{ "name": "ready", "no-interface": true, "command": "./libready.so" }] }),
    );
    let source = sandbox.file("ready.c");
    std::fs::write(&source, code).unwrap();
    build(&sandbox, &source, "libready.so");
    let (code, events) = sandbox.run();
    assert_eq!((code, &end(&events, "ready")["to"]), (0, &json!("COMPLETED")), "{events:#?}");
}

#[test]
fn a_bad_library_in_c_is_one_error() {
    let faults = [
        (
            "static const bansuri_exports later = {.size = sizeof later, .version = 9}; return &later;",
            "incompatible bansuri_plugin.h: built with version 9",
        ),
        ("return NULL;", "what its bansuri_plugin() returns is faulty: exports: NULL"),
        ("abort();", "ends the process that loads it: killed by SIGABRT"),
    ];
    let script = |index| json!({ "name": format!("wrong {index}"), "no-interface": true, "command": format!("./libwrong{index}.so") });
    let sandbox = Sandbox::new(&json!({ "scripts": Vec::from_iter((0..faults.len()).map(script)) }));
    for (index, (body, _)) in faults.iter().enumerate() {
        let source = sandbox.file("wrong.c");
        let text = format!(
            "#include <bansuri_plugin.h>\n#include <stdlib.h>\nconst bansuri_exports *bansuri_plugin(void) {{ {body} }}\n"
        );
        std::fs::write(&source, text).unwrap();
        build(&sandbox, &source, &format!("libwrong{index}.so"));
    }
    let output = sandbox.output(&["check", "--format", "json"]);
    assert_eq!(output.status.code(), Some(3));
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(findings.len(), faults.len(), "{findings:#?}");
    for (finding, (_, expected)) in findings.iter().zip(faults) {
        let message = finding["message"].as_str().unwrap();
        assert!(message.contains(expected) && !message.contains('\n'), "{expected} in {message}");
    }
}

#[test]
fn what_a_library_says_of_itself_cannot_write_over_a_terminal() {
    let sandbox = Sandbox::new(&json!({ "scripts": [] }));
    let text = r#"#include <bansuri_plugin.h>
        static int32_t run(void *i, const bansuri_context *c, int32_t *x, bansuri_error *e)
        { (void)i; (void)c; (void)x; (void)e; return BANSURI_OK; }
        static const bansuri_task task = {
            .size = sizeof task, .name = "Task", .description = "does\033[2J\nmany things", .run = run };
        static const bansuri_task *const tasks[] = {&task};
        static const bansuri_exports all = {
            .size = sizeof all, .version = BANSURI_PLUGIN_VERSION, .tasks = tasks, .task_count = 1 };
        const bansuri_exports *bansuri_plugin(void) { return &all; }
    "#;
    let source = sandbox.file("says.c");
    std::fs::write(&source, text).unwrap();
    build(&sandbox, &source, "libsays.so");
    for arguments in [&["plugin", "inspect", "./libsays.so"][..], &["plugin", "list"]] {
        let output = sandbox.command(arguments).env("BANSURI_PLUGIN_PATH", sandbox.path()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("Task  does [2J; many things\n"), "{text:?}");
    }
}

#[test]
fn a_bad_run_in_c_harms_nobody_else() {
    for isolation in ISOLATIONS {
        let task = |name: &str, type_name: &str| {
            json!({ "name": name, "no-interface": true, "command": format!("./libplain.so:{type_name}"),
                    "isolation": isolation })
        };
        let sandbox = Sandbox::new(&json!({ "scripts": [
            task("fails", "FailsInRun"), task("cannot", "FailsInCreate"), task("abuses", "Abuses"),
            { "name": "after", "command": "sleep 0.3" },
        ] }));
        build(&sandbox, &workspace().join("tests/fixtures/plain/misbehaving.c"), "libplain.so");
        let (code, events) = sandbox.run();
        assert_eq!(code, 1);
        assert_eq!(end(&events, "fails")["reason"], "disk \"/srv\" is full", "{isolation}");
        assert_eq!(end(&events, "cannot")["reason"], "cannot: no disk; in slot 3", "{isolation}");
        assert_eq!(end(&events, "abuses")["to"], "COMPLETED", "{isolation}");
        assert_eq!(end(&events, "after")["to"], "COMPLETED", "{isolation}");
    }
}

#[test]
fn a_run_in_c_that_ignores_stop_is_stuck() {
    let sandbox = Sandbox::new(&json!({ "scripts": [{
        "name": "deaf", "no-interface": true, "command": "./libplain.so:IgnoresStop",
        "environment": { "UNTIL": "/nonexistent" }, "timeout": "50ms", "stop-timeout": "50ms",
    }] }));
    build(&sandbox, &workspace().join("tests/fixtures/plain/misbehaving.c"), "libplain.so");
    let (code, events) = sandbox.run();
    assert_eq!(code, 1);
    assert!(events.iter().any(|event| event["event"] == "task-stuck" && event["task"] == "deaf"));
}

#[test]
fn a_process_of_its_own_takes_what_a_run_in_c_does_to_it() {
    let task = |name: &str, type_name: &str| {
        json!({ "name": name, "no-interface": true, "command": format!("./libplain.so:{type_name}"), "isolation": "process",
                "environment": { "UNTIL": "/nonexistent" }, "stdout": format!("{name}.log") })
    };
    let mut deaf = task("deaf", "IgnoresStop");
    deaf["timeout"] = json!("300ms");
    deaf["stop-timeout"] = json!("50ms");
    let sandbox = Sandbox::new(&json!({ "scripts": [task("crash", "Crashes"), deaf] }));
    build(&sandbox, &workspace().join("tests/fixtures/plain/misbehaving.c"), "libplain.so");
    let (code, events) = sandbox.run();
    assert_eq!(code, 1);
    assert_eq!(end(&events, "crash")["to"], "FAILED");
    assert_eq!(end(&events, "crash")["reason"], "killed by SIGSEGV");
    assert_eq!(sandbox.read("crash.log"), "about to crash\n");
    assert_eq!(end(&events, "deaf")["to"], "TIMED_OUT");
    assert!(!events.iter().any(|event| event["event"] == "task-stuck"));
}

/// Where there is a C++ compiler: the header is C++ too, and a plugin in it is one.
#[test]
fn the_header_is_cpp() {
    if Command::new("c++").arg("--version").output().is_err() {
        return;
    }
    let sandbox = Sandbox::new(
        &json!({ "scripts": [{ "name": "seven", "no-interface": true, "command": "./libcpp.so", "success-codes": [7] }] }),
    );
    let source = sandbox.file("plugin.cpp");
    let text = r#"
        #include <bansuri_plugin.h>
        #include <exception>
        #include <stdexcept>

        namespace {
        extern "C" int32_t run(void *, const bansuri_context *context, int32_t *exit_code, bansuri_error *error)
        {
            try {
                if (!BANSURI_HAS(bansuri_context, context, attempt))
                    throw std::runtime_error("a small context");
                *exit_code = 7;
                return BANSURI_OK;
            } catch (const std::exception &thrown) {
                return bansuri_fail(error, "%s", thrown.what());
            }
        }

        const bansuri_task seven = {sizeof seven, "Seven", nullptr, nullptr, nullptr, run, nullptr, nullptr};
        const bansuri_task *const tasks[] = {&seven};
        const bansuri_exports exports = {
            sizeof exports, BANSURI_PLUGIN_VERSION, BANSURI_PLUGIN_REVISION, tasks, 1, nullptr, 0, nullptr};
        }

        const bansuri_exports *bansuri_plugin() { return &exports; }
    "#;
    std::fs::write(&source, text).unwrap();
    let mut cpp = Command::new("c++");
    cpp.args(["-std=c++11", "-pedantic", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I"]);
    cpp.arg(workspace().join("plugin-api/include")).arg("-o").arg(sandbox.file("libcpp.so")).arg(&source);
    assert!(cpp.status().unwrap().success());
    let (code, events) = sandbox.run();
    assert_eq!((code, &end(&events, "seven")["to"]), (0, &json!("COMPLETED")), "{events:#?}");
}
