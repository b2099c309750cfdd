//! JSON with comments and trailing commas, and nothing else: a text that is not has one finding.

use crate::{accept, check, scripts};

#[test]
fn comments_trailing_commas_and_a_byte_order_mark() {
    let text = "\u{FEFF}// one\r\n{ /* two\n * lines */ \"scripts\": [ { \"name\": \"x\", // \"name\": \"y\"\n\t\"command\": \"a /* b */ // c\", }, ], } // end";
    let configuration = accept(text);
    assert_eq!(configuration.launches[0].command_text(), "a /* b */ // c");
}

#[test]
fn a_byte_order_mark_moves_no_column() {
    let findings = crate::run("\u{FEFF}{ \"scripts\": 5 }").expect_err("no array");
    assert_eq!((findings[0].line, findings[0].column, findings[0].length), (1, 14, 1));
}

#[test]
fn columns_count_characters() {
    let findings = crate::run("{\n \"äöü€𝄞\": 1, \"scripts\": \"é\" }").expect_err("no array");
    let places: Vec<_> = findings.iter().map(|f| (f.line, f.column, f.length)).collect();
    assert_eq!(places, [(2, 2, 7), (2, 25, 3)]);
}

/// The one finding about a broken text.
#[track_caller]
fn broken(text: &str, expected: &str) {
    let (underlined, message) = expected.split_once(" | ").expect("the place and the message");
    check(text, &[&format!("{underlined} | error syntax {message}")]);
}

#[test]
fn what_other_dialects_allow() {
    broken("{ 'scripts': [] }", "' | strings are written in double quotes | write \"…\"");
    broken("{ scripts: [] }", "scripts | expected a key in double quotes | write \"scripts\"");
    broken("{ \"scripts\": yes }", "yes | expected a value, found 'y' | text is written in double quotes");
    broken("{ \"a\": True }", "True | expected a value, found 'T' | did you mean true?");
    broken("{ \"a\": 0x1F }", "0 | expected a number as JSON writes them, such as 12, -3 or 0.5");
    for number in ["+1", ".5", "5.", "-", "1e", "1e+", "NaN", "-Infinity", "Infinity", "01"] {
        let text = format!("{{ \"max-running\": {number}, \"scripts\": [] }}");
        assert_eq!(crate::findings(&text).matches("| error syntax ").count(), 1, "{text}");
    }
    broken(
        "{ \"a\": \"\\x41\" }",
        "\\x | invalid escape in a string | valid are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four hex digits",
    );
    broken(
        "{ \"a\": \"\\ud800\" }",
        "\\ud800\" | invalid escape in a string | valid are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four hex digits",
    );
    broken("{ \"a\": \"b\tc\" }", "\t | a tab must be escaped in a string | write \\t");
    broken(
        "{ \"a\": \"b\nc\" }",
        " | a line break must be escaped in a string | is a closing quote missing?",
    );
    broken("{\u{A0}}", "\u{A0} | the character U+00A0 is no white space of JSON");
    broken("{\u{B}}", "\u{B} | the character U+000B is no white space of JSON");
}

#[test]
fn commas_and_brackets() {
    broken("{ \"a\": 1 \"b\": 2 }", " | expected \",\" or the end of what is open | insert \",\" here");
    broken("[1 2]", " | expected \",\" or the end of what is open | insert \",\" here");
    broken("[1,,2]", ", | expected a value, found ','");
    broken("[,]", ", | expected a value, found ','");
    broken("{,}", ", | expected a key in double quotes or \"}\", found ','");
    broken("{ \"a\" 1 }", "1 | expected \":\" after a key, found '1'");
    broken("{ \"a\": }", "} | expected a value, found '}'");
    broken("{ \"a\": ]", "] | expected a value, found ']'");
    broken("{} {}", "{ | expected the end of the file, found '{'");
    broken("{} x", "x | expected the end of the file, found 'x'");
}

#[test]
fn a_text_that_ends_too_early() {
    broken("{", "{ | an object is not closed, expected \"}\"");
    broken("{ \"scripts\": [", "[ | an array is not closed, expected \"]\"");
    broken("{ \"scripts\": [ {", "{ | an object is not closed, expected \"}\"");
    broken("{ \"scripts\"", " | expected \":\" after a key, found the end of the file");
    broken("{ \"scripts\":", " | expected a value, found the end of the file");
    broken("{ \"scr", "\"scr | a string is not closed, expected \"\\\"\"");
    broken("{ /* never", "/* | a comment is not closed, expected \"*/\"");
    let text = scripts(
        r#"{ "name": "x", "command": "true", /* a */ "timeout": 1.5e3, "options": { "a": [ null, "\u00e9" ] } }"#,
    );
    let end = text.rfind('}').expect("it ends with one");
    for cut in (1..=end).filter(|cut| text.is_char_boundary(*cut)) {
        let found = crate::findings(&text[..cut]);
        assert_eq!(found.lines().count(), 1, "{cut}: {found}");
        assert!(found.contains("| error syntax "), "{cut}: {found}");
    }
}
