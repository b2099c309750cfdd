//! What hosts that died have recorded.

use super::layout::{Entry, Header, Kind, SLOT_BYTES, Slot};
use super::live::{MARK, mark_value};
use crate::process::{Place, Trace};
use bansuri_core::Signal;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the names of the files begin with; a host's id follows.
pub(super) const PREFIX: &str = "runs-";

/// What hosts of this state dir had running when they died, as far as it may still be alive.
#[derive(Debug)]
pub struct Leftovers {
    pub(super) entries: Vec<Leftover>,
    /// Where they were found. These are removed when all that is in them is gone.
    pub(super) files: Vec<PathBuf>,
}

/// Something that was alive for a host that died.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leftover {
    /// What it is.
    pub kind: Kind,
    /// The task's name, or its beginning.
    pub task: String,
    /// The number of the run.
    pub run: u64,
    /// How it is asked to stop.
    pub stop_signal: Signal,
    /// How long it may take to.
    pub stop_timeout: Duration,
    /// How its processes are told from others.
    pub trace: Trace,
    /// Which of the files it is from.
    pub(super) file: usize,
}

impl Leftovers {
    /// In the order in which they were recorded, as far as places that were taken again allow.
    pub fn entries(&self) -> &[Leftover] {
        &self.entries
    }

    /// Whether there is nothing to be done.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Reads the files of all hosts, and removes those in which nothing is left. Whoever wrote them is dead: the state dir
/// is locked.
pub(super) fn read(state_dir: &Path, place: &Place) -> io::Result<Leftovers> {
    let mut leftovers = Leftovers { entries: Vec::new(), files: Vec::new() };
    for file in fs::read_dir(state_dir)? {
        let file = file?;
        let name = file.file_name();
        let Some(id) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)).filter(|id| is_id(id)) else {
            continue;
        };
        let path = file.path();
        let before = leftovers.entries.len();
        match fs::read(&path) {
            Ok(bytes) => leftovers.add(&bytes, id, place, &path),
            Err(error) => {
                log::warn!(target: "bansuri", "{}: {error}: runs of a host that died are not looked for", path.display());
                continue;
            }
        }
        if leftovers.entries.len() > before {
            leftovers.files.push(path);
        } else if let Err(error) = fs::remove_file(&path) {
            log::warn!(target: "bansuri", "{}: {error}", path.display());
        }
    }
    Ok(leftovers)
}

impl Leftovers {
    fn add(&mut self, bytes: &[u8], id: &str, place: &Place, path: &Path) {
        let Some(header) = Header::decode(bytes) else {
            if !bytes.is_empty() {
                log::warn!(target: "bansuri", "{}: no records of a host: it is dropped", path.display());
            }
            return;
        };
        if header.place != *place {
            // What ran before the system was started again is gone, and another namespace is out of reach.
            return;
        }
        let mut rubbish = 0;
        for slot in bytes[SLOT_BYTES..].chunks(SLOT_BYTES) {
            match Slot::decode(slot) {
                Slot::Free => {}
                Slot::Taken(entry) => self.entries.push(leftover(entry, &header, id, self.files.len())),
                Slot::Rubbish => rubbish += 1,
            }
        }
        if rubbish > 0 {
            log::warn!(target: "bansuri", "{}: {rubbish} records make no sense and are dropped", path.display());
        }
    }
}

fn leftover(entry: Entry, header: &Header, id: &str, file: usize) -> Leftover {
    Leftover {
        kind: entry.kind,
        task: entry.task,
        run: entry.run,
        stop_signal: entry.stop_signal,
        stop_timeout: entry.stop_timeout,
        trace: Trace {
            pid: entry.process.map(|(pid, _)| pid),
            born: entry.not_before..=entry.process.map_or(u64::MAX, |(_, not_after)| not_after),
            session: header.session,
            mark: format!("{MARK}={}", mark_value(id, entry.serial)).into_bytes(),
        },
        file,
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "00112233445566778899aabbccddeeff";

    fn entry() -> Entry {
        Entry {
            kind: Kind::Run,
            task: "backup".into(),
            run: 3,
            stop_signal: Signal::TERM,
            stop_timeout: Duration::from_secs(10),
            not_before: 7,
            serial: 12,
            process: None,
        }
    }

    fn found(place: &Place, bytes: &[u8]) -> (Vec<Leftover>, bool) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(format!("{PREFIX}{ID}"));
        fs::write(&file, bytes).unwrap();
        let leftovers = read(folder.path(), place).unwrap();
        (leftovers.entries, file.exists())
    }

    #[test]
    fn only_what_was_recorded_here_and_in_this_boot_is_looked_for() {
        let here = Place { boot: "x".repeat(36), namespace: 5 };
        let file = |place: &Place| {
            let header = Header { place: place.clone(), session: 9 };
            [header.encode(), [0; SLOT_BYTES], entry().encode()].concat()
        };
        let (entries, is_kept) = found(&here, &file(&here));
        assert!(is_kept);
        let [leftover] = &entries[..] else { panic!("{entries:?}") };
        let mark = format!("BANSURI_RECORD={ID}-12").into_bytes();
        assert_eq!(leftover.trace, Trace { pid: None, born: 7..=u64::MAX, session: 9, mark });
        assert_eq!((&*leftover.task, leftover.run), ("backup", 3));

        let other_boot = Place { boot: "y".repeat(36), ..here.clone() };
        let other_namespace = Place { namespace: 6, ..here.clone() };
        for elsewhere in [other_boot, other_namespace] {
            assert_eq!(found(&here, &file(&elsewhere)), (vec![], false));
        }
    }

    #[test]
    fn rubbish_costs_only_itself() {
        let here = Place { boot: "x".repeat(36), namespace: 5 };
        let header = Header { place: here.clone(), session: 9 }.encode();
        let torn = [header, [0xff; SLOT_BYTES], entry().encode(), entry().encode()].concat();
        let (entries, is_kept) = found(&here, &torn[..torn.len() - 1]);
        assert_eq!((entries.len(), is_kept), (1, true));
        for rubbish in [&b""[..], b"bansuri1", &[0xff; 5_000], &torn[..100], &torn[SLOT_BYTES..]] {
            assert_eq!(found(&here, rubbish), (vec![], false));
        }
    }

    #[test]
    fn files_of_other_names_are_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["runs-", "runs-00112233", "runs", "lock", "runs-zz112233445566778899aabbccddeeff"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let leftovers = read(folder.path(), &Place { boot: String::new(), namespace: 0 }).unwrap();
        assert!(leftovers.is_empty());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5);
    }
}
