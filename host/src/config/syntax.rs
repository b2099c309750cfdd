//! From bytes to a syntax tree, strictly: JSON with comments and trailing commas, and nothing else.

use super::nearest::nearest;
use jsonc_parser::ast::Value;
use jsonc_parser::common::Range;
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::{CollectOptions, ParseOptions, ParseStringErrorKind, parse_to_ast};

/// Why the text is no configuration at all; the only finding of its file.
#[derive(Debug)]
pub(super) struct SyntaxError {
    pub(super) span: Range,
    pub(super) message: String,
    pub(super) help: Option<String>,
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

/// The text without its byte order mark. The error holds the valid beginning, and the offset of the first byte that is
/// not UTF-8.
pub(super) fn decode(bytes: &[u8]) -> Result<&str, (&str, usize)> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let end = error.valid_up_to();
        (std::str::from_utf8(&bytes[..end]).expect("valid up to there"), end)
    })
}

/// Parses the text.
pub(super) fn parse(text: &str) -> Result<Value<'_>, SyntaxError> {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &STRICT).map_err(|e| reworded(text, &e))?;
    let Some(value) = parsed.value else {
        let message = "the file is empty, expected { \"scripts\": […] }".to_owned();
        return Err(SyntaxError { span: Range::new(0, 0), message, help: None });
    };
    match stray_character(text) {
        Some(error) => Err(error),
        None => Ok(value),
    }
}

/// Finds what the parser lets pass and JSON does not: a control character in a string, other white space outside.
fn stray_character(text: &str) -> Option<SyntaxError> {
    #[derive(PartialEq)]
    enum Inside {
        Nothing,
        String,
        Line,
        Block,
    }
    let mut inside = Inside::Nothing;
    // Byte by byte: what counts is ASCII, which is no part of any other character.
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        match inside {
            Inside::Nothing => match (byte, bytes.peek()) {
                (b'"', _) => inside = Inside::String,
                (b'/', Some((_, b'/'))) => inside = Inside::Line,
                (b'/', Some((_, b'*'))) => {
                    bytes.next();
                    inside = Inside::Block;
                }
                (b' ' | b'\t' | b'\n' | b'\r' | b'!'..=b'~', _) => {}
                (_, _) => match text.get(at..).and_then(|rest| rest.chars().next()) {
                    Some(c) if c.is_whitespace() || c.is_control() => {
                        return Some(unexpected_character(at, c, "is no white space of JSON"));
                    }
                    Some(_) | None => {}
                },
            },
            Inside::String => match byte {
                b'"' => inside = Inside::Nothing,
                b'\\' => {
                    bytes.next();
                }
                ..b' ' => {
                    return Some(unexpected_character(at, byte.into(), "must be escaped in a string"));
                }
                _ => {}
            },
            Inside::Line if matches!(byte, b'\n' | b'\r') => inside = Inside::Nothing,
            Inside::Block if byte == b'*' && bytes.peek().is_some_and(|(_, next)| *next == b'/') => {
                bytes.next();
                inside = Inside::Nothing;
            }
            Inside::Line | Inside::Block => {}
        }
    }
    None
}

fn unexpected_character(at: usize, character: char, why: &str) -> SyntaxError {
    let (what, help) = match character {
        '\n' | '\r' => ("a line break".to_owned(), Some("is a closing quote missing?".to_owned())),
        '\t' => ("a tab".to_owned(), Some("write \\t".to_owned())),
        c => (format!("the character U+{:04X}", c as u32), None),
    };
    SyntaxError { span: Range::new(at, at + character.len_utf8()), message: format!("{what} {why}"), help }
}

/// The parser's error as a fragment that says what was expected.
fn reworded(text: &str, error: &ParseError) -> SyntaxError {
    let mut span = error.range();
    let rest = text.get(span.start..).unwrap_or_default();
    let found = match rest.chars().next() {
        None => "the end of the file".to_owned(),
        Some(c) => format!("{c:?}"),
    };
    let first =
        |span: Range| Range::new(span.start, span.start + rest.chars().next().map_or(0, char::len_utf8));
    let mut help = None;
    let message = match error.kind() {
        ParseErrorKind::ExpectedComma => {
            help = Some("insert \",\" here".to_owned());
            "expected \",\" or the end of what is open".to_owned()
        }
        ParseErrorKind::ExpectedColonAfterObjectKey => format!("expected \":\" after a key, found {found}"),
        ParseErrorKind::ExpectedObjectValue => "expected a value, found the end of the file".to_owned(),
        ParseErrorKind::ExpectedStringObjectProperty => {
            help = Some(format!("write \"{}\"", text.get(span.start..span.end).unwrap_or_default()));
            "expected a key in double quotes".to_owned()
        }
        ParseErrorKind::SingleQuotedStringsNotAllowed => {
            help = Some("write \"…\"".to_owned());
            "strings are written in double quotes".to_owned()
        }
        ParseErrorKind::HexadecimalNumbersNotAllowed
        | ParseErrorKind::UnaryPlusNumbersNotAllowed
        | ParseErrorKind::BareDecimalPointNumbersNotAllowed
        | ParseErrorKind::NonFiniteNumbersNotAllowed
        | ParseErrorKind::ExpectedDigit
        | ParseErrorKind::ExpectedDigitFollowingNegativeSign
        | ParseErrorKind::ExpectedPlusMinusOrDigitInNumberLiteral => {
            "expected a number as JSON writes them, such as 12, -3 or 0.5".to_owned()
        }
        ParseErrorKind::MultipleRootJsonValues => {
            span = first(span);
            format!("expected the end of the file, found {found}")
        }
        ParseErrorKind::String(ParseStringErrorKind::UnterminatedStringLiteral) => {
            span = Range::new(span.start, span.start + rest.find(['\n', '\r']).unwrap_or(rest.len()));
            "a string is not closed, expected \"\\\"\"".to_owned()
        }
        ParseErrorKind::String(_) => {
            help =
                Some("valid are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four hex digits".to_owned());
            "invalid escape in a string".to_owned()
        }
        ParseErrorKind::UnterminatedArray => {
            span = first(span);
            "an array is not closed, expected \"]\"".to_owned()
        }
        ParseErrorKind::UnterminatedObject => {
            span = first(span);
            "an object is not closed, expected \"}\"".to_owned()
        }
        ParseErrorKind::UnterminatedCommentBlock => {
            span = Range::new(span.start, span.start + 2);
            "a comment is not closed, expected \"*/\"".to_owned()
        }
        ParseErrorKind::NestingDepthExceeded => {
            span = first(span);
            "nested too deeply to be read".to_owned()
        }
        ParseErrorKind::UnexpectedWord | ParseErrorKind::UnexpectedToken => {
            let word = text.get(span.start..span.end).unwrap_or_default();
            help = Some(match nearest(word, ["true", "false", "null"]) {
                Some(known) => format!("did you mean {known}?"),
                None => "text is written in double quotes".to_owned(),
            });
            format!("expected a value, found {found}")
        }
        ParseErrorKind::UnexpectedTokenInObject => {
            format!("expected a key in double quotes or \"}}\", found {found}")
        }
        ParseErrorKind::UnexpectedCloseBrace
        | ParseErrorKind::UnexpectedCloseBracket
        | ParseErrorKind::UnexpectedColon
        | ParseErrorKind::UnexpectedComma => format!("expected a value, found {found}"),
        ParseErrorKind::CommentsNotAllowed | ParseErrorKind::TrailingCommasNotAllowed => {
            unreachable!("both are allowed")
        }
    };
    SyntaxError { span, message, help }
}
