//! Recomputes a plan's claims from the schedule and the plan alone.
//!
//! Shared with the search are only the kernels' weights and the evaluation of the curves: carry-over is summed spend by spend,
//! limits are looked up where the caller stated them, and each inner maximum of the bound is taken by interval subdivision.

use super::Schedule;
use super::plan::SchedulePlan;
use super::proof::ScheduleNode;
use crate::allocate::plan::{Status, gap};
use crate::allocate::verify::{Check, ROUNDING, Verification, agree, over};
use crate::curve::carry_over::Kernel;

impl SchedulePlan {
    /// Recomputes the limits, the adstocked spends, the responses, the bound and the gap from the schedule and the plan alone.
    #[must_use]
    pub fn verify(&self) -> Verification {
        let schedule = &*self.schedule;
        let (n, periods) = (self.arms(), self.periods());
        let mut checks = Vec::new();
        let mut check = |name, ok, detail: String| checks.push(Check { name, ok, detail });
        let sure = Sure::new(schedule).filter(|sure| {
            self.spend.len() == periods * n
                && [&self.adstocked, &self.response].iter().all(|values| values.len() == sure.horizon * n)
        });
        let Some(sure) = sure else {
            check("limits", false, "the plan does not fit its schedule".into());
            let (objective_value, upper_bound) = (f64::NAN, f64::INFINITY);
            return Verification { ok: false, checks, objective_value, upper_bound, gap: f64::INFINITY };
        };

        let outside = (0..periods * n).find(|&at| !allowed(schedule, at / n, at % n, self.spend[at]));
        let detail = match outside {
            Some(at) => format!(
                "{} spends {} in period {}, outside its limits",
                schedule.curves.set.label(at % n),
                self.spend[at],
                at / n
            ),
            None => format!("{} spends within their limits", periods * n),
        };
        check("limits", outside.is_none(), detail);
        let same = !schedule.constant || self.spend.chunks(n).all(|row| row == &self.spend[..n]);
        let sums = sums(schedule, &self.spend);
        let wrong = sums
            .iter()
            .find(|(_, sum, low, high)| !(*sum >= low * (1.0 - ROUNDING) && *sum <= high * (1.0 + ROUNDING)));
        let detail = match wrong {
            Some((what, sum, low, high)) => format!("{what}: {sum}, allowed are {low} to {high}"),
            None => format!("{} totals within their limits", sums.len()),
        };
        check("budget", wrong.is_none() && same, detail);

        let adstocked = sure.adstocked(schedule, &self.spend);
        let mut value = 0.0;
        let mut off = None;
        let mut steep = 0.0;
        for (at, a) in adstocked.iter().enumerate() {
            let (arm, v) = (schedule.curves.set.arm(at % n), schedule.value.at(at % n));
            let response = arm.response(*a);
            value += v * response;
            // The curve may be steep: what differs by rounding in the spend may differ more in the response.
            let apart = 1e-12 * a.abs();
            let slack = (arm.response(a + apart) - arm.response((a - apart).max(0.0))).abs();
            steep += v * slack;
            let near = (a - self.adstocked[at]).abs()
                <= ROUNDING * a.abs().max(self.total_spend * 1e-3) + f64::MIN_POSITIVE;
            if !near || !agree(response, self.response[at]) && (response - self.response[at]).abs() > slack {
                off = off.or(Some(at));
            }
        }
        let detail = match off {
            Some(at) => format!(
                "{} does not respond as stated in period {}",
                schedule.curves.set.label(at % n),
                at / n
            ),
            None => "every adstocked spend and response recomputed".into(),
        };
        check("responses", off.is_none(), detail);
        let after: f64 = self.response[periods * n..].iter().sum();
        let near = |a: f64, b: f64| agree(a, b) || (a - b).abs() <= steep;
        let totals = near(value, self.objective_value)
            && agree(self.spend.iter().sum(), self.total_spend)
            && agree(self.response.iter().sum(), self.total_response)
            && agree(after, self.response_after);
        check("totals", totals, format!("objective value {value}, stated {}", self.objective_value));

        let bound = sure.bound(schedule, &self.proof.nodes, self.upper_bound);
        let rounding = ROUNDING * self.upper_bound.abs() + f64::MIN_POSITIVE;
        let proven = bound <= self.upper_bound + rounding && bound >= value - rounding;
        check("upper_bound", proven, format!("recomputed {bound}, stated {}", self.upper_bound));
        let bound = bound.max(value);
        let stated = gap(self.objective_value, self.upper_bound);
        let status =
            (stated - self.gap).abs() <= ROUNDING && self.status == Status::of(self.gap, schedule.tolerance);
        let gap = gap(value, bound);
        check("status", status, format!("{} with a gap of {gap:.2e}", self.status));
        let ok = checks.iter().all(|check| check.ok);
        Verification { ok, checks, objective_value: value, upper_bound: bound, gap }
    }
}

fn allowed(schedule: &Schedule, t: usize, i: usize, x: f64) -> bool {
    let (lower, upper) = (schedule.lower.at(t, i), schedule.upper.at(t, i));
    let active = schedule.active_lower.at(t, i);
    let inside = x >= lower * (1.0 - ROUNDING) && x <= upper * (1.0 + ROUNDING);
    inside && (active <= 0.0 || x <= 0.0 || x >= active * (1.0 - ROUNDING))
}

/// Every total with its limits: (what, sum, least, most).
fn sums(schedule: &Schedule, spend: &[f64]) -> Vec<(String, f64, f64, f64)> {
    let n = schedule.curves.len();
    let mut sums = Vec::new();
    if let Some(budget) = schedule.budget {
        let least = if schedule.spend_all { budget } else { 0.0 };
        sums.push(("all".into(), spend.iter().sum(), least, budget));
    }
    for (t, row) in spend.chunks(n).enumerate() {
        let limits = (schedule.period_lower.at(t), schedule.period_upper.at(t));
        sums.push((format!("period {t}"), row.iter().sum(), limits.0, limits.1));
    }
    for i in 0..n {
        let limits = (schedule.arm_lower.at(i), schedule.arm_upper.at(i));
        sums.push((schedule.curves.set.label(i), spend.iter().skip(i).step_by(n).sum(), limits.0, limits.1));
    }
    sums
}

/// What a case allows: per arm, the least and the most of each of its spends.
type Spends = Vec<Vec<(f64, f64)>>;

struct Sure {
    kernels: Vec<Kernel>,
    horizon: usize,
    /// Free spends per arm: one per period, or one for all.
    width: usize,
}

impl Sure {
    fn new(schedule: &Schedule) -> Option<Self> {
        let kernels = schedule.check().ok()?;
        let longest = kernels.iter().map(|kernel| kernel.weights.len()).max()?;
        let horizon = schedule.periods + if schedule.tail { longest - 1 } else { 0 };
        Some(Self { kernels, horizon, width: if schedule.constant { 1 } else { schedule.periods } })
    }

    fn carried(&self, schedule: &Schedule, t: usize, i: usize) -> f64 {
        let past = schedule.carry_in.len();
        (0..past).map(|s| self.kernels[i].at(t + past - s) * schedule.carry_in[s][i]).sum()
    }

    /// What one unit of free spend k of arm i adds to its adstocked spend in period t.
    fn weight(&self, schedule: &Schedule, t: usize, i: usize, k: usize) -> f64 {
        if schedule.constant {
            (0..schedule.periods).filter(|&s| s <= t).map(|s| self.kernels[i].at(t - s)).sum()
        } else if k <= t {
            self.kernels[i].at(t - k)
        } else {
            0.0
        }
    }

    fn adstocked(&self, schedule: &Schedule, spend: &[f64]) -> Vec<f64> {
        let n = schedule.curves.len();
        let one = |t: usize, i: usize| -> f64 {
            let last = t.min(schedule.periods - 1);
            let own: f64 = (0..=last).map(|s| self.kernels[i].at(t - s) * spend[s * n + i]).sum();
            own + self.carried(schedule, t, i)
        };
        (0..self.horizon).flat_map(|t| (0..n).map(move |i| (t, i))).map(|(t, i)| one(t, i)).collect()
    }

    /// In how many periods a free spend is spent.
    fn times(&self, schedule: &Schedule) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a count of periods")]
        let times = (schedule.periods / self.width) as f64;
        times
    }

    /// All that the limits allow each spend.
    fn whole(&self, schedule: &Schedule) -> Spends {
        let (n, periods) = (schedule.curves.len(), schedule.periods);
        let least = |t: usize, i: usize| {
            let lower = schedule.lower.at(t, i);
            if lower > 0.0 { lower.max(schedule.active_lower.at(t, i)) } else { 0.0 }
        };
        let own = |k: usize| if schedule.constant { 0..periods } else { k..k + 1 };
        let low = |i: usize, k: usize| own(k).map(|t| least(t, i)).fold(0.0, f64::max);
        let times = self.times(schedule);
        let total: f64 =
            (0..n).flat_map(|i| (0..self.width).map(move |k| (i, k))).map(|(i, k)| times * low(i, k)).sum();
        let one = |i: usize, k: usize| {
            let low = low(i, k);
            let room = (schedule.budget.unwrap_or(f64::INFINITY) - total).max(0.0) / times;
            let limits = own(k).flat_map(|t| {
                let in_period = schedule.period_upper.at(t).max(low);
                [schedule.upper.at(t, i), in_period]
            });
            let high = limits.fold(low + room, f64::min).min((schedule.arm_upper.at(i) / times).max(low));
            let active = own(k).map(|t| schedule.active_lower.at(t, i)).fold(0.0, f64::max);
            (low, if low <= 0.0 && active > high { 0.0 } else { high })
        };
        (0..n).map(|i| (0..self.width).map(|k| one(i, k)).collect()).collect()
    }

    /// The largest φ over the leaves; +∞ where the proof leaves a case open.
    fn bound(&self, schedule: &Schedule, nodes: &[ScheduleNode], stated: f64) -> f64 {
        let n = schedule.curves.len();
        let everything: Vec<(f64, f64)> = vec![(f64::NEG_INFINITY, f64::INFINITY); self.horizon * n];
        let mut waiting = vec![(0, self.whole(schedule), everything)];
        let mut best = f64::NEG_INFINITY;
        let mut visited = 0;
        while let Some((at, spends, cuts)) = waiting.pop() {
            visited += 1;
            match nodes.get(at) {
                None => return f64::INFINITY,
                Some(_) if visited > nodes.len() => return f64::INFINITY,
                Some(leaf @ ScheduleNode::Multipliers { .. }) => {
                    best = best.max(self.leaf(schedule, leaf, &spends, &cuts, stated));
                }
                Some(&ScheduleNode::Cut { adstocked, arm, period, at_most, at_least, below, above }) => {
                    let height = if adstocked { self.horizon } else { self.width };
                    if arm >= n || period >= height {
                        return f64::INFINITY;
                    }
                    // Nothing that is allowed lies between the two.
                    let active = if schedule.constant {
                        (0..schedule.periods).map(|t| schedule.active_lower.at(t, arm)).fold(0.0, f64::max)
                    } else if adstocked {
                        0.0
                    } else {
                        schedule.active_lower.at(period, arm)
                    };
                    let covers = at_most >= at_least || !adstocked && at_most >= 0.0 && at_least <= active;
                    if !covers {
                        return f64::INFINITY;
                    }
                    let (mut low, mut high) = ((spends.clone(), cuts.clone()), (spends, cuts));
                    if adstocked {
                        let cell = period * n + arm;
                        low.1[cell].1 = low.1[cell].1.min(at_most);
                        high.1[cell].0 = high.1[cell].0.max(at_least);
                    } else {
                        low.0[arm][period].1 = low.0[arm][period].1.min(at_most);
                        high.0[arm][period].0 = high.0[arm][period].0.max(at_least);
                    }
                    waiting.push((below, low.0, low.1));
                    waiting.push((above, high.0, high.1));
                }
            }
        }
        best
    }

    /// φ of a leaf; −∞ where its case holds no plan.
    fn leaf(
        &self,
        schedule: &Schedule,
        leaf: &ScheduleNode,
        spends: &Spends,
        cuts: &[(f64, f64)],
        stated: f64,
    ) -> f64 {
        let ScheduleNode::Multipliers { budget, periods, arms, adstock, impossible } = leaf else {
            return f64::INFINITY;
        };
        let n = schedule.curves.len();
        let shaped =
            periods.len() == schedule.periods && arms.len() == n && adstock.len() == self.horizon * n;
        if !shaped {
            return f64::INFINITY;
        }
        if spends.iter().flatten().any(|(low, high)| low > high) {
            return f64::NEG_INFINITY;
        }
        let times = self.times(schedule);
        let taken: f64 = spends.iter().flatten().map(|(low, _)| times * low).sum();
        let spare = schedule.budget.map_or(f64::INFINITY, |budget| (budget - taken).max(0.0));
        // A multiplier pays for the side it belongs to; one without a limit proves nothing.
        let side = |price: f64, lower: f64, upper: f64| {
            if price > 0.0 {
                price * upper
            } else if price < 0.0 {
                price * lower
            } else {
                0.0
            }
        };
        let all = schedule.budget.unwrap_or(f64::INFINITY);
        let mut total = side(*budget, if schedule.spend_all { all } else { 0.0 }, all);
        for (t, price) in periods.iter().enumerate() {
            total += side(*price, schedule.period_lower.at(t), schedule.period_upper.at(t));
        }
        for (i, price) in arms.iter().enumerate() {
            total += side(*price, schedule.arm_lower.at(i), schedule.arm_upper.at(i));
        }
        #[allow(clippy::cast_precision_loss, reason = "a count")]
        let exact = 1e-11 * stated.abs() / (self.horizon * n) as f64;
        // What is added up, for its rounding.
        let mut size = total.abs();
        for i in 0..n {
            let arm = schedule.curves.set.arm(i);
            let value = schedule.value.at(i);
            let mut worth: Vec<f64> = vec![0.0; self.width];
            for t in 0..self.horizon {
                let pi = adstock[t * n + i];
                let weights: Vec<f64> = (0..self.width).map(|k| self.weight(schedule, t, i, k)).collect();
                let carried = self.carried(schedule, t, i);
                let (mut from, mut to) = reached(&weights, &spends[i], carried, spare / times);
                let cut = cuts[t * n + i];
                to = to.min(arm.domain().1);
                (from, to) = (from.max(cut.0), to.min(cut.1));
                if from > to && from - to > 1e-9 * from.abs() {
                    return f64::NEG_INFINITY;
                }
                let to = to.max(from);
                let most = if *impossible {
                    (-pi * from).max(-pi * to)
                } else {
                    over(&arm, value, pi, (from, to), 0.0, exact)
                };
                total += most + pi * carried;
                size += (pi * to).abs();
                worth.iter_mut().zip(&weights).for_each(|(worth, weight)| *worth += pi * weight);
            }
            for (k, (low, high)) in spends[i].iter().enumerate() {
                let own = if schedule.constant { periods.iter().sum() } else { periods[k] };
                let net = worth[k] - times * (budget + arms[i]) - own;
                total += if net > 0.0 { net * high } else { net * low };
                size += (worth[k].abs() + (times * (budget + arms[i]) + own).abs()) * high;
            }
        }
        match (impossible, total + 1e-15 * size < 0.0) {
            (false, _) => total + 1e-15 * size,
            (true, true) => f64::NEG_INFINITY,
            (true, false) => f64::INFINITY,
        }
    }
}

/// The adstocked spends that spends between bounds reach, if they take no more than `spare` above their lower bounds.
fn reached(weights: &[f64], spends: &[(f64, f64)], carried: f64, spare: f64) -> (f64, f64) {
    let least: f64 = weights.iter().zip(spends).map(|(weight, (low, _))| weight * low).sum::<f64>() + carried;
    let mut rises: Vec<(f64, f64)> =
        weights.iter().zip(spends).map(|(weight, (low, high))| (*weight, high - low)).collect();
    rises.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut left = spare;
    let mut most = least;
    for (weight, room) in rises {
        let taken = room.min(left);
        most += weight * taken;
        left -= taken;
    }
    (least, most)
}
