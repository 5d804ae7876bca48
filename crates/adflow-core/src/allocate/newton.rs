//! The last digits of a plan: Newton's method on a program whose places keep their stretches.
//!
//! Around spends x with multipliers y the program is a quadratic one in the step d,
//!
//! ```text
//! maximise   Σ_i g_i d_i + ½ h_i d_i²      g: slopes of the objective, h: curvatures of the Lagrangian, w_i f_i″(x_i)
//! subject to every row, linearised;   from_i ≤ x_i + d_i ≤ to_i
//! ```
//!
//! whose solution squares the error (sequential quadratic programming; R. B. Wilson, 1963). Clarabel solves each.

use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettingsBuilder, DefaultSolver, IPSolver, NonnegativeConeT, SolverStatus, ZeroConeT,
};

use super::coupled::Stand;
use super::program::Program;

/// One step: the new spends and multipliers; nothing where the model has no solution.
pub(crate) fn step(
    program: &Program<'_>,
    stands: &[Stand],
    multipliers: &[f64],
) -> Option<(Vec<Stand>, Vec<f64>)> {
    let prices = program.prices(multipliers, 1.0);
    let n = stands.len();
    let m = program.rows.len();
    // Per free place: index, unit of money, slope of the objective, curvature, slope and rate per unit.
    let mut free: Vec<usize> = Vec::new();
    let mut at: Vec<Option<usize>> = vec![None; n];
    for (place, stand) in stands.iter().enumerate() {
        let stretch = &program.places[place].stretches[stand.stretch];
        if stretch.step <= 0.0 && stretch.from < stretch.to {
            at[place] = Some(free.len());
            free.push(place);
        }
    }
    let count = free.len();
    if count == 0 {
        return None;
    }
    let unit: Vec<f64> = free
        .iter()
        .map(|&place| {
            let stretch = &program.places[place].stretches[stands[place].stretch];
            stands[place].x.abs().max(1e-3 * (stretch.to - stretch.from))
        })
        .collect();
    let mut gradient = vec![0.0; count];
    let mut curvature = vec![0.0; count];
    let mut slopes = vec![0.0; count];
    for (j, &place) in free.iter().enumerate() {
        let (stand, own) = (stands[place], &program.places[place]);
        let stretch = &own.stretches[stand.stretch];
        slopes[j] = stretch.slope(stand.x);
        let bend = stretch.curvature(stand.x);
        if prices[place].weight > 0.0 && !slopes[j].is_finite() || !bend.is_finite() {
            return None;
        }
        gradient[j] = (program.counts_value * own.value * slopes[j] - stretch.rate) * unit[j];
        curvature[j] = prices[place].weight * bend * unit[j] * unit[j];
    }
    let scale = gradient.iter().fold(0.0_f64, |most, g| most.max(g.abs())).max(f64::MIN_POSITIVE);

    // Rows: equal ones first, then the others, then the ends of the stretches.
    let mut order: Vec<usize> = (0..m).filter(|&r| program.rows[r].equal).collect();
    let equal = order.len();
    order.extend((0..m).filter(|&r| !program.rows[r].equal));
    let mut entries: Vec<Vec<(usize, f64)>> = vec![Vec::new(); count];
    let mut bounds = Vec::with_capacity(m + 2 * count);
    let mut row_scale = Vec::with_capacity(m);
    for (height, &r) in order.iter().enumerate() {
        let row = &program.rows[r];
        let mut line = vec![row.everyone; count];
        row.terms.iter().filter_map(|&(place, a)| at[place].map(|j| (j, a))).for_each(|(j, a)| line[j] += a);
        for (j, &place) in free.iter().enumerate() {
            line[j] += (row.value * program.places[place].value + row.response) * slopes[j];
            line[j] *= unit[j];
        }
        let (sum, _) = program.sum(row, stands);
        let most = line.iter().fold(0.0_f64, |most, a| most.max(a.abs()));
        let own = if most > 0.0 { most } else { 1.0 };
        for (j, a) in line.iter().enumerate().filter(|(_, a)| **a != 0.0) {
            entries[j].push((height, a / own));
        }
        row_scale.push(own);
        bounds.push((row.bound - sum) / own);
    }
    for (j, &place) in free.iter().enumerate() {
        let stretch = &program.places[place].stretches[stands[place].stretch];
        entries[j].push((m + 2 * j, 1.0));
        entries[j].push((m + 2 * j + 1, -1.0));
        bounds.push((stretch.to - stands[place].x) / unit[j]);
        bounds.push((stands[place].x - stretch.from) / unit[j]);
    }
    let (mut pointers, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
    for column in &entries {
        indices.extend(column.iter().map(|entry| entry.0));
        values.extend(column.iter().map(|entry| entry.1));
        pointers.push(indices.len());
    }
    let height = bounds.len();
    let matrix = CscMatrix::new(height, count, pointers, indices, values);
    // A place that is straight, or bends upwards, gets a trace of curvature: the model stays strictly concave, and where rows
    // alone fix the place its step is right all the same.
    let bend: Vec<f64> = curvature.iter().map(|h| (-h / scale).max(1e-9)).collect();
    let quadratic = CscMatrix::new(count, count, (0..=count).collect(), (0..count).collect(), bend);
    let cost: Vec<f64> = gradient.iter().map(|g| -g / scale).collect();
    let cones = [ZeroConeT(equal), NonnegativeConeT(height - equal)];
    let settings = DefaultSettingsBuilder::default()
        .verbose(false)
        .max_iter(60)
        .max_threads(1)
        .tol_gap_abs(1e-13)
        .tol_gap_rel(1e-13)
        .tol_feas(1e-13)
        .presolve_enable(false)
        .build()
        .ok()?;
    let mut solver = DefaultSolver::new(&quadratic, &cost, &matrix, &bounds, &cones, settings).ok()?;
    solver.solve();
    let solution = &solver.solution;
    let solved = match solution.status {
        SolverStatus::Solved | SolverStatus::AlmostSolved => true,
        _ => solution.r_prim < 1e-9 && solution.r_dual < 1e-7,
    };
    if !solved || !solution.x.iter().chain(&solution.z).all(|x| x.is_finite()) {
        return None;
    }
    let mut stands = stands.to_vec();
    for (j, &place) in free.iter().enumerate() {
        let stretch = &program.places[place].stretches[stands[place].stretch];
        let x = (stands[place].x + solution.x[j] * unit[j]).clamp(stretch.from, stretch.to);
        // Next to an end by the solver's rounding is at the end.
        let near = 1e-12 * (stretch.to - stretch.from);
        stands[place].x = match (x - stretch.from <= near, stretch.to - x <= near) {
            (true, _) => stretch.from,
            (_, true) => stretch.to,
            _ => x,
        };
    }
    let mut next = vec![0.0; m];
    for (height, &r) in order.iter().enumerate() {
        let y =
            Some(solution.z[height]).filter(|z| z.abs() > 1e-12).unwrap_or(0.0) * scale / row_scale[height];
        next[r] = if program.rows[r].equal { y } else { y.max(0.0) };
    }
    Some((stands, next))
}
