//! What was found so far, and how findings name things.

use super::diagnostic::{Diagnostic, Severity};
use super::keys::KeyInfo;
use super::place::LineIndex;
use jsonc_parser::ast::Value;
use jsonc_parser::common::{Range, Ranged};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::fmt;

/// Collects every finding of one file.
pub(super) struct Findings<'t> {
    file: String,
    text: &'t str,
    /// Made for the first finding: most files have none.
    lines: OnceCell<LineIndex<'t>>,
    strict: bool,
    list: Vec<Diagnostic>,
    has_errors: bool,
    /// Findings about `defaults`: every task would repeat them.
    shared: HashSet<(usize, String)>,
    /// Hints for misspelt keys, by the group they stand in: a mistake is seldom made in one script alone.
    hints: HashMap<(&'static [&'static str], String), Option<String>>,
}

impl<'t> Findings<'t> {
    pub(super) fn new(file: &str, text: &'t str, strict: bool) -> Self {
        Self {
            file: file.to_owned(),
            text,
            lines: OnceCell::new(),
            strict,
            list: Vec::new(),
            has_errors: false,
            shared: HashSet::new(),
            hints: HashMap::new(),
        }
    }

    fn lines(&self) -> &LineIndex<'t> {
        self.lines.get_or_init(|| LineIndex::new(self.text))
    }

    pub(super) fn error(&mut self, code: &'static str, span: Range, message: String, help: Option<String>) {
        self.push(Severity::Error, code, span, message, help);
    }

    pub(super) fn warning(&mut self, code: &'static str, span: Range, message: String, help: Option<String>) {
        self.push(Severity::Warning, code, span, message, help);
    }

    /// A key that nothing reads: a warning, or an error if the caller asked for that.
    pub(super) fn unknown_key(
        &mut self,
        subject: Subject<'_>,
        span: Range,
        message: String,
        help: Option<String>,
    ) {
        if self.was_said(subject, span, &message) {
            return;
        }
        let severity = if self.strict { Severity::Error } else { Severity::Warning };
        self.push(severity, "unknown-key", span, message, help);
    }

    /// `PLACE VALUE: expected EXPECTED`.
    pub(super) fn unexpected(
        &mut self,
        place: &Place<'_>,
        value: &Value<'_>,
        expected: &str,
        help: Option<String>,
    ) {
        let message = format!("{place} {}: expected {expected}", Shown(value));
        self.at(place.subject, "invalid-value", value.range(), message, help);
    }

    /// An error about something of `subject`; what is said of `defaults` is said once.
    pub(super) fn at(
        &mut self,
        subject: Subject<'_>,
        code: &'static str,
        span: Range,
        message: String,
        help: Option<String>,
    ) {
        if self.was_said(subject, span, &message) {
            return;
        }
        self.error(code, span, message, help);
    }

    /// A warning about something of `subject`; what is said of `defaults` is said once.
    pub(super) fn shared_warning(
        &mut self,
        subject: Subject<'_>,
        code: &'static str,
        span: Range,
        message: String,
    ) {
        if !self.was_said(subject, span, &message) {
            self.warning(code, span, message, None);
        }
    }

    /// The hint for a key, found once.
    pub(super) fn hint(
        &mut self,
        group: &'static [&'static str],
        name: &str,
        find: impl FnOnce() -> Option<String>,
    ) -> Option<String> {
        self.hints.entry((group, name.to_owned())).or_insert_with(find).clone()
    }

    fn was_said(&mut self, subject: Subject<'_>, span: Range, message: &str) -> bool {
        subject == Subject::Defaults && !self.shared.insert((span.start, message.to_owned()))
    }

    /// The line a byte is on, from 1.
    pub(super) fn line(&self, byte: usize) -> usize {
        self.lines().line(byte)
    }

    pub(super) fn has_errors(&self) -> bool {
        self.has_errors
    }

    /// All findings in the order of their places.
    pub(super) fn into_list(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|finding| (finding.line, finding.column));
        self.list
    }

    fn push(
        &mut self,
        severity: Severity,
        code: &'static str,
        span: Range,
        message: String,
        help: Option<String>,
    ) {
        self.has_errors |= severity == Severity::Error;
        let place = self.lines().position(span);
        let file = self.file.clone();
        let (line, column, length) = (place.line, place.column, place.length);
        self.list.push(Diagnostic { severity, code, message, file, line, column, length, help });
    }
}

/// Whose key it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Subject<'a> {
    /// The file's own.
    Root,
    /// Merged under every task.
    Defaults,
    /// A task that has a name.
    Task(&'a str),
    /// One that has none, by its place in `scripts`.
    Unnamed(usize),
    /// A notifier.
    Notifier(&'a str),
}

impl fmt::Display for Subject<'_> {
    /// With what separates it from the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Root => Ok(()),
            Subject::Defaults => f.write_str("defaults: "),
            Subject::Task(name) => write!(f, "task {}: ", quoted(name)),
            Subject::Unnamed(index) => write!(f, "scripts[{index}]: "),
            Subject::Notifier(name) => write!(f, "notifier {}: ", quoted(name)),
        }
    }
}

/// A key of a subject; written out only when something is wrong with it.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    pub(super) subject: Subject<'p>,
    pub(super) path: Path<'p>,
}

/// The way to a key or to something inside its value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Path<'p> {
    /// A task's key under its flat name.
    Flat(&'static KeyInfo),
    /// A task's key in its group.
    Grouped(&'static KeyInfo),
    /// Any other key.
    Word(&'p str),
    /// A field of an object.
    Field(&'p Path<'p>, &'p str),
    /// An element of an array.
    Index(&'p Path<'p>, usize),
}

impl<'p> Place<'p> {
    pub(super) fn new(subject: Subject<'p>, path: Path<'p>) -> Self {
        Self { subject, path }
    }

    pub(super) fn field<'q>(&'q self, subject: Subject<'q>, name: &'q str) -> Place<'q> {
        Place { subject, path: Path::Field(&self.path, name) }
    }

    pub(super) fn index(&self, index: usize) -> Place<'_> {
        Place { subject: self.subject, path: Path::Index(&self.path, index) }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.subject, self.path)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Flat(info) => f.write_str(info.flat.unwrap_or(info.grouped)),
            Path::Grouped(info) => {
                for group in info.group {
                    write!(f, "{group}.")?;
                }
                f.write_str(info.grouped)
            }
            Path::Word(word) => f.write_str(&plain(word)),
            Path::Field(parent, name) => write!(f, "{parent}.{}", plain(name)),
            Path::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// A value as a message shows it: scalars as written, the rest by kind.
pub(super) struct Shown<'v, 'a>(pub(super) &'v Value<'a>);

impl fmt::Display for Shown<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::StringLit(text) => f.write_str(&quoted(&text.value)),
            Value::NumberLit(number) => f.write_str(&shortened(number.value)),
            Value::BooleanLit(boolean) => write!(f, "{}", boolean.value),
            Value::NullKeyword(_) => f.write_str("null"),
            Value::Array(array) if array.elements.is_empty() => f.write_str("[]"),
            Value::Array(_) => f.write_str("[…]"),
            Value::Object(object) if object.properties.is_empty() => f.write_str("{}"),
            Value::Object(_) => f.write_str("{…}"),
        }
    }
}

/// A key as it is, unless that would disfigure the message.
pub(super) fn plain(key: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '$');
    match !key.is_empty() && key.len() <= 60 && key.chars().all(is_plain) {
        true => Cow::Borrowed(key),
        false => Cow::Owned(quoted(key)),
    }
}

/// In double quotes, control characters escaped, and not longer than a line can bear.
pub(super) fn quoted(text: &str) -> String {
    format!("{:?}", shortened(text))
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
