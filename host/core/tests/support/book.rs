//! The book of one task: what is known of its runs from inputs and effects, and what each new effect must agree with.

use super::health::Checks;
use super::pending::Pending;
use super::telling::Telling;
use super::time::mono_of;
use bansuri_core::{
    Exit, Input, Mono, Now, OnFail, Outcome, OutcomeKind, RunId, Schedule, StateName, TaskPlan, TaskState,
    TaskView, TimerMode, Wall,
};
use std::time::Duration;

/// Where the last run of a task is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Run {
    Over,
    Asked,
    Live { since: Mono, checks: Checks },
}

impl Run {
    pub(super) fn live(now: Now) -> Self {
        Run::Live { since: now.mono, checks: Checks::new(now.mono) }
    }
}

/// The book of one task.
#[derive(Clone, Debug)]
pub(super) struct Book {
    pub(super) shown: Option<StateName>,
    pub(super) number: u64,
    pub(super) attempt: u32,
    pub(super) run: Run,
    pub(super) remains: bool,
    /// When the last run's group was asked to stop.
    pub(super) asked_at: Option<Mono>,
    pub(super) forced: bool,
    /// How a live run will be judged, if the host has decided to end it.
    pub(super) sentence: Option<OutcomeKind>,
    pub(super) stuck: bool,
    /// By an operator or the shutdown, and nobody has taken that back.
    pub(super) stopped: bool,
    /// The next PENDING is a new beginning.
    pub(super) afresh: bool,
    pub(super) pending: Option<Pending>,
    /// In a turn that an operator triggered.
    pub(super) triggered: bool,
    /// When the task began: the origin of its grid.
    pub(super) origin: Option<Mono>,
    /// The start of the tick that is or was waited for.
    waited: Option<Wall>,
    /// The same, if it was told on the clock as it is.
    pub(super) last_tick: Option<Wall>,
    /// The last tick of a cron expression that was started.
    pub(super) taken: Option<Wall>,
    pub(super) telling: Telling,
    pub(super) successes: u64,
    pub(super) last: Option<OutcomeKind>,
}

impl Book {
    pub(super) fn new() -> Self {
        Self {
            shown: None,
            number: 0,
            attempt: 0,
            run: Run::Over,
            remains: false,
            asked_at: None,
            forced: false,
            sentence: None,
            stuck: false,
            stopped: false,
            afresh: false,
            pending: None,
            triggered: false,
            origin: None,
            waited: None,
            last_tick: None,
            taken: None,
            telling: Telling::new(),
            successes: 0,
            last: None,
        }
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self.run, Run::Live { .. })
    }

    /// Something may still run by itself, or something lives.
    pub(super) fn is_open(&self) -> bool {
        !self.stuck && (self.shown.is_none_or(|s| s == StateName::Pending) || self.is_live() || self.remains)
    }

    pub(super) fn blocks_shutdown(&self) -> bool {
        !self.stuck && (self.run != Run::Over || self.remains)
    }

    pub(super) fn launch(&mut self, run: RunId, attempt: u32, plan: &TaskPlan, now: Now) {
        assert!(self.run == Run::Over && !self.remains, "a second run: {self:?}");
        assert!(!self.stopped && self.shown == Some(StateName::Pending), "a stopped task started: {self:?}");
        assert_eq!(run.number, self.number + 1);
        let pending = self.pending.expect("a start comes from PENDING");
        match pending {
            Pending::Begin | Pending::CatchUp => {
                assert_eq!(attempt, 1);
                (self.last_tick, self.triggered) = (None, false);
            }
            Pending::Tick => {
                assert_eq!(attempt, 1);
                self.triggered = false;
                self.take_tick(plan, now);
            }
            Pending::Trigger => {
                assert_eq!(attempt, 1);
                self.triggered = true;
            }
            Pending::Retry => assert!(attempt > 1, "a retry is no first attempt"),
            Pending::Restart => assert!(attempt == 1 && plan.schedule == Schedule::Service, "{self:?}"),
            Pending::Remains => panic!("a start in a wait for remains: {self:?}"),
        }
        assert!(attempt <= limit(plan), "attempt {attempt} of {}", limit(plan));
        if let (Some(limit), Pending::Tick) = (plan.max_runs, pending) {
            assert!(self.successes < limit.get(), "a tick after the last run: {self:?}");
        }
        (self.number, self.attempt, self.run) = (run.number, attempt, Run::Asked);
        (self.asked_at, self.forced, self.sentence, self.stuck) = (None, false, None, false);
    }

    pub(super) fn request_stop(&mut self, run: RunId, input: &Input, now: Now) {
        assert!(run.number == self.number && (self.is_live() || self.remains), "nothing to stop: {self:?}");
        assert!(self.asked_at.is_none() && !self.forced, "asked twice: {self:?}");
        self.asked_at = Some(now.mono);
        self.condemn(input);
    }

    pub(super) fn force_stop(&mut self, run: RunId, plan: &TaskPlan, input: &Input, killed: bool, now: Now) {
        assert!(run.number == self.number && (self.is_live() || self.remains), "nothing to force: {self:?}");
        assert!(!self.forced, "forced twice: {self:?}");
        let had_its_time = self.asked_at.is_some_and(|asked| asked + plan.stop_timeout <= now.mono);
        assert!(had_its_time || killed, "forced too early: {self:?}");
        self.forced = true;
        self.condemn(input);
    }

    /// A tick of a cron expression is not early, and not taken twice.
    fn take_tick(&mut self, plan: &TaskPlan, now: Now) {
        let Schedule::Cron(cron) = &plan.schedule else { return };
        let start = self.waited.expect("a tick was waited for");
        assert!(start <= now.wall, "early: {self:?}");
        let tick = cron.last_at_or_before(start).expect("a tick was waited for");
        let follows_elapsed_time = cron.text().split(' ').take(2).any(|field| field.starts_with(['*', '@']));
        if plan.jitter.is_zero() && !follows_elapsed_time {
            assert!(self.taken.is_none_or(|taken| taken < tick), "taken twice: {tick:?} {self:?}");
            self.taken = Some(tick);
        }
    }

    /// Only the first reason to end a live run counts: its timeout, if nobody asked for it.
    fn condemn(&mut self, input: &Input) {
        if self.is_live() && self.sentence.is_none() {
            self.sentence = Some(match input {
                Input::Tick => OutcomeKind::TimedOut,
                Input::HealthChecked { .. } => OutcomeKind::Failed,
                Input::Begin
                | Input::Started { .. }
                | Input::NotStarted { .. }
                | Input::Finished { .. }
                | Input::Gone { .. }
                | Input::CannotForce { .. }
                | Input::LastTick { .. }
                | Input::ClockChanged
                | Input::Reload(_)
                | Input::Operator { .. }
                | Input::Shutdown
                | Input::Kill => OutcomeKind::Stopped,
            });
        }
    }

    pub(super) fn change(
        &mut self,
        change: &TaskState,
        plan: &TaskPlan,
        input: &Input,
        shutting: bool,
        now: Now,
    ) {
        assert_eq!(change.from, self.shown, "events form a chain: {change:?}");
        assert_eq!(change.run, (self.number > 0).then_some(self.number), "{change:?}");
        assert!((1..=limit(plan)).contains(&change.attempt), "{change:?}");
        self.shown = Some(change.to);
        match (change.to, change.duration) {
            (StateName::Pending, None) => {
                assert!(!shutting, "PENDING after shutdown: {change:?}");
                self.wait(change, plan, now);
            }
            (StateName::Running, None) => match change.from {
                Some(StateName::Running) => assert!(self.forced && !self.stuck, "{change:?}"),
                Some(StateName::Pending) => {
                    if self.run == Run::Asked {
                        assert!(matches!(input, Input::Finished { .. }), "RUNNING unasked: {change:?}");
                        self.run = Run::live(now);
                    }
                    assert!(self.is_live(), "{change:?}");
                }
                Some(StateName::Completed | StateName::Failed | StateName::TimedOut | StateName::Stopped)
                | None => {
                    panic!("RUNNING from elsewhere: {change:?}")
                }
            },
            (StateName::Stopped, None) => assert!(self.run == Run::Over, "STOPPED but alive: {change:?}"),
            (
                StateName::Completed | StateName::Failed | StateName::TimedOut | StateName::Stopped,
                Some(duration),
            ) => {
                self.conclude(change, duration, plan, input, now);
            }
            (StateName::Completed | StateName::Failed | StateName::TimedOut, None)
            | (StateName::Pending | StateName::Running, Some(_)) => panic!("not a change: {change:?}"),
        }
    }

    /// PENDING: where a time is known it is not past, and a tick lies on the grid, after the one before it.
    fn wait(&mut self, change: &TaskState, plan: &TaskPlan, now: Now) {
        let reason = change.reason.as_deref().expect("PENDING has a reason");
        let pending = Pending::of(reason);
        assert_eq!(pending == Pending::Remains, self.remains, "{change:?}");
        self.pending = Some(pending);
        if std::mem::take(&mut self.afresh) {
            (self.successes, self.last_tick) = (0, None);
        }
        match change.next_run {
            None => assert!(self.remains, "{change:?}"),
            Some(next) => assert!(next >= now.wall, "a start in the past: {change:?}"),
        }
        match pending {
            Pending::Begin | Pending::CatchUp => {
                self.origin = Some(now.mono);
                let until = change.next_run.map(|next| mono_of(next, now).since(now.mono));
                assert!(until.is_none_or(|until| until <= plan.jitter), "{change:?}");
            }
            Pending::Tick => {
                let next = change.next_run.expect("a tick has a time");
                assert!(self.last_tick.is_none_or(|last| last <= next), "due times only grow: {change:?}");
                self.check_on_grid(next, plan, now);
                (self.last_tick, self.waited) = (Some(next), Some(next));
            }
            Pending::Retry => assert!(change.attempt > 1, "{change:?}"),
            Pending::Restart => assert!(change.attempt == 1, "{change:?}"),
            Pending::Trigger | Pending::Remains => {}
        }
    }

    /// A start lies on the grid, or as much later as the jitter allows.
    fn check_on_grid(&self, start: Wall, plan: &TaskPlan, now: Now) {
        match &plan.schedule {
            Schedule::Once | Schedule::Service => panic!("a tick without a schedule: {self:?}"),
            Schedule::Timer { interval, mode: TimerMode::FixedRate } => {
                let origin = self.origin.expect("a tick comes after a start");
                assert!(mono_of(start, now) > origin, "{self:?}");
                let offset = mono_of(start, now).since(origin).as_nanos() % interval.duration().as_nanos();
                assert!(offset <= plan.jitter.as_nanos(), "off the grid: {self:?}");
            }
            Schedule::Timer { mode: TimerMode::FixedDelay, .. } => {}
            Schedule::Cron(cron) => {
                let tick = cron.last_at_or_before(start).expect("it has a time before every other");
                assert!(tick + plan.jitter >= start, "no tick: {start:?} {self:?}");
            }
        }
    }

    fn conclude(&mut self, change: &TaskState, duration: Duration, plan: &TaskPlan, input: &Input, now: Now) {
        let (exit, lived) = match (self.run, input) {
            (Run::Asked, Input::NotStarted { exit, .. }) => (exit, Duration::ZERO),
            (Run::Live { since, .. }, Input::Finished { exit, .. }) => (exit, now.mono.since(since)),
            other => panic!("an outcome of nothing: {other:?} {change:?}"),
        };
        assert_eq!(duration, lived);
        let by_itself = match exit {
            Exit::Code(0) if self.is_live() => OutcomeKind::Completed,
            Exit::Code(_) | Exit::Signal(_) | Exit::NotStarted { .. } | Exit::Error(_) | Exit::Panic(_) => {
                OutcomeKind::Failed
            }
        };
        let kind = self.sentence.unwrap_or(by_itself);
        let name = match kind {
            OutcomeKind::Completed => StateName::Completed,
            OutcomeKind::Failed => StateName::Failed,
            OutcomeKind::TimedOut => StateName::TimedOut,
            OutcomeKind::Stopped => StateName::Stopped,
        };
        assert_eq!(change.to, name, "judged wrongly: {self:?}");
        self.run = Run::Over;
        self.last = Some(kind);
        self.successes += u64::from(kind == OutcomeKind::Completed);
        let told = std::mem::take(&mut self.stuck);
        self.telling.ended(plan, lived);
        match kind {
            OutcomeKind::Completed => self.telling.succeeded(plan),
            OutcomeKind::Failed | OutcomeKind::TimedOut => self.telling.failed(plan, told),
            OutcomeKind::Stopped => {}
        }
    }

    /// The step is over.
    pub(super) fn settle(&mut self, now: Now) {
        let waits = self.shown == Some(StateName::Pending);
        let retried =
            waits && matches!(self.pending, Some(Pending::Retry | Pending::Restart | Pending::Remains));
        let may_succeed = self.shown.is_none_or(|shown| shown == StateName::Pending) || self.is_live();
        self.telling.end_of_step(retried, may_succeed && !self.stuck, now);
    }

    pub(super) fn skip(&self, count: u64, due: Wall, plan: &TaskPlan, now: Now) {
        assert!(count > 0 && due < now.wall && self.run == Run::Over && !self.remains, "{self:?}");
        self.check_on_grid(due, plan, now);
        let growing = self.last_tick.is_none_or(|last| last <= due + plan.jitter);
        assert!(growing, "skipped twice: {self:?}");
    }

    pub(super) fn check_view(&self, view: &TaskView, plan: &TaskPlan, now: Now) {
        assert_eq!(view.state, self.shown.unwrap_or(StateName::Pending));
        assert_eq!(view.run, (self.number > 0).then_some(self.number));
        assert_eq!(view.last_outcome.as_ref().map(|outcome: &Outcome| outcome.kind), self.last);
        assert_eq!(view.successes, self.successes, "{self:?}");
        assert!((1..=limit(plan)).contains(&view.attempt), "{view:?}");
        assert_eq!(view.state == StateName::Running, self.is_live(), "{self:?}");
        let waits = view.state == StateName::Pending && self.run == Run::Over && !self.remains;
        match view.next_run {
            Some(next) => assert!(waits && next >= now.wall, "{view:?} at {now:?}"),
            None => assert!(!waits || self.shown.is_none(), "PENDING for ever: {view:?}"),
        }
    }
}

/// How many executions in a row a plan allows.
fn limit(plan: &TaskPlan) -> u32 {
    match &plan.on_fail {
        OnFail::Stop | OnFail::Ignore => 1,
        OnFail::Restart(retry) => retry.max_attempts.map_or(u32::MAX, |limit| limit.get()),
    }
}
