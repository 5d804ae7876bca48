//! The best mixture of known choices: a linear program over columns, solved by Clarabel's interior-point method.
//!
//! ```text
//! maximise   Σ_ij c_ij θ_ij
//! subject to Σ_j θ_ij = 1 for every place,   Σ_ij a_rij θ_ij ≤ b_r (or =),   θ ≥ 0
//! ```

use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettingsBuilder, DefaultSolver, IPSolver, NonnegativeConeT, SolverStatus, ZeroConeT,
};

/// A choice of a place: what it adds to the objective and to every row.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) place: usize,
    pub(crate) objective: f64,
    /// (row, amount).
    pub(crate) amounts: Vec<(usize, f64)>,
}

/// A row of the master: whether equal, and its bound.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Side {
    pub(crate) equal: bool,
    pub(crate) bound: f64,
}

pub(crate) enum Mixture {
    /// θ per column, and the multiplier of every row.
    Best { shares: Vec<f64>, multipliers: Vec<f64> },
    /// No mixture keeps all rows: multipliers that show it (for these columns).
    Impossible { multipliers: Vec<f64> },
    /// The solver gave up.
    Unknown,
}

/// Solves the linear program. `rows[r]` has bound b_r; places are 0..places, each with at least one column.
pub(crate) fn solve<'c>(
    places: usize,
    rows: &[Side],
    columns: impl Iterator<Item = &'c Column> + Clone,
) -> Mixture {
    let n = columns.clone().count();
    let m = rows.len();
    // Equal rows first: the solver wants the cones one after the other.
    let mut position = vec![0; m];
    let mut next = places;
    for equal in [true, false] {
        for (r, row) in rows.iter().enumerate() {
            if row.equal == equal {
                position[r] = next;
                next += 1;
            }
        }
    }
    let equalities = places + rows.iter().filter(|row| row.equal).count();
    let mut row_scale: Vec<f64> = rows.iter().map(|row| row.bound.abs()).collect();
    let mut objective_scale = 0.0_f64;
    for column in columns.clone() {
        objective_scale = objective_scale.max(column.objective.abs());
        column.amounts.iter().for_each(|&(r, amount)| row_scale[r] = row_scale[r].max(amount.abs()));
    }
    let unit = |scale: f64| if scale > 0.0 && scale.is_finite() { scale } else { 1.0 };
    row_scale.iter_mut().for_each(|scale| *scale = unit(*scale));
    let objective_scale = unit(objective_scale);

    let height = next + n;
    let mut cost = Vec::with_capacity(n);
    let (mut pointers, mut indices, mut entries) = (vec![0], Vec::new(), Vec::new());
    let mut sorted: Vec<(usize, f64)> = Vec::new();
    for (j, column) in columns.enumerate() {
        cost.push(-column.objective / objective_scale);
        sorted.clear();
        sorted.push((column.place, 1.0));
        sorted.extend(column.amounts.iter().map(|&(r, amount)| (position[r], amount / row_scale[r])));
        sorted.push((next + j, -1.0));
        sorted.sort_by_key(|entry| entry.0);
        indices.extend(sorted.iter().map(|entry| entry.0));
        entries.extend(sorted.iter().map(|entry| entry.1));
        pointers.push(indices.len());
    }
    let mut bounds = vec![1.0; places];
    bounds.resize(height, 0.0);
    for (r, row) in rows.iter().enumerate() {
        bounds[position[r]] = row.bound / row_scale[r];
    }
    let matrix = CscMatrix::new(height, n, pointers, indices, entries);
    let cones = [ZeroConeT(equalities), NonnegativeConeT(height - equalities)];
    let settings = DefaultSettingsBuilder::default()
        .verbose(false)
        .max_iter(100)
        .max_threads(1)
        .tol_gap_abs(1e-11)
        .tol_gap_rel(1e-11)
        .tol_feas(1e-11)
        .tol_infeas_abs(1e-9)
        .tol_infeas_rel(1e-9)
        .presolve_enable(false)
        .build();
    let quadratic = CscMatrix::zeros((n, n));
    let Ok(settings) = settings else { return Mixture::Unknown };
    let Ok(mut solver) = DefaultSolver::new(&quadratic, &cost, &matrix, &bounds, &cones, settings) else {
        return Mixture::Unknown;
    };
    solver.solve();
    let solution = &solver.solution;
    let finite = solution.x.iter().chain(&solution.z).all(|x| x.is_finite());
    let multipliers = |scale: f64| {
        let of = |r: usize| {
            // A multiplier that is nothing but the solver's rounding is none.
            let z = Some(solution.z[position[r]]).filter(|z| z.abs() > 1e-11).unwrap_or(0.0);
            let y = z * scale / row_scale[r];
            if rows[r].equal { y } else { y.max(0.0) }
        };
        (0..m).map(of).collect()
    };
    match solution.status {
        SolverStatus::PrimalInfeasible | SolverStatus::AlmostPrimalInfeasible if finite => {
            Mixture::Impossible { multipliers: multipliers(1.0) }
        }
        SolverStatus::DualInfeasible | SolverStatus::AlmostDualInfeasible => Mixture::Unknown,
        _ if finite && solution.r_prim < 1e-6 && solution.r_dual < 1e-3 => Mixture::Best {
            shares: solution.x.iter().map(|share| share.max(0.0)).collect(),
            multipliers: multipliers(objective_scale),
        },
        _ => Mixture::Unknown,
    }
}
