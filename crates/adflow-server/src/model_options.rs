//! Arguments for a response model and how it is fitted.

use adflow_core::{
    AdstockKind, LiftTest, Likelihood, Method, PerChannel, Prior, ResponseModel, RoasTest, Saturation, Trend,
};
use clap::Args;
use serde::de::DeserializeOwned;

const MODEL: &str = "The model";
const DRAWS: &str = "How it is fitted";

/// What the arguments say of a model; all else keeps the default, or what `--model` says.
#[derive(Debug, Clone, Default, Args)]
pub struct ModelOptions {
    /// Saturation: hill, logistic, michaelis_menten, exponential or power, for all channels or each: `tv=logistic,search=hill`
    /// [default: hill].
    #[arg(long, value_name = "CURVE", help_heading = MODEL, value_parser = by_channel::<Saturation>)]
    curve: Option<ByChannel<Saturation>>,
    /// Carry-over: none, geometric, delayed, weibull_cdf or weibull_pdf, for all channels or each [default: geometric].
    #[arg(long, value_name = "ADSTOCK", help_heading = MODEL, value_parser = by_channel::<AdstockKind>)]
    adstock: Option<ByChannel<AdstockKind>>,
    /// The last period that a spend reaches.
    #[arg(long, value_name = "PERIODS", help_heading = MODEL)]
    max_lag: Option<usize>,
    /// Noise: normal, student_t (single outliers move nothing) or negative_binomial (counts) [default: normal].
    #[arg(long, value_name = "LIKELIHOOD", help_heading = MODEL, value_parser = word::<Likelihood>)]
    likelihood: Option<Likelihood>,
    /// Drift of the baseline: none, linear, or the number of points at which it bends [default: linear].
    #[arg(long, value_name = "none|linear|KNOTS", help_heading = MODEL, value_parser = trend)]
    trend: Option<Trend>,
    /// Harmonics of the yearly season [default: 2 where dates span a year].
    #[arg(long, value_name = "HARMONICS", help_heading = MODEL)]
    yearly: Option<usize>,
    /// What is believed of a parameter before the data: `roas[tv]=log_normal(2,0.5)`, `retention=beta(2,3)`.
    #[arg(long, value_name = "PARAMETER=PRIOR", help_heading = MODEL, value_parser = prior)]
    prior: Vec<(String, Prior)>,
    /// An experiment: spend per period before, its change, the change of the outcome per period and its standard error.
    #[arg(long, value_name = "tv:spend=100,change=50,lift=20,std=5", help_heading = MODEL, value_parser = lift_test)]
    lift_test: Vec<LiftTest>,
    /// An experiment: the ROAS of a channel and its standard error, over all periods or some: `first=10,end=14`, from 0.
    #[arg(long, value_name = "tv:roas=2,std=0.5", help_heading = MODEL, value_parser = roas_test)]
    roas_test: Vec<(RoasTest, bool)>,
    /// nuts (draws), or laplace (an approximation, faster) [default: nuts].
    #[arg(long, value_name = "nuts|laplace", help_heading = DRAWS, value_parser = word::<Method>)]
    method: Option<Method>,
    /// Chains [default: 4].
    #[arg(long, value_name = "COUNT", help_heading = DRAWS)]
    chains: Option<usize>,
    /// Draws of each chain that are kept [default: 1000].
    #[arg(long, value_name = "COUNT", help_heading = DRAWS)]
    draws: Option<usize>,
    /// Draws of each chain that adapt the sampler and are thrown away [default: 400].
    #[arg(long, value_name = "COUNT", help_heading = DRAWS)]
    tune: Option<usize>,
    /// The same seed gives the same draws [default: 0].
    #[arg(long, value_name = "NUMBER", help_heading = DRAWS)]
    seed: Option<u64>,
}

/// One for all channels, one for each, or one for some and one for the rest.
#[derive(Debug, Clone)]
struct ByChannel<T> {
    rest: Option<T>,
    named: Vec<(String, T)>,
}

/// A word of the engine: its own list says which there are.
fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(serde_json::Value::from(text)).map_err(|error| error.to_string())
}

fn by_channel<T: DeserializeOwned>(text: &str) -> Result<ByChannel<T>, String> {
    let mut all = ByChannel { rest: None, named: Vec::new() };
    for part in text.split(',').map(str::trim) {
        match part.rsplit_once('=') {
            Some((channel, value)) => all.named.push((channel.trim().into(), word(value.trim())?)),
            None if all.rest.is_none() => all.rest = Some(word(part)?),
            None => {
                return Err(format!(
                    "must be one word, or a channel and a word like tv=logistic, got `{part}`"
                ));
            }
        }
    }
    Ok(all)
}

impl<T: Copy + Default> ByChannel<T> {
    fn resolve(&self, flag: &str, channels: &[String]) -> Result<PerChannel<T>, String> {
        let rest = self.rest.unwrap_or_default();
        if self.named.is_empty() {
            return Ok(rest.into());
        }
        let mut each = vec![rest; channels.len()];
        for (name, value) in &self.named {
            let Some(at) = channels.iter().position(|channel| channel == name) else {
                return Err(format!(
                    "{flag}: no channel is named `{name}`; there are {}",
                    channels.join(", ")
                ));
            };
            each[at] = *value;
        }
        Ok(each.into())
    }
}

fn trend(text: &str) -> Result<Trend, String> {
    let wrong = || format!("must be none, linear, or a number of knots, got `{text}`");
    text.parse().map(Trend::Knots).or_else(|_| match text {
        "none" => Ok(Trend::None),
        "linear" => Ok(Trend::Linear),
        _ => Err(wrong()),
    })
}

/// `roas[tv]=log_normal(2,0.5)`.
fn prior(text: &str) -> Result<(String, Prior), String> {
    let wrong = || {
        format!(
            "must be a parameter and its prior, one of normal(mean,std), half_normal(std), log_normal(median,sigma), \
             gamma(shape,rate), beta(a,b) or uniform(low,high), like roas[tv]=log_normal(2,0.5), got `{text}`"
        )
    };
    let (parameter, distribution) = text.rsplit_once('=').ok_or_else(wrong)?;
    let (name, numbers) =
        distribution.trim().strip_suffix(')').and_then(|text| text.split_once('(')).ok_or_else(wrong)?;
    let numbers: Vec<f64> = numbers
        .split(',')
        .map(|number| number.trim().parse())
        .collect::<Result<_, _>>()
        .map_err(|_| wrong())?;
    let prior = match (name.trim(), numbers[..].as_ref()) {
        ("normal", &[mean, std]) => Prior::Normal { mean, std },
        ("half_normal", &[std]) => Prior::HalfNormal { std },
        ("log_normal", &[median, sigma]) => Prior::LogNormal { median, sigma },
        ("gamma", &[shape, rate]) => Prior::Gamma { shape, rate },
        ("beta", &[a, b]) => Prior::Beta { a, b },
        ("uniform", &[low, high]) => Prior::Uniform { low, high },
        _ => return Err(wrong()),
    };
    Ok((parameter.trim().into(), prior))
}

/// A channel and its numbers: `tv:spend=100,change=50`.
fn numbers(text: &str, keys: &[&str], example: &str) -> Result<(String, Vec<Option<f64>>), String> {
    let wrong = || format!("must be like {example}, got `{text}`");
    let (channel, rest) = text.rsplit_once(':').ok_or_else(wrong)?;
    let mut values = vec![None; keys.len()];
    for part in rest.split(',') {
        let (key, value) = part.split_once('=').ok_or_else(wrong)?;
        let at = keys.iter().position(|known| *known == key.trim()).ok_or_else(wrong)?;
        let value: f64 = value.trim().parse().map_err(|_| wrong())?;
        if values[at].replace(value).is_some() {
            return Err(wrong());
        }
    }
    Ok((channel.trim().into(), values))
}

fn lift_test(text: &str) -> Result<LiftTest, String> {
    const EXAMPLE: &str = "tv:spend=100,change=50,lift=20,std=5";
    let (channel, values) = numbers(text, &["spend", "change", "lift", "std"], EXAMPLE)?;
    let [Some(spend), Some(change), Some(lift), Some(std)] = values[..] else {
        return Err(format!("must be like {EXAMPLE}, got `{text}`"));
    };
    Ok(LiftTest { channel, spend, change, lift, std })
}

/// The test, and whether it says where it ends.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole numbers from 0 to 1e9")]
fn roas_test(text: &str) -> Result<(RoasTest, bool), String> {
    const EXAMPLE: &str = "tv:roas=2,std=0.5 or tv:roas=2,std=0.5,first=10,end=14";
    let wrong = || format!("must be like {EXAMPLE}, got `{text}`");
    let (channel, values) = numbers(text, &["roas", "std", "first", "end"], EXAMPLE)?;
    let [Some(roas), Some(std), first, end] = values[..] else { return Err(wrong()) };
    let period = |value: Option<f64>| match value {
        None => Ok(0),
        Some(value) if value.fract().abs() <= 0.0 && (0.0..=1e9).contains(&value) => Ok(value as usize),
        Some(_) => Err(wrong()),
    };
    Ok((RoasTest { channel, first: period(first)?, end: period(end)?, roas, std }, end.is_some()))
}

impl ModelOptions {
    /// The arguments take the place of what a model says.
    ///
    /// # Errors
    /// In words, for a channel that is none.
    pub fn apply(
        &self,
        mut model: ResponseModel,
        channels: &[String],
        periods: usize,
    ) -> Result<ResponseModel, String> {
        if let Some(curve) = &self.curve {
            model = model.curve(curve.resolve("--curve", channels)?);
        }
        if let Some(adstock) = &self.adstock {
            model = model.adstock(adstock.resolve("--adstock", channels)?);
        }
        if let Some(max_lag) = self.max_lag {
            model = model.max_lag(max_lag);
        }
        if let Some(likelihood) = self.likelihood {
            model = model.likelihood(likelihood);
        }
        if let Some(trend) = self.trend {
            model = model.trend(trend);
        }
        if let Some(harmonics) = self.yearly {
            model = model.yearly(harmonics);
        }
        for (parameter, prior) in &self.prior {
            model = model.prior(parameter, *prior);
        }
        for test in &self.lift_test {
            model = model.lift_test(test.clone());
        }
        for (test, ends) in &self.roas_test {
            let end = if *ends { test.end } else { periods };
            model = model.roas_test(RoasTest { end, ..test.clone() });
        }
        if let Some(method) = self.method {
            model = model.method(method);
        }
        if let Some(chains) = self.chains {
            model = model.chains(chains);
        }
        if let Some(draws) = self.draws {
            model = model.draws(draws);
        }
        if let Some(tune) = self.tune {
            model = model.tune(tune);
        }
        if let Some(seed) = self.seed {
            model = model.seed(seed);
        }
        Ok(model)
    }

    /// Which arguments were given.
    #[must_use]
    pub fn given(&self) -> Vec<&'static str> {
        let given = [
            ("--curve", self.curve.is_some()),
            ("--adstock", self.adstock.is_some()),
            ("--max-lag", self.max_lag.is_some()),
            ("--likelihood", self.likelihood.is_some()),
            ("--trend", self.trend.is_some()),
            ("--yearly", self.yearly.is_some()),
            ("--prior", !self.prior.is_empty()),
            ("--lift-test", !self.lift_test.is_empty()),
            ("--roas-test", !self.roas_test.is_empty()),
            ("--method", self.method.is_some()),
            ("--chains", self.chains.is_some()),
            ("--draws", self.draws.is_some()),
            ("--tune", self.tune.is_some()),
            ("--seed", self.seed.is_some()),
        ];
        given.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag).collect()
    }

    /// The argument that a field of the model came from, where it came from one.
    #[must_use]
    pub fn argument(&self, field: &str) -> Option<&'static str> {
        let name = field.split(['.', '[']).next().unwrap_or(field);
        // `priors[…]` and `lift_tests[0]` come from arguments that are given one at a time.
        let flag = format!("--{}", name.trim_end_matches('s').replace('_', "-"));
        let plain = format!("--{}", name.replace('_', "-"));
        self.given().into_iter().find(|given| *given == flag || *given == plain)
    }
}
