//! Tails of runs: where they are until somebody needs them, and how they are read.

use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

/// The most that is kept of a stream, in bytes.
pub const TAIL_LIMIT: usize = 64 * 1024;

/// Where the end of one stream of a run is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum TailSource {
    /// Nothing was kept.
    #[default]
    None,
    /// These bytes; the last [`TAIL_LIMIT`] of them count.
    Bytes(Vec<u8>),
    /// The bytes of a file from `start` to `end`; the last [`TAIL_LIMIT`] of them count.
    File {
        /// The file, absolute.
        path: PathBuf,
        /// Device and inode of what the run wrote to: another file of that name has no bytes of it.
        identity: (u64, u64),
        /// Offset in bytes.
        start: u64,
        /// Offset in bytes; nothing is read beyond it.
        end: u64,
    },
}

impl TailSource {
    /// Reads the tail. Blocks on the file system, so never to be called on the control thread. A file that was rotated,
    /// replaced, cut or cannot be read gives what is left of the run's bytes there, if anything.
    pub fn read(self) -> Vec<u8> {
        match self {
            TailSource::None => Vec::new(),
            TailSource::Bytes(mut bytes) => {
                bytes.drain(..bytes.len().saturating_sub(TAIL_LIMIT));
                bytes
            }
            TailSource::File { path, identity, start, end } => read_range(&path, identity, start, end)
                .unwrap_or_else(|error| {
                    log::debug!("tail of {path:?}: {error}");
                    Vec::new()
                }),
        }
    }
}

fn read_range(path: &Path, identity: (u64, u64), start: u64, end: u64) -> io::Result<Vec<u8>> {
    // What has this name now may be a FIFO or a terminal, and opening those must neither hang nor take them over.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let metadata = file.metadata()?;
    if !metadata.is_file() || (metadata.dev(), metadata.ino()) != identity {
        return Err(io::Error::other("another file has this name now"));
    }
    let from = start.max(end.saturating_sub(TAIL_LIMIT as u64));
    let length =
        usize::try_from(end.saturating_sub(from)).map_or(TAIL_LIMIT, |length| length.min(TAIL_LIMIT));
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match file.read_at(&mut bytes[filled..], from + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn source(path: &Path, start: u64, end: u64) -> TailSource {
        let metadata = fs::metadata(path).unwrap();
        TailSource::File { path: path.to_owned(), identity: (metadata.dev(), metadata.ino()), start, end }
    }

    #[test]
    fn the_bytes_of_this_run_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, "before this after").unwrap();
        assert_eq!(source(&path, 7, 11).read(), b"this");
        assert_eq!(source(&path, 12, 12).read(), b"");
        assert_eq!(source(&path, 12, 7).read(), b"");
    }

    #[test]
    fn the_last_of_a_long_range() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let content: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
        fs::write(&path, &content).unwrap();
        assert_eq!(source(&path, 10, 150_000).read(), content[150_000 - TAIL_LIMIT..150_000]);
        assert_eq!(TailSource::Bytes(content.clone()).read(), content[content.len() - TAIL_LIMIT..]);
    }

    #[test]
    fn a_file_that_was_cut_gives_what_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, "0123456789").unwrap();
        let source = source(&path, 2, u64::MAX);
        assert_eq!(source.clone().read(), b"");
        let TailSource::File { path, identity, .. } = source else { unreachable!() };
        assert_eq!(TailSource::File { path, identity, start: 2, end: 20 }.read(), b"23456789");
    }

    #[test]
    fn another_file_of_that_name_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, "mine").unwrap();
        let source = source(&path, 0, 4);
        fs::rename(&path, folder.path().join("log.1")).unwrap();
        assert_eq!(source.clone().read(), b"");
        fs::write(&path, "other").unwrap();
        assert_eq!(source.clone().read(), b"");
        fs::remove_file(&path).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        assert_eq!(source.read(), b"");
    }
}
