//! The host's end of the stream to a child.

use super::super::error::PluginFault;
use super::assignment::Assignment;
use super::frame::{Frames, framed};
use super::report::Report;
use crate::process;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::io::{self, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// What is read at a time, so that a child that says much holds nobody up.
const READING: usize = 4 * 1024;

/// So much is read of what a child that has ended said at last; it is more than the system keeps of one that says it in
/// many pieces.
const LAST_WORDS: usize = 256 * 1024;

/// What a child says, until it has ended. Its records come out in the host's log as they are heard.
#[derive(Debug)]
pub struct Conversation {
    stream: Arc<UnixStream>,
    /// Under which its records are logged.
    name: Arc<str>,
    frames: Frames,
    said: Option<Result<i32, PluginFault>>,
    ended: bool,
}

/// What there was to hear.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    /// So many bytes; there may be more.
    Something(usize),
    /// Nothing now.
    Nothing,
    /// The child says no more.
    End,
}

/// Speaks to a child. A clone speaks to the same.
#[derive(Clone, Debug)]
pub struct Speaker {
    stream: Arc<UnixStream>,
}

impl Conversation {
    /// With a child that logs under this name, and the child's end.
    ///
    /// # Errors
    /// The system is out of descriptors.
    pub fn open(name: Arc<str>) -> io::Result<(Self, OwnedFd)> {
        let (here, there) = process::channel()?;
        let stream = Arc::new(here);
        Ok((Self { stream, name, frames: Frames::default(), said: None, ended: false }, there.into()))
    }

    /// The stream, to be watched: it is readable when there is something to hear.
    pub fn stream(&self) -> Arc<UnixStream> {
        Arc::clone(&self.stream)
    }

    /// Who speaks to the child.
    pub fn speaker(&self) -> Speaker {
        Speaker { stream: self.stream() }
    }

    /// Listens for a moment. Never blocks.
    pub fn hear(&mut self) -> Heard {
        if self.ended {
            return Heard::End;
        }
        let mut buffer = [0; READING];
        let count = match recv(&self.stream, &mut buffer, RecvFlags::DONTWAIT) {
            Ok((0, _)) => return self.end(),
            Ok((count, _)) => count,
            Err(Errno::AGAIN | Errno::INTR) => return Heard::Nothing,
            // The child ended with something unread.
            Err(_) => return self.end(),
        };
        self.frames.push(&buffer[..count]);
        loop {
            let report = match self.frames.next() {
                Ok(Some(message)) => Report::decode(message),
                Ok(None) => return Heard::Something(count),
                Err(_) => None,
            };
            match report {
                Some(Report::Log { level, text }) => {
                    for line in text.lines() {
                        log::log!(target: &self.name, level, "{line}");
                    }
                }
                Some(Report::Ended(result)) => {
                    self.said = Some(result);
                    return self.end();
                }
                None => {
                    log::warn!(target: &self.name, "its process writes what is none of its words to its host: it is not heard any more");
                    // Else it would wait for ever for somebody to listen.
                    let _ = self.stream.shutdown(Shutdown::Read);
                    return self.end();
                }
            }
        }
    }

    /// How the work of a child that has exited ended, if it said so.
    pub fn finish(mut self) -> Option<Result<i32, PluginFault>> {
        let mut left = LAST_WORDS;
        while let Heard::Something(count) = self.hear() {
            left = left.saturating_sub(count);
            if left == 0 {
                break;
            }
        }
        self.said
    }

    fn end(&mut self) -> Heard {
        self.ended = true;
        Heard::End
    }
}

impl Speaker {
    /// Says with which library the child works, by descriptor, if it is to be so. The first thing that is said; takes no
    /// time.
    pub fn hand_over(&self, library: Option<BorrowedFd<'_>>) {
        // A child that is gone has no use for it.
        let _ = process::send_with(&self.stream, &[0], library);
    }

    /// Says what the child is to do. Blocks until the child has heard most of it.
    pub fn assign(&self, assignment: &Assignment) {
        // A child that is told nothing says so.
        self.say(&Self::words(assignment).unwrap_or_default());
    }

    /// Says these words, of [`Speaker::words`], or what is left of them. Blocks until the child has heard most of them.
    pub fn say(&self, words: &[u8]) {
        // A child that is gone has no use for them.
        let _ = (&*self.stream).write_all(words);
    }

    /// Says as much of these words as the stream takes at once: so many bytes. Never blocks.
    pub fn begin(&self, words: &[u8]) -> usize {
        send(&self.stream, words, SendFlags::DONTWAIT | SendFlags::NOSIGNAL).unwrap_or(0)
    }

    /// What [`Speaker::assign`] says, for who does not block. `None`: it is longer than any child can hear.
    pub fn words(assignment: &Assignment) -> Option<Vec<u8>> {
        framed(&assignment.encode())
    }

    /// The same stream, by a descriptor of its own.
    ///
    /// # Errors
    /// The system is out of descriptors.
    pub fn descriptor(&self) -> io::Result<OwnedFd> {
        self.stream.as_fd().try_clone_to_owned()
    }

    /// Says nothing any more, by which the child is asked to stop. Never blocks.
    pub fn hang_up(&self) {
        // It fails only where the child is gone.
        let _ = self.stream.shutdown(Shutdown::Write);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation() -> (Conversation, UnixStream) {
        let (conversation, end) = Conversation::open("task".into()).unwrap();
        (conversation, end.into())
    }

    fn say(child: &mut UnixStream, report: &Report) {
        child.write_all(&framed(&report.encode()).unwrap()).unwrap();
    }

    #[test]
    fn the_last_words_of_a_child_are_heard_after_its_end() {
        let (mut conversation, mut child) = conversation();
        assert_eq!(conversation.hear(), Heard::Nothing);
        let record = Report::Log { level: log::Level::Info, text: "x".repeat(3000) };
        for _ in 0..20 {
            say(&mut child, &record);
        }
        say(&mut child, &Report::Ended(Ok(3)));
        drop(child);
        assert!(matches!(conversation.hear(), Heard::Something(_)));
        assert_eq!(conversation.finish(), Some(Ok(3)));
    }

    #[test]
    fn a_child_that_says_nothing_or_nonsense_has_said_nothing() {
        let (conversation, child) = conversation();
        drop(child);
        assert_eq!(conversation.finish(), None);
        let (mut conversation, mut child) = self::conversation();
        child.write_all(&[0xff; 10_000]).unwrap();
        assert_eq!(conversation.hear(), Heard::End);
        let said = framed(&Report::Ended(Ok(0)).encode()).unwrap();
        assert!(child.write_all(&said).is_err(), "nobody listens, and so nobody waits");
        assert_eq!(conversation.finish(), None);
    }
}
