"""Spends before and after with the response curves, and spends over budgets."""

from __future__ import annotations

import json
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from adflow._display import _change
from adflow._errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from adflow._adflow import Frontier, Plan, ResponseCurves

_MOST_ARMS = 12
_MOST_LAYERS = 8
_POINTS = 200
_CURVE, _CURRENT, _PROPOSED = "#8a94a6", "#d9822b", "#1f6feb"
_OTHERS = "#d0d7de"


def plot_plan(plan: Plan, arms: Sequence[int | str] | None) -> Figure:
    """`Plan.plot`."""
    try:
        from matplotlib.figure import Figure
        from matplotlib.lines import Line2D
    except ImportError as error:
        raise ImportError("`Plan.plot` needs Matplotlib: pip install adflow[plot]") from error

    chosen = _chosen(plan, arms)
    across = min(len(chosen), 4 if len(chosen) > 6 else 3)
    down = ceil(len(chosen) / across)
    bars = 0.9 + (0.26 if plan.current is None else 0.4) * (len(chosen) + (len(chosen) < len(plan.spend)))
    size = (max(5.4, 3.6 * across), bars + 2.7 * down + 0.4)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.add_gridspec(1 + down, across, height_ratios=[bars, *[2.7] * down])
    _draw_bars(figure.add_subplot(grid[0, :]), plan, chosen)
    for position, arm in enumerate(chosen):
        row, column = divmod(position, across)
        axes = figure.add_subplot(grid[1 + row, column])
        _draw(axes, plan, arm)
        if column == 0:
            axes.set_ylabel("response")
        if position + across >= len(chosen):
            axes.set_xlabel("spend")

    handles = [Line2D([], [], color=_CURVE, label="response curve")]
    if plan.current is not None:
        handles.append(
            Line2D([], [], color=_CURRENT, marker="o", ls="", mfc="white", mew=1.8, label="current")
        )
    handles.append(Line2D([], [], color=_PROPOSED, marker="o", ls="", label="proposed"))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    return figure


def plot_frontier(frontier: Frontier, arms: Sequence[int | str] | None) -> Figure:
    """`Frontier.plot`."""
    try:
        from matplotlib import colormaps
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("`Frontier.plot` needs Matplotlib: pip install adflow[plot]") from error

    order = np.argsort(frontier.budgets, kind="stable")
    budgets, spend = frontier.budgets[order], frontier.spend[order]
    chosen = _arms(frontier.names, arms, spend.max(axis=0), _MOST_LAYERS)
    figure = Figure(figsize=(7.2, 6.4), layout="constrained")
    above, below = figure.subplots(2, sharex=True)

    above.plot(budgets, frontier.objective_value[order], "-", color=_PROPOSED, lw=2, label="objective")
    loose = np.array(frontier.status)[order] != "optimal"
    if loose.any():
        above.plot(budgets, frontier.upper_bound[order], ":", color=_CURVE, lw=1.5, label="at most possible")
    above.set_ylabel("objective")
    price = above.twinx()
    price.plot(
        budgets, frontier.shadow_price[order], "--", color=_CURRENT, lw=1.5, label="one more unit of budget"
    )
    price.set_ylabel("shadow price", color=_CURRENT)
    price.set_ylim(bottom=0)
    lines = [*above.get_lines(), *price.get_lines()]
    figure.legend(handles=lines, loc="outside upper left", ncols=len(lines), frameon=False, fontsize=8)

    labels = [frontier.names[arm] if frontier.names else f"arm {arm}" for arm in chosen]
    layers = [spend[:, arm] for arm in chosen]
    colors: list[Any] = [colormaps["tab10"](at % 10) for at in range(len(chosen))]
    others = np.setdiff1d(np.arange(spend.shape[1]), chosen)
    if len(others):
        labels.append(f"{len(others)} other arm{'s' if len(others) > 1 else ''}")
        layers.append(spend[:, others].sum(axis=1))
        colors.append(_OTHERS)
    below.stackplot(budgets, layers, labels=labels, colors=colors, alpha=0.85)
    for change in frontier.changes:
        if change["arm"] in chosen:
            below.axvline(change["budget"], color=colors[chosen.index(change["arm"])], lw=0.8, ls=":")
    below.set_xlabel("budget")
    below.set_ylabel("spend")
    below.legend(loc="upper left", frameon=False, fontsize=8)
    for axes in (above, below, price):
        axes.spines[["top"]].set_visible(False)
        axes.xaxis.set_major_formatter(_short)
        axes.yaxis.set_major_formatter(_short)
        axes.tick_params(labelsize=8, colors="#57606a")
    if len(budgets) > 1 and budgets[0] < budgets[-1]:
        below.set_xlim(budgets[0], budgets[-1])
    return figure


def _chosen(plan: Plan, arms: Sequence[int | str] | None) -> list[int]:
    most = plan.spend if plan.current is None else np.maximum(plan.spend, plan.current)
    return _arms(plan.names, arms, most, _MOST_ARMS)


def _arms(
    names: list[str] | None,
    arms: Sequence[int | str] | None,
    sizes: NDArray[np.float64],
    most: int,
) -> list[int]:
    """The arms asked for, or the largest."""
    n = len(sizes)
    if arms is None:
        largest = np.argsort(-sizes, kind="stable")[:most]
        return sorted(int(arm) for arm in largest)
    known = names or []
    chosen = []
    for arm in arms:
        if isinstance(arm, str):
            if arm not in known:
                raise InvalidInputError(f"`arms`: there is no arm named {arm!r}", "out_of_domain")
            chosen.append(known.index(arm))
        elif -n <= int(arm) < n:
            chosen.append(int(arm) % n)
        else:
            raise InvalidInputError(f"`arms`: must be below {n}, got {arm}", "out_of_domain")
    if not chosen:
        raise InvalidInputError("`arms` is empty", "empty")
    return chosen


def _draw_bars(axes: Axes, plan: Plan, chosen: list[int]) -> None:
    """A bar per arm, before above after. The sum of the other arms is a note: as a bar it would dwarf these."""
    names, current = plan.names, plan.current
    labels = [names[arm] if names else f"arm {arm}" for arm in chosen]
    rows = np.arange(len(chosen))
    after = plan.spend[chosen]
    total = _short(plan.total_spend)
    if current is None:
        axes.barh(rows, after, height=0.62, color=_PROPOSED)
        ends, notes = after, [_short(spend) for spend in after]
    else:
        before = current[chosen]
        axes.barh(rows - 0.2, before, height=0.36, color="white", edgecolor=_CURRENT, lw=1.5)
        axes.barh(rows + 0.2, after, height=0.36, color=_PROPOSED)
        ends = np.maximum(before, after)
        notes = [_change(float(old), float(new)) for old, new in zip(before, after, strict=True)]
        total = f"{_short(float(current.sum()))} → {total}"
    others = np.setdiff1d(np.arange(len(plan.spend)), chosen)
    if len(others):
        rest = float(plan.spend[others].sum())
        note = _short(rest)
        if current is not None:
            old = float(current[others].sum())
            note = f"{_short(old)} → {note}  {_change(old, rest)}"
        labels.append(f"{len(others)} other arm{'s' if len(others) > 1 else ''}")
        ends, notes = np.append(ends, 0.0), [*notes, note]
    for row, (end, note) in enumerate(zip(ends, notes, strict=True)):
        axes.annotate(
            note, (end, row), (5, 0), textcoords="offset points", va="center", fontsize=8, color="#57606a"
        )
    axes.set_yticks(np.arange(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.35, -0.65)
    axes.set_title("spend", fontsize=10, loc="left", fontweight="bold")
    axes.set_title(total, fontsize=9, loc="right", color="#57606a")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlim(0, 1.12 * float(ends.max()) or 1.0)
    axes.grid(axis="x", color="#eaeef2", lw=0.8)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_formatter(_short)
    axes.tick_params(labelsize=8, colors="#57606a")


def _draw(axes: Axes, plan: Plan, arm: int) -> None:
    curve = plan.curves[arm]
    spend, response = float(plan.spend[arm]), float(plan.response[arm])
    current = None if plan.current is None else float(plan.current[arm])
    far = max(spend, current or 0.0)
    x = _range(curve, far, plan.total_spend)
    axes.plot(x, curve.response(x[:, None])[:, 0], color=_CURVE, lw=2, zorder=2)
    if current is not None:
        between = np.linspace(current, spend, _POINTS)
        axes.plot(
            between, curve.response(between[:, None])[:, 0], color=_PROPOSED, alpha=0.35, lw=6, zorder=3
        )
        before = float(curve.response([current])[0])
        axes.plot(current, before, "o", color=_CURRENT, mfc="white", mew=1.8, ms=7, zorder=4, clip_on=False)
    axes.plot(spend, response, "o", color=_PROPOSED, ms=7, zorder=5, clip_on=False)
    names = plan.names
    axes.set_title(names[arm] if names else f"arm {arm}", fontsize=10, loc="left", fontweight="bold")
    step = _short(spend) if current is None else f"{_short(current)} → {_short(spend)}"
    axes.set_title(step, fontsize=9, loc="right", color="#57606a")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(bottom=0)
    axes.grid(color="#eaeef2", lw=0.8)
    axes.set_axisbelow(True)
    axes.locator_params(nbins=5)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(_short)
    axes.tick_params(labelsize=8, colors="#57606a")


def _range(curve: ResponseCurves, far: float, total: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Spends to draw a curve over: beyond its points, and over its bend."""
    inflection = float(curve.inflection[0])
    end = max(1.5 * far, 2.5 * inflection if inflection < total else 0.0) or total or 1.0
    start = 0.0
    if np.isnan(inflection):  # a table, which has ends
        segment = json.loads(curve.to_json())["curves"][0]
        points = np.ravel(segment["spend"])[[0, -1]]
        cost, offset = np.ravel(segment.get("cost_per_unit", 1.0))[0], np.ravel(segment.get("offset", 0.0))[0]
        points = cost * np.maximum(points - offset, 0.0)
        start, end = float(points[0]), min(end, float(points[1]))
    return np.linspace(start, end, _POINTS)


def _short(value: float, _position: float = 0.0) -> str:
    """12k, 3.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
