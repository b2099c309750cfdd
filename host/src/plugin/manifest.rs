//! What a library says of itself.

use super::library::{Export, ExportKind, Library};
use std::path::{Path, PathBuf};

/// What a library exports, known without having it loaded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    pub(super) path: PathBuf,
    pub(super) api_version: String,
    pub(super) exports: Vec<Export>,
}

impl Manifest {
    pub(super) fn of(library: &Library) -> Self {
        Self {
            path: library.path().to_owned(),
            api_version: library.api_version().to_owned(),
            exports: library.exports().to_vec(),
        }
    }

    /// The file, absolute and without links in it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The version of plugin-api it was built with.
    pub fn api_version(&self) -> &str {
        &self.api_version
    }

    /// What it exports, in the order of its author.
    pub fn exports(&self) -> &[Export] {
        &self.exports
    }

    /// The names of the exported types of one kind.
    pub fn names(&self, kind: ExportKind) -> impl Iterator<Item = &str> {
        self.exports.iter().filter(move |export| export.kind == kind).map(|export| export.name.as_str())
    }
}
