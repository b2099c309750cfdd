//! Figures: what one round gives, and what several rounds come to.

use serde_json::{Value, json};

/// What a round of a measurement gives: each row's key with its figure.
pub(super) type Figures = Vec<(&'static str, f64)>;

/// The figures of one subject in one row, a figure a round.
#[derive(Clone, Default, Debug)]
pub(super) struct Series(Vec<f64>);

impl Series {
    /// Adds a round.
    pub(super) fn push(&mut self, figure: f64) {
        self.0.push(figure);
    }

    /// The middle of the rounds; `None` without any.
    pub(super) fn median(&self) -> Option<f64> {
        (!self.0.is_empty()).then(|| median(&self.0))
    }

    /// The rounds as JSON: their median, their spread, and each.
    pub(super) fn to_json(&self) -> Value {
        let least = self.0.iter().copied().reduce(f64::min);
        let most = self.0.iter().copied().reduce(f64::max);
        json!({ "median": self.median(), "least": least, "most": most, "rounds": self.0 })
    }
}

/// The middle one.
pub(super) fn median(figures: &[f64]) -> f64 {
    quantile(figures, 0.5)
}

/// The one below which this part of all lies. Of none it is not a number.
pub(super) fn quantile(figures: &[f64], part: f64) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = (sorted.len() as f64 * part) as usize;
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// From nanoseconds.
pub(super) fn milliseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_sorted_figures() {
        let figures: Vec<f64> = (0..100).rev().map(f64::from).collect();
        assert_eq!(median(&figures), 50.0);
        assert_eq!(quantile(&figures, 0.99), 99.0);
        assert_eq!(quantile(&[7.0], 0.99), 7.0);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_series_tells_its_spread() {
        let mut series = Series::default();
        assert_eq!(series.median(), None);
        [3.0, 1.0, 2.0].into_iter().for_each(|figure| series.push(figure));
        let json = series.to_json();
        assert_eq!(
            (json["median"].as_f64(), json["least"].as_f64(), json["most"].as_f64()),
            (Some(2.0), Some(1.0), Some(3.0))
        );
    }
}
