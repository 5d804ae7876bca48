//! Arms that differ in nothing but a factor on their response.
//!
//! Let f_i = s_i φ and f_j = s_j φ with s_i ≥ s_j, φ nondecreasing, and the same allowed spends. Exchanging the spends
//! of i and j changes the value by (s_i − s_j)(φ(x_j) − φ(x_i)), which is not negative where x_j > x_i. So some best
//! plan has x_i ≥ x_j, and a search needs to look at no other: equal arms do not multiply its cases.

use std::collections::BTreeMap;

use super::checked::Checked;
use crate::curve::arm::Form;
use crate::curve::kind::Kind;

/// What must agree bit for bit, and the factor.
fn shape_and_scale(problem: &Checked<'_>, i: usize) -> (Vec<u64>, f64) {
    let arm = problem.arm(i);
    let scale = problem.weight(i) * arm.value;
    let mut key = vec![problem.lower(i).to_bits(), problem.cap(i).to_bits(), problem.active(i).to_bits()];
    let mut add = |values: &[f64]| key.extend(values.iter().map(|value| value.to_bits()));
    match arm.form {
        Form::Shape(kind, [first, second, third]) => {
            // The first parameter is a factor in every family but tanh.
            let (factor, own) = if kind == Kind::Tanh { (1.0, first) } else { (first, 0.0) };
            add(&[own, second, third, arm.cost, arm.offset, f64::from(kind as u8)]);
            (key, scale * factor)
        }
        Form::Mixture(mixture) => {
            add(&[arm.baseline, f64::from(mixture.kind as u8), -1.0]);
            // Two draws are a mean, two terms a sum.
            #[allow(clippy::cast_precision_loss, reason = "counts")]
            add(&[mixture.draws as f64, mixture.terms as f64]);
            mixture.elements.iter().for_each(|element| add(element));
            (key, scale)
        }
        Form::Table(table) => {
            add(&[arm.baseline, table.cost, table.offset, -2.0]);
            add(&table.spend);
            add(&table.mean);
            (key, scale)
        }
    }
}

/// Groups of at least two such arms, the largest factor first; arms that agree in it too stay in order.
pub(crate) fn orders(problem: &Checked<'_>, arms: impl Iterator<Item = usize>) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<Vec<u64>, Vec<(f64, usize)>> = BTreeMap::new();
    for i in arms {
        let (key, scale) = shape_and_scale(problem, i);
        groups.entry(key).or_default().push((scale, i));
    }
    groups
        .into_values()
        .filter(|group| group.len() > 1)
        .map(|mut group| {
            group.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            group.into_iter().map(|(_, i)| i).collect()
        })
        .collect()
}

/// Whether these arms may be assumed to spend no more than the one before them.
pub(crate) fn is_order(problem: &Checked<'_>, arms: &[usize]) -> bool {
    arms.windows(2).all(|pair| {
        if pair.iter().any(|&i| i >= problem.len()) {
            return false;
        }
        let (first, second) = (shape_and_scale(problem, pair[0]), shape_and_scale(problem, pair[1]));
        first.0 == second.0 && first.1 >= second.1
    })
}
