"""The golden histories, fitted through the public API; the bits of every ROAS draw are kept for other languages to equal."""

from __future__ import annotations

import json
import struct
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adflow

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "crates" / "adflow-core" / "tests" / "golden" / "response_models.json"
CASES: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))["cases"] if FILE.is_file() else []


def model(settings: dict[str, Any]) -> adflow.ResponseModel:
    """The settings as a user would write them."""
    given = dict(settings)
    if isinstance(given.get("trend"), dict):
        given["trend"] = given["trend"]["knots"]
    if "priors" in given:
        given["priors"] = {name: prior(document) for name, document in given["priors"].items()}
    if "pools" in given:
        given["pools"] = {pool["name"]: pool["channels"] for pool in given["pools"]}
    if "lift_tests" in given:
        given["lift_tests"] = [adflow.LiftTest(**test) for test in given["lift_tests"]]
    return adflow.ResponseModel(**given)


def prior(document: dict[str, Any]) -> adflow.Prior:
    parameters = dict(document)
    made: adflow.Prior = getattr(adflow.Prior, parameters.pop("distribution"))(**parameters)
    return made


def fit(case: dict[str, Any]) -> adflow.ResponseModel:
    columns = dict(case["history"])
    arguments = {
        "outcome": columns.pop("outcome"),
        "time": columns.pop("dates", None),
        "group": columns.pop("groups", None),
    }
    return model(case["model"]).fit(np.array(columns.pop("spend")), **arguments, **columns, threads=2)


@cache
def roas_draws(number: int) -> np.ndarray:
    return fit(CASES[number]).roas_draws_


def test_there_are_cases() -> None:
    assert CASES


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case["name"] for case in CASES])
def test_the_roas_is_the_reference_s(number: int) -> None:
    expect = CASES[number]["expect"]
    draws = roas_draws(number)
    assert (np.abs(draws.mean(axis=0) - expect["roas"]) <= expect["within"]).all(), draws.mean(axis=0)
    if "std" in expect:
        assert (np.abs(draws.std(axis=0) - expect["std"]) <= expect["std_within"]).all(), draws.std(axis=0)


def test_the_bits_are_written_down() -> None:
    lines = [
        " ".join(
            [
                f"response_models/{case['name']}",
                *(struct.pack(">d", draw).hex() for draw in roas_draws(at).flat),
            ]
        )
        for at, case in enumerate(CASES)
    ]
    target = ROOT / "target" / "golden" / "python_fit.txt"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
