//! Checks of real file systems.

use bansuri_mount_test::{mount_ext4, mount_tmpfs, mount_unanswering, with_own_mounts};
use bansuri_plugin_api::testing::{TaskTest, TestRun};
use disk_space::DiskSpace;
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

fn run(options: Value) -> TestRun {
    TaskTest::<DiskSpace>::new().options(options).run()
}

#[test]
fn enough_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let paths = json!([folder.path(), { "path": "/", "min-free-inodes": 1 }, "/"]);
    let run = run(json!({ "paths": paths, "min-free": 1 }));
    assert_eq!((&run.result, run.stderr_text().as_ref()), (&Ok(0), ""));
    let lines: Vec<_> = run.stdout_text().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with(&format!("{:?}: ", folder.path())), "{lines:?}");
    assert!(lines[1].starts_with("\"/\": ") && lines[1] == lines[2], "{lines:?}");
}

#[test]
fn too_little_space() {
    let run = run(json!({ "paths": "/", "min-free": "15000000T" }));
    assert_eq!(run.result, Ok(1));
    let line = run.stderr_text().into_owned();
    assert!(
        line.starts_with("\"/\": ") && line.ends_with("%) free, expected at least 15000000.0 TiB\n"),
        "{line}"
    );
    assert_eq!(run.stdout_text().lines().count(), 1);
}

#[test]
fn a_path_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let options = json!({ "paths": ["gone", "."], "min-free": 1 });
    let run = TaskTest::<DiskSpace>::new().working_directory(folder.path()).options(options).run();
    assert_eq!(run.result, Ok(1));
    let gone = folder.path().join("gone");
    assert_eq!(run.stderr_text(), format!("{gone:?}: No such file or directory (os error 2)\n"));
    assert_eq!(run.stdout_text().lines().count(), 1, "the other one was looked at");
}

#[test]
fn options_that_cannot_be() {
    let error = run(json!({ "paths": "/" })).result.unwrap_err().message;
    assert_eq!(error, "options: \"/\": no limit, expected min-free or min-free-inodes");
    let error = run(json!({ "paths": "/", "min-free": "ten" })).result.unwrap_err().message;
    assert!(error.contains("min-free") && error.contains("\"ten\": expected a share or a size"), "{error}");
}

/// What `df` says is what counts.
#[test]
fn a_file_system_that_fills_up() {
    with_own_mounts("a_file_system_that_fills_up", || {
        let folder = tempfile::tempdir().unwrap();
        mount_tmpfs(folder.path(), "size=1m,nr_inodes=10");
        let path = folder.path();
        let options = json!({ "paths": [path], "min-free": "50%", "min-free-inodes": "50%" });

        let empty = run(options.clone());
        assert_eq!((&empty.result, empty.stderr_text().as_ref()), (&Ok(0), ""));
        let all_free = "1.0 MiB of 1.0 MiB (100.0%) free, 9 of 10 inodes (90.0%) free";
        assert_eq!(empty.stdout_text(), format!("{path:?}: {all_free}\n"));

        fs::write(path.join("large"), vec![0; 600 * 1024]).unwrap();
        let filled = run(options.clone());
        assert_eq!(filled.result, Ok(1));
        let expect = "424.0 KiB of 1.0 MiB (41.4%) free, expected at least 50%";
        assert_eq!(filled.stderr_text(), format!("{path:?}: {expect}\n"));

        for number in 0..6 {
            fs::write(path.join(number.to_string()), "").unwrap();
        }
        let full = run(options);
        assert_eq!(full.result, Ok(1));
        let inodes = "2 of 10 inodes (20.0%) free, expected at least 50%";
        assert_eq!(full.stderr_text(), format!("{path:?}: {expect}\n{path:?}: {inodes}\n"));
    });
}

#[test]
fn what_is_kept_for_root_is_not_free() {
    with_own_mounts("what_is_kept_for_root_is_not_free", || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mounted");
        fs::create_dir(&path).unwrap();
        if !mount_ext4(&path, 50) {
            eprintln!("skipped, no ext4 or no loop devices here");
            return;
        }
        let enough = run(json!({ "paths": path, "min-free": "30%" }));
        assert_eq!((&enough.result, enough.stderr_text().as_ref()), (&Ok(0), ""));
        let short = run(json!({ "paths": path, "min-free": "51%" }));
        assert_eq!(short.result, Ok(1), "{}", short.stdout_text());
    });
}

#[test]
fn a_file_system_without_inodes() {
    with_own_mounts("a_file_system_without_inodes", || {
        let folder = tempfile::tempdir().unwrap();
        mount_tmpfs(folder.path(), "size=1m,nr_inodes=0");
        let run = run(json!({ "paths": folder.path(), "min-free-inodes": "100%" }));
        assert_eq!((&run.result, run.stderr_text().as_ref()), (&Ok(0), ""));
        assert!(run.stdout_text().ends_with(", any number of inodes free\n"));
    });
}

#[test]
fn a_file_system_that_hangs() {
    with_own_mounts("a_file_system_that_hangs", || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let Some(hanging) = mount_unanswering(path) else {
            eprintln!("skipped, no FUSE here");
            return;
        };
        // However many runs ask, one question is under way.
        for _ in 0..3 {
            let late = run(json!({ "paths": path, "min-free": 1, "timeout": "20ms" }));
            assert_eq!(late.result, Ok(1));
            assert_eq!(late.stderr_text(), format!("{path:?}: no answer within 20ms\n"));
        }
        assert!(threads_named("disk-space") <= 1);

        // The other path is looked at all the same.
        let options = json!({ "paths": ["/", path], "min-free": 1, "timeout": "1d" });
        let running = TaskTest::<DiskSpace>::new().options(options).start();
        assert!(running.wait_for_stdout("\"/\": ", Duration::from_secs(60)));
        running.stop().unwrap();
        let stopped = running.wait();
        assert_eq!(stopped.result, Ok(1));
        assert_eq!(stopped.stderr_text(), format!("{path:?}: stopped before there was an answer\n"));

        let options = json!({ "paths": path, "min-free": 1, "timeout": "1d" });
        let running = TaskTest::<DiskSpace>::new().options(options).start();
        drop(hanging);
        let answered = running.wait();
        assert_eq!(answered.result, Ok(1));
        assert!(answered.stderr_text().starts_with(&format!("{path:?}: ")), "{}", answered.stderr_text());
    });
}

fn threads_named(name: &str) -> usize {
    let threads = fs::read_dir("/proc/self/task").expect("there is a list of threads");
    let names =
        threads.flatten().map(|thread| fs::read_to_string(thread.path().join("comm")).unwrap_or_default());
    names.filter(|found| found.trim() == name).count()
}
