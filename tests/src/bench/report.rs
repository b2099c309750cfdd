//! All figures of a benchmark.

use super::figures::{Figures, Series};
use super::measurement::{Measurement, Row, Target};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What was measured, row by row.
#[derive(Default)]
pub(super) struct Report {
    rows: Vec<Line>,
}

/// A row with its figures.
pub(super) struct Line {
    pub(super) row: &'static Row,
    measurement: &'static str,
    /// By the name of the subject.
    series: BTreeMap<&'static str, Series>,
}

impl Report {
    /// Makes room for a measurement.
    pub(super) fn open(&mut self, measurement: &'static Measurement) {
        let line = |row| Line { row, measurement: measurement.name, series: BTreeMap::new() };
        self.rows.extend(measurement.rows.iter().map(line));
    }

    /// Takes a round of a subject.
    pub(super) fn add(&mut self, subject: &'static str, figures: Figures) {
        for (key, figure) in figures.into_iter().filter(|(_, figure)| figure.is_finite()) {
            if let Some(line) = self.rows.iter_mut().find(|line| line.row.key == key) {
                line.series.entry(subject).or_default().push(figure);
            }
        }
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.rows
    }

    /// The whole of it, with what is known of the machine and the versions.
    pub(super) fn to_json(&self, scale: &str, machine: &Value, versions: &BTreeMap<&str, String>) -> Value {
        let rows: Vec<Value> = self.rows.iter().map(Line::to_json).collect();
        json!({ "machine": machine, "scale": scale, "versions": versions, "rows": rows })
    }
}

impl Line {
    /// The median of this subject's rounds.
    pub(super) fn median(&self, subject: &str) -> Option<f64> {
        self.series.get(subject)?.median()
    }

    /// How often the limit goes into the host's figure.
    pub(super) fn ratio(&self) -> Option<f64> {
        let limit = self.median("limit").filter(|limit| *limit != 0.0)?;
        Some(self.median("Bansuri")? / limit)
    }

    /// Whether the host's figure is what was to be reached; `None` where nothing is agreed or nothing was measured.
    pub(super) fn is_reached(&self) -> Option<bool> {
        match self.row.target {
            Target::AtMost(most) => Some(self.median("Bansuri")? <= most),
            Target::TimesLimit(most) => Some(self.ratio()? <= most),
            Target::PartOfLimit(least) => Some(self.ratio()? >= least),
            Target::Less | Target::More => None,
        }
    }

    fn to_json(&self) -> Value {
        let of = |subject: &str| self.series.get(subject).map(Series::to_json);
        let peers: Map<String, Value> = self
            .series
            .iter()
            .filter(|(subject, _)| !["limit", "Bansuri"].contains(subject))
            .map(|(subject, series)| ((*subject).to_owned(), series.to_json()))
            .collect();
        json!({
            "measurement": self.measurement, "key": self.row.key, "what": self.row.what, "unit": self.row.unit,
            "more_is_better": matches!(self.row.target, Target::PartOfLimit(_) | Target::More),
            "limit": of("limit"), "bansuri": of("Bansuri"), "ratio": self.ratio(), "target": target(self.row),
            "is_reached": self.is_reached(), "peers": peers,
        })
    }
}

/// What is to be reached, in words.
pub(super) fn target(row: &Row) -> String {
    match row.target {
        Target::AtMost(most) => format!("≤ {most} {}", row.unit).trim_end().to_owned(),
        Target::TimesLimit(most) => format!("≤ {most} × limit"),
        Target::PartOfLimit(least) => format!("≥ {least} × limit"),
        Target::Less | Target::More => String::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that panics has failed")]
mod tests {
    use super::*;
    use std::io;

    const MEASUREMENT: Measurement = Measurement {
        name: "one",
        rows: &[
            Row { key: "time", what: "a time", unit: "ms", target: Target::TimesLimit(1.5) },
            Row { key: "rate", what: "a rate", unit: "/s", target: Target::PartOfLimit(0.5) },
        ],
        rounds: 1,
        round: |_, _| Err(io::Error::other("not measured here")),
    };

    #[test]
    fn a_figure_is_held_against_the_limit_of_the_same_run() {
        let mut report = Report::default();
        report.open(&MEASUREMENT);
        for round in [1.0, 9.0, 2.0] {
            report.add("limit", vec![("time", round), ("rate", 10.0)]);
            report.add("Bansuri", vec![("time", round * 2.0), ("rate", 6.0)]);
        }
        report.add("other", vec![("rate", f64::NAN)]);
        let [time, rate] = report.lines() else { panic!("two rows") };
        assert_eq!((time.ratio(), time.is_reached()), (Some(2.0), Some(false)));
        assert_eq!((rate.ratio(), rate.is_reached()), (Some(0.6), Some(true)));
        let json = report.to_json("smoke", &json!({}), &BTreeMap::new());
        assert_eq!(json["rows"][0]["bansuri"]["median"], 4.0);
        assert_eq!(json["rows"][0]["target"], "≤ 1.5 × limit");
        assert!(json["rows"][1]["peers"].as_object().unwrap().is_empty(), "what is no number is no figure");
    }
}
