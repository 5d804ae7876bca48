//! The best plan of a program: branch and bound over cases, each relaxed by column generation.
//!
//! The relaxed problem lets every place mix its choices; where the best mixture is a plan, it is the best plan. A place
//! that mixes stretches, or sits on a chord of its envelope, is where a case is cut in two.

use std::collections::BinaryHeap;

use super::columns::{Generator, Outcome, Part, Relaxed};
use super::newton;
use super::program::{Prices, Program, Range};
use super::proof::Node;

/// Cases after which the search ends with the gap that is left.
const MOST_NODES: usize = 20_000;
/// Relative excess over a limit that a plan may have, and that which is worth mending.
const KEPT: f64 = 1e-9;
const MENDED: f64 = 1e-13;
/// Share of the objective's scale that a place may lose between its mixture and its plan.
const INTEGRAL: f64 = 1e-10;

/// One place of a plan: a stretch and a spend on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stand {
    pub(crate) stretch: usize,
    pub(crate) x: f64,
}

/// What a search found.
pub(crate) struct Found {
    /// Nothing where no plan was found.
    pub(crate) plan: Option<Incumbent>,
    pub(crate) bound: f64,
    pub(crate) nodes: Vec<Node>,
    pub(crate) rounds: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Incumbent {
    pub(crate) stands: Vec<Stand>,
    pub(crate) value: f64,
    /// What a small objective is compared with.
    pub(crate) tiny: f64,
    pub(crate) multipliers: Vec<f64>,
}

struct Open {
    bound: f64,
    node: usize,
    ranges: Vec<Range>,
    cut: Cut,
    multipliers: Vec<f64>,
}

/// Two cases of one place.
#[derive(Debug, Clone, Copy)]
struct Cut {
    place: usize,
    stretch: usize,
    /// Inside the stretch: at most, at least. None: the stretch and all above it, against all below it.
    within: Option<(f64, f64)>,
}

/// A place that mixes what it cannot mix.
struct Divided {
    cut: Cut,
    /// What the mixture is worth more than the place can be (objective), or a measure of it.
    loss: f64,
    /// The same without prices, where they are 0.
    share: f64,
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Open {}
impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Open {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.bound.total_cmp(&other.bound).then(self.node.cmp(&other.node))
    }
}

pub(crate) struct Search<'p, 'a> {
    generator: Generator<'p, 'a>,
    tolerance: f64,
    /// What the smallest objective is compared with.
    tiny: f64,
    /// Cases after which the search ends.
    most_nodes: usize,
    /// Cases after which a search that has found no plan gives up.
    patience: usize,
    /// A value that is good enough, and below which nothing is.
    wanted: Option<f64>,
    incumbent: Option<Incumbent>,
    nodes: Vec<Node>,
    closed: f64,
}

impl<'p, 'a> Search<'p, 'a> {
    pub(crate) fn new(program: &'p Program<'a>, tolerance: f64) -> Self {
        Self {
            generator: Generator::new(program),
            tolerance,
            tiny: program.tiny(None),
            most_nodes: MOST_NODES,
            patience: MOST_NODES,
            wanted: None,
            incumbent: None,
            nodes: Vec::new(),
            closed: f64::NEG_INFINITY,
        }
    }

    /// Ends after so many cases.
    pub(crate) fn most_nodes(mut self, cases: usize) -> Self {
        self.most_nodes = cases;
        self
    }

    /// Gives up after some cases in which no plan was found.
    pub(crate) fn patience(mut self, cases: usize) -> Self {
        self.patience = cases;
        self
    }

    /// Starts from a plan that is known.
    pub(crate) fn starting(mut self, stands: Vec<Stand>) -> Self {
        let program = self.generator.program;
        if program.keeps(&stands, KEPT) {
            let multipliers = vec![0.0; program.rows.len()];
            let (value, tiny) = (program.value(&stands), program.tiny(Some(&stands)));
            self.incumbent = Some(Incumbent { stands, value, tiny, multipliers });
        }
        self
    }

    /// Asks only whether a plan is worth this much: the search ends with the first that is, or when none can be.
    pub(crate) fn reaching(mut self, wanted: f64) -> Self {
        self.wanted = Some(wanted);
        self
    }

    /// Searches until the gap is closed, or `stop`.
    pub(crate) fn run(mut self, stop: &dyn Fn() -> bool) -> Found {
        let whole = self.generator.program.whole();
        let mut open = BinaryHeap::new();
        let none = vec![0.0; self.generator.program.rows.len()];
        self.add(whole, &none, &mut open);
        let mut unfinished = f64::NEG_INFINITY;
        while let Some(next) = open.pop() {
            let hopeless = self.incumbent.is_none() && self.nodes.len() >= self.patience;
            if self.is_closed(next.bound) || hopeless || self.nodes.len() >= self.most_nodes || stop() {
                unfinished = next.bound;
                break;
            }
            let Cut { place, stretch, within } = next.cut;
            let first = self.nodes.len();
            self.nodes[next.node] = Node::Cut {
                arm: place,
                stretch,
                at_most: within.map(|within| within.0),
                at_least: within.map(|within| within.1),
                below: first,
                above: 0,
            };
            for side in [false, true] {
                let mut ranges = next.ranges.clone();
                ranges[place] = narrowed(ranges[place], stretch, within, side);
                if side {
                    let at = self.nodes.len();
                    if let Node::Cut { above, .. } = &mut self.nodes[next.node] {
                        *above = at;
                    }
                }
                self.add(ranges, &next.multipliers, &mut open);
            }
        }
        if self.wanted.is_none() {
            self.polish();
        }
        let value = self.incumbent.as_ref().map_or(f64::NEG_INFINITY, |incumbent| incumbent.value);
        Found {
            bound: self.closed.max(unfinished).max(value),
            plan: self.incumbent,
            nodes: self.nodes,
            rounds: self.generator.rounds,
        }
    }

    fn is_closed(&self, bound: f64) -> bool {
        if let Some(wanted) = self.wanted {
            let reached = self.incumbent.as_ref().is_some_and(|incumbent| incumbent.value >= wanted);
            if reached || bound < wanted {
                return true;
            }
        }
        self.incumbent.as_ref().is_some_and(|incumbent| {
            bound - incumbent.value <= self.tolerance * bound.abs().max(incumbent.tiny)
        })
    }

    /// The bound at which nothing better is left.
    fn enough(&self) -> f64 {
        let wanted = self.wanted.unwrap_or(f64::NEG_INFINITY);
        match &self.incumbent {
            _ if wanted > f64::NEG_INFINITY => wanted.next_down(),
            None => f64::NEG_INFINITY,
            Some(incumbent) => {
                incumbent.value + 0.5 * self.tolerance * incumbent.value.abs().max(incumbent.tiny)
            }
        }
    }

    /// Relaxes a new case; lets it wait or closes it.
    fn add(&mut self, ranges: Vec<Range>, parent: &[f64], open: &mut BinaryHeap<Open>) {
        let node = self.nodes.len();
        let tolerance = self.tolerance;
        let small = self.tiny;
        let exact = |bound: f64| 0.1 * tolerance * bound.abs().max(small);
        self.nodes.push(Node::Multipliers { values: parent.to_vec(), impossible: false });
        match self.generator.relax(&ranges, exact, self.enough()) {
            Outcome::Impossible(multipliers) => {
                self.nodes[node] = Node::Multipliers { values: multipliers, impossible: true };
            }
            Outcome::Lost => {
                // The parent's multipliers bound the case too.
                let bound = match self.generator.case(&ranges) {
                    Some(case) => self.generator.price(&case, parent, 1.0).0,
                    None => f64::NEG_INFINITY,
                };
                let cut = self.any_cut(&ranges);
                self.wait(Open { bound, node, ranges, cut, multipliers: parent.to_vec() }, open);
            }
            Outcome::Solved(relaxed) => {
                self.nodes[node] =
                    Node::Multipliers { values: relaxed.multipliers.clone(), impossible: false };
                let bound = relaxed.bound;
                let cut = self.digest(&ranges, &relaxed);
                let Some(cut) = cut.filter(|_| !self.is_closed(bound)) else {
                    self.closed = self.closed.max(bound);
                    return;
                };
                self.wait(Open { bound, node, ranges, cut, multipliers: relaxed.multipliers }, open);
            }
        }
    }

    fn wait(&mut self, next: Open, open: &mut BinaryHeap<Open>) {
        if self.generator.case(&next.ranges).is_none() || next.cut.place == usize::MAX {
            self.closed = self.closed.max(next.bound);
        } else {
            open.push(next);
        }
    }

    /// Takes what plans a mixture suggests; the cut that the mixture asks for, if it is not a plan itself.
    fn digest(&mut self, ranges: &[Range], relaxed: &Relaxed) -> Option<Cut> {
        let divided = self.divided(relaxed);
        let scale = relaxed.bound.abs().max(relaxed.value.abs());
        match divided {
            None => {
                self.offer(relaxed);
                None
            }
            Some(divided) if divided.loss <= INTEGRAL * scale && self.offer(relaxed) => None,
            Some(divided) => {
                self.dive(ranges, relaxed);
                Some(divided.cut)
            }
        }
    }

    /// Narrows every divided place to what it mostly does, relaxes again, and takes what comes out.
    fn dive(&mut self, ranges: &[Range], relaxed: &Relaxed) {
        let mut ranges = ranges.to_vec();
        let mut relaxed = relaxed.clone();
        let (tolerance, small) = (self.tolerance, self.tiny);
        for _ in 0..6 {
            for (place, range) in ranges.iter_mut().enumerate() {
                if let Some(narrow) = self.mostly(place, &relaxed.parts[place], *range) {
                    *range = narrow;
                }
            }
            match self.generator.relax(
                &ranges,
                |bound| 0.1 * tolerance * bound.abs().max(small),
                self.enough(),
            ) {
                Outcome::Solved(next) => relaxed = next,
                _ => return,
            }
            if self.is_closed(relaxed.bound) {
                return;
            }
            if self.divided(&relaxed).is_none() {
                self.offer(&relaxed);
                return;
            }
        }
    }

    /// The range around what a place mostly does in a mixture; None where it does one thing already.
    fn mostly(&self, place: usize, parts: &[Part], range: Range) -> Option<Range> {
        let main = parts.iter().copied().reduce(|a, b| {
            let share = |part: &Part| {
                parts
                    .iter()
                    .filter(|other| other.stretch == part.stretch)
                    .map(|other| other.share)
                    .sum::<f64>()
            };
            if share(&b) > share(&a) { b } else { a }
        })?;
        let stretch = &self.generator.program.places[place].stretches[main.stretch];
        let (mut at_least, mut at_most) = range.on(main.stretch);
        let own: Vec<&Part> = parts.iter().filter(|part| part.stretch == main.stretch).collect();
        let (low, high) = (own.first()?.x, own.last()?.x);
        if stretch.step > 0.0 || !self.on_curve(place, main.stretch, &own) {
            let total: f64 = own.iter().map(|part| part.share).sum();
            let mean = own.iter().map(|part| part.share * part.x).sum::<f64>() / total;
            if 2.0 * mean > low + high {
                at_least = at_least.max(if stretch.step > 0.0 { high } else { mean });
            } else {
                at_most = at_most.min(low);
            }
        }
        Some(Range { first: main.stretch, last: main.stretch, at_least, at_most })
    }

    /// Whether the mean of a mixture on one stretch brings at least as much as the mixture.
    fn on_curve(&self, place: usize, at: usize, parts: &[&Part]) -> bool {
        let stretch = &self.generator.program.places[place].stretches[at];
        let total: f64 = parts.iter().map(|part| part.share).sum();
        let mean = parts.iter().map(|part| part.share * part.x).sum::<f64>() / total;
        let mixed = parts.iter().map(|part| part.share * stretch.response(part.x)).sum::<f64>() / total;
        stretch.response(mean) >= mixed * (1.0 - 1e-12)
    }

    /// The place that is furthest from doing one thing, and how to cut it.
    fn divided(&self, relaxed: &Relaxed) -> Option<Divided> {
        let prices = self.generator.program.prices(&relaxed.multipliers, 1.0);
        let places = relaxed.parts.iter().enumerate();
        let divided = places.filter_map(|(place, parts)| self.divided_place(place, parts, &prices[place]));
        divided.reduce(|worst, next| {
            let order = next.loss.total_cmp(&worst.loss).then(next.share.total_cmp(&worst.share));
            if order.is_gt() { next } else { worst }
        })
    }

    fn divided_place(&self, place: usize, parts: &[Part], price: &Prices) -> Option<Divided> {
        let stretches = &self.generator.program.places[place].stretches;
        let (first, last) = (parts.first()?, parts.last()?);
        let total: f64 = parts.iter().map(|part| part.share).sum();
        if first.stretch < last.stretch {
            let low: f64 =
                parts.iter().filter(|part| part.stretch == first.stretch).map(|part| part.share).sum();
            let share = (low / total).min(1.0 - low / total);
            let apart = price.weight
                * (stretches[last.stretch].response(last.x) - stretches[first.stretch].response(first.x))
                + (price.spend * (last.x - first.x)).abs()
                + price.active.abs()
                + price.moved.abs()
                + (stretches[last.stretch].fixed - stretches[first.stretch].fixed).abs();
            let cut = Cut { place, stretch: first.stretch + 1, within: None };
            return (share > 1e-7).then_some(Divided { cut, loss: share * apart, share });
        }
        let stretch = &stretches[first.stretch];
        if first.x >= last.x {
            return None;
        }
        let mean = parts.iter().map(|part| part.share * part.x).sum::<f64>() / total;
        let mixed = parts.iter().map(|part| part.share * stretch.response(part.x)).sum::<f64>() / total;
        let cut = |within| Cut { place, stretch: first.stretch, within: Some(within) };
        if stretch.step > 0.0 {
            let steps = mean / stretch.step;
            let share = (steps - steps.round()).abs();
            if share > 1e-9 {
                let (below, above) = (steps.floor() * stretch.step, (steps.floor() + 1.0) * stretch.step);
                let rise = price.weight * (stretch.response(above) - stretch.response(below));
                let worth = rise.abs().max(price.spend.abs() * stretch.step);
                return Some(Divided { cut: cut((below, above)), loss: worth * share, share });
            }
            // The mixture's mean is a whole step, but may be worth less than the mixture.
            let mean = steps.round() * stretch.step;
            let lost = mixed - stretch.response(mean);
            let share = lost / mixed.abs().max(f64::MIN_POSITIVE);
            return (share > 1e-12).then_some(Divided {
                cut: cut((mean, mean)),
                loss: price.weight * lost,
                share,
            });
        }
        let lost = mixed - stretch.response(mean);
        let share = lost / mixed.abs().max(f64::MIN_POSITIVE);
        (share > 1e-12).then_some(Divided { cut: cut((mean, mean)), loss: price.weight * lost, share })
    }

    /// A cut of the widest place, for want of a mixture.
    fn any_cut(&self, ranges: &[Range]) -> Cut {
        let mut cut = Cut { place: usize::MAX, stretch: 0, within: None };
        let mut widest = 0.0;
        for (place, range) in ranges.iter().enumerate() {
            let stretches =
                super::columns::restricted(&self.generator.program.places[place].stretches, range);
            let (Some((low, first)), Some((high, last))) = (stretches.first(), stretches.last()) else {
                continue;
            };
            if low < high {
                return Cut { place, stretch: low + 1, within: None };
            }
            let width = last.to - first.from;
            if width > widest && width > 1e-9 * last.to {
                widest = width;
                let mut middle = (first.from + 0.5 * width, first.from + 0.5 * width);
                if first.step > 0.0 {
                    let steps = (middle.0 / first.step).floor();
                    middle = (steps * first.step, (steps + 1.0) * first.step);
                }
                cut = Cut { place, stretch: *low, within: Some(middle) };
            }
        }
        cut
    }

    /// Takes the plan that a mixture comes nearest to; whether it keeps all limits.
    fn offer(&mut self, relaxed: &Relaxed) -> bool {
        let program = self.generator.program;
        let mut stands = Vec::with_capacity(relaxed.parts.len());
        for (place, parts) in relaxed.parts.iter().enumerate() {
            let Some(main) = parts.iter().copied().reduce(|a, b| if b.share > a.share { b } else { a })
            else {
                return false;
            };
            let own = parts.iter().filter(|part| part.stretch == main.stretch);
            let total: f64 = own.clone().map(|part| part.share).sum();
            let mean = own.map(|part| part.share * part.x).sum::<f64>() / total;
            let stretch = &program.places[place].stretches[main.stretch];
            let x = if main.share >= total * (1.0 - 1e-9) { main.x } else { mean };
            let x = if stretch.step > 0.0 { (x / stretch.step).round() * stretch.step } else { x };
            stands.push(Stand { stretch: main.stretch, x: x.clamp(stretch.from, stretch.to) });
        }
        if !program.keeps(&stands, MENDED) {
            program.mend(&mut stands);
        }
        if !program.keeps(&stands, KEPT) {
            // Where limits leave a single point, the solver's rounding misses it by a little: it lies at ends.
            program.snap(&mut stands);
            program.mend(&mut stands);
            if !program.keeps(&stands, KEPT) {
                return false;
            }
        }
        let value = program.value(&stands);
        if self.incumbent.as_ref().is_none_or(|incumbent| value > incumbent.value) {
            let tiny = program.tiny(Some(&stands));
            let multipliers = relaxed.multipliers.clone();
            self.incumbent = Some(Incumbent { stands, value, tiny, multipliers });
        }
        true
    }

    /// Brings the best plan to the best of its own stretches, and the bound with it where one case is the whole proof.
    fn polish(&mut self) {
        let program = self.generator.program;
        for _ in 0..6 {
            let Some(Incumbent { stands, value, multipliers, .. }) = &self.incumbent else { return };
            let Some((mut stands, multipliers)) = newton::step(program, stands, multipliers) else { return };
            if !program.keeps(&stands, MENDED) {
                program.mend(&mut stands);
            }
            if let [Node::Multipliers { values, impossible: false }] = &mut self.nodes[..]
                && let Some(case) = self.generator.case(&program.whole())
            {
                let bound = self.generator.price(&case, &multipliers, 1.0).0;
                if bound < self.closed {
                    self.closed = bound;
                    values.clone_from(&multipliers);
                }
            }
            let next = program.value(&stands);
            if !program.keeps(&stands, KEPT) || next < value - 1e-9 * value.abs() {
                return;
            }
            let gained = next - value;
            let done = gained <= 1e-15 * value.abs();
            if gained >= 0.0 {
                let tiny = program.tiny(Some(&stands));
                self.incumbent = Some(Incumbent { stands, value: next, tiny, multipliers });
            }
            if done {
                return;
            }
        }
    }
}

fn narrowed(range: Range, stretch: usize, within: Option<(f64, f64)>, above: bool) -> Range {
    let mut range = range;
    match (within, above) {
        (None, false) => {
            if range.last >= stretch {
                (range.last, range.at_most) = (stretch - 1, f64::INFINITY);
            }
        }
        (None, true) => {
            if range.first < stretch {
                (range.first, range.at_least) = (stretch, f64::NEG_INFINITY);
            }
        }
        (Some((at_most, _)), false) => {
            if range.last > stretch {
                (range.last, range.at_most) = (stretch, at_most);
            } else {
                range.at_most = range.at_most.min(at_most);
            }
        }
        (Some((_, at_least)), true) => {
            if range.first < stretch {
                (range.first, range.at_least) = (stretch, at_least);
            } else {
                range.at_least = range.at_least.max(at_least);
            }
        }
    }
    range
}
