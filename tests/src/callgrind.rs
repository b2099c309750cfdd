//! Counting instructions with valgrind, which is repeatable on any machine.

use serde_json::{Value, json};
use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};

/// Sees that valgrind is there, before anything is built for it.
///
/// # Errors
/// It is not.
pub fn find() -> Result<(), String> {
    let found = Command::new("valgrind").arg("--version").stdin(Stdio::null()).output();
    found.map(|_| ()).map_err(|error| format!("valgrind, which counts instructions, cannot be run: {error}"))
}

/// What a check of a configuration of so many tasks takes.
///
/// # Errors
/// As [`instructions`].
pub fn of_check(host: &Path, tasks: usize) -> Result<u64, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("scripts.json");
    std::fs::write(&file, configuration(tasks).to_string())?;
    let file = file.to_str().ok_or("the temporary folder has an odd name")?;
    instructions(host, &["check", "--config", file])
}

fn configuration(tasks: usize) -> Value {
    let script = |n: usize| {
        let mut script = json!({ "name": format!("task {n}"), "command": format!("/bin/true {n}") });
        match n % 2 {
            0 => script["schedule-cron"] = format!("{} {} * * *", n % 60, n % 24).into(),
            _ => (script["timer"], script["timeout"]) = ("1h".into(), "10m".into()),
        }
        script
    };
    json!({ "version": "1.0", "scripts": (0..tasks).map(script).collect::<Vec<_>>() })
}

/// How many instructions a program takes in user space, from its start to its end. valgrind lacks the
/// system calls by which the host watches what it runs: what runs tasks cannot be counted.
///
/// # Errors
/// valgrind cannot be run, or the program fails.
pub fn instructions(program: &Path, arguments: &[&str]) -> Result<u64, Box<dyn Error>> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program).args(arguments);
    let output =
        valgrind.stdin(Stdio::null()).output().map_err(|error| format!("valgrind cannot be run: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{} {arguments:?} failed:\n{said}", program.display()).into());
    }
    let collected = said.lines().find_map(|line| line.split_once("Collected :"));
    let (_, number) = collected.ok_or_else(|| format!("no count in:\n{said}"))?;
    Ok(number.trim().parse()?)
}
