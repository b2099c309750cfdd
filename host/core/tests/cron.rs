//! When cron expressions fire: tables for known clock changes, laws over random expressions, and other implementations.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

#[path = "cron/all_zones.rs"]
mod all_zones;
#[path = "cron/cost.rs"]
mod cost;
#[path = "cron/croner.rs"]
mod croner_peer;
#[path = "cron/croniter.rs"]
mod croniter_peer;
#[path = "cron/expression.rs"]
mod expression;
#[path = "cron/laws.rs"]
mod laws;
#[path = "cron/random.rs"]
mod random;
#[path = "cron/syntax.rs"]
mod syntax;
#[path = "cron/times.rs"]
mod times;
#[path = "cron/zones.rs"]
mod zones;
