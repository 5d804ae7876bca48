//! Why no plan satisfies all limits: the smallest set of them that cannot hold together, and what could be reached.
//!
//! The set is found by U. Junker's QuickXplain ("Preferred explanations and relaxations for over-constrained problems",
//! AAAI 2004), which asks of some sets of limits whether a plan keeps them.

use std::sync::Arc;

use super::coupled::Search;
use super::general::BOUNDLESS;
use super::goal::{Extrapolation, Objective, Target};
use super::problem::Problem;
use crate::curve::column::Column;
use crate::error::{Error, Infeasibility, Limit, Result};

/// One limit of a problem, as a thing that can be left out.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Item {
    Budget,
    Lower(usize),
    Upper(usize),
    ActiveLower(usize),
    GroupLower(usize),
    GroupUpper(usize),
    GroupShareLower(usize),
    GroupShareUpper(usize),
    Coupling(usize),
    Target,
    MaxActive,
    MaxChange(usize),
    MaxChangeAmount(usize),
    MaxMoves,
    Step(usize),
    Extrapolation(usize),
}

/// The error for a problem that no plan satisfies.
///
/// # Errors
/// Where the problem itself is malformed.
pub(crate) fn explain(problem: &Arc<Problem>) -> Result<Error> {
    let items = items(problem);
    let mut conflict = Vec::new();
    if !feasible(problem, &items)? {
        conflict = quick_xplain(problem, &[], &items, false)?;
        conflict.sort_by_key(|item| items.iter().position(|other| other == item));
    }
    let target = conflict.contains(&Item::Target);
    let range = totals(problem)?;
    let budget = problem.budget.unwrap_or(f64::INFINITY);
    let below = range.filter(|range| range.1 < budget).map(|range| range.1);
    let above = range.filter(|range| range.0 > budget).map(|range| range.0);
    Ok(Error::Infeasible(Box::new(Infeasibility {
        budget,
        conflict: conflict.into_iter().map(|item| limit(problem, item)).collect(),
        feasible_budget: range,
        nearest: (below, above),
        feasible_target: if target { best_target(problem)? } else { None },
    })))
}

/// The error where the search was stopped before it found any plan.
pub(crate) fn undecided(problem: &Problem) -> Error {
    let limit = problem.time_limit.map_or_else(|| "interrupted".into(), |limit| limit.to_string());
    Error::out_of_domain("time_limit", "long enough to find a plan that keeps all limits", limit)
}

/// The limits of a problem, those of many arms first: they are the likelier part of a conflict.
fn items(problem: &Problem) -> Vec<Item> {
    let mut items = Vec::new();
    if problem.budget.is_some() {
        items.push(Item::Budget);
    }
    if problem.target.is_some() {
        items.push(Item::Target);
    }
    for (g, group) in problem.groups.iter().enumerate() {
        let limits = [
            (group.lower.is_some_and(|lower| lower > 0.0), Item::GroupLower(g)),
            (group.upper.is_some_and(f64::is_finite), Item::GroupUpper(g)),
            (group.share_lower.is_some_and(|share| share > 0.0), Item::GroupShareLower(g)),
            (group.share_upper.is_some_and(|share| share < 1.0), Item::GroupShareUpper(g)),
        ];
        items.extend(limits.into_iter().filter(|limit| limit.0).map(|limit| limit.1));
    }
    items.extend((0..problem.coupling.rows.len()).map(Item::Coupling));
    items.extend(problem.max_active.map(|_| Item::MaxActive));
    items.extend(problem.max_moves.map(|_| Item::MaxMoves));
    for i in 0..problem.curves.len() {
        let cap = problem.extrapolation == Some(Extrapolation::Cap) && problem.curves.observed(i).is_some();
        let limits = [
            (problem.lower.at(i) > 0.0, Item::Lower(i)),
            (problem.upper.at(i).is_finite(), Item::Upper(i)),
            (problem.active_lower.at(i) > 0.0, Item::ActiveLower(i)),
            (problem.max_change.at(i).is_finite() && problem.current.is_some(), Item::MaxChange(i)),
            (problem.max_change_amount.at(i).is_finite() && problem.current.is_some(), Item::MaxChangeAmount(i)),
            (problem.step.at(i) > 0.0, Item::Step(i)),
            (cap, Item::Extrapolation(i)),
        ];
        items.extend(limits.into_iter().filter(|limit| limit.0).map(|limit| limit.1));
    }
    items
}

fn limit(problem: &Problem, item: Item) -> Limit {
    let arm = |limit, i: usize, bound| {
        let name = problem.curves.names().map(|names| names[i].clone());
        Limit { limit, arm: Some(i), name, bound }
    };
    let group = |limit, g: usize, bound: Option<f64>| Limit {
        limit,
        arm: None,
        name: Some(problem.groups[g].name.clone()),
        bound: bound.unwrap_or(f64::NAN),
    };
    let plain = |limit, bound| Limit { limit, arm: None, name: None, bound };
    #[allow(clippy::cast_precision_loss, reason = "counts of arms")]
    let count = |limit, most: Option<usize>| plain(limit, most.map_or(f64::NAN, |most| most as f64));
    match item {
        Item::Budget => plain("budget", problem.budget.unwrap_or(f64::INFINITY)),
        Item::Lower(i) => arm("lower", i, problem.lower.at(i)),
        Item::Upper(i) => arm("upper", i, problem.upper.at(i)),
        Item::ActiveLower(i) => arm("active_lower", i, problem.active_lower.at(i)),
        Item::GroupLower(g) => group("group_lower", g, problem.groups[g].lower),
        Item::GroupUpper(g) => group("group_upper", g, problem.groups[g].upper),
        Item::GroupShareLower(g) => group("group_share_lower", g, problem.groups[g].share_lower),
        Item::GroupShareUpper(g) => group("group_share_upper", g, problem.groups[g].share_upper),
        Item::Coupling(r) => {
            let row = &problem.coupling.rows[r];
            let name = Some(row.name.clone().unwrap_or_else(|| format!("row {r}")));
            Limit { limit: "coupling", arm: None, name, bound: row.upper }
        }
        Item::Target => plain("target", problem.target.map_or(f64::NAN, Target::level)),
        Item::MaxActive => count("max_active", problem.max_active),
        Item::MaxMoves => count("max_moves", problem.max_moves),
        Item::MaxChange(i) => arm("max_change", i, problem.max_change.at(i)),
        Item::MaxChangeAmount(i) => arm("max_change_amount", i, problem.max_change_amount.at(i)),
        Item::Step(i) => arm("step", i, problem.step.at(i)),
        Item::Extrapolation(i) => {
            arm("extrapolation", i, problem.curves.observed(i).map_or(f64::NAN, |range| range.1))
        }
    }
}

/// A smallest part of `doubtful` that together with `certain` cannot hold; `grown` says that `certain` has just grown.
fn quick_xplain(problem: &Problem, certain: &[Item], doubtful: &[Item], grown: bool) -> Result<Vec<Item>> {
    if grown && !feasible(problem, certain)? {
        return Ok(Vec::new());
    }
    if doubtful.len() <= 1 {
        return Ok(doubtful.to_vec());
    }
    let (first, second) = doubtful.split_at(doubtful.len() / 2);
    let with_first = [certain, first].concat();
    let from_second = quick_xplain(problem, &with_first, second, true)?;
    let with_found = [certain, &from_second[..]].concat();
    let mut from_first = quick_xplain(problem, &with_found, first, !from_second.is_empty())?;
    from_first.extend(from_second);
    Ok(from_first)
}

/// The problem with these of its limits only.
fn only(problem: &Problem, kept: &[Item]) -> Problem {
    let n = problem.curves.len();
    let mut part = problem.clone();
    let column = |column: &Column, none: f64, item: &dyn Fn(usize) -> Item| {
        let mut values = vec![none; n];
        for i in 0..n {
            if kept.contains(&item(i)) {
                values[i] = column.at(i);
            }
        }
        Column::Each(values)
    };
    part.lower = column(&problem.lower, 0.0, &Item::Lower);
    part.upper = column(&problem.upper, f64::INFINITY, &Item::Upper);
    part.active_lower = column(&problem.active_lower, 0.0, &Item::ActiveLower);
    part.max_change = column(&problem.max_change, f64::INFINITY, &Item::MaxChange);
    part.max_change_amount = column(&problem.max_change_amount, f64::INFINITY, &Item::MaxChangeAmount);
    part.step = column(&problem.step, 0.0, &Item::Step);
    let has = |item: Item| kept.contains(&item);
    if !has(Item::Budget) {
        (part.budget, part.spend_all) = (None, false);
    }
    if !has(Item::Target) {
        part.target = None;
    }
    if !has(Item::MaxActive) {
        part.max_active = None;
    }
    if !has(Item::MaxMoves) {
        part.max_moves = None;
    }
    for (g, group) in part.groups.iter_mut().enumerate() {
        group.lower = group.lower.filter(|_| has(Item::GroupLower(g)));
        group.upper = group.upper.filter(|_| has(Item::GroupUpper(g)));
        group.share_lower = group.share_lower.filter(|_| has(Item::GroupShareLower(g)));
        group.share_upper = group.share_upper.filter(|_| has(Item::GroupShareUpper(g)));
    }
    let rows = std::mem::take(&mut part.coupling.rows).into_iter().enumerate();
    part.coupling.rows = rows.filter(|(r, _)| has(Item::Coupling(*r))).map(|(_, row)| row).collect();
    if part.extrapolation == Some(Extrapolation::Cap) {
        // The cap as an upper bound of the arms that keep it.
        let upper = (0..n).map(|i| match problem.curves.observed(i) {
            Some((_, high)) if has(Item::Extrapolation(i)) => part.upper.at(i).min(high),
            _ => part.upper.at(i),
        });
        part.upper = Column::Each(upper.collect());
        part.extrapolation = None;
    }
    part
}

/// The largest spend that a question about limits alone looks at: beyond it no limit of the problem says anything new.
fn horizon(problem: &Problem) -> f64 {
    let n = problem.curves.len();
    let finite = |x: f64| if x.is_finite() { x } else { 0.0 };
    let mut most = problem.budget.unwrap_or(0.0);
    for i in 0..n {
        let current = problem.current.as_ref().map_or(0.0, |current| current[i]);
        most += problem.lower.at(i) + finite(problem.upper.at(i)) + problem.active_lower.at(i) + current;
        most += finite(problem.max_change.at(i) * current) + finite(problem.max_change_amount.at(i));
        most += problem.step.at(i);
    }
    for group in &problem.groups {
        most += group.lower.unwrap_or(0.0) + finite(group.upper.unwrap_or(0.0));
    }
    for row in &problem.coupling.rows {
        let least = row.terms.iter().map(|term| term.1.abs()).filter(|&a| a > 0.0).fold(f64::INFINITY, f64::min);
        most += finite(row.upper.abs() / least);
    }
    if most > 0.0 { 100.0 * most } else { 1e6 }
}

/// Whether a plan keeps these limits.
fn feasible(problem: &Problem, kept: &[Item]) -> Result<bool> {
    let part = only(problem, kept);
    let bounds = (0..part.curves.len()).all(|i| part.lower.at(i) <= part.upper.at(i));
    Ok(bounds && extreme(part, horizon(problem), Goal::Any)?.is_some())
}

/// What to look for among the plans that keep all limits.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Goal {
    Any,
    LeastSpend,
    MostSpend,
    MostTarget,
}

/// The best of the problem's plans for a goal; nothing where there is none.
fn extreme(mut problem: Problem, horizon: f64, goal: Goal) -> Result<Option<f64>> {
    let n = problem.curves.len();
    let bounded = |i: usize| problem.upper.at(i).min(horizon.max(problem.lower.at(i)));
    problem.upper = Column::Each((0..n).map(bounded).collect());
    problem.objective = Objective::Response;
    let rows = problem.rows()?;
    let mut program = problem.program(rows)?;
    program.counts_value = 0.0;
    if program.places.iter().any(|place| place.stretches.is_empty()) {
        return Ok(None);
    }
    for place in &mut program.places {
        for stretch in &mut place.stretches {
            stretch.fixed = 0.0;
            stretch.rate = match goal {
                Goal::LeastSpend => 1.0,
                Goal::MostSpend => -1.0,
                Goal::Any | Goal::MostTarget => 0.0,
            };
        }
    }
    if goal == Goal::MostTarget {
        program.counts_value = 1.0;
    }
    let found = Search::new(&program, 1e-6).run(&|| false);
    Ok(found.plan.map(|plan| plan.value))
}

/// The least and the most that can be spent within all limits but the budget.
fn totals(problem: &Problem) -> Result<Option<(f64, f64)>> {
    let kept: Vec<Item> = items(problem).into_iter().filter(|&item| item != Item::Budget).collect();
    let part = only(problem, &kept);
    let horizon = horizon(problem);
    if (0..part.curves.len()).any(|i| part.lower.at(i) > part.upper.at(i)) {
        return Ok(None);
    }
    let Some(least) = extreme(part.clone(), horizon, Goal::LeastSpend)? else { return Ok(None) };
    let most = extreme(part, horizon, Goal::MostSpend)?.unwrap_or(-least);
    Ok(Some((-least, if most >= 0.99 * horizon { f64::INFINITY } else { most })))
}

/// The best level of the target within all other limits.
fn best_target(problem: &Problem) -> Result<Option<f64>> {
    let Some(target) = problem.target else { return Ok(None) };
    let kept: Vec<Item> = items(problem).into_iter().filter(|&item| item != Item::Target).collect();
    let part = only(problem, &kept);
    if (0..part.curves.len()).any(|i| part.lower.at(i) > part.upper.at(i)) {
        return Ok(None);
    }
    let horizon = horizon(problem);
    if let Target::Response(_) = target {
        return extreme(part, horizon, Goal::MostTarget);
    }
    // The other targets are ratios: the best level is the last that a plan can reach.
    let reaches = |level: f64| -> Result<bool> {
        let mut part = part.clone();
        part.target = Target::from_name(target.as_str(), level);
        Ok(extreme(part, horizon, Goal::Any)?.is_some())
    };
    let falling = !matches!(target, Target::Cpa(_));
    let (mut bad, mut good) = (target.level(), None);
    let mut level = target.level();
    for _ in 0..60 {
        level *= if falling { 0.5 } else { 2.0 };
        if reaches(level)? {
            good = Some(level);
            break;
        }
        bad = level;
    }
    let Some(mut good) = good else { return Ok(None) };
    for _ in 0..60 {
        let middle = 0.5 * (good + bad);
        if (good - bad).abs() <= 1e-9 * good.abs() {
            break;
        }
        if reaches(middle)? {
            good = middle
        } else {
            bad = middle
        }
    }
    Ok((good < BOUNDLESS).then_some(good))
}
