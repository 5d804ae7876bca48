//! Limits on several arms together: groups, and rows of a matrix.

use adflow_core as core;
use napi::bindgen_prelude::{Either, Either3, Float64Array, Uint32Array};
use napi_derive::napi;

use crate::Result;
use crate::input::{Nested, Numbers, Options, index, numbers, positions};

/// Limits on what several arms spend together, in money and as a share of all that is spent.
///
/// ```text
/// lower ≤ Σ x_i ≤ upper        shareLower · total ≤ Σ x_i ≤ shareUpper · total
/// ```
///
/// The sums run over the members. Groups usually form a tree (platform, campaign, ad group); they may overlap too.
#[napi(object, object_to_js = false)]
pub struct Group {
    /// What errors and `plan.binding` call it; other groups may have it as a member.
    pub name: String,
    /// Arms, by position (counted from 0) or name, and other groups, by name, whose arms all count.
    #[napi(ts_type = "Array<number | string>")]
    pub members: Vec<Either<f64, String>>,
    /// The least that the group spends (money), 0 to 1e60; default none.
    pub lower: Option<f64>,
    /// The most that the group spends (money), 0 to 1e60; `Infinity`, the default, is none.
    pub upper: Option<f64>,
    /// The least share of all that is spent, 0 to 1; default none.
    pub share_lower: Option<f64>,
    /// The largest share of all that is spent, 0 to 1; default none.
    pub share_upper: Option<f64>,
}

impl Options for Group {
    const KEYS: &'static [&'static str] = &["name", "members", "lower", "upper", "shareLower", "shareUpper"];
}

pub(crate) fn groups(given: Vec<Group>) -> Result<Vec<core::Group>> {
    given.into_iter().enumerate().map(|(position, group)| group.read(position)).collect()
}

impl Group {
    fn read(self, position: usize) -> Result<core::Group> {
        let member = |(at, member): (usize, Either<f64, String>)| {
            Ok(match member {
                Either::A(arm) => index(&format!("groups[{position}].members[{at}]"), arm)?.into(),
                Either::B(name) => name.into(),
            })
        };
        let members: Vec<core::Member> =
            self.members.into_iter().enumerate().map(member).collect::<Result<_>>()?;
        let mut group = core::Group::new(self.name, members);
        if let Some(lower) = self.lower {
            group = group.lower(lower);
        }
        if let Some(upper) = self.upper {
            group = group.upper(upper);
        }
        if let Some(share) = self.share_lower {
            group = group.share_lower(share);
        }
        if let Some(share) = self.share_upper {
            group = group.share_upper(share);
        }
        Ok(group)
    }
}

/// One row of a sparse matrix: what is not there is 0.
#[napi(object, object_to_js = false)]
pub struct CouplingRow {
    /// Positions of arms, counted from 0; the coefficients of an arm that stands twice add up.
    #[napi(ts_type = "Positions")]
    pub arms: Either<Uint32Array, Vec<f64>>,
    /// The coefficient of each of them, −1e60 to 1e60.
    pub coefficients: Numbers,
}

impl Options for CouplingRow {
    const KEYS: &'static [&'static str] = &["arms", "coefficients"];
}

/// Limits on weighted sums of spends that need not form groups: `matrix` · spend ≤ `upper`, row by row.
///
/// Grids of platforms and countries, ratios between arms: `{ matrix: [[0.5, -1]], upper: [0] }` is "the second arm at
/// least half of the first".
#[napi(object, object_to_js = false)]
pub struct Coupling {
    /// The rows: each a coefficient for every arm, or the arms that count with their coefficients.
    #[napi(ts_type = "Array<Numbers | CouplingRow>")]
    pub matrix: Vec<Either3<Float64Array, Vec<f64>, CouplingRow>>,
    /// The largest value of each row (money where coefficients are 1), −1e60 to 1e60.
    pub upper: Numbers,
    /// What errors and `plan.binding` call the rows.
    pub names: Option<Vec<String>>,
}

impl Options for Coupling {
    const KEYS: &'static [&'static str] = &["matrix", "upper", "names"];
    const NESTED: &'static [(&'static str, Nested)] = &[("matrix", Nested::of::<CouplingRow>())];
}

impl Coupling {
    pub(crate) fn read(self, arms: usize) -> Result<core::Coupling> {
        let upper = numbers(&self.upper);
        same_length(|| "coupling.matrix".into(), upper.len(), self.matrix.len())?;
        let (mut indptr, mut indices, mut coefficients) = (vec![0], Vec::new(), Vec::new());
        for (r, row) in self.matrix.iter().enumerate() {
            let dense: &[f64] = match row {
                Either3::A(row) => row,
                Either3::B(row) => row,
                Either3::C(row) => {
                    let field = |part: &str| format!("coupling.matrix[{r}].{part}");
                    let own = positions(&field("arms"), &row.arms)?;
                    let given = numbers(&row.coefficients);
                    same_length(|| field("coefficients"), own.len(), given.len())?;
                    indices.extend(own);
                    coefficients.extend_from_slice(given);
                    indptr.push(indices.len());
                    continue;
                }
            };
            same_length(|| format!("coupling.matrix[{r}]"), arms, dense.len())?;
            // NaN differs from 0 too: it arrives, and is refused.
            for (arm, &coefficient) in
                dense.iter().enumerate().filter(|(_, coefficient)| **coefficient != 0.0)
            {
                indices.push(arm);
                coefficients.push(coefficient);
            }
            indptr.push(indices.len());
        }
        Ok(core::Coupling::sparse(&indptr, &indices, &coefficients, upper, self.names)?)
    }
}

fn same_length(field: impl FnOnce() -> String, expected: usize, actual: usize) -> core::Result<()> {
    if expected == actual {
        Ok(())
    } else {
        Err(core::Error::LengthMismatch { field: field(), expected, actual })
    }
}
