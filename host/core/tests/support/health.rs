//! The book of the health of one run.

use bansuri_core::{Mono, Now, TaskPlan};

/// What is known of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Checks {
    since: Mono,
    /// When the check under way was asked for.
    asked: Option<Mono>,
    /// When the last one ended.
    ended: Mono,
    failures: u32,
}

impl Checks {
    pub(super) fn new(since: Mono) -> Self {
        Self { since, asked: None, ended: since, failures: 0 }
    }

    pub(super) fn ask(&mut self, plan: &TaskPlan, now: Now) {
        let plan = plan.health.as_ref().expect("a check without a plan");
        assert!(self.asked.is_none(), "two checks at once: {self:?}");
        assert!(self.ended + plan.interval.duration() <= now.mono, "checked too early: {self:?}");
        self.asked = Some(now.mono);
    }

    /// False: nobody asked.
    pub(super) fn answer(&mut self, plan: &TaskPlan, passed: bool, now: Now) -> bool {
        let (Some(plan), Some(asked)) = (&plan.health, self.asked.take()) else { return false };
        self.ended = now.mono;
        if passed {
            self.failures = 0;
        } else if asked >= self.since + plan.start_period {
            self.failures += 1;
        }
        true
    }

    pub(super) fn is_unhealthy(&self, plan: &TaskPlan) -> bool {
        plan.health.as_ref().is_some_and(|plan| self.failures >= plan.retries.get())
    }

    pub(super) fn is_overdue(&self, plan: &TaskPlan, now: Now) -> bool {
        let due = |plan: &bansuri_core::HealthPlan| self.ended + plan.interval.duration() <= now.mono;
        self.asked.is_none() && plan.health.as_ref().is_some_and(due)
    }
}
