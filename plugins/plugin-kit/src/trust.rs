//! Whom to believe.

use std::path::{Path, PathBuf};

/// Whose certificates are good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trust {
    /// Those of the public authorities that browsers trust (Mozilla's list, built in).
    Public,
    /// Those of the authorities in this PEM file alone.
    File(PathBuf),
    /// All, unchecked.
    Anyone,
}

impl Trust {
    /// From the options `ca-file` and `insecure`.
    ///
    /// # Errors
    /// Both are given: one would make the other pointless.
    pub fn new(ca_file: Option<PathBuf>, insecure: bool) -> Result<Self, String> {
        match (ca_file, insecure) {
            (Some(_), true) => Err("ca-file and insecure exclude each other".to_owned()),
            (Some(path), false) => Ok(Trust::File(path)),
            (None, true) => Ok(Trust::Anyone),
            (None, false) => Ok(Trust::Public),
        }
    }

    /// The same for a notifier, which has no folder that a relative path could lie in.
    ///
    /// # Errors
    /// As above, and for a relative path.
    pub fn of_notifier(ca_file: Option<&Path>, insecure: bool) -> Result<Self, String> {
        if let Some(path) = ca_file.filter(|path| path.is_relative()) {
            return Err(format!("options.ca-file: {path:?}: expected an absolute path"));
        }
        Trust::new(ca_file.map(Path::to_owned), insecure).map_err(|error| format!("options: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_from_options() {
        assert_eq!(Trust::new(None, false), Ok(Trust::Public));
        assert_eq!(Trust::new(None, true), Ok(Trust::Anyone));
        assert_eq!(Trust::new(Some("a".into()), false), Ok(Trust::File("a".into())));
        assert!(Trust::new(Some("a".into()), true).is_err());
        assert_eq!(Trust::of_notifier(Some(Path::new("/a")), false), Ok(Trust::File("/a".into())));
        assert!(Trust::of_notifier(Some(Path::new("a")), false).is_err());
    }
}
