//! The search for the price of budget: the λ at which the arms together want what there is.

use crate::elementary::{exp, ln};

/// What all arms together want at a price.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Totals {
    /// Σ x(λ).
    pub(crate) spend: f64,
    /// dΣx/d ln λ ≤ 0, where the arms move smoothly.
    pub(crate) rate: f64,
    /// Σ f(x), where it is asked.
    pub(crate) response: f64,
}

impl Totals {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            spend: self.spend + other.spend,
            rate: self.rate + other.rate,
            response: self.response + other.response,
        }
    }
}

/// The arms of a problem, as the search sees them.
pub(crate) trait Market {
    /// The totals at a price, every arm that is indifferent at its smaller spend.
    fn totals(&mut self, lambda: f64) -> Totals;
    /// The middle one of the prices strictly inside (low, high) at which an arm jumps.
    fn jump_between(&self, low: f64, high: f64) -> Option<f64>;
    /// By how much the totals jump at exactly this price.
    fn jump_at(&self, lambda: f64) -> f64;
}

/// Where the search ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clearing {
    pub(crate) lambda: f64,
    /// Totals at λ, at most the target but for rounding.
    pub(crate) totals: Totals,
    /// Number of passes over the arms.
    pub(crate) passes: usize,
}

/// A residual below this share of the target is left to the first-order correction of the spends, whose
/// error is its square.
const CLOSE: f64 = 1e-9;
/// Largest step of ln λ that counts as a first-order correction.
pub(crate) const SMALL_STEP: f64 = 1e-3;
/// Share of the target that is the rounding of a sum.
const ROUNDING: f64 = 1e-15;
/// Prices are searched between these: curves whose slopes lie below the first are flat to every digit of their
/// response, and no checked curve is steeper than the second where it matters.
pub(crate) const LEAST: f64 = 1e-250;
const MOST: f64 = 1e250;

/// Finds the smallest price at which `market` wants at most `target`, to the last bits.
///
/// Newton's method on λ^{−1/2}, in which Michaelis-Menten curves are straight; inside a bracket, with a
/// secant or a bisection where that fails, and directly at the prices where arms jump once those are what
/// keeps the bracket open. `slack` is the residual (money) that the caller accepts next to jumps.
///
/// The last pass is at the price returned. Where even free budget is not wanted the price is as good as 0, and the
/// totals stay below the target.
pub(crate) fn clear(market: &mut impl Market, target: f64, start: f64, slack: f64) -> Clearing {
    // Σx(low) > target ≥ Σx(high).
    let (mut low, mut high) = (0.0_f64, f64::INFINITY);
    let mut previous: Option<(f64, f64)> = None;
    let mut stride = 2.0_f64;
    let mut stalled = 0;
    // The start may be a price at which an arm jumps; later the search knows.
    let mut at_jump = true;
    let mut lambda = start;
    let mut passes = 0;
    while passes < 500 {
        passes += 1;
        let totals = market.totals(lambda);
        let residual = target - totals.spend;
        // Close enough, if a small step of the price closes the rest: arms that hardly move say nothing about it.
        let small = residual.abs() <= SMALL_STEP * -totals.rate || residual.abs() <= ROUNDING * target;
        if small && residual.abs() <= slack.max(CLOSE * target) {
            return Clearing { lambda, totals, passes };
        }
        if at_jump && residual >= 0.0 && residual <= market.jump_at(lambda) {
            return Clearing { lambda, totals, passes };
        }
        let width = high / low;
        if residual > 0.0 {
            high = lambda
        } else {
            low = lambda
        }
        let bracketed = low > 0.0 && high.is_finite();
        // Halving the bracket's width (on the log scale) is progress.
        stalled = if bracketed && high / low > width.sqrt() { stalled + 1 } else { 0 };
        let exhausted = bracketed && high <= low * (1.0 + 4.0 * f64::EPSILON);
        if exhausted || lambda <= LEAST && residual > 0.0 || lambda >= MOST && residual < 0.0 {
            break;
        }

        let newton = {
            let root = 1.0 - residual / (2.0 * totals.rate);
            if root > 0.0 { lambda / (root * root) } else { lambda * exp(residual / totals.rate) }
        };
        let secant = previous.map_or(f64::NAN, |(other, spend)| {
            let slope = (totals.spend - spend) / ln(lambda / other);
            lambda * exp(residual / slope)
        });
        previous = Some((lambda, totals.spend));
        at_jump = false;
        lambda = if bracketed {
            let jump = market.jump_between(low, high);
            let guess = if jump.is_some() { secant } else { newton };
            let inside = guess > low && guess < high;
            match jump {
                Some(jump) if stalled >= 2 || !inside => {
                    stalled = 0;
                    at_jump = true;
                    jump
                }
                _ if inside && stalled < 3 => guess,
                _ => {
                    stalled = 0;
                    low.sqrt() * high.sqrt()
                }
            }
        } else {
            // No bracket yet: a step in the right direction, ever longer.
            stride *= 2.0;
            let (least, most) =
                if residual > 0.0 { (lambda / exp(stride), lambda) } else { (lambda, lambda * exp(stride)) };
            let guess = if newton.is_finite() { newton.clamp(least, most) } else { f64::NAN };
            match residual > 0.0 {
                true if guess < lambda => guess * (1.0 - 1e-9),
                true => least,
                false if guess > lambda => guess * (1.0 + 1e-9),
                false => most,
            }
        };
        lambda = lambda.clamp(LEAST, MOST);
    }
    let lambda = high.min(MOST);
    Clearing { lambda, totals: market.totals(lambda), passes: passes + 1 }
}
