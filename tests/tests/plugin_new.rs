//! `bansuri plugin new`: what it writes is built, tested and run as its user would.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::{Sandbox, artifacts, bansuri, cargo, end, workspace};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn new(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(bansuri());
    command.args(["plugin", "new"]).args(arguments).current_dir(folder).stdin(Stdio::null());
    command.output().unwrap()
}

/// The configuration that was printed, last of all.
fn printed(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    serde_json::from_str(&text[text.find('{').unwrap()..]).unwrap()
}

/// Tests and builds the crate in this folder. Nothing is fetched: the workspace has all that it depends on.
fn test_and_build(folder: &Path) {
    fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    for subcommand in ["test", "build"] {
        let output = cargo(folder, &[subcommand, "--offline", "--color", "never"]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !text.contains("warning:"), "{subcommand}: {text}");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            subcommand == "build" || text.contains("test tests::an_option_that_is_unknown_is_named ... ok"),
            "{text}"
        );
    }
    // Where the library would lie if the target folder were the crate's own.
    fs::create_dir(folder.join("target")).unwrap();
    std::os::unix::fs::symlink(artifacts(), folder.join("target/debug")).unwrap();
}

/// Runs scripts.json of the crate's folder, which is what was printed.
fn run(folder: &Path, configuration: &Value) -> (i32, Vec<Value>) {
    let written: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("scripts.json")).unwrap()).unwrap();
    assert_eq!(written, *configuration);
    let strict = Command::new(bansuri()).args(["check", "--strict"]).current_dir(folder).output().unwrap();
    assert!(strict.status.success(), "{}", String::from_utf8_lossy(&strict.stderr));
    let mut host = Command::new(bansuri());
    host.args(["--exit-when-done", "--events", "events.jsonl"]).current_dir(folder).stdin(Stdio::null());
    let status = host.output().unwrap().status;
    let events = fs::read_to_string(folder.join("events.jsonl")).unwrap();
    (status.code().unwrap(), events.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn a_task_plugin_builds_passes_its_tests_and_runs() {
    let home = tempfile::tempdir().unwrap();
    let mut configuration = printed(&new(home.path(), &["new-task_1"]));
    let folder = home.path().join("new-task_1");
    test_and_build(&folder);
    let inspected = Command::new(bansuri())
        .args(["plugin", "inspect", "target/debug/libnew_task_1.so", "--format", "json"])
        .current_dir(&folder)
        .output()
        .unwrap();
    let inspected: Value = serde_json::from_slice(&inspected.stdout).unwrap();
    assert_eq!(inspected["tasks"][0]["name"], "NewTask1");

    let (code, events) = run(&folder, &configuration);
    assert_eq!(code, 0);
    assert_eq!(end(&events, "new-task_1")["to"], "COMPLETED");
    // Its output, where it can be read.
    configuration["scripts"][0]["stdout"] = json!("out.log");
    configuration["scripts"][0]["options"]["pause"] = json!(0);
    fs::write(folder.join("scripts.json"), configuration.to_string()).unwrap();
    run(&folder, &configuration);
    assert_eq!(fs::read_to_string(folder.join("out.log")).unwrap(), "hello\nhello\nhello\n");
}

#[test]
fn a_notifier_plugin_builds_passes_its_tests_and_runs() {
    let home = tempfile::tempdir().unwrap();
    let api = workspace().join("plugin-api");
    let folder = home.path().join("some/where");
    let arguments = ["new-notifier", "--notifier", "--path", "some/where", "--api", api.to_str().unwrap()];
    let configuration = printed(&new(home.path(), &arguments));
    test_and_build(&folder);
    let (code, events) = run(&folder, &configuration);
    assert_eq!(code, 1, "its example is a task that fails");
    assert!(events.iter().any(|event| event["event"] == "notification" && event["ok"] == true));
    assert_eq!(fs::read_to_string(folder.join("failures.txt")).unwrap(), "fails#1 FAILED: exit code 1\n");
}

#[test]
fn what_cannot_be_written_is_one_line_and_changes_nothing() {
    let sandbox = Sandbox::new(&json!({ "scripts": [] }));
    fs::create_dir(sandbox.file("full")).unwrap();
    fs::write(sandbox.file("full/file"), "mine").unwrap();
    fs::write(sandbox.file("file"), "mine").unwrap();
    for (arguments, code, message) in [
        (
            &["2fast"][..],
            2,
            "plugin name \"2fast\": expected a letter and then letters, digits, - or _, such as disk-watch",
        ),
        (
            &["../up"],
            2,
            "plugin name \"../up\": expected a letter and then letters, digits, - or _, such as disk-watch",
        ),
        (&["match"], 2, "plugin name \"match\": a word of Rust, expected another name"),
        (
            &["serde_json"],
            2,
            "plugin name \"serde_json\": a crate that plugins use has this name, expected another one",
        ),
        (&["full"], 1, "folder \"full\": expected a new or an empty one, found files in it"),
        (&["x", "--path", "file"], 1, "folder \"file\": expected a new or an empty one, found a file"),
        (&["x", "--path", "file/x"], 1, "\"file/x/src\": cannot be written: Not a directory (os error 20)"),
        (
            &["x", "--api", "full"],
            2,
            "--api \"full\": expected the folder of the crate bansuri-plugin-api, found none",
        ),
    ] {
        let output = new(sandbox.path(), arguments);
        assert_eq!(String::from_utf8(output.stderr).unwrap(), format!("bansuri: {message}\n"));
        assert_eq!((output.status.code(), output.stdout), (Some(code), Vec::new()), "{arguments:?}");
    }
    assert!(!sandbox.file("x").exists());
    let mut left: Vec<PathBuf> =
        fs::read_dir(sandbox.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    left.sort();
    assert_eq!(left, ["file", "full", "scripts.json"].map(|name| sandbox.file(name)));
}
