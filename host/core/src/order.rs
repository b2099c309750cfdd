//! The order of tasks that depend on each other, and what keeps them from having one.

use crate::plan::{Condition, PlanError, Schedule, TaskPlan};
use std::collections::HashMap;

/// The places of the tasks, each after all it depends on and otherwise as they are; or what is wrong with them.
pub(crate) fn order(tasks: &[TaskPlan]) -> Result<Vec<u32>, PlanError> {
    let mut places = HashMap::with_capacity(tasks.len());
    for (place, task) in tasks.iter().enumerate() {
        if places.insert(&task.name, place).is_some() {
            return Err(PlanError::DuplicateName(task.name.clone()));
        }
    }
    let mut edges = Vec::with_capacity(tasks.len());
    for task in tasks {
        let mut of_task = Vec::with_capacity(task.depends_on.len());
        for dependency in &task.depends_on {
            let names = || (task.name.clone(), dependency.task.clone());
            let Some(&place) = places.get(&dependency.task) else {
                let (task, dependency) = names();
                return Err(PlanError::UnknownDependency { task, dependency });
            };
            let other: &TaskPlan = &tasks[place];
            match dependency.condition {
                Condition::Completed if other.schedule == Schedule::Service => {
                    let (task, dependency) = names();
                    return Err(PlanError::CompletedService { task, dependency });
                }
                Condition::Healthy if other.health.is_none() => {
                    let (task, dependency) = names();
                    return Err(PlanError::HealthyUnchecked { task, dependency });
                }
                Condition::Completed | Condition::Started | Condition::Healthy => of_task.push(place),
            }
        }
        edges.push(of_task);
    }
    sorted(&edges)
        .map(|order| {
            order
                .into_iter()
                .map(|place| u32::try_from(place).expect("a plan holds fewer than 2^32 tasks"))
                .collect()
        })
        .map_err(|cycle| PlanError::Cycle(cycle.into_iter().map(|place| tasks[place].name.clone()).collect()))
}

/// How far the search has come with a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Unseen,
    OnPath,
    Done,
}

/// Every place after those its edges lead to; or a cycle, whose first place is named again at its end.
fn sorted(edges: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut marks = vec![Mark::Unseen; edges.len()];
    let mut order = Vec::with_capacity(edges.len());
    // Chains may be as long as there are tasks: the path is kept here and not on the stack.
    let mut path: Vec<(usize, usize)> = Vec::new();
    for root in 0..edges.len() {
        if marks[root] == Mark::Unseen {
            marks[root] = Mark::OnPath;
            path.push((root, 0));
        }
        while let Some((place, next)) = path.last_mut() {
            let Some(&target) = edges[*place].get(*next) else {
                marks[*place] = Mark::Done;
                order.push(*place);
                path.pop();
                continue;
            };
            *next += 1;
            match marks[target] {
                Mark::Unseen => {
                    marks[target] = Mark::OnPath;
                    path.push((target, 0));
                }
                Mark::OnPath => {
                    let on_path = path.iter().map(|&(place, _)| place);
                    return Err(on_path.skip_while(|&place| place != target).chain([target]).collect());
                }
                Mark::Done => {}
            }
        }
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_comes_after_those_it_leads_to_and_otherwise_as_it_is() {
        let check = |edges: &[&[usize]], expect: Result<&[usize], &[usize]>| {
            let edges: Vec<Vec<usize>> = edges.iter().map(|targets| targets.to_vec()).collect();
            let found = sorted(&edges);
            assert_eq!(found.as_deref().map_err(Vec::as_slice), expect, "{edges:?}");
        };
        check(&[], Ok(&[]));
        check(&[&[], &[], &[]], Ok(&[0, 1, 2]));
        check(&[&[2], &[], &[1]], Ok(&[1, 2, 0]));
        check(&[&[1, 2, 1], &[3], &[3], &[]], Ok(&[3, 1, 2, 0]));
        check(&[&[0]], Err(&[0, 0]));
        check(&[&[1], &[2], &[3], &[1]], Err(&[1, 2, 3, 1]));
    }
}
