//! `scripts.json`: from text to a checked [`Configuration`], or to every error in it.

mod catalog;
mod check;
mod conflicts;
mod cron;
mod dependency;
mod diagnostic;
mod duration;
mod findings;
mod keys;
mod load;
mod log_files;
mod members;
mod model;
mod nearest;
mod notifiers;
mod place;
mod read;
mod read_list;
mod read_object;
mod reference;
mod render;
mod schedule;
mod settings;
mod slots;
mod supported;
mod syntax;
mod task;
mod typed;

pub use catalog::{PluginCatalog, ResolvedType};
pub use check::{CheckOptions, check_text};
pub use diagnostic::{Diagnostic, Severity};
pub use load::{Report, load};
pub use model::{Configuration, NotifierSpec};
pub use reference::key_reference;
pub use render::{render_human, render_json};
