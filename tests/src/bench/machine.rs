//! Where and when the figures were taken: without it they mean nothing.

use serde_json::{Value, json};
use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// The machine, its kernel, the compiler, the day and how busy the machine was before, as JSON.
pub(super) fn describe() -> Value {
    let first = |file: &str, word: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(word));
        line.map(|rest| rest.trim_start_matches([' ', '\t', ':', '=']).trim_matches('"').to_owned())
    };
    let kibibytes =
        first("/proc/meminfo", "MemTotal:").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    json!({
        "date": date(),
        "processor": first("/proc/cpuinfo", "model name"),
        "processors": std::thread::available_parallelism().map_or(1, |count| count.get()),
        "memory_gib": kibibytes.map(|number| (number as f64 / 1024.0 / 1024.0).round()),
        "kernel": fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|text| text.trim().to_owned()),
        "system": first("/etc/os-release", "PRETTY_NAME"),
        "compiler": compiler(),
        "profile": if cfg!(debug_assertions) { "debug" } else { "release" },
        "load": fs::read_to_string("/proc/loadavg").ok().and_then(|text| text.split(' ').next()?.parse::<f64>().ok()),
    })
}

fn compiler() -> Option<String> {
    let output = Command::new("rustc").arg("--version").output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

/// Today as YYYY-MM-DD, in UTC.
fn date() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    civil(seconds / 86_400)
}

/// The date so many days after 1970-01-01: <https://howardhinnant.github.io/date_algorithms.html>, civil_from_days.
fn civil(days: u64) -> String {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::civil;

    #[test]
    fn days_are_dates() {
        let dates =
            [(0, "1970-01-01"), (11_016, "2000-02-29"), (20_453, "2025-12-31"), (20_454, "2026-01-01")];
        for (days, date) in dates {
            assert_eq!(civil(days), date);
        }
    }
}
