//! How far draws of several chains can be trusted.

use std::cmp::Ordering;
use std::f64::consts::LN_10;

use crate::elementary::ln;
use crate::fit::scores::quantile;

/// Convergence of one parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Convergence {
    /// Split, rank-normalised R̂, the larger of location and scale; below 1.01 is good. NaN for draws that are all equal.
    pub(crate) r_hat: f64,
    /// Effective draws for the centre of the distribution.
    pub(crate) ess_bulk: f64,
    /// Effective draws for the 5 % and 95 % quantiles, the smaller.
    pub(crate) ess_tail: f64,
}

impl Convergence {
    /// Looks at the draws of one parameter, [chain][draw], all chains of one length.
    ///
    /// Every chain is split in two. All numbers are NaN with fewer than four draws per chain, or with a draw that is NaN. Draws
    /// that are all equal have no R̂, and count in full.
    ///
    /// ```text
    /// z = Φ⁻¹((rank − 3/8) / (S + 1/4))
    /// R̂ = max over z and the z of |x − median| of √((B/W + n − 1) / n)
    /// ESS = S / (1 + 2 Σ ρ_t), bulk: of z; tail: of the indicators x ≤ q05 and x ≤ q95, the smaller
    /// ```
    ///
    /// # References
    /// A. Vehtari, A. Gelman, D. Simpson, B. Carpenter and P.-C. Bürkner, *Rank-normalization, folding, and localization*,
    /// Bayesian Analysis 2021, equations 3, 4, 10, 13, 14.
    pub(crate) fn of(chains: &[Vec<f64>]) -> Self {
        let unknown = Self { r_hat: f64::NAN, ess_bulk: f64::NAN, ess_tail: f64::NAN };
        let length = chains.iter().map(Vec::len).min().unwrap_or(0);
        if length < 4 || chains.iter().flatten().any(|value| value.is_nan()) {
            return unknown;
        }
        let half = length / 2;
        let halves = |chain: &Vec<f64>| [chain[..half].to_vec(), chain[length - half..length].to_vec()];
        let split: Vec<Vec<f64>> = chains.iter().flat_map(halves).collect();
        let ranked = normal_scores(&split);
        let mut sorted: Vec<f64> = split.concat();
        sorted.sort_by(f64::total_cmp);
        let median = quantile(&sorted, 0.5);
        let folded = each(&split, |value| (value - median).abs());
        // The quantiles are those of all draws, the middle one of an odd chain included.
        let mut sorted: Vec<f64> = chains.iter().flat_map(|chain| chain[..length].iter().copied()).collect();
        sorted.sort_by(f64::total_cmp);
        let tail = |share: f64| {
            let limit = quantile(&sorted, share);
            ess(&each(&split, |value| f64::from(u8::from(value <= limit))))
        };
        Self {
            r_hat: r_hat(&ranked).max(r_hat(&normal_scores(&folded))),
            ess_bulk: ess(&ranked),
            ess_tail: tail(0.05).min(tail(0.95)),
        }
    }
}

/// The share of the energy's variance that new momenta bring in, one number per chain; below 0.3 the tails are explored slowly.
///
/// ```text
/// E-BFMI = mean (E_t − E_{t−1})² / Var E
/// ```
///
/// NaN for fewer than two draws and for energies that are all equal.
///
/// # References
/// M. Betancourt, *Diagnosing suboptimal cotangent disintegrations in Hamiltonian Monte Carlo*, 2016, equation 3.
pub(crate) fn energy_fractions(energies: &[Vec<f64>]) -> Vec<f64> {
    let fraction = |energies: &Vec<f64>| {
        let steps = energies.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum::<f64>();
        steps / (count(energies.len()) - 1.0) / variance(energies)
    };
    energies.iter().map(fraction).collect()
}

/// Φ⁻¹((rank − 3/8) / (S + 1/4)) among all values; equal values share the mean of their ranks.
fn normal_scores(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let values: Vec<f64> = chains.concat();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].partial_cmp(&values[b]).unwrap_or(Ordering::Equal));
    let mut scores = vec![0.0; values.len()];
    let mut first = 0;
    while first < order.len() {
        let same = |&&index: &&usize| values[index] <= values[order[first]];
        let equal = order[first..].iter().take_while(same).count().max(1);
        let rank = count(first) + 0.5 * (count(equal) + 1.0);
        let score = normal_quantile((rank - 0.375) / (count(values.len()) + 0.25));
        for &index in &order[first..first + equal] {
            scores[index] = score;
        }
        first += equal;
    }
    scores.chunks(chains[0].len()).map(<[f64]>::to_vec).collect()
}

fn r_hat(chains: &[Vec<f64>]) -> f64 {
    let draws = count(chains[0].len());
    let means: Vec<f64> = chains.iter().map(|chain| mean(chain)).collect();
    let within = mean(&chains.iter().map(|chain| variance(chain)).collect::<Vec<_>>());
    ((draws * variance(&means) / within + draws - 1.0) / draws).sqrt()
}

/// Effective draws: Geyer's initial monotone sequence of the autocorrelations of all chains together.
///
/// ```text
/// ρ_t = 1 − (W − mean acov_t) / var⁺,  τ = −1 + 2 Σ_{pairs} (ρ_2t + ρ_2t+1),  ESS = S / max(τ, 1/log₁₀ S)
/// ```
///
/// Lags are computed as far as the sum of a pair stays positive: O(draws × lags).
///
/// # References
/// C. J. Geyer, *Practical Markov chain Monte Carlo*, 1992, section 3.3.
fn ess(chains: &[Vec<f64>]) -> f64 {
    let draws = chains[0].len();
    let total = count(chains.len() * draws);
    let (low, high) = chains
        .iter()
        .flatten()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| (low.min(value), high.max(value)));
    if high - low < 1e-15 {
        return total;
    }
    let means: Vec<f64> = chains.iter().map(|chain| mean(chain)).collect();
    let centred: Vec<Vec<f64>> = chains
        .iter()
        .zip(&means)
        .map(|(chain, mean)| chain.iter().map(|value| value - mean).collect())
        .collect();
    let covariance = |lag: usize| {
        let sums = centred.iter().map(|chain| dot(&chain[..draws - lag], &chain[lag..]));
        sums.sum::<f64>() / total
    };
    let size = count(draws);
    let within = covariance(0) * size / (size - 1.0);
    let between = if chains.len() > 1 { variance(&means) } else { 0.0 };
    let overall = within * (size - 1.0) / size + between;
    let correlation = |lag: usize| 1.0 - (within - covariance(lag)) / overall;

    let (mut even, mut odd) = (1.0, correlation(1));
    let mut kept = vec![even, odd];
    let mut lag = 1;
    while lag + 3 < draws && even + odd > 0.0 {
        (even, odd) = (correlation(lag + 1), correlation(lag + 2));
        if even + odd >= 0.0 {
            kept.extend([even, odd]);
        }
        lag += 2;
    }
    // The last pair is left out, but for its first member where that is positive.
    let Some(last) = lag.checked_sub(2) else { return total * ln(total) / LN_10 };
    kept.resize(last + 2, 0.0);
    if even > 0.0 {
        kept[last + 1] = even;
    }
    let mut pair = 1;
    while pair + 2 <= last {
        let before = kept[pair - 1] + kept[pair];
        if kept[pair + 1] + kept[pair + 2] > before {
            kept[pair + 1] = before / 2.0;
            kept[pair + 2] = kept[pair + 1];
        }
        pair += 2;
    }
    let time = -1.0 + 2.0 * kept[..=last].iter().sum::<f64>() + kept[last + 1];
    total / time.max(LN_10 / ln(total))
}

/// Φ⁻¹(p) for 0 < p < 1, to about 1e-16.
///
/// # References
/// M. J. Wichura, *Algorithm AS 241: the percentage points of the normal distribution*, Applied Statistics 1988 (PPND16).
pub(crate) fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        let above = [
            2.509_080_928_730_122_7e3,
            3.343_057_558_358_813e4,
            6.726_577_092_700_87e4,
            4.592_195_393_154_987e4,
            1.373_169_376_550_946e4,
            1.971_590_950_306_551_3e3,
            1.331_416_678_917_843_8e2,
            3.387_132_872_796_366_5,
        ];
        let below = [
            5.226_495_278_852_854e3,
            2.872_908_573_572_194_3e4,
            3.930_789_580_009_271e4,
            2.121_379_430_158_659_7e4,
            5.394_196_021_424_751e3,
            6.871_870_074_920_579e2,
            4.231_333_070_160_091e1,
            1.0,
        ];
        return q * horner(&above, r) / horner(&below, r);
    }
    let r = (-ln(if q < 0.0 { p } else { 1.0 - p })).sqrt();
    let size = if r <= 5.0 {
        let above = [
            7.745_450_142_783_414e-4,
            2.272_384_498_926_918_4e-2,
            2.417_807_251_774_506e-1,
            1.270_458_252_452_368_4,
            3.647_848_324_763_204_5,
            5.769_497_221_460_691,
            4.630_337_846_156_546,
            1.423_437_110_749_683_5,
        ];
        let below = [
            1.050_750_071_644_416_9e-9,
            5.475_938_084_995_345e-4,
            1.519_866_656_361_645_7e-2,
            1.481_039_764_274_800_8e-1,
            6.897_673_349_851e-1,
            1.676_384_830_183_803_8,
            2.053_191_626_637_759,
            1.0,
        ];
        horner(&above, r - 1.6) / horner(&below, r - 1.6)
    } else {
        let above = [
            2.010_334_399_292_288_1e-7,
            2.711_555_568_743_487_6e-5,
            1.242_660_947_388_078_4e-3,
            2.653_218_952_657_612_4e-2,
            2.965_605_718_285_049e-1,
            1.784_826_539_917_291_3,
            5.463_784_911_164_114,
            6.657_904_643_501_104,
        ];
        let below = [
            2.044_263_103_389_939_8e-15,
            1.421_511_758_316_446e-7,
            1.846_318_317_510_054_8e-5,
            7.868_691_311_456_133e-4,
            1.487_536_129_085_061_5e-2,
            1.369_298_809_227_358e-1,
            5.998_322_065_558_88e-1,
            1.0,
        ];
        horner(&above, r - 5.0) / horner(&below, r - 5.0)
    };
    if q < 0.0 { -size } else { size }
}

/// A polynomial, the highest power first.
fn horner(coefficients: &[f64], at: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, coefficient| sum * at + coefficient)
}

fn each(chains: &[Vec<f64>], change: impl Fn(f64) -> f64) -> Vec<Vec<f64>> {
    chains.iter().map(|chain| chain.iter().map(|&value| change(value)).collect()).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / count(values.len())
}

fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count(values.len()) - 1.0)
}

/// In four partial sums, which the processor adds at the same time.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (whole, mut lanes) = (a.len() / 4 * 4, [0.0; 4]);
    for (a, b) in a[..whole].chunks_exact(4).zip(b[..whole].chunks_exact(4)) {
        for lane in 0..4 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a[whole..].iter().zip(&b[whole..]).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f64>() + rest
}

#[allow(clippy::cast_precision_loss, reason = "far below 2⁵³")]
fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uniform numbers that any program can repeat: Knuth's linear congruential generator modulo 2⁶⁴, the upper 53 bits.
    struct Uniform(u64);

    impl Uniform {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            #[allow(clippy::cast_precision_loss, reason = "53 bits")]
            let upper = (self.0 >> 11) as f64;
            upper / 9_007_199_254_740_992.0
        }
    }

    /// Chain c: x ← φ x + (u + u + u − 1.5), seed + c, moved by c · shift.
    fn autoregressive(seed: u64, chains: u64, draws: usize, phi: f64, shift: f64) -> Vec<Vec<f64>> {
        let chain = |number: u64| {
            let (mut random, mut x) = (Uniform(seed + number), 0.0);
            let mut next = || {
                x = phi * x + (random.next() + random.next() + random.next() - 1.5);
                #[allow(clippy::cast_precision_loss, reason = "a few chains")]
                let moved = x + shift * number as f64;
                moved
            };
            (0..draws).map(|_| next()).collect()
        };
        (0..chains).map(chain).collect()
    }

    fn near(actual: f64, expected: f64) {
        assert!((actual - expected).abs() <= 1e-9 * expected.abs(), "{actual} is not {expected}");
    }

    /// R̂, bulk and tail ESS and the first E-BFMI by `arviz.rhat`, `arviz.ess`, `arviz.bfmi` of ArviZ 0.23.4 with NumPy 2.4.6 and
    /// SciPy 1.17.1, on the same arrays.
    #[test]
    fn convergence_agrees_with_arviz() {
        let ties: Vec<Vec<f64>> = each(&autoregressive(51, 4, 300, 0.5, 0.0), |x| (4.0 * x).floor() / 4.0);
        let cases = [
            (
                autoregressive(1, 4, 500, 0.3, 0.0),
                [1.001254606420175, 971.9694702051862, 1553.3988909957238, 1.444488187402043],
            ),
            (
                autoregressive(11, 4, 500, 0.9, 0.0),
                [1.0298783202292756, 156.41523039166975, 292.90264505134013, 0.2499042370468311],
            ),
            (
                autoregressive(21, 4, 400, 0.5, 0.2),
                [1.0621201456982161, 87.99584032412648, 384.79984473513247, 0.8476153588051059],
            ),
            (
                autoregressive(31, 3, 251, 0.6, 0.0),
                [1.0013806644835834, 202.4009151028962, 351.6375647604647, 0.7044702305548928],
            ),
            (
                autoregressive(41, 2, 200, -0.7, 0.0),
                [0.9990138768066706, 1040.823996531185, 255.69709498942444, 3.4728486773813527],
            ),
            (ties, [1.0052867345253744, 355.82934498044943, 574.5598780378193, 0.9213448909060292]),
            (
                autoregressive(61, 2, 9, 0.2, 0.0),
                [0.9926745653099357, 19.265919722494797, 19.265919722494797, 1.5605807365529585],
            ),
            (
                autoregressive(81, 4, 100, 0.999, 0.0),
                [2.032927462222249, 5.896919559290223, 14.875576428586601, 0.08207431657533458],
            ),
        ];
        for (chains, [r_hat, bulk, tail, energy]) in cases {
            let found = Convergence::of(&chains);
            near(found.r_hat, r_hat);
            near(found.ess_bulk, bulk);
            near(found.ess_tail, tail);
            near(energy_fractions(&chains)[0], energy);
        }
        // ArviZ gives no R̂ for one chain; its halves do.
        let one = Convergence::of(&autoregressive(71, 1, 300, 0.5, 0.0));
        near(one.ess_bulk, 54.63417773968779);
        near(one.ess_tail, 80.46096055305046);
        assert!(one.r_hat > 1.0 && one.r_hat < 1.2);
    }

    #[test]
    fn draws_that_are_equal_have_no_r_hat_and_count_in_full() {
        let found = Convergence::of(&[vec![1.0; 100], vec![1.0; 100]]);
        assert!(found.r_hat.is_nan());
        near(found.ess_bulk, 200.0);
        near(found.ess_tail, 200.0);
        assert!(energy_fractions(&[vec![1.0; 10], vec![]]).iter().all(|fraction| fraction.is_nan()));
        // Two chains that stand at two places never met.
        let stuck = Convergence::of(&[vec![1.0; 100], vec![2.0; 100]]);
        assert!(stuck.r_hat > 1e3 && stuck.ess_bulk < 10.0, "{stuck:?}");
    }

    #[test]
    fn too_few_draws_and_nan_have_no_answer() {
        for chains in
            [vec![], vec![vec![]], vec![vec![1.0, 2.0, 3.0]; 4], vec![vec![1.0, f64::NAN, 2.0, 3.0, 4.0]]]
        {
            let found = Convergence::of(&chains);
            assert!(found.r_hat.is_nan() && found.ess_bulk.is_nan() && found.ess_tail.is_nan());
        }
    }

    /// `scipy.stats.norm.ppf` of SciPy 1.17.1.
    #[test]
    fn the_normal_quantile_agrees_with_scipy() {
        for (p, expected) in [
            (1e-300, -37.0470962993612),
            (1e-20, -9.262340089798409),
            (1e-5, -4.264890793922825),
            (0.02, -2.053748910631823),
            (0.2, -0.8416212335729142),
            (0.9, 1.2815515655446004),
            (0.999999, 4.753424308817087),
        ] {
            assert!(
                (normal_quantile(p) - expected).abs() <= 2e-14 * expected.abs(),
                "{p}: {}",
                normal_quantile(p)
            );
        }
        assert!(normal_quantile(0.5).abs() <= 0.0);
    }
}
