//! What the checker asks of plugins, without knowing how they are loaded.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Answers questions about plugin libraries. Implemented by `cli` on top of `plugin`.
pub trait PluginCatalog {
    /// Finds a type. The error is a lowercase fragment in one line.
    fn resolve(&mut self, named: &NamedType<'_>) -> Result<ResolvedType, String>;
}

/// What a type of a plugin is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PluginKind {
    /// A task.
    Task,
    /// A notifier.
    Notifier,
}

/// A type as a configuration names it.
#[derive(Clone, Copy, Debug)]
pub struct NamedType<'a> {
    /// What it has to be.
    pub kind: PluginKind,
    /// `LIBRARY[:Type]`.
    pub reference: &'a str,
    /// What a relative path resolves against.
    pub folder: &'a Path,
    /// Where a bare name is looked for before the catalog's own places.
    pub search_paths: &'a [PathBuf],
    /// What the library's content has to be; `None`: whatever it is.
    pub sha256: Option<&'a [u8; 32]>,
}

/// A type that a library exports.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResolvedType {
    /// The library, absolute.
    pub library: PathBuf,
    /// The type in it.
    pub type_name: String,
    /// A JSON Schema for its options, as text; `None`: the type publishes none.
    pub options_schema: Option<Arc<str>>,
    /// What makes it less than trustworthy: a lowercase fragment each.
    pub warnings: Vec<String>,
}

/// Asks about each reference once: a file may name one library in thousands of tasks, and trying a library that cannot
/// be loaded may cost a process each time. Its warnings come with the first answer alone.
pub(super) struct Remembering<'c> {
    catalog: &'c mut dyn PluginCatalog,
    answers: HashMap<Question, Result<ResolvedType, String>>,
}

/// What of a [`NamedType`] differs within one file.
type Question = (PluginKind, String, Option<[u8; 32]>);

impl<'c> Remembering<'c> {
    /// For one file: the folder and the search paths stay the same.
    pub(super) fn new(catalog: &'c mut dyn PluginCatalog) -> Self {
        Self { catalog, answers: HashMap::new() }
    }
}

impl PluginCatalog for Remembering<'_> {
    fn resolve(&mut self, named: &NamedType<'_>) -> Result<ResolvedType, String> {
        let place = self.answers.entry((named.kind, named.reference.to_owned(), named.sha256.copied()));
        let answer = place.or_insert_with(|| self.catalog.resolve(named));
        let first = answer.clone();
        if let Ok(resolved) = answer {
            resolved.warnings.clear();
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Knows nothing and counts how often it was asked.
    struct Counting(usize);

    impl PluginCatalog for Counting {
        fn resolve(&mut self, named: &NamedType<'_>) -> Result<ResolvedType, String> {
            self.0 += 1;
            Err(format!("no {:?} {}", named.kind, named.reference))
        }
    }

    #[test]
    fn each_reference_is_asked_about_once() {
        let mut counting = Counting(0);
        let mut catalog = Remembering::new(&mut counting);
        for _ in 0..3 {
            for reference in ["a", "b"] {
                for kind in [PluginKind::Task, PluginKind::Notifier] {
                    let folder = Path::new("/");
                    let named = NamedType { kind, reference, folder, search_paths: &[], sha256: None };
                    assert_eq!(catalog.resolve(&named), Err(format!("no {kind:?} {reference}")));
                }
            }
        }
        assert_eq!(counting.0, 4);
    }
}
