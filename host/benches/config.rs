//! Checking a file of ten thousand tasks, and comparing it with one that differs in one.

#[path = "../tests/config/machine.rs"]
mod machine;

use bansuri::config::{
    CheckOptions, Configuration, NamedType, PluginCatalog, ResolvedType, check_text, diff,
};
use bansuri_core::{Input, Now, Orchestrator};
use divan::Bencher;
use machine::Fake;
use std::fmt::Write;
use std::path::Path;

const TASKS: usize = 10_000;

fn text(schedule: &str, last: &str) -> String {
    let mut text = String::from("{ \"version\": \"1.0\", \"scripts\": [\n");
    for n in 0..TASKS {
        let command = if n + 1 == TASKS { last } else { "run" };
        let (minute, hour) = (n % 60, n / 60 % 24);
        let schedule = schedule.replace("MINUTE", &minute.to_string()).replace("HOUR", &hour.to_string());
        writeln!(text, "  {{ \"name\": \"task {n}\", \"command\": \"{command} {n}\", {schedule} }},")
            .expect("a string grows");
    }
    text + "] }"
}

const CRON: &str = "\"schedule-cron\": \"MINUTE HOUR * * *\"";
const TIMER: &str = "\"timer\": \"1h\"";

/// No task is a plugin's.
struct NoPlugins;

impl PluginCatalog for NoPlugins {
    fn resolve(&mut self, _: &NamedType<'_>) -> Result<ResolvedType, String> {
        Err("there are no plugins".to_owned())
    }
}

fn checked(text: &str) -> Configuration {
    let (file, folder) = (Path::new("scripts.json"), Path::new("/"));
    let machine = Fake { is_root: true };
    let checked =
        check_text(text.as_bytes(), file, folder, &mut NoPlugins, &machine, CheckOptions::default());
    checked.expect("the text is right").0
}

#[divan::bench(args = [TIMER, CRON])]
fn check(bencher: Bencher<'_, '_>, schedule: &str) {
    let text = text(schedule, "run");
    bencher.bench_local(|| checked(&text));
}

/// What the control thread does of a reload that changes one task.
#[divan::bench(args = [TIMER, CRON])]
fn reload(bencher: Bencher<'_, '_>, schedule: &str) {
    let (before, after) = (checked(&text(schedule, "run")), checked(&text(schedule, "walk")));
    let mut core = Orchestrator::new(before.plan.clone(), 1);
    let (mut old, mut new) = (&before, &after);
    bencher.bench_local(|| {
        let difference = diff(old, new, |name| core.task_id(name));
        core.handle(Input::Reload(Box::new(difference.reload)), Now::default());
        std::mem::swap(&mut old, &mut new);
        std::iter::from_fn(|| core.poll_effect()).count()
    });
}
