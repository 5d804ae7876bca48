//! Random problems of any size, the same in every run.

use adflow_core::{Problem, ResponseCurves};

/// Parameters of Hill curves: β from 1 to 10, k from 0.1 to 10 on a log scale, s from the range asked for.
pub(crate) struct Arms {
    pub(crate) beta: Vec<f64>,
    pub(crate) half_saturation: Vec<f64>,
    pub(crate) slope: Vec<f64>,
}

impl Arms {
    pub(crate) fn random(n: usize, slopes: (f64, f64)) -> Self {
        let mut random = Random(0x5EED);
        let mut column =
            |low: f64, high: f64| (0..n).map(|_| random.between(low, high)).collect::<Vec<f64>>();
        let (beta, logarithm, slope) = (column(1.0, 10.0), column(-1.0, 1.0), column(slopes.0, slopes.1));
        Self { beta, half_saturation: logarithm.iter().map(|x| 10_f64.powf(*x)).collect(), slope }
    }

    /// Neither tight nor loose: about as much as takes every arm to a third of its half saturation.
    pub(crate) fn budget(&self) -> f64 {
        self.half_saturation.iter().sum::<f64>() / 3.0
    }

    pub(crate) fn michaelis_menten(&self) -> Problem {
        let curves = ResponseCurves::michaelis_menten(&self.beta, &self.half_saturation);
        Problem::new(curves.expect("inside the domain")).budget(self.budget())
    }

    pub(crate) fn hill(&self) -> Problem {
        let curves = ResponseCurves::hill(&self.beta, &self.half_saturation, &self.slope);
        Problem::new(curves.expect("inside the domain")).budget(self.budget())
    }
}

/// splitmix64: any generator would do, but it has to be the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^= bits >> 31;
        // The upper 32 bits, exactly.
        let share = f64::from(u32::try_from(bits >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX);
        low + (high - low) * share
    }
}

/// Whether times are asked for: `cargo bench` says `--bench`, `cargo test` does not.
pub(crate) fn is_measured() -> bool {
    let mut arguments = std::env::args().skip(1);
    let mut measured = false;
    arguments.all(|argument| {
        measured |= argument == "--bench";
        argument != "--test"
    }) && measured
}
