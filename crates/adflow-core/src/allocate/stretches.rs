//! What one arm may spend: stretches of money, on each of which everything but the response is linear in the spend.

use super::goal::{Extrapolation, Objective, Target};
use super::problem::Problem;
use crate::curve::arm::{Arm, Curvature};
use crate::curve::envelope::Envelope;

/// Spends [from, to] (whole multiples of `step` where it is above 0) on which an arm is active or not, moved or not, and costs
///
/// ```text
/// rate · x + fixed
/// ```
///
/// objective units.
#[derive(Debug, Clone)]
pub(crate) struct Stretch<'a> {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) step: f64,
    pub(crate) rate: f64,
    pub(crate) fixed: f64,
    pub(crate) active: bool,
    pub(crate) moved: bool,
    /// The envelope of the bare response on the stretch; none for money that brings nothing by itself.
    envelope: Option<Envelope<'a>>,
}

/// The best spends of a stretch at a price, and what they are worth there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Best {
    pub(crate) worth: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl<'a> Stretch<'a> {
    pub(crate) fn new(curve: Option<&Arm<'a>>, from: f64, to: f64) -> Self {
        let envelope = curve.map(|arm| Envelope::new(arm, 1.0, from, to, None));
        let (step, rate, fixed, active, moved) = (0.0, 0.0, 0.0, false, false);
        Self { from, to, step, rate, fixed, active, moved, envelope }
    }

    /// f(x); 0 where the stretch has no curve.
    pub(crate) fn response(&self, x: f64) -> f64 {
        self.envelope.as_ref().map_or(0.0, |envelope| envelope.value(x))
    }

    /// f′(x); 0 where the stretch has no curve.
    pub(crate) fn slope(&self, x: f64) -> f64 {
        self.envelope.as_ref().map_or(0.0, |envelope| envelope.slope(x))
    }

    /// f″(x); 0 where the stretch has no curve.
    pub(crate) fn curvature(&self, x: f64) -> f64 {
        self.envelope.as_ref().map_or(0.0, |envelope| envelope.curvature(x))
    }

    /// Where the response turns from one straight line of the hull to the next: good first guesses.
    pub(crate) fn corners(&self) -> Vec<f64> {
        let chords = self.envelope.iter().flat_map(Envelope::chords);
        chords.flat_map(|(from, to, _)| [from, to]).collect()
    }

    /// Whether x lies on the stretch, but for rounding.
    pub(crate) fn holds(&self, x: f64) -> bool {
        let rounding = 1e-12 * x.abs();
        x >= self.from - rounding && x <= self.to + rounding && (self.step <= 0.0 || on_grid(x, self.step))
    }

    /// The part of the stretch on [from, to]; nothing where it is empty.
    pub(crate) fn restricted(&self, from: f64, to: f64) -> Option<Self> {
        let (mut from, mut to) = (from.max(self.from), to.min(self.to));
        if self.step > 0.0 {
            (from, to) = (grid_above(from, self.step), grid_below(to, self.step));
        }
        if from > to {
            return None;
        }
        let mut part = self.clone();
        (part.from, part.to) = (from, to);
        part.envelope = self.envelope.as_ref().map(|envelope| envelope.restricted(from, to));
        Some(part)
    }

    /// The spends that maximise weight · f(x) − price · x.
    pub(crate) fn best(&self, weight: f64, price: f64) -> Best {
        let (low, high) = match &self.envelope {
            Some(envelope) if weight > 0.0 && price > 0.0 => {
                if self.step > 0.0 {
                    return self.best_on_grid(envelope, weight, price);
                }
                let demand = envelope.demand(price / weight);
                (demand.low, demand.high)
            }
            _ if price > 0.0 => (self.from, self.from),
            Some(_) if weight > 0.0 => (self.to, self.to),
            _ if price < 0.0 => (self.to, self.to),
            _ => (self.from, self.to),
        };
        let worth = |x: f64| self.worth(weight, price, x);
        Best { worth: worth(low).max(worth(high)), low, high }
    }

    fn worth(&self, weight: f64, price: f64, x: f64) -> f64 {
        let response = if weight > 0.0 { weight * self.response(x) } else { 0.0 };
        response - price * x
    }

    /// On every piece of one curvature the best multiple lies next to the best spend, or at an end.
    fn best_on_grid(&self, envelope: &Envelope<'a>, weight: f64, price: f64) -> Best {
        let mut best = Best { worth: f64::NEG_INFINITY, low: self.from, high: self.from };
        let mut try_at = |x: f64| {
            let worth = self.worth(weight, price, x);
            if worth > best.worth {
                best = Best { worth, low: x, high: x };
            }
        };
        try_at(self.from);
        try_at(self.to);
        for piece in envelope.pieces() {
            let (from, to) = (grid_above(piece.from, self.step), grid_below(piece.to, self.step));
            if from > to {
                continue;
            }
            try_at(from);
            try_at(to);
            if piece.curvature == Curvature::Concave {
                let x = envelope.on_arc(price / weight, piece.from, piece.to);
                try_at(grid_below(x, self.step).clamp(from, to));
                try_at(grid_above(x, self.step).clamp(from, to));
            }
        }
        best
    }
}

/// The largest multiple of `step` at or below x, but for rounding.
pub(crate) fn grid_below(x: f64, step: f64) -> f64 {
    let near = (x / step).round();
    if (near * step - x).abs() <= 1e-9 * step.max(1e-6 * x.abs()) {
        near * step
    } else {
        (x / step).floor() * step
    }
}

/// The smallest multiple of `step` at or above x, but for rounding.
pub(crate) fn grid_above(x: f64, step: f64) -> f64 {
    let near = (x / step).round();
    if (near * step - x).abs() <= 1e-9 * step.max(1e-6 * x.abs()) {
        near * step
    } else {
        (x / step).ceil() * step
    }
}

pub(crate) fn on_grid(x: f64, step: f64) -> bool {
    (x - (x / step).round() * step).abs() <= 1e-9 * step.max(1e-6 * x.abs())
}

impl Problem {
    /// What arm i may spend, from the least to the most; empty where its own limits exclude each other. `most` is the
    /// largest spend that the limits of all arms together leave it.
    pub(crate) fn stretches(&self, i: usize, most: f64) -> Vec<Stretch<'_>> {
        let arm = self.curves.set.arm(i);
        let mut allowed = self.intervals(i, &arm, most);
        let (cost, move_cost) = (self.activation_cost.at(i), self.move_cost.at(i));
        let current = self.current.as_ref().map(|current| current[i]);
        // Cut where something changes.
        if cost > 0.0 || self.max_active.is_some() {
            cut_out(&mut allowed, 0.0);
        }
        if let Some(current) = current.filter(|_| self.max_moves.is_some()) {
            cut_out(&mut allowed, current);
        } else if let Some(current) = current.filter(|_| move_cost > 0.0) {
            cut(&mut allowed, current);
        }
        let observed = self.curves.observed(i);
        let penalty = match (self.extrapolation, observed) {
            (Some(Extrapolation::Penalty(penalty)), Some((_, high))) if penalty > 0.0 => {
                cut(&mut allowed, high);
                Some((penalty, high))
            }
            _ => None,
        };
        let step = self.step.at(i);
        let stretches = allowed.into_iter().filter_map(|(from, to)| {
            let (from, to) =
                if step > 0.0 { (grid_above(from, step), grid_below(to, step)) } else { (from, to) };
            if from > to {
                return None;
            }
            let mut stretch = Stretch::new(Some(&arm), from, to);
            stretch.step = step;
            stretch.active = to > 0.0;
            stretch.moved = current.is_some_and(|current| from < current || to > current);
            if stretch.active {
                stretch.fixed += cost;
            }
            if let Some(current) = current.filter(|_| move_cost > 0.0) {
                let sign = if 0.5 * (from + to) >= current { 1.0 } else { -1.0 };
                stretch.rate += sign * move_cost;
                stretch.fixed -= sign * move_cost * current;
            }
            if let Some((penalty, high)) = penalty.filter(|penalty| from >= penalty.1) {
                stretch.rate += penalty;
                stretch.fixed -= penalty * high;
            }
            if self.objective != Objective::Response {
                stretch.rate += 1.0;
            }
            Some(stretch)
        });
        stretches.collect()
    }

    /// The intervals that the limits of arm i alone allow.
    fn intervals(&self, i: usize, arm: &Arm<'_>, most: f64) -> Vec<(f64, f64)> {
        let (domain_from, domain_to) = arm.domain();
        let (mut low, mut high) =
            (self.lower.at(i).max(domain_from), self.upper.at(i).min(most).min(domain_to));
        if let Some(current) = self.current.as_ref().map(|current| current[i]) {
            let share = self.max_change.at(i);
            if share.is_finite() {
                low = low.max(current * (1.0 - share));
                high = high.min(current * (1.0 + share));
            }
            let amount = self.max_change_amount.at(i);
            if amount.is_finite() {
                low = low.max(current - amount);
                high = high.min(current + amount);
            }
        }
        if let (Some(Extrapolation::Cap), Some((_, observed))) = (self.extrapolation, self.curves.observed(i))
        {
            high = high.min(observed);
        }
        let active = self.active_lower.at(i);
        let mut allowed = Vec::new();
        if active > 0.0 && low < active {
            if low <= 0.0 && high >= 0.0 {
                allowed.push((0.0, 0.0));
            }
            low = active;
        }
        if low <= high {
            allowed.push((low, high));
        }
        if let Some(Target::MarginalRoas(floor)) = self.target {
            allowed = self.worth_the_floor(i, arm, floor, allowed);
        }
        allowed
    }

    /// The parts of the intervals on which v f′ ≥ r, and the lower bound.
    fn worth_the_floor(
        &self,
        i: usize,
        arm: &Arm<'_>,
        floor: f64,
        allowed: Vec<(f64, f64)>,
    ) -> Vec<(f64, f64)> {
        let Some(&(least, _)) = allowed.first() else { return allowed };
        let value = self.value.at(i);
        let mut kept: Vec<(f64, f64)> = vec![(least, least)];
        for (from, to) in allowed {
            let mut spans =
                if from < to { super::slope_spans::above(arm, floor / value, from, to) } else { Vec::new() };
            if !(value > 0.0) {
                spans.clear();
                if floor <= 0.0 {
                    spans.push((from, to));
                }
            } else if from >= to && value * arm.slope(from) >= floor {
                spans.push((from, from));
            }
            for (from, to) in spans {
                match kept.last_mut() {
                    Some(last) if from <= last.1 => last.1 = last.1.max(to),
                    _ => kept.push((from, to)),
                }
            }
        }
        kept
    }
}

/// Splits the interval that has x inside.
fn cut(intervals: &mut Vec<(f64, f64)>, x: f64) {
    if let Some(at) = intervals.iter().position(|&(from, to)| from < x && x < to) {
        let (from, to) = intervals[at];
        intervals.splice(at..=at, [(from, x), (x, to)]);
    }
}

/// Splits the interval that holds x, and makes x an interval of its own.
fn cut_out(intervals: &mut Vec<(f64, f64)>, x: f64) {
    let near = |x: f64, y: f64| (x - y).abs() <= 1e-12 * y.abs();
    let holds = |&(from, to): &(f64, f64)| (from < x || near(from, x)) && (x < to || near(to, x));
    if let Some(at) = intervals.iter().position(holds) {
        let (from, to) = intervals[at];
        let mut parts = Vec::new();
        if from < x && !near(from, x) {
            parts.push((from, x));
        }
        parts.push((x, x));
        if x < to && !near(to, x) {
            parts.push((x, to));
        }
        intervals.splice(at..=at, parts);
    }
}
