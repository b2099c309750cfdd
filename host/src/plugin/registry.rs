//! The libraries of one host.

use super::build::{Build, Builder};
use super::copies::Copies;
use super::digest::Digest;
use super::error::{LoadProblem, PluginError};
use super::library::{ExportKind, Library};
use super::loader::words;
use super::manifest::Manifest;
use super::prepared::Prepared;
use super::reference::{Reference, SearchPath};
use super::slot::Slot;
use super::source::Source;
use super::stamp::Stamp;
use parking_lot::{Mutex, RwLock};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How often a file is looked at anew that changes while it is.
const LOOKS: usize = 3;

/// Finds libraries, tries them, and has their builds ready to be loaded. Shared by all threads of a host.
///
/// A library whose file has changed is a new build: it is tried when a run next asks for it, and takes the place of the
/// build before. What was made of that goes on as it is.
#[derive(Default)]
pub struct Registry {
    search_path: SearchPath,
    builder: Builder,
    /// By every absolute path under which a library was asked for.
    slots: RwLock<HashMap<PathBuf, Arc<Slot>>>,
    /// The newest build of each file, by its canonical path; locked while that is tried.
    shelves: Mutex<HashMap<PathBuf, Shelf>>,
}

type Shelf = Arc<Mutex<Option<Arc<Build>>>>;

/// What a reference stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resolved {
    /// The library, absolute.
    pub library: PathBuf,
    /// The type in it.
    pub type_name: String,
    /// A JSON Schema for its options, as text; `None`: the type publishes none.
    pub options_schema: Option<Arc<str>>,
}

impl Registry {
    /// Looks for bare names where this process looks for them.
    pub fn new() -> Self {
        Self::with_search_path(SearchPath::of_process())
    }

    /// Looks for bare names in these folders.
    pub fn with_search_path(search_path: SearchPath) -> Self {
        Self { search_path, ..Self::default() }
    }

    /// Has children of the host's binary, which is this one, try libraries: what crashes, hangs or exits when it is
    /// loaded does no harm then. Without, they are tried by being loaded into this process.
    #[must_use]
    pub fn with_probe(mut self, program: PathBuf) -> Self {
        self.builder = Builder::trying_with(program);
        self
    }

    /// Finds the task type that `LIBRARY[:Type]` names, and tries its library.
    /// Relative paths resolve against `folder`, which is absolute; bare names are looked for in `search_paths` first.
    pub fn resolve_task(
        &self,
        reference: &str,
        folder: &Path,
        search_paths: &[PathBuf],
    ) -> Result<Resolved, PluginError> {
        self.resolve(ExportKind::Task, reference, folder, search_paths)
    }

    /// The same for a notifier type.
    pub fn resolve_notifier(
        &self,
        reference: &str,
        folder: &Path,
        search_paths: &[PathBuf],
    ) -> Result<Resolved, PluginError> {
        self.resolve(ExportKind::Notifier, reference, folder, search_paths)
    }

    /// Finds and tries the library a bare name or a path stands for, whatever it exports. A type that follows is ignored.
    pub fn find(&self, reference: &str, folder: &Path) -> Result<Arc<Manifest>, PluginError> {
        let path = Reference::parse(reference)?.file(folder, &[], &self.search_path)?;
        Ok(Arc::clone(&self.look_afresh(&path)?.manifest))
    }

    /// The newest usable build of the library of this absolute path, ready to be loaded but not loaded: if the file has
    /// changed and its new build is refused, the one before. With `pin`, a build of that content and no other.
    ///
    /// The first call for a file, and the first after it has changed, copies and tries it; all others cost one system
    /// call. Blocks meanwhile, and so do others who ask for the same file.
    pub fn prepare(&self, path: &Path, pin: Option<&Digest>) -> Result<Arc<Prepared>, PluginError> {
        let slot = self.slot(path)?;
        let failed = |problem| PluginError::Load { library: path.to_owned(), problem };
        let current = match slot.current(Stamp::of_path(path).ok()) {
            Some(prepared) => prepared,
            None => self.newest(path, &slot).map_err(failed)?,
        };
        match pin {
            None => Ok(current),
            Some(pin) => slot.pinned(&current, pin).map_err(failed),
        }
    }

    /// The library of this absolute path, loaded into this process.
    pub fn library(&self, path: &Path) -> Result<Arc<Library>, PluginError> {
        self.prepare(path, None)?.library()
    }

    /// Keeps private copies in a state dir that is locked for this process, from now on and until [`Registry::close`].
    /// What was found before is copied there now, so that a run is of what was checked, whatever becomes of the file.
    ///
    /// # Errors
    /// The folder cannot be written; copies are made in a temporary folder then.
    pub fn keep_in(&self, state_dir: &Path) -> io::Result<()> {
        self.builder.keep_in(Copies::in_state_dir(state_dir)?);
        let slots: Vec<_> =
            self.slots.read().iter().map(|(path, slot)| (path.clone(), Arc::clone(slot))).collect();
        for (path, slot) in slots {
            if slot.seen.read().is_none() {
                continue;
            }
            if let Err(problem) = self.newest(&path, &slot) {
                log::error!(target: "bansuri", "{}", PluginError::Load { library: path, problem });
            }
        }
        Ok(())
    }

    /// Removes the private copies. Libraries that are loaded stay; no other is loaded after.
    pub fn close(&self) {
        self.builder.close();
    }

    /// The builds that are in use, in the order of the files' names.
    pub fn libraries(&self) -> Vec<Arc<Manifest>> {
        let slots = self.slots.read();
        let seen =
            slots.values().filter_map(|slot| Some(Arc::clone(&slot.seen.read().as_ref()?.build.manifest)));
        let mut all: Vec<_> = seen.collect();
        all.sort_by(|a, b| a.path().cmp(b.path()));
        all.dedup_by(|a, b| a.path() == b.path());
        all
    }

    /// Looks at a file that may have changed.
    fn newest(&self, path: &Path, slot: &Slot) -> Result<Arc<Prepared>, LoadProblem> {
        let _looking = slot.looking.lock();
        // Another thread may have looked while this one waited.
        if let Some(prepared) = slot.current(Stamp::of_path(path).ok()) {
            return Ok(prepared);
        }
        let build = slot.take(stamp_before(path), self.look(path, true))?;
        build.prepared().cloned().ok_or(LoadProblem::Changing)
    }

    /// Looks at a file whatever was found before: what is wrong with a library may lie elsewhere than in its file. A new
    /// build that is refused is an error here.
    fn look_afresh(&self, path: &Path) -> Result<Arc<Build>, PluginError> {
        let slot = self.slot(path)?;
        let _looking = slot.looking.lock();
        let found = self.look(path, self.builder.keeps());
        let refused = found.as_ref().err().cloned();
        let taken = slot.take(stamp_before(path), found);
        match refused {
            None => taken,
            Some(problem) => Err(problem),
        }
        .map_err(|problem| PluginError::Load { library: path.to_owned(), problem })
    }

    /// The build of what the file is now; ready to be loaded if `keep`.
    fn look(&self, path: &Path, keep: bool) -> Result<Arc<Build>, LoadProblem> {
        let canonical = path.canonicalize().map_err(|error| LoadProblem::Unreadable(words(&error)))?;
        let shelf = Arc::clone(self.shelves.lock().entry(canonical.clone()).or_default());
        let mut newest = shelf.lock();
        for _ in 0..LOOKS {
            match self.builder.build(Source::open(&canonical)?, newest.as_ref(), keep) {
                Err(LoadProblem::Changing) => {}
                Err(problem) => return Err(problem),
                Ok(build) => return Ok(Arc::clone(newest.insert(build))),
            }
        }
        Err(LoadProblem::Changing)
    }

    fn slot(&self, path: &Path) -> Result<Arc<Slot>, PluginError> {
        if let Some(slot) = self.slots.read().get(path) {
            return Ok(Arc::clone(slot));
        }
        if !path.is_absolute() {
            let problem = LoadProblem::Relative;
            return Err(PluginError::Load { library: path.to_owned(), problem });
        }
        Ok(Arc::clone(self.slots.write().entry(path.to_owned()).or_default()))
    }

    fn resolve(
        &self,
        kind: ExportKind,
        reference: &str,
        folder: &Path,
        search_paths: &[PathBuf],
    ) -> Result<Resolved, PluginError> {
        let parsed = Reference::parse(reference)?;
        let path = parsed.file(folder, search_paths, &self.search_path)?;
        let library = Arc::clone(&self.look_afresh(&path)?.manifest);
        let exported: Vec<String> = library.names(kind).map(str::to_owned).collect();
        let resolved = |library: &Manifest, path, type_name: String| {
            let mut exports = library.exports().iter();
            let export = exports.find(|export| export.kind == kind && export.name == type_name);
            let options_schema = export.and_then(|export| export.options_schema.as_deref().map(Arc::from));
            Resolved { library: path, type_name, options_schema }
        };
        match parsed.type_name {
            Some(name) if exported.iter().any(|known| known == name) => {
                Ok(resolved(&library, path, name.to_owned()))
            }
            Some(name) => Err(PluginError::UnknownType {
                of_other_kind: library.names(kind.other()).any(|other| other == name),
                library: path,
                kind,
                type_name: name.to_owned(),
                exported,
            }),
            None => match <[String; 1]>::try_from(exported) {
                Ok([only]) => Ok(resolved(&library, path, only)),
                Err(exported) => Err(PluginError::Unnamed {
                    library: path,
                    kind,
                    reference: parsed.library.to_owned(),
                    exported,
                }),
            },
        }
    }
}

/// What the file is, and whether that can be told from what it is later.
fn stamp_before(path: &Path) -> (Option<Stamp>, bool) {
    match Stamp::settled(|| std::fs::metadata(path)) {
        Ok((stamp, is_settled)) => (Some(stamp), is_settled),
        Err(_) => (None, false),
    }
}
