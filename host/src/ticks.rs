//! The last ticks that were taken of tasks with `catch-up`, so that the next host knows which ones were missed.
//!
//! The file `ticks` of the state dir has a line for each task: the tick in nanoseconds since 1970, a checksum, and the
//! name as JSON. The first two have a fixed width, so that a new tick is one write in place; a line that was torn by a
//! crash of the system fails its checksum.

use bansuri_core::Wall;
use rustix::fs::OFlags;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Digits of a tick, with its sign.
const TICK: usize = 20;

/// What is written in place: the tick, a space, eight digits of checksum.
const STAMP: usize = TICK + 1 + 8;

/// The ticks on disk. Used by the control thread.
#[derive(Debug)]
pub struct LastTicks {
    path: PathBuf,
    file: File,
    end: u64,
    ticks: BTreeMap<String, Entry>,
    failed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Entry {
    /// Of its line.
    offset: u64,
    tick: Wall,
}

impl LastTicks {
    /// Reads what earlier hosts left. Lines that make no sense are dropped with a warning. Waits for the disk if there
    /// are any.
    ///
    /// # Errors
    /// The file cannot be read, or not be written.
    pub fn open(state_dir: &Path) -> io::Result<Self> {
        let path = state_dir.join("ticks");
        let mut file = options().read(true).truncate(false).open(&path)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let (ticks, end, rubbish) = parse(&text);
        let mut last = Self { path, file, end, ticks, failed: false };
        if rubbish > 0 {
            log::warn!(target: "bansuri", "{}: {rubbish} lines make no sense and are dropped", last.path.display());
            last.rewrite()?;
        }
        Ok(last)
    }

    /// Every task and its last tick, by name.
    pub fn all(&self) -> Vec<(String, Wall)> {
        self.ticks.iter().map(|(task, entry)| (task.clone(), entry.tick)).collect()
    }

    /// Writes down that this tick was taken: one write to the page cache, without waiting for the disk. A failure is
    /// logged, the first of a row as a warning.
    pub fn remember(&mut self, task: &str, tick: Wall) {
        let written = match self.ticks.get_mut(task) {
            Some(entry) => {
                entry.tick = tick;
                self.file.write_all_at(stamp(task, tick).as_bytes(), entry.offset)
            }
            None => {
                let line = line(task, tick);
                let written = self.file.write_all_at(line.as_bytes(), self.end);
                if written.is_ok() {
                    self.ticks.insert(task.to_owned(), Entry { offset: self.end, tick });
                    self.end += line.len() as u64;
                }
                written
            }
        };
        if let Err(error) = &written
            && !self.failed
        {
            log::warn!(target: "bansuri", "{}: {error}: the last tick of {task:?} is not kept", self.path.display());
        }
        self.failed = written.is_err();
    }

    /// Forgets the tasks for which `keep` is false. Waits for the disk if there are any: for the start of a host.
    ///
    /// # Errors
    /// The file cannot be written; it is as it was.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) -> io::Result<()> {
        let before = self.ticks.len();
        self.ticks.retain(|task, _| keep(task));
        if self.ticks.len() == before { Ok(()) } else { self.rewrite() }
    }

    /// Another file takes the place of this one, whole or not at all.
    fn rewrite(&mut self) -> io::Result<()> {
        let fresh = self.path.with_extension("new");
        let mut file = options().truncate(true).open(&fresh)?;
        let mut text = String::new();
        for (task, entry) in &mut self.ticks {
            entry.offset = text.len() as u64;
            text.push_str(&line(task, entry.tick));
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&fresh, &self.path)?;
        self.file = file;
        self.end = text.len() as u64;
        Ok(())
    }
}

/// For files of the state dir: what is found under a name of theirs is never another's file.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    options
}

fn line(task: &str, tick: Wall) -> String {
    format!("{} {}\n", stamp(task, tick), serde_json::Value::from(task))
}

fn stamp(task: &str, tick: Wall) -> String {
    let tick = format!("{:+0TICK$}", tick.as_nanos());
    let checksum = checksum(task, &tick);
    format!("{tick} {checksum:08x}")
}

/// FNV-1a, 32 bits.
fn checksum(task: &str, tick: &str) -> u32 {
    let bytes = tick.bytes().chain(task.bytes());
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The ticks, where the next line goes, and how many lines are rubbish.
fn parse(text: &[u8]) -> (BTreeMap<String, Entry>, u64, usize) {
    let (mut ticks, mut offset, mut rubbish) = (BTreeMap::new(), 0, 0);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match parse_line(line) {
            Some((task, tick)) => {
                ticks.insert(task, Entry { offset, tick });
            }
            None => rubbish += 1,
        }
        offset += line.len() as u64;
    }
    (ticks, offset, rubbish)
}

fn parse_line(line: &[u8]) -> Option<(String, Wall)> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let task: String = serde_json::from_str(line.get(STAMP..)?.strip_prefix(' ')?).ok()?;
    let tick = Wall::from_nanos(line.get(..TICK)?.parse().ok()?);
    (stamp(&task, tick) == line[..STAMP]).then_some((task, tick))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(nanos: i64) -> Wall {
        Wall::from_nanos(nanos)
    }

    fn all(folder: &Path) -> Vec<(String, i64)> {
        let ticks = LastTicks::open(folder).unwrap().all();
        ticks.into_iter().map(|(task, tick)| (task, tick.as_nanos())).collect()
    }

    #[test]
    fn the_last_tick_of_each_task_outlives_the_host() {
        let folder = tempfile::tempdir().unwrap();
        let mut ticks = LastTicks::open(folder.path()).unwrap();
        assert_eq!(ticks.all(), []);
        for tick in [i64::MIN, -1, 0, 1_795_341_600_123_456_789, i64::MAX, 60] {
            ticks.remember("backup", wall(tick));
            ticks.remember("näme\n\"x\"", wall(tick));
            let expect = [("backup".to_owned(), tick), ("näme\n\"x\"".to_owned(), tick)];
            assert_eq!(all(folder.path()), expect);
        }
        let length = std::fs::metadata(folder.path().join("ticks")).unwrap().len();
        for tick in 0..1_000 {
            ticks.remember("backup", wall(tick));
        }
        assert_eq!(std::fs::metadata(folder.path().join("ticks")).unwrap().len(), length, "it does not grow");
    }

    #[test]
    fn a_host_goes_on_where_another_left_off() {
        let folder = tempfile::tempdir().unwrap();
        for tick in 1..4 {
            let mut ticks = LastTicks::open(folder.path()).unwrap();
            ticks.remember("a", wall(tick));
            ticks.remember(&format!("b{tick}"), wall(tick));
        }
        let expect = [("a", 3), ("b1", 1), ("b2", 2), ("b3", 3)].map(|(task, tick)| (task.to_owned(), tick));
        assert_eq!(all(folder.path()), expect);
    }

    #[test]
    fn a_link_in_its_place_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("other");
        std::fs::write(&other, "precious").unwrap();
        for name in ["ticks", "ticks.new"] {
            let link = folder.path().join(name);
            std::os::unix::fs::symlink(&other, &link).unwrap();
            let opened = LastTicks::open(folder.path());
            match name {
                "ticks" => assert!(opened.is_err()),
                _ => {
                    let mut ticks = opened.unwrap();
                    ticks.remember("a", wall(1));
                    assert!(ticks.retain(|_| false).is_err());
                }
            }
            std::fs::remove_file(&link).unwrap();
        }
        assert_eq!(std::fs::read(&other).unwrap(), b"precious");
    }

    #[test]
    fn tasks_that_are_no_more_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let mut ticks = LastTicks::open(folder.path()).unwrap();
        for task in ["a", "b", "c"] {
            ticks.remember(task, wall(1));
        }
        ticks.retain(|task| task != "b").unwrap();
        ticks.remember("c", wall(2));
        ticks.remember("d", wall(3));
        let expect = [("a", 1), ("c", 2), ("d", 3)].map(|(task, tick)| (task.to_owned(), tick));
        assert_eq!(all(folder.path()), expect);
    }

    #[test]
    fn any_cut_and_any_rubbish_costs_only_what_it_touches() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ticks");
        let mut ticks = LastTicks::open(folder.path()).unwrap();
        for task in ["a", "b"] {
            ticks.remember(task, wall(7));
        }
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let left = all(folder.path());
            assert_eq!(left.len(), cut / (whole.len() / 2), "cut at {cut}");
            LastTicks::open(folder.path()).unwrap().remember("z", wall(8));
            assert_eq!(all(folder.path()).last().unwrap(), &("z".to_owned(), 8), "cut at {cut}");
        }
        for place in 0..whole.len() {
            let mut torn = whole.clone();
            torn[place] ^= 1;
            std::fs::write(&path, &torn).unwrap();
            let left = all(folder.path());
            assert!(left.iter().all(|(task, tick)| ["a", "b"].contains(&&**task) && *tick == 7), "{left:?}");
            assert!(left.len() <= 1, "byte {place}: {left:?}");
        }
        std::fs::write(&path, [0xff; 5_000]).unwrap();
        assert_eq!(all(folder.path()), []);
    }
}
