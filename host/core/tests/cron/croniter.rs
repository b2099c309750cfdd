//! The same expressions asked of croniter (PyPI), in UTC, on demand.

use crate::expression::Expression;
use crate::random::Random;
use crate::times::{second, wall, zone};
use bansuri_core::Cron;
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

/// Why croniter need not find the same.
fn known_difference(expression: &Expression) -> Option<&'static str> {
    let weekdays = &expression.day_of_week;
    let of_the_month = !weekdays.nth.is_empty() || !weekdays.last.is_empty();
    if expression.text().split([' ', ',']).any(is_equal_range) {
        return Some("a range of one value is the whole field there, and that value here");
    }
    if of_the_month && !weekdays.set.is_empty() {
        return Some("weekdays beside nth weekdays are refused there, or dropped");
    }
    if of_the_month && !expression.day_of_month.begins_with_star() {
        return Some("an nth weekday must fit besides a day of month there, and is an alternative here");
    }
    None
}

/// `5-5`, `5-5/2`.
fn is_equal_range(item: &str) -> bool {
    let range = item.split('/').next().unwrap_or(item);
    range.split_once('-').is_some_and(|(from, to)| from == to)
}

/// `5L` is `L5` there.
fn as_croniter_writes(expression: &Expression) -> String {
    let text = expression.text();
    let (fields, weekdays) = text.rsplit_once(' ').unwrap();
    let item = |item: &str| match item.strip_suffix('L') {
        Some(day) => format!("L{day}"),
        None => item.to_owned(),
    };
    format!("{fields} {}", weekdays.split(',').map(item).collect::<Vec<_>>().join(","))
}

#[test]
#[ignore = "needs croniter: python3 -m venv V && V/bin/pip install croniter && PYTHON=V/bin/python cargo test -p bansuri-core --test cron croniter -- --ignored"]
fn croniter_finds_the_same_times() {
    let mut random = Random::new(61);
    let mut cases = Vec::new();
    let mut left_out: BTreeMap<&str, u32> = BTreeMap::new();
    while cases.len() < 20_000 {
        let with_seconds = random.one_in(3);
        let expression = Expression::random(&mut random, with_seconds);
        let Ok(cron) = Cron::parse(&expression.text(), zone("UTC")) else { continue };
        if let Some(why) = known_difference(&expression) {
            *left_out.entry(why).or_insert(0) += 1;
            continue;
        }
        cases.push((expression, cron, random.between(0, 4_000_000_000)));
    }
    let mut python = Command::new(std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned()))
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cron/ask_croniter.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python starts");
    let mut questions = python.stdin.take().unwrap();
    let lines: String = cases
        .iter()
        .map(|(expression, _, after)| format!("{}\t{after}\n", as_croniter_writes(expression)))
        .collect();
    let asking = std::thread::spawn(move || questions.write_all(lines.as_bytes()));
    let answers = python.wait_with_output().unwrap();
    asking.join().unwrap().unwrap();
    assert!(answers.status.success());
    let answers = String::from_utf8(answers.stdout).unwrap();
    assert_eq!(answers.lines().count(), cases.len());

    let mut differences = Vec::new();
    for ((expression, cron, after), answer) in cases.iter().zip(answers.lines()) {
        let mut from = wall(*after);
        let found: Vec<String> = std::iter::from_fn(|| {
            from = cron.next_after(from)?;
            Some(second(from).to_string())
        })
        .take(3)
        .collect();
        if found.join(" ") != answer {
            differences.push(format!(
                "{} after {after}: {}, croniter: {answer}",
                expression.text(),
                found.join(" ")
            ));
        }
    }
    println!("{} compared, left out: {left_out:#?}", cases.len());
    assert!(
        differences.is_empty(),
        "{} differences:\n{}",
        differences.len(),
        differences[..differences.len().min(60)].join("\n")
    );
}
