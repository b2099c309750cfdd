//! What the checker asks of plugins, without knowing how they are loaded.

use std::path::{Path, PathBuf};

/// Answers questions about plugin libraries. Implemented by `cli` on top of `plugin`.
pub trait PluginCatalog {
    /// Finds the task type `LIBRARY[:Type]` names. A relative path resolves against `folder`; a bare name is looked up
    /// in `search_paths` and the catalog's own places. The error is a lowercase fragment in one line.
    fn task_type(
        &mut self,
        reference: &str,
        folder: &Path,
        search_paths: &[PathBuf],
    ) -> Result<ResolvedType, String>;

    /// The same for a notifier type.
    fn notifier_type(
        &mut self,
        reference: &str,
        folder: &Path,
        search_paths: &[PathBuf],
    ) -> Result<ResolvedType, String>;
}

/// A type that a library exports.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResolvedType {
    /// The library, absolute.
    pub library: PathBuf,
    /// The type in it.
    pub type_name: String,
}
