//! A plugin built with a later plugin-api in today's host.

use crate::copy;
use bansuri_tests::{Sandbox, end, library_of};
use serde_json::{Value, json};

#[test]
fn a_plugin_of_a_grown_plugin_api_uses_what_is_new_and_finds_the_defaults() {
    let library = library_of(&copy::grown(), "grown", &["--offline"]);
    let reference = |name: &str| format!("{}:{name}", library.display());
    let sandbox = Sandbox::new(&json!({
        "notifiers": { "told": { "plugin": reference("Told") } },
        "scripts": [
            { "name": "fails", "no-interface": true, "command": reference("Curious"), "stdout": "out.log", "notify": "told" },
            { "name": "late", "no-interface": true, "command": reference("Curious"), "options": { "waits": true },
              "timeout": "100ms" },
        ],
    }));
    let output = sandbox.output(&["plugin", "inspect", library.to_str().unwrap(), "--format", "json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["tasks"][0]["name"], "Curious");
    assert_eq!(value["notifiers"][0]["name"], "Told");

    let mut host = sandbox.start(&["--exit-when-done"]);
    assert_eq!(host.wait(), 1);
    let events = host.seen();
    assert_eq!(end(events, "fails")["reason"], "no more than the defaults");
    assert_eq!(end(events, "late")["to"], "TIMED_OUT");
    let told = events.iter().find(|event| event["event"] == "notification").unwrap();
    assert_eq!(told["ok"], true, "{told}");
    // What today's host does not have answers as the later plugin-api says that it does for such a host.
    assert_eq!(sandbox.read("out.log"), "context 7\n");
    let log = host.log();
    for text in ["config 7 log 7", "failure 7"] {
        assert!(log.contains(text), "{text} in {log}");
    }
}
