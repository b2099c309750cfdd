//! Notifiers and the queue before them: real threads, real processes.

mod command;
mod pool;
mod support;
