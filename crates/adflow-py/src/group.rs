//! Limits on what several arms spend together.

use std::collections::{BTreeMap, BTreeSet};

use adflow_core::{self as core, Member as CoreMember, Problem};
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyString, PyTuple};

use crate::arguments::{Given, number, whole};
use crate::error::{Result, malformed, out_of_domain};

/// Groups within groups beyond this are refused: every level costs a call on the stack.
const DEEPEST: usize = 100;

/// Limits on what several arms spend together, in money and as a share of all that is spent.
///
/// ```text
/// lower ≤ Σ spend of the members ≤ upper
/// share_lower · Σ spend ≤ Σ spend of the members ≤ share_upper · Σ spend
/// ```
///
/// Groups usually form a tree (platform, campaign, ad group); they may overlap too. Members of one group share no arm.
///
/// Parameters
/// ----------
/// name : str
///     What plans and errors call it.
/// members : iterable of int, str or Group
///     Arms by index, arms or other groups by name, or other groups themselves. All arms of a member group count. A
///     group that is given itself holds with its own limits, whether or not it is listed in `groups` too; one that
///     is named must be listed.
/// lower, upper : float, optional
///     Least and most that the group spends (money, 0 to 1e60).
/// share_lower, share_upper : float, optional
///     Least and largest share of all that is spent (0 to 1).
///
/// Examples
/// --------
/// >>> import adflow
/// >>> video = adflow.Group("video", [0, 1], upper=4.0)
/// >>> adflow.Group("all", [video, "search"], share_lower=0.5)
/// Group('all', (Group('video', (0, 1), upper=4.0), 'search'), share_lower=0.5)
#[pyclass(frozen, eq, module = "adflow")]
#[derive(PartialEq)]
pub(crate) struct Group {
    name: String,
    members: Vec<Member>,
    lower: Option<f64>,
    upper: Option<f64>,
    share_lower: Option<f64>,
    share_upper: Option<f64>,
    /// Levels of groups given within this one.
    depth: usize,
}

enum Member {
    Arm(usize),
    Name(String),
    Group(Py<Group>),
}

impl PartialEq for Member {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Arm(one), Self::Arm(other)) => one == other,
            (Self::Name(one), Self::Name(other)) => one == other,
            (Self::Group(one), Self::Group(other)) => one.get() == other.get(),
            _ => false,
        }
    }
}

impl Member {
    fn read(field: &str, value: &Bound<'_, PyAny>) -> Result<Self> {
        if let Ok(group) = value.cast::<Group>() {
            Ok(Self::Group(group.clone().unbind()))
        } else if let Ok(name) = value.cast::<PyString>() {
            Ok(Self::Name(name.to_cow()?.into_owned()))
        } else if value.is_instance_of::<PyInt>() || value.hasattr("__index__")? {
            Ok(Self::Arm(whole(field, value)?))
        } else {
            Err(malformed(field, "must be the index of an arm, a name or a Group"))
        }
    }
}

#[pymethods]
impl Group {
    #[new]
    #[pyo3(signature = (name, members, lower=None, upper=None, share_lower=None, share_upper=None))]
    fn new(
        name: String,
        members: &Bound<'_, PyAny>,
        lower: Given<'_>,
        upper: Given<'_>,
        share_lower: Given<'_>,
        share_upper: Given<'_>,
    ) -> Result<Self> {
        let wanted = || malformed("members", "a list of indices, names and groups is wanted");
        if members.is_instance_of::<PyString>() {
            return Err(wanted());
        }
        let items = members.try_iter().map_err(|_| wanted())?;
        let members = items.enumerate().map(|(at, item)| Member::read(&format!("members[{at}]"), &item?));
        let members = members.collect::<Result<Vec<_>>>()?;
        let depths = members.iter().map(|member| match member {
            Member::Group(group) => group.get().depth + 1,
            _ => 0,
        });
        let depth = depths.max().unwrap_or(0);
        if depth > DEEPEST {
            return Err(out_of_domain("members", format!("at most {DEEPEST} levels of groups"), depth));
        }
        let bound = |field: &str, value: Given<'_>| value.map(|value| number(field, &value)).transpose();
        Ok(Self {
            name,
            members,
            lower: bound("lower", lower)?,
            upper: bound("upper", upper)?,
            share_lower: bound("share_lower", share_lower)?,
            share_upper: bound("share_upper", share_upper)?,
            depth,
        })
    }

    /// What plans and errors call the group.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// The members as they were given.
    #[getter]
    fn members<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let item = |member: &Member| -> PyResult<Bound<'py, PyAny>> {
            Ok(match member {
                Member::Arm(arm) => arm.into_pyobject(py)?.into_any(),
                Member::Name(name) => name.into_pyobject(py)?.into_any(),
                Member::Group(group) => group.bind(py).clone().into_any(),
            })
        };
        PyTuple::new(py, self.members.iter().map(item).collect::<PyResult<Vec<_>>>()?)
    }

    /// The least that the group spends (money), or None.
    #[getter]
    fn lower(&self) -> Option<f64> {
        self.lower
    }

    /// The most that the group spends (money), or None.
    #[getter]
    fn upper(&self) -> Option<f64> {
        self.upper
    }

    /// The least share of all that is spent, or None.
    #[getter]
    fn share_lower(&self) -> Option<f64> {
        self.share_lower
    }

    /// The largest share of all that is spent, or None.
    #[getter]
    fn share_upper(&self) -> Option<f64> {
        self.share_upper
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let name = PyString::new(py, &self.name).repr()?;
        let mut text = format!("Group({name}, {}", self.members(py)?.repr()?);
        for (word, bound) in [
            ("lower", self.lower),
            ("upper", self.upper),
            ("share_lower", self.share_lower),
            ("share_upper", self.share_upper),
        ] {
            if let Some(bound) = bound {
                text.push_str(&format!(", {word}={bound:?}"));
            }
        }
        text.push(')');
        Ok(text)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.__getnewargs__(py)?.hash()
    }

    fn __getnewargs__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let members = self.members(py)?;
        (&self.name, members, self.lower, self.upper, self.share_lower, self.share_upper).into_pyobject(py)
    }
}

impl Group {
    fn to_core(&self) -> core::Group {
        let members = self.members.iter().map(|member| match member {
            Member::Arm(arm) => CoreMember::Arm(*arm),
            Member::Name(name) => CoreMember::Name(name.clone()),
            Member::Group(group) => CoreMember::Name(group.get().name.clone()),
        });
        let mut group = core::Group::new(self.name.clone(), members);
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
        group
    }

    /// Puts the groups given within this one before it, each once.
    fn collect<'a>(&'a self, known: &mut BTreeMap<&'a str, Vec<&'a Self>>, all: &mut Groups) {
        for member in &self.members {
            if let Member::Group(group) = member {
                let group = group.get();
                all.inner.insert(group.name.clone());
                let namesakes = known.entry(&group.name).or_default();
                if !namesakes.contains(&group) {
                    namesakes.push(group);
                    group.collect(known, all);
                    all.groups.push(group.to_core());
                }
            }
        }
    }
}

/// Groups in the order in which the problem has them: those given within others just before these.
#[derive(Default)]
pub(crate) struct Groups {
    groups: Vec<core::Group>,
    /// Names of the groups given within others.
    inner: BTreeSet<String>,
}

impl Groups {
    /// A list of groups.
    pub(crate) fn read(field: &str, value: &Bound<'_, PyAny>) -> Result<Self> {
        let items = value.try_iter().map_err(|_| malformed(field, "a list of groups is wanted"))?;
        let listed = items.enumerate().map(|(at, item)| {
            let item = item?;
            let wrong = |_| malformed(&format!("{field}[{at}]"), "must be a Group");
            Ok(item.cast_into::<Group>().map_err(wrong)?.unbind())
        });
        let listed = listed.collect::<Result<Vec<Py<Group>>>>()?;
        let mut known: BTreeMap<&str, Vec<&Group>> = BTreeMap::new();
        for group in &listed {
            known.entry(&group.get().name).or_default().push(group.get());
        }
        let mut all = Self::default();
        for group in &listed {
            group.get().collect(&mut known, &mut all);
            all.groups.push(group.get().to_core());
        }
        Ok(all)
    }

    /// The problem with these groups. A group within another goes by its name there, which must not be an arm's.
    pub(crate) fn put(self, problem: Problem) -> Result<Problem> {
        let names = problem.curves().names().unwrap_or_default();
        match names.iter().position(|name| self.inner.contains(name)) {
            Some(arm) => {
                let expected = "a name that no arm has, for a group within another";
                Err(out_of_domain("groups", expected, format!("{:?}", names[arm])))
            }
            None => Ok(problem.groups(self.groups)),
        }
    }
}
