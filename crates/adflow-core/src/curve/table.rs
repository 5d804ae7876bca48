//! A curve given by points: nondecreasing, straight lines between them.

use super::arm::{Curvature, Piece};

/// Points (u, f), u increasing, f nondecreasing; the draws of f and their mean.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    pub(crate) spend: Vec<f64>,
    /// One row of responses per draw.
    pub(crate) draws: Vec<Vec<f64>>,
    pub(crate) mean: Vec<f64>,
    /// Spend is divided by this before it is looked up.
    pub(crate) cost: f64,
    /// Units added before they are looked up.
    pub(crate) offset: f64,
}

impl Table {
    /// The straight line that holds at u: `(index of its left point, fraction)`. At a point, the line to
    /// its right; at the last point, the line to its left.
    fn locate(&self, u: f64) -> (usize, f64) {
        let last_line = self.spend.len() - 2;
        let line = self.spend.partition_point(|&point| point <= u).saturating_sub(1).min(last_line);
        let (a, b) = (self.spend[line], self.spend[line + 1]);
        (line, (u - a) / (b - a))
    }

    fn interpolate(&self, responses: &[f64], x: f64) -> f64 {
        let (line, fraction) = self.locate(x / self.cost + self.offset);
        let (a, b) = (responses[line], responses[line + 1]);
        // Both ends exact.
        if fraction >= 1.0 { b } else { a + (b - a) * fraction }
    }

    pub(crate) fn value(&self, x: f64) -> f64 {
        self.interpolate(&self.mean, x)
    }

    pub(crate) fn draw_value(&self, draw: usize, x: f64) -> f64 {
        self.interpolate(&self.draws[draw], x)
    }

    /// Slope to the right of x (to the left at the last point).
    pub(crate) fn slope(&self, x: f64) -> f64 {
        let (line, _) = self.locate(x / self.cost + self.offset);
        let rise = self.mean[line + 1] - self.mean[line];
        rise / (self.spend[line + 1] - self.spend[line]) / self.cost
    }

    /// The spends that the points cover (money).
    pub(crate) fn domain(&self) -> (f64, f64) {
        let money = |u: f64| ((u - self.offset) * self.cost).max(0.0);
        (money(self.spend[0]), money(self.spend[self.spend.len() - 1]))
    }

    /// The spends (money) of the points strictly inside (from, to).
    pub(crate) fn knots(&self, from: f64, to: f64) -> impl Iterator<Item = f64> + '_ {
        self.spend.iter().map(|u| (u - self.offset) * self.cost).filter(move |&x| from < x && x < to)
    }

    /// Every straight line is a piece.
    pub(crate) fn pieces(&self, from: f64, to: f64, pieces: &mut Vec<Piece>) {
        let mut left = from;
        for knot in self.knots(from, to).chain([to]) {
            pieces.push(Piece { from: left, to: knot, curvature: Curvature::Linear });
            left = knot;
        }
    }
}
