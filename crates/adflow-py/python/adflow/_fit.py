"""What a fitted response model says."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from adflow._errors import InvalidInputError
from adflow._frame import fit_frame, label_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from adflow._adflow import History

    Floats = NDArray[np.float64]
    Backend = Literal["pandas", "polars", "pyarrow"]

_ROWS = {
    "channels": ("channel", "spend", "contribution", "share", "roas", "marginal_roas"),
    "parameters": ("name", "mean", "median", "lower", "upper", "std", "r_hat", "ess_bulk", "ess_tail"),
}


@dataclass(frozen=True, eq=False, repr=False)
class Summary:
    """What a fit found; printed, a table for people.

    Attributes
    ----------
    level : float
        Share of the draws inside each interval.
    channels : list of dict
        One per channel: `channel`, `spend` (money), and the intervals (`mean`, `median`, `lower`, `upper`) `contribution`
        (outcome), `share` (of the whole outcome), `roas` and `marginal_roas` (outcome per money).
    parameters : list of dict
        One per parameter, in the units of the history: `name`, `mean`, `median`, `lower`, `upper`, `std`, `r_hat`,
        `ess_bulk`, `ess_tail`.
    fit : dict
        `r_squared`, `mape`, `coverage` (share of outcomes inside their intervals), `crps` (outcome).
    checks : list of dict
        Posterior-predictive checks: `statistic`, `observed`, `expected`, `p_value` (near 0 or 1 the model misses something).
    diagnostics : dict
        Whether the draws can be trusted: `r_hat`, `ess_bulk`, `ess_tail`, `divergences`, …
    warnings : list of dict
        What to mind: `code`, `channels`, `sentence`.
    """

    level: float
    channels: list[dict[str, Any]]
    parameters: list[dict[str, Any]]
    fit: dict[str, float]
    checks: list[dict[str, Any]]
    diagnostics: dict[str, Any]
    warnings: list[dict[str, Any]]
    text: str

    @classmethod
    def of(cls, figures: dict[str, Any], text: str) -> Summary:
        """From the figures of a summary, put in the order in which people read them."""
        ordered = {
            what: [{name: row[name] for name in names} for row in figures[what]]
            for what, names in _ROWS.items()
        }
        return cls(**{**figures, **ordered}, text=text)

    def to_dict(self) -> dict[str, Any]:
        """All figures as plain data."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "text"}

    def to_frame(
        self, what: Literal["channels", "parameters"] = "channels", backend: Backend | None = None
    ) -> Any:
        """The channels or the parameters as a frame, one row each.

        Parameters
        ----------
        what : {"channels", "parameters"}
            What the rows are. An interval of a channel becomes columns like `roas`, `roas_lower`, `roas_upper`; the first
            is its median, for contribution and share its mean.
        backend : {"pandas", "polars", "pyarrow"}, optional
            The kind of frame; the first of these that is installed by default.
        """
        if what not in ("channels", "parameters"):
            raise InvalidInputError(f"`what` must be channels or parameters, got {what!r}", "out_of_domain")
        columns: dict[str, Any] = {}
        for row in getattr(self, what):
            for name, value in row.items():
                if isinstance(value, dict):
                    centre = "median" if "roas" in name else "mean"
                    cells = {
                        name: value[centre],
                        f"{name}_lower": value["lower"],
                        f"{name}_upper": value["upper"],
                    }
                else:
                    cells = {name: value}
                for label, cell in cells.items():
                    columns.setdefault(label, []).append(cell)
        return fit_frame(columns, backend)

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.text)}</pre>"


@dataclass(frozen=True, eq=False, repr=False)
class Decomposition:
    """Where the outcome came from, by period; the means add up to the fitted mean.

    Attributes
    ----------
    level : float
        Share of the draws inside each interval.
    components : list of str
        The baseline's parts (`intercept`, `trend`, `season`, …), then the channels.
    channel : (k,) array of bool
        Which of them are channels.
    mean, lower, upper : (k, T) or (k, groups, T) array
        Outcome that a component brings in a period.
    total : list of dict
        The sum over the history of each: `mean`, `median`, `lower`, `upper`.
    history : History
        The history that was fitted.
    """

    level: float
    components: list[str]
    channel: NDArray[np.bool_]
    mean: Floats
    lower: Floats
    upper: Floats
    total: list[dict[str, float]]
    history: History

    def to_frame(self, backend: Backend | None = None) -> Any:
        """One row per component, group and period: `time`, `group` (where there are several), `component`, `mean`,
        `lower`, `upper`."""
        count, rows = len(self.components), self.mean[0].size
        labels = label_columns(self.history.time, self.history.periods, self.history.groups)
        columns: dict[str, Any] = {name: np.tile(column, count) for name, column in labels.items()}
        columns["component"] = [name for name in self.components for _ in range(rows)]
        for name in ("mean", "lower", "upper"):
            columns[name] = getattr(self, name).flatten()
        return fit_frame(columns, backend)

    def __repr__(self) -> str:
        whole = sum(total["mean"] for total in self.total)
        pairs = zip(self.components, self.total, strict=True)
        parts = ", ".join(f"{name} {100 * total['mean'] / whole:.1f} %" for name, total in pairs)
        return f"Decomposition({parts})"


@dataclass(frozen=True, eq=False, repr=False)
class Forecast:
    """Outcomes with their uncertainty, noise included.

    Attributes
    ----------
    level : float
        Share of the draws inside each interval.
    mean, lower, upper : (T,) or (groups, T) array
        Mean of the outcome, and the ends of what will be observed.
    total : dict
        The sum over all groups and periods: `mean`, `median`, `lower`, `upper`.
    draws : (draws, T) or (draws, groups, T) array
        What will be observed in each draw.
    time : (T,) array or None
        First day of each period, where there are dates.
    groups : list of str
        Names of the groups.
    """

    level: float
    mean: Floats
    lower: Floats
    upper: Floats
    total: dict[str, float]
    draws: Floats
    time: NDArray[np.datetime64] | None
    groups: list[str]

    def to_frame(self, backend: Backend | None = None) -> Any:
        """One row per group and period: `time`, `group` (where there are several), `mean`, `lower`, `upper`."""
        columns = label_columns(self.time, self.mean.shape[-1], self.groups)
        for name in ("mean", "lower", "upper"):
            columns[name] = getattr(self, name).flatten()
        return fit_frame(columns, backend)

    def __repr__(self) -> str:
        total = self.total
        return (
            f"Forecast({self.mean.shape[-1]} periods: total {total['mean']:.6g}, "
            f"{100 * self.level:g} % from {total['lower']:.6g} to {total['upper']:.6g})"
        )


@dataclass(frozen=True)
class Scores:
    """Errors of a forecast: smaller is better.

    Attributes
    ----------
    crps : float
        Mean continuous ranked probability score (outcome); the mean absolute error of a forecast without spread.
    mape : float
        Mean absolute error as a share of the outcome; outcomes of 0 left out.
    wape : float
        Sum of absolute errors over the sum of outcomes.
    rmse : float
        Root mean squared error (outcome).
    """

    crps: float
    mape: float
    wape: float
    rmse: float


@dataclass(frozen=True, repr=False)
class Holdout(Scores):
    """Errors of a forecast of the last periods by a model that was fitted on those before.

    Attributes
    ----------
    periods : int
        Periods held out.
    coverage : float
        Share of outcomes inside their 90 % intervals.
    seasonal : Scores
        Those of a forecast that repeats the last season.
    """

    periods: int
    coverage: float
    seasonal: Scores

    @classmethod
    def of(cls, figures: dict[str, Any]) -> Holdout:
        """From the figures of a holdout."""
        return cls(**{**figures, "seasonal": Scores(**figures["seasonal"])})

    def __repr__(self) -> str:
        return (
            f"Holdout({self.periods} periods: CRPS {self.crps:.4g}, MAPE {100 * self.mape:.1f} %, "
            f"coverage {100 * self.coverage:.0f} %; last season again: CRPS {self.seasonal.crps:.4g}, "
            f"MAPE {100 * self.seasonal.mape:.1f} %)"
        )
