//! `scripts.json` as a user writes it: what is accepted, what it becomes, and what is said of the rest.

use bansuri::config::{
    CheckOptions, Configuration, Diagnostic, PluginCatalog, ResolvedType, check_text, render_human,
};
use std::path::{Path, PathBuf};

/// Knows one library with one type of each sort.
struct Catalog;

impl PluginCatalog for Catalog {
    fn task_type(&mut self, reference: &str, folder: &Path, _: &[PathBuf]) -> Result<ResolvedType, String> {
        resolve(reference, folder, "disk.so", "Space")
    }

    fn notifier_type(
        &mut self,
        reference: &str,
        folder: &Path,
        _: &[PathBuf],
    ) -> Result<ResolvedType, String> {
        resolve(reference, folder, "pager.so", "Pager")
    }
}

fn resolve(reference: &str, folder: &Path, library: &str, only: &str) -> Result<ResolvedType, String> {
    let (file, type_name) = reference.split_once(':').unwrap_or((reference, only));
    match (file == library, type_name == only) {
        (true, true) => Ok(ResolvedType { library: folder.join(file), type_name: type_name.to_owned() }),
        (true, false) => Err(format!("no type {type_name:?}, it exports {only:?}")),
        (false, _) => Err("no such file".to_owned()),
    }
}

fn run(text: &str) -> Result<(Configuration, Vec<Diagnostic>), Vec<Diagnostic>> {
    let options = CheckOptions::default();
    check_text(text.as_bytes(), Path::new("scripts.json"), Path::new("/srv"), &mut Catalog, options)
}

#[track_caller]
fn accept(text: &str) -> Configuration {
    match run(text) {
        Ok((configuration, warnings)) if warnings.is_empty() => configuration,
        Ok((_, findings)) | Err(findings) => panic!("{}", render_human(&findings, text, false)),
    }
}

#[test]
fn the_flat_shape() {
    let configuration = accept(
        r#"{ "version": "1.0", "notify-command": "mail -s 'failed: {task}' ops@example.com",
             "scripts": [ { "name": "backup", "command": "pg_dump mydb > backup.sql", "timer": "1h", "timeout": "10m",
                            "on-fail": "restart", "max-attempts": 3, "stdout": "backup.log", "notify": "command" } ] }"#,
    );
    let task = &configuration.plan.tasks()[0];
    assert_eq!(task.name.as_str(), "backup");
    assert_eq!(configuration.launches[0].working_directory, Path::new("/srv"));
}

#[test]
fn the_grouped_shape() {
    let text = r#"{ "version": "1.0",
      "defaults": { "failure-control": { "on-fail": "restart", "max-attempts": "4", "restart-params": { "after": "30s" } } },
      "scripts": [ { "general": { "name": "sync", "command": "sync.sh", "working-directory": "/srv/jobs" },
                     "scheduling": { "scheduler": "cron", "params": "*/5 * * * *", "timeout": "1m", "max-runs": 10 },
                     "failure-control": { "notify": { "enabled": true, "mode": "after-many", "after-threshold": 3,
                                                      "handler": "command", "handler-config": "send-alert --ops" } },
                     "logging": { "stdout": "/var/log/sync.log", "stderr": "$$combined" } } ] }"#;
    let findings = run(text).expect_err("cron is not supported yet");
    assert_eq!(findings[0].message, "task \"sync\": schedule-cron: not supported yet");
    accept(
        &text
            .replace(
                r#""scheduler": "cron", "params": "*/5 * * * *""#,
                r#""scheduler": "timer", "params": "5m""#,
            )
            .replace(r#""mode": "after-many", "after-threshold": 3,"#, ""),
    );
}
