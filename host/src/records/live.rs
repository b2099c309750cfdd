//! Writing down what is alive.

use super::layout::{Entry, Header, KIND_AT, Kind, PROCESS_AT, SLOT_BYTES, encode_process};
use super::leftovers::{self, Leftovers};
use crate::process::{Place, boot_ticks};
use bansuri_core::Signal;
use parking_lot::Mutex;
use rustix::rand::{GetRandomFlags, getrandom};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// The variable in the environment of what is started by which it and its descendants are found again.
pub const MARK: &str = "BANSURI_RECORD";

/// The records of this host, in a file of its own in the state dir: `runs-` and the host's random id. Cheap to clone,
/// and may be used on any thread.
///
/// A record costs two writes of less than a page each and one more at its end (7 µs in all), to the page cache: that outlives the
/// host, however it dies, and what outlives the system is of no use. Nothing waits for the disk. What cannot be written
/// is logged once, and keeps nothing from being started.
///
/// The first write comes before the start, so that there is no moment at which something is alive and not recorded:
/// where the host died before the second write, which names the process, the next one looks for the mark. It cannot
/// do so too early: a child that has not executed its program yet holds the descriptor by which the state dir is locked.
///
/// The file is removed when the last clone is dropped, unless there is something in it.
#[derive(Clone, Debug)]
pub struct Records(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    file: File,
    id: String,
    serials: AtomicU64,
    slots: Mutex<Slots>,
    failed: AtomicBool,
}

#[derive(Debug)]
struct Slots {
    free: Vec<u32>,
    /// As many were ever taken.
    used: u32,
}

/// What is to be started.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// What it is.
    pub kind: Kind,
    /// The task's name, of which [`NAME_BYTES`](super::NAME_BYTES) are kept.
    pub task: &'a str,
    /// The number of the run.
    pub run: u64,
    /// How it is asked to stop.
    pub stop_signal: Signal,
    /// How long it may take to, in whole milliseconds.
    pub stop_timeout: Duration,
}

/// A process that is recorded, from just before its start until its group is gone. One that is dropped stays in the
/// file: whatever made this host lose sight of it, the next one looks.
#[derive(Debug)]
#[must_use = "what is not ended is looked for by the next host"]
pub struct Record(Option<(Arc<Shared>, u32, u64)>);

impl Records {
    /// Makes the file of this host, and reads those of hosts that died. The state dir is locked.
    ///
    /// # Errors
    /// The folder cannot be read, the file not be made, or /proc is not there. The host can go on with
    /// [`Records::none`].
    pub fn open(state_dir: &Path) -> io::Result<(Self, Leftovers)> {
        let place = Place::here()?;
        let leftovers = leftovers::read(state_dir, &place)?;
        let id = random_id()?;
        let path = state_dir.join(format!("{}{id}", leftovers::PREFIX));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all_at(&Header { place, session: Place::session() }.encode(), 0)?;
        let shared = Shared {
            path,
            file,
            id,
            serials: AtomicU64::new(1),
            slots: Mutex::new(Slots { free: Vec::new(), used: 0 }),
            failed: AtomicBool::new(false),
        };
        Ok((Self(Some(Arc::new(shared))), leftovers))
    }

    /// Records nothing.
    pub fn none() -> Self {
        Self(None)
    }

    /// Records that this is about to be started.
    pub fn starting(&self, about: &About<'_>) -> Record {
        let Some(shared) = &self.0 else { return Record(None) };
        let serial = shared.serials.fetch_add(1, Ordering::Relaxed);
        let slot = shared.slots.lock().take();
        let entry = Entry {
            kind: about.kind,
            task: about.task.to_owned(),
            run: about.run,
            stop_signal: about.stop_signal,
            stop_timeout: about.stop_timeout,
            not_before: boot_ticks(),
            serial,
            process: None,
        };
        shared.write(&entry.encode(), slot, 0);
        Record(Some((Arc::clone(shared), slot, serial)))
    }
}

impl Record {
    /// What its environment is to have, so that it is found again: a name and its value. `None`: nothing is recorded.
    pub fn variable(&self) -> Option<(&'static str, String)> {
        let (shared, _, serial) = self.0.as_ref()?;
        Some((MARK, mark_value(&shared.id, *serial)))
    }

    /// It was started, and this is its process, the leader of a group of its own. To be called at once.
    pub fn started(&self, pid: u32) {
        if let Some((shared, slot, _)) = &self.0 {
            shared.write(&encode_process(pid, boot_ticks()), *slot, PROCESS_AT as u64);
        }
    }

    /// Its group is gone, or it could not be started.
    pub fn ended(self) {
        if let Some((shared, slot, _)) = self.0 {
            shared.write(&[0], slot, KIND_AT);
            shared.slots.lock().free.push(slot);
        }
    }
}

/// The value of [`MARK`].
pub(super) fn mark_value(id: &str, serial: u64) -> String {
    format!("{id}-{serial}")
}

impl Slots {
    /// The one that was freed last: its page is warm.
    fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.used += 1;
            self.used
        })
    }
}

impl Shared {
    /// Slots begin at 1; the header is in the place of 0.
    fn write(&self, bytes: &[u8], slot: u32, at: u64) {
        let written = self.file.write_all_at(bytes, u64::from(slot) * SLOT_BYTES as u64 + at);
        if let Err(error) = written
            && !self.failed.swap(true, Ordering::Relaxed)
        {
            log::warn!(
                target: "bansuri",
                "{}: {error}: not every run is recorded, and one that outlives this host may be missed",
                self.path.display()
            );
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let slots = self.slots.get_mut();
        if slots.free.len() == slots.used as usize {
            // One that stays is empty, and the next host removes it.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// 32 hexadecimal digits that nobody else has.
fn random_id() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom(&mut bytes, GetRandomFlags::empty())?;
    Ok(format!("{:032x}", u128::from_le_bytes(bytes)))
}
