//! The readers give other systems' numbers: cases simulated period by period by `golden/readers_reference.py`, and
//! what those systems published.

#![allow(clippy::float_cmp, reason = "no spend brings exactly nothing")]

use adflow_core::{Error, LightweightMmm, Meridian, Parameter, PymcMarketing, ResponseCurves, Robyn};
use serde_json::{Map, Value};

fn document() -> Value {
    serde_json::from_str(include_str!("golden/readers.json")).expect("the golden file is JSON")
}

fn cases(reader: &str) -> Vec<Value> {
    let document = document();
    let all = document["cases"].as_array().expect("a list of cases");
    all.iter().filter(|case| case["reader"] == reader).cloned().collect()
}

/// Numbers nested up to three deep, as a parameter.
fn parameter(value: &Value) -> Parameter {
    fn flat(value: &Value, into: &mut Vec<f64>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| flat(item, into)),
            number => into.push(number.as_f64().expect("a number")),
        }
    }
    let mut values = Vec::new();
    flat(value, &mut values);
    let length = |value: &Value| value.as_array().map(Vec::len);
    let parameter = match (length(value), length(&value[0]), length(&value[0][0])) {
        (None, ..) => Ok(values[0].into()),
        (Some(_), None, _) => Ok(values.into()),
        (Some(rows), Some(columns), None) => Parameter::draws(rows, columns, values),
        (Some(blocks), Some(rows), Some(columns)) => Parameter::terms(blocks, rows, columns, values),
    };
    parameter.expect("a rectangular array")
}

/// The arguments of a case: those that no one asked for are a mistake in this file.
struct Arguments(Map<String, Value>);

impl Arguments {
    fn of(case: &Value) -> Self {
        Self(case["arguments"].as_object().expect("an object").clone())
    }
    fn parameter(&mut self, name: &str) -> Option<Parameter> {
        self.0.remove(name).as_ref().map(parameter)
    }
    fn text(&mut self, name: &str, default: &str) -> String {
        self.0.remove(name).map_or(default.into(), |value| value.as_str().expect("a text").into())
    }
    fn flag(&mut self, name: &str, default: bool) -> bool {
        self.0.remove(name).map_or(default, |value| value.as_bool().expect("a flag"))
    }
    fn count(&mut self, name: &str) -> Option<usize> {
        let count = |value: &Value| usize::try_from(value.as_u64().expect("a count")).expect("a small count");
        self.0.remove(name).as_ref().map(count)
    }
    fn all_used(self) {
        assert!(self.0.is_empty(), "not read: {:?}", self.0);
    }
}

fn robyn(case: &Value) -> Robyn {
    let mut from = Arguments::of(case);
    let window = from.0.remove("window").map(|window| {
        let end = |at: usize| usize::try_from(window[at].as_u64().expect("a count")).expect("a small count");
        end(0)..end(1)
    });
    let robyn = Robyn {
        coef: from.parameter("coef"),
        alpha: from.parameter("alpha"),
        inflexion: from.parameter("inflexion"),
        gamma: from.parameter("gamma"),
        max_adstocked: from.parameter("max_adstocked"),
        carryover: from.parameter("carryover"),
        media: from.parameter("media"),
        window,
        adstock: from.0.remove("adstock").map(|kind| kind.as_str().expect("a text").into()),
        theta: from.parameter("theta"),
        shape: from.parameter("shape"),
        scale: from.parameter("scale"),
        windlen: from.count("windlen"),
    };
    from.all_used();
    robyn
}

fn meridian(case: &Value) -> Meridian {
    let mut from = Arguments::of(case);
    let meridian = Meridian {
        alpha_m: from.parameter("alpha_m"),
        ec_m: from.parameter("ec_m"),
        slope_m: from.parameter("slope_m"),
        beta_gm: from.parameter("beta_gm"),
        media_scaled: from.parameter("media_scaled"),
        spend: from.parameter("spend"),
        outcome_per_unit: from.parameter("outcome_per_unit"),
        max_lag: from.count("max_lag").unwrap_or(8),
        adstock: from.text("adstock", "geometric"),
        hill_before_adstock: from.flag("hill_before_adstock", false),
    };
    from.all_used();
    meridian
}

fn pymc_marketing(case: &Value) -> PymcMarketing {
    let mut from = Arguments::of(case);
    let model = PymcMarketing {
        saturation: from.text("saturation", ""),
        saturation_lam: from.parameter("saturation_lam"),
        saturation_beta: from.parameter("saturation_beta"),
        saturation_alpha: from.parameter("saturation_alpha"),
        saturation_b: from.parameter("saturation_b"),
        saturation_c: from.parameter("saturation_c"),
        saturation_x0: from.parameter("saturation_x0"),
        saturation_gain: from.parameter("saturation_gain"),
        saturation_r: from.parameter("saturation_r"),
        saturation_slope: from.parameter("saturation_slope"),
        saturation_kappa: from.parameter("saturation_kappa"),
        saturation_sigma: from.parameter("saturation_sigma"),
        adstock: from.text("adstock", ""),
        adstock_alpha: from.parameter("adstock_alpha"),
        adstock_theta: from.parameter("adstock_theta"),
        adstock_lam: from.parameter("adstock_lam"),
        adstock_k: from.parameter("adstock_k"),
        l_max: from.count("l_max"),
        normalize: from.flag("normalize", true),
        adstock_first: from.flag("adstock_first", true),
        channel_scale: from.parameter("channel_scale"),
        target_scale: from.parameter("target_scale"),
        num_periods: from.count("num_periods").expect("given"),
        include_carryover: from.flag("include_carryover", true),
    };
    from.all_used();
    model
}

fn lightweight_mmm(case: &Value) -> LightweightMmm {
    let mut from = Arguments::of(case);
    let model = LightweightMmm {
        model_name: from.text("model_name", ""),
        coef_media: from.parameter("coef_media"),
        lag_weight: from.parameter("lag_weight"),
        exponent: from.parameter("exponent"),
        half_max_effective_concentration: from.parameter("half_max_effective_concentration"),
        slope: from.parameter("slope"),
        ad_effect_retention_rate: from.parameter("ad_effect_retention_rate"),
        peak_effect_delay: from.parameter("peak_effect_delay"),
        normalise: from.flag("normalise", true),
        number_time_periods: from.count("number_time_periods").expect("given"),
        media_scale: from.parameter("media_scale"),
        target_scale: from.parameter("target_scale"),
    };
    from.all_used();
    model
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    let row =
        |row: &Value| row.as_array().expect("a row").iter().map(|x| x.as_f64().expect("a number")).collect();
    value.as_array().expect("rows").iter().map(row).collect()
}

/// Every response of a case to 1e-12 relative.
fn assert_equal(case: &Value, curves: &ResponseCurves) {
    for (spend, expected) in rows(&case["spend"]).iter().zip(rows(&case["response"])) {
        let response = curves.response(spend).expect("valid spends");
        for (arm, (ours, theirs)) in response.iter().zip(expected).enumerate() {
            let error = (ours - theirs).abs();
            assert!(
                error <= 1e-12 * theirs.abs(),
                "{}: arm {arm} at {spend:?}: {ours} instead of {theirs}, off by {error:e}",
                case["name"]
            );
        }
    }
}

#[test]
fn robyn_gives_its_numbers_from_its_hyper_parameters() {
    for case in cases("robyn").iter().filter(|case| case.get("stated_error").is_none()) {
        assert_equal(case, &ResponseCurves::from_robyn(&robyn(case)).expect("a valid model"));
    }
}

#[test]
fn robyn_gives_the_published_run_to_the_error_of_its_rounded_parameters() {
    let published: Vec<Value> =
        cases("robyn").into_iter().filter(|case| case.get("stated_error").is_some()).collect();
    assert_eq!(published.len(), 1);
    for case in &published {
        let curves = ResponseCurves::from_robyn(&robyn(case)).expect("a valid model");
        let stated = rows(&case["stated_error"]);
        for ((spend, expected), stated) in
            rows(&case["spend"]).iter().zip(rows(&case["response"])).zip(stated)
        {
            let response = curves.response(spend).expect("valid spends");
            for ((ours, theirs), stated) in response.iter().zip(expected).zip(stated) {
                let error = ours / theirs - 1.0;
                assert!((error - stated).abs() <= 1e-13, "off by {error:e}, stated is {stated:e}");
            }
        }
    }
}

#[test]
fn meridian_gives_its_incremental_outcome() {
    for case in &cases("meridian") {
        assert_equal(case, &ResponseCurves::from_meridian(&meridian(case)).expect("a valid model"));
    }
}

#[test]
fn pymc_marketing_gives_its_numbers_for_every_saturation_and_adstock() {
    for case in &cases("pymc_marketing") {
        assert_equal(
            case,
            &ResponseCurves::from_pymc_marketing(&pymc_marketing(case)).expect("a valid model"),
        );
    }
}

#[test]
fn pymc_marketing_gives_the_published_response_at_the_published_plan() {
    let case = &cases("pymc_marketing")[0];
    let curves = ResponseCurves::from_pymc_marketing(&pymc_marketing(case)).expect("a valid model");
    let total = |spend: [f64; 2]| curves.response(&spend).expect("valid spends").iter().sum::<f64>();
    assert!((total([58.976_597_07, 41.023_402_93]) - 44.942_157_344_71).abs() < 1e-10);
    assert!((total([50.0, 50.0]) - 44.920_703_245_285).abs() < 1e-11);
    assert!((total([58.976_001_209_440_57, 41.023_998_790_559_43]) - 44.94).abs() < 0.005);
    assert_eq!(total([0.0, 0.0]), 0.0);
    // At the optimum (printed to 1e-8 of the budget) both channels' last unit brings the same.
    let marginal = curves.marginal_response(&[58.976_597_07, 41.023_402_93]).expect("valid spends");
    assert!((marginal[0] / marginal[1] - 1.0).abs() < 2e-6, "{marginal:?}");
}

#[test]
fn lightweight_mmm_gives_its_numbers_for_every_model() {
    for case in &cases("lightweight_mmm") {
        assert_equal(
            case,
            &ResponseCurves::from_lightweight_mmm(&lightweight_mmm(case)).expect("a valid model"),
        );
    }
}

#[test]
fn curves_that_were_read_take_a_cost_per_unit_and_come_back_from_json_bit_for_bit() {
    let case = &cases("pymc_marketing")[2];
    let curves = ResponseCurves::from_pymc_marketing(&pymc_marketing(case)).expect("a valid model");
    let priced = curves.clone().with_cost_per_unit(2.5).expect("a price");
    let (plain, doubled) = (curves.response(&[40.0, 900.0]), priced.response(&[100.0, 2250.0]));
    assert_eq!(plain, doubled);
    assert_eq!(ResponseCurves::from_json(&priced.to_json()).expect("its own JSON"), priced);
}

/// Code and field of an error.
fn fault(result: Result<ResponseCurves, Error>) -> (&'static str, String) {
    let error = result.expect_err("a fault");
    let field = match &error {
        Error::NotFinite { field, .. }
        | Error::OutOfDomain { field, .. }
        | Error::Empty { field }
        | Error::LengthMismatch { field, .. } => field.clone(),
        other => panic!("no field: {other}"),
    };
    (error.code(), field)
}

fn draws(draws: usize, arms: usize, value: f64) -> Option<Parameter> {
    Some(Parameter::draws(draws, arms, vec![value; draws * arms]).expect("a rectangle"))
}

fn plain_robyn() -> Robyn {
    Robyn {
        coef: Some(1.0.into()),
        alpha: Some(2.0.into()),
        inflexion: Some([3.0, 4.0].into()),
        ..Robyn::default()
    }
}

#[test]
fn robyn_names_the_field_that_is_wrong() {
    let fault_of = |robyn: Robyn| fault(ResponseCurves::from_robyn(&robyn));
    let domain = |field: &str| ("out_of_domain", field.to_string());
    assert!(ResponseCurves::from_robyn(&plain_robyn()).is_ok());
    assert_eq!(fault_of(Robyn::default()), domain("coef"));
    assert_eq!(fault_of(Robyn { alpha: Some(0.0.into()), ..plain_robyn() }), domain("alpha"));
    assert_eq!(fault_of(Robyn { inflexion: None, ..plain_robyn() }), domain("gamma"));
    let with_gamma = Robyn { inflexion: None, gamma: Some(0.5.into()), ..plain_robyn() };
    assert_eq!(fault_of(with_gamma.clone()), domain("max_adstocked"));
    assert_eq!(fault_of(Robyn { gamma: Some(0.5.into()), ..plain_robyn() }), domain("gamma"));
    assert_eq!(fault_of(Robyn { theta: Some(0.5.into()), ..plain_robyn() }), domain("theta"));
    assert_eq!(fault_of(Robyn { adstock: Some("weibull".into()), ..plain_robyn() }), domain("adstock"));
    assert_eq!(
        fault_of(Robyn { carryover: Some([0.0, f64::NAN].into()), ..plain_robyn() }),
        ("not_finite", "carryover[1]".into())
    );
    assert_eq!(
        fault_of(Robyn { carryover: Some([0.0, 1.0, 2.0].into()), ..plain_robyn() }),
        ("length_mismatch", "carryover".into())
    );
    let history = Robyn { media: draws(5, 2, 1.0), ..with_gamma };
    assert_eq!(fault_of(history.clone()), domain("theta"));
    let window = Robyn { theta: Some(0.5.into()), window: Some(3..6), ..history };
    assert_eq!(fault_of(window), domain("window"));
}

#[test]
fn meridian_names_the_field_that_is_wrong() {
    let plain = || Meridian {
        alpha_m: draws(2, 2, 0.5),
        ec_m: draws(2, 2, 1.0),
        beta_gm: Some(Parameter::terms(2, 3, 2, [1.0; 12]).expect("a block")),
        media_scaled: Some(Parameter::terms(3, 4, 2, [1.0; 24]).expect("a block")),
        spend: Some([10.0, 20.0].into()),
        ..Meridian::default()
    };
    let fault_of = |meridian: Meridian| fault(ResponseCurves::from_meridian(&meridian));
    let domain = |field: &str| ("out_of_domain", field.to_string());
    let length = |field: &str| ("length_mismatch", field.to_string());
    assert!(ResponseCurves::from_meridian(&plain()).is_ok());
    assert_eq!(fault_of(Meridian { media_scaled: None, ..plain() }), domain("media_scaled"));
    assert_eq!(fault_of(Meridian { alpha_m: Some(1.5.into()), ..plain() }), domain("alpha_m"));
    assert_eq!(fault_of(Meridian { spend: Some([10.0, 0.0].into()), ..plain() }), domain("spend[1]"));
    assert_eq!(fault_of(Meridian { adstock: "weibull".into(), ..plain() }), domain("adstock"));
    assert_eq!(fault_of(Meridian { ec_m: draws(3, 2, 1.0), ..plain() }), length("alpha_m (draws)"));
    assert_eq!(fault_of(Meridian { spend: draws(2, 2, 1.0), ..plain() }), length("spend (draws)"));
    let geos = Some(Parameter::terms(2, 2, 2, [1.0; 8]).expect("a block"));
    assert_eq!(fault_of(Meridian { beta_gm: geos, ..plain() }), length("beta_gm (geos)"));
    assert_eq!(
        fault_of(Meridian { outcome_per_unit: draws(3, 5, 1.0), ..plain() }),
        length("outcome_per_unit")
    );
    let media = Some(Parameter::terms(3, 4, 3, [1.0; 36]).expect("a block"));
    assert_eq!(fault_of(Meridian { media_scaled: media, ..plain() }), length("media_scaled"));
}

#[test]
fn pymc_marketing_names_the_field_that_is_wrong() {
    let plain = || PymcMarketing {
        saturation_lam: draws(2, 3, 0.5),
        saturation_beta: draws(2, 3, 1.0),
        adstock_alpha: Some(0.5.into()),
        l_max: Some(4),
        ..PymcMarketing::default()
    };
    let fault_of = |model: PymcMarketing| fault(ResponseCurves::from_pymc_marketing(&model));
    let domain = |field: &str| ("out_of_domain", field.to_string());
    assert!(ResponseCurves::from_pymc_marketing(&plain()).is_ok());
    assert_eq!(fault_of(PymcMarketing { saturation: "hil".into(), ..plain() }), domain("saturation"));
    assert_eq!(fault_of(PymcMarketing { adstock: "weibull".into(), ..plain() }), domain("adstock"));
    assert_eq!(fault_of(PymcMarketing { saturation_lam: None, ..plain() }), domain("saturation_lam"));
    assert_eq!(
        fault_of(PymcMarketing { saturation_kappa: Some(1.0.into()), ..plain() }),
        domain("saturation_kappa")
    );
    assert_eq!(fault_of(PymcMarketing { adstock: "delayed".into(), ..plain() }), domain("adstock_theta"));
    assert_eq!(fault_of(PymcMarketing { l_max: None, ..plain() }), domain("l_max"));
    assert_eq!(fault_of(PymcMarketing { l_max: Some(0), ..plain() }), domain("l_max"));
    assert_eq!(fault_of(PymcMarketing { num_periods: 0, ..plain() }), domain("num_periods"));
    assert_eq!(
        fault_of(PymcMarketing { channel_scale: Some(0.0.into()), ..plain() }),
        domain("channel_scale")
    );
    assert_eq!(
        fault_of(PymcMarketing { saturation_beta: draws(3, 3, 1.0), ..plain() }),
        ("length_mismatch", "saturation_lam (draws)".into())
    );
    assert_eq!(
        fault_of(PymcMarketing { adstock_alpha: Some([0.5, 0.5].into()), ..plain() }),
        ("length_mismatch", "adstock_alpha".into())
    );
    let weightless = PymcMarketing {
        adstock: "delayed".into(),
        adstock_alpha: Some(0.0.into()),
        adstock_theta: Some(0.5.into()),
        ..plain()
    };
    assert_eq!(fault_of(weightless), domain("adstock_alpha"));
}

#[test]
fn lightweight_mmm_names_the_field_that_is_wrong() {
    let plain = || LightweightMmm {
        model_name: "adstock".into(),
        coef_media: Some([1.0, 2.0].into()),
        lag_weight: Some(0.5.into()),
        exponent: Some(0.9.into()),
        ..LightweightMmm::default()
    };
    let fault_of = |model: LightweightMmm| fault(ResponseCurves::from_lightweight_mmm(&model));
    let domain = |field: &str| ("out_of_domain", field.to_string());
    assert!(ResponseCurves::from_lightweight_mmm(&plain()).is_ok());
    assert_eq!(fault_of(LightweightMmm { model_name: "hill".into(), ..plain() }), domain("model_name"));
    assert_eq!(fault_of(LightweightMmm { exponent: None, ..plain() }), domain("exponent"));
    assert_eq!(fault_of(LightweightMmm { exponent: Some(1.5.into()), ..plain() }), domain("exponent"));
    assert_eq!(fault_of(LightweightMmm { slope: Some(1.0.into()), ..plain() }), domain("slope"));
    assert_eq!(fault_of(LightweightMmm { number_time_periods: 0, ..plain() }), domain("number_time_periods"));
    assert_eq!(
        fault_of(LightweightMmm { media_scale: Some([1.0, f64::INFINITY].into()), ..plain() }),
        ("not_finite", "media_scale[1]".into())
    );
}
