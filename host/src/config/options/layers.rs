//! Where a part of merged options is written.

use crate::config::findings::Place;
use jsonc_parser::ast::Value;
use jsonc_parser::common::{Range, Ranged};

/// One step into options.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Step {
    Member(String),
    Element(usize),
}

/// A part of the options as it is written.
#[derive(Clone, Copy)]
pub(super) struct Spot<'s, 'a> {
    /// The options that it is a part of: who wrote them, and under which key.
    pub(super) options: Place<'s>,
    pub(super) value: &'a Value<'a>,
    /// Where its name stands; `None` for an element and for the options themselves.
    pub(super) key: Option<Range>,
}

/// The part that a path leads to, among objects that lie over each other, the lowest first. `None`: it is not written.
pub(super) fn find<'s, 'a>(layers: &[(Place<'s>, &'a Value<'a>)], path: &[Step]) -> Option<Spot<'s, 'a>> {
    let spots = layers.iter().map(|(options, value)| Spot { options: *options, value, key: None });
    let mut spots: Vec<Spot<'s, 'a>> = spots.collect();
    for step in path {
        spots = inner(&spots, step);
    }
    spots.last().copied()
}

/// The next part in each layer that still counts: a value other than an object hides what lies under it.
fn inner<'s, 'a>(spots: &[Spot<'s, 'a>], step: &Step) -> Vec<Spot<'s, 'a>> {
    let mut found: Vec<Spot<'s, 'a>> = Vec::new();
    for spot in spots {
        let next = match (step, spot.value) {
            (Step::Member(name), Value::Object(object)) => {
                object.get(name).map(|property| (&property.value, Some(property.name.range())))
            }
            (Step::Element(index), Value::Array(array)) => {
                array.elements.get(*index).map(|element| (element, None))
            }
            (Step::Member(_) | Step::Element(_), _) => None,
        };
        let Some((value, key)) = next else { continue };
        let are_merged =
            |under: &Spot<'_, '_>| under.value.as_object().is_some() && value.as_object().is_some();
        if !found.last().is_some_and(are_merged) {
            found.clear();
        }
        found.push(Spot { options: spot.options, value, key });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::findings::{Path, Subject};
    use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

    fn member(name: &str) -> Step {
        Step::Member(name.to_owned())
    }

    #[test]
    fn the_uppermost_layer_that_says_it_is_the_place() {
        let parse = |text: &'static str| {
            let parsed = parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default());
            Box::leak(Box::new(parsed.expect("it is JSON").value.expect("it holds a value")))
        };
        let under = parse(r#"{ "a": { "b": 1, "c": 2, "d": {} }, "e": [1, 2], "f": { "g": 1 } }"#);
        let over = parse(r#"{ "a": { "b": 3, "d": 4 }, "e": [5], "f": 6 }"#);
        let place = |subject| Place::new(subject, Path::Word("options"));
        let (defaults, task) = (Subject::Defaults, Subject::Task("x"));
        let layers: [(Place<'_>, &Value<'_>); 2] = [(place(defaults), under), (place(task), over)];
        let at = |path: &[Step]| {
            let spot = find(&layers, path)?;
            Some((spot.options.subject, spot.value.range().start, spot.key.map(|key| key.start)))
        };
        assert_eq!(at(&[]), Some((task, 0, None)));
        assert_eq!(at(&[member("a"), member("b")]), Some((task, 14, Some(9))));
        assert_eq!(at(&[member("a"), member("c")]), Some((defaults, 22, Some(17))));
        assert_eq!(at(&[member("a"), member("d")]), Some((task, 22, Some(17))));
        assert_eq!(at(&[member("e"), Step::Element(0)]), Some((task, 33, None)));
        assert_eq!(at(&[member("e"), Step::Element(1)]), None);
        assert_eq!(at(&[member("f"), member("g")]), None);
    }
}
