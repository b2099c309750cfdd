//! Poller keys: what they stand for, and that a late event for one that was given back means nothing.

/// The low half of a key is a place, the high half (without the topmost bit) counts how often the place was given out.
const PLACE_BITS: u32 = usize::BITS / 2;
const PLACE_MASK: usize = (1 << PLACE_BITS) - 1;
const GENERATION_MASK: usize = PLACE_MASK >> 1;

/// Values by key. A key is not used again for 2^31 reuses of its place.
#[derive(Debug)]
pub(super) struct Keys<T> {
    base: usize,
    places: Vec<Place<T>>,
    free: Vec<usize>,
}

#[derive(Debug)]
struct Place<T> {
    generation: usize,
    value: Option<T>,
}

impl<T> Keys<T> {
    /// Keys from `base` on, which is small.
    pub(super) fn new(base: usize) -> Self {
        Self { base, places: Vec::new(), free: Vec::new() }
    }

    pub(super) fn insert(&mut self, value: T) -> usize {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place { generation: 0, value: None });
            self.places.len() - 1
        });
        self.places[place].value = Some(value);
        self.base + ((self.places[place].generation << PLACE_BITS) | place)
    }

    pub(super) fn value(&self, key: usize) -> Option<&T> {
        let (place, generation) = self.split(key)?;
        self.places.get(place).filter(|found| found.generation == generation)?.value.as_ref()
    }

    pub(super) fn value_mut(&mut self, key: usize) -> Option<&mut T> {
        let (place, generation) = self.split(key)?;
        self.places.get_mut(place).filter(|found| found.generation == generation)?.value.as_mut()
    }

    pub(super) fn remove(&mut self, key: usize) -> Option<T> {
        let (place, generation) = self.split(key)?;
        let found = self.places.get_mut(place).filter(|found| found.generation == generation)?;
        let value = found.value.take()?;
        found.generation = (generation + 1) & GENERATION_MASK;
        self.free.push(place);
        Some(value)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.places.iter().filter_map(|place| place.value.as_ref())
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    fn split(&self, key: usize) -> Option<(usize, usize)> {
        let key = key.checked_sub(self.base)?;
        Some((key & PLACE_MASK, key >> PLACE_BITS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_given_back_means_nothing() {
        let mut keys = Keys::new(7);
        let first = keys.insert("first");
        assert!(first >= 7);
        assert_eq!(keys.value(first), Some(&"first"));
        assert_eq!(keys.remove(first), Some("first"));
        let second = keys.insert("second");
        assert_ne!(first, second, "the place is used again, the key is not");
        assert_eq!(keys.value(first), None);
        assert_eq!(keys.value_mut(first), None);
        assert_eq!(keys.remove(first), None);
        assert_eq!(keys.value(second), Some(&"second"));
        for foreign in [0, 6, usize::MAX] {
            assert_eq!(keys.value(foreign), None);
        }
    }
}
