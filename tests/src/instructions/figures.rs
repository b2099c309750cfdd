//! The file of figures: a line for each scenario, and the compiler that they hold for.

use std::collections::BTreeMap;
use std::fmt::Write;

const HEADING: &str =
    "Instructions of a release build, counted by `cargo run --release -p bansuri-tests --bin instructions`.";

/// What was counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Figures {
    /// As `rustc --version` has it.
    pub(super) compiler: String,
    /// Instructions, by what takes them.
    pub(super) counts: BTreeMap<String, u64>,
}

impl Figures {
    /// The text of the file.
    pub(super) fn to_text(&self) -> String {
        let mut text = format!("# {HEADING}\n# {}\n", self.compiler);
        for (name, count) in &self.counts {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{count:>12}  {name}");
        }
        text
    }

    /// Reads the text of the file.
    ///
    /// # Errors
    /// The first line that is none.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let compiler = text.lines().filter_map(|line| line.strip_prefix("# ")).find(|line| *line != HEADING);
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        let count = |line: &str| {
            let (number, name) = line.trim().split_once("  ")?;
            Some((name.trim().to_owned(), number.parse().ok()?))
        };
        let counts = lines.map(|line| {
            count(line).ok_or_else(|| format!("line {line:?}: expected a number, two spaces and a name"))
        });
        Ok(Self {
            compiler: compiler.unwrap_or_default().to_owned(),
            counts: counts.collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let counts = [("a check".to_owned(), 20_123), ("a day of 1,000".to_owned(), 1)];
        let figures = Figures { compiler: "rustc 1.95.0".into(), counts: counts.into() };
        assert_eq!(Figures::parse(&figures.to_text()), Ok(figures));
    }

    #[test]
    fn the_figures_that_are_kept_can_be_read() {
        let kept = Figures::parse(include_str!("../../instructions.txt")).unwrap();
        assert!(kept.compiler.starts_with("rustc "), "{kept:?}");
        assert!(kept.counts.values().all(|count| *count > 0) && kept.counts.len() >= 4, "{kept:?}");
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        let error = Figures::parse("# rustc\n  12 too near\n").unwrap_err();
        assert_eq!(error, r#"line "  12 too near": expected a number, two spaces and a name"#);
    }
}
