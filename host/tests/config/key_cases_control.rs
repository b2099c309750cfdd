//! Keys of what follows a failure, of output and of notifications.

use crate::key_cases::*;

pub(crate) const CONTROL: &[Case] = &[
    Case {
        flat: "on-fail",
        grouped: &["failure-control", "on-fail"],
        beside: "",
        valid: &["\"stop\"", "\"restart\"", "\"ignore\"", "null"],
        invalid: &[("\"retry\"", ON_FAIL), ("\"Stop\"", ON_FAIL), ("true", ON_FAIL)],
    },
    Case {
        flat: "max-attempts",
        grouped: &["failure-control", "max-attempts"],
        beside: RESTARTS,
        valid: &["0", "4", "\"4\"", "4294967295", "null"],
        invalid: &[("-1", COUNT), ("4294967296", COUNT), ("2.5", COUNT), ("\"x\"", COUNT)],
    },
    Case {
        flat: "times",
        grouped: &[],
        beside: "",
        valid: &["0", "3", "\"3\"", "null"],
        invalid: &[("-3", WHOLE), ("\"three\"", WHOLE)],
    },
    Case {
        flat: "on-exhausted",
        grouped: &["failure-control", "on-exhausted"],
        beside: RESTARTS,
        valid: &["\"continue\"", "\"stop\"", "null"],
        invalid: &[("\"ignore\"", "expected \"continue\" or \"stop\"")],
    },
    Case {
        flat: "success-codes",
        grouped: &["failure-control", "success-codes"],
        beside: "",
        valid: &["[0]", "[0, 2, \"3\", -1]", "null"],
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
        invalid: &[("\"soon\"", DURATION), ("-1", DURATION)],
    },
    Case {
        flat: "restart-backoff",
        grouped: &["failure-control", "restart-params", "after-scheduling"],
        beside: RESTARTS,
        valid: &["\"none\"", "null", "\"dynamic-linear\"", "\"dynamic\""],
        invalid: &[("\"linear\"", "expected \"none\", \"dynamic-linear\" or \"dynamic\"")],
    },
    Case {
        flat: "restart-step",
        grouped: &["failure-control", "restart-params", "after-step"],
        beside: r#""on-fail": "restart", "restart-backoff": "dynamic-linear""#,
        valid: &["null", "2", "1.5", "\"1.5\"", "\"30s\""],
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
        valid: &["\"5m\"", "300", "null", "\"1h\""],
        invalid: &[("0", POSITIVE), ("\"x\"", DURATION)],
    },
    Case {
        flat: "restart-jitter",
        grouped: &["failure-control", "restart-params", "jitter"],
        beside: RESTARTS,
        valid: &["0", "\"0\"", "0.0", "null", "0.5", "1", "\"0.1\""],
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
        valid: &[
            "null",
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
        invalid: &[("\"never\"", DURATION)],
    },
    Case {
        flat: "stdout",
        grouped: &["logging", "stdout"],
        beside: "",
        valid: &["null", "\"x.log\"", "\"/var/log/x.log\"", "\"ignore\"", "\"inherit\""],
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
        valid: &[
            "null",
            "{}",
            r#"{ "max-size": "10M", "keep": 5, "compress": false }"#,
            r#"{ "max_size": 4096 }"#,
        ],
        invalid: &[("\"10M\"", "expected an object")],
    },
    Case {
        flat: "timestamps",
        grouped: &["logging", "timestamps"],
        beside: r#""stdout": "x.log""#,
        ..SWITCH
    },
    Case {
        flat: "notify",
        grouped: &["failure-control", "notify", "handler"],
        beside: r#""notify-command": "mail ops""#,
        valid: &["\"command\"", "\"mail\""],
        invalid: &[],
    },
    Case {
        flat: "notify-command",
        grouped: &["failure-control", "notify", "handler-config"],
        beside: r#""notify": "command""#,
        valid: &["\"mail -s 'failed: {task}' ops\""],
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
        beside: r#""notify": "command", "notify-command": "mail ops""#,
        valid: &["\"after-fail\"", "\"after_fail\"", "null", "\"after-many\"", "\"on-exhausted\""],
        invalid: &[("\"always\"", "expected \"after-fail\", \"after-many\" or \"on-exhausted\"")],
    },
    Case {
        flat: "notify-threshold",
        grouped: &["failure-control", "notify", "after-threshold"],
        beside: r#""notify": "command", "notify-command": "mail ops", "notify-mode": "after-many""#,
        valid: &["1", "\"1\"", "null", "3"],
        invalid: &[("0", "expected a whole number from 1 to 4294967295")],
    },
    Case {
        flat: "notify-recovery",
        grouped: &["failure-control", "notify", "recovery"],
        beside: r#""notify": "command", "notify-command": "mail ops""#,
        ..SWITCH
    },
    Case {
        flat: "notify-after",
        grouped: &["failure-control", "notify", "after"],
        beside: r#""notify": "command", "notify-command": "mail ops""#,
        valid: &["null", "0", "\"5m\""],
        invalid: &[("\"later\"", DURATION)],
    },
];
