//! Curves draw by draw, and with other weights on their draws than one for all.

use std::sync::Arc;

use super::arm::Form;
use super::column::Column;
use super::kind::{Kind, with_shape};
use super::mixture::Mixture;
use super::price::Price;
use super::shape::Shape;
use super::table::Table;
use super::{Families, Family, ResponseCurves, Set};
use crate::error::{Error, Result};

/// What is asked of every draw of an arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Value,
    /// To the right of x, where the two sides differ.
    Slope,
    Curvature,
}

impl Mixture {
    /// F, F′ or F″ of every draw at x, without what an offset takes off.
    fn each_draw(&self, order: Order, x: f64, out: &mut [f64]) {
        let price = self.price();
        let w = price.worth(x);
        with_shape!(self.kind, S => {
            for (draw, sum) in out.iter_mut().enumerate() {
                let of = |term: fn(S, f64, f64) -> f64| -> f64 {
                    let terms = draw * self.terms..(draw + 1) * self.terms;
                    terms.map(|at| {
                        let (shape, cost, offset) = self.element::<S>(at);
                        term(shape, w / cost + offset, cost)
                    }).sum()
                };
                let slope = || of(|shape, u, cost| shape.slope(u) / cost);
                let curvature = || of(|shape, u, cost| shape.curvature(u) / cost / cost);
                *sum = match order {
                    Order::Value => of(|shape, u, _| shape.value(u)),
                    Order::Slope if price == Price::Fixed => slope(),
                    Order::Slope => price.slope(x, slope()),
                    Order::Curvature if price == Price::Fixed => curvature(),
                    Order::Curvature => price.curvature(x, slope(), curvature()),
                };
            }
        });
    }

    /// Σ_s w_s h_s: every family is linear in its size, so that a weight is a factor on it. Draws without weight are left out.
    fn reweighed(&self, weights: &[f64]) -> Self {
        let kept: Vec<usize> = (0..self.draws).filter(|&draw| weights[draw] > 0.0).collect();
        #[allow(clippy::cast_precision_loss, reason = "a count")]
        let count = kept.len() as f64;
        let pick = |slot: usize| -> Vec<f64> {
            let terms = |draw: usize| draw * self.terms..(draw + 1) * self.terms;
            let scaled = |draw: usize, at: usize| {
                let value = self.elements[slot][at];
                match (slot, self.kind) {
                    (0, _) => value * (weights[draw] * count),
                    // b tanh(u/(b c)): the product b c must stay.
                    (1, Kind::Tanh) => value / (weights[draw] * count),
                    _ => value,
                }
            };
            kept.iter().flat_map(|&draw| terms(draw).map(move |at| scaled(draw, at))).collect()
        };
        let elements = [pick(0), pick(1), pick(2), pick(3), pick(4), self.elements[5].clone()];
        Self { kind: self.kind, draws: kept.len(), terms: self.terms, elements }
    }
}

impl Set {
    /// f_s(x), f_s′(x) or f_s″(x) of an arm in every draw; one number for all where the arm has no draws.
    pub(crate) fn each_draw(&self, i: usize, order: Order, x: f64, out: &mut [f64]) {
        let arm = self.arm(i);
        if !(arm.value > 0.0) {
            return out.fill(0.0);
        }
        let start = |out: &mut [f64], at_zero: &dyn Fn(&mut [f64])| {
            if order == Order::Value && self.keeps_offset.at(i) <= 0.0 {
                let mut baseline = vec![0.0; out.len()];
                at_zero(&mut baseline);
                out.iter_mut().zip(baseline).for_each(|(value, baseline)| *value -= baseline);
            }
        };
        match arm.form {
            Form::Mixture(mixture) if mixture.draws > 1 => {
                mixture.each_draw(order, x, out);
                let offset = match self.table(i) {
                    Some(table) => table.offset > 0.0 && table.domain().0 <= 0.0,
                    None => mixture.elements[4].iter().any(|&offset| offset > 0.0),
                };
                if offset {
                    start(out, &|baseline| mixture.each_draw(Order::Value, 0.0, baseline));
                }
            }
            Form::Table(table) if table.draws.len() > 1 => {
                for (draw, value) in out.iter_mut().enumerate() {
                    *value = match order {
                        Order::Value => table.draw_value(draw, x),
                        Order::Slope => Table { mean: table.draws[draw].clone(), ..table.bare() }.slope(x),
                        Order::Curvature => 0.0,
                    };
                }
                if table.offset > 0.0 && table.domain().0 <= 0.0 {
                    let at_zero = |baseline: &mut [f64]| {
                        baseline
                            .iter_mut()
                            .enumerate()
                            .for_each(|(draw, at)| *at = table.draw_value(draw, 0.0));
                    };
                    start(out, &at_zero);
                }
            }
            _ => {
                return out.fill(match order {
                    Order::Value => arm.response(x),
                    Order::Slope => arm.slope(x),
                    Order::Curvature => arm.curvature(x),
                });
            }
        }
        out.iter_mut().for_each(|value| *value *= arm.value);
    }
}

impl Table {
    /// The points without the responses.
    fn bare(&self) -> Self {
        let (draws, mean) = (Vec::new(), Vec::new());
        Self { spend: self.spend.clone(), draws, mean, cost: self.cost, offset: self.offset, rising: None }
    }
}

impl ResponseCurves {
    /// Σ_s w_s f_s for weights w ≥ 0 that add up to 1.
    pub(crate) fn reweighed(&self, weights: &[f64]) -> Self {
        let even = weights.windows(2).all(|pair| pair[0].to_bits() == pair[1].to_bits());
        if even {
            return self.clone();
        }
        let mut set = (*self.set).clone();
        for mixture in set.mixtures.iter_mut().filter(|mixture| mixture.draws > 1) {
            *mixture = mixture.reweighed(weights);
        }
        for table in set.tables.iter_mut().filter(|table| table.draws.len() > 1) {
            let mean = (0..table.spend.len())
                .map(|at| table.draws.iter().zip(weights).map(|(row, weight)| weight * row[at]).sum())
                .collect::<Vec<f64>>();
            (table.draws, table.mean) = (vec![mean.clone()], mean);
            table.rising = table.rising.as_ref().map(|rising| Box::new(rising.reweighed(weights)));
        }
        set.settle_baseline();
        Self { set: Arc::new(set) }
    }

    /// The curves of one draw; arms without draws stay as they are.
    ///
    /// # Errors
    /// [`Error::OutOfDomain`] unless `draw < draws()`.
    ///
    /// # Examples
    /// ```
    /// use adflow_core::{Parameter, ResponseCurves};
    ///
    /// let curves = ResponseCurves::michaelis_menten(Parameter::draws(2, 1, [10.0, 30.0])?, 1.0)?;
    /// assert_eq!(curves.response(&[1.0])?, [10.0]);
    /// assert_eq!(curves.draw(1)?.response(&[1.0])?, [15.0]);
    /// # Ok::<(), adflow_core::Error>(())
    /// ```
    pub fn draw(&self, draw: usize) -> Result<Self> {
        if draw >= self.draws() {
            return Err(Error::out_of_domain("draw", format!("below {}", self.draws()), draw));
        }
        if self.set.prices.is_some() {
            return self.before_prices().draw(draw)?.with_rules(self.rules());
        }
        let set = &*self.set;
        let n = set.arms;
        let mut families = Vec::with_capacity(n);
        let (mut mixtures, mut tables) = (Vec::new(), Vec::new());
        let mut columns: [Vec<f64>; 5] =
            [&set.parameters[0], &set.parameters[1], &set.parameters[2], &set.cost, &set.offset]
                .map(|column| (0..n).map(|i| column.at(i)).collect());
        for i in 0..n {
            families.push(match set.arm(i).form {
                Form::Shape(kind, _) => Family::Shape(kind),
                Form::Mixture(mixture) => {
                    let own = if mixture.draws > 1 { draw } else { 0 };
                    let terms = own * mixture.terms..(own + 1) * mixture.terms;
                    if mixture.terms == 1 {
                        columns
                            .iter_mut()
                            .zip(&mixture.elements)
                            .for_each(|(column, values)| column[i] = values[own]);
                        Family::Shape(mixture.kind)
                    } else {
                        // Without a rising price there are no numbers of one.
                        let own = |values: &Vec<f64>| values.get(terms.clone()).unwrap_or_default().to_vec();
                        let elements = mixture.elements.each_ref().map(own);
                        mixtures.push(Mixture { draws: 1, elements, ..*mixture });
                        Family::Mixture(super::build::index(mixtures.len() - 1))
                    }
                }
                Form::Table(table) => {
                    let row = table.draws[if table.draws.len() > 1 { draw } else { 0 }].clone();
                    tables.push(Table { draws: vec![row.clone()], mean: row, ..table.bare() });
                    Family::Table(super::build::index(tables.len() - 1))
                }
            });
        }
        let families = match families[0] {
            Family::Shape(kind) if families.iter().all(|family| *family == families[0]) => {
                Families::All(kind)
            }
            _ => Families::Each(families),
        };
        let [a, b, c, cost, offset] = columns.map(Column::Each);
        let mut one =
            Set { families, parameters: [a, b, c], cost, offset, mixtures, tables, ..set.slice(0..n) };
        one.settle_baseline();
        Ok(Self { set: Arc::new(one) })
    }
}
