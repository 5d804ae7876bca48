//! The mean over posterior draws of a sum of terms, all of one family.

use std::marker::PhantomData;

use super::arm::{Curvature, Piece};
use super::kind::{Kind, with_shape};
use super::price::Price;
use super::shape::{Shape, products};

/// h(x) = g(w(x)) with g(w) = (1/S) Σ_s Σ_j F(w/cost_sj + offset_sj; θ_sj), its S·J elements side by side; w(x) = x unless the
/// [price](Price) rises.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mixture {
    pub(crate) kind: Kind,
    pub(crate) draws: usize,
    pub(crate) terms: usize,
    /// Three shape parameters, cost per unit, offset: each of length draws × terms; and the numbers of the price.
    pub(crate) elements: [Vec<f64>; 6],
}

/// Running sums side by side: wide enough for the widest SIMD, and a fixed order on every machine.
const SUMS: usize = 8;

#[inline(always)]
fn sum_of(length: usize, term: impl Fn(usize) -> f64) -> f64 {
    let mut sums = [0.0; SUMS];
    let whole = length / SUMS * SUMS;
    let mut at = 0;
    while at < whole {
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum += term(at + lane);
        }
        at += SUMS;
    }
    let tail: f64 = (whole..length).map(term).sum();
    sums.iter().sum::<f64>() + tail
}

/// The elements of a mixture at one w. Not `Copy`: a closure that consumes it is inlined into code for wide registers.
struct Elements<'m, S> {
    columns: [&'m [f64]; 5],
    w: f64,
    shape: PhantomData<S>,
}

impl<'m, S: Shape> Elements<'m, S> {
    fn new(mixture: &'m Mixture, w: f64) -> Self {
        let [p0, p1, p2, cost, offset, _] = mixture.elements.each_ref().map(Vec::as_slice);
        Self { columns: [p0, p1, p2, cost, offset], w, shape: PhantomData }
    }

    #[inline(always)]
    fn sum(self, term: impl Fn(S, f64, f64) -> f64) -> f64 {
        let n = self.columns[0].len();
        let [p0, p1, p2, cost, offset] = self.columns.map(
            #[inline(always)]
            |column| &column[..n],
        );
        sum_of(
            n,
            #[inline(always)]
            |at| term(S::new([p0[at], p1[at], p2[at]]), self.w / cost[at] + offset[at], cost[at]),
        )
    }

    #[inline(always)]
    fn value(self) -> f64 {
        self.sum(
            #[inline(always)]
            |shape, u, _| shape.value(u),
        )
    }

    #[inline(always)]
    fn slope(self) -> f64 {
        self.sum(
            #[inline(always)]
            |shape, u, cost| shape.slope(u) / cost,
        )
    }
}

impl Mixture {
    pub(crate) fn len(&self) -> usize {
        self.elements[0].len()
    }

    pub(crate) fn price(&self) -> Price<'_> {
        Price::read(&self.elements[5])
    }

    #[inline(always)]
    pub(crate) fn element<S: Shape>(&self, at: usize) -> (S, f64, f64) {
        let [p0, p1, p2, cost, offset, _] = &self.elements;
        (S::new([p0[at], p1[at], p2[at]]), cost[at], offset[at])
    }

    fn mean(&self, sum: f64) -> f64 {
        // Draws are counted in usize but never near 2⁵³.
        #[allow(clippy::cast_precision_loss, reason = "a count")]
        let draws = self.draws as f64;
        sum / draws
    }

    /// h(x).
    pub(crate) fn value(&self, x: f64) -> f64 {
        let w = self.price().worth(x);
        let sum = with_shape!(self.kind, S => {
            let elements = Elements::<S>::new(self, w);
            pulp::Arch::new().dispatch(#[inline(always)] || elements.value())
        });
        self.mean(sum)
    }

    /// h′(x), at a kink to its right.
    pub(crate) fn slope(&self, x: f64) -> f64 {
        let price = self.price();
        match price {
            Price::Fixed => self.worth_slope(x),
            Price::Power(p) if x <= 0.0 => self.slope_at_zero(p),
            _ => price.slope(x, self.worth_slope(price.worth(x))),
        }
    }

    /// g′(w).
    pub(crate) fn worth_slope(&self, w: f64) -> f64 {
        let sum = with_shape!(self.kind, S => {
            let elements = Elements::<S>::new(self, w);
            pulp::Arch::new().dispatch(#[inline(always)] || elements.slope())
        });
        self.mean(sum)
    }

    /// h″(x); −∞ where the price jumps.
    pub(crate) fn curvature(&self, x: f64) -> f64 {
        let price = self.price();
        if price == Price::Fixed {
            return self.worth_curvature(x);
        }
        let w = price.worth(x.max(1e-290));
        price.curvature(x, self.worth_slope(w), self.worth_curvature(w))
    }

    /// g″(w).
    pub(crate) fn worth_curvature(&self, w: f64) -> f64 {
        let sum = with_shape!(self.kind, S => sum_of(self.len(), |at| {
            let (shape, cost, offset) = self.element::<S>(at);
            shape.curvature(w / cost + offset) / cost / cost
        }));
        self.mean(sum)
    }

    /// Response of one draw.
    pub(crate) fn draw_value(&self, draw: usize, x: f64) -> f64 {
        let w = self.price().worth(x);
        with_shape!(self.kind, S => (draw * self.terms..(draw + 1) * self.terms).map(|at| {
            let (shape, cost, offset) = self.element::<S>(at);
            shape.value(w / cost + offset)
        }).sum())
    }

    /// Smallest and largest inflection of the elements of g (w), not below 0.
    pub(crate) fn inflections(&self) -> (f64, f64) {
        with_shape!(self.kind, S => (0..self.len()).fold((f64::INFINITY, 0.0_f64), |(low, high), at| {
            let (shape, cost, offset) = self.element::<S>(at);
            let x = ((shape.inflection() - offset) * cost).max(0.0);
            (low.min(x), high.max(x))
        }))
    }

    /// Bounds of h′ on [from, to]: those of g′ and of w′, which falls.
    pub(crate) fn slope_bounds(&self, from: f64, to: f64) -> (f64, f64) {
        let price = self.price();
        if price == Price::Fixed {
            return self.worth_slope_bounds(from, to);
        }
        let (low, high) = self.worth_slope_bounds(price.worth(from), price.worth(to));
        (low * price.worth_slope(to), if high > 0.0 { high * price.worth_slope(from) } else { 0.0 })
    }

    /// Bounds of g′ on [from, to]: the sums of the elements' bounds.
    fn worth_slope_bounds(&self, from: f64, to: f64) -> (f64, f64) {
        with_shape!(self.kind, S => {
            let (mut low, mut high) = (0.0, 0.0);
            for at in 0..self.len() {
                let (shape, cost, offset) = self.element::<S>(at);
                let (least, most) = slope_bounds(shape, from / cost + offset, to / cost + offset);
                low += least / cost;
                high += most / cost;
            }
            (self.mean(low), self.mean(high))
        })
    }

    /// Bounds of g″ on [from, to]: each element's f″ is monotone between its turns.
    fn curvature_bounds(&self, from: f64, to: f64) -> (f64, f64) {
        with_shape!(self.kind, S => {
            let (mut low, mut high) = (0.0, 0.0);
            for at in 0..self.len() {
                let (shape, cost, offset) = self.element::<S>(at);
                let (a, b) = (from / cost + offset, to / cost + offset);
                let (fa, fb) = (shape.curvature(a), shape.curvature(b));
                let (mut smallest, mut largest) = (fa.min(fb), fa.max(fb));
                for turn in shape.curvature_turns() {
                    if a < turn && turn < b {
                        let there = shape.curvature(turn);
                        smallest = smallest.min(there);
                        largest = largest.max(there);
                    }
                }
                low += smallest / cost / cost;
                high += largest / cost / cost;
            }
            (low, high)
        })
    }

    /// Bounds of w g″ − p g′, which has the sign of h″ behind the power p, on [from, to] of w.
    fn bend_bounds(&self, p: f64, from: f64, to: f64) -> (f64, f64) {
        with_shape!(self.kind, S => {
            let (mut low, mut high) = (0.0, 0.0);
            for at in 0..self.len() {
                let (shape, cost, offset) = self.element::<S>(at);
                let (a, b) = (from / cost, to / cost);
                let slope = slope_bounds(shape, a + offset, b + offset);
                let (least, most) = shape.bend_bounds(offset, a, b);
                let (least, most) = products(slope, (least - p, most - p));
                low += least / cost;
                high += most / cost;
            }
            (low, high)
        })
    }

    /// Bounds on [from, to] of what has the sign of the curvature: of g behind a fixed price, of h behind a power.
    fn sign_bounds(&self, price: Price<'_>, from: f64, to: f64) -> (f64, f64) {
        if let Price::Power(p) = price {
            return self.bend_bounds(p, price.worth(from), price.worth(to));
        }
        let (low, high) = self.curvature_bounds(from, to);
        if from <= 0.0 && low < 0.0 && high > 0.0 {
            // Curvatures that are infinite at 0, with both signs, have bounds as multiples of the slopes.
            return self.bend_bounds(0.0, from, to);
        }
        (low, high)
    }

    /// Cuts [from, to] of w into pieces of one curvature of g each.
    ///
    /// Left of all inflections the mean is convex, right of all it is concave.
    pub(crate) fn worth_pieces(&self, from: f64, to: f64, pieces: &mut Vec<Piece>) {
        let (first, last) = self.inflections();
        let first = first.clamp(from, to);
        let last = last.clamp(from, to);
        if first > from {
            push(pieces, Piece { from, to: first, curvature: Curvature::Convex });
        }
        if last > first {
            self.classify(Price::Fixed, (first, last), (from, to), pieces);
        }
        if to > last || pieces.is_empty() {
            push(pieces, Piece { from: last, to, curvature: Curvature::Concave });
        }
    }

    /// Cuts a part of `whole` into pieces by the bounds of the curvature; an interval that they leave open is halved, until it
    /// is too thin to matter and stands as [`Curvature::Thin`].
    pub(crate) fn classify(
        &self,
        price: Price<'_>,
        (from, to): (f64, f64),
        whole: (f64, f64),
        pieces: &mut Vec<Piece>,
    ) {
        let (thin, scale) = (1e-12 * (whole.1 - whole.0), whole.1);
        // Near 0 a slope may be infinite: there an interval must be far thinner to be negligible, so it
        // is cut by its magnitude.
        let near_zero = from <= 0.0 && to > 1e-40 * scale;
        let (low, high) = self.sign_bounds(price, from, to);
        let curvature = if high <= 0.0 {
            Curvature::Concave
        } else if low >= 0.0 {
            Curvature::Convex
        } else if near_zero {
            let middle = to / 16.0;
            self.classify(price, (from, middle), whole, pieces);
            return self.classify(price, (middle, to), whole, pieces);
        } else if from > 0.0 && to - from > thin.min(1e-9 * to) {
            let middle = 0.5 * (from + to);
            if middle > from && middle < to {
                self.classify(price, (from, middle), whole, pieces);
                return self.classify(price, (middle, to), whole, pieces);
            }
            Curvature::Thin
        } else {
            Curvature::Thin
        };
        push(pieces, Piece { from, to, curvature });
    }
}

/// Bounds of f′ on [a, b]: it is steepest at its inflection and falls away from it.
fn slope_bounds(shape: impl Shape, a: f64, b: f64) -> (f64, f64) {
    let (fa, fb) = (shape.slope(a), shape.slope(b));
    let inflection = shape.inflection();
    let top = if a < inflection && inflection < b { shape.slope(inflection) } else { fa.max(fb) };
    (fa.min(fb), top.max(fa).max(fb))
}

/// Appends a piece, joined to the last one where both curve the same way.
pub(crate) fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    match pieces.last_mut() {
        Some(last) if last.curvature == piece.curvature && piece.curvature != Curvature::Thin => {
            last.to = piece.to;
        }
        _ => pieces.push(piece),
    }
}
