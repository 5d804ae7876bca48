//! The options of an allocation.

use std::sync::OnceLock;

use adflow_core::Problem;
use napi_derive::napi;

use crate::Result;
use crate::curves::ResponseCurves;
use crate::input::{NumberPerArm, Numbers, Options, numbers, per_arm};

/// What to allocate, and within which limits.
#[napi(object)]
#[derive(Default)]
pub struct AllocateOptions {
    /// The total that may be spent (money), 0 to 1e60. Without a budget every arm needs an upper bound.
    pub budget: Option<f64>,
    /// Smallest spend per arm (money); default 0.
    pub lower: Option<NumberPerArm>,
    /// Largest spend per arm (money); `Infinity`, the default, is none.
    pub upper: Option<NumberPerArm>,
    /// Smallest spend of an arm that spends at all (money): it spends 0, or at least this; default 0, none.
    pub active_lower: Option<NumberPerArm>,
    /// What a unit of each arm's response is worth; default 1.
    pub value: Option<NumberPerArm>,
    /// The spends of today (money), for the before and after of `plan.explain()`.
    pub current: Option<Numbers>,
    /// Names of the arms, in place of those that the curves carry.
    pub names: Option<Vec<String>>,
    /// Whether the whole budget must be spent; default false.
    pub spend_all: Option<bool>,
    /// Largest relative gap that is called optimal; default 1e-6, concave problems reach 1e-12 anyway.
    pub tolerance: Option<f64>,
    /// Seconds after which the best plan so far is returned with its true gap; default none.
    pub time_limit: Option<f64>,
    /// Number of threads; default all. The answer does not depend on it.
    pub threads: Option<u32>,
}

impl Options for AllocateOptions {
    const KEYS: &'static [&'static str] = &[
        "budget",
        "lower",
        "upper",
        "activeLower",
        "value",
        "current",
        "names",
        "spendAll",
        "tolerance",
        "timeLimit",
        "threads",
    ];
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
        if let Some(tolerance) = self.tolerance {
            problem = problem.tolerance(tolerance);
        }
        if let Some(time_limit) = self.time_limit {
            problem = problem.time_limit(time_limit);
        }
        Ok(problem)
    }
}

/// Asking the system takes longer than a small allocation: once is enough.
fn all_threads() -> usize {
    static THREADS: OnceLock<usize> = OnceLock::new();
    *THREADS.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}
