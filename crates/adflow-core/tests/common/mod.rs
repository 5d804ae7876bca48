//! Random curves for the tests of the curves.

use adflow_core::{Parameter, ResponseCurves};
use proptest::prelude::*;

/// Number of draws, terms and arms of a parameter: 0 arms stands for one number for all.
type Shape = (usize, usize, usize);

const SHAPES: [Shape; 5] = [(1, 1, 0), (1, 1, 3), (4, 1, 2), (3, 3, 2), (1, 4, 1)];

/// A parameter whose values lie between two numbers, evenly in the logarithm.
fn parameter(low: f64, high: f64, (draws, terms, arms): Shape) -> BoxedStrategy<Parameter> {
    let value = (low.ln()..=high.ln()).prop_map(f64::exp);
    if arms == 0 {
        return value.prop_map(Parameter::from).boxed();
    }
    prop::collection::vec(value, draws * terms * arms)
        .prop_map(move |values| {
            Parameter::terms(draws, terms, arms, values).expect("as long as it should be")
        })
        .boxed()
}

/// A parameter of a shape, or one number beside others that have the shape.
fn part(low: f64, high: f64, shape: Shape) -> BoxedStrategy<Parameter> {
    prop_oneof![2 => parameter(low, high, shape), 1 => parameter(low, high, (1, 1, 0))].boxed()
}

/// One of the nine smooth families, with parameters of one shape.
fn family(number: usize, shape: Shape) -> BoxedStrategy<ResponseCurves> {
    let size = parameter(0.1, 50.0, shape);
    let scale = part(0.5, 20.0, shape);
    let made = |curves: adflow_core::Result<ResponseCurves>| curves.expect("parameters inside their ranges");
    match number {
        0 => size.prop_map(move |b| made(ResponseCurves::linear(b))).boxed(),
        1 => (size, scale).prop_map(move |(b, k)| made(ResponseCurves::logarithmic(b, k))).boxed(),
        2 => (size, part(0.3, 0.9, shape)).prop_map(move |(b, p)| made(ResponseCurves::power(b, p))).boxed(),
        3 => (size, scale).prop_map(move |(b, k)| made(ResponseCurves::exponential(b, k))).boxed(),
        4 => (size, scale).prop_map(move |(b, k)| made(ResponseCurves::michaelis_menten(b, k))).boxed(),
        5 => (size, scale, part(0.4, 5.0, shape))
            .prop_map(move |(b, k, s)| made(ResponseCurves::hill(b, k, s)))
            .boxed(),
        6 => (size, part(0.05, 2.0, shape))
            .prop_map(move |(b, l)| made(ResponseCurves::logistic(b, l)))
            .boxed(),
        7 => (size, part(0.1, 5.0, shape)).prop_map(move |(b, c)| made(ResponseCurves::tanh(b, c))).boxed(),
        _ => (size, part(0.1, 3.0, shape), part(0.01, 10.0, shape))
            .prop_map(move |(s, b, l)| made(ResponseCurves::hill_sigmoid(s, b, l)))
            .boxed(),
    }
}

/// A cost, an offset and a value, or none of them.
fn transformed(curves: BoxedStrategy<ResponseCurves>) -> BoxedStrategy<ResponseCurves> {
    let cost = prop_oneof![Just(1.0), 0.3..4.0f64];
    let offset = prop_oneof![Just(0.0), 0.0..9.0f64];
    let value = prop_oneof![Just(1.0), 0.2..4.0f64];
    (curves, cost, offset, any::<bool>(), value)
        .prop_map(|(curves, cost, offset, keep, value)| {
            curves
                .with_cost_per_unit(cost)
                .and_then(|curves| curves.with_offset(offset, keep))
                .and_then(|curves| curves.with_value_per_response(value))
                .expect("transforms inside their ranges")
        })
        .boxed()
}

/// Curves of one smooth family, with one number, arms, draws or terms for a parameter.
pub(crate) fn any_curves() -> BoxedStrategy<ResponseCurves> {
    let plain = (0..9usize, 0..SHAPES.len()).prop_flat_map(|(number, shape)| family(number, SHAPES[shape]));
    transformed(plain.boxed())
}

/// One arm that is S-shaped, or would be but for its offset.
pub(crate) fn s_shaped() -> BoxedStrategy<ResponseCurves> {
    let hill = (0.5..20.0f64, 1.2..6.0f64).prop_map(|(k, s)| ResponseCurves::hill(10.0, k, s));
    let sigmoid = (0.2..3.0f64, 0.5..10.0f64).prop_map(|(b, l)| ResponseCurves::hill_sigmoid(10.0, b, l));
    transformed(prop_oneof![hill, sigmoid].prop_map(|curves| curves.expect("inside the ranges")).boxed())
}

/// Means of steep S-curves with their steps far apart: several inflections.
pub(crate) fn hill_draws() -> BoxedStrategy<ResponseCurves> {
    let shape = (5, 1, 1);
    (parameter(0.5, 50.0, shape), parameter(0.2, 60.0, shape), parameter(0.7, 12.0, shape))
        .prop_map(|(b, k, s)| ResponseCurves::hill(b, k, s).expect("inside the ranges"))
        .boxed()
}

/// Tables on [2, 8] of up to nine points, flat stretches among them, with or without draws.
pub(crate) fn any_table() -> BoxedStrategy<ResponseCurves> {
    let gaps = |positive: bool| {
        let gap = if positive { (0.05..1.0f64).boxed() } else { prop_oneof![Just(0.0), 0.0..1.0f64].boxed() };
        prop::collection::vec(gap, 1..9)
    };
    (1..4usize)
        .prop_flat_map(move |draws| (gaps(true), prop::collection::vec(gaps(false), 2 * draws)))
        .prop_map(|(gaps, rises)| {
            let total: f64 = gaps.iter().sum();
            let mut spend = vec![2.0];
            let mut sum = 0.0;
            for gap in &gaps {
                sum += gap;
                spend.push(2.0 + 6.0 * sum / total);
            }
            *spend.last_mut().expect("not empty") = 8.0;
            let rows: Vec<Vec<f64>> = rises
                .iter()
                .map(|rises| {
                    let mut response = 0.5;
                    let mut row = vec![response];
                    for at in 1..spend.len() {
                        response += rises[at % rises.len()];
                        row.push(response);
                    }
                    row
                })
                .collect();
            let draws: Vec<Vec<Vec<f64>>> = rows.chunks(2).map(<[_]>::to_vec).collect();
            ResponseCurves::tabulated_draws(&[spend], &draws).expect("a table")
        })
        .boxed()
}
