"""Histories whose true media effects are known: read from folders, or made by adflow's market."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

import response_recipes as recipes

Curves = Callable[[np.ndarray], np.ndarray]  # (channels,) spends per period to (channels,) long-run responses


@dataclass(frozen=True)
class DataSet:
    """One history and the truth behind it."""

    name: str
    channels: list[str]
    dates: list[date]
    spend: np.ndarray  # (periods, channels)
    outcome: np.ndarray
    controls: dict[str, np.ndarray]
    holidays: dict[str, np.ndarray]
    roas: np.ndarray  # the true ones over the history, (channels,)
    curves: Curves | None  # the true ones

    @property
    def baseline(self) -> np.ndarray:
        """What the recipes regress on besides media: trend, yearly waves, controls and holidays."""
        days = np.array([(day - self.dates[0]).days for day in self.dates])
        known = [*self.controls.values(), *self.holidays.values()]
        return recipes.baseline_columns(days, np.column_stack(known) if known else None)


def from_folder(folder: Path) -> DataSet:
    """Reads `history.csv` and `truth.csv` (see known_truth.py)."""
    with open(folder / "history.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with open(folder / "truth.csv", newline="", encoding="utf-8") as file:
        truth = {row["channel"]: row for row in csv.DictReader(file)}

    def columns(kind: str) -> dict[str, np.ndarray]:
        names = [name for name in rows[0] if name.startswith(f"{kind}:")]
        return {name.removeprefix(f"{kind}:"): np.array([float(row[name]) for row in rows]) for name in names}

    spend = columns("spend")
    for channel in spend:
        if channel not in truth:
            sys.exit(f"{folder / 'truth.csv'}: no row for channel {channel!r}")
    return DataSet(
        folder.name,
        list(spend),
        [date.fromisoformat(row["date"]) for row in rows],
        np.column_stack(list(spend.values())),
        np.array([float(row["outcome"]) for row in rows]),
        columns("control"),
        columns("holiday"),
        np.array([float(truth[channel]["roas"]) for channel in spend]),
        hill_curves([truth[channel] for channel in spend]),
    )


def hill_curves(rows: list[dict[str, str]]) -> Curves | None:
    """The curves of rows with `beta`, `half_saturation` and `slope`; none where these are absent."""
    if not all(row.get("beta") for row in rows):
        return None
    beta, half, slope = (np.array([float(row[n]) for row in rows]) for n in ("beta", "half_saturation", "slope"))
    return lambda plan: beta * recipes.hill(plan, slope, half)
