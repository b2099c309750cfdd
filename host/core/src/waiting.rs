//! A task that waits for its time, until it has come.

use crate::civil::{LATE, MOST_COUNTED};
use crate::context::Context;
use crate::cron::Cron;
use crate::effect::Effect;
use crate::event::{Event, StateName, TaskState};
use crate::plan::Schedule;
use crate::policy;
use crate::schedule::{Due, Free, Skipped, Start, Tick};
use crate::state::{Former, State, Turn, Wait, Why};
use crate::task::Task;

impl Task {
    /// Nothing is in the way: says when it starts, and which ticks have passed meanwhile.
    pub(crate) fn wait(&mut self, wait: Wait, after_remains: bool, cx: &mut Context<'_>) -> State {
        if let Some(held) = self.hold_back(wait, cx) {
            return held;
        }
        let now = cx.now;
        let (wait, start) = match self.with_schedule(wait, cx) {
            wait @ Wait::First(Why::Host | Why::CatchUp { .. }) => {
                (wait, cx.scheduled(Tick::Elapsed(now.mono)))
            }
            wait @ (Wait::First(Why::Start | Why::Restart | Why::Change)
            | Wait::Trigger(_)
            | Wait::Dependencies) => (wait, Start::at(now.mono)),
            wait @ Wait::Retry { at, .. } => (wait, Start::at(at.max(now.mono))),
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
            | (Wait::First(_) | Wait::Retry { .. } | Wait::Trigger(_) | Wait::Dependencies, _) => {
                State::Waiting { wait, due }
            }
        }
    }

    /// What is waited for seems to be there. A civil time may not have come yet: the clock was set back.
    pub(crate) fn due(&mut self, wait: Wait, due: Due, cx: &mut Context<'_>) -> State {
        match due.start.is_due(cx.now) {
            true => self.launch_or_queue(wait, due, cx),
            false => State::Waiting { wait, due: due.start.due(cx.now) },
        }
    }

    /// The wait is over: asks for a run.
    pub(crate) fn launch(&mut self, wait: Wait, tick: Tick, cx: &mut Context<'_>) -> State {
        let turn = match wait {
            Wait::First(Why::CatchUp { tick }) => self.take(Tick::Civil(tick), cx),
            // The schedule goes on from the civil time of a run that no tick led to.
            Wait::First(Why::Host | Why::Start | Why::Restart | Why::Change) => match &cx.plan.schedule {
                Schedule::Cron(_) => Turn::Scheduled { tick: Tick::Civil(cx.now.wall) },
                Schedule::Once | Schedule::Timer { .. } | Schedule::Service => Turn::Scheduled { tick },
            },
            Wait::Tick { .. } => self.take(tick, cx),
            Wait::Dependencies => Turn::Scheduled { tick },
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

    /// Where a task begins that has civil times to wait for, and where there were others while it was not there.
    fn with_schedule(&self, wait: Wait, cx: &mut Context<'_>) -> Wait {
        match (&cx.plan.schedule, wait) {
            (Schedule::Cron(cron), Wait::First(Why::Host)) => self.begin_cron(cron, cx),
            (Schedule::Cron(cron), Wait::First(Why::Start)) => self.first_tick(cron, cx),
            (Schedule::Once | Schedule::Timer { .. } | Schedule::Service | Schedule::Cron(_), wait) => wait,
        }
    }

    /// With a host: what was missed while there was none, else the next tick.
    fn begin_cron(&self, cron: &Cron, cx: &mut Context<'_>) -> Wait {
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

    /// One run now, and then back to `former`.
    pub(crate) fn trigger(&mut self, former: Former, cx: &mut Context<'_>) -> State {
        self.wait(Wait::Trigger(former), false, cx)
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
pub(crate) fn skip(skipped: Skipped, reason: String, cx: &mut Context<'_>) {
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
