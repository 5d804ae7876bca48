//! Random numbers that belong to a place: one seed, and then what for, which group, which channel, which period.
//!
//! Nothing is drawn in an order. So a change of one channel's spend, or a longer horizon, leaves every other number as it
//! was, and two simulations differ by their causes alone (common random numbers).

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

use super::normal;

/// What a number is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// What moves the spends of all channels together.
    CommonSpend = 1,
    /// What moves the spend of one channel.
    OwnSpend,
    /// What moves the spend of one channel in one group.
    GroupSpend,
    /// Noise of a price.
    Price,
    /// Noise of the outcome.
    Outcome,
    /// Rate of a count.
    Rate,
    /// How a group differs in effect.
    Effect,
    /// How a group differs in level.
    Level,
    /// A control.
    Control,
    /// Settings drawn at random.
    Settings,
}

/// Blocks of 16 words between periods: what rejection may use up.
const BLOCKS_PER_PERIOD: u64 = 64;

/// All random numbers of a market.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Randomness {
    key: [u8; 32],
}

/// The numbers of one place, one after the other.
pub(crate) struct Sequence(ChaCha8Rng);

impl Randomness {
    pub(crate) fn new(seed: u64) -> Self {
        Self { key: ChaCha8Rng::seed_from_u64(seed).get_seed() }
    }

    /// The numbers of a place. Groups and channels are fewer than 2²⁸.
    pub(crate) fn at(&self, purpose: Purpose, group: usize, channel: usize, period: usize) -> Sequence {
        let mut numbers = ChaCha8Rng::from_seed(self.key);
        numbers.set_stream((purpose as u64) << 56 | (group as u64) << 28 | channel as u64);
        numbers.set_block_pos(period as u64 * BLOCKS_PER_PERIOD);
        Sequence(numbers)
    }

    /// A standard normal number.
    pub(crate) fn normal(&self, purpose: Purpose, group: usize, channel: usize, period: usize) -> f64 {
        self.at(purpose, group, channel, period).normal()
    }
}

impl Sequence {
    /// Uniform on (0, 1), never an end.
    #[allow(clippy::cast_precision_loss, reason = "52 bits are exact")]
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 12) as f64 + 0.5) / 4_503_599_627_370_496.0 // 2⁵²
    }

    /// Standard normal, by inversion.
    pub(crate) fn normal(&mut self) -> f64 {
        normal::quantile(self.uniform())
    }

    /// Uniform between two numbers.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_its_own_numbers_whatever_was_asked_before() {
        let randomness = Randomness::new(7);
        let alone = randomness.normal(Purpose::Outcome, 2, 3, 40);
        let _ = randomness.normal(Purpose::Outcome, 2, 3, 39);
        assert!(alone.to_bits() == randomness.normal(Purpose::Outcome, 2, 3, 40).to_bits());
        for other in [
            randomness.normal(Purpose::Price, 2, 3, 40),
            randomness.normal(Purpose::Outcome, 3, 2, 40),
            randomness.normal(Purpose::Outcome, 2, 3, 41),
            Randomness::new(8).normal(Purpose::Outcome, 2, 3, 40),
        ] {
            assert!(alone.to_bits() != other.to_bits());
        }
    }

    #[test]
    fn normal_numbers_have_the_moments_of_a_normal() {
        let randomness = Randomness::new(1);
        let n = 40_000;
        let all: Vec<f64> = (0..n).map(|t| randomness.normal(Purpose::Outcome, 0, 0, t)).collect();
        let count = 40_000.0;
        let moment = |power: i32| all.iter().map(|z| z.powi(power)).sum::<f64>() / count;
        // Four standard errors each: 1, √2, √15, √96 over √n.
        assert!(moment(1).abs() < 0.02 && (moment(2) - 1.0).abs() < 0.03);
        assert!(moment(3).abs() < 0.08 && (moment(4) - 3.0).abs() < 0.2);
    }
}
