//! One process of a notifier: the message goes in, complaints come out, and its group ends in time.

use crate::plugin::{Conversation, Heard};
use crate::process::{Group, Presence, survey};
use bansuri_core::{Exit, Signal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// What is kept of standard error, in bytes.
const LAST_WORDS: usize = 4 * 1024;

/// Between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(2);

/// How long a group is waited for after SIGKILL; only one in an uninterruptible system call takes longer.
const KILLED: Duration = Duration::from_secs(5);

/// How it ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Ending {
    /// The process exited in time, and nobody is left of its group.
    Exited(Exit),
    /// The process exited in time, but what it left behind had to be killed.
    LeftBehind(Exit),
    /// The process was killed past its limit.
    Overdue,
    /// The process was killed because the host is ending.
    Aborted,
}

/// The host's side of it.
pub(super) struct Exchange<'a> {
    group: Group,
    message: &'a [u8],
    stdin: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    /// Readable for good once the host is ending.
    bell: BorrowedFd<'a>,
    exit: Option<Exit>,
    /// One of those left behind, by its pidfd.
    member: Option<OwnedFd>,
    last_words: Vec<u8>,
    /// What a plugin in a process of its own says beside that; `None`: there is no such thing, or no more of it.
    conversation: Option<&'a mut Conversation>,
}

/// Why the watching stopped.
enum Stop {
    /// The process has exited like this, and nobody is left of its group.
    Gone(Exit),
    Deadline,
    Bell,
}

impl<'a> Exchange<'a> {
    /// With the host's ends of the pipes, which are made non-blocking.
    pub(super) fn new(
        group: Group,
        stdin: OwnedFd,
        stderr: OwnedFd,
        message: &'a [u8],
        bell: BorrowedFd<'a>,
    ) -> io::Result<Self> {
        for end in [&stdin, &stderr] {
            fcntl_setfl(end, fcntl_getfl(end)? | OFlags::NONBLOCK)?;
        }
        let (stdin, stderr) = (Some(stdin), Some(stderr));
        Ok(Self {
            group,
            message,
            stdin,
            stderr,
            bell,
            exit: None,
            member: None,
            last_words: Vec::new(),
            conversation: None,
        })
    }

    /// Listens to this as well.
    pub(super) fn with_conversation(self, conversation: &'a mut Conversation) -> Self {
        Self { conversation: Some(conversation), ..self }
    }

    /// Blocks until the group is gone, by itself or by force. What a process leaves behind when it exits (a mailer that
    /// delivers in the background) has the same time.
    pub(super) fn finish(&mut self, deadline: Instant) -> Ending {
        match self.watch(deadline) {
            Stop::Gone(exit) => Ending::Exited(exit),
            Stop::Deadline => {
                let in_time = self.exit.clone();
                // Who waits for more of the message is to wait no longer.
                self.stdin = None;
                self.signal(Signal::TERM);
                if !matches!(self.watch(Instant::now() + GRACE), Stop::Gone(_)) {
                    self.kill();
                }
                in_time.map_or(Ending::Overdue, Ending::LeftBehind)
            }
            Stop::Bell => {
                self.kill();
                Ending::Aborted
            }
        }
    }

    /// What is to be said of an end by somebody whose exit code 0 is success.
    pub(super) fn verdict(&self, ending: &Ending, limit: Duration) -> Result<(), String> {
        let what = match ending {
            Ending::Exited(Exit::Code(0)) => return Ok(()),
            Ending::LeftBehind(Exit::Code(0)) => {
                format!("left processes behind that took longer than {limit:?}")
            }
            Ending::Exited(exit) | Ending::LeftBehind(exit) => exit_text(exit),
            Ending::Overdue => format!("took longer than {limit:?}"),
            Ending::Aborted => return Err("killed: the host is ending".to_owned()),
        };
        Err(self.because(&what))
    }

    /// With the last line that the process wrote.
    pub(super) fn because(&self, what: &str) -> String {
        match self.last_line() {
            line if line.is_empty() => what.to_owned(),
            line => format!("{what}: {line}"),
        }
    }

    /// The last line of standard error that is not blank, without control characters; empty if there is none.
    fn last_line(&self) -> String {
        const LONGEST: usize = 200;
        let text = String::from_utf8_lossy(&self.last_words);
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
        line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect()
    }

    fn watch(&mut self, deadline: Instant) -> Stop {
        loop {
            if let (Some(exit), None) = (self.exit.clone(), &self.member) {
                match survey(&[&self.group]).pop() {
                    Some(Presence::Members(members)) => self.member = members.into_iter().next(),
                    Some(Presence::Gone) | None => {
                        self.listen();
                        return Stop::Gone(exit);
                    }
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Stop::Deadline;
            }
            let ready = self.wait(left);
            if ready.bell {
                return Stop::Bell;
            }
            if ready.stderr {
                self.listen();
            }
            if ready.stdin {
                self.speak();
            }
            if ready.conversation
                && let Some(conversation) = &mut self.conversation
                && conversation.hear() == Heard::End
            {
                self.conversation = None;
            }
            if ready.process && self.member.take().is_none() {
                self.exit = self.group.take_exit();
            }
        }
    }

    /// Sleeps until there is something to do, for `limit` at most.
    fn wait(&self, limit: Duration) -> Ready {
        let process = self.member.as_ref().map_or(self.group.as_fd(), AsFd::as_fd);
        let mut polled = vec![PollFd::from_borrowed_fd(self.bell, PollFlags::IN)];
        polled.push(PollFd::from_borrowed_fd(process, PollFlags::IN));
        let stderr = self.stderr.as_ref().map(|end| {
            polled.push(PollFd::new(end, PollFlags::IN));
            polled.len() - 1
        });
        let stdin = self.stdin.as_ref().map(|end| {
            polled.push(PollFd::new(end, PollFlags::OUT));
            polled.len() - 1
        });
        let stream = self.conversation.as_ref().map(|conversation| conversation.stream());
        let conversation = stream.as_ref().map(|stream| {
            polled.push(PollFd::new(stream, PollFlags::IN));
            polled.len() - 1
        });
        // Only a duration of centuries does not fit.
        let limit = Timespec::try_from(limit).ok();
        if poll(&mut polled, limit.as_ref()).is_err() {
            // An interruption, or no memory: the caller looks at the time and asks again.
            return Ready::default();
        }
        let is_ready = |index: usize| !polled[index].revents().is_empty();
        Ready {
            bell: is_ready(0),
            process: is_ready(1),
            stderr: stderr.is_some_and(is_ready),
            stdin: stdin.is_some_and(is_ready),
            conversation: conversation.is_some_and(is_ready),
        }
    }

    /// Writes what the pipe takes. A process that does not want to hear the message is free not to.
    fn speak(&mut self) {
        let Some(stdin) = &self.stdin else { return };
        while !self.message.is_empty() {
            match rustix::io::write(stdin, self.message) {
                Ok(count) => self.message = &self.message[count..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => break,
            }
        }
        self.stdin = None;
    }

    /// Reads what is there, and keeps the end of it.
    fn listen(&mut self) {
        let mut buffer = [0; LAST_WORDS];
        // A process that writes without end must not keep the deadline from being seen.
        for _ in 0..64 {
            let Some(stderr) = &self.stderr else { return };
            match rustix::io::read(stderr, &mut buffer) {
                Ok(0) => self.stderr = None,
                Ok(count) => {
                    self.last_words.extend_from_slice(&buffer[..count]);
                    self.last_words.drain(..self.last_words.len().saturating_sub(LAST_WORDS));
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => self.stderr = None,
            }
        }
    }

    fn signal(&self, signal: Signal) {
        if self.group.signal(signal).is_err() {
            log::warn!("process group {}: may not be sent {signal}", self.group.pid());
        }
    }

    fn kill(&mut self) {
        (self.stdin, self.stderr) = (None, None);
        if self.group.kill().is_err() || !self.group.wait_gone(KILLED) {
            log::warn!("process group {}: still there after SIGKILL", self.group.pid());
        }
    }
}

#[derive(Default)]
struct Ready {
    bell: bool,
    process: bool,
    stderr: bool,
    stdin: bool,
    conversation: bool,
}

fn exit_text(exit: &Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exit code {code}"),
        Exit::Signal(signal) => format!("killed by {signal}"),
        Exit::NotStarted { reason: text, .. } | Exit::Error(text) | Exit::Panic(text) => text.clone(),
    }
}
