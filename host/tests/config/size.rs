//! Files far larger than anybody writes are checked in one pass.

use crate::{run, scripts};
use bansuri::config::render_human;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// What may pass as "at once" on a slow machine in a build without optimisation.
const AT_ONCE: Duration = Duration::from_secs(5);

fn many(count: usize, separator: &str, keys: &str) -> String {
    let mut list = String::new();
    for n in 0..count {
        write!(list, "{separator}{{ \"name\": \"task {n}\", \"command\": \"run {n}\", {keys} }},")
            .expect("a string grows");
    }
    scripts(&list)
}

#[test]
fn ten_thousand_tasks() {
    let keys =
        r#""timer": "1h", "timeout": "10m", "on-fail": "restart", "max_attempts": 3, "stdout": "x.log""#;
    for separator in ["\n", ""] {
        let text = many(10_000, separator, keys);
        let begin = Instant::now();
        let (configuration, warnings) = run(&text).expect("all are fine");
        let took = begin.elapsed();
        assert_eq!((configuration.launches.len(), warnings.len()), (10_000, 0));
        println!("10,000 tasks checked in {took:?}");
        assert!(took < AT_ONCE, "{took:?}");
    }
}

#[test]
fn ten_thousand_cron_expressions() {
    let keys = r#""schedule-cron": "*/5 8-17 * * MON-FRI", "timezone": "Europe/Berlin", "user": "www""#;
    let text = many(10_000, "\n", keys);
    let begin = Instant::now();
    let (configuration, warnings) = run(&text).expect("all are fine");
    println!("10,000 expressions checked in {:?}", begin.elapsed());
    assert_eq!((configuration.launches.len(), warnings.len()), (10_000, 0));
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
}

#[test]
fn ten_thousand_findings_in_one_line() {
    let text = many(10_000, "", r#""timeuot": 1, "timeout": "5x""#);
    let begin = Instant::now();
    let findings = run(&text).expect_err("all are wrong");
    assert_eq!(findings.len(), 20_000);
    assert!(findings.is_sorted_by_key(|finding| (finding.line, finding.column)));
    println!("20,000 findings in {:?}", begin.elapsed());
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    for separator in ["", "\n"] {
        render(separator);
    }
}

fn render(separator: &str) {
    let lines = many(10_000, separator, r#""timeuot": 1"#);
    let (_, findings) = run(&lines).expect("warnings only");
    let begin = Instant::now();
    let report = render_human(&findings, &lines, false);
    assert_eq!(report.matches("did you mean \"timeout\"?").count(), 10_000);
    println!("10,000 findings rendered in {:?}", begin.elapsed());
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
}

#[test]
fn a_long_chain_of_dependencies() {
    let mut list = String::new();
    for n in 0..20_000 {
        write!(
            list,
            "{{ \"name\": \"{n}\", \"command\": \"a\", \"depends-on\": [\"{}\"] }},",
            (n + 1) % 20_000
        )
        .expect("a string grows");
    }
    let begin = Instant::now();
    let findings = run(&scripts(&list)).expect_err("a ring");
    assert_eq!(findings.iter().filter(|finding| finding.code == "dependency-cycle").count(), 1);
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
}

#[test]
fn one_object_with_many_keys() {
    let keys: String = (0..100_000).map(|n| format!("\"K{n}\": \"\",")).collect();
    let begin = Instant::now();
    let (configuration, _) =
        run(&crate::script(&format!("\"environment\": {{ {keys} }}"))).expect("it is fine");
    assert_eq!(configuration.launches[0].environment.len(), 100_000);
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
}
