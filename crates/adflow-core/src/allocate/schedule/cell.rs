//! One adstocked spend: the concave envelope of its response as a row of pieces, each smooth.

use crate::curve::arm::Arm;
use crate::curve::envelope::Envelope;

/// A part of the envelope, from left to right: an arc of the curve, or a straight line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Piece {
    pub(crate) from: f64,
    pub(crate) to: f64,
    /// Slope of a straight line; none for an arc.
    pub(crate) line: Option<f64>,
}

/// What a cell may reach, [low, high], and v f on it.
#[derive(Debug, Clone)]
pub(crate) struct Cell<'a> {
    pub(crate) arm: Arm<'a>,
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Empty where low = high, or where nothing is to be gained.
    pub(crate) pieces: Vec<Piece>,
    envelope: Option<Envelope<'a>>,
}

impl<'a> Cell<'a> {
    pub(crate) fn new(arm: &Arm<'a>, value: f64, low: f64, high: f64) -> Self {
        let mut cell = Self { arm: *arm, value, low, high, pieces: Vec::new(), envelope: None };
        if !(low < high) {
            return cell;
        }
        if value <= 0.0 {
            cell.pieces.push(Piece { from: low, to: high, line: Some(0.0) });
            return cell;
        }
        let envelope = Envelope::new(arm, 1.0, low, high, None);
        let mut reached = low;
        for (from, to, slope) in envelope.chords() {
            if from > reached {
                cell.pieces.push(Piece { from: reached, to: from, line: None });
            }
            cell.pieces.push(Piece { from, to, line: Some(slope.max(0.0)) });
            reached = to;
        }
        if reached < high {
            cell.pieces.push(Piece { from: reached, to: high, line: None });
        }
        cell.envelope = Some(envelope);
        cell
    }

    /// The same cell with pieces of a concave curve below the response that touches it at a.
    pub(crate) fn below(&self, a: f64) -> Self {
        let mut cell = self.clone();
        let bend = self.arm.inflection();
        if self.pieces.iter().all(|piece| piece.line.is_none()) || !bend.is_finite() || bend <= self.low {
            return cell;
        }
        if a >= bend {
            // On the concave part, and no further down than that.
            cell.low = bend.min(self.high);
            cell.pieces = vec![Piece { from: cell.low, to: self.high, line: None }];
            return cell;
        }
        // The tangent at a, until it crosses the curve.
        let (at, slope) = (self.arm.response(a), self.arm.slope(a));
        let over = |x: f64| at + slope * (x - a) - self.arm.response(x);
        let (mut left, mut right) = (bend.min(self.high), self.high);
        if over(right) <= 0.0 {
            cell.pieces = vec![Piece { from: self.low, to: self.high, line: Some(slope) }];
            return cell;
        }
        for _ in 0..60 {
            let middle = 0.5 * (left + right);
            if over(middle) > 0.0 { right = middle } else { left = middle }
        }
        cell.pieces = vec![
            Piece { from: self.low, to: left, line: Some(slope) },
            Piece { from: left, to: self.high, line: None },
        ];
        cell
    }

    /// v f(a).
    pub(crate) fn worth(&self, a: f64) -> f64 {
        if self.value > 0.0 { self.value * self.arm.response(a) } else { 0.0 }
    }

    /// v f̂(a) − v f(a): what the envelope promises more than the curve holds.
    pub(crate) fn promise(&self, a: f64) -> f64 {
        let on = self.pieces.iter().find(|piece| piece.line.is_some() && piece.from < a && a < piece.to);
        let Some(Piece { from, line: Some(slope), .. }) = on else { return 0.0 };
        (self.value * (self.arm.response(*from) + slope * (a - from) - self.arm.response(a))).max(0.0)
    }

    /// max v f(a) − π a over what the cell may reach.
    pub(crate) fn best(&self, price: f64) -> f64 {
        let at = |a: f64| self.worth(a) - price * a;
        let (low, high) = (at(self.low), at(self.high));
        let Some(envelope) = &self.envelope else { return low.max(high) };
        if price <= 0.0 {
            return high;
        }
        let demand = envelope.demand(price / self.value);
        low.max(high).max(at(demand.low)).max(at(demand.high))
    }
}
