//! Failures in a row, and who was told of them.

use crate::plan::{NotifyMode, NotifyPlan};
use crate::time::Mono;

/// The failures of a task since its last success, or since a service lived long.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Streak {
    failures: u32,
    /// Somebody was told of one of them.
    told: bool,
    /// Something is held back until this time.
    held_until: Option<Mono>,
}

/// What becomes of a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Telling {
    /// Nobody is told.
    Nobody,
    /// It is told now.
    AtOnce,
    /// It is held back.
    Held,
}

/// What becomes of a success.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Relief {
    /// Something was held back, and is told to nobody.
    pub(crate) drop_held: bool,
    /// Those who were told of failures are told of the recovery.
    pub(crate) tell: bool,
}

/// What follows a failed run, as far as telling of it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Prospect {
    /// A retry of the same turn.
    Retry,
    /// Another turn, some time.
    Later,
    /// Nothing by itself.
    Nothing,
}

impl Streak {
    /// A run has failed. `told`: somebody was told while it was alive.
    pub(crate) fn failed(&mut self, plan: &NotifyPlan, prospect: Prospect, told: bool, now: Mono) -> Telling {
        self.failures = self.failures.saturating_add(1);
        let wanted = match (plan.mode, prospect) {
            (NotifyMode::AfterFail, Prospect::Retry | Prospect::Later | Prospect::Nothing)
            | (NotifyMode::OnExhausted, Prospect::Later | Prospect::Nothing) => true,
            (NotifyMode::OnExhausted, Prospect::Retry) => false,
            (NotifyMode::AfterMany(count), Prospect::Retry | Prospect::Later | Prospect::Nothing) => {
                self.failures == count.get()
            }
        };
        if !wanted || told {
            return Telling::Nobody;
        }
        match (plan.after, prospect) {
            (Some(after), Prospect::Retry | Prospect::Later) => {
                // What follows while something is held back joins it.
                self.held_until.get_or_insert(now + after.duration());
                Telling::Held
            }
            (Some(_), Prospect::Nothing) | (None, _) => {
                self.told = true;
                Telling::AtOnce
            }
        }
    }

    /// A service's run has lived long: what follows is in no row with what came before it, and those who were told
    /// still wait to hear of a success.
    pub(crate) fn lived_long(&mut self) {
        self.failures = 0;
    }

    /// Somebody is told of a run that is stuck.
    pub(crate) fn stuck(&mut self) {
        self.told = true;
    }

    /// A run has succeeded: the streak is over.
    pub(crate) fn succeeded(&mut self, plan: &NotifyPlan) -> Relief {
        let Self { told, held_until, .. } = std::mem::take(self);
        Relief { drop_held: held_until.is_some(), tell: told && plan.recovery }
    }

    /// When what is held back is told.
    pub(crate) fn deadline(&self) -> Option<Mono> {
        self.held_until
    }

    /// Whether something was held back; from now on it is told.
    pub(crate) fn send_held(&mut self) -> bool {
        let held = self.held_until.take().is_some();
        self.told |= held;
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Positive;
    use std::num::NonZeroU32;
    use std::time::Duration;

    fn plan(mode: NotifyMode, after: u64) -> NotifyPlan {
        NotifyPlan { mode, recovery: true, after: Positive::new(Duration::from_nanos(after)) }
    }

    fn at(nanos: u64) -> Mono {
        Mono::from_nanos(nanos)
    }

    fn many(count: u32) -> NotifyMode {
        NotifyMode::AfterMany(NonZeroU32::new(count).unwrap())
    }

    #[test]
    fn each_mode_tells_of_its_failures() {
        use Prospect::{Later, Nothing, Retry};
        let prospects = [Retry, Retry, Later, Retry, Nothing];
        let check = |mode, expect: [bool; 5]| {
            let mut streak = Streak::default();
            let told =
                prospects.map(|next| streak.failed(&plan(mode, 0), next, false, at(1)) == Telling::AtOnce);
            assert_eq!(told, expect, "{mode:?}");
        };
        check(NotifyMode::AfterFail, [true; 5]);
        check(NotifyMode::OnExhausted, [false, false, true, false, true]);
        check(many(1), [true, false, false, false, false]);
        check(many(3), [false, false, true, false, false]);
        check(many(6), [false; 5]);
    }

    #[test]
    fn failures_after_a_long_life_are_in_a_row_of_their_own() {
        let plan = plan(many(2), 0);
        let mut streak = Streak::default();
        let mut fails = |lived_long| {
            if lived_long {
                streak.lived_long();
            }
            streak.failed(&plan, Prospect::Retry, false, at(1)) == Telling::AtOnce
        };
        assert_eq!([fails(false), fails(true), fails(false), fails(false)], [false, false, true, false]);
        assert_eq!([fails(true), fails(false)], [false, true], "and it is told of again");
    }

    #[test]
    fn what_is_held_is_sent_dropped_or_overtaken_by_the_end() {
        let plan = plan(NotifyMode::AfterFail, 10);
        let mut streak = Streak::default();
        assert_eq!(streak.failed(&plan, Prospect::Later, false, at(5)), Telling::Held);
        assert_eq!(streak.failed(&plan, Prospect::Later, false, at(9)), Telling::Held);
        assert_eq!(streak.deadline(), Some(at(15)), "the first one's time counts");
        let mut dropped = streak;
        assert_eq!(dropped.succeeded(&plan), Relief { drop_held: true, tell: false });
        assert_eq!(dropped, Streak::default());
        assert!(streak.send_held() && !streak.send_held());
        assert_eq!(streak.failed(&plan, Prospect::Nothing, false, at(20)), Telling::AtOnce);
        assert_eq!(streak.succeeded(&plan), Relief { drop_held: false, tell: true });
    }

    #[test]
    fn recovery_is_told_only_to_those_who_were_told_of_a_failure() {
        let plan = plan(many(2), 0);
        let mut streak = Streak::default();
        streak.failed(&plan, Prospect::Later, false, at(1));
        assert_eq!(streak.succeeded(&plan), Relief { drop_held: false, tell: false });
        streak.stuck();
        assert_eq!(streak.failed(&plan, Prospect::Later, true, at(1)), Telling::Nobody);
        assert_eq!(streak.succeeded(&plan), Relief { drop_held: false, tell: true });
    }
}
