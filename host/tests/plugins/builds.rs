//! Builds of a library: private copies, and what a new one does to those that are in use.

use crate::support::{built, probing};
use bansuri::plugin::{Digest, ExportKind, LoadProblem, PluginError, Prepared, Registry, SearchPath};
use std::fs;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Once a file is that old, its stamp tells it from every later one.
const STAMPS_SETTLE: Duration = Duration::from_millis(100);

/// A library file that tests may replace.
struct Shipped {
    home: tempfile::TempDir,
    registry: Registry,
}

impl Shipped {
    fn new(package: &str) -> Self {
        let shipped = Self { home: tempfile::tempdir().unwrap(), registry: probing(SearchPath::default()) };
        fs::copy(built(package), shipped.path()).unwrap();
        shipped
    }

    fn path(&self) -> PathBuf {
        self.home.path().join("libplugin.so")
    }

    fn prepared(&self) -> Arc<Prepared> {
        self.registry.prepare(&self.path(), None).unwrap()
    }

    /// The names of what its newest usable build exports.
    fn exports(&self) -> Vec<String> {
        self.prepared().manifest().exports().iter().map(|export| export.name.clone()).collect()
    }

    fn rename_over(&self, bytes: &[u8]) {
        let fresh = self.home.path().join("fresh");
        fs::write(&fresh, bytes).unwrap();
        fs::rename(&fresh, self.path()).unwrap();
    }

    /// Without an end of the file in between, as a writer in place does.
    fn overwrite(&self, bytes: &[u8]) {
        let mut file = fs::OpenOptions::new().write(true).open(self.path()).unwrap();
        file.write_all(bytes).unwrap();
        file.set_len(bytes.len() as u64).unwrap();
    }
}

fn bytes(package: &str) -> Vec<u8> {
    fs::read(built(package)).unwrap()
}

fn problem(result: Result<Arc<Prepared>, PluginError>) -> LoadProblem {
    match result.unwrap_err() {
        PluginError::Load { problem, .. } => problem,
        other => panic!("{other}"),
    }
}

#[test]
fn a_build_is_a_private_copy_that_another_user_can_load_by_its_descriptor() {
    let shipped = Shipped::new("minimal-task");
    let prepared = shipped.prepared();
    assert!(prepared.is_private());
    assert_ne!(prepared.load_path(), shipped.path());
    assert_eq!(prepared.manifest().path(), shipped.path().canonicalize().unwrap());
    assert_eq!(fs::read(prepared.load_path()).unwrap(), bytes("minimal-task"));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(prepared.load_path().parent().unwrap()), 0o700);
    assert_eq!(mode(prepared.load_path()), 0o644);
    let by_number = format!("/proc/self/fd/{}", prepared.file().as_raw_fd());
    assert_eq!(fs::read(by_number).unwrap(), bytes("minimal-task"));
    assert!(prepared.file().set_len(0).is_err(), "it is open for reading only");
}

#[test]
fn a_build_is_asked_for_again_and_again_and_stays_the_same() {
    let shipped = Shipped::new("minimal-task");
    let first = shipped.prepared();
    let library = first.library().unwrap();
    for _ in 0..50 {
        assert!(Arc::ptr_eq(&shipped.prepared().library().unwrap(), &library));
    }
    // Other times, the same bytes.
    fs::copy(built("minimal-task"), shipped.path()).unwrap();
    assert!(Arc::ptr_eq(&shipped.prepared().library().unwrap(), &library));
}

#[test]
fn a_new_build_takes_the_place_of_the_old_one_which_lives_on() {
    for replace in [Shipped::rename_over, Shipped::overwrite] {
        let shipped = Shipped::new("minimal-task");
        let old = shipped.prepared();
        let loaded = old.library().unwrap();
        replace(&shipped, &bytes("minimal-notifier"));
        assert_eq!(shipped.exports(), ["Journal"]);
        let new = shipped.prepared().library().unwrap();
        assert_eq!(new.exports()[0].name, "Journal");
        assert_eq!(loaded.exports()[0].name, "FileCount");
        assert_eq!(fs::read(old.load_path()).unwrap(), bytes("minimal-task"));
        replace(&shipped, &bytes("minimal-task"));
        assert_eq!(shipped.exports(), ["FileCount"]);
    }
}

#[test]
fn a_new_build_that_is_refused_leaves_the_old_one_in_use() {
    let shipped = Shipped::new("minimal-task");
    assert_eq!(shipped.exports(), ["FileCount"]);
    let whole = bytes("minimal-notifier");
    for bad in [&whole[..whole.len() / 2], b"#!/bin/sh\n", b"", &bytes("no-root-module")] {
        shipped.overwrite(bad);
        assert_eq!(shipped.exports(), ["FileCount"]);
        let error = shipped
            .registry
            .resolve(ExportKind::Task, "./libplugin.so", shipped.home.path(), &[], None)
            .unwrap_err();
        assert!(matches!(error, PluginError::Load { .. }), "{error}");
    }
    fs::remove_file(shipped.path()).unwrap();
    assert_eq!(shipped.exports(), ["FileCount"]);
    fs::write(shipped.path(), whole).unwrap();
    assert_eq!(shipped.exports(), ["Journal"]);
}

#[test]
fn a_link_that_leads_elsewhere_is_a_new_build() {
    let home = tempfile::tempdir().unwrap();
    let link = home.path().join("current.so");
    let registry = probing(SearchPath::default());
    let point = |to: &str| {
        let fresh = home.path().join("fresh");
        std::os::unix::fs::symlink(built(to), &fresh).unwrap();
        fs::rename(&fresh, &link).unwrap();
        registry.prepare(&link, None).unwrap().manifest().exports()[0].name.clone()
    };
    assert_eq!(point("minimal-task"), "FileCount");
    assert_eq!(point("minimal-notifier"), "Journal");
    assert_eq!(point("no-root-module"), "Journal");
    assert_eq!(point("minimal-task"), "FileCount");
}

#[test]
fn a_pinned_library_is_of_that_content_and_no_other() {
    let shipped = Shipped::new("minimal-task");
    let pin = digest(built("minimal-task"));
    let other = digest(built("minimal-notifier"));
    let prepare = |pin| shipped.registry.prepare(&shipped.path(), Some(pin));
    assert!(prepare(&pin).is_ok());
    assert!(Arc::ptr_eq(&prepare(&pin).unwrap(), &shipped.prepared()), "it is the same build for all");
    let other_content = |expected: &Digest, found: &Digest| LoadProblem::OtherContent {
        expected: expected.to_string(),
        found: found.to_string(),
    };
    assert_eq!(problem(prepare(&other)), other_content(&other, &pin));
    // A newer build is for those who are not pinned to the older one.
    shipped.rename_over(&bytes("minimal-notifier"));
    assert_eq!(prepare(&pin).unwrap().manifest().exports()[0].name, "FileCount");
    let refused = shipped.registry.take_news().into_iter().find_map(|news| news.refused);
    assert_eq!(refused, Some(other_content(&pin, &other).to_string()));
    assert_eq!(shipped.exports(), ["Journal"]);
    assert_eq!(prepare(&other).unwrap().manifest().exports()[0].name, "Journal");
    let resolve = |pin| {
        shipped.registry.resolve(ExportKind::Notifier, "./libplugin.so", shipped.home.path(), &[], Some(pin))
    };
    assert!(resolve(&other).is_ok());
    assert!(
        resolve(&pin).unwrap_err().to_string().contains("is not the pinned one"),
        "whatever runs go on with"
    );
}

#[test]
fn content_that_is_not_the_pinned_one_is_not_even_tried() {
    let shipped = Shipped::new("minimal-task");
    let (source, mark) = (shipped.home.path().join("marks.c"), shipped.home.path().join("mark"));
    let text = format!(
        "#include <fcntl.h>\n__attribute__((constructor)) static void at_load(void) {{ creat({mark:?}, 0600); }}\n"
    );
    fs::write(&source, text).unwrap();
    let mut cc = std::process::Command::new("cc");
    cc.args(["-shared", "-fPIC", "-o"]).arg(shipped.path()).arg(&source);
    assert!(cc.status().unwrap().success());
    let pin = digest(built("minimal-task"));
    let refused = problem(shipped.registry.prepare(&shipped.path(), Some(&pin)));
    assert!(matches!(refused, LoadProblem::OtherContent { .. }), "{refused:?}");
    let resolved =
        shipped.registry.resolve(ExportKind::Task, "./libplugin.so", shipped.home.path(), &[], Some(&pin));
    assert!(resolved.is_err());
    assert!(!mark.exists());
    assert_eq!(problem(shipped.registry.prepare(&shipped.path(), None)), LoadProblem::NoRootModule);
    assert!(mark.exists());
}

#[test]
fn a_pinned_library_that_was_checked_is_run_whatever_becomes_of_its_file() {
    let (shipped, state) = (Shipped::new("minimal-task"), tempfile::tempdir().unwrap());
    let pin = digest(built("minimal-task"));
    shipped
        .registry
        .resolve(ExportKind::Task, "./libplugin.so", shipped.home.path(), &[], Some(&pin))
        .unwrap();
    shipped.registry.keep_in(state.path()).unwrap();
    shipped.rename_over(&bytes("minimal-notifier"));
    let prepared = shipped.registry.prepare(&shipped.path(), Some(&pin)).unwrap();
    assert_eq!(prepared.manifest().exports()[0].name, "FileCount");
    assert_eq!(prepared.load_path().parent(), Some(&*state.path().join("plugins")));
    assert_eq!(shipped.exports(), ["Journal"]);
    let again = shipped.registry.prepare(&shipped.path(), Some(&pin)).unwrap();
    assert_eq!(again.manifest().exports()[0].name, "FileCount");
}

#[test]
fn what_keeps_a_new_build_out_for_a_while_keeps_it_out_no_longer() {
    let (shipped, state) = (Shipped::new("minimal-task"), tempfile::tempdir().unwrap());
    shipped.registry.keep_in(state.path()).unwrap();
    assert_eq!(shipped.exports(), ["FileCount"]);
    // Nothing can be copied, as on a full disk.
    let folder = state.path().join("plugins");
    fs::rename(&folder, state.path().join("away")).unwrap();
    shipped.rename_over(&bytes("minimal-notifier"));
    // The stamp of a file that was just written tells nothing yet.
    while fs::metadata(shipped.path()).unwrap().modified().unwrap().elapsed().unwrap() < STAMPS_SETTLE {
        std::thread::yield_now();
    }
    assert_eq!(shipped.exports(), ["FileCount"]);
    shipped.registry.take_news();
    assert_eq!(shipped.exports(), ["FileCount"]);
    assert!(shipped.registry.take_news().is_empty(), "that is told once");
    fs::rename(state.path().join("away"), &folder).unwrap();
    assert_eq!(shipped.exports(), ["Journal"]);
}

#[test]
fn what_was_only_looked_at_and_cannot_be_copied_is_told_as_it_is() {
    let (shipped, state) = (Shipped::new("minimal-task"), tempfile::tempdir().unwrap());
    shipped.registry.resolve(ExportKind::Task, "./libplugin.so", shipped.home.path(), &[], None).unwrap();
    shipped.registry.take_news();
    fs::remove_file(shipped.path()).unwrap();
    shipped.registry.keep_in(state.path()).unwrap();
    let why = LoadProblem::Unreadable("no such file or directory".to_owned());
    assert_eq!(problem(shipped.registry.prepare(&shipped.path(), None)), why);
    assert!(shipped.registry.take_news().is_empty(), "no run goes on with the build before");
    fs::copy(built("minimal-task"), shipped.path()).unwrap();
    assert_eq!(shipped.exports(), ["FileCount"]);
}

fn digest(path: &Path) -> Digest {
    let output = std::process::Command::new("sha256sum").arg(path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let digit = |at: usize| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap();
    Digest(std::array::from_fn(digit))
}

#[test]
fn copies_lie_in_the_state_dir_as_long_as_the_host_lives() {
    let (shipped, state) = (Shipped::new("minimal-task"), tempfile::tempdir().unwrap());
    // What a dead host left.
    let folder = state.path().join("plugins");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("1-libdead.so"), "").unwrap();
    shipped.registry.resolve(ExportKind::Task, "./libplugin.so", shipped.home.path(), &[], None).unwrap();
    shipped.registry.keep_in(state.path()).unwrap();
    // What was resolved is there, whatever becomes of the file.
    fs::remove_file(shipped.path()).unwrap();
    let names = |folder: &Path| -> Vec<_> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert_eq!(names(&folder).len(), 1, "{:?}", names(&folder));
    let prepared = shipped.prepared();
    assert_eq!(prepared.load_path().parent(), Some(&*folder));
    prepared.library().unwrap();
    shipped.registry.close();
    assert!(!folder.exists());
}

#[test]
fn news_of_a_library_is_told_once() {
    let shipped = Shipped::new("minimal-task");
    let (wake, woken) = std::sync::mpsc::channel();
    shipped.registry.wake_with(Arc::new(move || wake.send(()).unwrap()));
    let told = || -> Vec<_> {
        let news = shipped.registry.take_news().into_iter();
        news.map(|it| (it.manifest.exports()[0].name.clone(), it.refused)).collect()
    };
    let task = |refused: Option<&str>| vec![("FileCount".to_owned(), refused.map(str::to_owned))];
    for _ in 0..2 {
        shipped.prepared();
    }
    assert_eq!(told(), task(None));
    shipped.overwrite(b"#!/bin/sh\n");
    shipped.prepared();
    shipped.overwrite(b"#!/bin/sh\n\n");
    shipped.prepared();
    assert_eq!(told(), task(Some("not a shared library")));
    shipped.overwrite(&bytes("minimal-task"));
    shipped.prepared();
    assert_eq!(told(), task(None), "it is what it was, and nothing is refused any more");
    shipped.rename_over(&bytes("minimal-notifier"));
    shipped.prepared();
    assert_eq!(told(), [("Journal".to_owned(), None)]);
    shipped.prepared();
    assert_eq!(told(), []);
    assert_eq!(woken.try_iter().count(), 4);
}

#[test]
fn a_library_that_was_loaded_when_two_hosts_died_is_to_be_isolated() {
    let state = tempfile::tempdir().unwrap();
    let shipped = Shipped::new("minimal-task");
    // This process lives: what it leaves is made to be of another that does not.
    let die = || {
        let path = state.path().join("suspects.json");
        let mut kept: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        kept["host"]["started"] = 1.into();
        fs::write(&path, kept.to_string()).unwrap();
    };
    let host = || {
        let registry = probing(SearchPath::default()).remembering(&[state.path().to_owned()]);
        registry.resolve(ExportKind::Task, "./libplugin.so", shipped.home.path(), &[], None).unwrap();
        registry.keep_in(state.path()).unwrap();
        registry
    };
    for _ in 0..2 {
        let registry = host();
        assert_eq!(registry.must_isolate(&shipped.path()), None);
        registry.library(&shipped.path()).unwrap();
        die();
    }
    let registry = host();
    let why = registry.must_isolate(&shipped.path()).unwrap();
    assert!(why.starts_with("it was loaded when the host died without a clean end, 2 times"), "{why}");
    let resolved =
        registry.resolve(ExportKind::Task, "./libplugin.so", shipped.home.path(), &[], None).unwrap();
    assert!(resolved.warnings.iter().any(|warning| warning.ends_with(&why)), "{:?}", resolved.warnings);
    assert_eq!(registry.must_isolate(built("minimal-task")), None);
    // It was only looked at, by whom nothing is held against it.
    die();
    let registry = host();
    assert!(registry.must_isolate(&shipped.path()).unwrap().contains("2 times"));
    shipped.rename_over(&bytes("minimal-task"));
    registry.prepare(&shipped.path(), None).unwrap();
    assert_eq!(registry.must_isolate(&shipped.path()), None);
}

#[test]
fn a_library_that_looks_beside_its_own_file_is_loaded_from_there() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let cc = |arguments: &[&str]| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut cc = std::process::Command::new("cc");
        cc.current_dir(folder).args(["-shared", "-fPIC"]).args(arguments);
        cc.arg("-I").arg(root.join("plugin-api/include"));
        assert!(cc.status().unwrap().success());
    };
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/plain/exports.c");
    fs::write(folder.join("inner.c"), "int inner(void) { return 7; }").unwrap();
    cc(&["inner.c", "-o", "libinner.so"]);
    let needs = ["-Wl,--no-as-needed", "-L.", "-linner"];
    let outer = |name: &str, path: &str| {
        let (name, path) = (format!("-DNAME=\"{name}\""), format!("-Wl,-rpath,{path}"));
        cc(&[&[source, "-o", "fresh.so", &name, &path], &needs[..]].concat());
        fs::rename(folder.join("fresh.so"), folder.join("outer.so")).unwrap();
    };
    let library = folder.join("outer.so");
    for path in ["$ORIGIN", "${ORIGIN}/../", "/nowhere:$ORIGIN"] {
        outer("Good", &path.replace("/../", ""));
        let registry = probing(SearchPath::default());
        let resolved = registry.resolve(ExportKind::Task, "./outer.so", folder, &[], None).unwrap();
        assert!(
            resolved.warnings.iter().any(|warning| warning.contains("$ORIGIN")),
            "{:?}",
            resolved.warnings
        );
        let prepared = registry.prepare(&library, None).unwrap();
        assert!(!prepared.is_private());
        assert_eq!(prepared.load_path(), library.canonicalize().unwrap());
    }
    let registry = probing(SearchPath::default());
    registry.library(&library).unwrap();
    outer("Other", "$ORIGIN");
    // The loader would take it for the one that it has.
    let prepared = registry.prepare(&library, None).unwrap();
    assert_eq!(prepared.manifest().exports()[0].name, "Good");
    let refused = registry.take_news().pop().unwrap().refused;
    assert_eq!(refused.as_deref(), Some("is loaded from its own file: a new build takes a new host"));
    // One that names no such place cannot be loaded, from wherever.
    outer("Good", "/nowhere");
    let refused = problem(probing(SearchPath::default()).prepare(&library, None));
    assert!(matches!(&refused, LoadProblem::Refused(why) if why.contains("libinner.so")), "{refused:?}");
}
