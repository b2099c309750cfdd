//! From byte offsets to lines and columns.

use jsonc_parser::common::Range;

/// Distance of the checkpoints in bytes: small enough to count within one, large enough to cost no memory.
const BLOCK: usize = 256;

/// Where each line begins, and how many characters come before each block of bytes, so that a look-up costs the same
/// in a file of one line as in a file of many.
pub(super) struct LineIndex<'t> {
    text: &'t str,
    line_starts: Vec<usize>,
    characters_before: Vec<usize>,
}

/// A place for people: line and column count from 1, in characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) length: usize,
}

impl<'t> LineIndex<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let bytes = text.as_bytes();
        let mut line_starts = vec![0];
        line_starts.extend(memchr::memchr_iter(b'\n', bytes).map(|at| at + 1));
        let mut characters_before = Vec::with_capacity(bytes.len() / BLOCK + 1);
        let mut seen = 0;
        for block in bytes.chunks(BLOCK) {
            characters_before.push(seen);
            seen += characters(block);
        }
        characters_before.push(seen);
        Self { text, line_starts, characters_before }
    }

    /// The line `byte` is on, from 1.
    pub(super) fn line(&self, byte: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= byte)
    }

    pub(super) fn position(&self, span: Range) -> Position {
        let line = self.line(span.start);
        let line_start = self.line_starts[line - 1];
        let start = self.character(span.start);
        Position {
            line,
            column: start - self.character(line_start) + 1,
            length: self.character(span.end.max(span.start)) - start,
        }
    }

    /// The bytes of a line (from 1) without its end, if there is such a line.
    pub(super) fn line_span(&self, line: usize) -> Option<Range> {
        let start = *self.line_starts.get(line.checked_sub(1)?)?;
        let end = self.line_starts.get(line).map_or(self.text.len(), |next| next - 1);
        let text = &self.text[start..end];
        Some(Range::new(start, start + text.trim_end_matches('\r').len()))
    }

    /// The byte at which the character begins that comes `characters` after the one at `start`; at most the text's end.
    pub(super) fn byte_after(&self, start: usize, characters: usize) -> usize {
        let wanted = self.character(start).saturating_add(characters);
        let block = self.characters_before.partition_point(|before| *before <= wanted).saturating_sub(1);
        let mut before = self.characters_before[block];
        let bytes = self.text.as_bytes();
        let mut at = (block * BLOCK).min(bytes.len());
        while at < bytes.len() {
            if bytes[at] & 0xC0 != 0x80 {
                if before == wanted {
                    break;
                }
                before += 1;
            }
            at += 1;
        }
        at
    }

    /// How many characters come before `byte`.
    fn character(&self, byte: usize) -> usize {
        let byte = byte.min(self.text.len());
        let block = byte / BLOCK;
        self.characters_before[block] + characters(&self.text.as_bytes()[block * BLOCK..byte])
    }
}

/// Counts the bytes that begin a character.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|b| **b & 0xC0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offset_agrees_with_counting_by_hand() {
        let text = format!("ä{}\n\r\nz€\n{}", "é".repeat(300), "x".repeat(600));
        let index = LineIndex::new(&text);
        for (byte, _) in text.char_indices() {
            let before = &text[..byte];
            let line_start = before.rfind('\n').map_or(0, |at| at + 1);
            let expected = Position {
                line: before.matches('\n').count() + 1,
                column: text[line_start..byte].chars().count() + 1,
                length: text[byte..].chars().count(),
            };
            assert_eq!(index.position(Range::new(byte, text.len())), expected, "at byte {byte}");
            assert_eq!(index.byte_after(line_start, expected.column - 1), byte);
            let line = index.line_span(expected.line).expect("the line exists");
            assert_eq!(
                &text[line.start..line.end],
                text.split('\n').nth(expected.line - 1).expect("it exists").trim_end()
            );
        }
    }

    #[test]
    fn the_end_of_an_empty_text_is_its_beginning() {
        let position = LineIndex::new("").position(Range::new(0, 0));
        assert_eq!(position, Position { line: 1, column: 1, length: 0 });
        let index = LineIndex::new("");
        assert_eq!(index.line_span(1), Some(Range::new(0, 0)));
        assert_eq!(index.line_span(2), None);
        assert_eq!(index.byte_after(0, 5), 0);
    }
}
