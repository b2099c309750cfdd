//! Whether an answer is a good one.

use crate::answer::Answer;
use crate::options::Options;
use std::time::Duration;

/// What is wrong with an answer, each as a lowercase fragment; empty if it is well.
pub(crate) fn faults(answer: &Answer, options: &Options) -> Vec<String> {
    let mut faults = Vec::new();
    if !options.expect_status.contains(answer.status) {
        faults.push(format!("status {}, expected {}", answer.status, options.expect_status));
    }
    if let Some(pattern) = &options.expect_body
        && !pattern.0.is_match(&answer.body)
    {
        let part = if answer.truncated {
            format!("the first {} bytes of the body do", answer.body.len())
        } else {
            "body does".to_owned()
        };
        faults.push(format!("{part} not match {:?}", pattern.0.as_str()));
    }
    if let Some(limit) = options.max_latency.map(|limit| limit.duration())
        && answer.latency > limit
    {
        faults.push(format!("took {}, allowed are {}", millis(answer.latency), millis(limit)));
    }
    faults
}

/// One line: `status 200, 12.3 ms, 512 bytes`.
pub(crate) fn summary(answer: &Answer) -> String {
    let more = if answer.truncated { " and more" } else { "" };
    format!("status {}, {}, {} bytes{more}", answer.status, millis(answer.latency), answer.body.len())
}

/// `12.3 ms`.
pub(crate) fn millis(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(options: &str, answer: &Answer, expect: &[&str]) {
        let options = format!(r#"{{ "url": "http://localhost/", {options} }}"#);
        assert_eq!(faults(answer, &serde_json::from_str(&options).unwrap()), expect, "{options}");
    }

    fn answer() -> Answer {
        Answer {
            status: 200,
            body: b"all is well\xff".to_vec(),
            truncated: false,
            latency: Duration::from_micros(12_345),
        }
    }

    #[test]
    fn good_ones() {
        check(r#""method": "GET""#, &answer(), &[]);
        check(
            r#""expect-body": "^all (is|are) well", "max-latency": "13ms", "expect-status": 200"#,
            &answer(),
            &[],
        );
        check(r#""expect-status": "5xx""#, &Answer { status: 503, ..answer() }, &[]);
    }

    #[test]
    fn all_that_is_wrong() {
        let expect = [
            "status 503, expected 200-299",
            "body does not match \"^good$\"",
            "took 12.3 ms, allowed are 12.0 ms",
        ];
        check(
            r#""expect-body": "^good$", "max-latency": "12ms""#,
            &Answer { status: 503, ..answer() },
            &expect,
        );
        let cut = Answer { truncated: true, ..answer() };
        check(r#""expect-body": "x""#, &cut, &["the first 12 bytes of the body do not match \"x\""]);
    }

    #[test]
    fn summaries() {
        assert_eq!(summary(&answer()), "status 200, 12.3 ms, 12 bytes");
        assert_eq!(
            summary(&Answer { truncated: true, ..answer() }),
            "status 200, 12.3 ms, 12 bytes and more"
        );
    }
}
