//! What a budget buys where every impression goes to the highest bid, at the price of the second.

use super::normal;
use super::settings::Auction;
use crate::elementary::exp;

/// Competing bids of a period, lognormal: an impression with the highest competing bid c costs c, and is won by a bid b > c.
///
/// ```text
/// impressions(b) = N Φ(z),   cost(b) = N E[c; c < b] = N m e^{σ²/2} Φ(z − σ),   z = ln(b/m)/σ
/// ```
///
/// A budget buys at the bid whose cost it is. The next impression then costs b, the bid itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Landscape {
    /// N.
    available: f64,
    /// m: money per impression.
    median: f64,
    /// σ.
    spread: f64,
}

impl Landscape {
    /// The landscape of a period and a group: sizes multiply the impressions, prices the bids.
    pub(crate) fn new(auction: &Auction, size: f64, price: f64) -> Self {
        let median = auction.median_cpm / 1_000.0 * price;
        Self { available: auction.impressions * size, median, spread: auction.spread }
    }

    /// What all impressions together cost: no larger budget can be spent.
    pub(crate) fn whole_cost(&self) -> f64 {
        self.available * self.median * exp(0.5 * self.spread * self.spread)
    }

    /// z at the bid whose cost is the budget.
    fn position(&self, budget: f64) -> f64 {
        self.spread + normal::quantile((budget / self.whole_cost()).clamp(0.0, 1.0))
    }

    /// Impressions that a budget buys.
    pub(crate) fn impressions(&self, budget: f64) -> f64 {
        self.available * normal::below(self.position(budget))
    }

    /// The bid at which a budget is spent: what the next impression costs.
    pub(crate) fn bid(&self, budget: f64) -> f64 {
        self.median * exp(self.spread * self.position(budget))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUCTION: Auction = Auction { impressions: 2e6, median_cpm: 4.0, spread: 0.8 };

    /// Simpson's rule for ∫ g(c) dF(c) over bids below b, in s = ln c.
    #[allow(clippy::disallowed_methods, reason = "a reference of its own")]
    fn integral(b: f64, weight: impl Fn(f64) -> f64) -> f64 {
        let (median, spread, steps) = (0.004_f64, 0.8_f64, 20_000);
        let (from, to) = (median.ln() - 12.0 * spread, b.ln());
        let density = |s: f64| {
            let z = (s - median.ln()) / spread;
            weight(s.exp()) * (-0.5 * z * z).exp() / (spread * std::f64::consts::TAU.sqrt())
        };
        let h = (to - from) / f64::from(steps);
        let inner: f64 =
            (1..steps).map(|k| density(from + h * f64::from(k)) * if k % 2 == 1 { 4.0 } else { 2.0 }).sum();
        h / 3.0 * (density(from) + density(to) + inner)
    }

    #[test]
    fn a_budget_buys_what_integration_over_the_competing_bids_says() {
        let landscape = Landscape::new(&AUCTION, 1.0, 1.0);
        for budget in [50.0, 800.0, 4_000.0, 9_000.0] {
            let bid = landscape.bid(budget);
            let (won, cost) = (2e6 * integral(bid, |_| 1.0), 2e6 * integral(bid, |c| c));
            assert!((cost / budget - 1.0).abs() < 1e-9, "{budget}: {cost}");
            assert!((landscape.impressions(budget) / won - 1.0).abs() < 1e-9, "{budget}: {won}");
        }
    }

    #[test]
    fn the_next_impression_costs_the_bid() {
        let landscape = Landscape::new(&AUCTION, 0.5, 1.3);
        for budget in [20.0, 1_000.0, 5_000.0] {
            let h = budget * 1e-5;
            let won = landscape.impressions(budget + h) - landscape.impressions(budget - h);
            assert!((2.0 * h / won / landscape.bid(budget) - 1.0).abs() < 1e-6);
        }
        // m e^{σ²/2}, the mean competing bid, times all impressions.
        let all = landscape.whole_cost();
        assert!((all - 1e6 * 0.004 * 1.3 * exp(0.32)).abs() < 1e-9 * all);
        assert!((landscape.impressions(2.0 * all) - 1e6).abs() < 1e-3);
        assert!(landscape.impressions(0.0) < 1e-9 && landscape.bid(1.0) < 0.004 * 1.3);
    }
}
