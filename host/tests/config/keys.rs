//! Every key of a task: what it takes, what it rejects, and all the ways to spell it.

use crate::key_cases::{Case, RUNNING};
use crate::key_cases_control::CONTROL;
use crate::{findings, run, scripts};
use bansuri::config::{key_reference, root_key_reference};

/// All cases.
fn cases() -> impl Iterator<Item = &'static Case> {
    RUNNING.iter().chain(CONTROL)
}

impl Case {
    /// The ways to give it a value, each a script's text.
    fn spellings(&self, value: &str) -> Vec<String> {
        let mut keys = vec![format!("\"{}\": {value}", self.flat)];
        if let Some((name, groups)) = self.grouped.split_last() {
            let mut text = format!("\"{name}\": {value}");
            for group in groups.iter().rev() {
                text = format!("\"{group}\": {{ {text} }}");
            }
            keys.push(text);
            keys.push(format!("\"{}\": {{ \"{}\": {value} }}", self.grouped[0], self.flat));
        }
        let underscored: Vec<String> = keys
            .iter()
            .map(|key| match key.strip_suffix(value) {
                Some(key) => format!("{}{value}", key.replace('-', "_")),
                None => key.replacen(value, "\u{0}", 1).replace('-', "_").replacen('\u{0}', value, 1),
            })
            .collect();
        keys.extend(underscored);
        let command = if self.beside.contains("\"command\":") { "" } else { r#", "command": "true""# };
        let beside = if self.beside.is_empty() { String::new() } else { format!(", {}", self.beside) };
        keys.iter()
            .map(|key| {
                scripts(&format!(
                    r#"{{ "name": "x"{command}{beside}, {key} }}, {{ "name": "y", "command": "true" }}"#
                ))
            })
            .collect()
    }
}

#[test]
fn every_key_of_the_reference_has_a_case() {
    let reference = key_reference();
    let flat = reference
        .lines()
        .skip(2)
        .filter_map(|line| line.split('`').nth(1).filter(|_| line.starts_with("| `")));
    for key in flat.filter(|key| !["name", "command"].contains(key)) {
        assert!(cases().any(|case| case.flat == key), "{key} has no case");
    }
}

#[test]
fn the_readme_shows_the_reference() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let text = std::fs::read_to_string(readme).expect("the README is there");
    for table in [key_reference(), root_key_reference()] {
        let what = "its table is not the reference; BANSURI_UPDATE_README=1 writes it";
        if std::env::var_os("BANSURI_UPDATE_README").is_some() && !text.contains(&table) {
            std::fs::write(readme, with_table(&text, &table)).expect("written");
            panic!("{what}: it was written just now");
        }
        assert!(text.contains(&format!("\n\n{table}\n")), "{what}\n{table}");
    }
}

/// The text with the table of the same heading replaced.
fn with_table(text: &str, table: &str) -> String {
    let heading = table.lines().next().expect("a table has a heading");
    let (before, rest) = text.split_once(heading).expect("the README has this table");
    let (_, after) = rest.split_once("\n\n").expect("something follows the table");
    format!("{before}{table}\n{after}")
}

#[test]
fn valid_values_mean_the_same_in_every_spelling() {
    for case in cases() {
        for value in case.valid {
            let mut meanings = Vec::new();
            for text in case.spellings(value) {
                match run(&text) {
                    Ok((configuration, warnings)) if warnings.is_empty() => {
                        meanings.push(format!("{:?} {:?}", configuration.plan, configuration.launches));
                    }
                    Ok(_) | Err(_) => panic!("{text}\n{}", findings(&text)),
                }
            }
            assert!(meanings.windows(2).all(|two| two[0] == two[1]), "{} {value}: {meanings:#?}", case.flat);
        }
    }
}

#[test]
fn invalid_values_are_shown_with_what_is_expected() {
    for case in cases() {
        for (value, expected) in case.invalid {
            for text in case.spellings(value) {
                let found = findings(&text);
                let shown = match *value {
                    r#""a\u0000b""# => "\"a\\0b\"",
                    "[\"mail\"]" => "[…]",
                    value => value,
                };
                let mut lines = found.lines();
                let line = lines.next().unwrap_or_else(|| panic!("{text} is accepted"));
                assert!(
                    line.starts_with(&format!("{value} | error invalid-value task \"x\": ")),
                    "{text}\n{line}"
                );
                assert!(
                    line.contains(&format!(" {shown}: {expected}")),
                    "{text}\n{line}\nexpected {shown}: {expected}"
                );
                assert_eq!(lines.next(), None, "{text}");
            }
        }
    }
}
