//! Fingerprints of what crosses between a host and a plugin, so that a change of it is always meant.

use bansuri_tests::workspace;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// Where they are kept.
const FILE: &str = "plugin-api/abi.fingerprints";

/// What crosses: the types, how a library exports them, how paths are written.
const SOURCES: &[&str] =
    &["plugin-api/src/abi", "plugin-api/src/export.rs", "plugin-api/src/paths.rs", "plugin-api/include"];

/// What never changes at all.
const FROZEN: &str = "tests/fixtures/frozen";

#[test]
fn what_crosses_is_what_it_was() {
    let found = fingerprints();
    let committed = fs::read_to_string(workspace().join(FILE)).unwrap_or_default();
    if found == committed {
        return;
    }
    let lines = |of: &str, without: &str| -> String {
        of.lines()
            .filter(|line| !without.lines().any(|other| other == *line))
            .map(|line| format!("  {line}\n"))
            .collect()
    };
    panic!(
        "what crosses between hosts and plugins has changed.\nbefore:\n{}now:\n{}\
         Plugins that people have built must go on working: read plugin-api/ABI.md for what may change, and how. If the \
         change is one of those, and the other tests of growth pass, take the lines above over into {FILE}. The frozen \
         copy never changes.",
        lines(&committed, &found),
        lines(&found, &committed),
    );
}

#[test]
fn comments_and_blank_lines_do_not_count_and_everything_else_does() {
    let text = "//! A.\n\npub trait A { // one\n    /// Doc.\n    fn a(&self) -> u32;\n}\n";
    let same = "/* other\n * words */\npub trait A {\n  fn a(&self)  -> u32;\n\n}";
    assert_eq!(normalised(text), normalised(same));
    assert_ne!(normalised(text), normalised(&text.replace("u32", "u64")));
    assert_ne!(normalised("const A: &str = \"// no comment\";"), normalised("const A: &str = \""));
}

fn fingerprints() -> String {
    let mut text = String::new();
    let mut add = |name: &str, contents: &str| {
        writeln!(text, "{:016x}  {name}", fnv1a(normalised(contents).as_bytes())).unwrap();
    };
    // What the types consist of is laid out by this version of it.
    let root = fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    add("abi_stable", root.lines().find(|line| line.starts_with("abi_stable = ")).unwrap());
    for file in SOURCES.iter().flat_map(|source| files_of(source)) {
        let name = file.strip_prefix(workspace()).unwrap().to_str().unwrap();
        add(name, &fs::read_to_string(&file).unwrap());
    }
    let frozen: Vec<String> =
        files_of(FROZEN).iter().map(|file| normalised(&fs::read_to_string(file).unwrap())).collect();
    add(FROZEN, &frozen.join("\n"));
    text
}

/// The sources in a folder, or a file itself, in the order of their names.
fn files_of(path: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(&workspace().join(path), &mut files);
    files.sort();
    files
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            collect(&entry.unwrap().path(), files);
        }
    } else if path
        .extension()
        .is_some_and(|extension| ["rs", "h", "toml"].iter().any(|known| extension == *known))
    {
        files.push(path.to_owned());
    }
}

/// Without comments, and with one space for each stretch of white space.
fn normalised(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    let mut in_text = false;
    while let Some(character) = rest.chars().next() {
        if !in_text && rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if !in_text && rest.starts_with("/*") {
            rest = rest.find("*/").map_or("", |end| &rest[end + 2..]);
        } else if in_text && character == '\\' {
            let two = rest.char_indices().nth(2).map_or(rest.len(), |(end, _)| end);
            kept.push_str(&rest[..two]);
            rest = &rest[two..];
        } else {
            in_text ^= character == '"';
            kept.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// FNV-1a of 64 bits: nobody is to be fooled, and no crate is needed.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
