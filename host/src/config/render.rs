//! Findings as text for people and as JSON for programs.

use super::diagnostic::{Diagnostic, Severity};
use super::place::LineIndex;
use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use jsonc_parser::common::Range as Place;
use std::borrow::Cow;
use std::ops::Range;

/// Lines up to this many bytes are shown whole.
const LONGEST: usize = 400;

/// The findings, each with its place, the line underlined and what helps. `source` is the text they are about, and
/// `colour` asks for terminal colours. The text ends with a line break unless it is empty.
pub fn render_human(diagnostics: &[Diagnostic], source: &str, colour: bool) -> String {
    if diagnostics.is_empty() {
        return String::new();
    }
    let source = source.strip_prefix('\u{FEFF}').unwrap_or(source);
    let lines = LineIndex::new(source);
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for diagnostic in diagnostics {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(&diagnostic.message).id(diagnostic.code);
        let mut group = match lines.line_span(diagnostic.line) {
            Some(line) if line.end - line.start <= LONGEST => {
                let (span, text) = (underlined(&lines, line, diagnostic), &source[line.start..line.end]);
                let snippet = Snippet::source(harmless(text)).line_start(diagnostic.line);
                title.element(snippet.path(&diagnostic.file).annotation(AnnotationKind::Primary.span(span)))
            }
            Some(line) => {
                let (text, span) =
                    excerpt(&source[line.start..line.end], underlined(&lines, line, diagnostic));
                let origin = Origin::path(&diagnostic.file);
                let snippet = Snippet::source(text).line_start(diagnostic.line);
                title
                    .element(origin.line(diagnostic.line).char_column(diagnostic.column))
                    .element(snippet.annotation(AnnotationKind::Primary.span(span)))
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

/// The bytes of a line that a finding is about; what goes beyond the line is left out.
fn underlined(lines: &LineIndex<'_>, line: Place, diagnostic: &Diagnostic) -> Range<usize> {
    let start = lines.byte_after(line.start, diagnostic.column.saturating_sub(1)).min(line.end);
    let end = lines.byte_after(start, diagnostic.length).min(line.end);
    start - line.start..end - line.start
}

/// The part of a long line around a finding, and the finding's bytes in it: a file may be one line of megabytes.
fn excerpt(line: &str, span: Range<usize>) -> (String, Range<usize>) {
    const AROUND: usize = 60;
    let (before, rest) = line.split_at(span.start);
    let from = before.char_indices().rev().take(AROUND).last().map_or(span.start, |(at, _)| at);
    let end = |text: &str, most: usize| text.char_indices().nth(most).map_or(text.len(), |(at, _)| at);
    let length = end(&rest[..span.len()], LONGEST);
    let to = span.start + length + end(&rest[length..], AROUND);
    let dots = |is_cut: bool| if is_cut { "…" } else { "" };
    let text = format!("{}{}{}", dots(from > 0), harmless(&line[from..to]), dots(to < line.len()));
    let start = dots(from > 0).len() + span.start - from;
    (text, start..start + length)
}

/// The text without what a terminal would obey; the renderer replaces the other control characters itself.
fn harmless(text: &str) -> Cow<'_, str> {
    // As long in bytes as what it stands for, so that no place moves.
    const INSTEAD: &str = "¿";
    let is_harmful = |c: char| ('\u{80}'..='\u{9F}').contains(&c);
    match text.contains(is_harmful) {
        true => Cow::Owned(text.replace(is_harmful, INSTEAD)),
        false => Cow::Borrowed(text),
    }
}
