//! Libraries built for the tests, and a runner to run their tasks with.

use bansuri::launch::{Action, Isolation, Launch, PluginAction, Sink};
use bansuri::plugin::{Library, Registry, SearchPath};
use bansuri::runner::{Finished, LiveRun, PluginRunner, RunSpec, StartError, TaskRunner, Update};
use bansuri::tail::TailSource;
use bansuri_core::{Exit, RunId, TaskId, TaskName};
use crossbeam::channel::{Receiver, unbounded};
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, mpsc};
use std::time::Duration;

/// Long enough for any machine; no passing test waits for it.
pub(crate) const LONG: Duration = Duration::from_secs(60);

const PACKAGES: [&str; 5] =
    ["misbehaving", "no-root-module", "incompatible", "minimal-task", "minimal-notifier"];

/// The built library of this package.
pub(crate) fn built(package: &str) -> &'static Path {
    /// `cargo test` builds no cdylib of another package.
    static BUILT: LazyLock<HashMap<String, PathBuf>> = LazyLock::new(|| {
        // The profile of this program: target/debug/deps/plugins-… or target/release/….
        let program = std::env::current_exe().unwrap();
        let release = program.ancestors().nth(2).unwrap().ends_with("release");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--message-format=json-render-diagnostics"]);
        cargo.arg("--manifest-path").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"));
        cargo.args(release.then_some("--release"));
        cargo.args(PACKAGES.iter().flat_map(|package| ["-p", package]));
        let output = cargo.stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "the libraries for the tests do not build");
        let mut built = HashMap::new();
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let message: serde_json::Value = serde_json::from_str(line).unwrap();
            let name = message["target"]["name"].as_str().unwrap_or_default().replace('_', "-");
            let files = message["filenames"].as_array().into_iter().flatten();
            let libraries = files.filter_map(|file| file.as_str().filter(|file| file.ends_with(".so")));
            built.extend(libraries.map(|file| (name.clone(), PathBuf::from(file))));
        }
        built
    });
    BUILT.get(package).unwrap_or_else(|| panic!("{package} is not among {:?}", BUILT.keys()))
}

/// A registry that tries libraries as a host does.
pub(crate) fn probing(search_path: SearchPath) -> Registry {
    Registry::with_search_path(search_path).with_probe(env!("CARGO_BIN_EXE_bansuri").into())
}

/// Builds a fixture in C against the header, with these macros defined.
pub(crate) fn built_from_c(fixture: &str, defines: &[&str], library: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut cc = Command::new("cc");
    cc.args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread"]);
    cc.args(defines.iter().map(|define| format!("-D{define}")));
    cc.arg("-I").arg(root.join("plugin-api/include")).arg("-o").arg(library);
    cc.arg(root.join("tests/fixtures/plain").join(fixture));
    assert!(cc.status().unwrap().success(), "{fixture} does not build with {defines:?}");
}

/// One registry for all tests, as in a host.
pub(crate) fn registry() -> Arc<Registry> {
    static REGISTRY: LazyLock<Arc<Registry>> = LazyLock::new(|| Arc::new(probing(SearchPath::default())));
    // The level of the log is handed to libraries: it is set before any of them can ask.
    crate::logs::keep();
    Arc::clone(&REGISTRY)
}

pub(crate) fn misbehaving() -> Arc<Library> {
    registry().library(built("misbehaving")).unwrap()
}

/// A task of the misbehaving library.
pub(crate) fn launch(name: &str, type_name: &str, options: serde_json::Value) -> Launch {
    let library = built("misbehaving").to_owned();
    let action = Action::from(PluginAction {
        library,
        type_name: type_name.to_owned(),
        sha256: None,
        options,
        isolation: Isolation::Thread,
    });
    Launch {
        reference: Some(format!("misbehaving:{type_name}").into()),
        ..Launch::new(TaskName::new(name).unwrap(), action, "/".into())
    }
}

/// A runner and what it reports.
pub(crate) struct Bench {
    runner: PluginRunner,
    updates: Receiver<Update>,
    wakes: Arc<AtomicU64>,
    next: u64,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let (sender, updates) = unbounded();
        let wakes = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&wakes);
        let waker = Arc::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        Self { runner: PluginRunner::new(registry(), sender, waker), updates, wakes, next: 1 }
    }

    /// Starts the next run, numbered from 1.
    pub(crate) fn start(&mut self, launch: &Launch) -> Result<Box<dyn LiveRun>, StartError> {
        let run = RunId { task: TaskId::new(0), number: self.next };
        self.next += 1;
        let spec = RunSpec { run, attempt: 2, launch: Arc::new(launch.clone()) };
        let started = self.runner.start(spec)?;
        assert_eq!(started.pid, None);
        Ok(started.live)
    }

    /// The next run that ends.
    pub(crate) fn finished(&self) -> Finished {
        match self.updates.recv_timeout(LONG).unwrap() {
            Update::Finished(finished) => {
                assert!(!finished.remains);
                finished
            }
            Update::Gone(run) => panic!("{run:?} had no remains"),
        }
    }

    /// Starts a run and waits for its end.
    pub(crate) fn run(&mut self, launch: &Launch) -> Finished {
        let live = self.start(launch).unwrap();
        let finished = self.finished();
        drop(live);
        finished
    }

    /// Whether nothing more is reported until the last thread of a run is gone.
    pub(crate) fn falls_silent(self) -> bool {
        drop(self.runner);
        // Every run holds a sender until it has reported: this ends when the last one is gone.
        self.updates.recv_timeout(LONG).is_err()
    }

    /// How often the waker was called; final once the bench is quiet.
    pub(crate) fn wakes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.wakes)
    }
}

/// How a run of this type ends.
pub(crate) fn exit_of(type_name: &str, options: serde_json::Value) -> Exit {
    Bench::new().run(&launch(type_name, type_name, options)).exit
}

pub(crate) fn text(stream: &TailSource) -> String {
    match stream {
        TailSource::Bytes(bytes) => String::from_utf8(bytes.clone()).unwrap(),
        TailSource::None | TailSource::File { .. } => panic!("expected bytes, found {stream:?}"),
    }
}

/// A log file whose lines a test can wait for: a FIFO.
pub(crate) struct Lines {
    lines: mpsc::Receiver<String>,
    path: PathBuf,
}

impl Lines {
    pub(crate) fn new(folder: &Path) -> Self {
        let path = folder.join("fifo");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, mode).unwrap();
        // Opened for writing as well, so that the open does not wait for a writer.
        let fifo = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(fifo).lines() {
                if line.is_err() || line.is_ok_and(|line| sender.send(line).is_err()) {
                    break;
                }
            }
        });
        Self { lines, path }
    }

    pub(crate) fn sink(&self) -> Sink {
        Sink::File(self.path.clone())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn next(&self) -> String {
        self.lines.recv_timeout(LONG).unwrap()
    }
}
