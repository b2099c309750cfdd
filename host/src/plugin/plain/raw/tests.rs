//! The header and its Rust twin agree: a C program prints what the header makes of every struct and number.

use super::super::raw;
use std::fmt::Write;
use std::mem::offset_of;
use std::path::Path;
use std::process::Command;

/// The C statements that print every size and offset, and what they should print.
#[derive(Default)]
struct Comparison {
    statements: String,
    expected: String,
}

impl Comparison {
    fn number(&mut self, c: &str, value: impl ToString) {
        writeln!(self.statements, "SHOW({c});").unwrap();
        writeln!(self.expected, "{c} {}", value.to_string()).unwrap();
    }
}

/// Compares a struct. All of its members must be named, or it does not compile.
macro_rules! compare {
    ($comparison:ident: $rust:ident is $c:ident { $($member:ident),* }) => {
        #[allow(unused)]
        fn every_member(raw::$rust { $($member),* }: raw::$rust) {}
        let name = stringify!($c);
        $comparison.number(&format!("sizeof({name})"), size_of::<raw::$rust>());
        let ends = [$(offset_of!(raw::$rust, $member) + size_of_member(|it: &raw::$rust| &raw const it.$member)),*];
        // A later member in the place of padding would be taken from a plugin that never wrote there.
        assert_eq!(ends.iter().max(), Some(&size_of::<raw::$rust>()), "{name} ends in padding");
        $({
            let member = stringify!($member);
            $comparison.number(&format!("offsetof({name}, {member})"), offset_of!(raw::$rust, $member));
            let size = size_of_member(|it: &raw::$rust| &raw const it.$member);
            $comparison.number(&format!("sizeof((({name} *)0)->{member})"), size);
        })*
    };
}

fn size_of_member<S, M>(_: fn(&S) -> *const M) -> usize {
    size_of::<M>()
}

fn all() -> Comparison {
    let mut all = Comparison::default();
    {
        compare!(all: Error is bansuri_error { size, message, capacity });
    }
    {
        compare!(all: Log is bansuri_log { size, level, write });
    }
    {
        compare!(all: Config is bansuri_config { size, name, options, log });
    }
    {
        compare!(all: Variable is bansuri_variable { name, value });
    }
    {
        compare!(all: Context is bansuri_context {
            size, name, run_id, working_directory, variables, variable_count, log, retain, release, time_left, write,
            progress, is_stopping, wait_for_stop, attempt, reserved
        });
    }
    {
        compare!(all: Failure is bansuri_failure {
            size, task_name, command, working_directory, outcome, reason, description, run_id, host_name, stdout_tail,
            stdout_length, stderr_tail, stderr_length, folded, timestamp_seconds, timestamp_nanoseconds, return_code,
            attempt, max_attempts
        });
    }
    {
        compare!(all: Task is bansuri_task { size, name, description, options_schema, create, run, stop, close });
    }
    {
        compare!(all: Notifier is bansuri_notifier {
            size, name, description, options_schema, create, notify, close
        });
    }
    {
        compare!(all: Exports is bansuri_exports {
            size, version, revision, tasks, task_count, notifiers, notifier_count, attach
        });
    }
    all.number("BANSURI_PLUGIN_VERSION", raw::VERSION);
    all.number("BANSURI_PLUGIN_REVISION", 0);
    all.number("BANSURI_OK", raw::OK);
    all.number("BANSURI_FAILED", raw::FAILED);
    all.number("BANSURI_ENDED", raw::ENDED);
    all.number("BANSURI_LOG_ERROR", log::Level::Error as u32);
    all.number("BANSURI_LOG_WARN", log::Level::Warn as u32);
    all.number("BANSURI_LOG_INFO", log::Level::Info as u32);
    all.number("BANSURI_LOG_DEBUG", log::Level::Debug as u32);
    all.number("BANSURI_LOG_TRACE", log::Level::Trace as u32);
    all.number("BANSURI_STDOUT", 1);
    all.number("BANSURI_STDERR", raw::STDERR);
    all.number("(long long)BANSURI_NO_TIMEOUT", raw::NO_TIMEOUT);
    // As a signed number: every bit of it is set.
    all.number("(long long)BANSURI_FOREVER", raw::FOREVER as i64);
    all
}

fn include() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugin-api/include")
}

#[test]
fn the_header_and_the_host_agree() {
    let Comparison { statements, expected } = all();
    let home = tempfile::tempdir().unwrap();
    let (source, program) = (home.path().join("show.c"), home.path().join("show"));
    let text = format!(
        "#include <bansuri_plugin.h>\n#define SHOW(x) printf(\"%s %lld\\n\", #x, (long long)(x))\n\
         int main(void)\n{{\n{statements}return 0;\n}}\n"
    );
    std::fs::write(&source, text).unwrap();
    let mut cc = Command::new("cc");
    cc.args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-I"]).arg(include());
    let built = cc.arg("-o").arg(&program).arg(&source).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let shown = Command::new(&program).output().unwrap();
    assert_eq!(String::from_utf8(shown.stdout).unwrap(), expected);
}

/// Every struct, member and constant of the header is in the comparison: what is added to it must be added there.
#[test]
fn nothing_of_the_header_is_left_out() {
    let header = std::fs::read_to_string(include().join("bansuri_plugin.h")).unwrap();
    let compared = all().statements;
    for line in header.lines() {
        if let Some(name) = line.strip_prefix("#define BANSURI_").and_then(|rest| rest.split(' ').next()) {
            // Macros with arguments, and those without a value, are no constants.
            let constant = !name.contains('(') && line.split_whitespace().count() > 2;
            if constant && name != "EXPORT" {
                assert!(compared.contains(&format!("BANSURI_{name})")), "{name} is not compared");
            }
        }
        if let Some(name) =
            line.strip_prefix("typedef struct ").and_then(|rest| rest.split([' ', ';']).next())
        {
            assert!(compared.contains(&format!("sizeof({name})")), "{name} is not compared");
        }
    }
}

/// What the first header says stays so: a library that was built with it must load for ever. Structs may grow at the end.
#[cfg(target_pointer_width = "64")]
#[test]
fn what_was_once_published_stays() {
    let today = all().expected;
    let number_of = |c: &str| {
        let mut lines = today.lines().filter_map(|line| line.rsplit_once(' '));
        let (_, number) = lines.find(|(name, _)| *name == c).unwrap_or_else(|| panic!("{c} is gone"));
        number.parse::<i64>().unwrap()
    };
    for line in include_str!("version-1.0.txt").lines() {
        let (c, number) = line.rsplit_once(' ').unwrap();
        let (then, now) = (number.parse::<i64>().unwrap(), number_of(c));
        let may_grow =
            c == "BANSURI_PLUGIN_REVISION" || (c.starts_with("sizeof(bansuri_") && !c.contains("variable"));
        assert!(now == then || (may_grow && now > then), "{c} was {then} and is {now}");
    }
}
