"""Prices that rise with the spend: shapes, formulae, errors, plans."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import adflow
from adflow import ResponseCurves


def hill() -> ResponseCurves:
    return ResponseCurves.hill([3.0, 5.0], [4.0, 1.0], [2.0, 0.7])


@pytest.mark.parametrize("exponent", [0.5, [0.5, 0.5], np.array([0.5, 0.5])])
def test_a_power_buys_fewer_units_for_more_money(exponent: object) -> None:
    curves = ResponseCurves.linear([1.0, 2.0]).with_cost_per_unit(2.0).with_price_power(exponent)
    spend = np.array([54.0, 16.0])
    np.testing.assert_allclose(curves.response(spend), [1.0, 2.0] * (spend / 2.0) ** (1.0 / 1.5))


@pytest.mark.parametrize(
    ("breaks", "prices"),
    [
        ([100.0], [1.0, 2.0]),
        (np.array([100.0]), np.array([1.0, 2.0])),
        ([[100.0], [100.0]], [[1.0, 2.0], [1.0, 2.0]]),
        ([[100.0], [50.0, 100.0]], [[1.0, 2.0], [1.0, 1.0, 2.0]]),
    ],
)
def test_tiers_charge_each_part_of_the_spend_its_own_price(breaks: object, prices: object) -> None:
    curves = ResponseCurves.linear([1.0, 3.0]).with_price_tiers(breaks, prices)
    np.testing.assert_allclose(curves.response(160.0), [130.0, 390.0])
    np.testing.assert_allclose(curves.marginal_response(100.0), [0.5, 1.5])


def test_a_single_price_has_no_breaks() -> None:
    curves = hill().with_price_tiers([], [2.0])
    np.testing.assert_array_equal(curves.response(7.0), hill().with_cost_per_unit(2.0).response(7.0))


def test_curves_behind_a_price_survive_json_and_pickle() -> None:
    for curves in [
        hill().with_price_power([0.5, 0.0]),
        hill().with_offset(1.0).with_price_power(0.5),
        hill().with_price_tiers([2.0, 5.0], [1.0, 1.5, 4.0]),
    ]:
        assert ResponseCurves.from_json(curves.to_json()) == curves
        assert pickle.loads(pickle.dumps(curves)) == curves
        assert curves != hill()


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: hill().with_price_power(-1.0), "price_power"),
        (lambda: hill().with_price_power([0.1, np.nan]), "price_power[1]"),
        (lambda: hill().with_price_power([0.1, 0.2, 0.3]), "price_power"),
        (lambda: hill().with_price_tiers([1.0], [2.0, 1.0]), "prices[0][1]"),
        (lambda: hill().with_price_tiers([1.0], [1.0]), "prices[0]"),
        (lambda: hill().with_price_tiers([2.0, 1.0], [1.0, 2.0, 3.0]), "spend_breaks[0][1]"),
        (lambda: hill().with_price_power(0.5).with_price_tiers([1.0], [1.0, 2.0]), "prices[0]"),
    ],
)
def test_a_bad_price_names_its_place(make: object, field: str) -> None:
    with pytest.raises(adflow.InvalidInputError) as caught:
        make()  # type: ignore[operator]
    assert field in str(caught.value)


def test_a_plan_behind_prices_is_proven_and_beats_a_grid() -> None:
    curves = hill().with_offset(0.5).with_price_tiers([[2.0], [6.0]], [[1.0, 2.5], [1.0, 1.5]])
    plan = adflow.allocate(curves, 12.0)
    assert plan.verify().ok
    first = np.linspace(0.0, 12.0, 4001)
    grid = curves.response(np.column_stack([first, 12.0 - first])).sum(axis=1)
    assert plan.objective_value >= grid.max() * (1.0 - 1e-6)
