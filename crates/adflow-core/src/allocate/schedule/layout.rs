//! A checked schedule in matrices: what every spend does to the adstocked spends and to the limits.

use super::Schedule;
use super::grid::Grid;
use crate::curve::arm::Arm;
use crate::curve::carry_over::Kernel;
use crate::curve::column::Column;
use crate::error::{Error, Result};

/// Longest window: far beyond any plan, and no accident with memory.
const MOST_PERIODS: usize = 10_000;
/// Most entries of all arms' matrices together.
const MOST_ENTRIES: usize = 40_000_000;

/// What a row limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// Σ_it x_it.
    Budget,
    /// Σ_i x_it.
    Period(usize),
    /// Σ_t x_it.
    Arm(usize),
}

/// lower ≤ Σ coefficient · x ≤ upper.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row {
    pub(crate) of: Of,
    pub(crate) lower: f64,
    pub(crate) upper: f64,
}

/// One arm: its variables (the spends of the periods, or the one spend of all periods) and its cells (the adstocked spends
/// of the window and the tail), a = M x + c.
#[derive(Debug, Clone)]
pub(crate) struct Block<'a> {
    pub(crate) arm: Arm<'a>,
    pub(crate) value: f64,
    /// M, row by row.
    pub(crate) matrix: Vec<f64>,
    /// Per row of M, the columns outside which it is 0.
    pub(crate) spans: Vec<(usize, usize)>,
    /// c: what the spends before the window leave.
    pub(crate) carried: Vec<f64>,
    pub(crate) low: Vec<f64>,
    pub(crate) high: Vec<f64>,
    /// Smallest spend above 0; 0 for none.
    pub(crate) active: Vec<f64>,
    /// In how many periods a variable is spent: 1, or all.
    pub(crate) periods: f64,
    /// Per variable: (row, coefficient).
    pub(crate) terms: Vec<Vec<(usize, f64)>>,
}

/// All of a schedule.
#[derive(Debug, Clone)]
pub(crate) struct Layout<'a> {
    pub(crate) blocks: Vec<Block<'a>>,
    pub(crate) rows: Vec<Row>,
    /// Periods of the window and the tail.
    pub(crate) horizon: usize,
    /// +∞ where there is none.
    pub(crate) budget: f64,
}

/// The spends that a case allows, per block and variable.
pub(crate) type Bounds = Vec<(Vec<f64>, Vec<f64>)>;

impl Block<'_> {
    pub(crate) fn variables(&self) -> usize {
        self.low.len()
    }

    pub(crate) fn row(&self, cell: usize) -> &[f64] {
        let k = self.variables();
        &self.matrix[cell * k..(cell + 1) * k]
    }

    /// a of a cell.
    pub(crate) fn adstocked(&self, cell: usize, x: &[f64]) -> f64 {
        let (first, end) = self.spans[cell];
        let row = &self.row(cell)[first..end];
        self.carried[cell] + row.iter().zip(&x[first..end]).map(|(m, x)| m * x).sum::<f64>()
    }

    /// The adstocked spends that a cell reaches with spends in [low, high] and no more than `spare` above all lower bounds.
    pub(crate) fn reach(&self, cell: usize, low: &[f64], high: &[f64], spare: f64) -> (f64, f64) {
        let (first, end) = self.spans[cell];
        let row = self.row(cell);
        let mut least = self.carried[cell];
        let mut order: Vec<usize> = (first..end).filter(|&k| row[k] > 0.0).collect();
        order.iter().for_each(|&k| least += row[k] * low[k]);
        let mut most = self.carried[cell];
        order.iter().for_each(|&k| most += row[k] * high[k]);
        // The money goes where it counts most.
        order.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
        let mut room = spare / self.periods;
        let mut within = least;
        for k in order {
            let more = (high[k] - low[k]).min(room.max(0.0));
            within += row[k] * more;
            room -= more;
        }
        (least, most.min(within).max(least))
    }
}

impl<'a> Layout<'a> {
    pub(crate) fn new(schedule: &'a Schedule) -> Result<Self> {
        let kernels = schedule.check()?;
        let (n, periods) = (schedule.curves.len(), schedule.periods);
        let tail = if schedule.tail {
            kernels.iter().map(|kernel| kernel.weights.len() - 1).max().unwrap_or(0)
        } else {
            0
        };
        let horizon = periods + tail;
        let width = if schedule.constant { 1 } else { periods };
        let entries = n.saturating_mul(horizon).saturating_mul(width);
        if entries > MOST_ENTRIES {
            let expected =
                format!("such that arms x periods x (periods and tail) are at most {MOST_ENTRIES}");
            return Err(Error::out_of_domain("periods", expected, periods));
        }
        let budget = schedule.budget.unwrap_or(f64::INFINITY);
        let mut rows = Vec::new();
        if let Some(budget) = schedule.budget {
            let lower = if schedule.spend_all { budget } else { 0.0 };
            rows.push(Row { of: Of::Budget, lower, upper: budget });
        }
        let mut period_rows = vec![None; periods];
        for (t, place) in period_rows.iter_mut().enumerate() {
            let (lower, upper) = (schedule.period_lower.at(t), schedule.period_upper.at(t));
            if lower > 0.0 || upper.is_finite() {
                *place = Some(rows.len());
                rows.push(Row { of: Of::Period(t), lower, upper });
            }
        }
        let mut blocks = Vec::with_capacity(n);
        for (i, kernel) in kernels.iter().enumerate() {
            let (lower, upper) = (schedule.arm_lower.at(i), schedule.arm_upper.at(i));
            let own = (lower > 0.0 || upper.is_finite()).then(|| {
                rows.push(Row { of: Of::Arm(i), lower, upper });
                rows.len() - 1
            });
            let terms_of = |t: usize| {
                let budget = schedule.budget.map(|_| (0, 1.0));
                let period = period_rows[t].map(|row| (row, 1.0));
                [budget, period, own.map(|row| (row, 1.0))].into_iter().flatten().collect::<Vec<_>>()
            };
            let mut block = schedule.block(i, kernel, horizon);
            block.terms = (0..periods).map(terms_of).collect();
            if schedule.constant {
                block.merge();
            }
            blocks.push(block);
        }
        let mut layout = Self { blocks, rows, horizon, budget };
        layout.cap(schedule)?;
        layout.check_tables()?;
        Ok(layout)
    }

    /// Tables must reach as far as what is spent at least adds up to.
    fn check_tables(&self) -> Result<()> {
        for (i, block) in self.blocks.iter().enumerate() {
            let end = block.arm.domain().1;
            let least = |cell: usize| block.adstocked(cell, &block.low);
            let over =
                (0..self.horizon).map(least).find(|least| end.is_finite() && *least > end * (1.0 + 1e-12));
            if let Some(least) = over {
                let expected = format!("a curve that is known up to {least}, the least adstocked spend");
                return Err(Error::out_of_domain(
                    format!("curves[{i}]"),
                    expected,
                    format!("one up to {end}"),
                ));
            }
        }
        Ok(())
    }

    /// Bounds every spend by what the rows leave it.
    fn cap(&mut self, schedule: &Schedule) -> Result<()> {
        let lows: f64 = self.total_low(&self.whole());
        for (i, block) in self.blocks.iter_mut().enumerate() {
            for k in 0..block.low.len() {
                let room = (self.budget - lows).max(0.0) / block.periods;
                let mut most = block.high[k].min(block.low[k] + room);
                for &(row, coefficient) in &block.terms[k] {
                    most = most.min((self.rows[row].upper / coefficient).max(block.low[k]));
                }
                if !most.is_finite() {
                    let expected = "finite where neither a budget nor another limit bounds the spend";
                    let field = schedule.upper.name("upper", k, i);
                    return Err(Error::out_of_domain(field, expected, f64::INFINITY));
                }
                block.high[k] = most;
                if block.low[k] <= 0.0 && block.active[k] > most {
                    // The limits leave less than the minimum: nothing.
                    block.high[k] = 0.0;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn whole(&self) -> Bounds {
        self.blocks.iter().map(|block| (block.low.clone(), block.high.clone())).collect()
    }

    /// Σ of the lower bounds (money).
    pub(crate) fn total_low(&self, bounds: &Bounds) -> f64 {
        self.blocks.iter().zip(bounds).map(|(block, (low, _))| block.periods * low.iter().sum::<f64>()).sum()
    }

    /// What is left of the budget above the lower bounds.
    pub(crate) fn spare(&self, bounds: &Bounds) -> f64 {
        (self.budget - self.total_low(bounds)).max(0.0)
    }

    /// Σ v f(a).
    pub(crate) fn value(&self, x: &[Vec<f64>]) -> f64 {
        let of = |(block, x): (&Block<'_>, &Vec<f64>)| {
            (0..self.horizon).map(|cell| block.worth(block.adstocked(cell, x))).sum::<f64>()
        };
        self.blocks.iter().zip(x).map(of).sum()
    }

    /// The left sides of the rows.
    pub(crate) fn sums(&self, x: &[Vec<f64>]) -> Vec<f64> {
        let mut sums = vec![0.0; self.rows.len()];
        for (block, x) in self.blocks.iter().zip(x) {
            for (terms, x) in block.terms.iter().zip(x) {
                terms.iter().for_each(|&(row, coefficient)| sums[row] += coefficient * x);
            }
        }
        sums
    }
}

impl Block<'_> {
    /// v f(a).
    pub(crate) fn worth(&self, a: f64) -> f64 {
        if self.value > 0.0 { self.value * self.arm.response(a) } else { 0.0 }
    }

    /// Makes the spends of all periods one.
    fn merge(&mut self) {
        let k = self.low.len();
        let height = self.carried.len();
        self.matrix = (0..height).map(|cell| self.matrix[cell * k..(cell + 1) * k].iter().sum()).collect();
        self.spans = vec![(0, 1); height];
        self.low = vec![self.low.iter().copied().fold(0.0, f64::max)];
        self.high = vec![self.high.iter().copied().fold(f64::INFINITY, f64::min)];
        self.active = vec![self.active.iter().copied().fold(0.0, f64::max)];
        #[allow(clippy::cast_precision_loss, reason = "a count of periods")]
        let periods = k as f64;
        self.periods = periods;
        let mut all: std::collections::BTreeMap<usize, f64> = std::collections::BTreeMap::new();
        self.terms
            .iter()
            .flatten()
            .for_each(|&(row, coefficient)| *all.entry(row).or_insert(0.0) += coefficient);
        self.terms = vec![all.into_iter().collect()];
    }
}

impl Schedule {
    /// Arm i without its rows.
    fn block(&self, i: usize, kernel: &Kernel, horizon: usize) -> Block<'_> {
        let periods = self.periods;
        let mut matrix = vec![0.0; horizon * periods];
        let mut spans = Vec::with_capacity(horizon);
        let mut carried = vec![0.0; horizon];
        let past = self.carry_in.len();
        for t in 0..horizon {
            let row = &mut matrix[t * periods..(t + 1) * periods];
            let last = t.min(periods - 1);
            (0..=last).for_each(|s| row[s] = kernel.at(t - s));
            let first = row.iter().position(|weight| *weight > 0.0).unwrap_or(last + 1);
            spans.push((first, last + 1));
            for (back, spends) in self.carry_in.iter().rev().enumerate().take(past) {
                carried[t] += kernel.at(t + back + 1) * spends[i];
            }
        }
        let mut low: Vec<f64> = (0..periods).map(|t| self.lower.at(t, i)).collect();
        let high: Vec<f64> = (0..periods).map(|t| self.upper.at(t, i)).collect();
        let active: Vec<f64> = (0..periods).map(|t| self.active_lower.at(t, i)).collect();
        // What must spend at all spends at least its minimum.
        low.iter_mut()
            .zip(&active)
            .for_each(|(low, active)| *low = if *low > 0.0 { low.max(*active) } else { 0.0 });
        Block {
            arm: self.curves.set.arm(i),
            value: self.value.at(i),
            matrix,
            spans,
            carried,
            low,
            high,
            active,
            periods: 1.0,
            terms: Vec::new(),
        }
    }

    /// Checks every number; gives the arms' kernels.
    pub(crate) fn check(&self) -> Result<Vec<Kernel>> {
        let (n, periods) = (self.curves.len(), self.periods);
        if !(1..=MOST_PERIODS).contains(&periods) {
            return Err(Error::out_of_domain("periods", format!("from 1 to {MOST_PERIODS}"), periods));
        }
        let kernels = self.adstock.kernels(n, periods)?;
        if let Some(budget) = self.budget {
            number("budget".into(), budget, false)?;
        } else if self.spend_all {
            return Err(Error::out_of_domain("spend_all", "false where there is no budget", true));
        }
        for (row, spends) in self.carry_in.iter().enumerate() {
            length(&format!("carry_in[{row}]"), n, spends.len())?;
            for (i, &x) in spends.iter().enumerate() {
                number(format!("carry_in[{row}][{i}]"), x, false)?;
            }
        }
        if self.carry_in.len() > MOST_PERIODS {
            return Err(Error::out_of_domain(
                "carry_in",
                format!("at most {MOST_PERIODS} periods"),
                self.carry_in.len(),
            ));
        }
        for (field, column, expected, infinite) in [
            ("period_lower", &self.period_lower, periods, false),
            ("period_upper", &self.period_upper, periods, true),
            ("arm_lower", &self.arm_lower, n, false),
            ("arm_upper", &self.arm_upper, n, true),
            ("value", &self.value, n, false),
        ] {
            each(field, column, expected, infinite)?;
        }
        for (field, grid, infinite) in [
            ("lower", &self.lower, false),
            ("upper", &self.upper, true),
            ("active_lower", &self.active_lower, false),
        ] {
            match grid {
                Grid::Arms(column) => each(field, column, n, infinite)?,
                Grid::Rows(rows) => {
                    length(field, periods, rows.len())?;
                    for (t, row) in rows.iter().enumerate() {
                        length(&format!("{field}[{t}]"), n, row.len())?;
                        for (i, &x) in row.iter().enumerate() {
                            number(grid.name(field, t, i), x, infinite)?;
                        }
                    }
                }
            }
        }
        if !(1e-15..1.0).contains(&self.tolerance) {
            return Err(Error::out_of_domain("tolerance", "from 1e-15 to below 1", self.tolerance));
        }
        if let Some(limit) = self.time_limit.filter(|limit| !(*limit >= 0.0)) {
            return Err(Error::out_of_domain("time_limit", "at least 0 seconds", limit));
        }
        self.check_bounds()?;
        Ok(kernels)
    }

    fn check_bounds(&self) -> Result<()> {
        for t in 0..self.periods {
            let (lower, upper) = (self.period_lower.at(t), self.period_upper.at(t));
            if lower > upper {
                return Err(Error::LowerAboveUpper { arm: format!("period {t}"), lower, upper });
            }
        }
        for i in 0..self.curves.len() {
            let label = self.curves.set.label(i);
            let (lower, upper) = (self.arm_lower.at(i), self.arm_upper.at(i));
            if lower > upper {
                return Err(Error::LowerAboveUpper { arm: format!("{label}, all periods"), lower, upper });
            }
            let (from, to) = self.curves.set.arm(i).domain();
            if from > 0.0 {
                let expected = "a table from no spend on, because adstocked spends fall to 0";
                return Err(Error::out_of_domain(
                    format!("curves[{i}]"),
                    expected,
                    format!("{from} to {to}"),
                ));
            }
            for t in 0..self.periods {
                let (lower, upper) = (self.lower.at(t, i), self.upper.at(t, i));
                let lower = if lower > 0.0 { lower.max(self.active_lower.at(t, i)) } else { lower };
                if lower > upper {
                    return Err(Error::LowerAboveUpper {
                        arm: format!("{label} in period {t}"),
                        lower,
                        upper,
                    });
                }
            }
        }
        Ok(())
    }
}

fn length(field: &str, expected: usize, actual: usize) -> Result<()> {
    if actual == expected {
        return Ok(());
    }
    Err(Error::LengthMismatch { field: field.into(), expected, actual })
}

fn number(field: String, value: f64, infinite: bool) -> Result<()> {
    if (0.0..=1e60).contains(&value) || infinite && value.is_infinite() && value > 0.0 {
        Ok(())
    } else if value.is_finite() {
        Err(Error::out_of_domain(field, "from 0 to 1e60", value))
    } else {
        Err(Error::NotFinite { field, value })
    }
}

fn each(field: &str, column: &Column, expected: usize, infinite: bool) -> Result<()> {
    match column {
        Column::Same(value) => number(field.into(), *value, infinite),
        Column::Each(values) => {
            length(field, expected, values.len())?;
            values
                .iter()
                .enumerate()
                .try_for_each(|(at, &value)| number(format!("{field}[{at}]"), value, infinite))
        }
    }
}
