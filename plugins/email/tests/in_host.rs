//! The library as a host loads and calls it.

use bansuri::notify::{Failure, Notifications, PendingFailure, PluginNotifier, Recipient};
use bansuri::plugin::{ExportKind, Registry};
use bansuri::tail::TailSource;
use bansuri_core::TaskId;
use bansuri_smtp_test_server::{Authority, Encryption, Server, Settings};
use crossbeam::channel::unbounded;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Cargo has put it beside this program.
fn library() -> PathBuf {
    let program = std::env::current_exe().expect("a program knows its path");
    program.with_file_name(format!("{}email{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX))
}

#[test]
fn what_it_exports() {
    let library = Registry::new().library(&library()).unwrap();
    let exports: Vec<_> =
        library.exports().iter().map(|export| (export.kind, export.name.as_str())).collect();
    assert_eq!(exports, [(ExportKind::Notifier, "Email")]);
    let export = &library.exports()[0];
    assert!(export.description.starts_with("mails each failure"));
    let schema: Value = serde_json::from_str(export.options_schema.as_deref().unwrap()).unwrap();
    assert_eq!(schema["required"], json!(["host", "from", "to"]));
}

#[test]
fn a_failure_over_tls() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, authority.pem()).unwrap();
    let user = Some(("ops", "hunter2"));
    let (authority, mechanisms) = (Some(&authority), "PLAIN");
    let server = Server::new(Settings { encryption: Encryption::StartTls, authority, user, mechanisms });
    let options = json!({
        "host": "localhost", "port": server.port(), "ca-file": ca_file, "username": "ops", "password": "hunter2",
        "from": "bansuri@example.com", "to": "ops@example.com"
    });
    let registry = Arc::new(Registry::new());
    let notifier = PluginNotifier::new(registry, "ops", library(), "Email".to_owned(), options);
    let ops = Recipient { name: "ops".into(), notifier: Arc::new(notifier), limit: Duration::from_secs(30) };

    let (wake, woken) = unbounded();
    let notifications = Notifications::new(move || wake.send(()).unwrap_or(()));
    let failure = Failure {
        task: "backup".to_owned(),
        command: "pg_dump".to_owned(),
        working_directory: "/srv".into(),
        return_code: 1,
        outcome: "FAILED",
        reason: "exit code 1".to_owned(),
        attempt: 1,
        max_attempts: None,
        timestamp: SystemTime::UNIX_EPOCH,
        description: String::new(),
        stdout: Vec::new(),
        stderr: Vec::new(),
        run_id: "backup#1".to_owned(),
        host_name: "db1".to_owned(),
        folded: 0,
    };
    let stdout = TailSource::Bytes(b"out \xff".to_vec());
    let pending = PendingFailure { failure, stdout, stderr: TailSource::None };
    notifications.send(TaskId::new(0), ops, pending);
    let done = loop {
        if let Some(done) = notifications.poll_done() {
            break done;
        }
        woken.recv_timeout(Duration::from_secs(60)).expect("a result comes");
    };
    assert_eq!((done.result, &*done.notifier), (Ok(()), "ops"));
    let mail = server.mail();
    assert_eq!((mail.encrypted, mail.user.as_deref()), (true, Some("ops")));
    assert!(mail.body().contains("\nout \\xff\n"), "{}", mail.body());
}
