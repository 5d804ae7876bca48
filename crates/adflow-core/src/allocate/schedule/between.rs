//! Quantities between bounds, as an interior-point method keeps them: what their bounds add to the equations of a step.

/// Quantities between bounds, with a multiplier for each bound; an infinite bound has none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Barrier {
    pub(crate) low: Vec<f64>,
    pub(crate) high: Vec<f64>,
    pub(crate) at: Vec<f64>,
    pub(crate) below: Vec<f64>,
    pub(crate) above: Vec<f64>,
}

/// What a step aims at: complementarity of each bound.
#[derive(Clone, Copy)]
pub(crate) struct Aim<'s> {
    pub(crate) level: f64,
    /// What the predictor's step and its multiplier's step multiply to, for the lower and the upper bounds.
    pub(crate) second: Option<(&'s [f64], &'s [f64])>,
}

impl Barrier {
    pub(crate) fn push(&mut self, low: f64, high: f64, at: f64) {
        self.low.push(low);
        self.high.push(high);
        self.at.push(at);
        self.below.push(0.0);
        self.above.push(0.0);
    }

    pub(crate) fn len(&self) -> usize {
        self.at.len()
    }

    pub(crate) fn gaps(&self, j: usize) -> (f64, f64) {
        (
            (self.at[j] - self.low[j]).max(f64::MIN_POSITIVE),
            (self.high[j] - self.at[j]).max(f64::MIN_POSITIVE),
        )
    }

    /// Starts the multipliers from the slope that they must make up for.
    pub(crate) fn start(&mut self, j: usize, reduced: f64, mu: f64) {
        let (low, high) = self.gaps(j);
        self.below[j] = if self.low[j].is_finite() { (-reduced).max(0.0) + mu / low } else { 0.0 };
        self.above[j] = if self.high[j].is_finite() { reduced.max(0.0) + mu / high } else { 0.0 };
    }

    /// Σ multiplier · gap, and how many there are.
    pub(crate) fn complementarity(&self) -> (f64, usize) {
        let mut sum = 0.0;
        let mut count = 0;
        for j in 0..self.len() {
            let (low, high) = self.gaps(j);
            if self.low[j].is_finite() {
                sum += self.below[j] * low;
                count += 1;
            }
            if self.high[j].is_finite() {
                sum += self.above[j] * high;
                count += 1;
            }
        }
        (sum, count)
    }

    /// The curvature that the bounds add.
    pub(crate) fn curvature(&self, j: usize) -> f64 {
        let (low, high) = self.gaps(j);
        let below = if self.low[j].is_finite() { self.below[j] / low } else { 0.0 };
        below + if self.high[j].is_finite() { self.above[j] / high } else { 0.0 }
    }

    pub(crate) fn targets(&self, j: usize, aim: &Aim<'_>) -> (f64, f64) {
        let (below, above) = aim.second.map_or((0.0, 0.0), |(below, above)| (below[j], above[j]));
        (aim.level - below, aim.level + above)
    }

    /// What the bounds' equations put on the right side.
    pub(crate) fn pull(&self, j: usize, aim: &Aim<'_>) -> f64 {
        let (low, high) = self.gaps(j);
        let (to_low, to_high) = self.targets(j, aim);
        let below = if self.low[j].is_finite() { to_low / low - self.below[j] } else { 0.0 };
        let above = if self.high[j].is_finite() { to_high / high - self.above[j] } else { 0.0 };
        below - above
    }

    /// The multipliers' steps that go with a step.
    pub(crate) fn follow(&self, step: &[f64], aim: &Aim<'_>) -> (Vec<f64>, Vec<f64>) {
        let mut below = vec![0.0; self.len()];
        let mut above = vec![0.0; self.len()];
        for j in 0..self.len() {
            let (low, high) = self.gaps(j);
            let (to_low, to_high) = self.targets(j, aim);
            if self.low[j].is_finite() {
                below[j] = (to_low - self.below[j] * step[j]) / low - self.below[j];
            }
            if self.high[j].is_finite() {
                above[j] = (to_high + self.above[j] * step[j]) / high - self.above[j];
            }
        }
        (below, above)
    }

    /// The longest step that keeps inside.
    pub(crate) fn longest(&self, step: &[f64], below: &[f64], above: &[f64]) -> f64 {
        let mut longest = f64::INFINITY;
        let mut keep = |room: f64, step: f64| {
            if step < 0.0 {
                longest = longest.min(room / -step);
            }
        };
        for j in 0..self.len() {
            let (low, high) = self.gaps(j);
            if self.low[j].is_finite() {
                keep(low, step[j]);
                keep(self.below[j], below[j]);
            }
            if self.high[j].is_finite() {
                keep(high, -step[j]);
                keep(self.above[j], above[j]);
            }
        }
        longest
    }

    pub(crate) fn advance(&mut self, length: f64, step: &[f64], below: &[f64], above: &[f64]) {
        for j in 0..self.len() {
            self.at[j] += length * step[j];
            self.below[j] += length * below[j];
            self.above[j] += length * above[j];
        }
    }

    /// Complementarity after a step.
    pub(crate) fn after(&self, length: f64, step: &[f64], below: &[f64], above: &[f64]) -> f64 {
        let mut sum = 0.0;
        for j in 0..self.len() {
            let (low, high) = self.gaps(j);
            if self.low[j].is_finite() {
                sum += (self.below[j] + length * below[j]) * (low + length * step[j]);
            }
            if self.high[j].is_finite() {
                sum += (self.above[j] + length * above[j]) * (high - length * step[j]);
            }
        }
        sum
    }
}
