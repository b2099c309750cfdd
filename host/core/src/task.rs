//! One task: what it remembers, and the steps its lifecycle is made of.

use crate::context::{Context, Milestone};
use crate::effect::Effect;
use crate::event::{Event, StateName, TaskState};
use crate::health::Health;
use crate::id::RunId;
use crate::outcome::{Outcome, OutcomeKind};
use crate::schedule::Tick;
use crate::state::{Cause, End, Force, Hold, Order, Phase, Running, State, Then, Turn, Wait, Why};
use crate::streak::Streak;
use crate::time::{Mono, Wall};

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
    /// Of a service: restarts in a row, since it began or a run lived long.
    pub(crate) restarts: u32,
    pub(crate) last_outcome: Option<Outcome>,
    /// The tick that its last scheduled run belongs to; `None` before the first.
    pub(crate) tick: Option<Tick>,
    /// When its last run ended.
    pub(crate) ended_at: Mono,
    /// What the check found that made the last run unhealthy.
    pub(crate) problem: String,
    /// The last tick in civil time that was taken, by an earlier host maybe.
    pub(crate) taken: Option<Wall>,
    pub(crate) streak: Streak,
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
            restarts: 0,
            last_outcome: None,
            tick: None,
            ended_at: Mono::default(),
            problem: String::new(),
            taken: None,
            streak: Streak::default(),
        }
    }

    /// When something is to be done without another input.
    pub(crate) fn deadline(&self) -> Option<Mono> {
        self.state.deadline().into_iter().chain(self.streak.deadline()).min()
    }

    pub(crate) fn standing(&self) -> Standing {
        let completed = self.last_succeeded();
        match self.state {
            State::New
            | State::Waiting { .. }
            | State::Starting { .. }
            | State::Running(_)
            | State::Clearing { .. } => Standing { open: true, completed },
            State::Stuck { .. } => Standing { open: false, completed: false },
            State::Held { hold: Hold::Slot { .. }, .. } => Standing { open: true, completed },
            // It goes on only if another does first, and then that is open.
            State::Held { hold: Hold::Dependencies { .. }, .. } => Standing { open: false, completed },
            State::Ended(_) => Standing { open: false, completed },
        }
    }

    pub(crate) fn last_succeeded(&self) -> bool {
        self.last_outcome.as_ref().is_some_and(|last| last.kind == OutcomeKind::Completed)
    }

    /// Begins afresh: attempt 1, no successes, and a schedule counted from the start.
    pub(crate) fn begin(&mut self, why: Why, remains: Option<Force>, cx: &mut Context<'_>) -> State {
        (self.successes, self.restarts) = (0, 0);
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
                self.send_held(cx);
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

    /// The run is alive.
    pub(crate) fn started(&mut self, turn: Turn, pid: Option<u32>, cx: &mut Context<'_>) -> Running {
        self.tell(TaskState { pid, ..self.change(StateName::Running, cx) }, cx);
        cx.milestone(Milestone::Started);
        let since = cx.now.mono;
        let timeout_at = cx.plan.timeout.map(|timeout| since + timeout.duration());
        let health = Health::new(cx.plan.health.as_ref(), since);
        Running { turn, pid, since, phase: Phase::Free { timeout_at, health } }
    }

    /// Why a run was stopped, in words.
    pub(crate) fn reason_of(&self, cause: Cause) -> String {
        cause.reason(&self.problem)
    }

    /// Asks a run to stop that was not asked before, or forces it where nobody wants to wait.
    pub(crate) fn stop(&mut self, running: Running, cause: Cause, cx: &mut Context<'_>) -> State {
        let force = match cause {
            Cause::Order(Order::Kill) => self.force(cx),
            Cause::Timeout { .. }
            | Cause::Unhealthy { .. }
            | Cause::Order(Order::Stop | Order::Restart | Order::Change | Order::Remove | Order::Shutdown) => {
                self.ask(cx)
            }
        };
        State::Running(Running { phase: Phase::Stopping { cause, force }, ..running })
    }

    pub(crate) fn ask(&self, cx: &mut Context<'_>) -> Force {
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
        self.tell_stuck(cx.now.mono.since(running.since), cx);
        State::Stuck { running, cause }
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

    pub(crate) fn run_id(&self, cx: &Context<'_>) -> RunId {
        RunId { task: cx.id, number: self.run }
    }

    pub(crate) fn last_run(&self) -> Option<u64> {
        (self.run > 0).then_some(self.run)
    }

    pub(crate) fn waiting_for_remains(&self) -> String {
        format!("waiting for the remains of run {}", self.run)
    }
}
