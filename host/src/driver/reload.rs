//! Reading the configuration again while tasks run: on a thread of its own, one reading at a time.

use crate::config::Report;
use crossbeam::channel::{Receiver, Sender, bounded};
use std::io;
use std::sync::Arc;

/// Reads the configuration. Called on a thread of its own: it reads files and loads plugins.
pub type Load = Arc<dyn Fn() -> Report + Send + Sync>;

/// Reads the configuration when asked to, and again when it was asked to meanwhile.
pub(super) struct Reloader {
    load: Load,
    wake: Arc<dyn Fn() + Send + Sync>,
    sender: Sender<Report>,
    reports: Receiver<Report>,
    reading: Reading,
}

/// What the thread is doing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// There is none.
    No,
    /// It reads.
    Once,
    /// It reads, and what it reads may be old by now.
    Again,
}

impl Reloader {
    pub(super) fn new(load: Load, wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        let (sender, reports) = bounded(1);
        Self { load, wake, sender, reports, reading: Reading::No }
    }

    /// Starts to read. Where that is under way already, it is done once more afterwards: whoever asks gets what the file
    /// holds from now on.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(super) fn request(&mut self) -> io::Result<()> {
        match self.reading {
            Reading::No => self.start(),
            Reading::Once | Reading::Again => {
                self.reading = Reading::Again;
                Ok(())
            }
        }
    }

    /// What was read, once it has been.
    pub(super) fn poll(&mut self) -> Option<Report> {
        let report = self.reports.try_recv().ok()?;
        let again = self.reading == Reading::Again;
        self.reading = Reading::No;
        if again && let Err(error) = self.start() {
            log::error!(target: "bansuri", "reload: no thread to read the configuration: {error}");
        }
        Some(report)
    }

    fn start(&mut self) -> io::Result<()> {
        let (load, wake, sender) = (Arc::clone(&self.load), Arc::clone(&self.wake), self.sender.clone());
        std::thread::Builder::new().name("reload".into()).spawn(move || {
            let report = load();
            // It fails only when the host has ended meanwhile.
            if sender.send(report).is_ok() {
                wake();
            }
        })?;
        self.reading = Reading::Once;
        Ok(())
    }
}
