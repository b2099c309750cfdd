//! Which exit codes count as success.

use std::collections::BTreeSet;
use std::sync::Arc;

/// Exit codes that count as success; by default 0 alone, which takes no memory: a plan may hold ten thousand.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct SuccessCodes {
    /// `None`: 0 alone, and so never that in a set.
    others: Option<Arc<BTreeSet<i32>>>,
}

impl SuccessCodes {
    /// Whether this code is one of them.
    pub fn contains(&self, code: i32) -> bool {
        match &self.others {
            None => code == 0,
            Some(codes) => codes.contains(&code),
        }
    }

    /// All of them, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = i32> {
        let zero = self.others.is_none().then_some(0);
        zero.into_iter().chain(self.others.iter().flat_map(|codes| codes.iter().copied()))
    }
}

impl From<BTreeSet<i32>> for SuccessCodes {
    fn from(codes: BTreeSet<i32>) -> Self {
        let is_default = codes.len() == 1 && codes.contains(&0);
        Self { others: (!is_default).then(|| Arc::new(codes)) }
    }
}

impl<const COUNT: usize> From<[i32; COUNT]> for SuccessCodes {
    fn from(codes: [i32; COUNT]) -> Self {
        BTreeSet::from(codes).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_alone_is_the_same_however_it_is_said() {
        assert_eq!(SuccessCodes::from([0]), SuccessCodes::default());
        assert!(SuccessCodes::default().contains(0) && !SuccessCodes::default().contains(1));
        assert!(SuccessCodes::default().iter().eq([0]));
        let codes = SuccessCodes::from([3, 0]);
        assert!(codes.iter().eq([0, 3]) && codes.contains(3) && !codes.contains(1));
        assert_ne!(codes, SuccessCodes::default());
        assert!(!SuccessCodes::from([3]).contains(0));
        assert!(SuccessCodes::from([]).iter().next().is_none());
    }
}
