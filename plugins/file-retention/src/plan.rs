//! Which files go.

use crate::options::Rule;
use crate::scan::FoundFile;
use std::collections::BTreeMap;
use std::time::Duration;

/// Why a file goes: the first limit that says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reason {
    Age,
    Count,
    TotalSize,
}

impl Reason {
    /// The option that says so.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Reason::Age => "max-age",
            Reason::Count => "max-count",
            Reason::TotalSize => "max-total-size",
        }
    }
}

/// How old a file was at this time (nanoseconds from 1970); not older than new.
pub(crate) fn age(file: &FoundFile, now: i128) -> Duration {
    u64::try_from(now - file.mark.modified).map_or(Duration::ZERO, Duration::from_nanos)
}

/// The files that go, as indices, with the reason. Each pattern, and each folder if the rule says so, is a group of its
/// own, in which the newest come first: a limit lets a beginning stay, and the shortest one counts. Of files of one time
/// the name that comes last is the newest, as with dates in names.
pub(crate) fn plan(rule: &Rule, files: &[FoundFile], now: i128) -> Vec<(usize, Reason)> {
    let mut groups: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    for (index, file) in files.iter().enumerate() {
        let folder = if rule.per_folder { file.folder } else { 0 };
        groups.entry((file.pattern, folder)).or_default().push(index);
    }
    let mut doomed = Vec::new();
    for mut group in groups.into_values() {
        group.sort_by(|a, b| {
            let key =
                |index: &usize| (files[*index].mark.modified, &files[*index].name, files[*index].folder);
            key(b).cmp(&key(a))
        });
        let mut total = 0_u64;
        let protected = usize::try_from(rule.keep_at_least).unwrap_or(usize::MAX);
        for (rank, index) in group.into_iter().enumerate() {
            let file = &files[index];
            total = total.saturating_add(file.mark.size);
            if rank >= protected
                && let Some(reason) = reason(rule, age(file, now), rank, total)
            {
                doomed.push((index, reason));
            }
        }
    }
    doomed
}

/// `total` is the size of this file and all newer ones.
fn reason(rule: &Rule, age: Duration, rank: usize, total: u64) -> Option<Reason> {
    if rule.max_age.is_some_and(|limit| age > limit.duration()) {
        Some(Reason::Age)
    } else if rule.max_count.is_some_and(|limit| rank >= limit.get() as usize) {
        Some(Reason::Count)
    } else if rule.max_total_size.is_some_and(|limit| total > limit.bytes()) {
        Some(Reason::TotalSize)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;
    use crate::scan::Mark;
    use serde_json::{Value, json};
    use std::path::Path;

    const DAY: i128 = 86_400_000_000_000;
    const NOW: i128 = 20_000 * DAY;

    /// A file of a pattern (its first letter) in a folder, so many days old.
    fn file(name: &str, folder: usize, days: i128, size: u64) -> FoundFile {
        let root = Folder::open(Path::new("/")).unwrap();
        let mut mark = Mark::of(&root.stat);
        (mark.size, mark.modified) = (size, NOW - days * DAY);
        FoundFile { folder, name: name.into(), pattern: usize::from(name.starts_with('b')), mark }
    }

    fn check(limits: Value, files: &[FoundFile], expect: &[(&str, Reason)]) {
        let mut rule = json!({ "folder": "/", "patterns": ["a*", "b*"] });
        rule.as_object_mut().unwrap().extend(limits.as_object().unwrap().clone());
        let rule: Rule = serde_json::from_value(rule).unwrap();
        let mut doomed: Vec<_> = plan(&rule, files, NOW)
            .into_iter()
            .map(|(index, reason)| (files[index].name.to_str().unwrap(), reason))
            .collect();
        doomed.sort_by_key(|(name, _)| *name);
        assert_eq!(doomed, expect, "{limits}");
    }

    fn files() -> Vec<FoundFile> {
        vec![
            file("a3", 0, 3, 30),
            file("a1", 0, 1, 10),
            file("b9", 1, 9, 90),
            file("a2", 1, 2, 20),
            file("b8", 1, 8, 80),
            file("a4", 0, 4, 1),
        ]
    }

    #[test]
    fn each_limit() {
        use Reason::{Age, Count, TotalSize};
        check(json!({ "max-count": 2 }), &files(), &[("a3", Count), ("a4", Count)]);
        check(
            json!({ "max-count": 1 }),
            &files(),
            &[("a2", Count), ("a3", Count), ("a4", Count), ("b9", Count)],
        );
        check(json!({ "max-age": "2d" }), &files(), &[("a3", Age), ("a4", Age), ("b9", Age)]);
        check(json!({ "max-total-size": 60 }), &files(), &[("a4", TotalSize), ("b9", TotalSize)]);
        // The small old one would fit, but goes after the larger newer one.
        check(
            json!({ "max-total-size": 40, "keep-at-least": 0 }),
            &files(),
            &[("a3", TotalSize), ("a4", TotalSize), ("b8", TotalSize), ("b9", TotalSize)],
        );
    }

    #[test]
    fn any_limit_is_enough() {
        use Reason::{Age, Count, TotalSize};
        let limits = json!({ "max-age": "3d", "max-count": 3, "max-total-size": 29 });
        let doomed = [("a2", TotalSize), ("a3", TotalSize), ("a4", Age), ("b9", Age)];
        check(limits, &files(), &doomed);
        check(json!({ "max-age": "9d", "max-count": 3 }), &files(), &[("a4", Count)]);
    }

    #[test]
    fn the_newest_stay_whatever_the_limits_say() {
        check(json!({ "max-age": 1, "keep-at-least": 3 }), &files(), &[("a4", Reason::Age)]);
        check(json!({ "max-total-size": 1, "keep-at-least": 9 }), &files(), &[]);
        let all = ["a1", "a2", "a3", "a4", "b8", "b9"].map(|name| (name, Reason::Age));
        check(json!({ "max-age": 1, "keep-at-least": 0 }), &files(), &all);
    }

    #[test]
    fn each_folder_for_itself() {
        let doomed = [("a3", Reason::Count), ("a4", Reason::Count), ("b9", Reason::Count)];
        check(json!({ "max-count": 1, "recursive": true, "per-folder": true }), &files(), &doomed);
    }

    #[test]
    fn of_one_time_the_last_name_is_the_newest() {
        let files = [file("a-0101", 0, 1, 1), file("a-0103", 0, 1, 1), file("a-0102", 0, 1, 1)];
        check(json!({ "max-count": 2 }), &files, &[("a-0101", Reason::Count)]);
    }

    #[test]
    fn a_file_of_the_future_is_new() {
        let files = [file("a-later", 0, -5, 1), file("a-now", 0, 0, 1)];
        check(json!({ "max-age": 1 }), &files, &[]);
    }
}
