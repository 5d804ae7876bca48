//! The options of an allocation.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use adflow_core::{self as core, Extrapolation, Objective, Problem, Risk, Target};
use napi::bindgen_prelude::Either;
use napi_derive::napi;

use crate::Result;
use crate::curves::ResponseCurves;
use crate::input::{Nested, NumberPerArm, Numbers, Options, index, numbers, per_arm};
use crate::limits::{Coupling, Group, groups};

/// What to allocate, and within which limits.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct AllocateOptions {
    /// The total that may be spent (money), 0 to 1e60. It can be left out where something else bounds what each arm spends:
    /// `upper`, a group, a target.
    pub budget: Option<f64>,
    /// Smallest spend per arm (money); default 0.
    pub lower: Option<NumberPerArm>,
    /// Largest spend per arm (money); `Infinity`, the default, is none.
    pub upper: Option<NumberPerArm>,
    /// Smallest spend of an arm that spends at all (money): it spends 0, or at least this; default 0, none.
    pub active_lower: Option<NumberPerArm>,
    /// What a unit of each arm's response is worth; default 1.
    pub value: Option<NumberPerArm>,
    /// The spends of today (money): what `plan.explain()` compares with, and what `maxChange`, `maxChangeAmount`,
    /// `maxMoves` and `moveCost` count from.
    pub current: Option<Numbers>,
    /// Names of the arms, in place of those that the curves carry.
    pub names: Option<Vec<String>>,
    /// Whether the whole budget must be spent; default false.
    pub spend_all: Option<bool>,
    /// What is maximised: `"response"` (default) is the value of the response, `"profit"` the same less the spend,
    /// `"spend"` the least spend, with a `target` to reach. Costs are subtracted from each.
    #[napi(ts_type = "'response' | 'profit' | 'spend'")]
    pub objective: Option<String>,
    /// What the plan must reach, one of four, each 0 to 1e60; default none.
    ///
    /// - `response`: the value of the response, Σ value · response, is at least this.
    /// - `roas`: the value of the response per money spent is at least this.
    /// - `cpa`: the money spent per response, whatever a response is worth, is at most this.
    /// - `marginalRoas`: every arm spends its lower bound, or so much that its next unit of money still returns this.
    #[napi(ts_type = "{ response: number } | { roas: number } | { cpa: number } | { marginalRoas: number }")]
    pub target: Option<BTreeMap<String, f64>>,
    /// Limits on what several arms spend together.
    pub groups: Option<Vec<Group>>,
    /// Limits on weighted sums of spends, row by row.
    pub coupling: Option<Coupling>,
    /// What each arm that spends more than 0 costs (objective), 0 to 1e60; default 0.
    pub activation_cost: Option<NumberPerArm>,
    /// Most arms that may spend more than 0; default all.
    pub max_active: Option<f64>,
    /// Most that each spend may move from `current`, as a share of it: 0.2 is ±20 %; `Infinity`, the default, is no limit.
    pub max_change: Option<NumberPerArm>,
    /// Most that each spend may move from `current` (money); `Infinity`, the default, is no limit.
    pub max_change_amount: Option<NumberPerArm>,
    /// Most arms whose spend may differ from `current`; default all.
    pub max_moves: Option<f64>,
    /// What moving a unit of money away from `current`, up or down, costs (objective per money), 0 to 1e60; default 0.
    pub move_cost: Option<NumberPerArm>,
    /// Every spend is a whole multiple of this (money); 0, the default, for any spend.
    pub step: Option<NumberPerArm>,
    /// A measure of the outcomes over the curves' draws in place of their mean, one of three; default none.
    ///
    /// - `cvar`: the mean of this worst share of the outcomes, above 0 up to 1.
    /// - `meanMinusStd`: the mean less this many standard deviations, 0 to 1e6.
    /// - `probability`: the share of the draws whose value of the response reaches this, 0 to 1e60.
    #[napi(ts_type = "{ cvar: number } | { meanMinusStd: number } | { probability: number }")]
    pub risk: Option<BTreeMap<String, f64>>,
    /// What happens beyond the largest spend that an arm's curve was fitted on: `"cap"` keeps the arm below it, a number is
    /// what each unit of money beyond costs (objective per money, 0 to 1e60). Arms whose range is not known are free.
    #[napi(ts_type = "'cap' | number")]
    pub extrapolation: Option<Either<String, f64>>,
    /// Largest relative gap that is called optimal; default 1e-6, concave problems reach 1e-12 anyway.
    pub tolerance: Option<f64>,
    /// Seconds after which the best plan so far is returned with its true gap; default none.
    pub time_limit: Option<f64>,
    /// Number of threads; default all. The answer does not depend on it.
    pub threads: Option<u32>,
}

/// The words of [`AllocateOptions`], the budget first.
pub(crate) const ALLOCATE_KEYS: [&str; 24] = [
    "budget",
    "lower",
    "upper",
    "activeLower",
    "value",
    "current",
    "names",
    "spendAll",
    "objective",
    "target",
    "groups",
    "coupling",
    "activationCost",
    "maxActive",
    "maxChange",
    "maxChangeAmount",
    "maxMoves",
    "moveCost",
    "step",
    "risk",
    "extrapolation",
    "tolerance",
    "timeLimit",
    "threads",
];

impl Options for AllocateOptions {
    const KEYS: &'static [&'static str] = &ALLOCATE_KEYS;
    const NESTED: &'static [(&'static str, Nested)] =
        &[("groups", Nested::of::<Group>()), ("coupling", Nested::of::<Coupling>())];
}

impl AllocateOptions {
    pub(crate) fn problem(self, curves: &ResponseCurves) -> Result<Problem> {
        let threads = self.threads.map_or_else(all_threads, |threads| threads as usize);
        let mut problem = Problem::new(curves.0.clone()).threads(threads);
        if let Some(budget) = self.budget {
            problem = problem.budget(budget);
        }
        if let Some(lower) = self.lower {
            problem = problem.lower(per_arm(lower));
        }
        if let Some(upper) = self.upper {
            problem = problem.upper(per_arm(upper));
        }
        if let Some(active_lower) = self.active_lower {
            problem = problem.active_lower(per_arm(active_lower));
        }
        if let Some(value) = self.value {
            problem = problem.value(per_arm(value));
        }
        if let Some(current) = self.current {
            problem = problem.current(numbers(&current));
        }
        if let Some(names) = self.names {
            problem = problem.names(names)?;
        }
        if let Some(spend_all) = self.spend_all {
            problem = problem.spend_all(spend_all);
        }
        if let Some(objective) = self.objective {
            let unknown = || malformed("objective", "must be \"response\", \"profit\" or \"spend\"");
            problem = problem.objective(Objective::from_name(&objective).ok_or_else(unknown)?);
        }
        if let Some(target) = self.target {
            let unknown = || malformed("target", "must have one key: response, roas, cpa or marginalRoas");
            problem = problem.target(choice(&target, Target::from_name).ok_or_else(unknown)?);
        }
        if let Some(given) = self.groups {
            problem = problem.groups(groups(given)?);
        }
        if let Some(coupling) = self.coupling {
            problem = problem.coupling(coupling.read(curves.0.len())?);
        }
        if let Some(cost) = self.activation_cost {
            problem = problem.activation_cost(per_arm(cost));
        }
        if let Some(arms) = self.max_active {
            problem = problem.max_active(index("maxActive", arms)?);
        }
        if let Some(share) = self.max_change {
            problem = problem.max_change(per_arm(share));
        }
        if let Some(amount) = self.max_change_amount {
            problem = problem.max_change_amount(per_arm(amount));
        }
        if let Some(arms) = self.max_moves {
            problem = problem.max_moves(index("maxMoves", arms)?);
        }
        if let Some(cost) = self.move_cost {
            problem = problem.move_cost(per_arm(cost));
        }
        if let Some(step) = self.step {
            problem = problem.step(per_arm(step));
        }
        if let Some(risk) = self.risk {
            let unknown = || malformed("risk", "must have one key: cvar, meanMinusStd or probability");
            problem = problem.risk(choice(&risk, Risk::from_name).ok_or_else(unknown)?);
        }
        if let Some(extrapolation) = self.extrapolation {
            problem = problem.extrapolation(match extrapolation {
                Either::A(word) if word == "cap" => Extrapolation::Cap,
                Either::A(_) => return Err(malformed("extrapolation", "must be \"cap\" or a number").into()),
                Either::B(penalty) => Extrapolation::Penalty(penalty),
            });
        }
        if let Some(tolerance) = self.tolerance {
            problem = problem.tolerance(tolerance);
        }
        if let Some(time_limit) = self.time_limit {
            problem = problem.time_limit(time_limit);
        }
        Ok(problem)
    }
}

fn malformed(path: &str, reason: &str) -> core::Error {
    core::Error::Malformed { path: path.into(), reason: reason.into() }
}

/// The one key of an object and its number, by the name that the core knows it under.
fn choice<T>(given: &BTreeMap<String, f64>, from_name: impl Fn(&str, f64) -> Option<T>) -> Option<T> {
    let (key, &level) = given.first_key_value().filter(|_| given.len() == 1)?;
    // `marginal_roas` is no name here: names are camelCase.
    let name: String = key
        .chars()
        .flat_map(|letter| {
            let upper = letter.is_ascii_uppercase();
            upper.then_some('_').into_iter().chain([letter.to_ascii_lowercase()])
        })
        .collect();
    from_name(&name, level).filter(|_| !key.contains('_'))
}

/// Asking the system takes longer than a small allocation: once is enough.
pub(crate) fn all_threads() -> usize {
    static THREADS: OnceLock<usize> = OnceLock::new();
    *THREADS.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}
