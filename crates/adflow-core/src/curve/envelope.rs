//! The concave envelope of one arm's value on its allowed spends.
//!
//! The envelope follows the curve on *arcs* and is straight on *chords*. It is found as the upper hull of
//! points and concave arcs, left to right (Graham's scan): the chord between two of them has the slope at
//! which both offer the same f(x) − λ x.

use super::arm::{Arm, Curvature, Piece};

/// The envelope of `weight · f` on [lower, upper], or on {0} ∪ [active_lower, upper].
#[derive(Debug, Clone)]
pub(crate) struct Envelope<'a> {
    arm: Arm<'a>,
    weight: f64,
    pieces: Vec<Piece>,
    /// Left to right; slopes decrease.
    parts: Vec<Part>,
}

/// An arc of the hull (a point where from = to), and the chord that leads to it.
#[derive(Debug, Clone, Copy)]
struct Part {
    /// Slope of the chord from the part before; +∞ for the first part.
    chord: f64,
    /// Whether the curve itself runs along that chord.
    exact: bool,
    from: f64,
    to: f64,
}

/// What an arm does at a price λ: every x in [low, high] that `exact` allows maximises weight·f(x) − λ x.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demand {
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Whether the spends between low and high are optimal too (a straight line), not only the two ends.
    pub(crate) filled: bool,
    /// d low/d ln λ: 0 at the ends of arcs.
    pub(crate) rate: f64,
}

impl<'a> Envelope<'a> {
    /// The envelope of `weight · f` on [lower, upper] or, with `active_lower`, on {lower} ∪ [active_lower, upper].
    pub(crate) fn new(arm: &Arm<'a>, weight: f64, lower: f64, upper: f64, active_lower: Option<f64>) -> Self {
        let mut pieces = Vec::new();
        let mut start = lower;
        if let Some(active) = active_lower.filter(|&active| active > lower && active <= upper) {
            pieces.push(Piece { from: lower, to: active, curvature: Curvature::Hole });
            start = active;
        }
        if start < upper {
            pieces.extend(arm.pieces(start, upper));
        }
        Self::over(arm, weight, lower, pieces)
    }

    /// The same arm on the part [lower, upper] of its spends.
    pub(crate) fn restricted(&self, lower: f64, upper: f64) -> Self {
        let cut = |piece: &Piece| {
            let (from, to) = (piece.from.max(lower), piece.to.min(upper));
            (from < to).then_some(Piece { from, to, ..*piece })
        };
        Self::over(&self.arm, self.weight, lower, self.pieces.iter().filter_map(cut).collect())
    }

    fn over(arm: &Arm<'a>, weight: f64, lower: f64, pieces: Vec<Piece>) -> Self {
        let mut envelope = Self { arm: *arm, weight, pieces, parts: Vec::with_capacity(2) };
        envelope.parts.push(Part { chord: f64::INFINITY, exact: false, from: lower, to: lower });
        for at in 0..envelope.pieces.len() {
            let piece = envelope.pieces[at];
            let from = if piece.curvature == Curvature::Concave { piece.from } else { piece.to };
            envelope.add(from, piece.to, piece.curvature == Curvature::Linear);
        }
        envelope
    }

    /// weight · f(x).
    pub(crate) fn value(&self, x: f64) -> f64 {
        self.weight * self.arm.response(x)
    }

    /// weight · f′(x).
    pub(crate) fn slope(&self, x: f64) -> f64 {
        if self.weight > 0.0 { self.weight * self.arm.slope(x) } else { 0.0 }
    }

    /// weight · f″(x).
    pub(crate) fn curvature(&self, x: f64) -> f64 {
        if self.weight > 0.0 { self.weight * self.arm.curvature(x) } else { 0.0 }
    }

    pub(crate) fn lower(&self) -> f64 {
        self.parts[0].from
    }

    pub(crate) fn upper(&self) -> f64 {
        self.pieces.last().map_or(self.lower(), |piece| piece.to)
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The spend on the arc [from, to] that maximises weight·f(x) − λ x.
    pub(crate) fn on_arc(&self, lambda: f64, from: f64, to: f64) -> f64 {
        if from >= to || self.weight <= 0.0 {
            return from;
        }
        self.arm.demand(lambda / self.weight, from, to)
    }

    /// [`on_arc`](Self::on_arc), and how it moves with the price: dx/d ln λ.
    pub(crate) fn move_on_arc(&self, lambda: f64, from: f64, to: f64) -> (f64, f64) {
        let x = self.on_arc(lambda, from, to);
        let interior = from < x && x < to;
        (x, if interior { self.arm.slope(x) / self.arm.curvature(x) } else { 0.0 })
    }

    /// Adds the next arc (a point where from = to) of the curve to the hull.
    fn add(&mut self, from: f64, to: f64, straight: bool) {
        while let Some(&last) = self.parts.last() {
            // The arc goes on where the last part ends, or a chord leads over to it.
            let touches = from <= last.to && !self.rises_after(last, from);
            let chord = if touches { self.slope(from).min(last.chord) } else { self.bridge(last, from, to) };
            if self.parts.len() > 1 && chord >= last.chord {
                // The last part lies on or below the chord that leads past it.
                self.parts.pop();
                continue;
            }
            let (left, right) = if touches {
                (last.to, from)
            } else {
                (self.on_arc(chord, last.from, last.to), self.on_arc(chord, from, to))
            };
            let exact = straight && self.joins(left, right);
            if let Some(last) = self.parts.last_mut() {
                last.to = left;
            }
            self.parts.push(Part { chord, exact, from: right, to });
            return;
        }
    }

    /// Whether the curve bends up where the hull's last arc ends, as at a kink of a table: a chord leads across.
    fn rises_after(&self, last: Part, from: f64) -> bool {
        // Where the two arcs meet smoothly, rounding is no kink.
        last.from < last.to && self.on_arc(self.slope(from), last.from, last.to) < last.to * (1.0 - 1e-9)
    }

    /// Whether one straight piece of the curve runs from `from` to `to`.
    fn joins(&self, from: f64, to: f64) -> bool {
        self.pieces
            .iter()
            .any(|piece| piece.curvature == Curvature::Linear && piece.from <= from && piece.to >= to)
    }

    /// Slope of the chord that touches the hull's last part and the arc [from, to] to its right.
    ///
    /// With x₁(λ), x₂(λ) the best points of the two for the price λ, the slope is the root of
    /// d(λ) = [f(x₂) − λ x₂] − [f(x₁) − λ x₁], which decreases in λ; its Newton step is the slope of the
    /// chord from x₁(λ) to x₂(λ).
    fn bridge(&self, last: Part, from: f64, to: f64) -> f64 {
        let chord = |x1: f64, x2: f64| (self.value(x2) - self.value(x1)) / (x2 - x1);
        let mut lambda = chord(last.from, to);
        if last.from >= last.to && from >= to {
            return lambda;
        }
        let (mut low, mut high) = (0.0_f64, f64::INFINITY);
        for _ in 0..100 {
            let next = chord(self.on_arc(lambda, last.from, last.to), self.on_arc(lambda, from, to));
            // d(λ) ≥ 0 exactly where the chord is at least as steep as λ.
            if next >= lambda {
                low = low.max(lambda)
            } else {
                high = high.min(lambda)
            }
            let inside = next >= low && next <= high;
            let next = if inside || high.is_infinite() { next } else { 0.5 * (low + high) };
            let step = (next - lambda).abs();
            lambda = next;
            if step <= 2e-16 * lambda || high <= low * (1.0 + 2e-16) {
                break;
            }
        }
        lambda
    }

    /// The best spends at the price λ > 0.
    pub(crate) fn demand(&self, lambda: f64) -> Demand {
        // Parts whose chord is steeper than λ are left behind.
        let reached = self.parts.partition_point(|part| part.chord > lambda).max(1) - 1;
        let part = self.parts[reached];
        let (low, rate) = self.move_on_arc(lambda, part.from, part.to);
        let mut high = low;
        let mut filled = true;
        let mut next = reached + 1;
        while let Some(part) = self.parts.get(next).filter(|part| part.chord >= lambda) {
            high = self.on_arc(lambda, part.from, part.to);
            filled &= part.exact;
            next += 1;
        }
        Demand { low, high, filled, rate }
    }

    /// The chords: (from, to, slope).
    pub(crate) fn chords(&self) -> impl Iterator<Item = (f64, f64, f64)> + '_ {
        self.parts
            .windows(2)
            .filter(|pair| pair[1].from > pair[0].to)
            .map(|p| (p[0].to, p[1].from, p[1].chord))
    }
}
