//! The keyword arguments that all solves share, in one place.

use std::thread;

use adflow_core::{Extrapolation, Objective, Problem};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::arguments::{at_least_one, column, names, number, per_arm, whole};
use crate::coupling::Coupling;
use crate::curves::ResponseCurves;
use crate::error::{Result, malformed};
use crate::goal::{Risk, Target};
use crate::group::Groups;
use crate::interrupt::Progress;

/// Arms from which threads pay; asking how many there are takes longer than a small solve.
const MANY_ARMS: usize = 4096;

const ALL: [&str; 24] = [
    "lower",
    "upper",
    "active_lower",
    "activation_cost",
    "max_active",
    "groups",
    "coupling",
    "target",
    "objective",
    "value",
    "risk",
    "extrapolation",
    "current",
    "max_change",
    "max_change_amount",
    "max_moves",
    "move_cost",
    "step",
    "names",
    "spend_all",
    "tolerance",
    "time_limit",
    "threads",
    "progress",
];

/// What the keyword arguments of a call say.
pub(crate) struct Settings {
    /// Still without its budget.
    pub(crate) problem: Problem,
    pub(crate) current: Option<Vec<f64>>,
    pub(crate) threads: usize,
    pub(crate) progress: Progress,
}

impl Settings {
    /// Reads the keyword arguments of `call`; `None` is the same as leaving it out.
    pub(crate) fn read(
        call: &str,
        curves: &Bound<'_, ResponseCurves>,
        given: Option<&Bound<'_, PyDict>>,
    ) -> Result<Self> {
        let curves = curves.get().0.clone();
        let arms = curves.len();
        let mut problem = Problem::new(curves);
        let mut groups = Groups::default();
        let mut current = None;
        let mut threads = None;
        let mut progress = None;
        let mut time_limit = None;
        for (key, value) in given.into_iter().flatten() {
            let key = key.cast_into::<PyString>().map_err(PyErr::from)?;
            let (key, value) = (&*key.to_cow()?, &value);
            if !ALL.contains(&key) {
                return Err(unexpected(call, key));
            }
            if value.is_none() {
                continue;
            }
            problem = match key {
                "lower" => problem.lower(per_arm("lower", value, None)?),
                "upper" => problem.upper(per_arm("upper", value, Some(f64::INFINITY))?),
                "active_lower" => problem.active_lower(per_arm("active_lower", value, Some(0.0))?),
                "activation_cost" => problem.activation_cost(per_arm("activation_cost", value, Some(0.0))?),
                "max_active" => problem.max_active(whole("max_active", value)?),
                "groups" => {
                    groups = Groups::read("groups", value)?;
                    problem
                }
                "coupling" => {
                    let coupling = value.cast::<Coupling>();
                    let coupling = coupling.map_err(|_| malformed("coupling", "must be a Coupling"))?;
                    problem.coupling(coupling.get().to_core(arms)?)
                }
                "target" => {
                    let target = value.cast::<Target>();
                    let reason = "must be a Target, such as Target.roas(3.0)";
                    problem.target(target.map_err(|_| malformed("target", reason))?.get().0)
                }
                "objective" => problem.objective(objective(value)?),
                "value" => problem.value(per_arm("value", value, None)?),
                "risk" => {
                    let risk = value.cast::<Risk>();
                    let reason = "must be a Risk, such as Risk.cvar(0.1)";
                    problem.risk(risk.map_err(|_| malformed("risk", reason))?.get().0)
                }
                "extrapolation" => problem.extrapolation(extrapolation(value)?),
                "current" => {
                    let spends = column("current", value)?;
                    let problem = problem.current(spends.as_slice());
                    current = Some(spends);
                    problem
                }
                "max_change" => problem.max_change(per_arm("max_change", value, Some(f64::INFINITY))?),
                "max_change_amount" => {
                    problem.max_change_amount(per_arm("max_change_amount", value, Some(f64::INFINITY))?)
                }
                "max_moves" => problem.max_moves(whole("max_moves", value)?),
                "move_cost" => problem.move_cost(per_arm("move_cost", value, Some(0.0))?),
                "step" => problem.step(per_arm("step", value, Some(0.0))?),
                "names" => problem.names(names("names", value)?)?,
                "spend_all" => {
                    let spend_all = value.extract::<bool>();
                    problem.spend_all(spend_all.map_err(|_| malformed("spend_all", "must be True or False"))?)
                }
                "tolerance" => problem.tolerance(number("tolerance", value)?),
                "time_limit" => {
                    let seconds = number("time_limit", value)?;
                    time_limit = Some(seconds);
                    problem.time_limit(seconds)
                }
                "threads" => {
                    let count = value.extract::<i64>();
                    threads = Some(count.map_err(|_| malformed("threads", "must be a whole number"))?);
                    problem
                }
                "progress" => {
                    progress = Some(value.clone());
                    problem
                }
                _ => return Err(unexpected(call, key)),
            };
        }
        let problem = groups.put(problem)?;
        let threads = threads_for(arms, threads)?;
        let progress = Progress::read(progress.as_ref(), time_limit)?;
        Ok(Self { problem: problem.threads(threads), current, threads, progress })
    }
}

fn unexpected(call: &str, key: &str) -> crate::error::Error {
    PyTypeError::new_err(format!("{call}() got an unexpected keyword argument '{key}'")).into()
}

fn objective(value: &Bound<'_, PyAny>) -> Result<Objective> {
    let name = value.extract::<String>().ok();
    let objective = name.as_deref().and_then(Objective::from_name);
    objective.ok_or_else(|| malformed("objective", "must be \"response\", \"profit\" or \"spend\""))
}

/// "cap", or what a unit of money beyond the observed spends costs.
fn extrapolation(value: &Bound<'_, PyAny>) -> Result<Extrapolation> {
    match value.cast::<PyString>() {
        Ok(word) if word.to_cow()? == "cap" => Ok(Extrapolation::Cap),
        Ok(_) => Err(malformed("extrapolation", "must be \"cap\" or a number")),
        Err(_) => Ok(Extrapolation::Penalty(number("extrapolation", value)?)),
    }
}

fn threads_for(arms: usize, asked: Option<i64>) -> Result<usize> {
    match asked {
        Some(threads) => at_least_one("threads", threads),
        None if arms < MANY_ARMS => Ok(1),
        None => Ok(all_threads()),
    }
}

/// As many as the machine runs at once.
pub(crate) fn all_threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}
