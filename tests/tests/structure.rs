//! Reads the sources and holds the architecture: who may import whom, where unsafe code and platform crates may be named,
//! what the core must not know. The rules are those of ARCHITECTURE.md; change both together.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::workspace;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Modules of the host that anybody above may use, with the leaves they use themselves.
const LEAVES: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("clock_watch", &["clock", "process"]),
    ("envfile", &[]),
    ("events", &["clock", "process"]),
    ("exit_code", &[]),
    ("launch", &["shared"]),
    ("logger", &["process"]),
    ("process", &["launch", "wire"]),
    ("records", &["process"]),
    ("shared", &[]),
    ("signals", &["process"]),
    ("state_dir", &[]),
    ("tail", &[]),
    ("ticks", &[]),
    ("wire", &[]),
];

/// The rooms between the driver and the leaves. They know the leaves named here, and not each other.
const ROOMS: &[(&str, &[&str])] = &[
    ("config", &["launch", "process", "shared"]),
    ("runner", &["clock", "envfile", "launch", "process", "records", "tail"]),
    ("plugin", &["process", "wire"]),
    ("notify", &["clock", "process", "records", "tail"]),
];

/// Files that may also use `plugin`: the adapters between it and their own room.
const PLUGIN_ADAPTERS: &[&str] = &[
    "runner/plugin.rs",
    "runner/plugin_output.rs",
    "runner/isolated.rs",
    "notify/plugin.rs",
    "notify/isolated.rs",
    "notify/exchange.rs",
];

/// Folders and files that may hold unsafe code.
const UNSAFE_ISLANDS: &[&str] = &["host/src/process/", "host/src/plugin/", "plugin-api/src/"];

struct Source {
    /// Relative to the workspace.
    path: String,
    /// Without comments and without unit tests.
    lines: Vec<(usize, String)>,
    length: usize,
}

fn sources(folder: &str) -> Vec<Source> {
    let mut files = Vec::new();
    collect(&workspace().join(folder), &mut files);
    assert!(!files.is_empty(), "no sources in {folder}");
    files
        .iter()
        .map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            let path = file.strip_prefix(workspace()).unwrap().to_string_lossy().into_owned();
            let lines = text
                .lines()
                .enumerate()
                .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
                .filter(|(_, line)| !line.trim_start().starts_with("//"))
                .map(|(index, line)| (index + 1, line.to_owned()))
                .collect();
            Source { path, lines, length: text.lines().count() }
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The modules of its own crate that a line names: `crate::a::b` → `a`, and `crate::{a::b, c}` → `a`, `c`.
fn imports(lines: &[(usize, String)]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in lines {
        for (at, _) in line.match_indices("crate::") {
            // `bansuri_crate::` is another word.
            if line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let rest = &line[at + "crate::".len()..];
            let names: Vec<&str> = match rest.strip_prefix('{') {
                Some(list) => list.split(',').collect(),
                None => vec![rest],
            };
            for name in names {
                let name = name.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
                if !name.is_empty() {
                    found.push((*number, name.to_owned()));
                }
            }
        }
    }
    found
}

/// The top-level module of a file of the host: `host/src/runner/spec.rs` → `runner`.
fn room(path: &str) -> &str {
    let inside = path.strip_prefix("host/src/").unwrap();
    inside.split('/').next().unwrap().trim_end_matches(".rs")
}

#[test]
fn rooms_import_only_what_lies_below_them() {
    let mut allowed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, below) in LEAVES.iter().chain(ROOMS) {
        allowed.insert(name, below.to_vec());
    }
    let leaves = LEAVES.iter().map(|(name, _)| *name);
    let rooms = ROOMS.iter().map(|(name, _)| *name);
    allowed.insert("driver", leaves.clone().chain(rooms.clone()).collect());
    allowed.insert("cli", leaves.chain(rooms).chain(["driver"]).collect());
    allowed.insert("main", vec![]);
    allowed.insert("lib", vec![]);

    let mut broken = Vec::new();
    for source in sources("host/src") {
        let room = room(&source.path);
        let Some(below) = allowed.get(room) else {
            broken.push(format!("{}: the room {room:?} is not in ARCHITECTURE.md's map", source.path));
            continue;
        };
        let adapter = PLUGIN_ADAPTERS.iter().any(|file| source.path == format!("host/src/{file}"));
        for (line, name) in imports(&source.lines) {
            if name != room && !below.contains(&name.as_str()) && !(adapter && name == "plugin") {
                broken.push(format!("{}:{line}: {room} must not use {name}", source.path));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

fn must_not_name(sources: &[Source], words: &[&str], why: &str) {
    let mut broken = Vec::new();
    for source in sources {
        for (number, line) in &source.lines {
            for word in words {
                if line.contains(word) {
                    broken.push(format!("{}:{number}: {word}: {why}", source.path));
                }
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn the_core_knows_no_clock_no_thread_and_no_io() {
    let core = sources("host/core/src");
    let outside = [
        "std::fs",
        "std::io",
        "std::net",
        "std::thread",
        "std::process",
        "std::env",
        "std::sync::Mutex",
        "Instant",
        "SystemTime",
        "println!",
        "log::",
        "unsafe ",
        "thread_local",
    ];
    must_not_name(&core, &outside, "the core is pure");
    let lib = std::fs::read_to_string(workspace().join("host/core/src/lib.rs")).unwrap();
    assert!(lib.contains("#![forbid(unsafe_code)]"));
}

#[test]
fn the_core_matches_every_pair_of_state_and_input() {
    let lifecycle: Vec<Source> =
        sources("host/core/src").into_iter().filter(|source| source.path.contains("lifecycle")).collect();
    must_not_name(&lifecycle, &[" _ =>", "\t_ =>"], "the lifecycle has no catch-all");
}

#[test]
fn only_the_plugin_room_names_the_abi() {
    let elsewhere: Vec<Source> =
        sources("host").into_iter().filter(|source| !source.path.starts_with("host/src/plugin/")).collect();
    must_not_name(&elsewhere, &["abi_stable", "libloading"], "only host/src/plugin/ loads libraries");
}

#[test]
fn plugins_and_examples_depend_on_the_plugin_api_alone() {
    // Their tests load them by the real binary.
    for folder in ["plugins", "examples"] {
        must_not_name(
            &sources(folder),
            &["abi_stable", "bansuri_core", "use bansuri::"],
            "authors use bansuri-plugin-api",
        );
    }
}

#[test]
fn unsafe_code_lives_on_its_islands() {
    let elsewhere: Vec<Source> =
        ["host/src", "host/core/src", "plugin-api/src", "plugins", "examples", "tests/src", "tests/tests"]
            .into_iter()
            .flat_map(sources)
            .filter(|source| !UNSAFE_ISLANDS.iter().any(|island| source.path.starts_with(island)))
            .filter(|source| !source.path.ends_with("tests/structure.rs"))
            .collect();
    must_not_name(
        &elsewhere,
        &["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "#[unsafe("],
        "unsafe code has its islands",
    );
}

#[test]
fn a_mod_file_lists_modules_and_holds_no_logic() {
    let mods: Vec<Source> =
        sources("host/src").into_iter().filter(|source| source.path.ends_with("/mod.rs")).collect();
    must_not_name(&mods, &["fn ", "impl ", "struct ", "enum "], "a mod.rs lists and re-exports");
}

#[test]
fn files_hold_one_concept() {
    let long: Vec<String> = ["host/src", "host/core/src", "plugin-api/src", "plugins", "examples"]
        .into_iter()
        .flat_map(sources)
        .filter(|source| source.length > 500)
        .map(|source| format!("{}: {} lines", source.path, source.length))
        .collect();
    assert!(long.is_empty(), "split these:\n{}", long.join("\n"));
}

#[test]
fn the_top_level_is_as_agreed() {
    let mut names: Vec<String> = std::fs::read_dir(workspace())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && name != "target")
        .collect();
    names.sort();
    let agreed = [
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "clippy.toml",
        "examples",
        "host",
        "plugin-api",
        "plugins",
        "rustfmt.toml",
        "tests",
    ];
    assert_eq!(names, agreed);
}
