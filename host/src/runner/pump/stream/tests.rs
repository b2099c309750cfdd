use super::*;
use crate::launch::Rotation;
use crate::runner::pump::chain::Chain;
use crate::runner::pump::sink::Target;
use proptest::prelude::*;
use std::num::NonZeroU64;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

struct Bench {
    folder: tempfile::TempDir,
    sink: Sink,
    compressor: Compressor,
}

impl Bench {
    fn new(before: &[u8], rotation: Option<(u64, u32)>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, before).unwrap();
        let file: OwnedFd = std::fs::File::options().append(true).open(&path).unwrap().into();
        let rotation = rotation.map(|(max_size, keep)| {
            let max_size = NonZeroU64::new(max_size).unwrap();
            (Rotation { max_size, keep, compress: false }, Chain::of(file.as_fd(), &path))
        });
        let target = Target { file: Arc::new(file), path, task: "task".into(), rotation };
        Self { sink: Sink::new(target, Duration::from_secs(1)), folder, compressor: Compressor::default() }
    }

    fn stream(timestamps: bool) -> Stream {
        let (read, _) = crate::process::pipe().unwrap();
        Stream::new(Arc::new(Source::new(read)), timestamps)
    }

    fn take(&mut self, stream: &mut Stream, bytes: &[u8]) {
        self.take_beside(stream, bytes, true);
    }

    fn take_beside(&mut self, stream: &mut Stream, bytes: &[u8], alone: bool) {
        let mut stamper = Stamper::default();
        stamper.set("T ".into());
        stream.take(bytes, &mut stamper, alone, &mut self.sink, &mut self.compressor);
    }

    fn finish(&mut self, stream: &mut Stream) {
        assert!(stream.finish(&mut self.sink, &mut self.compressor));
    }

    /// Oldest first.
    fn files(&self) -> Vec<String> {
        let log = self.folder.path().join("log");
        let old = |number: usize| PathBuf::from(format!("{}.{number}", log.display()));
        let last = (1..).take_while(|&number| old(number).exists()).last().unwrap_or(0);
        let read = |path: &Path| String::from_utf8(std::fs::read(path).unwrap()).unwrap();
        let mut files: Vec<String> = (1..=last).rev().map(|number| read(&old(number))).collect();
        files.push(read(&log));
        files
    }
}

fn written(before: &str, max_size: u64, keep: u32, chunks: &[&str]) -> Vec<String> {
    let mut bench = Bench::new(before.as_bytes(), Some((max_size, keep)));
    let mut stream = Bench::stream(false);
    for chunk in chunks {
        bench.take(&mut stream, chunk.as_bytes());
    }
    bench.finish(&mut stream);
    bench.files()
}

#[test]
fn a_file_is_rotated_before_the_line_that_would_take_it_past_its_size() {
    let table: &[(&str, &[&str], &[&str])] = &[
        ("", &["12345678\n"], &["12345678\n"]),
        ("", &["123456789\n"], &["123456789\n"]),
        ("", &["1234\n6789\n"], &["1234\n6789\n"]),
        ("", &["1234\n67890\n"], &["1234\n", "67890\n"]),
        ("", &["1234\n6", "789\n"], &["1234\n6789\n"]),
        ("", &["1234\n6", "7890\n"], &["1234\n", "67890\n"]),
        ("", &["1", "2\n3", "4", "\n"], &["12\n34\n"]),
        ("", &["a line too long\n", "b\n"], &["a line too long\n", "b\n"]),
        ("", &["a\n", "a line too", " long\nb\n"], &["a\n", "a line too long\n", "b\n"]),
        ("", &["a\nb\nc\nd\ne\nf\n"], &["a\nb\nc\nd\ne\n", "f\n"]),
        ("", &["\n\n\n\n\n\n\n\n\n\n\n"], &["\n\n\n\n\n\n\n\n\n\n", "\n"]),
        ("", &["no end"], &["no end"]),
        ("", &["1234\n6789", "0"], &["1234\n67890"]),
        ("", &["1234\n67890", "1"], &["1234\n", "678901"]),
        ("", &["a\r\nb\rc\n"], &["a\r\nb\rc\n"]),
        ("there\n", &["789\n"], &["there\n789\n"]),
        ("there\n", &["7890\n"], &["there\n", "7890\n"]),
        ("more than it takes\n", &["a\n"], &["more than it takes\n", "a\n"]),
        ("no end", &["789\n"], &["no end789\n"]),
        ("no end", &["78901\n"], &["no end", "78901\n"]),
    ];
    for (before, chunks, expected) in table {
        assert_eq!(written(before, 10, 100, chunks), *expected, "{before:?} {chunks:?}");
    }
}

#[test]
fn so_many_old_files_are_kept() {
    let lines: String = (0..20).map(|number| format!("{number:09}\n")).collect();
    for keep in [0, 1, 5, 30] {
        let files = written("", 10, keep, &[&lines]);
        let kept = 20.min(keep as usize + 1);
        assert_eq!(files.concat(), lines[lines.len() - 10 * kept..], "keep {keep}");
        assert_eq!(files.len(), kept);
    }
}

#[test]
fn a_line_that_does_not_end_is_not_held_for_ever() {
    let mut bench = Bench::new(b"first\n", Some((10 << 20, 5)));
    let mut stream = Bench::stream(false);
    let piece = [b'x'; 1000];
    for _ in 0..4_000 {
        bench.take(&mut stream, &piece);
        assert!(stream.waiting() <= HOLD);
    }
    bench.take(&mut stream, b"\nlast\n");
    bench.finish(&mut stream);
    let files = bench.files();
    assert_eq!(files[0], "first\n");
    assert_eq!(files[1].len(), 4_000_000 + 6, "whole, in a file it fits in");
    assert_eq!(files.len(), 2);
}

#[test]
fn each_line_has_one_time() {
    let mut bench = Bench::new(b"", Some((9, 100)));
    let mut stream = Bench::stream(true);
    for chunk in ["a", "b\nc\n", "\n", "d"] {
        bench.take(&mut stream, chunk.as_bytes());
    }
    bench.finish(&mut stream);
    assert_eq!(bench.files(), ["T ab\nT c\n", "T \nT d"], "times count towards the size");
}

#[test]
fn without_rotation_nothing_is_held() {
    let mut bench = Bench::new(b"", None);
    let mut stream = Bench::stream(true);
    bench.take(&mut stream, b"Password: ");
    assert_eq!(bench.files(), ["T Password: "]);
}

#[test]
fn a_line_that_one_began_alone_is_not_cut_by_another() {
    let mut bench = Bench::new(b"", None);
    let (mut one, mut other) = (Bench::stream(true), Bench::stream(true));
    bench.take(&mut one, b"whole\nbe");
    // Another has come: what it has of a line waits for the rest, and what the first has begun goes on.
    bench.take_beside(&mut other, b"o", false);
    bench.take_beside(&mut one, b"gin\nnew", false);
    bench.take_beside(&mut other, b"ther\n", false);
    // It is gone: what was held comes first.
    bench.take(&mut one, b" line\n");
    assert_eq!(bench.files(), ["T whole\nT begin\nT other\nT new line\n"]);
}

#[test]
fn lines_of_several_writers_stay_whole() {
    let mut bench = Bench::new(b"", None);
    let (mut one, mut other) = (Bench::stream(true), Bench::stream(true));
    bench.take_beside(&mut one, b"be", false);
    bench.take_beside(&mut other, b"other\n", false);
    bench.take_beside(&mut one, b"gin\n", false);
    assert_eq!(bench.files(), ["T other\nT begin\n"]);
}

#[test]
fn what_somebody_else_truncates_is_not_rotated_too_early() {
    let mut bench = Bench::new(b"12345678\n", Some((10, 5)));
    std::fs::write(bench.folder.path().join("log"), "").unwrap();
    let mut stream = Bench::stream(false);
    bench.take(&mut stream, b"new\n");
    assert_eq!(bench.files(), ["new\n"]);
}

#[test]
fn where_it_cannot_be_rotated_it_grows() {
    let mut bench = Bench::new(b"12345678\n", Some((10, 5)));
    let log = bench.folder.path().join("log");
    // Nothing can be put in the place of a folder that holds something.
    std::fs::create_dir_all(bench.folder.path().join("log.bansuri-new/inside")).unwrap();
    let mut stream = Bench::stream(false);
    bench.take(&mut stream, b"one\ntwo\nhalf");
    bench.finish(&mut stream);
    assert_eq!(std::fs::read(&log).unwrap(), b"12345678\none\ntwo\nhalf");
    assert!(!bench.folder.path().join("log.1").exists(), "nothing was moved");
}

proptest! {
    /// However the bytes come, the files are those of the rule for whole lines.
    #[test]
    fn the_rule_holds_however_the_bytes_come(
        lines in prop::collection::vec(0_usize..30, 0..60),
        ended in any::<bool>(),
        cuts in prop::collection::vec(1_usize..50, 1..40),
        max_size in 1_u64..60,
        before in 0_usize..70,
    ) {
        let before = "b".repeat(before);
        let mut pieces: Vec<String> =
            lines.iter().enumerate().map(|(n, length)| format!("{}\n", (n % 10).to_string().repeat(*length))).collect();
        if !ended && let Some(last) = pieces.last_mut() {
            last.pop();
        }
        let mut expected = vec![before.clone()];
        for line in pieces.iter().filter(|line| !line.is_empty()) {
            let size = expected.last().unwrap().len();
            if size > 0 && (size + line.len()) as u64 > max_size {
                expected.push(String::new());
            }
            expected.last_mut().unwrap().push_str(line);
        }
        let all = pieces.concat();
        let mut chunks = Vec::new();
        let mut rest = all.as_str();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (chunk, other) = rest.split_at((*cut).min(rest.len()));
            chunks.push(chunk);
            rest = other;
        }
        prop_assert_eq!(written(&before, max_size, 1_000, &chunks), expected);
    }
}

fn target(path: &Path) -> Target {
    let file: OwnedFd = std::fs::File::options().append(true).open(path).unwrap().into();
    Target { file: Arc::new(file), path: path.to_owned(), task: "task".into(), rotation: None }
}

#[test]
fn a_line_that_was_cut_ends_however_often_the_next_is_tried() {
    let mut bench = Bench::new(b"", None);
    let log = bench.folder.path().join("log");
    bench.sink.write(b"half", b"");
    bench.sink.drop_bytes(1);
    bench.sink.renew(target(Path::new("/dev/full")));
    bench.sink.write(b"lost\n", b"");
    assert!(bench.sink.drops());
    bench.sink.renew(target(&log));
    bench.sink.write(b"after\n", b"");
    assert_eq!(bench.files(), ["half\nafter\n"]);
}

#[test]
fn what_was_dropped_is_told_once() {
    let mut bench = Bench::new(b"", None);
    bench.sink.drop_bytes(1);
    for bytes in [&b"a\n"[..], b"Pass", b"word\n"] {
        bench.sink.write(bytes, b"");
    }
    assert_eq!(bench.files(), ["a\nPassword\n"], "nothing was cut any more");
}

#[test]
fn who_looks_whether_a_log_drops_does_not_have_it_try() {
    // Without patience, the next try is due at once.
    let mut sink = Sink::new(target(Path::new("/dev/full")), Duration::ZERO);
    sink.drop_bytes(1);
    sink.write(b"lost\n", b"");
    assert!(sink.drops() && sink.drops());
    assert!(!sink.is_dropping() && sink.is_fine(), "the try is due");
}
