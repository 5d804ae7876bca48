//! How much a plan hangs on what is not known: the best plan of every draw, what is lost for not knowing the draw, and what
//! knowing one arm would be worth.

use serde::Serialize;

use super::goal::Objective;
use super::plan::Plan;
use super::problem::Problem;
use super::risk::measure::{count, deviation, mean};
use super::risk::outcome::{QUANTILES, quantile, sorted};
use super::verify_program;
use crate::clock::{Clock, NoClock};
use crate::curve::ResponseCurves;
use crate::error::{Error, Result};

/// How a plan's quality hangs on the draws of its curves.
///
/// | field | formula |
/// | --- | --- |
/// | `shares` | of x_i(s)/Σ x(s), with x(s) the best plan of draw s alone |
/// | `regret` | of V_s(x(s)) − V_s(x), with V_s the objective in draw s and x the plan |
/// | `perfect_information` | its mean: what knowing all curves would be worth (EVPI) |
/// | `arm_information` | mean over s of V_is(x(i,s)) − V_is(x̄), with V_is the objective with arm i as in draw s and the others at their means, x(i,s) its best plan and x̄ the best plan of the means (EVPPI of independent arms) |
///
/// All in objective units; in money they are divided by the shadow price of the budget.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Uncertainty {
    /// Positions of the draws that were used.
    pub draws: Vec<usize>,
    /// Draws in which no plan keeps the limits (a target out of reach): they count nowhere else.
    pub infeasible: usize,
    /// Per arm.
    pub shares: Vec<ShareSpread>,
    /// Mean of the regret (objective units).
    pub regret_mean: f64,
    /// Quantiles of the regret at 5, 25, 50, 75 and 95 %.
    pub regret_quantiles: [f64; 5],
    /// Expected value of perfect information (objective units).
    pub perfect_information: f64,
    /// The same in money; `None` where the budget has no price.
    pub perfect_information_money: Option<f64>,
    /// Value of knowing one arm's curve (objective units).
    pub arm_information: Vec<f64>,
    /// The same in money; `None` where the budget has no price.
    pub arm_information_money: Option<Vec<f64>>,
}

/// The share of the total that an arm has in the best plans of single draws (0 to 1).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ShareSpread {
    /// Mean over the draws.
    pub mean: f64,
    /// Population standard deviation.
    pub std: f64,
    /// Quantile at 5 %.
    pub low: f64,
    /// Quantile at 95 %.
    pub high: f64,
}

/// What one draw says.
struct OfDraw {
    shares: Vec<f64>,
    regret: f64,
    /// What knowing each arm is worth; no number where no plan keeps the limits.
    arms: Vec<Option<f64>>,
}

impl Plan {
    /// How the plan hangs on the draws of its curves, from at most `draws` of them, evenly chosen: one plan per draw, and one per draw
    /// and arm. The same with any number of threads.
    ///
    /// A plan for a measure of risk is held against plans without one.
    ///
    /// # Errors
    /// [`Error::OutOfDomain`] where the curves have no draws or none is to be used; those of
    /// [`Problem::solve`](crate::Problem::solve).
    ///
    /// # Examples
    /// ```
    /// use adflow_core::{Parameter, Problem, ResponseCurves};
    ///
    /// let sizes = Parameter::draws(2, 2, [10.0, 10.0, 30.0, 10.0])?; // the second arm is certain
    /// let plan = Problem::new(ResponseCurves::michaelis_menten(sizes, 1.0)?).budget(2.0).solve()?;
    /// let uncertainty = plan.uncertainty(100)?;
    /// assert!(uncertainty.arm_information[0] > 0.1 && uncertainty.arm_information[1] < 1e-9);
    /// # Ok::<(), adflow_core::Error>(())
    /// ```
    pub fn uncertainty(&self, draws: usize) -> Result<Uncertainty> {
        self.uncertainty_with(draws, &NoClock)
    }

    /// [`uncertainty`](Self::uncertainty) with what the caller knows about time: interrupted, it answers from the draws done so far,
    /// which are at least as many as there are threads.
    ///
    /// # Errors
    /// As [`uncertainty`](Self::uncertainty).
    pub fn uncertainty_with(&self, draws: usize, clock: &dyn Clock) -> Result<Uncertainty> {
        let all = self.problem.curves.draws();
        if all < 2 {
            return Err(Error::out_of_domain("curves (draws)", "2 or more", all));
        }
        if draws == 0 {
            return Err(Error::out_of_domain("draws", "at least 1", draws));
        }
        let mut problem = (*self.problem).clone();
        (problem.risk, problem.time_limit) = (None, None);
        let threads = std::mem::replace(&mut problem.threads, 1);
        let used = draws.min(all);
        let chosen: Vec<usize> = (0..used).map(|at| at * all / used).collect();
        let mean_plan = problem.clone().solve()?;
        let costs = (self.costs(&self.spend)?, self.costs(&mean_plan.spend)?);
        let mut done = Vec::new();
        let mut infeasible = 0;
        let mut results = Vec::new();
        for batch in chosen.chunks(threads) {
            if !results.is_empty() && clock.interrupted() {
                break;
            }
            let of = |draw: usize| self.of_draw(&problem, &mean_plan.spend, draw, costs);
            let batch_results: Vec<Result<Option<OfDraw>>> = if let [draw] = batch {
                vec![of(*draw)]
            } else {
                std::thread::scope(|scope| {
                    let handles: Vec<_> = batch.iter().map(|&draw| scope.spawn(move || of(draw))).collect();
                    let gone = || Err(Error::out_of_domain("threads", "able to finish", threads));
                    handles.into_iter().map(|handle| handle.join().unwrap_or_else(|_| gone())).collect()
                })
            };
            for (&draw, result) in batch.iter().zip(batch_results) {
                done.push(draw);
                match result? {
                    Some(result) => results.push(result),
                    None => infeasible += 1,
                }
            }
        }
        if results.is_empty() {
            let expected = "reachable in at least one draw";
            return Err(Error::out_of_domain("target", expected, "out of reach in every draw"));
        }
        Ok(self.sum_up(done, infeasible, &results))
    }

    /// The best plan of one draw, and of the means with one arm as in the draw; nothing where no plan keeps the limits.
    fn of_draw(
        &self,
        problem: &Problem,
        mean_spend: &[f64],
        draw: usize,
        costs: (f64, f64),
    ) -> Result<Option<OfDraw>> {
        let solve = |curves: ResponseCurves| {
            let mut problem = problem.clone();
            problem.curves = curves;
            match problem.solve() {
                Ok(plan) => Ok(Some(plan)),
                Err(Error::Infeasible(_)) => Ok(None),
                Err(error) => Err(error),
            }
        };
        let curves = &problem.curves;
        let certain = curves.draw(draw)?;
        let Some(best) = solve(certain.clone())? else { return Ok(None) };
        let total = best.total_spend.max(f64::MIN_POSITIVE);
        let n = curves.len();
        let mut arms = Vec::with_capacity(n);
        for i in 0..n {
            // An arm without draws has nothing to tell.
            if !has_draws(curves, i) {
                arms.push(Some(0.0));
                continue;
            }
            let one = certain.slice(i..i + 1)?;
            let parts = [(0..i), (i + 1..n)].map(|range| (!range.is_empty()).then(|| curves.slice(range)));
            let [before, after] = parts;
            let sets = [before.transpose()?, Some(one), after.transpose()?];
            let mixed = ResponseCurves::concat(&sets.into_iter().flatten().collect::<Vec<_>>())?;
            let plan = solve(mixed.clone())?;
            arms.push(match plan {
                Some(plan) => Some(plan.objective_value - (self.brought(&mixed, mean_spend) - costs.1)),
                None => None,
            });
        }
        let shares = best.spend.iter().map(|x| x / total).collect();
        Ok(Some(OfDraw {
            shares,
            regret: best.objective_value - (self.brought(&certain, &self.spend) - costs.0),
            arms,
        }))
    }

    /// What some spends cost, by themselves.
    fn costs(&self, spend: &[f64]) -> Result<f64> {
        let mut problem = (*self.problem).clone();
        problem.target = None;
        let program = problem.program(problem.rows()?)?;
        let cost = |i: usize| {
            let stand = verify_program::stand(&program, i, spend[i]);
            stand.map_or(0.0, |stand| verify_program::costs(&program, i, stand))
        };
        Ok((0..spend.len()).map(cost).sum())
    }

    /// What some spends bring with other curves, at their means.
    fn brought(&self, curves: &ResponseCurves, spend: &[f64]) -> f64 {
        if self.problem.objective == Objective::Spend {
            return 0.0;
        }
        spend.iter().enumerate().map(|(i, &x)| self.problem.value.at(i) * curves.set.arm(i).response(x)).sum()
    }

    fn sum_up(&self, draws: Vec<usize>, infeasible: usize, results: &[OfDraw]) -> Uncertainty {
        let shares = (0..self.spend.len()).map(|i| {
            let own: Vec<f64> = results.iter().map(|result| result.shares[i]).collect();
            let sorted = sorted(&own);
            let (low, high) = (quantile(&sorted, 0.05), quantile(&sorted, 0.95));
            ShareSpread { mean: mean(&own), std: deviation(&own), low, high }
        });
        let regrets: Vec<f64> = results.iter().map(|result| result.regret).collect();
        let in_order = sorted(&regrets);
        let perfect = mean(&regrets);
        let arms = (0..self.spend.len()).map(|i| {
            let known: Vec<f64> = results.iter().filter_map(|result| result.arms[i]).collect();
            if known.is_empty() { 0.0 } else { known.iter().sum::<f64>() / count(known.len()) }
        });
        let arms: Vec<f64> = arms.collect();
        let price = Some(self.shadow_price).filter(|price| *price > 0.0 && price.is_finite());
        Uncertainty {
            draws,
            infeasible,
            shares: shares.collect(),
            regret_mean: perfect,
            regret_quantiles: QUANTILES.map(|share| quantile(&in_order, share)),
            perfect_information: perfect,
            perfect_information_money: price.map(|price| perfect / price),
            arm_information_money: price.map(|price| arms.iter().map(|value| value / price).collect()),
            arm_information: arms,
        }
    }
}

fn has_draws(curves: &ResponseCurves, i: usize) -> bool {
    use crate::curve::arm::Form;
    match curves.set.arm(i).form {
        Form::Mixture(mixture) => mixture.draws > 1,
        Form::Table(table) => table.draws.len() > 1,
        Form::Shape(..) => false,
    }
}
