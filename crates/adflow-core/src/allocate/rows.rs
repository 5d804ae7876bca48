//! The limits on several arms together, as rows over what arms spend, bring, and do.
//!
//! Every such limit is one inequality (or, for a budget that must be spent, an equality)
//!
//! ```text
//! Σ_i (a_i + e) x_i + r Σ_i v_i f_i(x_i) + q Σ_i f_i(x_i) + k Σ_i [x_i > 0] + m Σ_i [x_i ≠ current_i] ≤ b
//! ```
//!
//! so that one multiplier per row makes the arms independent of each other.

use std::collections::BTreeMap;

use super::goal::Target;
use super::group::{Group, Member};
use super::problem::Problem;
use crate::error::{Error, Limit, Result};

/// One limit on several arms.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// What the caller called it.
    pub(crate) limit: Limit,
    /// a: coefficients of some arms' spends.
    pub(crate) terms: Vec<(usize, f64)>,
    /// e: coefficient of every arm's spend.
    pub(crate) everyone: f64,
    /// r: coefficient of the value of the response; at most 0.
    pub(crate) value: f64,
    /// q: coefficient of the response; at most 0.
    pub(crate) response: f64,
    /// k: coefficient of the number of active arms.
    pub(crate) active: f64,
    /// m: coefficient of the number of moved arms.
    pub(crate) moved: f64,
    /// Whether the two sides must be equal.
    pub(crate) equal: bool,
    /// b.
    pub(crate) bound: f64,
}

impl Row {
    pub(crate) fn over(limit: Limit, terms: Vec<(usize, f64)>, bound: f64) -> Self {
        Self {
            limit,
            terms,
            everyone: 0.0,
            value: 0.0,
            response: 0.0,
            active: 0.0,
            moved: 0.0,
            equal: false,
            bound,
        }
    }
}

/// A group with its arms: those of its members, each once, in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Members {
    pub(crate) arms: Vec<usize>,
}

impl Problem {
    /// The rows of all limits, in this order: budget, groups as given (each: lower, upper, least share, largest share),
    /// coupling rows, target, most active arms, most moved arms.
    ///
    /// # Errors
    /// What is wrong with a group, a coupling row or the target.
    pub(crate) fn rows(&self) -> Result<Vec<Row>> {
        self.rows_of(&self.members()?)
    }

    /// [`rows`](Self::rows), the arms of the groups at hand.
    pub(crate) fn rows_of(&self, members: &[Members]) -> Result<Vec<Row>> {
        let plain = |limit, bound| Limit { limit, arm: None, name: None, bound };
        let mut rows = Vec::new();
        if let Some(budget) = self.budget {
            let mut row = Row::over(plain("budget", budget), Vec::new(), budget);
            row.everyone = 1.0;
            row.equal = self.spend_all;
            rows.push(row);
        }
        for (group, members) in self.groups.iter().zip(members) {
            let named = |limit, bound| Limit { limit, arm: None, name: Some(group.name.clone()), bound };
            let sum = |sign: f64| members.arms.iter().map(|&arm| (arm, sign)).collect::<Vec<_>>();
            if let Some(lower) = group.lower.filter(|&lower| lower > 0.0) {
                rows.push(Row::over(named("group_lower", lower), sum(-1.0), -lower));
            }
            if let Some(upper) = group.upper.filter(|upper| upper.is_finite()) {
                rows.push(Row::over(named("group_upper", upper), sum(1.0), upper));
            }
            if let Some(share) = group.share_lower.filter(|&share| share > 0.0) {
                let mut row = Row::over(named("group_share_lower", share), sum(-1.0), 0.0);
                row.everyone = share;
                rows.push(row);
            }
            if let Some(share) = group.share_upper.filter(|&share| share < 1.0) {
                let mut row = Row::over(named("group_share_upper", share), sum(1.0), 0.0);
                row.everyone = -share;
                rows.push(row);
            }
        }
        for (r, row) in self.coupling.rows.iter().enumerate() {
            let name = Some(row.name.clone().unwrap_or_else(|| format!("row {r}")));
            let limit = Limit { limit: "coupling", arm: None, name, bound: row.upper };
            rows.push(Row::over(limit, self.coupling_terms(r)?, row.upper));
        }
        if let Some(target) = self.target {
            let mut row = Row::over(plain("target", target.level()), Vec::new(), 0.0);
            match target {
                Target::Response(level) => {
                    row.value = -1.0;
                    row.bound = -level;
                }
                Target::Roas(level) => {
                    row.value = -1.0;
                    row.everyone = level;
                }
                Target::Cpa(level) => {
                    row.response = -level;
                    row.everyone = 1.0;
                }
                // A condition on each arm by itself.
                Target::MarginalRoas(_) => {}
            }
            if !matches!(target, Target::MarginalRoas(_)) {
                rows.push(row);
            }
        }
        #[allow(clippy::cast_precision_loss, reason = "a count of arms")]
        for (limit, most) in [("max_active", self.max_active), ("max_moves", self.max_moves)] {
            let Some(most) = most.filter(|&most| most < self.curves.len()) else { continue };
            let mut row = Row::over(plain(limit, most as f64), Vec::new(), most as f64);
            if limit == "max_active" {
                row.active = 1.0;
            } else {
                row.moved = 1.0;
            }
            rows.push(row);
        }
        Ok(rows)
    }

    /// Row r of the coupling with one coefficient per arm.
    fn coupling_terms(&self, r: usize) -> Result<Vec<(usize, f64)>> {
        let row = &self.coupling.rows[r];
        if !row.upper.is_finite() {
            return Err(Error::NotFinite { field: format!("coupling.upper[{r}]"), value: row.upper });
        }
        if row.upper.abs() > 1e60 {
            return Err(Error::out_of_domain(
                format!("coupling.upper[{r}]"),
                "from -1e60 to 1e60",
                row.upper,
            ));
        }
        let mut terms: BTreeMap<usize, f64> = BTreeMap::new();
        for (at, &(arm, coefficient)) in row.terms.iter().enumerate() {
            if arm >= self.curves.len() {
                let expected = format!("an arm, below {}", self.curves.len());
                return Err(Error::out_of_domain(format!("coupling.matrix[{r}].arms[{at}]"), expected, arm));
            }
            let field = || format!("coupling.matrix[{r}].coefficients[{at}]");
            if !coefficient.is_finite() {
                return Err(Error::NotFinite { field: field(), value: coefficient });
            }
            if coefficient.abs() > 1e60 {
                return Err(Error::out_of_domain(field(), "from -1e60 to 1e60", coefficient));
            }
            *terms.entry(arm).or_insert(0.0) += coefficient;
        }
        Ok(terms.into_iter().filter(|term| term.1 != 0.0).collect())
    }

    /// The arms of every group.
    ///
    /// # Errors
    /// [`Error::UnknownName`], [`Error::DuplicateName`], [`Error::CyclicGroup`], [`Error::Empty`], and numbers outside
    /// their domain.
    pub(crate) fn members(&self) -> Result<Vec<Members>> {
        let names: BTreeMap<&str, usize> =
            self.groups.iter().enumerate().map(|(g, group)| (group.name.as_str(), g)).collect();
        for (second, group) in self.groups.iter().enumerate() {
            let twice = names.len() < self.groups.len();
            let same = |other: &Group| twice && other.name == group.name;
            let first = if twice { self.groups.iter().position(same).unwrap_or(second) } else { second };
            if first < second {
                return Err(Error::DuplicateName { name: group.name.clone(), first, second });
            }
            group.check(second)?;
        }
        if self.groups.is_empty() {
            return Ok(Vec::new());
        }
        let by_name =
            self.groups.iter().flat_map(|group| &group.members).any(|m| matches!(m, Member::Name(_)));
        let arms: BTreeMap<&str, usize> = match self.curves.names().filter(|_| by_name) {
            Some(names) => names.iter().enumerate().map(|(i, name)| (name.as_str(), i)).collect(),
            None => BTreeMap::new(),
        };
        let mut found: Vec<Option<Members>> = vec![None; self.groups.len()];
        // Depth first, with the groups on the way: one met again contains itself.
        for start in 0..self.groups.len() {
            let mut way = vec![start];
            while let Some(&g) = way.last() {
                if found[g].is_some() {
                    way.pop();
                    continue;
                }
                let mut own = Vec::new();
                let mut waits = None;
                for (at, member) in self.groups[g].members.iter().enumerate() {
                    let field = || format!("groups[{g}].members[{at}]");
                    match member {
                        Member::Arm(arm) if *arm < self.curves.len() => own.push(*arm),
                        Member::Arm(arm) => {
                            let expected = format!("an arm, below {}", self.curves.len());
                            return Err(Error::out_of_domain(field(), expected, arm));
                        }
                        Member::Name(name) => match (arms.get(name.as_str()), names.get(name.as_str())) {
                            (Some(&arm), _) => own.push(arm),
                            (None, Some(&inner)) => match &found[inner] {
                                Some(members) => own.extend(&members.arms),
                                None if way.contains(&inner) => {
                                    return Err(Error::CyclicGroup { name: name.clone() });
                                }
                                None => waits = Some(inner),
                            },
                            (None, None) => {
                                return Err(Error::UnknownName { field: field(), name: name.clone() });
                            }
                        },
                    }
                }
                if let Some(inner) = waits {
                    way.push(inner);
                    continue;
                }
                let members = self.groups[g].members.len();
                own.sort_unstable();
                let count = own.len();
                own.dedup();
                if own.len() < count {
                    let expected = "made of members that share no arm";
                    let got = format!("an arm twice among {members} members");
                    return Err(Error::out_of_domain(format!("groups[{g}].members"), expected, got));
                }
                found[g] = Some(Members { arms: own });
                way.pop();
            }
        }
        Ok(found.into_iter().flatten().collect())
    }
}

impl Group {
    fn check(&self, g: usize) -> Result<()> {
        if self.members.is_empty() {
            return Err(Error::Empty { field: format!("groups[{g}].members") });
        }
        for (field, bound) in [("lower", self.lower), ("upper", self.upper)] {
            let Some(bound) = bound else { continue };
            let none = field == "upper" && bound.is_infinite() && bound > 0.0;
            if !bound.is_finite() && !none {
                return Err(Error::NotFinite { field: format!("groups[{g}].{field}"), value: bound });
            }
            if !none && !(0.0..=1e60).contains(&bound) {
                return Err(Error::out_of_domain(format!("groups[{g}].{field}"), "from 0 to 1e60", bound));
            }
        }
        for (field, share) in [("share_lower", self.share_lower), ("share_upper", self.share_upper)] {
            match share {
                Some(share) if !(0.0..=1.0).contains(&share) => {
                    return Err(Error::out_of_domain(format!("groups[{g}].{field}"), "from 0 to 1", share));
                }
                _ => {}
            }
        }
        let pair = |lower: Option<f64>, upper: Option<f64>| match (lower, upper) {
            (Some(lower), Some(upper)) if lower > upper => {
                Err(Error::LowerAboveUpper { arm: format!("group {}", self.name), lower, upper })
            }
            _ => Ok(()),
        };
        pair(self.lower, self.upper)?;
        pair(self.share_lower, self.share_upper)
    }
}
