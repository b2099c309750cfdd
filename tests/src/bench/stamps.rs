//! What tasks write down of themselves: see programs/stamp.c.

use super::clock;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const HEADER: usize = 64;
const RECORD: usize = 32;
/// Far more starts than any measurement has. The file is sparse.
const RECORDS: usize = 1_000_000;

/// The file that tasks write to.
pub(super) struct Stamps {
    file: File,
    path: PathBuf,
}

/// One start of one task.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp {
    /// Which task.
    pub(super) id: u32,
    /// The process.
    pub(super) pid: u32,
    /// The first thing it did, by [`clock::now`].
    pub(super) start: u64,
    /// The last thing it did; 0 while it runs, and for one that was ended.
    pub(super) end: u64,
    /// Its start in nanoseconds since 1970.
    pub(super) wall: u64,
}

impl Stamps {
    pub(super) fn new(path: PathBuf) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        file.set_len((HEADER + RECORD * RECORDS) as u64)?;
        Ok(Self { file, path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How many have started.
    pub(super) fn count(&self) -> usize {
        let mut bytes = [0; 8];
        let read = self.file.read_exact_at(&mut bytes, 0);
        read.map_or(0, |()| usize::try_from(u64::from_ne_bytes(bytes)).unwrap_or(usize::MAX))
    }

    /// All starts, in the order in which they were written down, but for those that are being written.
    pub(super) fn all(&self) -> io::Result<Vec<Stamp>> {
        let mut bytes = vec![0; self.count().min(RECORDS) * RECORD];
        self.file.read_exact_at(&mut bytes, HEADER as u64)?;
        let stamps = bytes.chunks_exact(RECORD).map(|record| Stamp {
            id: u32::from_ne_bytes(record[..4].try_into().expect("four bytes")),
            pid: u32::from_ne_bytes(record[4..8].try_into().expect("four bytes")),
            start: number(&record[8..16]),
            end: number(&record[16..24]),
            wall: number(&record[24..32]),
        });
        Ok(stamps.filter(|stamp| stamp.start != 0).collect())
    }

    /// Waits for so many starts; an error after this time.
    pub(super) fn wait(&self, count: usize, patience: Duration) -> io::Result<()> {
        if clock::wait(patience, || self.count() >= count) {
            return Ok(());
        }
        Err(io::Error::other(format!("{} of {count} starts in {patience:?}", self.count())))
    }
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_ne_bytes(bytes.try_into().expect("eight bytes"))
}
