"""What plans of uncertain curves say: outcomes, uncertainty, limits, explanations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import adflow
from adflow import Coupling, Group, ResponseCurves, Risk, Target

DRAWS = 200


@pytest.fixture(scope="module")
def uncertain() -> ResponseCurves:
    """Three arms, the last of them certain."""
    rng = np.random.default_rng(3)
    beta = np.column_stack(
        [rng.lognormal(3.0, 0.5, DRAWS), rng.lognormal(3.0, 0.1, DRAWS), np.full(DRAWS, 20.0)]
    )
    return ResponseCurves.michaelis_menten(beta, [4.0, 4.0, 4.0]).with_names(["wild", "tame", "sure"])


def test_the_outcome_is_the_sum_over_arms_in_every_draw(uncertain: ResponseCurves) -> None:
    value = np.array([1.0, 2.0, 0.5])
    plan = adflow.allocate(uncertain, 12.0, value=value)
    outcome = plan.outcome
    assert outcome is not None
    assert plan.outcome is outcome
    want = uncertain.response_draws(plan.spend) @ value
    np.testing.assert_allclose(outcome.draws, want, rtol=1e-12)
    assert not outcome.draws.flags.writeable
    assert outcome.mean == pytest.approx(want.mean(), rel=1e-12)
    assert outcome.mean == pytest.approx(plan.objective_value, rel=1e-9)
    assert outcome.std == pytest.approx(want.std(), rel=1e-9)
    np.testing.assert_allclose(
        outcome.quantiles, np.quantile(want, [0.05, 0.25, 0.5, 0.75, 0.95]), rtol=1e-12
    )
    assert outcome.quantile(0.37) == pytest.approx(np.quantile(want, 0.37), rel=1e-12)
    assert outcome.cvar(0.1) == pytest.approx(np.sort(want)[: DRAWS // 10].mean(), rel=1e-12)
    assert outcome.cvar(1.0) == pytest.approx(outcome.mean, rel=1e-12)
    level = float(np.quantile(want, 0.3))
    assert outcome.probability(level) == np.mean(want >= level)
    assert repr(outcome).startswith("Outcome(200 draws: mean ")
    assert plan.to_dict()["outcome"]["mean"] == outcome.mean


def test_certain_curves_have_no_outcome(curves: ResponseCurves) -> None:
    plan = adflow.allocate(curves, 20.0)
    assert plan.outcome is None
    with pytest.raises(adflow.InvalidInputError, match="draws"):
        plan.uncertainty()


def test_measures_outside_their_domain_are_errors(uncertain: ResponseCurves) -> None:
    outcome = adflow.allocate(uncertain, 12.0).outcome
    assert outcome is not None
    for ask in (
        lambda: outcome.cvar(0.0),
        lambda: outcome.cvar(1.5),
        lambda: outcome.cvar(np.nan),
        lambda: outcome.quantile(-0.1),
        lambda: outcome.probability(np.nan),
        lambda: outcome.probability("much"),  # type: ignore[arg-type]
    ):
        with pytest.raises(adflow.InvalidInputError):
            ask()


def test_risk_improves_its_measure(uncertain: ResponseCurves) -> None:
    mean = adflow.allocate(uncertain, 12.0).outcome
    safe = adflow.allocate(uncertain, 12.0, risk=Risk.cvar(0.1))
    assert mean is not None
    assert safe.outcome is not None
    assert safe.outcome.cvar(0.1) >= mean.cvar(0.1)
    assert safe.outcome.cvar(0.1) == pytest.approx(safe.objective_value, rel=1e-9)
    assert safe.outcome.mean <= mean.mean * (1 + 1e-9)


def test_uncertainty_is_the_mean_over_plans_of_single_draws(uncertain: ResponseCurves) -> None:
    plan = adflow.allocate(uncertain, 12.0, tolerance=1e-9)
    uncertainty = plan.uncertainty(20)
    assert uncertainty.draws == list(range(0, DRAWS, 10))
    assert uncertainty.infeasible == 0
    regrets, shares = [], []
    for draw in uncertainty.draws:
        row = uncertain.response_draws(plan.spend)[draw]
        beta = row * (4.0 + plan.spend) / plan.spend
        best = adflow.allocate(ResponseCurves.michaelis_menten(beta, 4.0), 12.0, tolerance=1e-9)
        regrets.append(best.objective_value - row.sum())
        shares.append(best.spend / best.total_spend)
    assert uncertainty.regret_mean == pytest.approx(np.mean(regrets), rel=1e-5)
    assert uncertainty.perfect_information == uncertainty.regret_mean
    np.testing.assert_allclose(
        uncertainty.regret_quantiles,
        np.quantile(regrets, [0.05, 0.25, 0.5, 0.75, 0.95]),
        rtol=1e-4,
        atol=1e-7,
    )
    for key, want in [("mean", np.mean(shares, axis=0)), ("std", np.std(shares, axis=0))]:
        np.testing.assert_allclose([share[key] for share in uncertainty.shares], want, atol=1e-4)  # type: ignore[literal-required]
    # Nothing is to be learnt of the certain arm, most of the wildest.
    wild, tame, sure = uncertainty.arm_information
    assert wild > tame > sure
    assert sure == pytest.approx(0.0, abs=1e-9)
    money = uncertainty.arm_information_money
    assert money is not None
    np.testing.assert_allclose(money * plan.shadow_price, uncertainty.arm_information, rtol=1e-12)
    assert uncertainty.perfect_information_money == pytest.approx(uncertainty.regret_mean / plan.shadow_price)


def test_uncertainty_as_data(uncertain: ResponseCurves) -> None:
    uncertainty = adflow.allocate(uncertain, 12.0).uncertainty(draws=5)
    data = uncertainty.to_dict()
    assert data["shares"] == uncertainty.shares
    assert data["regret_mean"] == uncertainty.regret_mean
    frame = uncertainty.to_frame("pandas")
    assert isinstance(frame, pd.DataFrame)
    assert frame["name"].to_list() == ["wild", "tame", "sure"]
    assert frame["information"].to_list() == uncertainty.arm_information.tolist()
    assert frame["share_mean"].sum() == pytest.approx(1.0)
    text = repr(uncertainty)
    assert text.startswith("Uncertainty over 5 draws: knowing all curves would be worth ")
    assert "\nwild " in text
    assert [len(adflow.allocate(uncertain, 12.0).uncertainty(many).draws) for many in (1, 1000)] == [1, DRAWS]
    for draws in (0, -3):
        with pytest.raises(adflow.InvalidInputError, match="draws"):
            adflow.allocate(uncertain, 12.0).uncertainty(draws)


def test_what_progress_raises_ends_the_look_at_draws(uncertain: ResponseCurves) -> None:
    many = ResponseCurves.concat(
        [uncertain.with_names(["a", "b", "c"])]
        + [uncertain.with_names([f"{letter}{copy}" for letter in "abc"]) for copy in range(30)]
    )
    plan = adflow.allocate(many, 200.0)

    def enough(seconds: float) -> None:
        raise RuntimeError(f"enough after {seconds:.2f} s")

    with pytest.raises(RuntimeError, match="enough"):
        plan.uncertainty(DRAWS, progress=enough)


def test_limits_on_several_arms_have_prices(curves: ResponseCurves) -> None:
    plan = adflow.allocate(
        curves,
        20.0,
        groups=[Group("screens", [1, 2], upper=8.0), Group("most", [0, 1], upper=1000.0)],
        coupling=Coupling([[1.0, -10.0, 0.0]], 0.0, names=["ratio"]),
    )
    limits = {(limit["limit"], limit["name"]): limit for limit in plan.limits}
    assert {("budget", None), ("group_upper", "screens"), ("coupling", "ratio")} <= limits.keys()
    assert limits["group_upper", "screens"]["bound"] == 8.0
    assert limits["group_upper", "screens"]["price"] > 0
    assert limits["group_upper", "most"]["price"] == 0
    shared = [limit for limit in plan.binding if limit["arm"] is None]
    assert shared == [limit for limit in plan.limits if limit["price"] != 0]
    assert plan.to_dict()["limits"] == plan.limits
    assert adflow.allocate(curves, 20.0).limits == []


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"upper": [8.0, None, None]},
        {"groups": [Group("screens", [1, 2], upper=8.0)]},
        {"target": Target.roas(2.0)},
    ],
    ids=["plain", "upper", "group", "target"],
)
def test_explanations_say_why_not_more_and_why_not_less(
    curves: ResponseCurves, settings: dict[str, Any]
) -> None:
    plan = adflow.allocate(curves, 20.0, **settings)
    for arm in plan.explain().arms:
        assert arm["why_not_more"]
        assert arm["why_not_less"]
        assert arm["price"] is not None
        assert arm["price"] >= 0
        assert (arm["alternative_spend"] is None) == (arm["alternative_loss"] is None)
        if arm["alternative_loss"] is not None:
            assert arm["alternative_loss"] >= -1e-9 * plan.objective_value
            assert arm["alternative_spend"] != arm["spend"]
    if not settings:
        # Without other limits a unit of each arm's money must bring the price of budget.
        assert [arm["price"] for arm in plan.explain().arms] == [plan.shadow_price] * 3


def test_the_loss_of_an_alternative_is_no_more_than_what_it_costs(curves: ResponseCurves) -> None:
    plan = adflow.allocate(curves, 20.0)
    arm = next(arm for arm in plan.explain().arms if arm["alternative_spend"] == 0.0)
    assert arm["alternative_loss"] is not None
    upper = [0.0 if at == arm["arm"] else None for at in range(3)]
    without = adflow.allocate(curves, 20.0, upper=upper)
    assert without.objective_value <= plan.upper_bound - arm["alternative_loss"] + 1e-9 * plan.upper_bound
