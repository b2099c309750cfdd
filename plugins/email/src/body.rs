//! The text of a mail.

use bansuri_plugin_api::FailureInfo;
use bansuri_plugin_kit::{facts, heading};

/// Heading, facts and what the run wrote, in lines.
pub(crate) fn body(failure: &FailureInfo) -> String {
    let mut text = heading(failure);
    text.push_str("\n\n");
    let facts = facts(failure);
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 2;
    for (name, value) in facts {
        // A command or a description may have several lines.
        let value = printable(value.trim_end().as_bytes()).replace('\n', &format!("\n{:width$}", ""));
        let name = format!("{name}:");
        text.push_str(&format!("{name:width$}{value}\n"));
    }
    for (name, bytes) in [("Output", failure.stdout_bytes()), ("Error", failure.stderr_bytes())] {
        let output = printable(bytes);
        if !output.trim().is_empty() {
            text.push_str(&format!("\n{name}:\n\n{}\n", output.trim_matches('\n')));
        }
    }
    text
}

/// Text in lines: what is no text is shown as it is written in many languages, `\x1b` or `\xff`.
fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut chars = chunk.valid().chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\n' | '\t' => text.push(c),
                // A progress bar begins its line anew.
                '\r' if chars.peek() == Some(&'\n') => {}
                '\r' => text.push('\n'),
                control if control.is_control() => text.push_str(&format!("\\x{:02x}", u32::from(control))),
                other => text.push(other),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use bansuri_plugin_api::testing::Failure;

    #[test]
    fn what_is_no_text_is_made_printable() {
        let check = |bytes: &[u8], expect: &str| assert_eq!(printable(bytes), expect);
        check("schön\n\tso €😀".as_bytes(), "schön\n\tso €😀");
        check(b"a\xffb\xc3", "a\\xffb\\xc3");
        check(b"\x1b[31mred\0\x7f\xc2\x85", "\\x1b[31mred\\x00\\x7f\\x85");
        check(b"1 %\r2 %\r\nend\r\r\n", "1 %\n2 %\nend\n\n");
    }

    #[test]
    fn all_of_it() {
        let failure = Failure::of("backup")
            .command("set -e\npg_dump")
            .working_directory("/srv")
            .return_code(2)
            .attempt(2, Some(3))
            .stdout("\nout\n".as_bytes().to_vec())
            .stderr(b"err \xff\n".to_vec())
            .run_id("backup#7")
            .host_name("db1")
            .build();
        let expect = "task \"backup\" failed on db1: exit code 2\n\
            \n\
            Task:        backup\n\
            Command:     set -e\n             pg_dump\n\
            Return code: 2\n\
            Outcome:     FAILED\n\
            Attempt:     2 of 3\n\
            Time:        2026-11-22T10:00:00Z\n\
            Run:         backup#7\n\
            Host:        db1\n\
            \n\
            Output:\n\
            \n\
            out\n\
            \n\
            Error:\n\
            \n\
            err \\xff\n";
        assert_eq!(body(&failure), expect);
        assert!(!body(&Failure::of("a").stdout(" \n").build()).contains("Output"));
    }
}
