//! What the small nodes of a large one spend together, brought to the large one's target.

use super::nest::Nest;
use super::part::{Part, ROUNDING, SMOOTH};
use super::search::State;

/// The rest of a large node, and the small nodes inside it that may take it.
pub(super) struct Rests<'p, 's> {
    pub(super) nest: &'p Nest,
    pub(super) may_jump: bool,
    /// All small nodes inside it.
    pub(super) parts: &'p mut [Part<'s, 's, 's>],
    /// Of the large nodes.
    pub(super) large: &'p mut [State],
    pub(super) k: usize,
    pub(super) target: f64,
}

impl Rests<'_, '_> {
    /// Returns what the motion is worth.
    pub(super) fn settle(&mut self) -> f64 {
        /// Every round leaves a small part of the last rest.
        const MOST: usize = 8;
        let State { price, must, .. } = self.large[self.k];
        let tiny = 1e-3 * ROUNDING * self.target;
        let mut gain = 0.0;
        if self.may_jump && price > 0.0 {
            gain +=
                self.each(|part, rest| if rest > tiny { part.fill_outside(price, rest) } else { (0.0, 0.0) });
        }
        for _ in 0..MOST {
            let rest = self.rest();
            // A loss of half rest²/rate is nothing beside the target.
            let enough = rest * rest / (2.0 * ROUNDING * self.target);
            let enough = enough.max(rest.abs() / SMOOTH);
            let mut rate = 0.0;
            let rates = self.parts.iter().filter(|part| self.takes(part)).map(|part| part.outside_rate());
            let count = rates.take_while(|own| {
                let more = rate > -enough;
                rate += if more { *own } else { 0.0 };
                more
            });
            let mut count = count.count();
            let share = rest / rate;
            if rest.abs() <= tiny || !(rate < 0.0) || !(share.abs() < 1e6) {
                break;
            }
            gain += self.each(|part, _| {
                if count == 0 {
                    return (0.0, 0.0);
                }
                count -= 1;
                part.absorb(price, share)
            });
            if self.rest().abs() > 0.5 * rest.abs() {
                break;
            }
        }
        let rest = self.rest();
        if rest.abs() > tiny && (rest < 0.0 || must) {
            gain += self.each(|part, rest| if rest.abs() > tiny { part.force(rest) } else { (0.0, 0.0) });
        }
        gain
    }

    fn rest(&self) -> f64 {
        self.target - self.large[self.k].total
    }

    /// Whether a part has the price of the node.
    fn takes(&self, part: &Part<'_, '_, '_>) -> bool {
        self.large[part.parent()].payer == self.large[self.k].payer
    }

    /// Lets every part that has the price of the node move; each is told what may still be moved, and says how far it went and
    /// what that is worth. What would carry a node between across a limit is undone.
    fn each(&mut self, mut act: impl FnMut(&mut Part<'_, '_, '_>, f64) -> (f64, f64)) -> f64 {
        let nodes = &self.nest.nodes;
        let mut gain = 0.0;
        for at in 0..self.parts.len() {
            if !self.takes(&self.parts[at]) {
                continue;
            }
            let mut rest = self.rest();
            let (mut up, mut down) = (f64::INFINITY, f64::INFINITY);
            let mut j = self.parts[at].parent();
            while j > self.k {
                up = up.min(nodes[j].upper - self.large[j].total);
                down = down.min(self.large[j].total - nodes[j].lower);
                j = nodes[j].parent;
            }
            rest = rest.clamp(-down.max(0.0), up.max(0.0));
            let part = &mut self.parts[at];
            let before = if j < part.parent() { Some(part.columns.spend.to_vec()) } else { None };
            let (placed, worth) = act(part, rest);
            if placed > up || -placed > down {
                if let Some(before) = before {
                    part.restore(&before);
                }
                continue;
            }
            gain += worth;
            let mut j = part.parent();
            loop {
                self.large[j].total += placed;
                if j <= self.k {
                    break;
                }
                j = nodes[j].parent;
            }
        }
        gain
    }
}
