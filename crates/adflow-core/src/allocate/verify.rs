//! Recomputes a plan's claims from the problem and the plan alone.
//!
//! Nothing here is shared with the search but the evaluation of the curves: each inner maximum of the bound is taken
//! by cutting the arm's spends into ever smaller intervals on which the slope is known to lie between two numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::checked::Checked;
use super::order;
use super::plan::{Plan, Status, gap};
use super::proof::{Node, Proof};
use crate::curve::arm::{Arm, Form};

/// What [`Plan::verify`] found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verification {
    /// Whether every check passed.
    pub ok: bool,
    /// The checks, in the order they were made.
    pub checks: Vec<Check>,
    /// Σ value · response, recomputed.
    pub objective_value: f64,
    /// The upper bound, recomputed from the prices of the proof; +∞ where the proof proves nothing.
    pub upper_bound: f64,
    /// The gap between the two.
    pub gap: f64,
}

/// One check of a verification.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// `"limits"`, `"budget"`, `"responses"`, `"totals"`, `"upper_bound"` or `"status"`.
    pub name: &'static str,
    /// Whether it passed.
    pub ok: bool,
    /// What was compared.
    pub detail: String,
}

/// Relative rounding that a recomputation may differ by.
pub(super) const ROUNDING: f64 = 1e-9;

impl Plan {
    /// Recomputes the limits, the responses, the bound and the gap from the problem and the plan alone.
    ///
    /// The upper bound is recomputed from the prices in [`proof`](Self::proof): every inner maximum is bounded from
    /// above by interval subdivision, which uses the curves' values, slopes and inflections and nothing of the search.
    #[must_use]
    pub fn verify(&self) -> Verification {
        let problem = &*self.problem;
        if !problem.is_one_budget() {
            return super::verify_program::verify(self);
        }
        let n = problem.curves.len();
        let mut checks = Vec::new();
        let mut check = |name, ok, detail: String| checks.push(Check { name, ok, detail });
        let shaped = [&self.spend, &self.response, &self.marginal_response].iter().all(|c| c.len() == n);
        let checked = problem
            .check_arms()
            .and_then(|()| problem.check_budget(problem.budget, 0..n, || "budget".into()));
        let (true, Ok(checked)) = (shaped, checked) else {
            check("limits", false, "the plan does not fit its problem".into());
            let (objective_value, upper_bound) = (f64::NAN, f64::INFINITY);
            return Verification { ok: false, checks, objective_value, upper_bound, gap: f64::INFINITY };
        };

        let outside = (0..n).find(|&i| !allowed(&checked, i, self.spend[i]));
        check(
            "limits",
            outside.is_none(),
            match outside {
                Some(i) => format!("{} spends {}, outside its limits", checked.set.label(i), self.spend[i]),
                None => format!("{n} spends within their limits"),
            },
        );
        let total: f64 = self.spend.iter().sum();
        let budget = checked.budget;
        let spent = total <= budget * (1.0 + ROUNDING);
        let enough = !problem.spend_all || total >= budget * (1.0 - ROUNDING);
        check("budget", spent && enough, format!("{total} of {budget} spent"));

        let value: f64 = (0..n).map(|i| checked.weight(i) * checked.arm(i).response(self.spend[i])).sum();
        let wrong = (0..n).find(|&i| {
            let (arm, x) = (checked.arm(i), self.spend[i]);
            let slope = arm.slope(x);
            let same_slope = agree(slope, self.marginal_response[i]) || slope.is_infinite();
            !agree(arm.response(x), self.response[i]) || !same_slope && !matches!(arm.form, Form::Table(_))
        });
        check(
            "responses",
            wrong.is_none(),
            match wrong {
                Some(i) => format!("{} does not respond as stated", checked.set.label(i)),
                None => "every response and marginal response recomputed".into(),
            },
        );
        let response: f64 = self.response.iter().sum();
        let totals = agree(value, self.objective_value)
            && agree(total, self.total_spend)
            && agree(response, self.total_response);
        check("totals", totals, format!("objective value {value}, stated {}", self.objective_value));

        let bound = bound(&checked, &self.proof, self.upper_bound);
        let proven = bound.is_finite()
            && (bound - self.upper_bound).abs() <= ROUNDING * self.upper_bound.abs() + f64::MIN_POSITIVE;
        check("upper_bound", proven, format!("recomputed {bound}, stated {}", self.upper_bound));
        let gap = gap(value, bound);
        let stated = super::plan::gap(self.objective_value, self.upper_bound);
        let status =
            (stated - self.gap).abs() <= ROUNDING && self.status == Status::of(self.gap, problem.tolerance);
        check("status", status, format!("{} with a gap of {gap:.2e}", self.status));
        let ok = checks.iter().all(|check| check.ok);
        Verification { ok, checks, objective_value: value, upper_bound: bound, gap }
    }
}

pub(super) fn agree(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a - b).abs() <= ROUNDING * a.abs().max(b.abs()) + f64::MIN_POSITIVE
}

fn allowed(problem: &Checked<'_>, i: usize, x: f64) -> bool {
    let (lower, upper, active) = (problem.lower(i), problem.upper(i), problem.active(i));
    let inside = x >= lower * (1.0 - ROUNDING) && x <= upper * (1.0 + ROUNDING);
    inside && (active <= 0.0 || x <= 0.0 || x >= active * (1.0 - ROUNDING))
}

/// The bound that a proof gives: the largest φ over its leaves, which must cover all cases. `stated` only sets how
/// exactly the inner maxima are taken.
pub(super) fn bound(problem: &Checked<'_>, proof: &Proof, stated: f64) -> f64 {
    if !proof.orders.iter().all(|order| order::is_order(problem, order)) {
        return f64::INFINITY;
    }
    #[allow(clippy::cast_precision_loss, reason = "a count")]
    let exact = 1e-11 * stated.abs() / problem.len() as f64;
    let mut places: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for (which, order) in proof.orders.iter().enumerate() {
        for (position, &arm) in order.iter().enumerate() {
            if places.insert(arm, (which, position)).is_some() {
                return f64::INFINITY;
            }
        }
    }
    let whole: Vec<(f64, f64)> = (0..problem.len()).map(|i| (problem.lower(i), problem.cap(i))).collect();
    let mut best = f64::NEG_INFINITY;
    let mut visited = 0;
    let mut waiting = vec![(0, whole)];
    while let Some((at, mut box_)) = waiting.pop() {
        visited += 1;
        match proof.nodes.get(at) {
            // A missing node or a loop proves nothing.
            None
            | Some(
                Node::Multipliers { .. }
                | Node::Cut { .. }
                | Node::Weights { .. }
                | Node::Reweighted { .. }
                | Node::Draw { .. },
            ) => return f64::INFINITY,
            Some(_) if visited > proof.nodes.len() => return f64::INFINITY,
            Some(Node::Leaf { price }) => best = best.max(leaf(problem, &box_, *price, exact)),
            Some(&Node::Branch { arm, at_most, at_least, below, above }) => {
                if arm >= problem.len() || !covers(problem, arm, at_most, at_least) {
                    return f64::INFINITY;
                }
                let mut other = box_.clone();
                let own = [arm];
                let (after, before) = match places.get(&arm) {
                    Some(&(order, position)) => {
                        (&proof.orders[order][position..], &proof.orders[order][..=position])
                    }
                    None => (&own[..], &own[..]),
                };
                after.iter().for_each(|&arm| box_[arm].1 = box_[arm].1.min(at_most));
                before.iter().for_each(|&arm| other[arm].0 = other[arm].0.max(at_least));
                waiting.push((below, box_));
                waiting.push((above, other));
            }
        }
    }
    best
}

/// Whether "at most" and "at least" leave out nothing that the arm may spend.
fn covers(problem: &Checked<'_>, arm: usize, at_most: f64, at_least: f64) -> bool {
    at_most >= at_least || at_most >= 0.0 && at_least <= problem.active(arm)
}

/// φ(λ) on a box; −∞ where no plan fits the box.
fn leaf(problem: &Checked<'_>, box_: &[(f64, f64)], price: Option<f64>, exact: f64) -> f64 {
    let budget = problem.budget;
    let least: f64 = box_.iter().map(|range| range.0).sum();
    let most: f64 = box_.iter().map(|range| range.1).sum();
    let empty = box_.iter().any(|range| range.0 > range.1);
    if empty || least > budget * (1.0 + 1e-12) || problem.spend_all && most < budget * (1.0 - 1e-12) {
        return f64::NEG_INFINITY;
    }
    let Some(price) = price else {
        // An infinite price speaks only for a box in which the lower bounds take the whole budget.
        if least < budget * (1.0 - 1e-12) {
            return f64::INFINITY;
        }
        return (0..box_.len()).map(|i| problem.weight(i) * problem.arm(i).response(box_[i].0)).sum();
    };
    if !(price >= 0.0) {
        return f64::INFINITY;
    }
    let spare = if price > 0.0 { price * budget } else { 0.0 };
    (0..box_.len()).map(|i| most_of(problem, i, box_[i], price, exact)).sum::<f64>() + spare
}

/// An upper bound of max v f(x) − λ x over what arm i may spend in [from, to], exact to `exact`.
fn most_of(problem: &Checked<'_>, i: usize, (from, to): (f64, f64), price: f64, exact: f64) -> f64 {
    let (arm, weight, active) = (problem.arm(i), problem.weight(i), problem.active(i));
    let at = |x: f64| weight * arm.response(x) - price * x;
    if active > 0.0 && from < active {
        // Nothing, or at least the minimum.
        let nothing = if from <= 0.0 { at(0.0) } else { f64::NEG_INFINITY };
        return if to >= active {
            nothing.max(over(&arm, weight, price, (active, to), 0.0, exact))
        } else {
            nothing
        };
    }
    over(&arm, weight, price, (from, to), 0.0, exact)
}

/// An interval of spends with the value at its ends.
struct Interval {
    from: f64,
    to: f64,
    value_from: f64,
    value_to: f64,
    most: f64,
}

/// An upper bound of max weight · f(x) − price · x over [from, to], or over the multiples of `step` in it where that is
/// above 0; exact to `exact`.
pub(super) fn over(
    arm: &Arm<'_>,
    weight: f64,
    price: f64,
    (from, to): (f64, f64),
    step: f64,
    exact: f64,
) -> f64 {
    let value = |x: f64| weight * arm.response(x);
    if let Form::Table(table) = arm.form {
        // Straight lines: a maximum lies at an end or at a point, or at the multiple next to it.
        let near = |x: f64| match step > 0.0 {
            true => [(x / step).floor() * step, (x / step).ceil() * step].map(|x| x.clamp(from, to)),
            false => [x, x],
        };
        return table
            .knots(from, to)
            .chain([from, to])
            .flat_map(near)
            .map(|x| value(x) - price * x)
            .fold(f64::NEG_INFINITY, f64::max);
    }
    let interval = |from: f64, to: f64, value_from: f64, value_to: f64| {
        let (least, most) = arm.slope_bounds(from, to);
        let (least, most) = if weight > 0.0 { (weight * least, weight * most) } else { (0.0, 0.0) };
        let (at_from, at_to) = (value_from - price * from, value_to - price * to);
        let most = if most <= price {
            at_from
        } else if least >= price {
            at_to
        } else {
            // v f(x) ≤ v f(from) + most·(x − from) and v f(x) ≤ v f(to) − least·(to − x): highest where they meet.
            let meet = (value_to - value_from - least * (to - from)) / (most - least);
            let corner = at_from + (most - price) * meet.clamp(0.0, to - from);
            // And v f does not fall.
            let corner = if corner.is_finite() { corner } else { f64::INFINITY };
            corner.min(value_to - price * from)
        };
        Interval { from, to, value_from, value_to, most: most.max(at_from).max(at_to) }
    };
    let (value_from, value_to) = (value(from), value(to));
    let mut best = (value_from - price * from).max(value_to - price * to);
    if !(from < to) {
        return best;
    }
    let exact = exact.max(1e-14 * value_to.abs());
    let mut settled = best;
    let mut waiting = vec![interval(from, to, value_from, value_to)];
    let mut cuts = 0;
    while let Some(next) = waiting.pop() {
        let middle = if next.from <= 0.0 && next.to > 1e-12 * to {
            next.to / 64.0
        } else {
            0.5 * (next.from + next.to)
        };
        let middle = if step > 0.0 {
            let (first, last) = ((next.from / step).round() + 1.0, (next.to / step).round() - 1.0);
            (middle / step).round().max(first).min(last) * step
        } else {
            middle
        };
        let thin = middle <= next.from || middle >= next.to;
        if thin && step > 0.0 && next.to - next.from <= 1.5 * step {
            // Neighbours: nothing lies between them.
            let ends = (next.value_from - price * next.from).max(next.value_to - price * next.to);
            settled = settled.max(ends);
            continue;
        }
        if next.most <= best + exact || thin || cuts > 100_000 {
            settled = settled.max(next.most);
            continue;
        }
        cuts += 1;
        let value_middle = value(middle);
        best = best.max(value_middle - price * middle);
        waiting.push(interval(next.from, middle, next.value_from, value_middle));
        waiting.push(interval(middle, next.to, value_middle, next.value_to));
    }
    settled.max(best)
}
