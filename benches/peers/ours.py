"""The same problems through adflow."""

from __future__ import annotations

import importlib
import statistics
import sys
from dataclasses import dataclass
from functools import partial

import numpy as np

from problems import Problem
from timing import Timing, measure

HOW_TO_INSTALL = """\
adflow is not installed for this Python. From the top of the repository:

    pip install maturin
    maturin develop --release --manifest-path crates/adflow-py/Cargo.toml

(an unoptimised build would make the comparison meaningless)."""

ELAPSED_SAMPLES = 200


@dataclass(frozen=True)
class Answer:
    """What adflow's plan claims."""

    spend: np.ndarray
    objective_value: float
    upper_bound: float
    status: str

    @classmethod
    def of(cls, plan) -> Answer:
        return cls(np.asarray(plan.spend), plan.objective_value, plan.upper_bound, plan.status)


@dataclass(frozen=True)
class Times:
    call: Timing  # the whole Python call
    native: Timing  # `plan.elapsed`: inside native code, around the solve


def load():
    """Import adflow, or leave with instructions."""
    try:
        return importlib.import_module("adflow")
    except ModuleNotFoundError as error:
        if error.name != "adflow":
            raise
        sys.exit(HOW_TO_INSTALL)


def curves(adflow, problem: Problem):
    """The problem's response curves, Michaelis-Menten where the slope is one."""
    families = adflow.ResponseCurves
    if problem.kind == "michaelis-menten":
        return families.michaelis_menten(problem.beta, problem.half_saturation)
    if problem.kind != "mixed":
        return families.hill(problem.beta, problem.half_saturation, problem.slope)
    return families.concat(
        [
            families.michaelis_menten(b, k) if s == 1.0 else families.hill(b, k, s)
            for b, k, s in zip(problem.beta, problem.half_saturation, problem.slope, strict=True)
        ]
    )


def solve(adflow, problem: Problem) -> Answer:
    return Answer.of(adflow.allocate(curves(adflow, problem), problem.budget))


def timed_solve(adflow, problem: Problem) -> tuple[Answer, Times]:
    """Solve with default settings; building the curves is outside the clock, as for the peers."""
    allocate = partial(adflow.allocate, curves(adflow, problem), problem.budget)
    plan, call = measure(allocate)
    samples = min(ELAPSED_SAMPLES, max(3, round(1.0 / call.seconds)))
    elapsed = statistics.median(allocate().elapsed for _ in range(samples))
    return Answer.of(plan), Times(call, Timing(elapsed, samples))
