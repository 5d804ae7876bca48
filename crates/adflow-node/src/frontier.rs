//! The best plan as a function of the budget.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use adflow_core::{self as core, Problem};
use napi::bindgen_prelude::{AsyncTask, Float64Array, FromNapiValue, Unknown};
use napi::{Env, Task};
use napi_derive::napi;

use crate::allocate::{Interrupt, Watch};
use crate::curves::{ResponseCurves, count};
use crate::input::{Nested, Numbers, Options, malformed, numbers, read, row};
use crate::options::{ALLOCATE_KEYS, AllocateOptions};
use crate::{Error, Result};

/// What a frontier asks beside the limits of its plans.
#[napi(object, object_to_js = false)]
pub struct Budgets {
    /// The totals that may be spent (money), 0 to 1e60, in any order; they may repeat.
    pub budgets: Numbers,
}

impl Options for Budgets {
    const KEYS: &'static [&'static str] = &{
        let mut keys = ALLOCATE_KEYS;
        // In the place of the one budget.
        keys[0] = "budgets";
        keys
    };
    const NESTED: &'static [(&'static str, Nested)] = AllocateOptions::NESTED;
}

/// Where an arm starts or stops to spend, or to stand at its upper bound, as the budget rises.
#[napi(object, use_nullable = true)]
pub struct FrontierChange {
    /// The arm, counted from 0.
    pub arm: u32,
    /// Its name; null where it has none.
    pub name: Option<String>,
    /// `"enters"`: it rises from its lower bound (from 0 where there is none); `"leaves"`: it falls back to it;
    /// `"saturates"`: it reaches its upper bound; `"frees"`: it falls below it again.
    #[napi(ts_type = "'enters' | 'leaves' | 'saturates' | 'frees'")]
    pub change: String,
    /// The budget at which it happens (money), as closely as it is known.
    pub budget: f64,
    /// The neighbours among the budgets given that it happens between (money).
    #[napi(ts_type = "[below: number, above: number]")]
    pub between: Vec<f64>,
    /// Whether `budget` is right to the rounding; otherwise it is interpolated inside `between`.
    pub exact: bool,
}

impl From<&core::FrontierChange> for FrontierChange {
    fn from(change: &core::FrontierChange) -> Self {
        Self {
            arm: count(change.arm),
            name: change.name.clone(),
            change: change.change.into(),
            budget: change.budget,
            between: vec![change.between.0, change.between.1],
            exact: change.exact,
        }
    }
}

/// The best plans of one problem under many budgets, as columns in the order in which the budgets were given.
///
/// Every row is a plan as `allocate` gives it, with an upper bound and a gap of its own.
#[napi]
pub struct Frontier {
    found: core::Frontier,
    arms: usize,
}

#[napi]
impl Frontier {
    /// Number of budgets.
    #[napi(getter)]
    pub fn length(&self) -> u32 {
        count(self.found.budgets.len())
    }

    /// Number of arms.
    #[napi(getter)]
    pub fn arms(&self) -> u32 {
        count(self.arms)
    }

    /// The budgets (money), as given.
    #[napi(getter)]
    pub fn budgets(&self) -> Float64Array {
        self.found.budgets.clone().into()
    }

    /// Spend per budget and arm (money), row by row: entry `j * arms + i` is arm i under budget j.
    #[napi(getter)]
    pub fn spend(&self) -> Float64Array {
        self.found.spend.clone().into()
    }

    /// Response per budget and arm, row by row like `spend`.
    #[napi(getter)]
    pub fn response(&self) -> Float64Array {
        self.found.response.clone().into()
    }

    /// Sum of the spends per budget (money).
    #[napi(getter)]
    pub fn total_spend(&self) -> Float64Array {
        self.found.total_spend.clone().into()
    }

    /// Sum of the responses per budget.
    #[napi(getter)]
    pub fn total_response(&self) -> Float64Array {
        self.found.total_response.clone().into()
    }

    /// What was maximised, per budget.
    #[napi(getter)]
    pub fn objective_value(&self) -> Float64Array {
        self.found.objective_value.clone().into()
    }

    /// No plan within the limits has a larger objective value; per budget.
    #[napi(getter)]
    pub fn upper_bound(&self) -> Float64Array {
        self.found.upper_bound.clone().into()
    }

    /// (upperBound − objectiveValue)/|upperBound|, per budget.
    #[napi(getter)]
    pub fn gap(&self) -> Float64Array {
        self.found.gap.clone().into()
    }

    /// What one more unit of budget is worth, per budget.
    #[napi(getter)]
    pub fn shadow_price(&self) -> Float64Array {
        self.found.shadow_price.clone().into()
    }

    /// Whether the gap is within the tolerance, per budget.
    #[napi(getter, ts_return_type = "Array<'optimal' | 'feasible'>")]
    pub fn status(&self) -> Vec<String> {
        self.found.status.iter().map(|status| status.as_str().into()).collect()
    }

    /// Where arms start and stop to spend and to be held back, by rising budget.
    #[napi(getter)]
    pub fn changes(&self) -> Vec<FrontierChange> {
        self.found.changes.iter().map(FrontierChange::from).collect()
    }

    /// Steps of all searches together.
    #[napi(getter)]
    pub fn iterations(&self) -> f64 {
        f64::from(count(self.found.iterations))
    }

    /// Time that all budgets together took (seconds).
    #[napi(getter)]
    pub fn elapsed(&self) -> f64 {
        self.found.elapsed.as_secs_f64()
    }

    /// Spend per arm (money) under budget j, counted from 0.
    ///
    /// @throws AdflowError with code `out_of_domain` where there is no such budget.
    #[napi]
    pub fn row(&self, j: f64) -> Result<Float64Array> {
        row(&self.found.spend, self.arms, j)
    }
}

/// The best plans for many budgets, in one sweep: what one budget finds out serves the next.
///
/// The options are those of `allocate`, with `budgets` in the place of `budget`; the time limit holds for all budgets
/// together.
///
/// @throws AdflowError as `allocate` does; a budget is named by its position (`budgets[7]`).
#[napi]
pub fn frontier(
    curves: &ResponseCurves,
    #[napi(ts_arg_type = "Omit<AllocateOptions, 'budget'> & Budgets")] options: Unknown<'_>,
) -> Result<Frontier> {
    let (problem, budgets) = ask(curves, options)?;
    let found = problem.frontier_with(&budgets, &Watch::new(None)).map_err(Error::of_options)?;
    Ok(Frontier { found, arms: curves.0.len() })
}

fn ask(curves: &ResponseCurves, options: Unknown<'_>) -> Result<(Problem, Vec<f64>)> {
    let Budgets { budgets } = read(options)?;
    let limits = AllocateOptions::from_unknown(options).map_err(malformed)?;
    Ok((limits.problem(curves)?, numbers(&budgets).to_vec()))
}

/// Work item of [`frontier_task`], run on the libuv pool.
pub struct FrontierTask {
    problem: Option<Problem>,
    budgets: Vec<f64>,
    arms: usize,
    interrupted: Arc<AtomicBool>,
}

#[napi]
impl Task for FrontierTask {
    // The core's error crosses the pool whole, so that `resolve` can give it its class.
    type Output = Option<core::Result<core::Frontier>>;
    type JsValue = Frontier;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let watch = Watch::new(Some(&self.interrupted));
        Ok(self.problem.take().map(|problem| problem.frontier_with(&self.budgets, &watch)))
    }

    fn resolve(&mut self, _: Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        match output {
            Some(Ok(found)) => Ok(Frontier { found, arms: self.arms }),
            Some(Err(error)) => Err(Error::of_options(error).into()),
            None => Err(napi::Error::from_reason("the task ran twice")),
        }
    }
}

/// `frontier` off the event loop, until `interrupt` stops it.
#[napi(ts_return_type = "Promise<Frontier>")]
pub fn frontier_task(
    curves: &ResponseCurves,
    #[napi(ts_arg_type = "Omit<AllocateOptions, 'budget'> & Budgets")] options: Unknown<'_>,
    interrupt: &Interrupt,
) -> Result<AsyncTask<FrontierTask>> {
    let (problem, budgets) = ask(curves, options)?;
    Ok(AsyncTask::new(FrontierTask {
        problem: Some(problem),
        budgets,
        arms: curves.0.len(),
        interrupted: Arc::clone(&interrupt.0),
    }))
}
