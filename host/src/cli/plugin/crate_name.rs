//! The name of a plugin's crate, and of the type in it.

use std::fmt;

/// A name that cargo takes for a crate, that no crate has which a plugin uses, and that makes a library's file name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct CrateName(String);

/// Words of the language: `cargo` takes none of them.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while", "yield",
];

/// Crates that the plugin is built from.
const USED: &[&str] = &[
    "alloc",
    "bansuri-plugin-api",
    "core",
    "log",
    "proc-macro",
    "schemars",
    "serde",
    "serde-json",
    "std",
    "test",
];

/// Names that mean something else in the source of a plugin.
const TAKEN_TYPES: &[&str] = &[
    "Deserialize",
    "Duration",
    "Err",
    "Failure",
    "FailureInfo",
    "JsonSchema",
    "None",
    "Notifier",
    "NotifierConfig",
    "NotifierTest",
    "NotifyError",
    "Ok",
    "OpenOptions",
    "Option",
    "Options",
    "PathBuf",
    "Result",
    "Self",
    "Some",
    "String",
    "Task",
    "TaskConfig",
    "TaskContext",
    "TaskError",
    "TaskTest",
    "Write",
];

/// Why a text is no such name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum NameError {
    Form,
    Keyword,
    Used,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NameError::Form => "expected a letter and then letters, digits, - or _, such as disk-watch",
            NameError::Keyword => "a word of Rust, expected another name",
            NameError::Used => "a crate that plugins use has this name, expected another one",
        })
    }
}

impl CrateName {
    pub(super) fn parse(text: &str) -> Result<Self, NameError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !text.starts_with(|first: char| first.is_ascii_alphabetic()) || !text.chars().all(fits) {
            return Err(NameError::Form);
        }
        if KEYWORDS.contains(&text) {
            return Err(NameError::Keyword);
        }
        // Cargo takes both spellings for one name.
        if USED.contains(&text.replace('_', "-").as_str()) {
            return Err(NameError::Used);
        }
        Ok(Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// `disk-watch` → `DiskWatch`; with the kind behind it where that means something else already.
    pub(super) fn type_name(&self, kind: &str) -> String {
        let parts = self.0.split(['-', '_']);
        let name: String = parts.map(capitalised).collect();
        if TAKEN_TYPES.contains(&name.as_str()) { name + &capitalised(kind) } else { name }
    }

    /// The file that cargo makes of it.
    pub(super) fn library(&self) -> String {
        use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
        format!("{DLL_PREFIX}{}{DLL_SUFFIX}", self.0.replace('-', "_"))
    }
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_makes_a_type_and_a_file() {
        let name = CrateName::parse("disk-watch_2").unwrap();
        assert_eq!(name.type_name("task"), "DiskWatch2");
        #[cfg(target_os = "linux")]
        assert_eq!(name.library(), "libdisk_watch_2.so");
        assert_eq!(CrateName::parse("Task").unwrap().type_name("task"), "TaskTask");
        assert_eq!(CrateName::parse("result").unwrap().type_name("notifier"), "ResultNotifier");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["", "2fast", "-x", "_x", "a b", "a/b", "../x", "näme", "a.b"] {
            assert_eq!(CrateName::parse(text), Err(NameError::Form), "{text:?}");
        }
        assert_eq!(CrateName::parse("match"), Err(NameError::Keyword));
        assert_eq!(CrateName::parse("serde_json"), Err(NameError::Used));
        assert_eq!(CrateName::parse("bansuri-plugin-api"), Err(NameError::Used));
    }
}
