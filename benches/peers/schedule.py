"""Arms times periods with carry-over: SciPy's SLSQP against adflow, on the same problem.

    python schedule.py problem.json         # the problem as adflow reads it; SLSQP's value, spends' total and time
    python schedule.py --random 5 12        # writes such a problem to standard output (arms, periods)

Michaelis-Menten curves over geometric carry-over without an end, one budget. SLSQP gets the analytic gradient, starts
from the equal split and counts spend in equal shares and the objective so that its gradient is about 1.
"""

from __future__ import annotations

import json
import os
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np  # noqa: E402
from scipy.optimize import minimize  # noqa: E402


def random_problem(arms: int, periods: int, seed: int = 1) -> dict:
    rng = np.random.default_rng([seed, arms, periods])
    half = 1000.0 * rng.lognormal(0.0, 0.7, arms)
    curve = {
        "family": "michaelis_menten",
        "beta": rng.lognormal(0.0, 0.7, arms).tolist(),
        "half_saturation": half.tolist(),
    }
    retention = rng.uniform(0.2, 0.8, arms).tolist()
    return {
        "version": 1,
        "curves": {"version": 1, "curves": [curve]},
        "adstock": {"kind": "geometric", "retention": retention},
        "periods": periods,
        "budget": float(0.3 * half.sum() * periods),
    }


def slsqp(problem: dict, tolerance: float = 1e-9, most: int = 1000) -> tuple[float, float, float, int]:
    """(value, total spend, seconds, iterations)."""
    curve = problem["curves"]["curves"][0]
    beta, half = np.array(curve["beta"]), np.array(curve["half_saturation"])
    retention, periods, budget = np.array(problem["adstock"]["retention"]), problem["periods"], problem["budget"]
    arms = beta.size
    unit = budget / (arms * periods)

    def media(spend: np.ndarray) -> np.ndarray:
        rows, row = [], np.zeros(arms)
        for spends in spend:
            row = spends + retention * row
            rows.append(row)
        return np.array(rows)

    def value(spend: np.ndarray) -> float:
        a = media(spend)
        return float((beta * a / (half + a)).sum())

    def gradient(spend: np.ndarray) -> np.ndarray:
        slope = beta * half / (half + media(spend)) ** 2
        rows, row = [], np.zeros(arms)
        for slopes in slope[::-1]:
            row = slopes + retention * row
            rows.append(row)
        return np.array(rows[::-1])

    shape, n = (periods, arms), arms * periods
    weight = n / value(np.full(shape, unit))
    row = -np.ones(n)
    start = time.perf_counter()
    got = minimize(
        lambda u: (-weight * value(unit * u.reshape(shape)), -weight * unit * gradient(unit * u.reshape(shape)).ravel()),
        np.ones(n),
        jac=True,
        method="SLSQP",
        bounds=[(0.0, n)] * n,
        constraints={"type": "ineq", "fun": lambda u: n - u.sum(), "jac": lambda u: row},
        options={"ftol": tolerance * n, "maxiter": most},
    )
    seconds = time.perf_counter() - start
    spend = np.clip(got.x.reshape(shape), 0.0, None) * unit
    spend *= min(1.0, budget / spend.sum())
    return value(spend), float(spend.sum()), seconds, got.nit


if __name__ == "__main__":
    if sys.argv[1] == "--random":
        json.dump(random_problem(int(sys.argv[2]), int(sys.argv[3])), sys.stdout)
    else:
        with open(sys.argv[1]) as file:
            problem = json.load(file)
        value, total, seconds, iterations = slsqp(problem)
        print(json.dumps({"value": value, "total_spend": total, "seconds": seconds, "iterations": iterations}))
