//! Limits on the sum of several arms.

/// Limits on what several arms spend together, in money and as a share of all that is spent:
///
/// ```text
/// lower ≤ Σ_{i ∈ g} x_i ≤ upper        share_lower · Σ x ≤ Σ_{i ∈ g} x_i ≤ share_upper · Σ x
/// ```
///
/// Members are arms, by index or name, or other groups by name, whose arms all count. Groups usually form a tree
/// (platform → campaign → ad group); they may overlap too.
///
/// # Examples
/// ```
/// use adflow_core::{Group, Problem, ResponseCurves};
///
/// let curves = ResponseCurves::michaelis_menten([9.0, 7.0, 5.0], [4.0, 4.0, 4.0])?;
/// let plan = Problem::new(curves)
///     .budget(10.0)
///     .groups([Group::new("video", [0, 1]).upper(4.0), Group::new("all", ["video"]).member(2).lower(8.0)])
///     .solve()?;
/// assert!(plan.spend[0] + plan.spend[1] <= 4.0 + 1e-9);
/// # Ok::<(), adflow_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub(crate) name: String,
    pub(crate) members: Vec<Member>,
    pub(crate) lower: Option<f64>,
    pub(crate) upper: Option<f64>,
    pub(crate) share_lower: Option<f64>,
    pub(crate) share_upper: Option<f64>,
}

/// A member of a group: an arm by index, or an arm or a group by name (arms first).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Member {
    /// An arm.
    Arm(usize),
    /// An arm or another group.
    Name(String),
}

impl From<usize> for Member {
    fn from(arm: usize) -> Self {
        Self::Arm(arm)
    }
}

impl From<&str> for Member {
    fn from(name: &str) -> Self {
        Self::Name(name.into())
    }
}

impl From<String> for Member {
    fn from(name: String) -> Self {
        Self::Name(name)
    }
}

impl Group {
    /// A group of these members, without limits yet.
    #[must_use]
    pub fn new(name: impl Into<String>, members: impl IntoIterator<Item = impl Into<Member>>) -> Self {
        Self {
            name: name.into(),
            members: members.into_iter().map(Into::into).collect(),
            lower: None,
            upper: None,
            share_lower: None,
            share_upper: None,
        }
    }

    /// Adds a member.
    #[must_use]
    pub fn member(mut self, member: impl Into<Member>) -> Self {
        self.members.push(member.into());
        self
    }

    /// The least that the group spends (money, 0 to 1e60).
    #[must_use]
    pub fn lower(mut self, lower: f64) -> Self {
        self.lower = Some(lower);
        self
    }

    /// The most that the group spends (money, 0 to 1e60, +∞ for none).
    #[must_use]
    pub fn upper(mut self, upper: f64) -> Self {
        self.upper = Some(upper);
        self
    }

    /// The least share of all that is spent (0 to 1).
    #[must_use]
    pub fn share_lower(mut self, share: f64) -> Self {
        self.share_lower = Some(share);
        self
    }

    /// The largest share of all that is spent (0 to 1).
    #[must_use]
    pub fn share_upper(mut self, share: f64) -> Self {
        self.share_upper = Some(share);
        self
    }
}
