//! The arms of a problem one by one, each with its envelope, on the bounds of one node of a search.

use super::checked::Checked;
use super::demand::Jump;
use super::order;
use super::price::{LEAST, Market, Totals, clear};
use crate::curve::arm::Curvature;
use crate::curve::envelope::Envelope;

/// Share of the budget below which a rest is rounding.
const ROUNDING: f64 = 1e-12;

/// Where a node is cut: the arm spends at most the one, or at least the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    pub(crate) arm: usize,
    pub(crate) at_most: f64,
    pub(crate) at_least: f64,
}

/// One side of a cut: `Ok(at_most)` or `Err(at_least)`.
pub(crate) type Side = std::result::Result<f64, f64>;

/// The relaxed problem of a node, solved.
pub(crate) struct Relaxed {
    pub(crate) lambda: f64,
    pub(crate) bound: f64,
    pub(crate) passes: usize,
    pub(crate) cut: Option<Cut>,
    /// Spends at the price; indifferent arms low, but for those that the budget lets jump.
    spend: Vec<f64>,
    /// The arm that stands on a chord.
    divided: Option<Jump>,
    rest: f64,
}

pub(crate) struct Book<'a> {
    problem: &'a Checked<'a>,
    base: Vec<Envelope<'a>>,
    bound: Vec<Option<Envelope<'a>>>,
    touched: Vec<usize>,
    orders: Vec<Vec<usize>>,
    /// Order and position of an arm in it.
    place: Vec<Option<(usize, usize)>>,
    infeasible: bool,
}

impl<'a> Book<'a> {
    pub(crate) fn new(problem: &'a Checked<'a>) -> Self {
        let n = problem.len();
        let base: Vec<Envelope<'a>> = (0..n).map(|i| problem.envelope(i)).collect();
        let jumping = (0..n).filter(|&i| base[i].chords().next().is_some());
        let orders = order::orders(problem, jumping);
        let mut place = vec![None; n];
        for (which, order) in orders.iter().enumerate() {
            for (position, &arm) in order.iter().enumerate() {
                place[arm] = Some((which, position));
            }
        }
        Self { problem, base, bound: vec![None; n], touched: Vec::new(), orders, place, infeasible: false }
    }

    pub(crate) fn orders(&self) -> Vec<Vec<usize>> {
        self.orders.clone()
    }

    /// Σ v f(x).
    pub(crate) fn value(&self, spend: &[f64]) -> f64 {
        self.base.iter().zip(spend).map(|(envelope, &x)| envelope.value(x)).sum()
    }

    /// Puts the arms on the bounds of a node: the sides of all cuts above it.
    pub(crate) fn bind(&mut self, path: &[(usize, Side)]) {
        for arm in self.touched.drain(..) {
            self.bound[arm] = None;
        }
        let mut bounds: std::collections::BTreeMap<usize, (f64, f64)> = std::collections::BTreeMap::new();
        for &(arm, side) in path {
            let own = [arm];
            // Along an order spends fall: those after are at most, those before at least.
            let arms = match (self.place[arm], side) {
                (None, _) => &own[..],
                (Some((order, position)), Ok(_)) => &self.orders[order][position..],
                (Some((order, position)), Err(_)) => &self.orders[order][..=position],
            };
            for &arm in arms {
                let envelope = &self.base[arm];
                let (lower, upper) = bounds.entry(arm).or_insert((envelope.lower(), envelope.upper()));
                match side {
                    Ok(at_most) => *upper = upper.min(at_most),
                    Err(at_least) => *lower = lower.max(at_least),
                }
            }
        }
        self.infeasible = false;
        for (arm, (lower, upper)) in bounds {
            if lower > upper {
                self.infeasible = true;
                return;
            }
            self.bound[arm] = Some(self.base[arm].restricted(lower, upper));
            self.touched.push(arm);
        }
        let budget = self.problem.budget;
        let lower: f64 = self.arms().map(Envelope::lower).sum();
        let upper: f64 = self.arms().map(Envelope::upper).sum();
        self.infeasible =
            lower > budget * (1.0 + ROUNDING) || self.problem.spend_all && upper < budget * (1.0 - ROUNDING);
    }

    /// Whether no plan keeps the bounds of the node.
    pub(crate) fn is_infeasible(&self) -> bool {
        self.infeasible
    }

    fn arm(&self, i: usize) -> &Envelope<'a> {
        self.bound[i].as_ref().unwrap_or(&self.base[i])
    }

    fn arms(&self) -> impl Iterator<Item = &Envelope<'a>> {
        (0..self.base.len()).map(|i| self.arm(i))
    }

    /// Solves the relaxed problem on the node's bounds.
    pub(crate) fn relax(&mut self, start: f64) -> Relaxed {
        let budget = self.problem.budget;
        let settled = |spend: Vec<f64>, lambda: f64, bound: f64| Relaxed {
            lambda,
            bound,
            passes: 1,
            cut: None,
            spend,
            divided: None,
            rest: 0.0,
        };
        let lower: Vec<f64> = self.arms().map(Envelope::lower).collect();
        if lower.iter().sum::<f64>() >= budget * (1.0 - 1e-14) {
            let bound = self.value(&lower);
            return settled(lower, f64::INFINITY, bound);
        }
        let upper: Vec<f64> = self.arms().map(Envelope::upper).collect();
        if upper.iter().sum::<f64>() <= budget {
            let bound = self.value(&upper);
            return settled(upper, 0.0, bound);
        }
        let start = if start.is_finite() && start > 0.0 { start } else { 1.0 };
        let clearing = clear(self, budget, start, 0.0);
        let lambda = clearing.lambda;
        let demands: Vec<_> = self.arms().map(|envelope| envelope.demand(lambda)).collect();
        let mut spend: Vec<f64> = demands.iter().map(|demand| demand.low).collect();
        let mut rest = budget - spend.iter().sum::<f64>();
        let bound = if lambda <= LEAST {
            // Even free budget is not wanted.
            self.value(&upper)
        } else {
            self.value(&spend) + lambda * rest
        };
        let lambda = if lambda <= LEAST { 0.0 } else { lambda };

        let jump = |arm: usize| {
            let demand = demands[arm];
            (demand.high > demand.low).then_some(Jump {
                arm,
                low: demand.low,
                high: demand.high,
                filled: demand.filled,
            })
        };
        let mut jumps: Vec<Jump> = (0..spend.len()).filter_map(jump).collect();
        // The better of two comparable arms jumps first.
        jumps
            .sort_by_key(|jump| (jump.filled, self.place[jump.arm].map_or((usize::MAX, 0), |p| p), jump.arm));
        let mut straight: f64 =
            jumps.iter().filter(|jump| jump.filled).map(|jump| jump.high - jump.low).sum();
        let mut divided = None;
        for jump in &jumps {
            let size = jump.high - jump.low;
            if jump.filled {
                let step = size * (rest / straight).clamp(0.0, 1.0);
                spend[jump.arm] += step;
                rest -= step;
                straight -= size;
            } else if rest <= straight {
                // Straight lines take the rest without loss.
            } else if size <= rest {
                spend[jump.arm] = jump.high;
                rest -= size;
            } else if divided.is_none() && rest > ROUNDING * budget {
                divided = Some(*jump);
            }
        }
        let divided = divided.filter(|_| rest > ROUNDING * budget);
        let cut = divided.map(|jump| self.cut(jump, jump.low + rest));
        Relaxed { lambda, bound, passes: clearing.passes, cut, spend, divided, rest }
    }

    /// Cuts the arm at x, or around the hole that x lies in.
    fn cut(&self, jump: Jump, x: f64) -> Cut {
        let hole = self
            .arm(jump.arm)
            .pieces()
            .iter()
            .find(|piece| piece.curvature == Curvature::Hole && piece.from < x && x < piece.to);
        match hole {
            Some(hole) => Cut { arm: jump.arm, at_most: hole.from, at_least: hole.to },
            None => Cut { arm: jump.arm, at_most: x, at_least: x },
        }
    }

    /// Plans near the relaxed one, with their prices: the divided arm at either end of its chord, or on it.
    pub(crate) fn candidates(&self, relaxed: &Relaxed) -> Vec<(Vec<f64>, f64)> {
        let mut picks = vec![relaxed.spend.clone()];
        if let (Some(jump), Some(cut)) = (relaxed.divided, relaxed.cut) {
            let mut high = relaxed.spend.clone();
            high[jump.arm] = jump.high;
            picks.push(high);
            let x = jump.low + relaxed.rest;
            if cut.at_most >= x {
                let mut inside = relaxed.spend.clone();
                inside[jump.arm] = x;
                picks.push(inside);
            }
        }
        picks.into_iter().filter_map(|pick| self.polish(pick, relaxed.lambda)).collect()
    }

    /// The best plan in which every arm on a concave part moves on it and every other arm stays.
    fn polish(&self, mut spend: Vec<f64>, price: f64) -> Option<(Vec<f64>, f64)> {
        let budget = self.problem.budget;
        let mut arcs = Vec::new();
        let mut fixed = 0.0;
        for (i, &x) in spend.iter().enumerate() {
            let concave = |from: f64, to: f64| from <= x && x <= to;
            let arc = self.base[i]
                .pieces()
                .iter()
                .find(|piece| piece.curvature == Curvature::Concave && concave(piece.from, piece.to));
            match arc {
                Some(arc) => arcs.push((i, arc.from, arc.to)),
                None => fixed += x,
            }
        }
        let target = budget - fixed;
        let least: f64 = arcs.iter().map(|&(_, from, _)| from).sum();
        let most: f64 = arcs.iter().map(|&(.., to)| to).sum();
        if least > target {
            return None;
        }
        let mut lambda = price;
        if most <= target {
            arcs.iter().for_each(|&(i, _, to)| spend[i] = to);
        } else if target > 0.0 {
            let start = if price.is_finite() && price > 0.0 { price } else { 1.0 };
            let mut market = Arcs { book: self, arcs: &arcs };
            let clearing = clear(&mut market, target, start, 0.0);
            lambda = clearing.lambda;
            for &(i, from, to) in &arcs {
                spend[i] = self.base[i].on_arc(lambda, from, to);
            }
        }
        let mut rest = budget - spend.iter().sum::<f64>();
        // Rounding goes to the arms that move, as far as their arcs reach.
        if rest.abs() <= 1e-9 * budget {
            for &(i, from, to) in &arcs {
                if from < spend[i] && spend[i] < to {
                    let next = (spend[i] + rest).clamp(from, to);
                    rest -= next - spend[i];
                    spend[i] = next;
                }
            }
        }
        if rest < -ROUNDING * budget {
            return None;
        }
        if rest > ROUNDING * budget {
            rest = self.raise(&mut spend, rest);
        }
        if self.problem.spend_all && rest > ROUNDING * budget {
            return None;
        }
        Some((spend, lambda))
    }

    /// Spends a rest on the arms that gain most from as much of it as they can take.
    fn raise(&self, spend: &mut [f64], mut rest: f64) -> f64 {
        for _ in 0..spend.len() {
            let step = |i: usize| {
                let out = self.base[i].pieces().first().is_some_and(|piece| {
                    piece.curvature == Curvature::Hole && spend[i] + rest < piece.to && spend[i] < piece.to
                });
                if out { 0.0 } else { rest.min(self.base[i].upper() - spend[i]) }
            };
            let gain = |i: usize| self.base[i].value(spend[i] + step(i)) - self.base[i].value(spend[i]);
            let best = (0..spend.len())
                .filter(|&i| step(i) > 0.0)
                .max_by(|&a, &b| gain(a).total_cmp(&gain(b)).then(step(a).total_cmp(&step(b))));
            let Some(best) = best else { break };
            let step = step(best);
            spend[best] += step;
            rest -= step;
            if rest <= ROUNDING * self.problem.budget {
                break;
            }
        }
        rest
    }
}

impl Market for Book<'_> {
    fn totals(&mut self, lambda: f64) -> Totals {
        self.arms().fold(Totals::default(), |totals, envelope| {
            let demand = envelope.demand(lambda);
            totals.plus(Totals { spend: demand.low, rate: demand.rate, response: 0.0 })
        })
    }

    fn jump_between(&self, low: f64, high: f64) -> Option<f64> {
        let mut prices: Vec<f64> = self
            .arms()
            .flat_map(|envelope| envelope.chords().map(|(.., slope)| slope))
            .filter(|&price| low < price && price < high)
            .collect();
        if prices.is_empty() {
            return None;
        }
        let middle = prices.len() / 2;
        Some(*prices.select_nth_unstable_by(middle, f64::total_cmp).1)
    }

    fn jump_at(&self, lambda: f64) -> f64 {
        self.arms()
            .map(|envelope| {
                let demand = envelope.demand(lambda);
                demand.high - demand.low
            })
            .sum()
    }
}

/// Arms that move on one concave part each.
struct Arcs<'b, 'a> {
    book: &'b Book<'a>,
    arcs: &'b [(usize, f64, f64)],
}

impl Market for Arcs<'_, '_> {
    fn totals(&mut self, lambda: f64) -> Totals {
        self.arcs.iter().fold(Totals::default(), |totals, &(i, from, to)| {
            let (spend, rate) = self.book.base[i].move_on_arc(lambda, from, to);
            totals.plus(Totals { spend, rate, response: 0.0 })
        })
    }

    fn jump_between(&self, _: f64, _: f64) -> Option<f64> {
        None
    }

    fn jump_at(&self, _: f64) -> f64 {
        0.0
    }
}
