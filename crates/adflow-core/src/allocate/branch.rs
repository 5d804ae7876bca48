//! Branch and bound: closes the gap that S-shaped curves and zero-or-minimum arms leave at the root.
//!
//! The relaxed problem of a node is the concave envelope of every arm on the node's bounds; at its price all but
//! a few arms stand on their curve, and the first that stands on a chord is where the node is cut (M. Udell and
//! S. Boyd, "Maximizing a sum of sigmoids", 2013). By the Shapley–Folkman theorem one budget row leaves at most one such
//! arm, which is why large problems close by themselves.

use std::collections::BinaryHeap;

use super::book::{Book, Cut};
use super::checked::Checked;
use super::demand::{Demand, Workspace, Worth, evaluate};
use super::plan::gap;
use super::proof::{Node, Proof};
use super::reachable;
use super::relax::relax;
use crate::error::Result;

/// Nodes after which the search ends with the gap that is left: some minutes of work at a hundred arms, and a
/// proof that still fits in memory. The same on every machine, unlike a time limit.
const MOST_NODES: usize = 200_000;

/// What a search found; the plan itself is in the workspace.
pub(crate) struct Found {
    pub(crate) shadow_price: f64,
    pub(crate) worth: Worth,
    pub(crate) upper_bound: f64,
    pub(crate) proof: Proof,
    pub(crate) iterations: usize,
}

/// Solves a checked problem to the tolerance, or until `stop`.
pub(crate) fn best(
    problem: &Checked<'_>,
    work: &mut Workspace,
    tolerance: f64,
    threads: usize,
    stop: &dyn Fn() -> bool,
) -> Result<Found> {
    let witness = reachable::witness(problem)?;
    let root = relax(problem, &mut Demand::new(problem, work, threads), tolerance);
    let short = problem.spend_all && root.worth.total_spend < problem.budget * (1.0 - 1e-12);
    if !short && gap(root.worth.value, root.bound) <= tolerance {
        return Ok(Found {
            shadow_price: root.lambda,
            worth: root.worth,
            upper_bound: root.bound,
            proof: Proof::at_price(root.lambda),
            iterations: root.passes,
        });
    }

    let mut search = Search::new(problem, tolerance);
    if let Some(witness) = witness {
        search.offer(witness, root.lambda);
    }
    if !short {
        search.offer(std::mem::take(&mut work.spend), root.lambda);
    }
    let outcome = search.run(root.lambda, stop);
    work.spend = search.incumbent.spend;
    let worth = evaluate(problem, threads, work);
    Ok(Found {
        shadow_price: search.incumbent.price,
        worth,
        upper_bound: outcome.max(worth.value),
        proof: Proof { nodes: search.nodes, orders: search.book.orders() },
        iterations: root.passes + search.passes,
    })
}

/// The best plan so far.
struct Incumbent {
    spend: Vec<f64>,
    value: f64,
    price: f64,
}

/// A node that still waits, ordered by its bound.
struct Open {
    bound: f64,
    node: usize,
    cut: Cut,
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
    /// The largest bound first; among equals the youngest, which goes deep.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.bound.total_cmp(&other.bound).then(self.node.cmp(&other.node))
    }
}

struct Search<'a> {
    book: Book<'a>,
    tolerance: f64,
    incumbent: Incumbent,
    /// The tree as proof, and for every node its parent.
    nodes: Vec<Node>,
    parents: Vec<Option<usize>>,
    /// Largest bound among the leaves that are closed.
    closed: f64,
    passes: usize,
}

impl<'a> Search<'a> {
    fn new(problem: &'a Checked<'a>, tolerance: f64) -> Self {
        let book = Book::new(problem);
        let spend: Vec<f64> = (0..problem.len()).map(|i| problem.lower(i)).collect();
        let value = if problem.spend_all { f64::NEG_INFINITY } else { book.value(&spend) };
        Self {
            book,
            tolerance,
            incumbent: Incumbent { spend, value, price: 0.0 },
            nodes: Vec::new(),
            parents: Vec::new(),
            closed: f64::NEG_INFINITY,
            passes: 0,
        }
    }

    /// Takes a plan if it is better than the best so far.
    fn offer(&mut self, spend: Vec<f64>, price: f64) {
        let value = self.book.value(&spend);
        if value > self.incumbent.value {
            self.incumbent = Incumbent { spend, value, price };
        }
    }

    /// Searches until the gap is closed; returns the bound that is left.
    fn run(&mut self, start: f64, stop: &dyn Fn() -> bool) -> f64 {
        let mut open = BinaryHeap::new();
        self.add(None, start, &mut open);
        let mut unfinished = f64::NEG_INFINITY;
        while let Some(next) = open.pop() {
            if self.is_closed(next.bound) {
                // Best first: nothing that waits is better.
                unfinished = next.bound;
                break;
            }
            if self.nodes.len() >= MOST_NODES || stop() {
                unfinished = next.bound;
                break;
            }
            let price = match self.nodes[next.node] {
                Node::Leaf { price } => price.unwrap_or(start),
                _ => start,
            };
            let first = self.nodes.len();
            let Cut { arm, at_most, at_least } = next.cut;
            self.nodes[next.node] = Node::Branch { arm, at_most, at_least, below: first, above: first + 1 };
            self.add(Some(next.node), price, &mut open);
            self.add(Some(next.node), price, &mut open);
        }
        self.closed.max(unfinished).max(self.incumbent.value)
    }

    fn is_closed(&self, bound: f64) -> bool {
        gap(self.incumbent.value, bound) <= self.tolerance
    }

    /// Evaluates a new node, the child of `parent` that comes next; lets it wait or closes it.
    fn add(&mut self, parent: Option<usize>, price: f64, open: &mut BinaryHeap<Open>) {
        let node = self.nodes.len();
        self.nodes.push(Node::leaf(f64::INFINITY));
        self.parents.push(parent);
        self.bind(node);
        if self.book.is_infeasible() {
            return;
        }
        let relaxed = self.book.relax(price);
        self.passes += relaxed.passes;
        self.nodes[node] = Node::leaf(relaxed.lambda);
        if !self.is_closed(relaxed.bound) {
            for candidate in self.book.candidates(&relaxed) {
                self.offer(candidate.0, candidate.1);
            }
        }
        match relaxed.cut {
            Some(cut) if !self.is_closed(relaxed.bound) => {
                open.push(Open { bound: relaxed.bound, node, cut })
            }
            _ => self.closed = self.closed.max(relaxed.bound),
        }
    }

    /// Puts the book on the bounds of a node: those of all branches above it.
    fn bind(&mut self, node: usize) {
        let mut path = Vec::new();
        let mut child = node;
        while let Some(parent) = self.parents[child] {
            if let Node::Branch { arm, at_most, at_least, below, .. } = self.nodes[parent] {
                path.push((arm, if below == child { Ok(at_most) } else { Err(at_least) }));
            }
            child = parent;
        }
        path.reverse();
        self.book.bind(&path);
    }
}
