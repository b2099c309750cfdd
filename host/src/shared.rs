//! Values that many tasks have in common.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A value that is in memory once for all who have the same one: `defaults` says most of what ten thousand tasks are.
/// Who changes it gets one of his own.
#[derive(PartialEq, Eq, Default)]
pub struct Shared<T>(Arc<T>);

impl<T: PartialEq> Shared<T> {
    /// `value`, which is kept as what `last` has where that is equal; it then becomes what `last` has.
    pub fn with_last(value: T, last: &mut Option<Shared<T>>) -> Self {
        match last {
            Some(last) if **last == value => last.clone(),
            Some(_) | None => last.insert(value.into()).clone(),
        }
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_in_a_row_are_one_until_one_is_changed() {
        let mut last = None;
        let mut first = Shared::with_last("a".to_owned(), &mut last);
        let second = Shared::with_last("a".to_owned(), &mut last);
        let third = Shared::with_last("b".to_owned(), &mut last);
        assert!(Arc::ptr_eq(&first.0, &second.0));
        first.push('c');
        assert_eq!([first.as_str(), &second, &third], ["ac", "a", "b"]);
    }
}
