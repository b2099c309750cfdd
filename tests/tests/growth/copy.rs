//! A copy of today's plugin-api with something added to all that may grow, made from the sources themselves.

use bansuri_tests::{artifacts, workspace};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// A workspace under target/ with the grown plugin-api, the plugin that uses what is new in it, and today's host, whose
/// binary has another name there.
pub(crate) fn grown() -> &'static Path {
    static HOME: LazyLock<PathBuf> = LazyLock::new(make);
    &HOME
}

fn make() -> PathBuf {
    let home = artifacts().with_file_name("grown");
    let root = fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    let inherited = between(&root, "[workspace.package]", "[profile.dev.package");
    let members =
        "[workspace]\nresolver = \"3\"\nmembers = [\"host\", \"host/core\", \"plugin\", \"plugin-api\"]\n\n";
    write(&home.join("Cargo.toml"), &format!("{members}{inherited}"));
    write(&home.join("Cargo.lock"), &fs::read_to_string(workspace().join("Cargo.lock")).unwrap());
    let api = workspace().join("plugin-api");
    let manifest = fs::read_to_string(api.join("Cargo.toml")).unwrap();
    write(&home.join("plugin-api/Cargo.toml"), &next_patch(&manifest));
    copy(&api, &home.join("plugin-api"), Path::new("src"), &with_additions);
    copy(&workspace().join("tests/fixtures/grown"), &home.join("plugin"), Path::new(""), &|_, text| text);
    let manifest = fs::read_to_string(workspace().join("host/Cargo.toml")).unwrap();
    let binary = manifest.replacen("[[bin]]\nname = \"bansuri\"", "[[bin]]\nname = \"grown-host\"", 1);
    assert_ne!(binary, manifest, "the host's manifest is another");
    write(&home.join("host/Cargo.toml"), &binary);
    for folder in ["src", "core"] {
        link(&workspace().join("host").join(folder), &home.join("host").join(folder));
    }
    home
}

/// What a later version may do, done to one file.
fn with_additions(file: &Path, mut text: String) -> String {
    // A defaulted method after the last one of every trait, which its implementations override.
    if text.contains("#[sabi_trait]") {
        let method = "\n    /// Of a later version.\n    fn grown(&self) -> u32 {\n        7\n    }\n";
        text = before_end_of(&text, "pub trait Abi", method);
    }
    for name in ["AbiTask", "AbiNotifier", "AbiFault", "AbiExport"] {
        let implementation =
            text.lines().find(|line| line.starts_with("impl") && line.contains(&format!("{name} for ")));
        if let Some(start) = implementation.map(str::to_owned) {
            text = before_end_of(&text, &start, "\n    fn grown(&self) -> u32 {\n        8\n    }\n");
        }
    }
    match file.to_str().unwrap() {
        // A field after the last one of the root module.
        "src/abi/root.rs" => {
            let field = "\n    /// Of a later version.\n    pub grown: extern \"C\" fn() -> u32,\n";
            before_end_of(&text, "pub struct PluginModule ", field)
        }
        "src/export.rs" => {
            text = before_end_of_value(&text, "    let module = PluginModule {\n", "        grown,\n");
            text + "\nextern \"C\" fn grown() -> u32 {\n    9\n}\n"
        }
        // New words for authors, and uses of what a host of before does not have.
        "src/author/context.rs" => {
            let method = "\n    /// Of a later version.\n    pub fn grown(&self) -> u32 {\n        self.host().grown()\n    }\n";
            before_end_of(&text, "impl TaskContext ", method)
        }
        "src/adapter.rs" => {
            let told = "log_forwarder::adopt_level(&logger);\n    log_forwarder::send(&logger, log::Level::Info, \"grown\", \
                        &format!(\"config {} log {}\", config.grown(), logger.grown()));\n";
            assert!(
                text.contains("log_forwarder::adopt_level(&logger);\n"),
                "plugin-api's adapter is another"
            );
            text = text.replace("log_forwarder::adopt_level(&logger);\n", told);
            let call = "            notifier.notify(";
            assert!(text.contains(call), "plugin-api's adapter is another");
            text.replace(call, &format!("            log::info!(\"failure {{}}\", failure.grown());\n{call}"))
        }
        _ => text,
    }
}

/// Inserts before the brace that ends the item which begins so, at the margin.
fn before_end_of(text: &str, start: &str, addition: &str) -> String {
    insert(text, start, "\n}\n", 1, addition)
}

/// The same for a value in a function.
fn before_end_of_value(text: &str, start: &str, addition: &str) -> String {
    insert(text, start, "\n    };\n", 1, addition)
}

fn insert(text: &str, start: &str, end: &str, keep: usize, addition: &str) -> String {
    let from = text.find(start).unwrap_or_else(|| panic!("plugin-api has no {start:?} any more"));
    let length = text[from..].find(end).unwrap_or_else(|| panic!("{start:?} has no end"));
    let at = from + length + keep;
    format!("{}{addition}{}", &text[..at], &text[at..])
}

/// A manifest of the next version that promises the same: a growth of the interface is a patch.
fn next_patch(manifest: &str) -> String {
    let version = between(manifest, "version = \"", "\"\n").trim_start_matches("version = \"");
    let (minor, patch) = version.rsplit_once('.').unwrap();
    let next = format!("{minor}.{}", patch.parse::<u32>().unwrap() + 1);
    manifest.replacen(&format!("version = \"{version}\""), &format!("version = \"{next}\""), 1)
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let from = text.find(start).unwrap_or_else(|| panic!("{start:?} is not there any more"));
    let length = text[from..].find(end).unwrap_or_else(|| panic!("{end:?} is not there any more"));
    &text[from..from + length]
}

fn copy(from: &Path, to: &Path, relative: &Path, change: &dyn Fn(&Path, String) -> String) {
    for entry in fs::read_dir(from.join(relative)).unwrap() {
        let entry = entry.unwrap();
        let file = relative.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(from, to, &file, change);
        } else {
            write(&to.join(&file), &change(&file, fs::read_to_string(entry.path()).unwrap()));
        }
    }
}

fn link(from: &Path, to: &Path) {
    if fs::read_link(to).is_ok_and(|found| found == from) {
        return;
    }
    let _ = fs::remove_file(to);
    std::os::unix::fs::symlink(from, to).unwrap();
}

/// Leaves a file alone that says so already, so that cargo builds only what is new.
fn write(file: &Path, text: &str) {
    if fs::read_to_string(file).is_ok_and(|found| found == text) {
        return;
    }
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}
