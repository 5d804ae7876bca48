//! Solves problems whose limits reach over several arms, or whose arms do more than spend between two bounds.

use std::sync::Arc;

use super::conflict;
use super::coupled::{Found, Incumbent, Search, Stand};
use super::goal::{Objective, Target};
use super::plan::{Binding, Plan, Status};
use super::problem::Problem;
use super::program::{Place, Program};
use super::proof::{Node, Proof};
use super::rows::Row;
use super::tree::{self, TreePlan};
use super::verify_program;
use crate::clock::Clock;
use crate::curve::column::Column;
use crate::error::{Error, Result};

/// Spends above this are no bound.
pub(crate) const BOUNDLESS: f64 = 1e60;

impl Problem {
    /// Whether this is a budget over independent arms and nothing else.
    pub(crate) fn is_one_budget(&self) -> bool {
        let none = |column: &Column, none: f64| match column {
            Column::Same(value) => value.to_bits() == none.to_bits(),
            Column::Each(values) => values.iter().all(|value| value.to_bits() == none.to_bits()),
        };
        self.objective == Objective::Response
            && self.target.is_none()
            && self.groups.is_empty()
            && self.coupling.rows.is_empty()
            && none(&self.activation_cost, 0.0)
            && self.max_active.is_none_or(|most| most >= self.curves.len())
            && none(&self.max_change, f64::INFINITY)
            && none(&self.max_change_amount, f64::INFINITY)
            && self.max_moves.is_none_or(|most| most >= self.curves.len())
            && none(&self.move_cost, 0.0)
            && none(&self.step, 0.0)
            && self.risk.is_none()
            && self.extrapolation.is_none()
    }

    /// The program of this problem: what each arm may do, and the rows of all limits. Arms that can do nothing leave an
    /// empty place.
    pub(crate) fn program(&self, rows: Vec<Row>) -> Result<Program<'_>> {
        let most = self.most(&rows)?;
        let n = self.curves.len();
        let mut places = Vec::with_capacity(n);
        for i in 0..n {
            let stretches = self.stretches(i, most.at(i));
            if stretches.iter().any(|stretch| stretch.to >= BOUNDLESS) {
                let expected = "finite where neither a budget nor another limit bounds the spend";
                return Err(Error::out_of_domain(format!("upper[{i}]"), expected, f64::INFINITY));
            }
            places.push(Place { value: self.value.at(i), stretches });
        }
        let counts_value = if self.objective == Objective::Spend { 0.0 } else { 1.0 };
        Ok(Program { places, rows, counts_value })
    }

    /// The most that each arm can spend in a best plan, by its own bounds aside.
    fn most(&self, rows: &[Row]) -> Result<Column> {
        let n = self.curves.len();
        let mut most = vec![BOUNDLESS; n];
        if let Some(budget) = self.budget {
            let lower: f64 = (0..n).map(|i| self.lower.at(i)).sum();
            for (i, most) in most.iter_mut().enumerate() {
                let (own, left) = (self.lower.at(i), budget - (lower - self.lower.at(i)).min(budget));
                // Lower bounds that take the whole budget take it but for rounding.
                *most = if own > left && own - left <= 1e-12 * budget { own } else { left };
            }
        }
        for row in rows.iter().filter(|row| row.limit.limit == "group_upper") {
            row.terms.iter().for_each(|&(arm, _)| most[arm] = most[arm].min(row.bound));
        }
        // A ratio to keep bounds all that is spent, often far below the budget.
        let ratio = matches!(self.target, Some(Target::Roas(_) | Target::Cpa(_)));
        let open = |i: usize, most: f64| most >= BOUNDLESS && self.upper.at(i).is_infinite();
        if ratio || (0..n).any(|i| open(i, most[i])) {
            let all = self.most_in_all()?;
            most.iter_mut().enumerate().for_each(|(i, most)| *most = most.min(all.max(self.lower.at(i))));
        }
        Ok(Column::Each(most))
    }

    /// A total that no best plan exceeds, for problems without a budget; [`BOUNDLESS`] where none is known.
    ///
    /// A plan that returns at least r per unit of money has Σ x ≤ Σ v f(x)/r ≤ Σ v f(T)/r for every T ≥ Σ x: from
    /// a boundless T the inequality is applied until it yields no more.
    pub(super) fn most_in_all(&self) -> Result<f64> {
        let n = self.curves.len();
        let (rate, by_value) = match (self.target, self.objective) {
            (Some(Target::Roas(floor)), _) if floor > 0.0 => (1.0 / floor, true),
            (Some(Target::Cpa(cost)), _) => (cost, false),
            // A response that must be reached may be bought at any loss.
            (None | Some(Target::MarginalRoas(_)), Objective::Profit) if self.coupling.rows.is_empty() => {
                (1.0, true)
            }
            (Some(Target::Response(level)), Objective::Spend) => return Ok(self.enough_for(level)),
            _ => return Ok(BOUNDLESS),
        };
        // What a plan may have to spend or pay at a loss.
        let groups = self.groups.iter().map(|group| group.lower.unwrap_or(0.0));
        let forced: f64 = (0..n)
            .map(|i| {
                let current = self.current.as_ref().map_or(0.0, |current| current[i]);
                let spend = self.lower.at(i) + self.active_lower.at(i) + self.step.at(i) + current;
                (1.0 + 2.0 * self.move_cost.at(i)) * spend + self.activation_cost.at(i)
            })
            .chain(groups)
            .sum();
        let by_target = matches!(self.target, Some(Target::Roas(_) | Target::Cpa(_)));
        let forced = if by_target { 0.0 } else { forced };
        let shares =
            self.groups.iter().any(|group| group.share_lower.is_some() || group.share_upper.is_some());
        if shares && self.objective == Objective::Profit {
            return Ok(BOUNDLESS);
        }
        let mut total = BOUNDLESS;
        for _ in 0..200 {
            let brought: f64 = (0..n)
                .map(|i| {
                    let arm = self.curves.set.arm(i);
                    let x = self.upper.at(i).min(arm.domain().1).min(total);
                    arm.response(x) * if by_value { self.value.at(i) } else { 1.0 }
                })
                .sum();
            let next = rate * brought + forced;
            if !(next < total * 0.999) {
                break;
            }
            total = next;
        }
        Ok(if total < 1e40 { total * 1.001 } else { BOUNDLESS })
    }

    /// A total with which a response can be reached, at most some times the least; [`BOUNDLESS`] where none is found.
    fn enough_for(&self, level: f64) -> f64 {
        let cost = |budget: f64| -> Option<f64> {
            let mut problem = self.clone().objective(Objective::Response).budget(budget);
            problem.spend_all = false;
            problem.target = None;
            problem.step = Column::Same(0.0);
            problem.tolerance = 1e-3;
            problem.time_limit = None;
            let plan = problem.solve().ok()?;
            let value: f64 = plan.response.iter().enumerate().map(|(i, f)| self.value.at(i) * f).sum();
            let costs = value - plan.objective_value;
            // With whole steps every arm may have to round up.
            let steps: f64 = (0..self.curves.len()).map(|i| self.step.at(i)).sum();
            (value >= level).then_some(plan.total_spend + costs + steps)
        };
        let mut budget = 1.0_f64;
        let mut enough = cost(budget);
        if enough.is_some() {
            for _ in 0..40 {
                budget /= 16.0;
                match cost(budget) {
                    Some(less) => enough = Some(less),
                    None => break,
                }
            }
        } else {
            for _ in 0..40 {
                budget *= 16.0;
                enough = cost(budget);
                if enough.is_some() {
                    break;
                }
            }
        }
        enough.map_or(BOUNDLESS, |total| total * (1.0 + 1e-9) + f64::MIN_POSITIVE)
    }
}

/// Cases that a search with a target may look at before it must have found a plan.
const PATIENCE: usize = 40;

/// Solves a checked problem that is more than one budget over independent arms.
pub(crate) fn solve(problem: &Arc<Problem>, clock: &dyn Clock, stop: &dyn Fn() -> bool) -> Result<Plan> {
    if problem.risk.is_some() {
        return super::risk::solve(problem, clock, stop);
    }
    if problem.budget.is_none() && problem.spend_all {
        return Err(Error::out_of_domain("spend_all", "false where there is no budget", true));
    }
    let members = problem.members()?;
    let rows = problem.rows_of(&members)?;
    if let Some(found) = tree::solve(problem, &rows, &members, problem.threads) {
        return Ok(of_tree(problem, &rows, found, clock));
    }
    let program = problem.program(rows)?;
    if program.places.iter().any(|place| place.stretches.is_empty()) {
        return Err(conflict::explain(problem)?);
    }
    let targeted = program.rows.iter().any(|row| row.limit.limit == "target");
    let search = Search::new(&program, problem.tolerance);
    let mut found = search.patience(if targeted { PATIENCE } else { usize::MAX }).run(stop);
    if targeted && found.plan.is_none() && found.bound > f64::NEG_INFINITY && !stop() {
        // Whether a target can be reached at all is easier to say than what is best where it is.
        let end = |place: &Place<'_>| place.stretches.last().map_or(0.0, |stretch| stretch.to);
        let most = program.places.iter().map(end).collect();
        let Some(stands) = conflict::reach(problem, most)? else { return Err(conflict::explain(problem)?) };
        found = Search::new(&program, problem.tolerance).starting(stands).run(stop);
    }
    if found.plan.is_none()
        && found.bound > f64::NEG_INFINITY
        && !targeted
        && !stop()
        && let Some(stands) = conflict::any(problem)?
    {
        found = Search::new(&program, problem.tolerance).starting(stands).run(stop);
    }
    let Found { plan, bound, nodes, rounds } = found;
    let Some(incumbent) = plan else {
        return Err(if stop() { conflict::undecided(problem) } else { conflict::explain(problem)? });
    };
    let proof = Proof { nodes, orders: Vec::new() };
    let mut plan = assemble(problem, &program, &incumbent, bound, proof, rounds);
    if (0..problem.curves.len()).any(|i| problem.step.at(i) > 0.0) {
        let mut free = (**problem).clone();
        free.step = Column::Same(0.0);
        plan.rounding_loss = Some(match free.solve_with(clock) {
            Ok(free) => free.objective_value - plan.objective_value,
            Err(_) => 0.0,
        });
    }
    plan.fingerprint = verify_program::fingerprint(&plan);
    plan.elapsed = clock.elapsed();
    Ok(plan)
}

/// A plan from what the search of a tree found.
fn of_tree(problem: &Arc<Problem>, rows: &[Row], found: TreePlan, clock: &dyn Clock) -> Plan {
    let TreePlan { spend, multipliers, bound, value, iterations } = found;
    let set = &problem.curves.set;
    let response: Vec<f64> = spend.iter().enumerate().map(|(i, &x)| set.arm(i).response(x)).collect();
    let marginal_response = spend.iter().enumerate().map(|(i, &x)| set.arm(i).slope(x)).collect();
    let named = |(row, &price): (&Row, &f64)| Binding {
        limit: row.limit.limit,
        arm: None,
        name: row.limit.name.clone(),
        bound: row.limit.bound,
        price,
    };
    let limits: Vec<Binding> = rows.iter().zip(&multipliers).map(named).collect();
    let upper_bound = bound.max(value);
    let gap = super::plan::gap(value, upper_bound);
    let node = Node::Multipliers { values: multipliers, impossible: false };
    let mut plan = Plan {
        total_spend: spend.iter().sum(),
        total_response: response.iter().sum(),
        spend,
        response,
        marginal_response,
        objective_value: value,
        upper_bound,
        gap,
        shadow_price: limits.iter().find(|limit| limit.limit == "budget").map_or(0.0, |limit| limit.price),
        status: Status::of(gap, problem.tolerance),
        limits,
        rounding_loss: None,
        fingerprint: 0,
        proof: Proof { nodes: vec![node], orders: Vec::new() },
        iterations,
        elapsed: std::time::Duration::ZERO,
        problem: Arc::clone(problem),
    };
    plan.fingerprint = verify_program::fingerprint(&plan);
    plan.elapsed = clock.elapsed();
    plan
}

/// A plan from what a search found.
pub(super) fn assemble(
    problem: &Arc<Problem>,
    program: &Program<'_>,
    incumbent: &Incumbent,
    bound: f64,
    proof: Proof,
    rounds: usize,
) -> Plan {
    let Incumbent { stands, value, tiny, multipliers } = incumbent;
    let set = &problem.curves.set;
    let spend: Vec<f64> = stands.iter().map(|stand: &Stand| stand.x).collect();
    let response: Vec<f64> = spend.iter().enumerate().map(|(i, &x)| set.arm(i).response(x)).collect();
    let marginal_response = spend.iter().enumerate().map(|(i, &x)| set.arm(i).slope(x)).collect();
    let priced = |(row, &price): (&Row, &f64)| {
        // A price that moves the value by no digit of it is the solver's rounding.
        let (_, size) = program.sum(row, stands);
        let price = if (price * size.max(row.bound.abs())).abs() > 1e-9 * value.abs() { price } else { 0.0 };
        Binding {
            limit: row.limit.limit,
            arm: None,
            name: row.limit.name.clone(),
            bound: row.limit.bound,
            price,
        }
    };
    let limits: Vec<Binding> = program.rows.iter().zip(multipliers).map(priced).collect();
    let budget = limits.iter().find(|limit| limit.limit == "budget");
    let bound = bound.max(*value);
    let gap = (bound - value) / bound.abs().max(*tiny);
    Plan {
        total_spend: spend.iter().sum(),
        total_response: response.iter().sum(),
        spend,
        response,
        marginal_response,
        objective_value: *value,
        upper_bound: bound,
        gap,
        shadow_price: budget.map_or(0.0, |budget| budget.price),
        status: Status::of(gap, problem.tolerance),
        limits,
        rounding_loss: None,
        fingerprint: 0,
        proof,
        iterations: rounds,
        elapsed: std::time::Duration::ZERO,
        problem: Arc::clone(problem),
    }
}
