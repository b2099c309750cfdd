//! Answers the checker's questions about plugins by trying them.

use crate::config::{NamedType, PluginCatalog, PluginKind, ResolvedType};
use crate::plugin::{Digest, ExportKind, Registry, Resolved};

/// A registry, asked by the checker. What it tries is known to the runs.
pub(super) struct RegistryCatalog<'a>(pub(super) &'a Registry);

impl PluginCatalog for RegistryCatalog<'_> {
    fn resolve(&mut self, named: &NamedType<'_>) -> Result<ResolvedType, String> {
        let NamedType { kind, reference, folder, search_paths, sha256 } = *named;
        let pin = sha256.copied().map(Digest);
        let resolved = self.0.resolve(export_kind(kind), reference, folder, search_paths, pin.as_ref());
        let Resolved { library, type_name, options_schema, warnings } =
            resolved.map_err(|error| error.to_string())?;
        Ok(ResolvedType { library, type_name, options_schema, warnings })
    }
}

/// In the words of those who know libraries.
pub(super) fn export_kind(kind: PluginKind) -> ExportKind {
    match kind {
        PluginKind::Task => ExportKind::Task,
        PluginKind::Notifier => ExportKind::Notifier,
    }
}
