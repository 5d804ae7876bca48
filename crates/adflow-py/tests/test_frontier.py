"""`frontier`: the best plan over budgets."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import adflow
from adflow import Frontier, Group, ResponseCurves

BUDGETS = [20.0, 1.0, 5.0, 40.0, 5.0]


@pytest.fixture
def frontier(curves: ResponseCurves) -> Frontier:
    return adflow.frontier(curves, BUDGETS)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"upper": [8.0, None, 9.0], "value": [1.0, 2.0, 1.0], "spend_all": True},
        {"groups": [Group("screens", [1, 2], share_upper=0.4)]},
        {"max_active": 2, "names": ["a", "b", "c"]},
        {"objective": "profit", "step": 0.5},
    ],
    ids=["plain", "bounds", "groups", "max_active", "profit"],
)
def test_every_row_is_the_plan_of_its_budget(curves: ResponseCurves, settings: dict[str, Any]) -> None:
    budgets = [budget for budget in BUDGETS if budget < 26.0 or not settings.get("spend_all")]
    frontier = adflow.frontier(curves, budgets, **settings)
    assert frontier.spend.shape == frontier.response.shape == (len(budgets), 3)
    assert len(frontier) == len(budgets)
    for at, budget in enumerate(budgets):
        plan = adflow.allocate(curves, budget, **settings)
        assert frontier.status[at] == plan.status == "optimal"
        assert frontier.objective_value[at] == pytest.approx(plan.objective_value, rel=1e-6)
        # Each is within its gap of the best there is.
        assert frontier.objective_value[at] <= plan.upper_bound * (1 + 1e-12)
        assert plan.objective_value <= frontier.upper_bound[at] * (1 + 1e-12)
        assert frontier.total_spend[at] == pytest.approx(frontier.spend[at].sum(), rel=1e-12)
        assert frontier.total_response[at] == pytest.approx(frontier.response[at].sum(), rel=1e-12)
        assert frontier.total_spend[at] <= budget * (1 + 1e-12)
    np.testing.assert_allclose(frontier.response, curves.response(frontier.spend), rtol=1e-12)
    gap = (frontier.upper_bound - frontier.objective_value) / np.abs(frontier.upper_bound)
    np.testing.assert_allclose(frontier.gap, gap, atol=1e-15)
    assert frontier.names == settings.get("names", ["search", "video", "social"])


def test_columns_are_read_only_and_in_the_order_given(frontier: Frontier) -> None:
    assert frontier.budgets.tolist() == BUDGETS
    for name in ("budgets", "spend", "response", "total_spend", "objective_value", "gap", "shadow_price"):
        column = getattr(frontier, name)
        assert column is getattr(frontier, name)
        assert (column.dtype, column.flags.writeable) == (np.float64, False)
    np.testing.assert_array_equal(frontier.spend[2], frontier.spend[4])
    order = np.argsort(frontier.budgets)
    assert (np.diff(frontier.objective_value[order]) >= 0).all()
    assert frontier.iterations > 0
    assert frontier.elapsed > 0


def test_budgets_may_be_any_column(curves: ResponseCurves, frontier: Frontier) -> None:
    for budgets in (
        np.array(BUDGETS),
        pd.Series(BUDGETS),
        pl.Series(BUDGETS),
        pa.array(BUDGETS),
        tuple(BUDGETS),
    ):
        np.testing.assert_array_equal(adflow.frontier(curves, budgets).spend, frontier.spend)


def test_the_price_is_the_slope_of_the_frontier() -> None:
    curves = ResponseCurves.michaelis_menten([120.0, 80.0], [5.0, 9.0])
    frontier = adflow.frontier(curves, np.linspace(9.999, 10.001, 3), tolerance=1e-12)
    slope = (frontier.objective_value[2] - frontier.objective_value[0]) / 0.002
    assert frontier.shadow_price[1] == pytest.approx(slope, rel=1e-5)


def test_arms_enter_where_their_first_unit_is_worth_the_price() -> None:
    curves = ResponseCurves.michaelis_menten([120.0, 80.0], [5.0, 9.0]).with_names(["first", "second"])
    frontier = adflow.frontier(curves, [1.0, 5.0, 30.0], upper=[12.0, None])
    entered, saturated = frontier.changes
    # 120·5/(5 + x)² = 80/9 for the first; its bound 12 is reached when the second returns 120·5/17².
    second = math.sqrt(720.0 / (600.0 / 289.0)) - 9.0
    for change, arm, word, budget in [
        (entered, 1, "enters", math.sqrt(600.0 / (80.0 / 9.0)) - 5.0),
        (saturated, 0, "saturates", 12.0 + second),
    ]:
        assert (change["arm"], change["name"], change["change"]) == (arm, ["first", "second"][arm], word)
        assert change["exact"]
        assert change["budget"] == pytest.approx(budget, rel=1e-9)
        low, high = change["between"]
        assert low <= budget <= high


def test_the_frontier_as_data(frontier: Frontier) -> None:
    data = frontier.to_dict()
    assert data == json.loads(frontier.to_json())
    assert data["spend"] == frontier.spend.tolist()
    assert data["budgets"] == BUDGETS
    assert data["status"] == frontier.status
    assert [(change["arm"], change["change"]) for change in data["changes"]] == [
        (change["arm"], change["change"]) for change in frontier.changes
    ]
    for backend, kind in [("pandas", pd.DataFrame), ("polars", pl.DataFrame), ("pyarrow", pa.Table)]:
        frame = frontier.to_frame(backend)  # type: ignore[arg-type]
        assert isinstance(frame, kind)
        assert list(frame["budget"].to_numpy()) == BUDGETS
        assert list(frame["spend_video"].to_numpy()) == frontier.spend[:, 1].tolist()
        assert list(frame["response_search"].to_numpy()) == frontier.response[:, 0].tolist()
    unnamed = adflow.frontier(ResponseCurves.power([1.0, 2.0], 0.5), [1.0])
    assert list(unnamed.to_frame().columns)[-4:] == ["spend_0", "spend_1", "response_0", "response_1"]


def test_the_table_reads_well(frontier: Frontier) -> None:
    text = repr(frontier)
    assert text.startswith("Frontier: 5 budgets, 3 arms, 5 optimal\n")
    assert text.splitlines()[3].startswith("20.00 ")
    assert any(line.startswith("video enters at ") for line in text.splitlines())
    html = adflow.frontier(ResponseCurves.power([1.0], 0.5).with_names(["<a>"]), [1.0, 2.0])._repr_html_()
    assert html.count("<tr>") == 3
    many = adflow.frontier(ResponseCurves.power([1.0, 2.0], 0.5), np.linspace(1, 2, 40))
    assert "… 10 more budgets" in repr(many)


def test_the_plot_stacks_the_spends(frontier: Frontier) -> None:
    figure = frontier.plot()
    above, below, price = figure.axes
    assert [text.get_text() for text in below.get_legend().get_texts()] == ["search", "video", "social"]
    assert above.get_lines()[0].get_ydata().tolist() == sorted(frontier.objective_value.tolist())
    top = max(collection.get_paths()[0].vertices[:, 1].max() for collection in below.collections)
    assert top == pytest.approx(frontier.total_spend.max())
    assert price.get_ylabel() == "shadow price"
    figure.canvas.draw()
    few = frontier.plot(["video", 2]).axes[1].get_legend().get_texts()
    assert [text.get_text() for text in few] == ["video", "social", "1 other arm"]
    with pytest.raises(adflow.InvalidInputError):
        frontier.plot(["radio"])


@pytest.mark.parametrize(
    ("budgets", "settings", "code", "field"),
    [
        ([], {}, "empty", "budgets"),
        ([1.0, -2.0], {}, "out_of_domain", r"budgets\[1\]"),
        ([1.0, np.nan], {}, "not_finite", r"budgets\[1\]"),
        (3.0, {}, "out_of_domain", "budgets"),
        ([[1.0]], {}, "out_of_domain", "budgets"),
        ([5.0, 2.0], {"lower": 1.0}, "infeasible", "lower"),
        ([5.0], {"value": -1.0}, "out_of_domain", "value"),
    ],
)
def test_errors_name_the_budget(
    curves: ResponseCurves, budgets: Any, settings: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(adflow.AdflowError, match=field) as raised:
        adflow.frontier(curves, budgets, **settings)
    assert raised.value.code == code


def test_an_unknown_setting_is_a_type_error(curves: ResponseCurves) -> None:
    with pytest.raises(TypeError, match="frontier.. got an unexpected keyword argument 'budget'"):
        adflow.frontier(curves, [1.0], budget=3.0)  # type: ignore[call-arg]


def test_a_time_limit_holds_for_all_budgets(hard: dict[str, Any]) -> None:
    told: list[float] = []
    frontier = adflow.frontier(
        hard["curves"],
        [hard["budget"], 2 * hard["budget"] / 3],
        tolerance=1e-15,
        time_limit=0.3,
        progress=told.append,
    )
    assert frontier.elapsed < 3
    assert "feasible" in frontier.status
    assert told
