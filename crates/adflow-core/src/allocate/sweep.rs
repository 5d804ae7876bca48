//! One budget row over many budgets: the price falls as the budget rises, and what one budget found out serves the next.
//!
//! **Concave arms.** At the price λ the arms want Σx(λ), and the pass that adds it up also says how it moves. In λ^{−1/2} as a
//! function of the budget (straight for Michaelis-Menten curves) the cubic through two neighbours with their slopes gives
//! the price between them, so nearly every budget takes one pass, which writes spends and responses in place, and one
//! that puts the sum on the budget. Budgets are solved from the outside in: every one lies between two that are solved.
//! Those of one round do not depend on each other and may run on several threads.
//!
//! **Arms that jump.** From the largest budget down: where the jumps lie is found once and again only where a budget ends an arm
//! inside its jump; the search starts from the prices before; what the root leaves open is closed by a
//! [`Split`].

use super::branch::{self, Found};
use super::checked::Checked;
use super::demand::{Demand, Workspace, Worth};
use super::kernel::{self, Broadcast, Rows};
use super::plan::gap;
use super::price::{LEAST, SMALL_STEP, Totals};
use super::proof::Proof;
use super::relax::{Relaxation, relax_from};
use super::split::{Arcs, Split};
use crate::curve::Family;
use crate::curve::column::LANES;
use crate::curve::kind::Kind;
use crate::elementary::exp;
use crate::error::Result;

/// Budgets that one thread takes at a time, one after the other.
const TASK: usize = 16;
/// Arms times budgets below which a second thread costs more than it brings.
const WORTH_THREADS: usize = 65_536;
/// Share of the budget that the first-order correction of the spends may be off by where an arm starts to spend inside it.
const CLOSE: f64 = 1e-7;
/// Share of the budget below which a rest is rounding.
const ROUNDING: f64 = 1e-14;

/// What was found for one budget, besides the spends.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Row {
    pub(crate) price: f64,
    pub(crate) value: f64,
    pub(crate) total_spend: f64,
    pub(crate) total_response: f64,
    pub(crate) bound: f64,
    pub(crate) passes: usize,
    /// dΣx/d ln λ at the price; 0 where the arms do not move with it.
    pub(crate) rate: f64,
}

impl Row {
    fn new(price: f64, worth: Worth, bound: f64, passes: usize) -> Self {
        let Worth { value, total_response, total_spend } = worth;
        Self { price, value, total_spend, total_response, bound, passes, rate: 0.0 }
    }
}

/// One row per budget: spends and responses (k × n), and the rest.
pub(crate) struct Sweep {
    pub(crate) spend: Vec<f64>,
    pub(crate) response: Vec<f64>,
    pub(crate) rows: Vec<Row>,
    /// Where all arms are concave.
    pub(crate) sheet: Option<Sheet>,
}

/// Solves the same arms for rising budgets.
pub(crate) fn sweep(
    problems: &[Checked<'_>],
    tolerance: f64,
    threads: usize,
    stop: &dyn Fn() -> bool,
) -> Result<Sweep> {
    let Some(top) = problems.last() else {
        return Ok(Sweep { spend: Vec::new(), response: Vec::new(), rows: Vec::new(), sheet: None });
    };
    let (n, k) = (top.len(), problems.len());
    let mut sweep = Sweep {
        spend: vec![0.0; n * k],
        response: vec![0.0; n * k],
        rows: vec![Row::default(); k],
        sheet: None,
    };
    if is_concave(top) {
        from_the_outside_in(problems, &mut sweep, tolerance, threads, stop)?;
    } else {
        from_the_top_down(problems, &mut sweep, tolerance, threads, stop)?;
    }
    Ok(sweep)
}

/// Whether no arm jumps and every arm has a shape of its own.
pub(crate) fn is_concave(problem: &Checked<'_>) -> bool {
    let mut concave = true;
    problem.runs(0..problem.len(), |family, run| {
        concave &= matches!(family, Family::Shape(kind) if !problem.may_jump(kind, run));
    });
    concave
}

/// Solves one budget by itself.
fn alone(
    problem: &Checked<'_>,
    work: &mut Workspace,
    tolerance: f64,
    stop: &dyn Fn() -> bool,
    (spend, response): (&mut [f64], &mut [f64]),
) -> Result<Row> {
    let Found { shadow_price, worth, upper_bound, iterations, .. } =
        branch::best(problem, work, tolerance, 1, stop)?;
    spend.copy_from_slice(&work.spend);
    response.copy_from_slice(&work.response);
    Ok(Row::new(shadow_price, worth, upper_bound, iterations))
}

fn from_the_top_down<'a>(
    problems: &'a [Checked<'a>],
    sweep: &mut Sweep,
    tolerance: f64,
    threads: usize,
    stop: &dyn Fn() -> bool,
) -> Result<()> {
    let Some(top) = problems.last() else { return Ok(()) };
    let n = top.len();
    let mut other = Workspace::default();
    let mut work = Workspace::default();
    let mut demand = Demand::new(top, &mut work, threads);
    let mut arcs = Arcs::new(top);
    // Budget and t = λ^{−1/2} of the budgets before, the last first.
    let mut before: [Option<(f64, f64)>; 3] = [None; 3];
    for (j, problem) in problems.iter().enumerate().rev() {
        let cells = j * n..(j + 1) * n;
        let (spend, response) = (&mut sweep.spend[cells.clone()], &mut sweep.response[cells]);
        if problem.spend_all {
            // Whether a total can be spent at all is a question of its own.
            sweep.rows[j] = alone(problem, &mut other, tolerance, stop, (spend, response))?;
            continue;
        }
        demand.lower_budget(problem);
        let found = if demand.is_columns() {
            let start = extrapolate(before, problem.budget).unwrap_or_else(|| demand.first_price());
            let mut split = Split { demand: &mut demand, arcs: &mut arcs, tolerance, passes: 0 };
            split.solve(start, stop)
        } else {
            let root = relax_from(problem, &mut demand, before[0].map(|(_, t)| 1.0 / (t * t)), tolerance);
            let Relaxation { lambda, worth, bound, passes } = root;
            let found = Found {
                shadow_price: lambda,
                worth,
                upper_bound: bound,
                proof: Proof::at_price(lambda),
                iterations: passes,
            };
            (gap(worth.value, bound) <= tolerance).then_some((found, 0.0))
        };
        let Some((Found { shadow_price, worth, upper_bound, iterations, .. }, rate)) = found else {
            sweep.rows[j] = alone(problem, &mut other, tolerance, stop, (spend, response))?;
            continue;
        };
        let t = 1.0 / shadow_price.sqrt();
        if t > 0.0 && t.is_finite() {
            before = [Some((problem.budget, t)), before[0], before[1]];
        }
        let row = Row { rate, ..Row::new(shadow_price, worth, upper_bound, iterations) };
        let plan = demand.plan();
        spend.copy_from_slice(plan.0);
        response.copy_from_slice(plan.1);
        sweep.rows[j] = row;
    }
    Ok(())
}

/// The price at a budget, by the parabola or the line through those before.
fn extrapolate(before: [Option<(f64, f64)>; 3], budget: f64) -> Option<f64> {
    let (b0, t0) = before[0]?;
    let line = before[1].map(|(b1, t1)| (t0 - t1) / (b0 - b1));
    let bend = match (line, before[1], before[2]) {
        (Some(line), Some((b1, t1)), Some((b2, t2))) => ((t1 - t2) / (b1 - b2) - line) / (b2 - b0),
        _ => 0.0,
    };
    let step = budget - b0;
    let slope = line.unwrap_or(0.0);
    let b1 = before[1].map_or(b0, |(b1, _)| b1);
    let t = t0 + step * (slope + bend * (budget - b1));
    let t = if t > 0.0 && t <= t0 { t } else { t0 + step * slope };
    let t = if t > 0.0 { t } else { t0 };
    Some(1.0 / (t * t))
}

/// A budget and the solved ones next to it.
#[derive(Debug, Clone, Copy)]
struct Place {
    row: usize,
    below: Option<usize>,
    above: Option<usize>,
}

/// Rounds of budgets, each of which lies between two of the rounds before.
fn rounds(k: usize) -> Vec<Vec<Place>> {
    let top = k - 1;
    let mut rounds = vec![vec![Place { row: top, below: None, above: None }]];
    if top > 0 {
        rounds.push(vec![Place { row: 0, below: None, above: Some(top) }]);
    }
    let mut gaps = vec![(0, top)];
    while !gaps.is_empty() {
        let (mut round, mut next) = (Vec::new(), Vec::with_capacity(2 * gaps.len()));
        for (below, above) in gaps {
            if above > below + 1 {
                let row = below + (above - below) / 2;
                round.push(Place { row, below: Some(below), above: Some(above) });
                next.extend([(below, row), (row, above)]);
            }
        }
        if !round.is_empty() {
            rounds.push(round);
        }
        gaps = next;
    }
    rounds
}

/// A row of the tables that a round writes.
type Cells<'c> = (&'c mut [f64], &'c mut [f64]);

fn from_the_outside_in(
    problems: &[Checked<'_>],
    sweep: &mut Sweep,
    tolerance: f64,
    threads: usize,
    stop: &dyn Fn() -> bool,
) -> Result<()> {
    let Some(top) = problems.last() else { return Ok(()) };
    let n = top.len();
    let mut work = Workspace::default();
    let start = Demand::new(top, &mut work, 1).first_price();
    let sheet = Sheet::new(top);
    let Sweep { spend, response, rows, .. } = sweep;
    let mut cells: Vec<Option<Cells<'_>>> =
        spend.chunks_mut(n).zip(response.chunks_mut(n)).map(Some).collect();
    let mut scratch = Scratch::new(&sheet, n);
    for round in rounds(problems.len()) {
        let known = &*rows;
        let solve = |places: &[Place], cells: Vec<Cells<'_>>, scratch: &mut Scratch| -> Vec<Option<Row>> {
            scratch.cold = true;
            let solved = places.iter().zip(cells).map(|(place, cells)| {
                let near = |at: Option<usize>| at.map(|at| (problems[at].budget, known[at]));
                let guess = guess(problems[place.row].budget, near(place.below), near(place.above), start);
                row((&problems[place.row], top), &sheet, tolerance, guess, scratch, cells)
            });
            solved.collect()
        };
        let mut tasks = Vec::with_capacity(round.len().div_ceil(TASK));
        for places in round.chunks(TASK) {
            let own: Vec<Cells<'_>> = places.iter().filter_map(|place| cells[place.row].take()).collect();
            tasks.push((places, own));
        }
        let threads = if round.len() * n < WORTH_THREADS { 1 } else { threads.min(tasks.len()) };
        let solved: Vec<Option<Row>> = if threads <= 1 {
            tasks.into_iter().flat_map(|(places, own)| solve(places, own, &mut scratch)).collect()
        } else {
            let share = tasks.len().div_ceil(threads);
            std::thread::scope(|scope| {
                let (solve, sheet) = (&solve, &sheet);
                let mut handles = Vec::with_capacity(threads);
                let mut tasks = tasks.into_iter();
                loop {
                    let own: Vec<_> = tasks.by_ref().take(share).collect();
                    if own.is_empty() {
                        break;
                    }
                    handles.push(scope.spawn(move || {
                        let mut scratch = Scratch::new(sheet, n);
                        let solved = own.into_iter().map(|(places, own)| solve(places, own, &mut scratch));
                        solved.flatten().collect::<Vec<_>>()
                    }));
                }
                let join = |handle: std::thread::ScopedJoinHandle<'_, Vec<Option<Row>>>| {
                    handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                };
                handles.into_iter().flat_map(join).collect()
            })
        };
        for (place, solved) in round.iter().zip(solved) {
            rows[place.row] = match solved {
                Some(row) => row,
                None => Row { rate: f64::NAN, ..Row::default() },
            };
        }
    }
    drop(cells);
    // What the prices of neighbours do not lead to.
    for (j, problem) in problems.iter().enumerate() {
        if rows[j].rate.is_nan() {
            let cells = j * n..(j + 1) * n;
            let cells = (&mut spend[cells.clone()], &mut response[cells]);
            rows[j] = alone(problem, &mut work, tolerance, stop, cells)?;
        }
    }
    sweep.sheet = Some(sheet);
    Ok(())
}

/// A price to start from, and the prices that it must lie between.
#[derive(Debug, Clone, Copy)]
struct Guess {
    price: f64,
    low: f64,
    high: f64,
}

/// The cubic in the budget through λ^{−1/2} of two neighbours, with its slopes; one neighbour's line.
fn guess(budget: f64, below: Option<(f64, Row)>, above: Option<(f64, Row)>, start: f64) -> Guess {
    /// Budget, t = λ^{−1/2}, dt/dB.
    fn knot((budget, row): (f64, Row)) -> Option<(f64, f64, f64)> {
        let t = 1.0 / row.price.sqrt();
        (row.rate < 0.0 && t.is_finite() && t > 0.0).then(|| (budget, t, -0.5 * t / row.rate))
    }
    let (below, above) = (below.and_then(knot), above.and_then(knot));
    let price = |t: f64| 1.0 / (t * t);
    // t rises with the budget.
    let high = below.map_or(f64::INFINITY, |(_, t, _)| price(t));
    let low = above.map_or(0.0, |(_, t, _)| price(t));
    let t = match (below, above) {
        (Some((b0, t0, d0)), Some((b1, t1, d1))) => {
            let (width, share) = (b1 - b0, (budget - b0) / (b1 - b0));
            let rest = 1.0 - share;
            let cubic = rest * rest * ((1.0 + 2.0 * share) * t0 + share * width * d0)
                + share * share * ((1.0 + 2.0 * rest) * t1 - rest * width * d1);
            if t0 < cubic && cubic < t1 { cubic } else { rest * t0 + share * t1 }
        }
        (Some((b, t, slope)), None) | (None, Some((b, t, slope))) => {
            let line = t + slope * (budget - b);
            if line > 0.0 { line } else { t }
        }
        (None, None) => return Guess { price: start, low, high },
    };
    Guess { price: price(t), low, high }
}

/// What does not depend on the price.
pub(crate) struct Sheet {
    same: Broadcast,
    unit_price: Vec<f64>,
    inverse_worth: Vec<f64>,
    at_lower: Vec<f64>,
    at_cap: Vec<f64>,
    has_hill: bool,
}

impl Sheet {
    fn new(problem: &Checked<'_>) -> Self {
        let n = problem.len();
        let mut same = Broadcast::default();
        same.fill(problem);
        let (set, first) = (problem.set, problem.range.start);
        let inverse = |x: f64| if x > 0.0 { 1.0 / x } else { 0.0 };
        let unit_price =
            (first..first + n).map(|i| set.cost.at(i) / (problem.value.at(i) * set.value.at(i))).collect();
        let inverse_worth = (0..n).map(|i| inverse(problem.weight(i))).collect();
        let mut has_hill = false;
        problem.runs(0..n, |family, _| has_hill |= matches!(family, Family::Shape(Kind::Hill)));
        let at = |bound: &dyn Fn(usize) -> f64| {
            let spend: Vec<f64> = (0..n).map(bound).collect();
            let (mut response, mut marginal) = (vec![0.0; n], [0.0; LANES]);
            problem.runs(0..n, |family, run| {
                let Family::Shape(kind) = family else { return };
                for chunk in chunks(run) {
                    let (x, response) = (&spend[chunk.clone()], &mut response[chunk.clone()]);
                    let marginal = &mut marginal[..chunk.len()];
                    kernel::respond(problem, &same, kind, chunk, x, response, marginal);
                }
            });
            response
        };
        let (at_lower, at_cap) = (at(&|i| problem.lower(i)), at(&|i| problem.cap(i)));
        Self { same, unit_price, inverse_worth, at_lower, at_cap, has_hill }
    }

    /// Σx(λ).
    pub(crate) fn total_at(&self, problem: &Checked<'_>, lambda: f64) -> f64 {
        let n = problem.len();
        let (mut spend, mut response) = (vec![0.0; n], vec![0.0; n]);
        pass(problem, self, lambda, &mut Scratch::new(self, n), (&mut spend, &mut response)).spend
    }
}

fn chunks(range: std::ops::Range<usize>) -> impl Iterator<Item = std::ops::Range<usize>> {
    range.clone().step_by(LANES).map(move |start| start..range.end.min(start + LANES))
}

/// Columns that one thread needs from pass to pass.
struct Scratch {
    rate: Vec<f64>,
    warm: Vec<f64>,
    cold: bool,
}

impl Scratch {
    fn new(sheet: &Sheet, n: usize) -> Self {
        Self { rate: vec![0.0; n], warm: vec![0.0; if sheet.has_hill { n } else { 0 }], cold: true }
    }
}

/// Solves one budget near a price; `None` where the price leads nowhere. `top` is the largest budget, whose caps serve all.
fn row(
    (problem, top): (&Checked<'_>, &Checked<'_>),
    sheet: &Sheet,
    tolerance: f64,
    guess: Guess,
    scratch: &mut Scratch,
    (spend, response): Cells<'_>,
) -> Option<Row> {
    let (n, budget) = (problem.len(), problem.budget);
    if problem.total_upper() <= budget || problem.room <= ROUNDING * budget {
        return None;
    }
    #[allow(clippy::cast_precision_loss, reason = "a count")]
    // It falls on one arm of many, and what it costs is its square.
    let close = (CLOSE * (n as f64 / 4.0).clamp(1.0, 1000.0)).min(0.1 * tolerance.sqrt()) * budget;
    let Guess { price: mut lambda, mut low, mut high } = guess;
    for passes in 1..=12 {
        let totals = pass(top, sheet, lambda, scratch, (&mut *spend, &mut *response));
        let mut rest = budget - totals.spend;
        let step = rest / totals.rate;
        if step.abs() <= SMALL_STEP && rest.abs() <= close {
            // Price and spends move together: the spends stay the best at their price, to second order.
            let mut worth = totals;
            let mut share = step;
            for _ in 0..3 {
                worth = settle(problem, sheet, (share, lambda), scratch, (&mut *spend, &mut *response));
                rest = budget - worth.spend;
                if rest.abs() <= ROUNDING * budget {
                    break;
                }
                share = rest / totals.rate;
            }
            let price = lambda * exp(step);
            if rest.abs() > ROUNDING * budget || price <= LEAST {
                return None;
            }
            // An arm that starts or stops to move on the way misses λ/2 |dx/d ln λ| step² at most.
            let missed = 0.5 * price * totals.rate.abs() * step * step;
            let bound = worth.rate + price * rest + missed;
            return Some(Row {
                price,
                value: worth.rate,
                total_spend: worth.spend,
                total_response: worth.response,
                bound: bound.max(worth.rate),
                passes,
                rate: totals.rate,
            });
        }
        if rest > 0.0 {
            high = high.min(lambda)
        } else {
            low = low.max(lambda)
        }
        let root = 1.0 - 0.5 * step;
        let newton = if root > 0.0 { lambda / (root * root) } else { lambda * exp(step) };
        let inside = newton > low && newton < high;
        lambda = if inside { newton } else { low.sqrt() * high.sqrt() };
        if !(lambda > LEAST && lambda < 1.0 / LEAST) {
            return None;
        }
    }
    None
}

fn pass(
    problem: &Checked<'_>,
    sheet: &Sheet,
    lambda: f64,
    scratch: &mut Scratch,
    (spend, response): Cells<'_>,
) -> Totals {
    let mut totals = Totals::default();
    let cold = scratch.cold;
    problem.runs(0..problem.len(), |family, run| {
        let Family::Shape(kind) = family else { return };
        for chunk in chunks(run) {
            let warm: &mut [f64] = if sheet.has_hill { &mut scratch.warm[chunk.clone()] } else { &mut [] };
            let rows = Rows {
                unit_price: &sheet.unit_price[chunk.clone()],
                at_lower: &sheet.at_lower[chunk.clone()],
                at_cap: &sheet.at_cap[chunk.clone()],
                warm,
                cold,
                spend: &mut spend[chunk.clone()],
                rate: &mut scratch.rate[chunk.clone()],
                response: &mut response[chunk.clone()],
            };
            totals = totals.plus(kernel::serve(problem, &sheet.same, kind, chunk, lambda, rows));
        }
    });
    scratch.cold = false;
    totals
}

/// Moves the spends by `share` of how they move with the price; the totals are Σ x, Σ v f (as `rate`) and Σ f.
fn settle(
    problem: &Checked<'_>,
    sheet: &Sheet,
    step: (f64, f64),
    scratch: &Scratch,
    (spend, response): Cells<'_>,
) -> Totals {
    let mut totals = Totals::default();
    for chunk in chunks(0..problem.len()) {
        let (worth, rate) = (&sheet.inverse_worth[chunk.clone()], &scratch.rate[chunk.clone()]);
        let cells = (&mut spend[chunk.clone()], &mut response[chunk.clone()]);
        totals = totals.plus(kernel::adjust(problem, &sheet.same, chunk, step, worth, rate, cells));
    }
    totals
}
