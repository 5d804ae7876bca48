//! A curve given by points: nondecreasing, straight lines between them.

use super::arm::{Curvature, Piece};
use super::kind::Kind;
use super::mixture::Mixture;
use super::price::Price;

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
    /// The same behind a price that rises, as a sum of ramps.
    pub(crate) rising: Option<Box<Mixture>>,
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

    /// The table behind a rising price: a constant, a ramp for every line, and one of no rise where the points end. The offset
    /// is taken off the points.
    pub(crate) fn ramps(&self, price: Vec<f64>) -> Mixture {
        let (draws, terms) = (self.draws.len(), self.spend.len() + 1);
        let last = self.spend[self.spend.len() - 1];
        let mut parameters = [const { Vec::new() }; 3];
        let mut add = |rate: f64, from: f64, to: f64| {
            parameters.iter_mut().zip([rate, from, to]).for_each(|(column, value)| column.push(value));
        };
        for row in &self.draws {
            add(row[0], -2.0, -1.0);
            for (u, f) in self.spend.windows(2).zip(row.windows(2)) {
                // The last line stands at its end too.
                let end = if u[1] < last { u[1] - self.offset } else { f64::INFINITY };
                add((f[1] - f[0]) / (u[1] - u[0]), u[0] - self.offset, end);
            }
            add(0.0, last - self.offset, last - self.offset);
        }
        let [rate, from, to] = parameters;
        let cost = vec![Price::read(&price).cost(self.cost); draws * terms];
        let offset = vec![0.0; draws * terms];
        Mixture { kind: Kind::Ramp, draws, terms, elements: [rate, from, to, cost, offset, price] }
    }
}
