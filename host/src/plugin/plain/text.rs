//! Texts across the plain boundary.

use super::raw::Text;
use std::borrow::Cow;
use std::ffi::{CStr, CString};

/// A text for plugins, which ends with a NUL: one inside becomes U+FFFD.
pub(super) fn given(text: impl AsRef<[u8]>) -> CString {
    let text = text.as_ref();
    CString::new(text).unwrap_or_else(|_| {
        let parts: Vec<_> = text.split(|byte| *byte == 0).collect();
        CString::new(parts.join("\u{fffd}".as_bytes())).expect("what was split at its NULs has none")
    })
}

/// A text of a plugin's; what is not UTF-8 becomes U+FFFD.
///
/// # Safety
/// `text` is NULL, or ends with a NUL and stays as it is for `'a`.
pub(super) unsafe fn taken<'a>(text: Text) -> Cow<'a, str> {
    if text.is_null() {
        return Cow::Borrowed("");
    }
    // SAFETY: not NULL, and the rest is the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_string_lossy()
}

/// A text of a plugin's that must be UTF-8; `None` for NULL.
///
/// # Safety
/// As for [`taken`].
pub(super) unsafe fn exact<'a>(text: Text) -> Result<Option<&'a str>, NotUtf8> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: not NULL, and the rest is the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_str().map(Some).map_err(|_| NotUtf8)
}

/// A text is not UTF-8.
#[derive(Debug)]
pub(super) struct NotUtf8;

#[cfg(test)]
mod tests {
    use super::{exact, given, taken};
    use std::ptr;

    #[test]
    fn a_nul_inside_is_replaced() {
        assert_eq!(given("plain"), c"plain".to_owned());
        assert_eq!(given("a\0b\0").to_str(), Ok("a\u{fffd}b\u{fffd}"));
        assert_eq!(given(b"\xff/\0").as_bytes(), b"\xff/\xef\xbf\xbd");
    }

    #[test]
    fn what_a_plugin_gives_may_be_anything() {
        // SAFETY: literals and NULL.
        unsafe {
            assert_eq!(taken(ptr::null()), "");
            assert_eq!(taken(c"a\xff".as_ptr()), "a\u{fffd}");
            assert_eq!(exact(ptr::null()).unwrap(), None);
            assert_eq!(exact(c"a".as_ptr()).unwrap(), Some("a"));
            assert!(exact(c"a\xff".as_ptr()).is_err());
        }
    }
}
