//! A problem after the door: every number in it has been checked, and what follows from it is at hand.

use std::ops::Range;

use super::goal::{Extrapolation, Risk};
use super::problem::Problem;
use crate::curve::arm::{Arm, Curvature};
use crate::curve::column::Column;
use crate::curve::envelope::Envelope;
use crate::curve::kind::Kind;
use crate::curve::{Family, Set};
use crate::error::{Error, Infeasibility, Limit, Result};

/// One checked problem over a range of the arms of a set.
#[derive(Clone)]
pub(crate) struct Checked<'a> {
    pub(crate) set: &'a Set,
    pub(crate) range: Range<usize>,
    pub(crate) lower: &'a Column,
    pub(crate) upper: &'a Column,
    /// Smallest spend of an arm that spends at all; 0 where there is none.
    pub(crate) active: &'a Column,
    pub(crate) value: &'a Column,
    /// +∞ where there is no budget.
    pub(crate) budget: f64,
    pub(crate) spend_all: bool,
    pub(crate) total_lower: f64,
    /// budget − Σ lower.
    pub(crate) room: f64,
}

impl Problem {
    /// Checks what holds for all arms, whatever the budget.
    pub(crate) fn check_arms(&self) -> Result<()> {
        let set = &*self.curves.set;
        let n = set.arms;
        let length = |field: &str, column: &Column| match column {
            Column::Each(values) if values.len() != n => {
                Err(Error::LengthMismatch { field: field.into(), expected: n, actual: values.len() })
            }
            _ => Ok(()),
        };
        length("lower", &self.lower)?;
        length("upper", &self.upper)?;
        length("active_lower", &self.active_lower)?;
        length("value", &self.value)?;
        length("activation_cost", &self.activation_cost)?;
        length("max_change", &self.max_change)?;
        length("max_change_amount", &self.max_change_amount)?;
        length("move_cost", &self.move_cost)?;
        length("step", &self.step)?;
        let each = |field: &str, column: &Column, infinite: bool| {
            let bad = |x: f64| !((0.0..=1e60).contains(&x) || infinite && x.is_infinite() && x > 0.0);
            let (at, value) = match column {
                Column::Same(value) if bad(*value) => (None, *value),
                Column::Same(_) => return Ok(()),
                Column::Each(values) => match values.iter().position(|&value| bad(value)) {
                    None => return Ok(()),
                    Some(at) => (Some(at), values[at]),
                },
            };
            let field = at.map_or(field.to_string(), |at| format!("{field}[{at}]"));
            if value.is_finite() {
                Err(Error::out_of_domain(field, "from 0 to 1e60", value))
            } else {
                Err(Error::NotFinite { field, value })
            }
        };
        each("lower", &self.lower, false)?;
        each("upper", &self.upper, true)?;
        each("active_lower", &self.active_lower, false)?;
        each("value", &self.value, false)?;
        each("activation_cost", &self.activation_cost, false)?;
        each("max_change", &self.max_change, true)?;
        each("max_change_amount", &self.max_change_amount, true)?;
        each("move_cost", &self.move_cost, false)?;
        each("step", &self.step, false)?;
        self.check_moves()?;
        self.check_goals()?;
        if let Some(current) = &self.current {
            if current.len() != n {
                let field = "current".into();
                return Err(Error::LengthMismatch { field, expected: n, actual: current.len() });
            }
            for (i, &x) in current.iter().enumerate() {
                crate::curve::check_spend(&set.arm(i), x, || format!("current[{i}]"))?;
            }
        }
        if !(1e-15..1.0).contains(&self.tolerance) {
            return Err(Error::out_of_domain("tolerance", "from 1e-15 to below 1", self.tolerance));
        }
        if let Some(limit) = self.time_limit.filter(|limit| !(*limit >= 0.0)) {
            return Err(Error::out_of_domain("time_limit", "at least 0 seconds", limit));
        }
        // Bounds of each arm against each other, only where there is more than one number to compare.
        let plain = matches!(
            (&self.lower, &self.upper, &self.active_lower),
            (Column::Same(l), Column::Same(u), Column::Same(a)) if l <= u && *a <= 0.0
        ) && set.tables.is_empty();
        if plain {
            return Ok(());
        }
        (0..n).try_for_each(|i| self.check_bounds(i))
    }

    /// What is said about moves needs the spends that are moved from.
    fn check_moves(&self) -> Result<()> {
        let any = |column: &Column, none: f64| match column {
            Column::Same(value) => value.to_bits() != none.to_bits(),
            Column::Each(values) => values.iter().any(|value| value.to_bits() != none.to_bits()),
        };
        let asked = [
            ("max_change", any(&self.max_change, f64::INFINITY)),
            ("max_change_amount", any(&self.max_change_amount, f64::INFINITY)),
            ("max_moves", self.max_moves.is_some()),
            ("move_cost", any(&self.move_cost, 0.0)),
        ];
        match asked.iter().find(|asked| asked.1) {
            Some((field, _)) if self.current.is_none() => {
                let expected = format!("given where `{field}` is: the spends that are moved from");
                Err(Error::out_of_domain("current", expected, "nothing"))
            }
            _ => Ok(()),
        }
    }

    fn check_goals(&self) -> Result<()> {
        let level = |field: String, least: f64, most: f64, expected: &str, value: f64| {
            if !value.is_finite() {
                return Err(Error::NotFinite { field, value });
            }
            match (least..=most).contains(&value) {
                true => Ok(()),
                false => Err(Error::out_of_domain(field, expected, value)),
            }
        };
        if let Some(target) = self.target {
            level(format!("target.{}", target.as_str()), 0.0, 1e60, "from 0 to 1e60", target.level())?;
        }
        if let Some(risk) = self.risk {
            let field = format!("risk.{}", risk.as_str());
            match risk {
                Risk::Cvar(share) => level(field, f64::MIN_POSITIVE, 1.0, "above 0 and at most 1", share)?,
                Risk::MeanMinusStd(weight) => level(field, 0.0, 1e6, "from 0 to 1e6", weight)?,
                Risk::Probability(target) => level(field, 0.0, 1e60, "from 0 to 1e60", target)?,
            }
        }
        if let Some(Extrapolation::Penalty(penalty)) = self.extrapolation {
            level("extrapolation".into(), 0.0, 1e60, "\"cap\", or from 0 to 1e60", penalty)?;
        }
        if let Some(budget) = self.budget {
            level("budget".into(), 0.0, 1e60, "from 0 to 1e60", budget)?;
        }
        Ok(())
    }

    fn check_bounds(&self, i: usize) -> Result<()> {
        let set = &*self.curves.set;
        let (lower, upper, active) = (self.lower.at(i), self.upper.at(i), self.active_lower.at(i));
        if lower > upper {
            return Err(Error::LowerAboveUpper { arm: set.label(i), lower, upper });
        }
        if active > 0.0 {
            if lower > 0.0 {
                let expected = "0 where the arm may also spend nothing (`active_lower`)";
                return Err(Error::out_of_domain(format!("lower[{i}]"), expected, lower));
            }
            if active > upper {
                return Err(Error::LowerAboveUpper { arm: set.label(i), lower: active, upper });
            }
        }
        let (from, to) = set.arm(i).domain();
        let stated = |x: f64| x > 0.0 && x.is_finite();
        if lower < from || stated(lower) && lower > to {
            let expected = format!("from {from} to {to}, the points of its table");
            return Err(Error::out_of_domain(format!("lower[{i}]"), expected, lower));
        }
        if stated(upper) && upper > to {
            let expected = format!("from {from} to {to}, the points of its table");
            return Err(Error::out_of_domain(format!("upper[{i}]"), expected, upper));
        }
        Ok(())
    }

    /// Checks one budget over a range of arms; `field` is what the budget is called.
    pub(crate) fn check_budget(
        &self,
        budget: Option<f64>,
        range: Range<usize>,
        field: impl Fn() -> String,
    ) -> Result<Checked<'_>> {
        let set = &*self.curves.set;
        if let Some(budget) = budget {
            if !budget.is_finite() {
                return Err(Error::NotFinite { field: field(), value: budget });
            }
            if !(0.0..=1e60).contains(&budget) {
                return Err(Error::out_of_domain(field(), "from 0 to 1e60", budget));
            }
        } else if self.spend_all {
            return Err(Error::out_of_domain("spend_all", "false where there is no budget", true));
        }
        #[allow(clippy::cast_precision_loss, reason = "a count")]
        let count = range.len() as f64;
        let sum = |column: &Column| match column {
            Column::Same(value) => value * count,
            Column::Each(values) => values[range.clone()].iter().sum(),
        };
        let total_lower = sum(&self.lower);
        let total = budget.unwrap_or(f64::INFINITY);
        let checked = Checked {
            set,
            lower: &self.lower,
            upper: &self.upper,
            active: &self.active_lower,
            value: &self.value,
            budget: total,
            spend_all: self.spend_all,
            total_lower,
            room: total - total_lower,
            range: range.clone(),
        };
        // A sum of bounds that equals the budget but for rounding is the budget.
        let rounding = 1e-12 * total.min(1e60);
        if total_lower > total + rounding {
            return Err(checked.too_little());
        }
        let open_ended = |i: &usize| checked.cap(*i).is_infinite();
        if let Some(i) = (0..if budget.is_none() { range.len() } else { 0 }).find(open_ended) {
            let field = format!("upper[{}]", range.start + i);
            return Err(Error::out_of_domain(field, "finite where there is no budget", f64::INFINITY));
        }
        if self.spend_all {
            let most: f64 = checked.total_upper();
            if most < total - rounding {
                return Err(checked.too_much(most));
            }
        }
        let room = checked.room.max(0.0);
        Ok(Checked { room, ..checked })
    }
}

impl<'a> Checked<'a> {
    pub(crate) fn len(&self) -> usize {
        self.range.len()
    }

    #[inline]
    pub(crate) fn arm(&self, i: usize) -> Arm<'a> {
        self.set.arm(self.range.start + i)
    }

    #[inline]
    pub(crate) fn lower(&self, i: usize) -> f64 {
        self.lower.at(self.range.start + i)
    }

    /// Stated upper bound, or the end of the arm's table.
    #[inline]
    pub(crate) fn upper(&self, i: usize) -> f64 {
        let stated = self.upper.at(self.range.start + i);
        match self.set.family(self.range.start + i) {
            Family::Table(_) => stated.min(self.arm(i).domain().1),
            _ => stated,
        }
    }

    /// Σ upper.
    pub(crate) fn total_upper(&self) -> f64 {
        match self.upper {
            Column::Same(upper) if upper.is_infinite() && self.set.tables.is_empty() => f64::INFINITY,
            _ => (0..self.len()).map(|i| self.upper(i)).sum(),
        }
    }

    #[inline]
    pub(crate) fn active(&self, i: usize) -> f64 {
        self.active.at(self.range.start + i)
    }

    #[inline]
    pub(crate) fn weight(&self, i: usize) -> f64 {
        self.value.at(self.range.start + i)
    }

    /// The most the arm can spend within its bound and the budget.
    #[inline]
    pub(crate) fn cap(&self, i: usize) -> f64 {
        self.upper(i).min(self.lower(i) + self.room)
    }

    /// Calls `body` with every run of arms of one family in the range.
    #[inline]
    pub(crate) fn runs(&self, range: Range<usize>, mut body: impl FnMut(Family, Range<usize>)) {
        let start = self.range.start;
        let mut rest = start + range.start..start + range.end;
        while !rest.is_empty() {
            let (family, run) = self.set.run(rest.clone());
            rest.start = run.end;
            body(family, run.start - start..run.end - start);
        }
    }

    /// Whether an arm of this run may jump.
    pub(crate) fn may_jump(&self, kind: Kind, run: Range<usize>) -> bool {
        let none_active = matches!(self.active, Column::Same(active) if *active <= 0.0);
        !none_active
            || match kind {
                Kind::Linear | Kind::HillSigmoid => true,
                Kind::Hill | Kind::Power => run.into_iter().any(|i| {
                    let parameters = &self.set.parameters;
                    let bend = parameters[if kind == Kind::Hill { 2 } else { 1 }].at(self.range.start + i);
                    bend >= 1.0
                }),
                _ => false,
            }
    }

    /// Whether every arm of the chunk starts at no spend, no response, and may take any spend from there.
    pub(crate) fn starts_at_zero(&self, chunk: Range<usize>) -> bool {
        let own = self.range.start + chunk.start..self.range.start + chunk.end;
        let zero = |column: &Column| match column {
            Column::Same(value) => *value <= 0.0,
            Column::Each(values) => values[own.clone()].iter().all(|&value| value <= 0.0),
        };
        zero(self.lower) && zero(self.active) && zero(&self.set.offset)
    }

    /// Whether the arm's curve is one straight line.
    pub(crate) fn is_straight(&self, i: usize) -> bool {
        let arm = self.arm(i);
        matches!(arm.pieces(0.0, 1.0)[..], [piece] if piece.curvature == Curvature::Linear)
    }

    /// The envelope of the arm's value on its allowed spends within the budget.
    pub(crate) fn envelope(&self, i: usize) -> Envelope<'a> {
        let (lower, cap, active) = (self.lower(i), self.cap(i), self.active(i));
        // An arm whose minimum the budget cannot pay spends nothing.
        let cap = if active > cap { lower } else { cap };
        Envelope::new(&self.arm(i), self.weight(i), lower, cap, Some(active).filter(|&active| active > 0.0))
    }

    /// The one jump of a smooth arm: (slope of its chord, where the chord ends). A concave arm leaves its lower bound at its
    /// slope there.
    pub(crate) fn jump(&self, i: usize) -> (f64, f64) {
        let (lower, cap, active) = (self.lower(i), self.cap(i), self.active(i));
        if active > cap || cap <= lower {
            // It can spend nothing but its lower bound.
            return (0.0, lower);
        }
        if active <= 0.0 && !self.is_straight(i) && self.arm(i).is_concave(lower) {
            return (self.weight(i) * self.arm(i).slope(lower), lower);
        }
        let envelope = self.envelope(i);
        let slope = envelope.slope(lower);
        envelope.chords().map(|(_, to, chord)| (chord, to)).next().unwrap_or((slope, lower))
    }

    /// The same arms on another budget, which has been checked.
    pub(crate) fn on_budget(&self, budget: f64) -> Self {
        Self { budget, room: (budget - self.total_lower).max(0.0), ..self.clone() }
    }

    pub(crate) fn limit(&self, limit: &'static str, i: usize, bound: f64) -> Limit {
        let arm = self.range.start + i;
        let name = self.set.names.as_ref().map(|names| names[arm].clone());
        Limit { limit, arm: Some(arm), name, bound }
    }

    /// The lower bounds ask for more than the budget: the fewest of them that do.
    fn too_little(&self) -> Error {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by(|&a, &b| self.lower(b).total_cmp(&self.lower(a)));
        let mut conflict = vec![self.budget_limit()];
        let mut sum = 0.0;
        for i in order {
            conflict.push(self.limit("lower", i, self.lower(i)));
            sum += self.lower(i);
            if sum > self.budget {
                break;
            }
        }
        let most: f64 = self.total_upper();
        Error::Infeasible(Box::new(Infeasibility {
            budget: self.budget,
            conflict,
            feasible_budget: Some((self.total_lower, most)),
            nearest: (None, Some(self.total_lower)),
            feasible_target: None,
        }))
    }

    /// All upper bounds together leave a part of the budget that must be spent.
    fn too_much(&self, most: f64) -> Error {
        let uppers = (0..self.len()).map(|i| self.limit("upper", i, self.upper(i)));
        Error::Infeasible(Box::new(Infeasibility {
            budget: self.budget,
            conflict: [self.budget_limit()].into_iter().chain(uppers).collect(),
            feasible_budget: Some((self.total_lower, most)),
            nearest: (Some(most), None),
            feasible_target: None,
        }))
    }

    pub(crate) fn budget_limit(&self) -> Limit {
        Limit { limit: "budget", arm: None, name: None, bound: self.budget }
    }
}
