//! Schedules: arms times periods with carry-over.
#![allow(clippy::float_cmp, reason = "what stands at a bound stands at it exactly")]

use adflow_core::{Adstock, Error, ResponseCurves, Schedule, SchedulePlan, Status};
use proptest::prelude::*;

fn curves() -> ResponseCurves {
    ResponseCurves::michaelis_menten([120.0, 80.0, 60.0], [50.0, 90.0, 40.0]).unwrap()
}

fn proven(schedule: Schedule) -> SchedulePlan {
    let plan = schedule.solve().unwrap();
    let verification = plan.verify();
    assert!(verification.ok, "{:?}", verification.checks);
    plan
}

fn close(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance * b.abs().max(1e-12), "{a} instead of {b}");
}

#[test]
fn without_carry_over_every_period_is_a_problem_of_its_own() {
    let plan = proven(Schedule::new(curves(), Adstock::none(), 4).budget(400.0));
    let one = adflow_core::Problem::new(curves()).budget(100.0).solve().unwrap();
    close(plan.objective_value, 4.0 * one.objective_value, 1e-9);
    for row in plan.spend.chunks(3) {
        row.iter().zip(&one.spend).for_each(|(x, expected)| close(*x, *expected, 1e-4));
    }
    assert_eq!(plan.status, Status::Optimal);
    assert_eq!(plan.response_after, 0.0);
}

#[test]
fn a_concave_schedule_is_solved_to_rounding_and_money_earlier_works_longer() {
    let adstock = Adstock::geometric([0.7, 0.5, 0.3], None, false);
    let plan = proven(Schedule::new(curves(), adstock, 12).budget(1200.0));
    assert!(plan.gap <= 1e-9, "{}", plan.gap);
    close(plan.total_spend, 1200.0, 1e-12);
    assert!(plan.period_spend[0] > plan.period_spend[11]);
    assert!(plan.shadow_price > 0.0);
}

#[test]
fn the_tail_counts_what_comes_after_the_window() {
    let schedule = || Schedule::new(curves(), Adstock::geometric(0.8, 6, false), 5).budget(300.0);
    let (without, with) = (proven(schedule()), proven(schedule().tail(true)));
    assert!(with.objective_value > without.objective_value);
    assert_eq!((without.adstocked.len(), with.adstocked.len()), (15, 30));
    let after: f64 = with.response[15..].iter().sum();
    close(with.response_after, after, 1e-12);
    close(with.response_after_share, after / with.total_response, 1e-12);
    assert!(with.response_after > 0.0 && with.response_after < with.total_response);
    // With the tail the last periods are worth as much as the first.
    assert!(with.period_spend[4] > without.period_spend[4]);
}

#[test]
fn spends_before_the_window_still_work() {
    let schedule = || Schedule::new(curves(), Adstock::geometric(0.6, None, false), 4).budget(200.0);
    let fresh = proven(schedule());
    let warm = proven(schedule().carry_in([[50.0, 0.0, 0.0], [100.0, 0.0, 0.0]]));
    // a_0 = x_0 + 0.6 · 100 + 0.36 · 50
    close(warm.adstocked[0], warm.spend[0] + 78.0, 1e-12);
    assert!(warm.objective_value > fresh.objective_value && warm.arm_spend[0] < fresh.arm_spend[0]);
}

#[test]
fn booked_and_blacked_out_weeks_are_kept() {
    let inf = f64::INFINITY;
    let lower = [[0.0, 0.0, 0.0], [0.0, 25.0, 0.0], [0.0, 0.0, 0.0]];
    let upper = [[0.0, inf, inf], [inf, 25.0, inf], [inf, inf, 0.0]];
    let adstock = Adstock::delayed(0.5, 1.0, 3, true);
    let plan = proven(Schedule::new(curves(), adstock, 3).budget(150.0).lower(lower).upper(upper).tail(true));
    assert_eq!([plan.spend[0], plan.spend[4], plan.spend[8]], [0.0, 25.0, 0.0]);
    assert!(plan.gap <= 1e-9);
}

#[test]
fn limits_of_periods_and_arms_have_prices() {
    let schedule = Schedule::new(curves(), Adstock::geometric(0.5, 4, false), 4)
        .budget(400.0)
        .period_upper([50.0, 200.0, 200.0, 200.0])
        .period_lower([0.0, 0.0, 0.0, 120.0])
        .arm_upper([f64::INFINITY, f64::INFINITY, 60.0]);
    let plan = proven(schedule.clone());
    close(plan.period_spend[0], 50.0, 1e-9);
    close(plan.period_spend[3], 120.0, 1e-9);
    close(plan.arm_spend[2], 60.0, 1e-9);
    let binding = plan.binding();
    let price =
        |limit: &str| binding.iter().find(|binding| binding.limit == limit).map(|binding| binding.price);
    // The prices are what relaxing a limit brings.
    let step = 1e-3;
    let worth = |schedule: Schedule| (proven(schedule).objective_value - plan.objective_value) / step;
    let more_in_first = worth(schedule.clone().period_upper([50.0 + step, 200.0, 200.0, 200.0]));
    close(price("period_upper").unwrap(), more_in_first, 1e-3);
    let less_in_last = worth(schedule.clone().period_lower([0.0, 0.0, 0.0, 120.0 - step]));
    close(price("period_lower").unwrap(), less_in_last, 1e-3);
    let more_of_arm = worth(schedule.clone().arm_upper([f64::INFINITY, f64::INFINITY, 60.0 + step]));
    close(price("arm_upper").unwrap(), more_of_arm, 1e-3);
    close(plan.shadow_price, worth(schedule.budget(400.0 + step)), 1e-3);
    assert!(plan.to_string().contains("period 0 must spend at most 50"), "{plan}");
}

#[test]
fn all_of_a_budget_is_spent_where_asked() {
    let steep = ResponseCurves::tanh(1.0, 1.0).unwrap();
    let schedule = || Schedule::new(steep.clone(), Adstock::none(), 3).budget(3000.0).upper(2000.0);
    close(proven(schedule().spend_all(true)).total_spend, 3000.0, 1e-11);
}

#[test]
fn pymc_marketings_best_constant_spends_with_the_tail() {
    // PyMC-Marketing 1.3, two channels of its own test over 30 periods: the total, and the spends per period.
    let lam = adflow_core::Parameter::draws(4, 2, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]).unwrap();
    let curves = ResponseCurves::logistic([0.5, 1.0], lam).unwrap();
    let adstock = Adstock::geometric([0.5, 0.7], 4, true);
    let schedule = Schedule::new(curves, adstock, 30).budget(3000.0).spend_all(true).constant(true);
    let tail = proven(schedule.clone().tail(true));
    close(tail.objective_value, 48.931_664_401, 1e-9);
    close(tail.spend[0], 54.783_323_455_654_745, 1e-6);
    close(tail.spend[1], 45.216_676_544_345_255, 1e-6);
    assert!(tail.spend.chunks(2).all(|row| row == &tail.spend[..2]));
    let window = proven(schedule);
    close(window.objective_value, 44.942_157_344_71, 1e-9);
    close(window.spend[0], 58.976_592_793_618_28, 1e-6);
}

#[test]
fn pulses_are_nothing_or_at_least_the_minimum() {
    let plan =
        proven(Schedule::new(curves(), Adstock::geometric(0.6, 4, false), 3).budget(90.0).active_lower(35.0));
    assert!(plan.spend.iter().all(|x| *x == 0.0 || *x >= 35.0 * (1.0 - 1e-12)), "{:?}", plan.spend);
    // Every pattern of two pulses or fewer, with a fine grid for the rest: nothing is better.
    let mut best = 0.0_f64;
    for first in 0..9 {
        for second in first..9 {
            for share in 0..=400 {
                let mut lower = vec![vec![0.0; 3]; 3];
                let x = 35.0 + 20.0 * f64::from(share) / 400.0;
                if first == second {
                    lower[first / 3][first % 3] = 90.0;
                } else {
                    lower[first / 3][first % 3] = x;
                    lower[second / 3][second % 3] = 90.0 - x;
                }
                let mut value = 0.0;
                for (i, (beta, half)) in [(120.0, 50.0), (80.0, 90.0), (60.0, 40.0)].into_iter().enumerate() {
                    for t in 0..3 {
                        let a: f64 = (0..=t).map(|s| [1.0, 0.6, 0.36][t - s] * lower[s][i]).sum();
                        value += beta * a / (half + a);
                    }
                }
                best = best.max(value);
            }
        }
    }
    assert!(plan.objective_value >= best * (1.0 - 1e-6), "{} below {best}", plan.objective_value);
    assert!(plan.upper_bound >= best);
}

#[test]
fn s_shaped_schedules_beat_what_a_grid_finds_and_say_what_may_be_left() {
    let curves = ResponseCurves::hill([100.0, 80.0], [40.0, 60.0], [3.0, 2.0]).unwrap();
    let plan = proven(Schedule::new(curves, Adstock::geometric([0.5, 0.3], 3, false), 2).budget(100.0));
    let (hill, mut best) =
        (|beta: f64, k: f64, s: i32, a: f64| beta * a.powi(s) / (k.powi(s) + a.powi(s)), 0.0_f64);
    for a in 0..=50 {
        for b in 0..=50 - a {
            for c in 0..=50 - a - b {
                let [x, y, z, w] = [a, b, c, 50 - a - b - c].map(|steps| 2.0 * f64::from(steps));
                let first = hill(100.0, 40.0, 3, x) + hill(100.0, 40.0, 3, y + 0.5 * x);
                best = best.max(first + hill(80.0, 60.0, 2, z) + hill(80.0, 60.0, 2, w + 0.3 * z));
            }
        }
    }
    assert!(
        plan.objective_value >= best && plan.upper_bound >= best,
        "{} below {best}",
        plan.objective_value
    );
    assert!(plan.gap <= 1e-6, "{}", plan.gap);
}

#[test]
fn json_gives_back_the_same_schedule_and_the_same_plan() {
    let schedule = Schedule::new(curves(), Adstock::weibull_pdf([1.5, 2.0, 0.8], 2.0, 5).normalized(true), 3)
        .budget(150.0)
        .tail(true)
        .carry_in([[1.0, 2.0, 3.0]])
        .period_upper([f64::INFINITY, 60.0, 60.0])
        .upper([[9.0, 90.0, f64::INFINITY], [1.0, 2.0, 3.0], [80.0, 80.0, 80.0]])
        .value([1.0, 2.0, 0.5])
        .names(["search", "video", "social"])
        .unwrap();
    let again = Schedule::from_json(&schedule.to_json()).unwrap();
    assert_eq!(again, schedule);
    let (a, b) = (schedule.solve().unwrap(), again.solve().unwrap());
    assert_eq!(a.spend, b.spend);
    let document: serde_json::Value = serde_json::from_str(&a.to_json()).unwrap();
    assert_eq!(document["spend"][1][2].as_f64(), Some(a.spend[5]));
    assert_eq!(document["names"][1], "video");
}

#[test]
fn wrong_input_is_named() {
    let schedule = || Schedule::new(curves(), Adstock::none(), 2).budget(10.0);
    let field = |schedule: Schedule| match schedule.solve() {
        Err(Error::NotFinite { field, .. } | Error::OutOfDomain { field, .. }) => field,
        Err(Error::LengthMismatch { field, .. } | Error::Empty { field }) => field,
        Err(Error::LowerAboveUpper { arm, .. }) => arm,
        other => format!("{other:?}"),
    };
    let rows = |value: f64| vec![vec![0.0; 3], vec![0.0, value, 0.0]];
    assert_eq!(field(schedule().lower(rows(f64::NAN))), "lower[1][1]");
    assert_eq!(field(schedule().lower(rows(-1.0))), "lower[1][1]");
    assert_eq!(field(schedule().lower([0.0, -1.0, 0.0])), "lower[1]");
    assert_eq!(field(schedule().lower(rows(3.0)).upper(2.0)), "arm 1 in period 1");
    assert_eq!(field(schedule().upper(vec![vec![0.0; 3]])), "upper");
    assert_eq!(field(schedule().upper(vec![vec![0.0; 3], vec![0.0; 2]])), "upper[1]");
    assert_eq!(field(schedule().carry_in([[1.0, 2.0]])), "carry_in[0]");
    assert_eq!(field(schedule().period_upper([1.0, 2.0, 3.0])), "period_upper");
    assert_eq!(field(schedule().period_lower(5.0).period_upper(1.0)), "period 0");
    assert_eq!(field(schedule().budget(f64::INFINITY)), "budget");
    assert_eq!(field(schedule().tolerance(0.0)), "tolerance");
    assert_eq!(field(schedule().time_limit(1.0)), "time_limit");
    assert_eq!(field(Schedule::new(curves(), Adstock::none(), 2)), "upper");
    assert_eq!(field(Schedule::new(curves(), Adstock::none(), 0).budget(1.0)), "periods");
    let unknown = Schedule::from_json(r#"{"version": 1, "curves": 1, "horizon": 3}"#);
    assert_eq!(unknown.unwrap_err().code(), "malformed");
}

fn conflict(schedule: Schedule) -> Vec<(String, Option<usize>, Option<String>)> {
    match schedule.solve() {
        Err(Error::Infeasible(details)) => details
            .conflict
            .into_iter()
            .map(|limit| (limit.limit.to_string(), limit.arm, limit.name))
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn conflicts_name_the_fewest_limits() {
    let schedule = || Schedule::new(curves(), Adstock::geometric(0.5, 4, true), 3);
    let inf = f64::INFINITY;
    let limit = |word: &str, arm, name: &str| {
        (word.to_string(), arm, Some(name.to_string()).filter(|n| !n.is_empty()))
    };
    let lowers = [[0.0, 0.0, 0.0], [8.0, 9.0, 0.0], [0.0, 0.0, 1.0]];
    assert_eq!(
        conflict(schedule().budget(100.0).lower(lowers).period_upper([inf, 10.0, inf])),
        [
            limit("period_upper", None, "period 1"),
            limit("lower", Some(0), "arm 0 in period 1"),
            limit("lower", Some(1), "arm 1 in period 1"),
        ]
    );
    assert_eq!(
        conflict(schedule().budget(50.0).period_lower([30.0, 5.0, 40.0])),
        [
            limit("budget", None, ""),
            limit("period_lower", None, "period 0"),
            limit("period_lower", None, "period 2")
        ]
    );
    assert_eq!(conflict(schedule().budget(50.0).spend_all(true).period_upper([10.0, 10.0, 10.0])).len(), 4);
    // Two arms of 30 in all, but the periods are closed to the rest.
    let upper = [[5.0, inf, inf], [5.0, inf, inf], [inf, inf, inf]];
    let found = conflict(
        schedule().budget(100.0).arm_lower([30.0, 0.0, 0.0]).upper(upper).period_upper([inf, inf, 15.0]),
    );
    assert_eq!(
        found,
        [
            limit("period_upper", None, "period 2"),
            limit("arm_lower", Some(0), ""),
            limit("upper", Some(0), "arm 0 in period 0"),
            limit("upper", Some(0), "arm 0 in period 1"),
        ]
    );
    match schedule().budget(50.0).period_lower([30.0, 5.0, 40.0]).solve() {
        Err(Error::Infeasible(details)) => {
            assert_eq!(details.feasible_budget, Some((75.0, inf)));
            assert_eq!(details.nearest, (None, Some(75.0)));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn minimum_spends_can_make_a_total_impossible() {
    let schedule =
        Schedule::new(curves(), Adstock::none(), 2).budget(100.0).active_lower(30.0).upper(20.0 + 12.0);
    // Three arms of 30 to 32: a period of 40 lies between one and two of them.
    let found = conflict(schedule.period_lower([40.0, 0.0]).period_upper([50.0, f64::INFINITY]));
    assert!(found.iter().any(|limit| limit.0 == "active_lower"), "{found:?}");
}

#[test]
fn a_plan_that_was_changed_does_not_verify() {
    let plan = proven(Schedule::new(curves(), Adstock::geometric(0.5, None, false), 3).budget(100.0));
    let broken = |change: &dyn Fn(&mut SchedulePlan)| {
        let mut other = plan.clone();
        change(&mut other);
        !other.verify().ok
    };
    assert!(broken(&|plan| plan.upper_bound *= 0.999));
    assert!(broken(&|plan| plan.objective_value *= 1.001));
    assert!(broken(&|plan| plan.spend[0] += 1.0));
    assert!(broken(&|plan| plan.adstocked[1] *= 1.01));
    assert!(broken(&|plan| plan.proof.nodes.clear()));
    assert!(broken(&|plan| plan.spend.truncate(2)));
}

#[test]
fn nothing_to_spend_or_to_gain_is_a_plan_too() {
    let nothing = proven(Schedule::new(curves(), Adstock::geometric(0.5, 2, false), 3).budget(0.0));
    assert_eq!(nothing.objective_value, 0.0);
    let worthless =
        proven(Schedule::new(curves(), Adstock::geometric(0.5, 2, false), 3).budget(9.0).value(0.0));
    assert_eq!((worthless.objective_value, worthless.gap), (0.0, 0.0));
    // A kernel that starts late: the last spends bring nothing inside the window.
    let late = proven(Schedule::new(curves(), Adstock::kernel([[0.0, 1.0]]), 2).budget(9.0));
    close(late.total_response, late.response[3..].iter().sum(), 1e-12);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_schedule_is_proven_scales_and_does_not_panic(
        beta in prop::collection::vec(0.1..50.0f64, 3),
        half in prop::collection::vec(0.5..20.0f64, 3),
        slope in prop::collection::vec(prop_oneof![Just(1.0), 0.4..1.0f64, 1.2..4.0f64], 3),
        retention in prop::collection::vec(0.0..0.95f64, 3),
        (periods, lags) in (1..5usize, 1..5usize),
        (budget, tail, all, minimum) in (0.5..60.0f64, any::<bool>(), any::<bool>(), prop_oneof![2 => Just(0.0), 1 => 0.5..4.0f64]),
        cap in prop_oneof![Just(f64::INFINITY), 20.0..40.0f64],
        scale in prop_oneof![Just(1.0), Just(1e9), Just(1e-9)],
    ) {
        let schedule = |unit: f64| {
            let half: Vec<f64> = half.iter().map(|k| k * unit).collect();
            let curves = ResponseCurves::hill(beta.clone(), half, slope.clone()).unwrap();
            Schedule::new(curves, Adstock::geometric(retention.clone(), lags, false), periods)
                .budget(budget * unit)
                .tail(tail)
                .spend_all(all)
                .active_lower(minimum * unit)
                .period_upper(cap * unit)
        };
        match (schedule(1.0).solve(), schedule(scale).solve()) {
            (Ok(plan), Ok(scaled)) => {
                let verification = plan.verify();
                prop_assert!(verification.ok, "{:?}", verification.checks);
                let verification = scaled.verify();
                prop_assert!(verification.ok, "{:?}", verification.checks);
                if slope.iter().all(|s| *s <= 1.0) && minimum <= 0.0 {
                    prop_assert!(plan.gap <= 1e-8, "gap {}", plan.gap);
                    let apart = (scaled.objective_value - plan.objective_value).abs() / plan.objective_value;
                    prop_assert!(apart <= 1e-8, "{apart:e}, gaps {:e} and {:e}", plan.gap, scaled.gap);
                }
                prop_assert!(scaled.upper_bound >= plan.objective_value * (1.0 - 1e-9));
            }
            (Err(one), Err(other)) => prop_assert_eq!(one.code(), other.code()),
            (one, other) => prop_assert!(false, "{:?} and {:?}", one.map(|_| ()), other.map(|_| ())),
        }
    }
}

/// Numbers that a caller should not, but may, give.
fn odd() -> BoxedStrategy<f64> {
    let odd = [0.0, -0.0, 1e-60, 1e-9, 0.5, 1.0, 3.0, 1e9, 1e60, 1e300, -1.0, f64::INFINITY, f64::NAN];
    prop::sample::select(odd.to_vec()).boxed()
}

/// Mostly sound numbers.
fn mixed() -> BoxedStrategy<f64> {
    prop_oneof![4 => 0.01..20.0f64, 1 => odd()].boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_input_panics(
        (family, kind) in (0..5usize, 0..6usize),
        curve in prop::collection::vec(prop_oneof![6 => 0.3..5.0f64, 1 => odd()], 3),
        carry in prop::collection::vec(prop_oneof![4 => 0.0..1.0f64, 1 => odd()], 2),
        (periods, lags, past) in (0..5usize, 0..4usize, prop::collection::vec(mixed(), 2)),
        (budget, bounds) in (mixed(), prop::collection::vec(mixed(), 8)),
        flags in prop::collection::vec(any::<bool>(), 10),
    ) {
        let [a, b, c] = [curve[0], curve[1], curve[2]];
        let curves = match family {
            0 => ResponseCurves::hill([a, b], c, b),
            1 => ResponseCurves::power([a, b], 0.5),
            2 => ResponseCurves::linear([a, b]),
            3 => ResponseCurves::tabulated(&[vec![0.0, a, a + b]], &[vec![0.0, 1.0, 1.0 + c], vec![0.0, c, c + 1.0]]),
            _ => ResponseCurves::hill_sigmoid([a, b], b, c),
        };
        let Ok(curves) = curves else { return Ok(()) };
        let adstock = match kind {
            0 => Adstock::geometric(carry[0], None, flags[0]),
            1 => Adstock::delayed(carry.clone(), carry[1], lags, flags[0]),
            2 => Adstock::weibull_cdf(carry[0], carry[1], lags),
            3 => Adstock::weibull_pdf(carry[1], carry[0], lags).normalized(flags[0]),
            4 => Adstock::binomial(carry[0], lags),
            _ => Adstock::kernel([carry.clone()]),
        };
        let mut schedule = Schedule::new(curves, adstock, periods).tail(flags[1]).constant(flags[2]);
        if flags[3] || flags[4] {
            schedule = schedule.budget(budget).spend_all(flags[4] && flags[5]);
        }
        if flags[5] {
            schedule = schedule.carry_in([past]);
        }
        if flags[6] {
            schedule = schedule.period_upper(bounds[0]).period_lower(bounds[1] / 8.0);
        }
        if flags[7] {
            schedule = schedule.arm_upper([bounds[2], f64::INFINITY]).arm_lower([0.0, bounds[3] / 8.0]);
        }
        if flags[8] {
            schedule = schedule.upper([bounds[4], bounds[5]]).lower([bounds[6] / 16.0, 0.0]);
        }
        if flags[9] {
            schedule = schedule.active_lower([0.0, bounds[7]]);
        }
        if let Ok(plan) = schedule.clone().solve() {
            // Numbers of 1e-60 beside 1e60 leave no digits for a proof, but the spends must keep their limits.
            let verification = plan.verify();
            let kept = verification.checks.iter().filter(|check| ["limits", "budget"].contains(&check.name));
            prop_assert!(kept.into_iter().all(|check| check.ok), "{:?}\n{}", verification.checks, schedule.to_json());
        }
    }
}
