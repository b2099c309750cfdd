//! Answers the checker's questions about plugins by loading them.

use crate::config::{PluginCatalog, ResolvedType};
use crate::plugin::Registry;
use std::path::{Path, PathBuf};

/// A registry, asked by the checker. What it loads stays loaded for the runs.
pub(super) struct RegistryCatalog<'a>(pub(super) &'a Registry);

impl PluginCatalog for RegistryCatalog<'_> {
    fn task_type(
        &mut self,
        reference: &str,
        folder: &Path,
        search_paths: &[PathBuf],
    ) -> Result<ResolvedType, String> {
        let resolved = self.0.resolve_task(reference, folder, search_paths);
        resolved
            .map(|(library, type_name)| ResolvedType { library, type_name })
            .map_err(|error| error.to_string())
    }

    fn notifier_type(
        &mut self,
        reference: &str,
        folder: &Path,
        search_paths: &[PathBuf],
    ) -> Result<ResolvedType, String> {
        let resolved = self.0.resolve_notifier(reference, folder, search_paths);
        resolved
            .map(|(library, type_name)| ResolvedType { library, type_name })
            .map_err(|error| error.to_string())
    }
}
