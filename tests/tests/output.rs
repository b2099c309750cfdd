//! Where output goes, and that it never holds a task or the host up.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::{Sandbox, wait_until};
use serde_json::{Value, json};

const BOTH: &str = "echo one; echo two >&2; echo three";

#[test]
fn a_file_is_appended_to_with_both_streams_in_order() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "a", "command": BOTH, "stdout": "a.log" },
        { "name": "b", "command": BOTH, "stdout": "b.log", "stderr": "b.err" },
        { "name": "c", "command": BOTH, "stderr": "c.err" },
        { "name": "d", "command": BOTH, "stdout": "d.log", "stderr": "ignore" },
        { "name": "e", "command": BOTH, "stdout": "ignore", "stderr": "$$combined" },
    ]}));
    std::fs::write(sandbox.file("a.log"), "before\n").unwrap();
    let (code, _) = sandbox.run();
    assert_eq!(code, 0);
    assert_eq!(sandbox.read("a.log"), "before\none\ntwo\nthree\n");
    assert_eq!(sandbox.read("b.log"), "one\nthree\n");
    assert_eq!(sandbox.read("b.err"), "two\n");
    assert_eq!(sandbox.read("c.err"), "two\n");
    assert_eq!(sandbox.read("d.log"), "one\nthree\n");
    assert!(!sandbox.file("e.log").exists());
}

#[test]
fn inherited_output_is_the_hosts_own() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "a", "command": BOTH, "stdout": "inherit", "stderr": "inherit" },
    ]}));
    let output = sandbox.output(&["--exit-when-done"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "one\nthree\n");
    assert!(String::from_utf8_lossy(&output.stderr).contains("two\n"));
}

#[test]
fn log_files_resolve_against_the_working_directory() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "a", "command": "echo x", "working-directory": "sub", "stdout": "a.log" },
    ]}));
    std::fs::create_dir(sandbox.file("sub")).unwrap();
    assert_eq!(sandbox.run().0, 0);
    assert_eq!(sandbox.read("sub/a.log"), "x\n");
}

/// The messages a command notifier was given.
fn messages(sandbox: &Sandbox) -> String {
    sandbox.read("messages")
}

fn notifying(mut script: Value) -> Sandbox {
    script["name"] = json!("a");
    script["notify"] = json!("command");
    Sandbox::new(&json!({ "notify-command": "sh -c 'cat >> messages'", "scripts": [script] }))
}

#[test]
fn the_tail_reaches_the_notifier_from_wherever_the_output_went() {
    for (stdout, stderr) in [(None, None), (Some("out.log"), None), (Some("out.log"), Some("err.log"))] {
        let mut script = json!({ "command": "echo on-stdout; echo on-stderr >&2; exit 1" });
        if let Some(stdout) = stdout {
            script["stdout"] = json!(stdout);
        }
        if let Some(stderr) = stderr {
            script["stderr"] = json!(stderr);
        }
        let sandbox = notifying(script);
        std::fs::write(sandbox.file("out.log"), "of an earlier run\n").unwrap();
        assert_eq!(sandbox.run().0, 1);
        let text = messages(&sandbox);
        assert!(text.contains("on-stdout") && text.contains("on-stderr"), "{stdout:?} {stderr:?}: {text}");
        assert!(!text.contains("of an earlier run"), "{text}");
        assert_eq!(text.contains("--- Error ---"), stderr.is_some(), "{text}");
    }
}

#[test]
fn discarded_output_has_no_tail() {
    let sandbox = notifying(json!({ "command": "echo secret; exit 1", "stdout": "ignore" }));
    assert_eq!(sandbox.run().0, 1);
    let text = messages(&sandbox);
    assert!(!text.contains("--- Output ---"), "{text}");
}

#[test]
fn a_child_that_prints_more_than_a_pipe_holds_is_not_held_up() {
    let sandbox =
        notifying(json!({ "command": "head -c 200000 /dev/zero | tr '\\0' x; echo; echo the end; exit 1" }));
    assert_eq!(sandbox.run().0, 1);
    let text = messages(&sandbox);
    assert!(text.contains("the end"));
    let tail = text.matches('x').count();
    assert!((60_000..66_000).contains(&tail), "{tail} bytes of tail");
}

#[test]
fn a_gibibyte_of_unread_output_neither_blocks_the_task_nor_grows_the_host() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "flood", "command": "head -c 1073741824 /dev/zero; echo done > flooded; exec sleep 600" },
    ]}));
    let mut host = sandbox.start(&[]);
    host.state("flood", "RUNNING");
    wait_until("a gibibyte is written", || sandbox.file("flooded").exists());
    let status = std::fs::read_to_string(format!("/proc/{}/status", host.pid())).unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let kib: u64 = peak.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kib < 64 * 1024, "the host has grown: {peak}");
    assert_eq!(host.stop(), 0);
}

#[test]
fn a_grandchild_that_keeps_the_pipe_open_does_not_hold_the_outcome_back() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "a", "command": "echo before; setsid sh -c 'echo $$ > daemon; exec sleep 600' & while [ ! -s daemon ]; do sleep 0.01; done" },
    ]}));
    let (code, events) = sandbox.run();
    assert_eq!(code, 0, "{events:#?}");
    let pid: i32 = sandbox.read("daemon").trim().parse().unwrap();
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(pid).unwrap(),
        rustix::process::Signal::KILL,
    )
    .unwrap();
}
