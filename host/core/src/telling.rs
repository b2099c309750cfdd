//! Which people are told of a task's failures, and when.

use crate::context::Context;
use crate::effect::{Effect, Notice, NoticeKind};
use crate::outcome::{Outcome, OutcomeKind};
use crate::policy;
use crate::streak::{Prospect, Relief, Telling};
use crate::task::{STUCK, Task};
use std::time::Duration;

impl Task {
    /// A run has ended. `told`: somebody was told of its failure while it was alive.
    pub(crate) fn tell_people(
        &mut self,
        outcome: Outcome,
        prospect: Prospect,
        told: bool,
        cx: &mut Context<'_>,
    ) {
        let Some(plan) = &cx.plan.notify else { return };
        match outcome.kind {
            OutcomeKind::Failed | OutcomeKind::TimedOut => {
                match prospect {
                    // What was held back comes before what is told last.
                    Prospect::Nothing => self.send_held(cx),
                    Prospect::Retry | Prospect::Later => {}
                }
                match self.streak.failed(plan, prospect, told, cx.now.mono) {
                    Telling::Nobody => {}
                    Telling::AtOnce => self.notify(outcome, NoticeKind::Failure, false, cx),
                    Telling::Held => self.notify(outcome, NoticeKind::Failure, true, cx),
                }
            }
            OutcomeKind::Completed => {
                let Relief { drop_held, tell } = self.streak.succeeded(plan);
                if drop_held {
                    cx.effects.push_back(Effect::DropHeld { task: cx.id });
                }
                if tell {
                    self.notify(outcome, NoticeKind::Recovery, false, cx);
                }
            }
            OutcomeKind::Stopped => {}
        }
    }

    /// A run is stuck: told at once, whatever the mode.
    pub(crate) fn tell_stuck(&mut self, lived: Duration, cx: &mut Context<'_>) {
        if cx.plan.notify.is_none() {
            return;
        }
        // While it lives the task cannot succeed.
        self.send_held(cx);
        self.streak.stuck();
        let outcome = Outcome {
            kind: OutcomeKind::TimedOut,
            exit_code: None,
            signal: None,
            duration: lived,
            reason: STUCK.to_owned(),
        };
        self.notify(outcome, NoticeKind::Stuck, false, cx);
    }

    /// Nothing is held back any more.
    pub(crate) fn send_held(&mut self, cx: &mut Context<'_>) {
        if self.streak.send_held() {
            cx.effects.push_back(Effect::SendHeld { task: cx.id });
        }
    }

    /// Something was held back, and the time for that has come.
    pub(crate) fn send_overdue(&mut self, cx: &mut Context<'_>) {
        if self.streak.deadline().is_some_and(|due| due <= cx.now.mono) {
            self.send_held(cx);
        }
    }

    fn notify(&self, outcome: Outcome, kind: NoticeKind, held: bool, cx: &mut Context<'_>) {
        let max_attempts = policy::max_attempts(cx.plan);
        let notice =
            Notice { run: self.run_id(cx), attempt: self.attempt, max_attempts, outcome, kind, held };
        cx.effects.push_back(Effect::Notify(notice));
    }
}
