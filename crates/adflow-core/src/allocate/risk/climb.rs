//! From a plan to the best plan near it: a sequence of models, each with the outcomes as straight lines and the bend of the
//! curves as a square, and a step as long as it helps.

use super::super::coupled::Stand;
use super::super::problem::Problem;
use super::super::program::Program;
use super::measure::outcomes;
use super::model::{self, Line, Measure, Move};
use crate::curve::arm::Form;
use crate::curve::draws::Order;

/// Models after which a climb ends where it is.
pub(super) const MOST_STEPS: usize = 60;

/// A plan, what the measure says of it less what it costs, and the weights and multipliers of the last model.
#[derive(Debug, Clone)]
pub(super) struct Climb {
    pub(super) stands: Vec<Stand>,
    pub(super) value: f64,
    pub(super) outcomes: Vec<f64>,
    pub(super) weights: Vec<f64>,
    pub(super) multipliers: Vec<f64>,
}

/// Σ rate · x + fixed.
pub(super) fn costs(program: &Program<'_>, stands: &[Stand]) -> f64 {
    program
        .places
        .iter()
        .zip(stands)
        .map(|(place, stand)| {
            let stretch = &place.stretches[stand.stretch];
            stretch.rate * stand.x + stretch.fixed
        })
        .sum()
}

pub(super) fn spends(stands: &[Stand]) -> Vec<f64> {
    stands.iter().map(|stand| stand.x).collect()
}

/// Climbs from a plan that keeps all limits, every arm on its stretch. Arms in whole steps stay where they are, or with
/// `free` move as if they had none.
pub(super) fn climb(
    problem: &Problem,
    program: &Program<'_>,
    measure: &Measure,
    start: Vec<Stand>,
    weights: Vec<f64>,
    (free, most_steps): (bool, usize),
    stop: &dyn Fn() -> bool,
) -> Climb {
    let first = outcomes(problem, &spends(&start));
    let value = measure.of(&first) - costs(program, &start);
    let multipliers = vec![0.0; program.rows.len()];
    let mut at = Climb { stands: start, value, outcomes: first, weights, multipliers };
    let mut damping = 0.0;
    for _ in 0..most_steps {
        if stop() {
            break;
        }
        let moves = moves(problem, program, &at, damping, free);
        if moves.is_empty() {
            break;
        }
        let Some(step) = model::best(measure, &at.outcomes, &moves, &lines(program, &at, &moves)) else {
            break;
        };
        let mut straight = at.outcomes.clone();
        let mut squares = 0.0;
        for (m, z) in moves.iter().zip(&step.moves) {
            straight.iter_mut().zip(&m.slopes).for_each(|(r, slope)| *r += slope * z);
            squares += m.rate * z + 0.5 * m.bend * z * z;
        }
        let own_costs = costs(program, &at.stands);
        let promised = measure.of(&straight) - squares - own_costs - at.value;
        at.weights.clone_from(&step.weights);
        at.multipliers.clone_from(&step.multipliers);
        let scale = at.value.abs().max(own_costs.abs()).max(1e-3 * super::measure::mean(&at.outcomes).abs());
        if !(promised > 1e-12 * scale) {
            break;
        }
        let mut length = 1.0;
        let mut moved = false;
        for _ in 0..12 {
            let mut stands = at.stands.clone();
            for (m, z) in moves.iter().zip(&step.moves) {
                let stretch = &program.places[m.place].stretches[stands[m.place].stretch];
                let x = stands[m.place].x + length * z;
                stands[m.place].x = x.clamp(stretch.from, stretch.to);
            }
            let now = outcomes(problem, &spends(&stands));
            let value = measure.of(&now) - costs(program, &stands);
            if value >= at.value + 0.05 * length * promised {
                (at.stands, at.value, at.outcomes) = (stands, value, now);
                moved = true;
                break;
            }
            length *= 0.5;
        }
        if moved {
            damping *= if length >= 1.0 { 0.1 } else { 1.0 };
            if length < 0.2 {
                damping = (damping * 3.0_f64).max(1e-3);
            }
        } else if damping > 1e6 || promised <= 1e-9 * scale {
            break;
        } else {
            damping = (damping * 30.0_f64).max(1e-2);
        }
    }
    at
}

/// The spends that may move, as straight lines with a bend. A table turns at its points: there left and right part.
fn moves(problem: &Problem, program: &Program<'_>, at: &Climb, damping: f64, free: bool) -> Vec<Move> {
    let set = &*problem.curves.set;
    let draws = at.outcomes.len();
    let total = super::measure::mean(&at.outcomes).abs();
    let mut moves = Vec::with_capacity(at.stands.len());
    for (place, stand) in at.stands.iter().enumerate() {
        let stretch = &program.places[place].stretches[stand.stretch];
        let (from, to, x) = (stretch.from, stretch.to, stand.x);
        if from >= to || stretch.step > 0.0 && !free {
            continue;
        }
        let value = problem.value.at(place);
        let arm = set.arm(place);
        let slopes_at = |x: f64| {
            let mut slopes = vec![0.0; draws];
            if value > 0.0 {
                set.each_draw(place, Order::Slope, x, &mut slopes);
                slopes.iter_mut().for_each(|slope| *slope *= value);
            }
            slopes
        };
        let spread = damping * total / ((to - from) * (to - from));
        if let Form::Table(table) = arm.form {
            let below = table.knots(from, to).filter(|&knot| knot < x * (1.0 - 1e-12)).last().unwrap_or(from);
            let above = table.knots(from, to).find(|&knot| knot > x * (1.0 + 1e-12)).unwrap_or(to);
            for (low, high) in [(below - x, 0.0), (0.0, above - x)] {
                if low < high {
                    let slopes = slopes_at(x + 0.5 * (low + high));
                    moves.push(Move { place, slopes, low, high, bend: spread, rate: stretch.rate });
                }
            }
            continue;
        }
        let vertical = arm.slope(from).is_infinite();
        let near = if vertical { x.max(from + 1e-9 * (to - from)) } else { x };
        let slopes = slopes_at(near);
        let mut bend = 0.0;
        if value > 0.0 {
            let mut curvatures = vec![0.0; draws];
            set.each_draw(place, Order::Curvature, near, &mut curvatures);
            bend = -value * curvatures.iter().zip(&at.weights).map(|(c, q)| c * q).sum::<f64>();
        }
        let low = if vertical { -0.9 * (x - from) } else { from - x };
        let bend = if bend.is_finite() { bend.max(0.0) } else { 0.0 } + spread;
        moves.push(Move { place, slopes, low, high: to - x, bend, rate: stretch.rate });
    }
    moves
}

/// What the rows leave for the moves.
fn lines(program: &Program<'_>, at: &Climb, moves: &[Move]) -> Vec<Line> {
    let line = |row: &super::super::rows::Row| {
        let coefficient = |place: usize| {
            let own = row.terms.iter().find(|term| term.0 == place).map_or(0.0, |term| term.1);
            own + row.everyone
        };
        let terms =
            moves.iter().enumerate().map(|(j, m)| (j, coefficient(m.place))).filter(|term| term.1 != 0.0);
        let room = row.bound - program.sum(row, &at.stands).0;
        Line { terms: terms.collect(), equal: row.equal, room: if row.equal { room } else { room.max(0.0) } }
    };
    program.rows.iter().map(line).collect()
}
