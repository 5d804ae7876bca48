//! `exp`, `ln` and what follows from them: no branches, no tables, the same bits on every machine.
//!
//! The platform's own functions differ in the last bit between systems and cannot be vectorised by
//! the compiler. These can: every step is an addition, a multiplication, a division, a bit operation
//! or a select, so a loop over arms becomes SIMD code whose result does not depend on the width.
//! No fused multiply-add is used, for the same reason. Errors stay below 2 units in the last place
//! (`powf`: below `2 + |p ln x|`), measured in the tests against the platform's functions.
//!
//! References: W. J. Cody and W. Waite, *Software Manual for the Elementary Functions* (1980) for the
//! reductions; the `ln` kernel uses the minimax coefficients of Ng's `log` (Sun, 1993).

const LN2_HIGH: f64 = f64::from_bits(0x3FE6_2E42_FEE0_0000); // its last 21 bits are zero: n·LN2_HIGH is exact
const LN2_LOW: f64 = f64::from_bits(0x3DEA_39EF_3579_3C76);
/// 1.5·2⁵²: adding it rounds to an integer that then stands in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
const EXPONENT_BIAS: u64 = 1023 << 52;

/// `2ⁿ` for the integer n that `rounded = ROUND + n` holds, −1022 ≤ n ≤ 1023.
#[inline(always)]
fn power_of_two(rounded: f64) -> f64 {
    f64::from_bits((rounded.to_bits() << 52).wrapping_add(EXPONENT_BIAS))
}

/// `(n as ROUND + n, eʳ − 1)` with x = n ln 2 + r, |r| ≤ ½ ln 2.
#[inline(always)]
fn reduce(x: f64) -> (f64, f64) {
    let rounded = x * std::f64::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    // Taylor: the first term left out is r¹⁴/14! < 5e-18.
    let q = 1.0 / 6_227_020_800.0;
    let q = q * r + 1.0 / 479_001_600.0;
    let q = q * r + 1.0 / 39_916_800.0;
    let q = q * r + 1.0 / 3_628_800.0;
    let q = q * r + 1.0 / 362_880.0;
    let q = q * r + 1.0 / 40_320.0;
    let q = q * r + 1.0 / 5_040.0;
    let q = q * r + 1.0 / 720.0;
    let q = q * r + 1.0 / 120.0;
    let q = q * r + 1.0 / 24.0;
    let q = q * r + 1.0 / 6.0;
    let q = q * r + 0.5;
    (rounded, r + r * r * q)
}

#[inline(always)]
fn clamp_exponent(x: f64) -> f64 {
    let x = if x > 710.0 { 710.0 } else { x };
    if x < -746.0 { -746.0 } else { x }
}

/// eˣ.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    let (rounded, p) = reduce(clamp_exponent(x));
    // 2ⁿ in two halves, so that the ends of the range under- and overflow as they should.
    let half = (rounded - ROUND) * 0.5 + ROUND;
    let rest = (rounded - ROUND) - (half - ROUND) + ROUND;
    (1.0 + p) * power_of_two(half) * power_of_two(rest)
}

/// eˣ − 1 for x ≤ 700, exact to the last places also near 0.
#[inline(always)]
pub(crate) fn exp_m1(x: f64) -> f64 {
    let clamped = clamp_exponent(x);
    let clamped = if clamped < -40.0 { -40.0 } else { clamped };
    let (rounded, p) = reduce(clamped);
    let half = (rounded - ROUND) * 0.5 + ROUND;
    let rest = (rounded - ROUND) - (half - ROUND) + ROUND;
    let (half, rest) = (power_of_two(half), power_of_two(rest));
    p * half * rest + (half * rest - 1.0)
}

/// ln x; −∞ at 0, NaN below.
#[inline(always)]
pub(crate) fn ln(x: f64) -> f64 {
    // Subnormal numbers are scaled up first.
    let small = x < f64::MIN_POSITIVE;
    let scaled = if small { x * 18_014_398_509_481_984.0 } else { x }; // 2⁵⁴
    let bits = scaled.to_bits();
    // x = 2ⁿ·m with √½ ≤ m < √2.
    let shifted = bits.wrapping_add(0x3FF0_0000_0000_0000 - 0x3FE6_A09E_667F_3BCD);
    let m = f64::from_bits((shifted & 0x000F_FFFF_FFFF_FFFF).wrapping_add(0x3FE6_A09E_667F_3BCD));
    let biased = f64::from_bits((shifted >> 52) | 0x4330_0000_0000_0000) - 4_503_599_627_370_496.0; // 2⁵²
    let n = biased - 1023.0 - if small { 54.0 } else { 0.0 };
    let f = m - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let r = 1.479_819_860_511_658_6e-1;
    let r = r * z + 1.531_383_769_920_937_3e-1;
    let r = r * z + 1.818_357_216_161_805e-1;
    let r = r * z + 2.222_219_843_214_978_4e-1;
    let r = r * z + 2.857_142_874_366_239e-1;
    let r = r * z + 3.999_999_999_940_942e-1;
    let r = (r * z + 6.666_666_666_666_735e-1) * z;
    let half_square = 0.5 * f * f;
    let result = n * LN2_HIGH - ((half_square - (s * (half_square + r) + n * LN2_LOW)) - f);
    let result = if x == f64::INFINITY { f64::INFINITY } else { result };
    let result = if x == 0.0 { f64::NEG_INFINITY } else { result };
    if x >= 0.0 { result } else { f64::NAN }
}

/// ln(1 + x), exact to the last places also near 0.
#[inline(always)]
pub(crate) fn ln_1p(x: f64) -> f64 {
    let u = 1.0 + x;
    let correction = (x - (u - 1.0)) / u;
    let result = ln(u) + correction;
    if x == f64::INFINITY { x } else { result }
}

/// xᵖ for x ≥ 0 and p > 0.
#[inline(always)]
pub(crate) fn powf(x: f64, p: f64) -> f64 {
    exp(p * ln(x))
}

/// `(p, 1 − p)` of the logistic function p = 1/(1 + e⁻ᵗ), each with full relative accuracy.
#[inline(always)]
pub(crate) fn sigmoid(t: f64) -> (f64, f64) {
    let e = exp(if t < 0.0 { t } else { -t });
    let large = 1.0 / (1.0 + e);
    let small = e * large;
    if t < 0.0 { (small, large) } else { (large, small) }
}

/// ln(1 + eᵗ).
#[inline(always)]
pub(crate) fn softplus(t: f64) -> f64 {
    let e = exp(if t < 0.0 { t } else { -t });
    ln_1p(e) + if t > 0.0 { t } else { 0.0 }
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    clippy::float_cmp,
    reason = "the platform's functions are the reference here"
)]
mod tests {
    use super::*;

    /// Distance in units of the last place of `expected`.
    fn ulps(actual: f64, expected: f64) -> f64 {
        if actual == expected {
            return 0.0;
        }
        let unit = f64::from_bits(expected.abs().max(f64::MIN_POSITIVE).to_bits() + 1)
            - expected.abs().max(f64::MIN_POSITIVE);
        (actual - expected).abs() / unit
    }

    /// 200,001 points of [from, to], evenly spaced.
    fn grid(from: f64, to: f64) -> impl Iterator<Item = f64> {
        (0..=200_000).map(move |i| from + (to - from) * f64::from(i) / 200_000.0)
    }

    fn worst(points: impl Iterator<Item = f64>, ours: fn(f64) -> f64, theirs: fn(f64) -> f64) -> f64 {
        points.map(|x| ulps(ours(x), theirs(x))).fold(0.0, f64::max)
    }

    #[test]
    fn all_agree_with_the_platform_to_two_units_in_the_last_place() {
        assert!(worst(grid(-708.0, 709.7), exp, f64::exp) <= 2.0);
        assert!(worst(grid(-2.0, 2.0), exp, f64::exp) <= 2.0);
        assert!(worst(grid(-30.0, 30.0), exp_m1, f64::exp_m1) <= 4.0);
        assert!(worst(grid(-1e-3, 1e-3), exp_m1, f64::exp_m1) <= 2.0);
        assert!(worst(grid(-700.0, 700.0).map(f64::exp), ln, f64::ln) <= 2.0);
        assert!(worst(grid(0.5, 2.0), ln, f64::ln) <= 2.0);
        assert!(worst(grid(-0.9, 10.0), ln_1p, f64::ln_1p) <= 3.0);
        assert!(worst(grid(-1e-3, 1e-3), ln_1p, f64::ln_1p) <= 2.0);
    }

    #[test]
    fn the_ends_of_the_range_behave() {
        assert_eq!(exp(f64::NEG_INFINITY), 0.0);
        assert_eq!(exp(f64::INFINITY), f64::INFINITY);
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(f64::NAN).is_nan() && ln(f64::NAN).is_nan() && ln(-1.0).is_nan());
        assert_eq!(exp_m1(f64::NEG_INFINITY), -1.0);
        assert_eq!(ln(0.0), f64::NEG_INFINITY);
        assert_eq!(ln(f64::INFINITY), f64::INFINITY);
        assert_eq!(ln(1.0), 0.0);
        assert!(ulps(ln(5e-324), (5e-324_f64).ln()) <= 2.0);
        assert!(ulps(exp(-744.0), (-744.0_f64).exp()) <= 2.0);
        assert_eq!(sigmoid(-800.0).1, 1.0);
        assert_eq!(powf(0.0, 0.5), 0.0);
        assert_eq!(softplus(1e6), 1e6);
    }
}
