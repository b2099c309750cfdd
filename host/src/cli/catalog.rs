//! Answers the checker's questions about plugins by trying them.

use crate::config::{PluginCatalog, ResolvedType};
use crate::plugin::{PluginError, Registry, Resolved};
use std::path::{Path, PathBuf};

/// A registry, asked by the checker. What it tries is known to the runs.
pub(super) struct RegistryCatalog<'a>(pub(super) &'a Registry);

impl PluginCatalog for RegistryCatalog<'_> {
    fn task_type(
        &mut self,
        reference: &str,
        folder: &Path,
        search_paths: &[PathBuf],
    ) -> Result<ResolvedType, String> {
        let resolved = self.0.resolve_task(reference, folder, search_paths);
        answer(resolved)
    }

    fn notifier_type(
        &mut self,
        reference: &str,
        folder: &Path,
        search_paths: &[PathBuf],
    ) -> Result<ResolvedType, String> {
        let resolved = self.0.resolve_notifier(reference, folder, search_paths);
        answer(resolved)
    }
}

fn answer(resolved: Result<Resolved, PluginError>) -> Result<ResolvedType, String> {
    let Resolved { library, type_name, options_schema } = resolved.map_err(|error| error.to_string())?;
    Ok(ResolvedType { library, type_name, options_schema, warnings: Vec::new() })
}
