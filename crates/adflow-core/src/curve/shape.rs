//! The families of smooth response curves, each as its formula.
//!
//! A shape maps units u ≥ 0 to response. Money, carry-over and draws are the business of
//! [`arm`](super::arm): here stands only mathematics. Every shape is nondecreasing, convex up to its
//! inflection and concave after it.

use crate::elementary::{exp, exp_m1, ln, ln_1p, powf, sigmoid};

/// One family of curves with its parameters.
pub(crate) trait Shape: Copy {
    /// Takes the parameters in the order of the constructor.
    fn new(parameters: [f64; 3]) -> Self;
    /// f(u).
    fn value(self, u: f64) -> f64;
    /// f′(u).
    fn slope(self, u: f64) -> f64;
    /// f″(u).
    fn curvature(self, u: f64) -> f64;
    /// f′(u)/f″(u) = du/d ln f′ on the concave part: how far the spend moves with the price.
    fn slope_rate(self, u: f64) -> f64;
    /// The u on the concave part with f′(u) = m, for m > 0; below the concave part (any number, −∞
    /// included) where f′ is smaller than m everywhere.
    fn inverse_slope(self, m: f64) -> f64;
    /// Where the convex part ends: 0 for concave shapes.
    fn inflection(self) -> f64 {
        0.0
    }
    /// Bounds of d f″(o + d)/f′(o + d) on [from, to], 0 ≤ from: how the slope's logarithm moves with that of d.
    ///
    /// (1 − o/u) rises, and u f″/f′ falls in every family that does not say otherwise.
    fn bend_bounds(self, o: f64, from: f64, to: f64) -> (f64, f64) {
        let (a, b) = (o + from, o + to);
        let share = |d: f64, u: f64| if o > 0.0 { d / u } else { 1.0 };
        products((share(from, a), share(to, b)), (self.elasticity(b), self.elasticity(a)))
    }
    /// u f″(u)/f′(u).
    fn elasticity(self, u: f64) -> f64 {
        u / self.slope_rate(u)
    }
    /// The u > 0 at which f″ turns (at most two): between them f″ is monotone.
    fn curvature_turns(self) -> [f64; 2] {
        [f64::NAN; 2]
    }
}

/// The smallest and largest product of numbers of two intervals, the first of which holds none below 0.
pub(crate) fn products((a, b): (f64, f64), (low, high): (f64, f64)) -> (f64, f64) {
    // 0 · ∞ comes from a factor that vanishes: its products are 0 up to the other end's.
    let product = |x: f64, y: f64| if x > 0.0 { x * y } else { 0.0 };
    (product(a, low).min(product(b, low)), product(a, high).max(product(b, high)))
}

/// β u.
#[derive(Clone, Copy)]
pub(crate) struct Linear {
    beta: f64,
}

impl Shape for Linear {
    #[inline(always)]
    fn new([beta, ..]: [f64; 3]) -> Self {
        Self { beta }
    }
    #[inline(always)]
    fn value(self, u: f64) -> f64 {
        self.beta * u
    }
    #[inline(always)]
    fn slope(self, _: f64) -> f64 {
        self.beta
    }
    fn curvature(self, _: f64) -> f64 {
        0.0
    }
    #[inline(always)]
    fn slope_rate(self, _: f64) -> f64 {
        0.0
    }
    #[inline(always)]
    fn inverse_slope(self, m: f64) -> f64 {
        if m < self.beta { f64::INFINITY } else { f64::NEG_INFINITY }
    }
    fn elasticity(self, _: f64) -> f64 {
        0.0
    }
}

/// r (min(u, b) − a) from a on, 0 before: a part of a table.
#[derive(Clone, Copy)]
pub(crate) struct Ramp {
    rate: f64,
    from: f64,
    to: f64,
}

impl Shape for Ramp {
    #[inline(always)]
    fn new([rate, from, to]: [f64; 3]) -> Self {
        Self { rate, from, to }
    }
    #[inline(always)]
    fn value(self, u: f64) -> f64 {
        let end = if u < self.to { u } else { self.to };
        if end > self.from { self.rate * (end - self.from) } else { 0.0 }
    }
    #[inline(always)]
    fn slope(self, u: f64) -> f64 {
        if (u >= self.from) & (u < self.to) { self.rate } else { 0.0 }
    }
    fn curvature(self, _: f64) -> f64 {
        0.0
    }
    #[inline(always)]
    fn slope_rate(self, _: f64) -> f64 {
        0.0
    }
    #[inline(always)]
    fn inverse_slope(self, m: f64) -> f64 {
        if m < self.rate { self.to } else { f64::NEG_INFINITY }
    }
    #[inline(always)]
    fn inflection(self) -> f64 {
        self.from
    }
    fn elasticity(self, _: f64) -> f64 {
        0.0
    }
}

/// β ln(1 + u/k).
#[derive(Clone, Copy)]
pub(crate) struct Logarithmic {
    beta: f64,
    scale: f64,
}

impl Shape for Logarithmic {
    #[inline(always)]
    fn new([beta, scale, _]: [f64; 3]) -> Self {
        Self { beta, scale }
    }
    #[inline(always)]
    fn value(self, u: f64) -> f64 {
        self.beta * ln_1p(u / self.scale)
    }
    #[inline(always)]
    fn slope(self, u: f64) -> f64 {
        self.beta / (self.scale + u)
    }
    fn curvature(self, u: f64) -> f64 {
        -self.beta / (self.scale + u) / (self.scale + u)
    }
    #[inline(always)]
    fn slope_rate(self, u: f64) -> f64 {
        -(self.scale + u)
    }
    #[inline(always)]
    fn inverse_slope(self, m: f64) -> f64 {
        self.beta / m - self.scale
    }
}

/// β uᵖ, 0 < p ≤ 1.
#[derive(Clone, Copy)]
pub(crate) struct Power {
    beta: f64,
    exponent: f64,
}

impl Shape for Power {
    #[inline(always)]
    fn new([beta, exponent, _]: [f64; 3]) -> Self {
        Self { beta, exponent }
    }
    #[inline(always)]
    fn value(self, u: f64) -> f64 {
        self.beta * powf(u, self.exponent)
    }
    #[inline(always)]
    fn slope(self, u: f64) -> f64 {
        // p − 1 ≤ 0: u = 0 gives +∞ for p < 1 and β for p = 1.
        let power = exp((self.exponent - 1.0) * ln(u));
        let power = if self.exponent < 1.0 { power } else { 1.0 };
        let slope = self.beta * self.exponent * power;
        if self.beta > 0.0 { slope } else { 0.0 }
    }
    fn curvature(self, u: f64) -> f64 {
        if self.exponent < 1.0 && self.beta > 0.0 {
            self.beta * self.exponent * (self.exponent - 1.0) * exp((self.exponent - 2.0) * ln(u))
        } else {
            0.0
        }
    }
    #[inline(always)]
    fn slope_rate(self, u: f64) -> f64 {
        -u / (1.0 - self.exponent)
    }
    #[inline(always)]
    fn inverse_slope(self, m: f64) -> f64 {
        let ratio = self.beta * self.exponent / m;
        let interior = exp(ln(ratio) / (1.0 - self.exponent));
        let linear = if ratio > 1.0 { f64::INFINITY } else { f64::NEG_INFINITY };
        if self.exponent < 1.0 { interior } else { linear }
    }
    fn elasticity(self, _: f64) -> f64 {
        self.exponent - 1.0
    }
}

/// β (1 − e^{−u/k}).
#[derive(Clone, Copy)]
pub(crate) struct Exponential {
    beta: f64,
    scale: f64,
}

impl Shape for Exponential {
    #[inline(always)]
    fn new([beta, scale, _]: [f64; 3]) -> Self {
        Self { beta, scale }
    }
    #[inline(always)]
    fn value(self, u: f64) -> f64 {
        -self.beta * exp_m1(-u / self.scale)
    }
    #[inline(always)]
    fn slope(self, u: f64) -> f64 {
        self.beta / self.scale * exp(-u / self.scale)
    }
    fn curvature(self, u: f64) -> f64 {
        -self.slope(u) / self.scale
    }
    #[inline(always)]
    fn slope_rate(self, _: f64) -> f64 {
        -self.scale
    }
    #[inline(always)]
    fn inverse_slope(self, m: f64) -> f64 {
        self.scale * ln(self.beta / self.scale / m)
    }
}

/// β u/(k + u).
#[derive(Clone, Copy)]
pub(crate) struct MichaelisMenten {
    beta: f64,
    half_saturation: f64,
}

impl Shape for MichaelisMenten {
    #[inline(always)]
    fn new([beta, half_saturation, _]: [f64; 3]) -> Self {
        Self { beta, half_saturation }
    }
    #[inline(always)]
    fn value(self, u: f64) -> f64 {
        self.beta * (u / (self.half_saturation + u))
    }
    #[inline(always)]
    fn slope(self, u: f64) -> f64 {
        let sum = self.half_saturation + u;
        self.beta * self.half_saturation / (sum * sum)
    }
    fn curvature(self, u: f64) -> f64 {
        -2.0 * self.slope(u) / (self.half_saturation + u)
    }
    #[inline(always)]
    fn slope_rate(self, u: f64) -> f64 {
        -0.5 * (self.half_saturation + u)
    }
    #[inline(always)]
    fn inverse_slope(self, m: f64) -> f64 {
        (self.beta * self.half_saturation / m).sqrt() - self.half_saturation
    }
}

/// β (1 − e^{−λu})/(1 + e^{−λu}).
#[derive(Clone, Copy)]
pub(crate) struct Logistic {
    beta: f64,
    lam: f64,
}

impl Logistic {
    /// ln(2 + √3): where the third derivative of tanh(t/2) is zero.
    const TURN: f64 = 1.316_957_896_924_816_7;
}

impl Shape for Logistic {
    #[inline(always)]
    fn new([beta, lam, _]: [f64; 3]) -> Self {
        Self { beta, lam }
    }
    #[inline(always)]
    fn value(self, u: f64) -> f64 {
        let e = exp_m1(-self.lam * u);
        self.beta * (-e / (2.0 + e))
    }
    #[inline(always)]
    fn slope(self, u: f64) -> f64 {
        let e = exp(-self.lam * u);
        2.0 * self.beta * self.lam * e / ((1.0 + e) * (1.0 + e))
    }
    fn curvature(self, u: f64) -> f64 {
        let e = exp_m1(-self.lam * u);
        -self.lam * self.slope(u) * (-e / (2.0 + e))
    }
    #[inline(always)]
    fn slope_rate(self, u: f64) -> f64 {
        let e = exp_m1(-self.lam * u);
        (2.0 + e) / (self.lam * e)
    }
    #[inline(always)]
    fn inverse_slope(self, m: f64) -> f64 {
        // f′ = (βλ/2)(1 − r²) with r = tanh(λu/2), so 1 − r² = q and u = 2 atanh(r)/λ.
        let q = 2.0 * m / (self.beta * self.lam);
        let r = (1.0 - q).sqrt();
        let u = ln((1.0 + r) * (1.0 + r) / q) / self.lam;
        if q < 1.0 { u } else { f64::NEG_INFINITY }
    }
    fn curvature_turns(self) -> [f64; 2] {
        [Self::TURN / self.lam, f64::NAN]
    }
}

/// b tanh(u/(b c)): the logistic curve with β = b and λ = 2/(b c).
#[derive(Clone, Copy)]
pub(crate) struct Tanh(Logistic);

impl Shape for Tanh {
    #[inline(always)]
    fn new([b, c, _]: [f64; 3]) -> Self {
        // b = 0 is the zero curve, whatever c.
        let scale = if b > 0.0 { b } else { 1.0 };
        Self(Logistic { beta: b, lam: 2.0 / (scale * c) })
    }
    #[inline(always)]
    fn value(self, u: f64) -> f64 {
        self.0.value(u)
    }
    #[inline(always)]
    fn slope(self, u: f64) -> f64 {
        self.0.slope(u)
    }
    fn curvature(self, u: f64) -> f64 {
        self.0.curvature(u)
    }
    #[inline(always)]
    fn slope_rate(self, u: f64) -> f64 {
        self.0.slope_rate(u)
    }
    #[inline(always)]
    fn inverse_slope(self, m: f64) -> f64 {
        self.0.inverse_slope(m)
    }
    fn curvature_turns(self) -> [f64; 2] {
        self.0.curvature_turns()
    }
}

/// σ/(1 + e^{−β(u−λ)}) − σ/(1 + e^{βλ}).
#[derive(Clone, Copy)]
pub(crate) struct HillSigmoid {
    sigma: f64,
    beta: f64,
    lam: f64,
}

impl HillSigmoid {
    /// ln(2 + √3): where the third derivative of the logistic function is zero, on both sides.
    const TURN: f64 = 1.316_957_896_924_816_7;
}

impl Shape for HillSigmoid {
    #[inline(always)]
    fn new([sigma, beta, lam]: [f64; 3]) -> Self {
        Self { sigma, beta, lam }
    }
    #[inline(always)]
    fn value(self, u: f64) -> f64 {
        self.sigma * (sigmoid(self.beta * (u - self.lam)).0 - sigmoid(-self.beta * self.lam).0)
    }
    #[inline(always)]
    fn slope(self, u: f64) -> f64 {
        let (p, q) = sigmoid(self.beta * (u - self.lam));
        self.sigma * self.beta * p * q
    }
    fn curvature(self, u: f64) -> f64 {
        let (p, q) = sigmoid(self.beta * (u - self.lam));
        self.sigma * self.beta * self.beta * p * q * (q - p)
    }
    #[inline(always)]
    fn slope_rate(self, u: f64) -> f64 {
        let (p, q) = sigmoid(self.beta * (u - self.lam));
        1.0 / (self.beta * (q - p))
    }
    #[inline(always)]
    fn inverse_slope(self, m: f64) -> f64 {
        // p (1 − p) = m/(σβ); the root p ≥ ½ lies on the concave part.
        let product = m / (self.sigma * self.beta);
        let p = 0.5 * (1.0 + (1.0 - 4.0 * product).sqrt());
        let u = self.lam + ln(p * p / product) / self.beta;
        if product < 0.25 { u } else { f64::NEG_INFINITY }
    }
    #[inline(always)]
    fn inflection(self) -> f64 {
        self.lam
    }
    fn bend_bounds(self, o: f64, from: f64, to: f64) -> (f64, f64) {
        // f″/f′ = β (q − p) falls; u times it does not.
        let bend = |d: f64| {
            let (p, q) = sigmoid(self.beta * (o + d - self.lam));
            self.beta * (q - p)
        };
        products((from, to), (bend(to), bend(from)))
    }
    fn curvature_turns(self) -> [f64; 2] {
        [self.lam - Self::TURN / self.beta, self.lam + Self::TURN / self.beta]
    }
}
