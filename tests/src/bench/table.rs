//! The report as a table in Markdown.

use super::report::{Line, Report, target};

/// The table, a column for each of these other supervisors. What misses its target is marked.
pub(super) fn markdown(report: &Report, peers: &[&str]) -> String {
    let mut text = String::from("| what | limit | Bansuri | ratio | to reach |");
    peers.iter().for_each(|peer| text += &format!(" {peer} |"));
    text += "\n| --- |";
    text += &" --- |".repeat(4 + peers.len());
    text.push('\n');
    for line in report.lines() {
        text += &format!("| {} |", line.row.what);
        let mut cells = vec![cell(line, "limit"), cell(line, "Bansuri"), ratio(line), target(line.row)];
        cells.extend(peers.iter().map(|peer| cell(line, peer)));
        cells.iter().for_each(|cell| text += &format!(" {} |", if cell.is_empty() { "–" } else { cell }));
        text.push('\n');
    }
    text
}

fn cell(line: &Line, subject: &str) -> String {
    let Some(figure) = line.median(subject) else { return String::new() };
    let figure = format!("{} {}", short(figure), line.row.unit);
    let figure = figure.trim_end().replace(" /s", "/s");
    match line.is_reached() {
        Some(false) if subject == "Bansuri" => format!("{figure} (missed)"),
        _ => figure,
    }
}

fn ratio(line: &Line) -> String {
    line.ratio().map(|ratio| format!("{ratio:.2}")).unwrap_or_default()
}

/// Three figures that count, and no more.
fn short(figure: f64) -> String {
    let size = figure.abs();
    match size {
        _ if size >= 99.95 => format!("{figure:.0}"),
        _ if size >= 9.995 => format!("{figure:.1}"),
        _ if size >= 0.9995 => format!("{figure:.2}"),
        _ if size == 0.0 => "0".to_owned(),
        _ if size < 0.0005 => "0.000".to_owned(),
        _ => format!("{figure:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn figures_have_three_digits_that_count() {
        let texts = [
            (1234.6, "1235"),
            (99.99, "100"),
            (12.34, "12.3"),
            (1.234, "1.23"),
            (0.1234, "0.123"),
            (0.0, "0"),
            (1e-9, "0.000"),
        ];
        for (figure, text) in texts {
            assert_eq!(short(figure), text);
        }
    }
}
