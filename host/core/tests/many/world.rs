//! A small world for many tasks: runs that end well, fail, ignore signals, leave things behind, or cannot be killed.

use crate::random::Random;
use bansuri_core::{Effect, Exit, Input, RunId};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

const SECOND: u64 = 1_000_000_000;

struct Run {
    obeys: bool,
    is_immortal: bool,
    leaves: bool,
    has_ended: bool,
}

/// What happens by itself, if it is still possible by then.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Ends(RunId, i32),
    Gone(RunId),
    CannotForce(RunId),
    Checked(RunId, bool),
    /// A message about a run that is long over.
    Echo(RunId),
}

/// All runs, and what will become of them.
pub(crate) struct World {
    random: Random,
    runs: HashMap<RunId, Run>,
    happenings: BinaryHeap<Reverse<(u64, u64, Happening)>>,
    count: u64,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let (runs, happenings) = (HashMap::new(), BinaryHeap::new());
        Self { random: Random::new(seed), runs, happenings, count: 0 }
    }

    pub(crate) fn next_at(&self) -> Option<u64> {
        self.happenings.peek().map(|Reverse((at, ..))| *at)
    }

    /// What the core is told of what happens next, if there is anything to tell.
    pub(crate) fn next_input(&mut self) -> Option<Input> {
        let Reverse((at, _, happening)) = self.happenings.pop()?;
        match happening {
            Happening::Ends(id, code) => {
                let run = self.runs.get_mut(&id).filter(|run| !run.has_ended)?;
                run.has_ended = true;
                let remains = run.leaves;
                if !remains {
                    self.runs.remove(&id);
                }
                if self.random.one_in(20) {
                    let later = at + self.random.spread(3_600 * SECOND);
                    self.later(later, Happening::Echo(id));
                }
                Some(Input::Finished { run: id, exit: Exit::Code(code), remains })
            }
            Happening::Gone(run) => self.runs.remove(&run).map(|_| Input::Gone { run }),
            Happening::CannotForce(run) => self.runs.contains_key(&run).then_some(Input::CannotForce { run }),
            Happening::Checked(run, fine) => {
                let problem = (!fine).then(|| "does not answer".to_owned());
                Some(Input::HealthChecked { run, problem })
            }
            Happening::Echo(run) => {
                let over = !self.runs.contains_key(&run);
                over.then_some(Input::Finished { run, exit: Exit::Code(0), remains: false })
            }
        }
    }

    /// Does what the core wants done; answers a start at once.
    pub(crate) fn act(&mut self, effect: &Effect, now: u64) -> Option<Input> {
        match effect {
            Effect::Start { run, .. } => Some(self.start(*run, now)),
            Effect::RequestStop { run } => {
                let soon = now + self.random.spread(20 * SECOND);
                match self.runs.get(run) {
                    Some(Run { obeys: true, has_ended: false, .. }) => {
                        self.later(soon, Happening::Ends(*run, 0))
                    }
                    Some(Run { obeys: true, has_ended: true, .. }) => self.later(soon, Happening::Gone(*run)),
                    Some(Run { obeys: false, .. }) | None => {}
                }
                None
            }
            Effect::ForceStop { run } => {
                match self.runs.get(run) {
                    Some(Run { is_immortal: true, .. }) => self.later(now, Happening::CannotForce(*run)),
                    Some(Run { has_ended: false, .. }) => self.later(now + 1, Happening::Ends(*run, 9)),
                    Some(Run { has_ended: true, .. }) => self.later(now + 1, Happening::Gone(*run)),
                    None => {}
                }
                if let Some(run) = self.runs.get_mut(run).filter(|run| !run.has_ended) {
                    run.leaves = false;
                }
                None
            }
            Effect::CheckHealth { run } => {
                let fine = self.random.below(10) > 0;
                let later = now + self.random.spread(5 * SECOND);
                self.later(later, Happening::Checked(*run, fine));
                None
            }
            Effect::Removed { .. }
            | Effect::RememberTick { .. }
            | Effect::SendHeld { .. }
            | Effect::DropHeld { .. }
            | Effect::Notify(_)
            | Effect::Event(_)
            | Effect::Refused { .. } => None,
        }
    }

    fn start(&mut self, run: RunId, now: u64) -> Input {
        if self.random.one_in(50) {
            let exit = Exit::NotStarted { reason: "no such program".to_owned(), code: Some(127) };
            return Input::NotStarted { run, exit };
        }
        let is_immortal = self.random.one_in(400);
        let obeys = !is_immortal && !self.random.one_in(10);
        let leaves = !is_immortal && self.random.one_in(20);
        self.runs.insert(run, Run { obeys, is_immortal, leaves, has_ended: false });
        let code = i32::from(self.random.one_in(6));
        let end = now + 1 + self.random.spread(900 * SECOND);
        self.later(end, Happening::Ends(run, code));
        Input::Started { run, pid: None }
    }

    fn later(&mut self, at: u64, happening: Happening) {
        self.count += 1;
        self.happenings.push(Reverse((at, self.count, happening)));
    }
}
