//! Runs a task or a notifier without a host, through the same shields and objects as in one.
//!
//! ```
//! use bansuri_plugin_api::testing::{Failure, NotifierTest, TaskTest};
//! # use bansuri_plugin_api::*;
//! # struct Greet { whom: String }
//! # impl Task for Greet {
//! #     fn new(config: &TaskConfig) -> Result<Self, TaskError> {
//! #         #[derive(serde::Deserialize)]
//! #         struct Options { whom: String }
//! #         Ok(Self { whom: config.options::<Options>()?.whom })
//! #     }
//! #     fn run(&self, context: &TaskContext) -> Result<i32, TaskError> {
//! #         use std::io::Write;
//! #         writeln!(context.stdout(), "hello {}", self.whom)?;
//! #         Ok(0)
//! #     }
//! # }
//! # struct Pager;
//! # impl Notifier for Pager {
//! #     fn new(_: &NotifierConfig) -> Result<Self, NotifyError> { Ok(Pager) }
//! #     fn notify(&self, failure: &FailureInfo) -> Result<(), NotifyError> {
//! #         Err(NotifyError::new(format!("nobody listens to {}", failure.task_name())))
//! #     }
//! # }
//!
//! let run = TaskTest::<Greet>::new().options(serde_json::json!({ "whom": "you" })).run();
//! assert_eq!(run.result, Ok(0));
//! assert_eq!(run.stdout_text(), "hello you\n");
//!
//! let pager = NotifierTest::<Pager>::new().start().unwrap();
//! let fault = pager.notify(&Failure::of("backup").build()).unwrap_err();
//! assert_eq!(fault.message, "nobody listens to backup");
//! ```

mod failure;
mod host;
mod notifier;
mod task;

pub use failure::Failure;
pub use host::{Fault, FaultKind, LogLine};
pub use notifier::{NotifierTest, StartedNotifier};
pub use task::{RunningTask, TaskTest, TestRun};
