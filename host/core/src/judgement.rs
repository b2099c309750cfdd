//! The end of a run: how it is judged, and what follows.

use crate::context::{Context, Milestone};
use crate::event::TaskState;
use crate::outcome::{Exit, Outcome, OutcomeKind};
use crate::policy::{self, Decision};
use crate::state::{Cause, End, Force, Former, Order, Phase, Remains, Running, State, Then, Turn, Wait, Why};
use crate::streak::Prospect;
use crate::task::Task;
use crate::time::spelled;
use std::time::Duration;

/// The end of a run, on its way to be told and followed by something.
pub(crate) struct Over {
    pub(crate) turn: Turn,
    pub(crate) pid: Option<u32>,
    pub(crate) outcome: Outcome,
    /// What somebody wants to follow; `None`: policy decides.
    pub(crate) order: Option<Order>,
    /// Whether some of its group is still alive.
    pub(crate) remains: Remains,
    /// Whether somebody was told of the failure while the run was alive.
    pub(crate) told: bool,
}

/// Who says what follows a run.
enum Next {
    Policy(Then),
    Order(Order),
}

impl Task {
    /// A live run has ended. `order` is what somebody wants to follow one that was not asked to stop.
    pub(crate) fn finished(
        &mut self,
        running: Running,
        exit: &Exit,
        remains: bool,
        order: Option<Order>,
        cx: &mut Context<'_>,
    ) -> State {
        let Running { turn, pid, since, phase } = running;
        let duration = cx.now.mono.since(since);
        let (outcome, order, asked) = match phase {
            Phase::Free { .. } => (Outcome::by_exit(exit, &cx.plan.success_codes, duration), order, None),
            Phase::Stopping { cause, force } => (
                Outcome::judged(cause.kind(), exit, duration, self.reason_of(cause)),
                cause.order(),
                Some(force),
            ),
        };
        self.conclude(
            Over { turn, pid, outcome, order, remains: Remains::of(remains, asked), told: false },
            cx,
        )
    }

    /// A stuck run has ended after all.
    pub(crate) fn came_back(
        &mut self,
        running: Running,
        cause: Cause,
        exit: &Exit,
        remains: bool,
        cx: &mut Context<'_>,
    ) -> State {
        let Running { turn, pid, since, .. } = running;
        let reason = format!("ignored stop past its stop-timeout of {}", spelled(cx.plan.stop_timeout));
        let outcome = Outcome::judged(OutcomeKind::TimedOut, exit, cx.now.mono.since(since), reason);
        let remains = Remains::of(remains, Some(Force::Sent));
        self.conclude(Over { turn, pid, outcome, order: cause.order(), remains, told: true }, cx)
    }

    /// Tells how a run has ended, and goes on to what follows.
    pub(crate) fn conclude(&mut self, over: Over, cx: &mut Context<'_>) -> State {
        let Over { turn, pid, outcome, order, remains, told } = over;
        let end = TaskState {
            pid,
            exit_code: outcome.exit_code,
            signal: outcome.signal,
            duration: Some(outcome.duration),
            reason: Some(outcome.reason.clone()),
            ..self.change(outcome.kind.into(), cx)
        };
        self.tell(end, cx);
        let kind = outcome.kind;
        self.last_outcome = Some(outcome.clone());
        self.ended_at = cx.now.mono;
        if policy::lived_long(cx.plan, outcome.duration) {
            self.streak.lived_long();
        }
        if kind == OutcomeKind::Completed {
            self.successes += 1;
            cx.milestone(Milestone::Completed);
        }
        let (next, prospect) = match order {
            None => {
                let (then, prospect) = self.by_policy(turn, kind, outcome.duration, cx);
                (Next::Policy(then), prospect)
            }
            Some(order @ (Order::Restart | Order::Change)) => (Next::Order(order), Prospect::Later),
            Some(order @ (Order::Stop | Order::Remove | Order::Shutdown | Order::Kill)) => {
                (Next::Order(order), Prospect::Nothing)
            }
        };
        let prospect = if cx.is_ending { Prospect::Nothing } else { prospect };
        self.tell_people(outcome, prospect, told, cx);
        let remains = match remains {
            Remains::None => None,
            Remains::Unasked if order == Some(Order::Kill) => Some(self.force(cx)),
            Remains::Unasked => Some(self.ask(cx)),
            // The group has been asked already, and keeps the time it was given.
            Remains::Asked(force) => Some(force),
        };
        match next {
            Next::Policy(then) => self.follow(then, remains, cx),
            Next::Order(Order::Restart) => self.begin(Why::Restart, remains, cx),
            Next::Order(Order::Change) => self.begin_changed(turn, remains, cx),
            Next::Order(order @ (Order::Stop | Order::Remove | Order::Shutdown | Order::Kill)) => {
                self.end(order, remains, cx)
            }
        }
    }

    /// What follows a run that nobody interfered with.
    fn by_policy(
        &mut self,
        turn: Turn,
        kind: OutcomeKind,
        lived: Duration,
        cx: &mut Context<'_>,
    ) -> (Then, Prospect) {
        let lived_long = policy::lived_long(cx.plan, lived);
        if lived_long {
            self.restarts = 0;
        }
        let failures = if lived_long { 1 } else { self.attempt };
        let decision = self.decide(turn, kind, failures, cx);
        let then = self.after(decision, turn, cx);
        let prospect = match (decision, then) {
            (Decision::Retry { .. }, _) => Prospect::Retry,
            (Decision::End | Decision::GoOn, Then::Wait(_)) => Prospect::Later,
            (Decision::End | Decision::GoOn, Then::End(_)) => Prospect::Nothing,
        };
        (then, prospect)
    }

    /// What policy says to the end of a run, the last of this many failures in a row if it failed.
    pub(crate) fn decide(&self, turn: Turn, kind: OutcomeKind, failures: u32, cx: &Context<'_>) -> Decision {
        if kind.is_failure() {
            return policy::after_failure(cx.plan, failures);
        }
        match (policy::after_success(cx.plan, self.successes), turn) {
            // A triggered run of a service is one run.
            (Decision::Retry { .. }, Turn::Triggered(_)) => Decision::GoOn,
            (decision, Turn::Triggered(_) | Turn::Scheduled { .. }) => decision,
        }
    }

    /// What follows a turn, or a run of it, that policy has decided on.
    pub(crate) fn after(&mut self, decision: Decision, turn: Turn, cx: &mut Context<'_>) -> Then {
        let (end, now) = (self.ended_at, cx.now);
        match (decision, turn) {
            (Decision::Retry { attempt }, turn) => self.again(turn, attempt, cx),
            // A triggered turn does not revive a stopped task, however it ends.
            (Decision::End | Decision::GoOn, Turn::Triggered(Former::Stopped(order))) => {
                Then::End(End::Stopped(order))
            }
            (Decision::End, Turn::Scheduled { .. } | Turn::Triggered(_))
            | (Decision::GoOn, Turn::Triggered(Former::Ended)) => Then::End(End::AsLastRun),
            (Decision::GoOn, Turn::Scheduled { .. }) if cx.plan.is_triggered() => {
                Then::Wait(Wait::Dependencies)
            }
            (Decision::GoOn, Turn::Triggered(Former::Begin(why))) => Then::Wait(Wait::First(why)),
            (Decision::GoOn, Turn::Triggered(Former::Dependencies)) => Then::Wait(Wait::Dependencies),
            (Decision::GoOn, Turn::Scheduled { tick }) => {
                match cx.plan.schedule.next_tick(tick, self.taken, end, now) {
                    Some(tick) => Then::Wait(Wait::Tick { due: cx.scheduled(tick) }),
                    None => Then::End(End::AsLastRun),
                }
            }
            (Decision::GoOn, Turn::Triggered(Former::Tick { due })) => {
                Then::Wait(Wait::Tick { due: cx.plan.schedule.after_trigger(due, now) })
            }
            (Decision::GoOn, Turn::Triggered(Former::Retry { at, attempt, tick })) => {
                Then::Wait(Wait::Retry { at, attempt, turn: Turn::Scheduled { tick } })
            }
        }
    }

    /// The same turn again, after the delay of the retry it is.
    fn again(&mut self, turn: Turn, attempt: u32, cx: &mut Context<'_>) -> Then {
        let nth = if policy::is_kept_alive(cx.plan) {
            self.restarts = self.restarts.saturating_add(1);
            self.restarts
        } else {
            attempt.saturating_sub(1)
        };
        let delay = policy::retry(cx.plan).map_or(Duration::ZERO, |retry| retry.wait_before(nth, cx.random));
        Then::Wait(Wait::Retry { at: cx.now.mono + delay, attempt, turn })
    }
}
