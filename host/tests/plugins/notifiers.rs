//! Plugin notifiers.

use crate::logs::logged;
use crate::support::{built, registry};
use bansuri::notify::{Failure, Notifier, PluginNotifier};
use log::Level;
use serde_json::{Value, json};
use std::time::{Duration, UNIX_EPOCH};

fn notifier(name: &str, type_name: &str, options: Value) -> PluginNotifier {
    PluginNotifier::new(registry(), name, built("misbehaving").to_owned(), type_name.to_owned(), options)
}

pub(crate) fn failure(task: &str) -> Failure {
    Failure {
        task: task.to_owned(),
        command: "pg_dump".to_owned(),
        working_directory: "/srv".into(),
        return_code: 137,
        outcome: "FAILED",
        reason: "killed by SIGKILL".to_owned(),
        attempt: 2,
        max_attempts: Some(3),
        timestamp: UNIX_EPOCH + Duration::new(1, 5),
        description: "nightly".to_owned(),
        stdout: b"out \xff".to_vec(),
        stderr: b"err".to_vec(),
        run_id: format!("{task}#9"),
        host_name: "db1".to_owned(),
        folded: 4,
    }
}

#[test]
fn a_notifier_is_told_everything() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("told");
    let writes = notifier("teller", "Writes", json!({ "path": path }));
    assert_eq!(writes.notify(&failure("first")), Ok(()));
    assert_eq!(writes.notify(&failure("second")), Ok(()));
    let told = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines.len(), 2);
    for part in [
        "\"first\"",
        "\"pg_dump\"",
        "\"/srv\"",
        "137",
        "\"FAILED\"",
        "\"killed by SIGKILL\"",
        "attempt: 2",
        "Some(3)",
        "tv_nsec: 5",
        "\"nightly\"",
        "\"out \u{fffd}\"",
        "\"err\"",
        "\"first#9\"",
        "\"db1\"",
        "folded: 4",
    ] {
        assert!(lines[0].contains(part), "{part} in {}", lines[0]);
    }
    assert_eq!(logged("teller"), [(Level::Info, "made teller".to_owned())]);
}

#[test]
fn a_notifier_that_fails_says_why() {
    let fails = notifier("fails", "Fails", json!({}));
    assert_eq!(fails.notify(&failure("x")), Err("nobody wants to hear of x".to_owned()));
    let error = notifier("wrong", "Writes", json!({ "paht": 1 })).notify(&failure("x"));
    assert_eq!(error, Err("options.paht: unknown field `paht`, expected `path`".to_owned()));
    let error = notifier("none", "None", json!({})).notify(&failure("x"));
    assert_eq!(error, Err("the library exports no notifier type \"None\"".to_owned()));
    let gone = PluginNotifier::new(registry(), "gone", "/gone.so".into(), "Fails".to_owned(), json!({}));
    let error = gone.notify(&failure("x"));
    assert_eq!(error, Err("library \"/gone.so\": no such file or directory".to_owned()));
}

#[test]
fn a_notifier_that_panics_is_made_anew() {
    let panics = notifier("panics", "Panics", json!({}));
    for _ in 0..3 {
        assert_eq!(panics.notify(&failure("x")), Ok(()));
        let message = panics.notify(&failure("x")).unwrap_err();
        assert!(message.starts_with("notify panicked at ") && message.ends_with(": call 2"), "{message}");
    }
    let message = notifier("new", "PanicsInNew", json!({})).notify(&failure("x")).unwrap_err();
    assert!(message.starts_with("constructor panicked at ") && message.ends_with(": in new"), "{message}");
}

#[test]
fn the_example_keeps_a_journal() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("journal");
    let library = built("minimal-notifier").to_owned();
    let options = json!({ "path": path });
    let journal = PluginNotifier::new(registry(), "journal", library, "Journal".to_owned(), options);
    assert_eq!(journal.notify(&failure("a")), Ok(()));
    assert_eq!(journal.notify(&failure("b")), Ok(()));
    let expected = "a#9 FAILED: killed by SIGKILL\nb#9 FAILED: killed by SIGKILL\n";
    assert_eq!(std::fs::read_to_string(path).unwrap(), expected);
}
