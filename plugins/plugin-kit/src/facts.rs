//! What notifiers say of a failure.

use bansuri_plugin_api::FailureInfo;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// One line: `task "backup" failed on db1: exit code 1, and 2 more failures`.
pub fn heading(failure: &FailureInfo) -> String {
    let verb = match failure.outcome() {
        "TIMED_OUT" => "timed out",
        "COMPLETED" => "has recovered",
        _ => "failed",
    };
    let mut heading = format!("task \"{}\" {verb} on {}", failure.task_name(), failure.host_name());
    if !failure.reason().is_empty() {
        heading = format!("{heading}: {}", failure.reason());
    }
    match failure.folded() {
        0 => {}
        1 => heading.push_str(", and 1 more failure"),
        more => heading.push_str(&format!(", and {more} more failures")),
    }
    heading.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Names and values for people, without the empty ones.
pub fn facts(failure: &FailureInfo) -> Vec<(&'static str, String)> {
    let attempt = match failure.max_attempts() {
        Some(max) => format!("{} of {max}", failure.attempt()),
        None => failure.attempt().to_string(),
    };
    let mut facts = vec![
        ("Task", failure.task_name().to_owned()),
        ("Command", failure.command().to_owned()),
        ("Return code", failure.return_code().to_string()),
        ("Outcome", failure.outcome().to_owned()),
        ("Attempt", attempt),
        ("Time", timestamp(failure)),
        ("Run", failure.run_id().to_owned()),
        ("Host", failure.host_name().to_owned()),
        ("Description", failure.description().to_owned()),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

/// Names and texts of what the run wrote, without the blank ones.
pub fn outputs(failure: &FailureInfo) -> Vec<(&'static str, &str)> {
    let mut outputs = vec![("Output", failure.stdout()), ("Error", failure.stderr())];
    outputs.retain(|(_, text)| !text.trim().is_empty());
    outputs
}

/// UTC by RFC 3339 to the second; empty beyond the year 9999.
pub fn timestamp(failure: &FailureInfo) -> String {
    let time = OffsetDateTime::from(failure.timestamp());
    time.replace_nanosecond(0).ok().and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bansuri_plugin_api::testing::Failure;

    #[test]
    fn headings() {
        let check = |failure: Failure, expect: &str| assert_eq!(heading(&failure.build()), expect);
        check(Failure::of("a"), "task \"a\" failed on host: exit code 1");
        check(Failure::of("a").folded(1), "task \"a\" failed on host: exit code 1, and 1 more failure");
        let folded = "task \"a\" timed out on host: outlived its timeout of 9s, and 3 more failures";
        check(Failure::of("a").timed_out_after(9).folded(3), folded);
        check(Failure::of("a\nb").reason("c\r\nd"), "task \"a b\" failed on host: c  d");
        check(Failure::of("a").reason(""), "task \"a\" failed on host");
    }

    #[test]
    fn what_is_empty_is_left_out() {
        let facts = facts(&Failure::of("a").attempt(2, Some(3)).build());
        assert!(facts.contains(&("Attempt", "2 of 3".to_owned())));
        assert!(facts.contains(&("Time", "2026-11-22T10:00:00Z".to_owned())));
        assert!(!facts.iter().any(|(name, _)| *name == "Description"));
        assert!(outputs(&Failure::of("a").stdout(" \n").build()).is_empty());
        assert_eq!(outputs(&Failure::of("a").stderr("x").build()), [("Error", "x")]);
    }
}
