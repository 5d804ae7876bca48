//! Means of draws behind a price that rises: where h(x) = g(w(x)) bends, and what it wants at a price of money.
//!
//! A rising price bends a curve down. Between two breaks of tiers h bends as g does, and at a break its slope falls; behind
//! a power p
//!
//! ```text
//! h″(x) ≥ 0   ⇔   w g″(w) ≥ p g′(w)
//! ```
//!
//! For one element with the offset o this is R(d) = d f″(o + d)/f′(o + d) ≥ p in units d = w/cost. R is 0 at the offset (if
//! there is one) and at the inflection of f; between the two it rises and then falls, since ln d + ln(f″/f′) is concave
//! there in the families that have an inflection. So h is concave, convex and concave again, or concave throughout.

use super::arm::{Curvature, Piece};
use super::kind::{Kind, with_shape};
use super::mixture::{Mixture, push};
use super::price::{Price, Tiers};
use super::shape::Shape;
use crate::elementary::{exp, ln, powf};

/// e⁻⁶⁹⁰ ≈ 1e-300: units below are none.
const LEAST: f64 = -690.0;

/// The units d at which R(d) > p: an interval, told by its ends.
fn convex_part(shape: impl Shape, o: f64, p: f64) -> Option<(f64, f64)> {
    let end = shape.inflection() - o;
    if !(end > 0.0) {
        return None;
    }
    let bend = |t: f64| {
        let d = end * exp(t);
        shape.bend_bounds(o, d, d).0
    };
    let peak = if bend(LEAST) > p { LEAST } else { highest(bend, LEAST, 0.0) };
    if !(bend(peak) > p) {
        return None;
    }
    let from = if peak > LEAST { end * exp(change(|t| bend(t) > p, LEAST, peak)) } else { 0.0 };
    Some((from, end * exp(change(|t| bend(t) <= p, peak, 0.0))))
}

/// Where a function that rises and then falls is highest; by thirds.
fn highest(of: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    // (2/3)¹²⁰ of 690 is below the rounding of any t that matters.
    for _ in 0..120 {
        let third = (high - low) / 3.0;
        if of(low + third) < of(high - third) {
            low += third;
        } else {
            high -= third;
        }
    }
    0.5 * (low + high)
}

/// Where a statement that is false at `low` becomes true; by halves.
fn change(holds: impl Fn(f64) -> bool, mut low: f64, mut high: f64) -> f64 {
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if holds(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

impl Mixture {
    /// Where the last element stops being convex (money), 0 for concave curves, NaN for tables.
    pub(crate) fn inflection(&self) -> f64 {
        let price = self.price();
        match price {
            _ if self.kind == Kind::Ramp => f64::NAN,
            Price::Fixed => self.inflections().1,
            Price::Tiers(_) => price.spend(self.inflections().1),
            Price::Power(_) if self.kind.always_concave() => 0.0,
            Price::Power(p) => with_shape!(self.kind, S => (0..self.len()).fold(0.0, |last: f64, at| {
                let (shape, cost, offset) = self.element::<S>(at);
                convex_part(shape, offset, p).map_or(last, |(_, to)| last.max(price.spend(to * cost)))
            })),
        }
    }

    /// The spends on which the curve is defined: those between the points of a table.
    pub(crate) fn domain(&self) -> (f64, f64) {
        if self.kind != Kind::Ramp {
            return (0.0, f64::INFINITY);
        }
        let (starts, cost) = (&self.elements[1][..self.terms], self.elements[3][0]);
        let money = |u: f64| self.price().spend((u * cost).max(0.0));
        (money(starts[1]), money(starts[self.terms - 1]))
    }

    /// What h′ tends to as the spend falls to 0, behind the power p.
    pub(crate) fn slope_at_zero(&self, p: f64) -> f64 {
        if self.worth_slope(0.0) > 0.0 {
            return f64::INFINITY;
        }
        // Of all families only Hill starts flat, like x to the power s/(1 + p).
        let [beta, _, slopes, _, offsets, _] = &self.elements;
        let starts =
            (0..self.len()).filter(|&at| self.kind == Kind::Hill && beta[at] > 0.0 && offsets[at] <= 0.0);
        let flattest = starts.map(|at| slopes[at] / (1.0 + p)).fold(f64::INFINITY, f64::min);
        match flattest {
            power if power < 1.0 => f64::INFINITY,
            power if power > 1.0 => 0.0,
            _ => self.slope(f64::MIN_POSITIVE),
        }
    }

    /// Whether g consists of straight lines.
    fn is_straight(&self) -> bool {
        match self.kind {
            Kind::Linear | Kind::Ramp => true,
            Kind::Power => self.elements[1].iter().all(|&exponent| exponent >= 1.0),
            _ => false,
        }
    }

    /// The spends (money) of the kinks of g strictly inside (from, to).
    fn kinks(&self, from: f64, to: f64) -> impl Iterator<Item = f64> + '_ {
        let starts = if self.kind == Kind::Ramp { &self.elements[1][1..self.terms] } else { &[] };
        let (price, cost) = (self.price(), self.elements[3][0]);
        let money = move |&u: &f64| {
            let mut x = price.spend((u * cost).max(0.0));
            // The line to the right must hold there, whatever rounding says.
            let mut step = f64::EPSILON;
            while price.worth(x) / cost < u {
                x += x * step;
                step *= 2.0;
            }
            x
        };
        starts.iter().map(money).filter(move |&x| from < x && x < to)
    }

    /// Cuts [from, to] into pieces of one curvature each.
    pub(crate) fn pieces(&self, from: f64, to: f64, pieces: &mut Vec<Piece>) {
        match self.price() {
            Price::Fixed => self.worth_pieces(from, to, pieces),
            Price::Power(p) => self.power_pieces(p, from, to, pieces),
            Price::Tiers(tiers) => self.tier_pieces(tiers, from, to, pieces),
        }
    }

    /// The straight lines of g on [from, to], as pieces of h.
    fn lines(&self, from: f64, to: f64, pieces: &mut Vec<Piece>) {
        let rising = matches!(self.price(), Price::Power(_));
        let mut left = from;
        for right in self.kinks(from, to).chain([to]) {
            // Two kinks may fall on one spend by rounding.
            if left < right {
                let bends = rising && self.slope(0.5 * (left + right)) > 0.0;
                let curvature = if bends { Curvature::Concave } else { Curvature::Linear };
                pieces.push(Piece { from: left, to: right, curvature });
                left = right;
            }
        }
    }

    fn power_pieces(&self, p: f64, from: f64, to: f64, pieces: &mut Vec<Piece>) {
        if self.is_straight() {
            return self.lines(from, to, pieces);
        }
        let price = self.price();
        let mut reached = from;
        if !self.kind.always_concave() && self.len() == 1 {
            let convex = with_shape!(self.kind, S => {
                let (shape, cost, offset) = self.element::<S>(0);
                convex_part(shape, offset, p).map(|(from, to)| (price.spend(from * cost), price.spend(to * cost)))
            });
            let (first, last) = convex.unwrap_or((from, from));
            let (first, last) = (first.clamp(from, to), last.clamp(from, to));
            if last > first && first > from {
                pieces.push(Piece { from, to: first, curvature: Curvature::Concave });
            }
            if last > first {
                pieces.push(Piece { from: first, to: last, curvature: Curvature::Convex });
                reached = last;
            }
        } else if !self.kind.always_concave() {
            // Right of all inflections of f everything is concave.
            let last = price.spend(self.inflections().1).clamp(from, to);
            if last > from {
                self.classify(price, (from, last), (from, to), pieces);
                reached = last;
            }
        }
        if to > reached || pieces.is_empty() {
            push(pieces, Piece { from: reached, to, curvature: Curvature::Concave });
        }
    }

    fn tier_pieces(&self, tiers: Tiers<'_>, from: f64, to: f64, pieces: &mut Vec<Piece>) {
        let price = Price::Tiers(tiers);
        let mut own = Vec::new();
        for (left, right, _) in tiers.parts(from, to) {
            own.clear();
            if self.is_straight() {
                self.lines(left, right, &mut own);
            } else {
                self.worth_pieces(price.worth(left), price.worth(right), &mut own);
                let last = own.len() - 1;
                for (at, piece) in own.iter_mut().enumerate() {
                    let money = |w: f64| price.spend(w).clamp(left, right);
                    piece.from = if at == 0 { left } else { money(piece.from) };
                    piece.to = if at == last { right } else { money(piece.to) };
                }
            }
            for &piece in &own {
                match pieces.last_mut() {
                    // The slope falls at a break: concave pieces join, convex ones do not.
                    Some(last)
                        if last.curvature == piece.curvature && piece.curvature == Curvature::Concave =>
                    {
                        last.to = piece.to;
                    }
                    _ => pieces.push(piece),
                }
            }
        }
    }

    /// The x in [from, to], on which h is concave, that maximises h(x) − λ x.
    pub(crate) fn demand(&self, lambda: f64, from: f64, to: f64) -> f64 {
        let price = self.price();
        match price {
            Price::Fixed => self.worth_demand(lambda, from, to),
            Price::Power(p) => self.power_demand(p, lambda, from, to),
            Price::Tiers(tiers) => {
                for (left, right, unit) in tiers.parts(from, to) {
                    let (low, high) = (price.worth(left), price.worth(right));
                    let w = self.worth_demand(lambda * unit, low, high);
                    if w < high {
                        return if w > low { (left + (w - low) * unit).clamp(left, right) } else { left };
                    }
                }
                to
            }
        }
    }

    /// The w in [from, to], on which g is concave, that maximises g(w) − m w.
    fn worth_demand(&self, m: f64, from: f64, to: f64) -> f64 {
        if self.is_straight() {
            return if self.worth_slope(0.5 * (from + to)) > m { to } else { from };
        }
        if self.len() == 1 {
            let w = with_shape!(self.kind, S => {
                let (shape, cost, offset) = self.element::<S>(0);
                (shape.inverse_slope(m * cost) - offset) * cost
            });
            return if w > from { w.min(to) } else { from };
        }
        search(|w| self.worth_slope(w), |w| self.worth_curvature(w), m, from, to)
    }

    /// With x = w^{1+p} the best w has g′(w) = λ (1 + p) wᵖ: Newton's method on the logarithms, in ln w, in which the left side is
    /// nearly straight where curves saturate and the right side straight.
    fn power_demand(&self, p: f64, lambda: f64, from: f64, to: f64) -> f64 {
        let price = self.price();
        if self.is_straight() {
            let slope = self.worth_slope(0.5 * (price.worth(from) + price.worth(to)));
            let x = powf(slope / (lambda * (1.0 + p)), (1.0 + p) / p);
            return if x > from { x.min(to) } else { from };
        }
        if !(self.slope(from) > lambda) {
            return from;
        }
        if self.slope(to) >= lambda {
            return to;
        }
        let target = ln(lambda * (1.0 + p));
        let (mut low, mut high) = (price.worth(from), price.worth(to));
        let mut w = if low > 0.0 { low * (high / low).sqrt() } else { 0.5 * high };
        for _ in 0..300 {
            let (slope, curvature) = (self.worth_slope(w), self.worth_curvature(w));
            let above = ln(slope) - p * ln(w) - target;
            if above > 0.0 {
                low = w;
            } else {
                high = w;
            }
            let newton = w * exp(-above / (w * curvature / slope - p));
            let between = if low > 0.0 { low * (high / low).sqrt() } else { high / 16.0 };
            let next = if newton > low && newton < high { newton } else { between };
            let step = (next - w).abs();
            w = next;
            if step <= 2e-16 * w || high - low <= 2e-16 * high {
                break;
            }
        }
        price.spend(w).clamp(from, to)
    }
}

/// The x in [from, to] at which a falling slope is λ, by a bracketed Newton search on the slope.
pub(crate) fn search(
    slope_at: impl Fn(f64) -> f64,
    curvature_at: impl Fn(f64) -> f64,
    lambda: f64,
    from: f64,
    to: f64,
) -> f64 {
    if !(slope_at(from) > lambda) {
        return from;
    }
    if slope_at(to) >= lambda {
        return to;
    }
    let (mut low, mut high) = (from, to);
    let mut x = 0.5 * (low + high);
    for _ in 0..200 {
        let slope = slope_at(x);
        if slope > lambda {
            low = x
        } else {
            high = x
        }
        // Newton on ln f′(x) = ln λ, which is nearly linear where curves saturate.
        let newton = x + (slope / curvature_at(x)) * ln(lambda / slope);
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        let step = (next - x).abs();
        x = next;
        if step <= 2e-16 * x || high - low <= 2e-16 * high {
            break;
        }
    }
    x
}

#[cfg(test)]
mod tests;
