//! The loops over arms: one family at a time, in lanes that the compiler turns into SIMD code.
//!
//! Every loop body is arithmetic and selects (and every closure handed to `dispatch` moves something it owns, without which
//! it would not be inlined into code for wide registers); sums run in eight fixed lanes. So the bits do not depend on the
//! width of the machine's registers, nor on the number of threads.

#![allow(clippy::needless_range_loop, reason = "one index over many columns reads like the formula")]

use std::ops::Range;

use super::checked::Checked;
use super::price::Totals;
use crate::curve::column::{Column, LANES};
use crate::curve::hill::Hill;
use crate::curve::kind::{Kind, with_shape};
use crate::curve::shape::Shape;

/// Number of columns that a kernel reads.
const COLUMNS: usize = 10;

/// The columns of a problem, in the order of the fields of [`Lanes`].
fn columns<'p>(problem: &'p Checked<'_>) -> [&'p Column; COLUMNS] {
    let set = problem.set;
    let [p0, p1, p2] = &set.parameters;
    [
        p0,
        p1,
        p2,
        &set.cost,
        &set.offset,
        &set.baseline,
        &set.value,
        problem.value,
        problem.lower,
        problem.upper,
    ]
}

/// The columns that are one number for all arms, spread over as many lanes as a kernel takes at a time.
#[derive(Debug, Default)]
pub(crate) struct Broadcast {
    /// Row-major `[column][lane]`; the rows of other columns are not used.
    lanes: Vec<f64>,
    width: usize,
}

impl Broadcast {
    pub(crate) fn fill(&mut self, problem: &Checked<'_>) {
        self.width = problem.len().min(LANES);
        self.lanes.clear();
        self.lanes.reserve(COLUMNS * self.width);
        for column in columns(problem) {
            let value = if let Column::Same(value) = column { *value } else { 0.0 };
            self.lanes.resize(self.lanes.len() + self.width, value);
        }
    }

    fn row(&self, column: usize, length: usize) -> &[f64] {
        &self.lanes[column * self.width..][..length]
    }
}

/// The parameters of up to [`LANES`] arms of one family.
#[derive(Clone, Copy)]
struct Lanes<'b> {
    first: &'b [f64],
    second: &'b [f64],
    third: &'b [f64],
    cost: &'b [f64],
    offset: &'b [f64],
    baseline: &'b [f64],
    /// Value per response of the curve.
    value: &'b [f64],
    /// Value of the problem.
    worth: &'b [f64],
    lower: &'b [f64],
    upper: &'b [f64],
    /// budget − Σ lower.
    room: f64,
}

impl<'b> Lanes<'b> {
    fn new(problem: &'b Checked<'_>, same: &'b Broadcast, chunk: Range<usize>) -> Self {
        let own = problem.range.start + chunk.start..problem.range.start + chunk.end;
        let columns = columns(problem);
        let at = |which: usize| match columns[which] {
            Column::Same(_) => same.row(which, own.len()),
            Column::Each(values) => &values[own.clone()],
        };
        Self {
            first: at(0),
            second: at(1),
            third: at(2),
            cost: at(3),
            offset: at(4),
            baseline: at(5),
            value: at(6),
            worth: at(7),
            lower: at(8),
            upper: at(9),
            room: problem.room,
        }
    }

    /// All columns cut to n, which lets the compiler drop the checks of every index below n.
    #[inline(always)]
    fn cut(&self, n: usize) -> Self {
        Self {
            first: &self.first[..n],
            second: &self.second[..n],
            third: &self.third[..n],
            cost: &self.cost[..n],
            offset: &self.offset[..n],
            baseline: &self.baseline[..n],
            value: &self.value[..n],
            worth: &self.worth[..n],
            lower: &self.lower[..n],
            upper: &self.upper[..n],
            room: self.room,
        }
    }

    #[inline(always)]
    fn shape<S: Shape>(&self, i: usize) -> S {
        S::new([self.first[i], self.second[i], self.third[i]])
    }

    #[inline(always)]
    fn cap(&self, i: usize) -> f64 {
        let (upper, rest) = (self.upper[i], self.lower[i] + self.room);
        if upper < rest { upper } else { rest }
    }
}

/// Σ in eight running sums: a fixed order that vectorises.
#[inline(always)]
fn sum(values: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let whole = values.chunks_exact(8);
    let mut tail = 0.0;
    for value in whole.remainder() {
        tail += value;
    }
    for eight in whole {
        for (sum, value) in sums.iter_mut().zip(eight) {
            *sum += value;
        }
    }
    ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7])) + tail
}

/// The largest of numbers ≥ 0.
#[inline(always)]
fn largest(values: &[f64]) -> f64 {
    let mut lanes = [0.0_f64; 8];
    let whole = values.chunks_exact(8);
    for (lane, value) in lanes.iter_mut().zip(whole.remainder()) {
        *lane = *value;
    }
    for eight in whole {
        for (lane, value) in lanes.iter_mut().zip(eight) {
            *lane = if *value > *lane { *value } else { *lane };
        }
    }
    lanes.iter().fold(0.0, |largest, &lane| if lane > largest { lane } else { largest })
}

/// What the pass at a price reads and writes of a chunk of arms, besides their parameters.
pub(crate) struct Wants<'b> {
    /// The price above which an arm stays at its lower bound; empty where no arm jumps.
    pub(crate) threshold: &'b [f64],
    /// The spend that it jumps to; empty where no arm jumps.
    pub(crate) tangent: &'b [f64],
    /// For Hill: w of the last pass; empty for the others.
    pub(crate) warm: &'b mut [f64],
    /// Whether there has been no pass yet.
    pub(crate) cold: bool,
    pub(crate) spend: &'b mut [f64],
    /// dx/d ln λ.
    pub(crate) rate: &'b mut [f64],
}

/// Spends of a chunk at the price λ, and how they move with it.
pub(crate) fn want(
    problem: &Checked<'_>,
    same: &Broadcast,
    kind: Kind,
    chunk: Range<usize>,
    lambda: f64,
    wants: Wants<'_>,
) -> Totals {
    let lanes = Lanes::new(problem, same, chunk);
    let arch = pulp::Arch::new();
    match kind {
        Kind::Hill => arch.dispatch(
            #[inline(always)]
            || want_hill(&lanes, lambda, wants),
        ),
        _ => with_shape!(kind, S => arch.dispatch(
            #[inline(always)]
            || want_shape::<S>(&lanes, lambda, wants),
        )),
    }
}

#[inline(always)]
fn want_shape<S: Shape>(lanes: &Lanes<'_>, lambda: f64, wants: Wants<'_>) -> Totals {
    let n = wants.spend.len();
    let lanes = lanes.cut(n);
    let (spend, rate) = (&mut wants.spend[..n], &mut wants.rate[..n]);
    if wants.threshold.is_empty() {
        for i in 0..n {
            let (u, moves) = interior::<S>(&lanes, i, lambda);
            (spend[i], rate[i]) = place(&lanes, i, u, moves, lanes.lower[i]);
        }
    } else {
        let (threshold, tangent) = (&wants.threshold[..n], &wants.tangent[..n]);
        for i in 0..n {
            let (u, moves) = interior::<S>(&lanes, i, lambda);
            let (x, moved) = place(&lanes, i, u, moves, tangent[i]);
            let active = lambda < threshold[i];
            spend[i] = if active { x } else { lanes.lower[i] };
            rate[i] = if active { moved } else { 0.0 };
        }
    }
    Totals { spend: sum(spend), rate: sum(rate), response: 0.0 }
}

/// The units at which the slope is the price, and how they move with it (money).
#[inline(always)]
fn interior<S: Shape>(lanes: &Lanes<'_>, i: usize, lambda: f64) -> (f64, f64) {
    let shape = lanes.shape::<S>(i);
    let u = shape.inverse_slope(lambda * lanes.cost[i] / (lanes.worth[i] * lanes.value[i]));
    (u, shape.slope_rate(u) * lanes.cost[i])
}

/// Spend and its motion, from the interior solution u, between `floor` and the arm's cap.
#[inline(always)]
fn place(lanes: &Lanes<'_>, i: usize, u: f64, moves: f64, floor: f64) -> (f64, f64) {
    let x = (u - lanes.offset[i]) * lanes.cost[i];
    let cap = lanes.cap(i);
    // Comparisons with NaN are false: a worthless arm stays at its floor.
    let floored = if x > floor { x } else { floor };
    let capped = if floored < cap { floored } else { cap };
    let inside = (x > floor) & (x < cap);
    (capped, if inside { moves } else { 0.0 })
}

/// Hill has no closed form: Newton steps on all lanes until the slowest has converged. Leaves w in `warm`.
#[inline(always)]
fn find_hill(lanes: &Lanes<'_>, lambda: f64, wants: &mut Wants<'_>) {
    /// Newton's error is squared by every step, so after one of this size the spend is right to about ten digits,
    /// which is as close as the search brings the totals; a spend's error enters the bound squared again.
    const LAST_STEP: f64 = 1e-5;
    let n = wants.spend.len();
    let lanes = lanes.cut(n);
    let (spend, rate, warm) = (&mut wants.spend[..n], &mut wants.rate[..n], &mut wants.warm[..n]);
    let open = [f64::INFINITY; LANES];
    let jumps = !wants.threshold.is_empty();
    let threshold = if jumps { &wants.threshold[..n] } else { &open[..n] };

    // c = ln(m k/(β s)), kept in `rate`; a start to the right of the root is always safe, kept in `spend`.
    for i in 0..n {
        let hill = lanes.shape::<Hill>(i);
        let c = hill.log_slope_target(lambda * lanes.cost[i] / (lanes.worth[i] * lanes.value[i]));
        // An arm that stays at its lower bound solves an easy equation instead of one without a root.
        let c = if lambda < threshold[i] { c } else { -8.0 };
        let start = hill.start(c);
        rate[i] = c;
        spend[i] = start;
        let keep = !wants.cold & (warm[i] < start);
        warm[i] = if keep { warm[i] } else { start };
    }
    let (mut sizes, mut rise) = ([0.0; LANES], [0.0; LANES]);
    let (sizes, rise) = (&mut sizes[..n], &mut rise[..n]);
    for i in 0..n {
        rise[i] = lanes.shape::<Hill>(i).rise();
    }
    for _ in 0..60 {
        for i in 0..n {
            let (next, step) = Hill::step(warm[i], rate[i], rise[i]);
            // From the left a step may overshoot, but never needs to go past the safe start.
            let next = if next < spend[i] { next } else { spend[i] };
            let size = if step < 0.0 { -step } else { step };
            sizes[i] = if lambda < threshold[i] { size } else { 0.0 };
            warm[i] = next;
        }
        if largest(sizes) <= LAST_STEP {
            break;
        }
    }
}

#[inline(always)]
fn want_hill(lanes: &Lanes<'_>, lambda: f64, mut wants: Wants<'_>) -> Totals {
    find_hill(lanes, lambda, &mut wants);
    let n = wants.spend.len();
    let lanes = lanes.cut(n);
    let (spend, rate, warm) = (&mut wants.spend[..n], &mut wants.rate[..n], &wants.warm[..n]);
    let open = [f64::INFINITY; LANES];
    let jumps = !wants.threshold.is_empty();
    let threshold = if jumps { &wants.threshold[..n] } else { &open[..n] };
    let tangent = if jumps { &wants.tangent[..n] } else { &lanes.lower[..n] };
    for i in 0..n {
        let hill = lanes.shape::<Hill>(i);
        let w = warm[i];
        let u = hill.units(w);
        let (x, moved) = place(&lanes, i, u, hill.slope_rate_at(w, u) * lanes.cost[i], tangent[i]);
        let active = lambda < threshold[i];
        spend[i] = if active { x } else { lanes.lower[i] };
        rate[i] = if active { moved } else { 0.0 };
    }
    Totals { spend: sum(spend), rate: sum(rate), response: 0.0 }
}

/// Two columns that a kernel writes; consumed by it.
struct Pair<'b>(&'b mut [f64], &'b mut [f64]);

/// Threshold and tangent of the arms of a chunk.
pub(crate) fn touch(
    problem: &Checked<'_>,
    same: &Broadcast,
    kind: Kind,
    chunk: Range<usize>,
    threshold: &mut [f64],
    tangent: &mut [f64],
) {
    if kind == Kind::Hill && problem.starts_at_zero(chunk.clone()) {
        let lanes = Lanes::new(problem, same, chunk);
        let pair = Pair(threshold, tangent);
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || touch_hill(&lanes, pair),
        );
        return;
    }
    for (i, arm) in chunk.enumerate() {
        (threshold[i], tangent[i]) = problem.jump(arm);
    }
}

/// The line from the origin touches a Hill curve at k (s − 1)^{1/s}, or meets it at its cap.
#[inline(always)]
fn touch_hill(lanes: &Lanes<'_>, Pair(threshold, tangent): Pair<'_>) {
    let n = threshold.len();
    let lanes = lanes.cut(n);
    let tangent = &mut tangent[..n];
    for i in 0..n {
        let hill = lanes.shape::<Hill>(i);
        let (cap, weight) = (lanes.cap(i), lanes.worth[i] * lanes.value[i]);
        let touching = hill.tangent_from_origin() * lanes.cost[i];
        let concave = !(touching > 0.0);
        let end = if touching < cap { touching } else { cap };
        let chord = weight * hill.value(end / lanes.cost[i]) / end;
        let chord = if end > 0.0 { chord } else { 0.0 };
        // A concave curve leaves 0 at its slope there: +∞ but for s = 1.
        threshold[i] = if concave { weight * hill.slope(0.0) / lanes.cost[i] } else { chord };
        tangent[i] = if concave { 0.0 } else { end };
    }
}

/// Response and marginal response of a chunk; the totals are Σ x, Σ v f (as `rate`) and Σ f.
pub(crate) fn respond(
    problem: &Checked<'_>,
    same: &Broadcast,
    kind: Kind,
    chunk: Range<usize>,
    spend: &[f64],
    response: &mut [f64],
    marginal: &mut [f64],
) -> Totals {
    let lanes = Lanes::new(problem, same, chunk);
    let pair = Pair(response, marginal);
    with_shape!(kind, S => pulp::Arch::new().dispatch(
        #[inline(always)]
        || respond_shape::<S>(&lanes, spend, pair),
    ))
}

#[inline(always)]
fn respond_shape<S: Shape>(lanes: &Lanes<'_>, spend: &[f64], Pair(response, marginal): Pair<'_>) -> Totals {
    let n = spend.len();
    let lanes = lanes.cut(n);
    let (response, marginal) = (&mut response[..n], &mut marginal[..n]);
    let mut worth = [0.0; LANES];
    let worth = &mut worth[..n];
    for i in 0..n {
        let shape = lanes.shape::<S>(i);
        let (cost, value) = (lanes.cost[i], lanes.value[i]);
        let u = spend[i] / cost + lanes.offset[i];
        let slope = value * (shape.slope(u) / cost);
        response[i] = value * (shape.value(u) - lanes.baseline[i]);
        marginal[i] = if value > 0.0 { slope } else { 0.0 };
        worth[i] = lanes.worth[i] * response[i];
    }
    Totals { spend: sum(spend), rate: sum(worth), response: sum(response) }
}

/// Moves every arm by `share · rate`, within its cap and its floor; the total is what was placed.
pub(crate) fn shift(
    problem: &Checked<'_>,
    same: &Broadcast,
    chunk: Range<usize>,
    share: f64,
    tangent: &[f64],
    spend: &mut [f64],
    rate: &[f64],
) -> Totals {
    let lanes = Lanes::new(problem, same, chunk);
    let pair = Pair(spend, &mut []);
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || shift_lanes(&lanes, share, tangent, pair, rate),
    )
}

#[inline(always)]
fn shift_lanes(
    lanes: &Lanes<'_>,
    share: f64,
    tangent: &[f64],
    Pair(spend, _): Pair<'_>,
    rate: &[f64],
) -> Totals {
    let n = spend.len();
    let lanes = lanes.cut(n);
    let rate = &rate[..n];
    let floor = if tangent.is_empty() { lanes.lower } else { &tangent[..n] };
    let mut placed = [0.0; LANES];
    let placed = &mut placed[..n];
    for i in 0..n {
        let (x, cap) = (spend[i], lanes.cap(i));
        let next = x + share * rate[i];
        let next = if next > floor[i] { next } else { floor[i] };
        let next = if next < cap { next } else { cap };
        let next = if rate[i] < 0.0 { next } else { x };
        placed[i] = next - x;
        spend[i] = next;
    }
    Totals { spend: sum(placed), ..Totals::default() }
}

/// What is known of a chunk of concave arms before any price, and what a plan at a price writes of it.
pub(crate) struct Rows<'b> {
    /// cost/(value of the problem · value of the curve): times λ it is the slope wanted, per unit.
    pub(crate) unit_price: &'b [f64],
    /// Response at the lower bound and at the cap.
    pub(crate) at_lower: &'b [f64],
    pub(crate) at_cap: &'b [f64],
    /// For Hill: w of the last pass; empty for the others.
    pub(crate) warm: &'b mut [f64],
    /// Whether there has been no pass yet.
    pub(crate) cold: bool,
    pub(crate) spend: &'b mut [f64],
    /// dx/d ln λ.
    pub(crate) rate: &'b mut [f64],
    pub(crate) response: &'b mut [f64],
}

/// Spends of a chunk of concave arms at the price λ, how they move with it, and what they bring, in one pass.
pub(crate) fn serve(
    problem: &Checked<'_>,
    same: &Broadcast,
    kind: Kind,
    chunk: Range<usize>,
    lambda: f64,
    rows: Rows<'_>,
) -> Totals {
    let lanes = Lanes::new(problem, same, chunk);
    let arch = pulp::Arch::new();
    match kind {
        Kind::Hill => arch.dispatch(
            #[inline(always)]
            || serve_hill(&lanes, lambda, rows),
        ),
        _ => with_shape!(kind, S => arch.dispatch(
            #[inline(always)]
            || serve_shape::<S>(&lanes, lambda, rows),
        )),
    }
}

#[inline(always)]
fn serve_shape<S: Shape>(lanes: &Lanes<'_>, lambda: f64, rows: Rows<'_>) -> Totals {
    let n = rows.spend.len();
    let lanes = lanes.cut(n);
    let (spend, rate, response) = (&mut rows.spend[..n], &mut rows.rate[..n], &mut rows.response[..n]);
    let (unit_price, at_lower, at_cap) = (&rows.unit_price[..n], &rows.at_lower[..n], &rows.at_cap[..n]);
    for i in 0..n {
        let shape = lanes.shape::<S>(i);
        let u = shape.inverse_slope(lambda * unit_price[i]);
        let (x, moved) = place(&lanes, i, u, shape.slope_rate(u) * lanes.cost[i], lanes.lower[i]);
        let inside = lanes.value[i] * (shape.value(u) - lanes.baseline[i]);
        let high = if x < lanes.cap(i) { inside } else { at_cap[i] };
        spend[i] = x;
        rate[i] = moved;
        response[i] = if x > lanes.lower[i] { high } else { at_lower[i] };
    }
    Totals { spend: sum(spend), rate: sum(rate), response: 0.0 }
}

/// The response of an arm inside its bounds falls off the last step: it is β p(w).
#[inline(always)]
fn serve_hill(lanes: &Lanes<'_>, lambda: f64, rows: Rows<'_>) -> Totals {
    let Rows { unit_price: _, at_lower, at_cap, warm, cold, spend, rate, response } = rows;
    let n = spend.len();
    let mut wants = Wants {
        threshold: &[],
        tangent: &[],
        warm: &mut warm[..n],
        cold,
        spend: &mut spend[..n],
        rate: &mut rate[..n],
    };
    find_hill(lanes, lambda, &mut wants);
    let lanes = lanes.cut(n);
    let (spend, rate, response) = (&mut spend[..n], &mut rate[..n], &mut response[..n]);
    let (at_lower, at_cap, warm) = (&at_lower[..n], &at_cap[..n], &warm[..n]);
    for i in 0..n {
        let hill = lanes.shape::<Hill>(i);
        let w = warm[i];
        let u = hill.units(w);
        let (share, rest) = crate::elementary::sigmoid(w);
        let moves = u / (lanes.third[i] * (rest - share) - 1.0) * lanes.cost[i];
        let (x, moved) = place(&lanes, i, u, moves, lanes.lower[i]);
        let inside = lanes.value[i] * (lanes.first[i] * share - lanes.baseline[i]);
        let high = if x < lanes.cap(i) { inside } else { at_cap[i] };
        spend[i] = x;
        rate[i] = moved;
        response[i] = if x > lanes.lower[i] { high } else { at_lower[i] };
    }
    Totals { spend: sum(spend), rate: sum(rate), response: 0.0 }
}

/// Moves every arm by `share · rate`, within its bounds, and its response along; `slope` is dx's worth, f′ = λ/v. The totals
/// are Σ x, Σ v f (as `rate`) and Σ f.
pub(crate) fn adjust(
    problem: &Checked<'_>,
    same: &Broadcast,
    chunk: Range<usize>,
    (share, lambda): (f64, f64),
    inverse_worth: &[f64],
    rate: &[f64],
    (spend, response): (&mut [f64], &mut [f64]),
) -> Totals {
    let lanes = Lanes::new(problem, same, chunk);
    let pair = Pair(spend, response);
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || adjust_lanes(&lanes, (share, lambda), inverse_worth, rate, pair),
    )
}

#[inline(always)]
fn adjust_lanes(
    lanes: &Lanes<'_>,
    (share, lambda): (f64, f64),
    inverse_worth: &[f64],
    rate: &[f64],
    Pair(spend, response): Pair<'_>,
) -> Totals {
    let n = spend.len();
    let lanes = lanes.cut(n);
    let (response, rate, inverse_worth) = (&mut response[..n], &rate[..n], &inverse_worth[..n]);
    // Along dx = share · rate the slope itself changes by the factor 1 + share.
    let slope = lambda * (1.0 + 0.5 * share);
    let mut value = [0.0; LANES];
    let value = &mut value[..n];
    for i in 0..n {
        let x = spend[i];
        let next = x + share * rate[i];
        let next = if next > lanes.lower[i] { next } else { lanes.lower[i] };
        let cap = lanes.cap(i);
        let next = if next < cap { next } else { cap };
        let next = if rate[i] < 0.0 { next } else { x };
        spend[i] = next;
        response[i] += slope * inverse_worth[i] * (next - x);
        value[i] = lanes.worth[i] * response[i];
    }
    Totals { spend: sum(spend), rate: sum(value), response: sum(response) }
}
