//! A simulated market with a known truth.

use adflow_core as core;
use adflow_core::{BudgetChange, MarketSettings};
use numpy::{PyArray1, PyArrayDyn};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::adstock::Adstock;
use crate::arguments::{Numbers, at_least_one, number};
use crate::curves::ResponseCurves;
use crate::error::{Error, Result, malformed, out_of_domain};
use crate::history::History;
use crate::python;

/// A market of which everything is known: it gives a history to learn from, and says what would have happened.
///
/// Channel i turns a budget into an outcome in this order:
///
/// ```text
/// bought[t]  = impressions that the budget buys in an auction, or budget / price[t]
/// media[t]   = bought[t] · what a learning phase leaves
/// reached[t] = Hill( Σ_l w[l] media[t−l] )
/// caused[t]  = most_i · reached[t]
/// expected   = baseline + Σ_i caused_i + synergies,   counted with the conversion lag
/// outcome    = expected with noise
/// ```
///
/// Two simulations share every random number that their spends do not change, and the same seed gives the same bits on
/// any machine. Arrays are (T, n) and (T,), or (groups, T, n) and (groups, T) in a market of several groups.
///
/// Parameters
/// ----------
/// settings : dict or str
///     The settings as data or as their JSON; what has a default may be left out. `Market.realistic(0).settings` shows
///     them all.
///
/// Raises
/// ------
/// InvalidInputError
///     Settings outside their domains; the message names the field.
///
/// Examples
/// --------
/// >>> import adflow
/// >>> market = adflow.Market.realistic(seed=1, channels=3)
/// >>> market
/// Market(3 channels, 104 periods of 7 days, seed 1)
/// >>> effect = market.effect([adflow.Intervention("tv", to=0.0)])
/// >>> bool(abs(effect.expected / effect.spend - market.truth().roas[2]) < 1e-9)
/// True
#[pyclass(frozen, eq, module = "adflow")]
#[derive(PartialEq)]
pub(crate) struct Market(core::Market);

impl Market {
    fn made(settings: MarketSettings) -> Result<Self> {
        Ok(Self(core::Market::new(settings)?))
    }

    fn sizes(&self) -> (usize, usize) {
        (self.0.settings().groups.len(), self.0.settings().channels.len())
    }

    /// Budgets in one of the shapes that are shown.
    fn spends(&self, name: &str, value: &Bound<'_, PyAny>) -> Result<Vec<f64>> {
        let numbers = Numbers::of(name, value)?;
        let (groups, n) = self.sizes();
        match numbers.shape[..] {
            [_, channels] if groups == 1 && channels == n => Ok(numbers.values),
            [rows, _, channels] if rows == groups && channels == n => Ok(numbers.values),
            _ if groups == 1 => Err(numbers.refuse(name, &format!("(T, {n})"))),
            _ => Err(numbers.refuse(name, &format!("({groups}, T, {n})"))),
        }
    }

    fn rows<'py>(&self, py: Python<'py>, values: &[f64]) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
        let groups = self.sizes().0;
        python::panel(py, values, &[groups, values.len() / groups])
    }

    fn cells<'py>(&self, py: Python<'py>, values: &[f64]) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
        let (groups, n) = self.sizes();
        python::panel(py, values, &[groups, values.len() / groups / n, n])
    }

    /// An instance of a class of `adflow._market`.
    fn result<'py>(py: Python<'py>, class: &str, fields: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
        python::function(py, "adflow._market", class)?.call((), Some(fields))
    }

    fn simulation<'py>(&self, py: Python<'py>, simulation: &core::Simulation) -> PyResult<Bound<'py, PyAny>> {
        let fields = PyDict::new(py);
        fields.set_item("spend", self.cells(py, &simulation.spend)?)?;
        fields.set_item("outcome", self.rows(py, &simulation.outcome)?)?;
        fields.set_item("expected", self.rows(py, &simulation.expected)?)?;
        fields.set_item("baseline", self.rows(py, &simulation.baseline)?)?;
        fields.set_item("contributions", self.cells(py, &simulation.contributions)?)?;
        fields.set_item("interaction", self.rows(py, &simulation.interaction)?)?;
        fields.set_item("pending", PyArray1::from_slice(py, &simulation.pending))?;
        Self::result(py, "Simulation", &fields)
    }

    /// Reads an `adflow.Intervention`.
    fn intervention(&self, at: usize, given: &Bound<'_, PyAny>) -> Result<core::Intervention> {
        let field = |name: &str| format!("interventions[{at}].{name}");
        let settings = self.0.settings();
        let place = |name: &str, names: Vec<&str>| -> Result<Option<usize>> {
            let value = given.getattr(name)?;
            if value.is_none() {
                return Ok(None);
            }
            if let Ok(label) = value.cast::<PyString>() {
                let label = label.to_string();
                return match names.iter().position(|own| *own == label) {
                    Some(index) => Ok(Some(index)),
                    None => Err(Error::Core(core::Error::UnknownName { field: field(name), name: label })),
                };
            }
            let count = names.len();
            let index: usize = value
                .extract()
                .map_err(|_| out_of_domain(&field(name), format!("a name, or below {count}"), &value))?;
            Ok(Some(index))
        };
        let change = |name: &str| -> Result<Option<f64>> {
            let value = given.getattr(name)?;
            if value.is_none() { Ok(None) } else { number(&field(name), &value).map(Some) }
        };
        let change = match (change("to")?, change("times")?, change("by")?) {
            (Some(amount), None, None) => BudgetChange::To(amount),
            (None, Some(factor), None) => BudgetChange::Times(factor),
            (None, None, Some(amount)) => BudgetChange::By(amount),
            _ => return Err(malformed(&field("change"), "one of to, times and by is wanted")),
        };
        let channels = settings.channels.iter().map(|channel| channel.name.as_str()).collect();
        let channel =
            place("channel", channels)?.ok_or_else(|| malformed(&field("channel"), "is missing"))?;
        let mut read = core::Intervention::new(channel, change);
        read.group = place("group", settings.groups.iter().map(|group| group.name.as_str()).collect())?;
        let window = given.getattr("window")?;
        if !window.is_none() {
            let (first, end): (usize, usize) = window.extract().map_err(|_| {
                malformed(&field("window"), "must be the first period and the one after the last")
            })?;
            read = read.during(first..end);
        }
        Ok(read)
    }
}

#[pymethods]
impl Market {
    #[new]
    fn new(settings: &Bound<'_, PyAny>) -> Result<Self> {
        let json = match settings.cast::<PyString>() {
            Ok(text) => text.to_string(),
            Err(_) => python::function(settings.py(), "adflow._market", "settings_json")?
                .call1((settings,))?
                .extract()?,
        };
        Self::made(MarketSettings::from_json(&json)?)
    }

    /// A typical weekly market of marketing-mix modelling, drawn at random: 100,000 a week, of which media bring 15 to 40 %,
    /// ROAS around 2, geometric carry-over, S-shaped and concave curves, seasons, promotions, noise of 4 to 8 %.
    ///
    /// Parameters
    /// ----------
    /// seed : int
    ///     The same seed gives the same market.
    /// channels : int
    ///     Number of channels n.
    /// periods : int
    ///     Number of weeks T.
    #[staticmethod]
    #[pyo3(signature = (seed, channels=5, periods=104))]
    fn realistic(seed: u64, channels: i64, periods: i64) -> Result<Self> {
        let (channels, periods) = (at_least_one("channels", channels)?, at_least_one("periods", periods)?);
        Self::made(MarketSettings::realistic(seed, channels, periods))
    }

    /// What the market was made of.
    #[getter]
    fn settings<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        let json: serde_json::Value =
            serde_json::from_str(&self.0.settings().to_json()).map_err(|error| malformed("market", error))?;
        Ok(python::value(py, &json)?)
    }

    /// Names of the channels.
    #[getter]
    fn channels(&self) -> Vec<&str> {
        self.0.settings().channels.iter().map(|channel| channel.name.as_str()).collect()
    }

    /// Names of the groups.
    #[getter]
    fn groups(&self) -> Vec<&str> {
        self.0.settings().groups.iter().map(|group| group.name.as_str()).collect()
    }

    /// Number of periods T of the history.
    #[getter]
    fn periods(&self) -> usize {
        self.0.settings().periods
    }

    /// Spend of the history (money), (T, n).
    #[getter]
    fn spend<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
        self.cells(py, self.0.spend())
    }

    /// Outcome of the history, (T,).
    #[getter]
    fn outcome<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyArrayDyn<f64>>> {
        let simulation = py.detach(|| self.0.simulate(self.0.spend()))?;
        Ok(self.rows(py, &simulation.outcome)?)
    }

    /// What an analyst would know: spends and outcomes, dates, promotions, controls, impressions, people.
    ///
    /// Returns
    /// -------
    /// History
    ///     For `ResponseModel.fit`.
    fn history(&self, py: Python<'_>) -> Result<History> {
        Ok(History(py.detach(|| self.0.history())?))
    }

    /// What a model fitted on the history should find.
    fn truth<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        let (truth, weights) = py.detach(|| -> core::Result<_> {
            let truth = self.0.truth()?;
            let weights = truth.adstock.weights(truth.channels.len(), 1)?;
            Ok((truth, weights))
        })?;
        let fields = PyDict::new(py);
        fields.set_item("channels", &truth.channels)?;
        for (name, values) in [
            ("spend", &truth.spend),
            ("contribution", &truth.contribution),
            ("roas", &truth.roas),
            ("marginal_roas", &truth.marginal_roas),
        ] {
            fields.set_item(name, PyArray1::from_slice(py, values))?;
        }
        fields.set_item("simulation", self.simulation(py, &truth.simulation)?)?;
        fields.set_item("adstock", Adstock::of_weights(weights)?)?;
        fields.set_item("curves", ResponseCurves(truth.curves))?;
        Ok(Self::result(py, "MarketTruth", &fields)?)
    }

    /// Steady-state curves at the prices of a period: what a channel brings per period, in the long run, if it spends the same
    /// in every period.
    fn curves(&self, py: Python<'_>, period: usize) -> Result<ResponseCurves> {
        Ok(ResponseCurves(py.detach(|| self.0.curves(period))?))
    }

    /// What these budgets bring, from the first period of the history on.
    ///
    /// Parameters
    /// ----------
    /// spend : (T, n) array-like
    ///     Budgets (money), for as many periods as are wanted.
    ///
    /// Returns
    /// -------
    /// Simulation
    fn simulate<'py>(&self, py: Python<'py>, spend: &Bound<'py, PyAny>) -> Result<Bound<'py, PyAny>> {
        let spend = self.spends("spend", spend)?;
        let simulation = py.detach(|| self.0.simulate(&spend))?;
        Ok(self.simulation(py, &simulation)?)
    }

    /// What these budgets bring after the history: one simulation over the history and then the periods that `spend` names.
    ///
    /// Parameters
    /// ----------
    /// spend : (T, n) array-like
    ///     Budgets (money) of the periods after the history.
    ///
    /// Returns
    /// -------
    /// Simulation
    fn simulate_after<'py>(&self, py: Python<'py>, spend: &Bound<'py, PyAny>) -> Result<Bound<'py, PyAny>> {
        let spend = self.spends("spend", spend)?;
        let simulation = py.detach(|| self.0.simulate_after(&spend))?;
        Ok(self.simulation(py, &simulation)?)
    }

    /// Spends of the first periods as nobody's intervention would have them: the history's, and what would follow.
    ///
    /// Parameters
    /// ----------
    /// periods : int
    ///     Number of periods, counted from the first of the history.
    ///
    /// Returns
    /// -------
    /// (periods, n) array
    fn usual_spend<'py>(&self, py: Python<'py>, periods: i64) -> Result<Bound<'py, PyArrayDyn<f64>>> {
        let periods = at_least_one("periods", periods)?;
        let spend = py.detach(|| self.0.usual_spend(periods))?;
        Ok(self.cells(py, &spend)?)
    }

    /// The true effect of interventions, all at once and in this order, over the history.
    ///
    /// Parameters
    /// ----------
    /// interventions : list of Intervention
    ///     Budgets that are changed.
    ///
    /// Returns
    /// -------
    /// TrueEffect
    ///     With them minus without them.
    fn effect<'py>(&self, py: Python<'py>, interventions: &Bound<'py, PyAny>) -> Result<Bound<'py, PyAny>> {
        let read = interventions
            .try_iter()?
            .enumerate()
            .map(|(at, given)| self.intervention(at, &given?))
            .collect::<Result<Vec<_>>>()?;
        let effect = py.detach(|| self.0.effect(&read))?;
        let fields = PyDict::new(py);
        fields.set_item("spend", effect.spend)?;
        fields.set_item("expected", effect.expected)?;
        fields.set_item("realised", effect.realised)?;
        fields.set_item("by_period", self.rows(py, &effect.by_period)?)?;
        fields.set_item("realised_by_period", self.rows(py, &effect.realised_by_period)?)?;
        Ok(Self::result(py, "TrueEffect", &fields)?)
    }

    /// Replays a policy for some periods after the history.
    ///
    /// Parameters
    /// ----------
    /// periods : int
    ///     Number of periods to replay.
    /// policy : callable
    ///     Sees the `History` up to a period, its own deeds included, and names the budgets of the period, (n,) or
    ///     (groups, n).
    ///
    /// Returns
    /// -------
    /// Replay
    ///     What was spent, and what came of it.
    fn replay<'py>(
        &self,
        py: Python<'py>,
        periods: i64,
        policy: &Bound<'py, PyAny>,
    ) -> Result<Bound<'py, PyAny>> {
        let periods = at_least_one("periods", periods)?;
        let mut raised = None;
        let replayed = self.0.replay(periods, |history| {
            let budgets = || -> Result<Vec<f64>> {
                py.check_signals()?;
                let named = policy.call1((History(history.clone()),))?;
                Ok(Numbers::of("policy", &named)?.values)
            };
            budgets().map_err(|error| {
                raised = Some(error);
                core::Error::Interrupted
            })
        });
        if let Some(error) = raised {
            return Err(error);
        }
        let replay = replayed?;
        let fields = PyDict::new(py);
        fields.set_item("spend", self.cells(py, &replay.spend)?)?;
        fields.set_item("outcome", self.rows(py, &replay.outcome)?)?;
        fields.set_item("expected", self.rows(py, &replay.expected)?)?;
        Ok(Self::result(py, "Replay", &fields)?)
    }

    /// What an oracle's budgets bring more, in expected outcome, both for the same periods after the history.
    ///
    /// Parameters
    /// ----------
    /// spend, oracle : (T, n) array-like
    ///     Budgets (money) of the periods after the history.
    ///
    /// Returns
    /// -------
    /// float
    ///     Below 0 where they bring less.
    fn regret(&self, py: Python<'_>, spend: &Bound<'_, PyAny>, oracle: &Bound<'_, PyAny>) -> Result<f64> {
        let (spend, oracle) = (self.spends("spend", spend)?, self.spends("oracle", oracle)?);
        Ok(py.detach(|| self.0.regret(&spend, &oracle))?)
    }

    /// The settings as JSON.
    fn to_json(&self) -> String {
        self.0.settings().to_json()
    }

    /// The market of settings that `to_json` wrote.
    #[staticmethod]
    fn from_json(json: &str) -> Result<Self> {
        Self::made(MarketSettings::from_json(json)?)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((py.get_type::<Self>().getattr("from_json")?, (self.to_json(),)))
    }

    fn __repr__(&self) -> String {
        let settings = self.0.settings();
        let many = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let groups = match settings.groups.len() {
            1 => String::new(),
            groups => format!("{groups} groups, "),
        };
        format!(
            "Market({groups}{}, {} of {}, seed {})",
            many(settings.channels.len(), "channel"),
            many(settings.periods, "period"),
            many(settings.days_per_period as usize, "day"),
            settings.seed
        )
    }
}
