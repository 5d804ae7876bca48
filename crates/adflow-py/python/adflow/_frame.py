"""Frames in, frames of the same kind out."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

import narwhals.stable.v2 as nw
import numpy as np

from adflow import _adflow
from adflow._errors import AdflowError, InfeasibleError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from narwhals.stable.v2.typing import IntoDataFrameT
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_PARAMETERS = (
    "beta",
    "half_saturation",
    "slope",
    "scale",
    "exponent",
    "lam",
    "b",
    "c",
    "sigma",
    "offset",
    "cost_per_unit",
    "value_per_response",
)
# What an empty cell of a limit means.
_LIMITS = {
    "lower": 0.0,
    "upper": np.inf,
    "active_lower": 0.0,
    "activation_cost": 0.0,
    "value": 1.0,
    "step": 0.0,
}
# The same for limits on how far spends move from `current`.
_MOVES = {"max_change": np.inf, "max_change_amount": np.inf, "move_cost": 0.0}
_Backend = Literal["pandas", "polars", "pyarrow"]
_BACKENDS: tuple[_Backend, ...] = ("pandas", "polars", "pyarrow")


def allocate_frame(
    frame: IntoDataFrameT,
    by: str | Sequence[str] = "campaign",
    *,
    budget: float | str = "budget",
    lower: float | None = None,
    upper: float | None = None,
    active_lower: float | None = None,
    activation_cost: float | None = None,
    max_active: int | None = None,
    target: _adflow.Target | None = None,
    objective: Literal["response", "profit", "spend"] = "response",
    value: float | None = None,
    max_change: float | None = None,
    max_change_amount: float | None = None,
    max_moves: int | None = None,
    move_cost: float | None = None,
    step: float | None = None,
    spend_all: bool = False,
    tolerance: float = 1e-6,
    time_limit: float | None = None,
    threads: int | None = None,
    progress: bool | Callable[[float], object] | None = None,
) -> IntoDataFrameT:
    """Solve one problem per campaign; a frame in, a frame of the same kind out.

    Stateless and picklable: an engine for distributed data may call it on every partition that holds its campaigns
    whole, with `threads=1`.

    Parameters
    ----------
    frame : pandas.DataFrame, polars.DataFrame, pyarrow.Table, …
        One row per arm. Columns: those of `by`; the parameters of the arm's curve by name (`beta`,
        `half_saturation`, `slope`, …, also `offset`, `cost_per_unit`, `value_per_response`); optionally `curve`, the
        name of its family ("hill" where there is none), and `lower`, `upper`, `active_lower`, `activation_cost`,
        `value`, `step`, `max_change`, `max_change_amount`, `move_cost`, where an empty cell means no limit, no cost and
        a value of 1. `current` is read where one of the last three or `max_moves` is given, in a column or for all
        rows. Other columns stay as they are.
    by : str or list of str
        The columns that tell campaigns apart; rows of one campaign may stand anywhere.
    budget : float or str
        Budget of every campaign, or the column that holds it, the same on every row of a campaign.
    lower, upper, active_lower, activation_cost, value : float, optional
        For all rows, in place of a column.
    max_change, max_change_amount, move_cost, step : float, optional
        For all rows, in place of a column.
    objective, target, max_active, max_moves, spend_all, tolerance, time_limit, threads, progress
        As for `allocate_batch`: the same for each campaign by itself.

    Returns
    -------
    frame of the same kind
        The rows in their order, with the columns `spend`, `response`, `marginal_response` of the arm and
        `upper_bound`, `gap`, `shadow_price`, `status` of its campaign.

    Raises
    ------
    AdflowError
        As for `allocate`; the message begins with the campaign, the first that is wrong in the order of `by`.

    Examples
    --------
    >>> import adflow
    >>> import polars as pl
    >>> frame = pl.DataFrame({
    ...     "campaign": ["spring", "spring", "autumn"], "budget": [10.0, 10.0, 4.0],
    ...     "beta": [3.0, 3.0, 5.0], "half_saturation": [4.0, 4.0, 9.0], "slope": [0.9, 0.9, 2.0],
    ... })
    >>> adflow.allocate_frame(frame)["spend"].round(6).to_list()
    [5.0, 5.0, 4.0]
    """
    rows = nw.from_native(frame, eager_only=True)
    keys = [by] if isinstance(by, str) else list(by)
    if not keys:
        raise InvalidInputError("`by` is empty", "empty")
    _check_columns(rows, [*keys, *([budget] if isinstance(budget, str) else [])])
    settings = {
        "lower": lower,
        "upper": upper,
        "active_lower": active_lower,
        "activation_cost": activation_cost,
        "value": value,
        "max_change": max_change,
        "max_change_amount": max_change_amount,
        "move_cost": move_cost,
        "step": step,
    }
    options = {
        "objective": objective,
        "target": target,
        "max_active": max_active,
        "max_moves": max_moves,
        "spend_all": spend_all,
        "tolerance": tolerance,
        "time_limit": time_limit,
        "threads": threads,
        "progress": progress,
    }
    table = _Campaigns(
        rows, keys, budget, {name: v for name, v in settings.items() if v is not None}, options
    )
    return rows.with_columns(*table.solved()).to_native()


class _Campaigns:
    """The rows of a frame, campaign after campaign."""

    def __init__(
        self,
        rows: nw.DataFrame[Any],
        keys: list[str],
        budget: float | str,
        settings: dict[str, float],
        options: dict[str, Any],
    ) -> None:
        self.backend = rows.implementation
        self.options = options
        self.keys = keys
        order = rows.select(keys).with_row_index("_adflow_row").sort(*keys, "_adflow_row")
        self.order = order["_adflow_row"].to_numpy().astype(np.intp)
        self.in_order = bool((np.diff(self.order) == 1).all())
        self.labels = order
        first = np.zeros(len(order), dtype=bool)
        first[:1] = True
        for key in keys:
            column = order[key]
            if column.null_count():
                raise InvalidInputError(f"`{key}` has empty cells", "out_of_domain")
            values = column.to_numpy()
            first[1:] |= values[1:] != values[:-1]
        self.offsets = np.append(np.flatnonzero(first), len(order))

        self.family: str | list[str] = "hill"
        if "curve" in rows.columns:
            families = rows["curve"].unique().to_list()
            if any(family is None for family in families):
                raise InvalidInputError("`curve` has empty cells", "out_of_domain")
            if len(families) == 1:
                self.family = str(families[0])
            else:
                names = rows["curve"].to_list()
                self.family = [str(names[row]) for row in self.order]
        self.parameters = [(name, self._sorted(rows, name)) for name in _PARAMETERS if name in rows.columns]
        self.settings: dict[str, float | Floats] = {}
        for name, missing in {**_LIMITS, **_MOVES}.items():
            if name in settings:
                self.settings[name] = settings[name]
            elif name in rows.columns:
                values = self._sorted(rows, name)
                self.settings[name] = np.where(np.isnan(values), missing, values)
        if options["max_moves"] is not None or not _MOVES.keys().isdisjoint(self.settings):
            _check_columns(rows, ["current"])
            self.settings["current"] = self._sorted(rows, "current")
        self.budgets = self._budgets(rows, budget)

    def _sorted(self, rows: nw.DataFrame[Any], name: str) -> Floats:
        try:
            values: Floats = rows[name].to_numpy().astype(np.float64)
        except (TypeError, ValueError) as error:
            raise InvalidInputError(f"{name}: not numbers ({error})", "malformed") from None
        return values if self.in_order else values[self.order]

    def _budgets(self, rows: nw.DataFrame[Any], budget: float | str) -> Floats:
        if not isinstance(budget, str):
            return np.full(len(self.offsets) - 1, float(budget))
        values = self._sorted(rows, budget)
        budgets: Floats = values[self.offsets[:-1]]
        same = values == np.repeat(budgets, np.diff(self.offsets))
        if not same.all():
            problem = int(np.searchsorted(self.offsets, np.flatnonzero(~same)[0], side="right")) - 1
            reason = f"`{budget}` must be one number, the same on every row"
            raise InvalidInputError(f"{self._label(problem)}: {reason}", "out_of_domain")
        return budgets

    def solved(self) -> list[nw.Series[Any]]:
        """The new columns, in the order of the frame's rows."""
        problems = len(self.offsets) - 1
        if problems == 0:
            names = ["spend", "response", "marginal_response", "upper_bound", "gap", "shadow_price"]
            columns = [self._series(name, np.empty(0), nw.Float64()) for name in names]
            return [*columns, self._series("status", np.empty(0, dtype=object), nw.String())]
        try:
            batch = self._solve(0, problems)
        except AdflowError:
            self._blame(0, problems)
            raise
        arms = np.diff(self.offsets)
        per_arm = {
            "spend": batch.spend,
            "response": batch.response,
            "marginal_response": batch.marginal_response,
            "upper_bound": np.repeat(batch.upper_bound, arms),
            "gap": np.repeat(batch.gap, arms),
            "shadow_price": np.repeat(batch.shadow_price, arms),
        }
        columns = [
            self._series(name, self._restored(values), nw.Float64()) for name, values in per_arm.items()
        ]
        status = self._restored(np.repeat(batch.status.astype(object), arms))
        return [*columns, self._series("status", status, nw.String())]

    def _restored(self, values: NDArray[Any]) -> NDArray[Any]:
        if self.in_order:
            return values
        restored = np.empty_like(values)
        restored[self.order] = values
        return restored

    def _series(self, name: str, values: NDArray[Any], dtype: nw.Float64 | nw.String) -> nw.Series[Any]:
        return nw.new_series(name, values, dtype, backend=self.backend)

    def _solve(self, start: int, stop: int) -> _adflow.Batch:
        """Solve the campaigns of a range."""
        first, last = self.offsets[start], self.offsets[stop]
        family = self.family if isinstance(self.family, str) else self.family[first:last]
        curves = _adflow.ResponseCurves.from_columns(
            family, {name: values[first:last] for name, values in self.parameters}
        )
        settings: dict[str, Any] = {
            name: given
            if isinstance(given, float)
            else np.asarray(given)[first:last]
            if np.ndim(given)
            else given
            for name, given in self.settings.items()
        }
        offsets = self.offsets[start : stop + 1] - first
        return _adflow.allocate_batch(curves, offsets, self.budgets[start:stop], **settings, **self.options)

    def _blame(self, start: int, stop: int) -> None:
        """Find the first campaign that cannot be solved, and raise its error with its name."""
        while stop - start > 1:
            middle = (start + stop) // 2
            try:
                self._solve(start, middle)
            except AdflowError:
                stop = middle
            else:
                start = middle
        try:
            self._solve(start, stop)
        except InfeasibleError as error:
            message = f"{self._label(start)}: {error}"
            details = (error.conflict, error.feasible_budget, error.nearest, error.feasible_target)
            raise InfeasibleError(message, error.code, *details) from None
        except AdflowError as error:
            raise type(error)(f"{self._label(start)}: {error}", error.code) from None

    def _label(self, problem: int) -> str:
        row = int(self.offsets[problem])
        return ", ".join(f"{key} {self.labels[key][row]!r}" for key in self.keys)


def _check_columns(rows: nw.DataFrame[Any], names: list[str]) -> None:
    for name in names:
        if name not in rows.columns:
            raise InvalidInputError(f"the frame has no column `{name}`", "malformed")


def plan_frame(plan: _adflow.Plan, backend: _Backend | None) -> Any:
    """`Plan.to_frame`."""
    columns: dict[str, Any] = {}
    if plan.names is not None:
        columns["name"] = plan.names
    if plan.current is not None:
        columns["current"] = plan.current.copy()
    columns["spend"] = plan.spend.copy()
    columns["response"] = plan.response.copy()
    columns["marginal_response"] = plan.marginal_response.copy()
    return _made(columns, backend)


def frontier_frame(frontier: _adflow.Frontier, backend: _Backend | None) -> Any:
    """`Frontier.to_frame`."""
    columns: dict[str, Any] = {"budget": frontier.budgets.copy()}
    for name in ("total_spend", "total_response", "objective_value", "upper_bound", "gap", "shadow_price"):
        columns[name] = getattr(frontier, name).copy()
    columns["status"] = frontier.status
    names = frontier.names or [str(arm) for arm in range(len(frontier.curves))]
    for word in ("spend", "response"):
        values = getattr(frontier, word)
        columns.update({f"{word}_{name}": values[:, arm].copy() for arm, name in enumerate(names)})
    return _made(columns, backend)


def schedule_frame(plan: _adflow.SchedulePlan, backend: _Backend | None) -> Any:
    """`SchedulePlan.to_frame`."""
    periods, arms = plan.spend.shape
    columns: dict[str, Any] = {
        "period": np.repeat(np.arange(periods), arms),
        "arm": np.tile(np.arange(arms), periods),
    }
    if plan.names is not None:
        columns["name"] = plan.names * periods
    columns["spend"] = plan.spend.flatten()
    columns["adstocked"] = plan.adstocked[:periods].flatten()
    columns["response"] = plan.response[:periods].flatten()
    return _made(columns, backend)


def uncertainty_frame(uncertainty: _adflow.Uncertainty, backend: _Backend | None) -> Any:
    """`Uncertainty.to_frame`."""
    columns: dict[str, Any] = {}
    if uncertainty.names is not None:
        columns["name"] = uncertainty.names
    for word in ("mean", "std", "low", "high"):
        columns[f"share_{word}"] = np.array([share[word] for share in uncertainty.shares])
    columns["information"] = uncertainty.arm_information.copy()
    if uncertainty.arm_information_money is not None:
        columns["information_money"] = uncertainty.arm_information_money.copy()
    return _made(columns, backend)


def _made(columns: dict[str, Any], backend: _Backend | None) -> Any:
    """A frame of the kind asked for, or of the first that is installed."""
    if backend is None:
        installed = [name for name in _BACKENDS if find_spec(name)]
        if not installed:
            raise ImportError(f"a frame needs one of {', '.join(_BACKENDS)}")
        backend = installed[0]
    elif backend not in _BACKENDS:
        message = f"`backend` must be one of {', '.join(_BACKENDS)}, got {backend!r}"
        raise InvalidInputError(message, "out_of_domain")
    return nw.from_dict(columns, backend=backend).to_native()


def history_frame(history: _adflow.History, backend: _Backend | None) -> Any:
    """`History.to_frame`."""
    columns = label_columns(history.time, history.periods, history.groups)
    spend = history.spend.reshape(-1, len(history.channels))
    columns.update({name: spend[:, at].copy() for at, name in enumerate(history.channels)})
    for others in (history.controls, history.holidays):
        columns.update({name: values.flatten() for name, values in others.items()})
    columns.update({f"{name}_exposures": values.flatten() for name, values in history.exposures.items()})
    columns["outcome"] = history.outcome.flatten()
    return _made(columns, backend)


def fit_frame(columns: dict[str, Any], backend: _Backend | None) -> Any:
    """Figures of a fit as a frame."""
    return _made(columns, backend)


def label_columns(time: NDArray[np.datetime64] | None, periods: int, groups: list[str]) -> dict[str, Any]:
    """`time`, and `group` where there are several, of rows by group and period."""
    days: Any = np.arange(periods) if time is None else time
    columns: dict[str, Any] = {"time": np.tile(days, len(groups))}
    if len(groups) > 1:
        columns["group"] = [group for group in groups for _ in range(periods)]
    return columns
