//! Proof that a body comes from somebody who knows the secret.

use ring::hmac::{HMAC_SHA256, Key, sign};
use std::fmt::Write;

/// The header that carries it.
pub(crate) const HEADER: &str = "X-Bansuri-Signature";

/// `sha256=` and the HMAC-SHA256 of the body in hexadecimal digits.
pub(crate) fn signature(secret: &str, body: &[u8]) -> String {
    let tag = sign(&Key::new(HMAC_SHA256, secret.as_bytes()), body);
    let mut text = String::from("sha256=");
    for byte in tag.as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn as_the_standard_has_it() {
        assert_eq!(
            signature("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
