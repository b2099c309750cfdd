//! One task, told about: what is given, and what comes out.

use super::{Checker, Options, now, plan, shifted};
use bansuri_core::{Command, Effect, Event, Exit, Input, NoticeKind, Now, Orchestrator, Plan, RunId, TaskId};

pub(crate) const SECOND: u64 = 1_000_000_000;

/// One task under the laws, with times in seconds.
pub(crate) struct Story {
    pub(crate) core: Orchestrator,
    checker: Checker,
    /// How far the clock on the wall was set forwards, in seconds.
    shift: i64,
}

impl Story {
    /// Begins at second 0, with a run at once.
    #[track_caller]
    pub(crate) fn new(options: Options) -> Self {
        Self::begins(options, "->PENDING at 0 (first run), start 1.1")
    }

    /// Begins at second 0.
    #[track_caller]
    pub(crate) fn begins(options: Options, expect: &str) -> Self {
        let mut story = Self::before(options);
        story.at(0, Input::Begin, expect);
        story
    }

    /// Has not begun.
    pub(crate) fn before(options: Options) -> Self {
        let tasks = Plan::new(vec![plan("t", options)]).expect("one name");
        Self { core: Orchestrator::new(tasks, 0), checker: Checker::new(1), shift: 0 }
    }

    /// The clock on the wall is set, and the host notices.
    #[track_caller]
    pub(crate) fn clock_set(&mut self, second: u64, by: i64, expect: &str) {
        self.shift += by;
        self.at(second, Input::ClockChanged, expect);
    }

    /// It is set, and nobody notices.
    pub(crate) fn clock_set_unnoticed(&mut self, by: i64) {
        self.shift += by;
    }

    fn now(&self, second: u64) -> Now {
        shifted(second * SECOND, self.shift * SECOND as i64)
    }

    #[track_caller]
    pub(crate) fn at(&mut self, second: u64, input: Input, expect: &str) {
        let now = self.now(second);
        let effects = self.checker.give(&mut self.core, &input, now);
        let shown: Vec<String> = effects.iter().map(shown).collect();
        assert_eq!(shown.join(", "), expect, "at {second}: {input:?}");
        self.checker.audit(&self.core, now);
    }

    #[track_caller]
    pub(crate) fn started(&mut self, second: u64, run: u64) {
        self.at(second, Input::Started { run: id(run), pid: None }, "PENDING>RUNNING");
    }

    pub(crate) fn due_at(&self) -> Option<u64> {
        self.core.next_deadline().map(|due| due.as_nanos() / SECOND)
    }
}

pub(crate) fn id(run: u64) -> RunId {
    RunId { task: TaskId::new(0), number: run }
}

pub(crate) fn exits(run: u64, code: i32) -> Input {
    Input::Finished { run: id(run), exit: Exit::Code(code), remains: false }
}

pub(crate) fn leaves_remains(run: u64, code: i32) -> Input {
    Input::Finished { run: id(run), exit: Exit::Code(code), remains: true }
}

pub(crate) fn operator(command: Command) -> Input {
    Input::Operator { task: TaskId::new(0), command }
}

pub(crate) fn shown(effect: &Effect) -> String {
    let second = |wall: bansuri_core::Wall| (wall.as_nanos() - now(0).wall.as_nanos()) / SECOND as i64;
    match effect {
        Effect::Start { run, attempt } => format!("start {}.{attempt}", run.number),
        Effect::RequestStop { run } => format!("ask {}", run.number),
        Effect::ForceStop { run } => format!("force {}", run.number),
        Effect::Notify(notice) => {
            let what = match notice.kind {
                NoticeKind::Failure if notice.held => "hold",
                NoticeKind::Failure | NoticeKind::Stuck => "notify",
                NoticeKind::Recovery => "recovery",
            };
            format!("{what} {}", notice.outcome.reason)
        }
        Effect::SendHeld { .. } => "send held".to_owned(),
        Effect::DropHeld { .. } => "drop held".to_owned(),
        Effect::CheckHealth { run } => format!("check {}", run.number),
        Effect::RememberTick { tick, .. } => format!("remember {}", second(*tick)),
        Effect::Removed { .. } => "removed".to_owned(),
        Effect::Event(Event::TaskState(change)) => {
            let from = change.from.map_or("-", bansuri_core::StateName::as_str);
            let next = change.next_run.map_or(String::new(), |next| format!(" at {}", second(next)));
            let reason = change.reason.as_ref().map_or(String::new(), |reason| format!(" ({reason})"));
            format!("{from}>{}{next}{reason}", change.to)
        }
        Effect::Event(Event::TickSkipped { count, due, reason, .. }) => {
            format!("skipped {count} from {} ({reason})", second(*due))
        }
        Effect::Event(Event::TaskStuck { run, .. }) => format!("stuck {run}"),
        Effect::Refused { reason, .. } => format!("refused: {reason}"),
    }
}

pub(crate) fn checked(run: u64, problem: Option<&str>) -> Input {
    Input::HealthChecked { run: id(run), problem: problem.map(str::to_owned) }
}
