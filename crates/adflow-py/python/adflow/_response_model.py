"""`ResponseModel`: from history to response curves with their uncertainty."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, TypeVar

import numpy as np

from adflow import _adflow
from adflow._adflow import History
from adflow._errors import InvalidInputError, NotFittedError
from adflow._fit import Decomposition, Forecast, Holdout, Summary
from adflow._history import column_names, row_count
from adflow._model_settings import settings_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from adflow._model_settings import Carry, Curve, Likelihood, Method
    from adflow._prior import LiftTest, Prior, RoasTest

    Floats: TypeAlias = NDArray[np.float64]

Progress: TypeAlias = bool | Callable[[float], object] | None
_T = TypeVar("_T")


class ResponseModel:
    """A model of an outcome by channels, time and other causes.

    ```text
    outcome_t = baseline_t + Σ_i contribution_it + noise_t
    contribution_it = β_i m_i(a_it),     a_i = w_i ∗ x_i   (carry-over, then saturation)
    baseline_t = intercept + trend + yearly season + weekdays + holidays + controls
    ```

    x is spend, or exposures where the history has them. Media effects are positive. In a history of several groups each
    has an intercept of its own and an effect of each channel around the common one (partial pooling).

    Parameters
    ----------
    curve : {"hill", "logistic", "michaelis_menten", "exponential", "power"} or list of these
        Saturation, for all channels or for each.
    adstock : {"geometric", "delayed", "weibull_cdf", "weibull_pdf", "none"} or list of these
        Carry-over, for all channels or for each.
    draws : int
        Draws of each chain that are kept, 4 to 1,000,000. Curves, ROAS and forecasts use this many, evenly chosen from
        all chains.
    seed : int
        The same seed gives the same draws, on any number of threads.
    max_lag : int, optional
        Last period that a spend reaches, 1 to 400; by default none for geometric, else 8 periods (28 of a day).
    likelihood : {"normal", "student_t", "negative_binomial"}
        Noise: Student's t for outliers, negative binomial for counts.
    trend : {"linear", "none"} or int
        Drift of the baseline; a number of evenly spaced points where its line bends.
    yearly : int, optional
        Harmonics of the yearly season, 0 to 20; by default 2 where dates span a year.
    weekdays : bool, optional
        Whether weekdays have effects; by default for daily dates.
    priors : dict of str to Prior, optional
        Priors by parameter, "retention" for all channels or "retention[tv]" for one: `share` (of the outcome) or `roas`,
        `half_saturation` (of the channel's mean spend), `slope`, `exponent`, `retention`, `peak`, `shape`, `scale`,
        `intercept`, `trend`, `knot`, `season`, `weekday`, `holiday`, `control`, `sigma`, `dispersion` (in mean outcomes),
        `nu`, `spread`, `group_spread`, `pool_roas`, `pool_spread`.
    pools : dict of str to list of str, optional
        Channels whose returns are alike (the campaigns of a platform), by the pool's name.
    lift_tests : list of LiftTest
        Experiments on a change of spend, part of the likelihood.
    roas_tests : list of RoasTest
        Experiments on ROAS, part of the likelihood.
    method : {"nuts", "laplace"}
        How the posterior is found: "laplace" is fast, and good where its Pareto k stays below 0.7.
    chains : int
        Number of chains, 1 to 64.
    tune : int, optional
        Draws of each chain that adapt the sampler, 50 to 1,000,000; 400 by default.
    target_accept : float, optional
        Acceptance that step sizes aim at, 0.5 to 0.999; 0.9 by default. More for fewer divergences.

    Attributes
    ----------
    curves_, group_curves_, adstock_, channels_, roas_draws_, marginal_roas_draws_, parameter_names_, diagnostics_, \
warnings_, history_
        After `fit`; see each.

    Examples
    --------
    >>> import adflow
    >>> market = adflow.Market.realistic(seed=1, channels=2)
    >>> model = adflow.ResponseModel(draws=100, tune=100, chains=2, seed=7).fit(market.history())
    >>> plan = adflow.allocate(model.curves_, budget=20_000.0)
    >>> plan.status, model.roas_draws_.shape
    ('optimal', (100, 2))
    """

    def __init__(
        self,
        curve: Curve | Sequence[Curve] = "hill",
        adstock: Carry | Sequence[Carry] = "geometric",
        draws: int = 1000,
        seed: int = 0,
        *,
        max_lag: int | None = None,
        likelihood: Likelihood = "normal",
        trend: Literal["none", "linear"] | int = "linear",
        yearly: int | None = None,
        weekdays: bool | None = None,
        priors: Mapping[str, Prior] | None = None,
        pools: Mapping[str, Sequence[str]] | None = None,
        lift_tests: Sequence[LiftTest] = (),
        roas_tests: Sequence[RoasTest] = (),
        method: Method = "nuts",
        chains: int = 4,
        tune: int | None = None,
        target_accept: float | None = None,
    ) -> None:
        self._settings = _adflow.model_settings(
            settings_json(
                curve=curve,
                adstock=adstock,
                draws=draws,
                seed=seed,
                max_lag=max_lag,
                likelihood=likelihood,
                trend=trend,
                yearly=yearly,
                weekdays=weekdays,
                priors=priors,
                pools=pools,
                lift_tests=lift_tests,
                roas_tests=roas_tests,
                method=method,
                chains=chains,
                tune=tune,
                target_accept=target_accept,
            )
        )
        self._fitted: _adflow.FittedModel | None = None
        self._named: dict[str, str] = {}
        self._known: dict[str, Any] = {}

    @property
    def settings(self) -> dict[str, Any]:
        """All settings as plain data, defaults included."""
        settings: dict[str, Any] = json.loads(self._settings)
        return settings

    def fit(
        self,
        spend: Any,
        outcome: Any = None,
        controls: Any = None,
        time: Any = None,
        group: Any = None,
        *,
        channels: Sequence[str] | None = None,
        exposures: Any = None,
        holidays: Any = None,
        population: Any = None,
        missing_outcomes: bool = False,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Self:
        """Fit the model to a history.

        Other Python threads run meanwhile, and Ctrl-C ends it.

        Parameters
        ----------
        spend : History, (T, n) array-like, frame, or dict of columns
            A whole history, as `Market.history` gives one, and nothing else; or spends as for `History`.
        outcome, controls, time, group, channels, exposures, holidays, population, missing_outcomes
            As for `History`.
        threads : int, optional
            Most threads to use; all by default. The draws are the same for any number.
        progress : callable or bool, optional
            Called some times a second with the share that is done, 0 to 1; True for a bar (needs tqdm). What it raises
            ends the fit.

        Returns
        -------
        ResponseModel
            Itself.

        Raises
        ------
        InvalidInputError
            What `History` refuses; settings outside their domains; a channel that never spends; too few periods.
        """
        given = _given(outcome, controls, time, group, channels, exposures, holidays, population)
        history = _history(spend, given, missing_outcomes)
        fitted = _adflow.fit_model(self._settings, history, threads, progress)
        self._set(fitted)
        self._named = {
            name: column
            for name, column in given.items()
            if name in ("time", "group", "outcome") and isinstance(column, str)
        }
        return self

    def refit(
        self,
        spend: Any,
        outcome: Any = None,
        controls: Any = None,
        time: Any = None,
        group: Any = None,
        *,
        exposures: Any = None,
        holidays: Any = None,
        missing_outcomes: bool = False,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Self:
        """Take in rows that follow on the history, starting from what is known: a fraction of the work of a new fit.

        The draws are weighed by how well the new rows go with them; where too few do, the sampler runs again from where
        it was.

        Parameters
        ----------
        spend : History, (T, n) array-like, frame, or dict of columns
            The added rows alone. A frame with the columns of the first fit needs no other argument.
        outcome, controls, time, group, exposures, holidays, missing_outcomes, threads, progress
            As for `fit`.

        Returns
        -------
        ResponseModel
            Itself.
        """
        fitted = self._need()
        given = self._completed(
            spend, _given(outcome, controls, time, group, None, exposures, holidays, None)
        )
        added = _history(spend, given, missing_outcomes)
        self._set(fitted.refit(added, threads, progress))
        return self

    def predict(
        self,
        spend: Any,
        controls: Any = None,
        time: Any = None,
        group: Any = None,
        *,
        exposures: Any = None,
        holidays: Any = None,
        level: float = 0.9,
    ) -> Forecast:
        """Forecast the periods after the history, given what will be spent in them.

        Past spends carry over. Channels with exposures get as many as their spend bought in the past, unless given.

        Parameters
        ----------
        spend : History, (T, n) array-like, frame, or dict of columns
            Spends of the periods to come (money). A frame with the columns of the fit needs no other argument.
        controls, time, group, exposures, holidays
            As for `fit`; without `time`, rows come in order of time. Every control and holiday of the fit is needed.
        level : float
            Share of the draws inside each interval.

        Returns
        -------
        Forecast
            `mean`, `lower`, `upper`, `draws`, `total`.
        """
        fitted = self._need()
        history = self.history_
        if isinstance(spend, History):
            future = spend
        else:
            given = self._completed(
                spend, _given(None, controls, time, group, None, exposures, holidays, None)
            )
            given["outcome"] = np.zeros(row_count(spend))
            future = _history(spend, given, False)
        days = history.followed_by(future).time
        later = None if days is None else days[history.periods :]
        return Forecast(**fitted.predict(future, level), time=later, groups=history.groups)

    def fitted(self, level: float = 0.9) -> Forecast:
        """What the model expects of the history itself: its posterior-predictive distribution.

        Parameters
        ----------
        level : float
            Share of the draws inside each interval.
        """
        history = self.history_
        return Forecast(**self._need().fitted(level), time=history.time, groups=history.groups)

    def decompose(self, level: float = 0.9) -> Decomposition:
        """Split the outcome into baseline and channels, by period.

        Parameters
        ----------
        level : float
            Share of the draws inside each interval.
        """
        parts = self._need().decompose(level)
        arrays = {name: np.stack([part[name] for part in parts]) for name in ("mean", "lower", "upper")}
        return Decomposition(
            level=level,
            components=[part["name"] for part in parts],
            channel=np.array([part["channel"] for part in parts]),
            total=[part["total"] for part in parts],
            history=self.history_,
            **arrays,
        )

    def summary(self, level: float = 0.9) -> Summary:
        """Say what the fit found: ROAS and parameters with intervals, the quality of the fit, warnings in words.

        Parameters
        ----------
        level : float
            Share of the draws inside each interval.
        """
        figures, text = self._need().summary(level)
        return Summary.of(figures, text)

    def holdout(
        self,
        periods: int,
        history: History | None = None,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Holdout:
        """Fit all but the last periods and forecast those, given their spends, controls and holidays.

        The model itself stays as it is.

        Parameters
        ----------
        periods : int
            Periods held out.
        history : History, optional
            The data; those of the fit by default.
        threads, progress
            As for `fit`.
        """
        history = self.history_ if history is None else history
        compared = _adflow.compare_models([("", self._settings)], history, periods, threads, progress)
        return Holdout.of(compared[0]["holdout"])

    @staticmethod
    def compare(
        models: Mapping[str, ResponseModel],
        history: History,
        periods: int,
        *,
        threads: int | None = None,
        progress: Progress = None,
    ) -> dict[str, Holdout]:
        """Compare models by the same holdout.

        Parameters
        ----------
        models : dict of str to ResponseModel
            Models by name; they need not be fitted, and stay as they are.
        history : History
            The data.
        periods : int
            Periods held out.
        threads, progress
            As for `fit`; the share done is that of one model after the other.

        Returns
        -------
        dict of str to Holdout
            The one with the smallest CRPS first.
        """
        named = [(name, model._settings) for name, model in models.items()]
        compared = _adflow.compare_models(named, history, periods, threads, progress)
        return {one["name"]: Holdout.of(one["holdout"]) for one in compared}

    @property
    def curves_(self) -> _adflow.ResponseCurves:
        """Outcome per period that a lasting spend per period brings, by channel, with draws: ready for `allocate`."""
        return self._once("curves", lambda fitted: fitted.curves())

    @property
    def group_curves_(self) -> _adflow.ResponseCurves:
        """The same by channel and group, named `channel · group`."""
        return self._once("group_curves", lambda fitted: fitted.group_curves())

    @property
    def adstock_(self) -> _adflow.Adstock:
        """Mean carry-over of each channel, weights that sum to 1: ready for `schedule`."""
        return self._once("adstock", lambda fitted: fitted.adstock())

    @property
    def roas_draws_(self) -> Floats:
        """ROAS, (draws, n): what the history's spends brought within it, over those spends (outcome per money)."""
        return self._once("roas", lambda fitted: _fixed(fitted.roas_draws()))

    @property
    def marginal_roas_draws_(self) -> Floats:
        """Marginal ROAS, (draws, n): what the next unit of money per period brings in the long run, at the mean spend."""
        return self._once("marginal_roas", lambda fitted: _fixed(fitted.marginal_roas_draws()))

    @property
    def mean_spend_(self) -> Floats:
        """Mean spend per period of each channel, over all groups (money), (n,)."""
        return np.array(self._need().mean_spend())

    @property
    def channels_(self) -> list[str]:
        """Names of the channels."""
        return self.history_.channels

    @property
    def history_(self) -> History:
        """The history that was fitted, refits included."""
        return self._once("history", lambda fitted: fitted.history)

    @property
    def parameter_names_(self) -> list[str]:
        """Names of the parameters."""
        return self._need().parameter_names

    @property
    def diagnostics_(self) -> dict[str, Any]:
        """Whether the draws can be trusted: `r_hat`, `ess_bulk`, `ess_tail`, `divergences`, `method`, …"""
        return self._once("diagnostics", lambda fitted: fitted.diagnostics())

    @property
    def warnings_(self) -> list[dict[str, Any]]:
        """What to mind before the fit is believed: dicts with `code`, `channels`, `sentence`."""
        return self._once("warnings", lambda _: self.summary().warnings)

    def parameter_draws(self, name: str) -> Floats:
        """All draws of a parameter, (chains, draws), in the units of the history.

        Parameters
        ----------
        name : str
            One of `parameter_names_`.
        """
        draws = self._need().parameter_draws(name)
        if draws is None:
            raise InvalidInputError(f"`name`: there is no parameter {name!r}", "unknown_name")
        return draws

    def plot_fit(self, level: float = 0.9) -> Figure:
        """Draw the outcomes, what the model expects, and what is left; needs Matplotlib."""
        from adflow._plot_model import plot_fit

        return plot_fit(self, level)

    def plot_curves(self, level: float = 0.9) -> Figure:
        """Draw every channel's response curve with its band, the spends seen, and the mean spend; needs Matplotlib."""
        from adflow._plot_model import plot_curves

        return plot_curves(self, level)

    def plot_contributions(self) -> Figure:
        """Draw baseline and channels by period, and their shares; needs Matplotlib."""
        from adflow._plot_model import plot_contributions

        return plot_contributions(self)

    def plot_posterior(self, level: float = 0.9) -> Figure:
        """Draw the distributions of ROAS and marginal ROAS, with intervals; needs Matplotlib."""
        from adflow._plot_model import plot_posterior

        return plot_posterior(self, level)

    def to_json(self) -> str:
        """Settings, history and draws as JSON; read back, they are the same to the last bit."""
        return self._need().to_json()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """A fitted model from the JSON of `to_json`."""
        fitted = _adflow.FittedModel.from_json(text)
        model = cls()
        model._settings = fitted.settings
        model._set(fitted)
        return model

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `to_json` to a file."""
        Path(path).write_text(self.to_json(), encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """A fitted model from the file that `save` wrote."""
        return cls.from_json(Path(path).read_text(encoding="utf-8"))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_known": {}}

    def __repr__(self) -> str:
        defaults = json.loads(_adflow.model_settings("{}"))
        changed = [
            f"{name}={value!r}" for name, value in self.settings.items() if value != defaults.get(name)
        ]
        fitted = "" if self._fitted is None else f", fitted to {self.history_!r}"
        return f"ResponseModel({', '.join(changed)}){fitted}"

    def _set(self, fitted: _adflow.FittedModel) -> None:
        self._fitted = fitted
        self._known = {}

    def _need(self) -> _adflow.FittedModel:
        if self._fitted is None:
            raise NotFittedError("this ResponseModel is not fitted: call `fit` first")
        return self._fitted

    def _once(self, name: str, make: Callable[[_adflow.FittedModel], _T]) -> _T:
        """What follows from the posterior is worked out when it is first asked for."""
        fitted = self._need()
        if name not in self._known:
            self._known[name] = make(fitted)
        known: _T = self._known[name]
        return known

    def _completed(self, spend: Any, given: dict[str, Any]) -> dict[str, Any]:
        """Arguments that the columns of a frame answer, by the names they had in the fit."""
        history, names = self.history_, column_names(spend)
        given["channels"] = history.channels
        for argument, column in self._named.items():
            if given[argument] is None and column in names:
                given[argument] = column
        for argument, own in (("controls", history.controls), ("holidays", history.holidays)):
            if given[argument] is None and own and all(name in names for name in own):
                given[argument] = list(own)
        return given


def _given(*values: Any) -> dict[str, Any]:
    names = ("outcome", "controls", "time", "group", "channels", "exposures", "holidays", "population")
    return dict(zip(names, values, strict=True))


def _history(spend: Any, given: dict[str, Any], missing_outcomes: bool) -> History:
    if isinstance(spend, History):
        named = [name for name, value in given.items() if value is not None and name != "channels"]
        if named:
            raise InvalidInputError(f"`{named[0]}`: the history has its own", "malformed")
        return spend
    if given["outcome"] is None:
        raise InvalidInputError("`outcome` is missing: only a History has its own", "malformed")
    return History(spend, **given, missing_outcomes=missing_outcomes)


def _fixed(draws: Floats) -> Floats:
    draws.flags.writeable = False
    return draws
