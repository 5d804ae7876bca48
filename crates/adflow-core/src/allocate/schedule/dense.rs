//! Small dense systems: the Cholesky factor, and solving with it.

/// The lower Cholesky factor in place (row by row); a pivot that is nothing but rounding is made infinite.
pub(crate) fn cholesky(matrix: &mut [f64], n: usize) {
    let least: Vec<f64> = (0..n).map(|i| 1e-15 * matrix[i * n + i].abs()).collect();
    for i in 0..n {
        let (above, rest) = matrix.split_at_mut(i * n);
        let own = &mut rest[..n];
        for j in 0..i {
            let other = &above[j * n..j * n + n];
            let sum = own[j] - dot(&own[..j], &other[..j]);
            own[j] = sum / other[j];
        }
        let pivot = own[i] - dot(&own[..i], &own[..i]);
        own[i] = if pivot > least[i] && pivot > 0.0 { pivot.sqrt() } else { 1e100 };
    }
}

/// Eight sums side by side.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a8.remainder().iter().zip(b8.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a8.zip(b8) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

pub(crate) fn forward(factor: &[f64], n: usize, y: &mut [f64]) {
    for i in 0..n {
        let (done, rest) = y.split_at_mut(i);
        rest[0] = (rest[0] - dot(&factor[i * n..i * n + i], done)) / factor[i * n + i];
    }
}

pub(crate) fn backward(factor: &[f64], n: usize, y: &mut [f64]) {
    for i in (0..n).rev() {
        y[i] /= factor[i * n + i];
        let (rest, done) = y.split_at_mut(i);
        rest.iter_mut().zip(&factor[i * n..i * n + i]).for_each(|(y, l)| *y -= l * done[0]);
    }
}
