//! The file of a library as its author ships it, opened once: what is looked at, copied and loaded is the same file.

use super::digest::Digest;
use super::error::LoadProblem;
use super::stamp::Stamp;
use crate::process::describe;
use rustix::fs::OFlags;
use std::fs::{File, FileType, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// An open library file.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) stamp: Stamp,
    /// Whether the stamp tells this content from every later one.
    pub(super) is_settled: bool,
    /// Its device and its number.
    pub(super) identity: (u64, u64),
}

impl Source {
    /// The path is canonical.
    pub(super) fn open(path: &Path) -> Result<Self, LoadProblem> {
        let unreadable = |error: io::Error| LoadProblem::Unreadable(describe(&error));
        // Asked before it is opened, since opening a device may do something.
        is_file(std::fs::metadata(path).map_err(unreadable)?.file_type())?;
        // A FIFO that is there by now is not waited for.
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        is_file(metadata.file_type())?;
        if metadata.len() == 0 {
            return Err(LoadProblem::Empty);
        }
        let (stamp, is_settled) = Stamp::settled(|| file.metadata()).map_err(unreadable)?;
        let identity = (metadata.dev(), metadata.ino());
        Ok(Self { path: path.to_owned(), file, stamp, is_settled, identity })
    }

    /// Whether it was not written to since it was opened, nor its rights changed.
    pub(super) fn is_unchanged(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| Stamp::of(&metadata) == self.stamp)
    }

    /// Of its content, as long as that is what it was when it was opened.
    pub(super) fn digest(&self) -> Result<Digest, LoadProblem> {
        let digest = Digest::of(&self.file).map_err(|error| LoadProblem::Unreadable(describe(&error)))?;
        if self.is_unchanged() { Ok(digest) } else { Err(LoadProblem::Changing) }
    }
}

fn is_file(kind: FileType) -> Result<(), LoadProblem> {
    if kind.is_dir() {
        return Err(LoadProblem::NotAFile("a directory".to_owned()));
    }
    match kind.is_file() {
        true => Ok(()),
        false => Err(LoadProblem::NotAFile("neither a file nor a directory".to_owned())),
    }
}
