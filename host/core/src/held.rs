//! A task that is held: by what it depends on, or by the runs of others that have taken all slots.

use crate::context::Context;
use crate::dependency::{Fate, Links, Need};
use crate::event::{StateName, TaskState};
use crate::id::TaskId;
use crate::input::{Command, Input};
use crate::outcome::OutcomeKind;
use crate::schedule::{Due, Tick};
use crate::slots::Ticket;
use crate::state::{End, Former, Hold, Hope, Order, State, Then, Wait, Why};
use crate::task::Task;
use crate::waiting::skip;
use std::mem;

/// Why a task waits whose turn has come.
const NO_SLOT: &str = "waiting for a free slot";

/// Up to so many conditions that are left, each that comes true is told: a task that waits for thousands is not told
/// of thousands of times.
const TOLD: usize = 8;

impl Task {
    /// The state of a task that must wait for others before it may wait for this; `None`: nothing holds it.
    pub(crate) fn hold_back(&mut self, wait: Wait, cx: &mut Context<'_>) -> Option<State> {
        let need = wait.need().filter(|need| !cx.links.is_met(cx.id, *need))?;
        self.attempt = wait.attempt();
        let hope = cx.links.hope(cx.id, need);
        // What has run and will not run again by itself stays as it ended.
        let stays = match need {
            Need::Gate => false,
            Need::Trigger => hope == Hope::None && self.shown != Some(StateName::Pending),
        };
        if !stays {
            self.tell_hold(need, cx);
        }
        Some(State::Held { wait, hold: Hold::Dependencies { need, hope } })
    }

    fn tell_hold(&mut self, need: Need, cx: &mut Context<'_>) {
        let reason = Some(cx.links.reason(cx.id, need));
        self.tell(TaskState { reason, ..self.change(StateName::Pending, cx) }, cx);
    }

    /// Something has changed in what the task depends on. `others`: it depends on other tasks than before.
    pub(crate) fn reconsider(&mut self, others: bool, cx: &mut Context<'_>) {
        let State::Held { wait, hold: Hold::Dependencies { need, hope: before } } = self.state else {
            return;
        };
        if cx.links.is_met(cx.id, need) {
            self.state = self.wait(wait, false, cx);
            return;
        }
        let hope = cx.links.hope(cx.id, need);
        let tells = match (before, hope) {
            (Hope::Left(before), Hope::Left(left)) => others || (left != before && left <= TOLD),
            (Hope::None, Hope::Left(_)) => true,
            // Where it stays as it ended, it goes on to.
            (Hope::Left(_), Hope::None) => self.shown == Some(StateName::Pending),
            (Hope::None, Hope::None) => others && self.shown == Some(StateName::Pending),
        };
        if tells {
            self.tell_hold(need, cx);
        }
        self.state = State::Held { wait, hold: Hold::Dependencies { need, hope } };
    }

    /// The wait is over: asks for a run, or queues for a slot.
    pub(crate) fn launch_or_queue(&mut self, wait: Wait, due: Due, cx: &mut Context<'_>) -> State {
        if !cx.plan.takes_slot() || cx.slots.is_free() {
            return self.launch(wait, due.start.tick, cx);
        }
        let reason = Some(NO_SLOT.to_owned());
        self.tell(TaskState { reason, ..self.change(StateName::Pending, cx) }, cx);
        State::Held { wait, hold: Hold::Slot { ticket: cx.slots.wait(cx.id), due } }
    }

    /// A slot is free for it.
    pub(crate) fn take_slot(&mut self, cx: &mut Context<'_>) {
        let State::Held { wait, hold: Hold::Slot { due, .. } } = self.state else { return };
        let tick = match wait {
            Wait::First(_) | Wait::Tick { .. } => self.skip_queued(due, cx),
            Wait::Retry { .. } | Wait::Trigger(_) | Wait::Dependencies => due.start.tick,
        };
        self.state = self.launch(wait, tick, cx);
    }

    /// Skips the ticks that have passed in the queue since that at `due`; returns the last of them.
    fn skip_queued(&self, due: Due, cx: &mut Context<'_>) -> Tick {
        let (tick, skipped) = cx.plan.schedule.passed(due.start.tick, cx.now);
        if let Some(skipped) = skipped {
            skip(skipped, NO_SLOT.to_owned(), cx);
        }
        tick
    }

    pub(crate) fn in_held(&mut self, wait: Wait, hold: Hold, input: Input, cx: &mut Context<'_>) -> State {
        match input {
            Input::Operator { command: Command::Stop, .. } => self.end(Order::Stop, None, cx),
            Input::Operator { command: Command::Start, .. } => self.begin(Why::Start, None, cx),
            Input::Operator { command: Command::Restart, .. } => self.begin(Why::Restart, None, cx),
            Input::Operator { command: Command::Trigger, .. } => match (hold, wait) {
                (Hold::Dependencies { .. }, Wait::First(why)) => self.trigger(Former::Begin(why), cx),
                (Hold::Dependencies { .. }, Wait::Dependencies) => self.trigger(Former::Dependencies, cx),
                // It runs as soon as it can anyway.
                (Hold::Slot { .. }, Wait::First(_) | Wait::Dependencies)
                | (_, Wait::Tick { .. } | Wait::Retry { .. } | Wait::Trigger(_)) => {
                    State::Held { wait, hold }
                }
            },
            // What has run and waits in vain stays as it ended.
            Input::Shutdown | Input::Kill if self.shown != Some(StateName::Pending) => {
                State::Ended(End::AsLastRun)
            }
            Input::Shutdown => self.end(Order::Shutdown, None, cx),
            Input::Kill => self.end(Order::Kill, None, cx),
            Input::LastTick { .. }
            | Input::ClockChanged
            | Input::HealthChecked { .. }
            | Input::Reload(_)
            | Input::Begin
            | Input::Tick
            | Input::Started { .. }
            | Input::NotStarted { .. }
            | Input::Finished { .. }
            | Input::Gone { .. }
            | Input::CannotForce { .. } => State::Held { wait, hold },
        }
    }

    /// Why it will never run again by itself; `None`: it may.
    pub(crate) fn fate(&self, id: TaskId, links: &Links) -> Option<Fate> {
        match self.state {
            State::Ended(End::Stopped(_)) | State::Clearing { then: Then::End(End::Stopped(_)), .. } => {
                Some(Fate::Stopped)
            }
            State::Ended(End::AsLastRun) | State::Clearing { then: Then::End(End::AsLastRun), .. } => {
                Some(self.last_fate().unwrap_or(Fate::Stopped))
            }
            State::Stuck { .. } => Some(Fate::Stuck),
            State::Held { hold: Hold::Dependencies { need, .. }, .. } => {
                links.is_blocked(id, need).then(|| self.last_fate().unwrap_or(Fate::Blocked))
            }
            State::New
            | State::Held { hold: Hold::Slot { .. }, .. }
            | State::Waiting { .. }
            | State::Starting { .. }
            | State::Running(_)
            | State::Clearing { then: Then::Wait(_), .. } => None,
        }
    }

    /// As its last run ended; `None`: there was none, or somebody stopped it.
    fn last_fate(&self) -> Option<Fate> {
        match self.last_outcome.as_ref()?.kind {
            OutcomeKind::Completed => Some(Fate::Completed),
            OutcomeKind::Failed => Some(Fate::Failed),
            OutcomeKind::TimedOut => Some(Fate::TimedOut),
            OutcomeKind::Stopped => None,
        }
    }

    /// Its place in the queue for a slot.
    pub(crate) fn ticket(&self) -> Option<Ticket> {
        match self.state {
            State::Held { hold: Hold::Slot { ticket, .. }, .. } => Some(ticket),
            State::Held { hold: Hold::Dependencies { .. }, .. }
            | State::New
            | State::Waiting { .. }
            | State::Starting { .. }
            | State::Running(_)
            | State::Stuck { .. }
            | State::Clearing { .. }
            | State::Ended(_) => None,
        }
    }

    /// Whether a run is alive or being started, or something is left of one.
    pub(crate) fn is_up(&self) -> bool {
        match self.state {
            State::Starting { .. } | State::Running(_) | State::Stuck { .. } | State::Clearing { .. } => true,
            State::New | State::Waiting { .. } | State::Held { .. } | State::Ended(_) => false,
        }
    }

    /// Whether a run is alive or being started.
    pub(crate) fn has_run_under_way(&self) -> bool {
        matches!(self.state, State::Starting { .. } | State::Running(_))
    }

    /// Whether nothing is left of it.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, State::Ended(_))
    }

    /// Whether its run cannot be ended.
    pub(crate) fn is_stuck(&self) -> bool {
        matches!(self.state, State::Stuck { .. })
    }

    /// Ends it for good: nothing of it is to come back.
    pub(crate) fn remove(&mut self, cx: &mut Context<'_>) {
        self.state = match mem::replace(&mut self.state, State::New) {
            State::New | State::Waiting { .. } | State::Held { .. } | State::Ended(End::AsLastRun) => {
                self.end(Order::Remove, None, cx)
            }
            State::Ended(End::Stopped(_)) => State::Ended(End::Stopped(Order::Remove)),
            State::Starting { turn, .. } => State::Starting { turn, order: Some(Order::Remove) },
            State::Running(running) => self.stop_by_order(running, Order::Remove, cx),
            State::Stuck { running, cause } => State::Stuck { running, cause: cause.ordered(Order::Remove) },
            State::Clearing { force, .. } => self.end(Order::Remove, Some(force), cx),
        };
    }

    /// A reload has a task again that an earlier one removed, and of which something is still alive: it begins when that
    /// is gone, so that it never has two live runs.
    pub(crate) fn come_again(&mut self, cx: &mut Context<'_>) {
        self.state = match mem::replace(&mut self.state, State::New) {
            State::Starting { turn, .. } => State::Starting { turn, order: Some(Order::Change) },
            State::Running(running) => self.stop_by_order(running, Order::Change, cx),
            State::Stuck { running, cause } => State::Stuck { running, cause: cause.ordered(Order::Change) },
            State::Clearing { force, .. } => self.begin(Why::Host, Some(force), cx),
            State::New | State::Waiting { .. } | State::Held { .. } | State::Ended(_) => {
                self.begin(Why::Host, None, cx)
            }
        };
    }
}

impl Wait {
    /// What has to come true of other tasks first.
    fn need(self) -> Option<Need> {
        match self {
            // A restart is one run now, whatever else.
            Wait::First(Why::Restart | Why::CatchUp { .. })
            | Wait::Tick { .. }
            | Wait::Retry { .. }
            | Wait::Trigger(_) => None,
            Wait::First(Why::Host | Why::Start | Why::Change) => Some(Need::Gate),
            Wait::Dependencies => Some(Need::Trigger),
        }
    }

    /// Whether other tasks hold it.
    pub(crate) fn is_held(self, cx: &Context<'_>) -> bool {
        self.need().is_some_and(|need| !cx.links.is_met(cx.id, need))
    }
}

impl Hold {
    /// Whether nothing else holds a task that would wait for this otherwise.
    pub(crate) fn stays(self, wait: Wait, cx: &Context<'_>) -> bool {
        match self {
            Hold::Dependencies { .. } => true,
            Hold::Slot { .. } => !wait.is_held(cx),
        }
    }

    /// In words.
    pub(crate) fn reason(self, id: TaskId, links: &Links) -> String {
        match self {
            Hold::Dependencies { need, .. } => links.reason(id, need),
            Hold::Slot { .. } => NO_SLOT.to_owned(),
        }
    }
}
