//! The SHA-256 of a file.

use sha2::{Digest as _, Sha256};
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// A SHA-256, by which the content of a library can be pinned.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Of a whole file, wherever it was read to.
    pub(super) fn of(file: &File) -> io::Result<Self> {
        let (mut hash, mut at) = (Sha256::new(), 0);
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read_at(&mut buffer, at) {
                Ok(0) => return Ok(Self(hash.finalize().into())),
                Ok(length) => {
                    hash.update(&buffer[..length]);
                    at += length as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// 64 hexadecimal digits, as `sha256sum` writes them.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn it_is_what_sha256sum_says() {
        let mut file = tempfile::tempfile().unwrap();
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(&file).unwrap().to_string(), empty);
        file.write_all(b"abc").unwrap();
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of(&file).unwrap().to_string(), abc);
        file.write_all(&[b'a'; 200_000]).unwrap();
        assert_ne!(Digest::of(&file).unwrap().to_string(), abc);
    }
}
