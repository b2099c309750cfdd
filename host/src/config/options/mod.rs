//! The options of plugin types: checked against the schema that a type publishes, and told to people.

mod check;
mod explain;
mod layers;
mod schema;
mod table;
mod words;

pub(super) use check::{Given, Schemas};
pub(super) use schema::OptionsSchema;
pub use table::{OptionRow, option_rows};
