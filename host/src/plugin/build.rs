//! From a library's file to a build of it: copied, tried, and described.

use super::copies::Copies;
use super::elf;
use super::error::LoadProblem;
use super::loader::{check_format, words};
use super::manifest::Manifest;
use super::prepared::{Place, Prepared};
use super::probe;
use super::source::Source;
use parking_lot::RwLock;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// A file that was tried.
#[derive(Debug)]
pub(super) struct Build {
    pub(super) manifest: Arc<Manifest>,
    pub(super) source: Source,
    prepared: OnceLock<Arc<Prepared>>,
}

impl Build {
    /// Ready to be loaded; `None`: it was only looked at.
    pub(super) fn prepared(&self) -> Option<&Arc<Prepared>> {
        self.prepared.get()
    }
}

/// Tries files and makes copies.
#[derive(Debug, Default)]
pub(super) struct Builder {
    /// The host's binary, a child of which tries libraries. `None`: they are tried in this process.
    program: Option<PathBuf>,
    /// `None`: none has been made yet.
    copies: RwLock<Option<Arc<Copies>>>,
    /// Whether whatever is looked at is made ready to be loaded.
    keeps: AtomicBool,
}

impl Builder {
    /// Has children of this binary try libraries.
    pub(super) fn trying_with(program: PathBuf) -> Self {
        Self { program: Some(program), ..Self::default() }
    }

    /// Keeps copies there from now on.
    pub(super) fn keep_in(&self, copies: Copies) {
        *self.copies.write() = Some(Arc::new(copies));
        self.keeps.store(true, Ordering::Relaxed);
    }

    /// Whether the build of what is looked at is to be ready to be loaded, as long as nobody has asked for it.
    pub(super) fn keeps(&self) -> bool {
        self.keeps.load(Ordering::Relaxed)
    }

    /// Removes all copies.
    pub(super) fn close(&self) {
        if let Some(copies) = &*self.copies.read() {
            copies.remove();
        }
    }

    /// Tries this file, unless it is what `before` is, which may be ready to be loaded already. The result is if `keep`.
    pub(super) fn build(
        &self,
        source: Source,
        before: Option<&Arc<Build>>,
        keep: bool,
    ) -> Result<Arc<Build>, LoadProblem> {
        if let Some(before) = before
            && before.source.stamp == source.stamp
            && before.source.is_settled
        {
            if keep {
                self.prepare(before)?;
            }
            return Ok(Arc::clone(before));
        }
        let place = self.place(&source)?;
        if let Some(before) = before
            && let Some(prepared) = before.prepared()
            && prepared.is_copy_of(&place)
        {
            let (manifest, prepared) = (Arc::clone(&before.manifest), Arc::clone(prepared).into());
            return Ok(Arc::new(Build { manifest, source, prepared }));
        }
        let build = match &self.program {
            Some(program) => {
                let answer = probe::try_out(program, place.path())?;
                let manifest = Arc::new(answer.manifest(&source.path)?);
                let prepared = OnceLock::new();
                if keep {
                    prepared.get_or_init(|| Arc::new(Prepared::new(Arc::clone(&manifest), place)));
                }
                Build { manifest, source, prepared }
            }
            None => {
                let prepared = Arc::new(Prepared::here(&source.path, place)?);
                let manifest = Arc::clone(prepared.manifest());
                Build { manifest, source, prepared: prepared.into() }
            }
        };
        Ok(Arc::new(build))
    }

    /// Makes a build that was only looked at ready to be loaded.
    pub(super) fn prepare(&self, build: &Build) -> Result<(), LoadProblem> {
        if build.prepared().is_none() {
            let prepared = Prepared::new(Arc::clone(&build.manifest), self.place(&build.source)?);
            build.prepared.get_or_init(|| Arc::new(prepared));
        }
        Ok(())
    }

    /// Where this file is loaded from: whole, and not to be changed by anybody if that can be had.
    fn place(&self, source: &Source) -> Result<Place, LoadProblem> {
        // Looked at before, so that nothing large is copied in vain.
        check_format(&source.file)?;
        let copies = self.copies()?;
        if elf::names_origin(&source.file) || !copies.are_loadable() {
            let file = source.file.try_clone().map_err(|error| LoadProblem::Unreadable(words(&error)))?;
            return Ok(Place::Own { path: source.path.clone(), file });
        }
        let name = source.path.file_name().unwrap_or_default();
        let copy = copies.copy(&source.file, name);
        let copy = copy.map_err(|error| LoadProblem::Untried(format!("private copy: {}", words(&error))))?;
        if !source.is_unchanged() {
            return Err(LoadProblem::Changing);
        }
        check_format(copy.file())?;
        Ok(Place::Copy(copy))
    }

    fn copies(&self) -> Result<Arc<Copies>, LoadProblem> {
        if let Some(copies) = &*self.copies.read() {
            return Ok(Arc::clone(copies));
        }
        let mut copies = self.copies.write();
        if let Some(copies) = &*copies {
            return Ok(Arc::clone(copies));
        }
        let made = Copies::temporary();
        let made =
            made.map_err(|error| LoadProblem::Untried(format!("temporary folder: {}", words(&error))))?;
        Ok(Arc::clone(copies.insert(Arc::new(made))))
    }
}
