//! What becomes of one task when another plan says something else about it.

use crate::context::Context;
use crate::event::TaskState;
use crate::input::Change;
use crate::outcome::OutcomeKind;
use crate::plan::{OnFail, Schedule, TaskPlan};
use crate::policy::{self, Decision};
use crate::state::{Cause, End, Force, Former, Order, Phase, Running, State, Then, Turn, Wait, Why};
use crate::task::Task;
use std::mem;

/// What of a change is still to be done, once the plan itself has been taken over.
#[derive(Clone, Copy)]
struct Rework {
    /// It runs something else.
    runs_other: bool,
    /// The next run is computed afresh.
    runs_otherwise: bool,
    /// It ran once, and nothing but that ended it.
    was_once: bool,
}

impl Task {
    /// Goes on by another plan, which `cx` holds; `before` is the one up to now.
    pub(crate) fn take_over(&mut self, before: &TaskPlan, change: Change, cx: &mut Context<'_>) {
        let plan = cx.plan;
        let differs = || {
            before.schedule != plan.schedule
                || before.jitter != plan.jitter
                || before.is_triggered() != plan.is_triggered()
        };
        let rework = Rework {
            runs_other: change == Change::Command,
            runs_otherwise: match change {
                Change::None | Change::Policy => false,
                Change::Schedule | Change::Command => differs(),
            },
            was_once: before.schedule == Schedule::Once && !before.is_triggered(),
        };
        self.state = match mem::replace(&mut self.state, State::New) {
            State::New => State::New,
            State::Waiting { wait, due } => match self.revised(wait, rework, cx) {
                Then::Wait(after) if after == wait && !wait.is_held(cx) => State::Waiting { wait, due },
                then => self.resume(then, None, cx),
            },
            State::Held { wait, hold } => match self.revised(wait, rework, cx) {
                Then::Wait(after) if after == wait && hold.stays(wait, cx) => State::Held { wait, hold },
                then => self.resume(then, None, cx),
            },
            State::Starting { turn, order } => {
                let order = if rework.runs_other { changed(order) } else { order };
                State::Starting { turn: self.revised_turn(turn, rework, cx), order }
            }
            State::Running(running) => self.revise_running(running, before, rework, cx),
            State::Stuck { running, cause } => {
                let cause = if rework.runs_other { cause_changed(cause) } else { cause };
                State::Stuck { running, cause }
            }
            State::Clearing { force, then } => match self.revised_then(then, rework, cx) {
                after if after == then => State::Clearing { force, then },
                after => self.resume(after, Some(force), cx),
            },
            State::Ended(end) => match self.revised_then(Then::End(end), rework, cx) {
                after if after == Then::End(end) => State::Ended(end),
                after => self.resume(after, None, cx),
            },
        };
    }

    /// A live run goes on, with another timeout and other checks; or is stopped, where it should be another.
    fn revise_running(
        &mut self,
        running: Running,
        before: &TaskPlan,
        rework: Rework,
        cx: &mut Context<'_>,
    ) -> State {
        let turn = self.revised_turn(running.turn, rework, cx);
        match running.phase {
            Phase::Free { .. } if rework.runs_other => {
                self.stop(Running { turn, ..running }, Cause::Order(Order::Change), cx)
            }
            Phase::Free { health, .. } => {
                let timeout_at = cx.plan.timeout.map(|timeout| running.since + timeout.duration());
                let health = health.revised(before.health.as_ref(), cx.plan.health.as_ref(), cx.now.mono);
                State::Running(Running { turn, phase: Phase::Free { timeout_at, health }, ..running })
            }
            Phase::Stopping { cause, force } => {
                let cause = if rework.runs_other { cause_changed(cause) } else { cause };
                State::Running(Running { turn, phase: Phase::Stopping { cause, force }, ..running })
            }
        }
    }

    /// What follows instead of this.
    fn revised_then(&mut self, then: Then, rework: Rework, cx: &mut Context<'_>) -> Then {
        match then {
            Then::Wait(wait) => self.revised(wait, rework, cx),
            Then::End(End::Stopped(_)) => then,
            Then::End(End::AsLastRun) if rework.runs_other => {
                self.successes = 0;
                Then::Wait(Wait::First(Why::Change))
            }
            // Only what has run once, and not what policy has ended, gets another run from a schedule.
            Then::End(End::AsLastRun) if rework.runs_otherwise && rework.was_once => self.next(cx),
            Then::End(End::AsLastRun) => then,
        }
    }

    /// What is waited for instead of this.
    fn revised(&mut self, wait: Wait, rework: Rework, cx: &mut Context<'_>) -> Then {
        let ran_enough = policy::after_success(cx.plan, self.successes) == Decision::End;
        match wait {
            Wait::Tick { .. } | Wait::Dependencies if ran_enough => Then::End(End::AsLastRun),
            Wait::Tick { .. } | Wait::Dependencies if rework.runs_otherwise => self.next(cx),
            Wait::Retry { attempt, turn, at } => {
                // What the turn leads back to first: the plan may leave it no attempt.
                let turn = self.revised_turn(turn, rework, cx);
                match self.give_up(attempt, turn, cx) {
                    Some(then) => then,
                    None => Then::Wait(Wait::Retry { attempt, turn, at }),
                }
            }
            Wait::Trigger(former) => Then::Wait(Wait::Trigger(self.revised_former(former, rework, cx))),
            Wait::First(_) | Wait::Tick { .. } | Wait::Dependencies => Then::Wait(wait),
        }
    }

    /// What follows where the plan leaves no attempt to a retry that is waited for; `None`: it does.
    fn give_up(&mut self, attempt: u32, turn: Turn, cx: &mut Context<'_>) -> Option<Then> {
        let kind = self.last_outcome.as_ref().map_or(OutcomeKind::Failed, |last| last.kind);
        match self.decide(turn, kind, attempt.saturating_sub(1).max(1), cx) {
            Decision::Retry { .. } => None,
            decision @ (Decision::GoOn | Decision::End) => Some(self.after(decision, turn, cx)),
        }
    }

    fn revised_turn(&mut self, turn: Turn, rework: Rework, cx: &mut Context<'_>) -> Turn {
        match turn {
            Turn::Triggered(former) => Turn::Triggered(self.revised_former(former, rework, cx)),
            Turn::Scheduled { .. } => turn,
        }
    }

    fn revised_former(&mut self, former: Former, rework: Rework, cx: &mut Context<'_>) -> Former {
        match former {
            Former::Tick { .. } | Former::Dependencies if rework.runs_otherwise => match self.next(cx) {
                Then::Wait(Wait::Tick { due }) => Former::Tick { due },
                Then::Wait(Wait::Dependencies) => Former::Dependencies,
                Then::Wait(Wait::First(why)) => Former::Begin(why),
                Then::Wait(Wait::Retry { .. } | Wait::Trigger(_)) | Then::End(_) => Former::Ended,
            },
            Former::Tick { .. }
            | Former::Dependencies
            | Former::Begin(_)
            | Former::Retry { .. }
            | Former::Ended
            | Former::Stopped(_) => former,
        }
    }

    /// The next run by a schedule that is new to the task, counted from its last run; the first, if there was none.
    fn next(&self, cx: &mut Context<'_>) -> Then {
        if self.is_ended_by(cx.plan) {
            return Then::End(End::AsLastRun);
        }
        let Some(tick) = self.tick else { return Then::Wait(Wait::First(Why::Host)) };
        if cx.plan.is_triggered() {
            return Then::Wait(Wait::Dependencies);
        }
        match cx.plan.schedule.next_tick(tick, self.taken, self.ended_at, cx.now) {
            Some(tick) => {
                let due = cx.scheduled(tick);
                let due = cx.plan.schedule.once_free(due, self.taken, cx.now).start;
                Then::Wait(Wait::Tick { due })
            }
            None if policy::is_kept_alive(cx.plan) => Then::Wait(Wait::First(Why::Host)),
            None => Then::End(End::AsLastRun),
        }
    }

    /// Whether no run follows the last by this plan, whatever its schedule.
    fn is_ended_by(&self, plan: &TaskPlan) -> bool {
        let failed = self.last_outcome.as_ref().is_some_and(|last| last.kind.is_failure());
        match policy::after_success(plan, self.successes) {
            Decision::End => true,
            Decision::GoOn | Decision::Retry { .. } => failed && plan.on_fail == OnFail::Stop,
        }
    }

    /// Goes on to something else than what was said before.
    fn resume(&mut self, then: Then, remains: Option<Force>, cx: &mut Context<'_>) -> State {
        let state = self.follow(then, remains, cx);
        if then == Then::End(End::AsLastRun)
            && let Some(last) = &self.last_outcome
            && self.shown != Some(last.kind.into())
        {
            let (to, reason) = (last.kind.into(), Some(last.reason.clone()));
            self.tell(TaskState { reason, ..self.change(to, cx) }, cx);
        }
        state
    }

    /// After a run that a reload has ended: begins afresh, or triggered once more where an operator triggered it.
    pub(crate) fn begin_changed(
        &mut self,
        turn: Turn,
        remains: Option<Force>,
        cx: &mut Context<'_>,
    ) -> State {
        match turn {
            Turn::Scheduled { .. } => self.begin(Why::Change, remains, cx),
            Turn::Triggered(former) => self.follow(Then::Wait(Wait::Trigger(former)), remains, cx),
        }
    }
}

/// What is wanted of a run that should be another; who stops or restarts it has wanted that already.
fn changed(order: Option<Order>) -> Option<Order> {
    match order {
        None | Some(Order::Change) => Some(Order::Change),
        Some(Order::Stop | Order::Restart | Order::Remove | Order::Shutdown | Order::Kill) => order,
    }
}

fn cause_changed(cause: Cause) -> Cause {
    match changed(cause.order()) {
        Some(order) => cause.ordered(order),
        None => cause,
    }
}
