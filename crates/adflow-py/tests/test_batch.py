"""`allocate_batch` and `allocate_frame`."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import adflow
from adflow import ResponseCurves

KINDS: list[Any] = [pd.DataFrame, pl.DataFrame, pa.table]


def table(problems: int = 40, seed: int = 2) -> dict[str, Any]:
    """Campaigns with their rows mixed."""
    rng = np.random.default_rng(seed)
    campaign = np.repeat(np.arange(problems), rng.integers(1, 6, problems))
    rng.shuffle(campaign)
    n = len(campaign)
    return {
        "campaign": [f"c{number:02}" for number in campaign],
        "beta": rng.uniform(1, 9, n),
        "half_saturation": rng.uniform(1, 9, n),
        "slope": rng.uniform(0.5, 3, n),
        "upper": rng.uniform(2, 9, n),
        "budget": 1.0 + campaign % 7,
        "note": [f"row {row}" for row in range(n)],
    }


def test_a_batch_is_a_loop() -> None:
    rng = np.random.default_rng(0)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(1, 8, 600))])
    n = int(offsets[-1])
    curves = ResponseCurves.hill(rng.uniform(1, 9, n), rng.uniform(1, 9, n), rng.uniform(0.5, 3, n))
    budgets, upper = rng.uniform(0, 20, 600), rng.uniform(1, 9, n)
    batch = adflow.allocate_batch(curves, offsets, budgets, upper=upper, threads=3)
    assert len(batch) == 600
    assert repr(batch) == f"Batch(600 problems, {n} arms, 600 optimal)"
    for j in range(0, 600, 37):
        arms = slice(int(offsets[j]), int(offsets[j + 1]))
        plan = adflow.allocate(curves[arms], budgets[j], upper=upper[arms])
        for name in ("spend", "response", "marginal_response"):
            np.testing.assert_array_equal(getattr(batch, name)[arms], getattr(plan, name))
        for name in ("objective_value", "upper_bound", "gap", "shadow_price", "status"):
            assert getattr(batch, name)[j] == getattr(plan, name)


@pytest.mark.parametrize(
    ("offsets", "budgets", "code"),
    [
        ([0, 3], [1.0, 2.0], "length_mismatch"),
        ([0, 2], [1.0], "out_of_domain"),
        ([0, 1.5, 3], [1.0, 2.0], "out_of_domain"),
        ([0, -1, 3], [1.0, 2.0], "out_of_domain"),
        ([0, 1, 3], [1.0, -2.0], "out_of_domain"),
        ([0, 1, 3], [1.0, np.nan], "not_finite"),
        ([0], [], "empty"),
        ([0, 3], 1.0, "out_of_domain"),
    ],
)
def test_batch_errors(curves: ResponseCurves, offsets: Any, budgets: Any, code: str) -> None:
    with pytest.raises(adflow.InvalidInputError) as raised:
        adflow.allocate_batch(curves, offsets, budgets)
    assert raised.value.code == code


@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_comes_back_as_its_kind_with_its_rows_in_order(kind: Any) -> None:
    columns = table()
    frame = kind(columns)
    result = adflow.allocate_frame(frame)
    assert type(result) is type(frame)
    got = {
        name: np.asarray(result[name].to_numpy())
        for name in (
            "campaign",
            "note",
            "spend",
            "response",
            "marginal_response",
            "upper_bound",
            "gap",
            "shadow_price",
            "status",
        )
    }
    assert got["note"].tolist() == columns["note"]
    for campaign in ("c00", "c13", "c39"):
        rows = got["campaign"] == campaign
        arms = {
            name: np.asarray(columns[name])[rows]
            for name in ("beta", "half_saturation", "slope", "upper", "budget")
        }
        curves = ResponseCurves.hill(arms["beta"], arms["half_saturation"], arms["slope"])
        plan = adflow.allocate(curves, arms["budget"][0], upper=arms["upper"])
        np.testing.assert_array_equal(got["spend"][rows], plan.spend)
        np.testing.assert_array_equal(got["response"][rows], plan.response)
        assert set(got["upper_bound"][rows]) == {plan.upper_bound}
        assert set(got["status"][rows]) == {"optimal"}


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_frame_gets_its_columns(kind: Any) -> None:
    columns = {
        "campaign": pa.array([], pa.string()),
        **{name: pa.array([], pa.float64()) for name in ("beta", "half_saturation", "slope", "budget")},
    }
    empty = pa.table(columns)
    frame = {pd.DataFrame: empty.to_pandas, pl.DataFrame: lambda: pl.from_arrow(empty)}.get(
        kind, lambda: empty
    )()
    result = adflow.allocate_frame(frame)
    assert type(result) is type(frame)
    assert result.shape == (0, 12)


def test_families_limits_and_keys_come_from_columns() -> None:
    frame = pl.DataFrame(
        {
            "country": ["de", "de", "fr", "fr"],
            "brand": [1, 1, 1, 1],
            "curve": ["hill", "power", "power", "linear"],
            "beta": [3.0, 2.0, 2.0, 0.1],
            "half_saturation": [4.0, None, None, None],
            "slope": [2.0, None, None, None],
            "exponent": [None, 0.5, 0.5, None],
            "lower": [None, 1.0, None, None],
            "upper": [3.0, None, None, None],
        }
    )
    result = adflow.allocate_frame(frame, ["country", "brand"], budget=5.0)
    want = adflow.allocate(
        ResponseCurves.concat([ResponseCurves.hill(3.0, 4.0, 2.0), ResponseCurves.power(2.0, 0.5)]),
        5.0,
        lower=[0.0, 1.0],
        upper=[3.0, None],
    )
    np.testing.assert_array_equal(result["spend"][:2].to_numpy(), want.spend)
    capped = adflow.allocate_frame(frame, ["country", "brand"], budget=5.0, upper=2.0)
    assert capped["spend"].max() <= 2.0


@pytest.mark.parametrize("kind", KINDS)
def test_errors_name_the_campaign(kind: Any) -> None:
    columns = table()
    row = columns["campaign"].index("c17")
    columns["lower"] = np.zeros(len(columns["beta"]))
    columns["lower"][row] = 0.9 * columns["upper"][row]
    columns["budget"] = np.where(np.array(columns["campaign"]) == "c17", 0.5, columns["budget"])
    with pytest.raises(adflow.InfeasibleError, match="^campaign 'c17': ") as raised:
        adflow.allocate_frame(kind(columns))
    assert raised.value.feasible_budget[0] > 0.5
    columns = table()
    columns["slope"][columns["campaign"].index("c08")] = -1.0
    with pytest.raises(adflow.InvalidInputError, match="^campaign 'c08': .*slope"):
        adflow.allocate_frame(kind(columns))
    columns = table()
    last = max(row for row, name in enumerate(columns["campaign"]) if columns["campaign"].count(name) > 1)
    columns["budget"] = columns["budget"].astype(float)
    columns["budget"][last] = 99.0
    with pytest.raises(adflow.InvalidInputError, match=f"campaign '{columns['campaign'][last]}': `budget`"):
        adflow.allocate_frame(kind(columns))
    with pytest.raises(adflow.InvalidInputError, match="no column `brand`"):
        adflow.allocate_frame(kind(columns), "brand")
    columns["campaign"][3] = None
    with pytest.raises(adflow.InvalidInputError, match="`campaign` has empty cells"):
        adflow.allocate_frame(kind(columns))


def test_the_function_is_picklable() -> None:
    function = pickle.loads(pickle.dumps(adflow.allocate_frame))
    frame = pl.DataFrame(table(5))
    assert function(frame).equals(adflow.allocate_frame(frame))


def test_polars_calls_it_lazily() -> None:
    frame = pl.DataFrame(table(5))
    want = adflow.allocate_frame(frame)
    got = frame.lazy().map_batches(adflow.allocate_frame, schema=want.schema).collect()
    assert got.equals(want)
