//! Tasks that run as somebody else, or under other limits than the host. Most of it takes root.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use bansuri::launch::{Account, Action, ErrorSink, Launch, Limit, Resource, Sink};
use bansuri::process::{groups_of, user_by_name};
use bansuri::records::{MARK, Records};
use bansuri::runner::SubprocessRunner;
use bansuri::tail::TailSource;
use bansuri_core::{Exit, Signal};
use std::ffi::OsStr;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use support::{Bench, bytes, exec, file_text, shell, text};

/// Whether the test can be done; says so if not.
fn root(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("{test}: skipped: only root can become another user");
    }
    root
}

fn as_user(mut launch: Launch, user: &str) -> Launch {
    launch.privileges.user = Some(Account::Name(user.into()));
    launch
}

fn refused(bench: &mut Bench, launch: Launch) -> (String, Option<i32>) {
    let finished = bench.run(launch);
    match finished.exit {
        Exit::NotStarted { reason, code } => (reason, code),
        other => panic!("it was started: {other:?}, {:?}", finished.tails),
    }
}

/// A line of the `/proc/self/status` that a task prints, without its name, in single spaces.
fn field(status: &str, name: &str) -> String {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {name} in {status}")).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn open_folder(path: &Path) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_user_brings_its_groups() {
    if !root("a_user_brings_its_groups") {
        return;
    }
    let mut bench = Bench::new();
    for name in ["nobody", "daemon", "root"] {
        let user = user_by_name(name).unwrap().unwrap();
        let status = bench.output(as_user(exec(&["cat", "/proc/self/status"]), name));
        assert_eq!(field(&status, "Uid"), [user.uid.to_string().as_str(); 4].join(" "));
        assert_eq!(field(&status, "Gid"), [user.gid.to_string().as_str(); 4].join(" "));
        let mut groups = groups_of(OsStr::new(name), user.gid).unwrap();
        groups.sort_unstable();
        let groups: Vec<String> = groups.iter().map(u32::to_string).collect();
        assert_eq!(field(&status, "Groups"), groups.join(" "));
        if user.uid != 0 {
            assert_eq!(field(&status, "CapEff"), "0000000000000000");
            assert_eq!(field(&status, "CapPrm"), "0000000000000000");
        }
    }
}

#[test]
fn supplementary_groups_are_those_of_the_user() {
    if !root("supplementary_groups_are_those_of_the_user") {
        return;
    }
    let Some((name, user)) = bansuri::process::user_names().into_iter().find_map(|name| {
        let user = user_by_name(&name).unwrap()?;
        (groups_of(OsStr::new(&name), user.gid).unwrap().len() > 1).then_some((name, user))
    }) else {
        eprintln!("supplementary_groups_are_those_of_the_user: skipped: no user is in two groups");
        return;
    };
    let mut wanted = groups_of(OsStr::new(&name), user.gid).unwrap();
    wanted.sort_unstable();
    let printed = Bench::new().output(as_user(exec(&["id", "-G"]), &name));
    let mut found: Vec<u32> = printed.split_whitespace().map(|group| group.parse().unwrap()).collect();
    found.sort_unstable();
    assert_eq!(found, wanted, "of {name}");
}

#[test]
fn a_group_takes_the_place_of_the_users_own() {
    if !root("a_group_takes_the_place_of_the_users_own") {
        return;
    }
    let mut bench = Bench::new();
    let daemon = user_by_name("daemon").unwrap().unwrap();
    let mut task = as_user(exec(&["cat", "/proc/self/status"]), "nobody");
    task.privileges.group = Some(Account::Name("daemon".into()));
    let status = bench.output(task.clone());
    assert_eq!(field(&status, "Gid"), [daemon.gid.to_string().as_str(); 4].join(" "));
    assert_eq!(field(&status, "Groups"), daemon.gid.to_string());

    task.privileges.user = None;
    let status = bench.output(task.clone());
    assert_eq!(field(&status, "Uid"), "0 0 0 0", "a group alone leaves the user");
    assert_eq!(field(&status, "Gid"), [daemon.gid.to_string().as_str(); 4].join(" "));

    task.privileges.user = Some(Account::Id(54_321));
    task.privileges.group = Some(Account::Id(54_322));
    let status = bench.output(task);
    assert_eq!(field(&status, "Uid"), "54321 54321 54321 54321", "a number needs no name");
    assert_eq!(field(&status, "Groups"), "54322");
}

#[test]
fn there_is_no_way_back_to_root() {
    if !root("there_is_no_way_back_to_root") {
        return;
    }
    let mut bench = Bench::new();
    let line = "perl -e '$> = 0; $< = 0; exit($> == 0 || $< == 0)' && ! kill -0 1 && ! cat /etc/shadow";
    let mut task = as_user(shell(line), "nobody");
    task.stderr = ErrorSink::Separate(Sink::Tail);
    let finished = bench.run(task);
    assert_eq!(finished.exit, Exit::Code(0), "{finished:?}");
    assert_eq!(text(&finished.tails.stdout), "");
}

#[test]
fn limits_mask_and_priority_are_the_tasks() {
    let mut bench = Bench::new();
    let mut task = shell("ulimit -S -n; ulimit -S -c; ulimit -S -f; ulimit -S -t; umask; nice");
    task.privileges.limits = [
        (Resource::Nofile, Limit::At(123)),
        (Resource::Core, Limit::At(0)),
        (Resource::Fsize, Limit::At(1 << 20)),
        (Resource::Cpu, Limit::At(77)),
    ]
    .into();
    task.privileges.umask = Some(0o027);
    task.privileges.priority = Some(7);
    // dash counts files in blocks of 512 bytes.
    assert_eq!(bench.output(task), "123\n0\n2048\n77\n0027\n7\n");

    let mut task = exec(&["cat", "/proc/self/limits"]);
    task.privileges.limits = [(Resource::As, Limit::At(1 << 30)), (Resource::Nproc, Limit::At(5000))].into();
    let limits = bench.output(task);
    let soft = |name: &str| {
        let line = limits.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().to_owned()
    };
    assert_eq!((soft("Max address space"), soft("Max processes")), ("1073741824".into(), "5000".into()));
}

#[test]
fn root_sets_what_others_may_not() {
    if !root("root_sets_what_others_may_not") {
        return;
    }
    let mut bench = Bench::new();
    let mut task = as_user(shell("nice; ulimit -H -c; ulimit -S -c"), "nobody");
    task.privileges.priority = Some(-5);
    task.privileges.limits = [(Resource::Core, Limit::Unlimited)].into();
    assert_eq!(bench.output(task), "-5\nunlimited\nunlimited\n");

    // More open files than the kernel has room for.
    let mut task = exec(&["true"]);
    task.privileges.limits = [(Resource::Nofile, Limit::Unlimited)].into();
    assert_eq!(refused(&mut bench, task), ("limit \"nofile\": operation not permitted".into(), None));
    assert_eq!(bench.runner.live(), 0);

    const CAP_SYS_RESOURCE: u64 = 1 << 24;
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    if u64::from_str_radix(&field(&status, "CapEff"), 16).unwrap() & CAP_SYS_RESOURCE == 0 {
        eprintln!("root_sets_what_others_may_not: skipped in part: this root may not raise hard limits");
        return;
    }
    let (_, hard) = bansuri::process::inherited_nofile();
    let mut task = as_user(shell("ulimit -n"), "nobody");
    task.privileges.limits = [(Resource::Nofile, Limit::At(hard + 1))].into();
    assert_eq!(bench.output(task), format!("{}\n", hard + 1));
}

#[test]
fn too_little_memory_is_the_programs_problem() {
    let mut bench = Bench::new();
    let mut task = exec(&["/bin/true"]);
    task.privileges.limits = [(Resource::As, Limit::At(1 << 16))].into();
    let finished = bench.run(task);
    assert!(!matches!(finished.exit, Exit::Code(0)), "{finished:?}");
}

#[test]
fn the_environment_says_who_it_is() {
    if !root("the_environment_says_who_it_is") {
        return;
    }
    let mut bench = Bench::new();
    let nobody = user_by_name("nobody").unwrap().unwrap();
    let home = nobody.home.to_str().unwrap();
    let shell_of = nobody.shell.to_str().unwrap();
    let line = "echo $USER $LOGNAME $HOME $SHELL $BANSURI_TASK $BANSURI_RUN $BANSURI_ATTEMPT";
    let mut task = as_user(shell(line), "nobody");
    assert_eq!(bench.output(task.clone()), format!("nobody nobody {home} {shell_of} task 1 2\n"));
    task.environment.insert("HOME".into(), "/my/own".into());
    assert_eq!(bench.output(task), format!("nobody nobody /my/own {shell_of} task 2 2\n"));
    let mut task = shell("echo $USER $HOME");
    task.privileges.user = Some(Account::Id(54_321));
    task.privileges.group = Some(Account::Id(54_321));
    assert_eq!(bench.output(task), "54321 /\n");
}

#[test]
fn what_the_environment_does_to_a_program_it_does_not_do_to_the_helper() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench::new();
    let trace = folder.path().join("trace");
    let mut task = exec(&["/bin/true"]);
    task.privileges.umask = Some(0o022);
    task.environment.insert("LD_DEBUG".into(), "libs".into());
    task.environment.insert("LD_DEBUG_OUTPUT".into(), trace.to_str().unwrap().into());
    assert_eq!(bench.run(task).exit, Exit::Code(0));
    let traced: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(traced.len(), 1, "{traced:?}");
    let text = std::fs::read_to_string(&traced[0]).unwrap();
    assert!(text.contains("/bin/true") && !text.contains("bansuri"), "{text}");
}

#[test]
fn who_is_not_there_is_named() {
    let mut bench = Bench::new();
    let mut task = as_user(exec(&["true"]), "no-such-user");
    assert_eq!(refused(&mut bench, task.clone()).0, "user \"no-such-user\": no such user");
    task.privileges.user = None;
    task.privileges.group = Some(Account::Name("no-such-group".into()));
    assert_eq!(refused(&mut bench, task.clone()).0, "group \"no-such-group\": no such group");
    task.privileges.group = None;
    task.privileges.user = Some(Account::Id(54_321));
    assert_eq!(
        refused(&mut bench, task).0,
        "user 54321: no user has this number, so that its group must be named too"
    );
    assert_eq!(bench.runner.live(), 0);
}

#[test]
fn a_folder_that_is_closed_to_the_user_is_named() {
    if !root("a_folder_that_is_closed_to_the_user_is_named") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let mut bench = Bench::new();
    let mut task = as_user(exec(&["true"]), "nobody");
    *task.working_directory = folder.path().into();
    let expected = (format!("working directory {:?}: permission denied", folder.path()), None);
    assert_eq!(refused(&mut bench, task.clone()), expected);
    open_folder(folder.path());
    assert_eq!(bench.run(task.clone()).exit, Exit::Code(0));
    *task.working_directory = folder.path().join("missing");
    assert_eq!(
        refused(&mut bench, task.clone()).0,
        format!("working directory {:?}: no such file or directory", task.working_directory)
    );
}

#[test]
fn programs_that_cannot_be_executed_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    open_folder(folder.path());
    let mut bench = Bench::new();
    let other = |words: &[&str]| {
        let mut task = exec(words);
        task.privileges.umask = Some(0o022);
        if rustix::process::geteuid().is_root() {
            task.privileges.user = Some(Account::Name("nobody".into()));
        }
        task.environment.insert("PATH".into(), format!("{}:/bin:/usr/bin", folder.path().display()));
        task
    };
    let (reason, code) = refused(&mut bench, other(&["no-such-program"]));
    assert_eq!((reason.as_str(), code), ("command \"no-such-program\": not found in PATH", Some(127)));
    let (reason, code) = refused(&mut bench, other(&["/no/such/program"]));
    assert_eq!(
        (reason.as_str(), code),
        ("command \"/no/such/program\": no such file or directory", Some(127))
    );

    let plain = folder.path().join("plain");
    std::fs::write(&plain, "echo \"$0 $1\"; exit 4").unwrap();
    for word in ["plain", plain.to_str().unwrap()] {
        let (reason, code) = refused(&mut bench, other(&[word]));
        assert_eq!((reason, code), (format!("command {plain:?}: permission denied"), Some(126)));
    }
    open_folder(&plain);
    let finished = bench.run(other(&["plain", "x y"]));
    assert_eq!(finished.exit, Exit::Code(4), "a script without an interpreter is the shell's");
    assert_eq!(text(&finished.tails.stdout), format!("{} x y\n", plain.display()));

    let orphan = folder.path().join("orphan");
    std::fs::write(&orphan, "#!/no/such/interpreter\n").unwrap();
    open_folder(&orphan);
    let (reason, code) = refused(&mut bench, other(&["orphan"]));
    let interpreter = "its interpreter \"/no/such/interpreter\" was not found";
    assert_eq!((reason, code), (format!("command {orphan:?}: {interpreter}"), Some(126)));

    let mut task = other(&["true"]);
    task.action = Action::Shell("echo a\0b".into());
    let error = bench.try_start(task).err().expect("it cannot be started");
    assert_eq!(error.reason, "command \"/bin/sh\": argument 2 holds a NUL byte");
    let long = "x".repeat(3 << 20);
    assert_eq!(
        refused(&mut bench, other(&["true", &long])).0,
        "command \"/bin/true\": argument list too long"
    );
}

#[test]
fn the_process_that_is_told_of_is_the_program() {
    let mut bench = Bench::new();
    let mut task = shell("echo $$; ls /proc/self/fd; exec sleep 1000");
    task.privileges.umask = Some(0o022);
    let alive = bench.start(task);
    let running = std::fs::read_link(format!("/proc/{}/exe", alive.pid));
    assert!(running.is_ok());
    // A pipe that is read back to its end tells that the program has said all.
    while std::fs::read_to_string(format!("/proc/{}/comm", alive.pid)).unwrap().trim() != "sleep" {
        bench.update_within(std::time::Duration::from_millis(1));
    }
    alive.live.request_stop();
    let finished = bench.finished();
    assert_eq!(finished.exit, Exit::Signal(Signal::TERM));
    assert_eq!(text(&finished.tails.stdout), format!("{}\n0\n1\n2\n3\n", alive.pid), "no descriptor leaks");
    assert!(!support::lives(alive.pid));
}

#[test]
fn signals_are_as_without_the_helper() {
    let mut bench = Bench::new();
    let direct = bench.output(exec(&["cat", "/proc/self/status"]));
    let mut task = exec(&["cat", "/proc/self/status"]);
    task.privileges.umask = Some(0o022);
    let helped = bench.output(task);
    for name in ["SigBlk", "SigIgn", "SigCgt", "NoNewPrivs"] {
        assert_eq!(field(&helped, name), field(&direct, name), "{name}");
    }
}

#[test]
fn the_group_of_a_user_is_stopped() {
    if !root("the_group_of_a_user_is_stopped") {
        return;
    }
    let mut bench = Bench::new();
    let alive = bench.start(as_user(shell("sleep 1000 & sleep 1000 & wait"), "nobody"));
    alive.live.force_stop().unwrap();
    let finished = bench.finished();
    assert_eq!(finished.exit, Exit::Signal(Signal::KILL));
    if finished.remains {
        bench.gone();
    }
    assert_eq!(bench.runner.live(), 0);
}

#[test]
fn the_output_is_the_users_to_open() {
    if !root("the_output_is_the_users_to_open") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    open_folder(folder.path());
    let mut bench = Bench::new();
    let line = "echo out > /dev/stdout; echo err > /dev/stderr";
    let mut task = as_user(shell(line), "nobody");
    task.stderr = ErrorSink::Separate(Sink::Tail);
    let tails = bench.run(task.clone()).tails;
    assert_eq!((text(&tails.stdout), text(&tails.stderr)), ("out\n".into(), "err\n".into()));
    let log = folder.path().join("log");
    task.action = bansuri::launch::Action::Shell("echo out >> /dev/stdout".into());
    task.stdout = Sink::File(log.clone());
    let tails = bench.run(task).tails;
    assert_eq!(file_text(&tails.stdout), "out\n");
    assert_eq!(std::fs::metadata(&log).unwrap().uid(), user_by_name("nobody").unwrap().unwrap().uid);
}

#[test]
fn an_environment_file_is_read_at_each_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("task.env");
    let mut bench = Bench::new();
    let mut task = shell("echo $FROM_FILE $BOTH $BANSURI_TASK");
    task.environment_file = Some(path.clone());
    task.environment.insert("BOTH".into(), "task".into());
    std::fs::write(&path, "FROM_FILE=one\nBOTH=file\nBANSURI_TASK=file\nPATH=/usr/bin:/bin\n").unwrap();
    assert_eq!(bench.output(task.clone()), "one task task\n");
    std::fs::write(&path, r#"{"FROM_FILE": "two"}"#).unwrap();
    assert_eq!(bench.output(task.clone()), "two task task\n");

    let mut reason = || bench.try_start(task.clone()).err().expect("it cannot be started").reason;
    std::fs::write(&path, "A=1\nB=2\nno assignment\n").unwrap();
    let said = reason();
    assert!(said.starts_with(&format!("environment file {}:3:", path.display())), "{said}");
    std::fs::write(&path, vec![b'#'; (1 << 20) + 1]).unwrap();
    assert!(reason().ends_with(": cannot be read: larger than 1 MiB"));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(
        reason(),
        format!("environment file {}: cannot be read: no such file or directory", path.display())
    );
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, 0o600.into()).unwrap();
    assert!(reason().ends_with(": cannot be read: not a regular file"));
}

/// A folder of the user's and, in it, the log of a task of that user.
fn log_of(folder: &Path, name: &str) -> Launch {
    let mut task = as_user(shell("echo written"), "nobody");
    task.stdout = Sink::File(folder.join(name));
    task
}

#[test]
fn a_user_cannot_make_the_host_write_elsewhere() {
    if !root("a_user_cannot_make_the_host_write_elsewhere") {
        return;
    }
    let nobody = user_by_name("nobody").unwrap().unwrap();
    let home = tempfile::tempdir().unwrap();
    open_folder(home.path());
    let secret = home.path().join("secret");
    std::fs::write(&secret, "secret").unwrap();
    let theirs = home.path().join("theirs");
    std::fs::create_dir(&theirs).unwrap();
    std::os::unix::fs::chown(&theirs, Some(nobody.uid), Some(nobody.gid)).unwrap();
    let at = |name: &str| theirs.join(name);
    std::os::unix::fs::symlink(&secret, at("symlink")).unwrap();
    std::os::unix::fs::symlink(home.path().join("made"), at("dangling")).unwrap();
    std::os::unix::fs::symlink(home.path(), at("folder")).unwrap();
    std::fs::hard_link(&secret, at("hard-link")).unwrap();
    std::fs::write(at("others"), "").unwrap();
    std::os::unix::fs::chown(at("others"), Some(1), None).unwrap();

    let mut bench = Bench::new();
    let others = "in a folder that others may write to";
    for (name, what) in
        [("symlink", "is a link"), ("dangling", "is a link"), ("hard-link", "has further names")]
    {
        let error = bench.try_start(log_of(&theirs, name)).err().expect("it is refused").reason;
        assert_eq!(error, format!("log file {:?}: {:?} {what}, {others}", at(name), at(name)));
    }
    let error = bench.try_start(log_of(&theirs, "folder/secret")).err().expect("it is refused").reason;
    assert_eq!(error, format!("log file {:?}: {:?} is a link, {others}", at("folder/secret"), at("folder")));
    let (reason, code) = refused(&mut bench, log_of(&theirs, "others"));
    assert_eq!((reason, code), (format!("log file {:?}: belongs to user 1, {others}", at("others")), None));
    let mut as_root = log_of(&theirs, "others");
    as_root.privileges.user = None;
    assert!(bench.try_start(as_root).is_err(), "not as the host either");
    assert_eq!(std::fs::read_to_string(&secret).unwrap(), "secret");
    assert!(!home.path().join("made").exists());
    assert_eq!(std::fs::read_to_string(at("others")).unwrap(), "");

    for _ in 0..2 {
        assert_eq!(file_text(&bench.run(log_of(&theirs, "log")).tails.stdout), "written\n");
        assert_eq!(std::fs::metadata(at("log")).unwrap().uid(), nobody.uid);
    }
    assert_eq!(std::fs::read_to_string(at("log")).unwrap(), "written\nwritten\n");
}

#[test]
fn links_of_roots_own_are_followed() {
    if !root("links_of_roots_own_are_followed") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    open_folder(home.path());
    let real = home.path().join("real");
    std::fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink("real", home.path().join("relative")).unwrap();
    std::os::unix::fs::symlink(real.join("../real/log"), home.path().join("absolute")).unwrap();
    std::os::unix::fs::symlink("loop", home.path().join("loop")).unwrap();
    let mut bench = Bench::new();
    for name in ["relative/log", "absolute"] {
        assert_eq!(file_text(&bench.run(log_of(home.path(), name)).tails.stdout), "written\n", "{name}");
    }
    assert_eq!(std::fs::read_to_string(real.join("log")).unwrap(), "written\nwritten\n");
    let error = bench.try_start(log_of(home.path(), "loop")).err().expect("it leads nowhere").reason;
    assert!(error.contains("too many levels of symbolic links"), "{error}");
    let error = bench.try_start(log_of(home.path(), "real/")).err().expect("it is a folder").reason;
    assert!(error.ends_with("is a directory"), "{error}");
}

/// What a start through the helper costs beside a direct one; on demand, with `--nocapture`.
#[test]
#[ignore = "measures"]
fn the_cost_of_the_helper() {
    let mut bench = Bench::new();
    let mut median = |task: &Launch| {
        let mut times: Vec<_> = (0..200).map(|_| bench.run(task.clone()).lived).collect();
        times.sort_unstable();
        times[100]
    };
    let direct = exec(&["/bin/true"]);
    let mut helped = direct.clone();
    helped.privileges.umask = Some(0o022);
    let mut user = direct.clone();
    user.privileges.user = Some(Account::Name("nobody".into()));
    println!("direct {:?}, umask {:?}, user {:?}", median(&direct), median(&helped), median(&user));
}

#[test]
fn a_tail_of_a_refused_run_is_empty() {
    let mut bench = Bench::new();
    let finished = bench.run(as_user(exec(&["true"]), "no-such-user"));
    assert_eq!(bytes(&finished.tails.stdout), b"");
    assert_eq!(finished.tails.stderr, TailSource::None);
}

/// Between its start and its program the helper would be missed by the next host, if this one died just then.
#[test]
fn the_helper_bears_the_mark_of_its_record_and_nothing_else_of_the_tasks() {
    let folder = tempfile::tempdir().unwrap();
    let helper = folder.path().join("helper");
    std::fs::write(&helper, "#!/bin/sh\nexec env\n").unwrap();
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (records, _) = Records::open(folder.path()).unwrap();
    let mut bench = Bench::new();
    bench.runner =
        SubprocessRunner::new(Arc::clone(&bench.poller), 100).with_records(records).with_helper(helper);
    let mut task = exec(&["/bin/true"]);
    task.privileges.umask = Some(0o022);
    let environment = bench.output(task);
    assert!(environment.lines().any(|line| line.starts_with(&format!("{MARK}="))), "{environment}");
    assert!(!environment.contains("BANSURI_TASK"), "{environment}");
}
