//! Whole groups: what is left of a run, and that nothing is left of it in the end.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use bansuri::launch::{ErrorSink, Launch, Sink};
use bansuri::runner::Update;
use bansuri_core::{Exit, Signal};
use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::time::Duration;
use support::{Bench, children, exec, lives, shell, state, text};

/// A named pipe by which a process says that it has come so far: `$SIGN` in its environment.
struct Signpost {
    _folder: tempfile::TempDir,
    path: PathBuf,
    lines: BufReader<std::fs::File>,
}

impl Signpost {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sign");
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, 0o600.into()).unwrap();
        // For writing too: so neither side waits for the other to open it.
        let lines = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
        Self { _folder: folder, path, lines: BufReader::new(lines) }
    }

    fn shell(&self, line: &str) -> Launch {
        let mut launch = shell(line);
        launch.environment.insert("SIGN".into(), self.path.to_str().unwrap().into());
        launch
    }

    fn pid(&mut self) -> u32 {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim().parse().unwrap()
    }
}

/// Longer than anything here takes to react, if it does: for showing that it does not.
const A_MOMENT: Duration = Duration::from_millis(200);

#[test]
fn what_is_left_of_a_group_is_reported_asked_and_killed() {
    let mut sign = Signpost::new();
    let mut bench = Bench::new();
    let line = r#"sh -c 'trap "" TERM; echo $$ > $SIGN; while :; do sleep 1000; done' & exit 3"#;
    let alive = bench.start(sign.shell(line));
    let left = sign.pid();
    let finished = bench.finished();
    assert_eq!((finished.exit, finished.remains), (Exit::Code(3), true));
    assert_eq!(finished.run, alive.id);
    assert_eq!(state(alive.pid), None, "the leader is reaped");

    alive.live.request_stop();
    assert!(bench.update_within(A_MOMENT).is_none());
    assert!(lives(left));
    assert_eq!(alive.live.force_stop(), Ok(()));
    assert_eq!(bench.gone(), alive.id);
    assert!(!lives(left));
    assert_eq!(bench.runner.live(), 0);
}

#[test]
fn grandchildren_get_the_stop_signal_of_the_task() {
    let mut sign = Signpost::new();
    let mut bench = Bench::new();
    let child = r#"trap "echo asked; exit 0" USR1; echo $$ > $SIGN; while :; do sleep 0.01; done"#;
    let mut launch = sign.shell(&format!("trap '' USR1; sh -c '{child}' & wait $!; exit 5"));
    launch.stop_signal = "USR1".parse().unwrap();
    let alive = bench.start(launch);
    // The trap of the child is set; a signal that was ignored from its start could not be trapped.
    let _ = sign.pid();
    alive.live.request_stop();
    assert!(bench.update_within(A_MOMENT).is_none(), "both ignore it");
    assert_eq!(alive.live.force_stop(), Ok(()));
    assert_eq!(bench.finished().exit, Exit::Signal(Signal::KILL));

    let mut launch = sign.shell(&format!("trap : USR1; sh -c '{child}' & wait; wait; exit 5"));
    launch.stop_signal = "USR1".parse().unwrap();
    let mut bench = Bench::new();
    let alive = bench.start(launch);
    let _ = sign.pid();
    alive.live.request_stop();
    let finished = bench.finished();
    assert_eq!(finished.exit, Exit::Code(5));
    // The shell may have a word for the `sleep` that got it too.
    assert!(text(&finished.tails.stdout).ends_with("asked\n"));
}

#[test]
fn a_stopped_group_can_be_stopped() {
    let mut sign = Signpost::new();
    let mut bench = Bench::new();
    let line = r#"sh -c 'trap "echo asked; exit 0" TERM; echo $$ > $SIGN; kill -STOP $$; sleep 1000' & wait"#;
    let alive = bench.start(sign.shell(line));
    let stopped = sign.pid();
    while state(stopped) != Some('T') {
        std::thread::yield_now();
    }
    alive.live.request_stop();
    let finished = bench.finished();
    assert_eq!(finished.exit, Exit::Signal(Signal::TERM));
    if finished.remains {
        assert_eq!(bench.gone(), alive.id);
    }
    assert!(!lives(stopped));
}

#[test]
fn a_stranger_that_holds_the_pipe_holds_nothing_back() {
    let mut sign = Signpost::new();
    let mut bench = Bench::new();
    let line =
        r#"setsid sh -c 'echo $$ > $SIGN; exec sleep 1000' & read pid < $SIGN; echo $pid > $SIGN; echo end"#;
    let alive = bench.start(sign.shell(line));
    // The two of them read from one named pipe, and the test reads what is left: the pid, once the leader took note.
    let finished = bench.finished();
    let stranger = sign.pid();
    assert!(lives(stranger));
    assert_eq!((finished.exit, finished.remains), (Exit::Code(0), false));
    assert_eq!(text(&finished.tails.stdout), "end\n");
    assert_eq!(bench.runner.live(), 0);
    assert!(state(alive.pid).is_none());
    kill(stranger);
}

#[test]
fn one_of_the_group_that_floods_the_pipe_holds_nothing_back() {
    let mut bench = Bench::new();
    let alive = bench.start(shell("yes & exit 0"));
    let finished = bench.finished();
    assert_eq!((finished.exit, finished.remains), (Exit::Code(0), true));
    assert!(bench.update_within(A_MOMENT).is_none(), "it is drained, and goes on");
    alive.live.force_stop().unwrap();
    assert_eq!(bench.gone(), alive.id);
}

#[test]
fn one_that_floods_does_not_starve_the_others() {
    let mut bench = Bench::new();
    let flood: Vec<_> = (0..3).map(|_| bench.start(exec(&["yes"]))).collect();
    for _ in 0..20 {
        bench.start(exec(&["/bin/echo", "short"]));
        assert_eq!(text(&bench.finished().tails.stdout), "short\n");
    }
    flood.iter().for_each(|run| run.live.request_stop());
    for _ in &flood {
        assert_eq!(bench.finished().exit, Exit::Signal(Signal::TERM));
    }
}

#[test]
fn those_that_fork_while_they_are_killed_are_caught() {
    let folder = tempfile::tempdir().unwrap();
    let hop = folder.path().join("hop");
    // Every process of the group lives for a moment, and the next one is started by the last.
    std::fs::write(&hop, "#!/bin/sh\n\"$0\" &\n").unwrap();
    std::fs::set_permissions(&hop, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for _ in 0..10 {
        let mut bench = Bench::new();
        let mut launch = exec(&[hop.to_str().unwrap()]);
        launch.stdout = Sink::Ignore;
        let alive = bench.start(launch);
        let finished = bench.finished();
        assert_eq!((finished.exit, finished.remains), (Exit::Code(0), true));
        assert!(bench.update_within(Duration::from_millis(20)).is_none(), "it hops on");
        alive.live.force_stop().unwrap();
        assert_eq!(bench.gone(), alive.id);
    }
    assert_eq!(processes_of(hop.to_str().unwrap()), 0);
}

fn processes_of(word: &str) -> usize {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .filter(|line| String::from_utf8_lossy(line).contains(word))
        .count()
}

#[test]
fn a_zombie_that_nobody_reaps_does_not_count() {
    let mut sign = Signpost::new();
    let mut bench = Bench::new();
    let go = Signpost::new();
    // The inner shell forks one that stays in the group, and becomes a stranger that never waits for it.
    let inner = r#"read x < $GO & echo $! > $SIGN; echo $$ > $SIGN; exec setsid sleep 1000"#;
    let mut launch = sign.shell(&format!("sh -c '{inner}' & exit 0"));
    launch.environment.insert("GO".into(), go.path.to_str().unwrap().into());
    let alive = bench.start(launch);
    assert!(bench.finished().remains);
    let (zombie, stranger) = (sign.pid(), sign.pid());
    wait_until_it_leads_a_group(stranger);
    assert!(lives(zombie));
    alive.live.request_stop();
    assert_eq!(bench.gone(), alive.id);
    assert_eq!(state(zombie), Some('Z'));
    assert!(lives(stranger));
    kill(stranger);
}

fn wait_until_it_leads_a_group(pid: u32) {
    // Not by getpgid of rustix: the group of who started it may be in another namespace, which that takes for impossible.
    let group = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let fields = stat.rsplit_once(')').unwrap().1;
        fields.split_whitespace().nth(2).unwrap().parse::<u32>().unwrap()
    };
    while group() != pid {
        std::thread::yield_now();
    }
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[test]
fn one_that_leaves_the_group_is_let_go() {
    let (mut sign, go) = (Signpost::new(), Signpost::new());
    let mut bench = Bench::new();
    let line = r#"sh -c 'trap "" TERM; echo $$ > $SIGN; read x < $GO; exec setsid sleep 1000' & exit 0"#;
    let mut launch = sign.shell(line);
    launch.environment.insert("GO".into(), go.path.to_str().unwrap().into());
    let alive = bench.start(launch);
    let deserter = sign.pid();
    assert!(bench.finished().remains);
    alive.live.request_stop();
    assert!(bench.update_within(A_MOMENT).is_none());
    std::fs::write(&go.path, "go\n").unwrap();
    wait_until_it_leads_a_group(deserter);
    alive.live.force_stop().unwrap();
    assert_eq!(bench.gone(), alive.id);
    assert!(lives(deserter));
    kill(deserter);
}

#[test]
fn five_hundred_at_once() {
    let mut bench = Bench::new();
    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    let before = threads();
    let mut pids = HashSet::new();
    let mut runs = Vec::new();
    for _ in 0..500 {
        let mut launch = exec(&["sleep", "1000"]);
        launch.stderr = ErrorSink::Separate(Sink::Tail);
        let alive = bench.start(launch);
        assert!(pids.insert(alive.pid));
        runs.push(alive);
    }
    assert!(threads() <= before + 20, "other tests may have started theirs, but no run has");
    assert!(bench.update_within(Duration::from_millis(1)).is_none());
    assert_eq!(bench.runner.live(), 500);
    runs.iter().for_each(|run| run.live.request_stop());
    let mut ended = HashSet::new();
    while ended.len() < 500 {
        match bench.update() {
            Update::Finished(finished) => {
                assert_eq!((&finished.exit, finished.remains), (&Exit::Signal(Signal::TERM), false));
                assert!(ended.insert(finished.run));
            }
            Update::Gone(run) => panic!("{run:?} had nothing left"),
        }
    }
    assert_eq!(bench.runner.live(), 0);
    assert!(pids.is_disjoint(&children().into_iter().collect()), "no zombie stays");
}

#[test]
fn dropping_handles_early_leaks_nothing() {
    let mut bench = Bench::new();
    for _ in 0..50 {
        drop(bench.start(exec(&["/bin/true"])).live);
    }
    for _ in 0..50 {
        assert_eq!(bench.finished().exit, Exit::Code(0));
    }
    assert_eq!(bench.runner.live(), 0);
}

#[test]
fn dropping_the_runner_kills_what_it_runs() {
    let mut sign = Signpost::new();
    let mut bench = Bench::new();
    let alive = bench.start(sign.shell(r#"sh -c 'trap "" TERM; echo $$ > $SIGN; sleep 1000' & wait"#));
    let grandchild = sign.pid();
    let leader = alive.pid;
    drop(alive);
    drop(bench);
    assert_eq!(state(leader), None, "killed and reaped");
    while lives(grandchild) {
        std::thread::yield_now();
    }
}

#[test]
fn children_of_others_in_this_process_are_theirs_to_reap() {
    let mut other = std::process::Command::new("/bin/sh").args(["-c", "exit 9"]).spawn().unwrap();
    let mut bench = Bench::new();
    for _ in 0..20 {
        bench.run(shell("sleep 0.01 & exit 0"));
    }
    assert_eq!(other.wait().unwrap().code(), Some(9));
}

#[test]
fn a_key_of_a_run_that_ended_means_nothing() {
    let mut bench = Bench::new();
    bench.run(exec(&["/bin/true"]));
    let alive = bench.start(exec(&["sleep", "1000"]));
    for key in (0..200).chain([usize::MAX, usize::MAX - 1]) {
        bench.runner.on_ready(key);
    }
    assert!(bench.runner.poll_update().is_none());
    alive.live.force_stop().unwrap();
    assert_eq!(bench.finished().exit, Exit::Signal(Signal::KILL));
}
