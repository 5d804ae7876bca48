//! Groups as a tree: which lies in which, and the arms in an order in which every group is one range.

use std::cmp::Reverse;
use std::ops::Range;

use crate::allocate::checked::Checked;
use crate::curve::column::Column;

/// A node of so many arms is solved by one thread, its arms close at hand.
pub(super) const SMALL: usize = 4096;
/// Arms of a larger node that lie in no smaller one stand together in nodes of so many, without limits.
const PIECE: usize = 1024;
/// One small node in so many is in a sample, but not fewer than [`FEW`] of a large one.
const SAMPLE_SHARE: usize = 16;
const FEW: usize = 16;

/// A group in the tree; the whole problem is node 0.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// The node that it lies in; the whole problem lies in itself.
    pub(super) parent: usize,
    /// Its subtree are the nodes from itself to here.
    pub(super) end: usize,
    pub(super) arms: Range<usize>,
    /// All segments of its arms.
    pub(super) segments: Range<usize>,
    pub(super) lower: f64,
    /// +∞ where there is none.
    pub(super) upper: f64,
    /// How often its total counts in that of its parent: 1, but for samples.
    pub(super) scale: f64,
    /// What its members spend at least, whatever its own lower bound says.
    pub(super) least: f64,
    /// What its members can spend at most, whatever its own upper bound says.
    pub(super) most: f64,
    /// The smallest upper bound of the groups around its own arms: what each of them can spend at most.
    pub(super) cap: f64,
}

/// Neighbouring arms of the same innermost node.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) arms: Range<usize>,
    pub(super) node: usize,
}

/// Limits on the total of some arms.
pub(super) struct Bounds<'m> {
    /// In increasing order.
    pub(super) arms: &'m [usize],
    pub(super) lower: f64,
    pub(super) upper: f64,
}

pub(super) struct Nest {
    /// Parents before children, in the order of the arms.
    pub(super) nodes: Vec<Node>,
    /// In the order of the arms.
    pub(super) segments: Vec<Segment>,
}

/// What the groups are once the arms are put in order.
pub(super) struct Sorted {
    pub(super) nest: Nest,
    /// The node of every group.
    pub(super) places: Vec<usize>,
    /// The arm at every place, where it is not the arm's own.
    pub(super) order: Option<Vec<usize>>,
}

impl Nest {
    /// The tree of some groups of n arms; nothing where two of them overlap without one lying in the other.
    pub(super) fn sorted(n: usize, lower: f64, upper: f64, groups: &[Bounds<'_>]) -> Option<Sorted> {
        let as_range = |group: &Bounds<'_>| {
            let (&first, &last) = (group.arms.first()?, group.arms.last()?);
            (last - first + 1 == group.arms.len()).then_some(first..last + 1)
        };
        let (order, ranges) = match groups.iter().map(as_range).collect::<Option<Vec<_>>>() {
            Some(ranges) => (None, ranges),
            None => {
                let (order, ranges) = in_order(n, groups)?;
                (Some(order), ranges)
            }
        };
        let limits = groups.iter().map(|group| (group.lower, group.upper)).collect::<Vec<_>>();
        let (nest, places) = Self::build(n, (lower, upper), &ranges, &limits)?;
        let loose = nest.loose();
        if loose.is_empty() {
            return Some(Sorted { nest, places, order });
        }
        let (mut ranges, mut limits) = (ranges, limits);
        limits.resize(ranges.len() + loose.len(), (0.0, f64::INFINITY));
        ranges.extend(loose);
        let (nest, mut places) = Self::build(n, (lower, upper), &ranges, &limits)?;
        places.truncate(groups.len());
        Some(Sorted { nest, places, order })
    }

    /// The arms of large nodes that lie in no small one, in pieces.
    fn loose(&self) -> Vec<Range<usize>> {
        let large = |segment: &&Segment| self.nodes[segment.node].arms.len() > SMALL;
        let segments = self.segments.iter().filter(large);
        segments.flat_map(|segment| super::arms::cut(segment.arms.clone(), PIECE)).collect()
    }

    /// The tree of some ranges, and the node of each; nothing where two overlap.
    fn build(
        n: usize,
        (lower, upper): (f64, f64),
        ranges: &[Range<usize>],
        limits: &[(f64, f64)],
    ) -> Option<(Self, Vec<usize>)> {
        let mut sorted: Vec<usize> = (0..ranges.len()).collect();
        sorted.sort_by_key(|&g| (ranges[g].start, Reverse(ranges[g].end)));

        let node = |parent, arms: Range<usize>, lower, upper| Node {
            parent,
            end: 0,
            arms,
            segments: 0..0,
            lower,
            upper,
            scale: 1.0,
            least: 0.0,
            most: 0.0,
            cap: f64::INFINITY,
        };
        let mut nodes = vec![node(0, 0..n, lower, upper)];
        let mut segments = Vec::new();
        let mut places = vec![0; ranges.len()];
        let mut way = vec![0];
        let mut reached = 0;
        let mut cover = |node: usize, to: usize, segments: &mut Vec<Segment>| {
            if reached < to {
                segments.push(Segment { arms: reached..to, node });
                reached = to;
            }
        };
        for g in sorted {
            let arms = ranges[g].clone();
            while let Some(&top) = way.last().filter(|&&top| nodes[top].arms.end <= arms.start && top > 0) {
                cover(top, nodes[top].arms.end, &mut segments);
                nodes[top].segments.end = segments.len();
                way.pop();
            }
            let parent = *way.last()?;
            if arms.end > nodes[parent].arms.end {
                return None;
            }
            cover(parent, arms.start, &mut segments);
            places[g] = nodes.len();
            way.push(nodes.len());
            nodes.push(node(parent, arms, limits[g].0, limits[g].1));
            if let Some(last) = nodes.last_mut() {
                last.segments.start = segments.len();
            }
        }
        while let Some(top) = way.pop() {
            cover(top, nodes[top].arms.end, &mut segments);
            nodes[top].segments.end = segments.len();
        }
        for k in (0..nodes.len()).rev() {
            let end = nodes[k].end.max(k + 1);
            nodes[k].end = end;
            let parent = nodes[k].parent;
            nodes[parent].end = nodes[parent].end.max(end);
        }
        Some((Self { nodes, segments }, places))
    }

    /// Whether a node is solved by passes in blocks and threads, and the nodes inside it after it.
    pub(super) fn is_large(&self, k: usize) -> bool {
        self.nodes[k].arms.len() > SMALL
    }

    /// The small nodes that lie directly in large ones, in order.
    pub(super) fn outermost_small(&self) -> Vec<usize> {
        let mut small = Vec::new();
        let mut k = 0;
        while k < self.nodes.len() {
            if self.is_large(k) {
                k += 1;
            } else {
                small.push(k);
                k = self.nodes[k].end;
            }
        }
        small
    }

    /// All large nodes with some of the small ones in each, which count for all.
    pub(super) fn sample(&self) -> Self {
        let small = self.outermost_small();
        let mut count = vec![(0, 0); self.nodes.len()];
        for &k in &small {
            count[self.nodes[k].parent].0 += 1;
        }
        let stride = |count: usize| (count / FEW).clamp(1, SAMPLE_SHARE);
        // Arms of all small nodes of a large one, and of those in the sample.
        let mut arms = vec![(0, 0); self.nodes.len()];
        let mut chosen = Vec::new();
        for &k in &small {
            let (parent, own) = (self.nodes[k].parent, self.nodes[k].arms.len());
            let (all, met) = &mut count[parent];
            arms[parent].0 += own;
            // One of every so many, its place among them scattered: groups may come in turns.
            let stride = stride(*all);
            let scattered = (*met / stride).wrapping_mul(0x9E37_79B1) >> 16;
            if *met % stride == scattered % stride {
                arms[parent].1 += own;
                chosen.push(k);
            }
            *met += 1;
        }
        let mut nest = Self { nodes: Vec::new(), segments: Vec::new() };
        let mut place = vec![0; self.nodes.len()];
        let mut chosen = chosen.into_iter().peekable();
        let mut k = 0;
        while k < self.nodes.len() {
            if !self.is_large(k) && chosen.next_if_eq(&k).is_none() {
                k = self.nodes[k].end;
                continue;
            }
            let last = if self.is_large(k) { k + 1 } else { self.nodes[k].end };
            #[allow(clippy::cast_precision_loss, reason = "counts")]
            for j in k..last {
                let node = &self.nodes[j];
                let (all, some) = arms[node.parent];
                let scale = if j == k && !self.is_large(k) { all as f64 / some as f64 } else { 1.0 };
                place[j] = nest.nodes.len();
                let start = nest.segments.len();
                nest.nodes.push(Node {
                    parent: place[node.parent],
                    scale,
                    segments: start..start,
                    ..node.clone()
                });
            }
            if !self.is_large(k) {
                for segment in &self.segments[self.nodes[k].segments.clone()] {
                    nest.segments.push(Segment { arms: segment.arms.clone(), node: place[segment.node] });
                }
            }
            k = last;
        }
        if let Some(root) = nest.nodes.first_mut() {
            root.segments = 0..nest.segments.len();
        }
        let end = nest.nodes.len();
        if let Some(root) = nest.nodes.first_mut() {
            root.end = end;
        }
        nest
    }

    /// Finds what every node can spend; whether its limits, those inside it and those of its arms can hold together.
    pub(super) fn fit(&mut self, problem: &Checked<'_>) -> bool {
        let Self { nodes, segments } = self;
        for segment in segments.iter() {
            let node = &mut nodes[segment.node];
            node.least += total_lower(problem, &segment.arms);
            node.most += total_upper(problem, &segment.arms);
        }
        for k in (0..nodes.len()).rev() {
            let node = &nodes[k];
            let (least, most) = (node.least.max(node.lower), node.most.min(node.upper));
            if node.least > node.upper * (1.0 + ROUNDING) || node.most < node.lower * (1.0 - ROUNDING) {
                return false;
            }
            let node = &mut nodes[k];
            // What misses by rounding does not miss.
            (node.lower, node.upper) = (node.lower.min(node.most), node.upper.max(node.least));
            if k > 0 {
                let parent = node.parent;
                nodes[parent].least += least;
                nodes[parent].most += most;
            }
        }
        for k in 1..nodes.len() {
            nodes[k].cap = nodes[k].upper.min(nodes[nodes[k].parent].cap);
        }
        true
    }
}

/// Share of a limit that is the rounding of a sum.
const ROUNDING: f64 = 1e-12;

/// Σ lower over some arms.
pub(super) fn total_lower(problem: &Checked<'_>, arms: &Range<usize>) -> f64 {
    match problem.lower {
        #[allow(clippy::cast_precision_loss, reason = "a count")]
        Column::Same(value) => value * arms.len() as f64,
        Column::Each(values) => values[arms.clone()].iter().sum(),
    }
}

/// Σ upper over some arms.
fn total_upper(problem: &Checked<'_>, arms: &Range<usize>) -> f64 {
    match problem.upper {
        Column::Same(value) if value.is_infinite() && problem.set.tables.is_empty() => f64::INFINITY,
        _ => arms.clone().map(|i| problem.upper(i)).sum(),
    }
}

/// No group.
const NONE: usize = usize::MAX;

/// An order of n arms (the arm at every place) in which every group is one range, and these ranges; nothing where two
/// groups overlap without one lying in the other.
fn in_order(n: usize, groups: &[Bounds<'_>]) -> Option<(Vec<usize>, Vec<Range<usize>>)> {
    let mut by_size: Vec<usize> = (0..groups.len()).collect();
    by_size.sort_by_key(|&g| Reverse(groups[g].arms.len()));
    let mut innermost = vec![NONE; n];
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); groups.len()];
    let mut outermost = Vec::new();
    for &g in &by_size {
        let outer = innermost[*groups[g].arms.first()?];
        for &arm in groups[g].arms {
            if innermost[arm] != outer {
                return None;
            }
            innermost[arm] = g;
        }
        if outer == NONE {
            outermost.push(g);
        } else {
            children[outer].push(g);
        }
    }
    // Depth first, in the order of the first arms.
    let first = |&g: &usize| groups[g].arms[0];
    outermost.sort_by_key(|g| Reverse(first(g)));
    let mut number = vec![0; groups.len()];
    let mut way = outermost;
    let mut met = 0;
    while let Some(g) = way.pop() {
        met += 1;
        number[g] = met;
        children[g].sort_by_key(|g| Reverse(first(g)));
        way.extend(&children[g]);
    }
    // Arms in the order of their groups' numbers.
    let key = |arm: usize| if innermost[arm] == NONE { 0 } else { number[innermost[arm]] };
    let mut starts = vec![0; met + 2];
    for arm in 0..n {
        starts[key(arm) + 1] += 1;
    }
    for at in 1..starts.len() {
        starts[at] += starts[at - 1];
    }
    let ranges = groups.iter().enumerate().map(|(g, group)| {
        let start = starts[number[g]];
        start..start + group.arms.len()
    });
    let ranges = ranges.collect();
    let mut order = vec![0; n];
    for arm in 0..n {
        let place = &mut starts[key(arm)];
        order[*place] = arm;
        *place += 1;
    }
    Some((order, ranges))
}
