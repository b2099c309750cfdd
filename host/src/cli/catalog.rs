//! Answers the checker's questions about plugins by trying them.

use crate::config::{PluginCatalog, ResolvedType};
use crate::plugin::{Digest, PluginError, Registry, Resolved};
use std::path::{Path, PathBuf};

/// A registry, asked by the checker. What it tries is known to the runs.
pub(super) struct RegistryCatalog<'a>(pub(super) &'a Registry);

impl PluginCatalog for RegistryCatalog<'_> {
    fn task_type(
        &mut self,
        reference: &str,
        folder: &Path,
        search_paths: &[PathBuf],
        sha256: Option<&[u8; 32]>,
    ) -> Result<ResolvedType, String> {
        let resolved = self.0.resolve_task(reference, folder, search_paths, pin(sha256).as_ref());
        answer(resolved)
    }

    fn notifier_type(
        &mut self,
        reference: &str,
        folder: &Path,
        search_paths: &[PathBuf],
        sha256: Option<&[u8; 32]>,
    ) -> Result<ResolvedType, String> {
        let resolved = self.0.resolve_notifier(reference, folder, search_paths, pin(sha256).as_ref());
        answer(resolved)
    }
}

fn answer(resolved: Result<Resolved, PluginError>) -> Result<ResolvedType, String> {
    let Resolved { library, type_name, options_schema, warnings } =
        resolved.map_err(|error| error.to_string())?;
    Ok(ResolvedType { library, type_name, options_schema, warnings })
}

fn pin(sha256: Option<&[u8; 32]>) -> Option<Digest> {
    sha256.copied().map(Digest)
}
