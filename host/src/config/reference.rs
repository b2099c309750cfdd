//! The table of keys for the README, from the table that the checker reads by.

use super::keys::{KeyInfo, ROOT, TABLE};
use super::typed::Typed;
use serde_json::{Map, Value};
use std::fmt::Write;
use std::time::Duration;

/// Every key of a task as a Markdown table: flat name, grouped name, default, meaning.
pub fn key_reference() -> String {
    let mut table = String::from("| flat key | group.key | default | meaning |\n| --- | --- | --- | --- |\n");
    for info in TABLE {
        let flat = info.flat.map_or_else(String::new, |flat| format!("`{flat}`"));
        let description = info.description.replace('|', "\\|");
        writeln!(table, "| {flat} | {} | {} | {description} |", grouped(info), default(info))
            .expect("writing to a string does not fail");
    }
    table
}

/// The file's own keys as a Markdown table.
pub fn root_key_reference() -> String {
    let mut table = String::from("| root key | meaning |\n| --- | --- |\n");
    for root in ROOT {
        writeln!(table, "| `{}` | {} |", root.name, root.description.replace('|', "\\|"))
            .expect("writing to a string does not fail");
    }
    table
}

fn grouped(info: &KeyInfo) -> String {
    match info.grouped {
        "" => String::new(),
        name => format!("`{}.{name}`", info.group.join(".")),
    }
}

fn default(info: &KeyInfo) -> String {
    default_json(info).map_or_else(String::new, |default| format!("`{default}`"))
}

/// The default as a file would write it.
pub(super) fn default_json(info: &KeyInfo) -> Option<Value> {
    let default = info.default.as_ref()?;
    Some(match default {
        Typed::Boolean(boolean) => Value::from(*boolean),
        Typed::Integer(number) => Value::from(*number),
        // All of them are whole.
        Typed::Number(number) => Value::from(*number as i64),
        Typed::Duration(duration) => Value::from(in_units(*duration)),
        Typed::Word(word) => Value::from(*word),
        Typed::Text(text) => Value::from(*text),
        Typed::Signal(signal) => Value::from(signal.to_string().trim_start_matches("SIG")),
        Typed::Fields(_) => Value::Object(Map::new()),
        Typed::Dependencies(_) => Value::Array(Vec::new()),
        Typed::Broken
        | Typed::Words(_)
        | Typed::Paths(_)
        | Typed::Sha256(_)
        | Typed::Cron(_)
        | Typed::Codes(_)
        | Typed::Sink(_)
        | Typed::Combined
        | Typed::Environment(_)
        | Typed::Json(_) => unreachable!("{default:?} is no default of the table"),
    })
}

fn in_units(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds > 0 && seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_line_that_says_what_it_is_for() {
        let table = key_reference();
        assert_eq!(table.lines().count(), TABLE.len() + 2);
        for line in [
            "| `restart-delay` | `failure-control.restart-params.after` | `\"5s\"` | from the end of a run to its retry |",
            "| `stop-signal` | `failure-control.stop-signal` | `\"TERM\"` | how a run is asked to stop |",
            "| `no-interface` | `general.no-interface` | `false` | `true`: `command` names a plugin task |",
        ] {
            assert!(table.contains(line), "{line}\nin\n{table}");
        }
    }
}
