//! Tasks under other users and limits, environment files and health checks, by the real binary.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::Sandbox;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

fn ends_of<'a>(events: &'a [Value], task: &str) -> Vec<&'a Value> {
    let ended = |event: &&Value| event["task"] == task && event["from"] == "RUNNING";
    events.iter().filter(ended).collect()
}

#[test]
fn limits_and_files_of_the_environment_reach_a_command() {
    let line = "umask; ulimit -S -n; nice; echo $FROM_FILE $BOTH";
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "a", "command": line, "stdout": "a.log", "umask": "027", "limits": { "nofile": 99 },
          "priority": 4, "environment-file": "a.env", "environment": { "BOTH": "task" } },
        { "name": "b", "command": "true", "environment-file": "b.env" },
        { "name": "c", "command": ["no-such-program"], "umask": "027" },
    ]}));
    std::fs::write(sandbox.file("a.env"), "FROM_FILE=file\nBOTH=file\n").unwrap();
    std::fs::write(sandbox.file("b.env"), "FINE=1\nnot an assignment\n").unwrap();
    let (code, events) = sandbox.run();
    assert_eq!(code, 1);
    assert_eq!(sandbox.read("a.log"), "0027\n99\n4\nfile task\n");
    let failed = events.iter().find(|event| event["task"] == "b" && event["to"] == "FAILED").unwrap();
    let reason = failed["reason"].as_str().unwrap();
    assert!(reason.contains("b.env:2:"), "{reason}");
    let failed = ends_of(&events, "c")[0];
    assert_eq!((&failed["to"], &failed["exit_code"]), (&json!("FAILED"), &json!(127)));
    assert_eq!(failed["reason"], "command \"no-such-program\": not found in PATH");
}

#[test]
fn a_task_of_another_user_has_no_more_rights_than_that_user() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("a_task_of_another_user_has_no_more_rights_than_that_user: skipped: takes root");
        return;
    }
    let closed = tempfile::tempdir().unwrap();
    std::fs::set_permissions(closed.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "who", "command": "id -un; echo $HOME $USER; cat /etc/shadow", "user": "nobody",
          "working-directory": "/" },
        { "name": "closed", "command": "true", "user": "nobody", "working-directory": closed.path() },
    ]}));
    let (code, events) = sandbox.run();
    assert_eq!(code, 1);
    assert_eq!(ends_of(&events, "who")[0]["exit_code"], 1, "{events:?}");
    let reason = format!("working directory {:?}: permission denied", closed.path());
    assert_eq!(ends_of(&events, "closed")[0]["reason"], reason.as_str());
}

#[test]
fn an_unhealthy_run_is_ended_and_its_check_with_it() {
    let check = "echo not yet >&2; exit 3";
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "sick", "command": "exec sleep 1000", "health-check":
            { "command": check, "interval": "50ms", "retries": 2, "timeout": "10s" } },
        { "name": "hangs", "command": "exec sleep 1000", "health-check":
            { "command": "exec sleep 1000", "interval": "50ms", "retries": 1, "timeout": "200ms" } },
        { "name": "short", "command": "exec sleep 0.3", "health-check":
            { "command": "exec sleep 1000", "interval": "10ms", "retries": 1, "timeout": "100s" } },
    ]}));
    let (code, events) = sandbox.run();
    assert_eq!(code, 1);
    assert_eq!(ends_of(&events, "sick")[0]["reason"], "unhealthy: exit code 3: not yet");
    assert_eq!(ends_of(&events, "hangs")[0]["reason"], "unhealthy: took longer than 200ms");
    assert_eq!(ends_of(&events, "short")[0]["to"], "COMPLETED", "and the host ended without its check");
}
