//! Branch and bound over cases of a schedule, each relaxed to concave curves and spends without gaps.
//!
//! A case whose relaxed spends are no plan, or are worth less than they promise, is cut in two: where an adstocked spend
//! stands on a straight line of its envelope, or where a spend stands between nothing and its minimum.

use std::collections::BinaryHeap;

use super::barrier;
use super::cell::Cell;
use super::layout::{Bounds, Layout, Of};
use super::proof::ScheduleNode;
use super::relax::{Case, Multipliers, Relaxed, bound, impossible, relax};
use crate::allocate::plan::gap;

/// Multiplications after which the search ends with the gap that is left: a few seconds.
const MOST_WORK: f64 = 3e9;
/// Fewest and most cases that this comes to.
const NODES: (f64, f64) = (15.0, 2000.0);
/// Share of the bound below which a loss is none.
const INTEGRAL: f64 = 1e-10;

pub(crate) struct Found {
    /// Spends per block and variable, and what they are worth; nothing where no plan was found.
    pub(crate) plan: Option<(Vec<Vec<f64>>, f64)>,
    pub(crate) multipliers: Multipliers,
    pub(crate) bound: f64,
    pub(crate) nodes: Vec<ScheduleNode>,
    pub(crate) steps: usize,
}

struct Open {
    bound: f64,
    node: usize,
    case: Case,
    cut: Cut,
    multipliers: Multipliers,
}

/// Two cases of one quantity.
#[derive(Debug, Clone, Copy)]
struct Cut {
    adstocked: bool,
    block: usize,
    /// The cell, or the variable.
    at: usize,
    at_most: f64,
    at_least: f64,
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Open {}
impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Open {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.bound.total_cmp(&other.bound).then(other.node.cmp(&self.node))
    }
}

struct Search<'l, 'a> {
    layout: &'l Layout<'a>,
    tolerance: f64,
    plan: Option<(Vec<Vec<f64>>, f64)>,
    multipliers: Multipliers,
    nodes: Vec<ScheduleNode>,
    closed: f64,
    steps: usize,
    /// Cases whose relaxed spends were worked on to become plans.
    worked: usize,
}

pub(crate) fn run(layout: &Layout<'_>, tolerance: f64, stop: &dyn Fn() -> bool) -> Found {
    let none = Multipliers {
        adstock: vec![vec![0.0; layout.horizon]; layout.blocks.len()],
        rows: vec![0.0; layout.rows.len()],
    };
    let mut search = Search {
        layout,
        tolerance,
        plan: None,
        multipliers: none.clone(),
        nodes: Vec::new(),
        closed: f64::NEG_INFINITY,
        steps: 0,
        worked: 0,
    };
    let most = (MOST_WORK / work(layout)).clamp(NODES.0, NODES.1);
    let mut open = BinaryHeap::new();
    search.add(Case::whole(layout), f64::INFINITY, &none, &mut open);
    let mut unfinished = f64::NEG_INFINITY;
    while let Some(next) = open.pop() {
        #[allow(clippy::cast_precision_loss, reason = "a count")]
        let many = search.nodes.len() as f64 >= most;
        if search.is_closed(next.bound) || many || stop() {
            unfinished = next.bound;
            break;
        }
        search.split(next, &mut open);
    }
    let value = search.plan.as_ref().map_or(f64::NEG_INFINITY, |plan| plan.1);
    Found {
        bound: search.closed.max(unfinished).max(value),
        plan: search.plan,
        multipliers: search.multipliers,
        nodes: search.nodes,
        steps: search.steps,
    }
}

/// Multiplications of one relaxed problem, about.
fn work(layout: &Layout<'_>) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "a count")]
    let of = |n: usize| n as f64;
    let blocks = layout.blocks.iter().map(|block| {
        let n = of(block.variables());
        let spans: f64 = block.spans.iter().map(|(first, end)| of(end - first) * of(end - first)).sum();
        0.5 * spans + n * n * n / 6.0 + of(layout.rows.len()) * n * n + 50.0 * of(layout.horizon)
    });
    30.0 * (blocks.sum::<f64>() + of(layout.rows.len()).powi(3) / 6.0)
}

impl Search<'_, '_> {
    fn is_closed(&self, bound: f64) -> bool {
        self.plan.as_ref().is_some_and(|plan| gap(plan.1, bound) <= self.tolerance)
    }

    fn leaf(&self, multipliers: &Multipliers, impossible: bool) -> ScheduleNode {
        let layout = self.layout;
        let n = layout.blocks.len();
        let periods = if let [block, ..] = &layout.blocks[..] {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of periods")]
            let times = block.periods as usize;
            times * block.variables()
        } else {
            0
        };
        let (mut budget, mut of_periods, mut of_arms) = (0.0, vec![0.0; periods], vec![0.0; n]);
        for (row, &rho) in layout.rows.iter().zip(&multipliers.rows) {
            match row.of {
                Of::Budget => budget = rho,
                Of::Period(t) => of_periods[t] = rho,
                Of::Arm(i) => of_arms[i] = rho,
            }
        }
        let adstock = (0..layout.horizon)
            .flat_map(|t| multipliers.adstock.iter().map(move |of_arm| of_arm[t]))
            .collect();
        ScheduleNode::Multipliers { budget, periods: of_periods, arms: of_arms, adstock, impossible }
    }

    fn split(&mut self, next: Open, open: &mut BinaryHeap<Open>) {
        let Open { bound, node, case, cut, multipliers } = next;
        let Cut { adstocked, block, at, at_most, at_least } = cut;
        let below = self.nodes.len();
        let mut under = case.clone();
        let mut over = case;
        if adstocked {
            let everything = (f64::NEG_INFINITY, f64::INFINITY);
            let least = under.cuts.entry((block, at)).or_insert(everything);
            least.1 = least.1.min(at_most);
            let most = over.cuts.entry((block, at)).or_insert(everything);
            most.0 = most.0.max(at_least);
        } else {
            let high = &mut under.bounds[block].1[at];
            *high = high.min(at_most);
            let low = &mut over.bounds[block].0[at];
            *low = low.max(at_least);
        }
        self.add(under, bound, &multipliers, open);
        let above = self.nodes.len();
        self.add(over, bound, &multipliers, open);
        self.nodes[node] =
            ScheduleNode::Cut { adstocked, arm: block, period: at, at_most, at_least, below, above };
    }

    /// Relaxes a new case; lets it wait or closes it.
    fn add(&mut self, case: Case, parent: f64, known: &Multipliers, open: &mut BinaryHeap<Open>) {
        let layout = self.layout;
        let node = self.nodes.len();
        self.nodes.push(self.leaf(known, false));
        let empty = case.bounds.iter().any(|(low, high)| low.iter().zip(high).any(|(low, high)| low > high));
        let relaxed = if empty { None } else { relax(layout, &case) };
        let Some(mut relaxed) = relaxed else {
            self.nodes[node] = self.leaf(known, true);
            return;
        };
        self.steps += relaxed.point.steps;
        let lost = relaxed.point.residual > 1e-7;
        if let Some(proof) = lost.then(|| impossible(layout, &case, &relaxed.cells)).flatten() {
            self.nodes[node] = self.leaf(&proof, true);
            return;
        }
        if parent.is_finite() {
            // The parent's multipliers bound the case too.
            let inherited = bound(layout, &case, &relaxed.cells, known, true);
            if inherited < relaxed.bound {
                (relaxed.bound, relaxed.multipliers) = (inherited, known.clone());
            }
        }
        self.nodes[node] = self.leaf(&relaxed.multipliers, false);
        let x = tidy(layout, &case.bounds, &relaxed.point.x, &relaxed.point.ends);
        self.offer(&x, &relaxed.multipliers);
        if self.is_closed(relaxed.bound) {
            self.closed = self.closed.max(relaxed.bound);
            return;
        }
        let cut = self.cut(&case, &relaxed, &x);
        if cut.is_some() && (self.worked < 4 || self.nodes.len().is_power_of_two() || self.plan.is_none()) {
            self.worked += 1;
            self.work_on(&case, &relaxed, x);
        }
        match cut.filter(|_| !self.is_closed(relaxed.bound)) {
            Some(cut) => {
                let Relaxed { bound, multipliers, .. } = relaxed;
                open.push(Open { bound, node, case, cut, multipliers });
            }
            None => self.closed = self.closed.max(relaxed.bound),
        }
    }

    /// The quantity that promises most more than it holds, and where to cut it.
    fn cut(&self, case: &Case, relaxed: &Relaxed<'_>, x: &[Vec<f64>]) -> Option<Cut> {
        let layout = self.layout;
        let mut worst: Option<(f64, Cut)> = None;
        let mut consider = |loss: f64, cut: Cut| {
            if loss > INTEGRAL * relaxed.bound.abs() && worst.as_ref().is_none_or(|worst| loss > worst.0) {
                worst = Some((loss, cut));
            }
        };
        for (b, block) in layout.blocks.iter().enumerate() {
            for (at, cell) in relaxed.cells[b].iter().enumerate() {
                let a = block.adstocked(at, &x[b]).clamp(cell.low, cell.high);
                let loss = cell.promise(a);
                if loss > 0.0 {
                    // Not so near an end that a case is hardly smaller.
                    let least = 0.02 * (cell.high - cell.low);
                    let a = a.clamp(cell.low + least, cell.high - least);
                    consider(loss, Cut { adstocked: true, block: b, at, at_most: a, at_least: a });
                }
            }
            for (k, &active) in block.active.iter().enumerate() {
                let (low, x) = (case.bounds[b].0[k], x[b][k]);
                if active > 0.0 && low < active && x > 0.0 && x < active * (1.0 - 1e-12) {
                    let price: f64 =
                        block.terms[k].iter().map(|term| term.1 * relaxed.multipliers.rows[term.0]).sum();
                    let loss = x.min(active - x) * price.abs();
                    let floor = 1e-6 * relaxed.bound.abs() * x.min(active - x) / active;
                    let cut = Cut { adstocked: false, block: b, at: k, at_most: 0.0, at_least: active };
                    consider(loss.max(floor).max(2.0 * INTEGRAL * relaxed.bound.abs()), cut);
                }
            }
        }
        worst.map(|worst| worst.1)
    }

    /// Turns relaxed spends into plans: every spend in a gap goes to its nearer end, then the best spends near these on the
    /// curves themselves, by rising on concave curves below them.
    fn work_on(&mut self, case: &Case, relaxed: &Relaxed<'_>, x: Vec<Vec<f64>>) {
        let layout = self.layout;
        for share in [0.5, 0.15] {
            let mut bounds = case.bounds.clone();
            for (b, block) in layout.blocks.iter().enumerate() {
                for (k, &active) in block.active.iter().enumerate() {
                    if active > 0.0 && bounds[b].0[k] < active {
                        if x[b][k] >= share * active && bounds[b].1[k] >= active {
                            bounds[b].0[k] = active;
                        } else {
                            bounds[b].1[k] = 0.0;
                        }
                    }
                }
            }
            let mut x = x.clone();
            let mut value = f64::NEG_INFINITY;
            let narrowed = Case { bounds, cuts: case.cuts.clone() };
            let Some(cells) = narrowed.cells(layout) else { continue };
            for _ in 0..6 {
                let mut below = cells.clone();
                for ((block, cells), x) in layout.blocks.iter().zip(&mut below).zip(&x) {
                    for (at, cell) in cells.iter_mut().enumerate() {
                        *cell = cell.below(block.adstocked(at, x).clamp(cell.low, cell.high));
                    }
                }
                let references: Vec<Vec<&Cell<'_>>> =
                    below.iter().map(|cells| cells.iter().collect()).collect();
                let point = barrier::solve(layout, &narrowed.bounds, &references);
                self.steps += point.steps;
                x = tidy(layout, &narrowed.bounds, &point.x, &point.ends);
                let reached = layout.value(&x);
                self.offer(&x, &relaxed.multipliers);
                if reached <= value + 1e-7 * value.abs() {
                    break;
                }
                value = reached;
            }
            if layout.blocks.iter().all(|block| block.active.iter().all(|active| *active <= 0.0)) {
                break;
            }
        }
    }

    /// Takes a plan if it keeps all limits and is worth more than the best so far.
    fn offer(&mut self, x: &[Vec<f64>], multipliers: &Multipliers) {
        let value = self.layout.value(x);
        if self.plan.as_ref().is_none_or(|plan| value > plan.1) && keeps(self.layout, x) {
            self.plan = Some((x.to_vec(), value));
            self.multipliers = multipliers.clone();
        }
    }
}

/// Whether spends keep all limits, but for rounding.
fn keeps(layout: &Layout<'_>, x: &[Vec<f64>]) -> bool {
    let spends = layout.blocks.iter().zip(x).all(|(block, x)| {
        (0..x.len()).all(|k| {
            let inside = x[k] >= block.low[k] && x[k] <= block.high[k];
            inside && (x[k] <= 0.0 || x[k] >= block.active[k] * (1.0 - 1e-12))
        })
    });
    let domains = layout.blocks.iter().zip(x).all(|(block, x)| {
        let end = block.arm.domain().1;
        end.is_infinite() || (0..layout.horizon).all(|cell| block.adstocked(cell, x) <= end * (1.0 + 1e-11))
    });
    spends
        && domains
        && layout.rows.iter().zip(layout.sums(x)).all(|(row, sum)| {
            let rounding = 1e-11 * sum.abs();
            sum <= row.upper + rounding && sum >= row.lower - rounding
        })
}

/// Spends that end at a bound put on it, and the rest moved so that all rows hold.
fn tidy(layout: &Layout<'_>, bounds: &Bounds, x: &[Vec<f64>], ends: &[Vec<i8>]) -> Vec<Vec<f64>> {
    let mut x = x.to_vec();
    for (b, (low, high)) in bounds.iter().enumerate() {
        for k in 0..low.len() {
            match ends[b][k] {
                -1 => x[b][k] = low[k],
                1 => x[b][k] = high[k],
                _ => {}
            }
        }
    }
    for free_all in [false, true] {
        for _ in 0..100 {
            if !settle(layout, bounds, &mut x, ends, free_all) {
                return x;
            }
        }
    }
    x
}

/// Moves the spends of every row that does not hold; whether any did not.
fn settle(
    layout: &Layout<'_>,
    bounds: &Bounds,
    x: &mut [Vec<f64>],
    ends: &[Vec<i8>],
    free_all: bool,
) -> bool {
    let mut any = false;
    for (r, row) in layout.rows.iter().enumerate() {
        let sum = layout.sums(x)[r];
        let size = sum.abs().max(f64::MIN_POSITIVE);
        let missing = if sum > row.upper {
            row.upper - sum
        } else if sum < row.lower {
            row.lower - sum
        } else {
            continue;
        };
        let room_of = |b: usize, k: usize, x: f64| {
            if ends[b][k] != 0 && !free_all {
                0.0
            } else if missing > 0.0 {
                bounds[b].1[k] - x
            } else {
                x - bounds[b].0[k]
            }
        };
        let own: Vec<(usize, usize, f64)> = layout
            .blocks
            .iter()
            .enumerate()
            .flat_map(|(b, block)| block.terms.iter().enumerate().map(move |(k, terms)| (b, k, terms)))
            .filter_map(|(b, k, terms)| terms.iter().find(|term| term.0 == r).map(|term| (b, k, term.1)))
            .collect();
        let room: f64 = own.iter().map(|&(b, k, coefficient)| coefficient * room_of(b, k, x[b][k])).sum();
        if !(room > 0.0) {
            continue;
        }
        any |= missing.abs() > 1e-14 * size;
        let share = missing.signum() * (missing.abs() / room).min(1.0);
        for (b, k, _) in own {
            let moved = x[b][k] + share * room_of(b, k, x[b][k]);
            x[b][k] = moved.clamp(bounds[b].0[k], bounds[b].1[k].max(bounds[b].0[k]));
        }
    }
    any
}
