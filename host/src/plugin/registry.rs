//! The libraries of one host.

use super::error::{LoadProblem, PluginError};
use super::library::{ExportKind, Library};
use super::loader;
use super::reference::{Reference, SearchPath};
use parking_lot::{Mutex, RwLock};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Finds and loads libraries, each once. Shared by all threads of a host.
#[derive(Default)]
pub struct Registry {
    search_path: SearchPath,
    /// By every absolute path under which a library was asked for, and by its canonical one.
    libraries: RwLock<HashMap<PathBuf, Arc<Library>>>,
    /// Held while a library is loaded, so that two threads do not load one twice; those that are loaded need not wait.
    loading: Mutex<()>,
}

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

    /// Finds the task type that `LIBRARY[:Type]` names, and loads its library.
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

    /// Finds and loads the library a bare name or a path stands for, whatever it exports. A type that follows is ignored.
    pub fn find(&self, reference: &str, folder: &Path) -> Result<Arc<Library>, PluginError> {
        self.library(&Reference::parse(reference)?.file(folder, &[], &self.search_path)?)
    }

    /// The library of this absolute path. The first call for it reads files and runs the library's initializers; later
    /// ones cost a lookup.
    pub fn library(&self, path: &Path) -> Result<Arc<Library>, PluginError> {
        if let Some(library) = self.libraries.read().get(path) {
            return Ok(Arc::clone(library));
        }
        let failed = |problem| PluginError::Load { library: path.to_owned(), problem };
        if !path.is_absolute() {
            return Err(failed(LoadProblem::Relative));
        }
        let _loading = self.loading.lock();
        let canonical =
            path.canonicalize().map_err(|error| failed(LoadProblem::Unreadable(loader::words(&error))))?;
        let known = self.libraries.read().get(&canonical).cloned();
        let library = match known {
            Some(library) => library,
            None => Arc::new(loader::load(&canonical).map_err(failed)?),
        };
        let mut libraries = self.libraries.write();
        libraries.insert(canonical, Arc::clone(&library));
        libraries.insert(path.to_owned(), Arc::clone(&library));
        Ok(library)
    }

    /// Everything that is loaded, in the order of the files' names.
    pub fn libraries(&self) -> Vec<Arc<Library>> {
        let mut all: Vec<_> = self.libraries.read().values().cloned().collect();
        all.sort_by(|a, b| a.path().cmp(b.path()));
        all.dedup_by(|a, b| Arc::ptr_eq(a, b));
        all
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
        let library = self.library(&path)?;
        let exported: Vec<String> = library.names(kind).map(str::to_owned).collect();
        let resolved = |library: &Library, path, type_name: String| {
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
