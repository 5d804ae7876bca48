//! The Hill curve: the one smooth family whose slope has no inverse in closed form.

use super::shape::Shape;
use crate::elementary::{exp, ln, sigmoid, softplus};

/// β uˢ/(kˢ + uˢ): concave for s ≤ 1, S-shaped for s > 1.
///
/// With w = s ln(u/k) the curve is β/(1 + e⁻ʷ) and its slope
///
/// ```text
/// ln f′ = ln(β s/k) + g(w),   g(w) = (1 − 1/s) w − 2 ln(1 + eʷ)
/// ```
///
/// so f′(u) = m is g(w) = ln(m k/(β s)) =: c. On the concave part g is concave and decreasing: from any
/// w to the right of the root Newton's method runs down to it without overshooting, and both
/// −(1 + 1/s) w and (1 − 1/s) w lie above g, which gives such a start.
#[derive(Clone, Copy)]
pub(crate) struct Hill {
    beta: f64,
    half_saturation: f64,
    slope: f64,
}

impl Hill {
    /// w = s ln(u/k).
    #[inline(always)]
    fn log_ratio(self, u: f64) -> f64 {
        self.slope * ln(u / self.half_saturation)
    }

    /// c = ln(m k/(β s)).
    #[inline(always)]
    pub(crate) fn log_slope_target(self, m: f64) -> f64 {
        ln(m * (self.half_saturation / (self.beta * self.slope)))
    }

    /// A start at or to the right of the root of g(w) = c, where there is one.
    #[inline(always)]
    pub(crate) fn start(self, c: f64) -> f64 {
        let scaled = c * self.slope;
        let right = -scaled / (self.slope + 1.0);
        let left = scaled / (self.slope - 1.0);
        let falls_left = self.slope < 1.0;
        if falls_left & (left < right) { left } else { right }
    }

    /// 1 − 1/s, the slope of g far to the left.
    #[inline(always)]
    pub(crate) fn rise(self) -> f64 {
        1.0 - 1.0 / self.slope
    }

    /// One Newton step on g(w) = c: the next w and the step's length.
    #[inline(always)]
    pub(crate) fn step(w: f64, c: f64, rise: f64) -> (f64, f64) {
        let e = exp(if w < 0.0 { w } else { -w });
        let large = 1.0 / (1.0 + e);
        let p = if w < 0.0 { e * large } else { large };
        // ln(1 + eʷ) = ln(1 + e) + max(w, 0), with what 1 + e rounds away put back.
        let softplus = ln(1.0 + e) + (e - ((1.0 + e) - 1.0)) * large + if w > 0.0 { w } else { 0.0 };
        let residual = rise * w - 2.0 * softplus - c;
        let next = w - residual / (rise - 2.0 * p);
        (next, next - w)
    }

    /// u = k e^{w/s}.
    #[inline(always)]
    pub(crate) fn units(self, w: f64) -> f64 {
        self.half_saturation * exp(w / self.slope)
    }

    /// f′(u)/f″(u), where w = s ln(u/k) is at hand.
    #[inline(always)]
    pub(crate) fn slope_rate_at(self, w: f64, u: f64) -> f64 {
        let (p, q) = sigmoid(w);
        u / (self.slope * (q - p) - 1.0)
    }

    /// The point where the line through the origin touches the curve, k (s − 1)^{1/s}; 0 for s ≤ 1.
    #[inline(always)]
    pub(crate) fn tangent_from_origin(self) -> f64 {
        let tangent = self.half_saturation * exp(ln(self.slope - 1.0) / self.slope);
        if self.slope > 1.0 { tangent } else { 0.0 }
    }
}

impl Shape for Hill {
    #[inline(always)]
    fn new([beta, half_saturation, slope]: [f64; 3]) -> Self {
        Self { beta, half_saturation, slope }
    }
    #[inline(always)]
    fn value(self, u: f64) -> f64 {
        self.beta * sigmoid(self.log_ratio(u)).0
    }
    #[inline(always)]
    fn slope(self, u: f64) -> f64 {
        // β s/u · p (1 − p); written as β s/k · e^{g(w)} it holds at u = 0 too.
        let (p, q) = sigmoid(self.log_ratio(u));
        // s/u must not overflow: below 1e-290 the slope stands still.
        let away = self.slope / if u > 1e-290 { u } else { 1e-290 } * (p * q) * self.beta;
        let unit = self.beta / self.half_saturation;
        let at_zero = if self.slope > 1.0 { 0.0 } else { f64::INFINITY };
        let at_zero = if self.slope < 1.0 || self.slope > 1.0 { at_zero } else { unit };
        let at_zero = if self.beta > 0.0 { at_zero } else { 0.0 };
        if u > 0.0 { away } else { at_zero }
    }
    fn curvature(self, u: f64) -> f64 {
        let (p, q) = sigmoid(self.log_ratio(u));
        let s = self.slope;
        if u > 0.0 {
            // One division at a time: β s/u² alone may overflow where p q is 0.
            return s / u.max(1e-290) * (p * q) * self.beta / u * (s * (q - p) - 1.0);
        }
        // As u → 0, f″ ~ β s (s − 1) u^{s−2}/kˢ; for s = 1 and s = 2 the limits are finite.
        let k2 = self.half_saturation * self.half_saturation;
        match s {
            _ if self.beta <= 0.0 => 0.0,
            s if s < 1.0 => f64::NEG_INFINITY,
            s if s <= 1.0 => -2.0 * self.beta / k2,
            s if s < 2.0 => f64::INFINITY,
            s if s <= 2.0 => 2.0 * self.beta / k2,
            _ => 0.0,
        }
    }
    #[inline(always)]
    fn slope_rate(self, u: f64) -> f64 {
        self.slope_rate_at(self.log_ratio(u), u)
    }
    #[inline(always)]
    fn inverse_slope(self, m: f64) -> f64 {
        let c = self.log_slope_target(m);
        // Steeper than the steepest point of an S-curve, or β = 0.
        let inflection = ln((self.slope - 1.0) / (self.slope + 1.0));
        let rise = self.rise();
        let steepest =
            if self.slope > 1.0 { rise * inflection - 2.0 * softplus(inflection) } else { f64::INFINITY };
        let steepest = if self.slope < 1.0 || self.slope > 1.0 { steepest } else { 0.0 };
        if !(c < steepest) {
            return f64::NEG_INFINITY;
        }
        let mut w = self.start(c);
        for _ in 0..60 {
            let (next, step) = Self::step(w, c, rise);
            w = next;
            // From the right every exact step leads left: the first that does not is rounding.
            if step >= 0.0 {
                break;
            }
        }
        self.units(w)
    }
    #[inline(always)]
    fn inflection(self) -> f64 {
        let s = self.slope;
        let inflection = self.half_saturation * exp(ln((s - 1.0) / (s + 1.0)) / s);
        if s > 1.0 { inflection } else { 0.0 }
    }
    fn elasticity(self, u: f64) -> f64 {
        let (p, q) = sigmoid(self.log_ratio(u));
        self.slope * (q - p) - 1.0
    }
    fn curvature_turns(self) -> [f64; 2] {
        // With z = (u/k)ˢ, f‴ = 0 is (s + 1)(s + 2) z² − 4 (s² − 1) z + (s − 1)(s − 2) = 0.
        let s = self.slope;
        let (a, b, c) = ((s + 1.0) * (s + 2.0), 2.0 * (s * s - 1.0), (s - 1.0) * (s - 2.0));
        let root = (b * b - a * c).sqrt();
        [c / (b + root), (b + root) / a]
            .map(|z| if z > 0.0 { self.half_saturation * exp(ln(z) / s) } else { f64::NAN })
    }
}
