//! Trees against the conditions of an optimum, and against a slow solver that shares nothing with the fast one.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "tests measure time and say what they saw"
)]

use std::time::Instant;

use super::{TreePlan, solve};
use crate::allocate::demand::{self, Workspace};
use crate::{Group, Problem, ResponseCurves};

/// splitmix64.
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^= bits >> 31;
        f64::from(u32::try_from(bits >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "counts"
    )]
    fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f64) as usize).min(n - 1)
    }

    fn shuffled(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, self.below(i + 1));
        }
        order
    }
}

fn plan_of(problem: &Problem) -> Option<TreePlan> {
    let (rows, members) = (problem.rows().expect("rows"), problem.members().expect("members"));
    solve(problem, &rows, &members, problem.threads)
}

fn concave_arm(random: &mut Random) -> ResponseCurves {
    let (beta, scale) = (random.between(0.5, 20.0), random.between(0.5, 10.0));
    let curves = match random.below(7) {
        0 => ResponseCurves::logarithmic(beta, scale),
        1 => ResponseCurves::power(beta, random.between(0.2, 0.9)),
        2 => ResponseCurves::exponential(beta, scale),
        3 => ResponseCurves::michaelis_menten(beta, scale),
        4 => ResponseCurves::hill(beta, scale, random.between(0.4, 1.0)),
        5 => ResponseCurves::logistic(beta, 1.0 / scale),
        _ => ResponseCurves::linear(beta / 20.0),
    };
    curves.expect("parameters inside their ranges")
}

/// Groups over parts of `arms`, down to a depth, with limits around what a feasible plan spends.
fn grow(random: &mut Random, arms: &[usize], spend: &[f64], depth: usize, groups: &mut Vec<Group>) {
    if depth == 0 || arms.len() < 2 {
        return;
    }
    let mut rest = arms;
    while !rest.is_empty() {
        let (own, others) = rest.split_at((1 + random.below(rest.len())).min(rest.len()));
        rest = others;
        if random.unit() < 0.2 {
            continue;
        }
        let total: f64 = own.iter().map(|&i| spend[i]).sum();
        let mut group = Group::new(format!("group {}", groups.len()), own.iter().copied());
        let kind = random.below(8);
        if kind < 5 {
            group = group.upper(total * random.between(1.0, 1.6));
        }
        if kind.is_multiple_of(2) {
            group = group.lower(total * random.between(0.5, 1.0));
        }
        if kind == 7 {
            group = group.lower(total).upper(total);
        }
        groups.push(group);
        grow(random, own, spend, depth - 1, groups);
    }
}

/// A problem with a tree of groups over arms of any order.
fn random_tree(random: &mut Random, curves: ResponseCurves, depth: usize) -> Problem {
    let n = curves.len();
    let spend: Vec<f64> = (0..n).map(|_| random.between(0.2, 8.0)).collect();
    let lower: Vec<f64> = spend.iter().map(|x| if random.unit() < 0.3 { 0.5 * x } else { 0.0 }).collect();
    let upper: Vec<f64> =
        spend.iter().map(|x| if random.unit() < 0.3 { 1.5 * x } else { f64::INFINITY }).collect();
    let arms = random.shuffled(n);
    let mut groups = Vec::new();
    grow(random, &arms, &spend, depth, &mut groups);
    let order = if groups.is_empty() { Vec::new() } else { random.shuffled(groups.len()) };
    let groups: Vec<Group> = order.iter().map(|&g| groups[g].clone()).collect();
    let total: f64 = spend.iter().sum();
    let spend_all = random.unit() < 0.3;
    let budget = total * if spend_all { 1.0 } else { random.between(1.0, 1.5) };
    Problem::new(curves).lower(lower).upper(upper).groups(groups).budget(budget).spend_all(spend_all)
}

/// What the multipliers charge each arm for money.
fn prices(problem: &Problem, plan: &TreePlan) -> Vec<f64> {
    let rows = problem.rows().expect("rows");
    let mut prices = vec![0.0; problem.curves.len()];
    for (row, y) in rows.iter().zip(&plan.multipliers) {
        assert!(*y >= 0.0, "{y} of {:?}", row.limit);
        prices.iter_mut().for_each(|price| *price += y * row.everyone);
        for (arm, coefficient) in &row.terms {
            prices[*arm] += y * coefficient;
        }
    }
    prices
}

fn totals(problem: &Problem, spend: &[f64]) -> Vec<f64> {
    let all: f64 = spend.iter().sum();
    let rows = problem.rows().expect("rows");
    rows.iter()
        .map(|row| row.everyone * all + row.terms.iter().map(|&(i, a)| a * spend[i]).sum::<f64>())
        .collect()
}

fn keeps_limits(problem: &Problem, plan: &TreePlan) {
    for (row, total) in problem.rows().expect("rows").iter().zip(totals(problem, &plan.spend)) {
        let miss = total - row.bound;
        assert!(miss <= 1e-12 * row.bound.abs(), "{:?}: {total}", row.limit);
        assert!(!row.equal || miss >= -1e-12 * row.bound, "{:?}: {total}", row.limit);
    }
    for (i, x) in plan.spend.iter().enumerate() {
        let (lower, upper, active) = (problem.lower.at(i), problem.upper.at(i), problem.active_lower.at(i));
        assert!(*x >= lower && *x <= upper, "arm {i}: {x} not in {lower}..{upper}");
        assert!(active <= 0.0 || *x <= 0.0 || *x >= active, "arm {i}: {x} between 0 and {active}");
    }
}

/// The most that every arm can spend: by its own bound, by what the others' lower bounds leave of the budget, by its groups.
fn caps(problem: &Problem) -> Vec<f64> {
    let n = problem.curves.len();
    let lower: f64 = (0..n).map(|i| problem.lower.at(i)).sum();
    let budget = problem.budget.unwrap_or(f64::INFINITY);
    let mut caps: Vec<f64> =
        (0..n).map(|i| problem.upper.at(i).min(budget - lower + problem.lower.at(i))).collect();
    for (group, members) in problem.groups.iter().zip(problem.members().expect("members")) {
        let upper = group.upper.unwrap_or(f64::INFINITY);
        members.arms.iter().for_each(|&i| caps[i] = caps[i].min(upper));
    }
    caps
}

/// Σ y b + Σ max [v f(x) − p x], every arm searched on a grid that refines itself around its best points.
fn dual(problem: &Problem, plan: &TreePlan) -> f64 {
    let rows = problem.rows().expect("rows");
    let (price, caps) = (prices(problem, plan), caps(problem));
    let fixed: f64 = rows.iter().zip(&plan.multipliers).map(|(row, y)| y * row.bound).sum();
    let own = (0..problem.curves.len()).map(|i| {
        let (arm, value) = (problem.curves.set.arm(i), problem.value.at(i));
        let most = caps[i];
        let active = problem.active_lower.at(i);
        let worth = |x: f64| value * arm.response(x) - price[i] * x;
        let (mut low, mut high) = (problem.lower.at(i).max(active), most);
        let mut best = worth(problem.lower.at(i));
        if low > high {
            return best;
        }
        for _ in 0..12 {
            let at = |s: u32| low + (high - low) * f64::from(s) / 400.0;
            let top = (0..=400).max_by(|&a, &b| worth(at(a)).total_cmp(&worth(at(b)))).expect("some");
            best = best.max(worth(at(top)));
            (low, high) = (at(top.saturating_sub(1)), at((top + 1).min(400)));
        }
        best
    });
    fixed + own.sum::<f64>()
}

fn bound_is_true(problem: &Problem, plan: &TreePlan) {
    let dual = dual(problem, plan);
    assert!(plan.bound >= plan.value);
    assert!(dual <= plan.bound + 1e-11 * plan.bound.abs(), "{dual} above {}", plan.bound);
    let value: f64 = (0..plan.spend.len())
        .map(|i| problem.value.at(i) * problem.curves.set.arm(i).response(plan.spend[i]))
        .sum();
    assert!((value - plan.value).abs() <= 1e-12 * value.abs(), "{value} is not {}", plan.value);
}

/// The optimum's conditions: limits with a price bind, and no arm could gain by moving at the price it is charged.
fn is_optimal(problem: &Problem, plan: &TreePlan) {
    let rows = problem.rows().expect("rows");
    for ((row, y), total) in rows.iter().zip(&plan.multipliers).zip(totals(problem, &plan.spend)) {
        assert!(
            *y <= 0.0 || (total - row.bound).abs() <= 1e-9 * row.bound.abs(),
            "{:?} has a price",
            row.limit
        );
    }
    let caps = caps(problem);
    for (i, price) in prices(problem, plan).into_iter().enumerate() {
        let (x, lower, upper) = (plan.spend[i], problem.lower.at(i), caps[i] * (1.0 - 1e-9));
        let slope = problem.value.at(i) * problem.curves.set.arm(i).slope(x);
        let largest = plan.multipliers.iter().copied().fold(price, f64::max);
        if x > lower {
            assert!(slope >= price - 1e-6 * largest, "arm {i} at {x}: {slope} below {price}");
        }
        if x < upper && x > 0.0 {
            assert!(slope <= price + 1e-6 * largest, "arm {i} at {x}: {slope} above {price}");
        }
    }
}

/// The same tree by bisection inside bisection.
struct Slow<'p> {
    problem: &'p Problem,
    members: Vec<Vec<usize>>,
    limits: Vec<(f64, f64)>,
    children: Vec<Vec<usize>>,
    direct: Vec<Vec<usize>>,
}

impl<'p> Slow<'p> {
    fn new(problem: &'p Problem) -> Self {
        let n = problem.curves.len();
        let budget = problem.budget.expect("a budget");
        let mut members: Vec<Vec<usize>> =
            problem.members().expect("members").into_iter().map(|group| group.arms).collect();
        let mut limits: Vec<(f64, f64)> = problem
            .groups
            .iter()
            .map(|group| (group.lower.unwrap_or(0.0), group.upper.unwrap_or(f64::INFINITY)))
            .collect();
        members.push((0..n).collect());
        limits.push((if problem.spend_all { budget } else { 0.0 }, budget));
        let mut order: Vec<usize> = (0..members.len()).collect();
        // The root first; of equal groups the first outside.
        order.sort_by_key(|&g| (std::cmp::Reverse(members[g].len()), g != members.len() - 1, g));
        let mut innermost = vec![usize::MAX; n];
        let mut children = vec![Vec::new(); members.len()];
        for &g in &order {
            let outer = innermost[members[g][0]];
            if outer != usize::MAX {
                children[outer].push(g);
            }
            members[g].iter().for_each(|&arm| innermost[arm] = g);
        }
        let mut direct = vec![Vec::new(); members.len()];
        (0..n).for_each(|arm| direct[innermost[arm]].push(arm));
        Self { problem, members, limits, children, direct }
    }

    fn wants(&self, g: usize, price: f64, spend: &mut [f64]) -> f64 {
        let problem = self.problem;
        for &i in &self.direct[g] {
            let (arm, value) = (problem.curves.set.arm(i), problem.value.at(i));
            let (mut low, mut high) = (problem.lower.at(i), problem.upper.at(i).min(1e4));
            for _ in 0..100 {
                let x = 0.5 * (low + high);
                if value * arm.slope(x) > price { low = x } else { high = x }
            }
            spend[i] = 0.5 * (low + high);
        }
        for &child in &self.children[g] {
            self.solve(child, price, spend);
        }
        self.members[g].iter().map(|&i| spend[i]).sum()
    }

    /// Leaves the spends of a group at a price outside.
    fn solve(&self, g: usize, price: f64, spend: &mut [f64]) {
        let (lower, upper) = self.limits[g];
        let wants = self.wants(g, price, spend);
        let target = wants.clamp(lower, upper);
        if (wants - target).abs() <= 0.0 {
            return;
        }
        let (mut low, mut high) = (1e-9_f64, 1e6_f64);
        for _ in 0..60 {
            let middle = (low * high).sqrt();
            if self.wants(g, middle, spend) > target { low = middle } else { high = middle }
        }
        self.wants(g, high, spend);
    }

    fn value(&self) -> f64 {
        let n = self.problem.curves.len();
        let mut spend = vec![0.0; n];
        self.solve(self.members.len() - 1, 1e-9, &mut spend);
        (0..n).map(|i| self.problem.value.at(i) * self.problem.curves.set.arm(i).response(spend[i])).sum()
    }
}

#[test]
fn concave_trees_meet_the_conditions_of_an_optimum() {
    let mut random = Random(1);
    for case in 0..200 {
        let n = 1 + random.below(40);
        let arms: Vec<ResponseCurves> = (0..n).map(|_| concave_arm(&mut random)).collect();
        let curves = ResponseCurves::concat(&arms).expect("curves");
        let depth = 1 + case % 4;
        let problem = random_tree(&mut random, curves, depth).value(vec![1.5; n]);
        let plan = plan_of(&problem).unwrap_or_else(|| panic!("case {case}: no plan"));
        keeps_limits(&problem, &plan);
        bound_is_true(&problem, &plan);
        is_optimal(&problem, &plan);
        let gap = (plan.bound - plan.value) / plan.bound;
        assert!(gap <= 1e-9, "case {case}: gap {gap:e}");
    }
}

#[test]
fn a_slow_nested_bisection_finds_the_same_value() {
    let mut random = Random(2);
    for case in 0..12 {
        let n = 2 + random.below(8);
        let beta: Vec<f64> = (0..n).map(|_| random.between(1.0, 10.0)).collect();
        let scale: Vec<f64> = (0..n).map(|_| random.between(0.5, 8.0)).collect();
        let curves = match case % 2 {
            0 => ResponseCurves::michaelis_menten(&beta, &scale),
            _ => ResponseCurves::logarithmic(&beta, &scale),
        };
        let depth = 1 + case % 3;
        let problem = random_tree(&mut random, curves.expect("curves"), depth);
        let plan = plan_of(&problem).expect("a plan");
        let slow = Slow::new(&problem).value();
        assert!((plan.value - slow).abs() <= 1e-6 * slow, "case {case}: {} and {slow}", plan.value);
    }
}

#[test]
fn jumping_trees_keep_their_limits_and_their_bound() {
    let mut random = Random(3);
    let (mut solved, mut closed) = (0, 0);
    for case in 0..150 {
        let n = 2 + random.below(60);
        let column =
            |random: &mut Random, low, high| (0..n).map(|_| random.between(low, high)).collect::<Vec<f64>>();
        let beta = column(&mut random, 1.0, 20.0);
        let scale = column(&mut random, 0.5, 8.0);
        let slope = column(&mut random, 0.6, 4.0);
        let curves = ResponseCurves::hill(&beta, &scale, &slope).expect("curves");
        let problem = random_tree(&mut random, curves, 1 + case % 3).tolerance(0.2);
        if let Some(plan) = plan_of(&problem) {
            keeps_limits(&problem, &plan);
            bound_is_true(&problem, &plan);
            solved += 1;
            closed += usize::from(plan.bound - plan.value <= 1e-3 * plan.bound);
        }
    }
    assert!(solved >= 140 && closed >= 40, "{solved} solved, {closed} closely");
}

/// A large problem with groups of groups, some of which bind, in the order of the arms or in any other.
fn large_tree(random: &mut Random, curves: &ResponseCurves, any_order: bool) -> Problem {
    let n = curves.len();
    let arms: Vec<usize> = if any_order { random.shuffled(n) } else { (0..n).collect() };
    let free = Problem::new(curves.clone()).budget(n as f64).solve().expect("a plan");
    let mut groups = Vec::new();
    for (size, spread) in [(10_000, 0.02), (1000, 0.05), (50, 0.3)] {
        for own in arms.chunks(size) {
            let total: f64 = own.iter().map(|&i| free.spend[i]).sum();
            let mut own = own.to_vec();
            own.sort_unstable();
            let group = Group::new(format!("group {}", groups.len()), own);
            let upper = total * (1.0 + random.between(-spread, 3.0 * spread));
            let lower = total * (1.0 - random.between(spread, 3.0 * spread));
            groups.push(group.upper(upper).lower(lower));
        }
    }
    Problem::new(curves.clone()).budget(n as f64 * 0.97).groups(groups)
}

/// Limits of a large problem by sums over its members, which is faster than rows.
fn totals_within(problem: &Problem, plan: &TreePlan) {
    let budget = problem.budget.expect("a budget");
    assert!(plan.spend.iter().sum::<f64>() <= budget * (1.0 + 1e-12));
    for (group, members) in problem.groups.iter().zip(problem.members().expect("members")) {
        let total: f64 = members.arms.iter().map(|&i| plan.spend[i]).sum();
        let (lower, upper) = (group.lower.unwrap_or(0.0), group.upper.unwrap_or(f64::INFINITY));
        assert!(total >= lower * (1.0 - 1e-12) && total <= upper * (1.0 + 1e-12), "{lower} {total} {upper}");
    }
}

fn large_curves(random: &mut Random, n: usize, slopes: (f64, f64)) -> ResponseCurves {
    let beta: Vec<f64> = (0..n).map(|_| random.between(1.0, 10.0)).collect();
    let scale: Vec<f64> = (0..n).map(|_| random.between(0.5, 8.0)).collect();
    let slope: Vec<f64> = (0..n).map(|_| random.between(slopes.0, slopes.1)).collect();
    ResponseCurves::hill(&beta, &scale, &slope).expect("curves")
}

#[test]
fn large_concave_trees_are_solved_in_any_order_of_their_arms() {
    let mut random = Random(4);
    for any_order in [false, true] {
        let curves = large_curves(&mut random, 30_000, (0.5, 1.0));
        let problem = large_tree(&mut random, &curves, any_order);
        let plan = plan_of(&problem).expect("a plan");
        totals_within(&problem, &plan);
        let gap = (plan.bound - plan.value) / plan.bound;
        assert!((0.0..=1e-9).contains(&gap), "gap {gap:e}");
        assert!(plan.multipliers.iter().filter(|&&y| y > 0.0).count() > 100);
    }
}

#[test]
fn large_jumping_trees_keep_their_limits_with_a_small_gap() {
    let mut random = Random(5);
    let curves = large_curves(&mut random, 30_000, (1.2, 6.0));
    let problem = large_tree(&mut random, &curves, false);
    let plan = plan_of(&problem).expect("a plan");
    totals_within(&problem, &plan);
    let gap = (plan.bound - plan.value) / plan.bound;
    assert!((0.0..=1e-3).contains(&gap), "gap {gap:e}");
}

#[test]
fn threads_do_not_change_a_bit() {
    let mut random = Random(6);
    for slopes in [(0.5, 1.0), (1.2, 6.0)] {
        let curves = large_curves(&mut random, 50_000, slopes);
        let problem = large_tree(&mut random, &curves, false);
        let bits = |threads: usize| {
            let plan = plan_of(&problem.clone().threads(threads)).expect("a plan");
            let numbers = plan.spend.into_iter().chain(plan.multipliers).chain([plan.bound, plan.value]);
            numbers.map(f64::to_bits).collect::<Vec<u64>>()
        };
        let one = bits(1);
        assert!(one == bits(2) && one == bits(3));
    }
}

#[test]
fn permuting_the_arms_permutes_the_plan() {
    let mut random = Random(7);
    for _ in 0..20 {
        let n = 2 + random.below(30);
        let beta: Vec<f64> = (0..n).map(|_| random.between(1.0, 10.0)).collect();
        let scale: Vec<f64> = (0..n).map(|_| random.between(0.5, 8.0)).collect();
        let order = random.shuffled(n);
        let split = 1 + random.below(n - 1);
        let at = |old: usize| order.iter().position(|&arm| arm == old).expect("an arm");
        let of = |beta: &[f64], scale: &[f64], first: Vec<usize>| {
            let curves = ResponseCurves::michaelis_menten(beta, scale).expect("curves");
            let total = n as f64;
            let group = Group::new("first", first).upper(0.3 * total).lower(0.29 * total);
            Problem::new(curves).budget(total).groups([group])
        };
        let plan = plan_of(&of(&beta, &scale, (0..split).collect())).expect("a plan");
        let moved = |column: &[f64]| order.iter().map(|&arm| column[arm]).collect::<Vec<f64>>();
        let other =
            plan_of(&of(&moved(&beta), &moved(&scale), (0..split).map(at).collect())).expect("a plan");
        for (place, &arm) in order.iter().enumerate() {
            assert!((other.spend[place] - plan.spend[arm]).abs() <= 1e-9 * n as f64);
        }
    }
}

#[test]
fn a_budget_that_limits_nothing_has_no_price() {
    let curves = ResponseCurves::michaelis_menten([9.0, 7.0, 5.0], [4.0, 4.0, 4.0]).expect("curves");
    let groups = [Group::new("a", [0, 1]).upper(4.0), Group::new("b", [2]).upper(3.0)];
    let problem = Problem::new(curves.clone()).budget(10.0).groups(groups.clone());
    let plan = plan_of(&problem).expect("a plan");
    keeps_limits(&problem, &plan);
    bound_is_true(&problem, &plan);
    is_optimal(&problem, &plan);
    assert!(plan.multipliers[0] <= 0.0 && plan.multipliers[1] > 0.0 && plan.multipliers[2] > 0.0);
    let without = plan_of(&Problem::new(curves.clone()).groups(groups.clone())).expect("a plan");
    assert!((without.value - plan.value).abs() <= 1e-12 * plan.value);
    // All of a budget that is more than the groups allow.
    assert!(plan_of(&Problem::new(curves).budget(10.0).spend_all(true).groups(groups)).is_none());
}

#[test]
fn groups_that_cross_and_limits_that_contradict_each_other_have_no_tree() {
    let curves = ResponseCurves::michaelis_menten([9.0, 7.0, 5.0], [4.0, 4.0, 4.0]).expect("curves");
    let problem = |groups: Vec<Group>| Problem::new(curves.clone()).budget(10.0).groups(groups);
    let crossing = vec![Group::new("a", [0, 1]).upper(4.0), Group::new("b", [1, 2]).upper(3.0)];
    assert!(plan_of(&problem(crossing)).is_none());
    let apart = vec![Group::new("a", [0, 2]).upper(4.0), Group::new("b", [1, 2]).upper(3.0)];
    assert!(plan_of(&problem(apart)).is_none());
    let tight = vec![Group::new("a", [0, 1]).upper(4.0), Group::new("b", [1]).lower(5.0)];
    assert!(plan_of(&problem(tight)).is_none());
    let shares = vec![Group::new("a", [0, 1]).share_upper(0.5)];
    assert!(plan_of(&problem(shares)).is_none());
}

#[test]
fn a_group_with_nothing_to_give_needs_no_price() {
    let curves = ResponseCurves::power([3.0, 2.0, 4.0], [0.5, 0.6, 0.7]).expect("curves");
    let groups = [Group::new("none", [0, 1]).upper(0.0)];
    let problem = Problem::new(curves).budget(10.0).groups(groups);
    let plan = plan_of(&problem).expect("a plan");
    keeps_limits(&problem, &plan);
    bound_is_true(&problem, &plan);
    assert!((plan.spend[2] - 10.0).abs() <= 1e-11 && plan.bound - plan.value <= 1e-12 * plan.bound);
}

#[test]
fn a_curve_that_rises_vertically_beside_a_spent_limit_keeps_it() {
    let curves = ResponseCurves::power([3.0, 2.0, 4.0], [0.5, 0.6, 0.7]).expect("curves");
    let groups = [Group::new("spent", [0, 1]).upper(2.0)];
    let problem = Problem::new(curves).budget(10.0).lower([2.0, 0.0, 0.0]).groups(groups);
    let plan = plan_of(&problem).expect("a plan");
    keeps_limits(&problem, &plan);
    bound_is_true(&problem, &plan);
    assert!(plan.bound - plan.value <= 1e-5 * plan.bound && plan.spend[1] <= 1e-7);
}

#[test]
fn worthless_arms_spend_what_a_group_must() {
    let curves = ResponseCurves::michaelis_menten([0.0, 0.0, 5.0], [4.0, 4.0, 4.0]).expect("curves");
    let groups = [Group::new("a", [0, 1]).lower(4.0), Group::new("none", [1]).upper(0.0)];
    let problem = Problem::new(curves).budget(10.0).groups(groups);
    let plan = plan_of(&problem).expect("a plan");
    keeps_limits(&problem, &plan);
    bound_is_true(&problem, &plan);
    assert!((plan.spend[0] - 4.0).abs() <= 1e-12 && (plan.spend[2] - 6.0).abs() <= 1e-12);
    assert!(plan.bound - plan.value <= 1e-12 * plan.bound);
}

#[test]
fn a_large_tree_without_a_budget_and_one_that_spends_all_keep_their_limits() {
    let mut random = Random(8);
    let curves = large_curves(&mut random, 20_000, (0.5, 1.0));
    let bounded = large_tree(&mut random, &curves, false);
    let capped = bounded.groups.iter().map(|group| {
        let free = group.upper.is_none();
        if free { group.clone().upper(1e6) } else { group.clone() }
    });
    let mut without = Problem::new(curves).groups(capped);
    let plan = plan_of(&without).expect("a plan");
    let within = |plan: &TreePlan| {
        let gap = (plan.bound - plan.value) / plan.bound;
        assert!((0.0..=1e-9).contains(&gap), "gap {gap:e}");
    };
    within(&plan);
    let total: f64 = plan.spend.iter().sum();
    without = without.budget(0.99 * total).spend_all(true);
    let all = plan_of(&without).expect("a plan");
    totals_within(&without, &all);
    within(&all);
    assert!((all.spend.iter().sum::<f64>() - 0.99 * total).abs() <= 1e-12 * total && all.value < plan.value);
}

#[test]
#[ignore = "measures time"]
fn small_trees_take_no_more_than_a_millisecond() {
    let mut random = Random(9);
    for n in [10, 100, 1000] {
        let curves = large_curves(&mut random, n, (0.5, 1.0));
        let problem = random_tree(&mut random, curves, 3);
        let (rows, members) = (problem.rows().expect("rows"), problem.members().expect("members"));
        let start = Instant::now();
        for _ in 0..100 {
            assert!(solve(&problem, &rows, &members, 1).is_some());
        }
        eprintln!("{n} arms, {} groups: {:.1} µs", members.len(), start.elapsed().as_secs_f64() * 1e4);
    }
}

#[test]
#[ignore = "measures time"]
fn trees_take_a_few_times_as_long_as_one_budget() {
    let n = 1_000_000;
    let mut random = Random(0x5EED);
    let beta: Vec<f64> = (0..n).map(|_| random.between(1.0, 10.0)).collect();
    let scale: Vec<f64> = (0..n).map(|_| 10_f64.powf(random.between(-1.0, 1.0))).collect();
    let slope: Vec<f64> = (0..n).map(|_| random.between(1.2, 6.0)).collect();
    let budget = scale.iter().sum::<f64>() / 3.0;
    let median = |run: &mut dyn FnMut() -> f64| {
        let mut times: Vec<f64> = (0..5).map(|_| run()).collect();
        times.sort_by(f64::total_cmp);
        times[2] * 1e3
    };
    for curves in [
        ResponseCurves::michaelis_menten(&beta, &scale).expect("curves"),
        ResponseCurves::hill(&beta, &scale, &slope).expect("curves"),
    ] {
        for threads in [1, 2] {
            let plain = Problem::new(curves.clone()).budget(budget).threads(threads);
            let mut free = Vec::new();
            let one = median(&mut || {
                let problem = plain.clone();
                let start = Instant::now();
                let plan = problem.solve().expect("a plan");
                let time = start.elapsed().as_secs_f64();
                free = plan.spend;
                time
            });
            for (name, lower, upper, nested, any_order) in [
                ("no limit binds", 0.0, 1e9, false, false),
                ("a tenth bind", 0.85, 1.15, false, false),
                ("all bind", 1.3, 0.7, false, false),
                ("all bind, nested", 1.3, 0.7, true, false),
                ("all bind, any order", 1.3, 0.7, false, true),
            ] {
                let arms: Vec<usize> = if any_order { random.shuffled(n) } else { (0..n).collect() };
                let mut groups = Vec::new();
                let limited = |name: String, arms: &[usize], g: usize, (lower, upper): (f64, f64)| {
                    let total: f64 = arms.iter().map(|&i| free[i]).sum();
                    let mut arms = arms.to_vec();
                    arms.sort_unstable();
                    let group = Group::new(name, arms);
                    if lower > upper {
                        // Half of them one way, half the other.
                        if g.is_multiple_of(2) {
                            group.lower(lower * total)
                        } else {
                            group.upper(upper * total)
                        }
                    } else {
                        let spread = 0.9 + 0.2 * ((g * 7919) % 10_000) as f64 / 10_000.0;
                        group.lower(lower * total * spread).upper(upper * total * spread)
                    }
                };
                for (g, arms) in arms.chunks(100).enumerate() {
                    groups.push(limited(format!("g{g}"), arms, g, (lower, upper)));
                }
                if nested {
                    for (g, arms) in arms.chunks(1000).enumerate() {
                        groups.push(limited(format!("m{g}"), arms, g, (1.05, 0.95)));
                    }
                    for (g, arms) in arms.chunks(100_000).enumerate() {
                        groups.push(limited(format!("p{g}"), arms, g, (1.02, 0.98)));
                    }
                }
                let problem = plain.clone().groups(groups);
                let start = Instant::now();
                let members = problem.members().expect("members");
                let listed = start.elapsed().as_secs_f64() * 1e3;
                let start = Instant::now();
                let rows = problem.rows().expect("rows");
                let rowed = start.elapsed().as_secs_f64() * 1e3;
                let mut found = None;
                let time = median(&mut || {
                    let start = Instant::now();
                    let plan = solve(&problem, &rows, &members, threads).expect("a plan");
                    let time = start.elapsed().as_secs_f64();
                    found = Some(plan);
                    time
                });
                // What a full answer needs besides: responses and marginal responses.
                let mut plan = found.expect("a plan");
                let checked =
                    problem.check_budget(problem.budget, 0..n, || "budget".into()).expect("feasible");
                let evaluated = median(&mut || {
                    let start = Instant::now();
                    let mut work = Workspace::default();
                    let _ = demand::Demand::new(&checked, &mut work, threads);
                    std::mem::swap(&mut work.spend, &mut plan.spend);
                    demand::evaluate(&checked, threads, &mut work);
                    std::mem::swap(&mut work.spend, &mut plan.spend);
                    start.elapsed().as_secs_f64()
                });
                let gap = (plan.bound - plan.value) / plan.bound;
                eprintln!(
                    "threads {threads}: one budget {one:.1} ms; {name}: tree {time:.1} ms ({:.2}), responses {evaluated:.1} ms, members {listed:.1} ms, rows {rowed:.1} ms; gap {gap:.1e}, {} passes",
                    time / one,
                    plan.iterations
                );
            }
        }
    }
}
