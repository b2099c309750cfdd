//! Random numbers that a seed replays: splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").

use std::time::Duration;

/// A source of numbers. Only what is random asks it, so that a plan without jitter does not depend on the seed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From -1 to 1.
    pub(crate) fn either_way(&mut self) -> f64 {
        // The upper 53 bits are what a float holds exactly.
        let fraction = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        2.0 * fraction - 1.0
    }

    /// From zero to `limit` (or 584 years), to the nanosecond.
    pub(crate) fn up_to(&mut self, limit: Duration) -> Duration {
        let Ok(limit) = u64::try_from(limit.as_nanos()) else { return Duration::from_nanos(self.next()) };
        if limit == 0 {
            return Duration::ZERO;
        }
        let scaled = (u128::from(self.next()) * (u128::from(limit) + 1)) >> 64;
        Duration::from_nanos(u64::try_from(scaled).unwrap_or(limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_algorithm() {
        let mut random = Random::new(1_234_567);
        let numbers: Vec<u64> = (0..3).map(|_| random.next()).collect();
        assert_eq!(
            numbers,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn what_is_drawn_lies_in_its_range_and_fills_it() {
        let mut random = Random::new(7);
        let mut seen = [false; 4];
        for _ in 0..1_000 {
            let drawn = random.up_to(Duration::from_nanos(3));
            seen[usize::try_from(drawn.as_nanos()).unwrap()] = true;
            assert!((-1.0..1.0).contains(&random.either_way()));
        }
        assert_eq!(seen, [true; 4]);
        assert!(random.up_to(Duration::MAX) <= Duration::from_nanos(u64::MAX));
        assert!(random.up_to(Duration::from_nanos(u64::MAX)) <= Duration::from_nanos(u64::MAX));
    }

    #[test]
    fn nothing_is_drawn_where_nothing_is_random() {
        let mut random = Random::new(7);
        assert_eq!(random.up_to(Duration::ZERO), Duration::ZERO);
        assert_eq!(random, Random::new(7));
    }
}
