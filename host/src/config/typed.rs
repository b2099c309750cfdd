//! What values can be: the kinds a key asks for, and what is read.

use super::keys::Field;
use crate::launch::Sink;
use bansuri_core::{Condition, Cron, Signal};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What a key asks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Text on one line, not empty.
    Name,
    Text,
    Boolean,
    /// A whole number within these, both included.
    Integer {
        min: i64,
        max: i64,
    },
    /// 0 to 1.
    Fraction,
    /// A duration, or a number not below zero.
    Step,
    /// One of these.
    Word(&'static [&'static str]),
    /// May be zero.
    Duration,
    /// A duration that is not zero.
    Positive,
    /// The same, or "none".
    Timeout,
    /// A duration; zero and "none" mean that there is none.
    Interval,
    /// Bytes.
    Size,
    /// A size, a number or "unlimited".
    Limit,
    Path,
    Paths,
    Umask,
    /// Hexadecimal digits.
    Sha256,
    Signal,
    /// The name or number of a user or group.
    Account,
    Cron,
    Timezone,
    /// Whatever the scheduler makes of it: checked once that is known.
    Params,
    /// A shell's line or an array of words.
    Command,
    /// A line that is split into words as a shell would.
    Words,
    Codes,
    Dependencies,
    Stdout,
    Stderr,
    /// An object that lies key by key over the one of `defaults`.
    Merged(Merged),
}

/// What an object is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Merged {
    /// Variables: text, or numbers and booleans as they are written.
    Environment,
    /// Any JSON, untouched.
    Options,
    Fields(&'static [Field]),
}

/// A value that was read.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Typed<'a> {
    /// It is wrong, and that has been said.
    Broken,
    Boolean(bool),
    Integer(i64),
    Number(f64),
    Duration(Duration),
    Word(&'static str),
    Text(&'a str),
    /// Not empty.
    Words(Vec<String>),
    Paths(Vec<&'a str>),
    Sha256([u8; 32]),
    Signal(Signal),
    /// Not in its own zone yet.
    Cron(Box<Cron>),
    Codes(BTreeSet<i32>),
    Dependencies(Vec<Dependency<'a>>),
    /// Paths in it are as written.
    Sink(Sink),
    Combined,
    Environment(BTreeMap<String, String>),
    Json(serde_json::Value),
    /// In the order of the table, unset ones left out.
    Fields(Vec<(&'static str, Typed<'a>)>),
}

/// One task that another waits for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Dependency<'a> {
    pub(super) name: &'a str,
    pub(super) condition: Condition,
    /// Where it is written.
    pub(super) span: jsonc_parser::common::Range,
}

impl<'a> Typed<'a> {
    /// A field of an object that was read.
    pub(super) fn field(&self, name: &str) -> Option<&Typed<'a>> {
        let Typed::Fields(fields) = self else { return None };
        fields.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }
}
