"""What a simulated market says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adflow._errors import InvalidInputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from adflow._adflow import Adstock, ResponseCurves

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Intervention:
    """A change of one channel's budgets in the history of a `Market`; one of `to`, `times` and `by`.

    Parameters
    ----------
    channel : str or int
        The channel, by name or index.
    to : float, optional
        This much money in every period and group; 0 switches the channel off.
    times : float, optional
        So many times what it was (≥ 0).
    by : float, optional
        So much money more, or less where negative; a budget never falls below 0.
    window : (int, int), optional
        First period and the one after the last, counted from 0; all by default.
    group : str or int, optional
        The group, by name or index; all by default.
    """

    channel: str | int
    to: float | None = None
    times: float | None = None
    by: float | None = None
    window: tuple[int, int] | None = None
    group: str | int | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Simulation:
    """What spends bring, period by period: `expected = baseline + Σ contributions + interaction`.

    Shapes are (T,) and (T, n), or (groups, T) and (groups, T, n) in a market of several groups.

    Attributes
    ----------
    spend : (T, n) array
        What was spent (money): the budgets, or less where an auction had no more to sell.
    outcome : (T,) array
        Outcomes with noise.
    expected : (T,) array
        Outcomes without noise.
    baseline : (T,) array
        What comes without media.
    contributions : (T, n) array
        What each channel brings by itself, when it is counted.
    interaction : (T,) array
        What the channels bring together beyond that.
    pending : (n,) array
        What each channel caused and the conversion lag counts after the last period.
    """

    spend: Floats
    outcome: Floats
    expected: Floats
    baseline: Floats
    contributions: Floats
    interaction: Floats
    pending: Floats

    def __repr__(self) -> str:
        return f"Simulation({self.outcome.shape[-1]} periods, {self.spend.shape[-1]} channels)"


@dataclass(frozen=True, eq=False, repr=False)
class MarketTruth:
    """What a model fitted on a market's history should find.

    Attributes
    ----------
    channels : list of str
        Names.
    spend : (n,) array
        Spend over the history (money).
    contribution : (n,) array
        What each channel brought by itself over the history (outcome).
    roas : (n,) array
        What the history's expected outcome would have lost without the channel, over its spend (outcome per money);
        NaN for a channel that never spent.
    marginal_roas : (n,) array
        Outcome of the next money per period in the long run, at the mean spend per period.
    curves : ResponseCurves
        Outcome per period that a lasting spend per period brings, at the prices of the last period.
    adstock : Adstock
        Carry-over: weights that sum to 1.
    simulation : Simulation
        What happened, in parts.
    """

    channels: list[str]
    spend: Floats
    contribution: Floats
    roas: Floats
    marginal_roas: Floats
    curves: ResponseCurves
    adstock: Adstock
    simulation: Simulation

    def __repr__(self) -> str:
        pairs = zip(self.channels, self.roas, strict=True)
        return f"MarketTruth(ROAS: {', '.join(f'{name} {roas:.3g}' for name, roas in pairs)})"


@dataclass(frozen=True, eq=False, repr=False)
class TrueEffect:
    """What interventions would have changed over a market's history: with them minus without them.

    Attributes
    ----------
    spend : float
        Change of what was spent (money).
    expected, realised : float
        Change of the outcome, without and with noise.
    by_period, realised_by_period : (T,) or (groups, T) array
        The same by period.
    """

    spend: float
    expected: float
    realised: float
    by_period: Floats
    realised_by_period: Floats

    def __repr__(self) -> str:
        return f"TrueEffect(spend {self.spend:+.6g}, expected outcome {self.expected:+.6g})"


@dataclass(frozen=True, eq=False, repr=False)
class Replay:
    """What a policy spent after a market's history, and what came of it.

    Attributes
    ----------
    spend : (T, n) or (groups, T, n) array
        What was spent (money).
    outcome : (T,) or (groups, T) array
        Outcomes with noise, as the policy saw them.
    expected : (T,) or (groups, T) array
        Outcomes without noise.
    """

    spend: Floats
    outcome: Floats
    expected: Floats

    def __repr__(self) -> str:
        periods = self.outcome.shape[-1]
        return f"Replay({periods} periods, spend {self.spend.sum():.6g}, outcome {self.outcome.sum():.6g})"


def settings_json(settings: Any) -> str:
    """A market's settings as JSON, in the words of today where no version is named."""
    try:
        return json.dumps({"version": 1, **settings}, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"`settings`: {error}", "malformed") from None
