//! A command in words.

use std::fmt;

/// What lies between two words: an operating system takes no text that holds it.
const BETWEEN: char = '\0';

/// A program and its arguments. In memory as one text: ten thousand tasks have a handful of words each.
#[derive(Clone, PartialEq, Eq)]
pub struct Words(Box<str>);

impl Words {
    /// `None`: there is no word, or one of them holds a NUL character.
    pub fn new<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> Option<Self> {
        let mut words = words.into_iter();
        let mut text = String::new();
        let first = words.next()?;
        add(&mut text, first.as_ref())?;
        for word in words {
            text.push(BETWEEN);
            add(&mut text, word.as_ref())?;
        }
        Some(Self(text.into_boxed_str()))
    }

    /// The program and then its arguments.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(BETWEEN)
    }

    /// As one line that a shell would take for the same words.
    pub fn line(&self) -> String {
        shlex::try_join(self.iter()).expect("no word holds a NUL, which is all that cannot be quoted")
    }
}

fn add(text: &mut String, word: &str) -> Option<()> {
    (!word.contains(BETWEEN)).then(|| text.push_str(word))
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_what_they_are() {
        for words in [&["a"][..], &[""], &["", ""], &["echo", "a b", "", "it's", "\n\u{e4}"]] {
            let kept = Words::new(words).unwrap();
            assert_eq!(kept.iter().collect::<Vec<_>>(), words);
            assert_eq!(shlex::split(&kept.line()).unwrap(), words);
        }
        assert_eq!(format!("{:?}", Words::new(["a", "b c"]).unwrap()), r#"["a", "b c"]"#);
    }

    #[test]
    fn none_and_what_a_system_cannot_take_are_no_words() {
        assert_eq!(Words::new([""; 0]), None);
        assert_eq!(Words::new(["a", "b\0c"]), None);
    }
}
