//! The configuration file changes on disk, in every way it may, and the watch tells: once, and when it is still.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use bansuri::config::{ConfigWatch, STILLNESS};
use polling::{Events, Poller};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

const KEY: usize = 3;

struct Bench {
    folder: tempfile::TempDir,
    poller: Arc<Poller>,
    watch: ConfigWatch,
}

impl Bench {
    /// Watches the file of this name in a folder that `prepare` has filled.
    fn new(name: &str, prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path());
        let poller = Arc::new(Poller::new().unwrap());
        let watch = ConfigWatch::arm(&folder.path().join(name), &poller, KEY).unwrap();
        Self { folder, poller, watch }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Whether there is an event now. The kernel has them ready when the call that caused them returns.
    fn stirs(&mut self) -> bool {
        self.wait(Duration::ZERO)
    }

    fn wait(&mut self, limit: Duration) -> bool {
        let mut events = Events::new();
        self.poller.wait(&mut events, Some(limit)).unwrap();
        let stirs = events.iter().any(|event| event.key == KEY);
        if stirs {
            self.watch.on_ready().unwrap();
        }
        stirs
    }

    /// Does what a driver does until nothing is left to wait for: whether a change was reported.
    fn settle(&mut self) -> bool {
        let patience = Instant::now() + PATIENCE;
        while let Some(deadline) = self.watch.deadline() {
            assert!(Instant::now() < patience);
            if !self.wait(deadline.saturating_duration_since(Instant::now())) && self.watch.take_change() {
                return true;
            }
        }
        false
    }

    /// What was just done to the file is told, once.
    #[track_caller]
    fn tells(&mut self) {
        assert!(self.stirs(), "no event");
        assert!(self.settle(), "no change");
        assert_eq!(self.watch.deadline(), None);
        assert!(!self.stirs() && !self.watch.take_change(), "told twice");
    }

    #[track_caller]
    fn tells_nothing(&mut self) {
        assert!(!self.stirs() && self.watch.deadline().is_none());
    }
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
}

/// As editors do it.
fn rename_over(path: &Path, text: &str) {
    let fresh = path.with_extension("fresh");
    write(&fresh, text);
    fs::rename(fresh, path).unwrap();
}

#[test]
fn written_in_place_again_and_again() {
    let mut bench = Bench::new("scripts.json", |folder| write(&folder.join("scripts.json"), "{}"));
    bench.tells_nothing();
    // The same length, and maybe the same time.
    for text in ["[]", "{}", "[]"] {
        write(&bench.file("scripts.json"), text);
        bench.tells();
    }
}

#[test]
fn renamed_over_again_and_again() {
    let mut bench = Bench::new("scripts.json", |folder| write(&folder.join("scripts.json"), "{}"));
    for text in ["[]", "{}", "[]"] {
        rename_over(&bench.file("scripts.json"), text);
        bench.tells();
        write(&bench.file("scripts.json"), "in place");
        bench.tells();
    }
}

#[test]
fn renamed_over_while_the_old_one_is_kept_as_a_backup() {
    let mut bench = Bench::new("scripts.json", |folder| write(&folder.join("scripts.json"), "{}"));
    for number in 0..3 {
        let file = bench.file("scripts.json");
        // A hard link, and then the other way editors do it.
        fs::hard_link(&file, bench.file(&format!("link{number}"))).unwrap();
        assert!(!bench.stirs() || !bench.settle(), "it has a name more, and is the same");
        rename_over(&file, "a");
        bench.tells();
        fs::rename(&file, bench.file("scripts.json~")).unwrap();
        write(&file, "b");
        bench.tells();
    }
}

#[test]
fn removed_and_made_again() {
    let mut bench = Bench::new("scripts.json", |folder| write(&folder.join("scripts.json"), "{}"));
    for _ in 0..3 {
        fs::remove_file(bench.file("scripts.json")).unwrap();
        bench.tells();
        write(&bench.file("another"), "");
        assert!(bench.stirs(), "the folder is watched now");
        assert_eq!(bench.watch.deadline(), None);
        write(&bench.file("scripts.json"), "{}");
        bench.tells();
        write(&bench.file("scripts.json"), "[]");
        bench.tells();
    }
}

#[test]
fn removed_and_made_again_at_once_is_one_change() {
    let mut bench = Bench::new("scripts.json", |folder| write(&folder.join("scripts.json"), "{}"));
    fs::remove_file(bench.file("scripts.json")).unwrap();
    assert!(bench.stirs());
    write(&bench.file("scripts.json"), "[]");
    bench.tells();
}

#[test]
fn links_swapped_as_in_a_config_map() {
    let publish = |folder: &Path, version: &str| {
        fs::create_dir(folder.join(version)).unwrap();
        write(&folder.join(version).join("scripts.json"), version);
        symlink(version, folder.join("..data_tmp")).unwrap();
        fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    };
    let mut bench = Bench::new("scripts.json", |folder| {
        publish(folder, "..1");
        symlink("..data/scripts.json", folder.join("scripts.json")).unwrap();
    });
    for version in 2..6 {
        publish(bench.folder.path(), &format!("..{version}"));
        fs::remove_dir_all(bench.file(&format!("..{}", version - 1))).unwrap();
        bench.tells();
        assert_eq!(fs::read_to_string(bench.file("scripts.json")).unwrap(), format!("..{version}"));
    }
}

#[test]
fn a_link_that_points_elsewhere_now_and_what_it_points_to() {
    let mut bench = Bench::new("sub/scripts.json", |folder| {
        fs::create_dir(folder.join("sub")).unwrap();
        write(&folder.join("a.json"), "a");
        write(&folder.join("b.json"), "b");
        symlink("../a.json", folder.join("sub/scripts.json")).unwrap();
    });
    write(&bench.file("b.json"), "not this one");
    bench.tells_nothing();
    rename_over(&bench.file("a.json"), "A");
    bench.tells();
    fs::remove_file(bench.file("sub/scripts.json")).unwrap();
    symlink(bench.file("b.json"), bench.file("sub/scripts.json")).unwrap();
    bench.tells();
    write(&bench.file("b.json"), "B");
    bench.tells();
    write(&bench.file("a.json"), "not this one any more");
    bench.tells_nothing();
    fs::remove_file(bench.file("b.json")).unwrap();
    bench.tells();
    write(&bench.file("b.json"), "back");
    bench.tells();
}

#[test]
fn a_link_in_a_circle_is_put_right() {
    let mut bench = Bench::new("scripts.json", |folder| {
        symlink("scripts.json", folder.join("scripts.json")).unwrap();
    });
    rename_over(&bench.file("scripts.json"), "{}");
    bench.tells();
}

#[test]
fn the_folder_is_replaced() {
    let mut bench = Bench::new("etc/app/scripts.json", |folder| {
        fs::create_dir_all(folder.join("etc/app")).unwrap();
        write(&folder.join("etc/app/scripts.json"), "1");
    });
    fs::create_dir_all(bench.file("new/app")).unwrap();
    write(&bench.file("new/app/scripts.json"), "2");
    bench.tells_nothing();
    fs::rename(bench.file("etc"), bench.file("old")).unwrap();
    fs::rename(bench.file("new"), bench.file("etc")).unwrap();
    bench.tells();
    write(&bench.file("etc/app/scripts.json"), "3");
    bench.tells();
    write(&bench.file("old/app/scripts.json"), "not this one");
    bench.tells_nothing();

    fs::remove_dir_all(bench.file("etc")).unwrap();
    bench.tells();
    // Each folder appears on its own.
    fs::create_dir(bench.file("etc")).unwrap();
    assert!(bench.stirs());
    fs::create_dir(bench.file("etc/app")).unwrap();
    assert!(bench.stirs());
    write(&bench.file("etc/app/scripts.json"), "4");
    bench.tells();
    // Both at once, before anybody looks.
    fs::remove_dir_all(bench.file("etc")).unwrap();
    bench.tells();
    fs::create_dir_all(bench.file("etc/app")).unwrap();
    write(&bench.file("etc/app/scripts.json"), "5");
    bench.tells();
}

#[test]
fn what_is_written_beside_it_wakes_nobody() {
    let mut bench = Bench::new("scripts.json", |folder| write(&folder.join("scripts.json"), "{}"));
    let mut log = OpenOptions::new().append(true).create(true).open(bench.file("task.log")).unwrap();
    for _ in 0..100 {
        log.write_all(b"line\n").unwrap();
    }
    drop(log);
    fs::create_dir(bench.file("folder")).unwrap();
    fs::remove_file(bench.file("task.log")).unwrap();
    fs::read(bench.file("scripts.json")).unwrap();
    bench.tells_nothing();
}

#[test]
fn it_is_not_told_before_it_is_still() {
    let mut bench = Bench::new("scripts.json", |folder| write(&folder.join("scripts.json"), "{}"));
    let mut file = OpenOptions::new().append(true).open(bench.file("scripts.json")).unwrap();
    for _ in 0..3 {
        let before = Instant::now();
        file.write_all(b" ").unwrap();
        assert!(bench.stirs());
        assert!(bench.watch.deadline().unwrap() >= before + STILLNESS, "the wait begins again");
        assert!(!bench.watch.take_change() || Instant::now() >= before + STILLNESS);
    }
    let before = Instant::now();
    file.write_all(b" ").unwrap();
    assert!(bench.stirs() && bench.settle());
    assert!(before.elapsed() >= STILLNESS);
}

#[test]
fn touched_but_not_changed_is_no_change() {
    let mut bench = Bench::new("scripts.json", |folder| write(&folder.join("scripts.json"), "{}"));
    fs::set_permissions(bench.file("scripts.json"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
    assert!(bench.stirs());
    assert!(!bench.settle());
}

#[test]
fn a_thousand_changes_leave_no_watches_behind() {
    let mut bench = Bench::new("scripts.json", |folder| write(&folder.join("scripts.json"), "{}"));
    let watches = || {
        let folder = fs::read_dir("/proc/self/fdinfo").unwrap().flatten();
        let infos = folder.filter_map(|entry| fs::read_to_string(entry.path()).ok());
        infos.map(|info| info.lines().filter(|line| line.starts_with("inotify ")).count()).max().unwrap()
    };
    let steps = fs::canonicalize(bench.folder.path()).unwrap().components().count();
    for number in 0..1_000 {
        rename_over(&bench.file("scripts.json"), &number.to_string());
        assert!(bench.stirs());
    }
    assert!(bench.settle());
    // Other tests of this process have a few of their own.
    assert!(watches() <= steps + 10, "{} watches", watches());
}

#[test]
fn nothing_to_watch_is_an_error() {
    let poller = Arc::new(Poller::new().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("x".repeat(300));
    assert!(ConfigWatch::arm(&long, &poller, KEY).is_err());
}
