"""`allocate`, its plan and its errors; threads, signals and forks."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import signal
import statistics
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import adflow
from adflow import ResponseCurves


def test_the_plan_carries_its_proof(curves: ResponseCurves) -> None:
    plan = adflow.allocate(curves, budget=20.0, current=[10.0, 5.0, 5.0])
    assert plan.status == "optimal"
    assert 0 <= plan.gap <= 1e-6
    for column in (plan.spend, plan.response, plan.marginal_response, plan.current):
        assert column is not None
        assert (column.dtype, column.shape) == (np.float64, (3,))
        assert not column.flags.writeable
    assert plan.spend is plan.spend
    assert plan.total_spend == pytest.approx(20.0)
    assert plan.total_response == pytest.approx(plan.objective_value)
    assert plan.objective_value <= plan.upper_bound
    np.testing.assert_array_equal(plan.response, curves.response(plan.spend))
    np.testing.assert_allclose(plan.marginal_response, plan.shadow_price, rtol=1e-6)
    assert plan.names == ["search", "video", "social"]
    assert plan.curves == curves
    assert plan.iterations > 0
    assert 0 < plan.elapsed < 10


def test_limits_may_be_numbers_lists_or_arrays(curves: ResponseCurves) -> None:
    want = adflow.allocate(
        curves, 20.0, lower=np.array([1.0, 1.0, 1.0]), upper=np.array([8.0, np.inf, np.inf])
    )
    for lower, upper in [
        (1.0, [8.0, None, None]),
        (1, (8, None, None)),
        (np.float64(1.0), np.array([8.0, 0, np.inf, 0, np.inf])[::2]),
        (pd.Series([1.0] * 3), pl.Series([8.0, np.inf, np.inf])),
        (pa.array([1.0] * 3), np.array([8.0, np.inf, np.inf], dtype=np.float32)),
    ]:
        upper = np.where(np.asarray(upper) == 0, np.inf, upper) if isinstance(upper, np.ndarray) else upper
        plan = adflow.allocate(curves, 20.0, lower=lower, upper=upper)
        np.testing.assert_array_equal(plan.spend, want.spend)
    assert want.spend[0] == 8.0
    assert adflow.allocate(curves, np.float32(20.0), upper=None).total_spend == pytest.approx(20)
    assert adflow.allocate(curves, upper=4.0).total_spend == pytest.approx(12)


def test_binding_limits_have_prices(curves: ResponseCurves) -> None:
    plan = adflow.allocate(curves, 20.0, upper=[8.0, None, None])
    budget, upper = plan.binding
    assert budget == {"limit": "budget", "arm": None, "name": None, "bound": 20.0, "price": plan.shadow_price}
    assert (upper["limit"], upper["arm"], upper["name"], upper["bound"]) == ("upper", 0, "search", 8.0)
    assert upper["price"] > 0
    assert plan.to_dict()["binding"] == plan.binding


def test_an_arm_is_off_or_above_its_minimum(curves: ResponseCurves) -> None:
    plan = adflow.allocate(curves, 12.0, active_lower=[None, 7.0, None])
    assert plan.spend[1] == 0 or plan.spend[1] >= 7.0
    assert plan.verify().ok


def test_the_plan_as_data(curves: ResponseCurves) -> None:
    plan = adflow.allocate(curves, 20.0, current=[10.0, 5.0, 5.0], value=[1.0, 2.0, 1.0])
    data = plan.to_dict()
    assert data == json.loads(plan.to_json())
    assert data["spend"] == plan.spend.tolist()
    for key in (
        "status",
        "total_spend",
        "objective_value",
        "upper_bound",
        "gap",
        "shadow_price",
        "iterations",
    ):
        assert data[key] == getattr(plan, key)
    for backend, kind in [("pandas", pd.DataFrame), ("polars", pl.DataFrame), ("pyarrow", pa.Table)]:
        frame = plan.to_frame(backend)  # type: ignore[arg-type]
        assert isinstance(frame, kind)
        assert list(frame["spend"].to_numpy()) == plan.spend.tolist()
    assert list(plan.to_frame().columns) == ["name", "current", "spend", "response", "marginal_response"]
    with pytest.raises(adflow.InvalidInputError):
        plan.to_frame("excel")  # type: ignore[arg-type]


def test_verification_and_explanation_read_well(curves: ResponseCurves) -> None:
    plan = adflow.allocate(curves, 20.0, current=[10.0, 5.0, 5.0])
    report = plan.verify()
    assert report.ok
    assert report.upper_bound == pytest.approx(plan.upper_bound, rel=1e-6)
    assert all(set(check) == {"name", "ok", "detail"} for check in report.checks)
    assert repr(report).startswith("Verification: ok")
    explanation = plan.explain()
    assert explanation.summary
    assert [arm["name"] for arm in explanation.arms] == plan.names
    assert explanation.arms[0]["sentence"] in repr(explanation)


def test_the_table_shows_before_and_after(curves: ResponseCurves) -> None:
    plan = adflow.allocate(curves, 20.0, current=[10.0, 0.0, 5.0])
    text = repr(plan)
    assert text.startswith("Plan: optimal")
    for word in ("search", "current", "spend", "new", "total", "budget"):
        assert word in text
    html = adflow.allocate(curves, 20.0, names=["<a>", "b", "c"])._repr_html_()
    assert "&lt;a&gt;" in html
    assert "<a>" not in html
    many = adflow.allocate(ResponseCurves.power(np.ones(100), 0.5), 1.0)
    assert "70 more arms" in repr(many)


@pytest.mark.parametrize("current", [None, [10.0, 5.0, 5.0]])
def test_the_plot_has_bars_and_a_panel_per_arm(curves: ResponseCurves, current: Any) -> None:
    plan = adflow.allocate(curves, 20.0, current=current)
    figure = plan.plot()
    bars, *panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in panels] == curves.names
    assert [label.get_text() for label in bars.get_yticklabels()] == curves.names
    widths = [[bar.get_width() for bar in container] for container in bars.containers]
    before = [] if current is None else [current]
    assert widths == [*before, plan.spend.tolist()]
    figure.canvas.draw()
    table = ResponseCurves.tabulated([0.0, 2.0, 5.0], [[0.0, 2.0, 3.0]])
    adflow.allocate(table, 3.0).plot([0]).canvas.draw()
    with pytest.raises(adflow.InvalidInputError):
        adflow.allocate(table, 3.0).plot(["x"])


def test_of_many_arms_the_plot_shows_those_with_the_most_money_and_sums_the_rest() -> None:
    beta = np.ones(40)
    beta[[5, 30]] = 4.0
    current = np.zeros(40)
    current[17] = 9.0
    plan = adflow.allocate(ResponseCurves.power(beta, 0.5), 40.0, current=current)
    figure = plan.plot()
    bars, *panels = [axes for axes in figure.axes if axes.get_visible()]
    titles = [axes.get_title(loc="left") for axes in panels]
    assert len(titles) == 12
    assert {"arm 5", "arm 17", "arm 30"} <= set(titles)
    assert bars.get_yticklabels()[-1].get_text() == "28 other arms"
    shown = [int(title.removeprefix("arm ")) for title in titles]
    rest = plan.total_spend - plan.spend[shown].sum()
    assert bars.texts[-1].get_text() == f"0 → {rest:.3g}  new"
    figure.canvas.draw()


def test_infeasible_says_why_and_what_could_be(curves: ResponseCurves) -> None:
    with pytest.raises(adflow.InfeasibleError, match="of search") as raised:
        adflow.allocate(curves, 5.0, lower=[4.0, 3.0, 0.0])
    error = raised.value
    assert isinstance(error, adflow.AdflowError)
    assert error.code == "infeasible"
    assert error.feasible_budget[0] == 7.0
    assert {(limit["limit"], limit["name"]) for limit in error.conflict} >= {
        ("budget", None),
        ("lower", "search"),
    }
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.code, copy.conflict) == (str(error), error.code, error.conflict)
    assert copy.feasible_budget == error.feasible_budget


@pytest.mark.parametrize(
    ("settings", "code", "field"),
    [
        ({"budget": np.nan}, "not_finite", "budget"),
        ({"budget": -1.0}, "out_of_domain", "budget"),
        ({"budget": "many"}, "malformed", "budget"),
        ({"budget": [1.0, 2.0]}, "malformed", "budget"),
        ({"upper": [1.0, np.nan, 3.0]}, "not_finite", r"upper\[1\]"),
        ({"lower": [1.0, 2.0]}, "length_mismatch", "lower"),
        ({"lower": 3.0, "upper": 2.0}, "lower_above_upper", "search"),
        ({"lower": np.ones((3, 1))}, "out_of_domain", "lower"),
        ({"value": -1.0}, "out_of_domain", "value"),
        ({"value": [1.0, None, 1.0]}, "not_finite", r"value\[1\]"),
        ({"current": 3.0}, "out_of_domain", "current"),
        ({"names": ["a", "a", "b"]}, "duplicate_name", "a"),
        ({"tolerance": 0.0}, "out_of_domain", "tolerance"),
        ({"time_limit": -1.0}, "out_of_domain", "time_limit"),
        ({"threads": 0}, "out_of_domain", "threads"),
        ({"threads": -2}, "out_of_domain", "threads"),
    ],
)
def test_errors_name_the_setting(
    curves: ResponseCurves, settings: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(adflow.AdflowError, match=field) as raised:
        adflow.allocate(curves, **{"budget": 20.0, **settings})
    assert raised.value.code == code


def test_a_time_limit_is_a_status_not_an_error(hard: dict[str, Any]) -> None:
    start = time.perf_counter()
    plan = adflow.allocate(**hard, time_limit=0.2)
    assert time.perf_counter() - start < 2
    assert plan.elapsed >= 0.2
    assert (plan.status, plan.gap > 1e-15) == ("feasible", True)
    assert plan.verify().ok


def test_any_number_of_threads_gives_the_same_bits() -> None:
    rng = np.random.default_rng(5)
    curves = ResponseCurves.hill(*rng.uniform(1, 2, (3, 50_000)))
    one, four, default = (adflow.allocate(curves, 20_000.0, threads=threads) for threads in (1, 4, None))
    np.testing.assert_array_equal(one.spend, four.spend)
    np.testing.assert_array_equal(one.spend, default.spend)
    assert one.upper_bound == four.upper_bound == default.upper_bound


def test_other_threads_run_during_a_solve(hard: dict[str, Any]) -> None:
    turns, done = 0, threading.Event()

    def solve() -> None:
        adflow.allocate(**hard, time_limit=0.4)
        done.set()

    worker = threading.Thread(target=solve)
    worker.start()
    while not done.wait(0.001):
        turns += 1
    worker.join()
    assert turns > 50


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("call", ["single", "batch"])
def test_ctrl_c_ends_a_solve(call: str) -> None:
    program = f"""
import numpy as np, adflow, sys
rng = np.random.default_rng(7)
n = 400
curves = adflow.ResponseCurves.hill(rng.uniform(.99, 1.01, n), rng.uniform(.99, 1.01, n), rng.uniform(3.9, 4.1, n))
print("ready", flush=True)
try:
    if {call!r} == "single":
        adflow.allocate(curves, 217.3, tolerance=1e-15, time_limit=60)
    else:
        k = 1024
        curves = adflow.ResponseCurves.concat([curves] * 100)
        curves = adflow.ResponseCurves.concat([curves] * 8)
        adflow.allocate_batch(curves, np.arange(801) * n, np.full(800, 217.3), tolerance=1e-15, threads=4, time_limit=60)
except KeyboardInterrupt:
    print("interrupted")
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(1.0)
    assert process.poll() is None
    start = time.perf_counter()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert out == "interrupted\n"
    assert time.perf_counter() - start < 10


def _in_child(queue: Any) -> None:
    curves = ResponseCurves.power(np.linspace(1, 2, 50_000), 0.5)
    queue.put(adflow.allocate(curves, 100.0, threads=4).objective_value)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # newer Pythons warn of forks beside threads
def test_everything_works_after_a_fork() -> None:
    curves = ResponseCurves.power(np.linspace(1, 2, 50_000), 0.5)
    want = adflow.allocate(curves, 100.0, threads=4).objective_value
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_in_child, args=(queue,))
    child.start()
    assert queue.get(timeout=60) == want
    child.join()


def test_a_small_call_costs_little_more_than_its_solve() -> None:
    rng = np.random.default_rng(11)
    curves = ResponseCurves.michaelis_menten(rng.uniform(1, 2, 10), rng.uniform(1, 2, 10))
    upper = np.full(10, 3.0)

    def overhead() -> float:
        start = time.perf_counter()
        plan = adflow.allocate(curves, 8.0, upper=upper)
        return time.perf_counter() - start - plan.elapsed

    for _ in range(100):
        overhead()
    # The limit is 10 µs on a quiet machine; others may be at work on this one.
    assert statistics.median(overhead() for _ in range(2000)) < 30e-6
