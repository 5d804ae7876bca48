//! Response curves: what a spend brings.

use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, Result};

mod adstock;
pub(crate) mod arm;
mod build;
pub(crate) mod carry_over;
pub(crate) mod column;
mod columns;
pub(crate) mod draws;
pub(crate) mod envelope;
pub(crate) mod hill;
pub(crate) mod json;
pub(crate) mod kind;
pub(crate) mod mixture;
mod observed;
pub(crate) mod parameter;
mod price;
mod priced;
pub(crate) mod readers;
mod rising;
pub(crate) mod shape;
pub(crate) mod table;

pub(crate) use arm::Arm;
use arm::{Curvature, Form, Piece};
use column::Column;
use kind::Kind;
use mixture::Mixture;
pub(crate) use parameter::Parameter;
use price::Price;
use priced::Prices;
use table::Table;

/// The response curves of `n` arms, of any mix of families, with or without posterior draws.
///
/// | constructor | f(x) | shape |
/// | --- | --- | --- |
/// | [`linear`](Self::linear) | β x | linear |
/// | [`logarithmic`](Self::logarithmic) | β ln(1 + x/k) | concave |
/// | [`power`](Self::power) | β xᵖ | concave |
/// | [`exponential`](Self::exponential) | β (1 − e^{−x/k}) | concave |
/// | [`michaelis_menten`](Self::michaelis_menten) | β x/(k + x) | concave |
/// | [`hill`](Self::hill) | β xˢ/(kˢ + xˢ) | concave for s ≤ 1, S-shaped for s > 1 |
/// | [`logistic`](Self::logistic) | β (1 − e^{−λx})/(1 + e^{−λx}) | concave |
/// | [`tanh`](Self::tanh) | b tanh(x/(b c)) | concave |
/// | [`hill_sigmoid`](Self::hill_sigmoid) | σ/(1 + e^{−β(x−λ)}) − σ/(1 + e^{βλ}) | S-shaped |
/// | [`tabulated`](Self::tabulated) | straight lines through given points | any nondecreasing |
///
/// x is spend (money). [`with_cost_per_unit`](Self::with_cost_per_unit) puts units (exposures) between spend
/// and response, [`with_offset`](Self::with_offset) a carry-over that is there without spend,
/// [`with_value_per_response`](Self::with_value_per_response) a factor on the response:
///
/// ```text
/// response(x) = value_per_response · [ F(x / cost_per_unit + offset) − F(offset) ]
/// ```
///
/// with [`with_price_power`](Self::with_price_power) and [`with_price_tiers`](Self::with_price_tiers) the price of a unit
/// rises with the spend. A curve with draws is the mean of its draws. Cloning is cheap: the parameters are shared.
///
/// # Examples
/// ```
/// use adflow_core::ResponseCurves;
///
/// let curves = ResponseCurves::concat(&[
///     ResponseCurves::hill([120.0, 80.0], [5.0, 9.0], 2.0)?,
///     ResponseCurves::michaelis_menten(60.0, 4.0)?,
/// ])?
/// .with_names(["search", "video", "social"])?;
/// assert_eq!(curves.response(&[5.0, 9.0, 4.0])?, [60.0, 40.0, 30.0]);
/// # Ok::<(), adflow_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ResponseCurves {
    pub(crate) set: Arc<Set>,
}

/// The arms, side by side.
#[derive(Debug, Clone)]
pub(crate) struct Set {
    pub(crate) arms: usize,
    pub(crate) families: Families,
    pub(crate) parameters: [Column; 3],
    pub(crate) cost: Column,
    pub(crate) offset: Column,
    /// F(offset) where it is taken off, else 0.
    pub(crate) baseline: Column,
    /// 1 where F(offset) stays in the response, else 0.
    pub(crate) keeps_offset: Column,
    pub(crate) value: Column,
    pub(crate) mixtures: Vec<Mixture>,
    pub(crate) tables: Vec<Table>,
    pub(crate) names: Option<Vec<String>>,
    /// Smallest and largest spend that each curve was fitted on; (0, ∞) where that is not known.
    pub(crate) observed: Option<Vec<(f64, f64)>>,
    /// Prices that rise with the spend, and the arms before them; all else here is what they made of the arms.
    pub(crate) prices: Option<Arc<Prices>>,
}

/// The family of every arm.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Families {
    All(Kind),
    Each(Vec<Family>),
}

/// The family of one arm, or where its own data stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Family {
    Shape(Kind),
    Mixture(u32),
    Table(u32),
}

/// Equal are sets with equal arms, whichever way their parameters are stored.
impl PartialEq for Set {
    fn eq(&self, other: &Self) -> bool {
        let keeps = |set: &Self, arm: usize| set.keeps_offset.at(arm) > 0.0;
        let same = |arm| self.arm(arm) == other.arm(arm) && keeps(self, arm) == keeps(other, arm);
        self.arms == other.arms
            && self.names == other.names
            && self.observed == other.observed
            && self.prices == other.prices
            && (0..self.arms).all(same)
    }
}

impl Set {
    #[inline]
    pub(crate) fn family(&self, arm: usize) -> Family {
        match &self.families {
            Families::All(kind) => Family::Shape(*kind),
            Families::Each(families) => families[arm],
        }
    }

    /// The longest run of arms from `range.start` on that share one family of shapes.
    pub(crate) fn run(&self, range: Range<usize>) -> (Family, Range<usize>) {
        let family = self.family(range.start);
        let end = match (&self.families, family) {
            (Families::All(_), _) => range.end,
            (Families::Each(families), Family::Shape(_)) => {
                range.start + families[range.clone()].iter().take_while(|&&other| other == family).count()
            }
            (Families::Each(_), _) => range.start + 1,
        };
        (family, range.start..end)
    }

    #[inline]
    pub(crate) fn arm(&self, arm: usize) -> Arm<'_> {
        let form = match self.family(arm) {
            Family::Shape(kind) => {
                let [a, b, c] = &self.parameters;
                Form::Shape(kind, [a.at(arm), b.at(arm), c.at(arm)])
            }
            Family::Mixture(at) => Form::Mixture(&self.mixtures[at as usize]),
            Family::Table(at) => {
                let table = &self.tables[at as usize];
                table.rising.as_deref().map_or(Form::Table(table), Form::Mixture)
            }
        };
        Arm {
            form,
            cost: self.cost.at(arm),
            offset: self.offset.at(arm),
            baseline: self.baseline.at(arm),
            value: self.value.at(arm),
        }
    }

    /// The points of an arm that has some.
    pub(crate) fn table(&self, arm: usize) -> Option<&Table> {
        match self.family(arm) {
            Family::Table(at) => Some(&self.tables[at as usize]),
            Family::Shape(_) | Family::Mixture(_) => None,
        }
    }

    /// The arm as a sentence names it.
    pub(crate) fn label(&self, arm: usize) -> String {
        match &self.names {
            Some(names) => names[arm].clone(),
            None => format!("arm {arm}"),
        }
    }
}

impl ResponseCurves {
    /// Number of arms.
    #[must_use]
    pub fn len(&self) -> usize {
        self.set.arms
    }

    /// Never true: a set holds at least one arm.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set.arms == 0
    }

    /// The arms' names, where they have any.
    #[must_use]
    pub fn names(&self) -> Option<&[String]> {
        self.set.names.as_deref()
    }

    /// Number of posterior draws: 1 where the curves are certain.
    #[must_use]
    pub fn draws(&self) -> usize {
        let mixtures = self.set.mixtures.iter().map(|mixture| mixture.draws);
        let tables = self.set.tables.iter().map(|table| table.draws.len());
        mixtures.chain(tables).max().unwrap_or(1)
    }

    /// Response of every arm at its spend: `spend` holds one row of `len()` spends (money), or several.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] unless `spend` is a whole number of rows; [`Error::NotFinite`] and
    /// [`Error::OutOfDomain`] for a spend that is NaN, infinite, negative, above 1e60, or outside a table's points.
    pub fn response(&self, spend: &[f64]) -> Result<Vec<f64>> {
        self.evaluate(spend, |arm, x| arm.response(x))
    }

    /// Derivative of every arm's response at its spend (response per money); +∞ where the curve rises vertically.
    ///
    /// # Errors
    /// As [`response`](Self::response).
    pub fn marginal_response(&self, spend: &[f64]) -> Result<Vec<f64>> {
        self.evaluate(spend, |arm, x| arm.slope(x))
    }

    fn evaluate(&self, spend: &[f64], at: impl Fn(&Arm<'_>, f64) -> f64) -> Result<Vec<f64>> {
        let arms = self.len();
        if spend.is_empty() || !spend.len().is_multiple_of(arms) {
            return Err(Error::LengthMismatch { field: "spend".into(), expected: arms, actual: spend.len() });
        }
        spend
            .iter()
            .enumerate()
            .map(|(position, &x)| {
                let arm = self.set.arm(position % arms);
                check_spend(&arm, x, || format!("spend[{position}]"))?;
                Ok(at(&arm, x))
            })
            .collect()
    }

    /// Response of every arm in every draw: rows are draws.
    ///
    /// # Errors
    /// As [`response`](Self::response), for one row of spends.
    pub fn response_draws(&self, spend: &[f64]) -> Result<Vec<f64>> {
        if spend.len() != self.len() {
            return Err(Error::LengthMismatch {
                field: "spend".into(),
                expected: self.len(),
                actual: spend.len(),
            });
        }
        let mean = self.response(spend)?;
        let mut responses = Vec::with_capacity(self.draws() * self.len());
        for draw in 0..self.draws() {
            for (i, &x) in spend.iter().enumerate() {
                let arm = self.set.arm(i);
                let raw = match arm.form {
                    Form::Mixture(mixture) if mixture.draws > 1 => mixture.draw_value(draw, x),
                    Form::Table(table) if table.draws.len() > 1 => table.draw_value(draw, x),
                    _ => {
                        responses.push(mean[i]);
                        continue;
                    }
                };
                let baseline = match arm.form {
                    _ if self.set.keeps_offset.at(i) > 0.0 => 0.0,
                    // As for the mean: a table starts where its points say, but for what an offset takes off.
                    _ if self
                        .set
                        .table(i)
                        .is_some_and(|table| table.offset <= 0.0 || table.domain().0 > 0.0) =>
                    {
                        0.0
                    }
                    Form::Mixture(mixture) => mixture.draw_value(draw, 0.0),
                    Form::Table(table) => table.draw_value(draw, 0.0),
                    Form::Shape(..) => arm.baseline,
                };
                responses.push(arm.value * (raw - baseline));
            }
        }
        Ok(responses)
    }

    /// The spend on the concave part of each curve at which its marginal response is the one given
    /// (response per money, > 0): 0 where the curve is never that steep, +∞ where it is steeper at any spend.
    ///
    /// Tables, whose slope jumps, answer with the largest point up to which a line is at least that steep.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`], [`Error::NotFinite`], and [`Error::OutOfDomain`] for a marginal response ≤ 0.
    pub fn inverse_marginal_response(&self, marginal: &[f64]) -> Result<Vec<f64>> {
        if marginal.len() != self.len() {
            return Err(Error::LengthMismatch {
                field: "marginal".into(),
                expected: self.len(),
                actual: marginal.len(),
            });
        }
        marginal
            .iter()
            .enumerate()
            .map(|(i, &m)| {
                let field = || format!("marginal[{i}]");
                if !m.is_finite() {
                    return Err(Error::NotFinite { field: field(), value: m });
                }
                if m <= 0.0 {
                    return Err(Error::out_of_domain(field(), "above 0", m));
                }
                Ok(inverse_marginal(&self.set.arm(i), m))
            })
            .collect()
    }

    /// Where each curve stops being convex (spend, money): 0 for concave curves; for a mean of draws the
    /// last of the draws' inflections; NaN for tables, which may bend anywhere.
    #[must_use]
    pub fn inflection(&self) -> Vec<f64> {
        (0..self.len()).map(|i| self.set.arm(i).inflection()).collect()
    }

    /// The smallest concave curve above each arm's response on `[lower, upper]`, as the points between
    /// which it is straight.
    ///
    /// # Errors
    /// [`Error::OutOfDomain`] and [`Error::LowerAboveUpper`] for an interval outside the curve's domain,
    /// [`Error::LengthMismatch`] unless `arm < len()`.
    pub fn concave_envelope(&self, arm: usize, lower: f64, upper: f64) -> Result<ConcaveEnvelope> {
        if arm >= self.len() {
            return Err(Error::out_of_domain("arm", format!("below {}", self.len()), arm));
        }
        let curve = self.set.arm(arm);
        check_spend(&curve, lower, || "lower".into())?;
        check_spend(&curve, upper, || "upper".into())?;
        if lower > upper {
            return Err(Error::LowerAboveUpper { arm: self.set.label(arm), lower, upper });
        }
        let envelope = envelope::Envelope::new(&curve, 1.0, lower, upper, None);
        Ok(ConcaveEnvelope { chords: envelope.chords().collect() })
    }

    /// The arms of a range as a set of their own.
    ///
    /// # Errors
    /// [`Error::OutOfDomain`] for an empty range or one that reaches past the last arm.
    pub fn slice(&self, range: Range<usize>) -> Result<Self> {
        if range.is_empty() || range.end > self.len() {
            let expected = format!("a range of arms inside 0..{}", self.len());
            return Err(Error::out_of_domain("range", expected, format!("{range:?}")));
        }
        Ok(Self { set: Arc::new(self.set.slice(range)) })
    }
}

/// The smallest concave curve above a response curve on an interval: it follows the curve but for
/// straight chords.
#[derive(Debug, Clone, PartialEq)]
pub struct ConcaveEnvelope {
    /// The chords, left to right: (from, to, slope). From and to are spends (money).
    pub chords: Vec<(f64, f64, f64)>,
}

pub(crate) fn check_spend(arm: &Arm<'_>, x: f64, field: impl Fn() -> String) -> Result<()> {
    if !x.is_finite() {
        return Err(Error::NotFinite { field: field(), value: x });
    }
    let (low, high) = arm.domain();
    // Larger spends are senseless, and lead to ∞ − ∞ in some families.
    if x < low || x > high || x > 1e60 {
        let expected = if high.is_finite() {
            format!("from {low} to {high}, the points of its table")
        } else {
            "from 0 to 1e60".into()
        };
        return Err(Error::out_of_domain(field(), expected, x));
    }
    Ok(())
}

fn inverse_marginal(arm: &Arm<'_>, m: f64) -> f64 {
    match arm.form {
        Form::Shape(..) => {
            let from = arm.inflection();
            if arm.slope(from) > m { arm.demand(m, from, f64::INFINITY) } else { 0.0 }
        }
        Form::Mixture(mixture) if mixture.kind == Kind::Ramp => {
            let (from, to) = arm.domain();
            let mut reached = arm.pieces(from, to).into_iter().rev().filter_map(|piece| {
                let x = match piece.curvature {
                    Curvature::Concave => arm.demand(m, piece.from, piece.to),
                    _ if arm.slope(0.5 * (piece.from + piece.to)) >= m => piece.to,
                    _ => piece.from,
                };
                (x > piece.from).then_some(x)
            });
            reached.next().unwrap_or(from)
        }
        Form::Mixture(mixture) => {
            let from = arm.inflection();
            if arm.slope(from) <= m {
                if mixture.price() == Price::Fixed {
                    return 0.0;
                }
                // Behind a rising price a curve is concave before it is convex.
                let falls_past = |piece: &&Piece| {
                    piece.curvature == Curvature::Concave
                        && arm.slope(piece.from) > m
                        && arm.slope(piece.to) <= m
                };
                let pieces = if from > 0.0 { arm.pieces(0.0, from) } else { Vec::new() };
                return pieces
                    .iter()
                    .rfind(falls_past)
                    .map_or(0.0, |piece| arm.demand(m, piece.from, piece.to));
            }
            let mut to = if from > 0.0 { 2.0 * from } else { 1.0 };
            while arm.slope(to) > m {
                to *= 2.0;
                if to > 1e300 {
                    return f64::INFINITY;
                }
            }
            arm.demand(m, from, to)
        }
        Form::Table(table) => {
            let (from, to) = table.domain();
            let mut reached = from;
            let mut left = from;
            for knot in table.knots(from, to).chain([to]) {
                if arm.slope(0.5 * (left + knot)) >= m {
                    reached = knot;
                }
                left = knot;
            }
            reached
        }
    }
}
