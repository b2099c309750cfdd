//! A world for the core to act on: runs that end well, fail, hang, ignore signals, and leave things behind.

use crate::random::Random;
use bansuri_core::{Effect, Exit, Input, RunId, Signal};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

pub(crate) const MILLI: u64 = 1_000_000;
pub(crate) const SECOND: u64 = 1_000 * MILLI;
pub(crate) const MINUTE: u64 = 60 * SECOND;
pub(crate) const HOUR: u64 = 60 * MINUTE;

/// What a run, or what is left of its group, does when it is told to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Temper {
    /// It ends soon after it was asked.
    Obeys,
    /// It has to be killed.
    Ignores,
    /// It cannot be killed, and ends some hours later.
    Immortal,
}

struct Run {
    temper: Temper,
    exit: Exit,
    /// What it leaves behind, if anything.
    remains: Option<Temper>,
    state: Life,
    told: Told,
}

/// How far the core has come in ending a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Told {
    Nothing,
    ToStop,
    Forced,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Life {
    Alive,
    Remains,
}

/// What happens in the world by itself; told to the core only if it is still true by then.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Happening {
    Started(RunId),
    NotStarted(RunId),
    Ends(RunId),
    Gone(RunId),
    CannotForce(RunId),
    /// A check of the run's health has ended.
    Checked(RunId, Option<String>),
    /// A message about a run that is long over.
    Echo(RunId),
}

/// All runs, and what will become of them.
pub(crate) struct World {
    random: Random,
    runs: HashMap<RunId, Run>,
    happenings: BinaryHeap<Reverse<(u64, u64, Happening)>>,
    sequence: u64,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let (runs, happenings) = (HashMap::new(), BinaryHeap::new());
        Self { random: Random::new(seed), runs, happenings, sequence: 0 }
    }

    /// When something happens next.
    pub(crate) fn next_at(&self) -> Option<u64> {
        self.happenings.peek().map(|Reverse((at, ..))| *at)
    }

    /// What the core is told of what happens next, if there is anything to tell.
    pub(crate) fn next_input(&mut self) -> Option<Input> {
        let Reverse((at, _, happening)) = self.happenings.pop()?;
        match happening {
            Happening::Started(run) => Some(Input::Started { run, pid: Some(run.number as u32) }),
            Happening::NotStarted(run) => {
                let reason = "no such program".to_owned();
                Some(Input::NotStarted { run, exit: Exit::NotStarted { reason, code: Some(127) } })
            }
            Happening::Ends(run) => self.end(run, at),
            Happening::Gone(run) => self.runs.remove(&run).map(|_| Input::Gone { run }),
            Happening::CannotForce(run) => {
                if self.runs.get(&run)?.state == Life::Remains {
                    self.runs.remove(&run);
                }
                Some(Input::CannotForce { run })
            }
            // The run may be over by now.
            Happening::Checked(run, problem) => Some(Input::HealthChecked { run, problem }),
            Happening::Echo(run) => {
                let over = !self.runs.contains_key(&run);
                over.then_some(Input::Finished { run, exit: Exit::Code(0), remains: false })
            }
        }
    }

    /// Does what the core wants done.
    pub(crate) fn act(&mut self, effect: &Effect, now: u64) {
        match effect {
            Effect::Start { run, .. } => self.start(*run, now),
            Effect::RequestStop { run } => self.request_stop(*run, now),
            Effect::ForceStop { run } => self.force_stop(*run, now),
            Effect::CheckHealth { run } => {
                let ends = now + MILLI + self.random.spread(20 * SECOND);
                let problem = self.random.one_in(8).then(|| "exit code 1".to_owned());
                self.later(ends, Happening::Checked(*run, problem));
            }
            Effect::Notify(_)
            | Effect::SendHeld { .. }
            | Effect::DropHeld { .. }
            | Effect::RememberTick { .. }
            | Effect::Removed { .. }
            | Effect::Event(_)
            | Effect::Refused { .. } => {}
        }
    }

    /// Whether anything lives that could have been killed.
    pub(crate) fn has_mortals(&self) -> bool {
        self.runs.values().any(|run| run.state == Life::Remains || run.temper != Temper::Immortal)
    }

    fn start(&mut self, run: RunId, now: u64) {
        let answer = MILLI / 10 + self.random.below(2 * MILLI);
        if self.random.one_in(50) {
            self.later(now + answer, Happening::NotStarted(run));
            return;
        }
        let exit = match self.random.below(100) {
            0..85 => Exit::Code(0),
            85..93 => Exit::Code(1 + self.random.below(200) as i32),
            93..96 => Exit::Signal(Signal::TERM),
            96..98 => Exit::Error("an error".to_owned()),
            _ => Exit::Panic("a panic at x.rs:1".to_owned()),
        };
        let (temper, lives) = match self.random.below(200) {
            0..180 => (Temper::Obeys, Some(self.random.spread(20 * MINUTE))),
            180..190 => (Temper::Ignores, Some(self.random.spread(20 * MINUTE))),
            190..196 => (Temper::Obeys, None),
            196..199 => (Temper::Ignores, None),
            _ => (Temper::Immortal, Some(self.random.below(6 * HOUR))),
        };
        let remains = match self.random.below(100) {
            0..3 => Some(Temper::Obeys),
            3 => Some(Temper::Ignores),
            4 if self.random.one_in(4) => Some(Temper::Immortal),
            _ => None,
        };
        self.runs.insert(run, Run { temper, exit, remains, state: Life::Alive, told: Told::Nothing });
        self.later(now + answer, Happening::Started(run));
        if let Some(lives) = lives {
            // Now and then the end of a short run overtakes the answer to its start.
            let head_start = if self.random.one_in(100) { 0 } else { answer };
            self.later(now + head_start + lives, Happening::Ends(run));
        }
    }

    fn end(&mut self, id: RunId, at: u64) -> Option<Input> {
        let run = self.runs.get_mut(&id).filter(|run| run.state == Life::Alive)?;
        let (exit, remains, told) = (run.exit.clone(), run.remains, run.told);
        match remains {
            Some(temper) => {
                run.state = Life::Remains;
                self.end_remains(id, temper, told, at);
            }
            None => {
                self.runs.remove(&id);
            }
        }
        if self.random.one_in(50) {
            let echo = at + self.random.spread(HOUR);
            self.later(echo, Happening::Echo(id));
        }
        Some(Input::Finished { run: id, exit, remains: remains.is_some() })
    }

    /// What is left of a group does what its temper says, given what it was told while the run was alive or later.
    fn end_remains(&mut self, id: RunId, temper: Temper, told: Told, now: u64) {
        match (told, temper) {
            (Told::Forced, Temper::Immortal) => self.later(now, Happening::CannotForce(id)),
            (Told::Forced, Temper::Obeys | Temper::Ignores) => {
                let soon = now + 1 + self.random.below(5 * MILLI);
                self.later(soon, Happening::Gone(id));
            }
            (Told::ToStop, Temper::Obeys) => {
                let soon = now + 1 + self.random.spread(30 * SECOND);
                self.later(soon, Happening::Gone(id));
            }
            (Told::ToStop, Temper::Ignores | Temper::Immortal) | (Told::Nothing, _) => {}
        }
    }

    fn request_stop(&mut self, id: RunId, now: u64) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        run.told = Told::ToStop;
        match (run.state, run.temper, run.remains) {
            (Life::Alive, Temper::Obeys, _) => {
                let soon = now + 1 + self.random.spread(30 * SECOND);
                self.later(soon, Happening::Ends(id));
            }
            (Life::Remains, _, Some(temper)) => self.end_remains(id, temper, Told::ToStop, now),
            (Life::Alive, Temper::Ignores | Temper::Immortal, _) | (Life::Remains, _, None) => {}
        }
    }

    fn force_stop(&mut self, id: RunId, now: u64) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        run.told = Told::Forced;
        match (run.state, run.temper, run.remains) {
            (Life::Alive, Temper::Obeys | Temper::Ignores, _) => {
                run.exit = Exit::Signal(Signal::KILL);
                let soon = now + 1 + self.random.below(5 * MILLI);
                self.later(soon, Happening::Ends(id));
            }
            (Life::Alive, Temper::Immortal, _) => self.later(now, Happening::CannotForce(id)),
            (Life::Remains, _, Some(temper)) => self.end_remains(id, temper, Told::Forced, now),
            (Life::Remains, _, None) => {}
        }
    }

    fn later(&mut self, at: u64, happening: Happening) {
        self.sequence += 1;
        self.happenings.push(Reverse((at, self.sequence, happening)));
    }
}
