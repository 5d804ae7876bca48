"""A fitted response model in pictures."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from adflow._plot import _CURVE, _OTHERS, _POINTS, _PROPOSED, _short

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from adflow._response_model import ResponseModel

    Floats = NDArray[np.float64]

_INK, _SOFT, _GRID = "#24292f", "#57606a", "#eaeef2"
# The plots' own order, told apart by colour-blind eyes too (Okabe and Ito), blue first.
_CHANNELS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a900", "#6f4e7c")
_MOST_GROUPS = 6
_MOST_CHANNELS = len(_CHANNELS)


def plot_fit(model: ResponseModel, level: float) -> Figure:
    """`ResponseModel.plot_fit`."""
    make = _figure("plot_fit")
    history, expected = model.history_, model.fitted(level)
    time = _time(history.time, history.periods)
    groups, shown = history.groups, _shown_groups(history.outcome)
    shape = (len(groups), history.periods)
    outcome, mean, lower, upper = (
        values.reshape(shape) for values in (history.outcome, expected.mean, expected.lower, expected.upper)
    )
    fit = model.summary(level).fit
    figure = make(figsize=(8.6, 2.1 + (2.9 if len(shown) == 1 else 1.8) * len(shown)))
    heights = [3.0] * len(shown) + [1.15]
    axes = figure.subplots(len(shown) + 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    for ax, group in zip(axes, shown, strict=False):
        ax.fill_between(time, lower[group], upper[group], color=_PROPOSED, alpha=0.16, lw=0)
        ax.plot(time, mean[group], color=_PROPOSED, lw=1.8, label="expected")
        ax.plot(time, outcome[group], "o", color=_INK, ms=2.8, mew=0, label="outcome")
        _style(ax)
        ax.set_ylabel("outcome")
        if len(groups) > 1:
            ax.set_title(groups[group], fontsize=10, loc="left", fontweight="bold")
    left = outcome - mean
    residuals = left.mean(axis=0) if len(groups) > 1 else left[0]
    axes[-1].axhline(0.0, color=_CURVE, lw=0.8)
    axes[-1].vlines(time, 0.0, residuals, color=_CURVE, lw=1.6)
    axes[-1].set_ylabel("left over" if len(groups) == 1 else "left over,\nmean")
    _style(axes[-1])
    most = 1.15 * float(np.nanmax(np.abs(residuals))) or 1.0
    axes[-1].set_ylim(-most, most)
    axes[-1].margins(x=0.012)
    _dates(axes[-1], history.time)
    if len(groups) == 1:
        axes[0].set_title("fit", fontsize=10, loc="left", fontweight="bold")
    note = (
        f"R² {fit['r_squared']:.3f}   mean error {_percent(fit['mape'], 1)}   "
        f"inside the intervals {_percent(fit['coverage'])}"
    )
    if len(shown) < len(groups):
        note = f"{len(shown)} of {len(groups)} groups   {note}"
    axes[0].set_title(note, fontsize=9, loc="right", color=_SOFT)
    band = _patch(_PROPOSED, 0.16, f"{_percent(level)} of what may be observed")
    figure.legend(
        handles=[*axes[0].get_lines(), band], loc="outside lower center", ncols=3, frameon=False, fontsize=9
    )
    return figure


def plot_curves(model: ResponseModel, level: float) -> Figure:
    """`ResponseModel.plot_curves`."""
    make = _figure("plot_curves")
    from matplotlib.lines import Line2D

    names, curves, means = model.channels_, model.curves_, model.mean_spend_
    spend = model.history_.spend.reshape(-1, model.history_.periods, len(names)).sum(axis=0)
    across = min(len(names), 4 if len(names) > 6 else 3)
    down = ceil(len(names) / across)
    figure = make(figsize=(max(4.6, 3.5 * across), 2.9 * down + 0.5))
    for at, name in enumerate(names):
        ax = figure.add_subplot(down, across, at + 1)
        color = _CHANNELS[at % len(_CHANNELS)]
        curve, most = curves[at], float(spend[:, at].max())
        x = np.linspace(0.0, 1.25 * most or 1.0, _POINTS)
        draws = np.stack([curve.response_draws([point])[:, 0] for point in x])
        centre = curve.response(x[:, None])[:, 0]
        tail = 0.5 * (1.0 - level)
        bands = np.quantile(draws, [tail, 0.25, 0.75, 1.0 - tail], axis=1)
        ax.fill_between(x, bands[0], bands[3], color=color, alpha=0.14, lw=0)
        ax.fill_between(x, bands[1], bands[2], color=color, alpha=0.22, lw=0)
        seen = x <= most
        ax.plot(x[seen], centre[seen], color=color, lw=2)
        ax.plot(x[~seen], centre[~seen], color=color, lw=1.6, ls=(0, (2, 1.6)))
        today = float(curve.response([means[at]])[0])
        ax.plot(means[at], today, "o", color=color, mec="white", mew=1.2, ms=8, zorder=5)
        # The spends that were seen, as a rug.
        rug = spend[spend[:, at] > 0.0, at]
        ax.plot(rug, np.zeros_like(rug), "|", color=_SOFT, ms=7, mew=0.7, alpha=0.55, clip_on=False, zorder=4)
        _style(ax)
        ax.set_xlim(0.0, x[-1])
        ax.set_ylim(bottom=0.0)
        ax.locator_params(nbins=5)
        ax.xaxis.set_major_formatter(_short)
        ax.set_title(name, fontsize=10, loc="left", fontweight="bold")
        roas = np.median(model.marginal_roas_draws_[:, at])
        note = f"next unit brings {roas:.2g}"
        ax.text(0.03, 0.97, note, transform=ax.transAxes, va="top", fontsize=8, color=_SOFT)
        if at % across == 0:
            ax.set_ylabel("outcome per period")
        if at + across >= len(names):
            ax.set_xlabel("spend per period")
    handles: list[Any] = [
        Line2D([], [], color=_CURVE, lw=2, label="mean"),
        Line2D([], [], color=_CURVE, lw=1.6, ls=(0, (2, 1.6)), label="beyond the spends seen"),
        _patch(_CURVE, 0.45, "half of the draws"),
        _patch(_CURVE, 0.2, _percent(level)),
        Line2D([], [], color=_CURVE, marker="o", ls="", mec="white", ms=8, label="mean spend"),
        Line2D([], [], color=_SOFT, marker="|", ls="", ms=7, label="spends seen"),
    ]
    ncols = len(handles) if across > 2 else 3 if across == 2 else 2
    figure.legend(handles=handles, loc="outside lower center", ncols=ncols, frameon=False, fontsize=9)
    return figure


def plot_contributions(model: ResponseModel) -> Figure:
    """`ResponseModel.plot_contributions`."""
    make = _figure("plot_contributions")
    history, parts = model.history_, model.decompose()
    time = _time(history.time, history.periods)
    mean = parts.mean.reshape(len(parts.components), -1, history.periods).sum(axis=1)
    outcome = history.outcome.reshape(-1, history.periods).sum(axis=0)
    base = mean[~parts.channel].sum(axis=0)
    names, layers, totals, colors = ["baseline"], [base], [_sum(parts.total, ~parts.channel)], [_OTHERS]
    channels = np.flatnonzero(parts.channel)
    sizes = mean[channels].sum(axis=1)
    order = channels[np.argsort(-sizes, kind="stable")]
    kept = order if len(order) <= _MOST_CHANNELS else order[: _MOST_CHANNELS - 1]
    for part in kept:
        names.append(parts.components[part])
        layers.append(mean[part])
        totals.append(parts.total[part])
        place = len(colors) - 1 if len(channels) > _MOST_CHANNELS else channels.tolist().index(part)
        colors.append(_CHANNELS[place])
    rest = order[len(kept) :]
    if len(rest):
        names.append(f"{len(rest)} others")
        layers.append(mean[rest].sum(axis=0))
        totals.append(_sum(parts.total, np.isin(np.arange(len(parts.components)), rest)))
        colors.append(_SOFT)

    bars = 0.8 + 0.3 * (len(names) - 1)
    figure = make(figsize=(8.6, 4.0 + bars))
    above, below = figure.subplots(2, height_ratios=[3.6, bars])
    floor = np.zeros(history.periods)
    for layer, color in zip(layers, colors, strict=True):
        above.fill_between(time, floor, floor + layer, color=color, lw=0.4, edgecolor="white")
        floor = floor + layer
    above.plot(time, outcome, color=_INK, lw=1.0)
    _style(above)
    above.set_xlim(time[0], time[-1])
    above.set_ylim(bottom=min(0.0, float(base.min())))
    above.set_ylabel("outcome")
    above.set_title("where the outcome came from", fontsize=10, loc="left", fontweight="bold")
    _dates(above, history.time)

    whole = sum(total["mean"] for total in totals)
    spend = history.spend.reshape(-1, history.spend.shape[-1]).sum(axis=0)
    rows = np.arange(len(names) - 1)
    share = np.array([[total[word] / whole for word in ("mean", "lower", "upper")] for total in totals[1:]])
    spent = [spend[channels.tolist().index(part)] / spend.sum() for part in kept]
    if len(rest):
        spent.append(sum(spend[channels.tolist().index(part)] for part in rest) / spend.sum())
    below.barh(rows, share[:, 0], height=0.6, color=colors[1:])
    below.hlines(rows, share[:, 1], share[:, 2], color=_INK, lw=1.3)
    for row, (end, one, paid) in enumerate(zip(share[:, 2], share[:, 0], spent, strict=True)):
        note = f"{_percent(one, 1)} of the outcome, {_percent(paid)} of the spend"
        below.annotate(
            note, (end, row), (6, 0), textcoords="offset points", va="center", fontsize=8, color=_SOFT
        )
    below.set_yticks(rows, names[1:])
    below.set_ylim(len(rows) - 0.4, -0.6)
    below.set_xlim(0.0, 1.55 * float(share[:, 2].max()))
    below.set_title("channels", fontsize=10, loc="left", fontweight="bold")
    baseline = totals[0]["mean"] / whole
    note = f"baseline {_percent(baseline, 1)}   lines hold {_percent(parts.level)} of the draws"
    below.set_title(note, fontsize=9, loc="right", color=_SOFT)
    _style(below, "x")
    below.xaxis.set_major_formatter(lambda value, _: _percent(value))
    below.tick_params(axis="y", labelcolor=_INK, labelsize=9)
    from matplotlib.lines import Line2D

    handles = [
        _patch(_OTHERS, 1.0, "baseline"),
        Line2D([], [], color=_INK, lw=1.0, label="outcome"),
    ]
    above.legend(handles=handles, loc="lower left", ncols=2, fontsize=8, framealpha=0.85, edgecolor="none")
    return figure


def plot_posterior(model: ResponseModel, level: float) -> Figure:
    """`ResponseModel.plot_posterior`."""
    make = _figure("plot_posterior")
    names = model.channels_
    figure = make(figsize=(9.6, 1.3 + 0.62 * len(names)))
    left, right = figure.subplots(1, 2, sharey=True)
    for ax, draws, title in (
        (left, model.roas_draws_, "ROAS over the history"),
        (right, model.marginal_roas_draws_, "ROAS of the next unit"),
    ):
        far = float(np.quantile(draws, 0.99, axis=0).max())
        grid = np.linspace(0.0, far, 2 * _POINTS)
        for row, own in enumerate(draws.T):
            color = _CHANNELS[row % len(_CHANNELS)]
            height = _density(own, grid)
            height *= 0.72 / height.max()
            seen = height > 0.004
            ax.fill_between(grid[seen], row, row - height[seen], color=color, alpha=0.3, lw=0)
            ax.plot(grid[seen], row - height[seen], color=color, lw=1.2)
            tail = 0.5 * (1.0 - level)
            low, first, middle, third, high = np.quantile(own, [tail, 0.25, 0.5, 0.75, 1.0 - tail])
            ax.hlines(row, low, high, color=color, lw=1.6)
            ax.hlines(row, first, third, color=color, lw=4.5)
            ax.plot(middle, row, "o", color="white", mec=color, mew=1.6, ms=5.5, zorder=5)
            ax.annotate(f"{middle:.3g}", (1.27 * far, row), ha="right", va="bottom", fontsize=10, color=_INK)
            interval = f"{low:.3g} to {high:.3g}"
            ax.annotate(interval, (1.31 * far, row), va="bottom", fontsize=8, color=_SOFT)
        ax.set_xlim(0.0, 1.72 * far)
        ax.set_xticks([tick for tick in ax.get_xticks() if tick <= 1.05 * far])
        ax.set_title(title, fontsize=10, loc="left", fontweight="bold")
        ax.set_xlabel("outcome per unit of spend")
        _style(ax, "x")
        ax.xaxis.set_major_formatter(_short)
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0)
    for ax in (left, right):
        text = f"median, {_percent(level)} of the draws"
        ax.set_title(text, fontsize=8, loc="right", color=_SOFT)
    left.set_yticks(np.arange(len(names)), names)
    left.tick_params(axis="y", labelcolor=_INK, labelsize=9)
    left.set_ylim(len(names) - 0.75, -0.95)
    return figure


def _figure(name: str) -> Callable[..., Figure]:
    """Makes figures with some air at their edges."""
    try:
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ImportError as error:
        message = f"`ResponseModel.{name}` needs Matplotlib: pip install adflow[plot]"
        raise ImportError(message) from error
    return lambda **settings: Figure(**settings, layout=ConstrainedLayoutEngine(w_pad=0.09, h_pad=0.07))


def _percent(share: float, digits: int = 0) -> str:
    return f"{100.0 * share:.{digits}f} %"


def _style(axes: Axes, grid: Literal["x", "y"] = "y") -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#d0d7de")
    axes.grid(axis=grid, color=_GRID, lw=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8, colors=_SOFT)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set(fontsize=9, color=_SOFT)
    if grid == "y":
        axes.yaxis.set_major_formatter(_short)


def _dates(axes: Axes, time: Any) -> None:
    if time is None:
        axes.set_xlabel("period")
        return
    from matplotlib import dates

    locator: Any = dates.AutoDateLocator  # untyped
    formatter: Any = dates.ConciseDateFormatter
    ticks = locator()
    axes.xaxis.set_major_locator(ticks)
    axes.xaxis.set_major_formatter(formatter(ticks))


def _time(time: Any, periods: int) -> Any:
    return np.arange(periods) if time is None else time


def _shown_groups(outcome: Floats) -> list[int]:
    """The groups with the largest outcomes."""
    if outcome.ndim == 1:
        return [0]
    largest = np.argsort(-np.nansum(outcome, axis=1), kind="stable")[:_MOST_GROUPS]
    return sorted(int(group) for group in largest)


def _patch(color: str, alpha: float, label: str) -> Any:
    from matplotlib.patches import Patch

    return Patch(color=color, alpha=alpha, lw=0, label=label)


def _sum(totals: list[dict[str, float]], chosen: NDArray[np.bool_]) -> dict[str, float]:
    """Means add up; intervals do not."""
    mean = sum(total["mean"] for total, own in zip(totals, chosen, strict=True) if own)
    return {"mean": mean, "lower": mean, "upper": mean}


def _density(draws: Floats, grid: Floats) -> Floats:
    """A Gaussian kernel estimate with Scott's bandwidth, mirrored at 0."""
    spread = min(float(draws.std()), float(np.subtract(*np.quantile(draws, [0.75, 0.25]))) / 1.34)
    width = 1.06 * max(spread, 1e-9 * float(grid[-1])) * len(draws) ** -0.2
    some = draws if len(draws) <= 2000 else draws[:: len(draws) // 2000]
    total: Floats = np.zeros_like(grid)
    for sign in (1.0, -1.0):
        total += np.exp(-0.5 * ((grid[:, None] - sign * some[None, :]) / width) ** 2).sum(axis=1)
    return total
