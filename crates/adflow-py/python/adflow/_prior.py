"""What is believed before the data, and what experiments measured."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, repr=False)
class Prior:
    """A distribution over one parameter of a `ResponseModel`.

    | constructor | density of x, up to a constant | where |
    | --- | --- | --- |
    | `normal(mean, std)` | exp(−½ ((x − mean)/std)²) | all numbers |
    | `half_normal(std)` | exp(−½ (x/std)²) | x > 0 |
    | `log_normal(median, sigma)` | exp(−½ (ln(x/median)/sigma)²)/x | x > 0 |
    | `gamma(shape, rate)` | x^(shape − 1) exp(−rate x) | x > 0 |
    | `beta(a, b)` | x^(a − 1) (1 − x)^(b − 1) | 0 < x < 1 |
    | `uniform(low, high)` | 1 | low < x < high |

    Examples
    --------
    >>> import adflow
    >>> adflow.Prior.log_normal(median=2.0, sigma=0.5)
    Prior.log_normal(median=2.0, sigma=0.5)
    """

    distribution: str
    parameters: dict[str, float] = field(hash=False)

    @classmethod
    def normal(cls, mean: float, std: float) -> Prior:
        """A bell around `mean` with standard deviation `std` > 0."""
        return cls("normal", {"mean": mean, "std": std})

    @classmethod
    def half_normal(cls, std: float) -> Prior:
        """The right half of a bell around 0; `std` > 0 is that of the whole bell."""
        return cls("half_normal", {"std": std})

    @classmethod
    def log_normal(cls, median: float, sigma: float) -> Prior:
        """A bell for the logarithm, `sigma` > 0 its standard deviation; half of the mass lies below `median` > 0."""
        return cls("log_normal", {"median": median, "sigma": sigma})

    @classmethod
    def gamma(cls, shape: float, rate: float) -> Prior:
        """A gamma distribution with mean shape/rate; both > 0."""
        return cls("gamma", {"shape": shape, "rate": rate})

    @classmethod
    def beta(cls, a: float, b: float) -> Prior:
        """A beta distribution with mean a/(a + b); both > 0."""
        return cls("beta", {"a": a, "b": b})

    @classmethod
    def uniform(cls, low: float, high: float) -> Prior:
        """All values from `low` to `high` > low alike."""
        return cls("uniform", {"low": low, "high": high})

    def __repr__(self) -> str:
        numbers = ", ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        return f"Prior.{self.distribution}({numbers})"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftTest:
    """What an experiment measured: the outcome per period that a lasting change of spend brought.

    Parameters
    ----------
    channel : str
        The channel's name.
    spend : float
        Spend per period before (money).
    change : float
        Change of the spend per period (money), not 0; negative where spend was cut.
    lift : float
        Change of the outcome per period.
    std : float
        Standard error of the lift, > 0.
    """

    channel: str
    spend: float
    change: float
    lift: float
    std: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RoasTest:
    """What an experiment measured: the ROAS of a channel over some periods of the history.

    Parameters
    ----------
    channel : str
        The channel's name.
    first, end : int
        First period, counted from 0, and the one after the last.
    roas : float
        Contribution over spend.
    std : float
        Its standard error, > 0.
    """

    channel: str
    first: int
    end: int
    roas: float
    std: float
