//! Paths across the boundary: their bytes on Unix, UTF-8 elsewhere.

use std::path::Path;

/// The bytes of a path. Elsewhere than on Unix, what is not Unicode is replaced.
#[cfg(unix)]
pub fn to_bytes(path: &Path) -> std::borrow::Cow<'_, [u8]> {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes().into()
}

/// The bytes of a path. Elsewhere than on Unix, what is not Unicode is replaced.
#[cfg(not(unix))]
pub fn to_bytes(path: &Path) -> std::borrow::Cow<'_, [u8]> {
    match path.to_string_lossy() {
        std::borrow::Cow::Borrowed(text) => text.as_bytes().into(),
        std::borrow::Cow::Owned(text) => text.into_bytes().into(),
    }
}

/// The path of these bytes; empty where they are none.
#[cfg(unix)]
pub fn from_bytes(bytes: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

/// The path of these bytes; empty where they are none.
#[cfg(not(unix))]
pub fn from_bytes(bytes: &[u8]) -> &Path {
    Path::new(std::str::from_utf8(bytes).unwrap_or_default())
}
