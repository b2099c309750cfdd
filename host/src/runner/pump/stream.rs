//! One stream on its way into a log: its lines are kept whole, and begin with their time where that is asked.
//!
//! A line is written to the file it fits in. Until its end has come it is held, unless it begins an empty file (where
//! it stays however long it is) or the log is not rotated and has no other writer. A line of which [`HOLD`] bytes have
//! come without an end is taken for one that does not fit: the file is rotated before it.

use super::gzip::Compressor;
use super::sink::Sink;
use super::source::Source;
use super::stamper::Stamper;
use memchr::{memchr, memrchr};
use std::sync::Arc;

/// So much of a line without an end is held, in bytes.
pub(super) const HOLD: usize = 1024 * 1024;

/// What the writer's thread knows of a stream.
pub(super) struct Stream {
    pub(super) source: Arc<Source>,
    pub(super) timestamps: bool,
    /// The beginning of a line that has not been written.
    held: Vec<u8>,
    /// What was read while the sink took nothing, as it is to be written.
    pending: Vec<u8>,
    /// The line at hand has begun in the file.
    begun: bool,
    /// What was read last ended a line.
    at_start: bool,
    /// The rest of the line at hand is dropped: its beginning was.
    skips: bool,
}

impl Stream {
    pub(super) fn new(source: Arc<Source>, timestamps: bool) -> Self {
        Self {
            source,
            timestamps,
            held: Vec::new(),
            pending: Vec::new(),
            begun: false,
            at_start: true,
            skips: false,
        }
    }

    /// Takes what was just read. `alone`: nobody else writes the log.
    pub(super) fn take(
        &mut self,
        mut fresh: &[u8],
        stamper: &mut Stamper,
        alone: bool,
        sink: &mut Sink,
        compressor: &mut Compressor,
    ) {
        let Some(&last) = fresh.last() else { return };
        if sink.is_dropping() {
            sink.drop_bytes(fresh.len());
            self.at_start = last == b'\n';
            return self.discard(sink);
        }
        if self.skips {
            let rest = memchr(b'\n', fresh).map_or(fresh.len(), |place| place + 1);
            sink.drop_bytes(rest);
            self.skips = fresh[rest - 1] != b'\n';
            self.at_start = !self.skips;
            fresh = &fresh[rest..];
        }
        if self.timestamps {
            while !fresh.is_empty() {
                let piece = stamper.piece(&mut fresh, &mut self.at_start);
                self.accept(piece, alone, sink, compressor);
            }
        } else {
            self.accept(fresh, alone, sink, compressor);
        }
        self.at_start = last == b'\n';
        if sink.drops() {
            // A try failed.
            self.discard(sink);
        }
    }

    /// Goes on with what was read while the sink took nothing.
    pub(super) fn resume(&mut self, alone: bool, sink: &mut Sink, compressor: &mut Compressor) {
        let pending = std::mem::take(&mut self.pending);
        self.accept(&pending, alone, sink, compressor);
    }

    /// Writes the beginning of a line whose end never comes. True if nothing is left.
    pub(super) fn finish(&mut self, sink: &mut Sink, compressor: &mut Compressor) -> bool {
        if !sink.is_fine() || !self.pending.is_empty() {
            return self.waiting() == 0;
        }
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() {
            while !sink.is_empty() && held.len() as u64 > sink.room() && sink.make_room(compressor) {}
            sink.write(&held, &[]);
        }
        true
    }

    /// Throws away what waits.
    pub(super) fn discard(&mut self, sink: &mut Sink) {
        sink.drop_bytes(self.waiting());
        self.held = Vec::new();
        self.pending = Vec::new();
        self.begun = false;
        self.skips = !self.at_start;
    }

    /// How many bytes were read and not yet given to the sink.
    pub(super) fn waiting(&self) -> usize {
        self.held.len() + self.pending.len()
    }

    fn accept(&mut self, mut fresh: &[u8], alone: bool, sink: &mut Sink, compressor: &mut Compressor) {
        while !fresh.is_empty() {
            if !sink.is_fine() {
                self.pending.extend_from_slice(fresh);
                return;
            }
            if alone && !sink.has_rotation() {
                // It makes no difference where in the file a line is.
                sink.write(&self.held, fresh);
                self.held.clear();
                self.begun = !fresh.ends_with(b"\n");
                fresh = &[];
                continue;
            }
            if self.begun {
                fresh = self.write_line(fresh, sink);
                continue;
            }
            let held = self.held.len() as u64;
            let room = sink.room();
            let limit = usize::try_from(room.saturating_sub(held)).unwrap_or(usize::MAX).min(fresh.len());
            if let Some(last) = memrchr(b'\n', &fresh[..limit]) {
                let (lines, rest) = fresh.split_at(last + 1);
                sink.write(&self.held, lines);
                self.held.clear();
                fresh = rest;
                continue;
            }
            // No line that ends here fits.
            let may_begin = if sink.has_rotation() { sink.is_empty() } else { alone };
            if !may_begin {
                let fits = held + fresh.len() as u64 <= room;
                if fits && self.held.len() + fresh.len() <= HOLD {
                    self.held.extend_from_slice(fresh);
                    return;
                }
                if sink.make_room(compressor) {
                    continue;
                }
            }
            fresh = self.write_line(fresh, sink);
        }
        if self.held.is_empty() && self.held.capacity() > 4096 {
            self.held = Vec::new();
        }
    }

    /// Writes the line at hand as far as it has come, whatever its length. Gives what follows it.
    fn write_line<'a>(&mut self, fresh: &'a [u8], sink: &mut Sink) -> &'a [u8] {
        let end = memchr(b'\n', fresh);
        let (line, rest) = fresh.split_at(end.map_or(fresh.len(), |place| place + 1));
        self.begun = end.is_none();
        sink.write(&self.held, line);
        self.held.clear();
        rest
    }
}

#[cfg(test)]
mod tests;
