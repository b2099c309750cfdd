//! Where the lines of events go, as two threads use it: the writer's, which may wait for the reader, and whoever has an
//! event. That one writes the line itself if nothing has to wait for it: the reader has it sooner by as long as it takes
//! to wake a thread.

use super::record::HostEvent;
use crate::clock::wall_now;
use rustix::fs::FileType;
use rustix::io::{ReadWriteFlags, pwritev2};
use rustix::pipe::PIPE_BUF;
use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::os::fd::OwnedFd;

/// An event as it is written.
pub(super) struct Line {
    pub(super) seq: u64,
    pub(super) bytes: Vec<u8>,
}

/// The sink, and what it was given last.
pub(super) struct Output {
    file: File,
    /// It takes a short line whole and at once, or not at all. So do pipes; files wait for a disk.
    is_pipe: bool,
    last: u64,
}

impl Output {
    pub(super) fn new(descriptor: OwnedFd) -> Self {
        let stat = rustix::fs::fstat(&descriptor);
        let is_pipe = stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo);
        Self { file: descriptor.into(), is_pipe, last: 0 }
    }

    /// Writes a line that follows the one before, without waiting. False: it is not written.
    pub(super) fn write_at_once(&mut self, line: &Line) -> bool {
        if !self.is_pipe || line.seq != self.last + 1 || line.bytes.len() > PIPE_BUF {
            return false;
        }
        let parts = [IoSlice::new(&line.bytes)];
        // Errors are the writer's to meet and to tell. The offset is the one that pipes do not have.
        let is_written = pwritev2(&self.file, &parts, u64::MAX, ReadWriteFlags::NOWAIT).is_ok();
        self.last += u64::from(is_written);
        is_written
    }

    /// Writes a line, and before it how many are missing, for as long as the reader takes.
    pub(super) fn write(&mut self, line: &Line) -> io::Result<()> {
        if line.seq > self.last + 1 {
            let lost = HostEvent::EventsLost { count: line.seq - self.last - 1 };
            self.file.write_all(&lost.to_line(wall_now(), line.seq - 1))?;
        }
        self.last = line.seq;
        self.file.write_all(&line.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(seq: u64, length: usize) -> Line {
        Line { seq, bytes: vec![b'x'; length] }
    }

    #[test]
    fn a_pipe_takes_what_it_has_room_for_and_is_not_waited_for() {
        let (read, write) = io::pipe().unwrap();
        let mut output = Output::new(write.into());
        let in_pipe = || rustix::io::ioctl_fionread(&read).unwrap();
        assert!(!output.write_at_once(&line(1, PIPE_BUF + 1)), "it could be taken in parts");
        assert!(!output.write_at_once(&line(2, 10)), "one is missing before it");
        let mut written = 0;
        while output.write_at_once(&line(written + 1, PIPE_BUF)) {
            written += 1;
        }
        assert_eq!(in_pipe(), written * PIPE_BUF as u64);
        // Kernels before 6.4 take nothing in this way.
        if written > 0 {
            rustix::io::read(&read, &mut [0; PIPE_BUF]).unwrap();
            assert!(output.write_at_once(&line(written + 1, 10)));
        }
    }

    #[test]
    fn a_file_is_left_to_who_may_wait() {
        let file = tempfile::tempfile().unwrap();
        let mut output = Output::new(file.try_clone().unwrap().into());
        assert!(!output.write_at_once(&line(1, 10)));
        output.write(&line(1, 10)).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 10);
    }
}
