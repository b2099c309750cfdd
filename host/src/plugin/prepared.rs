//! A build of a library that is ready to be loaded.

use super::copies::PrivateCopy;
use super::digest::Digest;
use super::error::{LoadProblem, PluginError};
use super::library::Library;
use super::loader;
use super::manifest::Manifest;
use super::remote::Speaker;
use super::source::Source;
use super::stamp::Stamp;
use super::suspects::Suspects;
use crate::process::describe;
use parking_lot::Mutex;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// A build of a library, tried in a child process and ready to be loaded, here or in another child. Usable on any thread.
///
/// Its file is there for as long as this is, and as long as the host lives if it was loaded here.
#[derive(Debug)]
pub struct Prepared {
    manifest: Arc<Manifest>,
    place: Place,
    stamp: Stamp,
    suspects: Arc<Suspects>,
    digest: OnceLock<Digest>,
    library: OnceLock<Arc<Library>>,
    /// Held while it is loaded, so that two threads do not load it twice; those who find it loaded need not wait.
    loading: Mutex<()>,
}

/// Where a build is loaded from.
#[derive(Debug)]
pub(super) enum Place {
    /// A private copy.
    Copy(PrivateCopy),
    /// The file itself, which looks for others beside it.
    Own { path: PathBuf, file: File },
}

impl Prepared {
    pub(super) fn new(manifest: Arc<Manifest>, place: Place, stamp: Stamp, suspects: Arc<Suspects>) -> Self {
        let (digest, library) = (OnceLock::new(), OnceLock::new());
        Self { manifest, place, stamp, suspects, digest, library, loading: Mutex::new(()) }
    }

    /// Loads it into this process to learn what it exports.
    pub(super) fn here(source: &Source, place: Place) -> Result<Self, LoadProblem> {
        let library = loader::load(place.path(), &source.path)?;
        let manifest = Arc::new(Manifest::of(&library));
        let prepared = Self::new(manifest, place, source.stamp, Arc::default());
        prepared.library.get_or_init(|| Arc::new(library));
        Ok(prepared)
    }

    /// What it exports, and the path under which it is known.
    pub fn manifest(&self) -> &Arc<Manifest> {
        &self.manifest
    }

    /// What is loaded: a private copy, in a folder that only this user can enter, or the library's own file. Absolute.
    pub fn load_path(&self) -> &Path {
        self.place.path()
    }

    /// The same, open for reading: a process of another user that has it can load it by its number.
    pub fn file(&self) -> &File {
        self.place.file()
    }

    /// Whether it is a private copy, which can be loaded under any name. If not, it names libraries beside its own file
    /// (`$ORIGIN`) and is to be loaded by its path.
    pub fn is_private(&self) -> bool {
        matches!(self.place, Place::Copy(_))
    }

    /// Where another process loads it from; `None`: by the descriptor that is handed over.
    pub fn place_for_others(&self) -> Option<PathBuf> {
        (!self.is_private()).then(|| self.load_path().to_owned())
    }

    /// Hands it to a child that is about to be told what to do with it.
    pub fn hand_over(&self, to: &Speaker) {
        to.hand_over(self.is_private().then(|| self.file().as_fd()));
    }

    /// Loads it into this process, for good; at the second call, what the first has loaded.
    pub fn library(&self) -> Result<Arc<Library>, PluginError> {
        self.load().map_err(|problem| self.failed(problem))
    }

    pub(super) fn load(&self) -> Result<Arc<Library>, LoadProblem> {
        if let Some(library) = self.library.get() {
            return Ok(Arc::clone(library));
        }
        let _loading = self.loading.lock();
        if let Some(library) = self.library.get() {
            return Ok(Arc::clone(library));
        }
        // Before: it may be the last thing that this process does.
        self.suspects.loading(self.manifest.path(), self.stamp);
        let library = Arc::new(loader::load(self.load_path(), self.manifest.path())?);
        Ok(Arc::clone(self.library.get_or_init(|| library)))
    }

    /// Of its content: computed once, which takes time.
    pub(super) fn digest(&self) -> Result<Digest, LoadProblem> {
        if let Some(digest) = self.digest.get() {
            return Ok(*digest);
        }
        let digest = self.place.digest()?;
        Ok(*self.digest.get_or_init(|| digest))
    }

    /// Whether both are private copies of the same bytes.
    pub(super) fn is_copy_of(&self, other: &Place) -> bool {
        match (&self.place, other) {
            (Place::Copy(one), Place::Copy(other)) => {
                same_bytes(one.file(), other.file()).is_ok_and(|same| same)
            }
            (Place::Copy(_) | Place::Own { .. }, Place::Copy(_) | Place::Own { .. }) => false,
        }
    }

    /// Whether the system's loader would take the other for this one, which it has loaded.
    pub(super) fn is_bound_to(&self, other: &Place) -> bool {
        let are_own = matches!((&self.place, other), (Place::Own { .. }, Place::Own { .. }));
        are_own && self.library.get().is_some()
    }

    fn failed(&self, problem: LoadProblem) -> PluginError {
        PluginError::Load { library: self.manifest.path().to_owned(), problem }
    }
}

impl Place {
    pub(super) fn path(&self) -> &Path {
        match self {
            Place::Copy(copy) => copy.path(),
            Place::Own { path, .. } => path,
        }
    }

    pub(super) fn file(&self) -> &File {
        match self {
            Place::Copy(copy) => copy.file(),
            Place::Own { file, .. } => file,
        }
    }

    pub(super) fn digest(&self) -> Result<Digest, LoadProblem> {
        Digest::of(self.file()).map_err(|error| LoadProblem::Unreadable(describe(&error)))
    }
}

fn same_bytes(one: &File, other: &File) -> io::Result<bool> {
    let length = one.metadata()?.len();
    if other.metadata()?.len() != length {
        return Ok(false);
    }
    let (mut ours, mut theirs) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut at = 0;
    while at < length {
        let size = usize::try_from(length - at).unwrap_or(usize::MAX).min(ours.len());
        one.read_exact_at(&mut ours[..size], at)?;
        other.read_exact_at(&mut theirs[..size], at)?;
        if ours[..size] != theirs[..size] {
            return Ok(false);
        }
        at += size as u64;
    }
    Ok(true)
}
