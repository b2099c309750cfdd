//! The table of keys for the README, from the table that the checker reads by.

use super::keys::{KeyInfo, TABLE};
use super::typed::Typed;
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

fn grouped(info: &KeyInfo) -> String {
    match info.grouped {
        "" => String::new(),
        name => format!("`{}.{name}`", info.group.join(".")),
    }
}

fn default(info: &KeyInfo) -> String {
    let Some(default) = &info.default else { return String::new() };
    let value = match default {
        Typed::Boolean(boolean) => boolean.to_string(),
        Typed::Integer(number) => number.to_string(),
        Typed::Number(number) => number.to_string(),
        Typed::Duration(duration) => format!("\"{}\"", in_units(*duration)),
        Typed::Word(word) => format!("\"{word}\""),
        Typed::Text(text) => format!("\"{text}\""),
        Typed::Signal(signal) => format!("\"{}\"", signal.to_string().trim_start_matches("SIG")),
        Typed::Fields(_) => "{}".to_owned(),
        Typed::Dependencies(_) => "[]".to_owned(),
        Typed::Broken
        | Typed::Words(_)
        | Typed::Paths(_)
        | Typed::Codes(_)
        | Typed::Sink(_)
        | Typed::Combined
        | Typed::Environment(_)
        | Typed::Json(_) => unreachable!("{default:?} is no default of the table"),
    };
    format!("`{value}`")
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
