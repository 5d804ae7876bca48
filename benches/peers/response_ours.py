"""The same histories through adflow: its market makes them, its response model fits them."""

from __future__ import annotations

from datetime import date

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
        list(history.channels),
        [date.fromisoformat(str(day)[:10]) for day in history.dates],
        np.asarray(history.spend),
        np.asarray(history.outcome),
        {name: np.asarray(values) for name, values in history.controls.items()},
        {name: np.asarray(values) for name, values in history.holidays.items()},
        np.asarray(truth.roas),
        truth.curves.response,
    )


def fit(adflow, data: DataSet, draws: int, seed: int = 0) -> Measured:
    """adflow with its defaults; the estimate of a ROAS is its posterior median."""
    fitted = adflow.ResponseModel(draws=draws, seed=seed).fit(
        data.spend,
        data.outcome,
        controls=data.controls or None,
        holidays=data.holidays or None,
        time=data.dates,
    )
    low, middle, high = np.quantile(fitted.roas_draws_, [0.05, 0.5, 0.95], axis=0)
    return Measured(middle, fitted.curves_.response, low, high)


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


def draws(fitted, chains: int) -> tuple[dict[str, np.ndarray], np.ndarray, int]:
    """Every drawn parameter and the ROAS, both (chains, draws, ...), and the number of divergences."""
    drawn = {name: np.asarray(values) for name, values in fitted.draws_.items()}
    roas = np.asarray(fitted.roas_draws_)
    return drawn, roas.reshape(chains, -1, roas.shape[-1]), int(fitted.divergences_)
