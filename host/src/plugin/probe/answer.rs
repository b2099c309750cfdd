//! What comes of trying a library, as the child writes it and as it is kept.

use crate::plugin::error::LoadProblem;
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

    /// For the library of this path.
    pub(crate) fn manifest(self, path: &Path) -> Result<Manifest, LoadProblem> {
        match self {
            Answer::Loaded { api_version, exports } => {
                Ok(Manifest { path: path.to_owned(), api_version, exports })
            }
            Answer::Refused(problem) => Err(problem),
        }
    }
}
