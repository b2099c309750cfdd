//! Clearances of real folders.

use bansuri_mount_test::{mount_tmpfs, with_own_mounts};
use bansuri_plugin_api::testing::{TaskTest, TestRun};
use file_retention::FileRetention;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const DAY: Duration = Duration::from_secs(86_400);

/// A folder of a test's own, by the path that has no link in it.
struct Place {
    _folder: TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let path = folder.path().canonicalize().expect("it is there");
        Self { _folder: folder, path }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A file of this size that was written so many days ago, in folders that are made.
    fn file(&self, name: &str, days: u32, size: usize) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("folders can be made");
        fs::write(&path, vec![b'x'; size]).expect("files can be written");
        set_age(&path, days);
    }

    /// All that is there, sorted.
    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        collect(&self.path, &self.path, &mut names);
        names.sort();
        names
    }
}

fn set_age(path: &Path, days: u32) {
    let at = SystemTime::now() - DAY * days;
    File::open(path).and_then(|file| file.set_modified(at)).expect("times can be set");
}

fn collect(root: &Path, folder: &Path, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("it can be read") {
        let path = entry.expect("it can be read").path();
        names.push(path.strip_prefix(root).expect("it lies below").to_string_lossy().into_owned());
        if path.is_dir() && !path.is_symlink() {
            collect(root, &path, names);
        }
    }
}

fn test(place: &Place, dry_run: bool, rules: Value) -> TaskTest<FileRetention> {
    let options = json!({ "dry-run": dry_run, "rules": rules });
    TaskTest::<FileRetention>::new().working_directory(&place.path).options(options)
}

fn run(place: &Place, rules: Value) -> TestRun {
    let run = test(place, false, rules).run();
    assert_eq!((&run.result, run.stderr_text().as_ref()), (&Ok(0), ""));
    run
}

#[test]
fn seven_of_each() {
    let place = Place::new();
    for day in 1..=9 {
        place.file(&format!("orders-{day}.dump"), day, 1024);
        place.file(&format!("users-{day}.dump"), day + 100, 10);
    }
    place.file("other.txt", 1000, 1);
    let rules = json!({ "folder": ".", "patterns": ["orders-*.dump", "users-*.dump"], "max-count": 7 });
    let run = run(&place, rules);
    let path = |name: &str| place.path(name);
    let expect = [
        format!("removed {:?} (1.0 KiB, 9 d old): max-count", path("orders-9.dump")),
        format!("removed {:?} (1.0 KiB, 8 d old): max-count", path("orders-8.dump")),
        format!("removed {:?} (10 B, 109 d old): max-count", path("users-9.dump")),
        format!("removed {:?} (10 B, 108 d old): max-count", path("users-8.dump")),
        format!("{:?}: removed 4 files (2.0 KiB), kept 14 files (7.1 KiB)", place.path),
    ];
    let told = run.stdout_text().into_owned();
    let mut lines: Vec<_> = told.lines().collect();
    let mut expect = expect.each_ref().map(String::as_str);
    assert_eq!(lines.last(), expect.last());
    lines.sort_unstable();
    expect.sort_unstable();
    assert_eq!(lines, expect);
    assert_eq!(place.names().len(), 15);
    assert!(!path("orders-8.dump").exists() && path("orders-7.dump").exists() && path("other.txt").exists());
}

#[test]
fn limits_together() {
    let place = Place::new();
    for (name, days) in [("a", 1), ("b", 2), ("c", 3), ("d", 40), ("e", 50)] {
        place.file(name, days, 1000);
    }
    let told = run(
        &place,
        json!({ "folder": place.path, "patterns": "*", "max-age": "30d", "max-total-size": 2500 }),
    );
    assert_eq!(place.names(), ["a", "b"]);
    assert!(told.stdout_text().contains("3 d old): max-total-size\n"));
    assert!(told.stdout_text().contains("40 d old): max-age\n"));
    run(&place, json!({ "folder": place.path, "patterns": "*", "max-age": 1 }));
    assert_eq!(place.names(), ["a"], "the newest stays");
    run(&place, json!({ "folder": place.path, "patterns": "*", "max-age": 1, "keep-at-least": 0 }));
    assert!(place.names().is_empty());
}

#[test]
fn a_dry_run_says_what_the_real_one_does() {
    let place = Place::new();
    for day in 1..=5 {
        place.file(&format!("{day}.log"), day, 100);
        place.file(&format!("below/{day}.log"), day + 10, 100);
    }
    fs::create_dir(place.path("below/empty")).unwrap();
    set_age(&place.path("below/empty"), 1);
    // The second rule speaks of files that the first one removes.
    let rules = json!([
        { "folder": ".", "patterns": "*.log", "max-count": 4, "recursive": true },
        {
            "folder": ".", "patterns": "*", "max-age": "2d12h", "keep-at-least": 0,
            "recursive": true, "remove-empty-folders": true
        }
    ]);
    let before = place.names();
    // By default.
    let options = json!({ "rules": rules.clone() });
    let dry = TaskTest::<FileRetention>::new().working_directory(&place.path).options(options).run();
    assert_eq!((&dry.result, dry.stderr_text().as_ref()), (&Ok(0), ""));
    assert_eq!(place.names(), before);
    let real = run(&place, rules);
    let note = "a dry run: nothing was removed, which takes \"dry-run\": false\n";
    let promised = dry.stdout_text().replace("would remove", "removed");
    assert_eq!(promised.strip_suffix(note), Some(real.stdout_text().as_ref()));
    assert!(promised.contains("removed 2 files (200 B) and 2 folders, kept 2 files (200 B)"), "{promised}");
    assert_eq!(place.names(), ["1.log", "2.log"]);
}

#[test]
fn folders_below_only_when_asked() {
    let place = Place::new();
    let ages = [
        ("a.log", 9),
        ("b.log", 8),
        ("one/a.log", 7),
        ("one/b.log", 6),
        ("one/deep/c.log", 5),
        ("two/a.log", 4),
    ];
    for (name, days) in ages {
        place.file(name, days, 1);
    }
    let limit = json!({ "folder": ".", "patterns": "*.log", "max-count": 1 });
    let with = |more: Value| {
        let mut rule = limit.clone();
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        rule
    };
    run(&place, with(json!({})));
    assert_eq!(place.names().len(), 8, "a.log alone is gone");
    run(&place, with(json!({ "recursive": true, "per-folder": true })));
    let left = ["b.log", "one", "one/b.log", "one/deep", "one/deep/c.log", "two", "two/a.log"];
    assert_eq!(place.names(), left);
    run(&place, with(json!({ "recursive": true, "remove-empty-folders": true, "exclude": "c*" })));
    // The newest of all is in a folder below; what is excluded keeps its folder.
    assert_eq!(place.names(), ["one", "one/deep", "one/deep/c.log", "two", "two/a.log"]);
}

#[test]
fn empty_folders() {
    let place = Place::new();
    place.file("old/older/x.log", 9, 1);
    place.file("hidden/.keep", 9, 1);
    for name in ["fresh", "settled", "settled/within"] {
        fs::create_dir(place.path(name)).unwrap();
    }
    set_age(&place.path("settled/within"), 1);
    set_age(&place.path("settled"), 1);
    let rule = json!({
        "folder": ".", "patterns": "*", "max-age": "1d", "keep-at-least": 0,
        "recursive": true, "remove-empty-folders": true
    });
    let told = run(&place, rule);
    // In a fresh one somebody may be about to put a file.
    assert_eq!(place.names(), ["fresh", "hidden", "hidden/.keep"]);
    assert!(
        told.stdout_text().contains(&format!("removed {:?}, an empty folder\n", place.path("old/older")))
    );
    assert!(told.stdout_text().ends_with("removed 1 file (1 B) and 4 folders, kept 0 files (0 B)\n"));
}

#[test]
fn no_link_is_followed_or_removed() {
    let (place, outside) = (Place::new(), Place::new());
    outside.file("precious.log", 100, 1);
    place.file("here/a.log", 100, 1);
    symlink(&outside.path, place.path("here/folder")).unwrap();
    symlink(outside.path("precious.log"), place.path("here/file.log")).unwrap();
    symlink("here", place.path("link")).unwrap();
    let rule = |folder: &str| json!({ "folder": folder, "patterns": "*", "max-age": 1, "keep-at-least": 0, "recursive": true });
    let refused = test(&place, false, rule("link")).run();
    assert_eq!(refused.result, Ok(1));
    let expect = "is a link to \"here\", which is not followed: name the folder itself";
    assert_eq!(refused.stderr_text(), format!("{:?} {expect}\n", place.path("link")));
    run(&place, rule("here"));
    assert_eq!(place.names(), ["here", "here/file.log", "here/folder", "link"]);
    assert_eq!(outside.names(), ["precious.log"]);
}

/// Somebody who may write in the folder swaps a folder below for a link to elsewhere, all the time.
#[test]
fn swapped_folders_lead_nowhere_else() {
    let (place, outside) = (Place::new(), Place::new());
    for number in 0..50 {
        outside.file(&format!("{number}.log"), 100, 1);
    }
    fs::create_dir(place.path("below")).unwrap();
    symlink(&outside.path, place.path("trap")).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let spare = place.path("spare");
            while !done.load(Ordering::Relaxed) {
                // What fails for what the run has removed fails.
                let _ = fs::rename(place.path("below"), &spare);
                let _ = fs::rename(place.path("trap"), place.path("below"));
                let _ = fs::rename(place.path("below"), place.path("trap"));
                let _ = fs::rename(&spare, place.path("below"));
            }
        });
        for round in 0..200 {
            let _ = fs::write(place.path("below/own.log"), round.to_string());
            let rule = json!({
                "folder": ".", "patterns": "*.log", "max-age": "1d", "keep-at-least": 0, "recursive": true
            });
            // What it says of folders that come and go is another thing.
            let _ = test(&place, false, rule).run();
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(outside.names().len(), if outside.path("own.log").exists() { 51 } else { 50 });
}

#[test]
fn other_file_systems_only_when_asked() {
    with_own_mounts("other_file_systems_only_when_asked", || {
        let place = Place::new();
        fs::create_dir(place.path("mounted")).unwrap();
        mount_tmpfs(&place.path("mounted"), "size=1m");
        place.file("a.log", 9, 1);
        place.file("mounted/b.log", 9, 1);
        let mut rule = json!({
            "folder": ".", "patterns": "*.log", "max-age": "1d", "keep-at-least": 0,
            "recursive": true, "remove-empty-folders": true
        });
        run(&place, rule.clone());
        assert_eq!(place.names(), ["mounted", "mounted/b.log"]);
        rule["cross-file-systems"] = true.into();
        run(&place, rule);
        assert_eq!(place.names(), ["mounted"], "what something is mounted on stays");
    });
}

#[test]
fn what_fails_is_said_and_the_rest_is_done() {
    with_own_mounts("what_fails_is_said_and_the_rest_is_done", || {
        let place = Place::new();
        fs::create_dir(place.path("fixed")).unwrap();
        mount_tmpfs(&place.path("fixed"), "size=1m");
        for name in ["fixed/a.log", "fixed/b.log", "free/a.log", "free/b.log"] {
            place.file(name, 9, 1);
        }
        // Root may do everything but write here.
        let remount = Command::new("mount").args(["-o", "remount,ro"]).arg(place.path("fixed")).status();
        assert!(remount.unwrap().success());
        let rule = |folder: &str| json!({ "folder": folder, "patterns": "*.log", "max-count": 1 });
        let rules = json!([rule("gone"), rule("fixed"), rule("free")]);
        let run = test(&place, false, rules).run();
        assert_eq!(run.result, Ok(1));
        let gone = format!("{:?}: No such file or directory (os error 2)\n", place.path("gone"));
        let fixed = format!("{:?}: Read-only file system (os error 30)\n", place.path("fixed/a.log"));
        assert_eq!(run.stderr_text(), format!("{gone}{fixed}"));
        assert!(
            run.stdout_text()
                .contains(&format!("{:?}: removed 0 files (0 B), kept 2 files (2 B)\n", place.path("fixed")))
        );
        assert!(!place.path("free/a.log").exists() && place.path("free/b.log").exists());
    });
}

#[test]
fn folders_that_cannot_be_read_are_named() {
    let place = Place::new();
    place.file("a.log", 9, 1);
    place.file("closed/b.log", 9, 1);
    fs::set_permissions(place.path("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    let readable = fs::read_dir(place.path("closed")).is_ok();
    let rule = json!({ "folder": ".", "patterns": "*", "max-age": 1, "keep-at-least": 0, "recursive": true });
    let run = test(&place, false, rule).run();
    fs::set_permissions(place.path("closed"), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(!place.path("a.log").exists());
    // Root reads everything.
    if !readable {
        assert_eq!(run.result, Ok(1));
        let closed = place.path("closed");
        assert_eq!(run.stderr_text(), format!("{closed:?}: Permission denied (os error 13)\n"));
    }
}

#[test]
fn it_stops_soon() {
    let place = Place::new();
    for number in 0..2000 {
        place.file(&format!("{number}.log"), 9, 0);
    }
    let rule = json!({ "folder": ".", "patterns": "*", "max-age": 1, "keep-at-least": 0 });
    let running = test(&place, false, rule).start();
    running.stop().unwrap();
    let run = running.wait();
    // It may have ended by itself on a machine that leaves this thread waiting.
    if run.result == Ok(1) {
        assert_eq!(run.stderr_text(), "stopped before everything was looked at\n");
        assert!(!place.names().is_empty());
    } else {
        assert_eq!((run.result, place.names().len()), (Ok(0), 0));
    }
}

#[test]
fn options_that_cannot_be() {
    let error = |rules: Value| test(&Place::new(), false, rules).run().result.unwrap_err().message;
    let expect = "options.rules[0]: no limit, expected max-age, max-count or max-total-size";
    assert_eq!(error(json!({ "folder": ".", "patterns": "*" })), expect);
    let message = error(json!({ "folder": ".", "patterns": "a/*", "max-count": 1 }));
    assert!(message.contains("rules") && message.contains("expected a pattern of file names"), "{message}");
}
