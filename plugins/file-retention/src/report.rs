//! What a run says.

use crate::plan::Reason;
use bansuri_plugin_kit::human_size;
use std::path::Path;
use std::time::Duration;

/// What one rule has come to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Sum {
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    pub(crate) folders: usize,
    pub(crate) kept_files: usize,
    pub(crate) kept_bytes: u64,
}

/// `removed "/srv/a.log" (1.2 GiB, 40 d old): max-age`.
pub(crate) fn file_line(dry_run: bool, path: &Path, size: u64, age: Duration, reason: Reason) -> String {
    let option = reason.option();
    format!("{} {path:?} ({}, {} old): {option}", removed(dry_run), human_size(size), human_age(age))
}

/// `removed "/srv/logs/2025", an empty folder`.
pub(crate) fn folder_line(dry_run: bool, path: &Path) -> String {
    format!("{} {path:?}, an empty folder", removed(dry_run))
}

/// `"/srv": removed 3 files (3.6 GiB) and 1 folder, kept 7 files (8.4 GiB)`.
pub(crate) fn sum_line(dry_run: bool, path: &Path, sum: &Sum) -> String {
    let folders = match sum.folders {
        0 => String::new(),
        number => format!(" and {}", counted(number, "folder")),
    };
    let (files, bytes) = (counted(sum.files, "file"), human_size(sum.bytes));
    let kept = format!("{} ({})", counted(sum.kept_files, "file"), human_size(sum.kept_bytes));
    format!("{path:?}: {} {files} ({bytes}){folders}, kept {kept}", removed(dry_run))
}

fn removed(dry_run: bool) -> &'static str {
    if dry_run { "would remove" } else { "removed" }
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn human_age(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3599 => format!("{} min", seconds / 60),
        3600..=86_399 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let line = file_line(false, Path::new("/a\nb"), 1536, Duration::from_secs(40 * 86_400), Reason::Age);
        assert_eq!(line, "removed \"/a\\nb\" (1.5 KiB, 40 d old): max-age");
        let sum = Sum { files: 1, bytes: 5, folders: 2, kept_files: 0, kept_bytes: 0 };
        let expect = "\"/a\": would remove 1 file (5 B) and 2 folders, kept 0 files (0 B)";
        assert_eq!(sum_line(true, Path::new("/a"), &sum), expect);
        let expect = "\"/a\": removed 0 files (0 B), kept 0 files (0 B)";
        assert_eq!(sum_line(false, Path::new("/a"), &Sum::default()), expect);
    }

    #[test]
    fn ages() {
        let shown = [0, 59, 60, 7199, 86_399, 86_400].map(|seconds| human_age(Duration::from_secs(seconds)));
        assert_eq!(shown, ["0 s", "59 s", "1 min", "1 h", "23 h", "1 d"]);
    }
}
