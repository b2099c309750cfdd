//! The macro benchmark in its smallest form: that every measurement measures something, not how fast anything is.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::{Sandbox, artifacts};
use serde_json::{Value, json};
use std::process::Command;

/// The rows that only the host has, with nothing to hold them against.
const WITHOUT_LIMIT: &[&str] = &["memory-cron", "memory-timer", "timer-drift"];

/// The rows whose figure may be 0 or, where it is a difference of two, below: of a few tasks it says nothing.
const ANY_NUMBER: &[&str] = &[
    "idle-wakeups",
    "memory-cron",
    "memory-running",
    "memory-timer",
    "plugin-process",
    "plugin-thread",
    "spawn-cpu",
    "respawn-cpu",
    "timer-drift",
];

#[test]
fn every_row_has_a_figure_of_the_host_and_of_the_limit() {
    let sandbox = Sandbox::new(&json!({ "scripts": [] }));
    let result = sandbox.file("result.json");
    let mut bench = Command::new(env!("CARGO_BIN_EXE_bench"));
    bench.args(["--smoke", "--no-peers", "--artifacts"]).arg(artifacts()).arg("--json").arg(&result);
    let output = bench.output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");

    let result: Value = serde_json::from_str(&sandbox.read("result.json")).unwrap();
    assert!(result["machine"]["kernel"].is_string() && result["machine"]["date"].is_string(), "{result:#}");
    assert!(result["versions"]["Bansuri"].is_string(), "{result:#}");
    let rows = result["rows"].as_array().unwrap();
    assert!(rows.len() >= 25, "a measurement is missing: {rows:#?}");
    let table = String::from_utf8_lossy(&output.stdout);
    for row in rows {
        let key = row["key"].as_str().unwrap();
        assert!(table.contains(row["what"].as_str().unwrap()), "{key} is not in the table:\n{table}");
        if key == "plugin-process" && !runs_plugins_in_processes() {
            continue;
        }
        for subject in ["limit", "bansuri"] {
            let figure = row[subject]["median"].as_f64();
            if subject == "limit" && WITHOUT_LIMIT.contains(&key) {
                assert_eq!(figure, None, "{key}");
                continue;
            }
            let figure = figure.unwrap_or_else(|| panic!("{subject} has no {key}:\n{log}"));
            assert!(
                figure.is_finite() && (figure > 0.0 || ANY_NUMBER.contains(&key)),
                "{subject} {key}: {figure}"
            );
        }
    }
}

fn runs_plugins_in_processes() -> bool {
    let script = json!({
        "name": "nothing", "no-interface": true, "command": "misbehaving:Exits", "options": { "code": 0 },
        "isolation": "process",
    });
    Sandbox::new(&json!({ "scripts": [script] })).output(&["check"]).status.success()
}
