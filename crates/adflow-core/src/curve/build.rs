//! The door for curves: constructors check every parameter once, so that nothing inside has to.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::arm::Form;
use super::column::Column;
use super::kind::Kind;
use super::mixture::Mixture;
use super::parameter::{Parameter, common_shape};
use super::table::Table;
use super::{Families, Family, ResponseCurves, Set};
use crate::error::{Error, Result};

impl ResponseCurves {
    /// β x: response grows in proportion.
    ///
    /// # Errors
    /// As [`hill`](Self::hill).
    pub fn linear(beta: impl Into<Parameter>) -> Result<Self> {
        Self::of(Kind::Linear, vec![beta.into()])
    }

    /// β ln(1 + x/k): k is `scale` (money).
    ///
    /// # Errors
    /// As [`hill`](Self::hill).
    pub fn logarithmic(beta: impl Into<Parameter>, scale: impl Into<Parameter>) -> Result<Self> {
        Self::of(Kind::Logarithmic, vec![beta.into(), scale.into()])
    }

    /// β xᵖ with 0 < p ≤ 1: p is `exponent`.
    ///
    /// # Errors
    /// As [`hill`](Self::hill).
    pub fn power(beta: impl Into<Parameter>, exponent: impl Into<Parameter>) -> Result<Self> {
        Self::of(Kind::Power, vec![beta.into(), exponent.into()])
    }

    /// β (1 − e^{−x/k}): k is `scale` (money).
    ///
    /// # Errors
    /// As [`hill`](Self::hill).
    pub fn exponential(beta: impl Into<Parameter>, scale: impl Into<Parameter>) -> Result<Self> {
        Self::of(Kind::Exponential, vec![beta.into(), scale.into()])
    }

    /// β x/(k + x): k is `half_saturation` (money).
    ///
    /// # Errors
    /// As [`hill`](Self::hill).
    pub fn michaelis_menten(
        beta: impl Into<Parameter>,
        half_saturation: impl Into<Parameter>,
    ) -> Result<Self> {
        Self::of(Kind::MichaelisMenten, vec![beta.into(), half_saturation.into()])
    }

    /// β xˢ/(kˢ + xˢ): k is `half_saturation` (money), s is `slope`. Concave for s ≤ 1; for s > 1 S-shaped
    /// with its inflection at k((s − 1)/(s + 1))^{1/s}.
    ///
    /// Each parameter is one number, one per arm, or draws × arms.
    ///
    /// # Errors
    /// [`Error::NotFinite`], [`Error::OutOfDomain`] (β is 0 or from 1e-60 to 1e60, k from 1e-60 to 1e60, s
    /// from 0.001 to 100), [`Error::LengthMismatch`], [`Error::Empty`].
    pub fn hill(
        beta: impl Into<Parameter>,
        half_saturation: impl Into<Parameter>,
        slope: impl Into<Parameter>,
    ) -> Result<Self> {
        Self::of(Kind::Hill, vec![beta.into(), half_saturation.into(), slope.into()])
    }

    /// β (1 − e^{−λx})/(1 + e^{−λx}): λ is `lam` (per money).
    ///
    /// # Errors
    /// As [`hill`](Self::hill).
    pub fn logistic(beta: impl Into<Parameter>, lam: impl Into<Parameter>) -> Result<Self> {
        Self::of(Kind::Logistic, vec![beta.into(), lam.into()])
    }

    /// b tanh(x/(b c)): saturates at b, and 1/c is its slope at 0.
    ///
    /// # Errors
    /// As [`hill`](Self::hill).
    pub fn tanh(b: impl Into<Parameter>, c: impl Into<Parameter>) -> Result<Self> {
        Self::of(Kind::Tanh, vec![b.into(), c.into()])
    }

    /// σ/(1 + e^{−β(x−λ)}) − σ/(1 + e^{βλ}): S-shaped with its inflection at λ (`lam`, money).
    ///
    /// # Errors
    /// As [`hill`](Self::hill).
    pub fn hill_sigmoid(
        sigma: impl Into<Parameter>,
        beta: impl Into<Parameter>,
        lam: impl Into<Parameter>,
    ) -> Result<Self> {
        Self::of(Kind::HillSigmoid, vec![sigma.into(), beta.into(), lam.into()])
    }

    /// Straight lines through given points: one row of spends (money, increasing from at least 0; one row for
    /// all arms, or one per arm) and one row of responses (nondecreasing) per arm.
    ///
    /// The curve is defined from its first spend to its last and nowhere else: these are the arm's bounds
    /// as far as a problem states none (a table that starts above 0 needs a `lower` there).
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::LengthMismatch`], [`Error::NotFinite`], and [`Error::OutOfDomain`] for
    /// fewer than two points, spends that do not increase, or responses that fall.
    pub fn tabulated(spend: &[Vec<f64>], response: &[Vec<f64>]) -> Result<Self> {
        Self::tabulated_draws(spend, std::slice::from_ref(&response))
    }

    /// [`tabulated`](Self::tabulated) with posterior draws: `response[draw][arm]` is a row of points.
    ///
    /// # Errors
    /// As [`tabulated`](Self::tabulated).
    pub fn tabulated_draws<R: AsRef<[Vec<f64>]>>(spend: &[Vec<f64>], response: &[R]) -> Result<Self> {
        let arms = response.first().map_or(0, |draw| draw.as_ref().len());
        if arms == 0 {
            return Err(Error::Empty { field: "response".into() });
        }
        if spend.len() != 1 && spend.len() != arms {
            return Err(Error::LengthMismatch { field: "spend".into(), expected: arms, actual: spend.len() });
        }
        let tables = (0..arms)
            .map(|arm| {
                let points = if spend.len() == 1 { &spend[0] } else { &spend[arm] };
                let draws = response
                    .iter()
                    .map(|draw| {
                        let draw = draw.as_ref();
                        match draw.get(arm) {
                            Some(row) if draw.len() == arms => Ok(row.clone()),
                            _ => Err(Error::LengthMismatch {
                                field: "response".into(),
                                expected: arms,
                                actual: draw.len(),
                            }),
                        }
                    })
                    .collect::<Result<_>>()?;
                table(arm, points, draws)
            })
            .collect::<Result<Vec<_>>>()?;
        let families = (0..arms).map(|arm| Family::Table(index(arm))).collect();
        Ok(Self::from_set(Set { tables, ..Set::plain(arms, Families::Each(families)) }))
    }

    /// The arms of several sets, one after the other. Names stay where every set has them.
    ///
    /// # Errors
    /// [`Error::Empty`] for no sets, [`Error::LengthMismatch`] where numbers of draws disagree,
    /// [`Error::DuplicateName`].
    pub fn concat(sets: &[Self]) -> Result<Self> {
        if sets.iter().any(|set| set.set.prices.is_some()) {
            let before: Vec<Self> = sets.iter().map(Self::before_prices).collect();
            return Self::concat(&before)?.with_rules(sets.iter().flat_map(Self::rules).collect());
        }
        if sets.is_empty() {
            return Err(Error::Empty { field: "curves".into() });
        }
        let draws = sets.iter().map(Self::draws).max().unwrap_or(1);
        for (position, set) in sets.iter().enumerate() {
            if set.draws() != 1 && set.draws() != draws {
                return Err(Error::LengthMismatch {
                    field: format!("curves[{position}] (draws)"),
                    expected: draws,
                    actual: set.draws(),
                });
            }
        }
        let column = |of: fn(&Set) -> &Column| Column::concat(sets.iter().map(|s| (s.len(), of(&s.set))));
        let (mut mixtures, mut tables) = (Vec::new(), Vec::new());
        let same =
            |kind: &Kind| sets.iter().all(|s| matches!(&s.set.families, Families::All(k) if k == kind));
        let families = match &sets[0].set.families {
            Families::All(kind) if same(kind) => Families::All(*kind),
            _ => {
                let mut families = Vec::with_capacity(sets.iter().map(Self::len).sum());
                for set in sets {
                    families.extend((0..set.len()).map(|arm| match set.set.family(arm) {
                        Family::Shape(kind) => Family::Shape(kind),
                        Family::Mixture(at) => Family::Mixture(index(mixtures.len()) + at),
                        Family::Table(at) => Family::Table(index(tables.len()) + at),
                    }));
                    mixtures.extend_from_slice(&set.set.mixtures);
                    tables.extend_from_slice(&set.set.tables);
                }
                Families::Each(families)
            }
        };
        let names = sets.iter().map(|s| s.set.names.clone()).collect::<Option<Vec<_>>>().map(|n| n.concat());
        let known = sets.iter().any(|s| s.set.observed.is_some());
        let observed = known.then(|| {
            let of = |s: &Self| s.set.observed.clone().unwrap_or_else(|| vec![(0.0, f64::INFINITY); s.len()]);
            sets.iter().flat_map(of).collect()
        });
        if let Some(names) = &names {
            check_names(names)?;
        }
        Ok(Self::from_set(Set {
            arms: sets.iter().map(Self::len).sum(),
            families,
            parameters: [
                column(|s| &s.parameters[0]),
                column(|s| &s.parameters[1]),
                column(|s| &s.parameters[2]),
            ],
            cost: column(|s| &s.cost),
            offset: column(|s| &s.offset),
            baseline: column(|s| &s.baseline),
            keeps_offset: column(|s| &s.keeps_offset),
            value: column(|s| &s.value),
            mixtures,
            tables,
            names,
            observed,
            prices: None,
        }))
    }

    /// Names the arms.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] and [`Error::DuplicateName`].
    pub fn with_names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Result<Self> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        if names.len() != self.len() {
            return Err(Error::LengthMismatch {
                field: "names".into(),
                expected: self.len(),
                actual: names.len(),
            });
        }
        check_names(&names)?;
        Arc::make_mut(&mut self.set).names = Some(names);
        Ok(self)
    }

    /// Puts a price of exposure between spend and response: F sees x / cost units.
    ///
    /// `cost` is money per unit: one number, one per arm, or draws × arms.
    ///
    /// # Errors
    /// [`Error::NotFinite`], [`Error::OutOfDomain`] (from 1e-60 to 1e60), [`Error::LengthMismatch`].
    pub fn with_cost_per_unit(self, cost: impl Into<Parameter>) -> Result<Self> {
        let cost = cost.into();
        self.behind_prices(|curves| {
            curves.transform("cost_per_unit", &cost, super::kind::Domain::Positive, 3)
        })
    }

    /// Adds a carry-over that is there without spend: f(x) = F(x + c) − F(c), or F(x + c) where `keep_response`
    /// is true (Robyn counts the response to the carry-over as the arm's own).
    ///
    /// `offset` is in units (money where no cost per unit is set): one number, one per arm, or draws × arms.
    ///
    /// # Errors
    /// [`Error::NotFinite`], [`Error::OutOfDomain`] (0, or from 1e-60 to 1e60), [`Error::LengthMismatch`].
    pub fn with_offset(self, offset: impl Into<Parameter>, keep_response: bool) -> Result<Self> {
        let offset = offset.into();
        self.behind_prices(|curves| {
            let mut curves = curves.transform("offset", &offset, super::kind::Domain::NonNegative, 4)?;
            let set = Arc::make_mut(&mut curves.set);
            set.keeps_offset = Column::Same(f64::from(u8::from(keep_response)));
            set.settle_baseline();
            Ok(curves)
        })
    }

    /// Multiplies the response, for instance by the money one conversion is worth.
    ///
    /// `value` is one number or one per arm; where it was set before, both multiply.
    ///
    /// # Errors
    /// [`Error::NotFinite`], [`Error::OutOfDomain`] (0, or from 1e-60 to 1e60), [`Error::LengthMismatch`].
    pub fn with_value_per_response(mut self, value: impl Into<Parameter>) -> Result<Self> {
        let value = value.into();
        check(&value, "value_per_response", super::kind::Domain::NonNegative)?;
        let (draws, terms, arms) = common_shape(&[("value_per_response", &value)])?;
        if draws * terms != 1 || arms != 1 && arms != self.len() {
            let actual = draws * terms * arms;
            let field = "value_per_response".into();
            return Err(Error::LengthMismatch { field, expected: self.len(), actual });
        }
        let arms = self.len();
        let set = Arc::make_mut(&mut self.set);
        set.value = match (value.into_column(arms), &set.value) {
            (Column::Same(factor), Column::Same(old)) => Column::Same(old * factor),
            (factor, old) => Column::Each((0..arms).map(|arm| old.at(arm) * factor.at(arm)).collect()),
        };
        Ok(self)
    }

    /// The set of one family.
    pub(crate) fn of(kind: Kind, parameters: Vec<Parameter>) -> Result<Self> {
        let named: Vec<(&'static str, &Parameter)> = kind
            .parameters()
            .iter()
            .zip(&parameters)
            .map(|(&(name, _), parameter)| (name, parameter))
            .collect();
        let (draws, terms, arms) = common_shape(&named)?;
        for (&(name, domain), parameter) in kind.parameters().iter().zip(&parameters) {
            check(parameter, name, domain)?;
        }
        if draws * terms > 1 {
            let mixtures = (0..arms)
                .map(|arm| {
                    let element = |p: usize| match parameters.get(p) {
                        Some(parameter) => spread(draws, terms, |s, j| parameter.at(s, j, arm)),
                        None => vec![0.0; draws * terms],
                    };
                    let ones = vec![1.0; draws * terms];
                    let zeros = vec![0.0; draws * terms];
                    let elements = [element(0), element(1), element(2), ones, zeros, Vec::new()];
                    Mixture { kind, draws, terms, elements }
                })
                .collect();
            let families = Families::Each((0..arms).map(|arm| Family::Mixture(index(arm))).collect());
            return Ok(Self::from_set(Set { mixtures, ..Set::plain(arms, families) }));
        }
        let mut columns = parameters.into_iter().map(|parameter| parameter.into_column(arms));
        let mut next = || columns.next().unwrap_or(Column::Same(0.0));
        let parameters = [next(), next(), next()];
        Ok(Self::from_set(Set { parameters, ..Set::plain(arms, Families::All(kind)) }))
    }

    pub(crate) fn from_set(set: Set) -> Self {
        Self { set: Arc::new(set) }
    }

    /// Sets the cost (`slot` 3) or the offset (`slot` 4) of every arm, whatever its form.
    fn transform(
        self,
        field: &'static str,
        parameter: &Parameter,
        domain: super::kind::Domain,
        slot: usize,
    ) -> Result<Self> {
        check(parameter, field, domain)?;
        let (draws, terms, arms) = common_shape(&[(field, parameter)])?;
        if arms != 1 && arms != self.len() {
            return Err(Error::LengthMismatch { field: field.into(), expected: self.len(), actual: arms });
        }
        if draws > 1 && self.draws() > 1 && draws != self.draws() {
            let field = format!("{field} (draws)");
            return Err(Error::LengthMismatch { field, expected: self.draws(), actual: draws });
        }
        let mut curves = if draws * terms > 1 { self.spread_over(field, draws, terms)? } else { self };
        let arms = curves.len();
        let set = Arc::make_mut(&mut curves.set);
        let families = set.families.clone();
        for arm in 0..arms {
            match families {
                Families::All(_) => break,
                Families::Each(ref families) => match families[arm] {
                    Family::Shape(_) => {}
                    Family::Mixture(at) => {
                        let mixture = &mut set.mixtures[at as usize];
                        let (draws, terms) = (mixture.draws, mixture.terms);
                        mixture.elements[slot] = spread(draws, terms, |s, j| parameter.at(s, j, arm));
                    }
                    Family::Table(at) => {
                        let table = &mut set.tables[at as usize];
                        let own = if slot == 3 { &mut table.cost } else { &mut table.offset };
                        *own = parameter.at(0, 0, arm);
                        let (from, to) = table.domain();
                        if from >= to {
                            let expected = "small enough to leave a part of the table to spend on";
                            return Err(Error::out_of_domain(
                                format!("{field}[{arm}]"),
                                expected,
                                parameter.at(0, 0, arm),
                            ));
                        }
                    }
                },
            }
        }
        let column = if draws * terms > 1 {
            Column::Same(if slot == 3 { 1.0 } else { 0.0 })
        } else {
            parameter.clone().into_column(arms)
        };
        if slot == 3 {
            set.cost = column;
        } else {
            set.offset = column;
        }
        set.settle_baseline();
        Ok(curves)
    }

    /// Gives every smooth arm the draws and terms of a parameter that has them.
    fn spread_over(mut self, field: &str, draws: usize, terms: usize) -> Result<Self> {
        let set = Arc::make_mut(&mut self.set);
        let mut families: Vec<Family> = (0..set.arms).map(|arm| set.family(arm)).collect();
        for (arm, family) in families.iter_mut().enumerate() {
            match *family {
                Family::Shape(kind) => {
                    let column = |column: &Column| vec![column.at(arm); draws * terms];
                    let [a, b, c] = &set.parameters;
                    let (cost, offset) = (column(&set.cost), column(&set.offset));
                    let elements = [column(a), column(b), column(c), cost, offset, Vec::new()];
                    *family = Family::Mixture(index(set.mixtures.len()));
                    set.mixtures.push(Mixture { kind, draws, terms, elements });
                }
                Family::Mixture(at) => {
                    let mixture = &mut set.mixtures[at as usize];
                    if mixture.terms != terms && mixture.terms != 1 && terms != 1 {
                        let field = format!("{field} (terms)");
                        return Err(Error::LengthMismatch { field, expected: mixture.terms, actual: terms });
                    }
                    let (old_draws, old_terms) = (mixture.draws, mixture.terms);
                    let (new_draws, new_terms) = (draws.max(old_draws), terms.max(old_terms));
                    for element in &mut mixture.elements[..5] {
                        let old = std::mem::take(element);
                        *element = spread(new_draws, new_terms, |s, j| {
                            let s = if old_draws == 1 { 0 } else { s };
                            let j = if old_terms == 1 { 0 } else { j };
                            old[s * old_terms + j]
                        });
                    }
                    (mixture.draws, mixture.terms) = (new_draws, new_terms);
                }
                Family::Table(_) => {
                    let expected = "one number or one per arm for a tabulated curve";
                    return Err(Error::out_of_domain(
                        field,
                        expected,
                        format!("{draws} draws of {terms} terms"),
                    ));
                }
            }
        }
        set.families = Families::Each(families);
        Ok(self)
    }
}

impl Set {
    /// Arms without cost, offset, value or names.
    pub(crate) fn plain(arms: usize, families: Families) -> Self {
        Self {
            arms,
            families,
            parameters: [Column::Same(0.0), Column::Same(0.0), Column::Same(0.0)],
            cost: Column::Same(1.0),
            offset: Column::Same(0.0),
            baseline: Column::Same(0.0),
            keeps_offset: Column::Same(0.0),
            value: Column::Same(1.0),
            mixtures: Vec::new(),
            tables: Vec::new(),
            names: None,
            observed: None,
            prices: None,
        }
    }

    /// Computes F(offset) where it is to be taken off.
    pub(crate) fn settle_baseline(&mut self) {
        self.baseline = Column::Same(0.0);
        let baselines: Vec<f64> = (0..self.arms)
            .map(|i| {
                let arm = super::Arm { value: 1.0, ..self.arm(i) };
                // Without an offset a smooth curve starts at 0, and a table where its points say.
                let starts_itself = match self.table(i) {
                    Some(table) => table.offset <= 0.0 || table.domain().0 > 0.0,
                    None => matches!(arm.form, Form::Shape(..)) && arm.offset <= 0.0,
                };
                if self.keeps_offset.at(i) > 0.0 || starts_itself { 0.0 } else { arm.response(0.0) }
            })
            .collect();
        if baselines.iter().any(|&baseline| baseline != 0.0) {
            self.baseline = Column::Each(baselines);
        }
    }

    /// The arms of a range, with only what they need.
    pub(crate) fn slice(&self, range: Range<usize>) -> Self {
        let (mut mixtures, mut tables) = (Vec::new(), Vec::new());
        let families = match &self.families {
            Families::All(kind) => Families::All(*kind),
            Families::Each(families) => Families::Each(
                families[range.clone()]
                    .iter()
                    .map(|&family| match family {
                        Family::Shape(kind) => Family::Shape(kind),
                        Family::Mixture(at) => {
                            mixtures.push(self.mixtures[at as usize].clone());
                            Family::Mixture(index(mixtures.len() - 1))
                        }
                        Family::Table(at) => {
                            tables.push(self.tables[at as usize].clone());
                            Family::Table(index(tables.len() - 1))
                        }
                    })
                    .collect(),
            ),
        };
        let column = |column: &Column| column.slice(range.clone());
        let [a, b, c] = &self.parameters;
        Self {
            arms: range.len(),
            families,
            parameters: [column(a), column(b), column(c)],
            cost: column(&self.cost),
            offset: column(&self.offset),
            baseline: column(&self.baseline),
            keeps_offset: column(&self.keeps_offset),
            value: column(&self.value),
            mixtures,
            tables,
            names: self.names.as_ref().map(|names| names[range.clone()].to_vec()),
            observed: self.observed.as_ref().map(|observed| observed[range.clone()].to_vec()),
            prices: self.prices.as_ref().and_then(|prices| prices.slice(range)).map(Arc::new),
        }
    }
}

/// Row-major `[draws][terms]`.
fn spread(draws: usize, terms: usize, value: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let mut values = Vec::with_capacity(draws * terms);
    for draw in 0..draws {
        values.extend((0..terms).map(|term| value(draw, term)));
    }
    values
}

/// Mixtures and tables are counted in u32: four thousand million of them do not fit in memory.
#[allow(clippy::cast_possible_truncation, reason = "see above")]
pub(super) fn index(at: usize) -> u32 {
    at as u32
}

pub(crate) fn check(parameter: &Parameter, name: &str, domain: super::kind::Domain) -> Result<()> {
    let all_inside = parameter.values.iter().all(|&value| domain.contains(value));
    if all_inside {
        return Ok(());
    }
    let Some((at, &value)) = parameter.values.iter().enumerate().find(|&(_, &value)| !domain.contains(value))
    else {
        return Ok(());
    };
    let field = match (parameter.arms, parameter.draws * parameter.terms) {
        (None, _) => name.to_string(),
        (Some(_), 1) => format!("{name}[{at}]"),
        (Some(arms), _) => format!("{name}[{}][{}]", at / arms, at % arms),
    };
    if value.is_finite() {
        Err(Error::out_of_domain(field, domain.words(), value))
    } else {
        Err(Error::NotFinite { field, value })
    }
}

pub(crate) fn check_names(names: &[String]) -> Result<()> {
    let mut seen = BTreeMap::new();
    for (second, name) in names.iter().enumerate() {
        if let Some(first) = seen.insert(name.as_str(), second) {
            return Err(Error::DuplicateName { name: name.clone(), first, second });
        }
    }
    Ok(())
}

fn table(arm: usize, spend: &[f64], draws: Vec<Vec<f64>>) -> Result<Table> {
    let finite = |field: &str, values: &[f64]| match values.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(Error::NotFinite { field: format!("{field}[{arm}][{at}]"), value: values[at] }),
        None => Ok(()),
    };
    finite("spend", spend)?;
    if spend.len() < 2 {
        let field = format!("spend[{arm}]");
        return Err(Error::out_of_domain(field, "at least two points", format!("{} points", spend.len())));
    }
    let domain = super::kind::Domain::NonNegative;
    if let Some(at) = spend.iter().position(|&point| !domain.contains(point)) {
        return Err(Error::out_of_domain(format!("spend[{arm}][{at}]"), domain.words(), spend[at]));
    }
    if let Some(at) = (1..spend.len()).find(|&at| spend[at] <= spend[at - 1]) {
        return Err(Error::out_of_domain(
            format!("spend[{arm}][{at}]"),
            "above the point before it",
            spend[at],
        ));
    }
    for row in &draws {
        if row.len() != spend.len() {
            let field = format!("response[{arm}]");
            return Err(Error::LengthMismatch { field, expected: spend.len(), actual: row.len() });
        }
        finite("response", row)?;
        if let Some(at) = row.iter().position(|value| value.abs() > 1e60) {
            let field = format!("response[{arm}][{at}]");
            return Err(Error::out_of_domain(field, "of magnitude at most 1e60", row[at]));
        }
        if let Some(at) = (1..row.len()).find(|&at| row[at] < row[at - 1]) {
            let field = format!("response[{arm}][{at}]");
            return Err(Error::out_of_domain(field, "at least the response of the point before it", row[at]));
        }
    }
    #[allow(clippy::cast_precision_loss, reason = "a count")]
    let count = draws.len() as f64;
    let mean = (0..spend.len()).map(|at| draws.iter().map(|row| row[at]).sum::<f64>() / count).collect();
    Ok(Table { spend: spend.to_vec(), draws, mean, cost: 1.0, offset: 0.0, rising: None })
}
