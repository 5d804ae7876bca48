"""The simulated market's seam: shapes, names, errors, pickling, and what a policy sees."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

import adflow

GEOS = {
    "seed": 3,
    "periods": 30,
    "groups": [{"name": "north", "population": 2.0}, {"name": "south", "population": 1.0}],
    "channels": [
        {"name": "search", "effect": {"roas": 2.0}, "spend": {"mean": 100.0}},
        {"name": "tv", "effect": {"share": 0.1}, "adstock": {"kind": "geometric", "retention": 0.5}},
    ],
}


@pytest.fixture(scope="module")
def market() -> adflow.Market:
    return adflow.Market.realistic(seed=4, channels=3, periods=60)


def test_a_market_has_the_shapes_that_it_says(market: adflow.Market) -> None:
    assert market.channels == ["search", "social", "tv"] and market.groups == ["all"]
    assert market.spend.shape == (60, 3) and market.spend.dtype == np.float64
    assert market.outcome.shape == (60,) and market.periods == 60
    assert market.usual_spend(70).shape == (70, 3)
    np.testing.assert_array_equal(market.usual_spend(60), market.spend)
    geos = adflow.Market(GEOS)
    assert geos.spend.shape == (2, 30, 2) and geos.outcome.shape == (2, 30)
    assert geos.simulate(geos.spend).contributions.shape == (2, 30, 2)


def test_parts_of_a_simulation_add_up(market: adflow.Market) -> None:
    simulation = market.simulate(market.spend)
    whole = simulation.baseline + simulation.contributions.sum(axis=-1) + simulation.interaction
    np.testing.assert_allclose(simulation.expected, whole, rtol=1e-12)
    np.testing.assert_array_equal(simulation.outcome, market.outcome)
    assert "60 periods" in repr(simulation)


def test_the_truth_agrees_with_switching_a_channel_off(market: adflow.Market) -> None:
    truth = market.truth()
    for at, name in enumerate(market.channels):
        effect = market.effect([adflow.Intervention(name, to=0.0)])
        assert effect.expected / effect.spend == pytest.approx(truth.roas[at], rel=1e-9)
        assert effect.by_period.shape == (60,)
    assert truth.curves.names == truth.channels == market.channels
    mean = truth.spend / market.periods
    np.testing.assert_allclose(truth.curves.marginal_response(mean), truth.marginal_roas, rtol=1e-9)
    assert [round(weights.sum(), 9) for weights in truth.adstock.weights(3, 1)] == [1.0] * 3
    assert "tv" in repr(truth)


def test_interventions_take_names_and_indices_windows_and_groups() -> None:
    market = adflow.Market(GEOS)
    named = market.effect([adflow.Intervention("tv", times=2.0, window=(3, 9), group="south")])
    numbered = market.effect([adflow.Intervention(1, times=2.0, window=(3, 9), group=1)])
    np.testing.assert_array_equal(named.by_period, numbered.by_period)
    assert named.spend == pytest.approx(market.spend[1, 3:9, 1].sum())
    assert (named.by_period[0] == 0.0).all() and (named.by_period[1, 3:] > 0.0).all()


@pytest.mark.parametrize(
    ("intervention", "code", "field"),
    [
        (adflow.Intervention("radio", to=0.0), "unknown_name", "channel"),
        (adflow.Intervention(9, to=0.0), "out_of_domain", "channel"),
        (adflow.Intervention("tv"), "malformed", "change"),
        (adflow.Intervention("tv", to=1.0, by=2.0), "malformed", "change"),
        (adflow.Intervention("tv", times=-1.0), "out_of_domain", "change"),
        (adflow.Intervention("tv", to=0.0, window=(5, 99)), "out_of_domain", "window"),
        (adflow.Intervention("tv", to=0.0, group="east"), "unknown_name", "group"),
    ],
)
def test_an_intervention_that_is_none_is_refused(
    intervention: adflow.Intervention, code: str, field: str
) -> None:
    with pytest.raises(adflow.InvalidInputError, match=rf"interventions\[0\]\.{field}") as caught:
        adflow.Market(GEOS).effect([intervention])
    assert caught.value.code == code


def test_a_policy_sees_its_own_deeds(market: adflow.Market) -> None:
    seen: list[int] = []

    def policy(history: adflow.History) -> list[float]:
        seen.append(history.periods)
        if history.periods > 60:
            assert history.spend[-1].tolist() == [1.0, 2.0, 3.0]
        return [1.0, 2.0, 3.0]

    replay = market.replay(4, policy)
    assert seen == [60, 61, 62, 63]
    np.testing.assert_array_equal(replay.spend, [[1.0, 2.0, 3.0]] * 4)
    np.testing.assert_allclose(
        replay.outcome, market.simulate_after([[1.0, 2.0, 3.0]] * 4).outcome[60:], rtol=1e-12
    )
    assert market.regret(replay.spend, replay.spend) == 0.0
    assert market.regret(replay.spend, 1000.0 * replay.spend) > 0.0


def test_what_a_policy_raises_comes_out(market: adflow.Market) -> None:
    def policy(history: adflow.History) -> list[float]:
        raise KeyError("no idea")

    with pytest.raises(KeyError, match="no idea"):
        market.replay(2, policy)
    with pytest.raises(adflow.InvalidInputError, match="policy") as caught:
        market.replay(2, lambda history: [1.0])
    assert caught.value.code == "length_mismatch"


def test_a_market_travels_as_json_pickle_and_dict(market: adflow.Market) -> None:
    for copy in (
        pickle.loads(pickle.dumps(market)),
        adflow.Market.from_json(market.to_json()),
        adflow.Market(market.settings),
        adflow.Market(json.dumps(market.settings)),
    ):
        assert copy == market
        np.testing.assert_array_equal(copy.outcome, market.outcome)
    assert repr(market) == "Market(3 channels, 60 periods of 7 days, seed 4)"


def test_settings_outside_their_domain_are_named() -> None:
    with pytest.raises(adflow.InvalidInputError, match=r"channels\[0\]\.slope"):
        adflow.Market({"channels": [{"name": "tv", "slope": -1.0}]})
    with pytest.raises(adflow.InvalidInputError, match="colour"):
        adflow.Market({"channels": [{"name": "tv", "colour": 1}]})
    with pytest.raises(adflow.InvalidInputError) as caught:
        adflow.Market({"seed": float("nan")})
    assert caught.value.code == "malformed"
    with pytest.raises(adflow.InvalidInputError, match=r"spend.*\(T, 2\)|\(2, T, 2\)"):
        adflow.Market(GEOS).simulate(np.ones((30, 2)))
    with pytest.raises(adflow.InvalidInputError) as caught:
        adflow.Market.realistic(seed=1).simulate(np.full((3, 5), -1.0))
    assert caught.value.code == "out_of_domain"


def test_a_history_is_what_an_analyst_would_know(market: adflow.Market) -> None:
    history = market.history()
    np.testing.assert_array_equal(history.spend, market.spend)
    np.testing.assert_array_equal(history.outcome, market.outcome)
    assert history.days_per_period == 7 and history.time is not None
    assert history.time.dtype == np.dtype("datetime64[D]") and str(history.time[0]) == "2024-01-01"
    assert set(history.holidays) == {"spring sale", "summer sale", "holiday sale"}
    frame = history.to_frame("polars")
    assert frame.columns == ["time", *market.channels, *history.holidays, "outcome"] and len(frame) == 60
    geos = adflow.Market(GEOS).history()
    assert geos.population is not None and geos.population.tolist() == [2.0, 1.0]
    assert geos.to_frame("pandas")["group"].unique().tolist() == ["north", "south"]
