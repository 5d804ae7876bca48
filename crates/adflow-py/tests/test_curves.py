"""Curves: construction from any array-like, evaluation, indexing, pickling."""

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

BETA, HALF, SLOPE = [3.0, 2.0, 4.0], [1.0, 5.0, 2.0], [1.0, 2.0, 0.5]
STRIDED = np.column_stack([BETA, HALF, SLOPE])


@pytest.mark.parametrize(
    "beta",
    [
        BETA,
        tuple(BETA),
        [3, 2, 4],
        np.array(BETA),
        np.array(BETA, dtype=np.float32),
        np.array([3, 2, 4], dtype=np.int64),
        STRIDED[:, 0],
        np.array(BETA)[::-1].copy()[::-1],
        np.array(BETA, dtype=">f8"),
        pd.Series(BETA, index=[7, 8, 9]),
        pl.Series(BETA),
        pa.array(BETA),
        pa.chunked_array([BETA[:1], BETA[1:]]),
    ],
    ids=lambda value: f"{type(value).__module__}.{type(value).__name__}",
)
def test_any_array_like_is_taken(beta: Any) -> None:
    assert ResponseCurves.hill(beta, HALF, SLOPE) == ResponseCurves.hill(np.array(BETA), HALF, SLOPE)


def test_draws_are_rows_in_any_memory_order() -> None:
    draws = np.array([[3.0, 2.0, 4.0], [5.0, 1.0, 4.5]])
    curves = ResponseCurves.hill(draws, HALF, SLOPE)
    assert curves.draws == 2
    assert curves == ResponseCurves.hill(np.asfortranarray(draws), HALF, SLOPE)
    assert curves == ResponseCurves.hill(np.repeat(draws, 2, axis=1)[:, ::2], HALF, SLOPE)
    each = [ResponseCurves.hill(row, HALF, SLOPE).response([1.0, 2.0, 3.0]) for row in draws]
    np.testing.assert_allclose(curves.response([1.0, 2.0, 3.0]), np.mean(each, axis=0), rtol=1e-14)
    np.testing.assert_allclose(curves.response_draws([1.0, 2.0, 3.0]), each, rtol=1e-14)


def test_terms_add_up() -> None:
    terms = np.array([[[1.0, 2.0], [3.0, 4.0]]])  # one draw, two terms, two arms
    curves = ResponseCurves.michaelis_menten(terms, 1.0)
    np.testing.assert_allclose(curves.response([1.0, 1.0]), [2.0, 3.0])


def test_every_family_is_the_formula() -> None:
    x = 1.7
    families = [
        (ResponseCurves.linear(2.0), 2 * x),
        (ResponseCurves.logarithmic(2.0, 3.0), 2 * np.log1p(x / 3)),
        (ResponseCurves.power(2.0, 0.4), 2 * x**0.4),
        (ResponseCurves.exponential(2.0, 3.0), 2 * -np.expm1(-x / 3)),
        (ResponseCurves.michaelis_menten(2.0, 3.0), 2 * x / (3 + x)),
        (ResponseCurves.hill(2.0, 3.0, 1.4), 2 * x**1.4 / (3**1.4 + x**1.4)),
        (ResponseCurves.logistic(2.0, 0.3), 2 * (1 - np.exp(-0.3 * x)) / (1 + np.exp(-0.3 * x))),
        (ResponseCurves.tanh(2.0, 0.7), 2 * np.tanh(x / 1.4)),
        (
            ResponseCurves.hill_sigmoid(2.0, 3.0, 1.1),
            2 / (1 + np.exp(-3 * (x - 1.1))) - 2 / (1 + np.exp(3.3)),
        ),
        (ResponseCurves.tabulated([0.0, 1.0, 2.0], [0.0, 1.0, 4.0]), 1 + 3 * 0.7),
    ]
    for curve, want in families:
        np.testing.assert_allclose(curve.response([x]), [want], rtol=1e-13)


def test_tables_may_differ_in_length() -> None:
    curves = ResponseCurves.tabulated([[0.0, 1.0], [0.0, 2.0, 5.0]], [[0.0, 3.0], [0.0, 1.0, 2.0]])
    np.testing.assert_allclose(curves.response([0.5, 3.5]), [1.5, 1.5])
    draws = ResponseCurves.tabulated([0.0, 1.0], np.array([[[0.0, 3.0]], [[0.0, 5.0]]]))
    assert draws.draws == 2
    np.testing.assert_allclose(draws.response([1.0]), [4.0])


def test_spend_may_be_one_number_one_row_or_many(curves: ResponseCurves) -> None:
    one = curves.response([5.0, 5.0, 5.0])
    assert one.shape == (3,)
    assert one.dtype == np.float64
    np.testing.assert_array_equal(curves.response(5), one)
    many = curves.response(np.full((4, 3), 5.0))
    assert many.shape == (4, 3)
    np.testing.assert_array_equal(many[2], one)
    step = 1e-6
    slope = (curves.response(5 + step) - curves.response(5 - step)) / (2 * step)
    np.testing.assert_allclose(curves.marginal_response(5.0), slope, rtol=1e-7)
    with pytest.raises(adflow.InvalidInputError) as raised:
        curves.response([1.0] * 6)
    assert raised.value.code == "length_mismatch"


def test_the_inverse_marginal_response_inverts(curves: ResponseCurves) -> None:
    spend = curves.inverse_marginal_response(2.0)
    np.testing.assert_allclose(curves.marginal_response(spend), 2.0, rtol=1e-10)
    assert (spend >= curves.inflection).all()


def test_the_concave_envelope_has_its_chord_over_the_bend(curves: ResponseCurves) -> None:
    ((start, end, slope),) = curves.concave_envelope(0, 0.0, 20.0)
    assert start == 0.0 < end
    assert slope == pytest.approx(float(curves[0].response([end])[0]) / end)
    assert curves.concave_envelope(2, 0.0, 20.0) == []


def test_offset_cost_and_value_transform(curves: ResponseCurves) -> None:
    x = np.array([2.0, 3.0, 4.0])
    base = curves.response
    np.testing.assert_allclose(curves.with_offset(1.0).response(x), base(x + 1) - base(1.0), rtol=1e-13)
    np.testing.assert_allclose(
        curves.with_offset(1.0, keep_response=True).response(x), base(x + 1), rtol=1e-13
    )
    np.testing.assert_allclose(
        curves.with_cost_per_unit([2.0, 1.0, 4.0]).response(x), base(x / [2, 1, 4]), rtol=1e-13
    )
    np.testing.assert_allclose(curves.with_value_per_response(3).response(x), 3 * base(x), rtol=1e-13)


def test_indexing_slices_and_names(curves: ResponseCurves) -> None:
    assert len(curves) == 3
    assert curves.names == ["search", "video", "social"]
    assert curves[1] == curves[-2] == curves["video"] == curves[np.int64(1)]
    assert curves[:2].names == ["search", "video"]
    assert curves[::-1].names == ["social", "video", "search"]
    assert [arm.names for arm in curves] == [["search"], ["video"], ["social"]]
    assert ResponseCurves.concat([curves[0], curves[1:]]) == curves
    assert ResponseCurves.linear(1.0).names is None
    with pytest.raises(IndexError):
        curves[3]
    with pytest.raises(KeyError):
        curves["radio"]
    with pytest.raises(TypeError):
        curves[1.5]  # type: ignore[index]
    with pytest.raises(adflow.InvalidInputError):
        curves[3:]


def test_pickle_and_json_keep_every_bit() -> None:
    rng = np.random.default_rng(1)
    curves = ResponseCurves.concat(
        [
            ResponseCurves.hill(*rng.uniform(1, 2, (3, 5, 4))).with_offset(rng.uniform(0, 1, 4)),
            ResponseCurves.tabulated([0.0, rng.uniform()], [[0.0, rng.uniform()]]),
        ]
    )
    spend = rng.uniform(0, 0.1, 5)
    for copy in (pickle.loads(pickle.dumps(curves)), ResponseCurves.from_json(curves.to_json())):
        assert copy == curves
        np.testing.assert_array_equal(copy.response(spend), curves.response(spend))
    assert curves != curves[:-1]
    assert curves != "curves"


def test_repr_says_what_there_is(curves: ResponseCurves) -> None:
    assert repr(curves) == "ResponseCurves(3 arms: search, video, social)"
    assert repr(ResponseCurves.linear(np.ones((7, 2)))) == "ResponseCurves(2 arms, 7 draws)"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((np.nan, 1.0, 1.0), "not_finite", "`beta`"),
        (([1.0, None], 1.0, 1.0), "not_finite", r"`beta\[1\]`"),
        ((-1.0, 1.0, 1.0), "out_of_domain", "`beta`"),
        (([1.0, 2.0], [1.0, 2.0, 3.0], 1.0), "length_mismatch", "half_saturation"),
        (([], 1.0, 1.0), "empty", "beta"),
        (("abc", 1.0, 1.0), "malformed", "beta: not numbers"),
        ((np.ones((2, 2, 2, 2)), 1.0, 1.0), "out_of_domain", "beta"),
        (([[1.0], [1.0, 2.0]], 1.0, 1.0), "malformed", "beta"),
        ((object(), 1.0, 1.0), "malformed", "beta"),
        ((10**400, 1.0, 1.0), "malformed", "beta"),
    ],
)
def test_errors_name_the_parameter(arguments: tuple[Any, ...], code: str, message: str) -> None:
    with pytest.raises(adflow.InvalidInputError, match=message) as raised:
        ResponseCurves.hill(*arguments)
    assert raised.value.code == code
    assert isinstance(raised.value, ValueError)


def test_names_are_checked(curves: ResponseCurves) -> None:
    for names, code in [
        (["a", "b"], "length_mismatch"),
        (["a", "b", "a"], "duplicate_name"),
        ("abc", "malformed"),
        ([1, 2, 3], "malformed"),
        (7, "malformed"),
    ]:
        with pytest.raises(adflow.InvalidInputError) as raised:
            curves.with_names(names)  # type: ignore[arg-type]
        assert raised.value.code == code
    assert curves.with_names(np.array(["a", "b", "c"])).names == ["a", "b", "c"]
    assert curves.with_names(pd.Index(["a", "b", "c"])).names == ["a", "b", "c"]


def test_robyn_curves_are_its_formula() -> None:
    curves = ResponseCurves.from_robyn(
        coef=[368_248.5, 82_529.9],
        alpha=[2.989, 2.936],
        inflexion=[9_442.3, 11_385.0],
        carryover=[85.3, 520.2],
    )
    np.testing.assert_allclose(curves.response([9_442.3 - 85.3, 0.0])[0], 368_248.5 / 2, rtol=1e-12)
    media = np.random.default_rng(3).uniform(0, 100, (30, 2))
    curves = ResponseCurves.from_robyn(
        coef=[1.0, 2.0], alpha=[1.5, 1.0], gamma=[0.5, 0.4], media=media, window=(10, 30), theta=[0.3, 0.1]
    )
    assert (curves.response([50.0, 50.0]) > 0).all()
    with pytest.raises(adflow.InvalidInputError, match="window"):
        ResponseCurves.from_robyn(coef=1.0, alpha=1.0, gamma=0.5, media=media, window=(-1, 30), theta=0.3)
    with pytest.raises(TypeError):
        ResponseCurves.from_robyn(coef=1.0, alpha=1.0, inflection=3.0)  # type: ignore[call-arg]


def test_pymc_marketing_curves_are_its_formula() -> None:
    curves = ResponseCurves.from_pymc_marketing(
        saturation="michaelis_menten",
        saturation_alpha=[2.0, 3.0],
        saturation_lam=[0.5, 0.4],
        adstock="none",
        channel_scale=[1_000.0, 500.0],
        num_periods=8,
    )
    np.testing.assert_allclose(curves.response([500.0, 200.0]), [8.0, 12.0], rtol=1e-13)


def test_lightweight_mmm_curves_are_its_formula() -> None:
    curves = ResponseCurves.from_lightweight_mmm(
        coef_media=[2.0],
        lag_weight=[0.0],
        half_max_effective_concentration=[0.5],
        slope=[1.0],
        media_scale=[100.0],
    )
    np.testing.assert_allclose(curves.response([50.0]), [1.0], rtol=1e-13)


def test_meridian_curves_are_its_formula() -> None:
    curves = ResponseCurves.from_meridian(
        alpha_m=[[0.0], [0.0]],
        ec_m=[[1.0], [1.0]],
        beta_gm=np.array([[[1.0], [2.0]], [[3.0], [4.0]]]),
        media_scaled=np.ones((2, 3, 1)),
        spend=[60.0],
        max_lag=0,
    )
    np.testing.assert_allclose(curves.response([60.0]), [0.5 * 3 * (1 + 2 + 3 + 4) / 2], rtol=1e-12)
