//! Builds of a library: private copies, and what a new one does to those that are in use.

use crate::support::{built, probing};
use bansuri::plugin::{LoadProblem, PluginError, Prepared, Registry, SearchPath};
use std::fs;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
        let error =
            shipped.registry.resolve_task("./libplugin.so", shipped.home.path(), &[], None).unwrap_err();
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
    let expected = LoadProblem::OtherContent { expected: other.to_string(), found: pin.to_string() };
    assert_eq!(problem(prepare(&other)), expected);
    // A newer build is for those who are not pinned to the older one.
    shipped.rename_over(&bytes("minimal-notifier"));
    assert_eq!(prepare(&pin).unwrap().manifest().exports()[0].name, "FileCount");
    assert_eq!(shipped.exports(), ["Journal"]);
    assert_eq!(prepare(&other).unwrap().manifest().exports()[0].name, "Journal");
}

fn digest(path: &Path) -> bansuri::plugin::Digest {
    let output = std::process::Command::new("sha256sum").arg(path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let digit = |at: usize| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap();
    bansuri::plugin::Digest(std::array::from_fn(digit))
}

#[test]
fn copies_lie_in_the_state_dir_as_long_as_the_host_lives() {
    let (shipped, state) = (Shipped::new("minimal-task"), tempfile::tempdir().unwrap());
    // What a dead host left.
    let folder = state.path().join("plugins");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("1-libdead.so"), "").unwrap();
    shipped.registry.resolve_task("./libplugin.so", shipped.home.path(), &[], None).unwrap();
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
