//! Random numbers that a seed replays: splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").

/// A source of numbers.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From `0` to `limit - 1`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// Once in so many times.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// From `0` to `limit - 1`, each order of magnitude as likely as the next.
    pub(crate) fn spread(&mut self, limit: u64) -> u64 {
        let bits = 64 - limit.leading_zeros();
        let cut = self.below(u64::from(bits));
        self.below(limit) >> cut
    }
}
