//! The host's side: it starts the child and judges how that ends.

use super::answer::Answer;
use super::child::WORD;
use crate::plugin::error::LoadProblem;
use crate::process::{Environment, Group, Spawn, SpawnError, Stdio, describe, pipe, wait_readable};
use bansuri_core::Exit;
use rustix::fs::OFlags;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a library may take to be loaded.
const LIMIT: Duration = Duration::from_secs(5);

/// How long a killed child and whatever it started may take to be gone; only the kernel can hold them longer.
const KILL_LIMIT: Duration = Duration::from_secs(1);

/// More than the schemas of any library take.
const LONGEST_ANSWER: usize = 16 << 20;

/// Of what a library printed, its end is kept.
const WORDS_KEPT: usize = 4 << 10;

/// Of its last line, as many characters are told.
const WORDS_TOLD: usize = 200;

/// Has a child of `program`, the host's binary, load this file. Blocks until that ends, for [`LIMIT`] at most.
pub(crate) fn try_out(program: &Path, file: &Path) -> Result<Answer, LoadProblem> {
    let untried = |why: String| LoadProblem::Untried(why);
    let (answers, answer) = pipe().map_err(|error| untried(describe(&error)))?;
    let (words, complaints) = pipe().map_err(|error| untried(describe(&error)))?;
    let child = Spawn {
        program: program.into(),
        arguments: vec![WORD.into(), OsString::from(file)],
        environment: Environment::of_host(),
        working_directory: std::env::current_dir().unwrap_or_else(|_| "/".into()),
        stdin: Stdio::Null,
        stdout: Stdio::To(answer),
        stderr: Some(Stdio::To(complaints)),
        more: Vec::new(),
    };
    let group = child.start().map_err(|SpawnError { reason, .. }| untried(reason))?;
    let mut answer = Pipe::new(answers, Keep::Start(LONGEST_ANSWER)).map_err(|e| untried(describe(&e)))?;
    let mut words = Pipe::new(words, Keep::End(WORDS_KEPT)).map_err(|e| untried(describe(&e)))?;
    let exit = watch(&group, &mut answer, &mut words);
    // What it left running holds the file, and is of no use to anybody.
    let _ = group.kill();
    group.wait_gone(KILL_LIMIT);
    judge(exit, &answer.kept, &words.kept)
}

/// How the child ended; `None`: it did not in time.
fn watch(group: &Group, answer: &mut Pipe, words: &mut Pipe) -> Option<Exit> {
    let deadline = Instant::now() + LIMIT;
    loop {
        // Asked first: what it wrote before its end is read after.
        let exit = group.take_exit();
        answer.read();
        words.read();
        let left = deadline.saturating_duration_since(Instant::now());
        if exit.is_some() || left.is_zero() {
            return exit;
        }
        let pipes = [answer.open.as_ref(), words.open.as_ref()];
        let mut watched: Vec<_> = pipes.into_iter().flatten().map(AsFd::as_fd).collect();
        watched.push(group.as_fd());
        wait_readable(&watched, left);
    }
}

fn judge(exit: Option<Exit>, answer: &[u8], words: &[u8]) -> Result<Answer, LoadProblem> {
    let words = last_line(words);
    match exit {
        None => Err(LoadProblem::Hangs { seconds: LIMIT.as_secs(), words }),
        // Anything may have been written to the descriptor of a child that a library has taken over.
        Some(Exit::Code(0)) if !answer.is_empty() => serde_json::from_slice(answer).map_err(|error| {
            LoadProblem::Untried(format!("the answer of its child makes no sense: {error}"))
        }),
        Some(exit) => Err(LoadProblem::Ends { how: exit.reason(), words }),
    }
}

/// The last line that says anything.
fn last_line(words: &[u8]) -> String {
    let text = String::from_utf8_lossy(words);
    let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(WORDS_TOLD).collect()
}

/// A pipe that is read without waiting.
struct Pipe {
    /// `None` after its end.
    open: Option<File>,
    kept: Vec<u8>,
    keep: Keep,
}

/// What is kept of more bytes than are wanted.
#[derive(Clone, Copy)]
enum Keep {
    Start(usize),
    End(usize),
}

impl Pipe {
    fn new(pipe: OwnedFd, keep: Keep) -> io::Result<Self> {
        rustix::fs::fcntl_setfl(&pipe, OFlags::NONBLOCK)?;
        Ok(Self { open: Some(pipe.into()), kept: Vec::new(), keep })
    }

    /// Reads what is there, but not without end from somebody who writes without end.
    fn read(&mut self) {
        let mut buffer = [0; 1 << 16];
        for _ in 0..16 {
            let Some(open) = &mut self.open else { return };
            match open.read(&mut buffer) {
                Ok(0) => self.open = None,
                Ok(length) => self.take(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.open = None,
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        match self.keep {
            Keep::Start(most) => {
                let room = most.saturating_sub(self.kept.len());
                self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
            }
            Keep::End(most) => {
                self.kept.extend_from_slice(bytes);
                let surplus = self.kept.len().saturating_sub(most);
                self.kept.drain(..surplus);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_that_says_anything_is_told() {
        assert_eq!(last_line(b""), "");
        assert_eq!(last_line(b"one\ntwo \x1b[31mred\n\n  \n"), "two [31mred");
        assert_eq!(last_line(&[b'x'; 900]).len(), WORDS_TOLD);
    }

    #[test]
    fn an_end_without_an_answer_is_told_as_it_was() {
        let problem = |exit, answer: &[u8]| judge(exit, answer, b"ouch\n").unwrap_err();
        let ends = |how: &str| LoadProblem::Ends { how: how.to_owned(), words: "ouch".to_owned() };
        assert_eq!(problem(Some(Exit::Code(0)), b""), ends("exit code 0"));
        assert_eq!(problem(Some(Exit::Code(3)), b"{}"), ends("exit code 3"));
        assert!(matches!(problem(Some(Exit::Code(0)), b"{}"), LoadProblem::Untried(_)));
        assert!(matches!(problem(None, b""), LoadProblem::Hangs { seconds: 5, .. }));
    }
}
