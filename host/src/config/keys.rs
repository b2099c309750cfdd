//! The one table of a task's keys: names, groups, kinds and defaults. Reading, hints and the reference follow it.

use super::typed::{Kind, Merged, Typed};
use bansuri_core::Signal;
use std::time::Duration;

/// A key of a task. Its place in [`TABLE`] is its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Key {
    Name,
    Command,
    Description,
    NoInterface,
    Options,
    Isolation,
    Sha256,
    WorkingDirectory,
    User,
    Group,
    Environment,
    EnvironmentFile,
    Priority,
    Umask,
    Limits,
    Scheduler,
    Params,
    ScheduleCron,
    Timezone,
    Timer,
    TimerMode,
    Service,
    Jitter,
    Timeout,
    MaxRuns,
    DependsOn,
    CatchUp,
    OnFail,
    MaxAttempts,
    Times,
    OnExhausted,
    SuccessCodes,
    RestartDelay,
    RestartBackoff,
    RestartStep,
    RestartMaxDelay,
    RestartJitter,
    HealthCheck,
    StopSignal,
    StopTimeout,
    Stdout,
    Stderr,
    Rotate,
    Timestamps,
    Notify,
    NotifyEnabled,
    NotifyCommand,
    NotifyMode,
    NotifyThreshold,
    NotifyRecovery,
    NotifyAfter,
}

/// What is known of a key.
#[derive(Debug)]
pub(super) struct KeyInfo {
    pub(super) key: Key,
    /// Its name beside the others of a script; `None`: it exists in its group only.
    pub(super) flat: Option<&'static str>,
    /// The groups around it; empty: it has none.
    pub(super) group: &'static [&'static str],
    /// Its name in the group; empty where it has none of its own there.
    pub(super) grouped: &'static str,
    pub(super) kind: Kind,
    /// `None`: unset means something that no value says.
    pub(super) default: Option<Typed<'static>>,
    pub(super) description: &'static str,
}

/// A field of an object that Bansuri reads itself.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
    /// For the schema.
    pub(super) description: &'static str,
}

const fn needed(name: &'static str, kind: Kind, description: &'static str) -> Field {
    Field { name, kind, required: true, description }
}

const fn optional(name: &'static str, kind: Kind, description: &'static str) -> Field {
    Field { name, kind, required: false, description }
}

const GENERAL: &[&str] = &["general"];
const SCHEDULING: &[&str] = &["scheduling"];
const CONTROL: &[&str] = &["failure-control"];
const RESTART: &[&str] = &["failure-control", "restart-params"];
const NOTIFY: &[&str] = &["failure-control", "notify"];
const LOGGING: &[&str] = &["logging"];

/// Every group, the inner ones with the outer one before them.
pub(super) const GROUPS: &[&[&str]] = &[GENERAL, SCHEDULING, CONTROL, RESTART, NOTIFY, LOGGING];

/// The group whose handler may stand in its place as a string.
pub(super) const NOTIFY_GROUP: &[&str] = NOTIFY;

const COUNT: Kind = Kind::Integer { min: 0, max: u32::MAX as i64 };
const FALSE: Option<Typed<'static>> = Some(Typed::Boolean(false));

const fn seconds(seconds: u64) -> Option<Typed<'static>> {
    Some(Typed::Duration(Duration::from_secs(seconds)))
}

const fn word(word: &'static str) -> Option<Typed<'static>> {
    Some(Typed::Word(word))
}

const fn number(number: i64) -> Option<Typed<'static>> {
    Some(Typed::Integer(number))
}

macro_rules! table {
    ($($key:ident $flat:tt $group:ident $grouped:literal $kind:expr, $default:expr, $description:literal;)*) => {
        /// Every key, in the order of [`Key`].
        pub(super) static TABLE: &[KeyInfo] = &[$(KeyInfo {
            key: Key::$key,
            flat: table!(@flat $flat),
            group: $group,
            grouped: $grouped,
            kind: $kind,
            default: $default,
            description: $description,
        }),*];
    };
    (@flat _) => { None };
    (@flat $name:literal) => { Some($name) };
}

const NOWHERE: &[&str] = &[];

table! {
    Name "name" GENERAL "name" Kind::Name, None, "required, unique";
    Command "command" GENERAL "command" Kind::Command, None,
        "required: a line for `/bin/sh -c`, an array that is executed directly, or `LIBRARY[:Type]` for a plugin task";
    Description "description" GENERAL "description" Kind::Text, Some(Typed::Text("")), "for people";
    NoInterface "no-interface" GENERAL "no-interface" Kind::Boolean, FALSE, "`true`: `command` names a plugin task";
    Options "options" GENERAL "options" Kind::Merged(Merged::Options), None, "JSON handed to the plugin task; default: `{}`";
    Isolation "isolation" GENERAL "isolation" Kind::Word(&["thread", "process"]), word("thread"),
        "where a plugin task runs: in the host, or in a child process";
    Sha256 "sha256" GENERAL "sha256" Kind::Sha256, None,
        "64 hexadecimal digits: the content that the library of a plugin task has to have";
    WorkingDirectory "working-directory" GENERAL "working-directory" Kind::Path, None,
        "default: the folder of the configuration file, which relative ones start from; relative log files start from the working directory";
    User "user" GENERAL "user" Kind::Account, None, "a name or a number, with its supplementary groups; default: the host's";
    Group "group" GENERAL "group" Kind::Account, None, "a name or a number; default: the user's, or the host's";
    Environment "environment" GENERAL "environment" Kind::Merged(Merged::Environment), None, "variables added to the host's and to those of `environment-file`; default: `{}`";
    EnvironmentFile "environment-file" GENERAL "environment-file" Kind::Path, None,
        "a JSON object or `KEY=VALUE` lines (`.env`), read at every start of a run";
    Priority "priority" GENERAL "priority" Kind::Integer { min: -20, max: 19 }, number(0), "nice value, -20 to 19";
    Umask "umask" GENERAL "umask" Kind::Umask, None, "octal, `\"027\"`; default: the host's";
    Limits "limits" GENERAL "limits" Kind::Merged(Merged::Fields(LIMITS)), Some(Typed::Fields(Vec::new())),
        "rlimits: `nofile`, `nproc`, `as`, `core`, `cpu`, `fsize`; numbers, sizes such as `\"2G\"`, or `\"unlimited\"`";
    Scheduler _ SCHEDULING "scheduler" Kind::Word(SCHEDULERS), None, "`\"none\"`, `\"timer\"`, `\"cron\"` or `\"service\"`: what `params` means";
    Params _ SCHEDULING "params" Kind::Params, None, "the interval of a timer, or a cron expression";
    ScheduleCron "schedule-cron" SCHEDULING "schedule-cron" Kind::Cron, None,
        "a cron expression: 5 fields, 6 with seconds first, or `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`, `@annually`, `@reboot`";
    Timezone "timezone" SCHEDULING "timezone" Kind::Timezone, None, "an IANA name, for the cron expression; default: the system's";
    Timer "timer" SCHEDULING "timer" Kind::Interval, None, "interval, the first run at start; `0`, `\"none\"`: no timer";
    TimerMode "timer-mode" SCHEDULING "timer-mode" Kind::Word(&["fixed-rate", "fixed-delay"]), word("fixed-rate"),
        "`\"fixed-rate\"`: from start to start, without drift, a tick that falls in a run is skipped; `\"fixed-delay\"`: from end to start";
    Service "service" SCHEDULING "service" Kind::Boolean, FALSE, "`true`: kept alive, any exit is followed by a restart with the restart delay and backoff";
    Jitter "jitter" SCHEDULING "jitter" Kind::Duration, seconds(0), "each scheduled start is delayed by a random time up to this";
    Timeout "timeout" SCHEDULING "timeout" Kind::Timeout, None, "how long a run may live; default: for ever";
    MaxRuns "max-runs" SCHEDULING "max-runs" Kind::Integer { min: 0, max: i64::MAX }, number(0),
        "successful runs after which the task is done; 0: no limit";
    DependsOn "depends-on" SCHEDULING "depends-on" Kind::Dependencies, Some(Typed::Dependencies(Vec::new())),
        "names, or `{ name: \"completed\" | \"started\" | \"healthy\" }`: with names alone and no schedule the task runs each time all have completed, otherwise its first start waits for all";
    CatchUp "catch-up" SCHEDULING "catch-up" Kind::Boolean, FALSE, "`true`: a cron tick that was missed while the host was down is run once at start";
    OnFail "on-fail" CONTROL "on-fail" Kind::Word(&["stop", "restart", "ignore"]), None,
        "`\"stop\"`, `\"restart\"` or `\"ignore\"`; default: `restart` for a service, `ignore` with a timer, cron or trigger, otherwise `stop`";
    MaxAttempts "max-attempts" CONTROL "max-attempts" COUNT, number(0),
        "with `on-fail: restart`: executions in a row, the first included, before giving up; 0: no limit";
    Times "times" NOWHERE "" Kind::Integer { min: 0, max: i64::MAX }, number(0),
        "with `on-fail: restart` and no `max-attempts` the same as `max-attempts`, otherwise as `max-runs`";
    OnExhausted "on-exhausted" CONTROL "on-exhausted" Kind::Word(&["continue", "stop"]), word("continue"),
        "what a scheduled task does when no attempt is left: `\"continue\"` with its next tick, or `\"stop\"`";
    SuccessCodes "success-codes" CONTROL "success-codes" Kind::Codes, None, "exit codes that count as success; default: `[0]`";
    RestartDelay "restart-delay" RESTART "after" Kind::Duration, seconds(5), "from the end of a run to its retry";
    RestartBackoff "restart-backoff" RESTART "after-scheduling"
        Kind::Word(&["none", "dynamic-linear", "dynamic"]), word("none"), "how the delay grows: `\"none\"`, `\"dynamic-linear\"` (by the step each time) or `\"dynamic\"` (multiplied by the step)";
    RestartStep "restart-step" RESTART "after-step" Kind::Step, None,
        "`dynamic-linear`: a duration or seconds, default 1; `dynamic`: a factor of 1 or more, default 2";
    RestartMaxDelay "restart-max-delay" RESTART "max" Kind::Positive, seconds(300), "the longest delay; a run of a service that lived longer starts again from the first";
    RestartJitter "restart-jitter" RESTART "jitter" Kind::Fraction, Some(Typed::Number(0.0)), "0 to 1: a random part of the delay, longer or shorter";
    HealthCheck "health-check" CONTROL "health-check" Kind::Merged(Merged::Fields(HEALTH_CHECK)), None,
        "`{ command, interval: \"30s\", timeout: \"30s\", retries: 3, start-period: \"0s\" }`: a run that fails so many checks in a row is ended and has failed";
    StopSignal "stop-signal" CONTROL "stop-signal" Kind::Signal, Some(Typed::Signal(Signal::TERM)),
        "how a run is asked to stop";
    StopTimeout "stop-timeout" CONTROL "stop-timeout" Kind::Duration, seconds(10), "how long after that it is killed";
    Stdout "stdout" LOGGING "stdout" Kind::Stdout, None,
        "a path: appended to; `\"ignore\"`: discarded; `\"inherit\"`: the host's own; default: not written anywhere, the last 64 KiB kept";
    Stderr "stderr" LOGGING "stderr" Kind::Stderr, None,
        "default: `\"combined\"`, where stdout goes; `null`: not written anywhere; otherwise as `stdout`";
    Rotate "rotate" LOGGING "rotate" Kind::Merged(Merged::Fields(ROTATE)), None, "`{ max-size: \"10M\", keep: 5, compress: false }`: `FILE` becomes `FILE.1` before the line that would take it past that size";
    Timestamps "timestamps" LOGGING "timestamps" Kind::Boolean, FALSE, "`true`: each line written to a file begins with its time";
    Notify "notify" NOTIFY "handler" Kind::Text, Some(Typed::Text("none")),
        "`\"none\"`, `\"command\"` or `\"mail\"` (the notify command), or the name of a notifier";
    NotifyEnabled _ NOTIFY "enabled" Kind::Boolean, Some(Typed::Boolean(true)), "`false`: nobody is told";
    NotifyCommand "notify-command" NOTIFY "handler-config" Kind::Words, None, "split into words as a shell would; default: the file's `notify-command`";
    NotifyMode "notify-mode" NOTIFY "mode" Kind::Word(&["after-fail", "after-many", "on-exhausted"]),
        word("after-fail"), "`\"after-fail\"`: every failed attempt; `\"after-many\"`: when failures in a row reach the threshold; `\"on-exhausted\"`: when no attempt is left";
    NotifyThreshold "notify-threshold" NOTIFY "after-threshold" Kind::Integer { min: 1, max: u32::MAX as i64 },
        number(1), "failures in a row, for `after-many`";
    NotifyRecovery "notify-recovery" NOTIFY "recovery" Kind::Boolean, FALSE, "`true`: one message when a task that was notified succeeds again";
    NotifyAfter "notify-after" NOTIFY "after" Kind::Duration, seconds(0),
        "told only if there is no success again within this time";
}

/// What `scheduler` may be.
pub(super) const SCHEDULERS: &[&str] = &["none", "timer", "cron", "service"];

const LIMITS: &[Field] = &[
    optional("nofile", Kind::Limit, "open files"),
    optional("nproc", Kind::Limit, "processes and threads of the user"),
    optional("as", Kind::Limit, "address space in bytes"),
    optional("core", Kind::Limit, "size of a core dump in bytes"),
    optional("cpu", Kind::Limit, "processor time in seconds"),
    optional("fsize", Kind::Limit, "size of a file that is written, in bytes"),
];

const HEALTH_CHECK: &[Field] = &[
    needed(
        "command",
        Kind::Command,
        "succeeds while the run is healthy: a line for `/bin/sh -c`, or an array that is executed directly",
    ),
    optional("interval", Kind::Positive, "from the end of a check to the next; default: 30s"),
    optional("timeout", Kind::Positive, "how long a check may take before it has failed; default: 30s"),
    optional(
        "retries",
        Kind::Integer { min: 1, max: u32::MAX as i64 },
        "failed checks in a row after which the run is ended and has failed; default: 3",
    ),
    optional(
        "start-period",
        Kind::Duration,
        "a time after the start of a run in which failed checks do not count; default: 0s",
    ),
];

const ROTATE: &[Field] = &[
    optional(
        "max-size",
        Kind::Size,
        "the size that a file is not to pass: bytes, or with `K`, `M`, `G` of 1024; default: 10M",
    ),
    optional("keep", Kind::Integer { min: 1, max: 10_000 }, "how many old files are kept; default: 5"),
    optional("compress", Kind::Boolean, "`true`: old files are compressed; default: false"),
];

/// A notifier's.
pub(super) const NOTIFIER: &[Field] = &[
    needed("plugin", Kind::Text, "required: `LIBRARY[:Type]`"),
    optional("sha256", Kind::Sha256, "64 hexadecimal digits: the content that the library has to have"),
    optional("options", Kind::Merged(Merged::Options), "JSON handed to the notifier; default: {}"),
    optional("timeout", Kind::Positive, "how long one notification may take; default: 30s"),
    optional(
        "isolation",
        Kind::Word(&["thread", "process"]),
        "where it runs: in the host, or for each notification in a child process; default: thread",
    ),
];

/// Those of the file's `plugins`.
pub(super) const PLUGINS: &[Field] = &[
    optional("search-paths", Kind::Paths, "folders in which plugins are looked for by their bare names"),
    optional(
        "isolation",
        Kind::Word(&["thread", "process"]),
        "where plugin tasks run that do not say so themselves; default: thread",
    ),
];

/// A key of the file itself.
#[derive(Debug)]
pub(super) struct RootKey {
    pub(super) name: &'static str,
    /// `None`: it has a reader of its own.
    pub(super) kind: Option<Kind>,
    pub(super) description: &'static str,
}

const fn root(name: &'static str, kind: Option<Kind>, description: &'static str) -> RootKey {
    RootKey { name, kind, description }
}

/// The file's own keys.
pub(super) const ROOT: &[RootKey] = &[
    root("$schema", Some(Kind::Text), "for editors: where the schema is that `bansuri schema` prints"),
    root("version", Some(Kind::Text), "any text"),
    root("defaults", None, "merged under every script, key by key; `null` in a script takes a key back"),
    root("notify-command", None, "for tasks with `notify: command` that have none of their own"),
    root(
        "notifiers",
        None,
        "plugins that tasks can name: `{ name: { plugin: \"LIBRARY[:Type]\", options, timeout, isolation } }`",
    ),
    root("plugins", None, "`{ search-paths: [folders], isolation }`"),
    root(
        "max-running",
        Some(COUNT),
        "runs at once, services not counted; the others wait, first come first served; 0: no limit",
    ),
    root(
        "reload",
        Some(Kind::Word(&["auto", "signal"])),
        "`auto`: the file is read again when it changes; `signal`: on SIGHUP only; default: `auto`",
    ),
    root("scripts", None, "required: the tasks"),
];

impl Key {
    /// What the table says of it.
    pub(super) fn info(self) -> &'static KeyInfo {
        &TABLE[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_keys() {
        for (index, info) in TABLE.iter().enumerate() {
            assert_eq!(info.key as usize, index, "{:?}", info.key);
        }
    }

    #[test]
    fn no_name_occurs_twice_in_one_place() {
        for (index, one) in TABLE.iter().enumerate() {
            for other in &TABLE[..index] {
                assert!(one.flat.is_none() || one.flat != other.flat, "{:?}", one.flat);
                assert!(one.grouped.is_empty() || (one.group, one.grouped) != (other.group, other.grouped));
            }
        }
    }
}
