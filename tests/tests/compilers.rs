//! Plugins of another compiler in the host of this one: nothing of Rust's own layout crosses. `.ci/run` unpacks another
//! compiler and names it in `BANSURI_OTHER_RUSTC`; a machine that has two may do so, too.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::{Sandbox, artifacts, end, file_name, workspace};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

const PACKAGES: [&str; 3] = ["minimal-task", "minimal-notifier", "misbehaving"];

/// Where the plugins lie that the other compiler built.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let rustc = std::env::var_os("BANSURI_OTHER_RUSTC").expect("BANSURI_OTHER_RUSTC names another rustc");
    let version = |rustc: &std::ffi::OsStr| {
        let output = Command::new(rustc).arg("--version").output().unwrap();
        assert!(output.status.success(), "{rustc:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let (own, other) = (version("rustc".as_ref()), version(&rustc));
    assert_ne!(own, other, "the other compiler is this one");
    println!("host: {own}plugins: {other}");
    let target = artifacts().with_file_name("other-rustc").join("target");
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.args(["build", "--quiet", "--locked", "--target-dir"]).arg(&target).current_dir(workspace());
    build.args(PACKAGES.iter().flat_map(|package| ["-p", package]));
    // Cargo gives its own compiler to the tests it runs: this one counts.
    build.env("RUSTC", &rustc).env_remove("RUSTC_WRAPPER").env_remove("RUSTC_WORKSPACE_WRAPPER");
    assert!(build.status().unwrap().success(), "the plugins do not build with {other}");
    target.join("debug")
});

fn plugin(package: &str, type_name: &str) -> String {
    format!("{}:{type_name}", FOLDER.join(file_name(package)).display())
}

fn task(name: &str, package: &str, type_name: &str, options: Value) -> Value {
    json!({ "name": name, "no-interface": true, "command": plugin(package, type_name), "options": options })
}

#[test]
#[ignore = "needs a second compiler: .ci/run gets one"]
fn plugins_of_another_compiler_run_stop_panic_and_notify() {
    let mut late = task("late", "misbehaving", "WaitsForStop", json!({}));
    late["timeout"] = json!("100ms");
    let mut echo = task("echo", "misbehaving", "Echo", json!({ "key": "value" }));
    echo["stdout"] = json!("echo.log");
    let mut count = task("count", "minimal-task", "FileCount", json!({ "folder": ".", "at-most": 0 }));
    count["notify"] = json!("journal");
    let mut panics = task("panics", "misbehaving", "PanicInRun", json!({}));
    panics["notify"] = json!("panics");
    let sandbox = Sandbox::new(&json!({
        "notifiers": {
            "journal": { "plugin": plugin("minimal-notifier", "Journal"), "options": { "path": "journal" } },
            "panics": { "plugin": plugin("misbehaving", "PanicsInNew") },
        },
        "scripts": [
            late, echo, count, panics,
            task("odd", "misbehaving", "OddPanic", json!({})),
            task("drop", "misbehaving", "PanicInDrop", json!({})),
            task("exits", "misbehaving", "Exits", json!({ "code": 0 })),
            task("logs", "misbehaving", "Logs", json!({})),
        ],
    }));
    let output = sandbox.output(&["check", "--strict"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let mut host = sandbox.start(&["--exit-when-done"]);
    assert_eq!(host.wait(), 1);
    let events = host.seen();
    assert_eq!(end(events, "late")["to"], "TIMED_OUT");
    assert_eq!(end(events, "exits")["to"], "COMPLETED");
    assert_eq!(end(events, "count")["exit_code"], 1);
    assert!(sandbox.read("echo.log").contains("echo attempt 1 run echo#1"));
    for task in ["panics", "odd", "drop"] {
        let reason = end(events, task)["reason"].as_str().unwrap();
        assert!(reason.contains("panicked at") && reason.contains("panics.rs:"), "{task}: {reason}");
    }
    assert_eq!(sandbox.read("journal"), "count#1 FAILED: exit code 1\n");
    let told = events.iter().find(|e| e["event"] == "notification" && e["task"] == "panics").unwrap();
    assert!(told["error"].as_str().unwrap().starts_with("constructor panicked at "), "{told}");
    let log = host.log();
    for text in ["from new", "from run", "from drop", "from a thread"] {
        assert!(log.contains(text), "{text} in {log}");
    }
}
