//! The mean over posterior draws of a sum of terms, all of one family.

use std::marker::PhantomData;

use super::arm::{Curvature, Piece};
use super::kind::{Kind, with_shape};
use super::shape::Shape;

/// h(x) = (1/S) Σ_s Σ_j F(x/cost_sj + offset_sj; θ_sj), with its S·J elements side by side.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mixture {
    pub(crate) kind: Kind,
    pub(crate) draws: usize,
    pub(crate) terms: usize,
    /// Three shape parameters, cost per unit, offset: each of length draws × terms.
    pub(crate) elements: [Vec<f64>; 5],
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

/// The elements of a mixture at one spend. Not `Copy`: a closure that consumes it is inlined into code for wide registers.
struct Elements<'m, S> {
    columns: [&'m [f64]; 5],
    x: f64,
    shape: PhantomData<S>,
}

impl<'m, S: Shape> Elements<'m, S> {
    fn new(mixture: &'m Mixture, x: f64) -> Self {
        Self { columns: mixture.elements.each_ref().map(Vec::as_slice), x, shape: PhantomData }
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
            |at| term(S::new([p0[at], p1[at], p2[at]]), self.x / cost[at] + offset[at], cost[at]),
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

    #[inline(always)]
    fn element<S: Shape>(&self, at: usize) -> (S, f64, f64) {
        let [p0, p1, p2, cost, offset] = &self.elements;
        (S::new([p0[at], p1[at], p2[at]]), cost[at], offset[at])
    }

    fn mean(&self, sum: f64) -> f64 {
        // Draws are counted in usize but never near 2⁵³.
        #[allow(clippy::cast_precision_loss, reason = "a count")]
        let draws = self.draws as f64;
        sum / draws
    }

    pub(crate) fn value(&self, x: f64) -> f64 {
        let sum = with_shape!(self.kind, S => {
            let elements = Elements::<S>::new(self, x);
            pulp::Arch::new().dispatch(#[inline(always)] || elements.value())
        });
        self.mean(sum)
    }

    pub(crate) fn slope(&self, x: f64) -> f64 {
        let sum = with_shape!(self.kind, S => {
            let elements = Elements::<S>::new(self, x);
            pulp::Arch::new().dispatch(#[inline(always)] || elements.slope())
        });
        self.mean(sum)
    }

    pub(crate) fn curvature(&self, x: f64) -> f64 {
        let sum = with_shape!(self.kind, S => sum_of(self.len(), |at| {
            let (shape, cost, offset) = self.element::<S>(at);
            shape.curvature(x / cost + offset) / cost / cost
        }));
        self.mean(sum)
    }

    /// Response of one draw.
    pub(crate) fn draw_value(&self, draw: usize, x: f64) -> f64 {
        with_shape!(self.kind, S => (draw * self.terms..(draw + 1) * self.terms).map(|at| {
            let (shape, cost, offset) = self.element::<S>(at);
            shape.value(x / cost + offset)
        }).sum())
    }

    /// Smallest and largest inflection of the elements (money), not below 0.
    pub(crate) fn inflections(&self) -> (f64, f64) {
        with_shape!(self.kind, S => (0..self.len()).fold((f64::INFINITY, 0.0_f64), |(low, high), at| {
            let (shape, cost, offset) = self.element::<S>(at);
            let x = ((shape.inflection() - offset) * cost).max(0.0);
            (low.min(x), high.max(x))
        }))
    }

    /// Bounds of h′ on [from, to]: the sums of the elements' bounds.
    pub(crate) fn slope_bounds(&self, from: f64, to: f64) -> (f64, f64) {
        with_shape!(self.kind, S => {
            let (mut low, mut high) = (0.0, 0.0);
            for at in 0..self.len() {
                let (shape, cost, offset) = self.element::<S>(at);
                let (a, b) = (from / cost + offset, to / cost + offset);
                let (fa, fb) = (shape.slope(a), shape.slope(b));
                let inflection = shape.inflection();
                let top = if a < inflection && inflection < b { shape.slope(inflection) } else { fa.max(fb) };
                low += fa.min(fb) / cost;
                high += top.max(fa).max(fb) / cost;
            }
            (self.mean(low), self.mean(high))
        })
    }

    /// Bounds of h″ on [from, to]: each element's f″ is monotone between its turns.
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

    /// Cuts [from, to] into pieces of one curvature each.
    ///
    /// Left of all inflections the mean is convex, right of all it is concave. Between them the bounds of
    /// h″ decide; an interval that they leave open is halved, until it is too thin to matter and stands as
    /// [`Curvature::Thin`].
    pub(crate) fn pieces(&self, from: f64, to: f64, pieces: &mut Vec<Piece>) {
        let (first, last) = self.inflections();
        let first = first.clamp(from, to);
        let last = last.clamp(from, to);
        if first > from {
            push(pieces, Piece { from, to: first, curvature: Curvature::Convex });
        }
        if last > first {
            let thin = 1e-12 * (to - from);
            self.classify(first, last, thin, to, pieces);
        }
        if to > last || pieces.is_empty() {
            push(pieces, Piece { from: last, to, curvature: Curvature::Concave });
        }
    }

    fn classify(&self, from: f64, to: f64, thin: f64, scale: f64, pieces: &mut Vec<Piece>) {
        // Near 0 a slope may be infinite: there an interval must be far thinner to be negligible, so it
        // is cut by its magnitude.
        let near_zero = from <= 0.0 && to > 1e-40 * scale;
        let (low, high) = self.curvature_bounds(from, to);
        let curvature = if high <= 0.0 {
            Curvature::Concave
        } else if low >= 0.0 {
            Curvature::Convex
        } else if near_zero {
            let middle = to / 16.0;
            self.classify(from, middle, thin, scale, pieces);
            return self.classify(middle, to, thin, scale, pieces);
        } else if to - from > thin.min(1e-9 * to) {
            let middle = 0.5 * (from + to);
            if middle > from && middle < to {
                self.classify(from, middle, thin, scale, pieces);
                return self.classify(middle, to, thin, scale, pieces);
            }
            Curvature::Thin
        } else {
            Curvature::Thin
        };
        push(pieces, Piece { from, to, curvature });
    }
}

/// Appends a piece, joined to the last one where both curve the same way.
fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    match pieces.last_mut() {
        Some(last) if last.curvature == piece.curvature && piece.curvature != Curvature::Thin => {
            last.to = piece.to;
        }
        _ => pieces.push(piece),
    }
}
