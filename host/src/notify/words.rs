//! The words of a notify command, with the failure put into them.

use crate::notify::Failure;

/// Replaces `{task}`, `{code}`, `{attempt}` and `{outcome}` inside each word. Words stay words whatever is put into
/// them, and what was put in is not searched again; other braces stay as they are.
pub(super) fn fill(words: &[String], failure: &Failure) -> Vec<String> {
    words.iter().map(|word| fill_word(word, failure)).collect()
}

fn fill_word(word: &str, failure: &Failure) -> String {
    let mut filled = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(brace) = rest.find('{') {
        filled.push_str(&rest[..brace]);
        rest = &rest[brace..];
        let Some((placeholder, value)) = placeholder(rest, failure) else {
            filled.push('{');
            rest = &rest[1..];
            continue;
        };
        filled.push_str(&value);
        rest = &rest[placeholder.len()..];
    }
    filled.push_str(rest);
    filled
}

/// The placeholder that `text` begins with, and what it stands for.
fn placeholder(text: &str, failure: &Failure) -> Option<(&'static str, String)> {
    let starts = |name: &str| text.starts_with(name);
    if starts("{task}") {
        // An argument cannot carry a NUL, and a name that has one must not cost the message.
        Some(("{task}", failure.task.replace('\0', "\u{fffd}")))
    } else if starts("{code}") {
        Some(("{code}", failure.return_code.to_string()))
    } else if starts("{attempt}") {
        Some(("{attempt}", failure.attempt.to_string()))
    } else if starts("{outcome}") {
        Some(("{outcome}", failure.outcome.to_owned()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::failure::example;

    fn check(word: &str, failure: &Failure, expect: &str) {
        assert_eq!(fill(&[word.to_owned()], failure), [expect]);
    }

    #[test]
    fn every_placeholder() {
        let failure = Failure { task: "backup".into(), return_code: 143, attempt: 2, ..example() };
        check("{task}/{code}/{attempt}/{outcome}", &failure, "backup/143/2/FAILED");
        check("failed: {task}", &failure, "failed: backup");
        check("{task}{task}", &failure, "backupbackup");
    }

    #[test]
    fn other_braces_stay() {
        for word in ["{}", "{", "}", "{{", "{nothing}", "{task", "task}", "{ task }", "${HOME}", "ü{", ""] {
            check(word, &example(), word);
        }
        check("{{task}}", &Failure { task: "t".into(), ..example() }, "{t}");
    }

    #[test]
    fn a_value_is_neither_split_nor_searched_again() {
        let failure = Failure { task: "a; rm -rf / {code} \"b\"\n$(c)".into(), ..example() };
        check("{task}", &failure, "a; rm -rf / {code} \"b\"\n$(c)");
        check("{outcome}", &Failure { task: "{outcome}".into(), ..example() }, "FAILED");
        assert_eq!(fill(&["{task}".into(), "x".into()], &failure).len(), 2);
    }

    #[test]
    fn a_nul_cannot_be_an_argument() {
        check("{task}", &Failure { task: "a\0b".into(), ..example() }, "a\u{fffd}b");
    }
}
