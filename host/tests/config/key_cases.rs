//! Keys of what is run and when: values that are taken and values that are rejected.

pub(crate) struct Case {
    pub(crate) flat: &'static str,
    /// Groups and the name in them; empty: none.
    pub(crate) grouped: &'static [&'static str],
    /// Keys without which it cannot stand.
    pub(crate) beside: &'static str,
    pub(crate) valid: &'static [&'static str],
    /// Value and what is expected instead.
    pub(crate) invalid: &'static [(&'static str, &'static str)],
}

pub(crate) const WHOLE: &str = "expected a whole number, 0 or more";
pub(crate) const COUNT: &str = "expected a whole number from 0 to 4294967295";
pub(crate) const BOOLEAN: &str = "expected true or false";
pub(crate) const DURATION: &str = "expected a duration such as 30s, 5m or 1h30m";
pub(crate) const POSITIVE: &str = "expected a duration longer than zero, such as 30s, 5m or 1h30m";
pub(crate) const TEXT: &str = "expected text in double quotes";
pub(crate) const CRON: &str = "expected a cron expression such as \"*/5 * * * *\" or \"@daily\"";
pub(crate) const ACCOUNT: &str = "expected a name or a number";
pub(crate) const ON_FAIL: &str = "expected \"stop\", \"restart\" or \"ignore\"";
pub(crate) const SWITCH: Case = Case {
    flat: "",
    grouped: &[],
    beside: "",
    valid: &["false", "\"false\"", "null", "true", "\"true\""],
    invalid: &[("\"ture\"", BOOLEAN), ("1", BOOLEAN), ("[]", BOOLEAN)],
};
pub(crate) const RESTARTS: &str = r#""on-fail": "restart""#;

const SHA256: &str = "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"";
const DIGITS: &str = "expected 64 hexadecimal digits";

pub(crate) const RUNNING: &[Case] = &[
    Case {
        flat: "description",
        grouped: &["general", "description"],
        beside: "",
        valid: &["\"\"", "\"nightly\"", "null"],
        invalid: &[("5", TEXT), ("{}", TEXT)],
    },
    Case {
        flat: "no-interface",
        grouped: &["general", "no-interface"],
        beside: r#""command": "disk.so""#,
        valid: &["true", "\"true\"", "false", "null"],
        invalid: &[("\"yes\"", BOOLEAN), ("0", BOOLEAN)],
    },
    Case {
        flat: "options",
        grouped: &["general", "options"],
        beside: r#""command": "disk.so", "no-interface": true"#,
        valid: &["{}", r#"{ "a_b": [1, 2.5, null, { "c-d": "4" }] }"#, "null"],
        invalid: &[("[]", "expected an object"), ("\"a\"", "expected an object")],
    },
    Case {
        flat: "isolation",
        grouped: &["general", "isolation"],
        beside: r#""command": "disk.so", "no-interface": true"#,
        valid: &["\"thread\"", "\"process\"", "null"],
        invalid: &[
            ("\"fork\"", "expected \"thread\" or \"process\""),
            ("true", "expected \"thread\" or \"process\""),
        ],
    },
    Case {
        flat: "sha256",
        grouped: &["general", "sha256"],
        beside: r#""command": "disk.so", "no-interface": true"#,
        valid: &["null", SHA256, "\"0123456789abcdefABCDEF01234567890123456789abcdef0123456789abcdef\""],
        invalid: &[("\"\"", DIGITS), ("\"e3b0c442\"", DIGITS), ("5", DIGITS)],
    },
    Case {
        flat: "working-directory",
        grouped: &["general", "working-directory"],
        beside: "",
        valid: &["\"/tmp\"", "\"sub/./folder\"", "null"],
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
        valid: &["null", "\"www\"", "65534", "\"65534\""],
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
        valid: &["null", "\"web\"", "0"],
        invalid: &[("1.5", ACCOUNT), ("\"a:b\"", ACCOUNT)],
    },
    Case {
        flat: "environment",
        grouped: &["general", "environment"],
        beside: "",
        valid: &["{}", r#"{ "A_B": "4", "c-d": "", "PORT": 8080, "ON": true, "GONE": null }"#, "null"],
        invalid: &[("[]", "expected an object"), ("\"A=1\"", "expected an object")],
    },
    Case {
        flat: "environment-file",
        grouped: &["general", "environment-file"],
        beside: "",
        valid: &["null", "\".env\""],
        invalid: &[("\"\"", "expected a path"), ("[]", TEXT)],
    },
    Case {
        flat: "priority",
        grouped: &["general", "priority"],
        beside: "",
        valid: &["0", "\"0\"", "null", "-20", "19", "\"5\""],
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
        valid: &["null", "\"027\"", "\"0\"", "\"0777\""],
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
        valid: &[
            "{}",
            "null",
            r#"{ "nofile": null }"#,
            r#"{ "nofile": 1024, "as": "2G", "core": "unlimited", "cpu": "60", "nproc": 0, "fsize": "10M" }"#,
        ],
        invalid: &[("[]", "expected an object")],
    },
    Case {
        flat: "schedule-cron",
        grouped: &["scheduling", "schedule-cron"],
        beside: "",
        valid: &[
            "null",
            "\"* * * * *\"",
            "\"*/5 0-6/2 1,15 jan-MAR sun\"",
            "\"0 0 L * FRI#2\"",
            "\"0 9 ? * 5L\"",
            "\"@midnight\"",
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
            ("\"0 0 30 2 *\"", CRON),
            ("\"@dayly\"", CRON),
            ("5", CRON),
        ],
    },
    Case {
        flat: "timezone",
        grouped: &["scheduling", "timezone"],
        beside: r#""schedule-cron": "@daily""#,
        valid: &["null", "\"Europe/Berlin\"", "\"Etc/GMT+3\""],
        invalid: &[
            ("\"\"", "expected an IANA name such as \"Europe/Berlin\" or \"UTC\""),
            ("\"Europe/Berln\"", "expected an IANA name such as \"Europe/Berlin\" or \"UTC\""),
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
        invalid: &[("\"fixed\"", "expected \"fixed-rate\" or \"fixed-delay\"")],
    },
    Case { flat: "service", grouped: &["scheduling", "service"], ..SWITCH },
    Case {
        flat: "jitter",
        grouped: &["scheduling", "jitter"],
        beside: "",
        valid: &["0", "\"0\"", "null", "\"30s\"", "5"],
        invalid: &[("\"some\"", DURATION), ("-1", DURATION)],
    },
    Case {
        flat: "timeout",
        grouped: &["scheduling", "timeout"],
        beside: "",
        valid: &["\"10m\"", "600", "\"none\"", "null"],
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
        valid: &["[]", "{}", "null", "[\"y\"]", r#"[{ "y": "started" }]"#, r#"{ "y": "completed" }"#],
        invalid: &[
            ("\"y\"", "expected an array of tasks' names"),
            ("5", "expected an array of tasks' names"),
        ],
    },
    Case {
        flat: "catch-up",
        grouped: &["scheduling", "catch-up"],
        beside: r#""schedule-cron": "@daily""#,
        ..SWITCH
    },
];
