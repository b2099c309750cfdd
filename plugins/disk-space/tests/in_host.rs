//! The library as a host loads and runs it.

use bansuri::launch::{Action, ErrorSink, Isolation, Launch, PluginAction, Sink};
use bansuri::plugin::{ExportKind, Registry};
use bansuri::runner::{Finished, PluginRunner, RunSpec, TaskRunner, Update};
use bansuri::tail::TailSource;
use bansuri_core::{Exit, RunId, TaskId, TaskName};
use crossbeam::channel::unbounded;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Cargo has put it beside this program.
fn library() -> PathBuf {
    let program = std::env::current_exe().expect("a program knows its path");
    program.with_file_name(format!(
        "{}disk_space{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    ))
}

fn run(options: Value) -> Finished {
    let name = TaskName::new("disks").expect("it is not empty");
    let action = Action::from(PluginAction {
        library: library(),
        type_name: "DiskSpace".to_owned(),
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
    assert_eq!(exports, [(ExportKind::Task, "DiskSpace")]);
    let export = &library.exports()[0];
    assert!(export.description.starts_with("fails when a file system"));
    let schema: Value = serde_json::from_str(export.options_schema.as_deref().unwrap()).unwrap();
    assert_eq!(schema["required"], json!(["paths"]));
}

#[test]
fn a_check_of_the_root() {
    let enough = run(json!({ "paths": "/", "min-free": 1 }));
    assert_eq!(enough.exit, Exit::Code(0));
    assert!(text(&enough.tails.stdout).starts_with("\"/\": "));
    let short = run(json!({ "paths": "/", "min-free": "15000000T" }));
    assert_eq!(short.exit, Exit::Code(1));
    assert!(text(&short.tails.stderr).ends_with(" free, expected at least 15000000.0 TiB\n"));
}
