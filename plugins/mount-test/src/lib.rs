//! Lets a test mount file systems that nobody else sees: it is run again by itself, in a mount namespace of its own, and
//! what it mounts there is gone when it has ended. Root is not needed where users may have namespaces.
#![forbid(unsafe_code)]

use std::fs::File;
use std::path::Path;
use std::process::Command;

/// Set for the test that runs in its own namespace.
const INSIDE: &str = "BANSURI_TEST_HAS_MOUNTS_OF_ITS_OWN";

/// Runs `body` in a namespace. `test` is the name of the calling test, with its modules. Says so and does nothing where
/// this machine gives no namespaces.
///
/// # Panics
/// The test fails there.
pub fn with_own_mounts(test: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    let ways: [&[&str]; 2] = [&["--mount"], &["--user", "--map-root-user", "--mount"]];
    // As in the test, where a tmpfs is the least that is mounted.
    let works = |way: &&[&str]| {
        let probe =
            Command::new("unshare").args(*way).args(["mount", "-t", "tmpfs", "tmpfs", "/mnt"]).output();
        probe.is_ok_and(|probe| probe.status.success())
    };
    let Some(way) = ways.into_iter().find(works) else {
        eprintln!("{test}: skipped, no mount namespaces here");
        return;
    };
    let program = std::env::current_exe().expect("a program knows its path");
    let mut command = Command::new("unshare");
    command.args(way).arg(program).args([test, "--exact", "--nocapture", "--test-threads=1"]);
    // There, a folder that something is mounted on cannot be removed; here, nothing is.
    let folders = tempfile::tempdir().expect("a temporary folder can be made");
    let command = command.env(INSIDE, "1").env("TMPDIR", folders.path());
    let output = command.output().expect("unshare was there a moment ago");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (told, errors) = (text(&output.stdout), text(&output.stderr));
    // A name that matches no test would pass too.
    assert!(output.status.success() && told.contains("1 passed"), "{told}\n{errors}");
    // What it could not do there.
    eprint!("{errors}");
}

/// Mounts a tmpfs on a folder, with options such as `size=1m,nr_inodes=10`.
///
/// # Panics
/// It cannot be mounted.
pub fn mount_tmpfs(folder: &Path, options: &str) {
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder).output();
    let mount = mount.expect("there is a mount program");
    assert!(mount.status.success(), "{}", String::from_utf8_lossy(&mount.stderr));
}

/// Mounts a new ext4 on a folder, of 8 MiB in an image beside it, of which so many percent are kept for root. Whether this
/// machine can.
pub fn mount_ext4(folder: &Path, reserved_percent: u8) -> bool {
    let image = folder.with_extension("ext4");
    let made = File::create(&image).and_then(|file| file.set_len(8 << 20)).is_ok();
    let does = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    let reserved = reserved_percent.to_string();
    made && does(Command::new("mke2fs").args(["-q", "-t", "ext4", "-m", &reserved]).arg(&image))
        && does(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(folder))
}

/// Mounts a file system on a folder whose every question is left unanswered, as a network's is whose server is gone, until
/// what is returned is dropped. `None` where this machine has no such file system (FUSE).
pub fn mount_unanswering(folder: &Path) -> Option<File> {
    // The daemon's side, which nobody reads.
    let daemon = File::options().read(true).write(true).open("/dev/fuse").ok()?;
    let options = "fd=0,rootmode=40000,user_id=0,group_id=0";
    let mut mount = Command::new("mount");
    mount
        .args(["-i", "-t", "fuse", "-o", options, "unanswering"])
        .arg(folder)
        .stdin(daemon.try_clone().ok()?);
    mount.output().is_ok_and(|mount| mount.status.success()).then_some(daemon)
}
