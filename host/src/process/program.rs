//! Which file a program's name means, and why one could not be started.

use super::{Environment, OWN_BINARY, SpawnError};
use rustix::fs::{Access, access};
use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The shell's exit code for a program that is not there.
const NOT_FOUND: i32 = 127;
/// The shell's exit code for a program that is there and cannot be executed.
const NOT_EXECUTABLE: i32 = 126;

/// Where programs are looked for without a PATH.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// The file to execute: the name itself if it has a slash (relative to `directory`), else what PATH says, absolute if
/// `directory` is.
pub(super) fn resolve(name: &OsStr, path: Option<&OsStr>, directory: &Path) -> Result<PathBuf, SpawnError> {
    if name.as_bytes().contains(&b'/') {
        return Ok(if name.as_bytes()[0] == b'-' { Path::new(".").join(name) } else { PathBuf::from(name) });
    }
    let mut seen = None;
    if !name.is_empty() {
        for folder in path.unwrap_or(OsStr::new(DEFAULT_PATH)).as_bytes().split(|&byte| byte == b':') {
            let file = directory.join(OsStr::from_bytes(folder)).join(name);
            match fs::metadata(&file) {
                Ok(found) if found.is_file() && access(&file, Access::EXEC_OK).is_ok() => return Ok(file),
                Ok(found) if found.is_file() => seen = Some(file),
                Ok(_) | Err(_) => {}
            }
        }
    }
    Err(unusable_directory(directory).unwrap_or_else(|| match seen {
        Some(file) => refused(&file, "permission denied"),
        None => SpawnError { reason: format!("command {name:?}: not found in PATH"), code: Some(NOT_FOUND) },
    }))
}

/// Whether there is such a program, and the host may execute it.
pub fn is_executable(program: impl AsRef<OsStr>, environment: &Environment, directory: &Path) -> bool {
    resolve(program.as_ref(), environment.value("PATH"), directory)
        .is_ok_and(|file| executable(&directory.join(file)).is_ok())
}

/// What execve(2) would say of this file before it reads it.
pub(super) fn executable(file: &Path) -> io::Result<()> {
    if !fs::metadata(file)?.is_file() {
        return Err(io::Error::from_raw_os_error(libc::EACCES));
    }
    Ok(access(file, Access::EXEC_OK)?)
}

/// Why the system did not start `program` in `directory`: it reports every reason by one number, and so the answer is
/// looked for afterwards.
pub(super) fn explain(error: &io::Error, program: &Path, directory: &Path) -> SpawnError {
    if let Some(directory) = unusable_directory(directory) {
        return directory;
    }
    let file = directory.join(program);
    match error.raw_os_error().unwrap_or(0) {
        libc::ENOENT if fs::metadata(&file).is_ok() => {
            refused(program, &format!("its interpreter {} was not found", interpreter(&file)))
        }
        code @ (libc::ENOENT | libc::ENOTDIR | libc::ELOOP | libc::ENAMETOOLONG) => {
            failed(program, &words(code), Some(NOT_FOUND))
        }
        libc::EACCES if file.is_dir() => refused(program, "is a directory"),
        code @ (libc::EAGAIN | libc::ENOMEM | libc::EMFILE | libc::ENFILE) => {
            failed(program, &format!("the system cannot start a process: {}", words(code)), None)
        }
        0 => refused(program, &describe(error)),
        code => refused(program, &words(code)),
    }
}

/// Whether a file that the system does not know how to execute may be a script for the shell; otherwise why not.
pub(super) fn shell_script(program: &Path, directory: &Path) -> Result<(), SpawnError> {
    let mut start = Vec::new();
    let read =
        fs::File::open(directory.join(program)).and_then(|file| file.take(256).read_to_end(&mut start));
    // A script that cannot be read is the shell's to complain of.
    let first_line = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
    if read.is_ok() && first_line.contains(&0) {
        return Err(refused(program, "a binary that this machine cannot execute"));
    }
    Ok(())
}

/// Why the working directory cannot be used, if it cannot.
fn unusable_directory(directory: &Path) -> Option<SpawnError> {
    let reason = match fs::metadata(directory) {
        Err(error) => describe(&error),
        Ok(found) if !found.is_dir() => words(libc::ENOTDIR),
        Ok(_) => words(access(directory, Access::EXEC_OK).err()?.raw_os_error()),
    };
    Some(SpawnError { reason: format!("working directory {directory:?}: {reason}"), code: None })
}

fn refused(program: &Path, reason: &str) -> SpawnError {
    failed(program, reason, Some(NOT_EXECUTABLE))
}

/// The host's own binary is nobody's command, and its task not to blame for it.
fn failed(program: &Path, reason: &str, code: Option<i32>) -> SpawnError {
    if program == Path::new(OWN_BINARY) {
        return SpawnError { reason: format!("the host's own binary: {reason}"), code: None };
    }
    SpawnError { reason: format!("command {program:?}: {reason}"), code }
}

/// What the first line of a script names, or the loader of a binary.
fn interpreter(file: &Path) -> Cow<'static, str> {
    let mut start = Vec::new();
    let read = fs::File::open(file).and_then(|file| file.take(256).read_to_end(&mut start));
    let line = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
    match line.strip_prefix(b"#!").map(|rest| rest.trim_ascii().split(|&b| b == b' ' || b == b'\t').next()) {
        Some(Some(word)) if read.is_ok() => format!("{:?}", OsStr::from_bytes(word)).into(),
        Some(_) | None => "or loader".into(),
    }
}

fn words(code: i32) -> String {
    describe(&io::Error::from_raw_os_error(code))
}

/// An error as the end of a line: `no such file or directory`, in lower case and without its number.
pub fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" (os error").map_or(text.as_str(), |(words, _)| words);
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
