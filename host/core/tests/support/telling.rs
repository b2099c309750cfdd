//! The book of what people are told about one task.

use bansuri_core::{Mono, Notice, NoticeKind, NotifyMode, Now, OnFail, Schedule, TaskPlan};
use std::time::Duration;

/// What is known of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Telling {
    failures: u32,
    told: bool,
    held_until: Option<Mono>,
    /// What must be told before the step is over.
    owed: Owed,
    /// What is held back must be dropped before the step is over.
    drops: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Owed {
    Nothing,
    Failure,
    /// If no retry follows.
    FailureUnlessRetried,
    Stuck,
    Recovery,
}

impl Telling {
    pub(super) fn new() -> Self {
        Self { failures: 0, told: false, held_until: None, owed: Owed::Nothing, drops: false }
    }

    pub(super) fn ended(&mut self, plan: &TaskPlan, lived: Duration) {
        if let (Schedule::Service, OnFail::Restart(retry)) = (&plan.schedule, &plan.on_fail)
            && lived > retry.backoff.max
        {
            self.failures = 0;
        }
    }

    pub(super) fn failed(&mut self, plan: &TaskPlan, told: bool) {
        let Some(notify) = &plan.notify else { return };
        self.failures += 1;
        self.owed = match notify.mode {
            _ if told => Owed::Nothing,
            NotifyMode::AfterFail => Owed::Failure,
            NotifyMode::AfterMany(count) if self.failures == count.get() => Owed::Failure,
            NotifyMode::AfterMany(_) => Owed::Nothing,
            NotifyMode::OnExhausted => Owed::FailureUnlessRetried,
        };
    }

    pub(super) fn stuck(&mut self, plan: &TaskPlan) {
        if plan.notify.is_some() {
            self.owed = Owed::Stuck;
        }
    }

    pub(super) fn succeeded(&mut self, plan: &TaskPlan) {
        let recovers = plan.notify.as_ref().is_some_and(|notify| notify.recovery);
        self.owed = if self.told && recovers { Owed::Recovery } else { Owed::Nothing };
        (self.failures, self.told, self.drops) = (0, false, self.held_until.is_some());
    }

    pub(super) fn notice(&mut self, notice: &Notice, plan: &TaskPlan, now: Now) {
        let owed = std::mem::replace(&mut self.owed, Owed::Nothing);
        let fits = match owed {
            Owed::Nothing => false,
            Owed::Failure | Owed::FailureUnlessRetried => notice.kind == NoticeKind::Failure,
            Owed::Stuck => notice.kind == NoticeKind::Stuck,
            Owed::Recovery => notice.kind == NoticeKind::Recovery,
        };
        assert!(fits, "told of what it should not: {owed:?} {notice:?}");
        let after = plan.notify.as_ref().expect("somebody is told").after;
        match after {
            Some(after) if notice.held => {
                assert_eq!(notice.kind, NoticeKind::Failure, "{notice:?}");
                self.held_until.get_or_insert(now.mono + after.duration());
            }
            Some(_) | None => {
                assert!(!notice.held, "{notice:?}");
                self.told |= notice.kind != NoticeKind::Recovery;
            }
        }
    }

    pub(super) fn sent(&mut self) {
        assert!(self.held_until.take().is_some(), "nothing was held back");
        self.told = true;
    }

    pub(super) fn dropped(&mut self) {
        assert!(std::mem::take(&mut self.drops), "dropped without a success");
        self.held_until = None;
    }

    /// `retried`: the task waits for a retry, or for what may be one.
    pub(super) fn end_of_step(&mut self, retried: bool, may_succeed: bool, now: Now) {
        match self.owed {
            Owed::Nothing => {}
            Owed::FailureUnlessRetried => assert!(retried, "not told that no attempt is left"),
            Owed::Failure | Owed::Stuck | Owed::Recovery => panic!("not told: {self:?}"),
        }
        self.owed = Owed::Nothing;
        assert!(!self.drops, "held back after a success");
        assert!(self.held_until.is_none_or(|until| until > now.mono), "held back for too long: {self:?}");
        assert!(may_succeed || self.held_until.is_none(), "held back for nothing: {self:?}");
    }
}
