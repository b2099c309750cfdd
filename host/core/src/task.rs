//! One task: what it remembers, and the steps its lifecycle is made of.

use crate::civil::{LATE, MOST_COUNTED};
use crate::context::{Context, Milestone};
use crate::cron::Cron;
use crate::effect::Effect;
use crate::event::{Event, StateName, TaskState};
use crate::health::{Answer, Health};
use crate::id::RunId;
use crate::outcome::{Outcome, OutcomeKind};
use crate::plan::Schedule;
use crate::policy;
use crate::schedule::{Due, Free, Skipped, Start, Tick};
use crate::state::{Cause, End, Force, Former, Order, Phase, Running, State, Then, Turn, Wait, Why};
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
    /// What the check found that made the last run unhealthy.
    problem: String,
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
            State::Ended(_) => Standing { open: false, completed },
        }
    }

    pub(crate) fn last_succeeded(&self) -> bool {
        self.last_outcome.as_ref().is_some_and(|last| last.kind == OutcomeKind::Completed)
    }

    /// Begins afresh: attempt 1, no successes, and a schedule counted from the start.
    pub(crate) fn begin(&mut self, why: Why, remains: Option<Force>, cx: &mut Context<'_>) -> State {
        (self.successes, self.restarts) = (0, 0);
        let wait = match (&cx.plan.schedule, why) {
            (Schedule::Cron(cron), Why::Host) => self.begin_cron(cron, cx),
            (Schedule::Cron(cron), Why::Start) => self.first_tick(cron, cx),
            (Schedule::Cron(_), Why::CatchUp { .. } | Why::Restart)
            | (Schedule::Once | Schedule::Timer { .. } | Schedule::Service, _) => Wait::First(why),
        };
        self.follow(Then::Wait(wait), remains, cx)
    }

    /// With a host: what was missed while there was none, else the next tick.
    fn begin_cron(&mut self, cron: &Cron, cx: &mut Context<'_>) -> Wait {
        let now = cx.now.wall;
        if cx.plan.catch_up {
            match self.taken {
                Some(last) if last <= now => {
                    if let Some(tick) = cron.last_at_or_before(now).filter(|tick| *tick > last) {
                        return Wait::First(Why::CatchUp { tick });
                    }
                }
                // From here on, later hosts know what was missed.
                Some(_) | None => cx.remember(now),
            }
        }
        self.first_tick(cron, cx)
    }

    fn first_tick(&self, cron: &Cron, cx: &mut Context<'_>) -> Wait {
        let tick = Tick::Civil(cron.tick_after(self.taken, cx.now.wall));
        Wait::Tick { due: cx.scheduled(tick) }
    }

    /// Ends by order while no run is alive.
    pub(crate) fn end(&mut self, order: Order, remains: Option<Force>, cx: &mut Context<'_>) -> State {
        self.follow(Then::End(End::Stopped(order)), remains, cx)
    }

    /// Goes on to what follows, or waits for what is left of the last run first.
    pub(crate) fn follow(&mut self, then: Then, remains: Option<Force>, cx: &mut Context<'_>) -> State {
        match (then, remains) {
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

    /// Nothing is in the way: says when it starts, and which ticks have passed meanwhile.
    fn wait(&mut self, wait: Wait, after_remains: bool, cx: &mut Context<'_>) -> State {
        let now = cx.now;
        let (wait, start) = match wait {
            Wait::First(Why::Host | Why::CatchUp { .. }) => (wait, cx.scheduled(Tick::Elapsed(now.mono))),
            Wait::First(Why::Start | Why::Restart) | Wait::Trigger(_) => (wait, Start::at(now.mono)),
            Wait::Retry { at, .. } => (wait, Start::at(at.max(now.mono))),
            Wait::Tick { due } => {
                let free = cx.plan.schedule.once_free(due, self.taken, now);
                if let Some(skipped) = free.skipped {
                    skip(skipped, self.in_the_way(after_remains), cx);
                }
                (Wait::Tick { due: free.start }, free.start)
            }
        };
        self.wait_for(wait, start, cx)
    }

    /// Says when it starts.
    fn wait_for(&mut self, wait: Wait, start: Start, cx: &mut Context<'_>) -> State {
        self.attempt = wait.attempt();
        let reason = Some(wait.reason(policy::max_attempts(cx.plan)));
        let next_run = Some(start.wall(cx.now));
        self.tell(TaskState { reason, next_run, ..self.change(StateName::Pending, cx) }, cx);
        State::Waiting { wait, due: start.due(cx.now) }
    }

    /// The clock was set, or the machine slept: a civil tick is another time away now, or has been jumped over.
    pub(crate) fn clock_changed(&mut self, wait: Wait, due: Due, cx: &mut Context<'_>) -> State {
        let (now, start) = (cx.now, due.start);
        match (wait, start.tick) {
            (Wait::Tick { .. }, Tick::Civil(_)) => {
                let late = start.is_due(now) && start.past(now) < LATE;
                let free = match late {
                    true => Free { start, skipped: None },
                    false => cx.plan.schedule.once_free(start, self.taken, now),
                };
                if let Some(skipped) = free.skipped {
                    skip(skipped, "the clock was set past them".to_owned(), cx);
                }
                if free.start == start {
                    return State::Waiting { wait, due: start.due(now) };
                }
                self.wait_for(Wait::Tick { due: free.start }, free.start, cx)
            }
            (Wait::Tick { .. }, Tick::Elapsed(_))
            | (Wait::First(_) | Wait::Retry { .. } | Wait::Trigger(_), _) => State::Waiting { wait, due },
        }
    }

    /// What is waited for seems to be there. A civil time may not have come yet: the clock was set back.
    pub(crate) fn due(&mut self, wait: Wait, due: Due, cx: &mut Context<'_>) -> State {
        match due.start.is_due(cx.now) {
            true => self.launch(wait, due.start.tick, cx),
            false => State::Waiting { wait, due: due.start.due(cx.now) },
        }
    }

    /// The wait is over: asks for a run.
    fn launch(&mut self, wait: Wait, tick: Tick, cx: &mut Context<'_>) -> State {
        let turn = match wait {
            Wait::First(Why::CatchUp { tick }) => self.take(Tick::Civil(tick), cx),
            // The schedule goes on from the civil time of a run that no tick led to.
            Wait::First(Why::Host | Why::Start | Why::Restart) => match &cx.plan.schedule {
                Schedule::Cron(_) => Turn::Scheduled { tick: Tick::Civil(cx.now.wall) },
                Schedule::Once | Schedule::Timer { .. } | Schedule::Service => Turn::Scheduled { tick },
            },
            Wait::Tick { .. } => self.take(tick, cx),
            Wait::Retry { turn, .. } => turn,
            Wait::Trigger(former) => Turn::Triggered(former),
        };
        self.run += 1;
        cx.effects.push_back(Effect::Start { run: self.run_id(cx), attempt: self.attempt });
        State::Starting { turn, order: None }
    }

    /// This tick is not to be taken again.
    fn take(&mut self, tick: Tick, cx: &mut Context<'_>) -> Turn {
        if let Tick::Civil(wall) = tick {
            self.taken = Some(wall);
            if cx.plan.catch_up {
                cx.remember(wall);
            }
        }
        Turn::Scheduled { tick }
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
            | Cause::Order(Order::Stop | Order::Restart | Order::Shutdown) => self.ask(cx),
        };
        State::Running(Running { phase: Phase::Stopping { cause, force }, ..running })
    }

    pub(crate) fn ask(&self, cx: &mut Context<'_>) -> Force {
        cx.effects.push_back(Effect::RequestStop { run: self.run_id(cx) });
        Force::At(cx.now.mono + cx.plan.stop_timeout)
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

    /// One run now, and then back to `former`.
    pub(crate) fn trigger(&mut self, former: Former, cx: &mut Context<'_>) -> State {
        self.wait(Wait::Trigger(former), false, cx)
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

/// Says which ticks are not made up for. Later hosts are not to make up for them either.
fn skip(skipped: Skipped, reason: String, cx: &mut Context<'_>) {
    let Skipped { count, first } = skipped;
    let due = first.wall(cx.now);
    let reason = match (&cx.plan.schedule, count >= MOST_COUNTED) {
        (Schedule::Cron(_), true) => format!("{reason}; {count} or more"),
        (Schedule::Cron(_) | Schedule::Once | Schedule::Timer { .. } | Schedule::Service, _) => reason,
    };
    cx.effects.push_back(Effect::Event(Event::TickSkipped { task: cx.id, count, due, reason }));
    if let (Schedule::Cron(cron), true) = (&cx.plan.schedule, cx.plan.catch_up)
        && let Some(last) = cron.last_at_or_before(cx.now.wall.just_before())
    {
        cx.remember(last);
    }
}
