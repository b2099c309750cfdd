//! `scripts.json` as a user writes it: what is accepted, what it becomes, and what is said of the rest.

#![allow(missing_docs)]

mod conflicts;
mod diff;
mod files;
mod key_cases;
mod key_cases_control;
mod keys;
mod machine;
mod meaning;
mod merging;
mod names;
mod options;
mod properties;
mod reports;
mod schema;
mod size;
mod syntax;

use bansuri::config::{
    CheckOptions, Configuration, Diagnostic, NamedType, PluginCatalog, PluginKind, ResolvedType, Severity,
    check_text, render_human,
};
use machine::Fake;
use std::path::Path;

/// Knows one library with one type of each sort, and one that others can change.
struct Catalog;

impl PluginCatalog for Catalog {
    fn resolve(&mut self, named: &NamedType<'_>) -> Result<ResolvedType, String> {
        match named.kind {
            PluginKind::Task => resolve(named.reference, named.folder, "disk.so", "Space"),
            PluginKind::Notifier => resolve(named.reference, named.folder, "pager.so", "Pager"),
        }
    }
}

fn resolve(reference: &str, folder: &Path, library: &str, only: &str) -> Result<ResolvedType, String> {
    let (file, type_name) = reference.split_once(':').unwrap_or((reference, only));
    let warnings = match file {
        "shaky.so" => {
            vec!["library \"/srv/jobs/shaky.so\": file \"/srv/jobs/shaky.so\" belongs to user 7".to_owned()]
        }
        _ => Vec::new(),
    };
    match (file == library || file == "shaky.so", type_name == only) {
        (true, true) => Ok(ResolvedType {
            library: folder.join(file),
            type_name: type_name.to_owned(),
            options_schema: None,
            warnings,
        }),
        (true, false) => Err(format!("no type {type_name:?}, it exports {only:?}")),
        (false, _) => Err("no such file".to_owned()),
    }
}

type Checked = Result<(Configuration, Vec<Diagnostic>), Vec<Diagnostic>>;

fn run_bytes(text: &[u8], options: CheckOptions) -> Checked {
    run_on(&Fake { is_root: true }, text, options)
}

fn run_on(machine: &Fake, text: &[u8], options: CheckOptions) -> Checked {
    let (file, folder) = (Path::new("scripts.json"), Path::new("/srv/jobs"));
    let checked = check_text(text, file, folder, &mut Catalog, machine, options);
    schema::agrees(text, &checked);
    checked
}

fn run(text: &str) -> Checked {
    run_bytes(text.as_bytes(), CheckOptions::default())
}

/// The configuration of a text about which there is nothing to say.
#[track_caller]
fn accept(text: &str) -> Configuration {
    match run(text) {
        Ok((configuration, warnings)) if warnings.is_empty() => configuration,
        Ok((_, findings)) | Err(findings) => panic!("{}", render_human(&findings, text, false)),
    }
}

/// A file with these scripts.
fn scripts(scripts: &str) -> String {
    format!("{{ \"scripts\": [ {scripts} ] }}")
}

/// A file with one script, named x, with these keys more.
fn script(keys: &str) -> String {
    scripts(&format!(r#"{{ "name": "x", "command": "true", {keys} }}"#))
}

/// Everything found, each as `UNDERLINED | SEVERITY CODE MESSAGE | HELP`.
fn findings(text: &str) -> String {
    let (Ok((_, findings)) | Err(findings)) = run(text);
    lines(text, findings)
}

fn lines(text: &str, findings: Vec<Diagnostic>) -> String {
    let mut lines = String::new();
    for finding in findings {
        let line = text.split('\n').nth(finding.line.saturating_sub(1)).unwrap_or_default();
        let underlined: String =
            line.chars().skip(finding.column.saturating_sub(1)).take(finding.length).collect();
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let help = finding.help.map_or_else(String::new, |help| format!(" | {help}"));
        let line = format!("{underlined} | {severity} {} {}{help}\n", finding.code, finding.message);
        lines.push_str(&line);
    }
    lines
}

/// Checks that the findings about a text are these, one a line; none means that it is accepted.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let found = findings(text);
    let found: Vec<&str> = found.lines().collect();
    assert_eq!(found, expected, "\nin {text}");
    let is_error = expected.iter().any(|line| line.contains("| error "));
    assert_eq!(run(text).is_err(), is_error, "{text}");
}
