//! From a library's file to a build of it: copied, tried, and described.

use super::copies::Copies;
use super::digest::Digest;
use super::elf;
use super::error::LoadProblem;
use super::known::Known;
use super::loader::check_format;
use super::manifest::Manifest;
use super::prepared::{Place, Prepared};
use super::probe::{self, Answer};
use super::source::Source;
use super::suspects::Suspects;
use crate::process::describe;
use parking_lot::RwLock;
use std::io;
use std::path::{Path, PathBuf};
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

    /// Of its content, which takes time.
    fn digest(&self) -> Result<Digest, LoadProblem> {
        match self.prepared() {
            Some(prepared) => prepared.digest(),
            None => self.source.digest(),
        }
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
    known: Known,
    suspects: Arc<Suspects>,
}

impl Builder {
    /// Has children of this binary try libraries.
    pub(super) fn trying_with(program: PathBuf) -> Self {
        Self { program: Some(program), ..Self::default() }
    }

    /// Reads what hosts before this one have kept in this state dir.
    pub(super) fn remember(&mut self, state_dir: &Path) {
        if let Some(program) = &self.program {
            self.known = Known::read(state_dir, program);
        }
        self.suspects = Arc::new(Suspects::read(state_dir));
    }

    /// Keeps copies and what is found in this state dir from now on.
    pub(super) fn keep_in(&self, state_dir: &Path) -> io::Result<()> {
        self.keeps.store(true, Ordering::Relaxed);
        if let Some(program) = &self.program {
            self.known.keep_in(state_dir, program);
        }
        self.suspects.keep_in(state_dir);
        let copies = Copies::in_state_dir(state_dir)?;
        if !copies.are_loadable() {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "mounted with noexec"));
        }
        *self.copies.write() = Some(Arc::new(copies));
        Ok(())
    }

    /// Whether the build of what is looked at is to be ready to be loaded, as long as nobody has asked for it.
    pub(super) fn keeps(&self) -> bool {
        self.keeps.load(Ordering::Relaxed)
    }

    pub(super) fn suspects(&self) -> &Suspects {
        &self.suspects
    }

    /// Removes all copies. Nothing that is loaded after is suspected of anything.
    pub(super) fn close(&self) {
        if let Some(copies) = &*self.copies.read() {
            copies.remove();
        }
        self.suspects.close();
    }

    /// Tries this file, unless it is what `before` is or what earlier hosts have tried. The result is ready to be loaded
    /// if `keep`. With `pin`, what is of another content is not tried at all.
    pub(super) fn build(
        &self,
        source: Source,
        before: Option<&Arc<Build>>,
        pin: Option<&Digest>,
        keep: bool,
    ) -> Result<Arc<Build>, LoadProblem> {
        if let Some(before) = before
            && before.source.stamp == source.stamp
            && before.source.is_settled
        {
            if keep {
                self.prepare(before)?;
            }
            pin.map_or(Ok(()), |pin| check_content(before.digest()?, pin))?;
            return Ok(Arc::clone(before));
        }
        let pinned = pin.map(|pin| {
            let place = self.place(&source)?;
            check_content(place.digest()?, pin)?;
            Ok(place)
        });
        let pinned = pinned.transpose()?;
        if source.is_settled
            && let Some(answer) = self.known.get(&source.path, &source.stamp)
        {
            let manifest = Arc::new(answer.manifest(&source.path)?);
            let build = Build { manifest, source, prepared: OnceLock::new() };
            match pinned {
                Some(place) if keep => _ = self.set_place(&build, place),
                None if keep => _ = self.prepare(&build)?,
                // A copy that was made to look at it alone goes.
                Some(_) | None => {}
            }
            return Ok(Arc::new(build));
        }
        let place = pinned.map_or_else(|| self.place(&source), Ok)?;
        let loaded = before.and_then(|before| Some((&before.manifest, before.prepared()?)));
        if let Some((manifest, prepared)) = loaded {
            if prepared.is_copy_of(&place) {
                let (manifest, prepared) = (Arc::clone(manifest), Arc::clone(prepared).into());
                return Ok(Arc::new(Build { manifest, source, prepared }));
            }
            if prepared.is_bound_to(&place) {
                return Err(LoadProblem::Fixed);
            }
        }
        self.try_out(source, place, keep)
    }

    fn try_out(&self, source: Source, place: Place, keep: bool) -> Result<Arc<Build>, LoadProblem> {
        let Some(program) = &self.program else {
            let prepared = Arc::new(Prepared::here(&source, place)?);
            let manifest = Arc::clone(prepared.manifest());
            return Ok(Arc::new(Build { manifest, source, prepared: prepared.into() }));
        };
        let answer = probe::try_out(program, place.path())?;
        let is_lasting = match &answer {
            Answer::Loaded { .. } => true,
            Answer::Refused(problem) => problem.is_lasting(),
        };
        if source.is_settled && is_lasting {
            self.known.put(&source.path, source.stamp, &answer, program);
        }
        let manifest = Arc::new(answer.manifest(&source.path)?);
        let build = Build { manifest, source, prepared: OnceLock::new() };
        if keep {
            self.set_place(&build, place);
        }
        Ok(Arc::new(build))
    }

    /// Makes a build that was only looked at ready to be loaded.
    fn prepare<'b>(&self, build: &'b Build) -> Result<&'b Arc<Prepared>, LoadProblem> {
        match build.prepared() {
            Some(prepared) => Ok(prepared),
            None => Ok(self.set_place(build, self.place(&build.source)?)),
        }
    }

    fn set_place<'b>(&self, build: &'b Build, place: Place) -> &'b Arc<Prepared> {
        build.prepared.get_or_init(|| {
            let (manifest, suspects) = (Arc::clone(&build.manifest), Arc::clone(&self.suspects));
            Arc::new(Prepared::new(manifest, place, build.source.stamp, suspects))
        })
    }

    /// Where this file is loaded from: whole, and not to be changed by anybody if that can be had.
    fn place(&self, source: &Source) -> Result<Place, LoadProblem> {
        // Looked at before, so that nothing large is copied in vain.
        check_format(&source.file)?;
        let copies = self.copies()?;
        if elf::names_origin(&source.file) || !copies.are_loadable() {
            let file = source.file.try_clone().map_err(|error| LoadProblem::Unreadable(describe(&error)))?;
            return Ok(Place::Own { path: source.path.clone(), file });
        }
        let name = source.path.file_name().unwrap_or_default();
        let copy = copies.copy(&source.file, name);
        let copy = copy.map_err(|error| {
            let folder = copies.folder();
            LoadProblem::Untried(format!("private copy in {folder:?}: {}", describe(&error)))
        })?;
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
            made.map_err(|error| LoadProblem::Untried(format!("temporary folder: {}", describe(&error))))?;
        if !made.are_loadable() {
            let folder = made.folder().display();
            log::warn!(target: "bansuri", "temporary folder {folder}: mounted with noexec: plugins are loaded from their own files, to which nobody may write while a host runs");
        }
        Ok(Arc::clone(copies.insert(Arc::new(made))))
    }
}

fn check_content(found: Digest, pin: &Digest) -> Result<(), LoadProblem> {
    if found == *pin { Ok(()) } else { Err(LoadProblem::other_content(pin, &found)) }
}
