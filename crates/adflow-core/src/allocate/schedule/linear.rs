//! Linear programs over lines Σ coefficient · x ≤ bound, by Clarabel's interior-point method.

use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettingsBuilder, DefaultSolver, IPSolver, NonnegativeConeT, SolverStatus};

/// Σ coefficient · x ≤ bound.
pub(crate) type Line = (Vec<(usize, f64)>, f64);

pub(crate) enum Answer {
    /// A best x.
    Best(Vec<f64>),
    /// No x keeps all lines: a weight ≥ 0 per line that shows it.
    Impossible(Vec<f64>),
    Unknown,
}

/// Minimises cost · x over the lines.
pub(crate) fn solve(cost: &[f64], lines: &[Line]) -> Answer {
    let n = cost.len();
    let mut columns: Vec<Vec<(usize, f64)>> = vec![Vec::new(); n];
    for (line, (terms, _)) in lines.iter().enumerate() {
        terms.iter().for_each(|&(j, coefficient)| columns[j].push((line, coefficient)));
    }
    let (mut pointers, mut indices, mut entries) = (vec![0], Vec::new(), Vec::new());
    for column in columns {
        indices.extend(column.iter().map(|entry| entry.0));
        entries.extend(column.iter().map(|entry| entry.1));
        pointers.push(indices.len());
    }
    let height = lines.len();
    let bounds: Vec<f64> = lines.iter().map(|line| line.1).collect();
    let matrix = CscMatrix::new(height, n, pointers, indices, entries);
    let settings = DefaultSettingsBuilder::default()
        .verbose(false)
        .max_threads(1)
        .max_iter(100)
        .presolve_enable(false)
        .build();
    let Ok(settings) = settings else { return Answer::Unknown };
    let cones = [NonnegativeConeT(height)];
    let Ok(mut solver) =
        DefaultSolver::new(&CscMatrix::zeros((n, n)), cost, &matrix, &bounds, &cones, settings)
    else {
        return Answer::Unknown;
    };
    solver.solve();
    let solution = &solver.solution;
    let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
    match solution.status {
        SolverStatus::PrimalInfeasible | SolverStatus::AlmostPrimalInfeasible if finite(&solution.z) => {
            Answer::Impossible(solution.z.clone())
        }
        SolverStatus::Solved | SolverStatus::AlmostSolved if finite(&solution.x) => {
            Answer::Best(solution.x.clone())
        }
        _ => Answer::Unknown,
    }
}
