//! Prices that rise with the spend: formulae by other means, plans against dense grids, and what is refused.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "the platform's functions are the reference here, and the tests draw their own numbers"
)]
#![allow(clippy::float_cmp, reason = "where equality is asked, it is exact")]

use adflow_core::{Error, Parameter, Plan, Problem, ResponseCurves, Status};
use serde_json::Value;

/// How units are priced.
#[derive(Clone, Debug)]
enum Price {
    Power(f64),
    Tiers(Vec<f64>, Vec<f64>),
}

impl Price {
    /// Units for a spend x at the cost c, from the definition.
    fn units(&self, x: f64, c: f64) -> f64 {
        match self {
            // c uᵖ each, u of them: the root of c u^{1+p} = x, by halves.
            Self::Power(p) => {
                let (mut low, mut high) = (0.0_f64, 1.0_f64);
                while c * high * high.powf(*p) < x {
                    high *= 2.0;
                }
                for _ in 0..200 {
                    let middle = 0.5 * (low + high);
                    if c * middle * middle.powf(*p) < x { low = middle } else { high = middle }
                }
                high * f64::from(u8::from(x > 0.0))
            }
            // Money goes into one tier after the other.
            Self::Tiers(breaks, prices) => {
                let (mut left, mut start, mut units) = (x, 0.0, 0.0);
                for (at, price) in prices.iter().enumerate() {
                    let own = left.min(breaks.get(at).map_or(f64::INFINITY, |end| end - start));
                    units += own / (c * price);
                    left -= own;
                    start = breaks.get(at).copied().unwrap_or(f64::INFINITY);
                }
                units
            }
        }
    }

    fn put(&self, curves: ResponseCurves) -> ResponseCurves {
        match self {
            Self::Power(p) => curves.with_price_power(*p),
            Self::Tiers(breaks, prices) => {
                curves.with_price_tiers(std::slice::from_ref(breaks), std::slice::from_ref(prices))
            }
        }
        .expect("a price")
    }
}

/// One arm, and the means to compute its response without the library.
#[derive(Clone, Debug)]
struct Arm {
    family: usize,
    /// One row of three parameters per draw.
    draws: Vec<[f64; 3]>,
    cost: f64,
    offset: f64,
    value: f64,
    price: Price,
}

const TABLE: [f64; 5] = [0.0, 1.0, 3.0, 6.0, 200.0];

impl Arm {
    fn formula(&self, [a, b, c]: [f64; 3], u: f64) -> f64 {
        match self.family {
            0 => a * u,
            1 => a * (u / b).ln_1p(),
            2 => a * u.powf((0.1 * b).min(1.0)),
            3 => -a * (-u / b).exp_m1(),
            4 => a * u / (b + u),
            5 => a * u.powf(c) / (b.powf(c) + u.powf(c)),
            6 => a * (0.5 * u / b).tanh(),
            7 => a * (u / (a * b)).tanh(),
            8 => a / (1.0 + (-c * (u - b)).exp()) - a / (1.0 + (c * b).exp()),
            _ => {
                let rows = [0.0, 0.1 * a, a, a, a + 10.0 * b];
                let line = (1..4).find(|&at| u < TABLE[at]).unwrap_or(4);
                let share = (u - TABLE[line - 1]) / (TABLE[line] - TABLE[line - 1]);
                rows[line - 1] + share * (rows[line] - rows[line - 1])
            }
        }
    }

    fn response(&self, x: f64) -> f64 {
        let units = self.price.units(x, self.cost) + self.offset;
        let of = |&p: &[f64; 3]| self.formula(p, units) - self.formula(p, self.offset);
        self.value * self.draws.iter().map(of).sum::<f64>() / self.draws.len() as f64
    }

    fn curves(&self) -> ResponseCurves {
        let column = |of: &dyn Fn(&[f64; 3]) -> f64| {
            Parameter::draws(self.draws.len(), 1, self.draws.iter().map(of).collect::<Vec<_>>()).unwrap()
        };
        let (a, b, c) = (column(&|p| p[0]), column(&|p| p[1]), column(&|p| p[2]));
        let curves = match self.family {
            0 => ResponseCurves::linear(a),
            1 => ResponseCurves::logarithmic(a, b),
            2 => ResponseCurves::power(a, column(&|p| (0.1 * p[1]).min(1.0))),
            3 => ResponseCurves::exponential(a, b),
            4 => ResponseCurves::michaelis_menten(a, b),
            5 => ResponseCurves::hill(a, b, c),
            6 => ResponseCurves::logistic(a, column(&|p| 1.0 / p[1])),
            7 => ResponseCurves::tanh(a, b),
            8 => ResponseCurves::hill_sigmoid(a, c, b),
            _ => {
                let row = |&[a, b, _]: &[f64; 3]| vec![vec![0.0, 0.1 * a, a, a, a + 10.0 * b]];
                let rows: Vec<_> = self.draws.iter().map(row).collect();
                ResponseCurves::tabulated_draws(&[TABLE.to_vec()], &rows)
            }
        };
        let curves = curves.unwrap().with_cost_per_unit(self.cost).unwrap();
        let curves = curves.with_offset(self.offset, false).unwrap();
        self.price.put(curves).with_value_per_response(self.value).unwrap()
    }
}

const FAMILIES: usize = 10;

/// xorshift64*, so that every run sees the same arms.
struct Random(u64);

impl Random {
    fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11;
        low + (high - low) * (bits as f64 / (1_u64 << 53) as f64)
    }

    fn pick(&mut self, count: u32) -> u32 {
        (0..count).rev().find(|&at| self.between(0.0, f64::from(at) + 1.0) < 1.0).unwrap_or(0)
    }

    fn arm(&mut self, family: usize, draws: usize) -> Arm {
        let price = if self.pick(2) == 0 {
            Price::Power(self.between(0.05, 2.5))
        } else {
            let start = self.between(0.5, 4.0);
            let breaks = vec![start, start + self.between(0.5, 4.0), start + self.between(4.0, 9.0)];
            let first = self.between(0.3, 2.0);
            let rises = [self.between(1.0, 2.0), self.between(1.0, 2.0), self.between(1.0, 3.0)];
            let second = first * rises[0];
            Price::Tiers(breaks, vec![first, second, second * rises[1], second * rises[1] * rises[2]])
        };
        let offset = if self.pick(2) == 0 { 0.0 } else { self.between(0.0, 2.0) };
        let draw = |random: &mut Self| {
            [random.between(1.0, 9.0), random.between(0.8, 6.0), random.between(0.6, 5.0)]
        };
        Arm {
            family,
            draws: (0..draws).map(|_| draw(self)).collect(),
            cost: self.between(0.4, 2.0),
            offset,
            value: self.between(0.5, 2.0),
            price,
        }
    }
}

fn all_arms(seed: u64, each: usize) -> Vec<Arm> {
    let mut random = Random(seed);
    (0..FAMILIES * each).map(|at| random.arm(at % FAMILIES, [1, 3][(at / FAMILIES) % 2])).collect()
}

#[test]
fn every_family_answers_what_its_units_bring() {
    for arm in all_arms(5, 12) {
        let curves = arm.curves();
        for x in [0.0, 1e-7, 0.02, 0.7, 2.0, 5.5, 9.0, 31.0] {
            let (ours, theirs) = (curves.response(&[x]).unwrap()[0], arm.response(x));
            // An offset takes off most of what there is.
            let scale = theirs.abs() + arm.value * arm.formula(arm.draws[0], arm.offset).abs();
            assert!((ours - theirs).abs() <= 1e-12 * scale + 1e-15, "{ours} for {theirs} at {x}: {arm:?}");
        }
    }
}

#[test]
fn the_marginal_response_is_the_slope_of_the_response() {
    for arm in all_arms(6, 12) {
        let curves = arm.curves();
        for x in [0.013, 0.71, 2.03, 5.51, 9.07, 31.3] {
            let h = 1e-4 * x;
            // Not across a kink.
            let kinks: Vec<f64> = match (&arm.price, arm.family) {
                (Price::Tiers(breaks, _), _) => breaks.clone(),
                _ => Vec::new(),
            };
            let crossing = |low: f64, high: f64, kink: f64| low < kink && kink < high;
            let units = |x: f64| arm.price.units(x, arm.cost) + arm.offset;
            let bent = kinks.iter().any(|&kink| crossing(x - 2.0 * h, x + 2.0 * h, kink))
                || arm.family == 9
                    && TABLE.iter().any(|&kink| crossing(units(x - 2.0 * h), units(x + 2.0 * h), kink));
            if bent {
                continue;
            }
            let f = |x: f64| arm.response(x);
            let slope = (8.0 * (f(x + h) - f(x - h)) - (f(x + 2.0 * h) - f(x - 2.0 * h))) / (12.0 * h);
            let ours = curves.marginal_response(&[x]).unwrap()[0];
            let rounding = 1e-13 * (f(x).abs() + 10.0) / h;
            assert!((ours - slope).abs() <= 1e-8 * slope + rounding, "{ours} for {slope} at {x}: {arm:?}");
        }
    }
}

#[test]
fn at_a_break_the_next_money_counts() {
    let curves = ResponseCurves::linear(6.0).unwrap();
    let curves = curves.with_price_tiers(&[vec![10.0, 20.0]], &[vec![1.0, 2.0, 3.0]]).unwrap();
    let slopes = [9.99, 10.0, 20.0].map(|x| curves.marginal_response(&[x]).unwrap()[0]);
    assert_eq!(slopes, [6.0, 3.0, 2.0]);
    assert_eq!(curves.response(&[25.0]).unwrap(), [60.0 + 30.0 + 10.0]);
}

#[test]
fn families_that_absorb_a_power_are_the_curves_they_become() {
    let (p, spend) = (0.7, [1e-3, 0.4, 3.0, 50.0]);
    let q = 1.0 / 1.7;
    let pairs = [
        (ResponseCurves::linear(3.0), ResponseCurves::power(3.0, q)),
        (ResponseCurves::power(3.0, 0.5), ResponseCurves::power(3.0, 0.5 * q)),
        (ResponseCurves::michaelis_menten(3.0, 4.0), ResponseCurves::hill(3.0, 4.0_f64.powf(1.7), q)),
        (ResponseCurves::hill(3.0, 4.0, 2.6), ResponseCurves::hill(3.0, 4.0_f64.powf(1.7), 2.6 * q)),
        (ResponseCurves::hill(3.0, 4.0, 1.5), ResponseCurves::hill(3.0, 4.0_f64.powf(1.7), 1.5 * q)),
    ];
    for (behind, plain) in pairs {
        let behind = behind.unwrap().with_cost_per_unit(2.0).unwrap().with_price_power(p).unwrap();
        let plain = plain.unwrap().with_cost_per_unit(2.0).unwrap();
        for x in spend {
            let near = |a: f64, b: f64| (a - b).abs() <= 1e-13 * b.abs();
            assert!(near(behind.response(&[x]).unwrap()[0], plain.response(&[x]).unwrap()[0]));
            assert!(near(
                behind.marginal_response(&[x]).unwrap()[0],
                plain.marginal_response(&[x]).unwrap()[0]
            ));
        }
        assert!((behind.inflection()[0] - plain.inflection()[0]).abs() <= 1e-13 * plain.inflection()[0]);
        // With an offset they are no longer a family; without it they are one again.
        let moved = behind.clone().with_offset(1.0, false).unwrap();
        let back = moved.clone().with_offset(0.0, false).unwrap();
        assert_eq!(back, behind);
        assert_ne!(moved, behind);
    }
}

#[test]
fn the_inflection_is_where_the_slope_is_steepest() {
    for (curves, price) in [
        (ResponseCurves::hill(3.0, 4.0, 3.0), Price::Power(0.5)),
        (ResponseCurves::hill(3.0, 4.0, 3.0).and_then(|c| c.with_offset(0.6, false)), Price::Power(0.5)),
        (ResponseCurves::hill_sigmoid(3.0, 1.5, 4.0), Price::Power(0.5)),
        (ResponseCurves::hill_sigmoid(3.0, 1.5, 4.0), Price::Tiers(vec![1.0], vec![1.0, 2.5])),
    ] {
        let curves = price.put(curves.unwrap());
        let inflection = curves.inflection()[0];
        let slope = |x: f64| curves.marginal_response(&[x]).unwrap()[0];
        // Golden section on the stretch around it.
        let (mut low, mut high) = (0.7 * inflection, 1.3 * inflection);
        for _ in 0..200 {
            let third = (high - low) / 3.0;
            if slope(low + third) < slope(high - third) { low += third } else { high -= third }
        }
        assert!((inflection - low).abs() < 1e-6 * low, "{inflection}, steepest at {low}");
        // An S-curve that starts with a slope is concave at first behind a power: steep there too.
        if let Price::Power(_) = price {
            let starts_steep = slope(0.0).is_infinite();
            assert_eq!(starts_steep, slope(1e-9) > slope(inflection), "{}", slope(0.0));
        }
    }
    let flat = ResponseCurves::hill(3.0, 4.0, 1.4).unwrap().with_price_power(0.5).unwrap();
    assert_eq!(flat.inflection(), [0.0]);
}

#[test]
fn the_inverse_of_the_marginal_response_gives_it_back() {
    for arm in all_arms(8, 12) {
        let curves = arm.curves();
        for m in [1e-3, 0.02, 0.3] {
            let x = curves.inverse_marginal_response(&[m]).unwrap()[0];
            if x <= 0.0 || !x.is_finite() {
                continue;
            }
            // At a kink the slope passes m, anywhere else it is m.
            let domain = curves.response(&[x * (1.0 + 1e-9)]).is_ok();
            let slope = |x: f64| curves.marginal_response(&[x]).unwrap()[0];
            let after = if domain { slope(x * (1.0 + 1e-9)) } else { 0.0 };
            let before = slope(x * (1.0 - 1e-9));
            assert!(
                after <= m * (1.0 + 1e-6) && before >= m * (1.0 - 1e-6),
                "{before} and {after} around {x} for {m}: {arm:?}"
            );
        }
    }
}

#[test]
fn what_lies_behind_a_price_may_be_said_before_or_after_it() {
    let hill = || ResponseCurves::hill([3.0, 5.0], [4.0, 1.0], [2.0, 0.7]).unwrap();
    let costs = Parameter::draws(2, 2, [1.0, 2.0, 1.5, 2.5]).unwrap();
    for price in [Price::Power(0.4), Price::Tiers(vec![2.0], vec![1.0, 3.0])] {
        for cost in [Parameter::from([2.0, 0.5]), costs.clone()] {
            let first = price.put(hill()).with_cost_per_unit(cost.clone()).unwrap();
            let first = first.with_offset([0.0, 0.3], true).unwrap().with_value_per_response(2.0).unwrap();
            let first = first.with_names(["a", "b"]).unwrap();
            let last = hill().with_names(["a", "b"]).unwrap().with_value_per_response(2.0).unwrap();
            let last = last.with_cost_per_unit(cost).unwrap().with_offset([0.0, 0.3], true).unwrap();
            assert_eq!(first, price.put(last));
        }
    }
}

#[test]
fn a_price_replaces_the_one_before_it_and_none_takes_it_away() {
    let hill = ResponseCurves::hill(3.0, 4.0, 2.0).unwrap();
    let once = hill.clone().with_price_power(0.5).unwrap();
    assert_eq!(once.clone().with_price_power(0.5).unwrap(), once);
    assert_eq!(hill.clone().with_price_power(2.0).unwrap().with_price_power(0.5).unwrap(), once);
    assert_eq!(once.with_price_power(0.0).unwrap(), hill);
    let tiers = hill.clone().with_price_tiers(&[vec![5.0]], &[vec![1.0, 2.0]]).unwrap();
    assert_eq!(tiers.with_price_tiers(&[vec![]], &[vec![1.0]]).unwrap(), hill);
    // One price is a factor on the cost, and a break that changes nothing is none.
    let dearer = hill.clone().with_price_tiers(&[vec![5.0]], &[vec![3.0, 3.0]]).unwrap();
    let plain = hill.with_cost_per_unit(3.0).unwrap();
    assert_eq!(dearer.response(&[7.0]).unwrap(), plain.response(&[7.0]).unwrap());
    assert_eq!(dearer.inflection(), plain.inflection());
}

#[test]
fn draws_of_the_cost_and_of_the_curve_are_averaged_behind_the_price() {
    let costs = [1.0, 2.0, 4.0];
    let slopes = [0.8, 2.0, 3.0];
    for price in [Price::Power(0.6), Price::Tiers(vec![2.0, 5.0], vec![1.0, 1.5, 4.0])] {
        let curves = ResponseCurves::hill(3.0, 4.0, Parameter::draws(3, 1, slopes).unwrap()).unwrap();
        let curves = price.put(curves.with_cost_per_unit(Parameter::draws(3, 1, costs).unwrap()).unwrap());
        for offset in [0.0, 0.8] {
            let curves = curves.clone().with_offset(offset, false).unwrap();
            for x in [0.5, 3.0, 12.0] {
                let hill = |u: f64, s: f64| 3.0 * u.powf(s) / (4.0_f64.powf(s) + u.powf(s));
                let draw = |at: usize| {
                    let units = price.units(x, costs[at]) + offset;
                    hill(units, slopes[at]) - hill(offset, slopes[at])
                };
                let draws = [0, 1, 2].map(draw);
                let ours = curves.response_draws(&[x]).unwrap();
                assert!(ours.iter().zip(draws).all(|(a, b)| (a - b).abs() < 1e-13), "{ours:?}, {draws:?}");
                let mean = draws.iter().sum::<f64>() / 3.0;
                assert!((curves.response(&[x]).unwrap()[0] - mean).abs() < 1e-13);
            }
        }
    }
}

#[test]
fn the_curves_of_one_draw_stay_behind_their_price() {
    for arm in all_arms(10, 4).into_iter().filter(|arm| arm.draws.len() > 1) {
        let curves = arm.curves();
        for (at, draw) in arm.draws.iter().enumerate() {
            let one = Arm { draws: vec![*draw], ..arm.clone() };
            for x in [0.0, 0.4, 3.0, 20.0] {
                let ours = curves.draw(at).unwrap().response(&[x]).unwrap()[0];
                assert!((ours - one.response(x)).abs() <= 1e-11 * (1.0 + ours), "{one:?} at {x}: {ours}");
            }
        }
    }
}

#[test]
fn the_curves_of_one_draw_of_a_sum_are_a_sum() {
    let beta = Parameter::terms(2, 2, 1, [1.0, 2.0, 3.0, 4.0]).unwrap();
    let curves = ResponseCurves::michaelis_menten(beta, 3.0).unwrap();
    assert_eq!(curves.draw(1).unwrap().response(&[3.0]).unwrap(), [3.5]);
    let behind = curves.with_price_power(1.0).unwrap();
    assert!((behind.draw(1).unwrap().response(&[9.0]).unwrap()[0] - 3.5).abs() < 1e-14);
}

#[test]
fn a_table_keeps_its_ends_at_what_they_cost() {
    let table = ResponseCurves::tabulated(&[vec![1.0, 4.0, 9.0]], &[vec![2.0, 3.0, 3.5]]).unwrap();
    let table = table.with_cost_per_unit(2.0).unwrap();
    // 9 units at 2 · √9 each; the first at 2.
    let power = table.clone().with_price_power(0.5).unwrap();
    assert!((power.response(&[2.0 * (1.0 + 1e-12)]).unwrap()[0] - 2.0).abs() < 1e-9);
    assert!((power.response(&[54.0 * (1.0 - 1e-12)]).unwrap()[0] - 3.5).abs() < 1e-9);
    assert!(matches!(power.response(&[54.1]), Err(Error::OutOfDomain { .. })));
    assert!(matches!(power.response(&[1.9]), Err(Error::OutOfDomain { .. })));
    let tiers = table.with_price_tiers(&[vec![8.0]], &[vec![1.0, 3.0]]).unwrap();
    assert_eq!(tiers.response(&[2.0, 8.0, 38.0]).unwrap(), [2.0, 3.0, 3.5]);
    assert!(matches!(tiers.response(&[38.1]), Err(Error::OutOfDomain { .. })));
    // The ends bound the plan.
    let plan = Problem::new(tiers).budget(100.0).lower(2.0).solve().unwrap();
    assert!(plan.verify().ok && plan.spend == [38.0], "{:?}", plan.spend);
    // An offset takes off what it brings alone.
    let from_zero = ResponseCurves::tabulated(&[vec![0.0, 4.0]], &[vec![1.0, 9.0]]).unwrap();
    for price in [Price::Power(1.0), Price::Tiers(vec![1.0], vec![1.0, 2.0])] {
        let curves = price.put(from_zero.clone());
        assert_eq!(curves.response(&[0.0]).unwrap(), [1.0]);
        let moved = curves.clone().with_offset(2.0, false).unwrap();
        assert_eq!(moved.response(&[0.0]).unwrap(), [0.0]);
        let units = price.units(1.5, 1.0);
        assert!((moved.response(&[1.5]).unwrap()[0] - 2.0 * units).abs() < 1e-13);
        assert_eq!(curves.with_offset(2.0, true).unwrap().response(&[0.0]).unwrap(), [5.0]);
    }
}

#[test]
fn json_gives_back_the_same_bits() {
    for (at, arm) in all_arms(9, 4).into_iter().enumerate() {
        let curves = arm.curves();
        let again = ResponseCurves::from_json(&curves.to_json()).unwrap();
        assert_eq!(again, curves, "{arm:?}");
        assert_eq!(again.to_json(), curves.to_json());
        let plain = ResponseCurves::hill(1.0, 2.0, 3.0).unwrap();
        if at % 20 < 10 {
            let both = ResponseCurves::concat(&[plain.clone(), curves.clone(), plain.clone()]).unwrap();
            assert_eq!(ResponseCurves::from_json(&both.to_json()).unwrap(), both);
            assert_eq!(both.slice(1..2).unwrap(), curves);
            assert_eq!(both.slice(2..3).unwrap(), plain);
            assert!(!both.slice(0..1).unwrap().to_json().contains("price"));
        }
    }
    let text = r#"{"version": 1, "curves": [{"family": "linear", "beta": [2, 2],
        "price_tiers": {"spend_breaks": [[10], []], "prices": [[1, 2], [4]]}}]}"#;
    let curves = ResponseCurves::from_json(text).unwrap();
    assert_eq!(curves.response(&[20.0, 20.0]).unwrap(), [30.0, 10.0]);
    assert_eq!(ResponseCurves::from_json(&curves.to_json()).unwrap(), curves);
    // Curves without a rising price are written as they were.
    let plain: Value = serde_json::from_str(&ResponseCurves::linear(1.0).unwrap().to_json()).unwrap();
    assert!(
        plain["curves"][0].get("price_power").is_none() && plain["curves"][0].get("price_tiers").is_none()
    );
}

#[test]
fn a_column_of_a_table_holds_the_power() {
    let columns: [(&str, &[f64]); 3] =
        [("beta", &[2.0, 2.0]), ("cost_per_unit", &[2.0, f64::NAN]), ("price_power", &[0.5, f64::NAN])];
    let curves = ResponseCurves::from_columns(&["linear", "linear"], &columns).unwrap();
    let response = curves.response(&[54.0, 54.0]).unwrap();
    assert!((response[0] - 18.0).abs() < 1e-12 && response[1] == 108.0);
}

#[test]
fn bad_prices_are_refused_with_their_place() {
    let two = || ResponseCurves::hill([1.0, 2.0], 3.0, 2.0).unwrap();
    let says = |result: adflow_core::Result<ResponseCurves>, code: &str, field: &str| {
        let error = result.expect_err("a bad price");
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(field), "{error} does not name {field}");
    };
    says(two().with_price_power(-0.1), "out_of_domain", "price_power");
    says(two().with_price_power([0.5, 10.5]), "out_of_domain", "price_power[1]");
    says(two().with_price_power([0.5, f64::NAN]), "not_finite", "price_power[1]");
    says(two().with_price_power(f64::INFINITY), "not_finite", "price_power");
    says(two().with_price_power([0.1, 0.2, 0.3]), "length_mismatch", "price_power");
    says(two().with_price_power(Vec::new()), "empty", "price_power");
    let draws = Parameter::draws(2, 2, [0.1, 0.2, 0.3, 0.4]).unwrap();
    says(two().with_price_power(draws), "length_mismatch", "price_power");
    let tiers = |breaks: &[&[f64]], prices: &[&[f64]]| {
        let rows = |rows: &[&[f64]]| rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>();
        two().with_price_tiers(&rows(breaks), &rows(prices))
    };
    says(tiers(&[], &[&[1.0]]), "empty", "spend_breaks");
    says(tiers(&[&[]], &[]), "empty", "prices");
    says(tiers(&[&[1.0]], &[&[1.0, 2.0], &[1.0, 2.0], &[1.0, 2.0]]), "length_mismatch", "prices");
    says(tiers(&[&[1.0], &[1.0], &[1.0]], &[&[1.0, 2.0]]), "length_mismatch", "spend_breaks");
    says(tiers(&[&[1.0]], &[&[1.0, 2.0, 3.0]]), "length_mismatch", "prices[0]");
    says(tiers(&[&[1.0], &[1.0, 2.0]], &[&[1.0, 2.0]]), "length_mismatch", "prices[0]");
    says(tiers(&[&[1.0]], &[&[2.0, 1.0]]), "out_of_domain", "prices[0][1]");
    says(tiers(&[&[1.0]], &[&[1.0, 2.0], &[0.0, 2.0]]), "out_of_domain", "prices[1][0]");
    says(tiers(&[&[1.0]], &[&[1.0, f64::NAN]]), "not_finite", "prices[0][1]");
    says(tiers(&[&[2.0, 2.0]], &[&[1.0, 2.0, 3.0]]), "out_of_domain", "spend_breaks[0][1]");
    says(tiers(&[&[0.0]], &[&[1.0, 2.0]]), "out_of_domain", "spend_breaks[0][0]");
    says(tiers(&[&[f64::INFINITY]], &[&[1.0, 2.0]]), "not_finite", "spend_breaks[0][0]");
    // One rule per arm.
    let mixed = two().with_price_power([0.5, 0.0]).unwrap();
    says(mixed.clone().with_price_tiers(&[vec![1.0]], &[vec![1.0, 2.0]]), "out_of_domain", "prices[0]");
    let both = mixed.with_price_tiers(&[vec![], vec![1.0]], &[vec![1.0], vec![1.0, 2.0]]).unwrap();
    says(both.clone().with_price_power([0.0, 0.3]), "out_of_domain", "price_power[1]");
    assert!(both.with_price_power([0.3, 0.0]).is_ok());
    for text in [
        r#"{"family": "linear", "beta": 1, "price_tiers": {"spend_breaks": [1], "prices": [2, 1]}}"#,
        r#"{"family": "linear", "beta": 1, "price_tiers": {"spend_breaks": [1]}}"#,
        r#"{"family": "linear", "beta": 1, "price_tiers": {"breaks": [1], "prices": [1, 2]}}"#,
        r#"{"family": "linear", "beta": 1, "price_tiers": [1, 2]}"#,
        r#"{"family": "linear", "beta": 1, "price_power": "steep"}"#,
    ] {
        let document = format!(r#"{{"version": 1, "curves": [{text}]}}"#);
        let error = ResponseCurves::from_json(&document).expect_err("a bad document").to_string();
        assert!(error.contains("curves.curves[0].price_"), "{error}");
    }
}

#[test]
fn extreme_prices_give_no_nan() {
    let families = |scale: f64| {
        [
            ResponseCurves::linear(scale),
            ResponseCurves::power(1.0, 0.001),
            ResponseCurves::hill(scale, scale, 100.0),
            ResponseCurves::hill(0.0, scale, 0.001),
            ResponseCurves::hill_sigmoid(1.0, 1.0 / scale, scale),
            ResponseCurves::exponential(1.0, scale),
        ]
        .map(Result::unwrap)
    };
    for scale in [1e-60, 1e-9, 1.0, 1e60] {
        for offset in [0.0, scale] {
            for cost in [1e-60, 1.0, 1e60] {
                for price in [
                    Price::Power(1e-20),
                    Price::Power(10.0),
                    Price::Tiers(vec![1e-60, 1e60], vec![1e-60, 1.0, 1e60]),
                ] {
                    for curves in families(scale) {
                        let curves =
                            curves.with_offset(offset, false).unwrap().with_cost_per_unit(cost).unwrap();
                        let curves = price.put(curves);
                        for x in [0.0, 5e-324, 1e-200, 1e-60, 1.0, 1e60] {
                            let response = curves.response(&[x]).unwrap()[0];
                            let slope = curves.marginal_response(&[x]).unwrap()[0];
                            assert!(
                                response.is_finite() && slope >= 0.0,
                                "{response}, {slope} at {x}: {price:?} {curves:?}"
                            );
                        }
                        assert!(curves.inflection()[0] >= 0.0);
                        let found = curves.inverse_marginal_response(&[1.0]).unwrap()[0];
                        assert!(found >= 0.0, "{found}: {price:?} {curves:?}");
                    }
                }
            }
        }
    }
}

/// Best value of all ways to spend at most the budget on a grid; the last arm gets what is left.
fn brute_force(arms: &[Arm], budget: f64, upper: &[f64], count: usize) -> f64 {
    let step = budget / count as f64;
    let tables: Vec<Vec<f64>> = arms
        .iter()
        .zip(upper)
        .map(|(arm, upper)| {
            let point = |at: usize| (at as f64 * step).min(budget);
            (0..=count)
                .map(|at| if point(at) <= *upper { arm.response(point(at)) } else { f64::NEG_INFINITY })
                .collect()
        })
        .collect();
    // best[k]: the most from the arms so far at exactly k steps.
    let mut best = vec![f64::NEG_INFINITY; count + 1];
    best[0] = 0.0;
    for table in &tables {
        let mut next = vec![f64::NEG_INFINITY; count + 1];
        for (used, value) in best.iter().enumerate() {
            for (own, more) in table[..=count - used].iter().enumerate() {
                next[used + own] = next[used + own].max(value + more);
            }
        }
        best = next;
    }
    best.into_iter().fold(f64::NEG_INFINITY, f64::max)
}

fn curves_of(arms: &[Arm]) -> ResponseCurves {
    ResponseCurves::concat(&arms.iter().map(Arm::curves).collect::<Vec<_>>()).unwrap()
}

fn proven(plan: &Plan, what: &dyn std::fmt::Debug) {
    let verification = plan.verify();
    assert!(verification.ok, "{:?} of {what:?}", verification.checks);
    assert_eq!(plan.status, Status::Optimal, "{what:?}");
}

#[test]
fn plans_are_proven_and_no_grid_is_better() {
    let mut random = Random(11);
    for case in 0..160 {
        let n = 2 + case % 2;
        let draws = [1, 3][(case / 2) % 2];
        let arms: Vec<Arm> = (0..n)
            .map(|at| {
                let family = random.pick(10) as usize;
                random.arm(family, if at == 0 { draws } else { 1 })
            })
            .collect();
        let budget = random.between(1.0, 30.0);
        let upper: Vec<f64> = arms.iter().map(|_| random.between(0.4, 1.0) * budget).collect();
        let problem = Problem::new(curves_of(&arms)).budget(budget).upper(&upper[..]);
        let plan = problem.solve().unwrap();
        proven(&plan, &arms);
        // What the plan is worth by the definition.
        let worth: f64 = arms.iter().zip(&plan.spend).map(|(arm, &x)| arm.response(x)).sum();
        assert!((worth - plan.objective_value).abs() <= 1e-10 * worth, "{worth}: {plan:?}");
        let best = brute_force(&arms, budget, &upper, if n == 2 { 4000 } else { 900 });
        assert!(
            plan.upper_bound >= best * (1.0 - 1e-12),
            "bound {}, grid {best}: {arms:?}",
            plan.upper_bound
        );
        assert!(worth >= best * (1.0 - 1.1e-6), "plan {worth}, grid {best}: {arms:?}");
        // And the grid comes near.
        assert!(best >= worth * (1.0 - 1e-2), "plan {worth}, grid {best}: {arms:?}");
    }
}

#[test]
fn plans_of_many_arms_with_minima_are_proven() {
    let mut random = Random(12);
    for case in 0..12 {
        let n = 40;
        let arms: Vec<Arm> = (0..n).map(|at| random.arm(at % FAMILIES, [1, 4][case % 2])).collect();
        let active: Vec<f64> =
            (0..n).map(|at| if at % 3 == 0 { random.between(0.5, 4.0) } else { 0.0 }).collect();
        let budget = random.between(30.0, 300.0);
        let spend_all = case % 3 == 0;
        let problem = Problem::new(curves_of(&arms)).budget(budget).upper(vec![40.0; n]).active_lower(active);
        let problem = problem.spend_all(spend_all);
        let plan = problem.solve().unwrap();
        proven(&plan, &case);
        assert!(!spend_all || (plan.total_spend - budget).abs() <= 1e-9 * budget);
    }
}

#[test]
fn draws_that_start_steep_and_flat_at_once_are_proven() {
    // Hill draws with slopes on both sides of 1 bend both ways without end as the spend falls to 0.
    let mut random = Random(13);
    for case in 0..60 {
        let mut column = |low: f64, high: f64| {
            Parameter::draws(4, 3, (0..12).map(|_| random.between(low, high)).collect::<Vec<_>>()).unwrap()
        };
        let curves = ResponseCurves::hill(column(1.0, 9.0), column(0.5, 6.0), column(0.2, 3.0)).unwrap();
        let p = [0.0, 0.3, 1.5][case % 3];
        let problem = Problem::new(curves.with_price_power(p).unwrap()).budget(random.between(0.5, 30.0));
        proven(&problem.clone().solve().unwrap(), &problem);
    }
}

#[test]
fn equal_curves_behind_different_prices_are_not_taken_for_equal() {
    // Search orders equal arms; the dearer one stands first.
    for (dear, cheap) in [
        (Price::Tiers(vec![1.0], vec![1.0, 9.0]), Price::Tiers(vec![8.0], vec![1.0, 9.0])),
        (Price::Power(2.0), Price::Power(0.3)),
    ] {
        let arm = |price: &Price| Arm {
            family: 8,
            draws: vec![[5.0, 3.0, 2.0]],
            cost: 1.0,
            offset: 0.1,
            value: 1.0,
            price: price.clone(),
        };
        let arms = [arm(&dear), arm(&cheap)];
        let plan = Problem::new(curves_of(&arms)).budget(6.0).solve().unwrap();
        proven(&plan, &arms);
        let best = brute_force(&arms, 6.0, &[6.0, 6.0], 4000);
        assert!(plan.objective_value >= best * (1.0 - 1e-6), "{plan:?}");
        assert!(plan.spend[1] > plan.spend[0]);
    }
}
