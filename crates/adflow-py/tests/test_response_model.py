"""The response model's seam: frames and arrays in and out, errors, threads, pickling, interruption."""

from __future__ import annotations

import _thread
import datetime
import json
import os
import pickle
import threading
import time
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import adflow
from adflow import _adflow, _model_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SMALL: dict[str, Any] = {"draws": 60, "tune": 100, "chains": 2, "seed": 5}


@pytest.fixture(scope="module")
def market() -> adflow.Market:
    return adflow.Market.realistic(seed=2, channels=2, periods=60)


@pytest.fixture(scope="module")
def history(market: adflow.Market) -> adflow.History:
    return market.history()


@pytest.fixture(scope="module")
def model(history: adflow.History) -> adflow.ResponseModel:
    return adflow.ResponseModel(**SMALL).fit(history)


@pytest.fixture(scope="module")
def geos() -> adflow.ResponseModel:
    """Two groups with controls, holidays and units."""
    settings = {
        "seed": 1,
        "periods": 40,
        "groups": [{"name": "north", "population": 2.0}, {"name": "south", "population": 1.0}],
        "channels": [
            {"name": "search", "effect": {"roas": 2.0}, "spend": {"mean": 5000.0, "variation": 0.6}},
            {
                "name": "video",
                "effect": {"share": 0.1},
                "spend": {"mean": 4000.0, "variation": 0.6},
                "auction": {"impressions": 5e6, "median_cpm": 4.0, "spread": 0.8},
            },
        ],
        "baseline": {"controls": [{"name": "price", "effect": 0.05, "persistence": 0.5}]},
    }
    return adflow.ResponseModel(method="laplace", **SMALL).fit(adflow.Market(settings).history())


def columns(history: adflow.History) -> dict[str, Any]:
    """A history as plain columns."""
    spend = {name: history.spend[:, at] for at, name in enumerate(history.channels)}
    return {"week": history.time, **spend, "sales": history.outcome, **history.holidays}


def same(one: adflow.ResponseModel, other: adflow.ResponseModel) -> bool:
    """Whether two fits agree to the last bit."""
    return one.to_json() == other.to_json()


# What a fit answers.


def test_a_fit_gives_arrays_and_curves_of_the_right_shapes(model: adflow.ResponseModel) -> None:
    for draws in (model.roas_draws_, model.marginal_roas_draws_):
        assert draws.shape == (60, 2) and draws.dtype == np.float64 and not draws.flags.writeable
        assert (draws > 0.0).all()
    assert model.channels_ == model.curves_.names == ["search", "social"]
    assert model.curves_.draws == 60 and len(model.group_curves_) == 2
    assert [round(weights.sum(), 9) for weights in model.adstock_.weights(2, 1)] == [1.0, 1.0]
    for name in model.parameter_names_:
        assert model.parameter_draws(name).shape == (2, 60)
    slope = model.curves_.marginal_response(model.mean_spend_)
    np.testing.assert_allclose(model.marginal_roas_draws_.mean(axis=0), slope, rtol=1e-9)
    with pytest.raises(adflow.InvalidInputError, match="radio"):
        model.parameter_draws("radio")


def test_curves_and_carry_over_go_straight_into_plans(model: adflow.ResponseModel) -> None:
    plan = adflow.allocate(model.curves_, float(model.mean_spend_.sum()), current=model.mean_spend_)
    assert plan.verify().ok and plan.names == model.channels_
    schedule = adflow.schedule(
        model.curves_, model.adstock_, periods=3, budget=float(model.mean_spend_.sum())
    )
    assert schedule.spend.shape == (3, 2)


def test_a_summary_is_a_table_for_people_and_data_for_programs(model: adflow.ResponseModel) -> None:
    summary = model.summary(level=0.8)
    assert summary.level == 0.8 and "social" in repr(summary) and "R-hat" in repr(summary)
    assert all(warning["sentence"] in repr(summary) for warning in summary.warnings)
    assert [channel["channel"] for channel in summary.channels] == model.channels_
    median = np.median(model.roas_draws_, axis=0)
    np.testing.assert_allclose([channel["roas"]["median"] for channel in summary.channels], median)
    assert {parameter["name"] for parameter in summary.parameters} == set(model.parameter_names_)
    assert summary.diagnostics == model.diagnostics_ and summary.diagnostics["method"] == "nuts"
    assert list(summary.channels[0])[:2] == ["channel", "spend"]
    assert set(summary.fit) == {"r_squared", "mape", "coverage", "crps"} and len(summary.checks) == 5
    assert json.loads(json.dumps(summary.to_dict()))["level"] == 0.8
    frame = summary.to_frame(backend="pandas")
    assert frame["roas"].tolist() == median.tolist() and {"roas_lower", "share_upper"} <= set(frame)
    assert len(summary.to_frame("parameters", backend="polars")) == len(model.parameter_names_)
    assert "<pre>" in summary._repr_html_()


def test_parts_add_up_to_the_expected_outcome(model: adflow.ResponseModel) -> None:
    parts = model.decompose()
    assert parts.components[-2:] == model.channels_ and parts.channel[-2:].all()
    np.testing.assert_allclose(parts.mean.sum(axis=0), model.fitted().mean, rtol=1e-9)
    frame = parts.to_frame("polars")
    assert frame.columns == ["time", "component", "mean", "lower", "upper"]
    assert len(frame) == 60 * len(parts.components) and frame["time"].dtype == pl.Date
    share = parts.total[-1]["mean"] / sum(total["mean"] for total in parts.total)
    assert f"social {100 * share:.1f} %" in repr(parts)


def test_a_forecast_takes_what_the_fit_took(market: adflow.Market, history: adflow.History) -> None:
    past, future = history.first(52), history.last(8)
    model = adflow.ResponseModel(**SMALL).fit(past)
    forecast = model.predict(future)
    assert forecast.mean.shape == (8,) and forecast.draws.shape == (60, 8)
    assert forecast.time is not None and future.time is not None
    np.testing.assert_array_equal(forecast.time, future.time)
    assert (forecast.lower < forecast.mean).all() and (forecast.mean < forecast.upper).all()
    assert forecast.total["lower"] < forecast.total["mean"] < forecast.total["upper"]
    again = model.predict(future.spend, holidays=future.holidays)
    np.testing.assert_array_equal(again.draws, forecast.draws)
    # One period, and no spend at all.
    one = model.predict(np.zeros((1, 2)), time=future.time[:1], holidays=future.first(1).holidays)
    assert one.mean.shape == (1,) and one.to_frame("pandas").columns.tolist() == [
        "time",
        "mean",
        "lower",
        "upper",
    ]
    with pytest.raises(adflow.InvalidInputError, match="sale") as caught:
        model.predict(future.spend)
    assert caught.value.code == "unknown_name"
    with pytest.raises(adflow.InvalidInputError, match="future.dates"):
        model.predict(future.spend, time=past.time[:8], holidays=future.holidays)


def test_a_frame_of_the_fit_needs_no_other_argument_later(history: adflow.History) -> None:
    frame = pl.DataFrame(columns(history))
    holidays = list(history.holidays)
    model = adflow.ResponseModel(method="laplace", **SMALL)
    model.fit(frame[:52], "sales", time="week", holidays=holidays)
    forecast = model.predict(frame[52:].drop("sales"))
    np.testing.assert_array_equal(forecast.mean, model.predict(history.last(8)).mean)
    model.refit(frame[52:])
    assert model.history_.to_json() == history.to_json()


def test_a_refit_takes_in_added_rows(history: adflow.History) -> None:
    model = adflow.ResponseModel(**SMALL).fit(history.first(58))
    before = model.roas_draws_
    assert model.refit(history.last(2)) is model
    assert model.history_.periods == 60 and model.diagnostics_["method"] in ("reweighed", "nuts")
    assert not np.array_equal(before, model.roas_draws_)
    with pytest.raises(adflow.InvalidInputError, match="future.dates"):
        model.refit(history.last(2))


def test_models_are_compared_by_the_same_holdout(model: adflow.ResponseModel) -> None:
    held = model.holdout(8)
    assert held.periods == 8 and held.crps > 0.0 and 0.0 <= held.coverage <= 1.0
    models = {
        "laplace": adflow.ResponseModel(method="laplace", **SMALL),
        "flat": adflow.ResponseModel(trend="none", yearly=0, method="laplace", **SMALL),
        "nuts": model,
    }
    compared = adflow.ResponseModel.compare(models, model.history_, 8)
    assert set(compared) == set(models) and compared["nuts"] == held
    assert sorted(compared.values(), key=lambda one: one.crps) == list(compared.values())
    assert "CRPS" in repr(held)
    with pytest.raises(adflow.InvalidInputError, match="periods"):
        model.holdout(59)


def test_several_groups_have_arrays_by_group(geos: adflow.ResponseModel) -> None:
    history = geos.history_
    assert history.spend.shape == (2, 40, 2) and history.outcome.shape == (2, 40)
    assert len(geos.group_curves_) == 4 and geos.curves_.names == ["search", "video"]
    parts = geos.decompose()
    assert parts.mean.shape == (len(parts.components), 2, 40)
    assert {"price"} == set(history.controls) and set(history.exposures) == {"video"}
    frame = parts.to_frame("pandas")
    assert frame["group"].unique().tolist() == ["north", "south"]
    assert geos.fitted().draws.shape == (60, 2, 40)
    future = geos.predict(
        np.full((2, 3, 2), 100.0), group=["north", "south"], controls={"price": np.zeros(6)}
    )
    assert future.mean.shape == (2, 3) and future.to_frame("polars").columns[:2] == ["time", "group"]
    assert geos.diagnostics_["method"] == "laplace" and geos.diagnostics_["pareto_k"] is not None


def test_groups_to_come_may_stand_in_any_order(geos: adflow.ResponseModel) -> None:
    table = {
        "group": ["south", "north"] * 3,
        "search": np.arange(6) * 1000.0,
        "video": np.arange(6) * 500.0,
        "price": np.zeros(6),
    }
    order = [1, 3, 5, 0, 2, 4]
    sorted_by_group = {name: np.asarray(column)[order] for name, column in table.items()}
    mixed = geos.predict(table, group="group")
    np.testing.assert_array_equal(mixed.draws, geos.predict(sorted_by_group, group="group").draws)
    with pytest.raises(adflow.InvalidInputError, match="east"):
        geos.predict({**table, "group": ["east", "north"] * 3}, group="group")


# What a fit takes.


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table, dict])
def test_frames_of_any_kind_are_one_history(make: Callable[[Any], Any], history: adflow.History) -> None:
    table = columns(history)
    given = adflow.History(make(table), "sales", time="week", holidays=list(history.holidays))
    assert given.to_json() == history.to_json()


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_a_history_comes_back_from_its_own_frame(backend: Any, geos: adflow.ResponseModel) -> None:
    history = geos.history_
    frame = history.to_frame(backend)
    again = adflow.History(
        frame,
        "outcome",
        controls=["price"],
        time="time",
        group="group",
        exposures={"video": "video_exposures"},
        population={"north": 2.0, "south": 1.0},
    )
    assert again.to_json() == history.to_json()


def test_rows_come_in_any_order(history: adflow.History) -> None:
    table = pd.DataFrame(columns(history)).sample(frac=1.0, random_state=1)
    given = adflow.History(table, "sales", time="week", holidays=list(history.holidays))
    assert given.to_json() == history.to_json()


@pytest.mark.parametrize(
    "dates",
    [
        lambda days: days,
        lambda days: days.astype("datetime64[ns]"),
        lambda days: days.astype(str).tolist(),
        lambda days: days.astype(datetime.date).tolist(),
        lambda days: pd.DatetimeIndex(days),
        lambda days: pd.Series(days).dt.tz_localize("Europe/Berlin"),
        lambda days: pl.Series(days),
        lambda days: [pd.Timestamp(day) for day in days],
    ],
)
def test_dates_of_any_kind_are_the_same_days(dates: Callable[[Any], Any], history: adflow.History) -> None:
    given = adflow.History(history.spend, history.outcome, time=dates(history.time))
    assert given.time is not None
    np.testing.assert_array_equal(given.time, history.time)
    assert given.channels == ["channel 0", "channel 1"]


def test_columns_of_any_type_are_numbers(history: adflow.History) -> None:
    spend = history.spend.round()
    outcome = history.outcome.round()
    wanted = adflow.History(spend, outcome, channels=["a", "b"]).to_json()
    frames: list[Any] = [
        pl.DataFrame({"a": spend[:, 0], "b": spend[:, 1]}).cast(pl.Int64),
        pd.DataFrame({"a": spend[:, 0], "b": spend[:, 1]}).astype("Int64"),
        pd.DataFrame({"a": spend[:, 0], "b": spend[:, 1]}).astype(object),
        pa.table({"a": spend[:, 0].astype(np.float32), "b": spend[:, 1].astype(np.float32)}),
        {"a": spend[:, 0].tolist(), "b": pl.Series(spend[:, 1])},
    ]
    for frame in frames:
        assert adflow.History(frame, pd.Series(outcome)).to_json() == wanted
    strided = np.asfortranarray(spend)
    assert adflow.History(strided, outcome.tolist(), channels=["a", "b"]).to_json() == wanted


def test_arrays_may_have_three_dimensions(geos: adflow.ResponseModel) -> None:
    history = geos.history_
    given = adflow.History(
        history.spend,
        history.outcome,
        time=history.time,
        group=history.groups,
        channels=history.channels,
        controls=history.controls,
        exposures=history.exposures,
        population={"north": 2.0, "south": 1.0},
    )
    assert given.to_json() == history.to_json()


def test_outcomes_may_be_missing_when_that_is_said(history: adflow.History) -> None:
    outcome = history.outcome.copy()
    outcome[3] = np.nan
    with pytest.raises(adflow.InvalidInputError, match=r"outcome\[3\]"):
        adflow.History(history.spend, outcome)
    given = adflow.History(pd.DataFrame(history.spend), pd.Series(outcome), missing_outcomes=True)
    assert np.isnan(given.outcome[3]) and given.channels == ["0", "1"]
    model = adflow.ResponseModel(method="laplace", **SMALL).fit(given)
    assert np.isfinite(model.fitted().mean).all()


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (
            {"spend": lambda spend: np.where(np.arange(120).reshape(60, 2) == 5, np.nan, spend)},
            "not_finite",
            "spend",
        ),
        ({"spend": lambda spend: -spend}, "out_of_domain", r"spend\[0\]"),
        ({"spend": lambda spend: spend * [1.0, 0.0]}, "out_of_domain", "channel 1"),
        (
            {"spend": lambda spend: spend[:2], "outcome": lambda outcome: outcome[:2], "time": None},
            "out_of_domain",
            "periods",
        ),
        ({"spend": lambda spend: spend[:, 0]}, "out_of_domain", r"\(T, n\)"),
        ({"spend": lambda spend: spend[:5]}, "length_mismatch", "spend"),
        ({"spend": lambda spend: spend.astype(str) + "x"}, "malformed", "spend"),
        (
            {"outcome": lambda outcome: np.where(outcome == outcome[7], np.inf, outcome)},
            "not_finite",
            r"outcome\[7\]",
        ),
        ({"outcome": None}, "malformed", "outcome"),
        ({"outcome": "sales"}, "malformed", "sales"),
        ({"time": lambda time: np.delete(np.append(time, time[-1] + 7), 9)}, "out_of_domain", "is missing"),
        ({"time": lambda time: np.append(time[:-1], time[0])}, "out_of_domain", "one row per date"),
        ({"time": ["1/2/2024"] * 60}, "malformed", "2026-11-23"),
        ({"time": np.full(60, "NaT", dtype="datetime64[D]")}, "malformed", "NaT"),
        ({"time": [None] * 60}, "empty", r"time\[0\]"),
        ({"group": ["a"] * 59 + ["b"], "time": None}, "length_mismatch", "group"),
        ({"controls": {"price": np.ones(3)}}, "length_mismatch", r"controls\[price\]"),
        ({"exposures": {"radio": np.ones(60)}}, "unknown_name", "radio"),
        ({"exposures": np.ones(60)}, "malformed", "exposures"),
        ({"population": {"north": 3.0}}, "unknown_name", "all"),
        ({"channels": ["a"]}, "length_mismatch", "channels"),
        ({"channels": "ab"}, "malformed", "channels"),
    ],
)
def test_what_cannot_be_fitted_is_refused_by_name(
    change: dict[str, Any], code: str, message: str, history: adflow.History
) -> None:
    given: dict[str, Any] = {"spend": history.spend, "outcome": history.outcome, "time": history.time}
    for name, new in change.items():
        given[name] = new(given[name]) if callable(new) else new
    with pytest.raises(adflow.InvalidInputError, match=message) as caught:
        adflow.ResponseModel(method="laplace", **SMALL).fit(**given)
    assert caught.value.code == code


def test_a_frame_with_other_columns_says_which_are_media(history: adflow.History) -> None:
    frame = pd.DataFrame({**columns(history), "region": "north"})
    with pytest.raises(adflow.InvalidInputError, match=r"spend\[region\].*`channels`"):
        adflow.History(frame, "sales", time="week", holidays=list(history.holidays))
    with pytest.raises(adflow.InvalidInputError, match="no column 'revenue'"):
        adflow.History(frame, "revenue")
    chosen = adflow.History(frame, "sales", time="week", channels=["social"])
    assert chosen.channels == ["social"]


def test_constant_spend_is_answered_with_a_warning(history: adflow.History) -> None:
    spend = history.spend.copy()
    spend[:, 1] = 500.0
    model = adflow.ResponseModel(method="laplace", **SMALL).fit(spend, history.outcome, channels=["a", "tv"])
    warned = [warning for warning in model.warnings_ if warning["code"] == "constant_spend"]
    assert [warning["channels"] for warning in warned] == [["tv"]]
    assert warned[0]["sentence"] in repr(model.summary())


# Settings.


def test_the_signature_tells_the_defaults_of_the_engine() -> None:
    model = adflow.ResponseModel()
    assert model.settings == json.loads(_adflow.model_settings("{}"))
    assert "400 by default" in (adflow.ResponseModel.__doc__ or "") and model.settings["tune"] == 400
    assert "0.9 by default" in (adflow.ResponseModel.__doc__ or "") and model.settings["target_accept"] == 0.9


def test_every_word_of_the_signature_is_known_to_the_engine() -> None:
    for name, words in _model_settings.WORDS.items():
        for word in get_args(words):
            assert adflow.ResponseModel(**{name: word}).settings[name] == word
    model = adflow.ResponseModel(
        ["hill", "power"], ["none", "delayed"], trend=3, yearly=0, weekdays=False, max_lag=4
    )
    assert model.settings["curve"] == ["hill", "power"] and model.settings["trend"] == {"knots": 3}
    assert "max_lag=4" in repr(model)


def test_priors_and_experiments_reach_the_engine(history: adflow.History) -> None:
    priors = {
        "retention": adflow.Prior.beta(2, 5),
        "roas[social]": adflow.Prior.log_normal(median=2.0, sigma=0.01),
        "half_saturation": adflow.Prior.gamma(2, 1),
        "sigma": adflow.Prior.half_normal(0.2),
        "intercept": adflow.Prior.normal(1, 0.5),
        "slope": adflow.Prior.uniform(0.5, 3),
    }
    model = adflow.ResponseModel(priors=priors, method="laplace", **SMALL).fit(history)
    np.testing.assert_allclose(np.median(model.roas_draws_[:, 1]), 2.0, rtol=0.05)
    assert model.settings["priors"]["retention"] == {"distribution": "beta", "a": 2.0, "b": 5.0}
    assert repr(priors["slope"]) == "Prior.uniform(low=0.5, high=3)"

    test = adflow.RoasTest(channel="social", first=0, end=60, roas=1.5, std=0.01)
    model = adflow.ResponseModel(roas_tests=[test], method="laplace", **SMALL).fit(history)
    np.testing.assert_allclose(np.median(model.roas_draws_[:, 1]), 1.5, rtol=0.05)

    lift = adflow.LiftTest(channel="search", spend=3000.0, change=1000.0, lift=900.0, std=5.0)
    model = adflow.ResponseModel(lift_tests=[lift], method="laplace", **SMALL).fit(history)
    response = model.curves_["search"].response([[3000.0], [4000.0]])
    np.testing.assert_allclose(response[1] - response[0], 900.0, rtol=0.05)

    pooled = adflow.ResponseModel(pools={"all": ["search", "social"]}, method="laplace", **SMALL).fit(history)
    assert any("pool" in name for name in pooled.parameter_names_)


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        ({"curve": "s"}, "out_of_domain", "`curve` must be one of hill"),
        ({"adstock": ["geometric", "x"]}, "out_of_domain", "`adstock`"),
        ({"likelihood": "poisson"}, "out_of_domain", "`likelihood`"),
        ({"draws": 1.5}, "malformed", "`draws`"),
        ({"draws": -1}, "out_of_domain", "`draws`"),
        ({"draws": 2}, "out_of_domain", "`draws`"),
        ({"chains": 0}, "out_of_domain", "`chains`"),
        ({"target_accept": 2.0}, "out_of_domain", "`target_accept`"),
        ({"trend": "cubic"}, "out_of_domain", "`trend` must be none"),
        ({"priors": {"retention": 0.5}}, "malformed", r"`priors\[retention\]`"),
        ({"priors": {"retention": adflow.Prior.normal(0, 1)}}, "out_of_domain", "retention"),
        ({"priors": {"retention": adflow.Prior.beta(float("nan"), 1)}}, "not_finite", "retention"),
        ({"priors": {"speed": adflow.Prior.beta(1, 1)}}, None, "speed"),
        ({"lift_tests": [1]}, "malformed", r"`lift_tests\[0\]`"),
        (
            {"roas_tests": [adflow.RoasTest(channel="x", first=0, end=9, roas=1.0, std=1.0)]},
            "unknown_name",
            "x",
        ),
        ({"curve": ["hill"]}, "length_mismatch", "curve"),
    ],
)
def test_settings_that_are_none_are_refused_by_name(
    settings: dict[str, Any], code: str | None, message: str, history: adflow.History
) -> None:
    with pytest.raises(adflow.InvalidInputError, match=message) as caught:
        adflow.ResponseModel(**{**SMALL, **settings}).fit(history)
    assert code is None or caught.value.code == code


# What surrounds a fit.


def test_what_was_not_fitted_says_so() -> None:
    model = adflow.ResponseModel()
    assert not hasattr(model, "curves_")
    for ask in (model.summary, model.decompose, model.to_json, lambda: model.predict([[1.0]])):
        with pytest.raises(adflow.NotFittedError, match="fit") as caught:
            ask()
        assert caught.value.code == "not_fitted"
    assert issubclass(adflow.NotFittedError, adflow.AdflowError)
    assert issubclass(adflow.NotFittedError, AttributeError)


def test_threads_change_no_bit(model: adflow.ResponseModel, history: adflow.History) -> None:
    for threads in (1, 2):
        assert same(adflow.ResponseModel(**SMALL).fit(history, threads=threads), model)
    other = adflow.ResponseModel(**{**SMALL, "seed": 6}).fit(history)
    assert not np.array_equal(other.roas_draws_, model.roas_draws_)
    with pytest.raises(adflow.InvalidInputError, match="threads"):
        adflow.ResponseModel(**SMALL).fit(history, threads=0)


def test_a_model_comes_back_from_a_file_and_a_pickle(
    model: adflow.ResponseModel, history: adflow.History, tmp_path: Path
) -> None:
    model.save(tmp_path / "model.json")
    copies = [
        adflow.ResponseModel.load(tmp_path / "model.json"),
        adflow.ResponseModel.from_json(model.to_json()),
        pickle.loads(pickle.dumps(model)),
    ]
    for copy in copies:
        assert same(copy, model) and copy.settings == model.settings and repr(copy) == repr(model)
        np.testing.assert_array_equal(copy.roas_draws_, model.roas_draws_)
        assert copy.curves_ == model.curves_
    assert pickle.loads(pickle.dumps(adflow.ResponseModel(draws=7))).settings["draws"] == 7
    assert pickle.loads(pickle.dumps(history)).to_json() == history.to_json()
    with pytest.raises(adflow.InvalidInputError) as caught:
        adflow.ResponseModel.from_json(model.to_json().replace('"version":1', '"version":9', 1))
    assert caught.value.code == "malformed"


def test_a_fit_can_be_interrupted(history: adflow.History) -> None:
    long = adflow.ResponseModel(draws=200_000, tune=1000)
    timer = threading.Timer(0.3, _thread.interrupt_main)
    begin = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        long.fit(history)
    assert time.monotonic() - begin < 5.0 and not hasattr(long, "curves_")


def test_progress_hears_the_share_that_is_done(history: adflow.History) -> None:
    heard: list[float] = []

    def stop(share: float) -> None:
        heard.append(share)
        if share > 0.01:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        adflow.ResponseModel(draws=20_000).fit(history, progress=stop)
    assert heard == sorted(heard) and 0.01 < heard[-1] < 1.0
    with pytest.raises(adflow.InvalidInputError, match="progress"):
        adflow.ResponseModel(**SMALL).fit(history, progress=3)  # type: ignore[arg-type]


def test_a_bar_shows_the_share(history: adflow.History, capsys: pytest.CaptureFixture[str]) -> None:
    adflow.ResponseModel(draws=2000, chains=2).fit(history, progress=True)
    assert "%" in capsys.readouterr().err


def test_other_threads_run_during_a_fit(history: adflow.History) -> None:
    counted = 0
    done = threading.Event()

    def count() -> None:
        nonlocal counted
        while not done.is_set():
            counted += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    adflow.ResponseModel(draws=1500, chains=2).fit(history)
    done.set()
    thread.join()
    assert counted > 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fit_works_after_a_fork(model: adflow.ResponseModel, history: adflow.History) -> None:
    wanted = model.roas_draws_.tobytes()
    child = os.fork()
    if child == 0:
        try:
            again = adflow.ResponseModel(**SMALL).fit(history, threads=2)
            os._exit(0 if again.roas_draws_.tobytes() == wanted else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_pictures_are_drawn(model: adflow.ResponseModel, geos: adflow.ResponseModel, tmp_path: Path) -> None:
    for one in (model, geos):
        for name in ("plot_fit", "plot_curves", "plot_contributions", "plot_posterior"):
            figure = getattr(one, name)()
            figure.savefig(tmp_path / f"{name}.png")
            assert (tmp_path / f"{name}.png").stat().st_size > 10_000
