//! What the README promises a new user.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::{Sandbox, bansuri, library, library_of, sha256, workspace};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

fn outcomes(events: &[Value], task: &str) -> Vec<String> {
    let of_task = events.iter().filter(|event| event["event"] == "task-state" && event["task"] == task);
    of_task
        .map(|event| event["to"].as_str().unwrap().to_owned())
        .filter(|state| state != "PENDING" && state != "RUNNING")
        .collect()
}

#[test]
fn the_quickstart_runs_to_its_end() {
    // A copy: what it writes belongs beside its configuration.
    let text = std::fs::read_to_string(workspace().join("examples/quickstart/scripts.json")).unwrap();
    let sandbox = Sandbox::with_text(&text);
    let mut command = sandbox.command(&["--exit-when-done", "--events", "events.jsonl"]);
    // As the README has it: plugins are found beside the binary.
    command.env_remove("BANSURI_PLUGIN_PATH");
    let output = command.output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{log}");

    let events: Vec<Value> =
        sandbox.read("events.jsonl").lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(outcomes(&events, "hello"), ["COMPLETED"]);
    assert_eq!(outcomes(&events, "tick"), ["COMPLETED"; 3]);
    assert_eq!(outcomes(&events, "flaky"), ["FAILED", "FAILED", "COMPLETED"]);
    assert_eq!(outcomes(&events, "hangs-once"), ["TIMED_OUT", "COMPLETED"]);
    assert_eq!(outcomes(&events, "file-count"), ["COMPLETED"]);
    assert_eq!(sandbox.read("hello.log"), "Hello from hello\n");
    assert_eq!(sandbox.read("tick.log").lines().count(), 3);
    assert!(sandbox.read("file-count.log").contains(" files in "));
    let by_command = sandbox.read("notified-by-command.txt");
    assert!(by_command.contains("attempt 1") && by_command.contains("attempt 2"), "{by_command}");
    assert!(sandbox.read("notified-by-plugin.txt").contains("hangs-once"));
}

/// The JSON blocks of a Markdown file that are configurations.
fn configurations(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    let blocks = text.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks
        .filter_map(|block| serde_json::from_str::<Value>(block).ok())
        .filter(|v| v.get("scripts").is_some())
        .collect()
}

#[test]
fn every_configuration_of_the_readme_is_accepted_but_for_its_plugins_path() {
    let all = configurations(&workspace().join("README.md"));
    assert!(all.len() >= 7, "the README has lost its configurations");
    for mut configuration in all {
        if configuration["scripts"][0]["no-interface"] == true {
            // It takes whatever options there are.
            configuration["scripts"][0]["command"] = json!("misbehaving:Echo");
            if let Some(pin) = configuration["scripts"][0].get_mut("sha256") {
                *pin = json!(sha256(&library("misbehaving")));
            }
        }
        let output = Sandbox::new(&configuration).output(&["check", "--strict"]);
        assert!(output.status.success(), "{configuration:#}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_readme_names_every_subcommand_and_option() {
    let readme = std::fs::read_to_string(workspace().join("README.md")).unwrap();
    let help = Command::new(bansuri()).args(["run", "--help"]).output().unwrap();
    for line in String::from_utf8(help.stdout).unwrap().lines() {
        if let Some(option) = line.split_whitespace().find(|word| word.starts_with("--")) {
            let option = option.trim_end_matches([',', '.']);
            if !["--help", "--verbose", "--quiet", "--config"].contains(&option)
                && line.trim_start().starts_with('-')
            {
                assert!(readme.contains(option), "{option}");
            }
        }
    }
}

/// The first block of this language in a text.
fn block<'a>(text: &'a str, language: &str) -> &'a str {
    text.split(&format!("```{language}\n")).nth(1).unwrap().split("```").next().unwrap()
}

/// A plugin that a text has its reader write, made, built and configured as there: the folder and the configuration,
/// but for the path of the library.
fn plugin_of(text: &str, name: &str) -> (Sandbox, Value) {
    let sandbox = Sandbox::with_text(block(text, "json"));
    let arguments: Vec<&str> = block(text, "sh").lines().next().unwrap().split_whitespace().skip(1).collect();
    let made = sandbox.output(&arguments);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let folder = sandbox.file(name);
    std::fs::write(folder.join("src/lib.rs"), block(text, "rust")).unwrap();
    // The versions of the workspace, so that what is built for it serves again.
    std::fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let mut configuration: Value = serde_json::from_str(block(text, "json")).unwrap();
    configuration["scripts"][0]["command"] = json!(library_of(&folder, name, &["--offline"]));
    (sandbox, configuration)
}

/// The plugin of "Your first plugin in five minutes".
#[test]
fn the_readmes_first_plugin_builds_and_runs() {
    let readme = std::fs::read_to_string(workspace().join("README.md")).unwrap();
    let chapter = readme.split("## Your first plugin in five minutes").nth(1).unwrap();
    let (sandbox, mut configuration) = plugin_of(chapter, "wait-for-file");
    configuration["scripts"][0]["options"]["path"] = json!(sandbox.file("ready"));
    std::fs::write(sandbox.file("scripts.json"), configuration.to_string()).unwrap();
    let mut host = sandbox.start(&["--exit-when-done"]);
    host.state("wait", "RUNNING");
    std::fs::write(sandbox.file("ready"), "").unwrap();
    host.state("wait", "COMPLETED");
    assert_eq!(host.wait(), 0);
}

/// The task of the author's guide, whose other examples are compiled as documentation of the crate.
#[test]
fn the_guides_task_builds_and_runs() {
    let guide = std::fs::read_to_string(workspace().join("plugin-api/README.md")).unwrap();
    let (sandbox, configuration) = plugin_of(&guide, "log-size");
    std::fs::create_dir(sandbox.file("log")).unwrap();
    std::fs::write(sandbox.file("scripts.json"), configuration.to_string()).unwrap();
    let output = sandbox.output(&["check", "--strict"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut host = sandbox.start(&[]);
    host.state("logs", "COMPLETED");
    assert_eq!(host.stop(), 0);
}
