//! Filled in by its own step.
