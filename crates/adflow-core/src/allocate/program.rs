//! A problem with limits on several arms at once, as the search for its best plan sees it.
//!
//! ```text
//! maximise   Σ_i o v_i f_i(x_i) − s_i(x_i)      s_i: linear on every stretch of the arm
//! subject to rows over Σ x, Σ v f, Σ f and the numbers of active and moved arms,   x_i on one of its stretches
//! ```
//!
//! With a multiplier y_r per row the arms part, and
//!
//! ```text
//! φ(y) = Σ_r y_r b_r + Σ_i max_x [ w_i f_i(x) − p_i x − (costs and counts of the stretch) ]
//! ```
//!
//! bounds every plan from above.

use super::coupled::Stand;
use super::rows::Row;
use super::stretches::Stretch;

/// One arm, or (without a curve) money that brings nothing by itself.
#[derive(Debug, Clone)]
pub(crate) struct Place<'a> {
    /// v: what a unit of response is worth.
    pub(crate) value: f64,
    /// In order; never empty.
    pub(crate) stretches: Vec<Stretch<'a>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Program<'a> {
    pub(crate) places: Vec<Place<'a>>,
    pub(crate) rows: Vec<Row>,
    /// o: 1 where the objective counts the value of the response, else 0.
    pub(crate) counts_value: f64,
}

/// What of a place's stretches a case allows: from `at_least` on stretch `first` to `at_most` on stretch `last`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Range {
    pub(crate) first: usize,
    pub(crate) last: usize,
    pub(crate) at_least: f64,
    pub(crate) at_most: f64,
}

impl Range {
    /// The interval that is left of a stretch.
    pub(crate) fn on(&self, stretch: usize) -> (f64, f64) {
        let from = if stretch == self.first { self.at_least } else { f64::NEG_INFINITY };
        let to = if stretch == self.last { self.at_most } else { f64::INFINITY };
        (from, to)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first > self.last || self.first == self.last && self.at_least > self.at_most
    }
}

/// What a price vector asks of one place.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Prices {
    /// w: weight of a unit of response.
    pub(crate) weight: f64,
    /// p: price of a unit of money, beside the rate of the stretch.
    pub(crate) spend: f64,
    /// Price of being active.
    pub(crate) active: f64,
    /// Price of being moved.
    pub(crate) moved: f64,
    /// 1, or 0 where only the rows count and not the objective.
    pub(crate) objective: f64,
}

/// The best a place can do at its prices.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choice {
    pub(crate) stretch: usize,
    pub(crate) worth: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl<'a> Program<'a> {
    /// All that the stretches allow.
    pub(crate) fn whole(&self) -> Vec<Range> {
        let all = |place: &Place<'_>| Range {
            first: 0,
            last: place.stretches.len() - 1,
            at_least: f64::NEG_INFINITY,
            at_most: f64::INFINITY,
        };
        self.places.iter().map(all).collect()
    }

    /// The prices of every place at the multipliers y.
    pub(crate) fn prices(&self, multipliers: &[f64], objective: f64) -> Vec<Prices> {
        let (mut everyone, mut value, mut response, mut active, mut moved) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (row, y) in self.rows.iter().zip(multipliers) {
            everyone += y * row.everyone;
            value += y * row.value;
            response += y * row.response;
            active += y * row.active;
            moved += y * row.moved;
        }
        let at = |place: &Place<'_>| Prices {
            weight: (place.value * (objective * self.counts_value - value) - response).max(0.0),
            spend: everyone,
            active,
            moved,
            objective,
        };
        let mut prices: Vec<Prices> = self.places.iter().map(at).collect();
        for (row, y) in self.rows.iter().zip(multipliers) {
            row.terms.iter().for_each(|&(place, coefficient)| prices[place].spend += y * coefficient);
        }
        prices
    }

    /// The best choice of a place at its prices.
    pub(crate) fn choose(stretches: &[(usize, Stretch<'a>)], prices: &Prices) -> Choice {
        let mut choice = Choice { stretch: 0, worth: f64::NEG_INFINITY, low: 0.0, high: 0.0 };
        for (at, stretch) in stretches {
            let best = stretch.best(prices.weight, prices.spend + prices.objective * stretch.rate);
            let mut worth = best.worth - prices.objective * stretch.fixed;
            if stretch.active {
                worth -= prices.active;
            }
            if stretch.moved {
                worth -= prices.moved;
            }
            if worth > choice.worth {
                choice = Choice { stretch: *at, worth, low: best.low, high: best.high };
            }
        }
        choice
    }

    /// Σ_r y_r b_r.
    pub(crate) fn paid(&self, multipliers: &[f64]) -> f64 {
        self.rows.iter().zip(multipliers).map(|(row, y)| if *y == 0.0 { 0.0 } else { y * row.bound }).sum()
    }

    /// Whether a plan keeps all rows, to `rounding` of what each row adds up.
    pub(crate) fn keeps(&self, stands: &[Stand], rounding: f64) -> bool {
        self.rows.iter().all(|row| {
            let (sum, size) = self.sum(row, stands);
            let over = sum - row.bound;
            let allowed = rounding * size.max(row.bound.abs());
            over <= allowed && (!row.equal || over >= -allowed)
        })
    }

    /// An objective below this is compared with it: a thousandth of what a plan's objective adds up, and a millionth of what
    /// it could.
    ///
    /// Where costs cancel the response the objective is near 0, and no sum is exact to more than its digits.
    pub(crate) fn tiny(&self, stands: Option<&[Stand]>) -> f64 {
        let size = |place: &Place<'_>, stretch: &Stretch<'_>, x: f64| {
            let brought = self.counts_value * place.value * stretch.response(x);
            brought.abs() + (stretch.rate * x).abs() + stretch.fixed.abs()
        };
        let most = |place: &Place<'_>| {
            place.stretches.iter().map(|stretch| size(place, stretch, stretch.to)).fold(0.0, f64::max)
        };
        let could: f64 = self.places.iter().map(most).sum();
        let places = self.places.iter().zip(stands.unwrap_or_default());
        let does: f64 =
            places.map(|(place, stand)| size(place, &place.stretches[stand.stretch], stand.x)).sum();
        (1e-3 * does).max(1e-6 * could).max(f64::MIN_POSITIVE)
    }

    /// Σ objective.
    pub(crate) fn value(&self, stands: &[Stand]) -> f64 {
        stands.iter().enumerate().map(|(place, stand)| self.objective(place, stand.stretch, stand.x)).sum()
    }

    /// Moves spends inside their stretches by the little that rounding has left over or short of a row: projections on one
    /// row after the other (S. Kaczmarz, 1937).
    pub(crate) fn mend(&self, stands: &mut [Stand]) {
        for _ in 0..100 {
            let mut moved = false;
            for row in &self.rows {
                let (sum, size) = self.sum(row, stands);
                let over = sum - row.bound;
                if over.abs() <= 1e-14 * size.max(row.bound.abs()) || over < 0.0 && !row.equal {
                    continue;
                }
                let slopes = self.slopes(row, stands, over > 0.0);
                let square: f64 = slopes.iter().map(|slope| slope.1 * slope.1).sum();
                // A little more than needed: rows next to each other then end inside both.
                let step = over * if row.equal { 1.0 } else { 1.0 + 1e-3 } / square;
                if !step.is_finite() {
                    continue;
                }
                moved = true;
                for (place, slope) in slopes {
                    let stretch = &self.places[place].stretches[stands[place].stretch];
                    stands[place].x = (stands[place].x - step * slope).clamp(stretch.from, stretch.to);
                }
            }
            if !moved {
                break;
            }
        }
    }

    /// Moves spends that lie next to an end of their stretch onto it.
    pub(crate) fn snap(&self, stands: &mut [Stand]) {
        for (place, stand) in self.places.iter().zip(stands) {
            let stretch = &place.stretches[stand.stretch];
            let near = 1e-6 * (stretch.to - stretch.from);
            if stand.x - stretch.from <= near {
                stand.x = stretch.from;
            } else if stretch.to - stand.x <= near {
                stand.x = stretch.to;
            }
        }
    }

    /// How a row moves with each spend that is free to move against the excess.
    fn slopes(&self, row: &Row, stands: &[Stand], over: bool) -> Vec<(usize, f64)> {
        let mut slopes = vec![row.everyone; self.places.len()];
        row.terms.iter().for_each(|&(place, coefficient)| slopes[place] += coefficient);
        let free = |(place, mut slope): (usize, f64)| {
            let stand = stands[place];
            let stretch = &self.places[place].stretches[stand.stretch];
            if row.value != 0.0 || row.response != 0.0 {
                slope += (row.value * self.places[place].value + row.response) * stretch.slope(stand.x);
            }
            let down = (slope > 0.0) == over;
            let room = if down { stand.x > stretch.from } else { stand.x < stretch.to };
            (room && slope != 0.0 && slope.is_finite() && stretch.step <= 0.0).then_some((place, slope))
        };
        slopes.into_iter().enumerate().filter_map(free).collect()
    }

    /// The left side of a row, and the size of what was added up.
    pub(crate) fn sum(&self, row: &Row, stands: &[Stand]) -> (f64, f64) {
        let (mut sum, mut size) = (0.0, 0.0_f64);
        let mut add = |amount: f64| {
            sum += amount;
            size = size.max(amount.abs());
        };
        row.terms.iter().for_each(|&(place, coefficient)| add(coefficient * stands[place].x));
        for (place, stand) in self.places.iter().zip(stands) {
            let stretch = &place.stretches[stand.stretch];
            if row.everyone != 0.0 {
                add(row.everyone * stand.x);
            }
            if row.value != 0.0 || row.response != 0.0 {
                add((row.value * place.value + row.response) * stretch.response(stand.x));
            }
            add(if stretch.active { row.active } else { 0.0 });
            add(if stretch.moved { row.moved } else { 0.0 });
        }
        (sum, size)
    }

    /// The objective of a place that spends x on a stretch.
    pub(crate) fn objective(&self, place: usize, stretch: usize, x: f64) -> f64 {
        let place = &self.places[place];
        let stretch = &place.stretches[stretch];
        let value = if self.counts_value > 0.0 && place.value > 0.0 {
            place.value * stretch.response(x)
        } else {
            0.0
        };
        value - stretch.rate * x - stretch.fixed
    }
}
