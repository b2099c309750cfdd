//! A plugin in a host: the real binary finds the library by the plugin's name, tries it, loads it and runs it.

use bansuri_tests::{Sandbox, end};
use serde_json::{Value, json};

/// What a task has left when its run has ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ran {
    /// What `run` returned.
    pub exit_code: i64,
    /// All that it wrote there.
    pub stdout: String,
    /// All that it wrote there.
    pub stderr: String,
}

/// The only type that a plugin exports, as `plugin inspect` tells it, and the list in which it stands: `tasks` or
/// `notifiers`.
///
/// # Panics
/// The host does not take the library, or it exports none or several.
pub fn only_export(plugin: &str) -> (&'static str, Value) {
    let sandbox = Sandbox::new(&json!({ "scripts": [] }));
    let output = sandbox.output(&["plugin", "inspect", plugin, "--format", "json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).expect("what it exports is told as JSON");
    let list = |kind: &'static str| {
        let types = told[kind].as_array().unwrap_or_else(|| panic!("no {kind} in {told:#}"));
        types.iter().map(move |export| (kind, export.clone()))
    };
    let mut exports = list("tasks").chain(list("notifiers"));
    match (exports.next(), exports.next()) {
        (Some(export), None) => export,
        _ => panic!("expected one export: {told:#}"),
    }
}

/// Runs a plugin's only task once, with these options, to the end of the run.
///
/// # Panics
/// The run could not be started, or has ended without an exit code.
pub fn run_task(plugin: &str, options: &Value) -> Ran {
    let sandbox = Sandbox::new(&json!({ "scripts": [{
        "name": "task", "no-interface": true, "command": plugin, "options": options,
        "stdout": "stdout.log", "stderr": "stderr.log",
    }] }));
    let events = run(&sandbox);
    let ended = end(&events, "task");
    let exit_code = ended["exit_code"].as_i64().unwrap_or_else(|| panic!("no exit code in {ended:#}"));
    Ran { exit_code, stdout: sandbox.read("stdout.log"), stderr: sandbox.read("stderr.log") }
}

/// Lets a task `backup` write `out \xff` and fail, and its failure be told by a plugin's only notifier, with these options.
///
/// # Panics
/// The notifier has not told it.
pub fn notify(plugin: &str, options: &Value) {
    let sandbox = Sandbox::new(&json!({
        "notifiers": { "ops": { "plugin": plugin, "options": options } },
        "scripts": [{ "name": "backup", "command": r"printf 'out \377'; exit 1", "notify": "ops" }],
    }));
    let events = run(&sandbox);
    let told: Vec<_> = events.iter().filter(|event| event["event"] == "notification").collect();
    let expect = json!({ "task": "backup", "notifier": "ops", "ok": true });
    let as_expected = |told: &Value| ["task", "notifier", "ok"].iter().all(|key| told[key] == expect[key]);
    assert!(matches!(told[..], [told] if as_expected(told)), "{told:#?}");
}

/// Runs a host until all is done: its events. A task that fails is no error.
fn run(sandbox: &Sandbox) -> Vec<Value> {
    let mut host = sandbox.start(&["--exit-when-done"]);
    let code = host.wait();
    assert!(matches!(code, 0 | 1), "exit code {code}\nlog:\n{}", host.log());
    host.seen().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "expected one export")]
    fn a_plugin_that_exports_several_types_is_found() {
        only_export("misbehaving");
    }

    #[test]
    #[should_panic(expected = "options.folder")]
    fn options_that_the_host_refuses_are_told() {
        run_task("minimal-task", &json!({ "folder": 1, "at-most": 0 }));
    }

    #[test]
    #[should_panic(expected = "\"ok\": Bool(false)")]
    fn a_notifier_that_fails_is_found() {
        notify("minimal-notifier", &json!({ "path": "/nonexistent/journal" }));
    }
}
