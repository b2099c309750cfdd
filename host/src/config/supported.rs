//! Keys that are read and checked in full, and whose behaviour this version does not have.

use super::findings::Findings;
use super::keys::Key;
use super::settings::Settings;

/// A task that says one of these, and not what it would be anyway, is refused.
const NOT_YET: &[Key] = &[Key::Isolation];

/// Refuses what a task asks for in vain.
pub(super) fn refuse(settings: &Settings<'_>, findings: &mut Findings<'_>) {
    for key in NOT_YET {
        let (Some(written), Some(value)) = (settings.stated(*key), settings.value(*key)) else { continue };
        let info = key.info();
        if settings.is_broken(*key) || Some(value) == info.default.as_ref() {
            continue;
        }
        let subject = settings.owner(*key);
        let name = info.flat.unwrap_or(info.grouped);
        let message = format!("{subject}{name}: not supported yet");
        findings.at(subject, "not-supported", written.key, message, None);
    }
}
