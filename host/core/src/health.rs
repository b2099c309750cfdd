//! The health of one live run.

use crate::context::{Context, Milestone};
use crate::effect::Effect;
use crate::plan::HealthPlan;
use crate::state::{Cause, Phase, Running, State};
use crate::task::Task;
use crate::time::Mono;

/// What is known of a live run's health, and when more will be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Health {
    check: Check,
    /// Checks that failed since one passed.
    failures: u32,
    /// A check has passed.
    passed: bool,
}

/// The next answer about a run's health.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Check {
    /// It is not checked.
    Never,
    /// It is asked for at this time.
    At(Mono),
    /// It was asked for at this time.
    UnderWay(Mono),
}

/// What an answer means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    /// Nobody asked, or nothing follows from it.
    Nothing,
    /// It has passed for the first time.
    Healthy,
    /// It has failed too often.
    Unhealthy,
}

impl Health {
    /// Of a run that started at `since`.
    pub(crate) fn new(plan: Option<&HealthPlan>, since: Mono) -> Self {
        let check = plan.map_or(Check::Never, |plan| Check::At(since + plan.interval.duration()));
        Self { check, failures: 0, passed: false }
    }

    /// The same under another plan. What is under way stays so.
    pub(crate) fn revised(self, before: Option<&HealthPlan>, plan: Option<&HealthPlan>, now: Mono) -> Self {
        match (self.check, plan) {
            (check, Some(_)) if before == plan || matches!(check, Check::UnderWay(_)) => self,
            (Check::At(_) | Check::Never | Check::UnderWay(_), plan) => {
                Self { passed: self.passed && plan.is_some(), ..Self::new(plan, now) }
            }
        }
    }

    /// When a check is to be asked for.
    pub(crate) fn deadline(self) -> Option<Mono> {
        match self.check {
            Check::At(at) => Some(at),
            Check::Never | Check::UnderWay(_) => None,
        }
    }

    /// With a check under way.
    pub(crate) fn asked(self, now: Mono) -> Self {
        Self { check: Check::UnderWay(now), ..self }
    }

    /// `None`: nothing is known of it.
    pub(crate) fn is_healthy(self) -> Option<bool> {
        self.passed.then_some(true)
    }

    /// Takes the end of a check. A failure of one that began in the start period does not count.
    pub(crate) fn answered(&mut self, plan: &HealthPlan, passed: bool, since: Mono, now: Mono) -> Answer {
        let Check::UnderWay(asked) = self.check else { return Answer::Nothing };
        self.check = Check::At(now + plan.interval.duration());
        if passed {
            self.failures = 0;
            let before = std::mem::replace(&mut self.passed, true);
            return if before { Answer::Nothing } else { Answer::Healthy };
        }
        if asked < since + plan.start_period {
            return Answer::Nothing;
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures >= plan.retries.get() { Answer::Unhealthy } else { Answer::Nothing }
    }
}

impl Task {
    /// Time to see whether a live run is well.
    pub(crate) fn check(&self, running: Running, cx: &mut Context<'_>) -> State {
        let phase = match running.phase {
            Phase::Free { timeout_at, health } => {
                cx.effects.push_back(Effect::CheckHealth { run: self.run_id(cx) });
                Phase::Free { timeout_at, health: health.asked(cx.now.mono) }
            }
            Phase::Stopping { cause, force } => Phase::Stopping { cause, force },
        };
        State::Running(Running { phase, ..running })
    }

    /// A check has ended; `problem` is `None` where it passed.
    pub(crate) fn checked(
        &mut self,
        running: Running,
        problem: Option<String>,
        cx: &mut Context<'_>,
    ) -> State {
        let (Phase::Free { timeout_at, mut health }, Some(plan)) = (running.phase, &cx.plan.health) else {
            return State::Running(running);
        };
        let answer = health.answered(plan, problem.is_none(), running.since, cx.now.mono);
        let running = Running { phase: Phase::Free { timeout_at, health }, ..running };
        match answer {
            Answer::Nothing => State::Running(running),
            Answer::Healthy => {
                cx.milestone(Milestone::Healthy);
                State::Running(running)
            }
            Answer::Unhealthy => {
                self.problem = problem.unwrap_or_default();
                self.stop(running, Cause::Unhealthy { order: None }, cx)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Positive;
    use std::num::NonZeroU32;
    use std::time::Duration;

    fn at(second: u64) -> Mono {
        Mono::from_nanos(second * 1_000_000_000)
    }

    fn plan(retries: u32, start_period: u64) -> HealthPlan {
        HealthPlan {
            interval: Positive::new(Duration::from_secs(10)).unwrap(),
            retries: NonZeroU32::new(retries).unwrap(),
            start_period: Duration::from_secs(start_period),
        }
    }

    #[test]
    fn a_check_follows_the_end_of_the_one_before() {
        let plan = plan(2, 0);
        let mut health = Health::new(Some(&plan), at(5));
        assert_eq!(health.deadline(), Some(at(15)));
        health = health.asked(at(15));
        assert_eq!(health.deadline(), None);
        assert_eq!(health.answered(&plan, true, at(5), at(18)), Answer::Healthy);
        assert_eq!((health.deadline(), health.is_healthy()), (Some(at(28)), Some(true)));
        assert_eq!(health.answered(&plan, false, at(5), at(19)), Answer::Nothing);
        assert_eq!(health.deadline(), Some(at(28)), "an answer nobody asked for changes nothing");
    }

    #[test]
    fn only_failures_in_a_row_outside_the_start_period_count() {
        let plan = plan(2, 15);
        let mut health = Health::new(Some(&plan), at(0));
        let mut answer = |second, passed| {
            health = health.asked(at(second));
            health.answered(&plan, passed, at(0), at(second + 9))
        };
        assert_eq!(answer(10, false), Answer::Nothing, "it began in the start period");
        assert_eq!(answer(20, false), Answer::Nothing);
        assert_eq!(answer(40, true), Answer::Healthy);
        assert_eq!(answer(60, false), Answer::Nothing);
        assert_eq!(answer(80, true), Answer::Nothing);
        assert_eq!(answer(100, false), Answer::Nothing);
        assert_eq!(answer(120, false), Answer::Unhealthy);
    }

    #[test]
    fn a_run_without_checks_has_no_health() {
        let health = Health::new(None, at(0));
        assert_eq!((health.deadline(), health.is_healthy()), (None, None));
    }
}
