//! Why no plan satisfies all limits: the smallest set of them that cannot hold together, and what could be reached.
//!
//! The set is found by U. Junker's QuickXplain ("Preferred explanations and relaxations for over-constrained problems",
//! AAAI 2004), which asks of some sets of limits whether a plan keeps them.

use std::sync::Arc;

use super::coupled::{Search, Stand};
use super::goal::{Extrapolation, Objective, Target};
use super::problem::Problem;
use super::program::Program;
use super::stretches::Stretch;
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

/// The same error with a smallest conflict, where that of a problem with zero-or-minimum arms names them all.
pub(crate) fn reduced(problem: &Arc<Problem>, error: Error) -> Error {
    let Error::Infeasible(mut details) = error else { return error };
    let many = details.conflict.len() > MOST_TO_REDUCE;
    let minima = details.conflict.iter().any(|limit| limit.limit == "active_lower");
    if minima
        && !many
        && let Ok(Error::Infeasible(found)) = explain(problem)
        && !found.conflict.is_empty()
    {
        details.conflict = found.conflict;
    }
    Error::Infeasible(details)
}

/// Limits beyond which a conflict of whole sums is left as it is: each question about a part of it is a search.
const MOST_TO_REDUCE: usize = 200;

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
            (
                problem.max_change_amount.at(i).is_finite() && problem.current.is_some(),
                Item::MaxChangeAmount(i),
            ),
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
        Item::Target => {
            let word = match problem.target {
                Some(Target::MarginalRoas(_)) => "marginal_roas",
                _ => "target",
            };
            plain(word, problem.target.map_or(f64::NAN, Target::level))
        }
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
        let each = (0..n).map(|i| if kept.contains(&item(i)) { column.at(i) } else { none });
        Column::Each(each.collect())
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
        let least =
            row.terms.iter().map(|term| term.1.abs()).filter(|&a| a > 0.0).fold(f64::INFINITY, f64::min);
        most += finite(row.upper.abs() / least);
    }
    if most > 0.0 { 100.0 * most } else { 1e6 }
}

/// Whether a plan keeps these limits.
fn feasible(problem: &Problem, kept: &[Item]) -> Result<bool> {
    let part = only(problem, kept);
    let horizon = horizon(problem);
    match part.target {
        // A target is reached where the most of it that the other limits allow is enough.
        Some(target @ (Target::Response(_) | Target::Roas(_) | Target::Cpa(_))) => {
            let Some(found) = extreme(part.clone(), horizon, Goal::Reach(target))? else { return Ok(false) };
            Ok(found.value >= -ROUNDING * found.size)
        }
        _ => Ok(extreme(part, horizon, Goal::Any)?.is_some()),
    }
}

/// A plan that keeps all limits and reaches the target; nothing where there is none. `most` is what each arm can spend.
pub(crate) fn reach(problem: &Problem, most: Vec<f64>) -> Result<Option<Vec<Stand>>> {
    let Some(target) = problem.target else { return Ok(None) };
    let bounded = problem.clone().upper(most);
    let found = extreme(bounded, f64::INFINITY, Goal::Reach(target))?;
    Ok(found.filter(|found| found.value >= -ROUNDING * found.size).map(|found| found.stands))
}

/// Any plan that keeps all limits of a problem without a target; nothing where none is found.
pub(crate) fn any(problem: &Problem) -> Result<Option<Vec<Stand>>> {
    let found = extreme(problem.clone(), f64::INFINITY, Goal::Any)?;
    Ok(found.map(|found| found.stands).filter(|stands| !stands.is_empty()))
}

/// Share of what a target adds up that is the rounding of the sum.
const ROUNDING: f64 = 1e-9;

/// Cases that one question may take: it is about limits, few of which are hard.
const MOST_NODES: usize = 2_000;
/// The same where the answer is a number to tell: it is one that can be had, and the best where the search ends by itself.
const MOST_NODES_TO_INFORM: usize = 60;

/// What to look for among the plans that keep all limits.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Goal {
    Any,
    LeastSpend,
    MostSpend,
    /// By how much a target is exceeded, the row of the target aside: whether it can be 0 or more.
    Reach(Target),
    /// The same: the most there can be.
    Exceed(Target),
}

/// The best plan for a goal.
struct Extreme {
    value: f64,
    /// Size of what the value is the difference of.
    size: f64,
    spend: Vec<f64>,
    stands: Vec<Stand>,
}

/// The best of the problem's plans for a goal; nothing where there is none.
fn extreme(mut problem: Problem, horizon: f64, goal: Goal) -> Result<Option<Extreme>> {
    let n = problem.curves.len();
    if (0..n).any(|i| problem.lower.at(i) > problem.upper.at(i)) {
        return Ok(None);
    }
    problem.objective = Objective::Response;
    let targeted = !matches!(goal, Goal::Reach(_) | Goal::Exceed(_));
    // A target that must hold bounds all that is spent. To come near one that cannot hold takes no more than some times that.
    let total = problem.most_in_all()?;
    let horizon = match goal {
        Goal::Exceed(_) => {
            let groups = problem.groups.iter().filter_map(|group| group.lower);
            let forced: f64 =
                (0..n).map(|i| problem.lower.at(i).max(problem.active_lower.at(i))).chain(groups).sum();
            horizon.min(10.0 * (total + forced))
        }
        _ => horizon.min(total),
    };
    let bounded = |i: usize| problem.upper.at(i).min(horizon.max(problem.lower.at(i)));
    problem.upper = Column::Each((0..n).map(bounded).collect());
    if !targeted {
        problem.target = None;
    }
    let rows = problem.rows()?;
    let mut program = problem.program(rows)?;
    if program.places.iter().any(|place| place.stretches.is_empty()) {
        return Ok(None);
    }
    // Σ value · f(x) − rate · Σ x, to be compared with the level.
    let (value, rate, level) = match goal {
        Goal::Any => (None, 0.0, 0.0),
        Goal::LeastSpend => (None, 1.0, 0.0),
        Goal::MostSpend => (None, -1.0, 0.0),
        Goal::Reach(target) | Goal::Exceed(target) => match target {
            Target::Response(level) => (Some(None), 0.0, level),
            Target::Roas(floor) => (Some(None), floor, 0.0),
            Target::Cpa(cost) => (Some(Some(cost)), 1.0, 0.0),
            Target::MarginalRoas(_) => (None, 0.0, 0.0),
        },
    };
    program.counts_value = if value.is_some() { 1.0 } else { 0.0 };
    for place in &mut program.places {
        place.value = value.flatten().unwrap_or(place.value);
        for stretch in &mut place.stretches {
            (stretch.fixed, stretch.rate) = (0.0, rate);
        }
    }
    if let Some(stands) = ends(&program, goal).filter(|stands| program.keeps(stands, ROUNDING)) {
        let spend: Vec<f64> = stands.iter().map(|stand| stand.x).collect();
        return Ok(Some(Extreme { value: program.value(&stands), size: 0.0, spend, stands }));
    }
    // Whether there is a plan decides what the conflict is; how good the nearest one is only informs.
    let most_nodes =
        if matches!(goal, Goal::Any | Goal::Reach(_)) { MOST_NODES } else { MOST_NODES_TO_INFORM };
    let ratio = matches!(goal, Goal::Exceed(Target::Roas(_) | Target::Cpa(_)));
    let tolerance = if ratio { 1e-5 } else { 1e-7 };
    let search = Search::new(&program, tolerance).most_nodes(most_nodes);
    let search = match goal {
        Goal::Reach(_) => search.reaching(level),
        // Every plan is worth 0: the first will do.
        Goal::Any => search.reaching(-1.0),
        _ => search,
    };
    let found = search.run(&|| false);
    if found.plan.is_none() && found.bound > f64::NEG_INFINITY && goal == Goal::Any {
        // Not found is not impossible.
        return Ok(Some(Extreme { value: 0.0, size: 0.0, spend: vec![f64::NAN; n], stands: Vec::new() }));
    }
    Ok(found.plan.map(|plan| {
        let spend: Vec<f64> = plan.stands.iter().map(|stand| stand.x).collect();
        let size = level.abs() + rate.abs() * spend.iter().sum::<f64>();
        Extreme { value: plan.value - level, size, spend, stands: plan.stands }
    }))
}

/// Every arm at its least, or at its most: where that keeps all limits no plan spends less, or more.
fn ends(program: &Program<'_>, goal: Goal) -> Option<Vec<Stand>> {
    let end = |stretches: &Vec<Stretch<'_>>| {
        let (at, stretch) = match goal {
            Goal::LeastSpend => stretches.iter().enumerate().min_by(|a, b| a.1.from.total_cmp(&b.1.from))?,
            _ => stretches.iter().enumerate().max_by(|a, b| a.1.to.total_cmp(&b.1.to))?,
        };
        Some(Stand { stretch: at, x: if goal == Goal::LeastSpend { stretch.from } else { stretch.to } })
    };
    let asked = matches!(goal, Goal::LeastSpend | Goal::MostSpend);
    asked.then(|| program.places.iter().map(|place| end(&place.stretches)).collect()).flatten()
}

/// The least and the most that can be spent within all limits but the budget.
fn totals(problem: &Problem) -> Result<Option<(f64, f64)>> {
    let kept: Vec<Item> = items(problem).into_iter().filter(|&item| item != Item::Budget).collect();
    let part = only(problem, &kept);
    let horizon = horizon(problem);
    let Some(least) = extreme(part.clone(), horizon, Goal::LeastSpend)? else { return Ok(None) };
    let least: f64 = least.spend.iter().sum();
    let most = extreme(part, horizon, Goal::MostSpend)?.map_or(least, |most| most.spend.iter().sum());
    Ok(Some((least, if most >= 0.99 * horizon { f64::INFINITY } else { most })))
}

/// The best level of the target within all other limits: one that can be reached, and the best for concave curves.
///
/// A ratio is raised by W. Dinkelbach's method ("On nonlinear fractional programming", Management Science 13, 1967): the plan
/// that exceeds the present ratio by most has a better one, until none does.
fn best_target(problem: &Problem) -> Result<Option<f64>> {
    let Some(mut target) = problem.target else { return Ok(None) };
    let kept: Vec<Item> = items(problem).into_iter().filter(|&item| item != Item::Target).collect();
    let part = only(problem, &kept);
    let horizon = horizon(problem);
    if let Target::MarginalRoas(_) = target {
        return Ok(None);
    }
    let mut best = None;
    for _ in 0..30 {
        let Some(found) = extreme(part.clone(), horizon, Goal::Exceed(target))? else { return Ok(None) };
        let spend: f64 = found.spend.iter().sum();
        let response = |valued: bool| -> f64 {
            let each = found.spend.iter().enumerate();
            each.map(|(i, &x)| {
                problem.curves.set.arm(i).response(x) * if valued { problem.value.at(i) } else { 1.0 }
            })
            .sum()
        };
        let level = match target {
            Target::Response(_) => return Ok(Some(response(true))),
            Target::Roas(_) => response(true) / spend,
            Target::Cpa(_) => spend / response(false),
            Target::MarginalRoas(_) => return Ok(None),
        };
        if !level.is_finite() {
            return Ok(best);
        }
        let last = target.level();
        best = Some(level);
        target = Target::from_name(target.as_str(), level).unwrap_or(target);
        if (level - last).abs() <= 1e-9 * level.abs() {
            break;
        }
    }
    Ok(best)
}
