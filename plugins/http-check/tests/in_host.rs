//! The library as a host loads and runs it.

use bansuri::launch::{Action, ErrorSink, Isolation, Launch, PluginAction, Sink};
use bansuri::plugin::{ExportKind, Registry};
use bansuri::runner::{Finished, PluginRunner, RunSpec, TaskRunner, Update};
use bansuri::tail::TailSource;
use bansuri_core::{Exit, RunId, TaskId, TaskName};
use bansuri_http_test_server::{Authority, Reply, Server};
use crossbeam::channel::unbounded;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Cargo has put it beside this program.
fn library() -> PathBuf {
    let program = std::env::current_exe().expect("a program knows its path");
    program.with_file_name(format!(
        "{}http_check{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    ))
}

fn run(options: Value) -> Finished {
    let name = TaskName::new("website").expect("it is not empty");
    let action = Action::from(PluginAction {
        library: library(),
        type_name: "HttpCheck".to_owned(),
        sha256: None,
        options,
        isolation: Isolation::Thread,
    });
    let launch =
        Launch { stderr: ErrorSink::Separate(Sink::Tail), ..Launch::new(name, action, std::env::temp_dir()) };
    let (sender, updates) = unbounded();
    let mut runner = PluginRunner::new(Arc::new(Registry::new()), sender, Arc::new(|| ()));
    let run = RunId { task: TaskId::new(0), number: 1 };
    let started = runner.start(RunSpec { run, attempt: 1, launch: Arc::new(launch) });
    let _live = started.unwrap_or_else(|error| panic!("{}", error.reason));
    match updates.recv_timeout(Duration::from_secs(60)).expect("the run ends") {
        Update::Finished(finished) => finished,
        Update::Gone(run) => panic!("{run:?} has no remains"),
    }
}

fn text(stream: &TailSource) -> String {
    match stream {
        TailSource::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        TailSource::None | TailSource::File { .. } => panic!("{stream:?} holds no bytes"),
    }
}

#[test]
fn what_it_exports() {
    let library = Registry::new().library(&library()).unwrap();
    let exports: Vec<_> =
        library.exports().iter().map(|export| (export.kind, export.name.as_str())).collect();
    assert_eq!(exports, [(ExportKind::Task, "HttpCheck")]);
    let export = &library.exports()[0];
    assert!(export.description.starts_with("asks an HTTP server"));
    let schema: Value = serde_json::from_str(export.options_schema.as_deref().unwrap()).unwrap();
    assert_eq!(schema["required"], json!(["url"]));
}

#[test]
fn a_check_over_tls() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, authority.pem()).unwrap();
    let server = Server::https(&authority, |request| {
        Reply::status(if request.path == "/well" { 200 } else { 500 }, "")
    });
    let well = run(json!({ "url": server.url("/well"), "ca-file": ca_file }));
    assert_eq!(well.exit, Exit::Code(0));
    assert!(text(&well.tails.stdout).starts_with("status 200, "));
    let url = server.url("/unwell");
    let unwell = run(json!({ "url": url, "ca-file": ca_file }));
    assert_eq!(unwell.exit, Exit::Code(1));
    assert_eq!(text(&unwell.tails.stderr), format!("{url}: status 500, expected 200-299\n"));
}
