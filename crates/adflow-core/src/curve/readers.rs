//! Curves from the parameters of other systems, under those systems' own names.
//!
//! Each reader rewrites a model as a sum of curves of one of our families, so that everything the engine does
//! with curves is exact for it. What a period does at a spend x is F(z x) with z the adstocked media of a spend of
//! 1, and every family is closed under that stretch: it goes into the parameters, and cost per unit and offset
//! stay free for the caller.

use super::ResponseCurves;
use super::adstock::Level;
use super::build::check;
use super::kind::{Domain, Kind};
use super::parameter::{Parameter, common_shape};
use crate::elementary::powf;
use crate::error::{Error, Result};

pub(crate) mod lightweight_mmm;
pub(crate) mod meridian;
pub(crate) mod pymc_marketing;
pub(crate) mod robyn;

/// A parameter of a reader, by the name of its field.
type Named<'a> = (&'static str, &'a Option<Parameter>);

/// Longest window and longest kernel: far beyond any data, and no accident with memory.
const MOST_PERIODS: usize = 100_000;
/// Most elements (draws × terms × arms) of one set.
const MOST_ELEMENTS: usize = 1 << 28;

/// The parameters that `owner` takes, in its order, checked; those that it does not take must be absent.
fn take<'a>(
    owner: &str,
    wanted: &[(&'static str, Domain)],
    given: &[Named<'a>],
) -> Result<Vec<(&'static str, &'a Parameter)>> {
    for (name, parameter) in given {
        if parameter.is_some() && !wanted.iter().any(|(other, _)| other == name) {
            return Err(Error::out_of_domain(*name, format!("absent: {owner} has none"), "a value"));
        }
    }
    wanted
        .iter()
        .map(|&(name, domain)| {
            let parameter = given.iter().find(|(other, _)| *other == name).and_then(|(_, p)| p.as_ref());
            Ok((name, needed(parameter, name, domain, owner)?))
        })
        .collect()
}

/// A parameter that must be there, checked.
fn needed<'a>(
    parameter: Option<&'a Parameter>,
    name: &'static str,
    domain: Domain,
    owner: &str,
) -> Result<&'a Parameter> {
    let Some(parameter) = parameter else {
        return Err(Error::out_of_domain(name, format!("given: {owner} needs it"), "nothing"));
    };
    check(parameter, name, domain)?;
    Ok(parameter)
}

/// A parameter that is 1 where it is left out, checked.
fn or_one(parameter: &Option<Parameter>, name: &'static str, domain: Domain) -> Result<Parameter> {
    let parameter = parameter.clone().unwrap_or_else(|| 1.0.into());
    check(&parameter, name, domain)?;
    Ok(parameter)
}

/// `(draws, arms)` common to parameters without terms.
fn draws_and_arms(parameters: &[(&'static str, &Parameter)]) -> Result<(usize, usize)> {
    if let Some((name, parameter)) = parameters.iter().find(|(_, parameter)| parameter.terms != 1) {
        let field = format!("{name} (terms)");
        return Err(Error::LengthMismatch { field, expected: 1, actual: parameter.terms });
    }
    let (draws, _, arms) = common_shape(parameters)?;
    Ok((draws, arms))
}

/// A number of periods or lags.
fn check_periods(field: &str, periods: usize) -> Result<()> {
    if (1..=MOST_PERIODS).contains(&periods) {
        return Ok(());
    }
    Err(Error::out_of_domain(field, format!("from 1 to {MOST_PERIODS}"), periods))
}

fn unknown(field: &str, known: &[&str], got: &str) -> Error {
    Error::out_of_domain(field, format!("one of {}", known.join(", ")), format!("{got:?}"))
}

/// The set whose element of a draw, a term and an arm has the parameters `element(draw, term, arm)`.
fn assemble(
    kind: Kind,
    (draws, terms, arms): (usize, usize, usize),
    mut element: impl FnMut(usize, usize, usize) -> [f64; 3],
) -> Result<ResponseCurves> {
    let length = draws.saturating_mul(terms).saturating_mul(arms);
    if length > MOST_ELEMENTS {
        let expected = format!("at most {MOST_ELEMENTS} draws x terms x arms");
        return Err(Error::out_of_domain("parameters", expected, length));
    }
    let mut columns = vec![Vec::with_capacity(length); kind.parameters().len()];
    for draw in 0..draws {
        for term in 0..terms {
            for arm in 0..arms {
                let parameters = element(draw, term, arm);
                columns.iter_mut().zip(parameters).for_each(|(column, value)| column.push(value));
            }
        }
    }
    let parameters = columns
        .into_iter()
        .map(|values| Parameter::terms(draws, terms, arms, values))
        .collect::<Result<Vec<_>>>()?;
    ResponseCurves::of(kind, parameters)
}

/// Whether a curve brings nothing beside the same curve whose media are larger by 1/ratio.
///
/// Kernels fall to 1e-60 and below, where no parameter could follow them. Left out is what stays below 1e-14 of the
/// larger one up to 1e12 times its half saturation.
fn is_negligible(kind: Kind, p: [f64; 3], ratio: f64) -> bool {
    let exponent = match kind {
        Kind::Power => p[1],
        Kind::Hill => p[2].min(1.0),
        _ => 1.0,
    };
    ratio < 1e-40 && powf(ratio, exponent) < 1e-20
}

/// Empties the levels that bring nothing beside the largest one.
fn drop_negligible(levels: &mut [Level], kind: Kind, p: [f64; 3]) {
    let largest = levels.iter().map(|level| level.media).fold(0.0, f64::max);
    for level in levels {
        if is_negligible(kind, p, level.media / largest) {
            level.media = 0.0;
        }
    }
}

/// The parameters p′ with `F(u; p′) = factor · F(stretch · u; p)`.
fn stretched(kind: Kind, p: [f64; 3], stretch: f64, factor: f64) -> [f64; 3] {
    if !(stretch > 0.0 && factor > 0.0) {
        // Nothing reaches this term, and every family is 0 at 0.
        return [0.0, p[1], p[2]];
    }
    let size = p[0] * factor;
    match kind {
        Kind::Linear => [size * stretch, 0.0, 0.0],
        Kind::Power => [size * powf(stretch, p[1]), p[1], 0.0],
        Kind::Logistic => [size, p[1] * stretch, 0.0],
        // b tanh(u/(b c)): the product b c is what the stretch divides.
        Kind::Tanh => [size, p[1] / (stretch * factor), 0.0],
        Kind::HillSigmoid => [size, p[1] * stretch, p[2] / stretch],
        Kind::Ramp => [size * stretch, p[1] / stretch, p[2] / stretch],
        Kind::Logarithmic | Kind::Exponential | Kind::MichaelisMenten | Kind::Hill => {
            [size, p[1] / stretch, p[2]]
        }
    }
}
