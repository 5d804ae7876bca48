//! The curves' calculus: formulae, derivatives, inverses, inflections and envelopes of every family, with draws,
//! terms, offsets, costs and values.

#![allow(clippy::disallowed_methods, reason = "the platform's functions are the reference here")]
#![allow(clippy::float_cmp, reason = "where equality is asked, it is exact")]

use adflow_core::{Parameter, ResponseCurves};
use proptest::prelude::*;

mod common;
use common::{any_curves, any_table, hill_draws, s_shaped};

fn response(curves: &ResponseCurves, arm: usize, x: f64) -> f64 {
    at(curves, arm, x, ResponseCurves::response)
}

fn marginal(curves: &ResponseCurves, arm: usize, x: f64) -> f64 {
    at(curves, arm, x, ResponseCurves::marginal_response)
}

fn at(
    curves: &ResponseCurves,
    arm: usize,
    x: f64,
    of: impl Fn(&ResponseCurves, &[f64]) -> adflow_core::Result<Vec<f64>>,
) -> f64 {
    of(curves, &vec![x; curves.len()]).expect("a valid spend")[arm]
}

/// What the curve brings at a large spend: roundings are relative to it, because an offset may take most of the
/// response off.
fn size(curves: &ResponseCurves, arm: usize) -> f64 {
    response(curves, arm, 1e3).abs()
        + response(&curves.clone().with_offset(0.0, true).unwrap(), arm, 1e2).abs()
}

/// f′(x) by differences of fourth order, and the error that rounding leaves in it where f is of size 1.
fn difference(f: impl Fn(f64) -> f64, x: f64, h: f64) -> (f64, f64) {
    let slope = (8.0 * (f(x + h) - f(x - h)) - (f(x + 2.0 * h) - f(x - 2.0 * h))) / (12.0 * h);
    (slope, 1e-14 / h)
}

#[test]
fn every_family_has_its_formula() {
    type Formula = fn(f64) -> f64;
    let families: [(ResponseCurves, Formula); 9] = [
        (ResponseCurves::linear(3.0).unwrap(), |x| 3.0 * x),
        (ResponseCurves::logarithmic(3.0, 4.0).unwrap(), |x| 3.0 * (x / 4.0).ln_1p()),
        (ResponseCurves::power(3.0, 0.6).unwrap(), |x| 3.0 * x.powf(0.6)),
        (ResponseCurves::exponential(3.0, 4.0).unwrap(), |x| -3.0 * (-x / 4.0).exp_m1()),
        (ResponseCurves::michaelis_menten(3.0, 4.0).unwrap(), |x| 3.0 * x / (4.0 + x)),
        (ResponseCurves::hill(3.0, 4.0, 2.3).unwrap(), |x| {
            3.0 * x.powf(2.3) / (4f64.powf(2.3) + x.powf(2.3))
        }),
        (ResponseCurves::logistic(3.0, 0.4).unwrap(), |x| 3.0 * (0.2 * x).tanh()),
        (ResponseCurves::tanh(3.0, 0.7).unwrap(), |x| 3.0 * (x / 2.1).tanh()),
        (ResponseCurves::hill_sigmoid(3.0, 0.8, 4.0).unwrap(), |x| {
            3.0 / (1.0 + (-0.8 * (x - 4.0)).exp()) - 3.0 / (1.0 + 3.2f64.exp())
        }),
    ];
    for (family, (curves, formula)) in families.iter().enumerate() {
        for x in [0.0, 1e-9, 0.3, 2.0, 4.0, 11.0, 80.0] {
            let (ours, theirs) = (response(curves, 0, x), formula(x));
            let tolerance = 1e-14 * theirs.abs() + if family == 8 { 1e-15 } else { 0.0 };
            assert!((ours - theirs).abs() <= tolerance, "family {family} at {x}: {ours} instead of {theirs}");
        }
    }
}

#[test]
fn terms_are_summed_and_draws_are_averaged() {
    let hill = |beta, k, s| response(&ResponseCurves::hill(beta, k, s).unwrap(), 0, 3.0);
    let beta = Parameter::terms(2, 3, 1, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
    let k = Parameter::terms(1, 3, 1, [1.0, 4.0, 9.0]).unwrap();
    let s = Parameter::draws(2, 1, [0.8, 2.0]).unwrap();
    let curves = ResponseCurves::hill(beta, k, s).unwrap();
    let first = hill(1.0, 1.0, 0.8) + hill(2.0, 4.0, 0.8) + hill(3.0, 9.0, 0.8);
    let second = hill(4.0, 1.0, 2.0) + hill(5.0, 4.0, 2.0) + hill(6.0, 9.0, 2.0);
    assert_eq!(curves.draws(), 2);
    assert!((response(&curves, 0, 3.0) - 0.5 * (first + second)).abs() < 1e-14);
    let draws = curves.response_draws(&[3.0]).unwrap();
    assert!((draws[0] - first).abs() < 1e-14 && (draws[1] - second).abs() < 1e-14);
}

#[test]
fn a_table_is_read_at_units_and_starts_where_its_points_say() {
    let table = ResponseCurves::tabulated(&[vec![0.0, 2.0, 10.0]], &[vec![1.0, 3.0, 7.0]]).unwrap();
    let at = |curves: &ResponseCurves, x| (response(curves, 0, x), marginal(curves, 0, x));
    assert_eq!(
        [0.0, 1.0, 2.0, 6.0, 10.0].map(|x| at(&table, x)),
        [(1.0, 1.0), (2.0, 1.0), (3.0, 0.5), (5.0, 0.5), (7.0, 0.5)]
    );
    let moved = table.with_cost_per_unit(2.0).unwrap().with_offset(1.0, false).unwrap();
    assert_eq!([0.0, 2.0, 18.0].map(|x| at(&moved, x)), [(0.0, 0.5), (1.0, 0.25), (5.0, 0.25)]);
    assert_eq!(at(&moved.with_offset(1.0, true).unwrap(), 2.0), (3.0, 0.25));
}

#[test]
fn no_spend_however_small_or_large_gives_nan() {
    for spend in [0.0, 5e-324, 1e-310, 1e-200, 1e-100, 1.0, 1e30, 1e60] {
        for (beta, k) in [(0.0, 1.0), (1.0, 1.0), (1e60, 1e-60), (1e-60, 1e60), (1e60, 1e60)] {
            let slopes = [0.001, 0.7, 1.0, 1.5, 2.0, 3.0, 100.0];
            let mut sets: Vec<ResponseCurves> =
                slopes.iter().map(|&s| ResponseCurves::hill(beta, k, s).unwrap()).collect();
            sets.extend([
                ResponseCurves::linear(beta).unwrap(),
                ResponseCurves::logarithmic(beta, k).unwrap(),
                ResponseCurves::power(beta, 0.001).unwrap(),
                ResponseCurves::power(beta, 1.0).unwrap(),
                ResponseCurves::exponential(beta, k).unwrap(),
                ResponseCurves::michaelis_menten(beta, k).unwrap(),
                ResponseCurves::logistic(beta, k).unwrap(),
                ResponseCurves::tanh(beta, k).unwrap(),
                ResponseCurves::hill_sigmoid(beta, k, 2.0).unwrap(),
                ResponseCurves::hill_sigmoid(beta, 1.0, k).unwrap(),
            ]);
            let curves = ResponseCurves::concat(&sets).unwrap();
            for cost in [1e-60, 1.0, 1e60] {
                let priced = curves.clone().with_cost_per_unit(cost).unwrap();
                for (arm, _) in sets.iter().enumerate() {
                    let (f, m) = (response(&priced, arm, spend), marginal(&priced, arm, spend));
                    let place = format!("arm {arm}, beta {beta:e}, k {k:e}, cost {cost:e}, spend {spend:e}");
                    assert!(f >= 0.0, "response {f} of {place}");
                    assert!(m >= 0.0, "marginal response {m} of {place}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn the_marginal_response_is_the_derivative(curves in any_curves(), share in 0.01..3.0f64) {
        for arm in 0..curves.len() {
            let x = 15.0 * share;
            let (expected, rounding) = difference(|x| response(&curves, arm, x), x, 2e-4 * x);
            let ours = marginal(&curves, arm, x);
            let tolerance = 1e-6 * expected.abs() + rounding * size(&curves, arm);
            prop_assert!((ours - expected).abs() <= tolerance, "{} instead of {}", ours, expected);
        }
    }

    #[test]
    fn the_inverse_of_the_marginal_response_is_its_inverse_on_the_concave_part(
        curves in any_curves(), beyond in 0.05..3.0f64,
    ) {
        let inflection = curves.inflection();
        for (arm, inflection) in inflection.iter().enumerate() {
            let x = inflection + 10.0 * beyond;
            let m = marginal(&curves, arm, x);
            if m < 1e-200 {
                continue;
            }
            let inverse = |m: f64| curves.inverse_marginal_response(&vec![m; curves.len()]).unwrap()[arm];
            let (bend, _) = difference(|x| marginal(&curves, arm, x), x, 1e-3 * x);
            if bend.abs() <= 1e-9 * m / x {
                prop_assert!(inverse(m * 1.001) <= 0.0);
                prop_assert!(inverse(m * 0.999).is_infinite());
                continue;
            }
            let back = inverse(m);
            // What a last-place error of m moves x by, and what x itself holds.
            let tolerance = 1e-13 * (m / bend.abs() + 40.0) + 1e-13 * x;
            prop_assert!((back - x).abs() <= tolerance, "{} came back as {}", x, back);
        }
    }

    #[test]
    fn a_marginal_response_above_the_steepest_has_the_inverse_0(curves in any_curves()) {
        let inflection = curves.inflection();
        let steepest = curves.marginal_response(&inflection).unwrap();
        if steepest.iter().all(|m| m.is_finite()) {
            let above: Vec<f64> = steepest.iter().map(|m| 1.001 * m + 1e-9).collect();
            prop_assert_eq!(curves.inverse_marginal_response(&above).unwrap(), vec![0.0; curves.len()]);
        }
    }

    #[test]
    fn the_inflection_is_where_the_second_derivative_changes_sign(curves in s_shaped()) {
        let inflection = curves.inflection()[0];
        let second = |x: f64| {
            let h = 1e-3 * x;
            marginal(&curves, 0, x + h) - marginal(&curves, 0, x - h)
        };
        if inflection <= 1e-3 {
            prop_assert!(second(inflection + 0.5) <= 0.0);
            return Ok(());
        }
        prop_assert!(second(0.98 * inflection) > 0.0);
        prop_assert!(second(1.02 * inflection) < 0.0);
        let (mut low, mut high) = (0.98 * inflection, 1.02 * inflection);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if second(middle) > 0.0 { low = middle } else { high = middle }
        }
        // The difference itself is off by its width squared.
        prop_assert!((low / inflection - 1.0).abs() < 1e-4, "{} instead of {}", inflection, low);
    }

    #[test]
    fn the_parts_of_a_curve_do_what_their_names_say(
        curves in any_curves(), x in 0.0..50.0f64, c in 0.0..9.0f64, price in 0.1..10.0f64, value in 0.0..5.0f64,
    ) {
        let plain = curves.clone().with_offset(0.0, false).unwrap().with_cost_per_unit(1.0).unwrap();
        let taken_off = plain.clone().with_offset(c, false).unwrap();
        let kept = plain.clone().with_offset(c, true).unwrap();
        let priced = plain.clone().with_cost_per_unit(price).unwrap();
        let valued = plain.clone().with_value_per_response(value).unwrap();
        for arm in 0..curves.len() {
            let at = |x: f64| response(&plain, arm, x);
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-12 * at(x + c).max(at(x / price)).max(1e-3);
            prop_assert!(close(response(&kept, arm, x), at(x + c)));
            prop_assert!(close(response(&taken_off, arm, x), at(x + c) - at(c)));
            prop_assert!(response(&taken_off, arm, 0.0).abs() <= 1e-15 * at(c));
            prop_assert!(close(response(&priced, arm, x), at(x / price)));
            prop_assert!(close(response(&valued, arm, x), value * at(x)));
        }
    }

    #[test]
    fn the_mean_of_the_draws_is_the_response(
        curves in any_curves(), table in any_table(), x in 0.0..50.0f64, offset in prop_oneof![Just(0.0), 0.1..5.0f64],
    ) {
        mean_of_draws(&curves, x)?;
        let table = table.with_offset(offset, x < 25.0).unwrap();
        mean_of_draws(&table, (2.0 + 0.12 * x - offset).max(0.0))?;
    }

    #[test]
    fn json_gives_the_same_bits_back(
        parts in prop::collection::vec(prop_oneof![4 => any_curves(), 1 => any_table()], 1..4),
        twice in any::<bool>(),
        named in any::<bool>(),
    ) {
        let parts = if twice { [&parts[..], &parts[..]].concat() } else { parts };
        let Ok(curves) = ResponseCurves::concat(&parts) else { return Ok(()) }; // draws that differ
        let curves = if named {
            let names = (0..curves.len()).map(|arm| format!("arm \"{arm}\" é"));
            curves.with_names(names).unwrap()
        } else {
            curves
        };
        let json = curves.to_json();
        let back = ResponseCurves::from_json(&json).unwrap();
        prop_assert_eq!(back.to_json(), json);
        prop_assert_eq!(&back, &curves);
        for share in [0.0, 0.37, 1.0] {
            let spend = vec![2.0 + 6.0 * share; curves.len()];
            let bits = |values: adflow_core::Result<Vec<f64>>| {
                values.map(|values| values.into_iter().map(f64::to_bits).collect::<Vec<_>>())
            };
            prop_assert_eq!(bits(back.response(&spend)), bits(curves.response(&spend)));
            prop_assert_eq!(bits(back.marginal_response(&spend)), bits(curves.marginal_response(&spend)));
        }
    }

    #[test]
    fn the_envelope_of_any_curve_is_the_smallest_concave_curve_above_it(
        curves in prop_oneof![any_curves(), hill_draws()], low in 0.0..8.0f64, width in 0.0..60.0f64,
    ) {
        for arm in 0..curves.len() {
            check_envelope(&curves, arm, low, low + width, true)?;
        }
    }

    #[test]
    fn the_envelope_of_a_table_is_its_upper_hull(curves in any_table(), low in 0.0..0.4f64, high in 0.6..1.0f64) {
        for arm in 0..curves.len() {
            // Tables stand on 2..=8.
            check_envelope(&curves, arm, 2.0 + 6.0 * low, 2.0 + 6.0 * high, false)?;
        }
    }
}

fn mean_of_draws(curves: &ResponseCurves, x: f64) -> Result<(), TestCaseError> {
    let arms = curves.len();
    let spend = vec![x; arms];
    let (mean, draws) = (curves.response(&spend).unwrap(), curves.response_draws(&spend).unwrap());
    prop_assert_eq!(draws.len(), curves.draws() * arms);
    for (arm, mean) in mean.iter().enumerate() {
        let rows = draws.chunks(arms);
        #[allow(clippy::cast_precision_loss, reason = "a few draws")]
        let average = rows.map(|row| row[arm]).sum::<f64>() / curves.draws() as f64;
        prop_assert!((average - mean).abs() <= 1e-12 * mean.abs() + 1e-11, "{} instead of {}", average, mean);
    }
    Ok(())
}

/// Above the curve, touching it at the ends of its chords, tangent to it inside the interval, and concave.
fn check_envelope(
    curves: &ResponseCurves,
    arm: usize,
    lower: f64,
    upper: f64,
    smooth: bool,
) -> Result<(), TestCaseError> {
    const POINTS: u32 = 2_000;
    let chords = curves.concave_envelope(arm, lower, upper).unwrap().chords;
    let f = |x: f64| response(curves, arm, x);
    let height = f(upper).abs().max(1e-9);
    let tolerance = 1e-11 * height + 1e-15 * if smooth { size(curves, arm) } else { 0.0 };
    let mut reached = lower;
    for &(from, to, slope) in &chords {
        prop_assert!(reached <= from && from < to && to <= upper, "chords overlap: {:?}", chords);
        reached = to;
        prop_assert!(
            (f(to) - f(from) - slope * (to - from)).abs() <= tolerance,
            "chord off its ends: {:?}",
            chords
        );
        if smooth {
            // Tangent: left of it the curve is no flatter, right of it no steeper; at a bound either way is free.
            let bend = 1e-6 * slope + 1e-9 * height / (to - from);
            if to < upper {
                prop_assert!(
                    (marginal(curves, arm, to) - slope).abs() <= bend,
                    "not tangent at {}: {:?}",
                    to,
                    chords
                );
            }
            if from > lower {
                let there = marginal(curves, arm, from);
                prop_assert!((there - slope).abs() <= bend, "not tangent at {}: {:?}", from, chords);
            }
        }
    }
    let envelope = |x: f64| match chords.iter().find(|(from, to, _)| *from <= x && x <= *to) {
        Some((from, _, slope)) => f(*from) + slope * (x - from),
        None => f(x),
    };
    let grid: Vec<f64> =
        (0..=POINTS).map(|i| lower + (upper - lower) * (f64::from(i) / f64::from(POINTS))).collect();
    let hull: Vec<f64> = grid.iter().map(|&x| envelope(x)).collect();
    for (x, e) in grid.iter().zip(&hull) {
        prop_assert!(*e >= f(*x) - tolerance, "below the curve by {:e} at {}: {:?}", f(*x) - e, x, chords);
    }
    for three in hull.windows(3) {
        let bend = three[0] - 2.0 * three[1] + three[2];
        prop_assert!(bend <= 4.0 * tolerance, "not concave by {:e}: {:?}", bend, chords);
    }
    for pair in chords.windows(2) {
        prop_assert!(pair[1].2 < pair[0].2, "slopes do not fall: {:?}", chords);
    }
    Ok(())
}

#[test]
fn the_mean_of_distant_s_curves_has_a_chord_for_every_step() {
    // Two steep draws, at 1 and at 100: the mean rises twice, and neither chord hides the other.
    let curves = ResponseCurves::hill(
        Parameter::draws(2, 1, [20.0, 10.0]).unwrap(),
        Parameter::draws(2, 1, [1.0, 100.0]).unwrap(),
        8.0,
    )
    .unwrap();
    let chords = curves.concave_envelope(0, 0.0, 1_000.0).unwrap().chords;
    assert_eq!(chords.len(), 2, "{chords:?}");
    assert!(
        chords[0].0 <= 0.0 && chords[0].1 < 3.0 && chords[1].0 < 10.0 && chords[1].1 > 100.0,
        "{chords:?}"
    );
    check_envelope(&curves, 0, 0.0, 1_000.0, true).unwrap();
}

#[test]
fn the_envelope_of_a_hill_curve_touches_it_where_the_line_from_the_origin_does() {
    let curves = ResponseCurves::hill(10.0, 4.0, 3.0).unwrap();
    let chords = curves.concave_envelope(0, 0.0, 100.0).unwrap().chords;
    let tangent = 4.0 * 2f64.powf(1.0 / 3.0);
    assert_eq!(chords.len(), 1);
    assert!((chords[0].1 / tangent - 1.0).abs() < 1e-9, "{chords:?}");
    assert!((chords[0].2 - response(&curves, 0, tangent) / tangent).abs() < 1e-12);
    // A bound before the tangent point ends the chord.
    let (from, to, _) = curves.concave_envelope(0, 0.0, 3.0).unwrap().chords[0];
    assert_eq!([from, to], [0.0, 3.0]);
    // On the concave part the curve is its own envelope.
    assert_eq!(curves.concave_envelope(0, 4.0, 100.0).unwrap().chords, []);
    assert_eq!(curves.concave_envelope(0, 2.0, 2.0).unwrap().chords, []);
}
