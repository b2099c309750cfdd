//! Log files that are rotated and stamped by the host.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::Sandbox;
use serde_json::json;
use std::io::Read;

/// Everything in FILE and its rotations, the oldest first.
fn all(sandbox: &Sandbox, name: &str) -> String {
    let mut text = String::new();
    let mut index = 1;
    while sandbox.file(&format!("{name}.{index}")).exists() {
        index += 1;
    }
    for old in (1..index).rev() {
        text += &sandbox.read(&format!("{name}.{old}"));
    }
    text + &sandbox.read(name)
}

#[test]
fn no_byte_is_lost_or_doubled_across_a_hundred_rotations_at_full_speed() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "a", "command": "seq 1 400000", "stdout": "a.log", "rotate": { "max-size": "24K", "keep": 500 } },
    ]}));
    assert_eq!(sandbox.run().0, 0);
    assert!(sandbox.file("a.log.100").exists(), "a hundred rotations");
    let expected: String = (1..=400_000).map(|n| format!("{n}\n")).collect();
    assert!(all(&sandbox, "a.log") == expected, "the files are not what was written");
    assert!(std::fs::metadata(sandbox.file("a.log.1")).unwrap().len() <= 24 * 1024);
}

#[test]
fn old_files_beyond_keep_go_and_the_others_may_be_compressed() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "a", "command": "seq 1 20000", "stdout": "a.log", "rotate": { "max-size": "16K", "keep": 2 } },
        { "name": "b", "command": "seq 1 20000", "stdout": "b.log", "rotate": { "max-size": "16K", "keep": 2, "compress": true } },
    ]}));
    assert_eq!(sandbox.run().0, 0);
    assert!(sandbox.file("a.log.2").exists() && !sandbox.file("a.log.3").exists());
    assert!(sandbox.file("b.log.2.gz").exists() && !sandbox.file("b.log.3.gz").exists());
    let plain = std::process::Command::new("gzip")
        .args(["-dc", "b.log.1.gz"])
        .current_dir(sandbox.path())
        .output()
        .unwrap();
    assert!(plain.status.success());
    assert_eq!(String::from_utf8(plain.stdout).unwrap(), sandbox.read("a.log.1"));
}

#[test]
fn each_line_begins_with_its_time() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "a", "command": "echo one; echo two >&2; printf three", "stdout": "a.log", "timestamps": true },
    ]}));
    assert_eq!(sandbox.run().0, 0);
    let text = sandbox.read("a.log");
    let lines: Vec<(&str, &str)> = text.lines().map(|line| line.split_once(' ').unwrap()).collect();
    assert_eq!(lines.iter().map(|(_, rest)| *rest).collect::<Vec<_>>(), ["one", "two", "three"]);
    assert!(lines.iter().all(|(time, _)| time.len() >= 20 && time.ends_with('Z')), "{text}");
}

#[test]
fn a_reader_that_follows_the_file_by_name_sees_every_line() {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "a", "command": "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo $i; done; echo end", "stdout": "a.log",
          "rotate": { "max-size": "1K", "keep": 100 } },
    ]}));
    std::fs::write(sandbox.file("a.log"), "").unwrap();
    let mut follower = std::process::Command::new("tail")
        .args(["-n", "+1", "-F", "--sleep-interval=0.01", "a.log"])
        .current_dir(sandbox.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    assert_eq!(sandbox.run().0, 0);
    // What the files hold is what any follower can see; tail itself may skip files that came and went between two looks.
    let expected: String = (1..=3000).map(|n| format!("{n}\n")).collect::<String>() + "end\n";
    assert_eq!(all(&sandbox, "a.log"), expected);
    follower.kill().unwrap();
    let mut seen = String::new();
    follower.stdout.take().unwrap().read_to_string(&mut seen).unwrap();
    follower.wait().unwrap();
    let numbers: Vec<u32> = seen.lines().filter_map(|line| line.parse().ok()).collect();
    assert!(numbers.is_sorted(), "no line twice or out of order");
}
