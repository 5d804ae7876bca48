//! What a spend is worth where the price of a unit rises with it.
//!
//! An increasing, concave w(x) stands between money and units, with w(x) = x where the price stays:
//!
//! ```text
//! units(x) = w(x)/c + offset
//! power    w(x) = x^{1/(1+p)}       average price ∝ unitsᵖ
//! tiers    w(x) = ∫₀ˣ dt/price(t)   price(t) constant between breaks
//! ```
//!
//! So a curve behind a rising price is f(x) = g(w(x)) with g the same curve at a fixed price.

use super::kind::Kind;
use crate::elementary::powf;

/// The price of an arm's units, told as numbers: nothing for a fixed price, p for a power, and for tiers their
/// breaks, their prices (one more) and w at the breaks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Price<'a> {
    Fixed,
    /// p > 0.
    Power(f64),
    Tiers(Tiers<'a>),
}

/// At least one break.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Tiers<'a> {
    /// Spends (money) at which a price ends, increasing.
    breaks: &'a [f64],
    /// Rising.
    prices: &'a [f64],
    /// w at the breaks.
    worth: &'a [f64],
}

impl<'a> Price<'a> {
    pub(crate) fn read(numbers: &'a [f64]) -> Self {
        match *numbers {
            [] => Self::Fixed,
            [power] => Self::Power(power),
            _ => {
                let count = numbers.len() / 3;
                let (breaks, rest) = numbers.split_at(count);
                let (prices, worth) = rest.split_at(count + 1);
                Self::Tiers(Tiers { breaks, prices, worth })
            }
        }
    }

    /// w(x).
    pub(crate) fn worth(self, x: f64) -> f64 {
        match self {
            Self::Fixed => x,
            Self::Power(p) => {
                if x > 0.0 {
                    powf(x, 1.0 / (1.0 + p))
                } else {
                    0.0
                }
            }
            Self::Tiers(tiers) => {
                let (from, worth, price) = tiers.tier(tiers.breaks.partition_point(|&end| end <= x));
                worth + (x - from) / price
            }
        }
    }

    /// w′(x), at a break to its right; +∞ at 0 for a power.
    pub(crate) fn worth_slope(self, x: f64) -> f64 {
        match self {
            Self::Fixed => 1.0,
            Self::Power(p) if x > 0.0 => self.worth(x) / x / (1.0 + p),
            Self::Power(_) => f64::INFINITY,
            Self::Tiers(tiers) => 1.0 / tiers.prices[tiers.breaks.partition_point(|&end| end <= x)],
        }
    }

    /// h′(x) = g′(w) w′(x) from g′ at w(x).
    pub(crate) fn slope(self, x: f64, slope: f64) -> f64 {
        // 0 · ∞ is a curve that does not rise.
        if slope > 0.0 { slope * self.worth_slope(x) } else { 0.0 }
    }

    /// h″(x) = g″(w) w′(x)² + g′(w) w″(x) from g′ and g″ at w(x); −∞ where the price jumps.
    pub(crate) fn curvature(self, x: f64, slope: f64, curvature: f64) -> f64 {
        match self {
            Self::Fixed => curvature,
            Self::Power(p) => {
                // With w′ = q w/x and w″ = −p q w′/x: h″ = (w′/x) q (w g″ − p g′).
                let x = x.max(1e-290);
                let bend = self.worth(x) * curvature - p * slope;
                bend / (1.0 + p) * self.worth_slope(x) / x
            }
            Self::Tiers(tiers) if slope > 0.0 && tiers.jumps_at(x) => f64::NEG_INFINITY,
            Self::Tiers(_) => curvature * self.worth_slope(x) * self.worth_slope(x),
        }
    }

    /// The spend x with w(x) = w.
    pub(crate) fn spend(self, w: f64) -> f64 {
        match self {
            Self::Fixed => w,
            Self::Power(p) => {
                if w > 0.0 {
                    powf(w, 1.0 + p)
                } else {
                    0.0
                }
            }
            Self::Tiers(tiers) => {
                let (from, worth, price) = tiers.tier(tiers.worth.partition_point(|&end| end <= w));
                from + (w - worth) * price
            }
        }
    }

    /// What stands in place of the cost per unit beside w: units = w/cost.
    pub(crate) fn cost(self, cost: f64) -> f64 {
        match self {
            Self::Power(p) => powf(cost, 1.0 / (1.0 + p)),
            Self::Fixed | Self::Tiers(_) => cost,
        }
    }

    /// The curve of a family at a fixed price that equals this one behind the price, both without offset, where there is
    /// one: with q = 1/(1+p), (x/c)^q to a power is x/c to another.
    ///
    /// ```text
    /// β u          → β (x/c)^q                 power
    /// β uᵉ         → β (x/c)^{e q}             power
    /// β u/(k + u)  → Hill with half saturation k^{1+p} and slope q
    /// Hill(k, s)   → Hill with half saturation k^{1+p} and slope s q
    /// ```
    pub(crate) fn absorbed(self, kind: Kind, [a, b, c]: [f64; 3]) -> Option<(Kind, [f64; 3])> {
        let Self::Power(p) = self else { return None };
        let q = 1.0 / (1.0 + p);
        let (kind, parameters) = match kind {
            Kind::Linear => (Kind::Power, [a, q, 0.0]),
            Kind::Power => (Kind::Power, [a, b * q, 0.0]),
            Kind::MichaelisMenten => (Kind::Hill, [a, powf(b, 1.0 + p), q]),
            Kind::Hill => (Kind::Hill, [a, powf(b, 1.0 + p), c * q]),
            _ => return None,
        };
        // A half saturation may leave what the families are made for.
        let inside =
            kind.parameters().iter().zip(parameters).all(|((_, domain), value)| domain.contains(value));
        inside.then_some((kind, parameters))
    }
}

impl<'a> Tiers<'a> {
    /// The numbers of [`Price::read`] from breaks and prices; a break without a change of price is none.
    pub(crate) fn numbers(breaks: &[f64], prices: &[f64]) -> Vec<f64> {
        let rises = |at: &usize| prices[*at] < prices[at + 1];
        let breaks: Vec<f64> = (0..breaks.len()).filter(rises).map(|at| breaks[at]).collect();
        let after = (0..prices.len() - 1).filter(rises).map(|at| prices[at + 1]);
        let prices: Vec<f64> = std::iter::once(prices[0]).chain(after).collect();
        let (mut from, mut worth) = (0.0, 0.0);
        let reached = breaks.iter().zip(&prices).map(|(&end, price)| {
            worth += (end - from) / price;
            from = end;
            worth
        });
        let reached: Vec<f64> = reached.collect();
        [breaks, prices, reached].concat()
    }

    /// Breaks and prices of these numbers.
    pub(crate) fn told(numbers: &[f64]) -> (&[f64], &[f64]) {
        let count = numbers.len() / 3;
        (&numbers[..count], &numbers[count..=2 * count])
    }

    /// Start, w at the start, and price of a tier.
    fn tier(self, at: usize) -> (f64, f64, f64) {
        let before = at.checked_sub(1);
        let start = |values: &[f64]| before.map_or(0.0, |before| values[before]);
        (start(self.breaks), start(self.worth), self.prices[at])
    }

    /// The parts of [from, to] at one price: (from, to, price).
    pub(crate) fn parts(self, from: f64, to: f64) -> impl Iterator<Item = (f64, f64, f64)> + 'a {
        let first = self.breaks.partition_point(|&end| end <= from);
        let last = self.breaks.partition_point(|&end| end < to).max(first);
        (first..=last).map(move |at| {
            let left = if at == first { from } else { self.breaks[at - 1] };
            let right = if at == last { to } else { self.breaks[at] };
            (left, right, self.prices[at])
        })
    }

    /// Whether the price jumps at x.
    pub(crate) fn jumps_at(self, x: f64) -> bool {
        let at = self.breaks.partition_point(|&end| end < x);
        self.breaks.get(at).is_some_and(|&end| end <= x)
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "where equality is asked, it is exact")]
mod tests {
    use super::*;

    #[test]
    fn worth_is_the_integral_of_one_over_the_price_and_spend_its_inverse() {
        let numbers = Tiers::numbers(&[10.0, 30.0], &[1.0, 2.0, 5.0]);
        let price = Price::read(&numbers);
        for (x, worth) in [(0.0, 0.0), (4.0, 4.0), (10.0, 10.0), (20.0, 15.0), (30.0, 20.0), (80.0, 30.0)] {
            assert_eq!((price.worth(x), price.spend(worth)), (worth, x));
        }
        assert_eq!([0.0, 10.0, 29.0, 30.0].map(|x| price.worth_slope(x)), [1.0, 0.5, 0.5, 0.2]);
        let Price::Tiers(tiers) = price else { unreachable!("three numbers and more are tiers") };
        let parts: Vec<_> = tiers.parts(10.0, 50.0).collect();
        assert_eq!(parts, [(10.0, 30.0, 2.0), (30.0, 50.0, 5.0)]);
        assert_eq!(tiers.parts(2.0, 10.0).collect::<Vec<_>>(), [(2.0, 10.0, 1.0)]);
        assert!(tiers.jumps_at(30.0) && !tiers.jumps_at(29.0) && !tiers.jumps_at(31.0));
    }

    #[test]
    fn a_break_without_a_change_of_price_is_none() {
        let numbers = Tiers::numbers(&[10.0, 20.0, 30.0], &[1.0, 1.0, 2.0, 2.0]);
        assert_eq!(Tiers::told(&numbers), (&[20.0][..], &[1.0, 2.0][..]));
        assert_eq!(Tiers::numbers(&[10.0], &[3.0, 3.0]), [3.0]);
    }

    #[test]
    fn the_spend_of_a_power_price_is_average_price_times_units() {
        let price = Price::read(&[0.5]);
        // c uᵖ per unit, for u units.
        let (c, u) = (3.0_f64, 7.0_f64);
        let x = c * u * u.sqrt();
        assert!((price.worth(x) / price.cost(c) - u).abs() < 1e-14 * u);
        assert!((price.spend(price.worth(x)) - x).abs() < 1e-14 * x);
        let difference = (price.worth(x + 1e-5) - price.worth(x - 1e-5)) / 2e-5;
        assert!((price.worth_slope(x) - difference).abs() < 1e-9);
    }
}
