//! One schedule from the ways to write it: `timer`, `schedule-cron`, `service`, or `scheduler` with `params`.

use super::findings::{Findings, Path, Subject};
use super::keys::{Key, SCHEDULERS};
use super::read::{alternatives, is_null};
use super::slots::{Slots, Written};
use jsonc_parser::ast::{BooleanLit, Value};
use jsonc_parser::common::{Range, Ranged};

/// The flat keys that schedulers become.
const FLAT: [Key; 3] = [Key::Timer, Key::ScheduleCron, Key::Service];

static TRUE: Value<'static> =
    Value::BooleanLit(BooleanLit { range: Range { start: 0, end: 0 }, value: true });

/// Puts the schedule of `defaults` under a script that names none. `params` alone gives the inherited one another
/// interval or expression, and a null takes one way of scheduling away.
pub(super) fn inherit<'a>(own: &mut Slots<'a>, defaults: &Slots<'a>, resolved: &Slots<'a>) {
    if names_a_schedule(own) {
        return;
    }
    let kind = FLAT.into_iter().find(|key| resolved.of(*key).is_some());
    if let Some(params) = own.of(Key::Params).copied() {
        match kind.or_else(|| awaited(defaults)) {
            Some(Key::Service) | None => {}
            Some(key) => {
                own.take(Key::Params);
                own.set(key, Some(params));
            }
        }
        return;
    }
    for key in FLAT {
        if own.of(key).is_none() {
            own.set(key, resolved.of(key).copied());
        }
    }
    if kind.is_none() {
        // Half a schedule: who inherits it is told what it lacks.
        own.set(Key::Scheduler, defaults.of(Key::Scheduler).copied());
        own.set(Key::Params, defaults.of(Key::Params).copied());
    }
}

/// Whether the script says when it runs, if only "never again".
fn names_a_schedule(own: &Slots<'_>) -> bool {
    let is_stated = |key: Key| own.of(key).is_some_and(|written| !is_null(written.value));
    let is_service = own.of(Key::Service).is_some_and(|written| match written.value {
        Value::BooleanLit(boolean) => boolean.value,
        Value::StringLit(text) => text.value == "true",
        Value::NumberLit(_) | Value::NullKeyword(_) | Value::Object(_) | Value::Array(_) => false,
    });
    own.of(Key::Scheduler).is_some() || is_stated(Key::Timer) || is_stated(Key::ScheduleCron) || is_service
}

/// What a `scheduler` of `defaults` makes of the scripts' `params`.
fn awaited(defaults: &Slots<'_>) -> Option<Key> {
    match &*defaults.of(Key::Scheduler)?.value.as_string_lit()?.value {
        "timer" => Some(Key::Timer),
        "cron" => Some(Key::ScheduleCron),
        _ => None,
    }
}

/// Turns `scheduler` and `params` into the flat keys. In `defaults` a `scheduler` may wait for the scripts' `params`.
pub(super) fn resolve<'a>(slots: &mut Slots<'a>, subject: Subject<'_>, findings: &mut Findings<'_>) {
    let (Some(scheduler), params) = (slots.of(Key::Scheduler).copied(), slots.of(Key::Params).copied())
    else {
        if let Some(params) = slots.of(Key::Params)
            && subject != Subject::Defaults
        {
            let subject = owner(params, subject);
            let message = format!("{subject}{} needs a scheduler", params.path);
            let help = Some(format!("name it: \"scheduler\": {}", alternatives(SCHEDULERS)));
            findings.at(subject, "conflict", params.key, message, help);
        }
        return;
    };
    let word = match scheduler.value {
        Value::NullKeyword(_) => "none",
        // What is no word of the list is reported where all values are read.
        value => value.as_string_lit().map_or("", |text| &*text.value),
    };
    match word {
        "timer" => give(Key::Timer, scheduler, params, "an interval", slots, subject, findings),
        "cron" => give(Key::ScheduleCron, scheduler, params, "a cron expression", slots, subject, findings),
        "service" => {
            let service = Written { value: &TRUE, ..scheduler };
            place(Key::Service, service, slots, subject, findings);
            refuse_params(word, params, subject, findings);
        }
        "none" => refuse_params(word, params, subject, findings),
        _ => {}
    }
}

fn give<'a>(
    key: Key,
    scheduler: Written<'a>,
    params: Option<Written<'a>>,
    what: &str,
    slots: &mut Slots<'a>,
    subject: Subject<'_>,
    findings: &mut Findings<'_>,
) {
    match params {
        Some(params) => place(key, params, slots, subject, findings),
        None if subject == Subject::Defaults => {}
        None => {
            let subject = owner(&scheduler, subject);
            let message =
                format!("{subject}{} is missing, expected {what}", Path::Grouped(Key::Params.info()));
            findings.at(subject, "missing-key", scheduler.key, message, None);
        }
    }
}

fn place<'a>(
    key: Key,
    written: Written<'a>,
    slots: &mut Slots<'a>,
    subject: Subject<'_>,
    findings: &mut Findings<'_>,
) {
    match slots.of(key) {
        None => slots.set(key, Some(written)),
        Some(first) => {
            super::members::duplicate(written.name, written.key, first.name, first.key, subject, findings);
        }
    }
}

fn refuse_params(word: &str, params: Option<Written<'_>>, subject: Subject<'_>, findings: &mut Findings<'_>) {
    let is_empty = |value: &Value<'_>| match value {
        Value::NullKeyword(_) => true,
        Value::StringLit(text) => text.value.is_empty(),
        Value::NumberLit(_) | Value::BooleanLit(_) | Value::Object(_) | Value::Array(_) => false,
    };
    if let Some(params) = params.filter(|params| !is_empty(params.value)) {
        let subject = owner(&params, subject);
        let message = format!("{subject}{} cannot apply to the scheduler \"{word}\"", params.path);
        let help = Some("\"timer\" takes an interval, \"cron\" an expression".to_owned());
        findings.at(subject, "conflict", params.value.range(), message, help);
    }
}

fn owner<'s>(written: &Written<'_>, subject: Subject<'s>) -> Subject<'s> {
    if written.is_inherited { Subject::Defaults } else { subject }
}
