//! What the README of a plugin says of its options.

use serde_json::Value;

/// The names in the README's tables of options, sorted.
pub fn documented(readme: &str) -> Vec<&str> {
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut names: Vec<_> = rows.filter_map(|row| row.split('`').next()).collect();
    names.sort_unstable();
    names
}

/// What lies here, a JSON pointer, in the README's first example of a configuration.
///
/// # Panics
/// There is no example, or nothing lies there.
pub fn example(readme: &str, pointer: &str) -> Value {
    let (_, rest) = readme.split_once("```json\n").expect("the README has an example");
    let (example, _) = rest.split_once("```").expect("the example ends");
    let configuration: Value = serde_json::from_str(example).expect("the example is JSON");
    let found = configuration.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {configuration:#}"));
    found.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = "# a\n\n```json\n{ \"a\": [{ \"b\": 1 }] }\n```\n\n| option | values |\n| --- | --- |\n\
        | `z` | `\"1\"`: the last |\n| `m-n` | the first |\n";

    #[test]
    fn tables_and_the_example_are_read() {
        assert_eq!(documented(README), ["m-n", "z"]);
        assert_eq!(example(README, "/a/0/b"), 1);
    }
}
