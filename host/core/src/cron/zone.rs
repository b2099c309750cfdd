//! Time zones by name, from the bundled data alone.

use jiff::tz::{TimeZone, TimeZoneDatabase};

/// A time zone. Made by the host: from an IANA name with the bundled data, or the system's.
///
/// Two are equal if they have the same name and the same data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Zone = Zone(TimeZone::UTC);

    /// A zone of jiff's.
    pub fn new(zone: TimeZone) -> Self {
        Self(zone)
    }

    /// The zone of this IANA name, in any case. Reads the bundled data and no files.
    pub fn named(name: &str) -> Option<Self> {
        let zone = TimeZoneDatabase::bundled().get(name).ok()?;
        // jiff answers to Etc/Unknown, which would be UTC without anybody having said so.
        (!zone.is_unknown()).then_some(Self(zone))
    }

    /// Its IANA name, where it has one.
    pub fn name(&self) -> Option<&str> {
        self.0.iana_name()
    }

    pub(super) fn rules(&self) -> &TimeZone {
        &self.0
    }
}
