//! The normal distribution, and the waves of a year: the same bits on every machine.

use crate::elementary::{exp, ln};

/// Φ(z), the share of a standard normal below z.
///
/// # References
/// G. West, *Better approximations to cumulative normal functions* (2005), after J. F. Hart et al., *Computer Approximations*
/// (1968), algorithm 5666; Laplace's continued fraction in the tails, where forty steps reach the last places.
pub(crate) fn below(z: f64) -> f64 {
    /// From here on the rational function loses places.
    const TAIL: f64 = 5.0;
    let x = z.abs();
    let tail = if x > 37.0 {
        0.0
    } else {
        let density = exp(-0.5 * x * x);
        if x < TAIL {
            let top = horner(
                &[
                    3.526_249_659_989_11e-2,
                    0.700_383_064_443_688,
                    6.373_962_203_531_65,
                    33.912_866_078_383,
                    112.079_291_497_871,
                    221.213_596_169_931,
                    220.206_867_912_376,
                ],
                x,
            );
            let bottom = horner(
                &[
                    8.838_834_764_831_84e-2,
                    1.755_667_163_182_64,
                    16.064_177_579_207,
                    86.780_732_202_946_1,
                    296.564_248_779_674,
                    637.333_633_378_831,
                    793.826_512_519_948,
                    440.413_735_824_752,
                ],
                x,
            );
            density * top / bottom
        } else {
            let fraction = (1..=40).rev().fold(x, |rest, k| x + f64::from(k) / rest);
            density / fraction / 2.506_628_274_631_000_5
        }
    };
    if z > 0.0 { 1.0 - tail } else { tail }
}

/// Φ⁻¹(p) for 0 < p < 1; −∞ at 0 and ∞ at 1.
///
/// # References
/// M. J. Wichura, *Algorithm AS 241: the percentage points of the normal distribution*, Applied Statistics 37 (1988), routine
/// `PPND16`; relative errors about 1e-16.
pub(crate) fn quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        let top = horner(
            &[
                2_509.080_928_730_122_7,
                33_430.575_583_588_13,
                67_265.770_927_008_7,
                45_921.953_931_549_87,
                13_731.693_765_509_46,
                1_971.590_950_306_551_3,
                133.141_667_891_784_38,
                3.387_132_872_796_366_5,
            ],
            r,
        );
        let bottom = horner(
            &[
                5_226.495_278_852_854,
                28_729.085_735_721_943,
                39_307.895_800_092_71,
                21_213.794_301_586_597,
                5_394.196_021_424_751,
                687.187_007_492_057_9,
                42.313_330_701_600_91,
                1.0,
            ],
            r,
        );
        return q * top / bottom;
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail <= 0.0 {
        return if q < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let r = (-ln(tail)).sqrt();
    let z = if r <= 5.0 {
        let r = r - 1.6;
        let top = horner(
            &[
                7.745_450_142_783_414e-4,
                2.272_384_498_926_918_4e-2,
                0.241_780_725_177_450_6,
                1.270_458_252_452_368_4,
                3.647_848_324_763_204_5,
                5.769_497_221_460_691,
                4.630_337_846_156_546,
                1.423_437_110_749_683_5,
            ],
            r,
        );
        let bottom = horner(
            &[
                1.050_750_071_644_416_9e-9,
                5.475_938_084_995_345e-4,
                1.519_866_656_361_645_7e-2,
                0.148_103_976_427_480_08,
                0.689_767_334_985_1,
                1.676_384_830_183_803_8,
                2.053_191_626_637_759,
                1.0,
            ],
            r,
        );
        top / bottom
    } else {
        let r = r - 5.0;
        let top = horner(
            &[
                2.010_334_399_292_288_1e-7,
                2.711_555_568_743_487_6e-5,
                1.242_660_947_388_078_4e-3,
                2.653_218_952_657_612_4e-2,
                0.296_560_571_828_504_87,
                1.784_826_539_917_291_3,
                5.463_784_911_164_114,
                6.657_904_643_501_103,
            ],
            r,
        );
        let bottom = horner(
            &[
                2.044_263_103_389_939_8e-15,
                1.421_511_758_316_446e-7,
                1.846_318_317_510_054_8e-5,
                7.868_691_311_456_133e-4,
                1.487_536_129_085_061_5e-2,
                0.136_929_880_922_735_8,
                0.599_832_206_555_888,
                1.0,
            ],
            r,
        );
        top / bottom
    };
    if q < 0.0 { -z } else { z }
}

/// cos 2πx: x counts turns.
pub(crate) fn cosine(turns: f64) -> f64 {
    let r = (turns - (turns + 0.5).floor()).abs();
    if r <= 0.125 {
        near_cosine(r)
    } else if r <= 0.375 {
        near_sine(0.25 - r)
    } else {
        -near_cosine(0.5 - r)
    }
}

/// cos 2πr by Taylor's series for |r| ≤ 1/8: the first term left out is below 1e-18.
fn near_cosine(r: f64) -> f64 {
    let angle = std::f64::consts::TAU * r;
    series(angle * angle, &[16.0, 14.0, 12.0, 10.0, 8.0, 6.0, 4.0, 2.0])
}

/// sin 2πr, as above.
fn near_sine(r: f64) -> f64 {
    let angle = std::f64::consts::TAU * r;
    angle * series(angle * angle, &[17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0])
}

/// 1 − x/(k (k − 1)) (1 − x/… ), from the last factor on.
fn series(x: f64, factors: &[f64]) -> f64 {
    factors.iter().fold(1.0, |rest, k| 1.0 - x / (k * (k - 1.0)) * rest)
}

/// A polynomial, highest power first.
fn horner(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the platform's functions are the reference here")]
mod tests {
    use super::*;

    /// ½ erfc(−z/√2) and `NormalDist().inv_cdf` of Python 3.
    #[test]
    fn the_normal_distribution_agrees_with_the_error_function() {
        for (z, p) in [
            (-8.0, 6.220_960_574_271_819e-16),
            (-3.0, 1.349_898_031_630_094_5e-3),
            (-1.0, 0.158_655_253_931_457_05),
            (0.0, 0.5),
            (0.5, 0.691_462_461_274_013_1),
            (1.959_963_984_540_054, 0.975),
        ] {
            assert!((below(z) / p - 1.0).abs() < 1e-13, "{z}");
            assert!((quantile(p) - z).abs() < 1e-13 * (1.0 + z.abs()), "{p}");
        }
    }

    #[test]
    fn the_quantile_undoes_the_distribution_function() {
        for at in 1..2_000 {
            let p = f64::from(at) / 2_000.0;
            assert!((below(quantile(p)) - p).abs() < 2e-15);
        }
        assert!((below(quantile(1e-12)) / 1e-12 - 1.0).abs() < 1e-12);
        assert!(quantile(0.0) < -1e300 && quantile(1.0) > 1e300);
    }

    #[test]
    fn the_wave_agrees_with_the_platform() {
        for at in -4_000..4_000 {
            let turns = f64::from(at) / 997.0;
            let angle = std::f64::consts::TAU * (turns - turns.floor());
            assert!((cosine(turns) - angle.cos()).abs() < 2e-15, "{turns}");
        }
    }
}
