//! Which libraries lie where bare names are looked for.

use super::reference::{SearchPath, file_names};
use crate::process::describe;
use std::collections::HashSet;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// What was found in the folders of a search path. No file in them was opened.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Installed {
    /// In the order of the folders, and in a folder of the files' names.
    pub libraries: Vec<InstalledLibrary>,
    /// Folders that are there and cannot be read, with the system's words.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// A file with the platform's ending for libraries. Whether it is a plugin is not known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InstalledLibrary {
    /// The file, absolute.
    pub path: PathBuf,
    /// What a configuration calls it: `http-check` for `libhttp_check.so`, and the file's name where it lacks the
    /// platform's prefix.
    pub name: String,
    /// The file that its name finds before this one; `None`: its name finds this one.
    pub shadowed_by: Option<PathBuf>,
}

impl SearchPath {
    /// The libraries that lie in `configured` and in the folders of this search path, in that order. Relative folders
    /// start from `folder`, which is absolute. Folders that are not there are passed over, as by a look-up of a name.
    pub fn installed(&self, folder: &Path, configured: &[PathBuf]) -> Installed {
        let mut installed = Installed::default();
        let mut seen = HashSet::new();
        for folder in self.folders(folder, configured) {
            // A folder may be named twice, by a link or with `..`.
            if !folder.canonicalize().is_ok_and(|canonical| seen.insert(canonical)) {
                continue;
            }
            match libraries_in(&folder) {
                Ok(found) => found.into_iter().for_each(|path| installed.add(path)),
                Err(error) => installed.unreadable.push((folder, describe(&error))),
            }
        }
        installed
    }
}

impl Installed {
    fn add(&mut self, path: PathBuf) {
        let Some(name) = bare_name(&path) else { return };
        let shadowed_by =
            self.libraries.iter().find(|known| known.name == name && known.shadowed_by.is_none());
        let shadowed_by = shadowed_by.map(|known| known.path.clone());
        self.libraries.push(InstalledLibrary { path, name, shadowed_by });
    }
}

/// The files of a folder that may be libraries. Of two that one name means, the one comes first that it finds.
fn libraries_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.to_str().is_some_and(|path| path.ends_with(DLL_SUFFIX)) && path.is_file() {
            paths.push(path);
        }
    }
    let rank = |path: &Path| {
        let file = path.file_name()?.to_str()?.to_owned();
        file_names(&bare_name(path)?).iter().position(|known| *known == file)
    };
    paths.sort_by_cached_key(|path| (bare_name(path), rank(path)));
    Ok(paths)
}

/// `http-check` for `libhttp_check.so`. `None`: no configuration could write its name.
fn bare_name(path: &Path) -> Option<String> {
    let file = path.file_name()?.to_str()?;
    let stem = file.strip_suffix(DLL_SUFFIX)?.strip_prefix(DLL_PREFIX).filter(|stem| !stem.is_empty());
    Some(stem.map_or_else(|| file.to_owned(), |stem| stem.replace('_', "-")))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_found_in_the_order_in_which_names_find_them() {
        let home = tempfile::tempdir().unwrap();
        let at = |path: &str| home.path().join(path);
        for folder in ["own", "further", "own/libfolder.so"] {
            fs::create_dir(at(folder)).unwrap();
        }
        for file in [
            "own/libb_c.so",
            "own/liba.so",
            "own/notes.txt",
            "own/bare.so",
            "further/libb-c.so",
            "further/libb_c.so",
            "further/libz.so",
        ] {
            fs::write(at(file), "").unwrap();
        }
        std::os::unix::fs::symlink(at("own"), at("again")).unwrap();
        let search_path = SearchPath::new(vec![at("further"), at("missing"), at("own/../further")]);
        let found = search_path.installed(home.path(), &["./own".into(), "again".into()]);
        let library = |path: &str, name: &str, by: Option<&str>| InstalledLibrary {
            path: at(path),
            name: name.to_owned(),
            shadowed_by: by.map(at),
        };
        let expected = [
            library("own/liba.so", "a", None),
            library("own/libb_c.so", "b-c", None),
            library("own/bare.so", "bare.so", None),
            library("further/libb_c.so", "b-c", Some("own/libb_c.so")),
            library("further/libb-c.so", "b-c", Some("own/libb_c.so")),
            library("further/libz.so", "z", None),
        ];
        assert_eq!(found.libraries, expected);
        assert_eq!(found.unreadable, []);
        // Each name that is not shadowed finds its file.
        for library in found.libraries.iter().filter(|library| library.shadowed_by.is_none()) {
            let reference = crate::plugin::reference::Reference::parse(&library.name).unwrap();
            let file = reference.file(home.path(), &["own".into()], &search_path).unwrap();
            assert_eq!(file, library.path);
        }
    }

    #[test]
    fn a_folder_that_is_none_is_told_of() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        let found = SearchPath::default().installed(home.path(), &["file".into()]);
        assert_eq!(found.unreadable, [(file, "not a directory".to_owned())]);
    }
}
