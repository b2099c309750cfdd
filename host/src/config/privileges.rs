//! As whom and under which limits a task's processes run, and whether the host may do that.

use super::findings::{Findings, Shown};
use super::keys::Key;
use super::machine::Asked;
use super::nearest::did_you_mean;
use super::settings::Settings;
use super::typed::Typed;
use crate::launch::{Account, Limit, Privileges, Resource};
use jsonc_parser::common::Ranged;
use std::collections::BTreeMap;

/// What a number would be wrong for: the limits by their names.
const RESOURCES: [(&str, Resource); 6] = [
    ("nofile", Resource::Nofile),
    ("nproc", Resource::Nproc),
    ("as", Resource::As),
    ("core", Resource::Core),
    ("cpu", Resource::Cpu),
    ("fsize", Resource::Fsize),
];

/// The privileges of a command. What is certain to fail when a run starts is reported.
pub(super) fn privileges(
    settings: &Settings<'_>,
    machine: &mut Asked<'_>,
    findings: &mut Findings<'_>,
) -> Privileges {
    Privileges {
        user: account(Key::User, settings, machine, findings),
        group: account(Key::Group, settings, machine, findings),
        priority: priority(settings, machine, findings),
        umask: match settings.value(Key::Umask) {
            Some(Typed::Integer(mask)) => u32::try_from(*mask).ok(),
            Some(_) | None => None,
        },
        limits: limits(settings, machine, findings),
    }
}

fn account(
    key: Key,
    settings: &Settings<'_>,
    machine: &mut Asked<'_>,
    findings: &mut Findings<'_>,
) -> Option<Account> {
    let Some(Typed::Text(text)) = settings.value(key) else { return None };
    let what = if key == Key::User { "user" } else { "group" };
    let (account, id) = match text.parse::<u32>() {
        Ok(id) => (Account::Id(id), id),
        Err(_) => {
            let account = Account::Name((*text).to_owned());
            let found = if key == Key::User { machine.user(text) } else { machine.group(text) };
            match found {
                Ok(Some(id)) => (account, id),
                Ok(None) => {
                    let names = if key == Key::User { machine.user_names() } else { machine.group_names() };
                    let help = did_you_mean(text, names.iter().map(String::as_str));
                    let problem = format!("there is no such {what}");
                    report(key, "unknown-account", &problem, help, settings, findings);
                    return Some(account);
                }
                Err(error) => {
                    if let Some(written) = settings.stated(key) {
                        let (subject, value) = (settings.owner(key), Shown(written.value));
                        let message = format!("{subject}{what} {value}: it cannot be looked up: {error}");
                        findings.warning("unknown-account", written.value.range(), message, None);
                    }
                    return Some(account);
                }
            }
        }
    };
    let rights = machine.rights();
    let (own, may_change) = match key == Key::User {
        true => (rights.user, rights.may_change_user),
        false => (rights.group, rights.may_change_group),
    };
    if id != own && !may_change {
        let problem = format!("the host runs with {what} {own} and may not take another");
        let help = Some("run the host as root".to_owned());
        report(key, "not-permitted", &problem, help, settings, findings);
    }
    Some(account)
}

fn priority(settings: &Settings<'_>, machine: &mut Asked<'_>, findings: &mut Findings<'_>) -> Option<i32> {
    let Some(Typed::Integer(nice)) = settings.value(Key::Priority) else { return None };
    let nice = i32::try_from(*nice).ok()?;
    let lowest = machine.rights().lowest_priority;
    if nice < lowest {
        let problem = format!("the host may not go below {lowest}");
        let help = Some("run the host as root, or raise its RLIMIT_NICE".to_owned());
        report(Key::Priority, "not-permitted", &problem, help, settings, findings);
    }
    Some(nice)
}

fn limits(
    settings: &Settings<'_>,
    machine: &mut Asked<'_>,
    findings: &mut Findings<'_>,
) -> BTreeMap<Resource, Limit> {
    let mut limits = BTreeMap::new();
    let Some(read @ Typed::Fields(_)) = settings.value(Key::Limits) else { return limits };
    for (name, resource) in RESOURCES {
        let limit = match read.field(name) {
            Some(Typed::Integer(number)) => Limit::At(number.unsigned_abs()),
            Some(Typed::Word(_)) => Limit::Unlimited,
            Some(_) | None => continue,
        };
        limits.insert(resource, limit);
        let Limit::At(highest) = machine.highest_limit(resource) else { continue };
        let is_above = match limit {
            Limit::At(number) => number > highest,
            Limit::Unlimited => true,
        };
        if is_above && let Some(written) = settings.stated(Key::Limits) {
            let subject = settings.owner(Key::Limits);
            let shown = match limit {
                Limit::At(number) => number.to_string(),
                Limit::Unlimited => "\"unlimited\"".to_owned(),
            };
            let message = format!("{subject}limits.{name} {shown}: the host may not go above {highest}");
            let help = Some("run the host as root, or raise its own hard limit".to_owned());
            findings.at(subject, "not-permitted", written.key, message, help);
        }
    }
    limits
}

fn report(
    key: Key,
    code: &'static str,
    problem: &str,
    help: Option<String>,
    settings: &Settings<'_>,
    findings: &mut Findings<'_>,
) {
    let Some(written) = settings.stated(key) else { return };
    let subject = settings.owner(key);
    let message = format!("{subject}{} {}: {problem}", written.path, Shown(written.value));
    findings.at(subject, code, written.value.range(), message, help);
}
