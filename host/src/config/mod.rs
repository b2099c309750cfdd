//! `scripts.json`: from text to a checked [`Configuration`], or to every error in it.

mod catalog;
mod diagnostic;
mod model;

pub use catalog::{PluginCatalog, ResolvedType};
pub use diagnostic::{Diagnostic, Severity};
pub use model::{Configuration, NotifierSpec};
