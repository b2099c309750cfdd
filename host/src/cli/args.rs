//! The arguments, and which subcommand they lead to.

use crate::state_dir::STATE_DIR_VARIABLE;
use crate::{exit_code, logger, process};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Runs every task of scripts.json: once, at intervals, restarted when they fail, ended when they hang.
#[derive(Parser, Debug)]
#[command(name = "bansuri", version, args_conflicts_with_subcommands = true)]
#[command(
    after_help = "Exit codes: 0 fine, 1 a task or the operation failed, 2 usage, 3 invalid configuration or \
                        plugin, 4 another host already runs on this state dir, 130 second SIGINT"
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Subcommands>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Subcommand, Debug)]
enum Subcommands {
    /// Run the tasks (the default)
    Run(RunArgs),
    /// Check the configuration and report every error in it
    Check(CheckArgs),
    /// Look at plugins
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Print the JSON Schema of scripts.json, with which editors complete and check it
    Schema(SchemaArgs),
}

/// Where the configuration is.
#[derive(Args, Debug)]
pub(super) struct ConfigArgs {
    /// The configuration file
    #[arg(short, long, value_name = "FILE", default_value = "scripts.json")]
    pub(super) config: PathBuf,
}

#[derive(Args, Debug)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) file: ConfigArgs,
    /// End when nothing will ever run again: with 0 if every task's last outcome is COMPLETED, else with 1
    #[arg(long)]
    pub(super) exit_when_done: bool,
    /// Where the host keeps its lock and its records [default: .bansuri beside the configuration file]
    #[arg(long, value_name = "DIR", env = STATE_DIR_VARIABLE)]
    pub(super) state_dir: Option<PathBuf>,
    /// Write every event as a line of JSON to this file; - is standard output
    #[arg(long, value_name = "FILE")]
    pub(super) events: Option<PathBuf>,
    #[command(flatten)]
    pub(super) verbosity: Verbosity,
}

#[derive(Args, Debug)]
pub(super) struct Verbosity {
    /// Log more: -v debug, -vv trace
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// Log warnings and errors only
    #[arg(short, long, conflicts_with = "verbose")]
    pub(super) quiet: bool,
}

#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) file: ConfigArgs,
    /// Treat unknown keys as errors
    #[arg(long)]
    pub(super) strict: bool,
    /// How findings are written: for people to standard error, or as one JSON array to standard output
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(super) format: Format,
}

#[derive(Args, Debug)]
pub(super) struct SchemaArgs {
    /// Include the options of the plugins that are installed, and of those that the configuration names
    #[arg(long)]
    pub(super) plugins: bool,
    /// The configuration whose search paths and plugins are included [default: scripts.json, if there is one]
    #[arg(short, long, value_name = "FILE", requires = "plugins")]
    pub(super) config: Option<PathBuf>,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Format {
    Human,
    Json,
}

#[derive(Subcommand, Debug)]
pub(super) enum PluginCommand {
    /// Show what a plugin library exports
    Inspect {
        /// A path, or a bare name that is looked up in BANSURI_PLUGIN_PATH and the folder of the binary
        library: String,
        /// How it is written
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// List the libraries that are found by a bare name, with what they export or what is wrong with them
    List(ListPluginsArgs),
    /// Write a crate for a plugin of your own, which builds, passes its tests and runs as it is
    New(NewPluginArgs),
}

#[derive(Args, Debug)]
pub(super) struct ListPluginsArgs {
    /// The configuration whose plugins.search-paths come first [default: scripts.json, if there is one]
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// How they are written
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(super) format: Format,
}

#[derive(Args, Debug)]
pub(super) struct NewPluginArgs {
    /// The name of the crate and, in CamelCase, of the type in it
    pub(super) name: String,
    /// A notifier instead of a task
    #[arg(long)]
    pub(super) notifier: bool,
    /// The folder it is written to, new or empty [default: one of its name, here]
    #[arg(long, value_name = "DIR")]
    pub(super) path: Option<PathBuf>,
    /// Where the crate bansuri-plugin-api lies [default: in the sources this binary was built from, or else the version of
    /// a registry]
    #[arg(long, value_name = "DIR")]
    pub(super) api: Option<PathBuf>,
}

/// Runs the subcommand the process was started with, and ends the process with its exit code.
pub fn main() -> ! {
    if super::exec_helper::is_asked_for() {
        super::exec_helper::run();
    }
    if super::probe::is_asked_for() {
        super::probe::run();
    }
    if super::plugin_child::is_asked_for() {
        super::plugin_child::run();
    }
    let cli = Cli::parse();
    let code = match cli.command {
        None => super::run::run(&cli.run),
        Some(Subcommands::Run(args)) => super::run::run(&args),
        Some(Subcommands::Check(args)) => super::check::check(&args),
        Some(Subcommands::Plugin(command)) => super::plugin::plugin(&command),
        Some(Subcommands::Schema(args)) => super::schema::schema(&args),
    };
    logger::flush();
    // Plugin threads may still be alive: destructors that run under them (`exit`) would pull their world away.
    process::exit_now(code)
}

/// Ends a subcommand that could not do its work.
pub(super) fn fail(message: impl std::fmt::Display) -> i32 {
    eprintln!("bansuri: {message}");
    exit_code::FAILED
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn run_is_the_default_and_takes_the_same_options() {
        for line in [
            &["bansuri", "-c", "x.json", "--exit-when-done"][..],
            &["bansuri", "run", "-c", "x.json", "--exit-when-done"],
        ] {
            let cli = Cli::parse_from(line);
            let args = match cli.command {
                None => cli.run,
                Some(Subcommands::Run(args)) => args,
                Some(other) => panic!("{other:?}"),
            };
            assert_eq!(args.file.config, PathBuf::from("x.json"));
            assert!(args.exit_when_done);
        }
    }
}
