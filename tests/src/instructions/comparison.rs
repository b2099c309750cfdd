//! What was counted, beside what is kept.

use super::figures::Figures;
use std::fmt::{self, Display, Formatter};

/// How far a count may be from the figure that is kept, in hundredths of it.
const TOLERANCE: u64 = 2;

/// How much more a run may cost among a hundred thousand tasks than among a hundred: a tree of deadlines is deeper.
const GROWTH: f64 = 3.0;

/// The two counts that [`GROWTH`] is about.
pub(super) const AMONG_FEW: &str = "a run among 100 tasks";
pub(super) const AMONG_MANY: &str = "a run among 100000 tasks";

/// Both, for people.
pub(super) struct Comparison<'a> {
    kept: &'a Figures,
    now: &'a Figures,
}

impl<'a> Comparison<'a> {
    /// Compares them.
    pub(super) fn new(kept: &'a Figures, now: &'a Figures) -> Self {
        Self { kept, now }
    }

    /// Whether all counts are those that are kept, and no others are.
    pub(super) fn is_same(&self) -> bool {
        let differs =
            |name: &String, now: u64| self.kept.counts.get(name).is_none_or(|&kept| differ(kept, now));
        !self.now.counts.iter().any(|(name, &now)| differs(name, now)) && self.uncounted().next().is_none()
    }

    /// Whether a run costs much the same, however many tasks there are.
    pub(super) fn is_flat(&self) -> bool {
        self.growth().is_none_or(|growth| growth <= GROWTH)
    }

    fn growth(&self) -> Option<f64> {
        let counts = &self.now.counts;
        Some(*counts.get(AMONG_MANY)? as f64 / *counts.get(AMONG_FEW)? as f64)
    }

    fn uncounted(&self) -> impl Iterator<Item = &String> {
        self.kept.counts.keys().filter(|name| !self.now.counts.contains_key(*name))
    }
}

impl Display for Comparison<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (name, &now) in &self.now.counts {
            let Some(&kept) = self.kept.counts.get(name) else {
                writeln!(f, "{now:>12}  {name}: no figure is kept <-- new")?;
                continue;
            };
            let change = change(kept, now) * 100.0;
            let mark = match differ(kept, now) {
                true if now > kept => " <-- dearer",
                true => " <-- cheaper",
                false => "",
            };
            writeln!(f, "{now:>12}  {name}: {change:+.2} % of {kept}{mark}")?;
        }
        for name in self.uncounted() {
            writeln!(f, "{:>12}  {name}: is kept and counted no more <-- gone", "–")?;
        }
        if let Some(growth) = self.growth() {
            let mark = if self.is_flat() { "" } else { " <-- grows" };
            writeln!(
                f,
                "{AMONG_MANY} takes {growth:.2} times what {AMONG_FEW} takes, at most {GROWTH}{mark}"
            )?;
        }
        if !self.is_same() {
            if self.kept.compiler != self.now.compiler {
                writeln!(f, "the figures are of {}, and this is {}", self.kept.compiler, self.now.compiler)?;
            }
            writeln!(f, "where that is meant: run this with --update, and commit tests/instructions.txt")?;
        }
        Ok(())
    }
}

/// In parts of what is kept.
fn change(kept: u64, now: u64) -> f64 {
    now as f64 / kept as f64 - 1.0
}

fn differ(kept: u64, now: u64) -> bool {
    now.abs_diff(kept) * 100 > kept * TOLERANCE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(counts: &[(&str, u64)]) -> Figures {
        let counts = counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        Figures { compiler: "rustc 1".into(), counts }
    }

    fn check(kept: &[(&str, u64)], now: &[(&str, u64)], is_same: bool, said: &str) {
        let (kept, now) = (figures(kept), figures(now));
        let comparison = Comparison::new(&kept, &now);
        assert_eq!(comparison.is_same(), is_same, "{comparison}");
        assert!(comparison.to_string().contains(said), "{comparison}");
    }

    #[test]
    fn what_differs_is_marked() {
        check(&[("a", 1000)], &[("a", 1020)], true, "1020  a: +2.00 % of 1000\n");
        check(&[("a", 1000)], &[("a", 1021)], false, "1021  a: +2.10 % of 1000 <-- dearer\n");
        check(&[("a", 1000)], &[("a", 979)], false, "979  a: -2.10 % of 1000 <-- cheaper\n");
        check(&[("a", 1)], &[("a", 1), ("b", 2)], false, "2  b: no figure is kept <-- new\n");
        check(&[("a", 1), ("b", 2)], &[("a", 1)], false, "b: is kept and counted no more <-- gone\n");
        check(&[("a", 0)], &[("a", 1)], false, "<-- dearer");
        check(&[("a", 1000)], &[("a", 2000)], false, "--update");
    }

    #[test]
    fn another_compiler_is_named_where_counts_differ() {
        let kept = Figures { compiler: "rustc 0".into(), ..figures(&[("a", 100)]) };
        let said = |now: u64| Comparison::new(&kept, &figures(&[("a", now)])).to_string();
        assert!(said(200).contains("the figures are of rustc 0, and this is rustc 1\n"));
        assert!(!said(100).contains("rustc"));
    }

    #[test]
    fn a_run_that_costs_more_among_many_tasks_is_seen() {
        for (many, is_flat) in [(300, true), (301, false)] {
            let now = figures(&[(AMONG_FEW, 100), (AMONG_MANY, many)]);
            let comparison = Comparison::new(&now, &now);
            assert_eq!((comparison.is_same(), comparison.is_flat()), (true, is_flat), "{comparison}");
            assert_eq!(comparison.to_string().contains("<-- grows"), !is_flat, "{comparison}");
        }
    }
}
