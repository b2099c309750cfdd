//! The time before each line.

use crate::clock::{rfc3339, wall_now};
use memchr::memchr_iter;

/// So much is put together at a time, in bytes.
const PIECE: usize = 512 * 1024;

/// Puts the time before lines. The lines of a read may be much shorter than their times, and so what comes of it is made
/// a piece at a time, in memory that all streams share.
#[derive(Default)]
pub(super) struct Stamper {
    stamp: Vec<u8>,
    piece: Vec<u8>,
}

impl Stamper {
    /// Has the lines that follow begin with the time it is now.
    pub(super) fn set_to_now(&mut self) {
        self.set(rfc3339(wall_now()) + " ");
    }

    /// Has the lines that follow begin with this.
    pub(super) fn set(&mut self, stamp: String) {
        self.stamp = stamp.into_bytes();
    }

    /// The next piece of what `fresh`, which is not empty, comes to; what is in it is taken from `fresh`. `at_start`:
    /// what comes next begins a line.
    pub(super) fn piece(&mut self, fresh: &mut &[u8], at_start: &mut bool) -> &[u8] {
        let Self { stamp, piece } = self;
        piece.clear();
        piece.reserve(PIECE);
        let ends = memchr_iter(b'\n', fresh).map(|place| place + 1).chain([fresh.len()]);
        let mut taken = 0;
        for end in ends {
            let line = &fresh[taken..end];
            let stamp: &[u8] = if *at_start { stamp } else { &[] };
            let is_full = !piece.is_empty() && piece.len() + stamp.len() + line.len() > PIECE;
            // The last line may have ended already: nothing of another has come.
            if line.is_empty() || is_full {
                break;
            }
            piece.extend_from_slice(stamp);
            piece.extend_from_slice(line);
            *at_start = line.ends_with(b"\n");
            taken = end;
        }
        *fresh = &fresh[taken..];
        piece
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stamped(chunks: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut stamper = Stamper::default();
        let mut at_start = true;
        let mut pieces = Vec::new();
        for (number, mut fresh) in chunks.iter().copied().enumerate() {
            stamper.set(format!("{number} "));
            while !fresh.is_empty() {
                pieces.push(stamper.piece(&mut fresh, &mut at_start).to_vec());
            }
        }
        pieces
    }

    #[test]
    fn a_line_has_the_time_at_which_its_beginning_came() {
        let pieces = stamped(&[b"a\nb", b"c", b"\n", b"\n\nd\n", b"e\n"]);
        assert_eq!(pieces.concat(), b"0 a\n0 bc\n3 \n3 \n3 d\n4 e\n");
    }

    #[test]
    fn pieces_are_no_larger_than_the_memory_for_them() {
        let short = [b'\n'; 300_000];
        let long = [b'x'; PIECE];
        let pieces = stamped(&[&short, &long, &short]);
        let expected = [&b"0 \n".repeat(300_000), &b"1 "[..], &long, b"\n", &b"2 \n".repeat(299_999)];
        assert!(pieces.concat() == expected.concat());
        // A line that fills it alone comes with its time.
        let largest = pieces.iter().map(Vec::len).max();
        assert_eq!(largest, Some(PIECE + 2));
        let small = pieces.iter().filter(|piece| piece.len() < PIECE - 3).count();
        assert!(small <= 3, "only the last of a read is not full: {small}");
    }

    proptest! {
        /// What was read, wherever it was cut: the text of each line is untouched, and each line has one time.
        #[test]
        fn only_times_are_added(chunks in prop::collection::vec("[ab\n]{1,20}", 1..10)) {
            let chunks: Vec<&[u8]> = chunks.iter().map(String::as_bytes).collect();
            let text = String::from_utf8(chunks.concat()).unwrap();
            let stamped = String::from_utf8(stamped(&chunks).concat()).unwrap();
            let lines: Vec<&str> = stamped.split_inclusive('\n').map(|line| &line[2..]).collect();
            prop_assert_eq!(lines.concat(), text.as_str());
            prop_assert_eq!(lines.len(), text.split_inclusive('\n').count());
        }
    }
}
