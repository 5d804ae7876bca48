//! Which totals can be spent at all when arms spend nothing or at least a minimum.
//!
//! Each arm allows {0} ∪ [a, u] (or [l, u]); the totals that a set of arms allows are the sums, a union of intervals.

use super::checked::Checked;
use crate::error::{Error, Infeasibility, Result};

/// Intervals kept at most; merging keeps them few unless minima and maxima nearly coincide.
const MOST_INTERVALS: usize = 100_000;

/// A plan that spends the whole budget, where that is asked and zero-or-minimum arms make it a question.
///
/// # Errors
/// [`Error::Infeasible`] with the nearest totals that can be spent.
pub(crate) fn witness(problem: &Checked<'_>) -> Result<Option<Vec<f64>>> {
    let n = problem.len();
    if !problem.spend_all || (0..n).all(|i| problem.active(i) <= 0.0) {
        return Ok(None);
    }
    let budget = problem.budget;
    let rounding = 1e-12 * budget;
    // What arms 0..i can spend together, for every i.
    let mut stages: Vec<Vec<(f64, f64)>> = vec![vec![(0.0, 0.0)]];
    for i in 0..n {
        let before = &stages[i];
        let mut next: Vec<(f64, f64)> = Vec::with_capacity(2 * before.len());
        for (from, to) in choices(problem, i) {
            next.extend(before.iter().map(|&(low, high)| (low + from, high + to)));
        }
        next.sort_by(|a, b| a.0.total_cmp(&b.0));
        // Of the totals above the budget the least says enough.
        let below = next.partition_point(|&(low, _)| low <= budget + rounding);
        next.truncate(below + 1);
        let mut merged: Vec<(f64, f64)> = Vec::with_capacity(next.len());
        for (low, high) in next {
            match merged.last_mut() {
                Some(last) if low <= last.1 + rounding => last.1 = last.1.max(high),
                _ => merged.push((low, high)),
            }
        }
        if merged.len() > MOST_INTERVALS {
            let expected = "such that whole sums of minima and maxima can be told apart; loosen some bounds";
            return Err(Error::out_of_domain("active_lower", expected, format!("{} sums", merged.len())));
        }
        stages.push(merged);
    }
    let reached = |stage: &[(f64, f64)], total: f64| {
        stage.iter().any(|&(low, high)| low - rounding <= total && total <= high + rounding)
    };
    if !reached(&stages[n], budget) {
        return Err(infeasible(problem, &stages[n]));
    }
    // Walk back, arm by arm, keeping to what the arms before can still reach.
    let mut spend = vec![0.0; n];
    let mut total = budget;
    for i in (0..n).rev() {
        let found = choices(problem, i).into_iter().find_map(|(from, to)| {
            stages[i].iter().find_map(|&(low, high)| {
                // x in [from, to] with total − x in [low, high].
                let (least, most) = (from.max(total - high), to.min(total - low));
                (least <= most + rounding).then(|| least.min(most).clamp(from, to))
            })
        });
        spend[i] = found.unwrap_or(0.0);
        total -= spend[i];
    }
    Ok(Some(spend))
}

/// The intervals that one arm may spend in.
fn choices(problem: &Checked<'_>, i: usize) -> Vec<(f64, f64)> {
    // Beyond the budget too: the totals above it are what an infeasible problem is told.
    let (lower, active, cap) = (problem.lower(i), problem.active(i), problem.upper(i));
    if active <= 0.0 {
        vec![(lower, cap)]
    } else if active <= cap {
        vec![(0.0, 0.0), (active, cap)]
    } else {
        vec![(0.0, 0.0)]
    }
}

fn infeasible(problem: &Checked<'_>, totals: &[(f64, f64)]) -> Error {
    let budget = problem.budget;
    let below = totals
        .iter()
        .map(|&(_, high)| high)
        .filter(|&high| high < budget)
        .fold(None, |best, x| Some(best.map_or(x, |best: f64| best.max(x))));
    let above = totals
        .iter()
        .map(|&(low, _)| low)
        .filter(|&low| low > budget)
        .fold(None, |best, x| Some(best.map_or(x, |best: f64| best.min(x))));
    let n = problem.len();
    let minima = (0..n).filter(|&i| problem.active(i) > 0.0);
    let mut conflict = vec![problem.budget_limit()];
    conflict.extend(minima.map(|i| problem.limit("active_lower", i, problem.active(i))));
    let bounded = (0..n).filter(|&i| problem.upper(i) < budget);
    conflict.extend(bounded.map(|i| problem.limit("upper", i, problem.upper(i))));
    let most: f64 = (0..n).map(|i| problem.upper(i)).sum();
    Error::Infeasible(Box::new(Infeasibility {
        budget,
        conflict,
        feasible_budget: Some((problem.total_lower, most)),
        nearest: (below, above),
        feasible_target: None,
    }))
}
