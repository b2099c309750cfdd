//! What holds for every file.

use crate::{run, run_bytes};
use bansuri::config::{CheckOptions, Severity, render_human, render_json};
use bansuri_core::{Growth, OnFail, Schedule};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::HashSet;

/// Checks one text: a configuration with warnings, or findings with an error among them; each in its place.
fn holds(text: &[u8]) -> Result<bool, TestCaseError> {
    let result = run_bytes(text, CheckOptions::default());
    let findings = match &result {
        Ok((configuration, warnings)) => {
            prop_assert!(warnings.iter().all(|finding| finding.severity == Severity::Warning));
            prop_assert_eq!(configuration.plan.tasks().len(), configuration.launches.len());
            let names: HashSet<_> = configuration.plan.tasks().iter().map(|task| &task.name).collect();
            prop_assert_eq!(names.len(), configuration.launches.len());
            for (task, launch) in configuration.plan.tasks().iter().zip(&configuration.launches) {
                prop_assert_eq!(&task.name, &launch.name);
                prop_assert_eq!(task.timeout, launch.timeout);
                prop_assert_eq!(task.notify.is_some(), launch.notify.is_some());
                prop_assert_eq!(task.health.is_some(), launch.health.is_some());
                if let OnFail::Restart(retry) = &task.on_fail {
                    prop_assert!((0.0..=1.0).contains(&retry.backoff.jitter) && !retry.backoff.max.is_zero());
                    if let Growth::Exponential { factor } = retry.backoff.growth {
                        prop_assert!(factor.is_finite() && factor >= 1.0);
                    }
                }
                if task.schedule == Schedule::Service {
                    prop_assert!(matches!(task.on_fail, OnFail::Restart(_)) && task.max_runs.is_none());
                }
                for dependency in &task.depends_on {
                    prop_assert!(names.contains(&dependency.task));
                }
                prop_assert!(launch.working_directory.is_absolute());
                prop_assert!(task.success_codes.iter().next().is_some());
            }
            warnings
        }
        Err(findings) => {
            prop_assert!(findings.iter().any(|finding| finding.severity == Severity::Error));
            if findings.iter().any(|finding| finding.code == "syntax") {
                prop_assert_eq!(findings.len(), 1);
            }
            findings
        }
    };
    let text = String::from_utf8_lossy(text);
    let lines = text.split('\n').count();
    for finding in findings {
        prop_assert!((1..=lines).contains(&finding.line) && finding.column >= 1, "{:?}", finding);
        prop_assert!(!finding.message.is_empty() && !finding.message.ends_with('.'));
        prop_assert!(!finding.message.contains(char::is_control), "{:?}", finding.message);
    }
    render_human(findings, &text, true);
    prop_assert!(render_json(findings).starts_with('['));
    Ok(result.is_ok())
}

/// One of these texts.
fn one_of(texts: &'static [&'static str]) -> BoxedStrategy<String> {
    proptest::sample::select(texts).prop_map(str::to_owned).boxed()
}

fn duration() -> BoxedStrategy<String> {
    prop_oneof![
        (0u64..100_000).prop_map(|n| n.to_string()),
        (0u64..1000, one_of(&["ms", "s", "m", "h", "d"])).prop_map(|(n, unit)| format!("\"{n}{unit}\"")),
        (1u64..60, 1u64..60).prop_map(|(m, s)| format!("\"{m}m{s}s\"")),
    ]
    .boxed()
}

fn number() -> BoxedStrategy<String> {
    prop_oneof![(0u32..9).prop_map(|n| n.to_string()), any::<u32>().prop_map(|n| format!("\"{n}\""))].boxed()
}

fn text() -> BoxedStrategy<String> {
    "[a-zA-Z0-9 ./é_-]{0,12}".prop_map(|text| format!("\"{text}\"")).boxed()
}

fn boolean() -> BoxedStrategy<String> {
    one_of(&["true", "false", "\"true\"", "\"false\""])
}

/// Any JSON, written out.
fn json() -> BoxedStrategy<String> {
    prop_oneof![one_of(&["null", "true", "0", "-1.5e3", "{}", "[]"]), text()]
        .prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..4).prop_map(|list| format!("[{}]", list.join(", "))),
                vec(("[a-z_-]{1,6}", inner), 0..4).prop_map(object),
            ]
        })
        .boxed()
}

/// Each key once: what is written twice is an error, and not what this is about.
fn object(members: Vec<(String, String)>) -> String {
    let mut seen = HashSet::new();
    let members: Vec<String> = members
        .into_iter()
        .filter(|(key, _)| seen.insert(key.replace('_', "-")))
        .map(|(key, value)| format!("\"{key}\": {value}"))
        .collect();
    format!("{{ {} }}", members.join(", "))
}

/// Keys of a task with their groups, and values that are mostly valid.
fn key() -> BoxedStrategy<(&'static [&'static str], String)> {
    let key = |path: &'static [&'static str], value: BoxedStrategy<String>| {
        prop_oneof![9 => value, 1 => one_of(&["null", "\"?\"", "{}", "-1"])]
            .prop_map(move |v| (path, v))
            .boxed()
    };
    proptest::strategy::Union::new(vec![
        key(&["description", "general", "description"], text()),
        key(&["no-interface", "general", "no-interface"], boolean()),
        key(&["options", "general", "options"], vec(("[a-z]{1,4}", json()), 0..3).prop_map(object).boxed()),
        key(&["working-directory", "general", "working-directory"], text()),
        key(
            &["environment", "general", "environment"],
            vec(("[A-Z_-]{1,4}", text()), 0..3).prop_map(object).boxed(),
        ),
        key(&["timer", "scheduling", "timer"], duration()),
        key(&["timer-mode", "scheduling", "timer-mode"], one_of(&["\"fixed-rate\"", "\"fixed_delay\""])),
        key(
            &["scheduling", "scheduling", "scheduler"],
            one_of(&["\"timer\"", "\"none\"", "\"cron\"", "\"service\""]),
        ),
        key(&["scheduling", "scheduling", "params"], duration()),
        key(&["timeout", "scheduling", "timeout"], duration()),
        key(&["max-runs", "scheduling", "max-runs"], number()),
        key(
            &["depends-on", "scheduling", "depends-on"],
            one_of(&["[\"t0\"]", "{ \"t1\": \"started\" }", "[]"]),
        ),
        key(
            &["schedule-cron", "scheduling", "schedule-cron"],
            prop_oneof![
                one_of(&["\"@daily\"", "\"@reboot\"", "\"0 9 * * MON-FRI\"", "\"0 0 30 2 *\""]),
                "[0-9*/, -]{1,12}".prop_map(|text| format!("\"{text}\"")),
            ]
            .boxed(),
        ),
        key(&["timezone", "scheduling", "timezone"], one_of(&["\"Europe/Berlin\"", "\"utc\"", "\"Mars\""])),
        key(&["service", "scheduling", "service"], boolean()),
        key(&["jitter", "scheduling", "jitter"], duration()),
        key(&["catch-up", "scheduling", "catch-up"], boolean()),
        key(&["user", "general", "user"], one_of(&["\"www\"", "33", "\"33\"", "\"nobody\""])),
        key(&["priority", "general", "priority"], one_of(&["-20", "\"19\"", "20"])),
        key(&["umask", "general", "umask"], one_of(&["\"027\"", "\"9\"", "22"])),
        key(
            &["limits", "general", "limits"],
            one_of(&[
                "{ \"nofile\": 10, \"as\": \"1G\" }",
                "{ \"core\": \"unlimited\" }",
                "{ \"cpu\": 1.5 }",
            ]),
        ),
        key(
            &["environment-file", "general", "environment-file"],
            one_of(&["\".env\"", "\"missing.env\"", "\"\""]),
        ),
        key(
            &["restart-backoff", "failure-control", "restart-params", "after-scheduling"],
            one_of(&["\"dynamic\"", "\"dynamic_linear\"", "\"none\""]),
        ),
        key(
            &["restart-step", "failure-control", "restart-params", "after-step"],
            prop_oneof![duration(), any::<f64>().prop_map(|number| format!("{number:e}"))].boxed(),
        ),
        key(&["restart-max-delay", "failure-control", "restart-params", "max"], duration()),
        key(
            &["restart-jitter", "failure-control", "restart-params", "jitter"],
            one_of(&["0.5", "\"1\"", "1.5"]),
        ),
        key(
            &["health-check", "failure-control", "health-check"],
            one_of(&[
                "{ \"command\": \"curl\" }",
                "{ \"interval\": 0 }",
                "{ \"command\": [\"a\"], \"retries\": \"2\" }",
            ]),
        ),
        key(&["rotate", "logging", "rotate"], one_of(&["{}", "{ \"max-size\": \"1K\" }", "{ \"keep\": 0 }"])),
        key(&["timestamps", "logging", "timestamps"], boolean()),
        key(
            &["notify-mode", "failure-control", "notify", "mode"],
            one_of(&["\"after-many\"", "\"on_exhausted\""]),
        ),
        key(&["notify-threshold", "failure-control", "notify", "after-threshold"], number()),
        key(&["notify-after", "failure-control", "notify", "after"], duration()),
        key(&["on-fail", "failure-control", "on-fail"], one_of(&["\"stop\"", "\"restart\"", "\"ignore\""])),
        key(&["max-attempts", "failure-control", "max-attempts"], number()),
        key(&["times"], number()),
        key(&["on-exhausted", "failure-control", "on-exhausted"], one_of(&["\"stop\"", "\"continue\""])),
        key(&["success-codes", "failure-control", "success-codes"], one_of(&["[0]", "[1, \"2\"]", "[]"])),
        key(&["restart-delay", "failure-control", "restart-params", "after"], duration()),
        key(&["stop-signal", "failure-control", "stop-signal"], one_of(&["\"TERM\"", "\"SIGINT\"", "9"])),
        key(&["stop-timeout", "failure-control", "stop-timeout"], duration()),
        key(&["stdout", "logging", "stdout"], prop_oneof![text(), one_of(&["null", "\"ignore\""])].boxed()),
        key(
            &["stderr", "logging", "stderr"],
            prop_oneof![text(), one_of(&["null", "\"$$combined\""])].boxed(),
        ),
        key(
            &["notify", "failure-control", "notify", "handler"],
            one_of(&["\"command\"", "\"none\"", "\"pager\""]),
        ),
        key(
            &["notify-command", "failure-control", "notify", "handler-config"],
            one_of(&["\"mail ops\"", "\"a 'b\""]),
        ),
    ])
    .boxed()
}

/// The members of a group, by the inner group they stand in.
type Inner<'a> = Vec<(&'a str, Vec<String>)>;

/// A script or `defaults`: keys in one spelling or another.
fn keys() -> BoxedStrategy<Vec<String>> {
    vec((key(), any::<bool>(), any::<bool>()), 0..8)
        .prop_map(|keys| {
            let mut groups: Vec<(&str, Inner<'_>)> = Vec::new();
            let mut flat = Vec::new();
            let mut seen = HashSet::new();
            for ((path, value), is_flat, is_underscored) in keys {
                if !seen.insert(path) {
                    continue;
                }
                let spell =
                    |name: &str| if is_underscored { name.replace('-', "_") } else { name.to_owned() };
                let (name, outer) = match path {
                    [flat] => (*flat, &[][..]),
                    [flat, _, last @ ..] if is_flat && *flat != "scheduling" && !last.is_empty() => {
                        (*flat, &[][..])
                    }
                    [_, outer @ .., name] => (*name, outer),
                    [] => continue,
                };
                let member = format!("\"{}\": {value}", spell(name));
                let Some((group, inner)) = outer.split_first() else {
                    flat.push(member);
                    continue;
                };
                let at = groups.iter().position(|(name, _)| name == group).unwrap_or_else(|| {
                    groups.push((group, Vec::new()));
                    groups.len() - 1
                });
                let inner = inner.first().copied().unwrap_or_default();
                match groups[at].1.iter_mut().find(|(name, _)| *name == inner) {
                    Some((_, members)) => members.push(member),
                    None => groups[at].1.push((inner, vec![member])),
                }
            }
            for (group, inner) in groups {
                let members: Vec<String> = inner
                    .into_iter()
                    .map(|(name, members)| match name {
                        "" => members.join(", "),
                        name => format!("\"{name}\": {{ {} }}", members.join(", ")),
                    })
                    .collect();
                flat.push(format!("\"{group}\": {{ {}, }}", members.join(", ")));
            }
            flat
        })
        .boxed()
}

/// A whole file.
fn file() -> BoxedStrategy<String> {
    let script = (keys(), one_of(&["\"true\"", "[\"echo\", \"a\"]", "\"disk.so\"", "\"\""]));
    (keys(), vec(script, 0..4), any::<bool>(), any::<bool>())
        .prop_map(|(defaults, scripts, has_command, has_notifier)| {
            let scripts: Vec<String> = scripts
                .into_iter()
                .enumerate()
                .map(|(index, (keys, command))| {
                    let keys: String = keys.iter().map(|key| format!(", {key}")).collect();
                    format!("{{ \"name\": \"t{index}\", \"command\": {command}{keys} }}")
                })
                .collect();
            let command = if has_command { "\"notify-command\": \"mail ops\"," } else { "" };
            let notifier =
                if has_notifier { "\"notifiers\": { \"pager\": { \"plugin\": \"pager.so\" } }," } else { "" };
            format!(
                "{{ {command} {notifier} // é\n \"defaults\": {{ {} }},\n \"scripts\": [\n{}\n] }}",
                defaults.join(",\n"),
                scripts.join(",\n")
            )
        })
        .boxed()
}

const VALID: &str = r#"{ "version": "1.0", "notify-command": "mail -s 'failed: {task}' ops", /* ä */
  "defaults": { "failure-control": { "on-fail": "restart", "max-attempts": "4", "restart-params": { "after": "30s" } } },
  "notifiers": { "pager": { "plugin": "pager.so", "options": { "to": ["a", null, 1.5] } } }, // two
  "scripts": [ { "general": { "name": "sync", "command": "sync.sh", "environment": { "A": "\u00e9\n" } },
                 "scheduling": { "scheduler": "timer", "params": "5m", "timeout": "1m30s", "max-runs": 10 },
                 "logging": { "stdout": "/var/log/sync.log", "stderr": "$$combined" }, "notify": "pager" },
               { "name": "b", "command": ["a", "b"], "notify": "command", "depends-on": [], "limits": {}, }, ] }"#;

/// What may replace a piece of a file.
const PIECES: &[&str] = &[
    "",
    " ",
    "\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "/",
    "*",
    "//",
    "/*",
    "\\",
    "\\u",
    "\\ud800",
    "'",
    "-",
    "_",
    "0",
    "1e999",
    "null",
    "true",
    "\n",
    "\r",
    "\t",
    "\u{FEFF}",
    "\u{0}",
    "é",
    "𝄞",
    "\"name\": ",
    "\"defaults\": null,",
    "99999999999999999999",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_file_of_the_grammar_is_checked(file in file()) {
        holds(file.as_bytes())?;
        let found = run(&file);
        let is_syntax = matches!(&found, Err(findings) if findings.iter().any(|finding| finding.code == "syntax"));
        prop_assert!(!is_syntax, "the grammar writes JSON: {file}");
    }

    #[test]
    fn any_bytes_are_checked(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert!(!holds(&bytes)?, "they are no configuration");
    }

    #[test]
    fn any_text_is_checked(text in "[{}\\[\\],:\"/*' a-z0-9\\\\\n.-]{0,60}") {
        holds(text.as_bytes())?;
    }

    #[test]
    fn any_change_of_a_valid_file_is_checked(
        changes in vec((any::<prop::sample::Index>(), 0usize..12, proptest::sample::select(PIECES)), 1..4),
    ) {
        let mut bytes = VALID.as_bytes().to_vec();
        for (at, length, piece) in changes {
            let at = at.index(bytes.len() + 1);
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, piece.bytes());
        }
        holds(&bytes)?;
    }
}

#[test]
fn the_file_that_is_changed_is_valid() {
    crate::accept(VALID);
}

#[test]
fn the_grammar_makes_files_that_are_accepted_and_files_that_are_not() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut accepted, mut rejected) = (0, 0);
    for _ in 0..500 {
        let file = file().new_tree(&mut runner).expect("no filter gives up").current();
        match run(&file) {
            Ok((configuration, _)) if !configuration.launches.is_empty() => accepted += 1,
            Ok(_) => {}
            Err(_) => rejected += 1,
        }
    }
    assert!(accepted > 20 && rejected > 20, "{accepted} accepted, {rejected} rejected");
}
