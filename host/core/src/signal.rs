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
            None if self.0 >= 34 => write!(f, "SIGRTMIN+{}", self.0 - 34),
            None => write!(f, "SIG{}", self.0),
        }
    }
}

impl FromStr for Signal {
    type Err = ();

    /// `TERM`, `SIGTERM`, in either case, or a number.
    fn from_str(text: &str) -> Result<Self, ()> {
        if let Ok(number) = text.parse::<i32>() {
            return Self::from_number(number).ok_or(());
        }
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        let index = NAMES.iter().position(|n| *n == name).ok_or(())?;
        Self::from_number(index as i32 + 1).ok_or(())
    }
}
