"""`Adstock` and `schedule`: what is spent when."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import time
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.optimize

import adflow
from adflow import Adstock, ResponseCurves, SchedulePlan

ADSTOCKS = [
    Adstock.none(),
    Adstock.geometric(0.5),
    Adstock.geometric([0.5, 0.8], 6, normalize=True),
    Adstock.delayed(0.6, [1.0, 2.5], 8),
    Adstock.weibull_cdf([0.5, 2.0], 3.0, 5),
    Adstock.weibull_pdf(2.0, 3.0, 5, True),
    Adstock.binomial(0.4, 7),
    Adstock.kernel([1.0, 0.5, 0.25]),
    Adstock.kernel([[1.0, 0.5], [0.2, 0.8]], normalize=True),
]


@pytest.fixture
def concave() -> ResponseCurves:
    return ResponseCurves.michaelis_menten([120.0, 80.0], [5.0, 9.0]).with_names(["search", "video"])


@pytest.fixture
def plan(concave: ResponseCurves) -> SchedulePlan:
    return adflow.schedule(concave, Adstock.geometric([0.5, 0.8], max_lag=6), 4, 40.0)


def carried(weights: list[Any], spend: Any, before: Any, after: int) -> Any:
    """Adstocked spends by the sum of the definition."""
    spend = np.vstack([np.reshape(before, (-1, spend.shape[1])), spend, np.zeros((after, spend.shape[1]))])
    columns = [np.convolve(spend[:, arm], weights[arm])[: len(spend)] for arm in range(spend.shape[1])]
    return np.column_stack(columns)[np.reshape(before, (-1, spend.shape[1])).shape[0] :]


@pytest.mark.parametrize("adstock", ADSTOCKS, ids=repr)
def test_adstocks_are_values(adstock: Adstock) -> None:
    for twin in (pickle.loads(pickle.dumps(adstock)), copy.deepcopy(adstock), eval(repr(adstock))):
        assert twin == adstock
        assert repr(twin) == repr(adstock)
        assert (twin.kind, twin.max_lag, twin.normalize) == (adstock.kind, adstock.max_lag, adstock.normalize)
    assert [other == adstock for other in ADSTOCKS].count(True) == 1
    assert repr(adstock).startswith(f"Adstock.{adstock.kind}(")


def test_weights_are_those_of_the_formulae() -> None:
    lags = np.arange(6.0)
    formulae = [
        (Adstock.geometric(0.5, 6), 0.5**lags),
        (Adstock.geometric(0.5), 0.5**lags),
        (Adstock.geometric(0.5, normalize=True), 0.5 * 0.5**lags),
        (Adstock.delayed(0.6, 2.5, 6), 0.6 ** ((lags - 2.5) ** 2)),
        (Adstock.binomial(0.4, 6), (1 - lags / 6) ** (1 / 0.4 - 1)),
        (
            Adstock.weibull_cdf(0.7, 2.0, 6),
            np.cumprod(np.where(lags > 0, np.exp(-((lags / 2.0) ** 0.7)), 1.0)),
        ),
        (Adstock.kernel([1.0, 0.5, 0.2]), np.array([1.0, 0.5, 0.2])),
        (Adstock.none(), np.array([1.0])),
    ]
    for adstock, want in formulae:
        first, second = adstock.weights(arms=2, periods=6)
        np.testing.assert_allclose(first, want, rtol=1e-12)
        np.testing.assert_array_equal(first, second)
    density = 2.0 * ((lags + 1) / 3.0) * np.exp(-(((lags + 1) / 3.0) ** 2)) / 3.0
    want = (density - density.min()) / (density.max() - density.min())
    np.testing.assert_allclose(
        Adstock.weibull_pdf(2.0, 3.0, 6).weights(1, 6)[0], want, rtol=1e-10, atol=1e-12
    )
    np.testing.assert_allclose(
        Adstock.weibull_pdf(2.0, 3.0, 6, normalize=True).weights(1, 6)[0],
        want / want.sum(),
        rtol=1e-10,
        atol=1e-12,
    )


@pytest.mark.parametrize(
    ("make", "code", "field"),
    [
        (lambda: Adstock.geometric(1.5), "out_of_domain", "retention"),
        (lambda: Adstock.geometric([0.5, np.nan]), "not_finite", r"retention\[1\]"),
        (lambda: Adstock.geometric(1.0, normalize=True), "out_of_domain", "retention"),
        (lambda: Adstock.geometric(0.5, 0), "out_of_domain", "max_lag"),
        (lambda: Adstock.geometric([[0.5]]), "out_of_domain", "retention"),
        (lambda: Adstock.delayed([0.5, 0.5], [1.0, 2.0, 3.0], 4), "length_mismatch", "retention"),
        (lambda: Adstock.weibull_cdf(0.0, 1.0, 4), "out_of_domain", "shape"),
        (lambda: Adstock.weibull_pdf(1.0, -1.0, 4), "out_of_domain", "scale"),
        (lambda: Adstock.binomial(0.5, -1), "out_of_domain", "max_lag"),
        (lambda: Adstock.kernel([1.0, -0.5]), "out_of_domain", r"weights\[0\]\[1\]"),
        (lambda: Adstock.kernel([]), "empty", "weights"),
        (lambda: Adstock.kernel([0.0], normalize=True), "out_of_domain", "adstock"),
    ],
)
def test_adstock_errors_name_the_parameter(make: Any, code: str, field: str) -> None:
    with pytest.raises(adflow.InvalidInputError, match=field) as raised:
        make()
    assert raised.value.code == code


def test_the_plan_carries_its_proof(plan: SchedulePlan, concave: ResponseCurves) -> None:
    assert plan.status == "optimal"
    assert 0 <= plan.gap <= 1e-6
    assert plan.verify().ok, plan.verify()
    assert plan.spend.shape == (4, 2)
    # The tail: five periods after the window.
    assert plan.adstocked.shape == plan.response.shape == (9, 2)
    assert plan.periods == 4
    for name in ("spend", "adstocked", "response", "arm_spend", "arm_response", "period_spend"):
        column = getattr(plan, name)
        assert column is getattr(plan, name)
        assert (column.dtype, column.flags.writeable) == (np.float64, False)
    weights = Adstock.geometric([0.5, 0.8], max_lag=6).weights(2, 4)
    np.testing.assert_allclose(plan.adstocked, carried(weights, plan.spend, [], 5), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(plan.response, concave.response(plan.adstocked), rtol=1e-12)
    np.testing.assert_allclose(plan.arm_spend, plan.spend.sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(plan.period_spend, plan.spend.sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(plan.arm_response, plan.response.sum(axis=0), rtol=1e-12)
    assert plan.response_after == pytest.approx(plan.response[4:].sum(), rel=1e-12)
    assert plan.response_after_share == pytest.approx(plan.response_after / plan.total_response)
    assert plan.total_response == pytest.approx(plan.objective_value, rel=1e-9)
    assert plan.total_spend == pytest.approx(40.0, rel=1e-9)
    assert plan.upper_bound >= plan.objective_value
    assert plan.shadow_price > 0
    assert plan.names == ["search", "video"]
    assert plan.curves == concave
    assert plan.iterations > 0
    assert plan.elapsed > 0


def test_a_general_solver_finds_nothing_better(plan: SchedulePlan, concave: ResponseCurves) -> None:
    weights = Adstock.geometric([0.5, 0.8], max_lag=6).weights(2, 4)

    def loss(spend: Any) -> float:
        return -float(concave.response(carried(weights, spend.reshape(4, 2), [], 5)).sum())

    found = scipy.optimize.minimize(
        loss,
        np.full(8, 5.0),
        bounds=[(0.0, None)] * 8,
        constraints={"type": "ineq", "fun": lambda spend: 40.0 - spend.sum()},
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert -found.fun <= plan.upper_bound * (1 + 1e-9)
    assert plan.objective_value == pytest.approx(-found.fun, rel=1e-5)


def test_without_carry_over_periods_are_arms(concave: ResponseCurves) -> None:
    plan = adflow.schedule(concave, Adstock.none(), 3, 30.0, value=[1.0, 2.0])
    flat = adflow.allocate(
        ResponseCurves.concat([ResponseCurves.michaelis_menten([120.0, 80.0], [5.0, 9.0])] * 3),
        30.0,
        value=[1.0, 2.0] * 3,
    )
    assert plan.objective_value == pytest.approx(flat.objective_value, rel=1e-6)
    assert plan.shadow_price == pytest.approx(flat.shadow_price, rel=1e-3)
    assert plan.response_after == 0
    assert plan.response.shape == (3, 2)


def test_carry_in_and_tail_count(concave: ResponseCurves) -> None:
    adstock = Adstock.geometric(0.5, 4)
    before = [[8.0, 0.0], [4.0, 6.0]]
    cold = adflow.schedule(concave, adstock, 3, 12.0)
    warm = adflow.schedule(concave, adstock, 3, 12.0, carry_in=before)
    np.testing.assert_allclose(
        warm.adstocked, carried(adstock.weights(2, 3), warm.spend, before, 3), rtol=1e-12, atol=1e-12
    )
    assert warm.objective_value > cold.objective_value
    short = adflow.schedule(concave, adstock, 3, 12.0, tail=False)
    assert short.response_after == 0
    assert short.response.shape == (3, 2)
    assert short.objective_value < cold.objective_value
    # With no time left to work the last period gets less.
    assert short.period_spend[2] < cold.period_spend[2]


def test_limits_are_per_arm_period_or_cell(concave: ResponseCurves) -> None:
    adstock = Adstock.geometric(0.5, 4)

    def solve(**limits: Any) -> SchedulePlan:
        plan = adflow.schedule(concave, adstock, 3, 30.0, **limits)
        assert plan.verify().ok, plan.verify()
        return plan

    assert solve(upper=2.0).spend.max() <= 2.0 + 1e-9
    per_arm = solve(upper=[2.0, None])
    assert per_arm.spend[:, 0].max() <= 2.0 + 1e-9 < per_arm.spend[:, 1].max()
    cells = [[2.0, None], [None, 0.0], [1.5, 3.0]]
    limits = np.array([[2.0, np.inf], [np.inf, 0.0], [1.5, 3.0]])
    per_cell = solve(upper=cells)
    assert (per_cell.spend <= limits + 1e-9).all()
    for same in (
        limits,
        tuple(map(tuple, cells)),
        [np.array(row) for row in limits],
        limits.astype(np.float32),
    ):
        np.testing.assert_array_equal(solve(upper=same).spend, per_cell.spend)
    assert solve(lower=[[0.0, 5.0]] + [[0.0, 0.0]] * 2).spend[0, 1] >= 5.0 - 1e-9
    assert solve(period_upper=[4.0, None, 100.0]).period_spend[0] <= 4.0 + 1e-9
    assert solve(period_lower=[None, 0.0, 14.0]).period_spend[2] >= 14.0 - 1e-9
    assert (solve(period_upper=9.0).period_spend <= 9.0 + 1e-9).all()
    assert solve(arm_upper=[6.0, None]).arm_spend[0] <= 6.0 + 1e-9
    assert solve(arm_lower=[None, 25.0]).arm_spend[1] >= 25.0 - 1e-9
    active = solve(active_lower=[6.0, None]).spend[:, 0]
    assert ((active == 0) | (active >= 6.0 - 1e-9)).all()
    constant = solve(constant=True).spend
    assert (constant == constant[0]).all()
    assert solve(spend_all=True).total_spend == pytest.approx(30.0, rel=1e-9)


def test_binding_limits_have_prices(concave: ResponseCurves) -> None:
    plan = adflow.schedule(
        concave, Adstock.geometric(0.5, 4), 3, 30.0, period_upper=[4.0, None, 100.0], arm_upper=[6.0, None]
    )
    limits = {(limit["limit"], limit["arm"], limit["name"]): limit for limit in plan.limits}
    assert set(limits) == {
        ("budget", None, None),
        ("period_upper", None, "period 0"),
        ("period_upper", None, "period 2"),
        ("arm_upper", 0, "search"),
    }
    assert limits["period_upper", None, "period 0"]["bound"] == 4.0
    assert limits["period_upper", None, "period 2"] not in plan.binding
    assert limits["arm_upper", 0, "search"] in plan.binding
    price = limits["arm_upper", 0, "search"]["price"]
    more = adflow.schedule(
        concave,
        Adstock.geometric(0.5, 4),
        3,
        30.0,
        period_upper=[4.0, None, 100.0],
        arm_upper=[6.001, None],
        tolerance=1e-9,
    )
    assert (more.objective_value - plan.objective_value) / 0.001 == pytest.approx(price, rel=0.05)


def test_the_plan_as_data(plan: SchedulePlan) -> None:
    data = plan.to_dict()
    assert data == json.loads(plan.to_json())
    assert data["spend"] == plan.spend.tolist()
    assert data["response"] == plan.response.tolist()
    for key in ("status", "total_spend", "response_after", "upper_bound", "gap", "shadow_price", "limits"):
        assert data[key] == getattr(plan, key)
    for backend, kind in [("pandas", pd.DataFrame), ("polars", pl.DataFrame), ("pyarrow", pa.Table)]:
        frame = plan.to_frame(backend)  # type: ignore[arg-type]
        assert isinstance(frame, kind)
        assert list(frame["spend"].to_numpy()) == plan.spend.flatten().tolist()
        assert list(frame["period"].to_numpy()) == [0, 0, 1, 1, 2, 2, 3, 3]
        assert list(frame["arm"].to_numpy()) == [0, 1] * 4
    frame = plan.to_frame("pandas")
    assert list(frame.columns) == ["period", "arm", "name", "spend", "adstocked", "response"]
    wide = frame.pivot(index="period", columns="name", values="spend")
    np.testing.assert_array_equal(wide["video"].to_numpy(), plan.spend[:, 1])


def test_the_plan_reads_well(plan: SchedulePlan) -> None:
    text = repr(plan)
    assert text.startswith("SchedulePlan: optimal")
    lines = text.splitlines()
    assert lines[1].split() == ["period", "search", "video", "total"]
    assert lines[3].split()[0] == "0"
    for word in ("spend", "response", "…after"):
        assert any(line.startswith(word) for line in lines)
    assert "<th" in plan._repr_html_()
    sentences = plan.explain()
    assert sentences[-2].startswith("search spends ")
    assert all(isinstance(sentence, str) for sentence in sentences)
    many = adflow.schedule(ResponseCurves.power(np.linspace(1, 2, 12), 0.5), Adstock.none(), 40, 10.0)
    assert "4 other arms" in repr(many)
    assert "… 10 more periods" in repr(many)
    html = adflow.schedule(
        ResponseCurves.power([1.0], 0.5), Adstock.none(), 2, 1.0, names=["<a>"]
    )._repr_html_()
    assert "&lt;a&gt;" in html
    assert "<a>" not in html


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        ({"periods": 0}, "out_of_domain", "periods"),
        ({"budget": -1.0}, "out_of_domain", "budget"),
        ({"budget": None}, "out_of_domain", "upper"),
        ({"adstock": Adstock.geometric([0.5] * 3)}, "length_mismatch", "retention"),
        ({"carry_in": [1.0, 2.0]}, "out_of_domain", "carry_in"),
        ({"carry_in": [[1.0]]}, "length_mismatch", r"carry_in\[0\]"),
        ({"upper": [[1.0, 2.0]] * 2}, "length_mismatch", "upper"),
        ({"upper": [[1.0, None], [1.0]]}, "length_mismatch", "upper"),
        ({"upper": np.ones((3, 2, 1))}, "out_of_domain", "upper"),
        ({"upper": [[1.0, np.nan]] * 3}, "not_finite", r"upper\[0\]\[1\]"),
        ({"lower": [[None, "x"]] * 3}, "malformed", r"lower\[0\]\[1\]"),
        ({"lower": 3.0, "upper": 2.0}, "lower_above_upper", "search"),
        ({"period_upper": [1.0, 2.0]}, "length_mismatch", "period_upper"),
        ({"arm_upper": [1.0, 2.0, 3.0]}, "length_mismatch", "arm_upper"),
        ({"value": -1.0}, "out_of_domain", "value"),
        ({"names": ["a", "a"]}, "duplicate_name", "a"),
        ({"tolerance": 0.0}, "out_of_domain", "tolerance"),
        ({"time_limit": -1.0}, "out_of_domain", "time_limit"),
        ({"progress": 3}, "malformed", "progress"),
    ],
)
def test_errors_name_the_argument(
    concave: ResponseCurves, arguments: dict[str, Any], code: str, field: str
) -> None:
    given = {"adstock": Adstock.geometric(0.5, 4), "periods": 3, "budget": 30.0, **arguments}
    with pytest.raises(adflow.AdflowError, match=field) as raised:
        adflow.schedule(concave, **given)
    assert raised.value.code == code


def test_infeasible_says_why_and_what_could_be(concave: ResponseCurves) -> None:
    with pytest.raises(adflow.InfeasibleError) as raised:
        adflow.schedule(concave, Adstock.none(), 3, 10.0, period_lower=[2.0, 3.0, 6.0])
    limits = {(limit["limit"], limit["name"]) for limit in raised.value.conflict}
    assert limits == {("budget", None), *(("period_lower", f"period {period}") for period in range(3))}
    assert raised.value.feasible_budget is not None
    assert raised.value.feasible_budget[0] == pytest.approx(11.0)


def test_none_is_the_same_as_nothing_said(concave: ResponseCurves) -> None:
    adstock = Adstock.geometric(0.5, 4)
    parameters = inspect.signature(adflow.schedule).parameters.values()
    names = [
        parameter.name
        for parameter in parameters
        if parameter.kind is parameter.KEYWORD_ONLY and not isinstance(parameter.default, bool)
    ]
    assert len(names) == 13
    plan = adflow.schedule(concave, adstock, 3, 30.0, **dict.fromkeys(names))  # type: ignore[arg-type]
    np.testing.assert_array_equal(plan.spend, adflow.schedule(concave, adstock, 3, 30.0).spend)


def test_a_time_limit_is_a_status_and_progress_is_told() -> None:
    rng = np.random.default_rng(4)
    curves = ResponseCurves.hill(rng.uniform(50, 100, 12), rng.uniform(5, 9, 12), rng.uniform(2, 4, 12))
    told: list[float] = []
    start = time.perf_counter()
    plan = adflow.schedule(
        curves, Adstock.geometric(0.6, 6), 26, 600.0, tolerance=1e-12, time_limit=0.4, progress=told.append
    )
    assert time.perf_counter() - start < 10
    assert plan.verify().ok
    assert plan.status == ("optimal" if plan.gap <= 1e-12 else "feasible")
    assert told == sorted(told)
    assert told

    def enough(seconds: float) -> None:
        raise RuntimeError(f"enough after {seconds:.2f} s")

    with pytest.raises(RuntimeError, match="enough"):
        adflow.schedule(curves, Adstock.geometric(0.6, 6), 26, 600.0, tolerance=1e-12, progress=enough)
