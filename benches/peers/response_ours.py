"""The same histories through adflow: its market makes them, its response model fits them."""

from __future__ import annotations

import numpy as np

from response_data import DataSet
from response_recipes import Measured


def can_fit(adflow) -> bool:
    return hasattr(adflow, "ResponseModel")


def market(adflow, seed: int, channels: int, periods: int) -> DataSet:
    """A realistic market's history and truth."""
    made = adflow.Market.realistic(seed, channels=channels, periods=periods)
    history, truth = made.history(), made.truth()
    return DataSet(
        f"market {seed}",
        history.channels,
        history.time.astype("datetime64[D]").tolist(),
        history.spend,
        history.outcome,
        history.controls,
        history.holidays,
        truth.roas,
        truth.curves.response,
    )


def fit(adflow, data: DataSet, draws: int, seed: int = 0) -> Measured:
    """adflow with its defaults; the estimate of a ROAS is its posterior median."""
    model = adflow.ResponseModel(draws=draws, seed=seed).fit(
        data.spend,
        data.outcome,
        controls=data.controls or None,
        holidays=data.holidays or None,
        time=np.array(data.dates, dtype="datetime64[D]"),
    )
    low, middle, high = np.quantile(model.roas_draws_, [0.05, 0.5, 0.95], axis=0)
    return Measured(middle, model.curves_.response, low, high)


def example_model(adflow, chains: int, draws: int, tune: int, lags: int, waves: int, seed: int):
    """The model nearest to PyMC-Marketing's example."""
    return adflow.ResponseModel(
        curve="logistic",
        adstock="geometric",
        max_lag=lags - 1,  # the last lag that a spend reaches
        trend="linear",
        yearly=waves,
        chains=chains,
        draws=draws,
        tune=tune,
        seed=seed,
    )


def drawn(model) -> tuple[dict[str, np.ndarray], np.ndarray, int]:
    """Every drawn parameter (chains, draws), the ROAS (draws, channels), and the number of divergences."""
    parameters = {name: model.parameter_draws(name) for name in model.parameter_names_}
    return parameters, model.roas_draws_, model.diagnostics_["divergences"]
