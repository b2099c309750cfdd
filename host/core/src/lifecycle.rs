//! One task: state and input to state and effects. Every pair is matched.
