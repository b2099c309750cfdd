//! The supervisors that are measured, each with the configuration it needs.

mod circus;
mod find;
mod horust;
mod limit;
mod ours;
mod pm2;
mod runit;
mod supervisord;

pub(super) use find::installed;
pub(super) use limit::Limit;
pub(super) use ours::{Ours, with};
