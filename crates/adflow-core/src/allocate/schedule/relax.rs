//! One case of a schedule, relaxed: every response on its envelope, every spend between its bounds.

use std::collections::BTreeMap;

use super::barrier::{self, Point};
use super::cell::Cell;
use super::layout::{Bounds, Layout};
use super::linear::{self, Answer, Line};

/// What a case allows: spends between bounds, adstocked spends between cuts.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) bounds: Bounds,
    /// By block and cell: at least, at most.
    pub(crate) cuts: BTreeMap<(usize, usize), (f64, f64)>,
}

/// π per block and cell, ρ per row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Multipliers {
    pub(crate) adstock: Vec<Vec<f64>>,
    pub(crate) rows: Vec<f64>,
}

pub(crate) struct Relaxed<'a> {
    pub(crate) point: Point,
    pub(crate) multipliers: Multipliers,
    pub(crate) bound: f64,
    pub(crate) cells: Vec<Vec<Cell<'a>>>,
}

impl Case {
    pub(crate) fn whole(layout: &Layout<'_>) -> Self {
        Self { bounds: layout.whole(), cuts: BTreeMap::new() }
    }

    /// The adstocked spends that a cell may have; nothing where there are none.
    pub(crate) fn range(
        &self,
        layout: &Layout<'_>,
        block: usize,
        cell: usize,
        spare: f64,
    ) -> Option<(f64, f64)> {
        let own = &layout.blocks[block];
        let (low, high) = &self.bounds[block];
        let (mut from, mut to) = own.reach(cell, low, high, spare);
        to = to.min(own.arm.domain().1);
        if let Some((least, most)) = self.cuts.get(&(block, cell)) {
            (from, to) = (from.max(*least), to.min(*most));
        }
        // What crosses by rounding alone is one number.
        if from > to && from - to <= 1e-12 * from.abs() {
            to = from;
        }
        (from <= to).then_some((from, to))
    }

    /// The cells of the case; nothing where one of them has no adstocked spend left.
    pub(crate) fn cells<'a>(&self, layout: &Layout<'a>) -> Option<Vec<Vec<Cell<'a>>>> {
        let spare = layout.spare(&self.bounds);
        let of = |(b, block): (usize, &super::layout::Block<'a>)| -> Option<Vec<Cell<'a>>> {
            let one = |cell| {
                let (low, high) = self.range(layout, b, cell, spare)?;
                Some(Cell::new(&block.arm, block.value, low, high))
            };
            (0..layout.horizon).map(one).collect()
        };
        layout.blocks.iter().enumerate().map(of).collect()
    }
}

/// What φ may be wrong by, of the size of what it adds up.
const ROUNDING: f64 = 1e-15;

/// φ at the multipliers over the case, rounded up; with `objective` false the objective is left out.
pub(crate) fn bound(
    layout: &Layout<'_>,
    case: &Case,
    cells: &[Vec<Cell<'_>>],
    multipliers: &Multipliers,
    objective: bool,
) -> f64 {
    let (mut total, mut size) = (0.0, 0.0);
    let mut add = |amount: f64, of: f64| {
        total += amount;
        size += of.abs();
    };
    for (row, &rho) in layout.rows.iter().zip(&multipliers.rows) {
        if rho != 0.0 {
            let paid = rho * if rho > 0.0 { row.upper } else { row.lower };
            add(paid, paid);
        }
    }
    for (b, block) in layout.blocks.iter().enumerate() {
        let prices = &multipliers.adstock[b];
        for (at, cell) in cells[b].iter().enumerate() {
            let pi = prices[at];
            let best = if objective { cell.best(pi) } else { (-pi * cell.low).max(-pi * cell.high) };
            add(best + pi * block.carried[at], pi * cell.high);
        }
        let (low, high) = &case.bounds[b];
        for (k, (worth, price)) in nets(layout, b, multipliers).into_iter().enumerate() {
            let net = worth - price;
            add(if net > 0.0 { net * high[k] } else { net * low[k] }, (worth.abs() + price.abs()) * high[k]);
        }
    }
    total + ROUNDING * size
}

/// Per variable of a block: what its adstocked spends are worth at the multipliers, and what the rows ask for it.
fn nets(layout: &Layout<'_>, b: usize, multipliers: &Multipliers) -> Vec<(f64, f64)> {
    let block = &layout.blocks[b];
    let mut worth = vec![0.0; block.variables()];
    for (at, pi) in multipliers.adstock[b].iter().enumerate() {
        let (first, end) = block.spans[at];
        let row = &block.row(at)[first..end];
        worth[first..end].iter_mut().zip(row).for_each(|(worth, m)| *worth += pi * m);
    }
    let price = |terms: &Vec<(usize, f64)>| {
        terms.iter().map(|&(row, coefficient)| coefficient * multipliers.rows[row]).sum::<f64>()
    };
    worth.into_iter().zip(&block.terms).map(|(worth, terms)| (worth, price(terms))).collect()
}

/// The multipliers within what slopes there are: where a case leaves no choice, the method's have no end.
fn bounded(layout: &Layout<'_>, cells: &[Vec<Cell<'_>>], multipliers: &Multipliers) -> Multipliers {
    let mut bounded = multipliers.clone();
    for (prices, cells) in bounded.adstock.iter_mut().zip(cells) {
        for (pi, cell) in prices.iter_mut().zip(cells) {
            let (_, steepest) = cell.arm.slope_bounds(cell.low, cell.high);
            let secant = (cell.worth(cell.high) - cell.worth(cell.low)) / (cell.high - cell.low);
            let most = if cell.value > 0.0 && cell.high > cell.low {
                (cell.value * steepest).min(1e9 * secant)
            } else {
                0.0
            };
            *pi = pi.max(0.0).min(most.max(0.0));
        }
    }
    if layout.budget.is_finite() && !layout.rows.is_empty() {
        // The budget's price, between what its least and its most wanted money brings.
        let rho = std::mem::replace(&mut bounded.rows[0], 0.0);
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        for (b, block) in layout.blocks.iter().enumerate() {
            for (worth, price) in nets(layout, b, &bounded) {
                let net = (worth - price) / block.periods;
                (least, most) = (least.min(net), most.max(net));
            }
        }
        bounded.rows[0] = rho.min(most).max(least.min(0.0));
    }
    bounded
}

/// Solves the relaxed problem of a case; nothing where the case has no plan at first sight.
pub(crate) fn relax<'a>(layout: &Layout<'a>, case: &Case) -> Option<Relaxed<'a>> {
    let cells = case.cells(layout)?;
    let references: Vec<Vec<&Cell<'a>>> = cells.iter().map(|cells| cells.iter().collect()).collect();
    let point = barrier::solve(layout, &case.bounds, &references);
    let own = Multipliers { adstock: point.adstock.clone(), rows: point.rows.clone() };
    let mut best = (bound(layout, case, &cells, &own, true), own.clone());
    // Where nothing is to be gained, no price at all is the better bound.
    let none = Multipliers {
        adstock: vec![vec![0.0; layout.horizon]; layout.blocks.len()],
        rows: vec![0.0; layout.rows.len()],
    };
    let free = bound(layout, case, &cells, &none, true);
    if !(best.0 <= free) {
        best = (free, none);
    }
    let own = bounded(layout, &cells, &own);
    let tamed = bound(layout, case, &cells, &own, true);
    if tamed < best.0 {
        best = (tamed, own);
    }
    Some(Relaxed { point, multipliers: best.1, bound: best.0, cells })
}

/// Multipliers that show that no spends of the case keep the limits, if a linear program finds them.
pub(crate) fn impossible(layout: &Layout<'_>, case: &Case, cells: &[Vec<Cell<'_>>]) -> Option<Multipliers> {
    let money = case.bounds.iter().flat_map(|(_, high)| high).copied().fold(0.0, f64::max);
    let money = if money > 0.0 { money } else { 1.0 };
    // Every line says: Σ coefficient · x ≤ bound.
    let mut offsets = Vec::new();
    let mut n = 0;
    for block in &layout.blocks {
        offsets.push(n);
        n += block.variables();
    }
    let mut lines: Vec<Line> = Vec::new();
    for (b, (low, high)) in case.bounds.iter().enumerate() {
        for k in 0..low.len() {
            lines.push((vec![(offsets[b] + k, 1.0)], high[k] / money));
            lines.push((vec![(offsets[b] + k, -1.0)], -low[k] / money));
        }
    }
    let first_row = lines.len();
    for (r, row) in layout.rows.iter().enumerate() {
        let mut terms = Vec::new();
        for (b, block) in layout.blocks.iter().enumerate() {
            for (k, own) in block.terms.iter().enumerate() {
                terms.extend(own.iter().filter(|term| term.0 == r).map(|term| (offsets[b] + k, term.1)));
            }
        }
        let opposite = terms.iter().map(|&(j, coefficient)| (j, -coefficient)).collect();
        lines.push((terms, if row.upper.is_finite() { row.upper / money } else { 1e6 }));
        lines.push((opposite, -row.lower / money));
    }
    let first_cell = lines.len();
    let mut tied: Vec<(usize, usize)> = case.cuts.keys().copied().collect();
    for (b, block) in layout.blocks.iter().enumerate() {
        if block.arm.domain().1.is_finite() {
            tied.extend((0..layout.horizon).map(|cell| (b, cell)));
        }
    }
    tied.sort_unstable();
    tied.dedup();
    for &(b, at) in &tied {
        let block = &layout.blocks[b];
        let row = block.row(at);
        let size = row.iter().copied().fold(0.0, f64::max);
        let size = if size > 0.0 { size } else { 1.0 };
        let terms: Vec<(usize, f64)> =
            (0..row.len()).filter(|&k| row[k] != 0.0).map(|k| (offsets[b] + k, row[k] / size)).collect();
        let opposite = terms.iter().map(|&(j, coefficient)| (j, -coefficient)).collect();
        lines.push((terms, (cells[b][at].high - block.carried[at]) / money / size));
        lines.push((opposite, (block.carried[at] - cells[b][at].low) / money / size));
    }
    let Answer::Impossible(weights) = linear::solve(&vec![0.0; n], &lines) else { return None };
    let pair = |at: usize| weights[at] - weights[at + 1];
    let rows = layout.rows.iter().enumerate().map(|(r, row)| {
        let rho = pair(first_row + 2 * r);
        if row.upper.is_infinite() { rho.min(0.0) } else { rho }
    });
    let mut multipliers =
        Multipliers { adstock: vec![vec![0.0; layout.horizon]; layout.blocks.len()], rows: rows.collect() };
    for (at, &(b, cell)) in tied.iter().enumerate() {
        let size = layout.blocks[b].row(cell).iter().copied().fold(0.0, f64::max);
        let size = if size > 0.0 { size } else { 1.0 };
        multipliers.adstock[b][cell] = -pair(first_cell + 2 * at) / size;
    }
    let scale: f64 =
        weights.iter().zip(&lines).map(|(weight, line)| (weight * line.1).abs()).sum::<f64>() * money;
    (bound(layout, case, cells, &multipliers, false) < -1e-9 * scale).then_some(multipliers)
}
