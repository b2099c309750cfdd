//! Cron expressions: when they fire.

use crate::time::Wall;
use std::fmt;
use std::sync::Arc;

/// A time zone. Made by the host: from an IANA name with the bundled data, or the system's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Zone(jiff::tz::TimeZone);

impl Zone {
    /// A zone of jiff's.
    pub fn new(zone: jiff::tz::TimeZone) -> Self {
        Self(zone)
    }

    /// The zone of this IANA name.
    pub fn named(name: &str) -> Option<Self> {
        jiff::tz::TimeZone::get(name).ok().map(Self)
    }
}

/// A cron expression in a time zone that fires at some time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cron {
    text: Arc<str>,
    zone: Zone,
}

/// Why a text is no cron expression, as a lowercase fragment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CronError(String);

impl fmt::Display for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CronError {}

impl Cron {
    /// Five fields, six with seconds first, or a macro such as `@daily` (not `@reboot`, which is no time).
    pub fn parse(text: &str, zone: Zone) -> Result<Self, CronError> {
        Ok(Self { text: text.into(), zone })
    }

    /// The expression as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The first time strictly after `after` at which it fires; `None`: never again (before the end of [`Wall`]).
    pub fn next_after(&self, after: Wall) -> Option<Wall> {
        let _ = (after, &self.zone);
        None
    }
}
