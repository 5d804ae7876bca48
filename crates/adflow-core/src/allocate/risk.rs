//! Plans for a measure of the outcomes over draws, in place of their mean.
//!
//! CVaR and the mean less standard deviations are the least of Σ_s q_s R_s over a set Q of weights,
//!
//! ```text
//! CVaR_α:     0 ≤ q ≤ 1/(αS), Σ q = 1            mean − κ·sd:     Σ q = 1, ‖q − 1/S‖ ≤ κ/√S
//! ```
//!
//! so that any q in Q gives a problem without risk, with one curve Σ_s q_s f_is per arm, whose best plan is worth at least as
//! much: a bound, with all that is known about such problems. A climb from plan to plan finds the plan and, as its
//! multipliers, the weights; where bound and plan do not meet, planes of the bound over Q say which weights to try next.
//!
//! (R. T. Rockafellar, S. Uryasev and M. Zabarankin, "Generalized deviations in risk analysis", Finance and Stochastics 10, 2006,
//! for measures as sets of weights.)

mod bundle;
mod chance;
mod climb;
pub(crate) mod measure;
mod model;
pub(crate) mod outcome;
mod steps;
pub(crate) mod verify;

use std::sync::Arc;

use super::coupled::{Incumbent, Stand};
use super::general::assemble;
use super::goal::{Extrapolation, Objective, Risk};
use super::plan::{Plan, gap};
use super::problem::Problem;
use super::program::Program;
use super::proof::{Node, Proof};
use super::verify_program;
use crate::clock::Clock;
use crate::curve::column::Column;
use crate::error::{Error, Result};
use climb::{climb, costs, spends};
use measure::{count, outcomes};
use model::Measure;

/// Rounds of new weights.
const MOST_ROUNDS: usize = 25;
/// Rounds times draws times arms after which the search ends, but for a few rounds.
const MOST_WORK: usize = 30_000;

/// Solves a problem with a measure of risk.
pub(crate) fn solve(problem: &Arc<Problem>, clock: &dyn Clock, stop: &dyn Fn() -> bool) -> Result<Plan> {
    let risk = problem.check_risk()?;
    let program = problem.program(problem.rows()?)?;
    let draws = problem.curves.draws();
    let even = vec![1.0 / count(draws); draws];
    let mut mean = verify::reweighted(problem, &even);
    mean.tolerance = 0.1 * problem.tolerance;
    let mean = mean.solve_with(clock)?;
    let mut search = Search::new(problem, &program, risk, clock);
    if let Risk::Probability(level) = risk {
        search.offer(&mean.spend, &[]);
        let best = search.best.take();
        let start = best.ok_or_else(|| lost(problem))?;
        let (best, bound, nodes, rounds) = chance::search(problem, &program, level, start, stop);
        let proof = Proof { nodes, orders: Vec::new() };
        return Ok(finish(problem, &program, &best, bound, proof, rounds, clock));
    }
    search.take(even, mean);
    search.run(stop)?;
    let Search { best, bound, proof, rounds, .. } = search;
    let best = best.ok_or_else(|| lost(problem))?;
    Ok(finish(problem, &program, &best, bound, proof, rounds, clock))
}

/// A plan of the mean that does not keep the limits, by rounding.
fn lost(problem: &Problem) -> Error {
    super::conflict::undecided(problem)
}

fn finish(
    problem: &Arc<Problem>,
    program: &Program<'_>,
    best: &Incumbent,
    bound: f64,
    proof: Proof,
    rounds: usize,
    clock: &dyn Clock,
) -> Plan {
    let mut plan = assemble(problem, program, best, bound, proof, rounds);
    if (0..problem.curves.len()).any(|i| problem.step.at(i) > 0.0) {
        let mut free = (**problem).clone();
        free.step = Column::Same(0.0);
        let free = free.solve_with(clock).map(|free| free.objective_value - plan.objective_value);
        plan.rounding_loss = Some(free.map_or(0.0, |loss| loss.max(0.0)));
    }
    plan.fingerprint = verify_program::fingerprint(&plan);
    plan.elapsed = clock.elapsed();
    plan
}

impl Problem {
    /// The measure, where it and the rest of the problem go together.
    fn check_risk(&self) -> Result<Risk> {
        let Some(risk) = self.risk else {
            return Err(Error::out_of_domain("risk", "set", "nothing"));
        };
        let (name, level) = (format!("risk.{}", risk.as_str()), risk.level());
        if !level.is_finite() {
            return Err(Error::NotFinite { field: name, value: level });
        }
        let (inside, expected) = match risk {
            Risk::Cvar(alpha) => (alpha > 0.0 && alpha <= 1.0, "above 0, at most 1"),
            Risk::MeanMinusStd(kappa) => ((0.0..=1e6).contains(&kappa), "from 0 to 1e6"),
            Risk::Probability(level) => ((0.0..=1e60).contains(&level), "from 0 to 1e60"),
        };
        if !inside {
            return Err(Error::out_of_domain(name, expected, level));
        }
        if self.objective == Objective::Spend {
            let expected = "none where the objective is the least spend";
            return Err(Error::out_of_domain("risk", expected, risk.as_str()));
        }
        if let Some(target) = self.target {
            let expected = "none together with a measure of risk";
            return Err(Error::out_of_domain("target", expected, target.as_str()));
        }
        let costs = [("activation_cost", &self.activation_cost), ("move_cost", &self.move_cost)];
        if matches!(risk, Risk::Probability(_)) {
            if self.objective != Objective::Response {
                let expected = "response where a probability is maximised";
                return Err(Error::out_of_domain("objective", expected, self.objective));
            }
            for (field, cost) in costs {
                if let Some(cost) = (0..self.curves.len()).map(|i| cost.at(i)).find(|&cost| cost > 0.0) {
                    return Err(Error::out_of_domain(field, "0 where a probability is maximised", cost));
                }
            }
            let penalty = match self.extrapolation {
                Some(Extrapolation::Penalty(penalty)) => penalty,
                _ => 0.0,
            };
            if penalty > 0.0 {
                let expected = "\"cap\" or 0 where a probability is maximised";
                return Err(Error::out_of_domain("extrapolation", expected, penalty));
            }
        }
        let set = &*self.curves.set;
        let draws = self.curves.draws();
        let own =
            set.mixtures.iter().map(|m| m.draws).chain(set.tables.iter().map(|table| table.draws.len()));
        for own in own {
            if own != 1 && own != draws {
                return Err(Error::LengthMismatch {
                    field: "curves (draws)".into(),
                    expected: draws,
                    actual: own,
                });
            }
        }
        Ok(risk)
    }
}

/// The search over plans and weights.
struct Search<'p, 'a> {
    problem: &'p Problem,
    program: &'p Program<'a>,
    risk: Risk,
    clock: &'p dyn Clock,
    best: Option<Incumbent>,
    bound: f64,
    proof: Proof,
    rounds: usize,
    /// The weights of the bound.
    weights: Vec<f64>,
    /// (outcomes, costs) of the best plans for some weights.
    planes: Vec<(Vec<f64>, f64)>,
    /// The multipliers of the last plan for some weights.
    prices: Vec<f64>,
}

impl<'p, 'a> Search<'p, 'a> {
    fn new(problem: &'p Problem, program: &'p Program<'a>, risk: Risk, clock: &'p dyn Clock) -> Self {
        Self {
            problem,
            program,
            risk,
            clock,
            best: None,
            bound: f64::INFINITY,
            proof: Proof { nodes: Vec::new(), orders: Vec::new() },
            rounds: 0,
            weights: Vec::new(),
            planes: Vec::new(),
            prices: Vec::new(),
        }
    }

    /// Measures a plan; keeps it where it is the best so far.
    fn offer(&mut self, spend: &[f64], multipliers: &[f64]) -> Option<Vec<Stand>> {
        let stand = |i: usize| verify_program::stand(self.program, i, spend[i]);
        let mut stands = (0..spend.len()).map(stand).collect::<Option<Vec<_>>>()?;
        for (place, stand) in self.program.places.iter().zip(&mut stands) {
            let stretch = &place.stretches[stand.stretch];
            stand.x = stand.x.clamp(stretch.from, stretch.to);
        }
        if !self.program.keeps(&stands, 1e-9) {
            return None;
        }
        let outcomes = outcomes(self.problem, &spends(&stands));
        let costs = costs(self.program, &stands);
        let value = self.risk.of(&outcomes) - costs;
        if self.best.as_ref().is_none_or(|best| value > best.value) {
            let known = multipliers.len() == self.program.rows.len();
            let multipliers = if known { multipliers.to_vec() } else { vec![0.0; self.program.rows.len()] };
            let tiny = self.program.tiny(Some(&stands));
            self.best = Some(Incumbent { stands: stands.clone(), value, tiny, multipliers });
        }
        Some(stands)
    }

    /// Takes what the best plan for some weights q ≥ 0 says: a bound, and a plan.
    fn take(&mut self, weights: Vec<f64>, plan: Plan) -> Option<Vec<Stand>> {
        self.rounds += plan.iterations;
        let prices: Vec<f64> = match plan.limits.len() {
            0 if self.program.rows.len() == 1 => vec![plan.shadow_price],
            _ => plan.limits.iter().map(|limit| limit.price).collect(),
        };
        let stands = self.offer(&plan.spend, &prices);
        self.prices = prices;
        if let Some(stands) = &stands {
            let outcomes = outcomes(self.problem, &spends(stands));
            let costs = costs(self.program, stands);
            self.planes.push((outcomes, costs));
        }
        if plan.upper_bound < self.bound {
            self.bound = plan.upper_bound;
            let nodes = vec![Node::Reweighted { draws: weights.clone(), proof: plan.proof }];
            self.proof = Proof { nodes, orders: Vec::new() };
            self.weights = weights;
        }
        stands
    }

    /// The bound of some weights, and the best plan for them where none is negative.
    fn weigh(&mut self, weights: Vec<f64>, multipliers: &[f64]) -> Result<Option<Vec<Stand>>> {
        if !self.risk.admits(&weights) {
            return Ok(None);
        }
        if weights.iter().all(|q| *q >= 0.0) {
            let mut certain = verify::reweighted(self.problem, &weights);
            certain.tolerance = (0.1 * self.problem.tolerance).max(1e-12);
            let plan = certain.solve_with(self.clock)?;
            return Ok(self.take(weights, plan));
        }
        let value = self.best.as_ref().map_or(0.0, |best| best.value);
        // A climb knows no price of being active or moved: those of the last plan without risk stand in.
        let rows = self.program.rows.iter().zip(multipliers).zip(&self.prices);
        let filled =
            rows.map(|((row, y), last)| if row.active + row.moved > 0.0 { *last } else { *y }).collect();
        let mut tries: Vec<Vec<f64>> = vec![multipliers.to_vec()];
        if self.prices.len() == multipliers.len() {
            tries.extend([self.prices.clone(), filled]);
            tries.dedup();
        }
        for values in tries {
            let bound = verify::phi(self.problem, self.program, &weights, &values, value);
            if !(bound < self.bound) {
                continue;
            }
            self.bound = bound;
            self.proof =
                Proof { nodes: vec![Node::Weights { draws: weights.clone(), values }], orders: Vec::new() };
            self.weights.clone_from(&weights);
        }
        Ok(None)
    }

    fn is_closed(&self) -> bool {
        self.best.as_ref().is_some_and(|best| gap(best.value, self.bound) <= self.problem.tolerance)
    }

    /// Other plans to climb from, where one climb may end on a lesser hill: parts of the best plan, and each arm alone.
    fn starts(&self) -> Vec<Vec<Stand>> {
        let Some(best) = &self.best else { return Vec::new() };
        if self.problem.curves.draws() * best.stands.len() > MOST_WORK {
            return Vec::new();
        }
        let own = spends(&best.stands);
        let total = self.problem.budget.unwrap_or_else(|| own.iter().sum());
        let count = own.len();
        let parts = [0.3, 0.6].map(|share| own.iter().map(|x| share * x).collect::<Vec<f64>>());
        let alone = (0..count.min(12)).flat_map(|i| {
            [0.5, 1.0].map(|share| (0..count).map(|j| if i == j { share * total } else { 0.0 }).collect())
        });
        let placed = |spend: Vec<f64>| {
            let stand = |i: usize| {
                let place = &self.program.places[i];
                let least = place.stretches[0].from;
                let most = place.stretches.last().map_or(least, |stretch| stretch.to);
                verify_program::stand(self.program, i, spend[i].clamp(least, most))
            };
            let stands = (0..count).map(stand).collect::<Option<Vec<_>>>()?;
            self.program.keeps(&stands, 1e-9).then_some(stands)
        };
        parts.into_iter().chain(alone).filter_map(placed).collect()
    }

    fn run(&mut self, stop: &dyn Fn() -> bool) -> Result<()> {
        let draws = self.problem.curves.draws();
        let measure = match self.risk {
            Risk::Cvar(alpha) => Measure::Shortfall {
                levels: Vec::new(),
                costs: vec![1.0 / (alpha * count(draws)); draws],
                free: true,
            },
            _ => Measure::Deviation(self.risk.level()),
        };
        let in_steps = (0..self.problem.curves.len()).any(|i| self.problem.step.at(i) > 0.0);
        // Where risk is dear, the least spends may be best.
        let smallest = |place: &super::program::Place<'_>| place.stretches[0].from;
        self.offer(&self.program.places.iter().map(smallest).collect::<Vec<f64>>(), &[]);
        let mut from = self.best.as_ref().map(|best| best.stands.clone());
        let mut stuck = 0;
        let rounds = (MOST_WORK / (draws * self.problem.curves.len())).clamp(3, MOST_ROUNDS);
        for round in 0..rounds {
            if self.is_closed() || stop() {
                break;
            }
            let before = (self.bound, self.best.as_ref().map(|best| best.value));
            let mut next = None;
            if let Some(start) = from.take() {
                let first = self.risk.weights(&outcomes(self.problem, &spends(&start)));
                let found = climb(
                    self.problem,
                    self.program,
                    &measure,
                    start.clone(),
                    first,
                    (in_steps, climb::MOST_STEPS),
                    stop,
                );
                self.rounds += 1;
                let reached = match in_steps {
                    true => steps::exchange(self.problem, self.program, self.risk, start, stop),
                    false => found.stands.clone(),
                };
                self.offer(&spends(&reached), &found.multipliers);
                let own = self.risk.weights(&found.outcomes);
                let dual = self.risk.admissible(&found.weights);
                let mut tries = vec![dual];
                if matches!(self.risk, Risk::MeanMinusStd(_)) {
                    tries.insert(0, own);
                }
                for weights in tries {
                    if self.is_closed() || stop() {
                        break;
                    }
                    next = self.weigh(weights, &found.multipliers)?.or(next);
                }
            }
            if self.is_closed() || stop() {
                break;
            }
            if round == 0 {
                for start in self.starts() {
                    let first = self.risk.weights(&outcomes(self.problem, &spends(&start)));
                    let free = (false, climb::MOST_STEPS);
                    let found = climb(self.problem, self.program, &measure, start, first, free, stop);
                    self.offer(&spends(&found.stands), &found.multipliers);
                }
            }
            if round > 0 {
                let Some(weights) = bundle::next(self.risk, &self.planes, &self.weights, self.bound) else {
                    break;
                };
                let multipliers = self.best.as_ref().map_or(Vec::new(), |best| best.multipliers.clone());
                next = self.weigh(weights, &multipliers)?.or(next);
            }
            from = next;
            let same = (self.bound, self.best.as_ref().map(|best| best.value)) == before;
            stuck = if same { stuck + 1 } else { 0 };
            if stuck >= 4 {
                break;
            }
        }
        Ok(())
    }
}
