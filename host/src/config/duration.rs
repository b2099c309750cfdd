//! Durations and sizes as the configuration writes them.

use std::time::Duration;

/// What is no duration, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DurationError {
    /// No number and unit.
    Shape,
    /// A number with a unit that does not exist.
    Unit,
    /// Below zero.
    Negative,
    /// Not whole.
    Fraction,
    /// More than the clock can count.
    TooLong,
}

impl DurationError {
    /// What to write instead, where it can be said.
    pub(super) fn help(self) -> Option<String> {
        let help = match self {
            DurationError::Shape => return None,
            DurationError::Unit => "the units are ms, s, m, h and d",
            DurationError::Negative => "a duration is not negative",
            DurationError::Fraction => "write whole numbers, in a smaller unit: 1500ms, 90m, 1h30m",
            DurationError::TooLong => "the longest duration is 106751d",
        };
        Some(help.to_owned())
    }
}

/// `45` is seconds; `250ms`, `30s`, `5m`, `1h`, `2d`, and sums of them.
pub(super) fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    if let Some(rest) = text.strip_prefix('-') {
        return Err(parse_duration(rest).err().unwrap_or(DurationError::Negative));
    }
    let mut nanos: u64 = 0;
    let mut rest = text;
    loop {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits == 0 {
            return Err(DurationError::Shape);
        }
        let (number, after) = rest.split_at(digits);
        if after.starts_with(['.', ',']) && after[1..].starts_with(|c: char| c.is_ascii_digit()) {
            return Err(DurationError::Fraction);
        }
        let unit_end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let scale: u64 = match unit {
            // Only a number alone goes without its unit: in `1m30` it is more likely forgotten.
            "" if number.len() == text.len() => 1_000_000_000,
            "" => return Err(DurationError::Shape),
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60 * 1_000_000_000,
            "h" => 3_600 * 1_000_000_000,
            "d" => 86_400 * 1_000_000_000,
            _ => return Err(DurationError::Unit),
        };
        nanos = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(scale))
            .and_then(|part| nanos.checked_add(part))
            .filter(|sum| *sum <= i64::MAX as u64)
            .ok_or(DurationError::TooLong)?;
        if after.is_empty() {
            return Ok(Duration::from_nanos(nanos));
        }
        rest = after;
    }
}

/// `4096`, `10K`, `10M`, `1G`: bytes, of 1024 each.
pub(super) fn parse_size(text: &str) -> Option<u64> {
    let (number, scale) = match text.as_bytes().last()? {
        b'K' | b'k' => (&text[..text.len() - 1], 1 << 10),
        b'M' | b'm' => (&text[..text.len() - 1], 1 << 20),
        b'G' | b'g' => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1),
    };
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    number.parse::<u64>().ok()?.checked_mul(scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        use DurationError::*;
        #[track_caller]
        fn check(text: &str, expected: Result<u64, DurationError>) {
            assert_eq!(parse_duration(text), expected.map(Duration::from_millis), "{text:?}");
        }
        check("45", Ok(45_000));
        check("0", Ok(0));
        check("250ms", Ok(250));
        check("30s", Ok(30_000));
        check("5m", Ok(300_000));
        check("1h", Ok(3_600_000));
        check("2d", Ok(172_800_000));
        check("4m30s", Ok(270_000));
        check("1d2h3m4s5ms", Ok(93_784_005));
        check("106751d", Ok(106_751 * 86_400_000));
        for text in ["", " ", "s", "m5", "5 m", "1m30", "30s ", "+5", "five", "٣s"] {
            check(text, Err(Shape));
        }
        for text in ["5x", "5S", "1hour", "1m30sec", "5min"] {
            check(text, Err(Unit));
        }
        check("-5", Err(Negative));
        check("-1h", Err(Negative));
        check("-x", Err(Shape));
        check("1.5h", Err(Fraction));
        check("0.5", Err(Fraction));
        check("106752d", Err(TooLong));
        check("99999999999999999999", Err(TooLong));
        check("18446744073709551615d", Err(TooLong));
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_size("4096"), Some(4096));
        assert_eq!(parse_size("10K"), Some(10 << 10));
        assert_eq!(parse_size("10m"), Some(10 << 20));
        assert_eq!(parse_size("1G"), Some(1 << 30));
        for text in ["", "K", "-1", "1T", "1.5M", "1 M", "99999999999999999999G", "17179869184G"] {
            assert_eq!(parse_size(text), None, "{text:?}");
        }
    }
}
