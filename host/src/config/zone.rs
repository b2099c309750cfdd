//! The time zone that a cron expression is in.

use super::nearest::did_you_mean;
use bansuri_core::Zone;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// The system's zone, found when it is needed first.
#[derive(Default)]
pub(super) struct SystemZone(Option<Zone>);

impl SystemZone {
    /// The zone. The error, given once, is why the one that was asked for could not be had; it is UTC then.
    pub(super) fn get(&mut self) -> (Zone, Option<String>) {
        if let Some(zone) = &self.0 {
            return (zone.clone(), None);
        }
        let (zone, problem) = match TimeZone::try_system() {
            Ok(zone) => (zone, None),
            // As the C library has it, a system that names no zone is in UTC; one that names a wrong one is not.
            Err(error) => {
                let is_named = std::env::var_os("TZ").is_some_and(|zone| !zone.is_empty());
                (TimeZone::UTC, is_named.then(|| error.to_string()))
            }
        };
        let zone = Zone::new(zone);
        self.0 = Some(zone.clone());
        (zone, problem)
    }
}

/// The nearest name of the bundled database.
pub(super) fn nearest_zone(written: &str) -> Option<String> {
    let names: Vec<String> =
        TimeZoneDatabase::bundled().available().map(|name| name.as_str().to_owned()).collect();
    did_you_mean(written, names.iter().map(String::as_str))
}
