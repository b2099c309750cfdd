//! Every key of a task: what it takes, what it rejects, and all the ways to spell it.

use crate::{findings, run, scripts};
use bansuri::config::key_reference;

struct Case {
    flat: &'static str,
    /// Groups and the name in them; empty: none.
    grouped: &'static [&'static str],
    /// Keys without which it cannot stand.
    beside: &'static str,
    valid: &'static [&'static str],
    /// Valid, and of no use yet.
    refused: &'static [&'static str],
    /// Value and what is expected instead.
    invalid: &'static [(&'static str, &'static str)],
}

const WHOLE: &str = "expected a whole number, 0 or more";
const COUNT: &str = "expected a whole number from 0 to 4294967295";
const BOOLEAN: &str = "expected true or false";
const DURATION: &str = "expected a duration such as 30s, 5m or 1h30m";
const POSITIVE: &str = "expected a duration longer than zero, such as 30s, 5m or 1h30m";
const TEXT: &str = "expected text in double quotes";
const CRON: &str = "expected a cron expression such as \"*/5 * * * *\" or \"@daily\"";
const ACCOUNT: &str = "expected a name or a number";
const ON_FAIL: &str = "expected \"stop\", \"restart\" or \"ignore\"";
const NOT_YET_BOOLEAN: Case = Case {
    flat: "",
    grouped: &[],
    beside: "",
    valid: &["false", "\"false\"", "null"],
    refused: &["true", "\"true\""],
    invalid: &[("\"ture\"", BOOLEAN), ("1", BOOLEAN), ("[]", BOOLEAN)],
};
const RESTARTS: &str = r#""on-fail": "restart""#;

const CASES: &[Case] = &[
    Case {
        flat: "description",
        grouped: &["general", "description"],
        beside: "",
        valid: &["\"\"", "\"nightly\"", "null"],
        refused: &[],
        invalid: &[("5", TEXT), ("{}", TEXT)],
    },
    Case {
        flat: "no-interface",
        grouped: &["general", "no-interface"],
        beside: r#""command": "disk.so""#,
        valid: &["true", "\"true\"", "false", "null"],
        refused: &[],
        invalid: &[("\"yes\"", BOOLEAN), ("0", BOOLEAN)],
    },
    Case {
        flat: "options",
        grouped: &["general", "options"],
        beside: r#""command": "disk.so", "no-interface": true"#,
        valid: &["{}", r#"{ "a_b": [1, 2.5, null, { "c-d": "4" }] }"#, "null"],
        refused: &[],
        invalid: &[("[]", "expected an object"), ("\"a\"", "expected an object")],
    },
    Case {
        flat: "isolation",
        grouped: &["general", "isolation"],
        beside: r#""command": "disk.so", "no-interface": true"#,
        valid: &["\"thread\"", "null"],
        refused: &["\"process\""],
        invalid: &[
            ("\"fork\"", "expected \"thread\" or \"process\""),
            ("true", "expected \"thread\" or \"process\""),
        ],
    },
    Case {
        flat: "working-directory",
        grouped: &["general", "working-directory"],
        beside: "",
        valid: &["\"/tmp\"", "\"sub/./folder\"", "null"],
        refused: &[],
        invalid: &[
            ("\"\"", "expected a path"),
            ("5", TEXT),
            (r#""a\u0000b""#, "expected text without a NUL character"),
        ],
    },
    Case {
        flat: "user",
        grouped: &["general", "user"],
        beside: "",
        valid: &["null"],
        refused: &["\"nobody\"", "65534", "\"65534\""],
        invalid: &[
            ("\"\"", ACCOUNT),
            ("-1", ACCOUNT),
            ("4294967295", ACCOUNT),
            ("\"a b\"", ACCOUNT),
            ("true", ACCOUNT),
        ],
    },
    Case {
        flat: "group",
        grouped: &["general", "group"],
        beside: "",
        valid: &["null"],
        refused: &["\"nogroup\"", "0"],
        invalid: &[("1.5", ACCOUNT), ("\"a:b\"", ACCOUNT)],
    },
    Case {
        flat: "environment",
        grouped: &["general", "environment"],
        beside: "",
        valid: &["{}", r#"{ "A_B": "4", "c-d": "", "PORT": 8080, "ON": true, "GONE": null }"#, "null"],
        refused: &[],
        invalid: &[("[]", "expected an object"), ("\"A=1\"", "expected an object")],
    },
    Case {
        flat: "environment-file",
        grouped: &["general", "environment-file"],
        beside: "",
        valid: &["null"],
        refused: &["\".env\""],
        invalid: &[("\"\"", "expected a path"), ("[]", TEXT)],
    },
    Case {
        flat: "priority",
        grouped: &["general", "priority"],
        beside: "",
        valid: &["0", "\"0\"", "null"],
        refused: &["-20", "19", "\"5\""],
        invalid: &[
            ("-21", "expected a whole number from -20 to 19"),
            ("20", "expected a whole number from -20 to 19"),
            ("\"high\"", "expected a whole number from -20 to 19"),
        ],
    },
    Case {
        flat: "umask",
        grouped: &["general", "umask"],
        beside: "",
        valid: &["null"],
        refused: &["\"027\"", "\"0\"", "\"0777\""],
        invalid: &[
            ("\"028\"", "expected octal digits such as \"027\""),
            ("22", "expected octal digits such as \"027\""),
            ("\"1000\"", "expected octal digits such as \"027\""),
            ("\"\"", "expected octal digits such as \"027\""),
        ],
    },
    Case {
        flat: "limits",
        grouped: &["general", "limits"],
        beside: "",
        valid: &["{}", "null", r#"{ "nofile": null }"#],
        refused: &[
            r#"{ "nofile": 1024, "as": "2G", "core": "unlimited", "cpu": "60", "nproc": 0, "fsize": "10M" }"#,
        ],
        invalid: &[("[]", "expected an object")],
    },
    Case {
        flat: "schedule-cron",
        grouped: &["scheduling", "schedule-cron"],
        beside: "",
        valid: &["null"],
        refused: &[
            "\"* * * * *\"",
            "\"*/5 0-6/2 1,15 jan-MAR sun\"",
            "\"30 0 0 1 1 7\"",
            "\"@daily\"",
            "\"@reboot\"",
        ],
        invalid: &[
            ("\"\"", CRON),
            ("\"* * * *\"", CRON),
            ("\"* * * * * * *\"", CRON),
            ("\"60 * * * *\"", CRON),
            ("\"* 24 * * *\"", CRON),
            ("\"* * 0 * *\"", CRON),
            ("\"* * * 13 *\"", CRON),
            ("\"* * * * 8\"", CRON),
            ("\"5-1 * * * *\"", CRON),
            ("\"*/0 * * * *\"", CRON),
            ("\"a * * * *\"", CRON),
            ("\"1,, * * * *\"", CRON),
            ("\"@dayly\"", CRON),
            ("5", CRON),
        ],
    },
    Case {
        flat: "timezone",
        grouped: &["scheduling", "timezone"],
        beside: "",
        valid: &["null"],
        refused: &["\"Europe/Berlin\"", "\"Etc/GMT+3\""],
        invalid: &[
            ("\"\"", "expected an IANA name such as \"Europe/Berlin\" or \"UTC\""),
            ("\"Europe Berlin\"", "expected an IANA name such as \"Europe/Berlin\" or \"UTC\""),
            ("1", TEXT),
        ],
    },
    Case {
        flat: "timer",
        grouped: &["scheduling", "timer"],
        beside: "",
        valid: &[
            "\"1h\"",
            "\"45\"",
            "45",
            "\"4m30s\"",
            "\"250ms\"",
            "\"2d\"",
            "0",
            "\"0\"",
            "\"0s\"",
            "\"none\"",
            "null",
        ],
        refused: &[],
        invalid: &[
            ("\"1x\"", DURATION),
            ("-5", DURATION),
            ("1.5", DURATION),
            ("1e3", DURATION),
            ("\"1.5h\"", DURATION),
            ("\"1m30\"", DURATION),
            ("\"\"", DURATION),
            ("\"99999999999d\"", DURATION),
            ("18446744073709551616", DURATION),
            ("true", DURATION),
            ("[]", DURATION),
        ],
    },
    Case {
        flat: "timer-mode",
        grouped: &["scheduling", "timer-mode"],
        beside: r#""timer": "1h""#,
        valid: &["\"fixed-rate\"", "\"fixed-delay\"", "\"fixed_delay\"", "null"],
        refused: &[],
        invalid: &[("\"fixed\"", "expected \"fixed-rate\" or \"fixed-delay\"")],
    },
    Case { flat: "service", grouped: &["scheduling", "service"], ..NOT_YET_BOOLEAN },
    Case {
        flat: "jitter",
        grouped: &["scheduling", "jitter"],
        beside: "",
        valid: &["0", "\"0\"", "null"],
        refused: &["\"30s\"", "5"],
        invalid: &[("\"some\"", DURATION), ("-1", DURATION)],
    },
    Case {
        flat: "timeout",
        grouped: &["scheduling", "timeout"],
        beside: "",
        valid: &["\"10m\"", "600", "\"none\"", "null"],
        refused: &[],
        invalid: &[
            ("\"5x\"", DURATION),
            ("0", POSITIVE),
            ("\"0ms\"", POSITIVE),
            ("\"-1s\"", DURATION),
            ("0.5", DURATION),
        ],
    },
    Case {
        flat: "max-runs",
        grouped: &["scheduling", "max-runs"],
        beside: "",
        valid: &["0", "10", "\"10\"", "9223372036854775807", "null"],
        refused: &[],
        invalid: &[
            ("-1", WHOLE),
            ("1.0", WHOLE),
            ("9223372036854775808", WHOLE),
            ("\"ten\"", WHOLE),
            ("\"+1\"", WHOLE),
            ("\"\"", WHOLE),
        ],
    },
    Case {
        flat: "depends-on",
        grouped: &["scheduling", "depends-on"],
        beside: "",
        valid: &["[]", "{}", "null"],
        refused: &["[\"y\"]", r#"[{ "y": "started" }]"#, r#"{ "y": "completed" }"#],
        invalid: &[
            ("\"y\"", "expected an array of tasks' names"),
            ("5", "expected an array of tasks' names"),
        ],
    },
    Case { flat: "catch-up", grouped: &["scheduling", "catch-up"], ..NOT_YET_BOOLEAN },
    Case {
        flat: "on-fail",
        grouped: &["failure-control", "on-fail"],
        beside: "",
        valid: &["\"stop\"", "\"restart\"", "\"ignore\"", "null"],
        refused: &[],
        invalid: &[("\"retry\"", ON_FAIL), ("\"Stop\"", ON_FAIL), ("true", ON_FAIL)],
    },
    Case {
        flat: "max-attempts",
        grouped: &["failure-control", "max-attempts"],
        beside: RESTARTS,
        valid: &["0", "4", "\"4\"", "4294967295", "null"],
        refused: &[],
        invalid: &[("-1", COUNT), ("4294967296", COUNT), ("2.5", COUNT), ("\"x\"", COUNT)],
    },
    Case {
        flat: "times",
        grouped: &[],
        beside: "",
        valid: &["0", "3", "\"3\"", "null"],
        refused: &[],
        invalid: &[("-3", WHOLE), ("\"three\"", WHOLE)],
    },
    Case {
        flat: "on-exhausted",
        grouped: &["failure-control", "on-exhausted"],
        beside: RESTARTS,
        valid: &["\"continue\"", "\"stop\"", "null"],
        refused: &[],
        invalid: &[("\"ignore\"", "expected \"continue\" or \"stop\"")],
    },
    Case {
        flat: "success-codes",
        grouped: &["failure-control", "success-codes"],
        beside: "",
        valid: &["[0]", "[0, 2, \"3\", -1]", "null"],
        refused: &[],
        invalid: &[
            ("[]", "expected an array of exit codes, such as [0, 2]"),
            ("0", "expected an array of exit codes, such as [0, 2]"),
        ],
    },
    Case {
        flat: "restart-delay",
        grouped: &["failure-control", "restart-params", "after"],
        beside: RESTARTS,
        valid: &["\"30s\"", "0", "\"250ms\"", "null"],
        refused: &[],
        invalid: &[("\"soon\"", DURATION), ("-1", DURATION)],
    },
    Case {
        flat: "restart-backoff",
        grouped: &["failure-control", "restart-params", "after-scheduling"],
        beside: RESTARTS,
        valid: &["\"none\"", "null"],
        refused: &["\"dynamic-linear\"", "\"dynamic\""],
        invalid: &[("\"linear\"", "expected \"none\", \"dynamic-linear\" or \"dynamic\"")],
    },
    Case {
        flat: "restart-step",
        grouped: &["failure-control", "restart-params", "after-step"],
        beside: RESTARTS,
        valid: &["null"],
        refused: &["2", "1.5", "\"1.5\"", "\"30s\""],
        invalid: &[
            ("-1", "expected a number, 0 or more, or a duration such as 30s"),
            ("\"inf\"", "expected a number, 0 or more, or a duration such as 30s"),
            ("1e999", "expected a number, 0 or more, or a duration such as 30s"),
        ],
    },
    Case {
        flat: "restart-max-delay",
        grouped: &["failure-control", "restart-params", "max"],
        beside: RESTARTS,
        valid: &["\"5m\"", "300", "null"],
        refused: &["\"1h\""],
        invalid: &[("0", POSITIVE), ("\"x\"", DURATION)],
    },
    Case {
        flat: "restart-jitter",
        grouped: &["failure-control", "restart-params", "jitter"],
        beside: RESTARTS,
        valid: &["0", "\"0\"", "0.0", "null"],
        refused: &["0.5", "1", "\"0.1\""],
        invalid: &[
            ("1.1", "expected a number from 0 to 1"),
            ("-0.5", "expected a number from 0 to 1"),
            ("\"NaN\"", "expected a number from 0 to 1"),
        ],
    },
    Case {
        flat: "health-check",
        grouped: &["failure-control", "health-check"],
        beside: "",
        valid: &["null"],
        refused: &[
            r#"{ "command": "curl -f localhost" }"#,
            r#"{ "command": ["curl", "-f"], "interval": "10s", "timeout": 5, "retries": "2", "start_period": 0 }"#,
        ],
        invalid: &[("\"curl\"", "expected an object")],
    },
    Case {
        flat: "stop-signal",
        grouped: &["failure-control", "stop-signal"],
        beside: "",
        valid: &["\"TERM\"", "\"SIGINT\"", "\"int\"", "2", "\"9\"", "null"],
        refused: &[],
        invalid: &[
            ("\"SIGTREM\"", "expected a signal such as \"TERM\", \"INT\" or 15"),
            ("0", "expected a signal such as \"TERM\", \"INT\" or 15"),
            ("65", "expected a signal such as \"TERM\", \"INT\" or 15"),
        ],
    },
    Case {
        flat: "stop-timeout",
        grouped: &["failure-control", "stop-timeout"],
        beside: "",
        valid: &["\"10s\"", "0", "null"],
        refused: &[],
        invalid: &[("\"never\"", DURATION)],
    },
    Case {
        flat: "stdout",
        grouped: &["logging", "stdout"],
        beside: "",
        valid: &["null", "\"x.log\"", "\"/var/log/x.log\"", "\"ignore\"", "\"inherit\""],
        refused: &[],
        invalid: &[
            ("\"\"", "expected null, a path, \"ignore\" or \"inherit\""),
            ("\"combined\"", "expected null, a path, \"ignore\" or \"inherit\""),
            ("false", "expected null, a path, \"ignore\" or \"inherit\""),
        ],
    },
    Case {
        flat: "stderr",
        grouped: &["logging", "stderr"],
        beside: "",
        valid: &["null", "\"combined\"", "\"$$combined\"", "\"x.err\"", "\"ignore\"", "\"inherit\""],
        refused: &[],
        invalid: &[
            ("\"\"", "expected \"combined\", null, a path, \"ignore\" or \"inherit\""),
            ("\"$$combine\"", "expected \"combined\", null, a path, \"ignore\" or \"inherit\""),
            ("1", "expected \"combined\", null, a path, \"ignore\" or \"inherit\""),
        ],
    },
    Case {
        flat: "rotate",
        grouped: &["logging", "rotate"],
        beside: r#""stdout": "x.log""#,
        valid: &["null"],
        refused: &["{}", r#"{ "max-size": "10M", "keep": 5, "compress": false }"#, r#"{ "max_size": 4096 }"#],
        invalid: &[("\"10M\"", "expected an object")],
    },
    Case { flat: "timestamps", grouped: &["logging", "timestamps"], ..NOT_YET_BOOLEAN },
    Case {
        flat: "notify",
        grouped: &["failure-control", "notify", "handler"],
        beside: r#""notify-command": "mail ops""#,
        valid: &["\"command\"", "\"mail\""],
        refused: &[],
        invalid: &[],
    },
    Case {
        flat: "notify-command",
        grouped: &["failure-control", "notify", "handler-config"],
        beside: r#""notify": "command""#,
        valid: &["\"mail -s 'failed: {task}' ops\""],
        refused: &[],
        invalid: &[
            ("\"\"", "expected a command"),
            ("\"  \"", "expected a command"),
            ("\"mail 'ops\"", "expected a command whose quotes are closed"),
            ("\"'' ops\"", "expected a command"),
            ("[\"mail\"]", "expected a command"),
        ],
    },
    Case {
        flat: "notify-mode",
        grouped: &["failure-control", "notify", "mode"],
        beside: "",
        valid: &["\"after-fail\"", "\"after_fail\"", "null"],
        refused: &["\"after-many\"", "\"on-exhausted\""],
        invalid: &[("\"always\"", "expected \"after-fail\", \"after-many\" or \"on-exhausted\"")],
    },
    Case {
        flat: "notify-threshold",
        grouped: &["failure-control", "notify", "after-threshold"],
        beside: "",
        valid: &["1", "\"1\"", "null"],
        refused: &["3"],
        invalid: &[("0", "expected a whole number from 1 to 4294967295")],
    },
    Case { flat: "notify-recovery", grouped: &["failure-control", "notify", "recovery"], ..NOT_YET_BOOLEAN },
    Case {
        flat: "notify-after",
        grouped: &["failure-control", "notify", "after"],
        beside: "",
        valid: &["null", "0"],
        refused: &["\"5m\""],
        invalid: &[("\"later\"", DURATION)],
    },
];

impl Case {
    /// The ways to give it a value, each a script's text.
    fn spellings(&self, value: &str) -> Vec<String> {
        let mut keys = vec![format!("\"{}\": {value}", self.flat)];
        if let Some((name, groups)) = self.grouped.split_last() {
            let mut text = format!("\"{name}\": {value}");
            for group in groups.iter().rev() {
                text = format!("\"{group}\": {{ {text} }}");
            }
            keys.push(text);
            keys.push(format!("\"{}\": {{ \"{}\": {value} }}", self.grouped[0], self.flat));
        }
        let underscored: Vec<String> = keys
            .iter()
            .map(|key| match key.strip_suffix(value) {
                Some(key) => format!("{}{value}", key.replace('-', "_")),
                None => key.replacen(value, "\u{0}", 1).replace('-', "_").replacen('\u{0}', value, 1),
            })
            .collect();
        keys.extend(underscored);
        let command = if self.beside.contains("\"command\":") { "" } else { r#", "command": "true""# };
        let beside = if self.beside.is_empty() { String::new() } else { format!(", {}", self.beside) };
        keys.iter()
            .map(|key| {
                scripts(&format!(
                    r#"{{ "name": "x"{command}{beside}, {key} }}, {{ "name": "y", "command": "true" }}"#
                ))
            })
            .collect()
    }
}

#[test]
fn every_key_of_the_reference_has_a_case() {
    let reference = key_reference();
    let flat = reference
        .lines()
        .skip(2)
        .filter_map(|line| line.split('`').nth(1).filter(|_| line.starts_with("| `")));
    for key in flat.filter(|key| !["name", "command"].contains(key)) {
        assert!(CASES.iter().any(|case| case.flat == key), "{key} has no case");
    }
}

#[test]
fn valid_values_mean_the_same_in_every_spelling() {
    for case in CASES {
        for value in case.valid {
            let mut meanings = Vec::new();
            for text in case.spellings(value) {
                match run(&text) {
                    Ok((configuration, warnings)) if warnings.is_empty() => {
                        meanings.push(format!("{:?} {:?}", configuration.plan, configuration.launches));
                    }
                    Ok(_) | Err(_) => panic!("{text}\n{}", findings(&text)),
                }
            }
            assert!(meanings.windows(2).all(|two| two[0] == two[1]), "{} {value}: {meanings:#?}", case.flat);
        }
    }
}

#[test]
fn valid_values_without_behaviour_are_refused_by_name() {
    for case in CASES {
        for value in case.refused {
            for text in case.spellings(value) {
                let expected = format!("error not-supported task \"x\": {}: not supported yet", case.flat);
                let found = findings(&text);
                let (_, found) = found.split_once(" | ").unwrap_or_else(|| panic!("{text} is accepted"));
                assert_eq!(found.trim_end(), expected, "{text}");
            }
        }
    }
}

#[test]
fn invalid_values_are_shown_with_what_is_expected() {
    for case in CASES {
        for (value, expected) in case.invalid {
            for text in case.spellings(value) {
                let found = findings(&text);
                let shown = match *value {
                    r#""a\u0000b""# => "\"a\\0b\"",
                    "[\"mail\"]" => "[…]",
                    value => value,
                };
                let mut lines = found.lines();
                let line = lines.next().unwrap_or_else(|| panic!("{text} is accepted"));
                assert!(
                    line.starts_with(&format!("{value} | error invalid-value task \"x\": ")),
                    "{text}\n{line}"
                );
                assert!(
                    line.contains(&format!(" {shown}: {expected}")),
                    "{text}\n{line}\nexpected {shown}: {expected}"
                );
                assert_eq!(lines.next(), None, "{text}");
            }
        }
    }
}
