//! Descriptors for children: pipes, and the empty device.

use super::inherited;
use rustix::fs::{Mode, OFlags};
use rustix::io::FdFlags;
use rustix::pipe::PipeFlags;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::OnceLock;

/// Opens something, and once more if it failed only because a spawn on another thread had the limit of open files
/// lowered at that moment.
///
/// # Errors
/// What `open` says.
pub fn retrying<T>(mut open: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    match open() {
        Err(error) if error.raw_os_error() == Some(libc::EMFILE) => {
            inherited::after_window(open).unwrap_or(Err(error))
        }
        result => result,
    }
}

/// A pipe: the end to read from, the end to write to. Both block and are closed on exec.
///
/// # Errors
/// EMFILE and ENFILE.
pub fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    retrying(|| Ok(rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?))
}

/// A descriptor that the host gave to this process; what this process executes is not to have it. To be called once for a
/// number, before anything else could have opened it. `None`: it is not open.
pub fn handed_down(number: RawFd) -> Option<OwnedFd> {
    // SAFETY: only its flags are set here; that it is open is what the call finds out.
    let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
    rustix::io::fcntl_setfd(descriptor, FdFlags::CLOEXEC).ok()?;
    // SAFETY: it is open, and nothing else in this process, which has just begun, knows of it.
    Some(unsafe { OwnedFd::from_raw_fd(number) })
}

/// `/dev/null`, opened once and kept: nobody can change what all share of it.
pub(super) fn null() -> io::Result<BorrowedFd<'static>> {
    static NULL: OnceLock<OwnedFd> = OnceLock::new();
    if let Some(null) = NULL.get() {
        return Ok(null.as_fd());
    }
    let opened =
        retrying(|| Ok(rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?))?;
    Ok(NULL.get_or_init(|| opened).as_fd())
}
