//! The task: one check for each run.

use crate::answer::{Answer, ask};
use crate::options::Options;
use crate::verdict::{faults, millis, summary};
use bansuri_http_client::Client;
use bansuri_plugin_api::{Task, TaskConfig, TaskContext, TaskError};
use std::io::Write;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// Asks once. Exit code 0: the server is well; 1: it is not, and the reason is on standard error.
pub struct HttpCheck {
    options: Arc<Options>,
    sender: Sender<News>,
    /// Taken by the run.
    news: Mutex<Option<Receiver<News>>>,
}

/// What a run waits for.
enum News {
    Answered(Result<Answer, String>),
    Stop,
}

impl Task for HttpCheck {
    fn new(config: &TaskConfig) -> Result<Self, TaskError> {
        let (sender, news) = channel();
        let options: Options = config.options()?;
        let options = Arc::new(options.checked().map_err(TaskError::new)?);
        Ok(Self { options, sender, news: Mutex::new(Some(news)) })
    }

    fn run(&self, context: &TaskContext) -> Result<i32, TaskError> {
        let url = &self.options.url;
        let client = Client {
            timeout: self.options.timeout.duration(),
            redirects: self.options.follow_redirects.limit(),
            trust: self.options.trust(context.working_directory()).map_err(TaskError::new)?,
            user_agent: concat!("bansuri-http-check/", env!("CARGO_PKG_VERSION")),
        };
        let agent = client.agent(url).map_err(|error| TaskError::new(format!("options: {error}")))?;
        let news = self.news.lock().unwrap_or_else(PoisonError::into_inner).take();
        let news = news.ok_or_else(|| TaskError::new("an instance of http-check runs once"))?;

        let (asking, options, sender) = (agent.clone(), Arc::clone(&self.options), self.sender.clone());
        let begun = Instant::now();
        // The lookup of a name and the opening of a connection cannot be broken off: on a thread of its own they hold
        // up nothing when the run has to stop, and end by the timeout.
        thread::Builder::new().name("http-check".to_owned()).spawn(move || {
            // A run that was stopped no longer listens.
            let _ = sender.send(News::Answered(ask(&asking, &options)));
        })?;
        match news.recv()? {
            News::Stop => {
                agent.shutdown();
                writeln!(context.stderr(), "{url}: stopped before there was an answer")?;
                Ok(1)
            }
            News::Answered(Err(why)) => {
                writeln!(context.stdout(), "no answer, {}", millis(begun.elapsed()))?;
                writeln!(context.stderr(), "{url}: {why}")?;
                Ok(1)
            }
            News::Answered(Ok(answer)) => {
                writeln!(context.stdout(), "{}", summary(&answer))?;
                let faults = faults(&answer, &self.options);
                if faults.is_empty() {
                    return Ok(0);
                }
                writeln!(context.stderr(), "{url}: {}", faults.join("; "))?;
                Ok(1)
            }
        }
    }

    fn stop(&self) {
        // A run that has its answer no longer listens.
        let _ = self.sender.send(News::Stop);
    }

    fn description() -> &'static str {
        "asks an HTTP server whether it is well: status, body, latency"
    }

    fn options_schema() -> Option<String> {
        Some(schemars::schema_for!(Options).to_value().to_string())
    }
}
