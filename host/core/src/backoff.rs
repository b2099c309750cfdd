//! How long a retry waits.

use crate::plan::{Backoff, Growth, Retry};
use crate::random::Random;
use std::time::Duration;

impl Retry {
    /// How long the `nth` retry in a row (from 1) waits from the end of the run before it.
    pub(crate) fn wait_before(&self, nth: u32, random: &mut Random) -> Duration {
        let Backoff { growth, max, jitter } = self.backoff;
        let further = nth.saturating_sub(1);
        let (grown, max) = match growth {
            // A delay that does not grow is what it was set to, whatever limits growth.
            Growth::Constant => (self.delay, max.max(self.delay)),
            Growth::Linear { step } => (self.delay.saturating_add(step.saturating_mul(further)), max),
            Growth::Exponential { factor } => (multiplied(self.delay, factor, further, max), max),
        };
        let grown = grown.min(max);
        if jitter.is_nan() || jitter <= 0.0 || grown.is_zero() {
            return grown;
        }
        let varied = grown.as_secs_f64() * (1.0 + jitter.min(1.0) * random.either_way());
        Duration::try_from_secs_f64(varied).unwrap_or(grown).min(max)
    }
}

/// delay · factorᵗⁱᵐᵉˢ, or `max` where that is shorter or cannot be said.
fn multiplied(delay: Duration, factor: f64, times: u32, max: Duration) -> Duration {
    if delay.is_zero() || times == 0 {
        return delay;
    }
    let seconds = delay.as_secs_f64() * factor.powi(i32::try_from(times).unwrap_or(i32::MAX));
    Duration::try_from_secs_f64(seconds).unwrap_or(max).min(max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::OnExhausted;

    fn retry(delay: u64, growth: Growth, max: u64, jitter: f64) -> Retry {
        let (delay, max) = (Duration::from_secs(delay), Duration::from_secs(max));
        let backoff = Backoff { growth, max, jitter };
        Retry { max_attempts: None, delay, backoff, on_exhausted: OnExhausted::Stop }
    }

    fn delays(retry: &Retry, nths: &[u32]) -> Vec<u64> {
        nths.iter().map(|nth| retry.wait_before(*nth, &mut Random::new(0)).as_secs()).collect()
    }

    const SOME: [u32; 6] = [1, 2, 3, 4, 5, u32::MAX];

    #[test]
    fn delays_grow_as_the_plan_says_up_to_the_longest() {
        let linear = Growth::Linear { step: Duration::from_secs(3) };
        let exponential = Growth::Exponential { factor: 2.0 };
        assert_eq!(delays(&retry(5, Growth::Constant, 300, 0.0), &SOME), [5; 6]);
        assert_eq!(delays(&retry(5, linear, 15, 0.0), &SOME), [5, 8, 11, 14, 15, 15]);
        assert_eq!(delays(&retry(5, exponential, 60, 0.0), &SOME), [5, 10, 20, 40, 60, 60]);
    }

    #[test]
    fn a_delay_that_does_not_grow_may_be_longer_than_growth_may_make_it() {
        assert_eq!(delays(&retry(600, Growth::Constant, 300, 0.0), &[1, 9]), [600, 600]);
        let linear = Growth::Linear { step: Duration::from_secs(1) };
        assert_eq!(delays(&retry(600, linear, 300, 0.0), &[1, 9]), [300, 300]);
    }

    #[test]
    fn nothing_overflows() {
        let longest = Duration::MAX;
        for growth in [
            Growth::Constant,
            Growth::Linear { step: longest },
            Growth::Exponential { factor: f64::MAX },
            Growth::Exponential { factor: 1.0 },
        ] {
            for delay in [Duration::ZERO, Duration::from_nanos(1), longest] {
                for jitter in [0.0, 0.5, 1.0] {
                    let backoff = Backoff { growth, max: longest, jitter };
                    let retry =
                        Retry { max_attempts: None, delay, backoff, on_exhausted: OnExhausted::Continue };
                    for nth in SOME {
                        let mut random = Random::new(u64::from(nth));
                        assert!(retry.wait_before(nth, &mut random) <= longest);
                    }
                }
            }
        }
        let at_once = retry(0, Growth::Exponential { factor: f64::MAX }, 300, 1.0);
        assert_eq!(delays(&at_once, &SOME), [0; 6]);
    }

    #[test]
    fn jitter_goes_either_way_but_never_over_the_longest() {
        let mut random = Random::new(3);
        let retry = retry(100, Growth::Constant, 110, 0.2);
        let drawn: Vec<Duration> = (0..1_000).map(|_| retry.wait_before(1, &mut random)).collect();
        let (least, most) = (drawn.iter().min().unwrap(), drawn.iter().max().unwrap());
        assert!(*least >= Duration::from_secs(80) && *least < Duration::from_secs(82), "{least:?}");
        assert_eq!(*most, Duration::from_secs(110));
    }

    #[test]
    fn the_same_seed_gives_the_same_delays() {
        let draw = |seed| {
            let mut random = Random::new(seed);
            let retry = retry(100, Growth::Exponential { factor: 1.5 }, 1_000, 0.1);
            SOME.map(|nth| retry.wait_before(nth, &mut random))
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
