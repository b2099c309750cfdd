//! Notifiers and the queue before them: real threads, real processes.

mod pool;
mod support;
