//! What a library exports, as text for people and as JSON for programs.

use crate::config::{OptionRow, option_rows};
use crate::plugin::{Export, ExportKind};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;

/// A list of the types, each with a table of its options.
pub(super) fn for_people(library: &Path, api_version: &str, exports: &[Export]) -> String {
    let mut text = format!("{}\nbansuri-plugin-api {api_version}\n", library.display());
    section(&mut text, "Tasks", exports, ExportKind::Task);
    section(&mut text, "Notifiers", exports, ExportKind::Notifier);
    text
}

/// The same as one object, with the schemas as they are.
pub(super) fn for_programs(library: &Path, api_version: &str, exports: &[Export]) -> String {
    let list = |kind| -> Value { of_kind(exports, kind).map(export).collect() };
    let value = json!({
        "library": library,
        "api_version": api_version,
        "tasks": list(ExportKind::Task),
        "notifiers": list(ExportKind::Notifier),
    });
    format!("{value:#}\n")
}

fn export(export: &Export) -> Value {
    let schema = export.options_schema.as_ref().map(|text| {
        // What is no JSON is shown as the text that it is.
        serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
    });
    json!({ "name": export.name, "description": export.description, "options_schema": schema })
}

fn of_kind(exports: &[Export], kind: ExportKind) -> impl Iterator<Item = &Export> {
    exports.iter().filter(move |export| export.kind == kind)
}

fn section(text: &mut String, title: &str, exports: &[Export], kind: ExportKind) {
    let Some(width) = of_kind(exports, kind).map(|export| export.name.chars().count()).max() else { return };
    // Writing to a String cannot fail.
    let _ = writeln!(text, "\n{title}:");
    let mut is_after_table = false;
    for export in of_kind(exports, kind) {
        if is_after_table {
            text.push('\n');
        }
        let line = format!("  {:width$}  {}", export.name, export.description);
        let _ = writeln!(text, "{}", line.trim_end());
        let options = export.options_schema.as_deref().map(option_rows);
        match &options {
            Some(Ok(rows)) if rows.is_empty() => {}
            Some(Ok(rows)) => table(text, rows),
            Some(Err(error)) => {
                let _ = writeln!(text, "    the schema for its options cannot be used: {error}");
            }
            None => {}
        }
        is_after_table = options.is_some();
    }
}

/// One line an option, in columns.
fn table(text: &mut String, rows: &[OptionRow]) {
    let heading = ["option", "type", "required", "default", "description"].map(str::to_owned);
    let lines = rows.iter().map(|row| {
        let required = if row.required { "yes" } else { "no" };
        let default = row.default.clone().unwrap_or_else(|| "-".to_owned());
        [row.name.clone(), row.kind.clone(), required.to_owned(), default, row.description.clone()]
    });
    let lines: Vec<_> = std::iter::once(heading).chain(lines).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let (name, kind, required, default) = (width(0), width(1), width(2), width(3));
    for [a, b, c, d, e] in &lines {
        let line = format!("    {a:name$}  {b:kind$}  {c:required$}  {d:default$}  {e}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn export(name: &str, description: &str, schema: Option<&str>) -> Export {
        Export {
            kind: ExportKind::Task,
            name: name.to_owned(),
            description: description.to_owned(),
            options_schema: schema.map(str::to_owned),
        }
    }

    #[test]
    fn options_are_a_table() {
        let schema = r#"{ "type": "object", "required": ["url"], "properties": {
            "url": { "type": "string", "description": "what is asked" },
            "after": { "type": ["integer", "null"], "default": 5, "description": "in\u001b seconds" } } }"#;
        let exports = [
            export("Probe", "asks", Some(schema)),
            export("Bad", "", Some(r#"{ "type": 5 }"#)),
            export("Other", "does", None),
        ];
        let text = for_people(Path::new("/p.so"), "1.2.3", &exports);
        let expected = "\
/p.so
bansuri-plugin-api 1.2.3

Tasks:
  Probe  asks
    option  type     required  default  description
    url     string   yes       -        what is asked
    after   integer  no        5        in seconds

  Bad
    the schema for its options cannot be used: ";
        assert!(text.starts_with(expected), "{text}");
        assert!(text.ends_with("\n\n  Other  does\n"), "{text}");
        let value: Value =
            serde_json::from_str(&for_programs(Path::new("/p.so"), "1.2.3", &exports)).expect("it is JSON");
        assert_eq!(value["tasks"][0]["options_schema"]["required"], json!(["url"]));
        assert_eq!(value["tasks"][2]["options_schema"], Value::Null);
    }
}
