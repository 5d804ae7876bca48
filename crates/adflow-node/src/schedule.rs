//! Arms × periods with carry-over: what is spent when.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use adflow_core::{self as core, PerCell, PerPeriod, Schedule};
use napi::bindgen_prelude::{AsyncTask, Either3, Either4, Float64Array, Reference, Unknown};
use napi::{Env, Task};
use napi_derive::napi;

use crate::adstock::Adstock;
use crate::allocate::{Interrupt, Watch};
use crate::curves::ResponseCurves;
use crate::input::{NumberPerArm, Numbers, Options, index, numbers, per_arm, read};
use crate::schedule_plan::SchedulePlan;
use crate::{Error, Result};

/// One number for all arms and periods, one per arm, or one row of arms per period.
#[napi]
pub type NumberPerCell = Either4<f64, Float64Array, Vec<f64>, Vec<Numbers>>;

/// One number for all periods, or one per period.
#[napi]
pub type NumberPerPeriod = Either3<f64, Float64Array, Vec<f64>>;

/// What to schedule, and within which limits.
#[napi(object, object_to_js = false)]
pub struct ScheduleOptions {
    /// How spends carry over into later periods.
    #[napi(ts_type = "Adstock")]
    pub adstock: Reference<Adstock>,
    /// Number of periods, 1 to 10,000.
    pub periods: f64,
    /// The total that may be spent in all periods (money), 0 to 1e60. It can be left out where something else bounds every
    /// spend.
    pub budget: Option<f64>,
    /// Spends before the first period (money), one row of arms per period, oldest first; default none.
    #[napi(ts_type = "Array<Numbers>")]
    pub carry_in: Option<Vec<Numbers>>,
    /// Whether the response after the last period counts: as long as the kernel lasts, or as many periods again where it
    /// has no end; default true.
    pub tail: Option<bool>,
    /// Least that all arms together spend in a period (money); default 0.
    #[napi(ts_type = "NumberPerPeriod")]
    pub period_lower: Option<NumberPerPeriod>,
    /// Most that all arms together spend in a period (money); `Infinity`, the default, is none.
    #[napi(ts_type = "NumberPerPeriod")]
    pub period_upper: Option<NumberPerPeriod>,
    /// Least that an arm spends in all periods together (money); default 0.
    pub arm_lower: Option<NumberPerArm>,
    /// Most that an arm spends in all periods together (money); `Infinity`, the default, is none.
    pub arm_upper: Option<NumberPerArm>,
    /// Smallest spend (money); default 0.
    #[napi(ts_type = "NumberPerCell")]
    pub lower: Option<NumberPerCell>,
    /// Largest spend (money): 0 for an arm's period without it, the lower bound where the spend is booked; `Infinity`, the
    /// default, is none.
    #[napi(ts_type = "NumberPerCell")]
    pub upper: Option<NumberPerCell>,
    /// Smallest spend of an arm in a period in which it spends at all (money); default 0, none.
    #[napi(ts_type = "NumberPerCell")]
    pub active_lower: Option<NumberPerCell>,
    /// Whether every arm spends the same in all periods; default false.
    pub constant: Option<bool>,
    /// What a unit of each arm's response is worth; default 1.
    pub value: Option<NumberPerArm>,
    /// Names of the arms, in place of those that the curves carry.
    pub names: Option<Vec<String>>,
    /// Whether the whole budget must be spent; default false.
    pub spend_all: Option<bool>,
    /// Largest relative gap that is called optimal; default 1e-6.
    pub tolerance: Option<f64>,
    /// Seconds after which the best plan so far is returned with its true gap; default none.
    pub time_limit: Option<f64>,
}

impl Options for ScheduleOptions {
    const KEYS: &'static [&'static str] = &[
        "adstock",
        "periods",
        "budget",
        "carryIn",
        "tail",
        "periodLower",
        "periodUpper",
        "armLower",
        "armUpper",
        "lower",
        "upper",
        "activeLower",
        "constant",
        "value",
        "names",
        "spendAll",
        "tolerance",
        "timeLimit",
    ];
}

fn per_cell(given: NumberPerCell) -> PerCell {
    match given {
        Either4::A(number) => number.into(),
        Either4::B(array) => array.to_vec().into(),
        Either4::C(list) => list.into(),
        Either4::D(rows) => rows.iter().map(|row| numbers(row).to_vec()).collect::<Vec<_>>().into(),
    }
}

fn per_period(given: NumberPerPeriod) -> PerPeriod {
    match given {
        Either3::A(number) => number.into(),
        Either3::B(array) => array.to_vec().into(),
        Either3::C(list) => list.into(),
    }
}

impl ScheduleOptions {
    fn schedule(self, curves: &ResponseCurves) -> Result<Schedule> {
        let periods = index("periods", self.periods)?;
        let mut schedule = Schedule::new(curves.0.clone(), self.adstock.0.clone(), periods);
        schedule = schedule.tail(self.tail.unwrap_or(true));
        if let Some(budget) = self.budget {
            schedule = schedule.budget(budget);
        }
        if let Some(rows) = self.carry_in {
            schedule = schedule.carry_in(rows.iter().map(numbers));
        }
        if let Some(lower) = self.period_lower {
            schedule = schedule.period_lower(per_period(lower));
        }
        if let Some(upper) = self.period_upper {
            schedule = schedule.period_upper(per_period(upper));
        }
        if let Some(lower) = self.arm_lower {
            schedule = schedule.arm_lower(per_arm(lower));
        }
        if let Some(upper) = self.arm_upper {
            schedule = schedule.arm_upper(per_arm(upper));
        }
        if let Some(lower) = self.lower {
            schedule = schedule.lower(per_cell(lower));
        }
        if let Some(upper) = self.upper {
            schedule = schedule.upper(per_cell(upper));
        }
        if let Some(active_lower) = self.active_lower {
            schedule = schedule.active_lower(per_cell(active_lower));
        }
        if let Some(constant) = self.constant {
            schedule = schedule.constant(constant);
        }
        if let Some(value) = self.value {
            schedule = schedule.value(per_arm(value));
        }
        if let Some(names) = self.names {
            schedule = schedule.names(names)?;
        }
        if let Some(spend_all) = self.spend_all {
            schedule = schedule.spend_all(spend_all);
        }
        if let Some(tolerance) = self.tolerance {
            schedule = schedule.tolerance(tolerance);
        }
        if let Some(time_limit) = self.time_limit {
            schedule = schedule.time_limit(time_limit);
        }
        Ok(schedule)
    }
}

/// Plans the spends of n arms in T periods, of which a part still works in later periods, with the proof of how good the
/// plan is.
///
/// ```text
/// maximise   Σ_i Σ_t value_i · response_i(a_it),   a_it = Σ_l weight_i[l] · x_{i,t−l}      t < T; with tail, later too
/// subject to Σ_it x_it ≤ budget        (= budget with spendAll)
///            periodLower_t ≤ Σ_i x_it ≤ periodUpper_t,   armLower_i ≤ Σ_t x_it ≤ armUpper_i
///            x_it ∈ [lower_it, upper_it]  or  {0} ∪ [activeLower_it, upper_it]
/// ```
///
/// x before the first period is `carryIn`, after the last 0. The curves' spends are adstocked spends (money). It runs on
/// the event loop; for many arms and periods there is `scheduleAsync`.
///
/// @throws AdflowError with code `infeasible` where no plan keeps all limits, and for input outside its domain.
#[napi]
pub fn schedule(
    curves: &ResponseCurves,
    #[napi(ts_arg_type = "ScheduleOptions")] options: Unknown<'_>,
) -> Result<SchedulePlan> {
    let schedule = read::<ScheduleOptions>(options)?.schedule(curves)?;
    Ok(SchedulePlan(schedule.solve_with(&Watch::new(None)).map_err(Error::of_options)?))
}

/// Work item of [`schedule_task`], run on the libuv pool.
pub struct ScheduleTask {
    schedule: Option<Schedule>,
    interrupted: Arc<AtomicBool>,
}

#[napi]
impl Task for ScheduleTask {
    // The core's error crosses the pool whole, so that `resolve` can give it its class.
    type Output = Option<core::Result<core::SchedulePlan>>;
    type JsValue = SchedulePlan;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let watch = Watch::new(Some(&self.interrupted));
        Ok(self.schedule.take().map(|schedule| schedule.solve_with(&watch)))
    }

    fn resolve(&mut self, _: Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        match output {
            Some(Ok(plan)) => Ok(SchedulePlan(plan)),
            Some(Err(error)) => Err(Error::of_options(error).into()),
            None => Err(napi::Error::from_reason("the task ran twice")),
        }
    }
}

/// `schedule` off the event loop, until `interrupt` stops it.
#[napi(ts_return_type = "Promise<SchedulePlan>")]
pub fn schedule_task(
    curves: &ResponseCurves,
    #[napi(ts_arg_type = "ScheduleOptions")] options: Unknown<'_>,
    interrupt: &Interrupt,
) -> Result<AsyncTask<ScheduleTask>> {
    let schedule = Some(read::<ScheduleOptions>(options)?.schedule(curves)?);
    Ok(AsyncTask::new(ScheduleTask { schedule, interrupted: Arc::clone(&interrupt.0) }))
}
