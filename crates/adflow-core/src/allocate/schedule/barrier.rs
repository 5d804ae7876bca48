//! The relaxed schedule by an interior-point method: every arm's block of the Newton system is dense and small, and the
//! limits that join the arms are few.
//!
//! ```text
//! maximise   Σ_cj h_cj(q_cj)
//! subject to base_c + Σ_j q_cj = (M x + c)_c    (multiplier π),    rows: lower ≤ A x ≤ upper  (multiplier ρ),
//!            0 ≤ q_cj ≤ length_cj,   low ≤ x ≤ high
//! ```
//!
//! q_cj is how far piece j of a cell's envelope is used; slopes fall from piece to piece, so the pieces fill in order. Steps
//! are Mehrotra's predictor and corrector (S. Mehrotra, "On the implementation of a primal-dual interior point method", SIAM
//! Journal on Optimization 2, 1992) on the equations of a separable concave objective.

use super::between::{Aim, Barrier};
use super::cell::{Cell, Piece};
use super::dense::{backward, cholesky, forward};
use super::layout::Layout;

/// Steps after which the search ends where it stands.
const MOST_STEPS: usize = 120;
/// Relative size of what is left of complementarity and residuals at the end.
const EXACT: f64 = 1e-12;
/// Growth of the residual of slopes that a step may cause. Slopes fall ever more slowly, so that a step that was too long is
/// made good by the next.
const SURPRISE: f64 = 30.0;
/// How much of the way to the nearest bound a step takes.
const FRACTION: f64 = 0.995;

/// Where the method ended.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    /// Spends per block and variable (money).
    pub(crate) x: Vec<Vec<f64>>,
    /// π per block and cell (objective per adstocked money).
    pub(crate) adstock: Vec<Vec<f64>>,
    /// ρ per row (objective per money); below 0 where the lower side holds.
    pub(crate) rows: Vec<f64>,
    /// Per block and variable: −1 where the method ends at the lower bound, 1 at the upper, 0 between.
    pub(crate) ends: Vec<Vec<i8>>,
    /// Largest violation of an equation, relative to its scale.
    pub(crate) residual: f64,
    pub(crate) steps: usize,
}

/// One arm in scaled units.
struct Part {
    /// Variables that are free.
    free: Vec<usize>,
    /// Cells that a free variable reaches: their number, their row of M over the free variables from `first` on, the right
    /// side base − c, and where their pieces stand among all.
    cells: Vec<Used>,
    /// Per free variable: (row, coefficient).
    terms: Vec<Vec<(usize, f64)>>,
    /// Where the variables stand among all.
    offset: usize,
    /// Money per unit of the cells.
    unit: f64,
}

struct Used {
    cell: usize,
    first: usize,
    row: Vec<f64>,
    right: f64,
    pieces: std::ops::Range<usize>,
    /// Where the cell stands among all.
    at: usize,
}

/// A piece of a cell in scaled units.
struct Bend {
    block: usize,
    cell: usize,
    piece: Piece,
    /// Money per unit.
    unit: f64,
}

struct Method<'l, 'c, 'a> {
    layout: &'l Layout<'a>,
    cells: &'l [Vec<&'c Cell<'a>>],
    parts: Vec<Part>,
    bends: Vec<Bend>,
    /// Money per unit of the variables, objective per unit of the objective.
    money: f64,
    worth: f64,
    q: Barrier,
    x: Barrier,
    s: Barrier,
    /// Bound of the rows that are equations.
    equal: Vec<Option<f64>>,
    /// What the spends that cannot move put into the rows.
    fixed: Vec<f64>,
    pi: Vec<f64>,
    rho: Vec<f64>,
    total_cells: usize,
}

/// Steps of all quantities.
struct Step {
    q: Vec<f64>,
    x: Vec<f64>,
    s: Vec<f64>,
    pi: Vec<f64>,
    rho: Vec<f64>,
}

struct Residual {
    q: Vec<f64>,
    x: Vec<f64>,
    s: Vec<f64>,
    cells: Vec<f64>,
    rows: Vec<f64>,
    /// Largest of the equations on quantities, and on slopes.
    primal: f64,
    dual: f64,
}

/// The best point so far.
struct Kept {
    /// Complementarity and residuals together.
    left: f64,
    primal: f64,
    x: Barrier,
    pi: Vec<f64>,
    rho: Vec<f64>,
}

/// The factors of a Newton system.
struct Factors {
    /// Per bend: curvature.
    q: Vec<f64>,
    /// Per cell: 1/Σ 1/curvature.
    cells: Vec<f64>,
    /// Per part: Cholesky factor of its block, and L⁻¹ Aᵀ by row of the limits.
    blocks: Vec<Vec<f64>>,
    reached: Vec<Vec<(usize, Vec<f64>)>>,
    /// Cholesky factor of the limits' system.
    rows: Vec<f64>,
    s: Vec<f64>,
}

/// The best point of the relaxed schedule: spends between `bounds`, cells on their pieces.
pub(crate) fn solve<'a>(
    layout: &Layout<'a>,
    bounds: &[(Vec<f64>, Vec<f64>)],
    cells: &[Vec<&Cell<'a>>],
) -> Point {
    let mut method = Method::new(layout, bounds, cells);
    method.run(bounds)
}

impl<'l, 'c, 'a> Method<'l, 'c, 'a> {
    fn new(layout: &'l Layout<'a>, bounds: &[(Vec<f64>, Vec<f64>)], cells: &'l [Vec<&'c Cell<'a>>]) -> Self {
        let mut money = if layout.budget.is_finite() { layout.budget } else { 0.0 };
        if money <= 0.0 {
            money = bounds.iter().flat_map(|(_, high)| high).copied().fold(0.0, f64::max);
        }
        if !(money > 0.0) {
            money = 1.0;
        }
        let mut method = Self {
            layout,
            cells,
            parts: Vec::new(),
            bends: Vec::new(),
            money,
            worth: 1.0,
            q: Barrier::default(),
            x: Barrier::default(),
            s: Barrier::default(),
            equal: Vec::new(),
            fixed: vec![0.0; layout.rows.len()],
            pi: Vec::new(),
            rho: vec![0.0; layout.rows.len()],
            total_cells: 0,
        };
        let start = start(layout, bounds);
        for (b, block) in layout.blocks.iter().enumerate() {
            let (low, high) = &bounds[b];
            let free: Vec<usize> = (0..low.len()).filter(|&k| low[k] < high[k]).collect();
            let offset = method.x.len();
            for k in (0..low.len()).filter(|&k| low[k] >= high[k]) {
                for &(row, coefficient) in &block.terms[k] {
                    method.fixed[row] += coefficient * low[k] / money;
                }
            }
            for &k in &free {
                method.x.push(low[k] / money, high[k] / money, start[b][k] / money);
            }
            let unit = (0..layout.horizon)
                .map(|cell| free.iter().map(|&k| block.row(cell)[k]).sum::<f64>())
                .fold(0.0, f64::max)
                * money;
            let unit = if unit > 0.0 && unit.is_finite() { unit } else { money };
            let mut part = Part { terms: Vec::new(), cells: Vec::new(), offset, unit, free };
            part.terms = part.free.iter().map(|&k| block.terms[k].clone()).collect();
            for (at, cell) in cells[b].iter().enumerate() {
                let row: Vec<f64> = part.free.iter().map(|&k| block.row(at)[k] * (money / unit)).collect();
                let (Some(first), Some(last)) =
                    (row.iter().position(|m| *m != 0.0), row.iter().rposition(|m| *m != 0.0))
                else {
                    continue;
                };
                if cell.pieces.is_empty() {
                    continue;
                }
                let fixed: f64 =
                    (0..low.len()).filter(|&k| low[k] >= high[k]).map(|k| block.row(at)[k] * low[k]).sum();
                let right = (block.carried[at] + fixed - cell.low) / unit;
                let begin = method.bends.len();
                let total: f64 = (cell.high - cell.low) / unit;
                let here =
                    right + part.free.iter().zip(&row).map(|(&k, m)| m * start[b][k] / money).sum::<f64>();
                let share = (here / total).clamp(0.02, 0.98);
                for piece in &cell.pieces {
                    let length = (piece.to - piece.from) / unit;
                    method.bends.push(Bend { block: b, cell: at, piece: *piece, unit });
                    method.q.push(0.0, length, share * length);
                }
                let pieces = begin..method.bends.len();
                let row = row[first..=last].to_vec();
                part.cells.push(Used { cell: at, first, row, right, pieces, at: method.total_cells });
                method.total_cells += 1;
            }
            method.parts.push(part);
        }
        // What the start is worth, in the envelopes' eyes.
        let mut worth = 0.0;
        for (j, bend) in method.bends.iter().enumerate() {
            worth += method.rise(bend, method.q.at[j]).abs();
        }
        method.worth = if worth > 0.0 && worth.is_finite() { worth } else { 1.0 };
        let sums = layout.sums(&start);
        for (row, sum) in layout.rows.iter().zip(sums) {
            let (low, high) = (row.lower / money, row.upper / money);
            if row.lower >= row.upper {
                method.equal.push(Some(low));
                method.s.push(f64::NEG_INFINITY, f64::INFINITY, 0.0);
            } else {
                method.equal.push(None);
                let width = if high.is_finite() { high - low } else { (sum / money - low).abs().max(1e-3) };
                let most = if high.is_finite() { high - 0.02 * width } else { f64::INFINITY };
                let low = if row.lower > 0.0 { low } else { f64::NEG_INFINITY };
                let least = if low.is_finite() { low + 0.02 * width } else { f64::NEG_INFINITY };
                method.s.push(low, high, (sum / money).max(least).min(most));
            }
        }
        method
    }

    /// What a piece rises by on its first `q`.
    fn rise(&self, bend: &Bend, q: f64) -> f64 {
        let cell = self.cells[bend.block][bend.cell];
        match bend.piece.line {
            Some(slope) => cell.value * slope * q * bend.unit,
            None => cell.worth(bend.piece.from + q * bend.unit) - cell.worth(bend.piece.from),
        }
    }

    /// Scaled slope and curvature (≥ 0 where concave) of a piece at q.
    fn slope(&self, j: usize) -> (f64, f64) {
        let bend = &self.bends[j];
        let cell = self.cells[bend.block][bend.cell];
        let scale = bend.unit / self.worth * cell.value;
        if cell.value <= 0.0 {
            return (0.0, 0.0);
        }
        match bend.piece.line {
            Some(slope) => (scale * slope, 0.0),
            None => {
                let a = bend.piece.from + self.q.at[j] * bend.unit;
                let slope = (scale * cell.arm.slope(a)).min(1e60);
                let curvature = (-scale * bend.unit * cell.arm.curvature(a)).clamp(0.0, 1e60);
                (slope, if curvature.is_finite() { curvature } else { 0.0 })
            }
        }
    }

    fn begin(&mut self) {
        let slopes: Vec<(f64, f64)> = (0..self.q.len()).map(|j| self.slope(j)).collect();
        self.pi = vec![0.0; self.total_cells];
        let (_, many) = self.q.complementarity();
        #[allow(clippy::cast_precision_loss, reason = "a count")]
        let mu = 1.0 / (many + self.x.complementarity().1 + 1) as f64;
        let mut reduced = vec![0.0; self.x.len()];
        for part in &self.parts {
            for used in &part.cells {
                let own = &slopes[used.pieces.clone()];
                #[allow(clippy::cast_precision_loss, reason = "a count")]
                let mean = own.iter().map(|slope| slope.0.min(1e3)).sum::<f64>() / own.len() as f64;
                self.pi[used.at] = mean;
                for (k, m) in used.row.iter().enumerate() {
                    reduced[part.offset + used.first + k] += m * mean;
                }
            }
        }
        #[allow(clippy::cast_precision_loss, reason = "a count")]
        let mean = reduced.iter().sum::<f64>() / reduced.len().max(1) as f64;
        if !self.rho.is_empty() {
            self.rho[0] = mean;
        }
        for r in 0..self.rho.len() {
            if self.equal[r].is_none() {
                self.s.start(r, self.rho[r], mu);
                self.rho[r] = self.s.above[r] - self.s.below[r];
            }
        }
        for part in &self.parts {
            for used in &part.cells {
                for j in used.pieces.clone() {
                    self.q.start(j, slopes[j].0 - self.pi[used.at], mu);
                }
            }
            for (k, terms) in part.terms.iter().enumerate() {
                let price: f64 = terms.iter().map(|&(row, coefficient)| coefficient * self.rho[row]).sum();
                self.x.start(part.offset + k, reduced[part.offset + k] - price, mu);
            }
        }
    }

    fn residual(&self, slopes: &[(f64, f64)]) -> Residual {
        let mut q = vec![0.0; self.q.len()];
        let mut x: Vec<f64> = (0..self.x.len()).map(|k| self.x.above[k] - self.x.below[k]).collect();
        let mut cells = vec![0.0; self.total_cells];
        let mut rows: Vec<f64> =
            (0..self.rho.len()).map(|r| -self.equal[r].unwrap_or(self.s.at[r])).collect();
        let mut primal = 0.0_f64;
        let mut dual = 0.0_f64;
        for part in &self.parts {
            let own = &self.x.at[part.offset..part.offset + part.free.len()];
            for used in &part.cells {
                let pi = self.pi[used.at];
                let mut sum = 0.0;
                for j in used.pieces.clone() {
                    q[j] = pi - slopes[j].0 - self.q.below[j] + self.q.above[j];
                    dual = larger(dual, q[j].abs() / (1.0 + slopes[j].0));
                    sum += self.q.at[j];
                }
                let mut reached = used.right;
                for (k, m) in used.row.iter().enumerate() {
                    reached += m * own[used.first + k];
                    x[part.offset + used.first + k] -= m * pi;
                }
                cells[used.at] = sum - reached;
                primal = larger(primal, (sum - reached).abs());
            }
            for (k, terms) in part.terms.iter().enumerate() {
                for &(row, coefficient) in terms {
                    x[part.offset + k] += coefficient * self.rho[row];
                    rows[row] += coefficient * own[k];
                }
            }
        }
        // What is fixed counts in the rows too.
        for (row, fixed) in rows.iter_mut().zip(&self.fixed) {
            *row += fixed;
        }
        let s =
            (0..self.rho.len())
                .map(|r| {
                    if self.equal[r].is_some() {
                        0.0
                    } else {
                        self.s.above[r] - self.s.below[r] - self.rho[r]
                    }
                })
                .collect();
        x.iter().for_each(|x| dual = larger(dual, x.abs()));
        rows.iter().for_each(|row| primal = larger(primal, row.abs()));
        Residual { q, x, s, cells, rows, primal, dual }
    }

    /// The Newton system at this point, factored.
    fn factors(&self, slopes: &[(f64, f64)]) -> Factors {
        let q: Vec<f64> =
            (0..self.q.len()).map(|j| (slopes[j].1 + self.q.curvature(j)).max(f64::MIN_POSITIVE)).collect();
        let mut cells = vec![0.0; self.total_cells];
        let mut blocks = Vec::with_capacity(self.parts.len());
        let mut reached = Vec::with_capacity(self.parts.len());
        let limits = self.rho.len();
        let mut rows = vec![0.0; limits * limits];
        for part in &self.parts {
            let n = part.free.len();
            let mut matrix = vec![0.0; n * n];
            for k in 0..n {
                matrix[k * n + k] = self.x.curvature(part.offset + k);
            }
            for used in &part.cells {
                let soft: f64 = used.pieces.clone().map(|j| 1.0 / q[j]).sum();
                let stiff = 1.0 / soft;
                cells[used.at] = stiff;
                for (k, m) in used.row.iter().enumerate() {
                    let scaled = stiff * m;
                    if scaled != 0.0 {
                        let line = (used.first + k) * n + used.first;
                        let target = &mut matrix[line..=line + k];
                        target.iter_mut().zip(&used.row).for_each(|(entry, other)| *entry += scaled * other);
                    }
                }
            }
            cholesky(&mut matrix, n);
            let mut own: std::collections::BTreeMap<usize, Vec<f64>> = std::collections::BTreeMap::new();
            for (k, terms) in part.terms.iter().enumerate() {
                for &(row, coefficient) in terms {
                    own.entry(row).or_insert_with(|| vec![0.0; n])[k] += coefficient;
                }
            }
            let own: Vec<(usize, Vec<f64>)> = own
                .into_iter()
                .map(|(row, mut line)| {
                    forward(&matrix, n, &mut line);
                    (row, line)
                })
                .collect();
            for (at, (r, one)) in own.iter().enumerate() {
                for (other, two) in &own[..=at] {
                    rows[r * limits + other] += one.iter().zip(two).map(|(a, b)| a * b).sum::<f64>();
                }
            }
            blocks.push(matrix);
            reached.push(own);
        }
        let s: Vec<f64> = (0..limits)
            .map(|r| {
                if self.equal[r].is_some() {
                    f64::INFINITY
                } else {
                    self.s.curvature(r).max(f64::MIN_POSITIVE)
                }
            })
            .collect();
        for r in 0..limits {
            rows[r * limits + r] += 1.0 / s[r];
        }
        cholesky(&mut rows, limits);
        Factors { q, cells, blocks, reached, rows, s }
    }

    /// The step that the equations ask for.
    fn step(&self, factors: &Factors, residual: &Residual, aims: [&Aim<'_>; 3]) -> Step {
        let limits = self.rho.len();
        let pull_q: Vec<f64> = (0..self.q.len()).map(|j| self.q.pull(j, aims[0]) - residual.q[j]).collect();
        let mut y: Vec<f64> = (0..self.x.len()).map(|k| self.x.pull(k, aims[1]) - residual.x[k]).collect();
        let pull_s: Vec<f64> = (0..limits).map(|r| self.s.pull(r, aims[2]) - residual.s[r]).collect();
        let mut wanted = vec![0.0; self.total_cells];
        for part in &self.parts {
            for used in &part.cells {
                let soft: f64 = used.pieces.clone().map(|j| pull_q[j] / factors.q[j]).sum();
                wanted[used.at] = residual.cells[used.at] + soft;
                let push = factors.cells[used.at] * wanted[used.at];
                let at = part.offset + used.first;
                y[at..at + used.row.len()].iter_mut().zip(&used.row).for_each(|(y, m)| *y += m * push);
            }
        }
        let mut rho: Vec<f64> = (0..limits)
            .map(|r| residual.rows[r] - if factors.s[r].is_finite() { pull_s[r] / factors.s[r] } else { 0.0 })
            .collect();
        for (at, part) in self.parts.iter().enumerate() {
            let n = part.free.len();
            let own = &mut y[part.offset..part.offset + n];
            forward(&factors.blocks[at], n, own);
            for (row, line) in &factors.reached[at] {
                rho[*row] += line.iter().zip(own.iter()).map(|(a, b)| a * b).sum::<f64>();
            }
        }
        forward(&factors.rows, limits, &mut rho);
        backward(&factors.rows, limits, &mut rho);
        for (at, part) in self.parts.iter().enumerate() {
            let n = part.free.len();
            let own = &mut y[part.offset..part.offset + n];
            for (row, line) in &factors.reached[at] {
                own.iter_mut().zip(line).for_each(|(y, a)| *y -= a * rho[*row]);
            }
            backward(&factors.blocks[at], n, own);
        }
        let x = y;
        let mut pi = vec![0.0; self.total_cells];
        let mut q = vec![0.0; self.q.len()];
        for part in &self.parts {
            for used in &part.cells {
                let at = part.offset + used.first;
                let moved: f64 = x[at..at + used.row.len()].iter().zip(&used.row).map(|(x, m)| x * m).sum();
                pi[used.at] = factors.cells[used.at] * (wanted[used.at] - moved);
                for j in used.pieces.clone() {
                    q[j] = (pull_q[j] - pi[used.at]) / factors.q[j];
                }
            }
        }
        let s = (0..limits)
            .map(|r| if factors.s[r].is_finite() { (pull_s[r] + rho[r]) / factors.s[r] } else { 0.0 })
            .collect();
        Step { q, x, s, pi, rho }
    }

    fn run(&mut self, bounds: &[(Vec<f64>, Vec<f64>)]) -> Point {
        self.begin();
        let mut slopes: Vec<(f64, f64)> = (0..self.q.len()).map(|j| self.slope(j)).collect();
        let mut residual = self.residual(&slopes);
        let mut steps = 0;
        let mut stuck = 0;
        let mut best: Option<Kept> = None;
        while steps < MOST_STEPS && stuck < 4 {
            let barriers = [&self.q, &self.x, &self.s];
            let (sum, count) = barriers
                .iter()
                .map(|barrier| barrier.complementarity())
                .fold((0.0, 0), |(sum, count), (more, n)| (sum + more, count + n));
            let left = sum + residual.dual + 1e3 * residual.primal;
            if best.as_ref().is_none_or(|best| left < best.left) {
                let (x, pi, rho) = (self.x.clone(), self.pi.clone(), self.rho.clone());
                best = Some(Kept { left, primal: residual.primal, x, pi, rho });
            }
            if sum <= EXACT && residual.primal <= EXACT && residual.dual <= 1e-9 {
                break;
            }
            #[allow(clippy::cast_precision_loss, reason = "a count")]
            let mu = sum / count.max(1) as f64;
            steps += 1;
            let factors = self.factors(&slopes);
            let none = Aim { level: 0.0, second: None };
            let affine = self.step(&factors, &residual, [&none; 3]);
            let follow = |barrier: &Barrier, step: &[f64], aim: &Aim<'_>| barrier.follow(step, aim);
            let (q, x, s) = (
                follow(&self.q, &affine.q, &none),
                follow(&self.x, &affine.x, &none),
                follow(&self.s, &affine.s, &none),
            );
            let length = self
                .q
                .longest(&affine.q, &q.0, &q.1)
                .min(self.x.longest(&affine.x, &x.0, &x.1))
                .min(self.s.longest(&affine.s, &s.0, &s.1))
                .min(1.0);
            let after = self.q.after(length, &affine.q, &q.0, &q.1)
                + self.x.after(length, &affine.x, &x.0, &x.1)
                + self.s.after(length, &affine.s, &s.0, &s.1);
            let ratio = (after / sum).clamp(0.0, 1.0);
            let sigma = (ratio * ratio * ratio).max(1e-6);
            // Below this there is rounding alone.
            #[allow(clippy::cast_precision_loss, reason = "a count")]
            let floor = 0.1 * EXACT / count.max(1) as f64;
            let level = (sigma * mu).max(floor.min(mu));
            let second =
                |step: &[f64], by: &[f64]| -> Vec<f64> { step.iter().zip(by).map(|(a, b)| a * b).collect() };
            let products = [
                (second(&affine.q, &q.0), second(&affine.q, &q.1)),
                (second(&affine.x, &x.0), second(&affine.x, &x.1)),
                (second(&affine.s, &s.0), second(&affine.s, &s.1)),
            ];
            let aims: Vec<Aim<'_>> =
                products.iter().map(|(below, above)| Aim { level, second: Some((below, above)) }).collect();
            let aims = [&aims[0], &aims[1], &aims[2]];
            let step = self.step(&factors, &residual, aims);
            let (q, x, s) = (
                self.q.follow(&step.q, aims[0]),
                self.x.follow(&step.x, aims[1]),
                self.s.follow(&step.s, aims[2]),
            );
            let longest = self
                .q
                .longest(&step.q, &q.0, &q.1)
                .min(self.x.longest(&step.x, &x.0, &x.1))
                .min(self.s.longest(&step.s, &s.0, &s.1));
            let mut length = (FRACTION.max(1.0 - mu) * longest).min(1.0);
            let before = (self.q.clone(), self.x.clone(), self.s.clone(), self.pi.clone(), self.rho.clone());
            let mut taken = false;
            for attempt in 0..12 {
                self.q.advance(length, &step.q, &q.0, &q.1);
                self.x.advance(length, &step.x, &x.0, &x.1);
                self.s.advance(length, &step.s, &s.0, &s.1);
                self.pi.iter_mut().zip(&step.pi).for_each(|(pi, step)| *pi += length * step);
                self.rho.iter_mut().zip(&step.rho).for_each(|(rho, step)| *rho += length * step);
                let next: Vec<(f64, f64)> = (0..self.q.len()).map(|j| self.slope(j)).collect();
                let left = self.residual(&next);
                let foreseen = left.dual <= SURPRISE * residual.dual + 1e2 * mu || attempt == 11;
                if foreseen && left.primal.is_finite() && left.dual.is_finite() {
                    (slopes, residual, taken) = (next, left, true);
                    break;
                }
                // Slopes that the step did not foresee: a shorter one.
                (self.q, self.x, self.s, self.pi, self.rho) = before.clone();
                length *= 0.4;
            }
            if !taken {
                break;
            }
            stuck = if length < 1e-6 { stuck + 1 } else { 0 };
        }
        // Past the best point rounding only takes away.
        let mut primal = residual.primal;
        if let Some(best) = best {
            (self.x, self.pi, self.rho, primal) = (best.x, best.pi, best.rho, best.primal);
        }
        self.end(bounds, primal, steps)
    }

    fn end(&self, bounds: &[(Vec<f64>, Vec<f64>)], residual: f64, steps: usize) -> Point {
        let mut x: Vec<Vec<f64>> = bounds.iter().map(|(low, _)| low.clone()).collect();
        let mut ends: Vec<Vec<i8>> = bounds.iter().map(|(low, _)| vec![-1; low.len()]).collect();
        let mut adstock: Vec<Vec<f64>> = bounds.iter().map(|_| vec![0.0; self.layout.horizon]).collect();
        for (b, part) in self.parts.iter().enumerate() {
            for (at, &k) in part.free.iter().enumerate() {
                let j = part.offset + at;
                let (low, high) = self.x.gaps(j);
                x[b][k] = (self.x.at[j] * self.money).clamp(bounds[b].0[k], bounds[b].1[k]);
                // At the end a gap or its multiplier is nothing beside the other.
                ends[b][k] = if low < 1e-7 && low < 1e-4 * self.x.below[j] {
                    -1
                } else if high < 1e-7 && high < 1e-4 * self.x.above[j] {
                    1
                } else {
                    0
                };
            }
            for used in &part.cells {
                adstock[b][used.cell] = self.pi[used.at] * self.worth / part.unit;
            }
        }
        let rows = self
            .layout
            .rows
            .iter()
            .zip(&self.rho)
            .map(|(row, rho)| {
                let rho = rho * self.worth / self.money;
                // A side without a limit has no price.
                let least = if row.lower > 0.0 { f64::NEG_INFINITY } else { 0.0 };
                let most = if row.upper.is_finite() { f64::INFINITY } else { 0.0 };
                rho.clamp(least, most)
            })
            .collect();
        Point { x, adstock, rows, ends, residual, steps }
    }
}

/// The larger of the two; NaN where one is.
fn larger(most: f64, x: f64) -> f64 {
    if x > most || x.is_nan() { x } else { most }
}

/// Spends between the bounds that take about the share of the budget that a plan takes.
fn start(layout: &Layout<'_>, bounds: &[(Vec<f64>, Vec<f64>)]) -> Vec<Vec<f64>> {
    let at = |share: f64| -> Vec<Vec<f64>> {
        bounds
            .iter()
            .map(|(low, high)| low.iter().zip(high).map(|(low, high)| low + share * (high - low)).collect())
            .collect()
    };
    let total = |share: f64| -> f64 {
        layout.blocks.iter().zip(at(share)).map(|(block, x)| block.periods * x.iter().sum::<f64>()).sum()
    };
    let (mut low, mut high) = (0.0_f64, 0.5);
    if layout.budget.is_finite() && total(high) > 0.8 * layout.budget {
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if total(middle) > 0.8 * layout.budget { high = middle } else { low = middle }
        }
    }
    at(high.max(1e-6))
}
