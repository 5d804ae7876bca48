//! The best move from a plan, with every outcome taken as a straight line: a quadratic or second-order cone program for
//! Clarabel.
//!
//! ```text
//! maximise   M(R + J z) − rate·z − ½ Σ_j b_j z_j²
//! subject to low ≤ z ≤ high,   rows over z
//!
//! M: t − Σ_s c_s max(0, t − R_s),   or −Σ_s c_s max(0, T_s − R_s),   or mean − κ·sd
//! ```

use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettingsBuilder, DefaultSolver, IPSolver, NonnegativeConeT, SecondOrderConeT, SolverStatus,
    ZeroConeT,
};

use super::measure::{count, deviation, mean};

/// One spend that may move, straight.
#[derive(Debug, Clone)]
pub(super) struct Move {
    pub(super) place: usize,
    /// d R_s/d z.
    pub(super) slopes: Vec<f64>,
    pub(super) low: f64,
    pub(super) high: f64,
    /// b.
    pub(super) bend: f64,
    pub(super) rate: f64,
}

/// A row over the moves: Σ a z ≤ room, or = room.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) terms: Vec<(usize, f64)>,
    pub(super) equal: bool,
    pub(super) room: f64,
}

/// M.
#[derive(Debug, Clone)]
pub(super) enum Measure {
    /// Every outcome below a level costs: `(T_s, c_s)`; with a free level t that is common to all, worth itself, in place of T.
    Shortfall {
        levels: Vec<f64>,
        costs: Vec<f64>,
        free: bool,
    },
    Deviation(f64),
}

impl Measure {
    pub(super) fn of(&self, outcomes: &[f64]) -> f64 {
        match self {
            Self::Shortfall { levels, costs, free: false } => {
                -outcomes.iter().zip(levels).zip(costs).map(|((r, t), c)| c * (t - r).max(0.0)).sum::<f64>()
            }
            Self::Shortfall { costs, .. } => {
                super::measure::cvar(outcomes, 1.0 / (costs[0] * count(outcomes.len())))
            }
            Self::Deviation(kappa) => mean(outcomes) - kappa * deviation(outcomes),
        }
    }
}

pub(super) struct Step {
    pub(super) moves: Vec<f64>,
    /// How much more a unit of each outcome is worth.
    pub(super) weights: Vec<f64>,
    /// Per line.
    pub(super) multipliers: Vec<f64>,
}

/// A matrix as its entries, column by column.
#[derive(Default)]
struct Columns {
    pointers: Vec<usize>,
    rows: Vec<usize>,
    entries: Vec<f64>,
}

impl Columns {
    fn push(&mut self, mut column: Vec<(usize, f64)>) {
        if self.pointers.is_empty() {
            self.pointers.push(0);
        }
        column.sort_by_key(|entry| entry.0);
        for (row, entry) in column.into_iter().filter(|entry| entry.1 != 0.0) {
            self.rows.push(row);
            self.entries.push(entry);
        }
        self.pointers.push(self.rows.len());
    }
}

/// The worst draws, where a free level leaves many far above it: three times as many as count, and some.
fn tail(measure: &Measure, outcomes: &[f64]) -> Option<(Vec<usize>, Vec<f64>)> {
    let Measure::Shortfall { costs, free: true, .. } = measure else { return None };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the number of draws")]
    let most = (3.0 / costs[0]).ceil().min(count(outcomes.len())) as usize + 100;
    if most >= outcomes.len() || 2 * most > outcomes.len() {
        return None;
    }
    let mut order: Vec<usize> = (0..outcomes.len()).collect();
    order.sort_by(|&a, &b| outcomes[a].total_cmp(&outcomes[b]).then(a.cmp(&b)));
    order.truncate(most);
    order.sort_unstable();
    let costs = vec![costs[0]; most];
    Some((order, costs))
}

/// Solves the model; nothing where the solver gives up.
pub(super) fn best(measure: &Measure, outcomes: &[f64], moves: &[Move], lines: &[Line]) -> Option<Step> {
    let draws = outcomes.len();
    if let Some((kept, costs)) = tail(measure, outcomes) {
        let pick = |values: &[f64]| kept.iter().map(|&draw| values[draw]).collect::<Vec<f64>>();
        let few: Vec<Move> = moves.iter().map(|m| Move { slopes: pick(&m.slopes), ..m.clone() }).collect();
        let measure = Measure::Shortfall { levels: Vec::new(), costs, free: true };
        let mut step = best(&measure, &pick(outcomes), &few, lines)?;
        let mut weights = vec![0.0; draws];
        kept.iter().zip(&step.weights).for_each(|(&draw, weight)| weights[draw] = *weight);
        step.weights = weights;
        return Some(step);
    }
    let widths: Vec<f64> = moves.iter().map(|m| (m.high - m.low).max(f64::MIN_POSITIVE)).collect();
    // Units in which outcomes are near 1.
    let mut unit = outcomes.iter().fold(0.0_f64, |unit, r| unit.max(r.abs()));
    for (m, width) in moves.iter().zip(&widths) {
        unit = m.slopes.iter().fold(unit, |unit, slope| unit.max(slope * width * 1e-6));
    }
    let unit = if unit > 0.0 && unit.is_finite() { unit } else { 1.0 };
    let (free, shortfall) = match measure {
        Measure::Shortfall { free, .. } => (*free, true),
        Measure::Deviation(_) => (false, false),
    };
    let priced = free || !shortfall;
    // Units of the measure: outcomes, or numbers.
    let worth = if priced { unit } else { 1.0 };
    let scale_of = |line: &Line| {
        line.terms
            .iter()
            .fold(line.room.abs(), |scale, &(j, a)| scale.max((a * widths[j]).abs()))
            .max(f64::MIN_POSITIVE)
    };
    let scales: Vec<f64> = lines.iter().map(scale_of).collect();
    let equalities = lines.iter().filter(|line| line.equal).count();
    let mut position = vec![0; lines.len()];
    let mut next = 0;
    for equal in [true, false] {
        for (r, _) in lines.iter().enumerate().filter(|(_, line)| line.equal == equal) {
            position[r] = next;
            next += 1;
        }
    }
    let bounds_from = next;
    let draws_from = bounds_from + 2 * moves.len();
    let height = draws_from + if shortfall { 2 * draws } else { draws + 1 };
    let nonnegative = if shortfall { height } else { draws_from } - equalities;
    let mut right = vec![0.0; height];
    for (r, line) in lines.iter().enumerate() {
        right[position[r]] = line.room / scales[r];
    }
    let mut matrix = Columns::default();
    let mut cost = Vec::new();
    let mut quadratic = Columns::default();
    let root = count(draws).sqrt();
    let of_line = {
        let mut of_line: Vec<Vec<(usize, f64)>> = vec![Vec::new(); moves.len()];
        for (r, line) in lines.iter().enumerate() {
            line.terms.iter().for_each(|&(j, a)| of_line[j].push((position[r], a * widths[j] / scales[r])));
        }
        of_line
    };
    for (j, (m, width)) in moves.iter().zip(&widths).enumerate() {
        let mut column = of_line[j].clone();
        column.push((bounds_from + 2 * j, 1.0));
        column.push((bounds_from + 2 * j + 1, -1.0));
        right[bounds_from + 2 * j] = m.high / width;
        right[bounds_from + 2 * j + 1] = -m.low / width;
        let middle = mean(&m.slopes);
        if shortfall {
            column.extend((0..draws).map(|s| (draws_from + s, -m.slopes[s] * width / unit)));
            cost.push(m.rate * width / worth);
        } else {
            column.extend(
                (0..draws).map(|s| (draws_from + 1 + s, -(m.slopes[s] - middle) * width / unit / root)),
            );
            cost.push((m.rate - middle) * width / worth);
        }
        matrix.push(column);
        quadratic.push(vec![(j, (m.bend * width * width / worth).max(0.0))]);
    }
    match measure {
        Measure::Shortfall { levels, costs, free } => {
            if *free {
                matrix.push((0..draws).map(|s| (draws_from + s, 1.0)).collect());
                quadratic.push(Vec::new());
                cost.push(-1.0);
            }
            for s in 0..draws {
                matrix.push(vec![(draws_from + s, -1.0), (draws_from + draws + s, -1.0)]);
                quadratic.push(Vec::new());
                cost.push(costs[s] * unit / worth);
                right[draws_from + s] = if *free { outcomes[s] } else { outcomes[s] - levels[s] } / unit;
            }
        }
        Measure::Deviation(kappa) => {
            matrix.push(vec![(draws_from, -1.0)]);
            quadratic.push(Vec::new());
            cost.push(*kappa);
            let middle = mean(outcomes);
            (0..draws).for_each(|s| right[draws_from + 1 + s] = (outcomes[s] - middle) / unit / root);
        }
    }
    let n = cost.len();
    let matrix = CscMatrix::new(height, n, matrix.pointers, matrix.rows, matrix.entries);
    let quadratic = CscMatrix::new(n, n, quadratic.pointers, quadratic.rows, quadratic.entries);
    let mut cones = vec![ZeroConeT(equalities), NonnegativeConeT(nonnegative)];
    if !shortfall {
        cones.push(SecondOrderConeT(draws + 1));
    }
    let settings = DefaultSettingsBuilder::default()
        .verbose(false)
        .max_iter(100)
        .max_threads(1)
        .tol_gap_abs(1e-12)
        .tol_gap_rel(1e-11)
        .tol_feas(1e-11)
        .presolve_enable(false)
        .build()
        .ok()?;
    let mut solver = DefaultSolver::new(&quadratic, &cost, &matrix, &right, &cones, settings).ok()?;
    solver.solve();
    let solution = &solver.solution;
    let finite = solution.x.iter().chain(&solution.z).all(|x| x.is_finite());
    let infeasible = matches!(
        solution.status,
        SolverStatus::PrimalInfeasible
            | SolverStatus::AlmostPrimalInfeasible
            | SolverStatus::DualInfeasible
            | SolverStatus::AlmostDualInfeasible
    );
    if infeasible || !finite || solution.r_prim > 1e-6 {
        return None;
    }
    let weights = match measure {
        Measure::Shortfall { .. } => {
            (0..draws).map(|s| solution.z[draws_from + s].max(0.0) * worth / unit).collect()
        }
        Measure::Deviation(_) => {
            (0..draws).map(|s| 1.0 / count(draws) + solution.z[draws_from + 1 + s] / root).collect()
        }
    };
    let multiplier = |r: usize| {
        let y = solution.z[position[r]] * worth / scales[r];
        let y = if solution.z[position[r]].abs() > 1e-11 { y } else { 0.0 };
        if lines[r].equal { y } else { y.max(0.0) }
    };
    Some(Step {
        moves: (0..moves.len())
            .map(|j| (solution.x[j] * widths[j]).clamp(moves[j].low, moves[j].high))
            .collect(),
        weights,
        multipliers: (0..lines.len()).map(multiplier).collect(),
    })
}
