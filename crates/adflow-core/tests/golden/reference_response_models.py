"""Small histories with a known truth for response models.

The first is straight lines in two spends: with an exponent that a prior pins to 1 and flat priors on ROAS the posterior is that
of least squares, so its means and standard deviations are the slopes and standard errors of an ordinary regression. The others are
simulated, and what the draws are held against is contribution over spend in the simulation.

    saturation: Hill b a^s/(a^s + k^s), Michaelis-Menten (s = 1), b (1 - exp(-a/k)), b (1 - exp(-l a))/(1 + exp(-l a))
    carry-over: geometric (1 - r) r^l; delayed r^((l - peak)^2) over its sum
"""

import datetime
import json
import math
from pathlib import Path

import numpy as np

SEED = 20240
FAST = {"chains": 2, "draws": 60, "tune": 100}
# Where groups differ, a sampler needs longer to learn by how much.
LONGER = {"chains": 2, "draws": 100, "tune": 400}
CHANNELS = ["search", "tv"]
random = np.random.default_rng(SEED)


def dates(start, count, step):
    first = datetime.date.fromisoformat(start)
    return [(first + datetime.timedelta(days=step * t)).isoformat() for t in range(count)]


def numbers(values, digits=2):
    return [round(float(value), digits) for value in values]


def rows(matrix):
    return [numbers(row) for row in matrix]


def geometric(x, retention):
    stock, out = 0.0, []
    for value in x:
        stock = value + retention * stock
        out.append(stock * (1 - retention))
    return np.array(out)


def delayed(x, retention, peak, lags):
    weights = np.array([retention ** ((lag - peak) ** 2) for lag in range(lags)])
    weights /= weights.sum()
    return np.array([sum(weights[lag] * x[t - lag] for lag in range(lags) if t >= lag) for t in range(len(x))])


def hill(a, most, half, slope=1.0):
    return most * a**slope / (a**slope + half**slope)


def logistic(a, most, rate):
    return most * (1 - np.exp(-rate * a)) / (1 + np.exp(-rate * a))


def roas(contribution, spend, within):
    truth = np.sum(contribution, axis=0) / np.sum(spend, axis=0)
    return {"roas": truth.tolist(), "within": (within * truth).tolist()}


def straight_lines():
    n = 40
    x = np.c_[random.uniform(20, 120, n), random.uniform(5, 60, n)].round(2)
    y = (500 + 1.8 * x[:, 0] + 3.1 * x[:, 1] + random.normal(0, 12, n)).round(2)
    design = np.c_[np.ones(n), x]
    slopes = np.linalg.lstsq(design, y, rcond=None)[0]
    variance = np.sum((y - design @ slopes) ** 2) / (n - 3)
    errors = np.sqrt(np.diag(variance * np.linalg.inv(design.T @ design)))[1:]
    priors = {
        "exponent": {"distribution": "uniform", "low": 0.9999, "high": 1.0},
        "roas": {"distribution": "uniform", "low": 0.0, "high": 20.0},
    }
    model = {"curve": "power", "adstock": "none", "trend": "none", "yearly": 0, "priors": priors}
    return {
        "name": "straight lines have the slopes of least squares",
        "model": {**model, "chains": 2, "draws": 200, "tune": 150, "seed": 3},
        "history": {"channels": CHANNELS, "spend": rows(x), "outcome": numbers(y)},
        "expect": {
            "roas": slopes[1:].tolist(),
            "within": (0.4 * errors).tolist(),
            "std": errors.tolist(),
            "std_within": (0.25 * errors).tolist(),
        },
    }


def two_groups():
    n, day = 30, dates("2024-01-01", 30, 7)
    price = random.normal(0, 1, n).round(3)
    table, contribution, spend = [], np.zeros(2), np.zeros(2)
    for group, people in (("north", 3.0e6), ("south", 1.0e6)):
        size = people / 2.0e6
        tv = np.where(random.uniform(size=n) < 0.6, random.uniform(20, 60, n), 0)
        x = (np.c_[random.uniform(10, 90, n), tv] * size).round(2)
        brought = np.c_[
            size * hill(geometric(x[:, 0] / size, 0.3), 150, 40), size * hill(geometric(x[:, 1] / size, 0.5), 110, 30)
        ]
        y = (size * (400 - 25 * price) + brought.sum(axis=1) + random.normal(0, 6 * size, n)).round(2)
        contribution, spend = contribution + brought.sum(axis=0), spend + x.sum(axis=0)
        table += [(day[t], group, people, x[t], y[t], price[t]) for t in range(n)]
    table = [table[at] for at in random.permutation(len(table))]
    day, group, people, x, y, price = map(list, zip(*table))
    return {
        "name": "two groups, rows in any order",
        "model": {"curve": "michaelis_menten", "adstock": "geometric", "max_lag": 6, "yearly": 0, "seed": 4, **LONGER},
        "history": {
            "channels": CHANNELS,
            "spend": rows(x),
            "outcome": numbers(y),
            "dates": day,
            "groups": group,
            "controls": {"price": numbers(price, 3)},
            "population": people,
        },
        "expect": roas([contribution], [spend], 0.35),
    }


def outliers():
    n = 60
    x = np.c_[random.gamma(3, 20, n), random.gamma(2, 25, n)].round(2)
    sale = np.zeros(n)
    sale[[11, 12, 55]] = 1
    brought = np.c_[hill(geometric(x[:, 0], 0.4), 220, 55, 1.3), hill(delayed(x[:, 1], 0.6, 1, 5), 160, 45)]
    y = 600 + np.arange(n) + 90 * sale + brought.sum(axis=1) + random.normal(0, 8, n)
    y[[7, 31, 47]] += [400, -350, 500]
    return {
        "name": "outliers under Student's t",
        "model": {
            "curve": ["hill", "michaelis_menten"],
            "adstock": ["geometric", "delayed"],
            "max_lag": 5,
            "likelihood": "student_t",
            "trend": {"knots": 2},
            "yearly": 1,
            "seed": 5,
            **FAST,
        },
        "history": {
            "channels": CHANNELS,
            "spend": rows(x),
            "outcome": numbers(y),
            "dates": dates("2023-10-02", n, 7),
            "holidays": {"sale": sale.tolist()},
        },
        "expect": roas(brought, x, 0.5),
    }


def counts():
    n, day = 70, dates("2024-03-01", 70, 1)
    x = random.uniform(0, 80, (n, 1)).round(2)
    brought = 60 * (1 - np.exp(-geometric(x[:, 0], 0.3) / 40))
    weekend = np.array([datetime.date.fromisoformat(at).weekday() >= 5 for at in day])
    mean = np.exp(math.log(70) + np.where(weekend, 0.25, 0)) + brought
    y = random.negative_binomial(60, 60 / (60 + mean))
    lift = 60 * (math.exp(-30 / 40) - math.exp(-40 / 40))
    return {
        "name": "daily counts",
        "model": {
            "curve": "exponential",
            "adstock": "weibull_pdf",
            "max_lag": 10,
            "likelihood": "negative_binomial",
            "trend": "none",
            "weekdays": True,
            "lift_tests": [{"channel": "search", "spend": 30.0, "change": 10.0, "lift": round(lift, 3), "std": 1.5}],
            "seed": 6,
            **FAST,
        },
        "history": {"channels": ["search"], "spend": rows(x), "outcome": numbers(y), "dates": day},
        "expect": roas(brought[:, None], x, 0.3),
    }


def units():
    n = 50
    bought = random.uniform(100, 2000, n).round(0)
    x = np.c_[bought * 0.05, random.uniform(10, 80, n)].round(2)
    brought = np.c_[logistic(geometric(bought, 0.35), 90, 0.002), logistic(geometric(x[:, 1], 0.35), 120, 0.03)]
    y = 300 + brought.sum(axis=1) + random.normal(0, 5, n)
    channels = ["social", "tv"]
    return {
        "name": "units, and the approximation around the mode",
        "model": {
            "curve": "logistic",
            "adstock": "geometric",
            "method": "laplace",
            "pools": [{"name": "all", "channels": channels}],
            "seed": 7,
            "chains": 2,
            "draws": 100,
        },
        "history": {
            "channels": channels,
            "spend": rows(x),
            "outcome": numbers(y),
            "exposures": {"social": bought.tolist()},
        },
        "expect": roas(brought, x, 0.5),
    }


if __name__ == "__main__":
    source = (
        f"reference_response_models.py, seed {SEED}; ordinary least squares, else contribution over spend in the simulation "
        f"that made the history. numpy {np.__version__}"
    )
    cases = [make() for make in (straight_lines, two_groups, outliers, counts, units)]
    lines = ",\n  ".join(json.dumps(case, ensure_ascii=False) for case in cases)
    text = f'{{"source": {json.dumps(source)},\n "cases": [\n  {lines}\n ]}}\n'
    (Path(__file__).parent / "response_models.json").write_text(text, encoding="utf-8")
