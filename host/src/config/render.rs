//! Findings as text for people and as JSON for programs.

use super::diagnostic::{Diagnostic, Severity};
use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use std::borrow::Cow;

/// The findings, each with its place, the line underlined and what helps. `source` is the text they are about, and
/// `colour` asks for terminal colours. The text ends with a line break unless it is empty.
pub fn render_human(diagnostics: &[Diagnostic], source: &str, colour: bool) -> String {
    let source = source.strip_prefix('\u{FEFF}').unwrap_or(source);
    let lines: Vec<&str> = source.split('\n').map(|line| line.trim_end_matches('\r')).collect();
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for diagnostic in diagnostics {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(&diagnostic.message).id(diagnostic.code);
        let line = diagnostic.line.checked_sub(1).and_then(|index| lines.get(index));
        let mut group = match line {
            Some(line) => {
                let line = harmless(line);
                let span = underlined(&line, diagnostic.column, diagnostic.length);
                let snippet = Snippet::source(line)
                    .line_start(diagnostic.line)
                    .path(&diagnostic.file)
                    .annotation(AnnotationKind::Primary.span(span));
                title.element(snippet)
            }
            None => title.element(Origin::path(&diagnostic.file)),
        };
        if let Some(help) = &diagnostic.help {
            group = group.element(Level::HELP.message(help));
        }
        text.push_str(&renderer.render(&[group]));
        text.push_str("\n\n");
    }
    text
}

/// The findings as one array.
pub fn render_json(diagnostics: &[Diagnostic]) -> String {
    serde_json::to_string_pretty(diagnostics).expect("findings are strings and numbers")
}

/// The line without what a terminal would obey; the renderer replaces the other control characters itself.
fn harmless(line: &str) -> Cow<'_, str> {
    let is_harmful = |c: char| ('\u{80}'..='\u{9F}').contains(&c);
    match line.contains(is_harmful) {
        true => Cow::Owned(line.replace(is_harmful, "\u{FFFD}")),
        false => Cow::Borrowed(line),
    }
}

/// The bytes of a line that a finding is about; what goes beyond the line is left out.
fn underlined(line: &str, column: usize, length: usize) -> std::ops::Range<usize> {
    let byte = |character: usize| line.char_indices().nth(character).map_or(line.len(), |(at, _)| at);
    let start = column.saturating_sub(1);
    byte(start)..byte(start.saturating_add(length))
}
