//! The nearest valid word.

use super::findings::quoted;

/// `did you mean "timeout"?`, if one of the words is near enough to be meant.
pub(super) fn did_you_mean<'w>(written: &str, words: impl IntoIterator<Item = &'w str>) -> Option<String> {
    nearest(written, words).map(|word| format!("did you mean {}?", quoted(word)))
}

/// The word that takes the fewest edits from what was written, with at most one for every three letters.
pub(super) fn nearest<'w>(written: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    // Nobody means a short word by a long one, and the distance costs the product of both lengths.
    const LONGEST: usize = 64;
    if written.len() > LONGEST {
        return None;
    }
    let written = written.to_lowercase().replace('_', "-");
    let mut best: Option<(usize, &str)> = None;
    for word in words {
        let most = (word.len().max(written.len()) / 3).max(1);
        // No fewer edits than the lengths differ by.
        if word.len().abs_diff(written.len()) > most {
            continue;
        }
        let distance = strsim::damerau_levenshtein(&written, &word.to_lowercase());
        if distance <= most && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, word));
        }
    }
    best.map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_and_a_far_one_is_not() {
        let words = ["timeout", "timer", "times", "name"];
        assert_eq!(nearest("timeuot", words), Some("timeout"));
        assert_eq!(nearest("TIMER", words), Some("timer"));
        assert_eq!(nearest("time", words), Some("timer"));
        assert_eq!(nearest("frobnicate", words), None);
        assert_eq!(nearest(&"x".repeat(1 << 20), words), None);
        assert_eq!(did_you_mean("nmae", words).as_deref(), Some("did you mean \"name\"?"));
    }
}
