//! From a file to a [`Library`].

use super::error::LoadProblem;
use super::layout;
use super::library::Library;
use super::plain;
use crate::process::describe;
use bansuri_plugin_api::abi::PluginModule_Ref;
use bansuri_plugin_api::abi::abi_stable::library::{
    LibHeader, LibraryError, RawLibrary, RootModule, lib_header_from_raw_library,
};
use std::error::Error;
use std::fs::File;
use std::mem::ManuallyDrop;
use std::path::Path;

/// Loads this file, known as the library of `path`, for good: what it made may be in use anywhere until the process ends.
/// Both are absolute. The file is whole, and never changes.
///
/// Runs the library's initializers. A library that crashes in them takes the process with it.
pub(super) fn load(file: &Path, path: &Path) -> Result<Library, LoadProblem> {
    load_if(file, path, layout::check)
}

/// The same for a file that this very binary has loaded in another process: that its layout fits is known, and is half of
/// what loading takes.
pub(super) fn load_again(file: &Path, path: &Path) -> Result<Library, LoadProblem> {
    load_if(file, path, |_| Ok(()))
}

fn load_if(
    file: &Path,
    path: &Path,
    check: impl FnOnce(&'static LibHeader) -> Result<(), LoadProblem>,
) -> Result<Library, LoadProblem> {
    open_whole(file)?;
    let raw = RawLibrary::load_at(file).map_err(|error| problem(file, error))?;
    // From here on references into the library exist.
    let raw = ManuallyDrop::new(raw);
    // SAFETY: the library is never unloaded, so what the header refers to stays.
    let header = match unsafe { lib_header_from_raw_library(&raw) } {
        Ok(header) => header,
        Err(LibraryError::GetSymbolError { .. }) => {
            return match plain::find(&raw) {
                Some(exports) => Ok(Library::plain(path.to_owned(), exports?)),
                None => Err(LoadProblem::NoRootModule),
            };
        }
        Err(error) => return Err(problem(file, error)),
    };
    check(header)?;
    let module = root_module(header)?;
    Ok(Library::new(path.to_owned(), version(header), module))
}

/// The version of plugin-api a library was built with.
pub(super) fn version(header: &LibHeader) -> String {
    header.version_strings().version.to_string()
}

/// Whether an open file is a whole library, as far as that can be seen without loading it.
#[cfg(all(unix, not(target_vendor = "apple")))]
pub(super) fn check_format(file: &File) -> Result<(), LoadProblem> {
    let length = file.metadata().map_err(|error| LoadProblem::Unreadable(describe(&error)))?.len();
    super::elf::check(file, length)
}

/// The system's loader says by itself what is wrong.
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
pub(super) fn check_format(_file: &File) -> Result<(), LoadProblem> {
    Ok(())
}

/// Has every symbol bound now: a missing function that is bound at its first call ends the process there.
#[cfg(unix)]
fn open_whole(path: &Path) -> Result<(), LoadProblem> {
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
    // SAFETY: initializers of the library run, which is what the user asked for by naming it as a plugin.
    match unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) } {
        Ok(library) => {
            // Not unloaded even if it turns out to be no plugin: its initializers may have left references to it.
            std::mem::forget(library);
            Ok(())
        }
        Err(error) => Err(LoadProblem::Refused(loader_words(path, &error))),
    }
}

/// Windows binds everything when it loads.
#[cfg(not(unix))]
fn open_whole(_path: &Path) -> Result<(), LoadProblem> {
    Ok(())
}

/// The loader's own words, without the path that is said already.
fn loader_words(path: &Path, error: &libloading::Error) -> String {
    let text = match error.source() {
        Some(source) => source.to_string(),
        None => error.to_string(),
    };
    let text = text.trim_start_matches(&*path.to_string_lossy()).trim_start_matches(": ");
    text.lines().collect::<Vec<_>>().join("; ")
}

fn root_module(header: &'static LibHeader) -> Result<PluginModule_Ref, LoadProblem> {
    // SAFETY: the layout of the module was checked, in one direction or the other; fields that an older library lacks
    // are known to be missing by the accessors of a prefix type.
    let module = unsafe { header.unchecked_layout::<PluginModule_Ref>() };
    module.map_err(|error| LoadProblem::Root(error.to_string().lines().collect::<Vec<_>>().join("; ")))
}

fn problem(path: &Path, error: LibraryError) -> LoadProblem {
    match error {
        LibraryError::OpenError { err, .. } => LoadProblem::Refused(loader_words(path, &err)),
        LibraryError::InvalidAbiHeader(found) => {
            let host = PluginModule_Ref::VERSION_STRINGS.version;
            LoadProblem::ForeignAbi(format!(
                "built with abi_stable {}.{}, which plugin-api {host} of this host does not use",
                found.abi_major, found.abi_minor
            ))
        }
        other => LoadProblem::ForeignAbi(other.to_string().lines().collect::<Vec<_>>().join("; ")),
    }
}
