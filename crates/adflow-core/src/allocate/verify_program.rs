//! Recomputes the claims of a plan whose limits reach over several arms, from the problem and the plan alone.
//!
//! Shared with the search are only the problem in its standard form (stretches and rows) and the evaluation of the curves:
//! sums, limits and the bound of every case are taken anew, each inner maximum by interval subdivision.

use super::coupled::Stand;
use super::group::Member;
use super::plan::{Plan, Status};
use super::problem::Problem;
use super::program::{Prices, Program, Range};
use super::proof::Node;
use super::verify::{Check, ROUNDING, Verification, agree, over};
use crate::curve::column::Column;

/// See [`Plan::verify`].
pub(crate) fn verify(plan: &Plan) -> Verification {
    let problem = &*plan.problem;
    let n = problem.curves.len();
    let mut checks = Vec::new();
    let mut check = |name, ok, detail: String| checks.push(Check { name, ok, detail });
    let shaped = [&plan.spend, &plan.response, &plan.marginal_response].iter().all(|c| c.len() == n);
    let program = problem.check_arms().and_then(|()| problem.rows()).and_then(|rows| problem.program(rows));
    let whole = |program: &Program<'_>| program.places.iter().all(|place| !place.stretches.is_empty());
    let (true, Some(program)) = (shaped, program.ok().filter(whole)) else {
        check("limits", false, "the plan does not fit its problem".into());
        let (objective_value, upper_bound) = (f64::NAN, f64::INFINITY);
        return Verification { ok: false, checks, objective_value, upper_bound, gap: f64::INFINITY };
    };
    let print = fingerprint(plan);
    check(
        "fingerprint",
        print == plan.fingerprint,
        format!("{print:016x}, stated {:016x}", plan.fingerprint),
    );

    let stands: Option<Vec<Stand>> = (0..n).map(|i| stand(&program, i, plan.spend[i])).collect();
    let label = |i: usize| problem.curves.set.label(i);
    let Some(stands) = stands else {
        let outside = (0..n).find(|&i| stand(&program, i, plan.spend[i]).is_none()).unwrap_or(0);
        check(
            "limits",
            false,
            format!("{} spends {}, outside its limits", label(outside), plan.spend[outside]),
        );
        let (objective_value, upper_bound) = (f64::NAN, f64::INFINITY);
        return Verification { ok: false, checks, objective_value, upper_bound, gap: f64::INFINITY };
    };
    check("limits", true, format!("{n} spends within their limits"));
    for row in &program.rows {
        let (sum, size) = program.sum(row, &stands);
        let allowed = ROUNDING * size.max(row.bound.abs());
        let ok = sum - row.bound <= allowed && (!row.equal || sum - row.bound >= -allowed);
        let name = row.limit.name.as_deref().map(|name| format!(" of {name}")).unwrap_or_default();
        check("rows", ok, format!("{}{name}: {sum} of {}", row.limit.limit, row.bound));
    }
    let named = plan.limits.len() == program.rows.len()
        && plan.limits.iter().zip(&program.rows).all(|(limit, row)| {
            limit.limit == row.limit.limit
                && limit.name == row.limit.name
                && limit.bound.to_bits() == row.limit.bound.to_bits()
        });
    check("limits_named", named, format!("{} limits on several arms", program.rows.len()));

    let value: f64 = match problem.risk {
        Some(risk) => {
            let costs: f64 = stands.iter().enumerate().map(|(i, stand)| costs(&program, i, *stand)).sum();
            risk.of(&super::risk::measure::outcomes(problem, &plan.spend)) - costs
        }
        None => stands.iter().enumerate().map(|(i, stand)| objective(problem, &program, i, *stand)).sum(),
    };
    let wrong = (0..n).find(|&i| {
        let (arm, x) = (problem.curves.set.arm(i), plan.spend[i]);
        !agree(arm.response(x), plan.response[i]) || !agree(arm.slope(x), plan.marginal_response[i])
    });
    let detail = match wrong {
        Some(i) => format!("{} does not respond as stated", label(i)),
        None => "every response and marginal response recomputed".into(),
    };
    check("responses", wrong.is_none(), detail);
    let total: f64 = plan.spend.iter().sum();
    let response: f64 = plan.response.iter().sum();
    let close = |a: f64, b: f64, size: f64| (a - b).abs() <= ROUNDING * size.max(a.abs());
    let size =
        stands.iter().enumerate().map(|(i, stand)| objective(problem, &program, i, *stand).abs()).sum();
    let totals = close(value, plan.objective_value, size)
        && agree(total, plan.total_spend)
        && agree(response, plan.total_response);
    check("totals", totals, format!("objective value {value}, stated {}", plan.objective_value));

    let bound = match problem.risk {
        Some(_) => super::risk::verify::bound(problem, &program, &plan.proof, plan.upper_bound),
        None => bound(problem, &program, &plan.proof.nodes, plan.upper_bound),
    }
    .max(value);
    let tiny = program.tiny(Some(&stands));
    let apart = (bound - plan.upper_bound).abs();
    let digits = 1e-13 * priced(&program, &stands, &plan.proof.nodes);
    let proven = bound.is_finite() && apart <= ROUNDING * bound.abs().max(1e-3 * size) + 1e-6 * tiny + digits;
    check("upper_bound", proven, format!("recomputed {bound}, stated {}", plan.upper_bound));
    let stated = (plan.upper_bound - plan.objective_value) / plan.upper_bound.abs().max(tiny);
    let gap = (bound - value) / bound.abs().max(tiny);
    let status =
        (stated - plan.gap).abs() <= ROUNDING && plan.status == Status::of(plan.gap, problem.tolerance);
    check("status", status, format!("{} with a gap of {gap:.2e}", plan.status));
    let ok = checks.iter().all(|check| check.ok);
    Verification { ok, checks, objective_value: value, upper_bound: bound, gap }
}

/// A number that changes with any number of the limits, the plan or the proof.
pub(crate) fn fingerprint(plan: &Plan) -> u64 {
    let problem = &*plan.problem;
    let mut print = Print(0xcbf2_9ce4_8422_2325);
    let columns = [
        &problem.lower,
        &problem.upper,
        &problem.active_lower,
        &problem.value,
        &problem.activation_cost,
        &problem.max_change,
        &problem.max_change_amount,
        &problem.move_cost,
        &problem.step,
    ];
    for column in columns {
        match column {
            Column::Same(value) => print.numbers(&[*value]),
            Column::Each(values) => print.numbers(values),
        }
    }
    print.numbers(problem.current.as_deref().unwrap_or_default());
    let goals = (problem.budget, problem.spend_all, problem.objective, problem.target, problem.risk);
    let counts = (problem.max_active, problem.max_moves, problem.extrapolation);
    print.text(&format!("{goals:?} {counts:?} {:?}", problem.coupling));
    for group in &problem.groups {
        let bounds = [group.lower, group.upper, group.share_lower, group.share_upper];
        print.text(&group.name);
        bounds.iter().for_each(|bound| print.numbers(&[bound.unwrap_or(f64::NAN)]));
        for member in &group.members {
            match member {
                Member::Arm(arm) => print.add(*arm as u64),
                Member::Name(name) => print.text(name),
            }
        }
    }
    // The curves by what they say at the plan.
    for column in [&plan.spend, &plan.response, &plan.marginal_response] {
        print.numbers(column);
    }
    plan.limits.iter().for_each(|limit| print.numbers(&[limit.bound, limit.price]));
    for node in &plan.proof.nodes {
        match node {
            Node::Multipliers { values, impossible } => {
                print.numbers(values);
                print.add(u64::from(*impossible));
            }
            other => print.text(&format!("{other:?}")),
        }
    }
    print.0
}

/// A running fingerprint: each word is folded in with a multiplication (after FNV-1a, a word at a time).
struct Print(u64);

impl Print {
    fn add(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }

    fn numbers(&mut self, numbers: &[f64]) {
        self.add(numbers.len() as u64);
        numbers.iter().for_each(|number| self.add(number.to_bits()));
    }

    fn text(&mut self, text: &str) {
        self.add(text.len() as u64);
        text.bytes().for_each(|byte| self.add(u64::from(byte)));
    }
}

/// The size of what the multipliers of a proof make of the rows: where limits leave hardly a plan they are large, and φ is a
/// small difference of large numbers.
fn priced(program: &Program<'_>, stands: &[Stand], nodes: &[Node]) -> f64 {
    let sizes: Vec<f64> = program
        .rows
        .iter()
        .map(|row| {
            let counted = row.terms.len().max(if row.terms.is_empty() { stands.len() } else { 0 });
            #[allow(clippy::cast_precision_loss, reason = "a count")]
            let size = program.sum(row, stands).1 * counted as f64;
            size + row.bound.abs()
        })
        .collect();
    let of = |node: &Node| match node {
        Node::Multipliers { values, impossible: false } => {
            values.iter().zip(&sizes).map(|(y, size)| (y * size).abs()).sum()
        }
        _ => 0.0,
    };
    nodes.iter().map(of).fold(0.0, f64::max)
}

/// The stretch on which an arm spends x: that with the fewest counts, where several hold it.
pub(super) fn stand(program: &Program<'_>, i: usize, x: f64) -> Option<Stand> {
    let stretches = program.places[i].stretches.iter().enumerate().filter(|(_, stretch)| stretch.holds(x));
    let counts =
        |stretch: &super::stretches::Stretch<'_>| usize::from(stretch.active) + usize::from(stretch.moved);
    stretches.min_by_key(|(_, stretch)| counts(stretch)).map(|(stretch, _)| Stand { stretch, x })
}

fn objective(problem: &Problem, program: &Program<'_>, i: usize, stand: Stand) -> f64 {
    let (value, x) = (problem.value.at(i), stand.x);
    let brought = if program.counts_value > 0.0 && value > 0.0 {
        value * problem.curves.set.arm(i).response(x)
    } else {
        0.0
    };
    brought - costs(program, i, stand)
}

/// rate · x + fixed.
pub(super) fn costs(program: &Program<'_>, i: usize, stand: Stand) -> f64 {
    let stretch = &program.places[i].stretches[stand.stretch];
    stretch.rate * stand.x + stretch.fixed
}

/// The largest φ over the cases of a proof, which must cover all plans; +∞ where they do not.
pub(super) fn bound(problem: &Problem, program: &Program<'_>, nodes: &[Node], stated: f64) -> f64 {
    let mut best = f64::NEG_INFINITY;
    let mut visited = 0;
    let mut waiting = vec![(0, program.whole())];
    while let Some((at, ranges)) = waiting.pop() {
        visited += 1;
        match nodes.get(at) {
            Some(_) if visited > nodes.len() => return f64::INFINITY,
            Some(Node::Multipliers { values, impossible }) => {
                let signs = values.len() == program.rows.len()
                    && values
                        .iter()
                        .zip(&program.rows)
                        .all(|(y, row)| y.is_finite() && (row.equal || *y >= 0.0));
                if !signs {
                    return f64::INFINITY;
                }
                if *impossible {
                    let empty = ranges.iter().enumerate().any(|(i, range)| nothing(program, i, range));
                    if !empty && phi(problem, program, &ranges, values, 0.0, 0.0) >= 0.0 {
                        return f64::INFINITY;
                    }
                } else {
                    best = best.max(phi(problem, program, &ranges, values, 1.0, stated));
                }
            }
            Some(&Node::Cut { arm, stretch, at_most, at_least, below, above }) => {
                let Some(place) = program.places.get(arm).filter(|place| stretch < place.stretches.len())
                else {
                    return f64::INFINITY;
                };
                let step = place.stretches[stretch].step;
                let (mut low, mut high) = (ranges.clone(), ranges);
                match (at_most, at_least) {
                    (None, None) if stretch > 0 => {
                        cap(&mut low[arm], stretch - 1, f64::INFINITY);
                        lift(&mut high[arm], stretch, f64::NEG_INFINITY);
                    }
                    // Nothing the arm may spend lies between the two.
                    (Some(most), Some(least))
                        if most >= least || step > 0.0 && least - most <= step * (1.0 + ROUNDING) =>
                    {
                        cap(&mut low[arm], stretch, most);
                        lift(&mut high[arm], stretch, least);
                    }
                    _ => return f64::INFINITY,
                }
                waiting.push((below, low));
                waiting.push((above, high));
            }
            _ => return f64::INFINITY,
        }
    }
    best
}

/// Nothing above `at_most` on the stretch.
fn cap(range: &mut Range, stretch: usize, at_most: f64) {
    if range.last > stretch {
        (range.last, range.at_most) = (stretch, at_most);
    } else if range.last == stretch {
        range.at_most = range.at_most.min(at_most);
    }
}

/// Nothing below `at_least` on the stretch.
fn lift(range: &mut Range, stretch: usize, at_least: f64) {
    if range.first < stretch {
        (range.first, range.at_least) = (stretch, at_least);
    } else if range.first == stretch {
        range.at_least = range.at_least.max(at_least);
    }
}

/// The intervals that a range leaves of an arm's stretches, with their positions.
fn left(program: &Program<'_>, i: usize, range: &Range) -> Vec<(usize, f64, f64)> {
    let stretches = &program.places[i].stretches;
    let mut left = Vec::new();
    for (at, stretch) in stretches.iter().enumerate().take(range.last + 1).skip(range.first) {
        let (low, high) = range.on(at);
        let (mut from, mut to) = (stretch.from.max(low), stretch.to.min(high));
        if stretch.step > 0.0 {
            let steps = |x: f64| x / stretch.step;
            from = (steps(from) - 1e-6).ceil() * stretch.step;
            to = (steps(to) + 1e-6).floor() * stretch.step;
        }
        if from <= to {
            left.push((at, from, to));
        }
    }
    left
}

fn nothing(program: &Program<'_>, i: usize, range: &Range) -> bool {
    left(program, i, range).is_empty()
}

/// φ(y) on the ranges; −∞ where an arm has nothing left.
fn phi(
    problem: &Problem,
    program: &Program<'_>,
    ranges: &[Range],
    multipliers: &[f64],
    objective: f64,
    stated: f64,
) -> f64 {
    let prices = program.prices(multipliers, objective);
    let paid: f64 = program
        .rows
        .iter()
        .zip(multipliers)
        .map(|(row, y)| if *y == 0.0 { 0.0 } else { y * row.bound })
        .sum();
    #[allow(clippy::cast_precision_loss, reason = "a count")]
    let exact = 1e-11 * stated.abs() / ranges.len() as f64;
    let mut sum = paid;
    for (i, (range, prices)) in ranges.iter().zip(&prices).enumerate() {
        let most = left(program, i, range)
            .into_iter()
            .map(|(at, from, to)| most_on(problem, program, i, at, (from, to), prices, exact))
            .fold(f64::NEG_INFINITY, f64::max);
        if most == f64::NEG_INFINITY {
            return most;
        }
        sum += most;
    }
    sum
}

fn most_on(
    problem: &Problem,
    program: &Program<'_>,
    i: usize,
    at: usize,
    (from, to): (f64, f64),
    prices: &Prices,
    exact: f64,
) -> f64 {
    let stretch = &program.places[i].stretches[at];
    let arm = problem.curves.set.arm(i);
    let price = prices.spend + prices.objective * stretch.rate;
    let worth = if prices.weight > 0.0 {
        over(&arm, prices.weight, price, (from, to), stretch.step, exact)
    } else {
        (-price * from).max(-price * to)
    };
    let active = if stretch.active { prices.active } else { 0.0 };
    let moved = if stretch.moved { prices.moved } else { 0.0 };
    worth - prices.objective * stretch.fixed - active - moved
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::coupling::Coupling;
    use super::super::goal::Target;
    use super::super::group::Group;
    use super::*;
    use crate::curve::ResponseCurves;

    fn problem() -> Problem {
        let curves = ResponseCurves::hill(
            [120.0, 80.0, 60.0, 90.0, 40.0],
            [5.0, 9.0, 4.0, 6.0, 3.0],
            [2.0, 1.5, 0.8, 3.0, 2.5],
        );
        Problem::new(curves.unwrap())
            .budget(20.0)
            .upper(12.0)
            .groups([Group::new("first", [0, 1, 3]).upper(15.0), Group::new("rest", [2, 4]).share_upper(0.4)])
            .coupling(Coupling::new().row("half", [(0, 0.5), (3, -1.0)], 0.0))
            .target(Target::Roas(1.5))
    }

    fn failed(plan: &Plan) -> Vec<&'static str> {
        plan.verify().checks.iter().filter(|check| !check.ok).map(|check| check.name).collect()
    }

    #[test]
    fn an_honest_plan_passes() {
        let plan = problem().solve().unwrap();
        assert!(failed(&plan).is_empty(), "{:?}", plan.verify());
        assert!(plan.limits.iter().any(|limit| limit.price > 0.0));
    }

    #[test]
    fn a_spend_moved_by_a_millionth_of_the_budget_is_found() {
        let plan = problem().solve().unwrap();
        for i in 0..plan.spend.len() {
            for by in [1e-6, -1e-6] {
                let mut forged = plan.clone();
                forged.spend[i] += by * 20.0;
                assert!(!failed(&forged).is_empty(), "arm {i}");
            }
        }
    }

    #[test]
    fn a_changed_multiplier_is_found() {
        let plan = problem().solve().unwrap();
        for r in 0..plan.limits.len() {
            let mut forged = plan.clone();
            forged.limits[r].price += 1e-9;
            assert!(failed(&forged).contains(&"fingerprint"));
            for node in 0..plan.proof.nodes.len() {
                let mut forged = plan.clone();
                let Node::Multipliers { values, .. } = &mut forged.proof.nodes[node] else { continue };
                values[r] = 1.01 * values[r] + 1e-9;
                assert!(failed(&forged).contains(&"fingerprint"));
            }
            // With the fingerprint mended too a multiplier that is a tenth off is found by the bound, where it counts.
            let mut forged = plan.clone();
            if let [Node::Multipliers { values, .. }] = &mut forged.proof.nodes[..]
                && values[r] > 0.0
            {
                values[r] *= 1.1;
                forged.fingerprint = fingerprint(&forged);
                assert!(failed(&forged).contains(&"upper_bound"), "row {r}");
            }
        }
    }

    #[test]
    fn a_dropped_limit_is_found() {
        let plan = problem().solve().unwrap();
        let drops: [fn(&mut Problem); 7] = [
            |problem| problem.groups.truncate(1),
            |problem| drop(problem.groups.remove(0)),
            |problem| problem.coupling.rows.clear(),
            |problem| problem.target = None,
            |problem| problem.upper = Column::Same(f64::INFINITY),
            |problem| problem.budget = Some(21.0),
            |problem| problem.groups[0].upper = Some(15.1),
        ];
        for (at, drop) in drops.into_iter().enumerate() {
            let mut problem = (*plan.problem).clone();
            drop(&mut problem);
            let forged = Plan { problem: Arc::new(problem), ..plan.clone() };
            assert!(!failed(&forged).is_empty(), "drop {at}");
        }
    }

    #[test]
    fn a_proof_that_leaves_cases_out_proves_nothing() {
        let curves = ResponseCurves::hill([10.0, 9.0, 8.0], [3.0, 3.0, 3.0], [4.0, 3.0, 5.0]).unwrap();
        let plan = Problem::new(curves).budget(7.0).max_active(2).activation_cost(0.5).solve().unwrap();
        assert!(failed(&plan).is_empty());
        let mut forged = plan.clone();
        forged.proof.nodes.clear();
        forged.fingerprint = fingerprint(&forged);
        assert!(failed(&forged).contains(&"upper_bound"));
    }
}
