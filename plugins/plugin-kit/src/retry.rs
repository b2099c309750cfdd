//! When a delivery is tried again.

use std::time::Duration;

/// The longest pause that a server may ask for.
const LONGEST_WISH: Duration = Duration::from_secs(10);

/// How often, and with which pauses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetryPolicy {
    /// After the first attempt.
    pub retries: u32,
    /// Before the first retry; each further pause is twice as long.
    pub backoff: Duration,
    /// For all attempts and pauses together.
    pub total: Duration,
}

impl RetryPolicy {
    /// The pause before the next attempt, after this many failed ones (from 1) and this much time; `None`: there is
    /// none.
    pub fn pause(&self, failed: u32, wish: Option<Duration>, spent: Duration) -> Option<Duration> {
        if failed > self.retries {
            return None;
        }
        let doubled =
            2_u32.checked_pow(failed - 1).map_or(Duration::MAX, |by| self.backoff.saturating_mul(by));
        let pause = doubled.max(wish.unwrap_or_default().min(LONGEST_WISH));
        // An attempt without any time would be none.
        (spent.saturating_add(pause) < self.total).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn policy() -> RetryPolicy {
        RetryPolicy { retries: 3, backoff: SECOND, total: Duration::from_secs(28) }
    }

    #[test]
    fn pauses_double() {
        let pauses: Vec<_> = (1..=5).map(|failed| policy().pause(failed, None, SECOND)).collect();
        assert_eq!(pauses, [Some(SECOND), Some(2 * SECOND), Some(4 * SECOND), None, None]);
        let endless = RetryPolicy { retries: u32::MAX, total: Duration::MAX, ..policy() };
        assert_eq!(endless.pause(u32::MAX, None, SECOND), None, "a pause without end is none");
    }

    #[test]
    fn a_servers_wish_is_followed_within_reason() {
        assert_eq!(policy().pause(1, Some(5 * SECOND), SECOND), Some(5 * SECOND));
        assert_eq!(policy().pause(1, Some(Duration::from_secs(3600)), SECOND), Some(LONGEST_WISH));
        assert_eq!(policy().pause(3, Some(SECOND), SECOND), Some(4 * SECOND));
    }

    #[test]
    fn no_pause_goes_past_the_total() {
        assert_eq!(policy().pause(1, None, Duration::from_millis(26_999)), Some(SECOND));
        assert_eq!(policy().pause(1, None, Duration::from_secs(27)), None);
        assert_eq!(policy().pause(1, Some(LONGEST_WISH), Duration::from_secs(19)), None);
    }
}
