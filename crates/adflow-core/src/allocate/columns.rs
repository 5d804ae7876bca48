//! The relaxed problem of one case, by column generation: the best mixture of known choices gives multipliers, the
//! multipliers make every place name its best choice, which the next mixture may use.
//!
//! (G. B. Dantzig and P. Wolfe, "Decomposition principle for linear programs", Operations Research 8, 1960.)
//! Each round's φ(y) is a true upper bound, whatever the linear program's accuracy.

use std::collections::BTreeMap;

use super::master::{self, Column, Mixture, Side};
use super::program::{Choice, Program, Range};
use super::stretches::Stretch;

/// Rounds after which a relaxation ends with the bound it has.
const MOST_ROUNDS: usize = 60;
/// Rounds without progress after which what is left is the linear program's own rounding.
const MOST_STALLED: usize = 5;
/// Share of a mixture below which a column is not part of it.
const PRESENT: f64 = 1e-9;

/// A known choice of a place.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) stretch: usize,
    pub(crate) x: f64,
    column: Column,
    /// Rounds since a mixture last used it.
    idle: u32,
}

/// What a place does in the best mixture: shares of known choices.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) stretch: usize,
    pub(crate) x: f64,
    pub(crate) share: f64,
}

/// A relaxed problem, solved.
#[derive(Debug, Clone)]
pub(crate) struct Relaxed {
    pub(crate) multipliers: Vec<f64>,
    /// φ at the multipliers.
    pub(crate) bound: f64,
    /// Per place, in order of spend.
    pub(crate) parts: Vec<Vec<Part>>,
    /// Value of the best mixture; −∞ where none is known.
    pub(crate) value: f64,
}

pub(crate) enum Outcome {
    Solved(Relaxed),
    /// No plan keeps the rows in this case: with these multipliers the rows alone contradict each other.
    Impossible(Vec<f64>),
    /// The linear program could not be solved.
    Lost,
}

/// The places of a case, each with the stretches that are left.
pub(crate) struct Case<'s, 'a> {
    base: &'s [Vec<(usize, Stretch<'a>)>],
    own: BTreeMap<usize, Vec<(usize, Stretch<'a>)>>,
}

impl<'a> Case<'_, 'a> {
    pub(crate) fn stretches(&self, place: usize) -> &[(usize, Stretch<'a>)] {
        self.own.get(&place).unwrap_or(&self.base[place])
    }
}

pub(crate) struct Generator<'p, 'a> {
    pub(crate) program: &'p Program<'a>,
    /// All stretches with their positions, per place.
    base: Vec<Vec<(usize, Stretch<'a>)>>,
    sides: Vec<Side>,
    /// Per place the rows that name it, with their coefficients.
    own_rows: Vec<Vec<(usize, f64)>>,
    /// Rows with a part that counts for every place.
    shared_rows: Vec<usize>,
    known: Vec<Vec<Known>>,
    pub(crate) rounds: usize,
}

impl<'p, 'a> Generator<'p, 'a> {
    pub(crate) fn new(program: &'p Program<'a>) -> Self {
        let places = program.places.len();
        let mut own_rows = vec![Vec::new(); places];
        let mut shared_rows = Vec::new();
        for (r, row) in program.rows.iter().enumerate() {
            row.terms.iter().for_each(|&(place, coefficient)| own_rows[place].push((r, coefficient)));
            let shared = [row.everyone, row.value, row.response, row.active, row.moved];
            if shared.iter().any(|&coefficient| coefficient != 0.0) {
                shared_rows.push(r);
            }
        }
        let numbered = |stretches: &Vec<Stretch<'a>>| stretches.iter().cloned().enumerate().collect();
        let mut generator = Self {
            program,
            base: program.places.iter().map(|place| numbered(&place.stretches)).collect(),
            sides: program.rows.iter().map(|row| Side { equal: row.equal, bound: row.bound }).collect(),
            own_rows,
            shared_rows,
            known: vec![Vec::new(); places],
            rounds: 0,
        };
        for place in 0..places {
            generator.seed(place);
        }
        generator
    }

    /// The ends and corners of every stretch, and a few spends between.
    fn seed(&mut self, place: usize) {
        let program = self.program;
        for (at, stretch) in program.places[place].stretches.iter().enumerate() {
            let (from, to) = (stretch.from, stretch.to);
            self.learn(place, at, from);
            self.learn(place, at, to);
            for corner in stretch.corners() {
                self.learn(place, at, corner);
            }
            if from < to && stretch.response(to) > stretch.response(from) {
                for share in [0.03, 0.1, 0.25, 0.5, 0.75] {
                    self.learn(place, at, from + share * (to - from));
                }
            }
        }
    }

    /// Adds a choice; false where it is known already or not allowed.
    fn learn(&mut self, place: usize, at: usize, x: f64) -> bool {
        let stretch = &self.program.places[place].stretches[at];
        let x = x.clamp(stretch.from, stretch.to);
        let x = if stretch.step > 0.0 { (x / stretch.step).round() * stretch.step } else { x };
        if !stretch.holds(x) {
            return false;
        }
        let close = 1e-13 * x.abs();
        let order = |known: &Known| known.stretch.cmp(&at).then(known.x.total_cmp(&x));
        let position = self.known[place].partition_point(|known| order(known).is_lt());
        let near = |known: &Known| known.stretch == at && (known.x - x).abs() <= close;
        if self.known[place].get(position).is_some_and(near)
            || position > 0 && near(&self.known[place][position - 1])
        {
            return false;
        }
        let column = self.column(place, at, x);
        self.known[place].insert(position, Known { stretch: at, x, column, idle: 0 });
        true
    }

    fn column(&self, place: usize, at: usize, x: f64) -> Column {
        let program = self.program;
        let stretch = &program.places[place].stretches[at];
        let response = stretch.response(x);
        let value = program.places[place].value * response;
        let mut amounts: Vec<(usize, f64)> = Vec::new();
        let mut add = |r: usize, amount: f64| {
            if amount != 0.0 {
                amounts.push((r, amount));
            }
        };
        let mut own = self.own_rows[place].iter().peekable();
        for &r in &self.shared_rows {
            while let Some(&&(other, coefficient)) = own.peek().filter(|term| term.0 < r) {
                add(other, coefficient * x);
                own.next();
            }
            let row = &program.rows[r];
            let mut coefficient = row.everyone;
            if let Some(&&(_, more)) = own.peek().filter(|term| term.0 == r) {
                coefficient += more;
                own.next();
            }
            let mut amount = coefficient * x + row.value * value + row.response * response;
            if stretch.active {
                amount += row.active;
            }
            if stretch.moved {
                amount += row.moved;
            }
            add(r, amount);
        }
        own.for_each(|&(r, coefficient)| add(r, coefficient * x));
        Column { place, objective: program.objective(place, at, x), amounts }
    }

    /// The case of these ranges; nothing where a place has no choice left.
    pub(crate) fn case(&self, ranges: &[Range]) -> Option<Case<'_, 'a>> {
        let mut own = BTreeMap::new();
        for (place, range) in ranges.iter().enumerate() {
            let stretches = &self.program.places[place].stretches;
            let whole = range.first == 0
                && range.last + 1 == stretches.len()
                && range.at_least <= stretches[0].from
                && range.at_most >= stretches[range.last].to;
            if whole {
                continue;
            }
            let left: Vec<_> = restricted(stretches, range);
            if left.is_empty() {
                return None;
            }
            own.insert(place, left);
        }
        Some(Case { base: &self.base, own })
    }

    /// Solves the relaxed problem of a case to `exact` (objective units), or until its bound is at most `enough`.
    pub(crate) fn relax(&mut self, ranges: &[Range], exact: impl Fn(f64) -> f64, enough: f64) -> Outcome {
        let places = self.program.places.len();
        let Some(Case { own, .. }) = self.case(ranges) else {
            return Outcome::Impossible(vec![0.0; self.sides.len()]);
        };
        let base = std::mem::take(&mut self.base);
        let case = Case { base: &base, own };
        for place in case.own.keys().copied().collect::<Vec<_>>() {
            for (at, stretch) in case.stretches(place).to_vec() {
                self.learn(place, at, stretch.from);
                self.learn(place, at, stretch.to);
                for corner in stretch.corners() {
                    self.learn(place, at, corner);
                }
            }
        }
        let mut best: Option<Relaxed> = None;
        let mut outcome = Outcome::Lost;
        // The gap of the best round, and the rounds since it last shrank by a tenth.
        let (mut smallest, mut stalled) = (f64::INFINITY, 0);
        for _ in 0..MOST_ROUNDS {
            self.rounds += 1;
            let allowed: Vec<(usize, usize)> = (0..places)
                .flat_map(|place| {
                    let known = &self.known[place];
                    let case = &case;
                    (0..known.len())
                        .filter(move |&j| allows(case.stretches(place), known[j].stretch, known[j].x))
                        .map(move |j| (place, j))
                })
                .collect();
            let columns = allowed.iter().map(|&(place, j)| &self.known[place][j].column);
            match master::solve(places, &self.sides, columns) {
                Mixture::Best { shares, multipliers } => {
                    let mut value = 0.0;
                    let mut parts = vec![Vec::new(); places];
                    for (&(place, j), &share) in allowed.iter().zip(&shares) {
                        let known = &mut self.known[place][j];
                        known.idle += 1;
                        if share > PRESENT {
                            known.idle = 0;
                            value += share * known.column.objective;
                            parts[place].push(Part { stretch: known.stretch, x: known.x, share });
                        }
                    }
                    let (bound, choices) = self.price(&case, &multipliers, 1.0);
                    let better = best.as_ref().is_none_or(|best| bound < best.bound);
                    if better {
                        best = Some(Relaxed { multipliers, bound, parts, value });
                    } else if let Some(best) = best.as_mut().filter(|best| value > best.value) {
                        (best.parts, best.value) = (parts, value);
                    }
                    let Some(found) = best.as_ref() else { break };
                    let done = found.bound - found.value <= exact(found.bound) || found.bound <= enough;
                    let gap = found.bound - found.value;
                    (smallest, stalled) =
                        if gap < 0.9 * smallest { (gap, 0) } else { (smallest, stalled + 1) };
                    let done = done || stalled >= MOST_STALLED;
                    let parts = found.parts.clone();
                    if done || !self.refine(&choices, &parts) {
                        break;
                    }
                }
                Mixture::Impossible { multipliers } => {
                    let (bound, choices) = self.price(&case, &multipliers, 0.0);
                    let scale: f64 =
                        self.sides.iter().zip(&multipliers).map(|(side, y)| (side.bound * y).abs()).sum();
                    if bound < -1e-9 * scale.max(f64::MIN_POSITIVE) {
                        outcome = Outcome::Impossible(multipliers);
                        break;
                    }
                    if !self.refine(&choices, &vec![Vec::new(); places]) {
                        break;
                    }
                }
                Mixture::Unknown => break,
            }
        }
        drop(case);
        self.base = base;
        self.forget();
        match best {
            Some(best) => Outcome::Solved(best),
            None => outcome,
        }
    }

    /// φ at the multipliers, and what each place chooses.
    pub(crate) fn price(
        &self,
        case: &Case<'_, 'a>,
        multipliers: &[f64],
        objective: f64,
    ) -> (f64, Vec<Choice>) {
        let prices = self.program.prices(multipliers, objective);
        let choices: Vec<Choice> = prices
            .iter()
            .enumerate()
            .map(|(place, prices)| Program::choose(case.stretches(place), prices))
            .collect();
        let bound = self.program.paid(multipliers) + choices.iter().map(|choice| choice.worth).sum::<f64>();
        (bound, choices)
    }

    /// Learns the choices at the prices, and spends around the mixtures; whether anything is new.
    fn refine(&mut self, choices: &[Choice], parts: &[Vec<Part>]) -> bool {
        let mut any = false;
        for (place, choice) in choices.iter().enumerate() {
            any |= self.learn(place, choice.stretch, choice.low);
            any |= self.learn(place, choice.stretch, choice.high);
            let (Some(first), Some(last)) = (parts[place].first(), parts[place].last()) else { continue };
            if first.stretch != last.stretch || first.x >= last.x {
                continue;
            }
            let total: f64 = parts[place].iter().map(|part| part.share).sum();
            let mean: f64 = parts[place].iter().map(|part| part.share * part.x).sum::<f64>() / total;
            any |= self.learn(place, first.stretch, mean);
            if choice.stretch == first.stretch {
                any |= self.learn(place, first.stretch, 0.5 * (mean + choice.low));
                any |= self.learn(place, first.stretch, 1.5 * mean - 0.5 * choice.low);
            }
        }
        any
    }

    /// Forgets choices that no mixture has used for long, but for the ends of stretches.
    fn forget(&mut self) {
        for (place, known) in self.known.iter_mut().enumerate() {
            if known.len() > 24 {
                let stretches = &self.program.places[place].stretches;
                known.retain(|known| {
                    let stretch = &stretches[known.stretch];
                    known.idle <= 8 || known.x <= stretch.from || known.x >= stretch.to
                });
            }
        }
    }
}

/// What a range leaves of stretches.
pub(crate) fn restricted<'a>(stretches: &[Stretch<'a>], range: &Range) -> Vec<(usize, Stretch<'a>)> {
    if range.is_empty() {
        return Vec::new();
    }
    let left = |at: usize| {
        let (from, to) = range.on(at);
        let stretch = &stretches[at];
        if from <= stretch.from && to >= stretch.to {
            Some(stretch.clone())
        } else {
            stretch.restricted(from, to)
        }
    };
    (range.first..=range.last.min(stretches.len() - 1))
        .filter_map(|at| left(at).map(|left| (at, left)))
        .collect()
}

fn allows(stretches: &[(usize, Stretch<'_>)], at: usize, x: f64) -> bool {
    stretches.iter().any(|(other, stretch)| *other == at && x >= stretch.from && x <= stretch.to)
}
