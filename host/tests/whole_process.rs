//! What can only be seen of the whole process, and so by one test alone.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use bansuri::launch::{ErrorSink, Sink};
use bansuri_core::{Exit, Signal};
use support::{Alive, Bench, children, exec, shell};

fn open_descriptors() -> usize {
    // Less the one of the folder itself.
    std::fs::read_dir("/proc/self/fd").unwrap().count() - 1
}

#[test]
fn the_process_holds_no_more_than_it_needs() {
    // As pid 1 of a container, and some desktops' session hosts.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).unwrap();
    let mut bench = Bench::new();
    bench.run(exec(&["/bin/true"]));
    a_run_costs_a_pidfd_and_its_pipes(&mut bench);
    orphans_of_a_group_are_reaped(&mut bench);
    a_lack_of_descriptors_is_an_error_and_passes(&mut bench);
    assert_eq!(children(), Vec::<u32>::new(), "no zombie stays");
}

fn a_run_costs_a_pidfd_and_its_pipes(bench: &mut Bench) {
    let before = open_descriptors();
    let folder = tempfile::tempdir().unwrap();
    let sinks = [Sink::Tail, Sink::File(folder.path().join("log")), Sink::Ignore, Sink::Inherit];
    for stdout in &sinks {
        for stderr in sinks.iter().cloned().map(ErrorSink::Separate).chain([ErrorSink::Combined]) {
            let mut launch = exec(&["sleep", "1000"]);
            launch.stdout = stdout.clone();
            let own_pipe = stderr == ErrorSink::Separate(Sink::Tail);
            launch.stderr = stderr;
            let alive = bench.start(launch);
            let pipes = usize::from(*stdout == Sink::Tail) + usize::from(own_pipe);
            assert_eq!(open_descriptors(), before + 1 + pipes);
            alive.live.force_stop().unwrap();
            assert_eq!(bench.finished().exit, Exit::Signal(Signal::KILL));
            drop(alive);
            assert_eq!(open_descriptors(), before);
        }
    }
    for _ in 0..20 {
        drop(bench.try_start(exec(&["/no/such/program"])).err().unwrap());
        bench.run(shell("sleep 0.01 & exit 0"));
    }
    assert_eq!(open_descriptors(), before);
    assert_eq!(std::fs::read_dir("/proc/self/task").unwrap().count(), 2, "the harness and the test");
}

fn orphans_of_a_group_are_reaped(bench: &mut Bench) {
    for _ in 0..20 {
        let alive = bench.start(shell("for i in 1 2 3 4; do sleep 1000 & done; exit 0"));
        let finished = bench.finished();
        assert!(finished.remains);
        alive.live.request_stop();
        assert_eq!(bench.gone(), alive.id);
        assert_eq!(children(), Vec::<u32>::new());
    }
}

fn a_lack_of_descriptors_is_an_error_and_passes(bench: &mut Bench) {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let before = open_descriptors();
    let limit = getrlimit(Resource::Nofile);
    let mut alive: Vec<Alive> = Vec::new();
    setrlimit(Resource::Nofile, rustix::process::Rlimit { current: Some(64), ..limit }).unwrap();
    let error = loop {
        match bench.try_start(exec(&["sleep", "1000"])) {
            Ok(run) => alive.push(run),
            Err(error) => break error,
        }
    };
    setrlimit(Resource::Nofile, limit).unwrap();
    assert_eq!(error.code, None);
    assert!(error.reason.ends_with(": too many open files"), "{}", error.reason);
    assert!(alive.len() > 10);
    alive.iter().for_each(|run| run.live.request_stop());
    for _ in &alive {
        assert_eq!(bench.finished().exit, Exit::Signal(Signal::TERM));
    }
    drop(alive);
    assert_eq!(open_descriptors(), before);
}
