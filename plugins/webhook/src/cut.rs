//! Texts cut to what a service takes. What a character counts is the service's own affair.

/// Marks where something is missing.
const ELLIPSIS: char = '…';

/// The beginning of a text, of this cost at most.
pub(crate) fn head(text: &str, limit: usize, cost: impl Fn(char) -> usize) -> String {
    if costs_at_most(text, limit, &cost) {
        return text.to_owned();
    }
    let mut left = limit.saturating_sub(cost(ELLIPSIS));
    let fits = |c: &char| {
        let fits = cost(*c) <= left;
        left = left.saturating_sub(cost(*c));
        fits
    };
    let mut kept: String = text.chars().take_while(fits).collect();
    kept.push(ELLIPSIS);
    kept
}

/// The end of a text, of this cost at most: of output, the last lines say most. It begins with a whole line if there is
/// room for one.
pub(crate) fn tail(text: &str, limit: usize, cost: impl Fn(char) -> usize) -> String {
    if costs_at_most(text, limit, &cost) {
        return text.to_owned();
    }
    let mut left = limit.saturating_sub(cost(ELLIPSIS) + cost('\n'));
    let mut start = text.len();
    for (index, c) in text.char_indices().rev() {
        if cost(c) > left {
            break;
        }
        left -= cost(c);
        start = index;
    }
    let kept = &text[start..];
    let whole_lines = kept.find('\n').map(|end| &kept[end + 1..]).filter(|lines| !lines.trim().is_empty());
    match whole_lines {
        Some(lines) => format!("{ELLIPSIS}\n{lines}"),
        None => format!("{ELLIPSIS}{kept}"),
    }
}

fn costs_at_most(text: &str, limit: usize, cost: &impl Fn(char) -> usize) -> bool {
    let mut sum = 0;
    text.chars().all(|c| {
        sum += cost(c);
        sum <= limit
    })
}

/// What a character counts where UTF-16 is counted: never less than one.
pub(crate) fn utf16(c: char) -> usize {
    c.len_utf16()
}

/// What a character counts in bytes of JSON.
pub(crate) fn json(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        other => other.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(_: char) -> usize {
        1
    }

    #[test]
    fn what_fits_is_left_alone() {
        assert_eq!((head("abc", 3, one), tail("abc", 3, one)), ("abc".to_owned(), "abc".to_owned()));
        assert_eq!((head("", 0, one), tail("", 0, one)), (String::new(), String::new()));
    }

    #[test]
    fn heads() {
        assert_eq!(head("abcdef", 4, one), "abc…");
        assert_eq!(head("a😀b", 3, utf16), "a…");
        assert_eq!(head("äöü", 2, one), "ä…");
    }

    #[test]
    fn tails_begin_with_a_whole_line() {
        assert_eq!(tail("first\nsecond\nthird\n", 12, one), "…\nthird\n");
        assert_eq!(tail("0123456789", 6, one), "…6789");
        assert_eq!(tail("0123456789\n", 6, one), "…789\n");
    }

    #[test]
    fn never_more_than_the_limit() {
        let text = "line \u{1}\"€😀\n".repeat(100);
        for limit in 10..200 {
            for cost in [one as fn(char) -> usize, utf16, json] {
                for cut in [head(&text, limit, cost), tail(&text, limit, cost)] {
                    assert!(cut.chars().map(cost).sum::<usize>() <= limit, "{limit}: {cut:?}");
                }
            }
            let encoded = serde_json::to_string(&tail(&text, limit, json)).unwrap();
            assert!(encoded.len() <= limit + 2, "{limit}: {encoded}");
        }
    }
}
