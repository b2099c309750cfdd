//! `bansuri plugin list`: what is found by a bare name, tried in children alone.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::{Sandbox, compile, file_name, library};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Output;

/// A folder `own`, named by the configuration, and a folder `further`, named by the environment.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new(
        &json!({ "plugins": { "search-paths": ["own", "missing"] }, "scripts": [{ "nmae": 1 }] }),
    );
    for (package, place) in [
        ("minimal-task", "own"),
        ("minimal-notifier", "further"),
        ("minimal-task", "further"),
        ("no-root-module", "further"),
        ("incompatible", "further"),
    ] {
        let folder = sandbox.file(place);
        fs::create_dir_all(&folder).unwrap();
        fs::copy(library(package), folder.join(file_name(package))).unwrap();
    }
    let whole = fs::read(library("minimal-task")).unwrap();
    fs::write(sandbox.file("further/libtruncated.so"), &whole[..whole.len() / 2]).unwrap();
    fs::write(sandbox.file("further/notes.txt"), "no library").unwrap();
    compile("at-load/crashes.c", &sandbox.file("further/libcrashing.so"));
    sandbox
}

fn list(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    let mut all = vec!["plugin", "list"];
    all.extend(arguments);
    let mut command = sandbox.command(&all);
    command.env("BANSURI_PLUGIN_PATH", sandbox.file("further"));
    command.output().unwrap()
}

#[test]
fn every_library_is_listed_with_its_version_its_types_or_its_fault() {
    let sandbox = sandbox();
    let output = list(&sandbox, &["--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let all: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let home = sandbox.path().canonicalize().unwrap();
    let of = |place: &str| {
        let found = all.iter().find(|it| Path::new(it["library"].as_str().unwrap()).ends_with(place));
        found.unwrap_or_else(|| panic!("{place} in {all:#?}"))
    };
    let task = of("own/libminimal_task.so");
    assert_eq!(
        (&task["name"], &task["fault"], &task["shadowed_by"]),
        (&json!("minimal-task"), &Value::Null, &Value::Null)
    );
    assert_eq!(task["api_version"], "0.1.0");
    assert_eq!(task["tasks"][0]["name"], "FileCount");
    assert_eq!(task["notifiers"], json!([]));
    assert_eq!(of("further/libminimal_notifier.so")["notifiers"][0]["name"], "Journal");
    let shadowed = of("further/libminimal_task.so")["shadowed_by"].as_str().unwrap();
    assert!(Path::new(shadowed).canonicalize().unwrap().starts_with(home.join("own")), "{shadowed}");
    for (place, fault) in [
        ("further/libno_root_module.so", "not a Bansuri plugin"),
        ("further/libincompatible.so", "incompatible plugin-api: built with 9.1.0"),
        ("further/libtruncated.so", "truncated"),
        ("further/libcrashing.so", "SIGSEGV"),
    ] {
        let found = of(place);
        assert!(found["fault"].as_str().unwrap().contains(fault), "{found}");
        assert_eq!((&found["api_version"], &found["tasks"]), (&Value::Null, &json!([])));
    }
    // What lies beside the binary comes last.
    assert!(all.iter().any(|it| it["name"] == "misbehaving"));
    assert!(!all.iter().any(|it| it["name"] == "notes"));
}

#[test]
fn people_read_a_line_for_each_library_and_each_type() {
    let sandbox = sandbox();
    let output = list(&sandbox, &["-c", "scripts.json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let home = sandbox.path().display();
    for line in [
        format!("minimal-task (plugin-api 0.1.0): {home}/own/libminimal_task.so"),
        "  task FileCount  fails when a folder holds more files than it should".to_owned(),
        format!("minimal-task (plugin-api 0.1.0): {home}/further/libminimal_task.so"),
        format!("  not found by its name: {home}/own/libminimal_task.so comes first"),
        format!("no-root-module: {home}/further/libno_root_module.so"),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\nin\n{text}");
    }
    assert!(text.contains("\n  fault: not a Bansuri plugin: "), "{text}");
}

#[test]
fn a_configuration_that_cannot_be_read_is_an_error() {
    let sandbox = Sandbox::with_text("{");
    for arguments in [&[][..], &["-c", "elsewhere.json"]] {
        let output = list(&sandbox, arguments);
        assert_eq!((output.status.code(), output.stdout), (Some(3), Vec::new()));
        assert!(!output.stderr.is_empty());
    }
}
