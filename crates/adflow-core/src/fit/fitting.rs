//! From a model and a history to its posterior.

use super::density::Density;
use super::diagnostics::energy_fractions;
use super::fitted::{FittedModel, How, Sampling};
use super::importance;
use super::laplace::Laplace;
use super::model::{Method, ResponseModel};
use super::posterior::Posterior;
use super::sample::{SamplerSettings, sample};
use super::whitening::Whitening;
use crate::clock::{Clock, NoClock};
use crate::error::{Error, Result};
use crate::history::History;

/// Trajectories of up to 2¹⁰ − 1 steps.
const MAX_DEPTH: usize = 10;
/// A refit whose sampler starts from the last posterior needs no long warm-up.
const REFIT_TUNE: usize = 150;
/// Above this a tail of importance weights cannot be trusted.
pub(crate) const MOST_PARETO_K: f64 = 0.7;

impl ResponseModel {
    /// Fits the model to a history.
    ///
    /// # Errors
    /// [`Error::OutOfDomain`], [`Error::NotFinite`], [`Error::LengthMismatch`], [`Error::UnknownName`], [`Error::DuplicateName`] for settings
    /// and histories that cannot be fitted, with the field; [`Error::Unfittable`] where no draw could be taken.
    ///
    /// # Examples
    /// ```
    /// use adflow_core::{History, ResponseModel};
    ///
    /// let spend: Vec<f64> = (0..60).map(|t| f64::from((t * 37) % 50)).collect();
    /// let outcome: Vec<f64> = spend.iter().map(|x| 100.0 + 80.0 * x / (20.0 + x)).collect();
    /// let history = History::new(["search"], &spend, &outcome)?;
    /// let fitted = ResponseModel::new().chains(2).draws(100).tune(100).seed(1).fit(&history)?;
    /// assert_eq!(fitted.curves()?.draws(), 100);
    /// # Ok::<(), adflow_core::Error>(())
    /// ```
    pub fn fit(&self, history: &History) -> Result<FittedModel> {
        self.fit_with(history, &NoClock)
    }

    /// As [`fit`](Self::fit), with a clock that may interrupt and hears of the progress.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), and [`Error::Interrupted`].
    pub fn fit_with(&self, history: &History, clock: &dyn Clock) -> Result<FittedModel> {
        self.check()?;
        let posterior = Posterior::new(self, history)?;
        let start: Vec<f64> =
            posterior.layout.parameters.iter().map(|parameter| parameter.prior.middle()).collect();
        let laplace = Laplace::new(&posterior, &start, clock)?;
        let (theta, sampling): (Vec<Vec<Vec<f64>>>, _) = match self.method {
            Method::Nuts => {
                self.sample(&posterior, &laplace.whitening, self.tune, laplace.evaluations, clock)?
            }
            Method::Laplace => {
                let drawn = laplace.draws(&posterior, self.chains * self.draws, self.seed, clock)?;
                let sampling = Sampling {
                    pareto_k: Some(drawn.pareto_k),
                    effective: Some(drawn.effective),
                    ..Sampling::without_trajectories(How::Laplace, laplace.evaluations)
                };
                (drawn.draws.chunks(self.draws).map(<[Vec<f64>]>::to_vec).collect(), sampling)
            }
        };
        let told = |chain: Vec<Vec<f64>>| chain.into_iter().map(|theta| posterior.told(theta)).collect();
        let theta = theta.into_iter().map(told).collect();
        Ok(FittedModel { model: self.clone(), history: history.clone(), posterior, theta, sampling })
    }

    fn sample(
        &self,
        posterior: &Posterior,
        whitening: &Whitening,
        tune: usize,
        spent: usize,
        clock: &dyn Clock,
    ) -> Result<(Vec<Vec<Vec<f64>>>, Sampling)> {
        let settings = SamplerSettings {
            chains: self.chains,
            draws: self.draws,
            tune,
            target_accept: self.target_accept,
            max_depth: MAX_DEPTH,
            seed: self.seed,
            threads: self.threads,
            ..SamplerSettings::default()
        };
        let sample = sample(posterior, &settings, whitening, clock)?;
        let energy = energy_fractions(&sample.energies).into_iter().fold(f64::INFINITY, f64::min);
        let sampling = Sampling {
            how: How::Nuts,
            divergences: sample.divergences,
            depth_hits: sample.depth_hits,
            mean_steps: sample.mean_steps,
            evaluations: spent + sample.evaluations,
            energy_fraction: Some(energy).filter(|energy| energy.is_finite()),
            pareto_k: None,
            effective: None,
        };
        Ok((sample.draws, sampling))
    }

    pub(crate) fn check(&self) -> Result<()> {
        let within = |field: &str, value: usize, low: usize, high: usize| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            Err(Error::out_of_domain(field, format!("from {low} to {high}"), value))
        };
        within("chains", self.chains, 1, 64)?;
        within("draws", self.draws, 4, 1_000_000)?;
        within("tune", self.tune, 50, 1_000_000)?;
        within("threads", self.threads, 1, 1024)?;
        if !(0.5..=0.999).contains(&self.target_accept) {
            return Err(Error::out_of_domain("target_accept", "from 0.5 to 0.999", self.target_accept));
        }
        Ok(())
    }
}

impl Sampling {
    fn without_trajectories(how: How, evaluations: usize) -> Self {
        Self {
            how,
            divergences: 0,
            depth_hits: 0,
            mean_steps: 0.0,
            evaluations,
            energy_fraction: None,
            pareto_k: None,
            effective: None,
        }
    }
}

impl FittedModel {
    /// Takes in a history with rows added, starting from what is known: a fraction of the work of a new fit.
    ///
    /// The draws of the last posterior are weighed by how much better the new rows go with them (importance sampling, Pareto-smoothed)
    /// and drawn anew. Where too few of them fit the new rows (Pareto k above 0.7) the sampler runs again, from the last
    /// posterior's centre and spread. Priors keep the units of the first fit.
    ///
    /// # Errors
    /// As [`ResponseModel::fit`], and [`Error::UnknownName`] where channels, groups or columns differ from the first fit's.
    pub fn refit(&self, history: &History) -> Result<Self> {
        self.refit_with(history, &NoClock)
    }

    /// As [`refit`](Self::refit), with a clock.
    ///
    /// # Errors
    /// As [`refit`](Self::refit), and [`Error::Interrupted`].
    pub fn refit_with(&self, history: &History, clock: &dyn Clock) -> Result<Self> {
        let own = &self.history;
        for (field, same) in [
            ("channels", own.channels == history.channels),
            ("dates", own.calendar == history.calendar),
            ("groups", own.groups == history.groups),
            ("controls", own.controls().eq(history.controls())),
            ("holidays", own.holidays().eq(history.holidays())),
        ] {
            if !same {
                return Err(Error::out_of_domain(field, "those of the first fit", "others"));
            }
        }
        let posterior = self.posterior.with_rows(&self.model, history)?;
        let draws: Vec<&Vec<f64>> = self.theta.iter().flatten().collect();
        let (mut old, mut new) = (self.posterior.work(), posterior.work());
        let mut gradient = vec![0.0; posterior.dim()];
        let mut moved = Vec::with_capacity(draws.len());
        let mut ratios = Vec::with_capacity(draws.len());
        for (number, theta) in draws.iter().enumerate() {
            if number % 64 == 0 && clock.interrupted() {
                return Err(Error::Interrupted);
            }
            let here = self.posterior.coordinates((*theta).clone());
            let before = self.posterior.evaluate(&mut old, &here, &mut gradient);
            let there = self.posterior.carried_to(&posterior, theta);
            let there_in = posterior.coordinates(there.clone());
            let after = posterior.evaluate(&mut new, &there_in, &mut gradient);
            ratios.push(if (after - before).is_finite() { after - before } else { f64::NEG_INFINITY });
            moved.push(there);
        }
        let evaluations = 2 * draws.len();
        let fitted = |theta, sampling| Self {
            model: self.model.clone(),
            history: history.clone(),
            posterior: posterior.clone(),
            theta,
            sampling,
        };
        if let Some(weights) =
            importance::smoothed(&ratios).filter(|weights| weights.pareto_k <= MOST_PARETO_K)
        {
            let order = importance::systematic(&weights.weights, draws.len(), 0.5);
            let chains = self.chains();
            // Dealt out to the chains in turn: each holds a sample of the whole.
            let theta = (0..chains)
                .map(|chain| order.iter().skip(chain).step_by(chains).map(|&at| moved[at].clone()).collect())
                .collect();
            let sampling = Sampling {
                pareto_k: Some(weights.pareto_k),
                effective: Some(weights.effective),
                ..Sampling::without_trajectories(How::Reweighed, evaluations)
            };
            return Ok(fitted(theta, sampling));
        }
        let rows: Vec<Vec<f64>> = moved.into_iter().map(|theta| posterior.coordinates(theta)).collect();
        let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
        let Some(whitening) = Whitening::from_draws(&rows) else {
            return self.model.fit_with(history, clock);
        };
        let tune = self.model.tune.min(REFIT_TUNE);
        let (theta, sampling) = self.model.sample(&posterior, &whitening, tune, evaluations, clock)?;
        let told = |chain: Vec<Vec<f64>>| chain.into_iter().map(|theta| posterior.told(theta)).collect();
        Ok(fitted(theta.into_iter().map(told).collect(), sampling))
    }
}
