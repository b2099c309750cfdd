//! The task: all rules, one after the other, for each run.

use crate::options::Options;
use crate::scan::Gone;
use crate::sweep::{End, Sweep};
use bansuri_plugin_api::{Task, TaskConfig, TaskContext, TaskError};
use std::io::Write;

/// Removes what the rules say. Exit code 0: all of it; 1: something could not be looked at or removed, and a line on
/// standard error says what, or the run was stopped.
pub struct FileRetention {
    options: Options,
}

impl Task for FileRetention {
    fn new(config: &TaskConfig) -> Result<Self, TaskError> {
        let options: Options = config.options()?;
        Ok(Self { options: options.checked().map_err(TaskError::new)? })
    }

    fn run(&self, context: &TaskContext) -> Result<i32, TaskError> {
        let rules = self.options.rules.all();
        let (mut gone, mut code) = (Gone::default(), 0);
        for (index, rule) in rules.iter().enumerate() {
            context.progress(index as f64 / rules.len() as f64, &rule.folder.to_string_lossy());
            match Sweep::new(context, rule, self.options.dry_run, &mut gone).run()? {
                End::Done => {}
                End::Faults => code = 1,
                End::Stopped => {
                    writeln!(context.stderr(), "stopped before everything was looked at")?;
                    return Ok(1);
                }
            }
        }
        if self.options.dry_run {
            writeln!(context.stdout(), "a dry run: nothing was removed, which takes \"dry-run\": false")?;
        }
        Ok(code)
    }

    fn description() -> &'static str {
        "removes old backups and logs: by age, count and total size"
    }

    fn options_schema() -> Option<String> {
        Some(schemars::schema_for!(Options).to_value().to_string())
    }
}
