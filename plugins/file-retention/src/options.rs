//! The options of a clearance.

use crate::pattern::Pattern;
use bansuri_plugin_kit::{Several, Size, Span};
use schemars::JsonSchema;
use serde::Deserialize;
use std::num::NonZeroU32;
use std::path::PathBuf;

/// What `options` holds in the configuration; README.md has the table.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "file-retention")]
pub(crate) struct Options {
    /// Whether files are only listed. They are removed only when this is false.
    #[serde(default = "yes")]
    #[schemars(extend("default" = true))]
    pub(crate) dry_run: bool,
    /// Which files go, in this order.
    pub(crate) rules: Several<Rule>,
}

/// One of `rules`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(inline)]
pub(crate) struct Rule {
    /// Where the files lie. A relative path lies in the task's working directory.
    #[schemars(length(min = 1))]
    pub(crate) folder: PathBuf,
    /// Which files. Each pattern has the limits for itself.
    pub(crate) patterns: Several<Pattern>,
    /// Files that are left alone and not counted.
    pub(crate) exclude: Option<Several<Pattern>>,
    /// The oldest age of a file that stays.
    pub(crate) max_age: Option<Span>,
    /// How many files stay.
    #[schemars(range(min = 1, max = 4294967295u32))]
    pub(crate) max_count: Option<NonZeroU32>,
    /// How large those that stay are together.
    pub(crate) max_total_size: Option<Size>,
    /// How many of the newest stay, whatever the limits say.
    #[serde(default = "one")]
    #[schemars(extend("default" = 1), range(max = 4294967295u32))]
    pub(crate) keep_at_least: u32,
    /// Whether the folders below are looked through too.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    pub(crate) recursive: bool,
    /// Whether each folder below has the limits for itself.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    pub(crate) per_folder: bool,
    /// Whether folders below that are empty go too.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    pub(crate) remove_empty_folders: bool,
    /// Whether folders below that are other file systems are looked through.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    pub(crate) cross_file_systems: bool,
}

fn yes() -> bool {
    true
}

fn one() -> u32 {
    1
}

impl Options {
    /// What the options cannot say together.
    pub(crate) fn checked(self) -> Result<Self, String> {
        for (index, rule) in self.rules.all().iter().enumerate() {
            rule.check().map_err(|why| format!("options.rules[{index}]: {why}"))?;
        }
        Ok(self)
    }
}

impl Rule {
    fn check(&self) -> Result<(), String> {
        if self.folder.as_os_str().is_empty() {
            return Err("an empty folder".to_owned());
        }
        if self.max_age.is_none() && self.max_count.is_none() && self.max_total_size.is_none() {
            return Err("no limit, expected max-age, max-count or max-total-size".to_owned());
        }
        let below = [
            ("per-folder", self.per_folder),
            ("remove-empty-folders", self.remove_empty_folders),
            ("cross-file-systems", self.cross_file_systems),
        ];
        match below.into_iter().find(|(_, set)| *set && !self.recursive) {
            Some((name, _)) => Err(format!("{name} says something of folders below, expected recursive too")),
            None => Ok(()),
        }
    }

    /// Which pattern a file belongs to: the first that matches.
    pub(crate) fn pattern_of(&self, name: &std::ffi::OsStr) -> Option<usize> {
        let excluded =
            self.exclude.as_ref().is_some_and(|list| list.all().iter().any(|out| out.matches(name)));
        if excluded { None } else { self.patterns.all().iter().position(|pattern| pattern.matches(name)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bansuri_plugin_test::{documented, example, option_names};
    use serde_json::{Value, json};

    /// What the reader takes is what the schema takes.
    fn read(options: Value) -> Result<Options, String> {
        bansuri_plugin_test::read::<Options>(&options)?.checked()
    }

    fn rule(more: Value) -> Value {
        let mut rule = json!({ "folder": "/srv", "patterns": "*.log", "max-count": 7 });
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        rule
    }

    #[test]
    fn defaults() {
        let options = read(json!({ "rules": rule(json!({})) })).unwrap();
        assert!(options.dry_run, "nothing is removed that nobody said so of");
        let rule = &options.rules.all()[0];
        assert_eq!((rule.keep_at_least, rule.recursive, rule.per_folder), (1, false, false));
        assert_eq!((rule.remove_empty_folders, rule.cross_file_systems), (false, false));
        assert_eq!((rule.max_age, rule.max_total_size), (None, None));
    }

    #[test]
    fn what_cannot_be() {
        let check = |rule: Value, expect: &str| {
            let error = read(json!({ "rules": [rule] })).expect_err(expect);
            assert!(error.contains(expect), "{error}");
        };
        check(json!({ "folder": "/srv", "max-count": 1 }), "missing field `patterns`");
        check(rule(json!({ "patterns": [] })), "an empty list, expected at least one");
        check(rule(json!({ "patterns": "a/b" })), "expected a pattern of file names");
        check(rule(json!({ "max-count": 0 })), "invalid value: integer `0`");
        check(rule(json!({ "max-age": "0" })), "expected a duration");
        check(rule(json!({ "max-total-size": "x" })), "expected a size");
        check(rule(json!({ "keep-at-least": -1 })), "invalid value: integer `-1`");
        check(rule(json!({ "recursiv": true })), "unknown field `recursiv`");
        check(
            rule(json!({ "per-folder": true })),
            "options.rules[0]: per-folder says something of folders below, expected recursive too",
        );
        check(rule(json!({ "max-count": null })), "no limit, expected max-age, max-count or max-total-size");
        assert!(read(json!({ "rules": [] })).is_err() && read(json!({})).is_err());
        assert!(read(json!({ "rules": rule(json!({})), "dry-run": "no" })).is_err());
    }

    #[test]
    fn the_first_pattern_that_matches_counts() {
        let patterns = json!({ "patterns": ["a*", "*.log", "*"], "exclude": "*keep*" });
        let options = read(json!({ "rules": rule(patterns) })).unwrap();
        let pattern_of = |name: &str| options.rules.all()[0].pattern_of(name.as_ref());
        assert_eq!((pattern_of("a.log"), pattern_of("b.log"), pattern_of("c")), (Some(0), Some(1), Some(2)));
        assert_eq!((pattern_of("a.keep.log"), pattern_of(".hidden")), (None, None));
    }

    /// The schema, the tables in the README and the options are one list.
    #[test]
    fn schema_readme_and_options_agree() {
        let mut names = [option_names::<Options>(), option_names::<Rule>()].concat();
        names.sort();
        assert_eq!(documented(include_str!("../README.md")), names);
    }

    #[test]
    fn the_example_in_the_readme_is_valid() {
        read(example(include_str!("../README.md"), "/scripts/0/options")).unwrap();
    }
}
