//! Signals by name and number (Linux numbers).

use std::fmt;
use std::str::FromStr;

/// A signal that exists: 1 to 64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Signal(u8);

const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// The first of those that are called by their distance from it, as the C library counts.
const RTMIN: u8 = 34;

impl Signal {
    /// SIGTERM.
    pub const TERM: Signal = Signal(15);
    /// SIGKILL.
    pub const KILL: Signal = Signal(9);

    /// The signal of this number, if there is one.
    pub fn from_number(number: i32) -> Option<Self> {
        u8::try_from(number).ok().filter(|n| (1..=64).contains(n)).map(Self)
    }

    /// Its number.
    pub fn number(self) -> i32 {
        i32::from(self.0)
    }

    /// The names [`FromStr`] takes, without `SIG`, in the order of their numbers.
    pub fn names() -> &'static [&'static str] {
        &NAMES
    }
}

impl fmt::Display for Signal {
    /// `SIGTERM`; `SIGRTMIN+2` for those without a name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.get(usize::from(self.0) - 1) {
            Some(name) => write!(f, "SIG{name}"),
            None if self.0 == RTMIN => f.write_str("SIGRTMIN"),
            None if self.0 > RTMIN => write!(f, "SIGRTMIN+{}", self.0 - RTMIN),
            None => write!(f, "SIG{}", self.0),
        }
    }
}

impl FromStr for Signal {
    type Err = ();

    /// `TERM`, `SIGTERM`, `SIGRTMIN+2`, in either case, or a number.
    fn from_str(text: &str) -> Result<Self, ()> {
        if let Ok(number) = text.parse::<i32>() {
            return Self::from_number(number).ok_or(());
        }
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        if let Some(distance) = name.strip_prefix("RTMIN") {
            let distance = match distance.strip_prefix('+') {
                Some(number) if number.starts_with(|first: char| first.is_ascii_digit()) => {
                    number.parse::<u8>().map_err(drop)?
                }
                None if distance.is_empty() => 0,
                Some(_) | None => return Err(()),
            };
            return Self::from_number(i32::from(RTMIN) + i32::from(distance)).ok_or(());
        }
        let index = NAMES.iter().position(|n| *n == name).ok_or(())?;
        Self::from_number(index as i32 + 1).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_has_a_name_that_is_read_back() {
        for signal in (1..=64).filter_map(Signal::from_number).filter(|signal| ![32, 33].contains(&signal.0))
        {
            assert_eq!(signal.to_string().parse(), Ok(signal));
        }
        assert_eq!(Signal(34).to_string(), "SIGRTMIN");
        assert_eq!("rtmin+2".parse(), Ok(Signal(36)));
        for wrong in ["RTMIN+31", "RTMIN+", "RTMIN++1", "RTMIN2", "RTMIN+256", "SIG"] {
            assert_eq!(wrong.parse::<Signal>(), Err(()), "{wrong}");
        }
    }
}
