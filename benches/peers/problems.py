"""Random allocation problems, the same for every solver.

```text
maximise  Σ beta_i x_i^s_i / (k_i^s_i + x_i^s_i)   subject to  Σ x_i <= budget,  x_i >= 0
```
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

KINDS = ("michaelis-menten", "hill, slope <= 1", "hill, slope 1.2-6", "mixed")

# A slope below one has an infinite derivative at zero. Gradient methods get the derivative
# at this fraction of the half-saturation instead: large, finite, and never at a spend that matters.
SMALLEST_RELATIVE_SPEND = 1e-9


@dataclass(frozen=True)
class Problem:
    """One budget over `n` saturating arms."""

    kind: str
    seed: int
    beta: np.ndarray  # (n,) response at saturation
    half_saturation: np.ndarray  # (n,) spend at half the response
    slope: np.ndarray  # (n,) Hill exponent
    budget: float

    @property
    def n(self) -> int:
        return self.beta.size

    @property
    def equal_split(self) -> np.ndarray:
        return np.full(self.n, self.budget / self.n)

    def value(self, spend: np.ndarray) -> float:
        """Total response at `spend`."""
        return float(self.beta @ self.saturation(spend))

    def saturation(self, spend: np.ndarray) -> np.ndarray:
        """Share of each arm's `beta` reached at `spend`; rows of a matrix are plans."""
        if self.kind == "michaelis-menten":
            return spend / (self.half_saturation + spend)
        power = (spend / self.half_saturation) ** self.slope
        return power / (1.0 + power)

    def value_and_gradient(self, spend: np.ndarray) -> tuple[float, np.ndarray]:
        """Total response and its derivative by arm, sharing one pass over the powers."""
        if self.kind == "michaelis-menten":
            inverse = 1.0 / (self.half_saturation + spend)
            share = spend * inverse
            return float(self.beta @ share), self.beta * self.half_saturation * inverse * inverse
        ratio = np.maximum(spend / self.half_saturation, SMALLEST_RELATIVE_SPEND)
        power = ratio**self.slope
        share = power / (1.0 + power)
        gradient = self.beta * self.slope * share / ((1.0 + power) * ratio * self.half_saturation)
        return float(self.beta @ share), gradient

    def repaired(self, spend: np.ndarray) -> np.ndarray:
        """`spend` without the rounding errors that leave it slightly outside the limits."""
        spend = np.clip(np.nan_to_num(np.asarray(spend, dtype=float)), 0.0, None)
        total = spend.sum()
        return spend * (self.budget / total) if total > self.budget else spend


def random_problem(kind: str, n: int, seed: int) -> Problem:
    """Draw a problem whose budget is 15-60 % of what it takes to half-saturate every arm."""
    rng = np.random.default_rng([seed, n, KINDS.index(kind)])
    beta = rng.lognormal(0.0, 0.7, n)
    half_saturation = 1000.0 * rng.lognormal(0.0, 0.7, n)
    slope = random_slopes(kind, n, rng)
    budget = float(rng.uniform(0.15, 0.6) * half_saturation.sum())
    return Problem(kind, seed, beta, half_saturation, slope, budget)


def random_slopes(kind: str, n: int, rng: np.random.Generator) -> np.ndarray:
    if kind == "michaelis-menten":
        return np.ones(n)
    if kind == "hill, slope <= 1":
        return rng.uniform(0.4, 1.0, n)
    if kind == "hill, slope 1.2-6":
        return rng.uniform(1.2, 6.0, n)
    # mixed: a third of each of the three above, in random order
    thirds = np.concatenate(
        [
            np.ones(n // 3),
            rng.uniform(0.4, 1.0, n // 3),
            rng.uniform(1.2, 6.0, n - 2 * (n // 3)),
        ]
    )
    return rng.permutation(thirds)
