//! What comes of trying a library, as the child writes it and as it is kept.

use crate::plugin::error::LoadProblem;
use crate::plugin::instance::one_line;
use crate::plugin::library::{Export, Library};
use crate::plugin::manifest::Manifest;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A JSON object.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Answer {
    /// It was loaded.
    Loaded {
        /// The version of plugin-api it was built with.
        api_version: String,
        /// In the order of its author.
        exports: Vec<Export>,
    },
    /// It cannot be.
    Refused(LoadProblem),
}

impl Answer {
    pub(super) fn of(loaded: Result<Library, LoadProblem>) -> Self {
        match loaded {
            Ok(library) => Answer::Loaded {
                api_version: library.api_version().to_owned(),
                exports: library.exports().to_vec(),
            },
            Err(problem) => Answer::Refused(problem),
        }
    }

    /// For the library of this path. What of it is shown to people is made one line each.
    pub(crate) fn manifest(self, path: &Path) -> Result<Manifest, LoadProblem> {
        match self {
            Answer::Loaded { api_version, exports } => Ok(Manifest {
                path: path.to_owned(),
                api_version: one_line(&api_version),
                exports: exports.into_iter().map(presentable).collect(),
            }),
            Answer::Refused(problem) => Err(problem),
        }
    }
}

fn presentable(export: Export) -> Export {
    Export { name: one_line(&export.name), description: one_line(&export.description), ..export }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::library::ExportKind;

    #[test]
    fn what_a_library_says_of_itself_cannot_write_over_a_terminal() {
        let export = Export {
            kind: ExportKind::Task,
            name: "Task\u{1b}[2J".to_owned(),
            description: "does\n\u{1b}]0;title\u{7} things".to_owned(),
            options_schema: Some("{\n}".to_owned()),
        };
        let answer = Answer::Loaded { api_version: "1\r2".to_owned(), exports: vec![export] };
        let manifest = answer.manifest(Path::new("/lib.so")).unwrap();
        let export = &manifest.exports()[0];
        assert_eq!((manifest.api_version(), &*export.name), ("1 2", "Task [2J"));
        assert_eq!(export.description, "does;  ]0;title  things");
        assert_eq!(export.options_schema.as_deref(), Some("{\n}"));
    }
}
