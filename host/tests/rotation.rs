//! Logs that the host writes, with real processes at full speed.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use bansuri::launch::{Account, ErrorSink, Launch, Rotation, Sink};
use bansuri::runner::{Logs, SubprocessRunner};
use bansuri_core::Exit;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use support::{Bench, PATIENCE, bytes, shell, text};

fn rotated(line: &str, path: &Path, max_size: u64, keep: u32, compress: bool) -> Launch {
    let mut launch = shell(line);
    launch.stdout = Sink::File(path.into());
    launch.rotate = Some(Rotation { max_size: max_size.try_into().unwrap(), keep, compress });
    launch
}

fn numbered(path: &Path, number: usize, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}{ending}"));
    name.into()
}

/// The old files, oldest first, and then the file.
fn files(path: &Path) -> Vec<PathBuf> {
    let there =
        |number: &usize| numbered(path, *number, "").exists() || numbered(path, *number, ".gz").exists();
    let last = (1..).take_while(there).last().unwrap_or(0);
    let old = (1..=last).rev().map(|number| {
        let plain = numbered(path, number, "");
        if plain.exists() { plain } else { numbered(path, number, ".gz") }
    });
    old.chain([path.to_owned()]).collect()
}

fn content(file: &Path) -> Vec<u8> {
    let mut content = Vec::new();
    let mut opened = File::open(file).unwrap();
    if file.extension().is_some_and(|it| it == "gz") {
        flate2::read::MultiGzDecoder::new(opened).read_to_end(&mut content).unwrap();
    } else {
        opened.read_to_end(&mut content).unwrap();
    }
    content
}

fn all(path: &Path) -> Vec<u8> {
    files(path).iter().flat_map(|file| content(file)).collect()
}

fn numbers(from: u32, to: u32) -> Vec<u8> {
    (from..=to).flat_map(|number| format!("{number}\n").into_bytes()).collect()
}

/// Waits for what another thread is about to do.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Ends the bench; what its runs wrote is in the files after.
fn end(bench: Bench) {
    drop(bench);
}

#[test]
fn a_hundred_rotations_at_full_speed_lose_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let mut bench = Bench::new();
    bench.run(rotated("seq 1 1000000", &path, 64 * 1024, 1_000, false));
    end(bench);
    let files = files(&path);
    assert!(files.len() > 100, "{} files", files.len());
    assert!(all(&path) == numbers(1, 1_000_000));
    for file in &files[..files.len() - 1] {
        let size = file.metadata().unwrap().len();
        assert!((64 * 1024 - 8..=64 * 1024).contains(&size), "{file:?} holds {size} bytes");
    }
}

#[test]
fn runs_append_in_order_and_a_new_host_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    std::fs::write(&path, numbers(1, 100)).unwrap();
    for host in 0..3 {
        let mut bench = Bench::new();
        for run in 0..10 {
            let first = 101 + (host * 10 + run) * 100;
            let line = format!("seq {first} {}", first + 99);
            bench.run(rotated(&line, &path, 1_000, 100, false));
        }
        end(bench);
    }
    assert!(all(&path) == numbers(1, 3_100));
    assert!(files(&path).len() > 10);
}

#[test]
fn only_as_many_old_files_are_kept_as_are_asked_for() {
    for keep in [0, 1, 5] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut bench = Bench::new();
        bench.run(rotated("seq 1 10000", &path, 1_000, keep, false));
        end(bench);
        let there = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(there, keep as usize + 1, "keep {keep}");
        let kept = all(&path);
        assert!(kept.len() > keep as usize * 990 && numbers(1, 10_000).ends_with(&kept), "keep {keep}");
    }
}

#[test]
fn a_reader_that_follows_the_name_sees_every_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    std::fs::write(&path, "").unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let follower = {
        let (path, over) = (path.clone(), Arc::clone(&over));
        std::thread::spawn(move || follow(&path, &over))
    };
    let mut bench = Bench::new();
    // As fast as a reader by name can follow: it has to find each file before the next takes the name.
    bench.run(rotated("seq 1 300000", &path, 16 * 1024 * 1024, 5, false));
    bench.run(rotated("for i in $(seq 1 40); do seq 1 1000; sleep 0.02; done", &path, 8_000, 500, false));
    end(bench);
    over.store(true, Ordering::Release);
    let seen = follower.join().unwrap();
    let mut expected = numbers(1, 300_000);
    for _ in 0..40 {
        expected.extend(numbers(1, 1_000));
    }
    assert!(files(&path).len() > 20);
    assert!(seen == expected, "{} bytes of {}", seen.len(), expected.len());
}

/// As `tail -F`: when the name stands for another file, the old one is read to its end first.
fn follow(path: &Path, over: &AtomicBool) -> Vec<u8> {
    let mut seen = Vec::new();
    let mut file = File::open(path).unwrap();
    loop {
        let last = over.load(Ordering::Acquire);
        file.read_to_end(&mut seen).unwrap();
        let own = file.metadata().unwrap().ino();
        match path.metadata() {
            Ok(now) if now.ino() != own => {
                file.read_to_end(&mut seen).unwrap();
                // The next after this one, where several have come: the chain tells.
                let chain = files(path);
                let place = chain.iter().position(|it| it.metadata().is_ok_and(|it| it.ino() == own));
                let next =
                    place.and_then(|place| chain.get(place + 1)).cloned().unwrap_or_else(|| path.into());
                if let Ok(next) = File::open(next) {
                    file = next;
                }
            }
            _ if last => return seen,
            _ => std::thread::yield_now(),
        }
    }
}

#[test]
fn old_files_are_compressed_and_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let mut bench = Bench::new();
    bench.run(rotated("seq 1 200000", &path, 100_000, 100, true));
    eventually("all are compressed", || {
        let files = files(&path);
        files.len() > 10 && files[..files.len() - 1].iter().all(|file| file.extension().unwrap() == "gz")
    });
    eventually("nothing is left in the making", || {
        let mut entries = std::fs::read_dir(folder.path()).unwrap();
        !entries.any(|entry| entry.unwrap().file_name().to_string_lossy().contains("bansuri"))
    });
    end(bench);
    assert!(all(&path) == numbers(1, 200_000));
}

#[test]
fn lines_begin_with_their_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let mut task = rotated("printf 'a\\nb\\n\\nno end'", &path, 1_000_000, 5, false);
    task.timestamps = true;
    let mut bench = Bench::new();
    let finished = bench.run(task.clone());
    assert_eq!(text(&finished.tails.stdout), "a\nb\n\nno end", "the tail is what the task wrote");
    end(bench);
    let written = String::from_utf8(content(&path)).unwrap();
    let lines: Vec<(&str, &str)> = written.lines().map(|line| line.split_at(28)).collect();
    assert_eq!(lines.iter().map(|(_, text)| *text).collect::<Vec<_>>(), ["a", "b", "", "no end"]);
    for (time, _) in &lines {
        let time = time.strip_suffix(' ').unwrap();
        time.parse::<jiff::Timestamp>().unwrap();
        assert!(time.ends_with('Z'), "{time}");
    }
    assert!(!written.ends_with('\n'));

    // Without rotation what has come of a line is in the file at once, and is given its time once.
    let path = folder.path().join("slow");
    task.action = shell("printf begin; read -r _ < go; echo ' end'").action;
    task.stdout = Sink::File(path.clone());
    task.rotate = None;
    *task.working_directory = folder.path().into();
    let go = folder.path().join("go");
    rustix::fs::mkfifoat(rustix::fs::CWD, &go, 0o600.into()).unwrap();
    let mut bench = Bench::new();
    bench.start(task);
    eventually("the beginning is there", || content(&path).ends_with(b"Z begin"));
    std::fs::write(&go, "go\n").unwrap();
    bench.finished();
    end(bench);
    assert_eq!(&content(&path)[28..], b"begin end\n");
}

#[test]
fn a_flood_of_lines_is_whole_and_each_has_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    for rotation in [Some(256 * 1024), None] {
        let mut task = rotated("seq 1 400000", &path, 256 * 1024, 1_000, false);
        task.rotate = task.rotate.filter(|_| rotation.is_some());
        task.timestamps = true;
        let mut bench = Bench::new();
        let finished = bench.run(task);
        assert!(numbers(1, 400_000).ends_with(bytes(&finished.tails.stdout)), "the tail has no times");
        assert_eq!(bytes(&finished.tails.stdout).len(), 64 * 1024);
        end(bench);
        let files = files(&path);
        assert_eq!(files.len() > 40, rotation.is_some(), "{} files", files.len());
        if let Some(limit) = rotation {
            assert!(files.iter().all(|file| file.metadata().unwrap().len() <= limit));
        }
        let written = String::from_utf8(all(&path)).unwrap();
        let (times, lines): (Vec<&str>, Vec<&str>) =
            written.split_inclusive('\n').map(|line| line.split_at(28)).unzip();
        assert!(lines.concat().into_bytes() == numbers(1, 400_000), "{rotation:?}");
        assert!(times.is_sorted() && times.iter().all(|time| time.ends_with("Z ")));
        files.iter().for_each(|file| std::fs::remove_file(file).unwrap());
    }
}

#[test]
fn a_task_that_fills_its_pipe_gets_a_larger_one() {
    for timestamps in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let go = folder.path().join("go");
        rustix::fs::mkfifoat(rustix::fs::CWD, &go, 0o600.into()).unwrap();
        let mut task =
            rotated("dd if=/dev/zero bs=1M count=4 2> stderr; read -r _ < go", &path, 100 << 20, 5, false);
        *task.working_directory = folder.path().into();
        task.timestamps = timestamps;
        let mut bench = Bench::new();
        let alive = bench.start(task);
        let pipe = File::options().write(true).open(format!("/proc/{}/fd/1", alive.pid)).unwrap();
        eventually("the pipe is grown", || rustix::pipe::fcntl_getpipe_size(&pipe).unwrap() == 1 << 20);
        drop(pipe);
        std::fs::write(&go, "go\n").unwrap();
        bench.finished();
        end(bench);
        let stamp = if timestamps { 28 } else { 0 };
        assert!(
            content(&path).len() == (4 << 20) + stamp && content(&path)[stamp..].iter().all(|it| *it == 0)
        );
    }
}

#[test]
fn streams_share_a_file_in_order_or_have_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let line = "for i in $(seq 1 2000); do echo out $i; echo err $i >&2; done";
    let mut bench = Bench::new();
    bench.run(rotated(line, &at("combined"), 1_000, 100, false));
    let mut separate = rotated(line, &at("out"), 1_000, 100, false);
    separate.stderr = ErrorSink::Separate(Sink::File(at("err")));
    let finished = bench.run(separate);
    assert!(text(&finished.tails.stdout).ends_with("out 2000\n"));
    assert!(text(&finished.tails.stderr).ends_with("err 2000\n"));
    let mut same = rotated(line, &at("same"), 1_000, 100, false);
    same.stderr = ErrorSink::Separate(Sink::File(at("same")));
    bench.run(same);
    end(bench);
    let lines = |words: &[&str]| -> Vec<u8> {
        let line = |i| words.iter().map(|word| format!("{word} {i}\n")).collect::<String>().into_bytes();
        (1..=2000).flat_map(line).collect()
    };
    assert!(all(&at("combined")) == lines(&["out", "err"]));
    assert!(all(&at("same")) == lines(&["out", "err"]));
    assert!(all(&at("out")) == lines(&["out"]));
    assert!(all(&at("err")) == lines(&["err"]));
}

#[test]
fn a_slow_reader_holds_up_its_own_task_only() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, 0o600.into()).unwrap();
    let reader = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::NONBLOCK;
    let reader: File = rustix::fs::open(&fifo, reader, 0.into()).unwrap().into();
    let mut slow = shell("seq 1 1000000");
    slow.stdout = Sink::File(fifo);
    slow.timestamps = true;
    let mut bench = Bench::new();
    let slow = bench.start(slow);
    let path = folder.path().join("log");
    for _ in 0..20 {
        let quick = bench.start(rotated("seq 1 1000", &path, 1_000_000, 5, false));
        assert_eq!(bench.finished().run, quick.id, "the slow one waits");
    }
    eventually("the others are written", || content(&path) == numbers(1, 1_000).repeat(20));

    let mode = rustix::fs::fcntl_getfl(&reader).unwrap() - rustix::fs::OFlags::NONBLOCK;
    rustix::fs::fcntl_setfl(&reader, mode).unwrap();
    let read = std::thread::spawn(move || {
        let lines = BufReader::new(reader).lines().map(|line| line.unwrap().split_off(28) + "\n");
        lines.take(1_000_000).collect::<String>()
    });
    assert_eq!(bench.finished().run, slow.id);
    let read = read.join().unwrap();
    let wrong = read.lines().zip(1..).find(|(line, number)| **line != number.to_string());
    assert_eq!(wrong, None);
    assert_eq!(read.lines().count(), 1_000_000);
    end(bench);
}

#[test]
fn a_grandchild_is_heard_until_its_group_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let go = folder.path().join("go");
    rustix::fs::mkfifoat(rustix::fs::CWD, &go, 0o600.into()).unwrap();
    let mut task = rotated("(read -r _ < go; seq 2 1000) & echo 1", &path, 1_000, 100, false);
    *task.working_directory = folder.path().into();
    let mut bench = Bench::new();
    let alive = bench.start(task);
    let finished = bench.finished();
    assert!(finished.remains);
    assert_eq!(text(&finished.tails.stdout), "1\n");
    eventually("the leader's line is written", || content(&path) == b"1\n");
    std::fs::write(&go, "go\n").unwrap();
    assert_eq!(bench.gone(), alive.id);
    bench.run(rotated("seq 1001 2000", &path, 1_000, 100, false));
    end(bench);
    assert!(all(&path) == numbers(1, 2_000));
}

#[test]
fn tails_are_the_end_of_what_was_written_wherever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let mut bench = Bench::new();
    let finished = bench.run(rotated("seq 1 200000", &path, 10_000, 2, false));
    let tail = bytes(&finished.tails.stdout);
    assert_eq!(tail.len(), 64 * 1024);
    assert!(numbers(1, 200_000).ends_with(tail));
    end(bench);
}

#[test]
fn a_full_disk_neither_kills_nor_blocks_the_task_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=8m", "none"])
        .arg(folder.path())
        .stderr(std::process::Stdio::null())
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("skipped: only root may mount");
        return;
    }
    let path = folder.path().join("log");
    let ballast = folder.path().join("ballast");
    std::fs::write(&ballast, vec![0; 7 << 20]).unwrap();

    // Room comes back in time: nothing is lost.
    let mut bench = with_patience(PATIENCE);
    bench.start(rotated("seq 1 500000", &path, 100 << 20, 5, false));
    eventually("the disk is full", || path.metadata().is_ok_and(|it| it.len() == 1 << 20));
    std::fs::remove_file(&ballast).unwrap();
    bench.finished();
    end(bench);
    let whole = content(&path) == numbers(1, 500_000);

    // It does not: the task goes on all the same, and what comes once there is room is written in whole lines.
    let mut bench = with_patience(Duration::from_millis(100));
    let finished = bench.run(rotated("seq 1 3000000", &path, 100 << 20, 5, false));
    let size = path.metadata().unwrap().len();
    // More than all that may still be on its way.
    File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
    bench.run(rotated("echo after", &path, 100 << 20, 5, false));
    end(bench);
    let last = content(&path);
    let unmounted = std::process::Command::new("umount").arg("-l").arg(folder.path()).status().unwrap();
    assert!(unmounted.success());
    assert!(whole, "nothing is lost while it waits");
    assert_eq!(finished.exit, Exit::Code(0));
    assert_eq!(size, 8 << 20);
    assert!(last.ends_with(b"\nafter\n") || last == b"after\n");
}

fn with_patience(patience: Duration) -> Bench {
    let mut bench = Bench::new();
    bench.runner =
        SubprocessRunner::new(Arc::clone(&bench.poller), 100).with_logs(Logs::with_patience(patience));
    bench
}

#[test]
fn a_log_that_was_moved_or_removed_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let mut bench = Bench::new();
    bench.run(rotated("seq 1 10", &path, 1_000, 5, false));
    std::fs::rename(&path, folder.path().join("away")).unwrap();
    bench.run(rotated("seq 11 400", &path, 1_000, 5, false));
    end(bench);
    assert_eq!(content(&folder.path().join("away")), numbers(1, 10));
    assert!(all(&path) == numbers(11, 400));
    let modes: BTreeSet<u32> = files(&path).iter().map(|file| file.metadata().unwrap().mode()).collect();
    assert_eq!(modes.len(), 1, "all have the mode of the first");
}

/// Run on demand, in release: a GiB through the host beside the same through `cat`.
#[test]
#[ignore = "a measurement"]
fn throughput() {
    let folder = tempfile::tempdir().unwrap();
    let lines = "yes 0123456789012345678901234567890123456789012345678901234567890123456789 | head -c 1G";
    for (what, source) in [("zeros", "head -c 1G /dev/zero"), ("lines", lines)] {
        let mut ratios = Vec::new();
        for _ in 0..5 {
            let path = folder.path().join("log");
            let mut bench = Bench::new();
            let begun = Instant::now();
            bench.run(shell(&format!("{source} | cat > {}/limit", folder.path().display())));
            let limit = begun.elapsed();
            end(bench);
            std::fs::remove_file(folder.path().join("limit")).unwrap();
            let mut bench = Bench::new();
            let begun = Instant::now();
            bench.run(rotated(source, &path, 100 << 20, 5, false));
            end(bench);
            let own = begun.elapsed();
            for file in files(&path) {
                std::fs::remove_file(file).unwrap();
            }
            println!("{what}: cat {limit:?}, host {own:?}");
            ratios.push(limit.as_secs_f64() / own.as_secs_f64());
        }
        ratios.sort_by(f64::total_cmp);
        println!("{what}: {:.2} of cat's throughput (median)", ratios[2]);
    }
}

#[test]
fn the_log_of_a_task_with_a_user_is_written_by_the_host() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root may start tasks as others");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let mut task = rotated("id -u; seq 1 1000; echo by name > /dev/stdout", &path, 1_000, 100, false);
    task.privileges.user = Some(Account::Id(65_534));
    let mut bench = Bench::new();
    assert_eq!(bench.run(task).exit, Exit::Code(0));
    end(bench);
    assert!(all(&path) == [b"65534\n", &numbers(1, 1_000)[..], b"by name\n"].concat());
    assert!(files(&path).iter().all(|file| file.metadata().unwrap().uid() == 0));
}
