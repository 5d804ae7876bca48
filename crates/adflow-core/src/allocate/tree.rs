//! Groups that form a tree, with limits in money: a price for every node.
//!
//! ```text
//! maximise Σ v_i f_i(x_i)   subject to   L_g ≤ Σ_{i ∈ g} x_i ≤ U_g for every node g of a tree, the budget at its root
//! ```
//!
//! At a price λ a node wants S_g(λ) = Σ of what its own arms want and, for every node inside it, of min(max(S, L), U). All
//! these fall as λ rises, so the price of the budget is found as for one budget. A node that wants more than U_g at the price
//! of its parent gets a higher one, at which it wants U_g; one that wants less than L_g a lower one; every other node has the
//! price of its parent. The multiplier of a limit is the difference of the two prices.
//!
//! Large nodes are searched by passes in blocks and threads that only add up; nodes of up to some thousand arms are then
//! solved one by one, each while its arms are in the cache.

mod arms;
mod nest;
mod part;
mod rests;
mod search;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use self::arms::{Arms, Columns, in_parallel};
use self::nest::{Bounds, Nest, Node, Sorted};
use self::part::{OUTSIDE, Outcome, Part, ROUNDING};
use self::rests::Rests;
use self::search::{Search, State, average_return, clear_nodes, extrapolated};
use super::checked::Checked;
use super::goal::Objective;
use super::price::{LEAST, Market};
use super::problem::Problem;
use super::rows::{Members, Row};
use crate::curve::column::Column;
use crate::curve::{Families, Family, Set};

/// Up to this many arms a gap above the tolerance is worth a search by other means.
const SEARCHED: usize = 5000;
/// What the money of a node may cost at its price, as a multiple of all that is brought: beyond it the digits of the bound are
/// lost.
const MOST_PAID: f64 = 1e6;
/// Share of its limit that the search in a small node of a large problem leaves to the shift of the spends that follows,
/// whose loss is its square.
const SLACK: f64 = 1e-6;
/// The same where arms jump, which costs far more than this.
const SLACK_OF_JUMPS: f64 = 3e-5;
/// The same for the search in a large node.
const SLACK_OF_LARGE: f64 = 1e-8;

/// A plan, and the multipliers that bound how much better any other can be.
#[derive(Debug, Clone)]
pub(crate) struct TreePlan {
    pub(crate) spend: Vec<f64>,
    /// One per row.
    pub(crate) multipliers: Vec<f64>,
    /// Σ y b + Σ max [v f(x) − p x].
    pub(crate) bound: f64,
    /// Σ v f(x).
    pub(crate) value: f64,
    /// Passes over the arms: those of the searches in large nodes, and the most that any small node took.
    pub(crate) iterations: usize,
}

/// The best plan where all that there is beside arms and a budget are groups that form a tree, with limits in money.
///
/// Nothing where there is something else, where no plan keeps the limits, or where the gap of a problem of up to some
/// thousand arms stays above the tolerance.
pub(crate) fn solve(
    problem: &Problem,
    rows: &[Row],
    members: &[Members],
    threads: usize,
) -> Option<TreePlan> {
    let plain = |row: &Row| matches!(row.limit.limit, "budget" | "group_lower" | "group_upper");
    if !rows.iter().all(plain) || !has_no_other_terms(problem) {
        return None;
    }
    let n = problem.curves.len();
    let budget = problem.budget.unwrap_or(f64::INFINITY);
    let mut groups = Vec::new();
    // The rows of every group.
    let mut places = Vec::new();
    let mut row = usize::from(problem.budget.is_some());
    for (group, members) in problem.groups.iter().zip(members) {
        let lower = group.lower.filter(|&lower| lower > 0.0);
        let upper = group.upper.filter(|upper| upper.is_finite());
        if lower.is_none() && upper.is_none() {
            continue;
        }
        let at = row;
        row += usize::from(lower.is_some()) + usize::from(upper.is_some());
        places.push((lower.map(|_| at), upper.map(|_| row - 1)));
        let (lower, upper) = (lower.unwrap_or(0.0), upper.unwrap_or(f64::INFINITY));
        groups.push(Bounds { arms: &members.arms, lower, upper });
    }
    let least = if problem.spend_all { budget } else { 0.0 };
    let Sorted { mut nest, places: nodes, order } = Nest::sorted(n, least, budget, &groups)?;

    let set = &*problem.curves.set;
    let in_order = |column| match &order {
        Some(order) => Cow::Owned(ordered(column, order)),
        None => Cow::Borrowed(column),
    };
    let set = match &order {
        Some(order) => Cow::Owned(ordered_set(set, order)),
        None => Cow::Borrowed(set),
    };
    let (lower, upper) = (in_order(&problem.lower), in_order(&problem.upper));
    let (active, value) = (in_order(&problem.active_lower), in_order(&problem.value));
    let checked = Checked {
        set: &set,
        range: 0..n,
        lower: &lower,
        upper: &upper,
        active: &active,
        value: &value,
        budget,
        spend_all: problem.spend_all,
        total_lower: 0.0,
        room: f64::INFINITY,
    };
    if !nest.fit(&checked) {
        return None;
    }
    let total_lower = nest::total_lower(&checked, &(0..n));
    let checked = Checked { total_lower, room: (budget - total_lower).max(0.0), ..checked };
    let caps = caps(&checked, &nest)?;
    let checked = match &caps {
        Some(caps) => Checked { upper: caps, room: f64::INFINITY, ..checked },
        None => checked,
    };
    let tree = Tree { arms: Arms::new(&checked, threads), nest, threads, tolerance: problem.tolerance };
    let solved = tree.solve()?;

    // Where no price holds a node to its limit, as curves that rise vertically want more at any, the bound says nothing.
    let beyond = |(node, price): (&Node, &f64)| {
        *price > 0.0 && node.upper.is_finite() && !(price * node.upper <= MOST_PAID * solved.bound)
    };
    if tree.nest.nodes.iter().zip(&solved.prices).any(beyond) {
        return None;
    }
    let gap = super::plan::gap(solved.value, solved.bound);
    if gap > problem.tolerance && n <= SEARCHED {
        return None;
    }
    let mut multipliers = vec![0.0; rows.len()];
    if problem.budget.is_some() {
        multipliers[0] = solved.prices[0];
    }
    for (&k, (lower, upper)) in nodes.iter().zip(places) {
        let more = solved.prices[k] - solved.prices[tree.nest.nodes[k].parent];
        match (lower, upper) {
            (Some(row), _) if more < 0.0 => multipliers[row] = -more,
            (_, Some(row)) if more > 0.0 => multipliers[row] = more,
            _ => {}
        }
    }
    let spend = match &order {
        Some(order) => {
            let mut spend = vec![0.0; n];
            for (&arm, &x) in order.iter().zip(&solved.spend) {
                spend[arm] = x;
            }
            spend
        }
        None => solved.spend,
    };
    let Solved { bound, value, iterations, .. } = solved;
    Some(TreePlan { spend, multipliers, bound, value, iterations })
}

/// Whether the problem asks for nothing but response within limits in money.
fn has_no_other_terms(problem: &Problem) -> bool {
    let none = |column: &Column, without: f64| match column {
        Column::Same(value) => *value >= without && *value <= without,
        Column::Each(values) => values.iter().all(|value| *value >= without && *value <= without),
    };
    problem.objective == Objective::Response
        && problem.target.is_none()
        && problem.risk.is_none()
        && problem.extrapolation.is_none()
        && none(&problem.activation_cost, 0.0)
        && none(&problem.move_cost, 0.0)
        && none(&problem.step, 0.0)
        && none(&problem.max_change, f64::INFINITY)
        && none(&problem.max_change_amount, f64::INFINITY)
}

fn ordered(column: &Column, order: &[usize]) -> Column {
    match column {
        Column::Same(value) => Column::Same(*value),
        Column::Each(values) => Column::Each(order.iter().map(|&arm| values[arm]).collect()),
    }
}

fn ordered_set(set: &Set, order: &[usize]) -> Set {
    let [a, b, c] = &set.parameters;
    Set {
        arms: set.arms,
        families: match &set.families {
            Families::All(kind) => Families::All(*kind),
            Families::Each(families) => Families::Each(order.iter().map(|&arm| families[arm]).collect()),
        },
        parameters: [ordered(a, order), ordered(b, order), ordered(c, order)],
        cost: ordered(&set.cost, order),
        offset: ordered(&set.offset, order),
        baseline: ordered(&set.baseline, order),
        keeps_offset: ordered(&set.keeps_offset, order),
        value: ordered(&set.value, order),
        mixtures: set.mixtures.clone(),
        tables: set.tables.clone(),
        names: None,
        observed: None,
        prices: None,
    }
}

/// The most that every arm may be taken to spend, where the problem needs that; nothing where one has no limit at all.
///
/// Where an arm jumps, what the limits leave it decides how far. Elsewhere an arm that all of a limit goes to should find its
/// price by the limit, so its cap lies beyond; but there must be one without a budget, and where a node has nothing to give.
fn caps(problem: &Checked<'_>, nest: &Nest) -> Option<Option<Column>> {
    const BEYOND: f64 = 2.0;
    let mut jumps = false;
    problem.runs(0..problem.len(), |family, run| {
        jumps |= match family {
            Family::Shape(kind) => problem.may_jump(kind, run),
            Family::Mixture(_) | Family::Table(_) => true,
        };
    });
    let spent = problem.room <= ROUNDING * problem.budget || nest.nodes.iter().any(|node| node.cap <= 0.0);
    if !jumps && problem.budget.is_finite() && nest.is_large(0) && !spent {
        return Some(None);
    }
    let factor = if jumps { 1.0 } else { BEYOND };
    let mut caps = Vec::with_capacity(problem.len());
    for segment in &nest.segments {
        let (cap, room) = (factor * nest.nodes[segment.node].cap, factor * problem.room);
        caps.extend(segment.arms.clone().map(|i| problem.upper(i).min(problem.lower(i) + room).min(cap)));
    }
    caps.iter().all(|cap| cap.is_finite()).then_some(Some(Column::Each(caps)))
}

struct Tree<'a> {
    arms: Arms<'a>,
    nest: Nest,
    threads: usize,
    tolerance: f64,
}

struct Solved {
    spend: Vec<f64>,
    /// Of every node.
    prices: Vec<f64>,
    bound: f64,
    value: f64,
    iterations: usize,
}

impl Tree<'_> {
    fn solve(&self) -> Option<Solved> {
        let (nest, arms) = (&self.nest, &self.arms);
        let n = arms.problem.len();
        let (mut spend, mut rate) = (vec![0.0; n], vec![0.0; n]);
        let mut warm = vec![0.0; if arms.remembers { n } else { 0 }];
        let mut columns = Columns { start: 0, spend: &mut spend, rate: &mut rate, warm: &mut warm };
        let mut states = vec![State::default(); nest.nodes.len()];
        let mut outcome = Outcome::default();
        if nest.is_large(0) {
            let searched = self.large_prices(&mut columns, &mut states, &mut outcome);
            self.small_nodes(&mut columns, &mut states, searched, &mut outcome);
            self.large_rests(&mut columns, &mut states, &mut outcome);
        } else {
            let part = columns.part(&(0..n));
            let mut part = Part { arms, nest, top: 0, columns: part, states: &mut states };
            outcome = part.solve(0.0, true, 0.0);
        }
        let keeps = |(node, state): (&Node, &State)| {
            state.total <= node.upper * (1.0 + ROUNDING) && state.total >= node.lower * (1.0 - ROUNDING)
        };
        if !nest.nodes.iter().zip(&states).all(keeps) {
            return None;
        }
        let Outcome { bound, value, passes } = outcome;
        let prices = states.iter().map(|state| state.price).collect();
        Some(Solved { spend, prices, bound: bound.max(value), value, iterations: passes })
    }

    /// The prices of the large nodes. Returns whether passes were made over all arms.
    fn large_prices(&self, columns: &mut Columns<'_>, states: &mut [State], outcome: &mut Outcome) -> bool {
        let (nest, arms, threads) = (&self.nest, &self.arms, self.threads);
        let root = &nest.nodes[0];
        let mut cold = true;
        for k in (0..nest.nodes.len()).filter(|&k| nest.is_large(k)) {
            let node = &nest.nodes[k];
            let (before, payer) =
                if k > 0 { (states[node.parent].price, states[node.parent].payer) } else { (0.0, OUTSIDE) };
            let wants = states[k].wants;
            let all = k == 0 && root.most > root.upper;
            let part = &mut states[k..node.end];
            (part[0].price, part[0].payer) = (before, payer);
            let (keep, sample) = (false, false);
            let mut search =
                Search { arms, nest, top: k, columns, states: part, cold, keep, sample, threads };
            if k == 0 && !all {
                // What is wanted at no price.
                search.totals(LEAST);
                outcome.passes += 1;
                cold = false;
                states[0].target = (states[0].wants.spend < root.lower).then_some(root.lower);
                states[0].must = true;
                continue;
            }
            let upper = all || wants.spend > node.upper;
            if !upper && !(wants.spend < node.lower) {
                continue;
            }
            let target = if upper { node.upper } else { node.lower };
            search.states[0].target = Some(target);
            search.states[0].must = !upper || node.lower >= node.upper;
            if !upper && before <= 0.0 {
                continue;
            }
            let start = if before > 0.0 { extrapolated(before, wants, target) } else { None };
            let start = match start {
                Some(start) => start,
                None if k == 0 => self.price_of_sample(search.columns, target),
                None => average_return(arms, node, target),
            };
            let slack = if arms.may_jump() { 0.01 * self.tolerance.sqrt() } else { SLACK_OF_LARGE };
            let clearing = clear_nodes(&mut search, target, start, slack * target);
            outcome.passes += clearing.passes;
            let mut price = if clearing.lambda <= LEAST { 0.0 } else { clearing.lambda };
            if upper && price < before || !upper && price > before {
                price = before;
                search.totals(price);
            }
            cold = false;
            search.states[0].price = price;
            outcome.bound += (price - before) * target;
            if price < before || price > before {
                search.states[0].payer = k;
            }
        }
        !cold
    }

    /// The price that clears a sample of the arms.
    fn price_of_sample(&self, columns: &mut Columns<'_>, target: f64) -> f64 {
        /// A start needs no more.
        const ROUGH: f64 = 1e-3;
        /// Nor is it trusted far from the average return.
        const FAR: f64 = 1e6;
        let nest = self.nest.sample();
        let mut states = vec![State::default(); nest.nodes.len()];
        let start = average_return(&self.arms, &self.nest.nodes[0], target);
        let arms = &self.arms;
        let (states, cold, keep, sample) = (&mut states[..], true, false, true);
        let mut search =
            Search { arms, nest: &nest, top: 0, columns, states, cold, keep, sample, threads: 1 };
        let lambda = clear_nodes(&mut search, target, start, ROUGH * target).lambda;
        // The limits in a sample may not even allow the target.
        if lambda > start / FAR && lambda < start * FAR { lambda } else { start }
    }

    /// Solves the small nodes, each at the price of the large one that it lies in.
    fn small_nodes(
        &self,
        columns: &mut Columns<'_>,
        states: &mut [State],
        searched: bool,
        outcome: &mut Outcome,
    ) {
        let nest = &self.nest;
        let small = nest.outermost_small();
        let prices: Vec<f64> = small.iter().map(|&k| states[nest.nodes[k].parent].price).collect();
        let slack = if self.arms.may_jump() { SLACK_OF_JUMPS } else { SLACK };
        let parts = self.parts(&small, columns, states);
        let tasks: Vec<_> = parts.into_iter().zip(prices).collect();
        let outcomes =
            in_parallel(tasks, self.threads, |(mut part, price)| part.solve(price, !searched, slack));
        let mut most = 0;
        for each in outcomes {
            outcome.bound += each.bound;
            outcome.value += each.value;
            most = most.max(each.passes);
        }
        outcome.passes += most;
    }

    fn parts<'s, 'c>(
        &'s self,
        small: &[usize],
        columns: &'s mut Columns<'c>,
        mut states: &'s mut [State],
    ) -> Vec<Part<'s, 's, 's>> {
        let (nest, arms) = (&self.nest, &self.arms);
        let mut columns = columns.part(&(0..arms.problem.len()));
        let mut reached = 0;
        let parts = small.iter().map(|&k| {
            let node = &nest.nodes[k];
            let (_, rest) = std::mem::take(&mut states).split_at_mut(k - reached);
            let (own, rest) = rest.split_at_mut(node.end - k);
            (states, reached) = (rest, node.end);
            Part { arms, nest, top: k, columns: columns.take(node.arms.len()), states: own }
        });
        parts.collect()
    }

    /// Brings the totals of large nodes to their targets, from the inside out.
    fn large_rests(&self, columns: &mut Columns<'_>, states: &mut [State], outcome: &mut Outcome) {
        let nest = &self.nest;
        let small = nest.outermost_small();
        let mut large = states.to_vec();
        let mut parts = self.parts(&small, columns, states);
        for k in (0..nest.nodes.len()).rev().filter(|&k| nest.is_large(k)) {
            let node = &nest.nodes[k];
            let first = small.partition_point(|&j| j < k);
            let last = small.partition_point(|&j| j < node.end);
            let inside = parts[first..last].iter().filter(|part| part.parent() == k);
            let mut total: f64 = inside.map(|part| part.states[0].total).sum();
            let mut j = k + 1;
            while j < node.end {
                total += if nest.is_large(j) { large[j].total } else { 0.0 };
                j = nest.nodes[j].end;
            }
            large[k].total = total;
            let held = total.clamp(node.lower, node.upper);
            let target = match large[k].target {
                Some(target) => target,
                None if (total - held).abs() > 0.01 * ROUNDING * total => {
                    // The last bits of a price have carried it across a limit.
                    let payer = large[k].payer;
                    large[k..node.end].iter_mut().filter(|s| s.payer == payer).for_each(|s| s.payer = k);
                    large[k].must = true;
                    held
                }
                None => continue,
            };
            let mut rests = Rests {
                nest,
                may_jump: self.arms.may_jump(),
                parts: &mut parts[first..last],
                large: &mut large,
                k,
                target,
            };
            outcome.value += rests.settle();
        }
        for (k, state) in large.into_iter().enumerate().filter(|&(k, _)| nest.is_large(k)) {
            states[k] = state;
        }
    }
}
