//! The laws of the core, checked from outside: a book of every run is kept from inputs and effects alone, and every
//! step must agree with it.

use super::book::{Book, Run};
use bansuri_core::{
    Command, Effect, Event, Input, NoticeKind, Now, Orchestrator, OutcomeKind, RunId, StateName, TaskId,
    TaskPlan, Verdict,
};

/// Keeps the book, and the laws.
#[derive(Clone, Debug)]
pub(crate) struct Checker {
    books: Vec<Book>,
    shutting: bool,
    killed: bool,
    /// How far civil time is ahead of the other clock.
    ahead: i64,
}

impl Checker {
    pub(crate) fn new(tasks: usize) -> Self {
        Self { books: vec![Book::new(); tasks], shutting: false, killed: false, ahead: 0 }
    }

    /// Gives one input, after whatever is due, and checks what comes out. Panics where a law is broken.
    pub(crate) fn give(&mut self, core: &mut Orchestrator, input: &Input, now: Now) -> Vec<Effect> {
        let mut effects = Vec::new();
        let due = core.next_deadline().is_some_and(|due| due <= now.mono);
        if due && *input != Input::Tick {
            effects = self.step(core, &Input::Tick, now);
        }
        effects.append(&mut self.step(core, input, now));
        effects
    }

    fn step(&mut self, core: &mut Orchestrator, input: &Input, now: Now) -> Vec<Effect> {
        let ahead = now.wall.as_nanos() - now.mono.as_nanos() as i64;
        if std::mem::replace(&mut self.ahead, ahead) > ahead {
            // Due times only grow on one clock.
            self.books.iter_mut().for_each(|book| book.last_tick = None);
        }
        let subject = subject(input);
        let before = subject.map(|task| core.view(task, now));
        let means_something = self.take_in(input, core.plan().tasks(), now);
        core.handle(input.clone(), now);
        let effects: Vec<Effect> = std::iter::from_fn(|| core.poll_effect()).collect();

        let refused = matches!(effects[..], [Effect::Refused { .. }]);
        if let Input::Operator { task, command } = input {
            self.check_answer(*task, *command, refused);
        }
        if !means_something || refused {
            assert!(refused || effects.is_empty(), "a message that means nothing had effects: {effects:?}");
            assert_eq!(subject.map(|task| core.view(task, now)), before, "and it changed the task");
        }
        let plans = core.plan().tasks();
        for effect in &effects {
            self.take_out(effect, input, plans, now);
        }
        let ends = effects.iter().filter(|effect| tells_an_end(effect)).count();
        let ended = means_something && matches!(input, Input::Finished { .. } | Input::NotStarted { .. });
        assert_eq!(ends, usize::from(ended), "each run has one outcome: {effects:?}");
        let touched = effects.iter().filter_map(task_of).chain(subject);
        for task in touched {
            self.books[task.index()].stopped |= self.books[task.index()].shown == Some(StateName::Stopped);
            self.books[task.index()].settle(now);
            self.check_task(task, core, now);
        }
        effects
    }

    /// Books what an input says about the world; false if the core must take no notice of it.
    fn take_in(&mut self, input: &Input, plans: &[TaskPlan], now: Now) -> bool {
        let book =
            |run: &RunId| (self.books[run.task.index()].number == run.number).then_some(run.task.index());
        match input {
            Input::Started { run, .. } => match book(run) {
                Some(task) if self.books[task].run == Run::Asked => {
                    self.books[task].run = Run::live(now);
                    true
                }
                Some(_) | None => false,
            },
            Input::NotStarted { run, .. } => book(run).is_some_and(|task| self.books[task].run == Run::Asked),
            Input::Finished { run, remains, .. } => match book(run) {
                Some(task) if self.books[task].run != Run::Over => {
                    self.books[task].remains = *remains;
                    true
                }
                Some(_) | None => false,
            },
            Input::Gone { run } => match book(run) {
                Some(task) => std::mem::take(&mut self.books[task].remains),
                None => false,
            },
            Input::CannotForce { run } => match book(run).map(|task| &mut self.books[task]) {
                Some(book) if book.forced && book.remains => {
                    book.remains = false;
                    true
                }
                Some(book) => book.forced && book.is_live() && !book.stuck,
                None => false,
            },
            Input::Shutdown => {
                self.shutting = true;
                true
            }
            Input::Kill => {
                (self.shutting, self.killed) = (true, true);
                true
            }
            Input::HealthChecked { run, problem } => match book(run).map(|task| &mut self.books[task]) {
                Some(book) if book.asked_at.is_none() && !book.forced => match &mut book.run {
                    Run::Live { checks, .. } => {
                        checks.answer(&plans[run.task.index()], problem.is_none(), now)
                    }
                    Run::Over | Run::Asked => false,
                },
                Some(_) | None => false,
            },
            Input::ClockChanged
            | Input::LastTick { .. }
            | Input::Begin
            | Input::Tick
            | Input::Operator { .. } => true,
            Input::Reload(_) => panic!("the laws know one plan"),
        }
    }

    fn check_answer(&mut self, task: TaskId, command: Command, refused: bool) {
        let shutting = self.shutting;
        let book = &mut self.books[task.index()];
        let busy = book.run != Run::Over;
        match command {
            Command::Start => assert_eq!(refused, shutting || busy || book.shown.is_none(), "start {book:?}"),
            Command::Trigger => {
                let expect = shutting || busy || book.remains || book.shown.is_none();
                assert_eq!(refused, expect, "trigger {book:?}");
            }
            Command::Restart if book.stuck || shutting => assert!(refused, "restart {book:?}"),
            Command::Stop if book.stopped || shutting => assert!(refused, "stop {book:?}"),
            Command::Restart | Command::Stop => {
                assert!(!refused || busy || book.shown.is_none(), "{command:?} {book:?}");
            }
        }
        if !refused {
            book.stopped = command == Command::Stop;
            book.afresh = matches!(command, Command::Start | Command::Restart);
            if book.afresh && !busy {
                book.successes = 0;
            }
        }
    }

    /// Books an effect.
    fn take_out(&mut self, effect: &Effect, input: &Input, plans: &[TaskPlan], now: Now) {
        match effect {
            Effect::Start { run, attempt } => {
                assert!(!self.shutting, "a start after shutdown");
                self.books[run.task.index()].launch(*run, *attempt, &plans[run.task.index()], now);
            }
            Effect::RequestStop { run } => {
                self.books[run.task.index()].request_stop(*run, input, now);
            }
            Effect::ForceStop { run } => {
                let killed = self.killed;
                self.books[run.task.index()].force_stop(*run, &plans[run.task.index()], input, killed, now);
            }
            Effect::Event(Event::TaskState(change)) => {
                let shutting = self.shutting;
                let plan = &plans[change.task.index()];
                self.books[change.task.index()].change(change, plan, input, shutting, now);
            }
            Effect::Event(Event::TickSkipped { task, count, due, .. }) => {
                self.books[task.index()].skip(*count, *due, &plans[task.index()], now);
            }
            Effect::Event(Event::TaskStuck { task, run }) => {
                let book = &mut self.books[task.index()];
                assert!(book.forced && book.is_live() && !book.stuck && book.number == *run, "{book:?}");
                book.stuck = true;
                book.sentence = Some(OutcomeKind::TimedOut);
                book.telling.stuck(&plans[task.index()]);
            }
            Effect::Notify(notice) => {
                let book = &mut self.books[notice.run.task.index()];
                assert_eq!((notice.run.number, notice.attempt), (book.number, book.attempt));
                assert_eq!(notice.kind == NoticeKind::Stuck, book.stuck);
                book.telling.notice(notice, &plans[notice.run.task.index()], now);
            }
            Effect::SendHeld { task } => self.books[task.index()].telling.sent(),
            Effect::DropHeld { task } => self.books[task.index()].telling.dropped(),
            Effect::CheckHealth { run } => {
                let book = &mut self.books[run.task.index()];
                assert!(book.number == run.number && book.asked_at.is_none() && !book.forced, "{book:?}");
                match &mut book.run {
                    Run::Live { checks, .. } => checks.ask(&plans[run.task.index()], now),
                    Run::Over | Run::Asked => panic!("a check of nothing: {book:?}"),
                }
            }
            Effect::RememberTick { task, tick } => {
                assert!(plans[task.index()].catch_up && *tick <= now.wall, "{tick:?}");
            }
            Effect::Removed { .. } => panic!("the laws know one plan"),
            Effect::Refused { task, command, .. } => {
                assert_eq!(*input, Input::Operator { task: *task, command: *command });
            }
        }
    }

    /// What must hold for one task between two steps.
    fn check_task(&self, task: TaskId, core: &Orchestrator, now: Now) {
        let plan = &core.plan().tasks()[task.index()];
        let book = &self.books[task.index()];
        let view = core.view(task, now);
        book.check_view(&view, plan, now);
        if let Run::Live { since, checks } = book.run
            && book.asked_at.is_none()
            && !book.forced
        {
            let in_time = plan.timeout.is_none_or(|timeout| since + timeout.duration() > now.mono);
            assert!(in_time, "outlived its timeout: {book:?}");
            assert!(!checks.is_unhealthy(plan), "unhealthy, and lives on: {book:?}");
            assert!(!checks.is_overdue(plan, now), "was not checked: {book:?}");
        }
        if book.is_live() || book.remains {
            let overdue = book.asked_at.is_some_and(|asked| asked + plan.stop_timeout <= now.mono);
            assert!(book.forced || !overdue, "was not forced in time: {book:?}");
            assert!(!self.shutting || book.asked_at.is_some() || book.forced, "lives on: {book:?}");
            assert!(!self.killed || book.forced, "was not killed: {book:?}");
        }
        assert!(
            !self.shutting || book.shown != Some(StateName::Pending) || book.run == Run::Asked,
            "{book:?}"
        );
    }

    /// What must hold for all tasks between two steps; costs as much as there are tasks.
    pub(crate) fn audit(&self, core: &Orchestrator, now: Now) {
        for index in 0..self.books.len() {
            self.check_task(TaskId::new(index), core, now);
        }
        assert!(core.next_deadline().is_none_or(|due| due > now.mono), "something due was left undone");
        let open = self.books.iter().any(Book::is_open);
        let completed = |book: &Book| !book.stuck && book.last == Some(OutcomeKind::Completed);
        let verdict =
            if self.books.iter().all(completed) { Verdict::AllCompleted } else { Verdict::SomeFailed };
        assert_eq!(core.verdict(), (!open).then_some(verdict), "{:?}", self.books);
        if !open {
            assert_eq!(core.next_deadline(), None, "a deadline with nothing left to do");
        }
        let down = self.shutting && !self.books.iter().any(Book::blocks_shutdown);
        assert_eq!(core.is_shut_down(), down, "{:?}", self.books);
    }
}

/// The one task an input is about.
fn subject(input: &Input) -> Option<TaskId> {
    match input {
        Input::Started { run, .. }
        | Input::NotStarted { run, .. }
        | Input::Finished { run, .. }
        | Input::Gone { run }
        | Input::HealthChecked { run, .. }
        | Input::CannotForce { run } => Some(run.task),
        Input::Operator { task, .. } | Input::LastTick { task, .. } => Some(*task),
        Input::Begin
        | Input::Tick
        | Input::ClockChanged
        | Input::Reload(_)
        | Input::Shutdown
        | Input::Kill => None,
    }
}

fn tells_an_end(effect: &Effect) -> bool {
    match effect {
        Effect::Event(Event::TaskState(change)) => change.duration.is_some(),
        Effect::Event(Event::TickSkipped { .. } | Event::TaskStuck { .. })
        | Effect::Start { .. }
        | Effect::RequestStop { .. }
        | Effect::ForceStop { .. }
        | Effect::CheckHealth { .. }
        | Effect::RememberTick { .. }
        | Effect::Removed { .. }
        | Effect::SendHeld { .. }
        | Effect::DropHeld { .. }
        | Effect::Notify(_)
        | Effect::Refused { .. } => false,
    }
}

fn task_of(effect: &Effect) -> Option<TaskId> {
    match effect {
        Effect::Start { run, .. }
        | Effect::RequestStop { run }
        | Effect::ForceStop { run }
        | Effect::CheckHealth { run } => Some(run.task),
        Effect::Event(Event::TaskState(change)) => Some(change.task),
        Effect::Event(Event::TickSkipped { task, .. } | Event::TaskStuck { task, .. })
        | Effect::RememberTick { task, .. }
        | Effect::Removed { task }
        | Effect::SendHeld { task }
        | Effect::DropHeld { task }
        | Effect::Refused { task, .. } => Some(*task),
        Effect::Notify(notice) => Some(notice.run.task),
    }
}
