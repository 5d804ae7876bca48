//! Pieces, demand and bounds behind rising prices against dense grids of values.

use crate::curve::arm::{Arm, Curvature};
use crate::curve::{Parameter, ResponseCurves};

/// Curves of every family, with and without offset and draws, behind powers and tiers, each of one arm.
fn curves() -> Vec<(String, ResponseCurves)> {
    let draws = |values: [f64; 3]| Parameter::draws(3, 1, values).unwrap();
    let table = |last: f64| {
        ResponseCurves::tabulated(&[vec![0.0, 1.0, 3.0, 6.0, 400.0]], &[vec![0.5, 0.6, 2.0, 2.0, last]])
            .unwrap()
    };
    let plain = [
        ("linear", ResponseCurves::linear(2.0)),
        ("logarithmic", ResponseCurves::logarithmic(3.0, 4.0)),
        ("power", ResponseCurves::power(3.0, 0.6)),
        ("exponential", ResponseCurves::exponential(3.0, 4.0)),
        ("michaelis_menten", ResponseCurves::michaelis_menten(3.0, 4.0)),
        ("hill", ResponseCurves::hill(3.0, 4.0, 3.5)),
        ("flat hill", ResponseCurves::hill(3.0, 4.0, 0.7)),
        ("logistic", ResponseCurves::logistic(3.0, 0.4)),
        ("tanh", ResponseCurves::tanh(3.0, 0.7)),
        ("hill_sigmoid", ResponseCurves::hill_sigmoid(3.0, 1.5, 4.0)),
        (
            "hill draws",
            ResponseCurves::hill(draws([1.0, 3.0, 2.0]), draws([1.0, 4.0, 12.0]), draws([0.8, 5.0, 9.0])),
        ),
        ("sigmoid draws", ResponseCurves::hill_sigmoid(2.0, draws([3.0, 0.6, 2.0]), draws([1.0, 4.0, 15.0]))),
        ("exponential draws", ResponseCurves::exponential(2.0, draws([3.0, 0.6, 2.0]))),
        ("tabulated", Ok(table(30.0))),
    ];
    let mut all = Vec::new();
    for (name, curves) in plain {
        let curves = curves.unwrap().with_cost_per_unit(1.7).unwrap().with_value_per_response(0.9).unwrap();
        for offset in [0.0, 0.02, 1.3] {
            let curves = curves.clone().with_offset(offset, false).unwrap();
            for p in [0.05, 0.6, 2.0] {
                let name = format!("{name}, offset {offset}, power {p}");
                all.push((name, curves.clone().with_price_power(p).unwrap()));
            }
            let tiers = curves.with_price_tiers(&[vec![2.0, 6.0, 9.0]], &[vec![1.0, 1.5, 1.6, 4.0]]);
            all.push((format!("{name}, offset {offset}, tiers"), tiers.unwrap()));
        }
    }
    let offsets = draws([0.0, 0.3, 2.0]);
    let some = ResponseCurves::hill(3.0, 4.0, 3.5).unwrap().with_offset(offsets, false).unwrap();
    for p in [0.05, 1.0, 4.0] {
        all.push((format!("hill, draws of offsets, power {p}"), some.clone().with_price_power(p).unwrap()));
    }
    all
}

const TO: f64 = 40.0;

/// `count` points from `from` to `to`.
fn grid(from: f64, to: f64, count: u32) -> impl Iterator<Item = f64> {
    (0..=count).map(move |at| from + (to - from) * f64::from(at) / f64::from(count))
}

fn size(arm: &Arm<'_>) -> f64 {
    arm.response(TO).abs()
}

#[test]
fn pieces_bend_as_they_say() {
    for (name, curves) in curves() {
        let arm = curves.set.arm(0);
        let pieces = arm.pieces(0.0, TO);
        assert!(pieces[0].from <= 0.0 && pieces[pieces.len() - 1].to >= TO, "{name}");
        assert!(pieces.windows(2).all(|pair| pair[0].to.to_bits() == pair[1].from.to_bits()), "{name}");
        for piece in &pieces {
            let width = piece.to - piece.from;
            if piece.curvature == Curvature::Thin {
                assert!(width < 1e-8, "{name}: {piece:?}");
                continue;
            }
            // The middle of any part of the piece against its chord.
            let points: Vec<f64> = grid(piece.from, piece.to, 400).collect();
            for step in [1, 20] {
                for part in points.windows(2 * step + 1) {
                    let (a, b) = (part[0], part[2 * step]);
                    let middle = arm.response(0.5 * (a + b));
                    let above = middle - 0.5 * (arm.response(a) + arm.response(b));
                    let rounding = 1e-14 * (size(&arm) + 3.0);
                    let right = match piece.curvature {
                        Curvature::Concave => above >= -rounding,
                        Curvature::Convex => above <= rounding,
                        _ => above.abs() <= rounding,
                    };
                    assert!(right, "{name}: {piece:?} has {above:e} over [{a}, {b}]");
                }
            }
        }
    }
}

#[test]
fn few_pieces_are_thin_and_neighbours_differ() {
    for (name, curves) in curves() {
        let pieces = curves.set.arm(0).pieces(0.0, TO);
        assert!(pieces.len() <= 24, "{name}: {} pieces", pieces.len());
        // Joined where both are concave, unless a kink of a table stands between them.
        let joined = pieces.windows(2).all(|pair| {
            !(pair[0].curvature == Curvature::Concave && pair[1].curvature == Curvature::Concave)
        });
        assert!(joined || name.starts_with("tabulated"), "{name}: {pieces:?}");
    }
}

#[test]
fn slope_and_curvature_are_the_derivatives() {
    for (name, curves) in curves() {
        let arm = curves.set.arm(0);
        for piece in arm.pieces(0.0, TO) {
            for x in grid(piece.from, piece.to, 9).skip(1).take(8) {
                // Away from kinks inside joined pieces.
                let h = 1e-3 * (x - piece.from).min(piece.to - x);
                if h < 1e-5 || [2.0, 6.0, 9.0].iter().any(|kink: &f64| (kink - x).abs() <= 2.0 * h) {
                    continue;
                }
                let of = |f: &dyn Fn(f64) -> f64| {
                    (8.0 * (f(x + h) - f(x - h)) - (f(x + 2.0 * h) - f(x - 2.0 * h))) / (12.0 * h)
                };
                let slope = of(&|x| arm.response(x));
                let curvature = of(&|x| arm.slope(x));
                let rounding = 1e-14 * (size(&arm) + 3.0) / h;
                assert!(
                    (arm.slope(x) - slope).abs() <= 1e-8 * slope.abs() + rounding,
                    "{name} at {x}: {slope}"
                );
                let tolerance = 1e-7 * curvature.abs() + 1e-14 * (arm.slope(x) + 1.0) / h;
                assert!(
                    (arm.curvature(x) - curvature).abs() <= tolerance,
                    "{name} at {x}: {} instead of {curvature}",
                    arm.curvature(x)
                );
            }
        }
    }
}

#[test]
fn demand_is_best_on_every_concave_piece() {
    for (name, curves) in curves() {
        let arm = curves.set.arm(0);
        for piece in arm.pieces(0.0, TO).into_iter().filter(|piece| piece.curvature == Curvature::Concave) {
            let steepest = arm.slope(piece.from + 1e-6 * (piece.to - piece.from));
            for share in [1e-3, 0.1, 0.4, 0.8, 0.99, 1.5] {
                let lambda = steepest * share + 1e-9;
                let x = arm.demand(lambda, piece.from, piece.to);
                let worth = |x: f64| arm.response(x) - lambda * x;
                let best = grid(piece.from, piece.to, 2000).map(worth).fold(f64::NEG_INFINITY, f64::max);
                assert!(piece.from <= x && x <= piece.to, "{name}: {x} outside {piece:?}");
                assert!(worth(x) >= best - 1e-13 * (size(&arm) + 3.0), "{name}: {} at {x}, {best}", worth(x));
            }
        }
    }
}

#[test]
fn slope_bounds_hold_and_close_in() {
    for (name, curves) in curves() {
        let arm = curves.set.arm(0);
        for (from, to) in
            [(0.0, TO), (0.0, 1e-9), (0.3, 0.9), (1.9, 2.1), (2.0, 6.0), (5.0, 5.001), (9.0, 30.0)]
        {
            let (low, high) = arm.slope_bounds(from, to);
            for x in grid(from, to, 500) {
                let slope = arm.slope(x);
                assert!(low <= slope * (1.0 + 1e-13) && slope <= high * (1.0 + 1e-13), "{name} at {x}");
            }
        }
        let (low, high) = arm.slope_bounds(5.0, 5.0 + 1e-7);
        assert!(high - low <= 1e-5 * (high + 1.0), "{name}: from {low} to {high}");
    }
}

#[test]
fn beyond_the_inflection_a_curve_is_concave_and_just_before_it_convex() {
    for (name, curves) in curves() {
        let (arm, inflection) = (curves.set.arm(0), curves.inflection()[0]);
        if name.starts_with("tabulated") {
            assert!(inflection.is_nan() && !arm.is_concave(0.0), "{name}");
            continue;
        }
        assert!(arm.is_concave(inflection), "{name}");
        for x in grid(inflection, 5.0 * inflection + TO, 300).skip(1) {
            assert!(arm.curvature(x) <= 0.0, "{name}: {} at {x}, beyond {inflection}", arm.curvature(x));
        }
        // One draw: the very place. Of several the last draw's inflection may stand where the mean is concave.
        if inflection > 0.0 && !name.contains("draws") {
            let before = inflection * (1.0 - 1e-6);
            assert!(arm.curvature(before) > 0.0, "{name}: {} before {inflection}", arm.curvature(before));
        }
    }
}
