//! What tasks wait for: does it exist, can it happen, and is there an end to it.

use super::findings::{Findings, Subject, quoted};
use super::nearest::did_you_mean;
use super::typed::Dependency;
use bansuri_core::Condition;
use std::collections::HashMap;

/// A task as others depend on it.
pub(super) struct Node<'a> {
    pub(super) name: &'a str,
    pub(super) is_service: bool,
    pub(super) has_health_check: bool,
    pub(super) waits_for: Vec<Dependency<'a>>,
}

/// Reports unknown names, conditions that can never be met, and cycles.
pub(super) fn check(nodes: &[Node<'_>], findings: &mut Findings<'_>) {
    if nodes.iter().all(|node| node.waits_for.is_empty()) {
        return;
    }
    let index: HashMap<&str, usize> = nodes.iter().enumerate().map(|(at, node)| (node.name, at)).collect();
    for node in nodes {
        let subject = Subject::Task(node.name);
        for dependency in &node.waits_for {
            let named = quoted(dependency.name);
            let Some(at) = index.get(dependency.name) else {
                let help = did_you_mean(dependency.name, nodes.iter().map(|node| node.name));
                let message = format!("{subject}depends-on {named}: there is no such task");
                findings.error("unknown-dependency", dependency.span, message, help);
                continue;
            };
            let (problem, help) = match dependency.condition {
                Condition::Completed if nodes[*at].is_service => {
                    ("a service never completes", "wait for \"started\" or \"healthy\"")
                }
                Condition::Healthy if !nodes[*at].has_health_check => {
                    ("the task has no health-check", "wait for \"started\", or give it a health-check")
                }
                Condition::Completed | Condition::Started | Condition::Healthy => continue,
            };
            let message = format!("{subject}depends-on {named}: {problem}");
            findings.error("conflict", dependency.span, message, Some(help.to_owned()));
        }
    }
    cycles(nodes, &index, findings);
}

/// Walks the graph once, in depth, with a stack of its own: the chain may be as long as the file.
fn cycles(nodes: &[Node<'_>], index: &HashMap<&str, usize>, findings: &mut Findings<'_>) {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; nodes.len()];
    for root in 0..nodes.len() {
        if marks[root] != Mark::New {
            continue;
        }
        marks[root] = Mark::Open;
        let mut way = vec![(root, 0)];
        while let Some((at, next)) = way.last_mut() {
            let at = *at;
            let Some(dependency) = nodes[at].waits_for.get(*next) else {
                marks[at] = Mark::Done;
                way.pop();
                continue;
            };
            *next += 1;
            let Some(target) = index.get(dependency.name).copied() else { continue };
            match marks[target] {
                Mark::Done => {}
                Mark::New => {
                    marks[target] = Mark::Open;
                    way.push((target, 0));
                }
                Mark::Open => {
                    let circle = way.iter().map(|(at, _)| *at).skip_while(|at| *at != target);
                    let mut names: Vec<&str> = circle.map(|at| nodes[at].name).collect();
                    names.push(nodes[target].name);
                    let subject = Subject::Task(nodes[at].name);
                    let message = format!("{subject}depends-on makes a cycle: {}", names.join(" → "));
                    findings.error("dependency-cycle", dependency.span, message, None);
                }
            }
        }
    }
}
