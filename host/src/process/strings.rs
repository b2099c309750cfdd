//! Strings in the shape that C wants.

use std::ffi::{CString, OsStr, OsString};
use std::os::raw::c_char;
use std::os::unix::ffi::OsStrExt;

/// A text that holds a NUL byte cannot be given to a process.
pub(super) struct HoldsNul;

pub(super) fn c_string(text: &OsStr) -> Result<CString, HoldsNul> {
    CString::new(text.as_bytes()).map_err(|_| HoldsNul)
}

/// The arguments of a process, the program's name first. The error is the place of one that holds a NUL byte.
pub(super) fn arguments(program: &OsStr, rest: &[OsString]) -> Result<Vec<CString>, usize> {
    std::iter::once(program)
        .chain(rest.iter().map(OsString::as_os_str))
        .enumerate()
        .map(|(place, text)| c_string(text).map_err(|HoldsNul| place))
        .collect()
}

/// Pointers to the strings and a null at the end. They are good while the strings live and are not moved out.
pub(super) fn pointers<'a>(strings: impl Iterator<Item = &'a CString>) -> Vec<*mut c_char> {
    strings.map(|string| string.as_ptr().cast_mut()).chain(std::iter::once(std::ptr::null_mut())).collect()
}
