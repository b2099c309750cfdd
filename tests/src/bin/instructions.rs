//! Counts the instructions of fixed scenarios, which is repeatable on any machine, and compares them with the figures
//! that are kept in `tests/instructions.txt`: a change that makes the host dearer is seen in review.
//!
//! `cargo run --release -p bansuri-tests --bin instructions` compares; with `-- --update` it writes the figures anew.
//! Needs valgrind.

use bansuri_core::{
    Cron, Effect, Exit, Input, Mono, Now, OnFail, Orchestrator, Plan, Positive, Schedule, TaskName, TaskPlan,
    TimerMode, Wall, Zone,
};
use bansuri_tests::callgrind::{self, instructions};
use bansuri_tests::{cargo, workspace};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

/// How far a count may be from the figure that is kept, in parts of it.
const TOLERANCE: f64 = 0.02;

/// How much more a run may cost among a hundred thousand tasks than among a hundred: a tree of deadlines is deeper.
const GROWTH: f64 = 3.0;

/// Runs that are counted of tasks with timers.
const RUNS: usize = 20_000;

/// The word that makes this program run a scenario instead of counting one.
const SCENARIO: &str = "scenario";

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [SCENARIO, "crons", tasks] => crons(tasks.parse()?),
        [SCENARIO, "timers", tasks, runs] => timers(tasks.parse()?, runs.parse()?),
        [] => return compare(&count()?),
        ["--update"] => write(&count()?)?,
        _ => return Err("usage: instructions [--update]".into()),
    }
    Ok(ExitCode::SUCCESS)
}

/// What is counted, by name.
type Counts = BTreeMap<String, u64>;

fn count() -> Result<Counts, Box<dyn Error>> {
    let own = std::env::current_exe()?;
    let own = |words: &[&str]| instructions(&own, &[&[SCENARIO], words].concat());
    let mut counts = Counts::new();
    counts.insert("a day of 1,000 cron tasks".into(), own(&["crons", "1000"])?);
    for tasks in ["100", "100000"] {
        // Less what setting up takes.
        let (none, all) = (own(&["timers", tasks, "0"])?, own(&["timers", tasks, &RUNS.to_string()])?);
        counts.insert(format!("a run among {tasks} tasks"), (all - none) / RUNS as u64);
    }
    counts.insert("a check of 10,000 tasks".into(), callgrind::of_check(&host()?, 10_000)?);
    Ok(counts)
}

/// The binary, freshly built in the profile of this program.
fn host() -> Result<PathBuf, Box<dyn Error>> {
    let status = cargo(workspace(), &["build", "--quiet", "--locked", "--package", "bansuri"]).status()?;
    if !status.success() {
        return Err("the host does not build".into());
    }
    Ok(std::env::current_exe()?.with_file_name("bansuri"))
}

fn kept() -> Result<Counts, Box<dyn Error>> {
    let text = std::fs::read_to_string(figures())?;
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let (number, name) = line.split_once("  ").ok_or("a line is a number, two spaces and a name")?;
            Ok((name.to_owned(), number.trim().parse()?))
        })
        .collect()
}

fn figures() -> PathBuf {
    workspace().join("tests/instructions.txt")
}

fn compare(counts: &Counts) -> Result<ExitCode, Box<dyn Error>> {
    let kept = kept()?;
    let mut is_same = true;
    for (name, &now) in counts {
        let before = kept.get(name).copied().unwrap_or(0);
        let change = now as f64 / before as f64 - 1.0;
        let differs = change.abs() > TOLERANCE || before == 0;
        is_same &= !differs;
        let mark = if differs { " <-- differs" } else { "" };
        println!("{now:>12}  {name} ({:+.1} % of {before}){mark}", change * 100.0);
    }
    let few = counts["a run among 100 tasks"] as f64;
    let growth = counts["a run among 100000 tasks"] as f64 / few;
    println!("a run among 100,000 tasks takes {growth:.2} times what one among 100 takes (at most {GROWTH})");
    if is_same && growth <= GROWTH {
        return Ok(ExitCode::SUCCESS);
    }
    println!("where that is meant, or the compiler is another: run this with --update and commit the file");
    Ok(ExitCode::FAILURE)
}

fn write(counts: &Counts) -> Result<(), Box<dyn Error>> {
    let rustc = Command::new("rustc").arg("--version").output()?;
    let mut text = format!(
        "# Instructions of a release build, counted by `cargo run --release -p bansuri-tests --bin instructions`.\n# {}",
        String::from_utf8_lossy(&rustc.stdout)
    );
    for (name, count) in counts {
        writeln!(text, "{count:>12}  {name}")?;
    }
    print!("{text}");
    Ok(std::fs::write(figures(), text)?)
}

/// A core whose runs all end at once and well.
struct World {
    core: Orchestrator,
    runs: usize,
}

impl World {
    fn new(tasks: impl Iterator<Item = TaskPlan>) -> Self {
        let plan = Plan::new(tasks.collect()).expect("the plan is right");
        let mut world = Self { core: Orchestrator::new(plan, 1), runs: 0 };
        world.handle(Input::Begin, Mono::default());
        world
    }

    fn handle(&mut self, input: Input, mono: Mono) {
        const BEGIN: i64 = 1_729_857_600_000_000_000;
        let since = i64::try_from(mono.as_nanos()).expect("days are few");
        let now = Now { mono, wall: Wall::from_nanos(BEGIN + since) };
        self.core.handle(input, now);
        while let Some(effect) = self.core.poll_effect() {
            if let Effect::Start { run, .. } = effect {
                self.runs += 1;
                self.core.handle(Input::Started { run, pid: Some(1) }, now);
                let exit = Exit::Code(0);
                self.core.handle(Input::Finished { run, exit, remains: false }, now);
            }
        }
    }

    fn next(&mut self) -> Mono {
        let due = self.core.next_deadline().expect("every task has a schedule");
        self.handle(Input::Tick, due);
        due
    }
}

fn task(index: usize, schedule: Schedule) -> TaskPlan {
    let name = TaskName::new(format!("task {index}")).expect("it is a name");
    TaskPlan { schedule, on_fail: OnFail::Ignore, ..TaskPlan::new(name) }
}

/// A day in which each task has an hour or a minute of its own.
fn crons(tasks: usize) {
    let zone = Zone::named("Europe/Berlin").expect("it is a zone");
    let mut world = World::new((0..tasks).map(|index| {
        let expression = match index % 4 {
            0 => format!("*/{} * * * *", 5 + index % 50),
            _ => format!("{} {} * * *", index % 60, index % 24),
        };
        task(index, Schedule::Cron(Cron::parse(&expression, zone.clone()).expect("it is an expression")))
    }));
    let end = Mono::default() + Duration::from_secs(86_400);
    while world.next() < end {}
    println!("{} runs", world.runs);
}

/// Tasks spread over an hour, until there were so many runs after the first of each.
fn timers(tasks: usize, runs: usize) {
    let interval = Positive::new(Duration::from_secs(3_600)).expect("it is not zero");
    let schedule = Schedule::Timer { interval, mode: TimerMode::FixedRate };
    let jitter = Duration::from_secs(3_599);
    let plans = (0..tasks).map(|index| TaskPlan { jitter, ..task(index, schedule.clone()) });
    let mut world = World::new(plans);
    while world.runs < runs {
        world.next();
    }
    println!("{} runs", world.runs);
}
