//! The laws of the core, checked from outside: a book of every run is kept from inputs and effects alone, and every
//! step must agree with it.

use bansuri_core::{
    Command, Effect, Event, Exit, Input, Mono, NoticeKind, Now, OnFail, Orchestrator, Outcome, OutcomeKind,
    RunId, Schedule, StateName, TaskId, TaskPlan, TaskState, TaskView, TimerMode, Verdict, Wall,
};
use std::time::Duration;

/// Civil time is this far ahead of the other clock in tests.
const EPOCH: u64 = 1_700_000_000_000_000_000;

/// The time this many nanoseconds after the start of a test, on both clocks.
pub(crate) fn now(nanos: u64) -> Now {
    Now { mono: Mono::from_nanos(nanos), wall: at(nanos) }
}

/// The same, in civil time.
fn at(nanos: u64) -> Wall {
    Wall::from_nanos((EPOCH + nanos) as i64)
}

fn mono_of(wall: Wall) -> Mono {
    Mono::from_nanos(wall.as_nanos() as u64 - EPOCH)
}

/// Where the last run of a task is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Run {
    Over,
    Asked,
    Live { since: Mono },
}

/// What a task was last PENDING for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Pending {
    Begin,
    Tick,
    Retry,
    Trigger,
    Remains,
}

/// The book of one task.
#[derive(Clone, Debug)]
struct Book {
    shown: Option<StateName>,
    number: u64,
    attempt: u32,
    run: Run,
    remains: bool,
    /// When the last run's group was asked to stop.
    asked_at: Option<Mono>,
    forced: bool,
    /// How a live run will be judged, if the host has decided to end it.
    sentence: Option<OutcomeKind>,
    stuck: bool,
    /// By an operator or the shutdown, and nobody has taken that back.
    stopped: bool,
    /// The next PENDING is a new beginning.
    afresh: bool,
    pending: Option<Pending>,
    /// In a turn that an operator triggered.
    triggered: bool,
    /// The first start since the task began: the origin of its grid.
    origin: Option<Mono>,
    last_tick: Option<Wall>,
    successes: u64,
    last: Option<OutcomeKind>,
}

impl Book {
    fn new() -> Self {
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
            last_tick: None,
            successes: 0,
            last: None,
        }
    }

    fn is_live(&self) -> bool {
        matches!(self.run, Run::Live { .. })
    }

    /// Something may still run by itself, or something lives.
    fn is_open(&self) -> bool {
        !self.stuck && (self.shown.is_none_or(|s| s == StateName::Pending) || self.is_live() || self.remains)
    }

    fn blocks_shutdown(&self) -> bool {
        !self.stuck && (self.run != Run::Over || self.remains)
    }
}

/// Keeps the book, and the laws.
#[derive(Clone, Debug)]
pub(crate) struct Checker {
    books: Vec<Book>,
    shutting: bool,
    killed: bool,
}

impl Checker {
    pub(crate) fn new(tasks: usize) -> Self {
        Self { books: vec![Book::new(); tasks], shutting: false, killed: false }
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
        let subject = subject(input);
        let before = subject.map(|task| core.view(task, now));
        let means_something = self.take_in(input, now);
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
        let mut owed: Option<RunId> = None;
        for effect in &effects {
            let notified = match effect {
                Effect::Notify(notice) => Some(notice.run),
                Effect::Start { .. }
                | Effect::RequestStop { .. }
                | Effect::ForceStop { .. }
                | Effect::Event(_)
                | Effect::Refused { .. } => None,
            };
            assert_eq!(owed, notified, "each failure is notified at once, and nothing else is");
            owed = self.take_out(effect, input, plans, now);
        }
        assert_eq!(owed, None, "a failure was not notified");
        let ends = effects.iter().filter(|effect| tells_an_end(effect)).count();
        let ended = means_something && matches!(input, Input::Finished { .. } | Input::NotStarted { .. });
        assert_eq!(ends, usize::from(ended), "each run has one outcome: {effects:?}");
        let touched = effects.iter().filter_map(task_of).chain(subject);
        for task in touched {
            self.books[task.index()].stopped |= self.books[task.index()].shown == Some(StateName::Stopped);
            self.check_task(task, core, now);
        }
        effects
    }

    /// Books what an input says about the world; false if the core must take no notice of it.
    fn take_in(&mut self, input: &Input, now: Now) -> bool {
        let book =
            |run: &RunId| (self.books[run.task.index()].number == run.number).then_some(run.task.index());
        match input {
            Input::Started { run, .. } => match book(run) {
                Some(task) if self.books[task].run == Run::Asked => {
                    self.books[task].run = Run::Live { since: now.mono };
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
            Input::Begin | Input::Tick | Input::Operator { .. } => true,
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

    /// Books an effect; returns the run whose failure must be notified by the next one.
    fn take_out(&mut self, effect: &Effect, input: &Input, plans: &[TaskPlan], now: Now) -> Option<RunId> {
        match effect {
            Effect::Start { run, attempt } => {
                assert!(!self.shutting, "a start after shutdown");
                self.books[run.task.index()].launch(*run, *attempt, &plans[run.task.index()], now);
                None
            }
            Effect::RequestStop { run } => {
                self.books[run.task.index()].request_stop(*run, input, now);
                None
            }
            Effect::ForceStop { run } => {
                let killed = self.killed;
                self.books[run.task.index()].force_stop(*run, &plans[run.task.index()], input, killed, now);
                None
            }
            Effect::Event(Event::TaskState(change)) => {
                let shutting = self.shutting;
                let plan = &plans[change.task.index()];
                self.books[change.task.index()].change(change, plan, input, shutting, now)
            }
            Effect::Event(Event::TickSkipped { task, count, due, .. }) => {
                self.books[task.index()].skip(*count, *due, &plans[task.index()], now);
                None
            }
            Effect::Event(Event::TaskStuck { task, run }) => {
                let book = &mut self.books[task.index()];
                assert!(book.forced && book.is_live() && !book.stuck && book.number == *run, "{book:?}");
                book.stuck = true;
                book.sentence = Some(OutcomeKind::TimedOut);
                plans[task.index()].notify.then_some(RunId { task: *task, number: *run })
            }
            Effect::Notify(notice) => {
                let book = &self.books[notice.run.task.index()];
                assert_eq!(notice.attempt, book.attempt);
                assert_eq!(notice.kind == NoticeKind::Stuck, book.stuck);
                None
            }
            Effect::Refused { task, command, .. } => {
                assert_eq!(*input, Input::Operator { task: *task, command: *command });
                None
            }
        }
    }

    /// What must hold for one task between two steps.
    fn check_task(&self, task: TaskId, core: &Orchestrator, now: Now) {
        let plan = &core.plan().tasks()[task.index()];
        let book = &self.books[task.index()];
        let view = core.view(task, now);
        book.check_view(&view, plan, now);
        if let Run::Live { since } = book.run
            && let Some(timeout) = plan.timeout
        {
            let ended = book.asked_at.is_some() || book.forced;
            assert!(ended || since + timeout.duration() > now.mono, "outlived its timeout: {book:?}");
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

impl Book {
    fn launch(&mut self, run: RunId, attempt: u32, plan: &TaskPlan, now: Now) {
        assert!(self.run == Run::Over && !self.remains, "a second run: {self:?}");
        assert!(!self.stopped && self.shown == Some(StateName::Pending), "a stopped task started: {self:?}");
        assert_eq!(run.number, self.number + 1);
        let pending = self.pending.expect("a start comes from PENDING");
        match pending {
            Pending::Begin => {
                assert_eq!(attempt, 1);
                (self.origin, self.last_tick, self.triggered) = (Some(now.mono), None, false);
            }
            Pending::Tick => {
                assert_eq!(attempt, 1);
                self.triggered = false;
            }
            Pending::Trigger => {
                assert_eq!(attempt, 1);
                self.triggered = true;
            }
            Pending::Retry => assert!(attempt > 1, "a retry is no first attempt"),
            Pending::Remains => panic!("a start in a wait for remains: {self:?}"),
        }
        assert!(attempt <= limit(plan), "attempt {attempt} of {}", limit(plan));
        if let (Some(limit), Pending::Tick) = (plan.max_runs, pending) {
            assert!(self.successes < limit.get(), "a tick after the last run: {self:?}");
        }
        (self.number, self.attempt, self.run) = (run.number, attempt, Run::Asked);
        (self.asked_at, self.forced, self.sentence, self.stuck) = (None, false, None, false);
    }

    fn request_stop(&mut self, run: RunId, input: &Input, now: Now) {
        assert!(run.number == self.number && (self.is_live() || self.remains), "nothing to stop: {self:?}");
        assert!(self.asked_at.is_none() && !self.forced, "asked twice: {self:?}");
        self.asked_at = Some(now.mono);
        self.condemn(input);
    }

    fn force_stop(&mut self, run: RunId, plan: &TaskPlan, input: &Input, killed: bool, now: Now) {
        assert!(run.number == self.number && (self.is_live() || self.remains), "nothing to force: {self:?}");
        assert!(!self.forced, "forced twice: {self:?}");
        let had_its_time = self.asked_at.is_some_and(|asked| asked + plan.stop_timeout <= now.mono);
        assert!(had_its_time || killed, "forced too early: {self:?}");
        self.forced = true;
        self.condemn(input);
    }

    /// Only the first reason to end a live run counts: its timeout, if nobody asked for it.
    fn condemn(&mut self, input: &Input) {
        if self.is_live() && self.sentence.is_none() {
            self.sentence = Some(match input {
                Input::Tick => OutcomeKind::TimedOut,
                Input::Begin
                | Input::Started { .. }
                | Input::NotStarted { .. }
                | Input::Finished { .. }
                | Input::Gone { .. }
                | Input::CannotForce { .. }
                | Input::Operator { .. }
                | Input::Shutdown
                | Input::Kill => OutcomeKind::Stopped,
            });
        }
    }

    fn change(
        &mut self,
        change: &TaskState,
        plan: &TaskPlan,
        input: &Input,
        shutting: bool,
        now: Now,
    ) -> Option<RunId> {
        assert_eq!(change.from, self.shown, "events form a chain: {change:?}");
        assert_eq!(change.run, (self.number > 0).then_some(self.number), "{change:?}");
        assert!((1..=limit(plan)).contains(&change.attempt), "{change:?}");
        self.shown = Some(change.to);
        let mut owed = None;
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
                        self.run = Run::Live { since: now.mono };
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
                owed = self.conclude(change, duration, plan, input, now);
            }
            (StateName::Completed | StateName::Failed | StateName::TimedOut, None)
            | (StateName::Pending | StateName::Running, Some(_)) => panic!("not a change: {change:?}"),
        }
        owed
    }

    /// PENDING: where a time is known it is not past, and a tick lies on the grid, after the one before it.
    fn wait(&mut self, change: &TaskState, plan: &TaskPlan, now: Now) {
        let reason = change.reason.as_deref().expect("PENDING has a reason");
        let pending = match reason.split(' ').next() {
            Some("first" | "started" | "restarted") => Pending::Begin,
            Some("triggered") => Pending::Trigger,
            Some("next") => Pending::Tick,
            Some("retry") => Pending::Retry,
            Some("waiting") => Pending::Remains,
            Some(_) | None => panic!("an unknown reason: {change:?}"),
        };
        assert_eq!(pending == Pending::Remains, self.remains, "{change:?}");
        self.pending = Some(pending);
        if std::mem::take(&mut self.afresh) {
            self.successes = 0;
        }
        match change.next_run {
            None => assert!(self.remains, "{change:?}"),
            Some(next) => assert!(next >= now.wall, "a start in the past: {change:?}"),
        }
        match pending {
            Pending::Begin => {}
            Pending::Tick => {
                let next = change.next_run.expect("a tick has a time");
                assert!(self.last_tick.is_none_or(|last| last <= next), "due times only grow: {change:?}");
                assert!(self.origin.is_some_and(|origin| mono_of(next) > origin), "{change:?}");
                self.check_on_grid(next, plan);
                self.last_tick = Some(next);
            }
            Pending::Retry => assert!(change.attempt > 1, "{change:?}"),
            Pending::Trigger | Pending::Remains => {}
        }
    }

    fn check_on_grid(&self, tick: Wall, plan: &TaskPlan) {
        match &plan.schedule {
            Schedule::Once => panic!("a tick without a schedule: {self:?}"),
            Schedule::Timer { interval, mode: TimerMode::FixedRate } => {
                let origin = self.origin.expect("a tick comes after a start");
                let offset = mono_of(tick).since(origin).as_nanos() % interval.duration().as_nanos();
                assert_eq!(offset, 0, "off the grid: {self:?}");
            }
            Schedule::Timer { mode: TimerMode::FixedDelay, .. } => {}
        }
    }

    fn conclude(
        &mut self,
        change: &TaskState,
        duration: Duration,
        plan: &TaskPlan,
        input: &Input,
        now: Now,
    ) -> Option<RunId> {
        let (exit, lived) = match (self.run, input) {
            (Run::Asked, Input::NotStarted { exit, .. }) => (exit, Duration::ZERO),
            (Run::Live { since }, Input::Finished { exit, .. }) => (exit, now.mono.since(since)),
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
        let failed = matches!(kind, OutcomeKind::Failed | OutcomeKind::TimedOut);
        (failed && plan.notify && !told).then_some(RunId { task: change.task, number: self.number })
    }

    fn skip(&self, count: u64, due: Wall, plan: &TaskPlan, now: Now) {
        assert!(count > 0 && due < now.wall && self.run == Run::Over && !self.remains, "{self:?}");
        self.check_on_grid(due, plan);
        assert!(self.last_tick.is_none_or(|last| last <= due), "skipped twice: {self:?}");
    }

    fn check_view(&self, view: &TaskView, plan: &TaskPlan, now: Now) {
        assert_eq!(view.state, self.shown.unwrap_or(StateName::Pending));
        assert_eq!(view.run, (self.number > 0).then_some(self.number));
        assert_eq!(view.last_outcome.as_ref().map(|outcome: &Outcome| outcome.kind), self.last);
        assert_eq!(view.successes, self.successes, "{self:?}");
        assert!((1..=limit(plan)).contains(&view.attempt), "{view:?}");
        assert_eq!(view.state == StateName::Running, self.is_live(), "{self:?}");
        let waits = view.state == StateName::Pending && self.run == Run::Over && !self.remains;
        match view.next_run {
            Some(next) => assert!(waits && next >= now.wall, "{view:?}"),
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

/// The one task an input is about.
fn subject(input: &Input) -> Option<TaskId> {
    match input {
        Input::Started { run, .. }
        | Input::NotStarted { run, .. }
        | Input::Finished { run, .. }
        | Input::Gone { run }
        | Input::CannotForce { run } => Some(run.task),
        Input::Operator { task, .. } => Some(*task),
        Input::Begin | Input::Tick | Input::Shutdown | Input::Kill => None,
    }
}

fn tells_an_end(effect: &Effect) -> bool {
    match effect {
        Effect::Event(Event::TaskState(change)) => change.duration.is_some(),
        Effect::Event(Event::TickSkipped { .. } | Event::TaskStuck { .. })
        | Effect::Start { .. }
        | Effect::RequestStop { .. }
        | Effect::ForceStop { .. }
        | Effect::Notify(_)
        | Effect::Refused { .. } => false,
    }
}

fn task_of(effect: &Effect) -> Option<TaskId> {
    match effect {
        Effect::Start { run, .. } | Effect::RequestStop { run } | Effect::ForceStop { run } => Some(run.task),
        Effect::Event(Event::TaskState(change)) => Some(change.task),
        Effect::Event(Event::TickSkipped { task, .. } | Event::TaskStuck { task, .. })
        | Effect::Refused { task, .. } => Some(*task),
        Effect::Notify(notice) => Some(notice.run.task),
    }
}
