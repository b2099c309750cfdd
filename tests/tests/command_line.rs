//! The binary as its user meets it: exit codes, files, output.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::Sandbox;
use serde_json::{Value, json};

fn stderr(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    let sandbox = Sandbox::new(&json!({ "scripts": [] }));
    assert_eq!(sandbox.output(&["--no-such-option"]).status.code(), Some(2));
    assert_eq!(sandbox.output(&["no-such-subcommand"]).status.code(), Some(2));
    assert_eq!(sandbox.output(&["run", "-q", "-v"]).status.code(), Some(2));
    assert_eq!(sandbox.output(&["--help"]).status.code(), Some(0));
}

#[test]
fn an_invalid_configuration_is_exit_code_3_with_every_error_and_its_place() {
    let sandbox = Sandbox::with_text(
        "{\n  \"scripts\": [\n    { \"name\": \"a\", \"command\": \"true\", \"timeout\": \"5x\" },\n    { \"name\": \"a\", \"comand\": \"true\" }\n  ]\n}\n",
    );
    for arguments in [&["check"][..], &["run", "--exit-when-done"]] {
        let output = sandbox.output(arguments);
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(3), "{text}");
        assert!(text.contains("scripts.json:3:"), "{text}");
        assert!(text.contains("5x") && text.contains("^"), "{text}");
        assert!(text.contains("scripts.json:4:"), "{text}");
        assert!(text.contains("command"), "{text}");
        assert!(!sandbox.file(".bansuri").exists(), "nothing is left by a host that did not start");
    }
}

#[test]
fn check_writes_json_and_nothing_else_to_standard_output() {
    let sandbox = Sandbox::with_text(
        "{ \"scripts\": [\n  { \"name\": \"a\", \"command\": \"true\", \"timeout\": \"5x\", \"colour\": 1 } ] }",
    );
    let output = sandbox.output(&["check", "--format", "json"]);
    assert_eq!(output.status.code(), Some(3));
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(findings.len(), 2, "{findings:?}");
    for finding in &findings {
        for key in ["severity", "code", "message", "file", "line", "column", "length", "help"] {
            assert!(finding.get(key).is_some(), "{key} in {finding}");
        }
    }
    let error = findings.iter().find(|finding| finding["severity"] == "error").unwrap();
    assert_eq!(error["line"], 2);
    assert!(error["message"].as_str().unwrap().contains("task \"a\": timeout"), "{error}");

    let fine = Sandbox::new(&json!({ "scripts": [] })).output(&["check", "--format", "json"]);
    assert_eq!(fine.status.code(), Some(0));
    assert_eq!(serde_json::from_slice::<Value>(&fine.stdout).unwrap(), json!([]));
}

#[test]
fn unknown_keys_warn_and_are_errors_when_checked_strictly() {
    let sandbox = Sandbox::new(&json!({ "scripts": [{ "name": "a", "command": "true", "colour": "red" }] }));
    let output = sandbox.output(&["check"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("colour"));
    assert_eq!(sandbox.output(&["check", "--strict"]).status.code(), Some(3));
}

#[test]
fn a_missing_configuration_is_one_clear_error() {
    let sandbox = Sandbox::new(&json!({ "scripts": [] }));
    let output = sandbox.output(&["run", "-c", "elsewhere.json"]);
    assert_eq!(output.status.code(), Some(3));
    let text = stderr(&output);
    assert!(text.contains("elsewhere.json"), "{text}");
    assert!(text.to_lowercase().contains("no such file"), "{text}");
}

#[test]
fn a_second_host_on_a_state_dir_is_exit_code_4_and_names_the_first() {
    let sandbox = Sandbox::new(&json!({ "scripts": [{ "name": "a", "command": "exec sleep 600" }] }));
    let mut host = sandbox.start(&[]);
    host.state("a", "RUNNING");
    let second = sandbox.output(&["run"]);
    assert_eq!(second.status.code(), Some(4));
    assert!(stderr(&second).contains(&format!("pid {}", host.pid())), "{}", stderr(&second));
    // Another state dir is another host.
    let other = sandbox.output(&["check"]);
    assert_eq!(other.status.code(), Some(0));
    assert_eq!(host.stop(), 0);
}

#[test]
fn the_state_dir_can_be_named_by_option_and_by_environment() {
    let sandbox = Sandbox::new(&json!({ "scripts": [] }));
    let output = sandbox.output(&["--exit-when-done", "--state-dir", "by-option"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(sandbox.file("by-option/lock").exists());
    let mut command = sandbox.command(&["--exit-when-done"]);
    command.env("BANSURI_STATE_DIR", sandbox.file("by-environment"));
    assert!(command.output().unwrap().status.success());
    assert!(sandbox.file("by-environment/lock").exists());
    assert!(!sandbox.file(".bansuri").exists());
}

#[test]
fn events_go_to_a_file_and_the_log_to_standard_error() {
    let sandbox = Sandbox::new(&json!({ "scripts": [{ "name": "a", "command": "false" }] }));
    let output = sandbox.output(&["--exit-when-done", "--events", "events.jsonl"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let log = stderr(&output);
    assert!(log.contains("ERROR") && log.contains("a") && log.contains("exit code 1"), "{log}");
    assert!(!log.contains('\u{1b}'), "colours only on a terminal: {log}");
    let events = sandbox.read("events.jsonl");
    for line in events.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
    assert!(events.contains("\"to\":\"FAILED\""), "{events}");

    let quiet = sandbox.output(&["--exit-when-done", "-q"]);
    assert!(!stderr(&quiet).contains("INFO"), "{}", stderr(&quiet));
    let verbose = sandbox.output(&["--exit-when-done", "-v"]);
    assert!(stderr(&verbose).contains("DEBUG"), "{}", stderr(&verbose));
}

#[test]
fn exit_when_done_warns_of_tasks_that_never_end() {
    let sandbox =
        Sandbox::new(&json!({ "scripts": [{ "name": "for-ever", "command": "true", "timer": "1h" }] }));
    let mut host = sandbox.start(&["--exit-when-done"]);
    host.state("for-ever", "COMPLETED");
    assert_eq!(host.stop(), 0);
    let log = host.log();
    assert!(log.contains("WARN") && log.contains("never end") && log.contains("for-ever"), "{log}");
}

#[test]
fn what_nobody_reads_is_one_error() {
    let sandbox = Sandbox::new(&json!({ "scripts": [] }));
    for arguments in [&["plugin", "inspect", "misbehaving"][..], &["plugin", "list"], &["schema"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = sandbox.command(arguments).stdout(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert!(stderr(&output).contains("cannot be written: Broken pipe"), "{}", stderr(&output));
        assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
    }
}
