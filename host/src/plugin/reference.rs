//! `LIBRARY[:Type]`: from words to a file.

use super::error::PluginError;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Component, Path, PathBuf, is_separator};

/// Where bare names are looked for after the configuration's own `plugins.search-paths`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SearchPath(Vec<PathBuf>);

impl SearchPath {
    /// These folders, in this order.
    pub fn new(folders: Vec<PathBuf>) -> Self {
        Self(folders)
    }

    /// The folders of `BANSURI_PLUGIN_PATH`, then the folder of this program.
    pub fn of_process() -> Self {
        let variable = std::env::var_os("BANSURI_PLUGIN_PATH").unwrap_or_default();
        let mut folders: Vec<_> =
            std::env::split_paths(&variable).filter(|path| !path.as_os_str().is_empty()).collect();
        // A program that cannot tell where it lies has no such folder.
        folders.extend(std::env::current_exe().ok().and_then(|program| Some(program.parent()?.to_owned())));
        Self(folders)
    }

    /// `configured` and these, absolute if `folder` is, each once.
    pub(super) fn folders(&self, folder: &Path, configured: &[PathBuf]) -> Vec<PathBuf> {
        let mut folders = Vec::new();
        for path in configured.iter().chain(&self.0) {
            add(&mut folders, &folder.join(path));
        }
        folders
    }
}

fn add(folders: &mut Vec<PathBuf>, path: &Path) {
    let path = without_dots(path);
    if !folders.contains(&path) {
        folders.push(path);
    }
}

/// A reference, taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Reference<'a> {
    /// A path or a bare name.
    pub(super) library: &'a str,
    /// `None`: the only one.
    pub(super) type_name: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// The type is what follows the last colon, unless that cannot be the name of a type (`C:\plugins\x.dll`).
    pub(super) fn parse(text: &'a str) -> Result<Self, PluginError> {
        let parsed = match text.rsplit_once(':') {
            Some((library, name)) if !name.contains(is_separator) => Self { library, type_name: Some(name) },
            Some(_) | None => Self { library: text, type_name: None },
        };
        if parsed.library.is_empty() || parsed.type_name.is_some_and(|name| !is_identifier(name)) {
            return Err(PluginError::Reference { reference: text.to_owned() });
        }
        Ok(parsed)
    }

    /// The file that is meant, absolute if `folder` is. A path is not looked at, a bare name is looked for.
    pub(super) fn file(
        &self,
        folder: &Path,
        configured: &[PathBuf],
        further: &SearchPath,
    ) -> Result<PathBuf, PluginError> {
        if self.library.contains(is_separator) {
            return Ok(without_dots(&folder.join(self.library)));
        }
        let whole = self.library.ends_with(DLL_SUFFIX);
        let files = if whole { vec![self.library.to_owned()] } else { file_names(self.library) };
        let mut folders: Vec<PathBuf> = Vec::new();
        // A name with the platform's ending may be meant as a path beside the configuration file.
        if whole {
            add(&mut folders, folder);
        }
        for path in further.folders(folder, configured) {
            add(&mut folders, &path);
        }
        let paths = folders.iter().flat_map(|folder| files.iter().map(move |file| folder.join(file)));
        match paths.into_iter().find(|path| path.exists()) {
            Some(path) => Ok(path),
            None => Err(PluginError::NotFound { name: self.library.to_owned(), files, folders }),
        }
    }
}

/// What cargo makes of a crate's name first, then the name as it is.
pub(super) fn file_names(name: &str) -> Vec<String> {
    let mut files = vec![format!("{DLL_PREFIX}{}{DLL_SUFFIX}", name.replace('-', "_"))];
    if name.contains('-') {
        files.push(format!("{DLL_PREFIX}{name}{DLL_SUFFIX}"));
    }
    files
}

/// Whether a type can have this name.
pub(super) fn is_identifier(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && characters.all(|rest| rest.is_alphanumeric() || rest == '_')
}

/// Without `.`, which says nothing; `..` stays, since what it means depends on links.
fn without_dots(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<(&str, Option<&str>)> {
        Reference::parse(text).ok().map(|reference| (reference.library, reference.type_name))
    }

    #[test]
    fn a_type_follows_the_last_colon() {
        assert_eq!(parse("http-check"), Some(("http-check", None)));
        assert_eq!(parse("http-check:Probe"), Some(("http-check", Some("Probe"))));
        assert_eq!(parse("./a:b/lib.so"), Some(("./a:b/lib.so", None)));
        assert_eq!(parse("./a:b/lib.so:Probe_2"), Some(("./a:b/lib.so", Some("Probe_2"))));
        for wrong in ["", ":Probe", "lib:", "lib:2", "lib:a-b", "lib: Probe"] {
            assert_eq!(parse(wrong), None, "{wrong:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_bare_name_gets_the_platforms_prefix_and_ending() {
        let home = tempfile::tempdir().unwrap();
        let (first, second) = (home.path().join("first"), home.path().join("second"));
        for folder in [&first, &second] {
            std::fs::create_dir(folder).unwrap();
        }
        std::fs::write(second.join("libmy_plugin.so"), "").unwrap();
        let find = |name: &str, configured: &[PathBuf]| {
            let reference = Reference::parse(name).unwrap();
            reference.file(home.path(), configured, &SearchPath::new(vec![second.clone()]))
        };
        assert_eq!(find("my-plugin", &["./first".into()]), Ok(second.join("libmy_plugin.so")));
        std::fs::write(first.join("libmy-plugin.so"), "").unwrap();
        assert_eq!(find("my-plugin:Type", &["first".into()]), Ok(first.join("libmy-plugin.so")));
        assert_eq!(find("libmy_plugin.so", &[]), Ok(second.join("libmy_plugin.so")));
        std::fs::write(home.path().join("libmy_plugin.so"), "").unwrap();
        assert_eq!(find("libmy_plugin.so", &[]), Ok(home.path().join("libmy_plugin.so")));
        assert_eq!(find("./sub/x.so", &[]), Ok(home.path().join("sub/x.so")));
        assert_eq!(find("/sub/x.so", &[]), Ok("/sub/x.so".into()));

        let error = find("other-one", &["first".into()]).unwrap_err().to_string();
        let expected = format!(
            "library \"other-one\": not found; looked for libother_one.so and libother-one.so in {first:?}, {second:?}"
        );
        assert_eq!(error, expected);
    }
}
