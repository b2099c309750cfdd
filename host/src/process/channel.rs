//! A stream between the host and a process of its own binary, on which a descriptor may be sent along.

use super::retrying;
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use std::io::{self, IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// Both ends. They block and are closed on exec.
///
/// # Errors
/// EMFILE and ENFILE.
pub fn channel() -> io::Result<(UnixStream, UnixStream)> {
    retrying(UnixStream::pair)
}

/// Sends all of the bytes, which are not none, and a descriptor with the first of them. Blocks until the other side has
/// made room.
///
/// # Errors
/// EPIPE: nobody reads any more.
pub fn send_with(stream: &UnixStream, bytes: &[u8], descriptor: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if let Some(descriptor) = &descriptor {
        let fits = ancillary.push(SendAncillaryMessage::ScmRights(std::slice::from_ref(descriptor)));
        debug_assert!(fits, "there is room for one");
    }
    let sent = loop {
        match sendmsg(stream, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::NOSIGNAL) {
            Err(Errno::INTR) => {}
            result => break result?,
        }
    };
    (&*stream).write_all(&bytes[sent..])
}

/// Receives some bytes, and the descriptor that was sent with them. Blocks until there are some; no bytes are the end.
///
/// # Errors
/// What the system says.
pub fn receive_with(stream: &UnixStream, buffer: &mut [u8]) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        let slices = &mut [IoSliceMut::new(buffer)];
        match recvmsg(stream, slices, &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
            Err(Errno::INTR) => {}
            result => break result?,
        }
    };
    let descriptor = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    Ok((received.bytes, descriptor))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Read;
    use std::os::fd::AsFd;

    #[test]
    fn a_descriptor_comes_with_the_first_byte_of_many() {
        let (here, there) = channel().unwrap();
        let (read, write) = super::super::pipe().unwrap();
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
        let sent = bytes.clone();
        let sender = std::thread::spawn(move || send_with(&here, &sent, Some(write.as_fd())).unwrap());
        let mut received = vec![0; 10];
        let (count, descriptor) = receive_with(&there, &mut received).unwrap();
        received.truncate(count);
        (&there).read_to_end(&mut received).unwrap();
        sender.join().unwrap();
        assert!(received == bytes);
        File::from(descriptor.unwrap()).write_all(b"through").unwrap();
        let mut text = String::new();
        File::from(read).read_to_string(&mut text).unwrap();
        assert_eq!(text, "through");
        assert_eq!(receive_with(&there, &mut [0; 8]).unwrap().0, 0, "the end");
    }
}
