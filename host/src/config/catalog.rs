//! What the checker asks of plugins, without knowing how they are loaded.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Answers questions about plugin libraries. Implemented by `cli` on top of `plugin`.
pub trait PluginCatalog {
    /// Finds the task type `LIBRARY[:Type]` names. A relative path resolves against `folder`; a bare name is looked up
    /// in `search_paths` and the catalog's own places. With `sha256`, the library's content has to be that. The error is
    /// a lowercase fragment in one line.
    fn task_type(
        &mut self,
        reference: &str,
        folder: &Path,
        search_paths: &[PathBuf],
        sha256: Option<&[u8; 32]>,
    ) -> Result<ResolvedType, String>;

    /// The same for a notifier type.
    fn notifier_type(
        &mut self,
        reference: &str,
        folder: &Path,
        search_paths: &[PathBuf],
        sha256: Option<&[u8; 32]>,
    ) -> Result<ResolvedType, String>;
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
    tasks: Answers,
    notifiers: Answers,
}

type Answers = HashMap<(String, Option<[u8; 32]>), Result<ResolvedType, String>>;

impl<'c> Remembering<'c> {
    /// For one file: the folder and the search paths stay the same.
    pub(super) fn new(catalog: &'c mut dyn PluginCatalog) -> Self {
        Self { catalog, tasks: HashMap::new(), notifiers: HashMap::new() }
    }
}

impl PluginCatalog for Remembering<'_> {
    fn task_type(
        &mut self,
        reference: &str,
        folder: &Path,
        search_paths: &[PathBuf],
        sha256: Option<&[u8; 32]>,
    ) -> Result<ResolvedType, String> {
        let ask = || self.catalog.task_type(reference, folder, search_paths, sha256);
        remembered(&mut self.tasks, reference, sha256, ask)
    }

    fn notifier_type(
        &mut self,
        reference: &str,
        folder: &Path,
        search_paths: &[PathBuf],
        sha256: Option<&[u8; 32]>,
    ) -> Result<ResolvedType, String> {
        let ask = || self.catalog.notifier_type(reference, folder, search_paths, sha256);
        remembered(&mut self.notifiers, reference, sha256, ask)
    }
}

fn remembered(
    answers: &mut Answers,
    reference: &str,
    sha256: Option<&[u8; 32]>,
    ask: impl FnOnce() -> Result<ResolvedType, String>,
) -> Result<ResolvedType, String> {
    let answer = answers.entry((reference.to_owned(), sha256.copied()));
    let answer = answer.or_insert_with(ask);
    let first = answer.clone();
    if let Ok(resolved) = answer {
        resolved.warnings.clear();
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Knows nothing and counts how often it was asked.
    struct Counting(usize);

    impl PluginCatalog for Counting {
        fn task_type(
            &mut self,
            reference: &str,
            _: &Path,
            _: &[PathBuf],
            _: Option<&[u8; 32]>,
        ) -> Result<ResolvedType, String> {
            self.0 += 1;
            Err(format!("no task {reference}"))
        }

        fn notifier_type(
            &mut self,
            reference: &str,
            _: &Path,
            _: &[PathBuf],
            _: Option<&[u8; 32]>,
        ) -> Result<ResolvedType, String> {
            self.0 += 1;
            Err(format!("no notifier {reference}"))
        }
    }

    #[test]
    fn each_reference_is_asked_about_once() {
        let mut counting = Counting(0);
        let mut catalog = Remembering::new(&mut counting);
        for _ in 0..3 {
            for reference in ["a", "b"] {
                let folder = Path::new("/");
                assert_eq!(
                    catalog.task_type(reference, folder, &[], None),
                    Err(format!("no task {reference}"))
                );
                assert_eq!(
                    catalog.notifier_type(reference, folder, &[], None),
                    Err(format!("no notifier {reference}"))
                );
            }
        }
        assert_eq!(counting.0, 4);
    }
}
