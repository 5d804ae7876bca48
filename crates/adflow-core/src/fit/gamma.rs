//! ln Γ and its derivative, with the same bits on every machine.

use crate::elementary::ln;

/// ln Γ(x) and ψ(x) = d ln Γ/dx for x > 0, to about 1e-13 relative to max(1, |value|).
///
/// Γ(x + 1) = x Γ(x) carries x to 10 or more, where Stirling's series holds:
///
/// ```text
/// ln Γ(x) ≈ (x − ½) ln x − x + ½ ln 2π + 1/(12x) − 1/(360x³) + 1/(1260x⁵) − 1/(1680x⁷) + 1/(1188x⁹) − …
/// ```
///
/// # References
/// Abramowitz and Stegun (1964), 6.1.41 and 6.3.18.
#[inline]
pub(crate) fn ln_gamma_and_digamma(x: f64) -> (f64, f64) {
    let (mut up, mut product, mut slopes) = (x, 1.0, 0.0);
    while up < 10.0 {
        product *= up;
        slopes += 1.0 / up;
        up += 1.0;
    }
    let log = ln(up);
    let r = 1.0 / up;
    let s = r * r;
    let series = r
        * (1.0 / 12.0
            - s * (1.0 / 360.0
                - s * (1.0 / 1260.0
                    - s * (1.0 / 1680.0 - s * (1.0 / 1188.0 - s * (691.0 / 360_360.0 - s / 156.0))))));
    let value = (up - 0.5) * log - up + 0.918_938_533_204_672_7 + series;
    let slope = log
        - 0.5 * r
        - s * (1.0 / 12.0
            - s * (1.0 / 120.0
                - s * (1.0 / 252.0
                    - s * (1.0 / 240.0 - s * (1.0 / 132.0 - s * (691.0 / 32_760.0 - s / 12.0))))));
    (value - ln(product), slope - slopes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_agree_with_those_of_mpmath() {
        // mpmath 1.3, 30 digits: loggamma and digamma.
        for (x, value, slope) in [
            (0.1, 2.252_712_651_734_206, -10.423_754_940_411_076),
            (0.5, 0.572_364_942_924_700_1, -1.963_510_026_021_423_5),
            (1.0, 0.0, -0.577_215_664_901_532_9),
            (2.5, 0.284_682_870_472_919_2, 0.703_156_640_645_243_2),
            (7.25, 7.052_185_450_738_539, 1.910_453_526_883_736),
            (100.0, 359.134_205_369_575_4, 4.600_161_852_738_087),
            (12_345.678, 103_959.919_905_546_06, 9.421_020_820_741_762),
        ] {
            let (ours, ours_slope) = ln_gamma_and_digamma(x);
            assert!((ours - value).abs() <= 1e-13 * value.abs().max(1.0), "{x}: {ours} {value}");
            assert!((ours_slope - slope).abs() <= 1e-13 * slope.abs().max(1.0), "{x}: {ours_slope}");
        }
    }
}
