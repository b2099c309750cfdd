//! What a measurement is: rows of the table, and how one round of them is taken.

use super::figures::Figures;
use super::lab::Lab;
use super::supervisor::Supervisor;
use super::supervisors::{Limit, Ours};
use std::io;

/// Whose turn it is.
pub(super) enum Subject<'a> {
    /// The least supervisor.
    Limit,
    /// The host.
    Ours(&'a Ours),
    /// Another one.
    Peer(&'a dyn Supervisor),
}

impl Subject<'_> {
    /// As what all have in common.
    pub(super) fn supervisor(&self) -> &dyn Supervisor {
        match self {
            Self::Limit => &Limit,
            Self::Ours(ours) => *ours,
            Self::Peer(peer) => *peer,
        }
    }
}

/// One thing that is measured.
pub(super) struct Measurement {
    /// What it is called on the command line.
    pub(super) name: &'static str,
    /// What it gives.
    pub(super) rows: &'static [Row],
    /// At most so many rounds, for one that takes long.
    pub(super) rounds: usize,
    /// Takes one round. Rows that a subject does not have are left out.
    pub(super) round: fn(&Lab, &Subject) -> io::Result<Figures>,
}

/// One row of the table.
pub(super) struct Row {
    /// What it is called in the figures and in JSON.
    pub(super) key: &'static str,
    /// What it is called in the table.
    pub(super) what: &'static str,
    /// What its figures are of.
    pub(super) unit: &'static str,
    /// What the host is to reach.
    pub(super) target: Target,
}

/// What the host is to reach.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// At most this.
    AtMost(f64),
    /// At most so many times the limit.
    TimesLimit(f64),
    /// At least this part of the limit: more is better.
    PartOfLimit(f64),
    /// Nothing is agreed, but less is better.
    Less,
    /// Nothing is agreed, but more is better.
    More,
}
