//! Environment files: a JSON object, or `KEY=VALUE` lines as `.env` files have them.
//!
//! A file whose first character is `{` is JSON, with the comments and trailing commas of `scripts.json`; any other is
//! read line by line. Nothing in a value is interpolated.

use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use rustix::fs::OFlags;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// About as much as a process could be given, and little enough to be read at once.
const LARGEST: u64 = 1 << 20;

/// Why a file is no environment file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EnvFileError {
    /// The file, as given.
    pub path: PathBuf,
    /// From 1; `None`: the file as a whole, because it cannot be read.
    pub line: Option<usize>,
    /// In characters, from 1; `None`: the line as a whole.
    pub column: Option<usize>,
    /// A lowercase fragment.
    pub message: String,
}

impl fmt::Display for EnvFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.path.display())?;
        for number in [self.line, self.column].into_iter().flatten() {
            write!(f, "{number}:")?;
        }
        write!(f, " {}", self.message)
    }
}

impl std::error::Error for EnvFileError {}

/// Reads a regular file and what is in it. Waits for nothing but the file system.
pub fn read(path: &Path) -> Result<BTreeMap<String, String>, EnvFileError> {
    let whole = |message: String| EnvFileError { path: path.to_owned(), line: None, column: None, message };
    let mut bytes = Vec::new();
    let unreadable = |error: io::Error| {
        let text = error.to_string();
        let words = text.split(" (os error").next().unwrap_or(&text);
        whole(format!("cannot be read: {}", words.to_lowercase()))
    };
    // O_NONBLOCK: opening a named pipe that nobody writes to would block.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(whole("cannot be read: not a regular file".to_owned()));
    }
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(whole("cannot be read: larger than 1 MiB".to_owned()));
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => parse(text, path),
        Err(error) => {
            let before = &bytes[..error.valid_up_to()];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            Err(EnvFileError { line: Some(line), ..whole("the line is not UTF-8 text".to_owned()) })
        }
    }
}

/// The variables that a text sets. `path` is how errors name it.
pub fn parse(text: &str, path: &Path) -> Result<BTreeMap<String, String>, EnvFileError> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let read = match text.trim_start().starts_with('{') {
        true => json(text),
        false => Lines { text, at: 0 }.read(),
    };
    read.map_err(|Wrong { at, message }| {
        let before = &text[..at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        EnvFileError {
            path: path.to_owned(),
            line: Some(before.matches('\n').count() + 1),
            column: Some(before[line_start..].chars().count() + 1),
            message,
        }
    })
}

/// What is wrong at a byte of the text.
struct Wrong {
    at: usize,
    message: String,
}

impl Wrong {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}

const STRICT: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Text as it is, numbers and booleans as they are written; a null sets nothing.
fn json(text: &str) -> Result<BTreeMap<String, String>, Wrong> {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &STRICT).map_err(|error| {
        let message = error.kind().to_string();
        let mut characters = message.trim_end_matches('.').chars();
        let first = characters.next().map(|first| first.to_ascii_lowercase());
        Wrong::new(
            error.range().start.min(text.len()),
            first.into_iter().chain(characters).collect::<String>(),
        )
    })?;
    let Some(Value::Object(object)) = parsed.value else {
        return Err(Wrong::new(0, "expected an object of variables"));
    };
    let mut variables = BTreeMap::new();
    let mut seen = std::collections::HashSet::new();
    for property in &object.properties {
        let (name, at) = (property.name.as_str(), property.name.range().start);
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(Wrong::new(at, format!("{name:?} cannot be the name of a variable")));
        }
        if !seen.insert(name) {
            return Err(Wrong::new(at, format!("the variable {name:?} is set twice")));
        }
        let value = match &property.value {
            Value::StringLit(text) => text.value.to_string(),
            Value::NumberLit(number) => number.value.to_owned(),
            Value::BooleanLit(boolean) => boolean.value.to_string(),
            Value::NullKeyword(_) => continue,
            Value::Object(_) | Value::Array(_) => {
                let message = format!("the variable {name:?}: expected text, a number or a boolean");
                return Err(Wrong::new(property.value.range().start, message));
            }
        };
        if value.contains('\0') {
            let message = format!("the variable {name:?}: expected text without a NUL character");
            return Err(Wrong::new(property.value.range().start, message));
        }
        variables.insert(name.to_owned(), value);
    }
    Ok(variables)
}

/// Reads `KEY=VALUE` lines; of a variable that is set twice, the last value counts, as in a shell.
struct Lines<'t> {
    text: &'t str,
    at: usize,
}

impl Lines<'_> {
    fn read(mut self) -> Result<BTreeMap<String, String>, Wrong> {
        if let Some(at) = self.text.find('\0') {
            return Err(Wrong::new(at, "expected text without a NUL character"));
        }
        let mut variables = BTreeMap::new();
        while self.at < self.text.len() {
            self.blanks();
            match self.peek() {
                Some('#') => self.at = self.line_end(),
                None | Some('\n' | '\r') => {}
                Some(_) => {
                    let name = self.name()?;
                    let value = self.value()?;
                    variables.insert(name, value);
                }
            }
            self.end_of_line();
        }
        Ok(variables)
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn blanks(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    /// Where the line ends, its carriage return not counted.
    fn line_end(&self) -> usize {
        let rest = &self.text[self.at..];
        let line = rest.split('\n').next().unwrap_or(rest);
        self.at + line.strip_suffix('\r').unwrap_or(line).len()
    }

    fn end_of_line(&mut self) {
        let rest = &self.text[self.at..];
        self.at = rest.find('\n').map_or(self.text.len(), |newline| self.at + newline + 1);
    }

    fn name(&mut self) -> Result<String, Wrong> {
        const EXPORT: &str = "export";
        let line = &self.text[self.at..self.line_end()];
        if let Some(rest) = line.strip_prefix(EXPORT)
            && rest.starts_with([' ', '\t'])
            && !rest.trim_start().starts_with('=')
        {
            self.at += EXPORT.len();
            self.blanks();
        }
        let start = self.at;
        let line = &self.text[start..self.line_end()];
        let Some(equals) = line.find('=') else {
            return Err(Wrong::new(start, "expected KEY=VALUE"));
        };
        let name = line[..equals].trim_end_matches([' ', '\t']);
        let is_odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '#');
        if name.is_empty() || name.contains(is_odd) {
            return Err(Wrong::new(start, format!("{name:?} cannot be the name of a variable")));
        }
        self.at = start + equals + 1;
        Ok(name.to_owned())
    }

    /// Up to the end of the line, of the quotes, or to a comment.
    fn value(&mut self) -> Result<String, Wrong> {
        let after_equals = self.at;
        self.blanks();
        let value = match self.peek() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote)?,
            // With a blank before it, it is a comment, and the value is empty.
            Some('#') if self.at > after_equals => String::new(),
            Some(_) | None => return Ok(self.unquoted()),
        };
        self.blanks();
        match self.peek() {
            None | Some('\n' | '\r' | '#') => Ok(value),
            Some(_) => Err(Wrong::new(self.at, "expected the end of the line after the quotes")),
        }
    }

    fn unquoted(&mut self) -> String {
        let line = &self.text[self.at..self.line_end()];
        self.at += line.len();
        let is_comment = |at: &usize| line[..*at].ends_with([' ', '\t']);
        let comment = line.match_indices('#').map(|(at, _)| at).find(is_comment);
        line[..comment.unwrap_or(line.len())].trim_end_matches([' ', '\t']).to_owned()
    }

    /// Between quotes a value may go over several lines. Only double quotes know escapes; one that is none stays.
    fn quoted(&mut self, quote: char) -> Result<String, Wrong> {
        let opening = self.at;
        let mut value = String::new();
        let mut characters = self.text[opening + 1..].char_indices();
        while let Some((offset, character)) = characters.next() {
            match character {
                _ if character == quote => {
                    self.at = opening + 1 + offset + 1;
                    return Ok(value.replace("\r\n", "\n"));
                }
                '\\' if quote == '"' => match characters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, 'r')) => value.push('\r'),
                    Some((_, 't')) => value.push('\t'),
                    Some((_, escaped @ ('"' | '\\' | '$' | '`' | '\''))) => value.push(escaped),
                    Some((_, other)) => value.extend(['\\', other]),
                    None => {}
                },
                character => value.push(character),
            }
        }
        Err(Wrong::new(opening, "the quotes are not closed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Vec<(String, String)>, String> {
        let variables = parse(text, Path::new("x.env")).map_err(|error| error.to_string())?;
        Ok(variables.into_iter().collect())
    }

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let expected: Vec<_> = expected.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(read_text(text), Ok(expected), "{text:?}");
    }

    #[track_caller]
    fn refuse(text: &str, expected: &str) {
        assert_eq!(read_text(text), Err(expected.to_owned()), "{text:?}");
    }

    #[test]
    fn lines_without_quotes() {
        check("", &[]);
        check("\n  \n# A=1\n  # B=2", &[]);
        check("A=1\nB=two words \nC=", &[("A", "1"), ("B", "two words"), ("C", "")]);
        check("\u{FEFF}A=1\r\nB=2\r\n\r\n", &[("A", "1"), ("B", "2")]);
        check(" export A = 1 \nexport=2\nexport\t B=3", &[("A", "1"), ("B", "3"), ("export", "2")]);
        check("A=b=c\nB=#1\nC=x#1 # note\nD= # note", &[("A", "b=c"), ("B", "#1"), ("C", "x#1"), ("D", "")]);
        check("A=$HOME ${B} \\n it's", &[("A", "$HOME ${B} \\n it's")]);
        check("A=1\nA=2", &[("A", "2")]);
        check("a.b-c=é", &[("a.b-c", "é")]);
    }

    #[test]
    fn lines_with_quotes() {
        check("A=\"a b\" # note\nB='it \\n \"is\"'", &[("A", "a b"), ("B", "it \\n \"is\"")]);
        check(r#"A="1\n2\t\"\\\$\d""#, &[("A", "1\n2\t\"\\$\\d")]);
        check("A=\"one\r\ntwo # no note\"\nB=''", &[("A", "one\ntwo # no note"), ("B", "")]);
        refuse("A=1\nB=\"open\nC=2", "x.env:2:3: the quotes are not closed");
        refuse("A='a'b", "x.env:1:6: expected the end of the line after the quotes");
    }

    #[test]
    fn lines_that_set_nothing() {
        refuse("A=1\n  what", "x.env:2:3: expected KEY=VALUE");
        refuse("=1", "x.env:1:1: \"\" cannot be the name of a variable");
        refuse("A B=1", "x.env:1:1: \"A B\" cannot be the name of a variable");
        refuse("export A", "x.env:1:8: expected KEY=VALUE");
        refuse("A=1\0", "x.env:1:4: expected text without a NUL character");
    }

    #[test]
    fn json_objects() {
        check("{}", &[]);
        check(
            "\n { // note\n \"A\": \"x\\ny\", \"B\": 1.50, \"C\": true, \"D\": null, }",
            &[("A", "x\ny"), ("B", "1.50"), ("C", "true")],
        );
        refuse("{ \"A\": 1,\n  \"A\": 2 }", "x.env:2:3: the variable \"A\" is set twice");
        refuse("{ \"A=\": 1 }", "x.env:1:3: \"A=\" cannot be the name of a variable");
        refuse("{ \"A\": [] }", "x.env:1:8: the variable \"A\": expected text, a number or a boolean");
        refuse(
            "{ \"A\": \"\\u0000\" }",
            "x.env:1:8: the variable \"A\": expected text without a NUL character",
        );
        assert!(read_text("{ \"A\": 1").is_err_and(|error| error.starts_with("x.env:1:")));
    }

    #[test]
    fn files_that_cannot_be_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.env");
        let missing = read(&path).expect_err("it does not exist");
        assert_eq!((missing.line, missing.column), (None, None));
        assert!(missing.message.starts_with("cannot be read: "), "{missing}");
        std::fs::write(&path, b"A=1\nB=\xFF").expect("written");
        assert_eq!(read(&path).expect_err("no text").line, Some(2));
        std::fs::write(&path, b"A=1\n").expect("written");
        assert_eq!(read(&path).expect("variables")["A"], "1");
    }
}
