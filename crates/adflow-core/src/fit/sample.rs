//! Draws of a density by the no-U-turn sampler: the one file that knows `nuts-rs`.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use nuts_rs::{
    Chain, CpuLogpFunc, CpuMath, CpuMathError, DiagNutsSettings, HasDims, KineticEnergyKind, LogpError,
    Settings,
};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::fit::density::Density;
use crate::fit::whitening::{Whitened, Whitening};

/// How often the thread that made the call asks the clock.
const POLL: Duration = Duration::from_millis(20);
/// Starts lie this much wider around the centre than the posterior is thought to be.
const DISPERSION: f64 = 1.5;
/// Starts that are tried, each half as far from the centre as the one before.
const STARTS: usize = 12;

/// How to sample.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SamplerSettings {
    /// Independent chains.
    pub(crate) chains: usize,
    /// Draws kept per chain.
    pub(crate) draws: usize,
    /// Draws of warm-up per chain, not kept.
    pub(crate) tune: usize,
    /// The acceptance that the step size is tuned to, in (0, 1): nearer to 1 are smaller steps and fewer divergences.
    pub(crate) target_accept: f64,
    /// A trajectory has at most 2^max_depth − 1 steps.
    pub(crate) max_depth: usize,
    /// How trajectories move.
    pub(crate) motion: Motion,
    /// The same seed gives the same draws.
    pub(crate) seed: u64,
    /// Threads, at least 1; the draws do not depend on it.
    pub(crate) threads: usize,
}

/// The integrator of the trajectories, in whitened coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Motion {
    /// The leapfrog: straight lines, bent by the slope.
    #[default]
    Straight,
    /// Circles, exact for a normal and bent by what differs from it: about half the evaluations where the whitening fits,
    /// no gain where it does not.
    Circular,
}

impl Default for SamplerSettings {
    /// Measured with 4 × 1,000 draws on a whitened toy response model of three Hill curves: an acceptance of 0.9 gave twice the
    /// effective draws per evaluation of 0.8, and 9 divergences in place of 74.
    fn default() -> Self {
        Self {
            chains: 4,
            draws: 1_000,
            tune: 400,
            target_accept: 0.9,
            max_depth: 10,
            motion: Motion::Straight,
            seed: 0,
            threads: 1,
        }
    }
}

/// Draws and what was seen on the way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    /// Parameters, [chain][draw][parameter].
    pub(crate) draws: Vec<Vec<Vec<f64>>>,
    /// ln p of each draw, up to one constant, [chain][draw].
    pub(crate) log_density: Vec<Vec<f64>>,
    /// Energy (−ln p and the kinetic energy) of each trajectory, [chain][draw].
    pub(crate) energies: Vec<Vec<f64>>,
    /// Trajectories after warm-up that diverged.
    pub(crate) divergences: usize,
    /// Trajectories after warm-up that were cut at the largest depth.
    pub(crate) depth_hits: usize,
    /// Mean steps of a trajectory after warm-up.
    pub(crate) mean_steps: f64,
    /// The step size of each chain after warm-up, in whitened coordinates.
    pub(crate) step_sizes: Vec<f64>,
    /// Evaluations of the density and its gradient, warm-up included.
    pub(crate) evaluations: usize,
}

/// Samples `density` with independent chains in whitened coordinates.
///
/// Chain c uses the random numbers of (seed, c) alone, so the draws are the same for any number of threads. The thread that
/// makes the call samples nothing: it asks the clock every 20 ms and tells it the share that is done.
///
/// # Errors
/// [`Error::Interrupted`] when the clock says so; [`Error::Unfittable`] when a chain finds no start with a finite density and
/// slope; [`Error::OutOfDomain`] for no chains, no draws, no threads or an acceptance outside (0, 1).
///
/// # References
/// M. D. Hoffman and A. Gelman, *The No-U-Turn Sampler*, JMLR 2014.
pub(crate) fn sample<D: Density>(
    density: &D,
    settings: &SamplerSettings,
    whitening: &Whitening,
    clock: &dyn Clock,
) -> Result<Sample> {
    settings.check()?;
    let shared =
        Shared { stop: AtomicBool::new(false), done: AtomicUsize::new(0), next: AtomicUsize::new(0) };
    let total = settings.chains * (settings.tune + settings.draws);
    let mut chains: Vec<Option<Result<ChainDraws>>> = (0..settings.chains).map(|_| None).collect();
    let (sender, receiver) = channel();
    std::thread::scope(|scope| {
        for _ in 0..settings.threads.min(settings.chains) {
            let (sender, shared) = (sender.clone(), &shared);
            scope.spawn(move || work(density, settings, whitening, shared, &sender));
        }
        drop(sender);
        loop {
            match receiver.recv_timeout(POLL) {
                Ok((chain, result)) => {
                    // One failed chain decides the answer: the others need not go on.
                    if result.is_err() {
                        shared.stop.store(true, Ordering::Relaxed);
                    }
                    chains[chain] = Some(result);
                }
                Err(RecvTimeoutError::Timeout) => {
                    if clock.interrupted() {
                        shared.stop.store(true, Ordering::Relaxed);
                    }
                    clock.progress(share(shared.done.load(Ordering::Relaxed), total));
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    });
    collect(chains, settings)
}

impl SamplerSettings {
    fn check(&self) -> Result<()> {
        for (field, value) in [("chains", self.chains), ("draws", self.draws), ("threads", self.threads)] {
            if value == 0 {
                return Err(Error::out_of_domain(field, "at least 1", value));
            }
        }
        if !(self.target_accept > 0.0 && self.target_accept < 1.0) {
            return Err(Error::out_of_domain("target_accept", "between 0 and 1", self.target_accept));
        }
        Ok(())
    }
}

/// What the threads share.
struct Shared {
    stop: AtomicBool,
    /// Draws taken, warm-up included.
    done: AtomicUsize,
    /// The next chain that nobody works on.
    next: AtomicUsize,
}

/// The draws of one chain.
struct ChainDraws {
    draws: Vec<Vec<f64>>,
    log_density: Vec<f64>,
    energies: Vec<f64>,
    divergences: usize,
    depth_hits: usize,
    steps: usize,
    step_size: f64,
    evaluations: usize,
}

/// Works on chains until none is left.
fn work<D: Density>(
    density: &D,
    settings: &SamplerSettings,
    whitening: &Whitening,
    shared: &Shared,
    sender: &Sender<(usize, Result<ChainDraws>)>,
) {
    loop {
        let chain = shared.next.fetch_add(1, Ordering::Relaxed);
        if chain >= settings.chains {
            return;
        }
        let result = run(density, settings, whitening, shared, chain);
        if sender.send((chain, result)).is_err() {
            return;
        }
    }
}

fn run<D: Density>(
    density: &D,
    settings: &SamplerSettings,
    whitening: &Whitening,
    shared: &Shared,
    chain: usize,
) -> Result<ChainDraws> {
    let mut random = ChaCha8Rng::seed_from_u64(settings.seed);
    random.set_stream(chain as u64);
    let start = start(&mut Whitened::new(density, whitening), &mut random)?;
    let target = Target { whitened: Whitened::new(density, whitening), stop: &shared.stop };
    let mut sampler =
        settings.nuts().new_chain(chain as u64, CpuMath::new(target), &mut random).map_err(failed)?;
    let failed = |error| if shared.stop.load(Ordering::Relaxed) { Error::Interrupted } else { failed(error) };
    sampler.set_position(&start).map_err(failed)?;
    let mut chain = ChainDraws {
        draws: Vec::with_capacity(settings.draws),
        log_density: Vec::with_capacity(settings.draws),
        energies: Vec::with_capacity(settings.draws),
        divergences: 0,
        depth_hits: 0,
        steps: 0,
        step_size: 0.0,
        evaluations: 0,
    };
    let mut parameters = vec![0.0; density.dim()];
    for number in 0..settings.tune + settings.draws {
        if shared.stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        let (z, _, stats, progress) = sampler.expanded_draw().map_err(failed)?;
        shared.done.fetch_add(1, Ordering::Relaxed);
        #[allow(clippy::cast_possible_truncation, reason = "at most 2^max_depth")]
        let (steps, gradients) = (progress.num_steps as usize, progress.num_gradients as usize);
        chain.evaluations += gradients;
        if number < settings.tune {
            continue;
        }
        whitening.parameters(&z, &mut parameters);
        chain.draws.push(parameters.clone());
        chain.log_density.push(stats.point.logp);
        chain.energies.push(stats.point.energy);
        chain.divergences += usize::from(progress.diverging);
        chain.depth_hits += usize::from(stats.maxdepth_reached);
        chain.steps += steps;
        chain.step_size = stats.adapt.step_size.step_size_bar;
    }
    Ok(chain)
}

/// A point around the centre where the density and its slope are finite.
fn start<D: Density>(whitened: &mut Whitened<'_, D>, random: &mut ChaCha8Rng) -> Result<Vec<f64>> {
    let mut gradient = vec![0.0; whitened.dim()];
    let mut width = DISPERSION;
    for _ in 0..STARTS {
        let z: Vec<f64> = gradient.iter().map(|_| width * random.sample::<f64, _>(StandardNormal)).collect();
        let value = whitened.evaluate(&z, &mut gradient);
        if value.is_finite() && gradient.iter().all(|slope| slope.is_finite()) {
            return Ok(z);
        }
        width *= 0.5;
    }
    Err(Error::Unfittable { reason: "no start with a finite density and a finite slope was found".into() })
}

/// A failure inside the sampler, in words.
#[allow(clippy::needless_pass_by_value, reason = "the shape of `map_err`")]
fn failed(error: impl std::fmt::Display) -> Error {
    Error::Unfittable { reason: format!("the sampler stopped: {error}") }
}

fn collect(chains: Vec<Option<Result<ChainDraws>>>, settings: &SamplerSettings) -> Result<Sample> {
    let mut sample = Sample {
        draws: Vec::new(),
        log_density: Vec::new(),
        energies: Vec::new(),
        divergences: 0,
        depth_hits: 0,
        mean_steps: 0.0,
        step_sizes: Vec::new(),
        evaluations: 0,
    };
    // A chain that failed by itself says more than those that were stopped for it.
    let mut interrupted = false;
    let mut steps = 0;
    for chain in chains {
        match chain {
            None | Some(Err(Error::Interrupted)) => interrupted = true,
            Some(Err(error)) => return Err(error),
            Some(Ok(chain)) => {
                sample.draws.push(chain.draws);
                sample.log_density.push(chain.log_density);
                sample.energies.push(chain.energies);
                sample.divergences += chain.divergences;
                sample.depth_hits += chain.depth_hits;
                sample.step_sizes.push(chain.step_size);
                sample.evaluations += chain.evaluations;
                steps += chain.steps;
            }
        }
    }
    if interrupted {
        return Err(Error::Interrupted);
    }
    sample.mean_steps = share(steps, settings.chains * settings.draws);
    Ok(sample)
}

#[allow(clippy::cast_precision_loss, reason = "far below 2⁵³")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

impl SamplerSettings {
    fn nuts(&self) -> DiagNutsSettings {
        let mut nuts = DiagNutsSettings {
            num_tune: self.tune as u64,
            num_draws: self.draws as u64,
            maxdepth: self.max_depth as u64,
            trajectory_kind: match self.motion {
                Motion::Straight => KineticEnergyKind::Euclidean,
                Motion::Circular => KineticEnergyKind::ExactNormal,
            },
            ..DiagNutsSettings::default()
        };
        let steps = &mut nuts.adapt_options.step_size_settings;
        steps.target_accept = self.target_accept;
        if self.motion == Motion::Circular {
            // A normal accepts any step, and a quarter turn at a time repeats itself.
            steps.adapt_options.dual_average.max_step_size = 1.0;
        }
        nuts
    }
}

/// A whitened density in the shape that `nuts-rs` asks for.
struct Target<'a, D: Density> {
    whitened: Whitened<'a, D>,
    stop: &'a AtomicBool,
}

/// Why a density has no value.
#[derive(Debug, thiserror::Error)]
enum TargetError {
    /// The trajectory went where the density cannot be computed: it ends there.
    #[error("the density is not finite")]
    NotFinite,
    /// The caller wants to stop.
    #[error("stopped")]
    Stopped,
}

impl LogpError for TargetError {
    fn is_recoverable(&self) -> bool {
        matches!(self, Self::NotFinite)
    }
}

#[allow(clippy::disallowed_types, reason = "the trait's own signature; nothing iterates over it")]
impl<D: Density> HasDims for Target<'_, D> {
    fn dim_sizes(&self) -> std::collections::HashMap<String, u64> {
        std::collections::HashMap::new()
    }
}

impl<D: Density> CpuLogpFunc for Target<'_, D> {
    type LogpError = TargetError;
    type FlowParameters = ();
    type ExpandedVector = ();

    fn dim(&self) -> usize {
        self.whitened.dim()
    }

    fn logp(&mut self, position: &[f64], gradient: &mut [f64]) -> std::result::Result<f64, TargetError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(TargetError::Stopped);
        }
        let value = self.whitened.evaluate(position, gradient);
        let finite = value.is_finite() && gradient.iter().all(|slope| slope.is_finite());
        if finite { Ok(value) } else { Err(TargetError::NotFinite) }
    }

    fn expand_vector<R: rand::Rng + ?Sized>(
        &mut self,
        _: &mut R,
        _: &[f64],
    ) -> std::result::Result<(), CpuMathError> {
        Ok(())
    }
}

#[cfg(test)]
#[path = "sample_tests.rs"]
mod tests;
