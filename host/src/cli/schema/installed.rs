//! The types of the plugins that a configuration could name.

use crate::cli::catalog::export_kind;
use crate::cli::machine::ThisMachine;
use crate::cli::usual;
use crate::config::{self, CheckOptions, NamedType, PluginCatalog, PluginKind, PluginType, ResolvedType};
use crate::plugin::{Digest, Export, ExportKind, InstalledLibrary, Manifest, Registry, SearchPath};
use crate::process::OWN_BINARY;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The types of every library that lies where bare names are looked for, and of those that `config` (or scripts.json,
/// if there is one) names otherwise. Each library is tried in a child process. With the types come fragments about what
/// cannot be told.
pub(super) fn types(config: Option<&Path>) -> (Vec<PluginType>, Vec<String>) {
    let mut found = Found::default();
    let file = usual::configuration(config);
    let named = file.map(|file| found.named(file)).unwrap_or_default();
    let folder = usual::folder(file);
    let search_path = SearchPath::of_process();
    let installed = search_path.installed(&folder, &named.search_paths);
    for (folder, why) in installed.unreadable {
        found.faults.push(format!("folder {folder:?}: {why}"));
    }
    let registry = Registry::with_search_path(search_path).with_probe(OWN_BINARY.into());
    // What another file of its name hides, no bare name can mean.
    for library in installed.libraries.iter().filter(|library| library.shadowed_by.is_none()) {
        match registry.find(&library.path.to_string_lossy(), &folder) {
            Ok(manifest) => found.add_library(library, &manifest),
            Err(error) => found.faults.push(error.to_string()),
        }
    }
    for (kind, reference, sha256) in named.references {
        if found.is_known(kind, &reference) {
            continue;
        }
        let pin = sha256.map(Digest);
        let resolved = registry.resolve(kind, &reference, &folder, &named.search_paths, pin.as_ref());
        let exported = resolved.and_then(|resolved| {
            let manifest = registry.find(&resolved.library.to_string_lossy(), &folder)?;
            let is_it = |export: &&Export| export.kind == kind && export.name == resolved.type_name;
            Ok(manifest.exports().iter().find(is_it).cloned())
        });
        match exported {
            Ok(export) => export.iter().for_each(|export| found.add(export, vec![reference.clone()])),
            Err(error) => found.faults.push(error.to_string()),
        }
    }
    found.faults.dedup();
    (found.types, found.faults)
}

#[derive(Default)]
struct Found {
    types: Vec<PluginType>,
    faults: Vec<String>,
}

impl Found {
    /// What a configuration names, whether or not the rest of it is right.
    fn named(&mut self, file: &Path) -> Named {
        let mut named = Named::default();
        match config::load_search_paths(file) {
            Ok(search_paths) => named.search_paths = search_paths,
            Err(report) => {
                let why = report.findings.first().map_or("", |finding| &finding.message);
                self.faults.push(format!("{}: which plugins it names cannot be told: {why}", file.display()));
            }
        }
        config::load(file, &mut named, &ThisMachine, CheckOptions::default());
        named
    }

    fn add_library(&mut self, installed: &InstalledLibrary, library: &Manifest) {
        let file = installed.path.file_name().map(|name| name.to_string_lossy().into_owned());
        let mut spelled = vec![installed.name.clone()];
        for other in [installed.name.replace('-', "_")].into_iter().chain(file) {
            if !spelled.contains(&other) {
                spelled.push(other);
            }
        }
        for export in library.exports() {
            let is_only = library.names(export.kind).count() == 1;
            let typed = |library: &String| format!("{library}:{}", export.name);
            let bare = spelled.iter().filter(|_| is_only).cloned();
            self.add(export, bare.chain(spelled.iter().map(typed)).collect());
        }
    }

    fn add(&mut self, export: &Export, references: Vec<String>) {
        self.types.push(PluginType {
            kind: kind(export.kind),
            name: export.name.clone(),
            references,
            description: export.description.clone(),
            options_schema: export.options_schema.clone(),
        });
    }

    fn is_known(&self, of: ExportKind, reference: &String) -> bool {
        self.types.iter().any(|known| known.kind == kind(of) && known.references.contains(reference))
    }
}

fn kind(kind: ExportKind) -> PluginKind {
    match kind {
        ExportKind::Task => PluginKind::Task,
        ExportKind::Notifier => PluginKind::Notifier,
    }
}

/// Listens to what the checker asks.
#[derive(Default)]
struct Named {
    search_paths: Vec<PathBuf>,
    /// With what their content has to be.
    references: BTreeSet<(ExportKind, String, Option<[u8; 32]>)>,
}

impl PluginCatalog for Named {
    /// Whatever the answer were, the report is not looked at.
    fn resolve(&mut self, named: &NamedType<'_>) -> Result<ResolvedType, String> {
        let NamedType { kind, reference, sha256, .. } = *named;
        self.references.insert((export_kind(kind), reference.to_owned(), sha256.copied()));
        Err("it is noted".to_owned())
    }
}
