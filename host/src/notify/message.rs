//! The text of a failure, as people read it.

use crate::clock::rfc3339_seconds;
use crate::notify::Failure;
use std::fmt::Write as _;

/// A heading line, the details one per line, and what the run wrote. Always ends with a newline; at most a little
/// longer than the two tails, each byte of which may become three where it is not UTF-8.
pub fn text(failure: &Failure) -> String {
    let mut text = String::with_capacity(failure.stdout.len() + failure.stderr.len() + 1024);
    let heading = heading(failure);
    let _ = writeln!(text, "{heading}");
    if let Some(folded) = folded_line(failure.folded) {
        let _ = writeln!(text, "{folded}");
    }
    text.push('\n');
    let details = details(failure);
    let width = details.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 1;
    for (name, value) in details {
        let line = format!("{:<width$} {}", format!("{name}:"), one_line(&value));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    section(&mut text, "Output", &failure.stdout);
    section(&mut text, "Error", &failure.stderr);
    text
}

/// One line that says which task failed and how: `task "backup" failed: exit code 1`.
fn heading(failure: &Failure) -> String {
    let verb = match failure.outcome {
        "TIMED_OUT" => "timed out",
        "COMPLETED" => "has recovered",
        _ => "failed",
    };
    let mut heading = format!("task \"{}\" {verb}", one_line(&failure.task));
    if !failure.reason.is_empty() {
        let _ = write!(heading, ": {}", one_line(&failure.reason));
    }
    heading
}

/// `and 3 more failures`; `None` where none were folded.
fn folded_line(folded: u64) -> Option<String> {
    match folded {
        0 => None,
        1 => Some("and 1 more failure".to_owned()),
        more => Some(format!("and {more} more failures")),
    }
}

fn details(failure: &Failure) -> [(&'static str, String); 11] {
    [
        ("Task", failure.task.clone()),
        ("Command", failure.command.clone()),
        ("Working directory", failure.working_directory.to_string_lossy().into_owned()),
        ("Return code", failure.return_code.to_string()),
        ("Outcome", failure.outcome.to_owned()),
        ("Attempt", failure.attempt.to_string()),
        ("Max attempts", failure.max_attempts.map_or_else(|| "unlimited".to_owned(), |max| max.to_string())),
        ("Timestamp", rfc3339_seconds(failure.timestamp)),
        ("Description", failure.description.clone()),
        ("Run", failure.run_id.clone()),
        ("Host", failure.host_name.clone()),
    ]
}

/// Control characters escaped as in the configuration, so that a value of several lines stays one and none can pass
/// for another detail.
fn one_line(value: &str) -> String {
    let mut line = String::with_capacity(value.len());
    for c in value.chars() {
        if c.is_control() { line.extend(c.escape_default()) } else { line.push(c) }
    }
    line
}

fn section(text: &mut String, name: &str, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let _ = write!(text, "\n--- {name} ---\n{}", String::from_utf8_lossy(from_char_boundary(bytes)));
    if !text.ends_with('\n') {
        text.push('\n');
    }
}

/// A tail may begin in the middle of a character: what is left of it is no text.
fn from_char_boundary(bytes: &[u8]) -> &[u8] {
    let is_continuation = |byte: &&u8| **byte & 0b1100_0000 == 0b1000_0000;
    &bytes[bytes.iter().take(3).take_while(is_continuation).count()..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::failure::example;

    #[test]
    fn the_whole_text() {
        let failure = Failure {
            max_attempts: Some(3),
            folded: 2,
            stdout: b"line 1\nline 2".to_vec(),
            stderr: b"oops\n".to_vec(),
            ..example()
        };
        let expect = "\
task \"backup\" failed: exit code 1
and 2 more failures

Task:              backup
Command:           pg_dump mydb > backup.sql
Working directory: /srv/jobs
Return code:       1
Outcome:           FAILED
Attempt:           1
Max attempts:      3
Timestamp:         2026-11-22T10:13:20Z
Description:       nightly dump
Run:               backup#7
Host:              db1

--- Output ---
line 1
line 2

--- Error ---
oops
";
        assert_eq!(text(&failure), expect);
    }

    #[test]
    fn what_is_not_there_has_no_section() {
        let plain = text(&Failure { description: String::new(), ..example() });
        assert!(!plain.contains("---") && !plain.contains("more failure"), "{plain}");
        assert!(plain.contains("\nDescription:\n"), "{plain}");
        assert!(plain.contains("\nMax attempts:      unlimited\n"), "{plain}");
        assert!(plain.ends_with("Host:              db1\n"), "{plain}");
        let error_only = text(&Failure { stderr: b"x".to_vec(), ..example() });
        assert!(error_only.ends_with("\n\n--- Error ---\nx\n") && !error_only.contains("Output"));
    }

    #[test]
    fn a_value_of_several_lines_stays_one() {
        let failure = Failure {
            command: "a\nOutcome: COMPLETED\r\n\tb \u{1b}[1m".into(),
            task: "t\nu".into(),
            ..example()
        };
        let text = text(&failure);
        assert!(text.contains("Command:           a\\nOutcome: COMPLETED\\r\\n\\tb \\u{1b}[1m\n"), "{text}");
        assert!(text.starts_with("task \"t\\nu\" failed"), "{text}");
    }

    #[test]
    fn output_that_is_no_text() {
        let failure = Failure { stdout: b"\xff\xfe ok \xe2\x82".to_vec(), ..example() };
        assert!(text(&failure).contains("--- Output ---\n\u{fffd}\u{fffd} ok \u{fffd}\n"));
        let cut = Failure { stdout: "€uro".as_bytes()[1..].to_vec(), ..example() };
        assert!(text(&cut).contains("--- Output ---\nuro\n"));
    }

    #[test]
    fn headings() {
        let timed_out =
            Failure { outcome: "TIMED_OUT", reason: "outlived its timeout of 10s".into(), ..example() };
        assert_eq!(heading(&timed_out), "task \"backup\" timed out: outlived its timeout of 10s");
        assert_eq!(heading(&Failure { reason: String::new(), ..example() }), "task \"backup\" failed");
        assert_eq!(folded_line(1).unwrap(), "and 1 more failure");
    }
}
