//! What the plugin boundary costs, a run on a thread beside a bare thread, and a run in a process beside a bare process.

use bansuri::launch::{Action, Isolation, Launch, PluginAction};
use bansuri::plugin::{InstanceSetup, OutputSink, Registry, RunContext, RunSetup, SearchPath, TaskInstance};
use bansuri::process::{Environment, Spawn, Stdio};
use bansuri::runner::{IsolatedRunner, PluginRunner, RunSpec, TaskRunner, Update};
use bansuri_core::{Exit, RunId, TaskId, TaskName};
use crossbeam::channel::bounded;
use divan::{Bencher, black_box};
use polling::{Events, Poller};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

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

fn launch(library: &Path, isolation: Isolation) -> Arc<Launch> {
    let name = TaskName::new("exits").expect("it is a name");
    let (library, type_name) = (library.to_owned(), "Exits".to_owned());
    let action =
        Action::from(PluginAction { library, type_name, sha256: None, options: options(), isolation });
    Arc::new(Launch::new(name, action, "/".into()))
}

#[divan::bench]
fn run_on_a_thread(bencher: Bencher<'_, '_>) {
    let (registry, library) = &*EXITS;
    let (sender, ended) = bounded(1);
    let mut runner = PluginRunner::new(Arc::clone(registry), sender, Arc::new(|| ()));
    let launch = launch(library, Isolation::Thread);
    let mut number = 0;
    bencher.bench_local(|| {
        number += 1;
        let run = RunId { task: TaskId::new(0), number };
        let started = runner.start(RunSpec { run, attempt: 1, launch: Arc::clone(&launch) });
        (started.is_ok(), ended.recv())
    });
}

#[divan::bench]
fn bare_process(bencher: Bencher<'_, '_>) {
    let environment = Environment::of_host();
    bencher.bench_local(|| {
        let spawn = Spawn {
            program: "/bin/true".into(),
            arguments: Vec::new(),
            environment: environment.clone(),
            working_directory: "/".into(),
            stdin: Stdio::Null,
            stdout: Stdio::Null,
            stderr: None,
            more: Vec::new(),
        };
        spawn.start().expect("it can be started").wait(Duration::from_secs(60))
    });
}

/// At most 2.5 times the bare process.
#[divan::bench]
fn run_in_a_process(bencher: Bencher<'_, '_>) {
    let (registry, library) = &*EXITS;
    let poller = Arc::new(Poller::new().expect("there is a poller"));
    let mut runner = IsolatedRunner::new(Arc::clone(registry), Arc::clone(&poller), 1)
        .with_helper(env!("CARGO_BIN_EXE_bansuri").into());
    let launch = launch(library, Isolation::Process);
    let mut events = Events::new();
    let mut number = 0;
    bencher.bench_local(|| {
        number += 1;
        let run = RunId { task: TaskId::new(0), number };
        let started = runner.start(RunSpec { run, attempt: 1, launch: Arc::clone(&launch) });
        assert!(started.is_ok(), "it can be started");
        loop {
            match runner.poll_update() {
                Some(Update::Finished(finished)) => break assert_eq!(finished.exit, Exit::Code(0)),
                Some(Update::Gone(_)) => {}
                None => {
                    events.clear();
                    poller.wait(&mut events, None).expect("the poller can be asked");
                    events.iter().for_each(|event| runner.on_ready(event.key));
                }
            }
        }
    });
}
