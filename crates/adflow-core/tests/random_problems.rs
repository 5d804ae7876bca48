//! Random problems in numbers: a short form of each check runs always, the long form with `--ignored`.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "tests draw their own numbers and say what they saw"
)]

use adflow_core::{Problem, ResponseCurves, Status};

/// A small generator (xorshift64*), so that every run sees the same problems.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11;
        #[allow(clippy::cast_precision_loss, reason = "53 bits fit")]
        let unit = bits as f64 / (1_u64 << 53) as f64;
        unit
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Evenly spread on the log scale.
    fn scale(&mut self, low: f64, high: f64) -> f64 {
        (low.ln() + (high / low).ln() * self.unit()).exp()
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "small counts"
    )]
    fn count(&mut self, low: usize, high: usize) -> usize {
        low + (self.unit() * (high - low + 1) as f64) as usize
    }
}

/// One arm of a concave family.
fn concave_arm(random: &mut Random, family: usize) -> ResponseCurves {
    let (beta, scale) = (random.scale(0.5, 50.0), random.scale(0.5, 20.0));
    match family % 8 {
        0 => ResponseCurves::linear(beta / 20.0),
        1 => ResponseCurves::logarithmic(beta, scale),
        2 => ResponseCurves::power(beta, random.between(0.1, 0.95)),
        3 => ResponseCurves::exponential(beta, scale),
        4 => ResponseCurves::michaelis_menten(beta, scale),
        5 => ResponseCurves::hill(beta, scale, random.between(0.2, 1.0)),
        6 => ResponseCurves::logistic(beta, 1.0 / scale),
        _ => ResponseCurves::tanh(beta, scale / beta),
    }
    .unwrap()
}

fn s_shaped_problem(random: &mut Random, n: usize, tightness: f64) -> Problem {
    let column = |random: &mut Random, low, high| (0..n).map(|_| random.scale(low, high)).collect::<Vec<_>>();
    let beta = column(random, 1.0, 20.0);
    let k = column(random, 1.0, 20.0);
    let slope: Vec<f64> = (0..n).map(|_| random.between(1.2, 6.0)).collect();
    let budget = tightness * k.iter().sum::<f64>();
    Problem::new(ResponseCurves::hill(&beta, &k, &slope).unwrap()).budget(budget)
}

/// Solves `count` S-shaped problems of n = 2..=most arms; every one must be proven optimal.
fn s_shaped(count: usize, most: usize) {
    let mut random = Random::new(7);
    let mut slowest = (0, 0, 0);
    for case in 0..count {
        let n = random.count(2, most);
        let tightness = random.scale(0.02, 3.0);
        let problem = s_shaped_problem(&mut random, n, tightness);
        let plan = problem.solve().unwrap();
        assert_eq!(
            plan.status,
            Status::Optimal,
            "case {case}, n = {n}, tightness {tightness}: gap {:e}",
            plan.gap
        );
        assert!(plan.gap <= 1e-6);
        let verification = plan.verify();
        assert!(verification.ok, "case {case}, n = {n}: {:?}", verification.checks);
        slowest = slowest.max((plan.proof.nodes.len(), case, n));
    }
    eprintln!(
        "S-shaped: {count} problems up to n = {most} optimal; most nodes {} (case {}, n = {})",
        slowest.0, slowest.1, slowest.2
    );
}

#[test]
fn a_hundred_s_shaped_problems_are_proven_optimal() {
    s_shaped(100, 60);
}

#[test]
#[ignore = "long"]
fn a_thousand_s_shaped_problems_up_to_two_hundred_arms_are_proven_optimal() {
    s_shaped(1000, 200);
}

/// KKT of a concave plan: every arm between its bounds has the marginal value of the budget.
fn concave(count: usize) {
    let mut random = Random::new(11);
    let mut worst_gap: f64 = 0.0;
    for case in 0..count {
        let n = random.count(1, 40);
        // The first eight of every sixteen are of one family, the others mixed.
        let arms: Vec<ResponseCurves> = (0..n)
            .map(|_| {
                let family = if case % 16 < 8 { case } else { random.count(0, 7) };
                concave_arm(&mut random, family)
            })
            .collect();
        let curves = ResponseCurves::concat(&arms).unwrap();
        let lower: Vec<f64> =
            (0..n).map(|_| if random.unit() < 0.3 { random.between(0.0, 1.0) } else { 0.0 }).collect();
        let upper: Vec<f64> = (0..n)
            .map(|i| if random.unit() < 0.3 { lower[i] + random.scale(0.5, 30.0) } else { f64::INFINITY })
            .collect();
        let value: Vec<f64> = (0..n).map(|_| random.scale(0.2, 5.0)).collect();
        let least: f64 = lower.iter().sum();
        #[allow(clippy::cast_precision_loss, reason = "a count")]
        let budget = least + random.scale(0.05, 20.0) * n as f64;
        let problem = Problem::new(curves)
            .budget(budget)
            .lower(lower.clone())
            .upper(upper.clone())
            .value(value.clone());
        let plan = problem.solve().unwrap();
        assert!(plan.gap <= 1e-9, "case {case}: gap {:e}", plan.gap);
        assert!(plan.verify().ok, "case {case}: {:?}", plan.verify().checks);
        worst_gap = worst_gap.max(plan.gap);
        let price = plan.shadow_price;
        for i in 0..n {
            let (x, worth) = (plan.spend[i], value[i] * plan.marginal_response[i]);
            let residual = (worth - price) / price.max(1e-12);
            if x > lower[i] * (1.0 + 1e-9) + 1e-12 {
                assert!(
                    residual >= -1e-7,
                    "case {case}, arm {i}: marginal value {worth} below the price {price}"
                );
            }
            // What the arm would spend at the price may be nothing against the rounding of the budget.
            let curves = plan.problem().curves();
            let below_rounding = price > 0.0
                && curves.inverse_marginal_response(&vec![price / value[i]; n]).unwrap()[i] < 1e-14 * budget;
            if x < upper[i] * (1.0 - 1e-9) && plan.total_spend >= budget * (1.0 - 1e-12) && !below_rounding {
                assert!(
                    residual <= 1e-7,
                    "case {case}, arm {i} at {x}: marginal value {worth} above the price {price}"
                );
            }
        }
    }
    eprintln!("concave: {count} problems, largest gap {worst_gap:e}");
}

#[test]
fn a_thousand_concave_problems_have_no_gap_and_equal_marginal_values() {
    concave(1000);
}

#[test]
fn scaling_money_or_response_scales_the_plan() {
    let mut random = Random::new(3);
    for case in 0..60 {
        let n = random.count(2, 12);
        let column =
            |random: &mut Random, low, high| (0..n).map(|_| random.scale(low, high)).collect::<Vec<f64>>();
        let (beta, k) = (column(&mut random, 1.0, 20.0), column(&mut random, 1.0, 20.0));
        let slope: Vec<f64> = (0..n).map(|_| random.between(0.6, 5.0)).collect();
        let budget = random.scale(0.05, 2.0) * k.iter().sum::<f64>();
        let solve = |money: f64, response: f64| {
            let scaled = |column: &[f64], by: f64| column.iter().map(|x| x * by).collect::<Vec<_>>();
            let curves =
                ResponseCurves::hill(scaled(&beta, response), scaled(&k, money), slope.clone()).unwrap();
            Problem::new(curves).budget(budget * money).solve().unwrap()
        };
        let plain = solve(1.0, 1.0);
        for (money, response) in [(1e9, 1.0), (1e-9, 1.0), (1.0, 1e9), (1.0, 1e-9), (1e9, 1e-9)] {
            let plan = solve(money, response);
            for (a, b) in plan.spend.iter().zip(&plain.spend) {
                assert!((a / money - b).abs() <= 1e-9 * budget, "case {case}: {} instead of {b}", a / money);
            }
            assert!((plan.objective_value / response / plain.objective_value - 1.0).abs() <= 1e-9);
        }
    }
}

#[test]
fn permuting_the_arms_permutes_the_plan() {
    let mut random = Random::new(5);
    for case in 0..60 {
        let n = random.count(2, 12);
        let arms: Vec<ResponseCurves> = (0..n)
            .map(|_| {
                if random.unit() < 0.5 {
                    let family = random.count(0, 7);
                    return concave_arm(&mut random, family);
                }
                let (beta, k, slope) =
                    (random.scale(1.0, 20.0), random.scale(1.0, 20.0), random.between(1.2, 6.0));
                ResponseCurves::hill(beta, k, slope).unwrap()
            })
            .collect();
        #[allow(clippy::cast_precision_loss, reason = "a count")]
        let budget = random.scale(0.5, 10.0) * n as f64;
        let solve = |arms: &[ResponseCurves]| {
            Problem::new(ResponseCurves::concat(arms).unwrap()).budget(budget).solve().unwrap().spend
        };
        let plain = solve(&arms);
        let reversed: Vec<ResponseCurves> = arms.iter().rev().cloned().collect();
        for (a, b) in solve(&reversed).iter().rev().zip(&plain) {
            assert!((a - b).abs() <= 1e-9 * budget, "case {case}: {a} instead of {b}");
        }
    }
}

#[test]
fn many_equal_s_shaped_arms_do_not_blow_the_search_up() {
    for n in [10, 50, 200] {
        for tightness in [0.03, 0.1, 0.25, 0.37, 0.6] {
            #[allow(clippy::cast_precision_loss, reason = "a count")]
            let budget = tightness * 5.0 * n as f64;
            let curves = ResponseCurves::hill(vec![10.0; n], 5.0, 3.0).unwrap();
            let plan = Problem::new(curves).budget(budget).solve().unwrap();
            assert_eq!(plan.status, Status::Optimal, "n = {n}, tightness {tightness}: gap {:e}", plan.gap);
            assert!(plan.proof.nodes.len() < 500, "{} nodes", plan.proof.nodes.len());
            assert!(plan.verify().ok, "{:?}", plan.verify().checks);
        }
    }
}

#[test]
fn the_plan_is_the_same_to_the_bit_on_any_number_of_threads() {
    let mut random = Random::new(17);
    for slopes in [(0.5, 1.0), (1.2, 6.0), (0.5, 3.0)] {
        let n = 200_000;
        let beta: Vec<f64> = (0..n).map(|_| random.scale(1.0, 20.0)).collect();
        let k: Vec<f64> = (0..n).map(|_| random.scale(1.0, 20.0)).collect();
        let slope: Vec<f64> = (0..n).map(|_| random.between(slopes.0, slopes.1)).collect();
        let curves = ResponseCurves::hill(beta, k, slope).unwrap();
        let solve = |threads| Problem::new(curves.clone()).budget(4e5).threads(threads).solve().unwrap();
        let (one, three) = (solve(1), solve(3));
        assert_eq!(one.spend, three.spend);
        assert_eq!(one.upper_bound.to_bits(), three.upper_bound.to_bits());
        assert!(one.gap <= 1e-6);
    }
}

#[test]
fn a_batch_gives_the_bits_of_its_problems_alone() {
    let mut random = Random::new(23);
    let problems = 700;
    let mut offsets = vec![0];
    let mut arms = Vec::new();
    for _ in 0..problems {
        for _ in 0..random.count(1, 6) {
            let family = random.count(0, 8);
            arms.push(if family < 8 {
                concave_arm(&mut random, family)
            } else {
                ResponseCurves::hill(random.scale(1.0, 9.0), random.scale(1.0, 9.0), 2.5).unwrap()
            });
        }
        offsets.push(arms.len());
    }
    let budgets: Vec<f64> = (0..problems).map(|_| random.scale(0.5, 20.0)).collect();
    let curves = ResponseCurves::concat(&arms).unwrap();
    let batch = Problem::new(curves.clone()).threads(2).solve_batch(&offsets, &budgets).unwrap();
    for j in 0..problems {
        let range = offsets[j]..offsets[j + 1];
        let plan = Problem::new(curves.slice(range.clone()).unwrap()).budget(budgets[j]).solve().unwrap();
        assert_eq!(batch.spend[range], plan.spend[..], "problem {j}");
        assert_eq!(batch.upper_bound[j].to_bits(), plan.upper_bound.to_bits(), "problem {j}");
        assert_eq!(batch.status[j], plan.status);
    }
}
