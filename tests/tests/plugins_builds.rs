//! A library that is replaced under a running host.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::{Host, Sandbox, compile, library, sha256, wait_until};
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::io::{Seek, Write};

const ONE: &str = "this-build:one";
const TWO: &str = "this-build:two";

/// The file of another build.
fn second_build() -> Vec<u8> {
    let mut bytes = fs::read(library("rebuilt")).unwrap();
    let places: Vec<_> =
        bytes.windows(ONE.len()).enumerate().filter(|(_, found)| *found == ONE.as_bytes()).collect();
    let [(at, _)] = *places.as_slice() else { panic!("the word is there {} times", places.len()) };
    bytes[at..at + TWO.len()].copy_from_slice(TWO.as_bytes());
    bytes
}

fn rename_over(sandbox: &Sandbox, bytes: &[u8]) {
    fs::write(sandbox.file("fresh"), bytes).unwrap();
    fs::rename(sandbox.file("fresh"), sandbox.file("plugin.so")).unwrap();
}

/// As `cp` does: the file is empty for a while.
fn write_anew(sandbox: &Sandbox, bytes: &[u8]) {
    fs::write(sandbox.file("plugin.so"), bytes).unwrap();
}

/// Every byte of what may be mapped.
fn overwrite(sandbox: &Sandbox, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(sandbox.file("plugin.so")).unwrap();
    file.write_all(&vec![0xcc; bytes.len()]).unwrap();
    file.rewind().unwrap();
    file.write_all(bytes).unwrap();
}

/// A task that ticks, and one whose run lasts until there is a file `until`.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new(&json!({
        "notifiers": { "teller": { "plugin": "./plugin.so:Writes", "options": { "path": "told" } } },
        "scripts": [
            { "name": "long", "no-interface": true, "command": "./plugin.so:Tells", "options": { "until": "until" },
              "stdout": "long.log" },
            { "name": "tick", "no-interface": true, "command": "./plugin.so:Tells", "timer": "10ms",
              "stdout": "tick.log" },
            { "name": "fails", "command": "exit 1", "timer": "50ms", "notify": "teller" },
        ],
    }));
    fs::copy(library("rebuilt"), sandbox.file("plugin.so")).unwrap();
    sandbox
}

fn loaded(host: &mut Host, what: &str, is_refused: bool) -> Value {
    host.event(what, |event| event["event"] == "plugin-loaded" && event["error"].is_null() != is_refused)
}

fn last_line(sandbox: &Sandbox, file: &str) -> String {
    fs::read_to_string(sandbox.file(file)).unwrap_or_default().lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_new_build_is_used_by_the_next_runs_while_running_ones_finish_on_the_old() {
    for replace in [rename_over, write_anew, overwrite] {
        let sandbox = sandbox();
        let mut host = sandbox.start(&[]);
        loaded(&mut host, "the first build", false);
        host.state("long", "RUNNING");
        wait_until("the old build ticks", || last_line(&sandbox, "tick.log") == ONE);
        wait_until("the old build tells", || last_line(&sandbox, "told").starts_with(ONE));
        replace(&sandbox, &second_build());
        let event = loaded(&mut host, "the new build", false);
        assert_eq!(event["tasks"], json!(["Tells"]));
        assert_eq!(
            event["library"],
            sandbox.path().canonicalize().unwrap().join("plugin.so").to_str().unwrap()
        );
        wait_until("the new build ticks", || last_line(&sandbox, "tick.log") == TWO);
        wait_until("the new build tells", || last_line(&sandbox, "told").starts_with(TWO));
        fs::write(sandbox.file("until"), "").unwrap();
        let ended = host.state("long", "COMPLETED");
        assert_eq!(ended["run"], 1);
        assert_eq!(sandbox.read("long.log"), format!("{ONE}\n{ONE} to the end\n"));
        assert_eq!(host.stop(), 0);
        let failed = host.seen().iter().find(|event| event["task"] == "tick" && event["to"] == "FAILED");
        assert_eq!(failed, None);
        assert!(!sandbox.file(".bansuri/plugins").exists(), "no copy is left");
    }
}

#[test]
fn a_new_build_that_is_refused_is_told_and_the_old_one_goes_on() {
    let sandbox = sandbox();
    let bad = sandbox.file("bad.so");
    let mut host = sandbox.start(&[]);
    loaded(&mut host, "the first build", false);
    for (fixture, why) in [("crashes", "killed by SIGSEGV"), ("exits", "exit code 0")] {
        compile(&format!("at-load/{fixture}.c"), &bad);
        rename_over(&sandbox, &fs::read(&bad).unwrap());
        let event = loaded(&mut host, "its refusal", true);
        assert!(event["error"].as_str().unwrap().contains(why), "{event}");
        assert_eq!(event["tasks"], json!(["Tells"]), "of the build that runs use");
        host.state("tick", "COMPLETED");
        assert_eq!(last_line(&sandbox, "tick.log"), ONE);
    }
    // Truncated midway, and then whole.
    let whole = second_build();
    let mut file = OpenOptions::new().write(true).open(sandbox.file("plugin.so")).unwrap();
    file.set_len(whole.len() as u64 / 2).unwrap();
    file.write_all(&whole[..whole.len() / 2]).unwrap();
    let event = loaded(&mut host, "the refusal of half a file", true);
    assert!(event["error"].as_str().unwrap().starts_with("truncated"), "{event}");
    host.state("tick", "COMPLETED");
    file.write_all(&whole[whole.len() / 2..]).unwrap();
    loaded(&mut host, "the whole file", false);
    wait_until("the new build ticks", || last_line(&sandbox, "tick.log") == TWO);
    fs::write(sandbox.file("until"), "").unwrap();
    host.state("long", "COMPLETED");
    assert_eq!(sandbox.read("long.log"), format!("{ONE}\n{ONE} to the end\n"));
    assert_eq!(host.stop(), 0);
    assert!(host.log().contains("runs go on with the build before"));
}

#[test]
fn a_pinned_library_goes_on_as_it_is_and_another_is_refused_by_check() {
    let sandbox = sandbox();
    let pin = sha256(&library("rebuilt"));
    let configuration = json!({ "scripts": [
        { "name": "tick", "no-interface": true, "command": "./plugin.so:Tells", "timer": "10ms", "sha256": pin,
          "stdout": "tick.log" },
    ]});
    fs::write(sandbox.file("scripts.json"), configuration.to_string()).unwrap();
    assert_eq!(sandbox.output(&["check"]).status.code(), Some(0));
    let mut host = sandbox.start(&[]);
    host.state("tick", "COMPLETED");
    rename_over(&sandbox, &second_build());
    let event = loaded(&mut host, "the refusal of other content", true);
    assert!(event["error"].as_str().unwrap().contains(&format!("expected {pin}")), "{event}");
    host.state("tick", "COMPLETED");
    assert_eq!(last_line(&sandbox, "tick.log"), ONE);
    // The pinned content again, and another once more.
    rename_over(&sandbox, &fs::read(library("rebuilt")).unwrap());
    loaded(&mut host, "the end of the refusal", false);
    rename_over(&sandbox, &second_build());
    loaded(&mut host, "the refusal of other content again", true);
    assert_eq!(host.stop(), 0);
    for arguments in [&["check"][..], &["run"]] {
        let output = sandbox.output(arguments);
        assert_eq!(output.status.code(), Some(3));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains("its content is not the pinned one"), "{text}");
    }
}

#[test]
fn what_is_not_the_pinned_content_is_not_even_tried() {
    let sandbox = sandbox();
    let pin = sha256(&library("rebuilt"));
    let configuration = |more: Value| {
        let mut scripts = vec![json!({
            "name": "tick", "no-interface": true, "command": "./plugin.so:Tells", "timer": "10ms", "sha256": pin,
            "stdout": "tick.log",
        })];
        scripts.extend(more.as_array().unwrap().iter().cloned());
        let notifiers = json!({ "teller": {
            "plugin": "./plugin.so:Writes", "options": { "path": "told" }, "sha256": pin,
        }});
        fs::write(
            sandbox.file("scripts.json"),
            json!({ "notifiers": notifiers, "scripts": scripts }).to_string(),
        )
        .unwrap();
    };
    configuration(json!([]));
    let mut host = sandbox.start(&[]);
    host.state("tick", "COMPLETED");
    let bad = sandbox.file("bad.so");
    compile("at-load/tells.c", &bad);
    rename_over(&sandbox, &fs::read(&bad).unwrap());
    let event = loaded(&mut host, "the refusal of other content", true);
    assert!(event["error"].as_str().unwrap().contains(&format!("expected {pin}")), "{event}");
    host.state("tick", "COMPLETED");
    assert_eq!(last_line(&sandbox, "tick.log"), ONE);
    assert_eq!(host.stop(), 0);
    for arguments in [&["check"][..], &["run"], &["schema"]] {
        sandbox.output(arguments);
    }
    assert!(!sandbox.file("loaded").exists(), "code that is not the pinned one was executed");
    // Whoever asks for it without a pin has it tried.
    configuration(json!([{ "name": "any", "no-interface": true, "command": "./plugin.so:Tells" }]));
    assert_eq!(sandbox.output(&["check"]).status.code(), Some(3));
    assert!(sandbox.file("loaded").exists());
}

#[test]
fn nothing_of_a_pinned_library_is_left_outside_the_state_dir() {
    let sandbox = sandbox();
    let pin = sha256(&library("rebuilt"));
    let configuration = json!({ "scripts": [
        { "name": "long", "no-interface": true, "command": "./plugin.so:Tells", "options": { "until": "until" },
          "sha256": pin, "stdout": "long.log" },
    ]});
    fs::write(sandbox.file("scripts.json"), configuration.to_string()).unwrap();
    let temporary = sandbox.file("tmp");
    fs::create_dir(&temporary).unwrap();
    let left = || fs::read_dir(&temporary).unwrap().count();
    let mut command = sandbox.command(&["run", "--events", "-"]);
    command.env("TMPDIR", &temporary);
    let mut host = Host::start(command);
    host.state("long", "RUNNING");
    wait_until("its code runs", || last_line(&sandbox, "long.log") == ONE);
    assert_eq!(left(), 0, "its copy is in the state dir");
    assert_eq!(host.stop(), 0);
    assert!(!sandbox.file(".bansuri/plugins").exists());
}

#[test]
fn a_new_build_that_hangs_holds_up_nobody_else() {
    let sandbox = sandbox();
    let configuration = json!({ "scripts": [
        { "name": "slow", "no-interface": true, "command": "./slow.so:Tells", "timer": "10ms" },
        { "name": "tick", "no-interface": true, "command": "./plugin.so:Tells", "timer": "10ms" },
    ]});
    fs::write(sandbox.file("scripts.json"), configuration.to_string()).unwrap();
    fs::copy(library("rebuilt"), sandbox.file("slow.so")).unwrap();
    let mut host = sandbox.start(&[]);
    host.state("slow", "COMPLETED");
    compile("at-load/hangs.c", &sandbox.file("fresh"));
    fs::rename(sandbox.file("fresh"), sandbox.file("slow.so")).unwrap();
    // What follows takes five seconds.
    let before = host.seen().len();
    let event = loaded(&mut host, "its refusal", true);
    assert!(event["error"].as_str().unwrap().starts_with("hangs: not loaded after 5 s"), "{event}");
    let ticks = host.seen()[before..].iter().filter(|it| it["task"] == "tick" && it["to"] == "COMPLETED");
    assert!(ticks.count() >= 20);
    host.state("slow", "COMPLETED");
    assert_eq!(host.stop(), 0);
}

#[test]
fn where_nothing_can_be_loaded_from_a_copy_that_is_said_and_a_full_disk_too() {
    let test = "where_nothing_can_be_loaded_from_a_copy_that_is_said_and_a_full_disk_too";
    bansuri_mount_test::with_own_mounts(test, || {
        let sandbox = sandbox();
        let configuration = json!({ "scripts": [
            { "name": "once", "no-interface": true, "command": "./plugin.so:Tells", "stdout": "once.log" },
        ]});
        fs::write(sandbox.file("scripts.json"), configuration.to_string()).unwrap();
        let run = |folder: &str, options: &str| {
            let folder = sandbox.file(folder);
            fs::create_dir(&folder).unwrap();
            bansuri_mount_test::mount_tmpfs(&folder, options);
            let mut command = sandbox.command(&["run", "--exit-when-done"]);
            let output = command.env("TMPDIR", &folder).env("BANSURI_STATE_DIR", &folder).output().unwrap();
            // The sandbox cannot be removed with what is mounted in it.
            let gone = std::process::Command::new("umount").arg(&folder).status().unwrap();
            assert!(gone.success());
            (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let (code, log) = run("noexec", "noexec");
        assert!(log.contains("mounted with noexec: plugins are loaded from their own files"), "{log}");
        assert_eq!((code, last_line(&sandbox, "once.log").as_str()), (Some(0), ONE));
        let (code, log) = run("full", "size=64k");
        assert!(
            log.contains("cannot be tried: private copy in \"") && log.contains("no space left"),
            "{log}"
        );
        assert_eq!(code, Some(3));
    });
}
