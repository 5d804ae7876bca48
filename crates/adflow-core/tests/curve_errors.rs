//! What the curves refuse, with the code and the field that say why.

use adflow_core::{Error, Parameter, ResponseCurves, Result};

/// Code, and the field or path that the error names.
fn fault<T: std::fmt::Debug>(result: Result<T>) -> (&'static str, String) {
    let error = result.expect_err("a fault");
    let place = match &error {
        Error::NotFinite { field, .. }
        | Error::OutOfDomain { field, .. }
        | Error::Empty { field }
        | Error::LengthMismatch { field, .. } => field.clone(),
        Error::DuplicateName { name, .. } => name.clone(),
        Error::LowerAboveUpper { arm, .. } => arm.clone(),
        Error::Malformed { path, .. } => path.clone(),
        other => panic!("no place: {other}"),
    };
    (error.code(), place)
}

fn is(code: &'static str, place: &str) -> (&'static str, String) {
    (code, place.to_string())
}

fn draws(draws: usize, arms: usize) -> Parameter {
    Parameter::draws(draws, arms, vec![1.0; draws * arms]).expect("a rectangle")
}

#[test]
fn a_constructor_names_the_parameter_and_its_index() {
    let hill = |beta: Parameter, k: Parameter, s: Parameter| fault(ResponseCurves::hill(beta, k, s));
    let one = || Parameter::from(1.0);
    assert_eq!(hill(f64::NAN.into(), one(), one()), is("not_finite", "beta"));
    assert_eq!(hill([1.0, f64::INFINITY].into(), one(), one()), is("not_finite", "beta[1]"));
    assert_eq!(hill((-1.0).into(), one(), one()), is("out_of_domain", "beta"));
    assert_eq!(hill(one(), 0.0.into(), one()), is("out_of_domain", "half_saturation"));
    assert_eq!(hill(one(), one(), [2.0, 0.0].into()), is("out_of_domain", "slope[1]"));
    assert_eq!(hill(one(), one(), 101.0.into()), is("out_of_domain", "slope"));
    assert_eq!(
        hill([1.0, 2.0].into(), [1.0, 2.0, 3.0].into(), one()),
        is("length_mismatch", "half_saturation")
    );
    assert_eq!(hill(Vec::new().into(), one(), one()), is("empty", "beta"));
    assert_eq!(hill(draws(3, 2), draws(4, 2), one()), is("length_mismatch", "half_saturation (draws)"));
    let terms = |terms: usize| Parameter::terms(1, terms, 1, vec![1.0; terms]).expect("a block");
    assert_eq!(hill(terms(2), terms(3), one()), is("length_mismatch", "half_saturation (terms)"));
    let late = Parameter::draws(2, 2, [1.0, 1.0, 1.0, -2.0]).expect("a rectangle");
    assert_eq!(hill(late, one(), one()), is("out_of_domain", "beta[1][1]"));
    assert_eq!(fault(ResponseCurves::power(1.0, 1.5)), is("out_of_domain", "exponent"));
    assert_eq!(fault(ResponseCurves::logarithmic(1.0, -1.0)), is("out_of_domain", "scale"));
    assert_eq!(fault(ResponseCurves::exponential(1.0, 0.0)), is("out_of_domain", "scale"));
    assert_eq!(fault(ResponseCurves::michaelis_menten(1.0, 0.0)), is("out_of_domain", "half_saturation"));
    assert_eq!(fault(ResponseCurves::logistic(1.0, 0.0)), is("out_of_domain", "lam"));
    assert_eq!(fault(ResponseCurves::tanh(1.0, 0.0)), is("out_of_domain", "c"));
    assert_eq!(fault(ResponseCurves::hill_sigmoid(1.0, 0.0, 1.0)), is("out_of_domain", "beta"));
    assert_eq!(fault(ResponseCurves::hill_sigmoid(1.0, 1.0, -1.0)), is("out_of_domain", "lam"));
    assert_eq!(fault(ResponseCurves::linear(1e61)), is("out_of_domain", "beta"));
    assert_eq!(fault(Parameter::draws(2, 2, [1.0; 3])), is("length_mismatch", "parameter"));
    assert_eq!(fault(Parameter::terms(2, 0, 2, [])), is("empty", "parameter"));
}

#[test]
fn a_table_names_the_arm_and_the_point() {
    let table = |spend: &[&[f64]], response: &[&[f64]]| {
        let rows = |rows: &[&[f64]]| rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>();
        fault(ResponseCurves::tabulated(&rows(spend), &rows(response)))
    };
    assert_eq!(table(&[&[0.0, 1.0]], &[]), is("empty", "response"));
    assert_eq!(table(&[&[0.0]], &[&[0.0]]), is("out_of_domain", "spend[0]"));
    assert_eq!(table(&[&[0.0, 1.0]], &[&[0.0, 1.0, 2.0]]), is("length_mismatch", "response[0]"));
    assert_eq!(table(&[&[0.0, 0.0]], &[&[0.0, 1.0]]), is("out_of_domain", "spend[0][1]"));
    assert_eq!(table(&[&[-1.0, 0.0]], &[&[0.0, 1.0]]), is("out_of_domain", "spend[0][0]"));
    assert_eq!(table(&[&[0.0, f64::NAN]], &[&[0.0, 1.0]]), is("not_finite", "spend[0][1]"));
    assert_eq!(table(&[&[0.0, 1.0]], &[&[0.0, 1.0], &[1.0, 0.5]]), is("out_of_domain", "response[1][1]"));
    assert_eq!(table(&[&[0.0, 1.0]], &[&[0.0, f64::INFINITY]]), is("not_finite", "response[0][1]"));
    assert_eq!(
        table(&[&[0.0, 1.0], &[0.0, 1.0]], &[&[0.0, 1.0], &[0.0, 1.0], &[0.0, 1.0]]),
        is("length_mismatch", "spend")
    );
    let points = [vec![0.0, 1.0]];
    let ragged = [vec![vec![0.0, 1.0], vec![0.0, 1.0]], vec![vec![0.0, 1.0]]];
    assert_eq!(fault(ResponseCurves::tabulated_draws(&points, &ragged)), is("length_mismatch", "response"));
}

#[test]
fn a_transform_names_itself() {
    let curves = ResponseCurves::hill([1.0, 2.0], 3.0, 2.0).unwrap();
    let drawn = ResponseCurves::hill(draws(3, 2), 3.0, 2.0).unwrap();
    let table = ResponseCurves::tabulated(&[vec![0.0, 1.0]], &[vec![0.0, 1.0]]).unwrap();
    assert_eq!(fault(curves.clone().with_cost_per_unit(0.0)), is("out_of_domain", "cost_per_unit"));
    assert_eq!(fault(curves.clone().with_cost_per_unit([1.0; 3])), is("length_mismatch", "cost_per_unit"));
    assert_eq!(fault(curves.clone().with_offset([0.0, -1.0], true)), is("out_of_domain", "offset[1]"));
    assert_eq!(
        fault(curves.clone().with_value_per_response(f64::NAN)),
        is("not_finite", "value_per_response")
    );
    let value = curves.clone().with_value_per_response(draws(2, 2));
    assert_eq!(fault(value), is("length_mismatch", "value_per_response"));
    assert_eq!(fault(drawn.clone().with_offset(draws(2, 2), false)), is("length_mismatch", "offset (draws)"));
    assert_eq!(fault(table.clone().with_offset(1.0, false)), is("out_of_domain", "offset[0]"));
    assert_eq!(fault(table.with_cost_per_unit(draws(2, 1))), is("out_of_domain", "cost_per_unit"));
    assert_eq!(fault(curves.clone().with_names(["a"])), is("length_mismatch", "names"));
    assert_eq!(fault(curves.clone().with_names(["a", "a"])), is("duplicate_name", "a"));
    let named = curves.clone().with_names(["a", "b"]).unwrap();
    assert_eq!(fault(ResponseCurves::concat(&[named.clone(), named])), is("duplicate_name", "a"));
    assert_eq!(fault(ResponseCurves::concat(&[])), is("empty", "curves"));
    let others = ResponseCurves::hill(draws(2, 2), 3.0, 2.0).unwrap();
    assert_eq!(
        fault(ResponseCurves::concat(&[curves, others, drawn])),
        is("length_mismatch", "curves[1] (draws)")
    );
}

#[test]
fn a_question_names_the_spend() {
    let curves = ResponseCurves::concat(&[
        ResponseCurves::michaelis_menten(1.0, 3.0).unwrap(),
        ResponseCurves::tabulated(&[vec![1.0, 2.0]], &[vec![0.0, 1.0]]).unwrap(),
    ])
    .unwrap();
    assert_eq!(fault(curves.response(&[1.0])), is("length_mismatch", "spend"));
    assert_eq!(fault(curves.response(&[])), is("length_mismatch", "spend"));
    assert_eq!(fault(curves.response(&[-1.0, 1.0])), is("out_of_domain", "spend[0]"));
    assert_eq!(fault(curves.response(&[1.0, 2.0, 1e61, 1.0])), is("out_of_domain", "spend[2]"));
    assert_eq!(fault(curves.response(&[1.0, 2.5])), is("out_of_domain", "spend[1]"));
    assert_eq!(fault(curves.marginal_response(&[f64::NAN, 1.0])), is("not_finite", "spend[0]"));
    assert_eq!(fault(curves.response_draws(&[1.0, 1.0, 1.0, 1.0])), is("length_mismatch", "spend"));
    assert_eq!(fault(curves.inverse_marginal_response(&[1.0])), is("length_mismatch", "marginal"));
    assert_eq!(fault(curves.inverse_marginal_response(&[0.0, 1.0])), is("out_of_domain", "marginal[0]"));
    assert_eq!(
        fault(curves.inverse_marginal_response(&[1.0, f64::INFINITY])),
        is("not_finite", "marginal[1]")
    );
    assert_eq!(fault(curves.concave_envelope(2, 0.0, 1.0)), is("out_of_domain", "arm"));
    assert_eq!(fault(curves.concave_envelope(0, 2.0, 1.0)), is("lower_above_upper", "arm 0"));
    assert_eq!(fault(curves.concave_envelope(1, 0.0, 2.0)), is("out_of_domain", "lower"));
    assert_eq!(fault(curves.slice(1..3)), is("out_of_domain", "range"));
    assert_eq!(fault(curves.slice(1..1)), is("out_of_domain", "range"));
}

#[test]
fn json_names_the_path() {
    let read = |json: &str| fault(ResponseCurves::from_json(json));
    let segment = |segment: &str| read(&format!(r#"{{"version": 1, "curves": [{segment}]}}"#));
    assert_eq!(read("{"), is("malformed", "$"));
    assert_eq!(read("[]"), is("malformed", "curves"));
    assert_eq!(read(r#"{"curves": []}"#), is("malformed", "curves.version"));
    assert_eq!(read(r#"{"version": 2, "curves": []}"#), is("malformed", "curves.version"));
    assert_eq!(read(r#"{"version": 1}"#), is("malformed", "curves.curves"));
    assert_eq!(read(r#"{"version": 1, "curves": []}"#), is("empty", "curves"));
    assert_eq!(read(r#"{"version": 1, "curves": [], "extra": 0}"#), is("malformed", "curves.extra"));
    assert_eq!(segment("3"), is("malformed", "curves.curves[0]"));
    assert_eq!(segment("{}"), is("malformed", "curves.curves[0].family"));
    assert_eq!(segment(r#"{"family": "cubic"}"#), is("malformed", "curves.curves[0].family"));
    assert_eq!(segment(r#"{"family": "linear"}"#), is("malformed", "curves.curves[0].beta"));
    assert_eq!(segment(r#"{"family": "linear", "beta": "1"}"#), is("malformed", "curves.curves[0].beta"));
    assert_eq!(segment(r#"{"family": "linear", "beta": []}"#), is("empty", "curves.curves[0].beta"));
    assert_eq!(
        segment(r#"{"family": "linear", "beta": [1, "x"]}"#),
        is("malformed", "curves.curves[0].beta[1]")
    );
    assert_eq!(
        segment(r#"{"family": "linear", "beta": [[1], [1, 2]]}"#),
        is("length_mismatch", "curves.curves[0].beta")
    );
    assert_eq!(
        segment(r#"{"family": "linear", "beta": [[[[1]]]]}"#),
        is("malformed", "curves.curves[0].beta")
    );
    assert_eq!(
        segment(r#"{"family": "linear", "beta": [1, -1]}"#),
        is("out_of_domain", "curves.curves[0].beta[1]")
    );
    assert_eq!(
        segment(r#"{"family": "linear", "beta": 1, "slope": 1}"#),
        is("malformed", "curves.curves[0].slope")
    );
    assert_eq!(
        segment(r#"{"family": "linear", "beta": 1, "arms": 0}"#),
        is("malformed", "curves.curves[0].arms")
    );
    assert_eq!(
        segment(r#"{"family": "linear", "beta": 1, "arms": 1000000000000}"#),
        is("malformed", "curves.curves[0].arms")
    );
    assert_eq!(
        segment(r#"{"family": "linear", "beta": [1, 2], "arms": 3}"#),
        is("length_mismatch", "curves.curves[0].arms")
    );
    assert_eq!(
        segment(r#"{"family": "linear", "beta": 1, "offset": 1, "keep_offset_response": 1}"#),
        is("malformed", "curves.curves[0].keep_offset_response")
    );
    assert_eq!(
        segment(r#"{"family": "linear", "beta": 1, "cost_per_unit": 0}"#),
        is("out_of_domain", "curves.curves[0].cost_per_unit")
    );
    assert_eq!(
        segment(r#"{"family": "tabulated", "spend": [0, 1], "response": [[1, 0]]}"#),
        is("out_of_domain", "curves.curves[0].response[0][1]")
    );
    assert_eq!(
        segment(r#"{"family": "linear", "beta": [[1], [2]]}, {"family": "linear", "beta": [[1], [2], [3]]}"#),
        is("length_mismatch", "curves[0] (draws)")
    );
    let named =
        r#"{"version": 1, "names": ["a", "a"], "curves": [{"family": "linear", "beta": 1, "arms": 2}]}"#;
    assert_eq!(read(named), is("duplicate_name", "a"));
    assert_eq!(read(&named.replace(r#"["a", "a"]"#, r#"["a", 1]"#)), is("malformed", "curves.names[1]"));
}

#[test]
fn every_error_says_the_field_the_domain_and_the_value() {
    let say = |result: Result<ResponseCurves>| result.expect_err("a fault").to_string();
    assert_eq!(say(ResponseCurves::linear(-1.0)), "`beta` must be 0 or from 1e-60 to 1e60, got -1");
    assert_eq!(say(ResponseCurves::linear([1.0, f64::NAN])), "`beta[1]` must be finite, got NaN");
    assert_eq!(
        say(ResponseCurves::linear([1.0, 2.0]).and_then(|curves| curves.with_names(["a"]))),
        "`names` must have length 2, got 1"
    );
}
