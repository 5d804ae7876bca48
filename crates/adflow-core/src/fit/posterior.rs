//! The log posterior of a response model, with its exact gradient.

#![allow(clippy::needless_range_loop, reason = "one index over several columns reads like the formula")]

use super::baseline::Column;
use super::carry::{Carry, dot};
use super::density::Density;
use super::design::{Design, Scale};
use super::layout::{Channel, Effect, Layout};
use super::likelihood;
use super::model::{LiftTest, Likelihood, ResponseModel, RoasTest};
use super::prior::Prior;
use super::saturation::Shape;
use super::shift::Shift;
use crate::error::{Error, Result};
use crate::history::History;

/// A model, a history and what experiments said, as a density over θ.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Posterior {
    pub(crate) design: Design,
    pub(crate) layout: Layout,
    pub(crate) lift_tests: Vec<(usize, LiftTest)>,
    pub(crate) roas_tests: Vec<(usize, RoasTest)>,
    /// Σ of a channel's spend over all groups in the periods of each ROAS test.
    pub(crate) tested_spend: Vec<f64>,
    /// Coordinates for the sampler.
    shift: Option<Shift>,
}

/// What one channel brings at given parameters.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    pub(crate) carry: Carry,
    pub(crate) shape: Shape,
    /// a, what the curve's derivatives need of it, and m, `[group][period]`.
    pub(crate) stock: Vec<f64>,
    logs: Vec<f64>,
    pub(crate) saturated: Vec<f64>,
    /// The share of the whole outcome, and what one m of size 1 brings (in y): share · S/M, M = Σ size e m.
    pub(crate) share: f64,
    pub(crate) factor: f64,
    /// M, and Σ_t m_gt of each group.
    pub(crate) mass: f64,
    pub(crate) group_mass: Vec<f64>,
    /// e_g = exp(spread · deviation_g); 1 for a single group.
    pub(crate) multiplier: Vec<f64>,
}

/// Scratch space.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    /// Parameters as they are, and their derivatives by θ.
    pub(crate) x: Vec<f64>,
    dx: Vec<f64>,
    by_x: Vec<f64>,
    flows: Vec<Flow>,
    /// The baseline (y), `[group][period]`.
    linear: Vec<f64>,
    /// Σ of the channels' contributions, and the mean (y), `[group][period]`.
    media: Vec<f64>,
    mean: Vec<f64>,
    by_mean: Vec<f64>,
    by_linear: Vec<f64>,
    pull: Vec<f64>,
}

impl Posterior {
    /// Checks a model against a history.
    pub(crate) fn new(model: &ResponseModel, history: &History) -> Result<Self> {
        let design = Design::new(model, history)?;
        if model.likelihood == Likelihood::NegativeBinomial
            && let Some(at) = history.outcome.iter().position(|&value| value < 0.0 || value.fract() > 0.0)
        {
            let expected = "a whole number of 0 or more for a negative-binomial likelihood";
            return Err(Error::out_of_domain(format!("outcome[{at}]"), expected, history.outcome[at]));
        }
        let layout = Layout::new(model, history, &design)?;
        Self::with(model, history, design, layout)
    }

    /// The same for a history in units and with baseline columns that are known already.
    pub(crate) fn in_units(
        model: &ResponseModel,
        history: &History,
        scale: Scale,
        columns: Vec<Column>,
    ) -> Result<Self> {
        if !scale.fits(history) {
            return Err(Error::Malformed { path: "units".into(), reason: "do not fit the history".into() });
        }
        let scale = scale.for_history(history)?;
        let design = Design::with(history, scale, columns)?;
        let layout = Layout::new(model, history, &design)?;
        Self::with(model, history, design, layout)
    }

    /// The posterior after rows were added to the history, in the same units.
    pub(crate) fn with_rows(&self, model: &ResponseModel, history: &History) -> Result<Self> {
        let scale = self.design.scale.for_history(history)?;
        let design = Design::with(history, scale, self.design.columns.clone())?;
        let layout = Layout::new(model, history, &design)?;
        Self::with(model, history, design, layout)
    }

    /// θ of another posterior of the same model at which every channel brings as much per unit as it does here at `theta`.
    ///
    /// Only shares move, each by a factor that depends on the channel's other parameters: ln share shifts, and volumes in θ stay.
    /// Where a share has a prior on an interval θ stays as it is.
    pub(crate) fn carried_to(&self, other: &Self, theta: &[f64]) -> Vec<f64> {
        let x = self.natural(theta);
        let mut moved = theta.to_vec();
        let (here, there) = (self.flows(&x), other.flows(&x));
        for (i, channel) in self.layout.channels.iter().enumerate() {
            let shift = crate::elementary::ln(here[i].factor / there[i].factor);
            match channel.effect {
                Effect::Own(at) => {
                    let prior = self.layout.parameters[at].prior;
                    if matches!(
                        prior,
                        Prior::HalfNormal { .. } | Prior::LogNormal { .. } | Prior::Gamma { .. }
                    ) {
                        moved[at] += shift;
                    }
                }
                Effect::Pooled { spread, deviation, .. } => moved[deviation] += shift / x[spread],
            }
        }
        moved
    }

    fn with(model: &ResponseModel, history: &History, design: Design, layout: Layout) -> Result<Self> {
        let channel = |field: String, name: &str| {
            let found = history.channels.iter().position(|other| other == name);
            found.ok_or_else(|| Error::UnknownName { field, name: name.into() })
        };
        let mut lift_tests = Vec::new();
        for (at, test) in model.lift_tests.iter().enumerate() {
            let field = |name: &str| format!("lift_tests[{at}].{name}");
            amount(field("spend"), test.spend, 0.0)?;
            amount(field("change"), test.change, -test.spend)?;
            amount(field("lift"), test.lift, f64::NEG_INFINITY)?;
            amount(field("std"), test.std, f64::MIN_POSITIVE)?;
            lift_tests.push((channel(field("channel"), &test.channel)?, test.clone()));
        }
        let (mut roas_tests, mut tested_spend) = (Vec::new(), Vec::new());
        for (at, test) in model.roas_tests.iter().enumerate() {
            let field = |name: &str| format!("roas_tests[{at}].{name}");
            amount(field("roas"), test.roas, f64::NEG_INFINITY)?;
            amount(field("std"), test.std, f64::MIN_POSITIVE)?;
            if test.first >= test.end || test.end > history.periods {
                let expected = format!("above first ({}) and at most {}", test.first, history.periods);
                return Err(Error::out_of_domain(field("end"), expected, test.end));
            }
            let i = channel(field("channel"), &test.channel)?;
            let spends = |group: usize| {
                let rows = group * history.periods + test.first..group * history.periods + test.end;
                rows.map(|row| history.spend[row * history.channels.len() + i]).sum::<f64>()
            };
            let spend: f64 = (0..history.groups.len()).map(spends).sum();
            if spend <= 0.0 {
                let expected = "periods in which the channel spent something";
                return Err(Error::out_of_domain(field("first"), expected, test.first));
            }
            roas_tests.push((i, test.clone()));
            tested_spend.push(spend);
        }
        let shift = Shift::new(&design, &layout);
        Ok(Self { design, layout, lift_tests, roas_tests, tested_spend, shift })
    }

    fn parameters(&self, theta: &[f64], x: &mut [f64], dx: &mut [f64]) {
        for (at, parameter) in self.layout.parameters.iter().enumerate() {
            (x[at], dx[at]) = parameter.prior.natural(theta[at]);
        }
    }

    /// θ as the model is told it, from the sampler's coordinates.
    pub(crate) fn told(&self, mut theta: Vec<f64>) -> Vec<f64> {
        self.move_baseline(&mut theta, -1.0);
        theta
    }

    /// The sampler's coordinates of θ.
    pub(crate) fn coordinates(&self, mut theta: Vec<f64>) -> Vec<f64> {
        self.move_baseline(&mut theta, 1.0);
        theta
    }

    fn move_baseline(&self, theta: &mut [f64], sign: f64) {
        let Some(shift) = &self.shift else { return };
        let mut media = vec![0.0; self.design.y.len()];
        for flow in self.flows(&self.natural(theta)) {
            self.add_contribution(&flow, &mut media);
        }
        for (&at, by) in shift.positions.iter().zip(shift.of(&media)) {
            theta[at] += sign * by;
        }
    }

    /// Adds what a channel brings (y) to every cell.
    fn add_contribution(&self, flow: &Flow, out: &mut [f64]) {
        let periods = self.design.periods;
        for ((out, m), multiplier) in
            out.chunks_mut(periods).zip(flow.saturated.chunks(periods)).zip(&flow.multiplier)
        {
            add(out, flow.factor * multiplier, m);
        }
    }

    /// The parameters of a draw, in the units in which the model is fitted.
    pub(crate) fn natural(&self, theta: &[f64]) -> Vec<f64> {
        self.layout
            .parameters
            .iter()
            .zip(theta)
            .map(|(parameter, &theta)| parameter.prior.natural(theta).0)
            .collect()
    }

    /// What channel `i` brings at parameters `x`.
    fn flow(&self, i: usize, x: &[f64], flow: &mut Flow) {
        let channel = &self.layout.channels[i];
        let (design, scale) = (&self.design, &self.design.scale);
        flow.carry = carry(channel, x);
        flow.shape = shape(channel, x);
        flow.carry.forward(&design.media[i], design.periods, &mut flow.stock);
        flow.shape.values(&flow.stock, &mut flow.logs, &mut flow.saturated);
        if let Some(at) = channel.spread_at {
            for (group, multiplier) in flow.multiplier.iter_mut().enumerate() {
                *multiplier = crate::elementary::exp(x[at] * x[at + 1 + group]);
            }
        }
        flow.mass = 0.0;
        for (group, m) in flow.saturated.chunks(design.periods).enumerate() {
            flow.group_mass[group] = sum(m);
            flow.mass += scale.size[group] * flow.multiplier[group] * flow.group_mass[group];
        }
        flow.share = share(channel, x);
        flow.factor = flow.share * design.whole() / flow.mass;
    }

    /// The share of the whole outcome that each channel brought.
    pub(crate) fn shares(&self, x: &[f64]) -> Vec<f64> {
        self.layout.channels.iter().map(|channel| share(channel, x)).collect()
    }

    /// The carry-over of channel `i`.
    pub(crate) fn carry_of(&self, i: usize, x: &[f64]) -> Carry {
        carry(&self.layout.channels[i], x)
    }

    fn linear(&self, x: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (column, at) in self.design.baseline.iter().zip(self.layout.baseline.clone()) {
            add(out, x[at], column);
        }
        if let Some(at) = self.layout.group_at {
            for (group, out) in out.chunks_mut(self.design.periods).enumerate() {
                let shift = x[at + group];
                out.iter_mut().for_each(|out| *out += shift);
            }
        }
    }

    /// What every channel brings at parameters `x`.
    pub(crate) fn flows(&self, x: &[f64]) -> Vec<Flow> {
        let mut flows = self.work().flows;
        flows.iter_mut().enumerate().for_each(|(i, flow)| self.flow(i, x, flow));
        flows
    }

    /// The baseline (in y, or its logarithm for counts) at parameters `x`, `[group][period]`.
    pub(crate) fn linear_predictor(&self, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.design.y.len()];
        self.linear(x, &mut out);
        out
    }
}

impl Density for Posterior {
    type Work = Work;

    fn dim(&self) -> usize {
        self.layout.dim()
    }

    fn work(&self) -> Work {
        let (cells, dim) = (self.design.y.len(), self.layout.dim());
        let flow = Flow {
            carry: Carry::None,
            shape: Shape { saturation: super::saturation::Saturation::Hill, first: 1.0, second: 1.0 },
            stock: vec![0.0; cells],
            logs: vec![0.0; cells],
            saturated: vec![0.0; cells],
            share: 0.0,
            factor: 0.0,
            mass: 0.0,
            group_mass: vec![0.0; self.design.groups],
            multiplier: vec![1.0; self.design.groups],
        };
        Work {
            x: vec![0.0; dim],
            dx: vec![0.0; dim],
            by_x: vec![0.0; dim],
            flows: vec![flow; self.design.channels],
            linear: vec![0.0; cells],
            media: vec![0.0; cells],
            mean: vec![0.0; cells],
            by_mean: vec![0.0; cells],
            by_linear: vec![0.0; cells],
            pull: vec![0.0; cells],
        }
    }

    /// Forwards from parameters to the likelihood, and backwards by the chain rule, step by step.
    fn evaluate(&self, work: &mut Work, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let (design, layout) = (&self.design, &self.layout);
        let Work { x, dx, by_x, flows, linear, media, mean, by_mean, by_linear, pull } = work;
        self.parameters(theta, x, dx);
        by_x.fill(0.0);

        media.fill(0.0);
        for (i, flow) in flows.iter_mut().enumerate() {
            self.flow(i, x, flow);
            self.add_contribution(flow, media);
        }
        if let Some(shift) = &self.shift {
            for (&at, by) in shift.positions.iter().zip(shift.of(media)) {
                x[at] -= by;
            }
        }
        self.linear(x, linear);
        if layout.likelihood == Likelihood::NegativeBinomial {
            linear.iter_mut().for_each(|linear| *linear = crate::elementary::exp(*linear)); // d mean/d linear
        }
        for ((mean, linear), media) in mean.iter_mut().zip(&*linear).zip(&*media) {
            *mean = linear + media;
        }
        let mut value = likelihood::value(self, x, mean, by_mean, by_x);

        by_linear.copy_from_slice(by_mean);
        if layout.likelihood == Likelihood::NegativeBinomial {
            by_linear.iter_mut().zip(&*linear).for_each(|(by, slope)| *by *= slope);
        }
        for (column, at) in design.baseline.iter().zip(layout.baseline.clone()) {
            by_x[at] += dot(by_linear, column);
        }
        if let Some(at) = layout.group_at {
            for (group, by_linear) in by_linear.chunks(design.periods).enumerate() {
                by_x[at + group] += sum(by_linear);
            }
        }
        if let Some(shift) = &self.shift {
            for &at in &shift.positions {
                let (prior, slope) = layout.parameters[at].prior.log_density(x[at]);
                value += prior;
                by_x[at] += slope;
            }
            shift.pull_back(by_x, by_mean);
        }
        for (i, flow) in flows.iter().enumerate() {
            let channel = &layout.channels[i];
            pull.copy_from_slice(by_mean);
            let mut by_factor = 0.0;
            let mut by_multiplier = vec![0.0; design.groups];
            let mut by_shape = [0.0; 2];
            value += self.experiments(i, flow, pull, &mut by_factor, &mut by_multiplier, &mut by_shape);
            for group in 0..design.groups {
                let cells = group * design.periods..(group + 1) * design.periods;
                let felt = dot(&pull[cells.clone()], &flow.saturated[cells]);
                by_factor += flow.multiplier[group] * felt;
                by_multiplier[group] += flow.factor * felt;
            }
            // factor = share · S/M.
            let by_mass = -by_factor * flow.factor / flow.mass;
            let by_share = by_factor * design.whole() / flow.mass;
            for group in 0..design.groups {
                let size = design.scale.size[group];
                by_multiplier[group] += by_mass * size * flow.group_mass[group];
                let (scale, shift) =
                    (flow.factor * flow.multiplier[group], by_mass * size * flow.multiplier[group]);
                let cells = group * design.periods..(group + 1) * design.periods;
                pull[cells].iter_mut().for_each(|pull| *pull = scale * *pull + shift);
            }
            let of_shape = flow.shape.backward(&flow.stock, &flow.logs, &flow.saturated, pull);
            let of_carry = flow.carry.backward(&design.media[i], &flow.stock, pull, design.periods);
            for (at, by) in by_shape.iter_mut().zip(of_shape) {
                *at += by;
            }
            for (offset, by) in by_shape.iter().enumerate().take(channel.saturation.parameters().len()) {
                by_x[channel.curve_at + offset] += by;
            }
            for (offset, by) in of_carry.iter().enumerate().take(channel.adstock.parameters().len()) {
                by_x[channel.adstock_at + offset] += by * peak_unit(channel, offset);
            }
            if let Some(at) = channel.spread_at {
                for group in 0..design.groups {
                    let by_log = by_multiplier[group] * flow.multiplier[group];
                    by_x[at] += by_log * x[at + 1 + group];
                    by_x[at + 1 + group] += by_log * x[at];
                }
            }
            match channel.effect {
                Effect::Own(at) => by_x[at] += by_share,
                Effect::Pooled { roas, spread, deviation, .. } => {
                    let by_log = by_share * flow.share;
                    by_x[roas] += by_log / x[roas];
                    by_x[spread] += by_log * x[deviation];
                    by_x[deviation] += by_log * x[spread];
                }
            }
        }
        for (at, parameter) in layout.parameters.iter().enumerate() {
            // Those of a shifted baseline are counted where it is.
            let counted = self.shift.as_ref().is_some_and(|shift| shift.positions.contains(&at));
            let (prior, slope) = if counted { (0.0, 0.0) } else { parameter.prior.log_density(theta[at]) };
            value += prior;
            gradient[at] = by_x[at] * dx[at] + slope;
        }
        value
    }
}

impl Posterior {
    /// Log likelihood of a channel's experiments; adds ∂/∂(contribution in y) to `pull` and the rest to the sums.
    fn experiments(
        &self,
        i: usize,
        flow: &Flow,
        pull: &mut [f64],
        by_factor: &mut f64,
        by_multiplier: &mut [f64],
        by_shape: &mut [f64; 2],
    ) -> f64 {
        let (design, scale) = (&self.design, &self.design.scale);
        let mut value = 0.0;
        for (_, test) in self.lift_tests.iter().filter(|(channel, _)| *channel == i) {
            let ends = [test.spend, test.spend + test.change];
            let [before, after] = ends.map(|spend| self.steady(i, flow, spend));
            let z = (test.lift - (after - before)) / test.std;
            value -= 0.5 * z * z;
            for (spend, sign) in [(ends[1], 1.0), (ends[0], -1.0)] {
                let by = sign * z / test.std;
                for group in 0..design.groups {
                    let unit = scale.size[group] * scale.outcome_unit;
                    let u = self.steady_stock(i, group, spend);
                    let (m, slopes) = (flow.shape.value(u), flow.shape.slopes(u));
                    *by_factor += by * unit * flow.multiplier[group] * m;
                    by_multiplier[group] += by * unit * flow.factor * m;
                    let by_m = by * unit * flow.factor * flow.multiplier[group];
                    by_shape[0] += by_m * slopes.by_first;
                    by_shape[1] += by_m * slopes.by_second;
                }
            }
        }
        for ((_, test), spend) in
            self.roas_tests.iter().zip(&self.tested_spend).filter(|((channel, _), _)| *channel == i)
        {
            let window =
                |group: usize| group * design.periods + test.first..group * design.periods + test.end;
            let unit = |group: usize| scale.size[group] * scale.outcome_unit / spend;
            let roas: f64 = (0..design.groups)
                .map(|group| {
                    unit(group) * flow.factor * flow.multiplier[group] * sum(&flow.saturated[window(group)])
                })
                .sum();
            let z = (test.roas - roas) / test.std;
            value -= 0.5 * z * z;
            for group in 0..design.groups {
                let by = z / test.std * unit(group);
                pull[window(group)].iter_mut().for_each(|pull| *pull += by);
            }
        }
        value
    }

    /// Outcome per period of all groups together that a lasting spend per period brings through channel `i`.
    pub(crate) fn steady(&self, i: usize, flow: &Flow, spend: f64) -> f64 {
        let scale = &self.design.scale;
        let of = |group: usize| {
            let m = flow.shape.value(self.steady_stock(i, group, spend));
            scale.size[group] * scale.outcome_unit * flow.factor * flow.multiplier[group] * m
        };
        (0..self.design.groups).map(of).sum()
    }

    /// u of a group when a lasting spend per period is split over groups as it was in the history.
    fn steady_stock(&self, i: usize, group: usize, spend: f64) -> f64 {
        let scale = &self.design.scale;
        let share = scale.spend_share[i * self.design.groups + group];
        spend * share / (scale.price[i] * scale.size[group] * scale.media_unit[i])
    }
}

/// A number of an experiment: finite and at least `least`.
fn amount(field: String, value: f64, least: f64) -> Result<()> {
    if !value.is_finite() || value.abs() > 1e60 {
        return Err(Error::NotFinite { field, value });
    }
    if value < least {
        let expected = if least > 0.0 { "above 0".into() } else { format!("at least {least}") };
        return Err(Error::out_of_domain(field, expected, value));
    }
    Ok(())
}

fn carry(channel: &Channel, x: &[f64]) -> Carry {
    let mut parameters = [0.0; 2];
    for (offset, parameter) in parameters.iter_mut().enumerate().take(channel.adstock.parameters().len()) {
        *parameter = x[channel.adstock_at + offset] * peak_unit(channel, offset);
    }
    Carry::new(channel.adstock, parameters, channel.lags)
}

/// The peak of a delayed carry-over is fitted as a share of the largest lag.
fn peak_unit(channel: &Channel, offset: usize) -> f64 {
    if channel.adstock.parameters()[offset] != "peak" {
        return 1.0;
    }
    #[allow(clippy::cast_precision_loss, reason = "at most 400")]
    channel.lags.map_or(1.0, |lags| (lags - 1) as f64)
}

fn shape(channel: &Channel, x: &[f64]) -> Shape {
    let at = channel.curve_at;
    let second = if channel.saturation.parameters().len() > 1 { x[at + 1] } else { 1.0 };
    Shape { saturation: channel.saturation, first: x[at], second }
}

fn share(channel: &Channel, x: &[f64]) -> f64 {
    match channel.effect {
        Effect::Own(at) => x[at],
        Effect::Pooled { roas, spread, deviation, unit } => {
            unit * x[roas] * crate::elementary::exp(x[spread] * x[deviation])
        }
    }
}

/// out += factor · values.
fn add(out: &mut [f64], factor: f64, values: &[f64]) {
    for (out, value) in out.iter_mut().zip(values) {
        *out += factor * value;
    }
}

/// Σ in eight lanes.
pub(crate) fn sum(values: &[f64]) -> f64 {
    let (blocks, rest) = values.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for block in blocks {
        for (sum, value) in sums.iter_mut().zip(block) {
            *sum += value;
        }
    }
    sums.iter().sum::<f64>() + rest.iter().sum::<f64>()
}

#[cfg(test)]
mod tests;
