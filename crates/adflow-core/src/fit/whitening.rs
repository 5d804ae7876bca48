//! A change of coordinates after which a posterior looks like independent standard normals.

use faer::{Mat, Side};

use crate::fit::density::Density;

/// Above this many parameters only the scales are used, not the correlations.
///
/// A dense factor costs d² multiplications for every gradient and d³ once: at 600 that is still below the cost of a
/// likelihood with that many parameters.
const DENSE: usize = 600;

/// The smallest eigenvalue of the scaled curvature that is believed: a direction is at most this^(-1/2) = 1,000 times as wide
/// as its parameters are on their own.
const FLOOR: f64 = 1e-6;

/// An affine map from coordinates z, in which sampling is easy, to the parameters θ.
///
/// ```text
/// θ = c + L z,    ∇_z ln p = Lᵀ ∇_θ ln p
/// ```
///
/// L is dense (its columns are the principal directions of the scaled curvature) or diagonal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Whitening {
    centre: Vec<f64>,
    factor: Factor,
}

#[derive(Debug, Clone, PartialEq)]
enum Factor {
    /// L by columns, d × d.
    Dense(Vec<f64>),
    /// The diagonal of L.
    Diagonal(Vec<f64>),
}

impl Whitening {
    /// Moves the origin to `centre` and changes nothing else.
    #[cfg(test)]
    pub(crate) fn shift(centre: Vec<f64>) -> Self {
        let factor = Factor::Diagonal(vec![1.0; centre.len()]);
        Self { centre, factor }
    }

    /// Makes the normal with this mean and this precision (row after row, symmetric) standard.
    ///
    /// With D = diag |A| and the eigenvalues λ, eigenvectors V of D^(-1/2) A D^(-1/2)
    ///
    /// ```text
    /// L = D^(-1/2) V diag(max(|λ|, 1e-6))^(-1/2)
    /// ```
    ///
    /// so a direction of negative curvature (a saddle) gets the scale of its size, and a flat one a wide but finite scale.
    /// Entries that are not finite count as 0.
    pub(crate) fn from_precision(centre: Vec<f64>, precision: &[f64]) -> Self {
        let dim = centre.len();
        let scales: Vec<f64> = (0..dim).map(|i| scale(precision[i * dim + i])).collect();
        let scaled = |i: usize, j: usize| {
            let entry = precision[i * dim + j] * scales[i] * scales[j];
            if entry.is_finite() { entry } else { 0.0 }
        };
        Self::from_scaled(centre, &scales, scaled, |value| 1.0 / value.abs().max(FLOOR).sqrt())
    }

    /// Makes independent normals with this mean and these precisions standard.
    pub(crate) fn from_precisions(centre: Vec<f64>, precisions: &[f64]) -> Self {
        let factor = Factor::Diagonal(precisions.iter().map(|&precision| scale(precision)).collect());
        Self { centre, factor }
    }

    /// Makes draws (each of length d) uncorrelated with mean 0 and variance 1; `None` for fewer than two draws or draws that
    /// are not finite.
    ///
    /// The sample correlation R of n draws is shrunk towards the identity, by the share that is best for independent normal
    /// draws:
    ///
    /// ```text
    /// R* = (1 − a) R + a I,    a = min(1, Σ_{i≠j} Var(r_ij) / Σ_{i≠j} r_ij²),    Var(r) ≈ (1 − r²)² / (n − 1)
    /// ```
    ///
    /// # References
    /// J. Schäfer and K. Strimmer, *A shrinkage approach to large-scale covariance matrix estimation*, 2005, target D.
    pub(crate) fn from_draws(draws: &[&[f64]]) -> Option<Self> {
        let dim = draws.first()?.len();
        if draws.len() < 2 || draws.iter().any(|draw| draw.iter().any(|value| !value.is_finite())) {
            return None;
        }
        let (centre, covariance) = moments(draws, dim, dim <= DENSE);
        if dim > DENSE {
            let factor = Factor::Diagonal(
                centre.iter().zip(&covariance).map(|(&mean, &v)| deviation(mean, v)).collect(),
            );
            return Some(Self { centre, factor });
        }
        let deviations: Vec<f64> = (0..dim).map(|i| deviation(centre[i], covariance[i * dim + i])).collect();
        let correlation = |i: usize, j: usize| covariance[i * dim + j] / (deviations[i] * deviations[j]);
        let (mut noise, mut signal) = (0.0, 0.0);
        for i in 0..dim {
            for j in 0..i {
                let square = correlation(i, j).powi(2);
                noise += (1.0 - square).powi(2) / count(draws.len() - 1);
                signal += square;
            }
        }
        let kept = if signal > noise { 1.0 - noise / signal } else { 0.0 };
        let shrunk = |i: usize, j: usize| if i == j { 1.0 } else { kept * correlation(i, j) };
        Some(Self::from_scaled(centre, &deviations, shrunk, |value| value.max(FLOOR).sqrt()))
    }

    /// L = diag(scales) V diag(width(λ)) for the eigenvalues λ and eigenvectors V of a symmetric matrix.
    fn from_scaled(
        centre: Vec<f64>,
        scales: &[f64],
        matrix: impl Fn(usize, usize) -> f64,
        width: impl Fn(f64) -> f64,
    ) -> Self {
        let dim = centre.len();
        let matrix = Mat::from_fn(dim, dim, |i, j| 0.5 * (matrix(i, j) + matrix(j, i)));
        // It fails only where entries are not finite, which the callers exclude.
        let Ok(eigen) = matrix.self_adjoint_eigen(Side::Lower) else {
            return Self { centre, factor: Factor::Diagonal(scales.to_vec()) };
        };
        let (vectors, values) = (eigen.U(), eigen.S().column_vector());
        let mut factor = Vec::with_capacity(dim * dim);
        for j in 0..dim {
            let width = width(values[j]);
            factor.extend((0..dim).map(|i| scales[i] * vectors[(i, j)] * width));
        }
        Self { centre, factor: Factor::Dense(factor) }
    }

    /// d.
    #[cfg(test)]
    pub(crate) fn dim(&self) -> usize {
        self.centre.len()
    }

    /// c, the parameters at z = 0.
    #[cfg(test)]
    pub(crate) fn centre(&self) -> &[f64] {
        &self.centre
    }

    /// The same axes around another point.
    pub(crate) fn around(mut self, centre: Vec<f64>) -> Self {
        self.centre = centre;
        self
    }

    /// Whether correlations are taken into account.
    pub(crate) fn is_dense(dim: usize) -> bool {
        dim <= DENSE
    }

    /// θ = c + L z.
    pub(crate) fn parameters(&self, z: &[f64], parameters: &mut [f64]) {
        parameters.copy_from_slice(&self.centre);
        match &self.factor {
            Factor::Dense(columns) => {
                // The closure owns what it works on: only then is it compiled for the instructions of the machine.
                pulp::Arch::new().dispatch(
                    #[inline(always)]
                    move || combine(columns, z, parameters),
                );
            }
            Factor::Diagonal(scales) => {
                for ((parameter, &scale), &z) in parameters.iter_mut().zip(scales).zip(z) {
                    *parameter += scale * z;
                }
            }
        }
    }

    /// ∇_z = Lᵀ ∇_θ.
    pub(crate) fn pull_back(&self, gradient: &[f64], whitened: &mut [f64]) {
        match &self.factor {
            Factor::Dense(columns) => {
                pulp::Arch::new().dispatch(
                    #[inline(always)]
                    move || project(columns, gradient, whitened),
                );
            }
            Factor::Diagonal(scales) => {
                for ((whitened, &scale), &slope) in whitened.iter_mut().zip(scales).zip(gradient) {
                    *whitened = scale * slope;
                }
            }
        }
    }
}

/// sum += Σ_j z_j column_j.
#[inline(always)]
fn combine(columns: &[f64], z: &[f64], sum: &mut [f64]) {
    for (column, &z) in columns.chunks_exact(sum.len().max(1)).zip(z) {
        for (sum, &entry) in sum.iter_mut().zip(column) {
            *sum += z * entry;
        }
    }
}

/// products_j = column_j · vector, in eight partial sums: the order of additions does not depend on the machine.
#[inline(always)]
fn project(columns: &[f64], vector: &[f64], products: &mut [f64]) {
    for (column, product) in columns.chunks_exact(vector.len().max(1)).zip(products) {
        let (mut lanes, whole) = ([0.0; 8], vector.len() / 8 * 8);
        for (a, b) in column[..whole].chunks_exact(8).zip(vector[..whole].chunks_exact(8)) {
            for lane in 0..8 {
                lanes[lane] += a[lane] * b[lane];
            }
        }
        let rest: f64 = column[whole..].iter().zip(&vector[whole..]).map(|(a, b)| a * b).sum();
        *product = lanes.iter().sum::<f64>() + rest;
    }
}

/// Mean, and covariance (row after row) or only the variances.
fn moments(draws: &[&[f64]], dim: usize, dense: bool) -> (Vec<f64>, Vec<f64>) {
    let (total, mut mean) = (count(draws.len()), vec![0.0; dim]);
    for draw in draws {
        for (mean, &value) in mean.iter_mut().zip(*draw) {
            *mean += value / total;
        }
    }
    let mut spread = vec![0.0; if dense { dim * dim } else { dim }];
    let mut off = vec![0.0; dim];
    for draw in draws {
        for ((off, &value), &mean) in off.iter_mut().zip(*draw).zip(&mean) {
            *off = value - mean;
        }
        if dense {
            for (row, &a) in spread.chunks_exact_mut(dim).zip(&off) {
                for (entry, &b) in row.iter_mut().zip(&off) {
                    *entry += a * b / (total - 1.0);
                }
            }
        } else {
            for (entry, &a) in spread.iter_mut().zip(&off) {
                *entry += a * a / (total - 1.0);
            }
        }
    }
    (mean, spread)
}

/// The width of a normal of this precision; 1 where the precision says nothing.
fn scale(precision: f64) -> f64 {
    let scale = 1.0 / precision.abs().sqrt();
    if scale.is_finite() && scale > 0.0 { scale } else { 1.0 }
}

/// The square root of a variance; 1 for a parameter that never moved, but for rounding.
fn deviation(mean: f64, variance: f64) -> f64 {
    let deviation = variance.sqrt();
    if deviation.is_finite() && deviation > 1e-12 * mean.abs() { deviation } else { 1.0 }
}

#[allow(clippy::cast_precision_loss, reason = "far below 2⁵³")]
fn count(number: usize) -> f64 {
    number as f64
}

/// A density in whitened coordinates.
pub(crate) struct Whitened<'a, D: Density> {
    density: &'a D,
    whitening: &'a Whitening,
    work: D::Work,
    parameters: Vec<f64>,
    gradient: Vec<f64>,
}

impl<'a, D: Density> Whitened<'a, D> {
    pub(crate) fn new(density: &'a D, whitening: &'a Whitening) -> Self {
        let (parameters, gradient) = (vec![0.0; density.dim()], vec![0.0; density.dim()]);
        Self { density, whitening, work: density.work(), parameters, gradient }
    }

    pub(crate) fn dim(&self) -> usize {
        self.parameters.len()
    }

    /// ln p at z, up to the constant ln |det L|, and its gradient with respect to z.
    pub(crate) fn evaluate(&mut self, z: &[f64], gradient: &mut [f64]) -> f64 {
        self.whitening.parameters(z, &mut self.parameters);
        let value = self.density.evaluate(&mut self.work, &self.parameters, &mut self.gradient);
        self.whitening.pull_back(&self.gradient, gradient);
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A covariance with correlations and scales from 0.01 to 100, and its inverse, both known: Σ = B Bᵀ with a triangular B.
    fn known() -> (Vec<f64>, Vec<f64>) {
        // B = [[100, 0, 0], [1, 2, 0], [0.01, -0.03, 0.02]], its inverse by hand.
        let b = [[100.0, 0.0, 0.0], [1.0, 2.0, 0.0], [0.01, -0.03, 0.02]];
        let inverse = [[0.01, 0.0, 0.0], [-0.005, 0.5, 0.0], [-0.0125, 0.75, 50.0]];
        let product = |i: usize, j: usize| (0..3).map(|k| b[i][k] * b[j][k]).sum::<f64>();
        let precision = |i: usize, j: usize| (0..3).map(|k| inverse[k][i] * inverse[k][j]).sum::<f64>();
        let all = |f: &dyn Fn(usize, usize) -> f64| (0..9).map(|n| f(n / 3, n % 3)).collect::<Vec<f64>>();
        (all(&product), all(&precision))
    }

    /// L Lᵀ, row after row.
    fn covariance(whitening: &Whitening) -> Vec<f64> {
        let dim = whitening.dim();
        let columns: Vec<Vec<f64>> = (0..dim)
            .map(|j| {
                let mut z = vec![0.0; dim];
                z[j] = 1.0;
                let mut at = vec![0.0; dim];
                whitening.parameters(&z, &mut at);
                at.iter().zip(whitening.centre()).map(|(at, centre)| at - centre).collect()
            })
            .collect();
        (0..dim * dim).map(|n| columns.iter().map(|column| column[n / dim] * column[n % dim]).sum()).collect()
    }

    #[test]
    fn a_precision_is_whitened_to_its_inverse() {
        let (expected, precision) = known();
        let found = covariance(&Whitening::from_precision(vec![5.0, -7.0, 0.5], &precision));
        for (n, (found, expected_here)) in found.iter().zip(&expected).enumerate() {
            let size = (expected[n / 3 * 4] * expected[n % 3 * 4]).sqrt();
            assert!((found - expected_here).abs() <= 1e-10 * size, "{n}: {found} is not {expected_here}");
        }
    }

    #[test]
    fn the_gradient_is_pulled_back_by_the_transpose() {
        let (_, precision) = known();
        let dense = Whitening::from_precision(vec![5.0, -7.0, 0.5], &precision);
        let diagonal = Whitening::from_precisions(vec![5.0, -7.0, 0.5], &[4.0, 0.25, 100.0]);
        for whitening in [dense, diagonal] {
            // v · (L z) = (Lᵀ v) · z.
            let (z, v) = ([0.3, -2.0, 1.1], [2.0, 0.7, -5.0]);
            let (mut at, mut pulled) = ([0.0; 3], [0.0; 3]);
            whitening.parameters(&z, &mut at);
            whitening.pull_back(&v, &mut pulled);
            let left: f64 = (0..3).map(|i| v[i] * (at[i] - whitening.centre()[i])).sum();
            let right: f64 = (0..3).map(|i| pulled[i] * z[i]).sum();
            assert!((left - right).abs() <= 1e-10 * left.abs(), "{left} is not {right}");
        }
    }

    #[test]
    fn saddles_flat_directions_and_useless_numbers_get_finite_scales() {
        for precision in [
            vec![0.0; 4],
            vec![-4.0, 0.0, 0.0, 9.0],
            vec![1.0, 1.0, 1.0, 1.0],
            vec![f64::NAN, 0.0, 0.0, 1.0],
            vec![f64::INFINITY, 0.0, 0.0, 1.0],
            vec![1e300, 0.0, 0.0, 1e-300],
        ] {
            let whitening = Whitening::from_precision(vec![1.0, 2.0], &precision);
            let (mut at, mut pulled) = ([0.0; 2], [0.0; 2]);
            whitening.parameters(&[1.0, -1.0], &mut at);
            whitening.pull_back(&[1.0, -1.0], &mut pulled);
            assert!(
                at.iter().chain(&pulled).all(|value| value.is_finite()),
                "{precision:?}: {at:?} {pulled:?}"
            );
        }
        let found = covariance(&Whitening::from_precision(vec![0.0, 0.0], &[-4.0, 0.0, 0.0, 9.0]));
        assert!((found[0] - 0.25).abs() <= 1e-12 && (found[3] - 1.0 / 9.0).abs() <= 1e-12, "{found:?}");
    }

    #[test]
    fn draws_are_whitened_to_their_covariance_less_the_noise_of_its_correlations() {
        // 400 points on two circles of different size, tilted: means, variances and correlation are known.
        let draws: Vec<Vec<f64>> = (0..400)
            .map(|i| {
                let turn = f64::from(i) * std::f64::consts::TAU / 400.0;
                let (a, b) = (turn.cos(), turn.sin());
                vec![10.0 + 3.0 * a, -2.0 + 0.1 * (0.8 * a + 0.6 * b), 4.0]
            })
            .collect();
        let views: Vec<&[f64]> = draws.iter().map(Vec::as_slice).collect();
        let whitening = Whitening::from_draws(&views).expect("finite");
        for (centre, expected) in whitening.centre().iter().zip([10.0, -2.0, 4.0]) {
            assert!((centre - expected).abs() <= 1e-9, "{centre}");
        }
        let found = covariance(&whitening);
        // The third parameter never moved: its two correlations of 0 count as noise.
        let (variance, kept) = (200.0 / 399.0, 1.0 - ((1.0 - 0.64_f64).powi(2) + 2.0) / 399.0 / 0.64);
        for (n, expected) in
            [(0, 9.0 * variance), (1, 0.24 * variance * kept), (4, 0.01 * variance), (8, 1.0)]
        {
            assert!((found[n] - expected).abs() <= 1e-9 * expected, "{n}: {} is not {expected}", found[n]);
        }
        assert!(Whitening::from_draws(&views[..1]).is_none() && Whitening::from_draws(&[]).is_none());
        assert!(Whitening::from_draws(&[&[f64::NAN], &[1.0]]).is_none());
    }
}
