//! Libraries that others can change: refused by a host that is root, and warned about by any other.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::{Sandbox, bansuri, compile, library};
use rustix::process::geteuid;
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Command, Output};

/// Somebody who is neither root nor likely to be anybody.
const STRANGER: u32 = 54_321;

/// `plugins/plugin.so`, a copy that nobody else can change.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "task", "no-interface": true, "command": "plugins/plugin.so:Exits", "options": { "code": 0 } },
        { "name": "other", "no-interface": true, "command": "plugins/plugin.so:Exits", "options": { "code": 0 } },
    ]}));
    fs::create_dir(sandbox.file("plugins")).unwrap();
    fs::copy(library("misbehaving"), sandbox.file("plugins/plugin.so")).unwrap();
    for path in ["plugins", "plugins/plugin.so", "scripts.json"] {
        fs::set_permissions(sandbox.file(path), Permissions::from_mode(0o755)).unwrap();
    }
    sandbox
}

fn canonical(sandbox: &Sandbox, name: &str) -> PathBuf {
    sandbox.path().canonicalize().unwrap().join(name)
}

fn findings(output: &Output) -> Vec<(String, String)> {
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let word = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    findings.iter().map(|finding| (word(finding, "severity"), word(finding, "message"))).collect()
}

/// What brings about that others can do something, and what is said of it.
type Fault = (fn(&Sandbox), String);

/// What others can do.
fn faults(sandbox: &Sandbox) -> Vec<Fault> {
    let (folder, file) = (canonical(sandbox, "plugins"), canonical(sandbox, "plugins/plugin.so"));
    let group = rustix::process::getegid().as_raw();
    vec![
        (
            |sandbox| fs::set_permissions(sandbox.file("plugins"), Permissions::from_mode(0o777)).unwrap(),
            format!("folder {folder:?} may be written to by everybody (mode 0777)"),
        ),
        (
            |sandbox| {
                fs::set_permissions(sandbox.file("plugins"), Permissions::from_mode(0o755)).unwrap();
                fs::set_permissions(sandbox.file("plugins/plugin.so"), Permissions::from_mode(0o664))
                    .unwrap();
            },
            format!("file {file:?} may be written to by group {group} (mode 0664)"),
        ),
    ]
}

#[test]
fn a_host_that_is_root_refuses_them() {
    if !geteuid().is_root() {
        eprintln!("a_host_that_is_root_refuses_them: skipped: takes root");
        return;
    }
    let sandbox = sandbox();
    assert_eq!(sandbox.run().0, 0);
    let refused = |why: &str| {
        let output = sandbox.output(&["check", "--format", "json"]);
        let library = canonical(&sandbox, "plugins/plugin.so");
        let expect = format!("library {library:?}: not to be trusted by a host that runs as root: {why}");
        let found = findings(&output);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].0 == "error" && found[0].1.ends_with(&expect), "{found:?}\n{expect}");
        let run = sandbox.output(&["run"]);
        assert_eq!(run.status.code(), Some(3));
        let inspect = sandbox.output(&["plugin", "inspect", "plugins/plugin.so"]);
        assert_eq!(String::from_utf8_lossy(&inspect.stderr), format!("bansuri: {expect}\n"));
    };
    for (bring_about, why) in faults(&sandbox) {
        bring_about(&sandbox);
        refused(&why);
    }
    let file = sandbox.file("plugins/plugin.so");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    chown(&file, Some(STRANGER), None).unwrap();
    refused(&format!("file {:?} belongs to user {STRANGER}", canonical(&sandbox, "plugins/plugin.so")));
    chown(&file, Some(0), None).unwrap();
    assert_eq!(sandbox.output(&["check"]).status.code(), Some(0));
}

#[test]
fn a_new_build_that_others_can_change_is_refused_by_a_running_host_that_is_root() {
    if !geteuid().is_root() {
        eprintln!("a_new_build_that_others_can_change: skipped: takes root");
        return;
    }
    let sandbox = sandbox();
    let text = sandbox.read("scripts.json").replacen("\"options\"", "\"timer\": \"10ms\", \"options\"", 1);
    fs::write(sandbox.file("scripts.json"), text).unwrap();
    let mut host = sandbox.start(&[]);
    host.state("task", "COMPLETED");
    fs::set_permissions(sandbox.file("plugins/plugin.so"), Permissions::from_mode(0o666)).unwrap();
    let event =
        host.event("the refusal", |event| event["event"] == "plugin-loaded" && !event["error"].is_null());
    assert!(
        event["error"].as_str().unwrap().contains("may be written to by everybody (mode 0666)"),
        "{event}"
    );
    host.state("task", "COMPLETED");
    fs::set_permissions(sandbox.file("plugins/plugin.so"), Permissions::from_mode(0o644)).unwrap();
    // What is wrong with a folder does not show on the file.
    fs::set_permissions(sandbox.file("plugins"), Permissions::from_mode(0o777)).unwrap();
    compile("at-load/tells.c", &sandbox.file("plugins/fresh.so"));
    fs::rename(sandbox.file("plugins/fresh.so"), sandbox.file("plugins/plugin.so")).unwrap();
    host.event("the refusal", |event| {
        event["error"]
            .as_str()
            .is_some_and(|error| error.contains("may be written to by everybody (mode 0777)"))
    });
    assert!(!sandbox.file("loaded").exists(), "nothing of it was executed");
    fs::set_permissions(sandbox.file("plugins"), Permissions::from_mode(0o755)).unwrap();
    host.event("another judgement", |event| {
        event["error"].as_str().is_some_and(|error| error.contains("not a Bansuri plugin"))
    });
    host.state("task", "COMPLETED");
    assert_eq!(host.stop(), 0);
}

#[test]
fn copies_are_not_kept_where_others_could_change_them() {
    if !geteuid().is_root() {
        eprintln!("copies_are_not_kept_where_others_could_change_them: skipped: takes root");
        return;
    }
    let sandbox = Sandbox::new(&json!({ "scripts": [
        { "name": "task", "no-interface": true, "command": "misbehaving:Exits", "options": { "code": 0 } },
    ]}));
    fs::set_permissions(sandbox.path(), Permissions::from_mode(0o777)).unwrap();
    let output = sandbox.output(&["run", "--exit-when-done"]);
    assert_eq!(output.status.code(), Some(0));
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    let folder = sandbox.path().canonicalize().unwrap();
    let why = format!(
        "folder {folder:?} may be written to by everybody (mode 0777): their copies are kept in a temporary folder"
    );
    assert!(log.contains(&why), "{log}");
    assert!(!sandbox.file(".bansuri/plugins").exists());
}

#[test]
fn any_other_host_warns_of_them_once() {
    let sandbox = sandbox();
    for (bring_about, why) in faults(&sandbox) {
        bring_about(&sandbox);
        let output = as_no_root(&sandbox, &["check", "--format", "json"]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let found = findings(&output);
        let about: Vec<_> = found.iter().filter(|(_, message)| message.ends_with(&why)).collect();
        assert_eq!(about.len(), 1, "{found:?}\n{why}");
        assert!(about[0].0 == "warning" && about[0].1.starts_with("task \"task\": command"), "{found:?}");
        assert_eq!(as_no_root(&sandbox, &["run", "--exit-when-done"]).status.code(), Some(0));
    }
}

/// The binary as a user who is not root, and whose the sandbox is.
fn as_no_root(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    if !geteuid().is_root() {
        return sandbox.output(arguments);
    }
    let binary = sandbox.file("bansuri");
    fs::copy(bansuri(), &binary).unwrap();
    for path in [
        sandbox.path().to_owned(),
        sandbox.file("plugins"),
        sandbox.file("plugins/plugin.so"),
        binary.clone(),
    ] {
        chown(path, Some(STRANGER), None).unwrap();
    }
    let id = STRANGER.to_string();
    let mut setpriv = Command::new("setpriv");
    setpriv.args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"]).arg(binary).args(arguments);
    setpriv.current_dir(sandbox.path()).env_remove("BANSURI_STATE_DIR").output().unwrap()
}
