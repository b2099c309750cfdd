//! `bansuri plugin new`: a crate to begin with, which builds, passes its tests and runs as it is.

use super::crate_name::CrateName;
use crate::cli::args::{NewPluginArgs, fail};
use crate::exit_code;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where this binary was built from; beside it lies the crate that plugins are built with.
const SOURCE_TREE: &str = env!("CARGO_MANIFEST_DIR");

const MANIFEST: &str = include_str!("template/Cargo.toml.in");
const README: &str = include_str!("template/README.md.in");
const GITIGNORE: &str = include_str!("template/gitignore.in");

/// What differs between the two kinds of plugins.
struct Kind {
    name: &'static str,
    source: &'static str,
    configuration: &'static str,
}

const TASK: Kind = Kind {
    name: "task",
    source: include_str!("template/task.rs.in"),
    configuration: include_str!("template/task.json.in"),
};

const NOTIFIER: Kind = Kind {
    name: "notifier",
    source: include_str!("template/notifier.rs.in"),
    configuration: include_str!("template/notifier.json.in"),
};

/// Writes the crate, and prints how it is tested, built and run. 0: done; 1: it could not be written; 2: there is
/// something wrong with the name or with `--api`.
pub(super) fn new(args: &NewPluginArgs) -> i32 {
    let usage = |message: String| {
        eprintln!("bansuri: {message}");
        exit_code::USAGE
    };
    let name = match CrateName::parse(&args.name) {
        Ok(name) => name,
        Err(error) => return usage(format!("plugin name {:?}: {error}", args.name)),
    };
    let dependency = match dependency(args.api.as_deref(), Path::new(SOURCE_TREE)) {
        Ok(dependency) => dependency,
        Err(message) => return usage(message),
    };
    let folder = args.path.clone().unwrap_or_else(|| name.as_str().into());
    let kind = if args.notifier { &NOTIFIER } else { &TASK };
    let library = format!("target/debug/{}", name.library());
    let configuration = fill(kind.configuration, &[("name", name.as_str()), ("library", &library)]);
    let words = [
        ("name", name.as_str()),
        ("kind", kind.name),
        ("type", &name.type_name(kind.name)),
        ("library", &library),
        ("api", &dependency),
        ("configuration", configuration.trim_end()),
    ];
    let files = [
        ("Cargo.toml", fill(MANIFEST, &words)),
        (".gitignore", fill(GITIGNORE, &words)),
        ("README.md", fill(README, &words)),
        ("src/lib.rs", fill(kind.source, &words)),
        ("scripts.json", configuration.clone()),
    ];
    if let Err(message) = write(&folder, &files) {
        return fail(message);
    }
    println!(
        "wrote the {} plugin {:?} to {folder:?}; in that folder,\n\n    cargo test\n    cargo build\n    \
         bansuri --exit-when-done\n\ntests it, builds it, and runs its scripts.json:\n\n{}",
        kind.name,
        name.as_str(),
        configuration.trim_end()
    );
    exit_code::FINE
}

/// How the manifest names the crate that plugins are built with: by the folder that was asked for, or by that of the
/// sources of this binary where it is still there, or else by a version.
fn dependency(asked_for: Option<&Path>, host: &Path) -> Result<String, String> {
    let sources = host.with_file_name("plugin-api");
    let folder = match asked_for {
        Some(folder) if holds_plugin_api(folder) => folder,
        Some(folder) => {
            return Err(format!(
                "--api {folder:?}: expected the folder of the crate bansuri-plugin-api, found none"
            ));
        }
        None if holds_plugin_api(&sources) => &sources,
        None => return Ok(format!("version = \"{}\"", bansuri_plugin_api::VERSION)),
    };
    let absolute = folder.canonicalize().map_err(|error| format!("folder {folder:?}: {error}"))?;
    match absolute.to_str() {
        // JSON and TOML write a text alike.
        Some(text) => Ok(format!("path = {}", serde_json::Value::from(text))),
        None => Err(format!("folder {absolute:?}: expected a path in UTF-8, which a manifest can name")),
    }
}

fn holds_plugin_api(folder: &Path) -> bool {
    fs::read_to_string(folder.join("Cargo.toml"))
        .is_ok_and(|manifest| manifest.lines().any(|line| line.trim() == "name = \"bansuri-plugin-api\""))
}

/// Puts words in their places, `{{name}}`. No word holds a place of another.
fn fill(template: &str, words: &[(&str, &str)]) -> String {
    words
        .iter()
        .fold(template.to_owned(), |text, (place, word)| text.replace(&format!("{{{{{place}}}}}"), word))
}

/// Writes the files into a folder that is new or empty.
fn write(folder: &Path, files: &[(&str, String)]) -> Result<(), String> {
    let failed = |path: PathBuf, error: io::Error| format!("{path:?}: cannot be written: {error}");
    match fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
        Ok(true) => {
            return Err(format!("folder {folder:?}: expected a new or an empty one, found files in it"));
        }
        Err(_) if folder.exists() => {
            return Err(format!("folder {folder:?}: expected a new or an empty one, found a file"));
        }
        // What else is wrong with it shows below.
        Ok(false) | Err(_) => {}
    }
    let sources = folder.join("src");
    fs::create_dir_all(&sources).map_err(|error| failed(sources, error))?;
    for (name, text) in files {
        let file = folder.join(name);
        fs::write(&file, text).map_err(|error| failed(file, error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_is_built_with_what_there_is() {
        let home = tempfile::tempdir().unwrap();
        let gone = dependency(None, &home.path().join("host"));
        assert_eq!(gone, Ok(format!("version = \"{}\"", bansuri_plugin_api::VERSION)));
        let own = dependency(None, Path::new(SOURCE_TREE)).unwrap();
        assert!(own.starts_with("path = \"/") && own.ends_with("/plugin-api\""), "{own}");
        let error = dependency(Some(home.path()), Path::new(SOURCE_TREE)).unwrap_err();
        assert!(
            error.ends_with("expected the folder of the crate bansuri-plugin-api, found none"),
            "{error}"
        );
    }

    #[test]
    fn every_place_of_a_template_gets_its_word() {
        let words = ["name", "kind", "type", "library", "api", "configuration"].map(|place| (place, "X"));
        for template in [
            MANIFEST,
            README,
            GITIGNORE,
            TASK.source,
            TASK.configuration,
            NOTIFIER.source,
            NOTIFIER.configuration,
        ] {
            assert!(!fill(template, &words).contains("{{"), "{template}");
        }
    }
}
