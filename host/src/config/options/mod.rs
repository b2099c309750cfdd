//! The options of plugin types: checked against the schema that a type publishes, and told to people.

mod bounds;
mod check;
mod explain;
mod layers;
mod part;
mod schema;
mod table;
mod validator;
mod words;

pub(super) use check::{Given, Schemas};
pub(super) use schema::OptionsSchema;
pub use table::{OptionRow, option_rows};
