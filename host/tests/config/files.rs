//! Trouble with the file itself: one clear error each.

use crate::machine::Fake;
use crate::{Catalog, run_bytes};
use bansuri::config::{
    CheckOptions, Configuration, Diagnostic, Severity, load, load_search_paths, render_human,
};
use std::fs;
use std::path::Path;

fn load_from(file: &Path) -> Result<(Configuration, Vec<Diagnostic>), Vec<Diagnostic>> {
    let report = load(file, &mut Catalog, &Fake { is_root: true }, CheckOptions::default());
    match report.configuration {
        Some(configuration) => Ok((configuration, report.findings)),
        None => Err(report.findings),
    }
}

/// The message of the one error.
#[track_caller]
fn only(result: Result<(Configuration, Vec<Diagnostic>), Vec<Diagnostic>>) -> (String, usize, usize) {
    let findings = result.map(|_| ()).expect_err("it cannot be used");
    let [finding] = &findings[..] else { panic!("{}", render_human(&findings, "", false)) };
    assert_eq!(finding.severity, Severity::Error);
    assert!(render_human(&findings, "", false).contains(&finding.message));
    (finding.message.clone(), finding.line, finding.column)
}

#[test]
fn a_file_is_read_and_its_folder_is_where_paths_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("scripts.json");
    fs::write(&file, r#"{ "scripts": [ { "name": "x", "command": "true" } ] }"#).expect("written");
    let (configuration, warnings) = load_from(&file).expect("it is fine");
    assert!(warnings.is_empty());
    assert_eq!(configuration.file, file);
    assert_eq!(configuration.folder, folder.path());
    assert_eq!(configuration.launches[0].working_directory.as_path(), folder.path());
}

#[test]
fn search_paths_are_read_whatever_is_wrong_with_the_rest() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("scripts.json");
    let paths = |text: &str| {
        fs::write(&file, text).expect("written");
        load_search_paths(&file).map_err(|report| report.render(false))
    };
    let found =
        paths(r#"{ "plugins": { "search_paths": ["own", "/opt/plugins"] }, "scripts": [{ "nmae": 1 }] }"#);
    assert_eq!(found, Ok(vec![folder.path().join("own"), "/opt/plugins".into()]));
    for none in ["{}", r#"{ "plugins": null }"#, r#"{ "plugins": {} }"#] {
        assert_eq!(paths(none), Ok(Vec::new()), "{none}");
    }
    let error = paths(r#"{ "plugins": { "search-paths": 1 } }"#).expect_err("a number is no list");
    assert!(error.contains("plugins.search-paths"), "{error}");
    assert!(paths("{").is_err() && paths("[]").is_err());
    assert!(load_search_paths(&folder.path().join("none.json")).is_err());
}

#[test]
fn missing_directory_and_larger_than_anybody_writes() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("none.json");
    let (message, line, _) = only(load_from(&missing));
    assert_eq!(message, format!("cannot read {missing:?}: no such file"));
    assert_eq!(line, 0);
    assert_eq!(
        only(load_from(folder.path())).0,
        format!("cannot read {:?}: it is a directory", folder.path())
    );
    let below = folder.path().join("none.json/scripts.json");
    fs::write(&missing, "{}").expect("written");
    assert!(only(load_from(&below)).0.starts_with(&format!("cannot read {below:?}: ")));
    let large = folder.path().join("large.json");
    fs::File::create(&large).and_then(|file| file.set_len(65 << 20)).expect("a sparse file");
    assert_eq!(only(load_from(&large)).0, format!("cannot read {large:?}: larger than 64 MiB"));
}

#[test]
fn nothing_and_no_text() {
    let bytes = |bytes: &[u8]| only(run_bytes(bytes, CheckOptions::default()));
    let empty = "the file is empty, expected { \"scripts\": […] }";
    for text in ["", " \n\t", "// only a comment", "\u{FEFF}"] {
        assert_eq!(bytes(text.as_bytes()).0, empty, "{text:?}");
    }
    assert_eq!(
        bytes(b"{ \"a\":\n \"b\xFFc\" }"),
        ("the file is not UTF-8 text from here on".to_owned(), 2, 4)
    );
    assert_eq!(bytes(b"\xEF\xBB\xBF\xFE"), ("the file is not UTF-8 text from here on".to_owned(), 1, 1));
    let utf_16 = run_bytes(b"\xFF\xFE{\0}\0", CheckOptions::default()).expect_err("no UTF-8");
    assert_eq!(utf_16[0].help.as_deref(), Some("it looks like UTF-16, save it as UTF-8"));
    assert_eq!(bytes(b"\x7fELF\x02\x01\x01\0\0\0").1, 1);
    assert_eq!(bytes(&[0; 4096]).1, 1);
}

#[test]
fn nesting_does_not_end_the_stack() {
    let too_deep = "nested too deeply to be read";
    for open in ["[", "{\"a\":", "[{\"a\":[", "{\"scripts\":["] {
        let text = open.repeat((10 << 20) / open.len());
        assert_eq!(only(run_bytes(text.as_bytes(), CheckOptions::default())).0, too_deep, "{open}");
    }
    let closed = format!("{}{}", "[".repeat(5 << 20), "]".repeat(5 << 20));
    assert_eq!(only(run_bytes(closed.as_bytes(), CheckOptions::default())).0, too_deep);
    // As deep as the parser reads: everything behind it can follow.
    for (open, close, levels) in [("[", "]", 500), ("{\"a\":", "}", 250)] {
        let deep = format!("{}1e999{}", open.repeat(levels), close.repeat(levels));
        let text = crate::scripts(&format!(
            r#"{{ "name": "x", "command": "disk.so", "no-interface": true, "options": {{ "a": {deep} }} }}"#
        ));
        let (message, ..) = only(run_bytes(text.as_bytes(), CheckOptions::default()));
        assert!(message.ends_with(" 1e999: expected a number that a double can hold"), "{message}");
        run_bytes(text.replace("1e999", "1").as_bytes(), CheckOptions::default()).expect("deep and valid");
    }
}

#[test]
fn strict_turns_unknown_keys_into_errors() {
    let text = br#"{ "scripts": [], "a": 1, "notify-command": "b", "defaults": { "c": 1 } }"#;
    let (_, warnings) = run_bytes(text, CheckOptions::default()).expect("warnings only");
    assert_eq!(warnings.len(), 3);
    let findings = run_bytes(text, CheckOptions { strict: true }).expect_err("unknown keys");
    let errors: Vec<_> =
        findings.iter().filter(|f| f.severity == Severity::Error).map(|f| &*f.message).collect();
    assert_eq!(errors, ["a: unknown key", "defaults: c: unknown key"]);
}
