//! The host's end of the stream to a child.

use super::super::error::PluginFault;
use super::assignment::Assignment;
use super::frame::{Frames, framed};
use super::report::Report;
use crate::process;
use rustix::io::{Errno, ioctl_fionread};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::io::{self, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// What is read at a time, so that a child that says much holds nobody up.
const READING: usize = 4 * 1024;

/// What a child says, until it has ended. Its records come out in the host's log as they are heard.
#[derive(Debug)]
pub struct Conversation {
    stream: Arc<UnixStream>,
    /// Under which its records are logged.
    name: Arc<str>,
    frames: Frames,
    said: Option<Result<i32, PluginFault>>,
    /// The child ended with something unread.
    missed: bool,
    ended: bool,
}

/// What is known of the work of a child that has exited.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LastWord {
    /// It has said how that ended.
    Said(Result<i32, PluginFault>),
    /// It has not.
    Unsaid,
    /// It has not even heard what it was to do.
    Unheard,
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
        let (frames, said, missed, ended) = (Frames::default(), None, false, false);
        Ok((Self { stream, name, frames, said, missed, ended }, there.into()))
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
            Err(error) => {
                self.missed = error == Errno::CONNRESET;
                return self.end();
            }
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

    /// Hears out a child that has exited. Never blocks: what a copy of it says later is of no interest.
    pub fn finish(mut self) -> LastWord {
        let all = if self.ended { 0 } else { ioctl_fionread(&self.stream).unwrap_or(0) };
        let mut left = usize::try_from(all).unwrap_or(usize::MAX);
        // Once more when that is read: then comes the end.
        while let Heard::Something(count) = self.hear()
            && left > 0
        {
            left = left.saturating_sub(count);
        }
        match self.said {
            Some(said) => LastWord::Said(said),
            None if self.missed => LastWord::Unheard,
            None => LastWord::Unsaid,
        }
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
        assert_eq!(conversation.finish(), LastWord::Said(Ok(3)));
    }

    #[test]
    fn the_last_words_of_a_child_are_heard_however_much_the_system_keeps() {
        let (conversation, mut child) = conversation();
        // As much as anybody may ask for.
        rustix::net::sockopt::set_socket_send_buffer_size(&child, 1 << 30).unwrap();
        child.set_nonblocking(true).unwrap();
        let record = Report::Log { level: log::Level::Info, text: "x".repeat(16 * 1024) };
        let record = framed(&record.encode()).unwrap();
        let mut room = rustix::net::sockopt::socket_send_buffer_size(&child).unwrap() / 4 * 3;
        while room > 4 * record.len() {
            child.write_all(&record).unwrap();
            room -= record.len();
        }
        say(&mut child, &Report::Ended(Ok(3)));
        drop(child);
        assert_eq!(conversation.finish(), LastWord::Said(Ok(3)));
    }

    #[test]
    fn a_copy_of_a_child_that_goes_on_holds_nobody_up() {
        let (conversation, mut child) = conversation();
        say(&mut child, &Report::Ended(Ok(3)));
        let _copy = child.try_clone().unwrap();
        drop(child);
        assert_eq!(conversation.finish(), LastWord::Said(Ok(3)));
        let (conversation, mut child) = self::conversation();
        say(&mut child, &Report::Log { level: log::Level::Info, text: "x".to_owned() });
        assert_eq!(conversation.finish(), LastWord::Unsaid);
    }

    #[test]
    fn a_child_that_has_not_heard_its_assignment_is_told_from_one_that_says_nothing() {
        let (conversation, child) = conversation();
        conversation.speaker().assign(&Assignment::Refused("no".to_owned()));
        drop(child);
        assert_eq!(conversation.finish(), LastWord::Unheard);
    }

    #[test]
    fn a_child_that_says_nothing_or_nonsense_has_said_nothing() {
        let (conversation, child) = conversation();
        drop(child);
        assert_eq!(conversation.finish(), LastWord::Unsaid);
        let (mut conversation, mut child) = self::conversation();
        child.write_all(&[0xff; 10_000]).unwrap();
        assert_eq!(conversation.hear(), Heard::End);
        let said = framed(&Report::Ended(Ok(0)).encode()).unwrap();
        assert!(child.write_all(&said).is_err(), "nobody listens, and so nobody waits");
        assert_eq!(conversation.finish(), LastWord::Unsaid);
    }
}
