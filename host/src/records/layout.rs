//! What the file of a host's records looks like: a header, and a slot of the same size for each live run.
//!
//! A slot has two parts, each with a checksum: what is to be started, written before, and the process, written after.
//! Its kind is 0 while it is free. Numbers are little-endian.

use crate::process::Place;
use bansuri_core::Signal;
use std::time::Duration;

/// Of the header, and of each slot.
pub(super) const SLOT_BYTES: usize = 256;

/// As many bytes of a task's name are kept.
pub const NAME_BYTES: usize = 192;

/// Where in a slot the kind is: writing 0 there frees it.
pub(super) const KIND_AT: u64 = 4;

/// Where in a slot the second part begins.
pub(super) const PROCESS_AT: usize = 40 + NAME_BYTES;

const MAGIC: &[u8; 8] = b"bansuri1";
const BOOT_BYTES: usize = 36;

/// What was started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A run of a task.
    Run,
    /// A check of a run's health.
    HealthCheck,
    /// A notify command.
    Notification,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Run, Kind::HealthCheck, Kind::Notification];

    /// For people: `health check`.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Run => "run",
            Kind::HealthCheck => "health check",
            Kind::Notification => "notify command",
        }
    }

    fn number(self) -> u8 {
        match self {
            Kind::Run => 1,
            Kind::HealthCheck => 2,
            Kind::Notification => 3,
        }
    }
}

/// The host that wrote a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub(super) place: Place,
    pub(super) session: u32,
}

/// A slot that is not free.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) task: String,
    pub(super) run: u64,
    pub(super) stop_signal: Signal,
    /// In whole milliseconds.
    pub(super) stop_timeout: Duration,
    /// Ticks since boot, just before it was started.
    pub(super) not_before: u64,
    /// Tells it from all others of the host.
    pub(super) serial: u64,
    /// Its process, and ticks since boot just after it was started.
    pub(super) process: Option<(u32, u64)>,
}

/// What is found in the place of a slot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Slot {
    Free,
    Taken(Entry),
    Rubbish,
}

impl Header {
    pub(super) fn encode(&self) -> [u8; SLOT_BYTES] {
        let mut bytes = [0; SLOT_BYTES];
        bytes[..8].copy_from_slice(MAGIC);
        let boot = self.place.boot.as_bytes();
        let length = boot.len().min(BOOT_BYTES);
        bytes[8..8 + length].copy_from_slice(&boot[..length]);
        bytes[44..52].copy_from_slice(&self.place.namespace.to_le_bytes());
        bytes[52..56].copy_from_slice(&self.session.to_le_bytes());
        let sum = checksum(&bytes[..56]);
        bytes[56..60].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..SLOT_BYTES)?;
        if &bytes[..8] != MAGIC || u32_at(bytes, 56) != checksum(&bytes[..56]) {
            return None;
        }
        let boot = std::str::from_utf8(&bytes[8..44]).ok()?.trim_end_matches('\0').to_owned();
        Some(Self { place: Place { boot, namespace: u64_at(bytes, 44) }, session: u32_at(bytes, 52) })
    }
}

impl Entry {
    /// Without its process.
    pub(super) fn encode(&self) -> [u8; SLOT_BYTES] {
        let mut bytes = [0; SLOT_BYTES];
        let name = &self.task.as_bytes()[..self.task.floor_char_boundary(NAME_BYTES)];
        bytes[4] = self.kind.number();
        bytes[5] = u8::try_from(self.stop_signal.number()).unwrap_or(0);
        bytes[6..8].copy_from_slice(&(name.len() as u16).to_le_bytes());
        bytes[8..16].copy_from_slice(&self.run.to_le_bytes());
        let millis = u64::try_from(self.stop_timeout.as_millis()).unwrap_or(u64::MAX);
        bytes[16..24].copy_from_slice(&millis.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.not_before.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.serial.to_le_bytes());
        bytes[40..40 + name.len()].copy_from_slice(name);
        let sum = checksum(&bytes[4..PROCESS_AT]);
        bytes[..4].copy_from_slice(&sum.to_le_bytes());
        bytes
    }
}

impl Slot {
    pub(super) fn decode(bytes: &[u8]) -> Self {
        let Some(bytes) = bytes.get(..SLOT_BYTES) else { return Slot::Rubbish };
        if bytes[4] == 0 {
            return Slot::Free;
        }
        Self::taken(bytes).map_or(Slot::Rubbish, Slot::Taken)
    }

    fn taken(bytes: &[u8]) -> Option<Entry> {
        if u32_at(bytes, 0) != checksum(&bytes[4..PROCESS_AT]) {
            return None;
        }
        let length = usize::from(u16::from_le_bytes([bytes[6], bytes[7]]));
        let name = bytes[40..PROCESS_AT].get(..length)?;
        let process = &bytes[PROCESS_AT..];
        let is_whole = u32_at(process, 0) == checksum(&process[4..16]) && u32_at(process, 4) != 0;
        Some(Entry {
            kind: Kind::ALL.into_iter().find(|kind| kind.number() == bytes[4])?,
            task: std::str::from_utf8(name).ok()?.to_owned(),
            run: u64_at(bytes, 8),
            stop_signal: Signal::from_number(i32::from(bytes[5]))?,
            stop_timeout: Duration::from_millis(u64_at(bytes, 16)),
            not_before: u64_at(bytes, 24),
            serial: u64_at(bytes, 32),
            process: is_whole.then(|| (u32_at(process, 4), u64_at(process, 8))),
        })
    }
}

/// The second part of a slot.
pub(super) fn encode_process(pid: u32, not_after: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[4..8].copy_from_slice(&pid.to_le_bytes());
    bytes[8..].copy_from_slice(&not_after.to_le_bytes());
    let sum = checksum(&bytes[4..]);
    bytes[..4].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// FNV-1a, 32 bits.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// The caller has seen to it that they are there.
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + 8].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(task: &str) -> Entry {
        Entry {
            kind: Kind::HealthCheck,
            task: task.into(),
            run: u64::MAX - 1,
            stop_signal: Signal::TERM,
            stop_timeout: Duration::from_millis(2_500),
            not_before: 77,
            serial: 1 << 40,
            process: None,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let header = Header {
            place: Place { boot: "0f1e2d3c-0000-1111-2222-333344445555".into(), namespace: 4_026_531_836 },
            session: 99,
        };
        assert_eq!(Header::decode(&header.encode()), Some(header));
        let mut bytes = entry("backup").encode();
        assert_eq!(Slot::decode(&bytes), Slot::Taken(entry("backup")));
        bytes[PROCESS_AT..PROCESS_AT + 16].copy_from_slice(&encode_process(4711, 78));
        let known = Entry { process: Some((4711, 78)), ..entry("backup") };
        assert_eq!(Slot::decode(&bytes), Slot::Taken(known));
        bytes[KIND_AT as usize] = 0;
        assert_eq!(Slot::decode(&bytes), Slot::Free);
        assert_eq!(Slot::decode(&[0; SLOT_BYTES]), Slot::Free);
    }

    #[test]
    fn a_long_name_is_cut_between_letters() {
        let name = "ä".repeat(200);
        let kept = Entry { task: "ä".repeat(NAME_BYTES / 2), ..entry("") };
        assert_eq!(Slot::decode(&entry(&name).encode()), Slot::Taken(kept.clone()));
        let odd = format!("x{name}");
        let kept = Entry { task: format!("x{}", "ä".repeat(NAME_BYTES / 2 - 1)), ..kept };
        assert_eq!(Slot::decode(&entry(&odd).encode()), Slot::Taken(kept));
    }

    #[test]
    fn whatever_is_torn_is_no_entry_or_one_without_its_process() {
        let mut whole = entry("backup").encode();
        whole[PROCESS_AT..PROCESS_AT + 16].copy_from_slice(&encode_process(4711, 78));
        for place in 0..PROCESS_AT + 16 {
            let mut torn = whole;
            torn[place] ^= 0x40;
            let expect = if place < PROCESS_AT { Slot::Rubbish } else { Slot::Taken(entry("backup")) };
            assert_eq!(Slot::decode(&torn), expect, "byte {place}");
        }
        for length in 0..SLOT_BYTES {
            assert_eq!(Slot::decode(&whole[..length]), Slot::Rubbish);
            assert_eq!(Header::decode(&whole[..length]), None);
        }
        assert_eq!(Slot::decode(&[0xff; SLOT_BYTES]), Slot::Rubbish);
    }
}
