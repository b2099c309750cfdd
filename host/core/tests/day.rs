//! What the core itself costs in a day of ten thousand cron tasks. On demand, in a release build:
//! `cargo test --release -p bansuri-core --test day -- --ignored --nocapture`.

use bansuri_core::{
    Cron, Effect, Exit, Input, Mono, Now, OnFail, Orchestrator, Plan, RunId, Schedule, TaskName, TaskPlan,
    Wall, Zone,
};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

const TASKS: usize = 10_000;

/// 2024-10-26T12:00Z: Berlin's clocks change in the night that follows.
const BEGIN: i64 = 1_729_944_000_000_000_000;

/// Far more than any machine takes: the figure that is printed is the point, and a core that looks at every task for
/// every event is a hundred times dearer than one that does not.
const MOST: Duration = Duration::from_micros(500);

fn task(index: usize) -> TaskPlan {
    let (minute, hour) = (index * 7 % 60, index * 5 % 24);
    let expression = match index % 5 {
        0 => format!("{minute} {hour} * * *"),
        1 => format!("*/{} * * * *", 5 + index % 50),
        2 => format!("{minute} */{} * * *", 1 + index % 6),
        3 => format!("{minute} {hour} * * MON-FRI"),
        _ => format!("{} {minute} 1-3 * * *", index % 60),
    };
    let zones = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"];
    let zone = Zone::named(zones[index % zones.len()]).expect("it is a zone");
    let cron = Cron::parse(&expression, zone).expect("it is an expression");
    let name = TaskName::new(format!("task {index}")).expect("it is a name");
    TaskPlan { schedule: Schedule::Cron(cron), on_fail: OnFail::Ignore, ..TaskPlan::new(name) }
}

/// The core, and how long it has taken for how many inputs.
struct Measured {
    core: Orchestrator,
    inputs: u32,
    runs: u32,
    took: Duration,
    ends: BinaryHeap<Reverse<(Mono, RunId)>>,
}

impl Measured {
    fn handle(&mut self, input: Input, mono: Mono) {
        let since = i64::try_from(mono.as_nanos()).expect("a day is short");
        let now = Now { mono, wall: Wall::from_nanos(BEGIN + since) };
        let begin = Instant::now();
        self.core.handle(input, now);
        let effects: Vec<Effect> = std::iter::from_fn(|| self.core.poll_effect()).collect();
        self.took += begin.elapsed();
        self.inputs += 1;
        for effect in effects {
            if let Effect::Start { run, .. } = effect {
                self.runs += 1;
                self.ends.push(Reverse((mono + Duration::from_secs(run.number % 40), run)));
                self.handle(Input::Started { run, pid: Some(1) }, mono);
            }
        }
    }
}

#[test]
#[ignore = "measures: for a release build, on demand"]
fn a_day_of_ten_thousand_cron_tasks() {
    let plan = Plan::new((0..TASKS).map(task).collect()).expect("the plan is right");
    let core = Orchestrator::new(plan, 1);
    let mut day = Measured { core, inputs: 0, runs: 0, took: Duration::ZERO, ends: BinaryHeap::new() };
    day.handle(Input::Begin, Mono::default());
    println!("{TASKS} tasks begin: {:?}", day.took);
    (day.inputs, day.took) = (0, Duration::ZERO);
    let end = Mono::default() + Duration::from_secs(86_400);
    loop {
        let deadline = day.core.next_deadline();
        let ended = day.ends.peek().map(|Reverse((at, _))| *at);
        let Some(next) = deadline.into_iter().chain(ended).min().filter(|next| *next < end) else { break };
        if ended == Some(next) {
            let Some(Reverse((_, run))) = day.ends.pop() else { unreachable!("it was there") };
            let exit = Exit::Code(i32::from(run.number % 7 == 0));
            day.handle(Input::Finished { run, exit, remains: false }, next);
        } else {
            day.handle(Input::Tick, next);
        }
    }
    let each = day.took / day.inputs;
    println!("24 hours: {} runs, {} inputs, {:?}: {each:?} each", day.runs, day.inputs, day.took);
    assert!(day.runs > 100_000, "{} runs", day.runs);
    assert!(each < MOST, "{each:?}");
}
