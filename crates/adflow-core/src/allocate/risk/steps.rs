//! Plans in whole steps: from a plan to better ones, one step of one arm, or one step from one arm to another, at a time.

use super::super::coupled::Stand;
use super::super::goal::Risk;
use super::super::problem::Problem;
use super::super::program::Program;
use super::super::verify_program;
use super::climb::{costs, spends};
use super::measure::outcomes;
use crate::curve::draws::Order;

/// Outcomes looked at, after which the search ends.
const MOST_WORK: usize = 100_000_000;

/// A step of one arm: where it stands after it, and what that adds to every outcome.
struct Shift {
    place: usize,
    stand: Stand,
    gains: Vec<f64>,
    costs: f64,
}

/// The plan after all exchanges that help, best first.
pub(super) fn exchange(
    problem: &Problem,
    program: &Program<'_>,
    risk: Risk,
    start: Vec<Stand>,
    stop: &dyn Fn() -> bool,
) -> Vec<Stand> {
    let mut stands = start;
    let draws = problem.curves.draws();
    let mut work = 0;
    while work < MOST_WORK && !stop() {
        let now = outcomes(problem, &spends(&stands));
        let own = costs(program, &stands);
        let value = risk.of(&now) - own;
        let shifts: Vec<Shift> = (0..stands.len())
            .flat_map(|place| [-1.0, 1.0].map(|sign| (place, sign)))
            .filter_map(|(place, sign)| shift(problem, program, place, stands[place], sign))
            .collect();
        let mut best: Option<(f64, Vec<Stand>)> = None;
        let mut consider = |moved: &[&Shift]| {
            let mut outcomes = now.clone();
            let mut costs = own;
            for shift in moved {
                outcomes.iter_mut().zip(&shift.gains).for_each(|(r, gain)| *r += gain);
                costs += shift.costs;
            }
            let new = risk.of(&outcomes) - costs;
            if new > best.as_ref().map_or(value + 1e-12 * value.abs(), |best| best.0) {
                let mut stands = stands.clone();
                moved.iter().for_each(|shift| stands[shift.place] = shift.stand);
                if program.keeps(&stands, 1e-9) {
                    best = Some((new, stands));
                }
            }
        };
        for (at, first) in shifts.iter().enumerate() {
            consider(&[first]);
            for second in shifts[at + 1..].iter().filter(|second| second.place != first.place) {
                consider(&[first, second]);
            }
        }
        work += draws * shifts.len() * shifts.len() / 2;
        match best {
            Some((_, better)) => stands = better,
            None => break,
        }
    }
    stands
}

fn shift(problem: &Problem, program: &Program<'_>, place: usize, stand: Stand, sign: f64) -> Option<Shift> {
    let stretches = &program.places[place].stretches;
    let step = stretches[stand.stretch].step;
    if !(step > 0.0) {
        return None;
    }
    let x = ((stand.x / step).round() + sign) * step;
    // Next to nothing may lie a minimum.
    let next =
        |at: f64| stretches.iter().map(|s| s.from).filter(|&from| from > at).fold(f64::INFINITY, f64::min);
    let x = match verify_program::stand(program, place, x) {
        Some(_) => x,
        None if sign > 0.0 => next(stand.x),
        None => stretches.iter().map(|s| s.to).filter(|&to| to < stand.x).fold(f64::NEG_INFINITY, f64::max),
    };
    let moved = verify_program::stand(program, place, x)?;
    let value = problem.value.at(place);
    let (mut before, mut gains) = (vec![0.0; problem.curves.draws()], vec![0.0; problem.curves.draws()]);
    if value > 0.0 {
        problem.curves.set.each_draw(place, Order::Value, stand.x, &mut before);
        problem.curves.set.each_draw(place, Order::Value, moved.x, &mut gains);
        gains.iter_mut().zip(&before).for_each(|(after, before)| *after = value * (*after - before));
    }
    let costs = verify_program::costs(program, place, moved) - verify_program::costs(program, place, stand);
    Some(Shift { place, stand: moved, gains, costs })
}
