//! Outcome and attempt to what follows: retry, give up, go on.
