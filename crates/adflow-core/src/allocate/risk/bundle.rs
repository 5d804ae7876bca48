//! Which weights to try next: the bound is convex in the weights, and every plan that was best for some weights is a plane below
//! it. The next weights are the least of the planes, held near the best weights so far.
//!
//! (C. Lemaréchal, A. Nemirovskii and Y. Nesterov, "New variants of bundle methods", Mathematical Programming 69, 1995.)

use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettingsBuilder, DefaultSolver, IPSolver, NonnegativeConeT, SecondOrderConeT, SupportedConeT,
    ZeroConeT,
};

use super::super::goal::Risk;
use super::measure::count;

/// minimise the square of the distance to the best weights, over the weights at which all planes lie below a level between
/// the bound and the least of the planes.
pub(super) fn next(risk: Risk, planes: &[(Vec<f64>, f64)], near: &[f64], bound: f64) -> Option<Vec<f64>> {
    if planes.is_empty() || near.is_empty() {
        return None;
    }
    let (least, lowest) = solve(risk, planes, None)?;
    let level = lowest + 0.3 * (bound - lowest).max(0.0);
    let weights = solve(risk, planes, Some((near, level))).map_or(least, |found| found.0);
    if matches!(risk, Risk::Cvar(_)) {
        return Some(risk.admissible(&weights));
    }
    // A little nearer to the middle, so that rounding leaves them inside.
    let (total, middle) = (weights.iter().sum::<f64>(), 1.0 / count(weights.len()));
    Some(weights.iter().map(|q| middle + (q / total - middle) * (1.0 - 1e-9)).collect())
}

/// The weights that minimise the largest plane, or those nearest to some with all planes below a level.
fn solve(risk: Risk, planes: &[(Vec<f64>, f64)], near: Option<(&[f64], f64)>) -> Option<(Vec<f64>, f64)> {
    let draws = planes[0].0.len();
    let unit = planes.iter().flat_map(|plane| &plane.0).fold(f64::MIN_POSITIVE, |unit, r| unit.max(r.abs()));
    let n = draws + 1;
    let free = near.is_none();
    // Variables: S·q and the largest plane over its unit.
    let size = count(draws);
    let mut right = vec![size];
    let planes_from = 1;
    for (_, costs) in planes {
        // Σ q R − costs ≤ v, or ≤ level.
        right.push(costs / unit + near.map_or(0.0, |(_, level)| level / unit));
    }
    let box_from = right.len();
    let boxed = match risk {
        Risk::Cvar(alpha) => {
            (0..draws).for_each(|_| right.extend([0.0, 1.0 / alpha]));
            true
        }
        _ => {
            // ‖S q − 1‖ ≤ κ √S, and q ≥ 0: weights that the ordinary solver can answer.
            (0..draws).for_each(|_| right.push(0.0));
            right.push(risk.level() * size.sqrt());
            (0..draws).for_each(|_| right.push(-1.0));
            false
        }
    };
    let (mut pointers, mut rows, mut entries) = (vec![0], Vec::new(), Vec::new());
    let mut cost = vec![0.0; n];
    for s in 0..draws {
        rows.push(0);
        entries.push(1.0);
        for (k, (outcomes, _)) in planes.iter().enumerate() {
            rows.push(planes_from + k);
            entries.push(outcomes[s] / unit / size);
        }
        if boxed {
            rows.extend([box_from + 2 * s, box_from + 2 * s + 1]);
            entries.extend([-1.0, 1.0]);
        } else {
            rows.extend([box_from + s, box_from + draws + 1 + s]);
            entries.extend([-1.0, -1.0]);
        }
        pointers.push(rows.len());
        cost[s] = near.map_or(0.0, |(near, _)| -near[s]);
    }
    if free {
        (0..planes.len()).for_each(|k| {
            rows.push(planes_from + k);
            entries.push(-1.0);
        });
        cost[draws] = 1.0;
    }
    pointers.push(rows.len());
    let matrix = CscMatrix::new(right.len(), n, pointers, rows, entries);
    let diagonal: Vec<f64> = (0..n)
        .map(|at| {
            if free {
                0.0
            } else if at < draws {
                1.0 / size
            } else {
                1.0
            }
        })
        .collect();
    let quadratic = if free {
        CscMatrix::zeros((n, n))
    } else {
        CscMatrix::new(n, n, (0..=n).collect(), (0..n).collect(), diagonal)
    };
    let plain = planes.len() + if boxed { 2 * draws } else { draws };
    let mut cones: Vec<SupportedConeT<f64>> = vec![ZeroConeT(1), NonnegativeConeT(plain)];
    if !boxed {
        cones.push(SecondOrderConeT(draws + 1));
    }
    let settings = DefaultSettingsBuilder::default()
        .verbose(false)
        .max_iter(100)
        .max_threads(1)
        .presolve_enable(false)
        .build()
        .ok()?;
    let mut solver = DefaultSolver::new(&quadratic, &cost, &matrix, &right, &cones, settings).ok()?;
    solver.solve();
    let solution = &solver.solution;
    if !solution.x.iter().all(|x| x.is_finite()) || solution.r_prim > 1e-5 {
        return None;
    }
    let weights: Vec<f64> = solution.x[..draws].iter().map(|q| (q / size).max(0.0)).collect();
    Some((weights, solution.x[draws] * unit))
}
