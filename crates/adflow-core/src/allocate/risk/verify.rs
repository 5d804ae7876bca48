//! The bound that a proof with weights on the draws gives, from the problem and the proof alone.

use super::super::problem::Problem;
use super::super::program::Program;
use super::super::proof::{Node, Proof};
use super::super::{verify, verify_program};
use super::measure;
use crate::allocate::goal::Risk;
use crate::curve::ResponseCurves;
use crate::curve::arm::{Arm, Form};

/// The upper bound that a proof shows; +∞ where it shows nothing. `stated` only sets how exactly inner maxima are taken.
pub(crate) fn bound(problem: &Problem, program: &Program<'_>, proof: &Proof, stated: f64) -> f64 {
    let Some(risk) = problem.risk else { return f64::INFINITY };
    if let Risk::Probability(level) = risk {
        return super::chance::bound(problem, program, &proof.nodes, level);
    }
    let draws = problem.curves.draws();
    match &proof.nodes[..] {
        [Node::Weights { draws: weights, values }] if weights.len() == draws && risk.admits(weights) => {
            phi(problem, program, weights, values, stated)
        }
        [Node::Reweighted { draws: weights, proof }]
            if weights.len() == draws && risk.admits(weights) && weights.iter().all(|q| *q >= 0.0) =>
        {
            let problem = reweighted(problem, weights);
            if problem.is_one_budget() {
                let checked =
                    problem.check_budget(problem.budget, 0..problem.curves.len(), || "budget".into());
                return checked.map_or(f64::INFINITY, |checked| verify::bound(&checked, proof, stated));
            }
            let program = problem.rows().and_then(|rows| problem.program(rows));
            let whole =
                |program: &Program<'_>| program.places.iter().all(|place| !place.stretches.is_empty());
            program.ok().filter(whole).map_or(f64::INFINITY, |program| {
                verify_program::bound(&problem, &program, &proof.nodes, stated)
            })
        }
        _ => f64::INFINITY,
    }
}

/// The problem with one curve per arm, Σ_s q_s f_s, and no measure of risk.
pub(super) fn reweighted(problem: &Problem, weights: &[f64]) -> Problem {
    let mut certain = problem.clone();
    certain.risk = None;
    certain.curves = problem.curves.reweighed(weights);
    certain
}

/// φ(q, y) = Σ_r y_r b_r + Σ_i max_x [ v_i Σ_s q_s f_is(x) − p_i x − costs ] for weights of any sign; +∞ where the
/// multipliers are none.
pub(super) fn phi(
    problem: &Problem,
    program: &Program<'_>,
    weights: &[f64],
    values: &[f64],
    stated: f64,
) -> f64 {
    let rows = &program.rows;
    let signs = values.len() == rows.len()
        && values.iter().zip(rows).all(|(y, row)| y.is_finite() && (row.equal || *y >= 0.0));
    if !signs || weights.iter().any(|q| !q.is_finite()) {
        return f64::INFINITY;
    }
    let signed = Signed::new(problem, weights);
    let prices = program.prices(values, 1.0);
    let exact = 1e-10 * stated.abs() / measure::count(prices.len());
    let mut sum: f64 =
        values.iter().zip(rows).map(|(y, row)| if *y == 0.0 { 0.0 } else { y * row.bound }).sum();
    for (i, prices) in prices.iter().enumerate() {
        let most = program.places[i].stretches.iter().map(|stretch| {
            let price = prices.spend + stretch.rate;
            let worth = signed.most(i, price, (stretch.from, stretch.to), stretch.step, exact);
            let active = if stretch.active { prices.active } else { 0.0 };
            let moved = if stretch.moved { prices.moved } else { 0.0 };
            worth - stretch.fixed - active - moved
        });
        sum += most.fold(f64::NEG_INFINITY, f64::max);
    }
    sum
}

/// Σ_s q_s f_s of every arm, as what the weights above 0 bring less what those below 0 take.
struct Signed<'p> {
    problem: &'p Problem,
    above: Option<(ResponseCurves, f64)>,
    below: Option<(ResponseCurves, f64)>,
}

/// Values and slopes of an arm's weighted sum.
struct Sum<'a> {
    parts: [Option<(Arm<'a>, f64)>; 2],
}

impl Sum<'_> {
    fn value(&self, x: f64) -> f64 {
        self.parts.iter().flatten().map(|(arm, factor)| factor * arm.response(x)).sum()
    }

    /// Bounds of the slope on [from, to].
    fn slopes(&self, from: f64, to: f64) -> (f64, f64) {
        let (mut low, mut high) = (0.0, 0.0);
        for (arm, factor) in self.parts.iter().flatten() {
            let (least, most) = arm.slope_bounds(from, to);
            if *factor > 0.0 {
                low += factor * least;
                high += factor * most;
            } else {
                low += factor * most;
                high += factor * least;
            }
        }
        (low, high)
    }

    /// A bound of the value on [from, to] that holds without slopes: what rises counts at the end, what falls at the start.
    fn plain(&self, from: f64, to: f64) -> f64 {
        self.parts
            .iter()
            .flatten()
            .map(|(arm, factor)| factor * arm.response(if *factor > 0.0 { to } else { from }))
            .sum()
    }
}

impl<'p> Signed<'p> {
    fn new(problem: &'p Problem, weights: &[f64]) -> Self {
        let part = |sign: f64| {
            let own: Vec<f64> = weights.iter().map(|q| (sign * q).max(0.0)).collect();
            let total: f64 = own.iter().sum();
            let even: Vec<f64> = own.iter().map(|q| q / total).collect();
            (total > 0.0).then(|| (problem.curves.reweighed(&even), sign * total))
        };
        Self { problem, above: part(1.0), below: part(-1.0) }
    }

    /// An upper bound, exact to `exact`, of max v Σ q f(x) − price · x over the multiples of `step` in [from, to].
    fn most(&self, i: usize, price: f64, (from, to): (f64, f64), step: f64, exact: f64) -> f64 {
        let value = self.problem.value.at(i);
        let parts = [&self.above, &self.below].map(|curves| {
            let (curves, total) = curves.as_ref().filter(|_| value > 0.0)?;
            Some((curves.set.arm(i), value * total))
        });
        let sum = Sum { parts };
        let at = |x: f64| sum.value(x) - price * x;
        if let [Some((arm, factor)), None] = &sum.parts {
            return verify::over(arm, *factor, price, (from, to), step, exact);
        }
        if sum.parts.iter().all(Option::is_none) {
            return (-price * from).max(-price * to);
        }
        if let Some((Arm { form: Form::Table(table), .. }, _)) = sum.parts.iter().flatten().next() {
            let near = |x: f64| match step > 0.0 {
                true => [(x / step).floor() * step, (x / step).ceil() * step].map(|x| x.clamp(from, to)),
                false => [x, x],
            };
            return table
                .knots(from, to)
                .chain([from, to])
                .flat_map(near)
                .map(at)
                .fold(f64::NEG_INFINITY, f64::max);
        }
        over(&sum, price, (from, to), exact)
    }
}

/// An upper bound of max F(x) − price · x over [from, to], exact to `exact`, by cutting the interval.
fn over(sum: &Sum<'_>, price: f64, (from, to): (f64, f64), exact: f64) -> f64 {
    let whole = to;
    let at = |x: f64| sum.value(x) - price * x;
    let most = |from: f64, to: f64, at_from: f64, at_to: f64| {
        let (least, most) = sum.slopes(from, to);
        let (least, most) = (least - price, most - price);
        let ends = at_from.max(at_to);
        let plain = sum.plain(from, to) - (price * from).min(price * to);
        if !(least.is_finite() && most.is_finite()) {
            return plain.max(ends);
        }
        if most <= 0.0 || least >= 0.0 {
            return ends;
        }
        // F rises at most so fast from its start, and falls at most so fast to its end: highest where the two meet.
        let meet = ((at_to - at_from - least * (to - from)) / (most - least)).clamp(0.0, to - from);
        (at_from + most * meet).min(plain).max(ends)
    };
    let (first, last) = (at(from), at(to));
    let mut best = first.max(last);
    if !(from < to) {
        return best;
    }
    let mut settled = best;
    let mut waiting = vec![(from, to, first, last, most(from, to, first, last))];
    let mut cuts = 0;
    while let Some((from, to, at_from, at_to, top)) = waiting.pop() {
        let middle = if from <= 0.0 && to > 1e-12 * whole { to / 16.0 } else { 0.5 * (from + to) };
        if top <= best + exact || middle <= from || middle >= to || cuts > 20_000 {
            settled = settled.max(top);
            continue;
        }
        cuts += 1;
        let here = at(middle);
        best = best.max(here);
        let left = (from, middle, at_from, here, most(from, middle, at_from, here));
        let right = (middle, to, here, at_to, most(middle, to, here, at_to));
        if left.4 > right.4 {
            waiting.extend([right, left]);
        } else {
            waiting.extend([left, right]);
        }
    }
    settled.max(best)
}
