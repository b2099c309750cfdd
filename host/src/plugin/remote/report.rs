//! What a child says.

use super::super::error::PluginFault;
use crate::wire::{Reader, Writer};
use log::Level;

/// The longest text of a report, in bytes.
const LONGEST_TEXT: usize = 16 * 1024;

/// One message of a child.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Report {
    /// A record of its log.
    Log { level: Level, text: String },
    /// How its work has ended: the exit code of a task, 0 for a failure that was delivered. The last message.
    Ended(Result<i32, PluginFault>),
}

impl Report {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut to = Writer::default();
        match self {
            Report::Log { level, text } => {
                to.number(0);
                to.number(*level as u64);
                to.bytes(cut(text));
            }
            Report::Ended(Ok(code)) => {
                to.number(1);
                to.number(i64::from(*code).cast_unsigned());
            }
            Report::Ended(Err(PluginFault::Error(message))) => {
                to.number(2);
                to.bytes(cut(message));
            }
            Report::Ended(Err(PluginFault::Panic(message))) => {
                to.number(3);
                to.bytes(cut(message));
            }
        }
        to.into_bytes()
    }

    /// `None`: these are not the bytes of a report.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut from = Reader::new(bytes);
        let report = match from.number()? {
            0 => {
                let level = usize::try_from(from.number()?).ok()?;
                let level = Level::iter().find(|known| *known as usize == level)?;
                Report::Log { level, text: from.string()? }
            }
            1 => Report::Ended(Ok(from.number()?.cast_signed().try_into().ok()?)),
            2 => Report::Ended(Err(PluginFault::Error(from.string()?))),
            3 => Report::Ended(Err(PluginFault::Panic(from.string()?))),
            _ => return None,
        };
        from.is_empty().then_some(report)
    }
}

fn cut(text: &str) -> &[u8] {
    &text.as_bytes()[..text.floor_char_boundary(LONGEST_TEXT)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_comes_through_whole() {
        for report in [
            Report::Log { level: Level::Trace, text: "half\nway".to_owned() },
            Report::Ended(Ok(-7)),
            Report::Ended(Err(PluginFault::Error("no disk".to_owned()))),
            Report::Ended(Err(PluginFault::Panic(String::new()))),
        ] {
            let bytes = report.encode();
            assert_eq!(Report::decode(&bytes), Some(report));
            for length in 0..bytes.len() {
                assert_eq!(Report::decode(&bytes[..length]), None, "cut to {length} bytes");
            }
        }
        let long = Report::Log { level: Level::Info, text: "ß".repeat(LONGEST_TEXT) };
        assert!(long.encode().len() < super::super::frame::LONGEST);
        assert!(Report::decode(&long.encode()).is_some());
    }
}
