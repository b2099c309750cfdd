//! Patterns of file names.

use regex::bytes::{Regex, RegexBuilder};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::LazyLock;

/// What a pattern is made of: characters that stand for themselves, `*` and `?`, a character behind a backslash,
/// `[a-z]` or `[!a-z]`, and `{…,…}` around such. The schema says it in the same words.
const SYNTAX: &str = concat!(
    r"^([^/\[\]{}\\]|\\[^/]|\[!?([A-Za-z0-9_.](-[A-Za-z0-9_.])?)+\]",
    r"|\{([^/\[\]{}\\]|\\[^/]|\[!?([A-Za-z0-9_.](-[A-Za-z0-9_.])?)+\])*\})+$"
);

const EXPECTED: &str =
    "expected a pattern of file names such as \"*.log\", \"db-[0-9]*.dump\" or \"*.{zip,tar.gz}\"";

/// A pattern that a file's name, without its folder, matches or not. As in a shell, a dot at the beginning of a name is
/// matched by a dot only.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Pattern {
    regex: Regex,
    matches_hidden: bool,
}

impl Pattern {
    pub(crate) fn matches(&self, name: &OsStr) -> bool {
        let name = name.as_bytes();
        (self.matches_hidden || !name.starts_with(b".")) && self.regex.is_match(name)
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        static KNOWN: LazyLock<regex::Regex> =
            LazyLock::new(|| regex::Regex::new(SYNTAX).expect("the syntax is an expression"));
        if !KNOWN.is_match(&text) {
            return Err(format!("{text:?}: {EXPECTED}"));
        }
        let regex = RegexBuilder::new(&expression(&text)).unicode(false).dot_matches_new_line(true).build();
        // What is left to go wrong is a range from z to a, and a pattern without measure.
        let regex = regex.map_err(|_| format!("{text:?}: {EXPECTED}"))?;
        Ok(Self { regex, matches_hidden: text.starts_with('.') })
    }
}

/// One character that is not ASCII, as far as the bytes are UTF-8, and otherwise one byte.
const BEYOND_ASCII: &str = r"[\xc0-\xff][\x80-\xbf]*|[\x80-\xbf]";

/// The same as a regular expression over bytes.
fn expression(pattern: &str) -> String {
    let mut expression = String::from("^");
    let mut chars = pattern.chars();
    let mut in_braces = false;
    while let Some(c) = chars.next() {
        match c {
            '*' => expression.push_str(".*"),
            '?' => expression.push_str(&format!(r"(?:[\x00-\x7f]|{BEYOND_ASCII})")),
            '\\' => expression.extend(chars.next().map(|c| regex::escape(c.encode_utf8(&mut [0; 4])))),
            '[' => {
                // Its end is there, and nothing in it has a meaning of its own but the sign for not.
                let class: String = chars.by_ref().take_while(|c| *c != ']').collect();
                expression.push_str(&match class.strip_prefix('!') {
                    Some(others) => format!(r"(?:[\x00-\x7f&&[^{others}]]|{BEYOND_ASCII})"),
                    None => format!("[{class}]"),
                });
            }
            '{' => {
                in_braces = true;
                expression.push_str("(?:");
            }
            '}' => {
                in_braces = false;
                expression.push(')');
            }
            ',' if in_braces => expression.push('|'),
            other => expression.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    expression.push('$');
    expression
}

impl JsonSchema for Pattern {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Pattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let examples = ["*.log", "db-[0-9]*.dump", "*.{zip,tar.gz}"];
        json_schema!({ "type": "string", "pattern": SYNTAX, "examples": examples })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bansuri_plugin_test::{agree, beyond_schema, read};

    fn check(pattern: &str, matching: &[&str], other: &[&str]) {
        let read = Pattern::try_from(pattern.to_owned()).unwrap();
        for name in matching {
            assert!(read.matches(OsStr::new(name)), "{pattern} matches {name}");
        }
        for name in other {
            assert!(!read.matches(OsStr::new(name)), "{pattern} does not match {name}");
        }
    }

    #[test]
    fn what_matches() {
        check("*.log", &["a.log", "b.c.log", "a\nb.log"], &["a.log.1", "log", ".log", ".a.log", "a_log"]);
        check("*", &["a", "a b", "-rf"], &[".hidden"]);
        check(".*", &[".hidden", ".a.b"], &["a"]);
        check(
            "db-?.dump",
            &["db-1.dump", "db-ä.dump", "db-€.dump"],
            &["db-.dump", "db-12.dump", "DB-1.dump"],
        );
        check("[0-9][!a-c].[x_.]", &["1d.x", "0-._", "1€.."], &["1a.x", "ad.x", "1d.y"]);
        check(
            "a.{log,log.[0-9],log.*.gz}",
            &["a.log", "a.log.7", "a.log.12.gz"],
            &["a.log.12", "a.", "a.{log"],
        );
        check("a{,.old}", &["a", "a.old"], &["a.", "a,"]);
        check("a,b+(c)^$|d", &["a,b+(c)^$|d"], &["a", "b"]);
        check(r"\*\[\{\,\\", &[r"*[{,\"], &[r"x[{,\"]);
    }

    #[test]
    fn names_need_not_be_utf8() {
        let read = Pattern::try_from("a?*z".to_owned()).unwrap();
        assert!(read.matches(OsStr::from_bytes(b"a\xff\xfez")));
        assert!(read.matches(OsStr::from_bytes(b"a\xc3z")));
    }

    #[test]
    fn what_is_no_pattern() {
        for text in
            ["", "a/b", "/", "[", "]", "[]", "[!]", "[a-]", "[^/]", "{", "}", "{a{b}}", "a\\", "\\/", "[ä]"]
        {
            let error = read::<Pattern>(&text.into()).expect_err(text);
            assert!(error.contains(EXPECTED), "{error}");
        }
        agree::<Pattern>(["*", "a{b,c}[!x]\\*", "ä?", "{}"].map(|text| (text, true)));
        beyond_schema::<Pattern>(&"[z-a]".into());
    }
}
