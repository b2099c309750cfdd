//! The buffer in which a plugin says why a call failed.

use super::raw;
use crate::plugin::error::PluginFault;
use crate::plugin::instance::one_line;
use std::ffi::c_char;

/// What a plugin can count on is 256 bytes; this leaves room for paths.
const CAPACITY: usize = 4096;

/// The buffer for one call.
pub(super) struct ErrorBuffer {
    message: [u8; CAPACITY],
}

impl ErrorBuffer {
    /// Calls a plugin's function with an empty buffer; the result is that function's and what it wrote.
    pub(super) fn call<R>(body: impl FnOnce(*mut raw::Error) -> R) -> (R, Self) {
        let mut buffer = Self { message: [0; CAPACITY] };
        let mut error = raw::Error {
            size: size_of::<raw::Error>(),
            message: buffer.message.as_mut_ptr().cast::<c_char>(),
            capacity: CAPACITY,
        };
        let result = body(&raw mut error);
        (result, buffer)
    }

    /// The fault of a call that failed; `call` names it where the plugin said nothing.
    pub(super) fn fault(&self, call: &str) -> PluginFault {
        let end = self.message.iter().position(|byte| *byte == 0).unwrap_or(CAPACITY);
        let message = one_line(&String::from_utf8_lossy(&self.message[..end]));
        PluginFault::Error(if message.is_empty() {
            format!("{call} failed and did not say why")
        } else {
            message
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{CAPACITY, ErrorBuffer};

    fn said(bytes: &[u8]) -> String {
        let ((), buffer) = ErrorBuffer::call(|error| {
            // SAFETY: the buffer is as large as it says, and the bytes are no more.
            unsafe {
                assert!(bytes.len() <= (*error).capacity);
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), (*error).message.cast(), bytes.len());
            }
        });
        buffer.fault("run").message().to_owned()
    }

    #[test]
    fn a_fault_is_one_line_of_what_was_written() {
        assert_eq!(said(b"disk full\0rest"), "disk full");
        assert_eq!(said(b"first\n  second\n"), "first; second");
        assert_eq!(said(b"\xff"), "\u{fffd}");
        assert_eq!(said(b""), "run failed and did not say why");
        assert_eq!(said(&[b'x'; CAPACITY]).len(), CAPACITY);
    }
}
