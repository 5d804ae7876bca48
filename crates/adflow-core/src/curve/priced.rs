//! The doors for prices that rise with the spend, and the curves behind them.

use std::ops::Range;
use std::sync::Arc;

use super::build::{check, index};
use super::column::Column;
use super::kind::Domain;
use super::mixture::Mixture;
use super::parameter::{Parameter, common_shape};
use super::price::{Price, Tiers};
use super::{Families, Family, ResponseCurves, Set};
use crate::error::{Error, Result};

/// Prices that rise with the spend, and the arms before them: what changes below the price starts from these.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Prices {
    /// Without names, values and observed spends, which lie above the price.
    pub(crate) before: Set,
    pub(crate) rules: Vec<Rule>,
}

/// How the price of one arm's units moves with its spend.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rule {
    Fixed,
    /// 0 < p.
    Power(f64),
    /// The numbers of [`Tiers`]; arms with the same tiers share them. One number is one price, without a break.
    Tiers(Arc<[f64]>),
}

impl Prices {
    /// The prices of a range of arms, unless they are all fixed.
    pub(crate) fn slice(&self, range: Range<usize>) -> Option<Self> {
        let rules = &self.rules[range.clone()];
        let rises = rules.iter().any(|rule| *rule != Rule::Fixed);
        rises.then(|| Self { before: self.before.slice(range), rules: rules.to_vec() })
    }
}

impl Rule {
    /// The numbers that [`Price::read`] reads.
    fn numbers(&self) -> Vec<f64> {
        match self {
            // Next to 1 such an exponent is none.
            Self::Power(p) if 1.0 + p > 1.0 => vec![*p],
            Self::Fixed | Self::Power(_) => Vec::new(),
            Self::Tiers(numbers) => numbers.to_vec(),
        }
    }
}

impl ResponseCurves {
    /// Lets the price of a unit rise with the number of units: u units cost c uᵖ each on average, c being the
    /// [cost per unit](Self::with_cost_per_unit) and p the `exponent`, so that
    ///
    /// ```text
    /// x = c u^{1+p}     u(x) = (x/c)^{1/(1+p)}     f(x) = F(u(x) + offset) − F(offset)
    /// ```
    ///
    /// The next unit costs (1 + p) c uᵖ. `exponent` has no unit; it is one number or one per arm, 0 for an arm whose price
    /// stays. Where it was set before, the new one stands.
    ///
    /// A Hill curve without offset stays one, with slope s/(1 + p): it is S-shaped for s > 1 + p only. Other S-shaped curves
    /// start concave behind such a price, and with an offset so do all.
    ///
    /// # Errors
    /// [`Error::NotFinite`], [`Error::OutOfDomain`] (from 0 to 10; 0 for an arm with
    /// [price tiers](Self::with_price_tiers); small enough for a table to keep a part to spend on), [`Error::LengthMismatch`].
    ///
    /// # Examples
    /// ```
    /// use adflow_core::ResponseCurves;
    ///
    /// // The 9th unit is dearer than the first: 9 units cost 9 · 2 · √9 of money.
    /// let curves = ResponseCurves::linear(1.0)?.with_cost_per_unit(2.0)?.with_price_power(0.5)?;
    /// assert!((curves.response(&[54.0])?[0] - 9.0).abs() < 1e-12);
    /// # Ok::<(), adflow_core::Error>(())
    /// ```
    pub fn with_price_power(self, exponent: impl Into<Parameter>) -> Result<Self> {
        const FIELD: &str = "price_power";
        let exponent = exponent.into();
        check(&exponent, FIELD, Domain::PricePower)?;
        let (draws, terms, arms) = common_shape(&[(FIELD, &exponent)])?;
        if draws * terms != 1 || arms != 1 && arms != self.len() {
            let actual = draws * terms * arms;
            return Err(Error::LengthMismatch { field: FIELD.into(), expected: self.len(), actual });
        }
        let rules =
            self.rules().into_iter().enumerate().map(|(arm, rule)| match (rule, exponent.at(0, 0, arm)) {
                (Rule::Tiers(_), p) if p > 0.0 => {
                    Err(Error::out_of_domain(format!("{FIELD}[{arm}]"), "0 for an arm with price tiers", p))
                }
                (tiers @ Rule::Tiers(_), _) => Ok(tiers),
                (_, p) => Ok(if p > 0.0 { Rule::Power(p) } else { Rule::Fixed }),
            });
        let rules = rules.collect::<Result<_>>()?;
        self.before_prices().with_rules(rules)
    }

    /// Lets the price of a unit rise in steps: one row of `prices` for all arms, or one per arm, and one row of
    /// `spend_breaks` (money) fewer. The first price holds up to the first break, the next for what is spent beyond it, the
    /// last without end:
    ///
    /// ```text
    /// u(x) = ∫₀ˣ dt / (c · price(t))     f(x) = F(u(x) + offset) − F(offset)
    /// ```
    ///
    /// A price is money per unit where no [cost per unit](Self::with_cost_per_unit) c is set, and a factor on c where one is.
    /// Prices may not fall; where tiers were set before, the new ones stand. At a break the marginal response falls from one
    /// value to another: there [`marginal_response`](Self::marginal_response) is that of the next money.
    ///
    /// # Errors
    /// [`Error::Empty`] for no rows, [`Error::LengthMismatch`] unless there are 1 or n rows and one price more than breaks in
    /// each; [`Error::NotFinite`]; [`Error::OutOfDomain`] for a break or price outside 1e-60 to 1e60, breaks that do not
    /// increase, prices that fall, and tiers for an arm whose price follows a [power](Self::with_price_power).
    ///
    /// # Examples
    /// ```
    /// use adflow_core::ResponseCurves;
    ///
    /// // 1 per unit for the first 100 of money, then 2.
    /// let curves = ResponseCurves::linear(1.0)?.with_price_tiers(&[vec![100.0]], &[vec![1.0, 2.0]])?;
    /// assert_eq!(curves.response(&[160.0])?, [130.0]);
    /// # Ok::<(), adflow_core::Error>(())
    /// ```
    pub fn with_price_tiers(self, spend_breaks: &[Vec<f64>], prices: &[Vec<f64>]) -> Result<Self> {
        for (field, rows) in [("spend_breaks", spend_breaks), ("prices", prices)] {
            if rows.is_empty() {
                return Err(Error::Empty { field: field.into() });
            }
            if rows.len() != 1 && rows.len() != self.len() {
                let (expected, actual) = (self.len(), rows.len());
                return Err(Error::LengthMismatch { field: field.into(), expected, actual });
            }
        }
        let same = spend_breaks.len() == 1 && prices.len() == 1;
        let row = |rows: &[Vec<f64>], at: usize| if rows.len() == 1 { 0 } else { at };
        let mut tiers = Vec::new();
        for at in 0..if same { 1 } else { self.len() } {
            tiers.push(read_tiers(
                (row(spend_breaks, at), &spend_breaks[row(spend_breaks, at)]),
                (row(prices, at), &prices[row(prices, at)]),
            )?);
        }
        let rules = self.rules().into_iter().enumerate().map(|(arm, rule)| {
            match (rule, tiers[if same { 0 } else { arm }].clone()) {
                (Rule::Power(p), Rule::Tiers(_)) => {
                    let expected = "absent for an arm whose price follows a power";
                    Err(Error::out_of_domain(format!("prices[{arm}]"), expected, format!("a power of {p}")))
                }
                (power @ Rule::Power(_), _) => Ok(power),
                (_, tiers) => Ok(tiers),
            }
        });
        let rules = rules.collect::<Result<_>>()?;
        self.before_prices().with_rules(rules)
    }

    /// The rule of every arm.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        match &self.set.prices {
            Some(prices) => prices.rules.clone(),
            None => vec![Rule::Fixed; self.len()],
        }
    }

    /// The same curves at fixed prices.
    pub(crate) fn before_prices(&self) -> Self {
        match &self.set.prices {
            Some(prices) => Self::from_set(Set {
                names: self.set.names.clone(),
                observed: self.set.observed.clone(),
                value: self.set.value.clone(),
                ..prices.before.clone()
            }),
            None => self.clone(),
        }
    }

    /// Changes what lies behind the prices.
    pub(crate) fn behind_prices(self, change: impl FnOnce(Self) -> Result<Self>) -> Result<Self> {
        match &self.set.prices {
            Some(prices) => change(self.before_prices())?.with_rules(prices.rules.clone()),
            None => change(self),
        }
    }

    /// Curves at fixed prices, put behind prices that rise.
    ///
    /// A curve that equals one of our families at a fixed price becomes that; any other smooth curve becomes a mixture
    /// behind its price, and a table a sum of ramps.
    pub(crate) fn with_rules(mut self, rules: Vec<Rule>) -> Result<Self> {
        if rules.iter().all(|rule| *rule == Rule::Fixed) {
            return Ok(self);
        }
        let set = Arc::make_mut(&mut self.set);
        let before = Set { names: None, observed: None, value: Column::Same(1.0), ..set.clone() };
        let mut families: Vec<Family> = (0..set.arms).map(|arm| set.family(arm)).collect();
        let mut parameters = [0, 1, 2].map(|slot| set.parameters[slot].clone());
        for (arm, rule) in rules.iter().enumerate() {
            let numbers = rule.numbers();
            if numbers.is_empty() {
                continue;
            }
            if let (Rule::Tiers(_), [factor]) = (rule, &numbers[..]) {
                set.scale_cost(arm, *factor);
                continue;
            }
            let price = Price::read(&numbers);
            match families[arm] {
                Family::Shape(kind) => {
                    let own = set.parameters.each_ref().map(|column| column.at(arm));
                    let (cost, offset) = (set.cost.at(arm), set.offset.at(arm));
                    let absorbed = if offset > 0.0 { None } else { price.absorbed(kind, own) };
                    if let Some((kind, own)) = absorbed {
                        families[arm] = Family::Shape(kind);
                        for (column, value) in parameters.iter_mut().zip(own) {
                            column.set(arm, set.arms, value);
                        }
                        continue;
                    }
                    let [a, b, c] = own.map(|value| vec![value]);
                    let elements = [a, b, c, vec![price.cost(cost)], vec![offset], numbers];
                    families[arm] = Family::Mixture(index(set.mixtures.len()));
                    set.mixtures.push(Mixture { kind, draws: 1, terms: 1, elements });
                }
                Family::Mixture(at) => set.mixtures[at as usize].put_behind(numbers),
                Family::Table(at) => {
                    let table = &mut set.tables[at as usize];
                    let rising = table.ramps(numbers);
                    let (from, to) = rising.domain();
                    if !(from < to && from <= 1e60) {
                        let expected = "such that a part of the table is left to spend on";
                        return Err(Error::out_of_domain(format!("price_power[{arm}]"), expected, from));
                    }
                    table.rising = Some(Box::new(rising));
                }
            }
        }
        set.families = match families[0] {
            Family::Shape(kind) if families.iter().all(|family| *family == families[0]) => {
                Families::All(kind)
            }
            _ => Families::Each(families),
        };
        set.parameters = parameters;
        set.prices = Some(Arc::new(Prices { before, rules }));
        set.settle_baseline();
        Ok(self)
    }
}

impl Set {
    /// Multiplies the cost per unit of an arm.
    fn scale_cost(&mut self, arm: usize, factor: f64) {
        match self.family(arm) {
            Family::Shape(_) => self.cost.set(arm, self.arms, self.cost.at(arm) * factor),
            Family::Mixture(at) => {
                self.mixtures[at as usize].elements[3].iter_mut().for_each(|cost| *cost *= factor);
            }
            Family::Table(at) => self.tables[at as usize].cost *= factor,
        }
    }
}

impl Mixture {
    /// Puts the elements behind a price.
    fn put_behind(&mut self, numbers: Vec<f64>) {
        let price = Price::read(&numbers);
        let [a, b, c, cost, offset, _] = &self.elements;
        let fixed = offset.iter().all(|&offset| offset <= 0.0).then(|| {
            let absorbed = (0..self.len()).map(|at| price.absorbed(self.kind, [a[at], b[at], c[at]]));
            absorbed.collect::<Option<Vec<_>>>()
        });
        if let Some(fixed) = fixed.flatten() {
            self.kind = fixed[0].0;
            for (slot, column) in self.elements[..3].iter_mut().enumerate() {
                *column = fixed.iter().map(|(_, parameters)| parameters[slot]).collect();
            }
        } else {
            self.elements[3] = cost.iter().map(|&cost| price.cost(cost)).collect();
            self.elements[5] = numbers;
        }
    }
}

/// The rule of one row of breaks and one of prices, each with its number.
fn read_tiers((at, breaks): (usize, &[f64]), (row, prices): (usize, &[f64])) -> Result<Rule> {
    if prices.len() != breaks.len() + 1 {
        let (expected, actual) = (breaks.len() + 1, prices.len());
        return Err(Error::LengthMismatch { field: format!("prices[{row}]"), expected, actual });
    }
    let inside = |field: &str, row: usize, values: &[f64]| {
        let Some(at) = values.iter().position(|&value| !Domain::Positive.contains(value)) else {
            return Ok(());
        };
        let (field, value) = (format!("{field}[{row}][{at}]"), values[at]);
        if value.is_finite() {
            Err(Error::out_of_domain(field, Domain::Positive.words(), value))
        } else {
            Err(Error::NotFinite { field, value })
        }
    };
    inside("spend_breaks", at, breaks)?;
    inside("prices", row, prices)?;
    if let Some(next) = (1..breaks.len()).find(|&next| breaks[next] <= breaks[next - 1]) {
        let field = format!("spend_breaks[{at}][{next}]");
        return Err(Error::out_of_domain(field, "above the break before it", breaks[next]));
    }
    if let Some(next) = (1..prices.len()).find(|&next| prices[next] < prices[next - 1]) {
        let field = format!("prices[{row}][{next}]");
        return Err(Error::out_of_domain(field, "at least the price before it", prices[next]));
    }
    let numbers = Tiers::numbers(breaks, prices);
    let none = numbers.len() == 1 && numbers[0] >= 1.0 && numbers[0] <= 1.0;
    Ok(if none { Rule::Fixed } else { Rule::Tiers(numbers.into()) })
}
