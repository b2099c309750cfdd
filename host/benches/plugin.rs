//! What the plugin boundary costs, and a run on a thread beside a bare thread.

use bansuri::launch::{Action, Isolation, Launch};
use bansuri::plugin::{InstanceSetup, OutputSink, Registry, RunContext, RunSetup, SearchPath, TaskInstance};
use bansuri::runner::{PluginRunner, RunSpec, TaskRunner};
use bansuri_core::{RunId, TaskId, TaskName};
use crossbeam::channel::bounded;
use divan::{Bencher, black_box};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock};

/// A library whose task `Exits` returns the code of its options and does nothing else, and the registry that has it.
static EXITS: LazyLock<(Arc<Registry>, PathBuf)> = LazyLock::new(|| {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--release", "-p", "misbehaving", "--manifest-path"]).arg(&manifest);
    assert!(cargo.status().expect("cargo can be run").success(), "the library does not build");
    let own = std::env::current_exe().expect("a program knows its file");
    let folder = own.ancestors().nth(2).expect("it lies in target/release/deps");
    let name = format!("{}misbehaving{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    (Arc::new(Registry::with_search_path(SearchPath::default())), folder.join(name))
});

fn options() -> Value {
    json!({ "code": 0 })
}

struct Nowhere;

impl OutputSink for Nowhere {
    fn stdout(&self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn stderr(&self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

fn instance() -> (TaskInstance, RunContext) {
    let (registry, file) = &*EXITS;
    let library = registry.library(file).expect("the library can be loaded");
    let setup = InstanceSetup { name: "exits".into(), options: &options() };
    let context = RunContext::new(RunSetup {
        task: "exits".into(),
        attempt: 1,
        run_id: "exits#1".to_owned(),
        working_directory: "/".into(),
        environment: BTreeMap::new(),
        deadline: None,
        output: Arc::new(Nowhere),
    });
    (library.new_task("Exits", setup).expect("it is exported"), context)
}

trait Runs {
    fn run(&self) -> Result<i32, String>;
}

struct Exits(i32);

impl Runs for Exits {
    #[inline(never)]
    fn run(&self) -> Result<i32, String> {
        Ok(black_box(self.0))
    }
}

#[divan::bench]
fn call_direct(bencher: Bencher<'_, '_>) {
    let exits = Exits(0);
    bencher.bench_local(|| black_box(&exits).run());
}

#[divan::bench]
fn call_dyn(bencher: Bencher<'_, '_>) {
    let exits: Box<dyn Runs> = Box::new(Exits(0));
    bencher.bench_local(|| black_box(&exits).run());
}

/// With the context that is handed over and the shield against panics.
#[divan::bench]
fn call_through_the_boundary(bencher: Bencher<'_, '_>) {
    let (instance, context) = instance();
    bencher.bench_local(|| instance.run(&context));
}

#[divan::bench]
fn bare_thread(bencher: Bencher<'_, '_>) {
    let (sender, ended) = bounded(1);
    bencher.bench_local(|| {
        let sender = sender.clone();
        let begun = std::thread::Builder::new().name("bare".into()).spawn(move || sender.send(0).is_ok());
        (begun.is_ok(), ended.recv())
    });
}

#[divan::bench]
fn run_on_a_thread(bencher: Bencher<'_, '_>) {
    let (registry, library) = &*EXITS;
    let (sender, ended) = bounded(1);
    let mut runner = PluginRunner::new(Arc::clone(registry), sender, Arc::new(|| ()));
    let name = TaskName::new("exits").expect("it is a name");
    let action = Action::Plugin {
        library: library.clone(),
        type_name: "Exits".to_owned(),
        options: options(),
        sha256: None,
        isolation: Isolation::Thread,
    };
    let launch = Arc::new(Launch::new(name, action, "/".into()));
    let mut number = 0;
    bencher.bench_local(|| {
        number += 1;
        let run = RunId { task: TaskId::new(0), number };
        let started = runner.start(RunSpec { run, attempt: 1, launch: Arc::clone(&launch) });
        (started.is_ok(), ended.recv())
    });
}
