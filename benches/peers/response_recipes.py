"""Two ways to measure what media bring, as others do it: Robyn's recipe, and least squares. Plain functions on arrays.

Robyn's recipe, after its R code (3.11): geometric carry-over `y[t] = x[t] + theta y[t-1]`, Hill saturation
`y^alpha / (y^alpha + (gamma max y)^alpha)`, ridge regression with coefficients of media not below zero, and nevergrad's
TwoPointsDE searching theta, alpha, gamma of every channel and the ridge penalty for a low NRMSE and a low decomp.RSSD
(the distance between the channels' shares of effect and of spend) at once. What differs:

- Prophet is replaced: a straight trend and yearly waves enter the regression as columns.
- Robyn leaves the last choice, among the best model of every cluster of the Pareto fronts, to a person. Here it is the
  model with the smallest combined error, by which Robyn ranks in a cluster: the norm of NRMSE and decomp.RSSD, each
  scaled to 0-1 over the first Pareto fronts that have 100 models together (Robyn's "auto").
- Every theta may be anywhere in 0-0.8, the ranges of Robyn's demo for all kinds of media together.

The penalty is searched along with the transforms, in [1e-4, 1] times a tenth of glmnet's largest lambda: so Robyn has
it since 3.6, after it gave up cross-validating between lambda.min and lambda.1se. NRMSE is that of all periods,
Robyn's default, without validation by time.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls
from scipy.signal import lfilter
from scipy.stats import t as student

THETA = (0.0, 0.8)
ALPHA = (0.5, 3.0)
GAMMA = (0.3, 1.0)
ITERATIONS = 2000  # Robyn's defaults
TRIALS = 5
CANDIDATES = 100
DAYS_PER_YEAR = 365.25


@dataclass(frozen=True)
class Measured:
    """What a recipe says about the channels."""

    roas: np.ndarray  # (channels,): contribution over spend
    curves: Callable[[np.ndarray], np.ndarray]  # spends per period (channels,) to long-run responses per period
    roas_low: np.ndarray | None = None  # a 90 % interval, where there is one
    roas_high: np.ndarray | None = None
    contributions: np.ndarray | None = None  # (periods, channels), in units of the outcome


def baseline_columns(days: np.ndarray, controls: np.ndarray | None = None, yearly: int = 2) -> np.ndarray:
    """Trend, `yearly` waves and controls as columns (periods, columns), without the constant; days since the start."""
    angle = 2.0 * np.pi * np.asarray(days, dtype=float) / DAYS_PER_YEAR
    waves = [wave(k * angle) for k in range(1, yearly + 1) for wave in (np.sin, np.cos)]
    trend = np.linspace(-1.0, 1.0, angle.size)
    columns = np.column_stack([trend, *waves])
    return columns if controls is None else np.column_stack([columns, controls])


# ---- least squares ----


def least_squares(spend: np.ndarray, outcome: np.ndarray, baseline: np.ndarray) -> Measured:
    """Outcome on raw spend and the baseline: a coefficient is a ROAS, its interval the usual one."""
    periods, channels = spend.shape
    design = np.column_stack([spend, baseline, np.ones(periods)])
    inverse = np.linalg.pinv(design.T @ design)
    coefficients = inverse @ (design.T @ outcome)
    freedom = periods - np.linalg.matrix_rank(design)
    residual = outcome - design @ coefficients
    error = np.sqrt(np.diag(inverse)[:channels] * (residual @ residual) / freedom)
    roas = coefficients[:channels]
    reach = student.ppf(0.95, freedom) * error
    return Measured(roas, lambda plan: plan * roas, roas - reach, roas + reach, spend * roas)


# ---- Robyn's recipe ----


def robyn(
    spend: np.ndarray,
    outcome: np.ndarray,
    baseline: np.ndarray,
    seed: int = 0,
    iterations: int = ITERATIONS,
    trials: int = TRIALS,
) -> Measured:
    """Robyn's recipe on one history; `spend` is (periods, channels)."""
    import nevergrad

    problem = Ridge(spend, outcome, baseline)
    tried: list[np.ndarray] = []
    errors: list[tuple[float, float]] = []
    for trial in range(trials):
        space = nevergrad.p.Array(shape=(3 * spend.shape[1] + 1,), lower=0.0, upper=1.0)
        space.random_state.seed(seed * 1000 + trial)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            search = nevergrad.optimizers.registry["TwoPointsDE"](space, budget=iterations, num_workers=1)
            search.tell(nevergrad.p.MultiobjectiveReference(), [1.0, 1.0])
            for _ in range(iterations):
                candidate = search.ask()
                point = np.array(candidate.value)
                both = problem.errors(point)
                tried.append(point)
                errors.append(both)
                search.tell(candidate, [both[0], min(both[1], 1e6)])
    return problem.measured(tried[smallest_combined(np.array(errors))])


def smallest_combined(errors: np.ndarray) -> int:
    """Place of the smallest norm of both errors (models, 2), each scaled to 0-1 over the first Pareto fronts."""
    left = np.flatnonzero(np.isfinite(errors).all(axis=1))
    candidates = np.empty(0, dtype=int)
    while left.size and candidates.size < CANDIDATES:
        # In the order of one error, the front is where the other falls below all before.
        left = left[np.lexsort((errors[left, 1], errors[left, 0]))]
        lowest = np.minimum.accumulate(errors[left, 1])
        front = np.append(True, lowest[1:] < lowest[:-1])
        candidates, left = np.append(candidates, left[front]), left[~front]
    if not candidates.size:  # no channel has an effect in any model
        return int(errors[:, 0].argmin())
    chosen = errors[candidates]
    low, high = chosen.min(axis=0), chosen.max(axis=0)
    scaled = (chosen - low) / np.where(high > low, high - low, 1.0)
    return int(candidates[np.hypot(scaled[:, 0], scaled[:, 1]).argmin()])


def carried(spend: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Spend and what is left of earlier spend, by channel."""
    return np.column_stack([lfilter([1.0], [1.0, -share], spend[:, i]) for i, share in enumerate(theta)])


def hill(media: np.ndarray, alpha: np.ndarray, inflexion: np.ndarray) -> np.ndarray:
    """`x^alpha / (x^alpha + inflexion^alpha)`; 0 where nothing was ever spent."""
    share = media / np.where(inflexion > 0.0, inflexion, 1.0)
    power = share**alpha
    return power / (power + 1.0)


class Ridge:
    """One history, to be fitted with many transforms of its media."""

    def __init__(self, spend: np.ndarray, outcome: np.ndarray, baseline: np.ndarray) -> None:
        self.spend, self.outcome, self.baseline = (np.asarray(a, dtype=float) for a in (spend, outcome, baseline))
        self.channels = self.spend.shape[1]
        self.spend_share = self.spend.sum(axis=0) / self.spend.sum()
        self.most_penalty = 0.1 * self.glmnet_most()

    def glmnet_most(self) -> float:
        """The largest lambda of glmnet's path for a ridge (its mixing counts as 0.001), before any transform."""
        columns = standardized(np.column_stack([self.spend, self.baseline]))[0]
        return float(np.abs(columns.T @ self.outcome).max() / (0.001 * self.outcome.size))

    def settings(self, point: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        """theta, alpha, gamma and the penalty at a point of the unit cube."""
        shares = point[:-1].reshape(3, self.channels)
        ranges = zip((THETA, ALPHA, GAMMA), shares, strict=True)
        theta, alpha, gamma = (low + (high - low) * share for (low, high), share in ranges)
        least = 1e-4 * self.most_penalty
        return theta, alpha, gamma, least + (self.most_penalty - least) * float(point[-1])

    def fit(self, point: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Transformed media, coefficients (media, then baseline), and fitted outcome."""
        theta, alpha, gamma, penalty = self.settings(point)
        media = carried(self.spend, theta)
        media = hill(media, alpha, gamma * media.max(axis=0))
        columns = np.column_stack([media, self.baseline])
        coefficients, constant = ridge(columns, self.outcome, penalty, self.channels)
        return media, coefficients, constant + columns @ coefficients

    def errors(self, point: np.ndarray) -> tuple[float, float]:
        """NRMSE and decomp.RSSD; the latter is infinite when no channel has an effect."""
        media, coefficients, fitted = self.fit(point)
        nrmse = np.sqrt(np.mean((self.outcome - fitted) ** 2)) / np.ptp(self.outcome)
        effect = media.sum(axis=0) * coefficients[: self.channels]
        if not effect.sum() > 0.0:
            return float(nrmse), np.inf
        share = effect / effect.sum()
        distance = np.linalg.norm(share - self.spend_share)
        without = np.mean(np.round(share, 4) == 0.0)  # Robyn's penalty for channels without an effect
        return float(nrmse), float(distance * (1.0 + without))

    def measured(self, point: np.ndarray) -> Measured:
        theta, alpha, gamma, _ = self.settings(point)
        media, coefficients, _ = self.fit(point)
        beta = coefficients[: self.channels]
        inflexion = gamma * carried(self.spend, theta).max(axis=0)
        contributions = media * beta
        spent = self.spend.sum(axis=0)
        roas = contributions.sum(axis=0) / np.where(spent > 0.0, spent, np.nan)
        return Measured(
            roas,
            lambda plan: beta * hill(plan / (1.0 - theta), alpha, inflexion),
            contributions=contributions,
        )


def standardized(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns of mean 0 and variance 1 (a constant one stays 0), their means and their standard deviations."""
    mean, deviation = columns.mean(axis=0), columns.std(axis=0)
    deviation = np.where(deviation > 0.0, deviation, 1.0)
    return (columns - mean) / deviation, mean, deviation


def ridge(columns: np.ndarray, outcome: np.ndarray, penalty: float, bounded: int) -> tuple[np.ndarray, float]:
    """Coefficients and constant of glmnet's ridge at lambda = `penalty`; the first `bounded` are not below zero.

    ```text
    minimise  |y - c - X b|² / (2 n)  +  lambda / sd(y) · |sd(X) b|² / 2
    ```
    glmnet standardises the outcome too, hence the sd(y). A constant below zero is left out, as Robyn does by default.
    """
    scaled, mean, deviation = standardized(columns)
    strength = penalty / max(outcome.std(), np.finfo(float).tiny)
    coefficients = bounded_ridge(scaled, outcome - outcome.mean(), strength, bounded) / deviation
    constant = outcome.mean() - mean @ coefficients
    if constant >= 0.0:
        return coefficients, float(constant)
    return bounded_ridge(columns / deviation, outcome, strength, bounded) / deviation, 0.0


def bounded_ridge(columns: np.ndarray, outcome: np.ndarray, strength: float, bounded: int) -> np.ndarray:
    """Normal equations with the free coefficients eliminated, so that only the bounded ones are left to search."""
    rows, count = columns.shape
    gram = columns.T @ columns / rows + strength * np.eye(count)
    right = columns.T @ outcome / rows
    free = gram[bounded:, bounded:]
    across = np.linalg.solve(free, np.column_stack([gram[bounded:, :bounded], right[bounded:]]))
    reduced = gram[:bounded, :bounded] - gram[:bounded, bounded:] @ across[:, :-1]
    factor = np.linalg.cholesky((reduced + reduced.T) / 2.0)
    target = right[:bounded] - gram[:bounded, bounded:] @ across[:, -1]
    media = nnls(factor.T, np.linalg.solve(factor, target))[0]
    return np.concatenate([media, across[:, -1] - across[:, :-1] @ media])
