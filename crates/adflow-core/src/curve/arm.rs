//! One arm's curve in money: value, slope, and where it is convex or concave.

use super::kind::{Kind, with_shape};
use super::mixture::Mixture;
use super::price::Price;
use super::rising::search;
use super::shape::Shape;
use super::table::Table;

/// How a curve bends on an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curvature {
    Concave,
    Convex,
    Linear,
    /// Too thin to tell, and too thin to matter: the curve rises over it by its own rounding.
    Thin,
    /// No spend strictly inside is allowed.
    Hole,
}

/// An interval on which a curve bends one way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Piece {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) curvature: Curvature,
}

/// The curve of one arm:
///
/// ```text
/// f(x) = value · (F(x/cost + offset) − baseline)
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Arm<'a> {
    pub(crate) form: Form<'a>,
    pub(crate) cost: f64,
    pub(crate) offset: f64,
    pub(crate) baseline: f64,
    pub(crate) value: f64,
}

/// What F is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Form<'a> {
    Shape(Kind, [f64; 3]),
    /// Cost, offset and a rising price live in its elements.
    Mixture(&'a Mixture),
    /// Cost and offset live in the table.
    Table(&'a Table),
}

impl Arm<'_> {
    #[inline(always)]
    pub(crate) fn units(&self, x: f64) -> f64 {
        x / self.cost + self.offset
    }

    /// f(x).
    pub(crate) fn response(&self, x: f64) -> f64 {
        let raw = match self.form {
            Form::Shape(kind, p) => with_shape!(kind, S => S::new(p).value(self.units(x))),
            Form::Mixture(mixture) => mixture.value(x),
            Form::Table(table) => table.value(x),
        };
        self.value * (raw - self.baseline)
    }

    /// f′(x); +∞ where the curve rises vertically.
    pub(crate) fn slope(&self, x: f64) -> f64 {
        let raw = match self.form {
            Form::Shape(kind, p) => with_shape!(kind, S => S::new(p).slope(self.units(x))) / self.cost,
            Form::Mixture(mixture) => mixture.slope(x),
            Form::Table(table) => table.slope(x),
        };
        // 0 · ∞ is a worthless response, not an unknown one.
        if self.value > 0.0 { self.value * raw } else { 0.0 }
    }

    /// f″(x).
    pub(crate) fn curvature(&self, x: f64) -> f64 {
        let raw = match self.form {
            Form::Shape(kind, p) => {
                with_shape!(kind, S => S::new(p).curvature(self.units(x))) / self.cost / self.cost
            }
            Form::Mixture(mixture) => mixture.curvature(x),
            Form::Table(_) => 0.0,
        };
        if self.value > 0.0 { self.value * raw } else { 0.0 }
    }

    /// The x in [from, to], on which f is concave, that maximises f(x) − λ x.
    pub(crate) fn demand(&self, lambda: f64, from: f64, to: f64) -> f64 {
        if lambda <= 0.0 {
            return to;
        }
        let x = match self.form {
            Form::Shape(kind, p) => {
                let m = lambda * self.cost / self.value;
                let u = with_shape!(kind, S => S::new(p).inverse_slope(m));
                (u - self.offset) * self.cost
            }
            Form::Mixture(mixture) if mixture.price() != Price::Fixed => {
                return mixture.demand(lambda / self.value, from, to);
            }
            Form::Mixture(_) => return search(|x| self.slope(x), |x| self.curvature(x), lambda, from, to),
            Form::Table(_) => return if self.slope(0.5 * (from + to)) > lambda { to } else { from },
        };
        // NaN (value 0: m = ∞ or 0/0) means the arm is worth nothing.
        if x > from { x.min(to) } else { from }
    }

    /// Cuts [from, to] into pieces of one curvature each, left to right.
    pub(crate) fn pieces(&self, from: f64, to: f64) -> Vec<Piece> {
        let mut pieces = Vec::with_capacity(2);
        match self.form {
            Form::Shape(Kind::Linear, _) => {
                pieces.push(Piece { from, to, curvature: Curvature::Linear });
            }
            Form::Shape(Kind::Power, p) if p[1] >= 1.0 => {
                pieces.push(Piece { from, to, curvature: Curvature::Linear });
            }
            Form::Shape(..) => {
                let inflection = self.inflection().clamp(from, to);
                if inflection > from {
                    pieces.push(Piece { from, to: inflection, curvature: Curvature::Convex });
                }
                if to > inflection || pieces.is_empty() {
                    pieces.push(Piece { from: inflection, to, curvature: Curvature::Concave });
                }
            }
            Form::Mixture(mixture) => mixture.pieces(from, to, &mut pieces),
            Form::Table(table) => table.pieces(from, to, &mut pieces),
        }
        pieces
    }

    /// Where the curve stops being convex (money); for a mean of draws the last inflection among them,
    /// 0 for concave curves and NaN for tables, which may bend anywhere.
    pub(crate) fn inflection(&self) -> f64 {
        match self.form {
            Form::Shape(kind, p) => {
                with_shape!(kind, S => ((S::new(p).inflection() - self.offset) * self.cost).max(0.0))
            }
            Form::Mixture(mixture) => mixture.inflection(),
            Form::Table(_) => f64::NAN,
        }
    }

    /// Bounds of f′ on [from, to]: each smooth curve is steepest at its inflection and flattens away from it.
    pub(crate) fn slope_bounds(&self, from: f64, to: f64) -> (f64, f64) {
        let (low, high) = match self.form {
            Form::Shape(..) => {
                let (a, b) = (self.slope(from), self.slope(to));
                let inflection = self.inflection();
                let top =
                    if from < inflection && inflection < to { self.slope(inflection) } else { a.max(b) };
                return (a.min(b), top.max(a).max(b));
            }
            Form::Mixture(mixture) => mixture.slope_bounds(from, to),
            Form::Table(_) => (0.0, f64::INFINITY),
        };
        (self.value * low, if self.value > 0.0 { self.value * high } else { 0.0 })
    }

    /// The spends on which the curve is defined.
    pub(crate) fn domain(&self) -> (f64, f64) {
        match self.form {
            Form::Table(table) => table.domain(),
            Form::Mixture(mixture) => mixture.domain(),
            Form::Shape(..) => (0.0, f64::INFINITY),
        }
    }

    /// Whether the curve is concave on all of [from, to].
    pub(crate) fn is_concave(&self, from: f64) -> bool {
        match self.form {
            Form::Shape(kind, _) => kind.always_concave() || self.inflection() <= from,
            Form::Mixture(mixture) => mixture.inflection() <= from,
            Form::Table(_) => false,
        }
    }
}
