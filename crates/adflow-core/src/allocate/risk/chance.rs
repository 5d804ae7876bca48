//! The largest probability of reaching a target: branch and bound over which draws reach it.
//!
//! In a case some draws must reach the target and some count as missing it. A draw that is left open reaches it at most
//! max(1 − w R, −w m) + w R_s times, whatever the weight w ≥ 0, with m the least its outcome can be; a draw that must reach it
//! exactly once, and at most 1 + w (R_s − R) times. The sum over the draws is a problem with one curve per arm, whose φ(w, y) bounds
//! the count; weights and multipliers come from a climb on the shortfalls below the target.

use std::collections::BinaryHeap;

use super::super::coupled::{Incumbent, Stand};
use super::super::problem::Problem;
use super::super::program::Program;
use super::super::proof::Node;
use super::climb::{MOST_STEPS, climb, spends};
use super::measure::{count, outcomes};
use super::model::Measure;
use super::verify::phi;

/// Draws times arms times cases after which the search ends with the gap that is left, but for a few cases.
const MOST_WORK: usize = 300_000;
const FEW: usize = 3;
/// The same for the models of a climb, and for climbs that look for plans.
const STEPS_WORK: usize = 500_000;
const CLIMBS_WORK: usize = 400_000;
/// How much dearer than its share of the count a draw is that must reach the target.
const MUST: f64 = 1e4;

/// What a case says of a draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Open,
    Reaches,
    Misses,
}

struct Case {
    /// The most draws that can reach the target.
    most: usize,
    node: usize,
    fates: Vec<Fate>,
    stands: Vec<Stand>,
    cut: usize,
}

impl PartialEq for Case {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Case {}
impl PartialOrd for Case {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Case {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // Of equal cases the later one: deep before wide.
        self.most.cmp(&other.most).then(self.node.cmp(&other.node))
    }
}

struct Search<'p, 'a> {
    problem: &'p Problem,
    program: &'p Program<'a>,
    target: f64,
    least: Vec<f64>,
    best: Incumbent,
    reached: usize,
    nodes: Vec<Node>,
    rounds: usize,
}

/// The least outcome of every draw: curves do not fall, so that of the smallest spends.
fn least(problem: &Problem, program: &Program<'_>) -> Vec<f64> {
    let smallest: Vec<f64> = program
        .places
        .iter()
        .map(|place| place.stretches.iter().map(|stretch| stretch.from).fold(f64::INFINITY, f64::min))
        .collect();
    outcomes(problem, &smallest)
}

fn reached(outcomes: &[f64], target: f64) -> usize {
    outcomes.iter().filter(|&&outcome| outcome >= target).count()
}

/// The best plan found, the bound, the proof, and the number of climbs.
pub(super) fn search(
    problem: &Problem,
    program: &Program<'_>,
    target: f64,
    start: Incumbent,
    stop: &dyn Fn() -> bool,
) -> (Incumbent, f64, Vec<Node>, usize) {
    let draws = problem.curves.draws();
    let first = reached(&outcomes(problem, &spends(&start.stands)), target);
    let least = least(problem, program);
    let stands = start.stands.clone();
    let mut search =
        Search { problem, program, target, least, best: start, reached: first, nodes: Vec::new(), rounds: 0 };
    search.push_up(stands.clone(), stop);
    let most_nodes = (MOST_WORK / (draws * problem.curves.len())).max(FEW);
    let mut open = BinaryHeap::new();
    search.add(vec![Fate::Open; draws], &stands, &mut open, stop);
    while let Some(case) = open.pop() {
        if case.most <= search.reached || search.nodes.len() >= most_nodes || stop() {
            break;
        }
        let first = search.nodes.len();
        search.nodes[case.node] = Node::Draw { draw: case.cut, reaches: first, misses: first + 1 };
        for fate in [Fate::Reaches, Fate::Misses] {
            let mut fates = case.fates.clone();
            fates[case.cut] = fate;
            search.add(fates, &case.stands, &mut open, stop);
        }
    }
    let Search { mut best, reached, nodes, rounds, .. } = search;
    best.value = count(reached) / count(draws);
    let bound = bound(problem, program, &nodes, target).max(best.value);
    (best, bound, nodes, rounds)
}

impl Search<'_, '_> {
    fn offer(&mut self, stands: &[Stand]) {
        let own = reached(&outcomes(self.problem, &spends(stands)), self.target);
        if own > self.reached && self.program.keeps(stands, 1e-9) {
            self.reached = own;
            self.best.stands = stands.to_vec();
        }
    }

    /// Climbs on the shortfalls of some draws, each with a cost.
    fn pursue(&mut self, costs: Vec<f64>, start: Vec<Stand>, stop: &dyn Fn() -> bool) -> super::climb::Climb {
        // A little more than asked, so that rounding leaves enough.
        let levels = vec![self.target * (1.0 + 1e-9); costs.len()];
        let weights = costs.iter().map(|cost| 0.5 * cost).collect();
        let measure = Measure::Shortfall { levels, costs, free: false };
        self.rounds += 1;
        let steps = (STEPS_WORK / (self.least.len() * start.len())).clamp(5, MOST_STEPS);
        let found = climb(self.problem, self.program, &measure, start, weights, (false, steps), stop);
        self.offer(&found.stands);
        found
    }

    /// Plans by search: the draws that do best in a plan, and some more, are all asked to reach the target.
    fn push_up(&mut self, start: Vec<Stand>, stop: &dyn Fn() -> bool) {
        let draws = self.least.len();
        let mut stands = start;
        let mut more = (draws / 8).max(1);
        for _ in 0..(CLIMBS_WORK / (draws * stands.len())).clamp(4, 24) {
            let now = outcomes(self.problem, &spends(&stands));
            let mut order: Vec<usize> = (0..draws).collect();
            order.sort_by(|&a, &b| now[b].total_cmp(&now[a]).then(a.cmp(&b)));
            let asked = (self.reached + more).min(draws);
            let mut costs = vec![0.0; draws];
            order[..asked].iter().for_each(|&draw| costs[draw] = 1.0 / self.target.max(f64::MIN_POSITIVE));
            let before = self.reached;
            let found = self.pursue(costs, stands.clone(), stop);
            if self.reached > before {
                stands.clone_from(&self.best.stands);
            } else if more > 1 {
                more /= 2;
                stands = found.stands;
            } else {
                break;
            }
            if self.reached == draws || stop() {
                break;
            }
        }
    }

    /// Bounds a new case; lets it wait where it may hold something better.
    fn add(
        &mut self,
        fates: Vec<Fate>,
        start: &[Stand],
        open: &mut BinaryHeap<Case>,
        stop: &dyn Fn() -> bool,
    ) {
        let node = self.nodes.len();
        let cost = |draw: usize| {
            let room = self.target - self.least[draw];
            match fates[draw] {
                _ if !(room > 0.0) => 0.0,
                Fate::Open => 1.0 / room,
                Fate::Reaches => MUST * count(fates.len()) / room,
                Fate::Misses => 0.0,
            }
        };
        let costs: Vec<f64> = (0..fates.len()).map(cost).collect();
        let found = self.pursue(costs, start.to_vec(), stop);
        let weights: Vec<f64> = found
            .weights
            .iter()
            .zip(&fates)
            .enumerate()
            .map(|(draw, (w, fate))| {
                let room = self.target - self.least[draw];
                if *fate == Fate::Misses || !(room > 0.0) || w * room <= 1e-9 { 0.0 } else { *w }
            })
            .collect();
        let values = found.multipliers.clone();
        let most = most(self.problem, self.program, &fates, &self.least, self.target, &weights, &values);
        self.nodes.push(Node::Weights { draws: weights, values });
        // The open draw about which the climb is least decided.
        let doubt = |draw: usize| {
            let room = self.target - self.least[draw];
            if !(room > 0.0) {
                return None;
            }
            let share = ((found.outcomes[draw] - self.least[draw]) / room).clamp(0.0, 1.0);
            Some(if share >= 1.0 { -1.0 } else { 0.5 - (share - 0.5).abs() })
        };
        let cut = (0..fates.len())
            .filter(|&draw| fates[draw] == Fate::Open)
            .filter_map(|draw| doubt(draw).map(|doubt| (draw, doubt)))
            .reduce(|a, b| if b.1 > a.1 { b } else { a });
        if let Some((cut, _)) = cut.filter(|_| most > self.reached) {
            open.push(Case { most, node, fates, stands: found.stands, cut });
        }
    }
}

/// The most draws that can reach the target in a case: φ of its weights and multipliers, rounded down.
fn most(
    problem: &Problem,
    program: &Program<'_>,
    fates: &[Fate],
    least: &[f64],
    target: f64,
    weights: &[f64],
    values: &[f64],
) -> usize {
    let mut constant = 0.0;
    let mut possible = 0;
    for ((fate, &m), &w) in fates.iter().zip(least).zip(weights) {
        match fate {
            Fate::Misses => continue,
            Fate::Reaches => constant += 1.0 - w * target,
            Fate::Open => constant += if w > 0.0 { (1.0 - w * target).max(-w * m) } else { 1.0 },
        }
        possible += 1;
    }
    // Rounding of what is added up, relative to the largest of it.
    let size = weights.iter().map(|w| w * target).sum::<f64>() + 1.0;
    let bound = constant + phi(problem, program, weights, values, size);
    if bound.is_nan() || bound >= count(possible) {
        return possible;
    }
    let whole = (bound + 1e-7 + 1e-9 * size).floor().max(0.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to the number of draws")]
    let whole = whole as usize;
    whole.min(possible)
}

/// The bound that a proof shows: the largest count over its cases, as a share of the draws; +∞ where it shows nothing.
pub(super) fn bound(problem: &Problem, program: &Program<'_>, nodes: &[Node], target: f64) -> f64 {
    let draws = problem.curves.draws();
    let least = least(problem, program);
    let mut largest = 0;
    let mut visited = 0;
    let mut waiting = vec![(0, vec![Fate::Open; draws])];
    while let Some((at, fates)) = waiting.pop() {
        visited += 1;
        match nodes.get(at) {
            Some(_) if visited > nodes.len() => return f64::INFINITY,
            Some(Node::Weights { draws: weights, values }) => {
                let some = weights.len() == draws && weights.iter().all(|w| w.is_finite() && *w >= 0.0);
                let signs = values.len() == program.rows.len()
                    && values
                        .iter()
                        .zip(&program.rows)
                        .all(|(y, row)| y.is_finite() && (row.equal || *y >= 0.0));
                if !some || !signs {
                    return f64::INFINITY;
                }
                largest = largest.max(most(problem, program, &fates, &least, target, weights, values));
            }
            Some(&Node::Draw { draw, reaches, misses }) if draw < draws => {
                let (mut one, mut other) = (fates.clone(), fates);
                one[draw] = Fate::Reaches;
                other[draw] = Fate::Misses;
                waiting.push((reaches, one));
                waiting.push((misses, other));
            }
            _ => return f64::INFINITY,
        }
    }
    count(largest) / count(draws)
}
