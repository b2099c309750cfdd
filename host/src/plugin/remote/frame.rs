//! Messages on a stream: the length of each, and then its bytes.

/// What the length takes.
const HEAD: usize = size_of::<u32>();

/// The longest message that a host takes from a child. What a child says is cut to fit long before.
pub(super) const LONGEST: usize = 64 * 1024;

/// A message as it goes onto the stream. `None`: it is longer than 4 GiB.
pub(super) fn framed(message: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(message.len()).ok()?;
    Some([&length.to_ne_bytes()[..], message].concat())
}

/// Takes a stream apart. Holds less than one message and one reading.
#[derive(Debug, Default)]
pub(super) struct Frames {
    buffer: Vec<u8>,
    /// What of the buffer has been given.
    given: usize,
}

/// The stream holds something else than messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NoFrame;

impl Frames {
    /// Takes what was read.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..std::mem::take(&mut self.given));
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, NoFrame> {
        let Some((head, rest)) = self.buffer[self.given..].split_first_chunk::<HEAD>() else {
            return Ok(None);
        };
        let length = u32::from_ne_bytes(*head) as usize;
        if length > LONGEST {
            return Err(NoFrame);
        }
        let Some(message) = rest.get(..length) else { return Ok(None) };
        self.given += HEAD + length;
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_whole_however_the_stream_is_cut() {
        let messages: Vec<Vec<u8>> = [0, 1, 5, 4000, LONGEST].iter().map(|&n| vec![n as u8; n]).collect();
        let stream: Vec<u8> = messages.iter().flat_map(|message| framed(message).unwrap()).collect();
        for step in [1, 3, 4096, stream.len()] {
            let mut frames = Frames::default();
            let mut found = Vec::new();
            for piece in stream.chunks(step) {
                frames.push(piece);
                while let Some(message) = frames.next().unwrap() {
                    found.push(message.to_vec());
                }
                assert!(frames.buffer.len() <= HEAD + LONGEST + step);
            }
            assert!(found == messages, "{step} at a time");
        }
    }

    #[test]
    fn what_is_no_message_is_not_waited_for() {
        let mut frames = Frames::default();
        frames.push(b"hello, host");
        assert_eq!(frames.next(), Err(NoFrame));
    }
}
