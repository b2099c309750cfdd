//! One task: state and input to state and effects. Every pair is matched.

use crate::context::Context;
use crate::input::{Command, Input};
use crate::judgement::Over;
use crate::outcome::Outcome;
use crate::schedule::{Due, Start};
use crate::state::{Cause, End, Force, Former, Order, Phase, Remains, Running, State, Then, Turn, Wait, Why};
use crate::task::{STUCK, Task};
use std::mem;
use std::time::Duration;

/// Why `stop` is refused where there is nothing to stop.
const STOPPED_ALREADY: &str = "it is stopped already";

impl Task {
    /// Takes one input. One about a run that is not the last changes nothing.
    pub(crate) fn handle(&mut self, input: Input, cx: &mut Context<'_>) {
        match &input {
            Input::Started { run, .. }
            | Input::NotStarted { run, .. }
            | Input::Finished { run, .. }
            | Input::Gone { run }
            | Input::HealthChecked { run, .. }
            | Input::CannotForce { run } => {
                if run.number != self.run {
                    return;
                }
            }
            Input::Tick => self.send_overdue(cx),
            Input::Shutdown | Input::Kill => self.send_held(cx),
            Input::LastTick { .. }
            | Input::ClockChanged
            | Input::Reload(_)
            | Input::Begin
            | Input::Operator { .. } => {}
        }
        self.state = match mem::replace(&mut self.state, State::New) {
            State::New => self.in_new(input, cx),
            State::Waiting { wait, due } => self.in_waiting(wait, due, input, cx),
            State::Held { wait, hold } => self.in_held(wait, hold, input, cx),
            State::Starting { turn, order } => self.in_starting(turn, order, input, cx),
            State::Running(running) => self.in_running(running, input, cx),
            State::Stuck { running, cause } => self.in_stuck(running, cause, input, cx),
            State::Clearing { force, then } => self.in_clearing(force, then, input, cx),
            State::Ended(end) => self.in_ended(end, input, cx),
        };
    }

    fn in_new(&mut self, input: Input, cx: &mut Context<'_>) -> State {
        match input {
            Input::Begin => self.begin(Why::Host, None, cx),
            Input::Operator { command, .. } => {
                cx.refuse(command, "the host has not begun");
                State::New
            }
            Input::Shutdown => self.end(Order::Shutdown, None, cx),
            Input::Kill => self.end(Order::Kill, None, cx),
            Input::LastTick { tick, .. } => {
                self.taken = Some(tick);
                State::New
            }
            Input::ClockChanged
            | Input::HealthChecked { .. }
            | Input::Reload(_)
            | Input::Tick
            | Input::Started { .. }
            | Input::NotStarted { .. }
            | Input::Finished { .. }
            | Input::Gone { .. }
            | Input::CannotForce { .. } => State::New,
        }
    }

    fn in_waiting(&mut self, wait: Wait, due: Due, input: Input, cx: &mut Context<'_>) -> State {
        match input {
            Input::Tick if due.at <= cx.now.mono => self.due(wait, due, cx),
            Input::ClockChanged => self.clock_changed(wait, due, cx),
            Input::Operator { command: Command::Stop, .. } => self.end(Order::Stop, None, cx),
            Input::Operator { command: Command::Start, .. } => self.begin(Why::Start, None, cx),
            Input::Operator { command: Command::Restart, .. } => self.begin(Why::Restart, None, cx),
            Input::Operator { command: Command::Trigger, .. } => match wait {
                // It runs at once anyway, or would but for the jitter.
                Wait::First(_) | Wait::Trigger(_) | Wait::Dependencies => {
                    let start = Start { jitter: Duration::ZERO, ..due.start };
                    State::Waiting { wait, due: start.due(cx.now) }
                }
                Wait::Tick { due } => self.trigger(Former::Tick { due }, cx),
                Wait::Retry { at, attempt, turn: Turn::Scheduled { tick } } => {
                    self.trigger(Former::Retry { at, attempt, tick }, cx)
                }
                Wait::Retry { turn: Turn::Triggered(former), .. } => self.trigger(former, cx),
            },
            Input::Shutdown => self.end(Order::Shutdown, None, cx),
            Input::Kill => self.end(Order::Kill, None, cx),
            Input::LastTick { .. }
            | Input::HealthChecked { .. }
            | Input::Reload(_)
            | Input::Begin
            | Input::Tick
            | Input::Started { .. }
            | Input::NotStarted { .. }
            | Input::Finished { .. }
            | Input::Gone { .. }
            | Input::CannotForce { .. } => State::Waiting { wait, due },
        }
    }

    fn in_starting(&mut self, turn: Turn, order: Option<Order>, input: Input, cx: &mut Context<'_>) -> State {
        match input {
            Input::Started { pid, .. } => {
                let running = self.started(turn, pid, cx);
                match order {
                    None => State::Running(running),
                    Some(order) => self.stop(running, Cause::Order(order), cx),
                }
            }
            Input::NotStarted { exit, .. } => {
                let outcome = Outcome::not_started(&exit);
                self.conclude(
                    Over { turn, pid: None, outcome, order, remains: Remains::None, told: false },
                    cx,
                )
            }
            // The end has overtaken the answer: the run was alive, and was not asked to stop.
            Input::Finished { exit, remains, .. } => {
                let running = self.started(turn, None, cx);
                self.finished(running, &exit, remains, order, cx)
            }
            Input::Operator { command, .. } => match self.to_order(command, order) {
                Ok(order) => State::Starting { turn, order: Some(order) },
                Err(reason) => {
                    cx.refuse(command, reason);
                    State::Starting { turn, order }
                }
            },
            Input::Shutdown => State::Starting { turn, order: Some(Order::Shutdown) },
            Input::Kill => State::Starting { turn, order: Some(Order::Kill) },
            Input::LastTick { .. }
            | Input::ClockChanged
            | Input::HealthChecked { .. }
            | Input::Reload(_)
            | Input::Begin
            | Input::Tick
            | Input::Gone { .. }
            | Input::CannotForce { .. } => State::Starting { turn, order },
        }
    }

    fn in_running(&mut self, running: Running, input: Input, cx: &mut Context<'_>) -> State {
        match input {
            Input::Tick => match running.phase {
                Phase::Free { timeout_at: Some(at), .. } if at <= cx.now.mono => {
                    self.stop(running, Cause::Timeout { limit: at.since(running.since), order: None }, cx)
                }
                Phase::Free { health, .. } if health.deadline().is_some_and(|at| at <= cx.now.mono) => {
                    self.check(running, cx)
                }
                Phase::Stopping { cause, force: Force::At(at) } if at <= cx.now.mono => {
                    let force = self.force(cx);
                    State::Running(Running { phase: Phase::Stopping { cause, force }, ..running })
                }
                Phase::Free { .. } | Phase::Stopping { .. } => State::Running(running),
            },
            Input::Finished { exit, remains, .. } => self.finished(running, &exit, remains, None, cx),
            Input::CannotForce { .. } => match running.phase {
                Phase::Stopping { cause, force: Force::Sent } => self.stuck(running, cause, cx),
                Phase::Stopping { force: Force::At(_), .. } | Phase::Free { .. } => State::Running(running),
            },
            Input::Operator { command, .. } => match self.to_order(command, running.order()) {
                Ok(order) => self.stop_by_order(running, order, cx),
                Err(reason) => {
                    cx.refuse(command, reason);
                    State::Running(running)
                }
            },
            Input::Shutdown => self.stop_by_order(running, Order::Shutdown, cx),
            Input::Kill => self.stop_by_order(running, Order::Kill, cx),
            Input::HealthChecked { problem, .. } => self.checked(running, problem, cx),
            Input::LastTick { .. }
            | Input::ClockChanged
            | Input::Reload(_)
            | Input::Begin
            | Input::Started { .. }
            | Input::NotStarted { .. }
            | Input::Gone { .. } => State::Running(running),
        }
    }

    fn in_stuck(&mut self, running: Running, cause: Cause, input: Input, cx: &mut Context<'_>) -> State {
        let refused = |command, cx: &mut Context<'_>| {
            cx.refuse(command, STUCK);
            State::Stuck { running, cause }
        };
        match input {
            Input::Finished { exit, remains, .. } => self.came_back(running, cause, &exit, remains, cx),
            Input::Operator { command: Command::Stop, .. } => match cause.order() {
                Some(Order::Stop) => refused(Command::Stop, cx),
                Some(Order::Restart | Order::Change | Order::Remove | Order::Shutdown | Order::Kill)
                | None => State::Stuck { running, cause: cause.ordered(Order::Stop) },
            },
            Input::Operator {
                command: command @ (Command::Start | Command::Restart | Command::Trigger),
                ..
            } => refused(command, cx),
            Input::Shutdown => State::Stuck { running, cause: cause.ordered(Order::Shutdown) },
            Input::Kill => State::Stuck { running, cause: cause.ordered(Order::Kill) },
            Input::LastTick { .. }
            | Input::ClockChanged
            | Input::HealthChecked { .. }
            | Input::Reload(_)
            | Input::Begin
            | Input::Tick
            | Input::Started { .. }
            | Input::NotStarted { .. }
            | Input::Gone { .. }
            | Input::CannotForce { .. } => State::Stuck { running, cause },
        }
    }

    fn in_clearing(&mut self, force: Force, then: Then, input: Input, cx: &mut Context<'_>) -> State {
        match input {
            Input::Tick => match force {
                Force::At(at) if at <= cx.now.mono => State::Clearing { force: self.force(cx), then },
                Force::At(_) | Force::Sent => State::Clearing { force, then },
            },
            Input::Gone { .. } => self.cleared(then, cx),
            Input::CannotForce { .. } => match force {
                Force::Sent => self.cleared(then, cx),
                Force::At(_) => State::Clearing { force, then },
            },
            Input::Operator { command: Command::Stop, .. } => match then {
                Then::End(End::Stopped(_)) => {
                    cx.refuse(Command::Stop, STOPPED_ALREADY);
                    State::Clearing { force, then }
                }
                Then::End(End::AsLastRun) | Then::Wait(_) => self.end(Order::Stop, Some(force), cx),
            },
            Input::Operator { command: Command::Start, .. } => self.begin(Why::Start, Some(force), cx),
            Input::Operator { command: Command::Restart, .. } => self.begin(Why::Restart, Some(force), cx),
            Input::Operator { command: Command::Trigger, .. } => {
                cx.refuse(Command::Trigger, format!("the remains of run {} are alive", self.run));
                State::Clearing { force, then }
            }
            Input::Shutdown => self.end_unless_over(Order::Shutdown, force, then, cx),
            Input::Kill => {
                let force = match force {
                    Force::At(_) => self.force(cx),
                    Force::Sent => Force::Sent,
                };
                self.end_unless_over(Order::Kill, force, then, cx)
            }
            Input::LastTick { .. }
            | Input::ClockChanged
            | Input::HealthChecked { .. }
            | Input::Reload(_)
            | Input::Begin
            | Input::Started { .. }
            | Input::NotStarted { .. }
            | Input::Finished { .. } => State::Clearing { force, then },
        }
    }

    fn in_ended(&mut self, end: End, input: Input, cx: &mut Context<'_>) -> State {
        match input {
            Input::Operator { command: Command::Stop, .. } => match end {
                End::AsLastRun => self.end(Order::Stop, None, cx),
                End::Stopped(_) => {
                    cx.refuse(Command::Stop, STOPPED_ALREADY);
                    State::Ended(end)
                }
            },
            Input::Operator { command: Command::Start, .. } => self.begin(Why::Start, None, cx),
            Input::Operator { command: Command::Restart, .. } => self.begin(Why::Restart, None, cx),
            Input::Operator { command: Command::Trigger, .. } => match end {
                End::AsLastRun => self.trigger(Former::Ended, cx),
                End::Stopped(order) => self.trigger(Former::Stopped(order), cx),
            },
            Input::LastTick { .. }
            | Input::ClockChanged
            | Input::HealthChecked { .. }
            | Input::Reload(_)
            | Input::Begin
            | Input::Tick
            | Input::Started { .. }
            | Input::NotStarted { .. }
            | Input::Finished { .. }
            | Input::Gone { .. }
            | Input::CannotForce { .. }
            | Input::Shutdown
            | Input::Kill => State::Ended(end),
        }
    }

    /// What a command means for a run that is alive or being started, given what is wanted of it already; or why it
    /// cannot be.
    fn to_order(&self, command: Command, wanted: Option<Order>) -> Result<Order, String> {
        let run = self.run;
        match (command, wanted) {
            (Command::Stop, Some(Order::Stop)) => Err(format!("run {run} is being stopped already")),
            (
                Command::Stop,
                Some(Order::Restart | Order::Change | Order::Remove | Order::Shutdown | Order::Kill) | None,
            ) => Ok(Order::Stop),
            (Command::Restart, Some(Order::Restart)) => Err(format!("run {run} is being stopped already")),
            (
                Command::Restart,
                Some(Order::Stop | Order::Change | Order::Remove | Order::Shutdown | Order::Kill) | None,
            ) => Ok(Order::Restart),
            (Command::Start | Command::Trigger, Some(_)) => Err(format!("run {run} is still being stopped")),
            (Command::Start | Command::Trigger, None) => Err(format!("run {run} is alive")),
        }
    }

    /// Stops a live run, or changes what follows where it is being stopped.
    pub(crate) fn stop_by_order(&mut self, running: Running, order: Order, cx: &mut Context<'_>) -> State {
        let (cause, force) = match (running.phase, order) {
            (Phase::Free { .. }, _) => return self.stop(running, Cause::Order(order), cx),
            (Phase::Stopping { cause, force: Force::At(_) }, Order::Kill) => (cause, self.force(cx)),
            (
                Phase::Stopping { cause, force },
                Order::Stop | Order::Restart | Order::Change | Order::Remove | Order::Shutdown | Order::Kill,
            ) => (cause, force),
        };
        let phase = Phase::Stopping { cause: cause.ordered(order), force };
        State::Running(Running { phase, ..running })
    }

    /// A finished task keeps its state; one that waits is stopped.
    fn end_unless_over(&mut self, order: Order, force: Force, then: Then, cx: &mut Context<'_>) -> State {
        match then {
            Then::Wait(_) => self.end(order, Some(force), cx),
            Then::End(_) => State::Clearing { force, then },
        }
    }
}

#[cfg(test)]
mod tests;
