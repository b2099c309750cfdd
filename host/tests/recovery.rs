//! A host is killed, and the next one finds what it left running and ends it, and nothing else.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use bansuri::process::{Environment, Group, Spawn, Stdio, boot_ticks};
use bansuri::records::{About, Kind, MARK, Record, Records, RecoverySummary};
use bansuri_core::Signal;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the process that plays the host is told.
const FOLDER: &str = "RECOVERY_TEST_FOLDER";
const LINES: &str = "RECOVERY_TEST_LINES";
const STOP_TIMEOUT: &str = "RECOVERY_TEST_STOP_TIMEOUT";
const UNNAMED: &str = "RECOVERY_TEST_UNNAMED";

/// A folder for a host's state, and a named pipe by which what it runs says that it has come so far: `$SIGN`.
struct Bench {
    folder: tempfile::TempDir,
    sign: BufReader<File>,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("state")).unwrap();
        let sign = folder.path().join("sign");
        rustix::fs::mkfifoat(rustix::fs::CWD, &sign, 0o600.into()).unwrap();
        // For writing too: so neither side waits for the other to open it.
        let sign = BufReader::new(OpenOptions::new().read(true).write(true).open(sign).unwrap());
        Self { folder, sign }
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// The pids in the next line of the sign.
    fn pids(&mut self) -> Vec<u32> {
        let mut line = String::new();
        self.sign.read_line(&mut line).unwrap();
        line.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
    }

    /// Starts a host that runs these lines.
    fn host(&self, lines: &[&str], settings: &[(&str, &str)]) -> Host {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "a_host_that_waits_to_be_killed", "--ignored", "--nocapture"]);
        command.env(FOLDER, self.folder.path()).env(LINES, lines.join("\n"));
        command.env("SIGN", self.folder.path().join("sign")).envs(settings.iter().copied());
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null());
        Host(command.spawn().unwrap())
    }

    /// What the next host does.
    fn recover(&self) -> RecoverySummary {
        let (records, leftovers) = Records::open(&self.state()).unwrap();
        let summary = leftovers.recover(&[], &mut || false);
        drop(records);
        summary
    }

    /// Names in the state dir.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.state()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

struct Host(Child);

impl Host {
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "plays the host for the other tests, which start it themselves"]
fn a_host_that_waits_to_be_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let (records, _) = Records::open(&Path::new(&folder).join("state")).unwrap();
    let seconds = std::env::var(STOP_TIMEOUT).map_or(60.0, |text| text.parse().unwrap());
    let names_process = std::env::var_os(UNNAMED).is_none();
    let lines = std::env::var(LINES).unwrap();
    let _runs: Vec<_> = (1..)
        .zip(lines.lines())
        .map(|(run, line)| start(&records, line, run, Duration::from_secs_f64(seconds), names_process))
        .collect();
    // Until the test that started it is gone, at the latest.
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

fn about(run: u64, stop_timeout: Duration) -> About<'static> {
    About { kind: Kind::Run, task: "task", run, stop_signal: Signal::TERM, stop_timeout }
}

fn start(records: &Records, line: &str, run: u64, limit: Duration, names_process: bool) -> (Group, Record) {
    let record = records.starting(&about(run, limit));
    let (name, value) = record.variable().unwrap();
    let mut environment = Environment::of_host();
    environment.set(name, value).unwrap();
    let group = spawn(line, environment);
    if names_process {
        record.started(group.pid());
    }
    (group, record)
}

fn spawn(line: &str, environment: Environment) -> Group {
    let spawn = Spawn {
        program: "/bin/sh".into(),
        arguments: vec!["-c".into(), line.into()],
        environment,
        working_directory: "/".into(),
        stdin: Stdio::Null,
        stdout: Stdio::Null,
        stderr: None,
        more: Vec::new(),
    };
    spawn.start().unwrap()
}

/// Whether a process of this number is there and is no zombie.
fn lives(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}

/// Living processes that some host of this state dir has started, or their children.
fn marked(files: &[String]) -> Vec<u32> {
    let ids = files.iter().map(|file| format!("{MARK}={}-", file.strip_prefix("runs-").unwrap()));
    let ids: Vec<String> = ids.collect();
    let pids = fs::read_dir("/proc").unwrap();
    let pids = pids.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let environment = String::from_utf8_lossy(&environment).into_owned();
        lives(*pid) && environment.split('\0').any(|entry| ids.iter().any(|id| entry.starts_with(id)))
    })
    .collect()
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
}

#[test]
fn fifty_runs_with_grandchildren_of_a_killed_host_are_ended() {
    let mut bench = Bench::new();
    let line = r"sleep 1000 & sh -c 'sleep 1000 & echo $$ $! > $SIGN; wait' & wait";
    let mut host = bench.host(&[line; 50], &[]);
    let grandchildren: Vec<_> = (0..50).flat_map(|_| bench.pids()).collect();
    let files = bench.files();
    host.kill();
    assert!(grandchildren.iter().all(|pid| lives(*pid)));
    assert_eq!(marked(&files).len(), 200, "a shell and its sleep, and the same below it, fifty times");

    let before = Instant::now();
    assert_eq!(bench.recover(), RecoverySummary { ended: 50, killed: 0, left: 0 });
    assert!(before.elapsed() < PATIENCE / 2, "all at once, and woken by their ends");
    assert!(marked(&files).is_empty());
    assert_eq!(bench.files(), [""; 0]);
    assert_eq!(bench.recover(), RecoverySummary::default());
}

#[test]
fn groups_whose_leaders_are_gone_are_ended() {
    let mut bench = Bench::new();
    let line = r"sh -c 'echo $$ > $SIGN; while :; do sleep 1000; done' & exit 0";
    let mut host = bench.host(&[line; 5], &[]);
    let left: Vec<_> = (0..5).flat_map(|_| bench.pids()).collect();
    host.kill();
    assert_eq!(bench.recover(), RecoverySummary { ended: 5, killed: 0, left: 0 });
    assert!(!left.into_iter().any(lives));
}

#[test]
fn in_a_hurry_nobody_is_waited_for() {
    let mut bench = Bench::new();
    let stubborn = r"trap '' TERM; sleep 1000 & echo $$ $! > $SIGN; while :; do wait; done";
    let mut host = bench.host(&[stubborn], &[(STOP_TIMEOUT, "1000")]);
    let all = bench.pids();
    host.kill();
    // The bell is heard while they are waited for.
    let (bell, ringer) = std::io::pipe().unwrap();
    let mut ringer = Some(ringer);
    let mut asked = 0;
    let mut hurry = || {
        asked += 1;
        ringer.take();
        asked > 1
    };
    let (_records, leftovers) = Records::open(&bench.state()).unwrap();
    assert_eq!(
        leftovers.recover(&[bell.as_fd()], &mut hurry),
        RecoverySummary { ended: 1, killed: 1, left: 0 }
    );
    assert!(!all.into_iter().any(lives));
}

#[test]
fn what_ignores_the_stop_signal_is_killed_after_its_time() {
    let mut bench = Bench::new();
    let stubborn = r"trap '' TERM; sleep 1000 & echo $$ $! > $SIGN; while :; do wait; done";
    let leaderless = r#"sh -c 'trap "" TERM; echo $$ > $SIGN; while :; do sleep 1000; done' & exit 0"#;
    let mut host = bench.host(&[stubborn, leaderless], &[(STOP_TIMEOUT, "0.3")]);
    let all: Vec<_> = (0..2).flat_map(|_| bench.pids()).collect();
    host.kill();
    let before = Instant::now();
    assert_eq!(bench.recover(), RecoverySummary { ended: 2, killed: 2, left: 0 });
    assert!(before.elapsed() >= Duration::from_millis(300));
    assert!(!all.into_iter().any(lives));
}

#[test]
fn what_was_started_and_not_named_any_more_is_found_by_its_mark() {
    let mut bench = Bench::new();
    let line = r"sh -c 'echo $$ > $SIGN; while :; do sleep 1000; done' & wait";
    let gone_leader = r"sh -c 'echo $$ > $SIGN; while :; do sleep 1000; done' & exit 0";
    let mut host = bench.host(&[line, gone_leader], &[(UNNAMED, "1")]);
    let all: Vec<_> = (0..2).flat_map(|_| bench.pids()).collect();
    host.kill();
    assert_eq!(bench.recover(), RecoverySummary { ended: 2, killed: 0, left: 0 });
    assert!(!all.into_iter().any(lives));
}

#[test]
fn a_process_that_left_its_run_is_left_alone() {
    let mut bench = Bench::new();
    let line = r"setsid sh -c 'echo $$ > $SIGN; while :; do sleep 1000; done' & wait";
    for unnamed in [&[][..], &[(UNNAMED, "1")]] {
        let mut host = bench.host(&[line], unnamed);
        let daemon = bench.pids();
        let files = bench.files();
        host.kill();
        assert_eq!(bench.recover(), RecoverySummary { ended: 1, killed: 0, left: 0 });
        assert!(lives(daemon[0]));
        for pid in marked(&files) {
            kill(pid);
        }
    }
}

#[test]
fn a_pid_that_was_taken_by_another_process_is_left_alone() {
    let bench = Bench::new();
    let earlier = spawn("exec sleep 1000", Environment::of_host());
    let started = boot_ticks();
    while boot_ticks() <= started + 1 {
        std::thread::yield_now();
    }
    let (records, _) = Records::open(&bench.state()).unwrap();
    let taken = records.starting(&about(1, Duration::ZERO));
    taken.started(earlier.pid());
    let gone = records.starting(&about(2, Duration::ZERO));
    let ended = spawn("exit 0", Environment::of_host());
    gone.started(ended.pid());
    assert!(ended.wait(PATIENCE).is_some());
    let while_later = boot_ticks();
    while boot_ticks() <= while_later {
        std::thread::yield_now();
    }
    drop((taken, gone, records));
    assert_eq!(bench.files().len(), 1);
    assert_eq!(bench.recover(), RecoverySummary::default());
    assert!(lives(earlier.pid()));
    assert_eq!(bench.files(), [""; 0]);
}

#[test]
fn a_group_of_a_taken_number_without_the_mark_is_left_alone() {
    let mut bench = Bench::new();
    let (records, _) = Records::open(&bench.state()).unwrap();
    let record = records.starting(&about(1, Duration::ZERO));
    let mut environment = Environment::of_host();
    environment.set("SIGN", bench.folder.path().join("sign")).unwrap();
    let line = r"sh -c 'echo $$ > $SIGN; while :; do sleep 1000; done' & exit 0";
    let group = spawn(line, environment);
    record.started(group.pid());
    let member = bench.pids();
    assert!(group.wait(PATIENCE).is_some(), "reaped: only the number is left");
    drop((record, records));
    assert_eq!(bench.recover(), RecoverySummary::default());
    assert!(lives(member[0]));
}

#[test]
fn a_torn_tail_costs_only_itself() {
    let mut bench = Bench::new();
    let mut host = bench.host(&[r"echo $$ > $SIGN; while :; do sleep 1000; done"], &[]);
    let alive = bench.pids();
    host.kill();
    let file = bench.state().join(&bench.files()[0]);
    let mut bytes = fs::read(&file).unwrap();
    bytes.extend([0xff; 300]);
    fs::write(&file, bytes).unwrap();
    fs::write(bench.state().join(format!("runs-{}", "0".repeat(32))), [7; 9_999]).unwrap();
    assert_eq!(bench.recover(), RecoverySummary { ended: 1, killed: 0, left: 0 });
    assert!(!lives(alive[0]));
    assert_eq!(bench.files(), [""; 0]);
}

#[test]
fn a_host_that_ends_in_order_leaves_no_file_and_a_small_one_until_then() {
    let bench = Bench::new();
    let (records, leftovers) = Records::open(&bench.state()).unwrap();
    assert!(leftovers.is_empty());
    for run in 1..=1_000 {
        let first = records.starting(&about(run, Duration::ZERO));
        let second = records.starting(&about(run, Duration::ZERO));
        assert_ne!(first.variable(), second.variable());
        second.started(1);
        second.ended();
        first.ended();
    }
    let [file] = &bench.files()[..] else { panic!("one file") };
    assert!(fs::metadata(bench.state().join(file)).unwrap().len() < 1_000);
    let clone = records.clone();
    drop(records);
    assert_eq!(bench.files().len(), 1);
    drop(clone);
    assert_eq!(bench.files(), [""; 0]);
}

#[test]
fn the_same_host_goes_on_recording_while_it_recovers() {
    let mut bench = Bench::new();
    let mut host = bench.host(&[r"echo $$ > $SIGN; while :; do sleep 1000; done"], &[]);
    let old = bench.pids();
    host.kill();
    let (records, leftovers) = Records::open(&bench.state()).unwrap();
    assert_eq!(leftovers.entries().len(), 1);
    let (group, record) = start(&records, "exec sleep 1000", 1, PATIENCE, true);
    assert_eq!(leftovers.recover(&[], &mut || false).ended, 1);
    assert!(lives(group.pid()) && !lives(old[0]));
    group.kill().unwrap();
    assert!(group.wait_gone(PATIENCE));
    record.ended();
    drop(records);
    assert_eq!(bench.files(), [""; 0]);
}

#[test]
fn what_records_nothing_costs_nothing() {
    let records = Records::none();
    let record = records.starting(&about(1, Duration::ZERO));
    assert_eq!(record.variable(), None);
    record.started(1);
    record.ended();
}
