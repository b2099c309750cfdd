//! One task: what it remembers, and the steps its lifecycle is made of.

use crate::context::{Context, Milestone};
use crate::dependency::Links;
use crate::effect::{Effect, Notice, NoticeKind};
use crate::event::{Event, StateName, TaskState};
use crate::id::{RunId, TaskId};
use crate::outcome::{Exit, Outcome, OutcomeKind};
use crate::plan::TaskPlan;
use crate::policy::{self, Decision};
use crate::state::{
    Cause, End, Force, Former, Hold, Order, Phase, Remains, Running, State, Then, Turn, Wait, Why,
};
use crate::time::{Mono, Now, spelled};
use crate::view::TaskView;

/// Why a stuck run is RUNNING, and why a command on it is refused.
pub(crate) const STUCK: &str = "stuck: ignored stop";

/// One task and what is under way for it.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) state: State,
    /// The state last told to the world; `None` before the first.
    pub(crate) shown: Option<StateName>,
    /// The number of the last run, which is the live one where one lives; 0 before the first.
    pub(crate) run: u64,
    /// Of the live run, else of the next, else of the last.
    pub(crate) attempt: u32,
    /// Since the task began.
    pub(crate) successes: u64,
    pub(crate) last_outcome: Option<Outcome>,
    /// The tick that its last scheduled run belongs to; `None` before the first.
    pub(crate) tick: Option<Mono>,
    /// When its last run ended.
    pub(crate) ended_at: Mono,
}

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

/// What the totals over all tasks count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Standing {
    /// Something may still run, or lives; what is stuck is given up.
    pub(crate) open: bool,
    /// The last outcome is COMPLETED and no run is stuck.
    pub(crate) completed: bool,
}

impl Task {
    pub(crate) fn new() -> Self {
        Self {
            state: State::New,
            shown: None,
            run: 0,
            attempt: 1,
            successes: 0,
            last_outcome: None,
            tick: None,
            ended_at: Mono::default(),
        }
    }

    /// `links`: what tells whether a task that is held is so for ever.
    pub(crate) fn standing(&self, id: TaskId, links: &Links) -> Standing {
        let completed = self.last_succeeded();
        match self.state {
            State::New
            | State::Waiting { .. }
            | State::Starting { .. }
            | State::Running(_)
            | State::Clearing { .. } => Standing { open: true, completed },
            State::Stuck { .. } => Standing { open: false, completed: false },
            State::Held { hold: Hold::Slot { .. }, .. } => Standing { open: true, completed },
            State::Held { hold: Hold::Dependencies { need, .. }, .. } => {
                Standing { open: !links.is_blocked(id, need), completed }
            }
            State::Ended(_) => Standing { open: false, completed },
        }
    }

    fn last_succeeded(&self) -> bool {
        self.last_outcome.as_ref().is_some_and(|last| last.kind == OutcomeKind::Completed)
    }

    /// As users see it.
    pub(crate) fn view(&self, id: TaskId, plan: &TaskPlan, links: &Links, now: Now) -> TaskView {
        let last_reason = || self.last_outcome.as_ref().map(|last| last.reason.clone());
        let (reason, pid, next_run) = match self.state {
            State::New => (Some("the host has not begun".to_owned()), None, None),
            State::Waiting { wait, due } => {
                (Some(wait.reason(policy::max_attempts(plan))), None, Some(now.wall_at(due)))
            }
            State::Held { hold, .. } => match self.shown {
                Some(StateName::Pending) => (Some(hold.reason(id, links)), None, None),
                Some(_) | None => (last_reason(), None, None),
            },
            State::Starting { .. } => (Some("starting".to_owned()), None, None),
            State::Running(Running { phase: Phase::Free { .. }, pid, .. }) => (None, pid, None),
            State::Running(Running { phase: Phase::Stopping { cause, .. }, pid, .. }) => {
                (Some(format!("stopping: {}", cause.reason())), pid, None)
            }
            State::Stuck { running, .. } => (Some(STUCK.to_owned()), running.pid, None),
            State::Clearing { then: Then::Wait(_), .. } => (Some(self.waiting_for_remains()), None, None),
            State::Clearing { then: Then::End(End::Stopped(order)), .. }
            | State::Ended(End::Stopped(order)) => (Some(order.reason().to_owned()), None, None),
            State::Clearing { then: Then::End(End::AsLastRun), .. } | State::Ended(End::AsLastRun) => {
                (last_reason(), None, None)
            }
        };
        TaskView {
            state: self.shown.unwrap_or(StateName::Pending),
            reason,
            run: self.last_run(),
            attempt: self.attempt,
            pid,
            next_run,
            last_outcome: self.last_outcome.clone(),
            successes: self.successes,
        }
    }

    /// Begins afresh: attempt 1, no successes, and a schedule counted from the start.
    pub(crate) fn begin(&mut self, why: Why, remains: Option<Force>, cx: &mut Context<'_>) -> State {
        self.successes = 0;
        self.follow(Then::Wait(Wait::First(why)), remains, cx)
    }

    /// Ends by order while no run is alive.
    pub(crate) fn end(&mut self, order: Order, remains: Option<Force>, cx: &mut Context<'_>) -> State {
        self.follow(Then::End(End::Stopped(order)), remains, cx)
    }

    /// Goes on to what follows, or waits for what is left of the last run first.
    pub(crate) fn follow(&mut self, then: Then, remains: Option<Force>, cx: &mut Context<'_>) -> State {
        match (then, remains) {
            (Then::Wait(_), remains) if cx.is_ending => self.end(Order::Shutdown, remains, cx),
            (Then::Wait(wait), None) => self.wait(wait, false, cx),
            (Then::Wait(wait), Some(force)) => {
                self.attempt = wait.attempt();
                // Where it is PENDING already, it is for the same reason.
                if self.shown != Some(StateName::Pending) {
                    let reason = Some(self.waiting_for_remains());
                    self.tell(TaskState { reason, ..self.change(StateName::Pending, cx) }, cx);
                }
                State::Clearing { force, then }
            }
            (Then::End(end), remains) => {
                if let End::Stopped(order) = end
                    && self.shown != Some(StateName::Stopped)
                {
                    let reason = Some(order.reason().to_owned());
                    self.tell(TaskState { reason, ..self.change(StateName::Stopped, cx) }, cx);
                }
                if !self.last_succeeded() {
                    cx.milestone(Milestone::EndedWithoutSuccess);
                }
                match remains {
                    Some(force) => State::Clearing { force, then },
                    None => State::Ended(end),
                }
            }
        }
    }

    /// The last process of the last run's group is gone.
    pub(crate) fn cleared(&mut self, then: Then, cx: &mut Context<'_>) -> State {
        match then {
            Then::Wait(wait) => self.wait(wait, true, cx),
            Then::End(end) => State::Ended(end),
        }
    }

    /// Nothing is in the way: says when it starts, and which ticks have passed meanwhile.
    pub(crate) fn wait(&mut self, wait: Wait, after_remains: bool, cx: &mut Context<'_>) -> State {
        if let Some(held) = self.hold_back(wait, cx) {
            return held;
        }
        let now = cx.now.mono;
        let due = match wait {
            Wait::First(_) | Wait::Trigger(_) | Wait::Dependencies => now,
            Wait::Retry { at, .. } => at.max(now),
            Wait::Tick { due } => {
                let due = cx.plan.schedule.once_free(due, now);
                if let Some(skipped) = due.skipped {
                    let reason = self.in_the_way(after_remains);
                    let first = cx.now.wall_at(skipped.first);
                    let event = Event::TickSkipped { task: cx.id, count: skipped.count, due: first, reason };
                    cx.effects.push_back(Effect::Event(event));
                }
                due.at
            }
        };
        self.attempt = wait.attempt();
        let reason = Some(wait.reason(policy::max_attempts(cx.plan)));
        let next_run = Some(cx.now.wall_at(due));
        self.tell(TaskState { reason, next_run, ..self.change(StateName::Pending, cx) }, cx);
        State::Waiting { wait, due }
    }

    /// The wait is over: asks for a run.
    pub(crate) fn launch(&mut self, wait: Wait, due: Mono, cx: &mut Context<'_>) -> State {
        let turn = match wait {
            Wait::First(_) | Wait::Tick { .. } | Wait::Dependencies => Turn::Scheduled { tick: due },
            Wait::Retry { turn, .. } => turn,
            Wait::Trigger(former) => Turn::Triggered(former),
        };
        match turn {
            Turn::Scheduled { tick } => {
                self.tick = Some(tick);
                cx.links.start(cx.id);
            }
            // What an operator triggers takes nothing from the state that it goes back to.
            Turn::Triggered(_) => {}
        }
        self.run += 1;
        cx.effects.push_back(Effect::Start { run: self.run_id(cx), attempt: self.attempt });
        State::Starting { turn, order: None }
    }

    /// The run is alive.
    pub(crate) fn started(&mut self, turn: Turn, pid: Option<u32>, cx: &mut Context<'_>) -> Running {
        self.tell(TaskState { pid, ..self.change(StateName::Running, cx) }, cx);
        cx.milestone(Milestone::Started);
        let since = cx.now.mono;
        let timeout_at = cx.plan.timeout.map(|timeout| since + timeout.duration());
        Running { turn, pid, since, phase: Phase::Free { timeout_at } }
    }

    /// Asks a run to stop that was not asked before, or forces it where nobody wants to wait.
    pub(crate) fn stop(&mut self, running: Running, cause: Cause, cx: &mut Context<'_>) -> State {
        let force = match cause {
            Cause::Order(Order::Kill) => self.force(cx),
            Cause::Timeout { .. }
            | Cause::Order(Order::Stop | Order::Restart | Order::Change | Order::Remove | Order::Shutdown) => {
                self.ask(cx)
            }
        };
        State::Running(Running { phase: Phase::Stopping { cause, force }, ..running })
    }

    fn ask(&self, cx: &mut Context<'_>) -> Force {
        cx.effects.push_back(Effect::RequestStop { run: self.run_id(cx) });
        Force::At(cx.force_at.unwrap_or(cx.now.mono + cx.plan.stop_timeout))
    }

    pub(crate) fn force(&self, cx: &mut Context<'_>) -> Force {
        cx.effects.push_back(Effect::ForceStop { run: self.run_id(cx) });
        Force::Sent
    }

    /// The run ignored `stop` and cannot be forced.
    pub(crate) fn stuck(&mut self, running: Running, cause: Cause, cx: &mut Context<'_>) -> State {
        let (pid, reason) = (running.pid, Some(STUCK.to_owned()));
        self.tell(TaskState { pid, reason, ..self.change(StateName::Running, cx) }, cx);
        cx.effects.push_back(Effect::Event(Event::TaskStuck { task: cx.id, run: self.run }));
        let outcome = Outcome {
            kind: OutcomeKind::TimedOut,
            exit_code: None,
            signal: None,
            duration: cx.now.mono.since(running.since),
            reason: STUCK.to_owned(),
        };
        self.notify(outcome, NoticeKind::Stuck, cx);
        State::Stuck { running, cause }
    }

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
            Phase::Stopping { cause, force } => {
                (Outcome::judged(cause.kind(), exit, duration, cause.reason()), cause.order(), Some(force))
            }
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
        if kind.is_failure() && !told {
            self.notify(outcome, NoticeKind::Failure, cx);
        }
        if kind == OutcomeKind::Completed {
            self.successes += 1;
            cx.milestone(Milestone::Completed);
        }
        let remains = match remains {
            Remains::None => None,
            Remains::Unasked if order == Some(Order::Kill) => Some(self.force(cx)),
            Remains::Unasked => Some(self.ask(cx)),
            // The group has been asked already, and keeps the time it was given.
            Remains::Asked(force) => Some(force),
        };
        match order {
            Some(Order::Restart) => self.begin(Why::Restart, remains, cx),
            Some(Order::Change) => self.begin_changed(turn, remains, cx),
            Some(order @ (Order::Stop | Order::Remove | Order::Shutdown | Order::Kill)) => {
                self.end(order, remains, cx)
            }
            None => {
                let then = self.by_policy(turn, kind, cx);
                self.follow(then, remains, cx)
            }
        }
    }

    /// What follows a run that nobody interfered with.
    pub(crate) fn by_policy(&self, turn: Turn, kind: OutcomeKind, cx: &Context<'_>) -> Then {
        let decision = if kind.is_failure() {
            policy::after_failure(cx.plan, self.attempt)
        } else {
            policy::after_success(cx.plan, self.successes)
        };
        let end = cx.now.mono;
        match (decision, turn) {
            (Decision::Retry { attempt, delay }, _) => {
                Then::Wait(Wait::Retry { at: end + delay, attempt, turn })
            }
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
            (Decision::GoOn, Turn::Scheduled { tick }) => match cx.plan.schedule.next_due(tick, end) {
                Some(due) => Then::Wait(Wait::Tick { due }),
                None => Then::End(End::AsLastRun),
            },
            (Decision::GoOn, Turn::Triggered(Former::Tick { due })) => {
                Then::Wait(Wait::Tick { due: cx.plan.schedule.after_trigger(due, end) })
            }
            (Decision::GoOn, Turn::Triggered(Former::Retry { at, attempt, tick })) => {
                Then::Wait(Wait::Retry { at, attempt, turn: Turn::Scheduled { tick } })
            }
        }
    }

    /// One run now, and then back to `former`.
    pub(crate) fn trigger(&mut self, former: Former, cx: &mut Context<'_>) -> State {
        self.wait(Wait::Trigger(former), false, cx)
    }

    fn notify(&self, outcome: Outcome, kind: NoticeKind, cx: &mut Context<'_>) {
        if cx.plan.notify.is_some() {
            let max_attempts = policy::max_attempts(cx.plan);
            let notice = Notice {
                run: self.run_id(cx),
                attempt: self.attempt,
                max_attempts,
                outcome,
                kind,
                held: false,
            };
            cx.effects.push_back(Effect::Notify(notice));
        }
    }

    /// A change of state with nothing more to say about it.
    pub(crate) fn change(&self, to: StateName, cx: &Context<'_>) -> TaskState {
        TaskState {
            task: cx.id,
            run: self.last_run(),
            attempt: self.attempt,
            from: self.shown,
            to,
            pid: None,
            exit_code: None,
            signal: None,
            duration: None,
            reason: None,
            next_run: None,
        }
    }

    pub(crate) fn tell(&mut self, change: TaskState, cx: &mut Context<'_>) {
        self.shown = Some(change.to);
        cx.effects.push_back(Effect::Event(Event::TaskState(change)));
    }

    fn run_id(&self, cx: &Context<'_>) -> RunId {
        RunId { task: cx.id, number: self.run }
    }

    fn last_run(&self) -> Option<u64> {
        (self.run > 0).then_some(self.run)
    }

    fn waiting_for_remains(&self) -> String {
        format!("waiting for the remains of run {}", self.run)
    }

    /// Why ticks were skipped; the attempt is still that of the last run.
    fn in_the_way(&self, after_remains: bool) -> String {
        let last = self.run;
        match (after_remains, self.attempt) {
            (true, _) => format!("the remains of run {last} were alive"),
            (false, 1) => format!("run {last} was under way"),
            (false, _) => format!("run {last} and those it retried were under way"),
        }
    }
}
