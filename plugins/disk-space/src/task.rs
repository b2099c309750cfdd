//! The task: one look at every path for each run.

use crate::options::Options;
use crate::question::{News, ask};
use crate::room::Room;
use crate::verdict::{faults, summary};
use bansuri_plugin_api::{Task, TaskConfig, TaskContext, TaskError};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Looks once. Exit code 0: there is enough everywhere; 1: there is not, and a line on standard error says where.
pub struct DiskSpace {
    options: Options,
    /// Answers come as long as the instance lives.
    sender: Arc<Sender<News>>,
    /// Taken by the run.
    news: Mutex<Option<Receiver<News>>>,
}

impl Task for DiskSpace {
    fn new(config: &TaskConfig) -> Result<Self, TaskError> {
        let options: Options = config.options()?;
        options.demands(Path::new("/")).map_err(TaskError::new)?;
        let (sender, news) = channel();
        Ok(Self { options, sender: Arc::new(sender), news: Mutex::new(Some(news)) })
    }

    fn run(&self, context: &TaskContext) -> Result<i32, TaskError> {
        let demands = self.options.demands(context.working_directory()).map_err(TaskError::new)?;
        let news = self.news.lock().unwrap_or_else(PoisonError::into_inner).take();
        let news = news.ok_or_else(|| TaskError::new("an instance of disk-space runs once"))?;
        for demand in &demands {
            ask(&demand.path, &self.sender)?;
        }
        let deadline = Instant::now().checked_add(self.timeout());
        let mut answers = Answers { news, known: BTreeMap::new(), deadline, stopped: false };
        let mut code = 0;
        for demand in &demands {
            let faults = match answers.about(&demand.path) {
                Outcome::Answer(Ok(room)) => {
                    writeln!(context.stdout(), "{}", summary(demand, &room))?;
                    faults(demand, &room)
                }
                Outcome::Answer(Err(why)) => vec![format!("{:?}: {why}", demand.path)],
                Outcome::Late => vec![format!("{:?}: no answer within {:?}", demand.path, self.timeout())],
                Outcome::Stopped => vec![format!("{:?}: stopped before there was an answer", demand.path)],
            };
            for fault in faults {
                writeln!(context.stderr(), "{fault}")?;
                code = 1;
            }
        }
        Ok(code)
    }

    fn stop(&self) {
        // A run that has all answers no longer listens.
        let _ = self.sender.send(News::Stop);
    }

    fn description() -> &'static str {
        "fails when a file system has less free space or fewer free inodes than it should"
    }

    fn options_schema() -> Option<String> {
        Some(schemars::schema_for!(Options).to_value().to_string())
    }
}

impl DiskSpace {
    fn timeout(&self) -> Duration {
        self.options.timeout.duration()
    }
}

/// The answers to one run's questions, in whichever order they come.
struct Answers {
    news: Receiver<News>,
    known: BTreeMap<PathBuf, Result<Room, String>>,
    /// `None`: so far away that it never comes.
    deadline: Option<Instant>,
    stopped: bool,
}

/// What becomes of one question.
enum Outcome {
    Answer(Result<Room, String>),
    Late,
    Stopped,
}

impl Answers {
    /// Waits for it until the deadline.
    fn about(&mut self, path: &Path) -> Outcome {
        loop {
            if let Some(answer) = self.known.get(path) {
                return Outcome::Answer(answer.clone());
            }
            if self.stopped {
                return Outcome::Stopped;
            }
            let left = self.deadline.map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()));
            match self.news.recv_timeout(left) {
                Ok(News::Answer(path, answer)) => {
                    self.known.insert(path, answer);
                }
                Ok(News::Stop) => self.stopped = true,
                Err(_) => return Outcome::Late,
            }
        }
    }
}
