//! Why no spends keep all limits of a schedule: the smallest set of limits that cannot hold together.
//!
//! The set is found by U. Junker's QuickXplain ("Preferred explanations and relaxations for over-constrained problems",
//! AAAI 2004). Whether limits can hold together is exact arithmetic on intervals; with totals of arms beside those of periods
//! a linear program, in which a minimum spend may be undercut.

use super::Schedule;
use super::grid::Grid;
use super::linear::{self, Answer, Line};
use crate::error::{Error, Infeasibility, Limit};

/// Intervals of a sum after which the nearest are joined: the answer then errs towards "possible".
const MOST_INTERVALS: usize = 512;
/// Relative rounding of a sum of limits.
const ROUNDING: f64 = 1e-12;

/// One limit, as the caller stated it: the limits of an arm hold for all periods where no period is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Budget,
    PeriodLower(usize),
    PeriodUpper(usize),
    ArmLower(usize),
    ArmUpper(usize),
    Lower(usize, Option<usize>),
    Upper(usize, Option<usize>),
    ActiveLower(usize, Option<usize>),
}

/// The error for a schedule that no spends satisfy, if it is one.
pub(crate) fn explain(schedule: &Schedule) -> Option<Error> {
    let items = items(schedule);
    if totals(schedule, &items).is_some() {
        return None;
    }
    let mut conflict = quick_xplain(schedule, &[], &items, false);
    conflict.sort_by_key(|item| items.iter().position(|other| other == item));
    let others: Vec<Item> = items.iter().copied().filter(|item| *item != Item::Budget).collect();
    let budget = schedule.budget.unwrap_or(f64::INFINITY);
    let reach = totals(schedule, &others).unwrap_or_default();
    let range = reach.first().zip(reach.last()).map(|(first, last)| (first.0, last.1));
    let below = reach.iter().map(|interval| interval.1).filter(|most| *most < budget).reduce(f64::max);
    let above = reach.iter().map(|interval| interval.0).filter(|least| *least > budget).reduce(f64::min);
    let below = below.filter(|_| schedule.spend_all);
    Some(Error::Infeasible(Box::new(Infeasibility {
        budget,
        conflict: conflict.into_iter().map(|item| limit(schedule, item)).collect(),
        feasible_budget: range,
        nearest: (below, above),
        feasible_target: None,
    })))
}

/// The error where the search ended before it found any plan.
pub(crate) fn undecided(schedule: &Schedule) -> Error {
    let limit = schedule.time_limit.map_or_else(|| "none was found".into(), |limit| limit.to_string());
    Error::out_of_domain("time_limit", "long enough to find spends that keep all limits", limit)
}

fn items(schedule: &Schedule) -> Vec<Item> {
    let mut items = Vec::new();
    items.extend(schedule.budget.map(|_| Item::Budget));
    for t in 0..schedule.periods {
        items.extend((schedule.period_lower.at(t) > 0.0).then_some(Item::PeriodLower(t)));
        items.extend(schedule.period_upper.at(t).is_finite().then_some(Item::PeriodUpper(t)));
    }
    for i in 0..schedule.curves.len() {
        items.extend((schedule.arm_lower.at(i) > 0.0).then_some(Item::ArmLower(i)));
        items.extend(schedule.arm_upper.at(i).is_finite().then_some(Item::ArmUpper(i)));
        let mut cells =
            |grid: &Grid, is: &dyn Fn(f64) -> bool, item: &dyn Fn(Option<usize>) -> Item| match grid {
                Grid::Arms(column) => items.extend(is(column.at(i)).then(|| item(None))),
                Grid::Rows(rows) => {
                    items.extend((0..rows.len()).filter(|&t| is(rows[t][i])).map(|t| item(Some(t))));
                }
            };
        cells(&schedule.lower, &|x| x > 0.0, &|t| Item::Lower(i, t));
        cells(&schedule.upper, &f64::is_finite, &|t| Item::Upper(i, t));
        cells(&schedule.active_lower, &|x| x > 0.0, &|t| Item::ActiveLower(i, t));
    }
    items
}

fn limit(schedule: &Schedule, item: Item) -> Limit {
    let names = schedule.curves.names();
    let arm_name = |i: usize| names.map(|names| names[i].clone());
    let period =
        |limit, t: usize, bound| Limit { limit, arm: None, name: Some(format!("period {t}")), bound };
    let arm = |limit, i: usize, bound| Limit { limit, arm: Some(i), name: arm_name(i), bound };
    let cell = |limit, grid: &Grid, i: usize, t: Option<usize>| {
        let name = match t {
            Some(t) => Some(format!("{} in period {t}", schedule.curves.set.label(i))),
            None => arm_name(i),
        };
        Limit { limit, arm: Some(i), name, bound: grid.at(t.unwrap_or(0), i) }
    };
    match item {
        Item::Budget => {
            Limit { limit: "budget", arm: None, name: None, bound: schedule.budget.unwrap_or(f64::INFINITY) }
        }
        Item::PeriodLower(t) => period("period_lower", t, schedule.period_lower.at(t)),
        Item::PeriodUpper(t) => period("period_upper", t, schedule.period_upper.at(t)),
        Item::ArmLower(i) => arm("arm_lower", i, schedule.arm_lower.at(i)),
        Item::ArmUpper(i) => arm("arm_upper", i, schedule.arm_upper.at(i)),
        Item::Lower(i, t) => cell("lower", &schedule.lower, i, t),
        Item::Upper(i, t) => cell("upper", &schedule.upper, i, t),
        Item::ActiveLower(i, t) => cell("active_lower", &schedule.active_lower, i, t),
    }
}

fn quick_xplain(schedule: &Schedule, kept: &[Item], items: &[Item], changed: bool) -> Vec<Item> {
    if changed && totals(schedule, kept).is_none() {
        return Vec::new();
    }
    if items.len() <= 1 {
        return items.to_vec();
    }
    let (first, second) = items.split_at(items.len() / 2);
    let mut found = quick_xplain(schedule, &[kept, first].concat(), second, true);
    let others = quick_xplain(schedule, &[kept, &found].concat(), first, !found.is_empty());
    found.extend(others);
    found
}

/// The totals that these limits allow, as intervals from left to right; nothing where they cannot hold together.
fn totals(schedule: &Schedule, kept: &[Item]) -> Option<Vec<(f64, f64)>> {
    let mut sorted = kept.to_vec();
    sorted.sort_unstable();
    let has = |item: Item| sorted.binary_search(&item).is_ok();
    let (n, periods) = (schedule.curves.len(), schedule.periods);
    let stated = |grid: &Grid, t: usize| matches!(grid, Grid::Rows(_)).then_some(t);
    // What an arm may spend in a period: (least, most, least above 0).
    let cell = |t: usize, i: usize| {
        let lower = has(Item::Lower(i, stated(&schedule.lower, t))).then(|| schedule.lower.at(t, i));
        let upper = has(Item::Upper(i, stated(&schedule.upper, t))).then(|| schedule.upper.at(t, i));
        let active = has(Item::ActiveLower(i, stated(&schedule.active_lower, t)));
        let active = if active { schedule.active_lower.at(t, i) } else { 0.0 };
        let lower = lower.unwrap_or(0.0);
        (if lower > 0.0 { lower.max(active) } else { 0.0 }, upper.unwrap_or(f64::INFINITY), active)
    };
    let period = |t: usize| {
        let lower = if has(Item::PeriodLower(t)) { schedule.period_lower.at(t) } else { 0.0 };
        (lower, if has(Item::PeriodUpper(t)) { schedule.period_upper.at(t) } else { f64::INFINITY })
    };
    let arm = |i: usize| {
        let lower = if has(Item::ArmLower(i)) { schedule.arm_lower.at(i) } else { 0.0 };
        (lower, if has(Item::ArmUpper(i)) { schedule.arm_upper.at(i) } else { f64::INFINITY })
    };
    let all = match schedule.budget.filter(|_| has(Item::Budget)) {
        Some(budget) => (if schedule.spend_all { budget } else { 0.0 }, budget),
        None => (0.0, f64::INFINITY),
    };
    #[allow(clippy::cast_precision_loss, reason = "a count of periods")]
    let times = periods as f64;
    if schedule.constant {
        let mut sum = vec![(0.0, 0.0)];
        for i in 0..n {
            let cells = (0..periods).map(|t| cell(t, i));
            let (low, high, active) = cells.fold((0.0, f64::INFINITY, 0.0), |all: (f64, f64, f64), own| {
                (all.0.max(own.0), all.1.min(own.1), all.2.max(own.2))
            });
            let (least, most) = arm(i);
            sum = plus(&sum, &within(&options(low, high, active), (least / times, most / times)));
        }
        let (least, most) = (0..periods)
            .map(period)
            .fold((0.0, f64::INFINITY), |all: (f64, f64), own| (all.0.max(own.0), all.1.min(own.1)));
        let per_period = within(&within(&sum, (least, most)), (all.0 / times, all.1 / times));
        let totals: Vec<_> =
            per_period.iter().map(|interval| (times * interval.0, times * interval.1)).collect();
        return Some(totals).filter(|totals| !totals.is_empty());
    }
    let mut sum = vec![(0.0, 0.0)];
    for t in 0..periods {
        let mut own = vec![(0.0, 0.0)];
        for i in 0..n {
            let (low, high, active) = cell(t, i);
            own = plus(&own, &options(low, high, active));
        }
        sum = plus(&sum, &within(&own, period(t)));
    }
    let sum = within(&sum, all);
    if sum.is_empty() || (0..n).all(|i| arm(i) == (0.0, f64::INFINITY)) {
        return Some(sum).filter(|sum| !sum.is_empty());
    }
    let lines = lines(n, periods, &cell, &period, &arm, all);
    let ones = vec![1.0; n * periods];
    let total = |x: &[f64]| x.iter().sum::<f64>() * lines.1;
    match linear::solve(&ones, &lines.0) {
        Answer::Impossible(_) => None,
        Answer::Best(least) => {
            let most = match linear::solve(&vec![-1.0; n * periods], &lines.0) {
                Answer::Best(most) => total(&most),
                _ => f64::INFINITY,
            };
            Some(vec![(total(&least), most)])
        }
        Answer::Unknown => Some(sum),
    }
}

/// The limits as lines, and the money of one unit.
fn lines(
    n: usize,
    periods: usize,
    cell: &dyn Fn(usize, usize) -> (f64, f64, f64),
    period: &dyn Fn(usize) -> (f64, f64),
    arm: &dyn Fn(usize) -> (f64, f64),
    all: (f64, f64),
) -> (Vec<Line>, f64) {
    let mut limits: Vec<(Vec<usize>, (f64, f64))> = vec![((0..n * periods).collect(), all)];
    limits.extend((0..periods).map(|t| ((t * n..(t + 1) * n).collect(), period(t))));
    limits.extend((0..n).map(|i| ((0..periods).map(|t| t * n + i).collect(), arm(i))));
    for t in 0..periods {
        for i in 0..n {
            let (low, high, _) = cell(t, i);
            limits.push((vec![t * n + i], (low, high)));
        }
    }
    let finite = limits.iter().flat_map(|(_, (low, high))| [*low, *high]).filter(|x| x.is_finite());
    let unit = finite.fold(0.0, f64::max);
    let unit = if unit > 0.0 { unit } else { 1.0 };
    let mut lines = Vec::new();
    for (whose, (low, high)) in limits {
        let terms = |sign: f64| whose.iter().map(|&j| (j, sign)).collect::<Vec<_>>();
        if high.is_finite() {
            lines.push((terms(1.0), high / unit));
        }
        if low > 0.0 || whose.len() == 1 {
            lines.push((terms(-1.0), -low / unit));
        }
    }
    (lines, unit)
}

/// [low, high], or {0} ∪ [active, high].
fn options(low: f64, high: f64, active: f64) -> Vec<(f64, f64)> {
    let mut options = Vec::new();
    if active > 0.0 && low <= 0.0 {
        options.push((0.0, 0.0));
    }
    let low = low.max(active);
    if low <= high * (1.0 + ROUNDING) {
        options.push((low, high.max(low)));
    }
    options
}

/// The part of intervals within limits, but for rounding.
fn within(intervals: &[(f64, f64)], (low, high): (f64, f64)) -> Vec<(f64, f64)> {
    let cut = |&(from, to): &(f64, f64)| {
        let holds = from <= high * (1.0 + ROUNDING) && to >= low * (1.0 - ROUNDING) && low <= high;
        holds.then(|| (from.max(low).min(high), to.min(high).max(low)))
    };
    intervals.iter().filter_map(cut).collect()
}

/// Sums of a number of one and a number of the other.
fn plus(a: &[(f64, f64)], b: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut sums: Vec<(f64, f64)> =
        a.iter().flat_map(|a| b.iter().map(move |b| (a.0 + b.0, a.1 + b.1))).collect();
    sums.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut joined: Vec<(f64, f64)> = Vec::new();
    for interval in sums {
        match joined.last_mut() {
            Some(last) if interval.0 <= last.1 => last.1 = last.1.max(interval.1),
            _ => joined.push(interval),
        }
    }
    while joined.len() > MOST_INTERVALS {
        let gap = |at: usize| joined[at + 1].0 - joined[at].1;
        let nearest = (0..joined.len() - 1).fold(0, |best, at| if gap(at) < gap(best) { at } else { best });
        joined[nearest].1 = joined[nearest + 1].1;
        joined.remove(nearest + 1);
    }
    joined
}
