//! Response curves with draws, ready for allocation.

use super::FittedModel;
use crate::curve::{Parameter, ResponseCurves};
use crate::error::{Error, Result};
use crate::fit::saturation::Saturation;

impl FittedModel {
    /// The channels' response curves: outcome per period that a lasting spend per period brings, in every used draw.
    ///
    /// ```text
    /// f_i(x) = Σ_g size_g · unit · β_i e_ig · m_i( share_ig x / (price_i · size_g · unit_i) )
    /// ```
    ///
    /// A channel's spend is split over groups as it was in the history. The spends that were seen are noted on the curves.
    ///
    /// # Errors
    /// [`Error::OutOfDomain`] where a draw lies outside what curves take.
    pub fn curves(&self) -> Result<ResponseCurves> {
        let groups: Vec<usize> = (0..self.history.groups.len()).collect();
        let arms: Vec<(usize, Vec<usize>)> =
            (0..self.history.channels.len()).map(|i| (i, groups.clone())).collect();
        self.curves_of(&arms)?
            .with_names(self.history.channels.clone())?
            .with_observed_spend(&self.observed(&arms))
    }

    /// The response curves of every channel in every group, named `channel · group`, channel by channel; a group in which a
    /// channel never spent is left out.
    ///
    /// # Errors
    /// As [`curves`](Self::curves).
    pub fn group_curves(&self) -> Result<ResponseCurves> {
        let groups = self.history.groups.len();
        let spent =
            |i: usize, group: usize| self.posterior.design.scale.spend_share[i * groups + group] > 0.0;
        let arms: Vec<(usize, Vec<usize>)> = (0..self.history.channels.len())
            .flat_map(|i| {
                (0..groups).filter(move |&group| spent(i, group)).map(move |group| (i, vec![group]))
            })
            .collect();
        let name = |(i, groups): &(usize, Vec<usize>)| {
            format!("{} · {}", self.history.channels[*i], self.history.groups[groups[0]])
        };
        self.curves_of(&arms)?.with_names(arms.iter().map(name))?.with_observed_spend(&self.observed(&arms))
    }

    /// The curves of channels in some of the groups each, one arm a pair.
    fn curves_of(&self, arms: &[(usize, Vec<usize>)]) -> Result<ResponseCurves> {
        let scale = &self.posterior.design.scale;
        let all = scale.size.len();
        let channels = &self.posterior.layout.channels;
        let terms: Vec<usize> = arms.iter().map(|(_, groups)| groups.len()).collect();
        // Amplitude, half saturation (or exponent) and slope of every arm, [draw][term].
        let mut numbers: Vec<[Vec<f64>; 3]> = vec![[const { Vec::new() }; 3]; arms.len()];
        for (_, flows) in self.each_draw() {
            for ((i, groups), numbers) in arms.iter().zip(&mut numbers) {
                let flow = &flows[*i];
                // One group alone takes all of its arm's spend.
                let alone = groups.len() == 1;
                for &group in groups {
                    let share = if alone { 1.0 } else { scale.spend_share[i * all + group] };
                    let money = scale.size[group] * scale.media_unit[*i] * scale.price[*i];
                    let spent = share > 0.0;
                    let per_money = if spent { share / money } else { 1.0 };
                    let size = scale.size[group] * scale.outcome_unit * flow.multiplier[group];
                    let beta = if spent { size * flow.factor } else { 0.0 };
                    let power = channels[*i].saturation == Saturation::Power;
                    let first = flow.shape.first;
                    numbers[0].push(if power {
                        beta * crate::elementary::powf(per_money, first)
                    } else {
                        beta
                    });
                    numbers[1].push(if power { first } else { first / per_money });
                    numbers[2].push(flow.shape.second);
                }
            }
        }
        let sets: Vec<ResponseCurves> = arms
            .iter()
            .zip(numbers)
            .zip(terms)
            .map(|(((i, _), [beta, first, second]), terms)| {
                let column = |values: Vec<f64>| Parameter::terms(self.draws(), terms, 1, values);
                let scaled = |by: f64| first.iter().map(|first| first / by).collect::<Vec<f64>>();
                let inverse = || first.iter().map(|first| LN_3 / first).collect::<Vec<f64>>();
                match channels[*i].saturation {
                    Saturation::Hill => ResponseCurves::hill(column(beta)?, column(first)?, column(second)?),
                    Saturation::MichaelisMenten => {
                        ResponseCurves::michaelis_menten(column(beta)?, column(first)?)
                    }
                    Saturation::Exponential => {
                        ResponseCurves::exponential(column(beta)?, column(scaled(std::f64::consts::LN_2))?)
                    }
                    Saturation::Logistic => ResponseCurves::logistic(column(beta)?, column(inverse())?),
                    Saturation::Power => ResponseCurves::power(column(beta)?, column(first)?),
                }
            })
            .collect::<Result<_>>()
            .map_err(|error| match error {
                Error::OutOfDomain { field, expected, value } => Error::Unfittable {
                    reason: format!("a draw of `{field}` is {value}, and curves take {expected}"),
                },
                other => other,
            })?;
        ResponseCurves::concat(&sets)
    }

    /// Smallest and largest spend per period of channels in some of the groups each (money).
    fn observed(&self, arms: &[(usize, Vec<usize>)]) -> Vec<(f64, f64)> {
        let (periods, channels) = (self.history.periods, self.history.channels.len());
        arms.iter()
            .map(|(i, groups)| {
                let of = |period: usize| -> f64 {
                    groups
                        .iter()
                        .map(|group| self.history.spend[(group * periods + period) * channels + i])
                        .sum()
                };
                let spends = || (0..periods).map(of);
                (spends().fold(f64::INFINITY, f64::min), spends().fold(0.0, f64::max))
            })
            .collect()
    }
}

const LN_3: f64 = 1.098_612_288_668_109_8;
