//! The frontier against solves of each of its budgets.
#![allow(clippy::disallowed_methods, clippy::cast_precision_loss, reason = "tests draw their own numbers")]

use std::time::Duration;

use adflow_core::{Error, Frontier, Objective, Problem, ResponseCurves, Status};

/// splitmix64: the same problems in every run.
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn scale(&mut self, low: f64, high: f64) -> f64 {
        (low.ln() + (high / low).ln() * self.unit()).exp()
    }

    fn column(&mut self, n: usize, low: f64, high: f64) -> Vec<f64> {
        (0..n).map(|_| self.scale(low, high)).collect()
    }
}

fn concave_arm(random: &mut Random, family: usize) -> ResponseCurves {
    let (beta, scale) = (random.scale(0.5, 50.0), random.scale(0.5, 20.0));
    match family % 6 {
        0 => ResponseCurves::logarithmic(beta, scale),
        1 => ResponseCurves::power(beta, 0.1 + 0.8 * random.unit()),
        2 => ResponseCurves::exponential(beta, scale),
        3 => ResponseCurves::michaelis_menten(beta, scale),
        4 => ResponseCurves::hill(beta, scale, 0.2 + 0.7 * random.unit()),
        _ => ResponseCurves::tanh(beta, scale / beta),
    }
    .unwrap()
}

fn hill(random: &mut Random, n: usize, slopes: (f64, f64)) -> Problem {
    let (beta, k) = (random.column(n, 1.0, 20.0), random.column(n, 1.0, 20.0));
    let slope: Vec<f64> = (0..n).map(|_| slopes.0 + (slopes.1 - slopes.0) * random.unit()).collect();
    Problem::new(ResponseCurves::hill(beta, k, slope).unwrap())
}

fn budgets(least: f64, most: f64, count: usize) -> Vec<f64> {
    (0..count).map(|j| least + (most - least) * j as f64 / (count - 1) as f64).collect()
}

/// Every row against the plan of its budget alone, and against itself.
fn compare(problem: &Problem, frontier: &Frontier, case: &str) {
    let n = problem.curves().len();
    for (j, &budget) in frontier.budgets.iter().enumerate() {
        let plan = problem.clone().budget(budget).solve().unwrap();
        let at = format!("{case}, budget {budget}");
        assert_eq!(frontier.status[j], Status::Optimal, "{at}: gap {:e}", frontier.gap[j]);
        let (value, bound) = (frontier.objective_value[j], frontier.upper_bound[j]);
        let scale = plan.objective_value.abs().max(1e-300);
        assert!(
            value >= plan.objective_value - 1e-6 * plan.upper_bound.abs(),
            "{at}: {value} is worse than {}",
            plan.objective_value
        );
        assert!(
            bound >= plan.objective_value - 1e-12 * scale,
            "{at}: {bound} bounds no {}",
            plan.objective_value
        );
        assert!(value <= plan.upper_bound + 1e-12 * scale, "{at}: {value} above {}", plan.upper_bound);
        let spend = &frontier.spend[j * n..(j + 1) * n];
        let response = &frontier.response[j * n..(j + 1) * n];
        let total: f64 = spend.iter().sum();
        assert!(total <= budget * (1.0 + 1e-12), "{at}: spends {total}");
        assert!((total - frontier.total_spend[j]).abs() <= 1e-12 * budget, "{at}");
        let own = problem.curves().response(spend).unwrap();
        for (a, b) in response.iter().zip(&own) {
            assert!(
                (a - b).abs() <= 1e-11 * b.abs() + 1e-13 * scale,
                "{at}: response {a}, the curve says {b}"
            );
        }
        let sum: f64 = response.iter().sum();
        assert!((sum - frontier.total_response[j]).abs() <= 1e-11 * sum.abs(), "{at}");
    }
}

fn compare_spends(problem: &Problem, frontier: &Frontier, case: &str) {
    let n = problem.curves().len();
    for (j, &budget) in frontier.budgets.iter().enumerate() {
        let plan = problem.clone().budget(budget).solve().unwrap();
        assert!(frontier.gap[j] <= 1e-8, "{case}: gap {:e}", frontier.gap[j]);
        for (x, y) in frontier.spend[j * n..(j + 1) * n].iter().zip(&plan.spend) {
            assert!((x - y).abs() <= 1e-7 * budget, "{case}, budget {budget}: {x} instead of {y}");
        }
    }
}

#[test]
fn concave_rows_are_the_plans_of_their_budgets() {
    let mut random = Random(1);
    for case in 0..60 {
        let n = 1 + case % 23;
        let arms: Vec<_> =
            (0..n).map(|i| concave_arm(&mut random, if case < 24 { case } else { i })).collect();
        let lower: Vec<f64> = (0..n).map(|_| if random.unit() < 0.3 { random.unit() } else { 0.0 }).collect();
        let upper: Vec<f64> = lower
            .iter()
            .map(|l| if random.unit() < 0.3 { l + random.scale(0.5, 30.0) } else { f64::INFINITY })
            .collect();
        let least = lower.iter().sum::<f64>();
        let problem = Problem::new(ResponseCurves::concat(&arms).unwrap())
            .lower(lower)
            .upper(upper)
            .value(random.column(n, 0.2, 5.0));
        let most = least + random.scale(0.5, 30.0) * n as f64;
        let frontier = problem.clone().frontier(&budgets(least, most, 21)).unwrap();
        let case = format!("case {case}");
        compare(&problem, &frontier, &case);
        compare_spends(&problem, &frontier, &case);
    }
}

#[test]
fn s_shaped_rows_are_as_good_as_the_plans_of_their_budgets() {
    let mut random = Random(2);
    for case in 0..24 {
        let n = [1, 2, 3, 5, 10, 20, 60, 150][case % 8];
        let problem = hill(&mut random, n, [(1.2, 6.0), (0.5, 3.0), (1.0, 1.0)][case % 3]);
        let problem = if case % 4 == 3 { problem.active_lower(random.column(n, 0.5, 4.0)) } else { problem };
        let most = random.scale(1.0, 20.0) * n as f64;
        let frontier = problem.clone().frontier(&budgets(0.02 * most, most, 25)).unwrap();
        compare(&problem, &frontier, &format!("case {case}"));
    }
}

#[test]
fn equal_arms_straight_lines_tables_and_whole_budgets_are_solved_too() {
    let mut random = Random(3);
    let equal = Problem::new(ResponseCurves::hill(vec![10.0; 12], 5.0, 3.0).unwrap());
    let lines = Problem::new(ResponseCurves::linear([3.0, 2.0, 1.0]).unwrap()).upper(10.0);
    let table =
        ResponseCurves::tabulated(&[vec![0.0, 5.0, 20.0, 40.0]], &[vec![0.0, 1.0, 9.0, 11.0]]).unwrap();
    let mixed = ResponseCurves::concat(&[table, ResponseCurves::michaelis_menten([4.0, 9.0], 3.0).unwrap()]);
    let mixed = Problem::new(mixed.unwrap());
    let whole = hill(&mut random, 6, (0.5, 3.0)).spend_all(true).upper(20.0);
    for (case, problem) in [("equal", equal), ("lines", lines), ("mixed", mixed), ("whole", whole)] {
        let frontier = problem.clone().frontier(&budgets(0.5, 29.0, 20)).unwrap();
        compare(&problem, &frontier, case);
    }
}

#[test]
fn any_order_and_repeats_give_the_same_rows() {
    let mut random = Random(4);
    let problem = hill(&mut random, 7, (0.4, 0.9));
    let sorted = problem.clone().frontier(&[0.0, 1.0, 3.0, 9.0]).unwrap();
    let mixed = problem.frontier(&[9.0, 1.0, 0.0, 1.0, 3.0]).unwrap();
    for (row, of) in [3, 1, 0, 1, 2].into_iter().enumerate() {
        assert_eq!(mixed.spend[row * 7..(row + 1) * 7], sorted.spend[of * 7..(of + 1) * 7]);
        assert_eq!(mixed.upper_bound[row].to_bits(), sorted.upper_bound[of].to_bits());
    }
    assert_eq!(mixed.budgets, [9.0, 1.0, 0.0, 1.0, 3.0]);
    assert_eq!(mixed.changes, sorted.changes);
    assert!(sorted.spend[..7].iter().all(|&x| x <= 0.0));
}

#[test]
fn the_frontier_is_the_same_to_the_bit_on_any_number_of_threads() {
    let mut random = Random(5);
    for slopes in [(0.4, 0.9), (1.2, 6.0)] {
        let problem = hill(&mut random, 40_000, slopes);
        let budgets = budgets(2e4, 2e5, 20);
        let of = |threads| problem.clone().threads(threads).frontier(&budgets).unwrap();
        let (one, three) = (of(1), of(3));
        assert_eq!(one.spend, three.spend);
        assert_eq!(one.response, three.response);
        assert_eq!(one.upper_bound, three.upper_bound);
        assert!(one.status.iter().all(|status| *status == Status::Optimal));
    }
}

#[test]
fn concave_arms_enter_and_saturate_where_the_price_says() {
    // Slopes at 0: 24 and 80/9; with t = λ^{−1/2}, x₀ = √600 t − 5. The second enters at λ = 80/9.
    let curves = ResponseCurves::michaelis_menten([120.0, 80.0], [5.0, 9.0]).unwrap();
    let curves = curves.with_names(["a", "b"]).unwrap();
    let problem = Problem::new(curves).upper([6.0, f64::INFINITY]);
    let frontier = problem.clone().frontier(&[0.5, 2.0, 7.0, 11.0, 30.0]).unwrap();
    let enters = (600.0 * 9.0 / 80.0_f64).sqrt() - 5.0;
    // Saturates: λ = 600/121, where x₁ = √720 t − 9.
    let saturates = 6.0 + (720.0 * 121.0 / 600.0_f64).sqrt() - 9.0;
    let seen: Vec<_> =
        frontier.changes.iter().map(|c| (c.arm, c.change, c.name.as_deref(), c.exact)).collect();
    assert_eq!(seen, [(1, "enters", Some("b"), true), (0, "saturates", Some("a"), true)]);
    assert!((frontier.changes[0].budget / enters - 1.0).abs() < 1e-9, "{:?}", frontier.changes);
    assert!((frontier.changes[1].budget / saturates - 1.0).abs() < 1e-9, "{:?}", frontier.changes);
    let before = problem.clone().budget(enters * (1.0 - 1e-6)).solve().unwrap().spend[1];
    let after = problem.budget(enters * (1.0 + 1e-6)).solve().unwrap().spend[1];
    assert!(before <= 0.0 && after > 0.0);
}

#[test]
fn jumping_arms_change_between_the_rows_that_differ() {
    let mut random = Random(6);
    let problem = hill(&mut random, 8, (2.0, 5.0));
    let frontier = problem.frontier(&budgets(1.0, 60.0, 40)).unwrap();
    assert!(frontier.changes.iter().any(|change| change.change == "enters"));
    for change in &frontier.changes {
        let (below, above) = change.between;
        assert!(below <= change.budget && change.budget <= above && !change.exact);
        let row = |budget: f64| frontier.budgets.iter().position(|&b| b >= budget).unwrap();
        let (before, after) =
            (frontier.spend[row(below) * 8 + change.arm], frontier.spend[row(above) * 8 + change.arm]);
        match change.change {
            "enters" => assert!(before <= 0.0 && after > 0.0),
            "leaves" => assert!(before > 0.0 && after <= 0.0),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn what_is_wrong_with_a_budget_names_it() {
    let problem = || Problem::new(ResponseCurves::michaelis_menten([1.0, 2.0], 3.0).unwrap()).lower(1.0);
    let field = |budgets: &[f64]| match problem().frontier(budgets).unwrap_err() {
        Error::Empty { field } | Error::NotFinite { field, .. } | Error::OutOfDomain { field, .. } => field,
        other => panic!("{other}"),
    };
    assert_eq!(field(&[]), "budgets");
    assert_eq!(field(&[3.0, f64::NAN]), "budgets[1]");
    assert_eq!(field(&[3.0, 4.0, -1.0]), "budgets[2]");
    assert_eq!(field(&[f64::INFINITY]), "budgets[0]");
    let error = problem().frontier(&[3.0, 1.5]).unwrap_err();
    assert!((error.infeasibility().unwrap().budget - 1.5).abs() <= 0.0);
    let error = problem().upper(4.0).spend_all(true).frontier(&[3.0, 9.0]).unwrap_err();
    assert!((error.infeasibility().unwrap().budget - 9.0).abs() <= 0.0);
    assert!(matches!(problem().time_limit(1.0).frontier(&[3.0]), Err(Error::OutOfDomain { .. })));
}

#[test]
fn other_questions_are_solved_budget_by_budget() {
    let mut random = Random(7);
    let problem = hill(&mut random, 4, (0.5, 0.9)).objective(Objective::Profit);
    let frontier = problem.clone().frontier(&[9.0, 1.0, 4.0]).unwrap();
    for (j, &budget) in frontier.budgets.iter().enumerate() {
        let plan = problem.clone().budget(budget).solve().unwrap();
        assert_eq!(frontier.spend[j * 4..(j + 1) * 4], plan.spend[..]);
        assert_eq!(frontier.objective_value[j].to_bits(), plan.objective_value.to_bits());
    }
    match problem.frontier(&[1.0, f64::NAN]).unwrap_err() {
        Error::NotFinite { field, .. } => assert_eq!(field, "budgets[1]"),
        other => panic!("{other}"),
    }
}

#[test]
fn an_interrupted_sweep_keeps_true_bounds() {
    let mut random = Random(8);
    let problem = hill(&mut random, 12, (1.5, 5.0));
    let at_once = || Duration::from_secs(9);
    let frontier = problem.clone().time_limit(1.0).frontier_with(&budgets(2.0, 80.0, 15), &at_once).unwrap();
    for (j, &budget) in frontier.budgets.iter().enumerate() {
        let best = problem.clone().budget(budget).solve().unwrap();
        assert!(frontier.upper_bound[j] >= best.objective_value * (1.0 - 1e-12));
        assert!(frontier.objective_value[j] <= best.upper_bound * (1.0 + 1e-12));
        assert_eq!(frontier.status[j] == Status::Optimal, frontier.gap[j] <= 1e-6);
    }
    assert_eq!(frontier.elapsed, Duration::from_secs(9));
}
