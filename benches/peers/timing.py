"""Wall-clock time of a call: warmed up, repeated, the median."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar

Result = TypeVar("Result")

ONCE_ABOVE = 20.0  # seconds: a call this long is measured by its first run alone
WARM_ABOVE = 1.0  # seconds: caches and lazy imports no longer show in a call this long
MIN_REPEATS = 3
MAX_REPEATS = 101
SAMPLE_SECONDS = 1e-3  # shorter calls are looped within a sample, well above the clock's grain
TOTAL_SECONDS = 0.3


@dataclass(frozen=True)
class Timing:
    seconds: float
    repeats: int


def measure(call: Callable[[], Result]) -> tuple[Result, Timing]:
    """The call's result and its median time; the first run warms up, unless it is too long to need it."""
    start = perf_counter()
    result = call()
    first = perf_counter() - start
    if first > ONCE_ABOVE:
        return result, Timing(first, 1)
    if first > WARM_ABOVE:
        samples = [first] + [sample(call, 1) for _ in range(MIN_REPEATS - 1)]
        return result, Timing(statistics.median(samples), len(samples))

    warm = sample(call, 1)
    loops = max(1, round(SAMPLE_SECONDS / warm))
    repeats = int(min(MAX_REPEATS, max(MIN_REPEATS, TOTAL_SECONDS / (warm * loops))))
    samples = [sample(call, loops) for _ in range(repeats)]
    return result, Timing(statistics.median(samples), repeats * loops)


def sample(call: Callable[[], object], loops: int) -> float:
    start = perf_counter()
    for _ in range(loops):
        call()
    return (perf_counter() - start) / loops
