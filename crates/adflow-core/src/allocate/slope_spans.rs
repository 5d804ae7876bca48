//! Where a curve's slope is at least a number.

use crate::curve::arm::{Arm, Curvature};

/// The intervals of [from, to] on which f′ ≥ floor, left to right. On each piece of one curvature the slope is
/// monotone, so one end of an interval is found by bisection to the last bit.
pub(crate) fn above(arm: &Arm<'_>, floor: f64, from: f64, to: f64) -> Vec<(f64, f64)> {
    let mut spans: Vec<(f64, f64)> = Vec::new();
    let mut push = |from: f64, to: f64| match spans.last_mut() {
        Some(last) if from <= last.1 => last.1 = last.1.max(to),
        _ => spans.push((from, to)),
    };
    for piece in arm.pieces(from, to) {
        let middle = 0.5 * (piece.from + piece.to);
        match piece.curvature {
            Curvature::Concave => {
                let first = if piece.from <= 0.0 { f64::MIN_POSITIVE.min(piece.to) } else { piece.from };
                if arm.slope(first) >= floor {
                    push(piece.from, last_where(|x| arm.slope(x) >= floor, piece.from, piece.to));
                }
            }
            Curvature::Convex => {
                if arm.slope(piece.to) >= floor {
                    let below = |x: f64| arm.slope(x) < floor;
                    let start =
                        if below(piece.from) { last_where(below, piece.from, piece.to) } else { piece.from };
                    push(if below(start) { start.next_up() } else { start }, piece.to);
                }
            }
            Curvature::Linear | Curvature::Thin => {
                if arm.slope(middle) >= floor {
                    push(piece.from, piece.to);
                }
            }
            Curvature::Hole => {}
        }
    }
    spans
}

/// The last x in [from, to] at which a condition holds that holds at `from` and, once lost, stays lost.
fn last_where(holds: impl Fn(f64) -> bool, from: f64, to: f64) -> f64 {
    if holds(to) {
        return to;
    }
    let (mut low, mut high) = (from, to);
    for _ in 0..1100 {
        let middle =
            if low > 0.0 && high > 4.0 * low { low.sqrt() * high.sqrt() } else { 0.5 * (low + high) };
        if middle <= low || middle >= high {
            break;
        }
        if holds(middle) { low = middle } else { high = middle }
    }
    low
}
