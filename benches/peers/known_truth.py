"""Media effects where the truth is known: adflow against Robyn's recipe and least squares.

    pip install -r requirements.txt                 # and adflow itself, built with --release
    python known_truth.py --out known_truth.md      # 20 simulated markets, 104 weeks x 5 channels: several minutes
    python known_truth.py --quick                   # two markets and a short search: smoke test
    python known_truth.py --data one two            # data sets of your own instead of adflow's markets

A data set is a folder with two CSV files. `history.csv` has a row per period, evenly spaced: `date`, `outcome`, a
column `spend:NAME` per channel and, where there are any, `control:NAME` or `holiday:NAME`. `truth.csv` has a row per
channel: `channel`, `roas` over the history (what the outcome would have lost without the channel, over its spend)
and, for the regret, `beta`, `half_saturation` and `slope` of the long-run Hill curve, spend and response per period.

Exits with 1 when adflow does not reach what it claims: a median absolute error of ROAS below both others', 85-95 % of
the truths within its 90 % intervals (judged from 50 truths on), and a mean regret below 5 %.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean, median
from time import perf_counter

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np  # noqa: E402

import ours  # noqa: E402
import report  # noqa: E402
import response_ours  # noqa: E402
import response_recipes as recipes  # noqa: E402
from response_data import Curves, DataSet, from_folder  # noqa: E402

MARKETS, CHANNELS, PERIODS = 20, 5, 104
LEAST, MOST = 0.5, 2.0  # times a channel's mean spend
STEPS = 1000  # of the money that moves, in the search for a split
COVERED = (0.85, 0.95)
FEWEST_TRUTHS = 50  # below, chance alone leaves that range
REGRET = 0.05
OURS = "**adflow**"

METHOD = f"""\
Everyone gets the same history with its controls and holidays.

- **Robyn's recipe**: carry-over, Hill and ridge, tuned by nevergrad; no intervals (`response_recipes.py` has the rest).
- **Least squares**: raw spend, straight trend, two yearly waves, controls and holidays; the usual intervals.
- **adflow**: default settings; the estimate is the posterior median.

*Error* is |ROAS - truth|, the median over all channels of all data sets; then the same over the truth. *Covered* are
the truths within the 90 % interval; *width* is the interval's, over the truth. *Regret*: the mean spend per period is
split anew, each channel within {LEAST:g}-{MOST:g} times its own, once by the fitted curves and once by the true
ones; regret is what the first split brings less by the true curves, over what the second brings (media alone,
without the baseline). One search makes all splits, exact on a grid of 1/{STEPS:,} of the money that moves, so that
fits are compared and not solvers; *today's* is the split as it was.
"""

Method = Callable[[DataSet], recipes.Measured]


@dataclass(frozen=True)
class Score:
    """One method on one data set, by channel but for the last two."""

    errors: np.ndarray
    relative: np.ndarray
    inside: np.ndarray | None
    widths: np.ndarray | None
    regret: float | None
    seconds: float


def score(data: DataSet, method: Method) -> Score:
    start = perf_counter()
    found = method(data)
    seconds = perf_counter() - start
    errors = np.abs(found.roas - data.roas)
    inside = widths = None
    if found.roas_low is not None and found.roas_high is not None:
        inside = (found.roas_low <= data.roas) & (data.roas <= found.roas_high)
        widths = (found.roas_high - found.roas_low) / data.roas
    return Score(errors, errors / data.roas, inside, widths, regret(data, found.curves), seconds)


def regret(data: DataSet, fitted: Curves | None) -> float | None:
    """Share of the best response that the split by fitted curves does not bring; without curves, today's split."""
    if data.curves is None:
        return None
    today = data.spend.mean(axis=0)
    split = partial(best_split, low=LEAST * today, high=MOST * today)
    best = data.curves(split(data.curves)).sum()
    plan = today if fitted is None else split(fitted)
    return float(1.0 - data.curves(plan).sum() / best)


def best_split(curves: Curves, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """How to add to `low`, up to `high` and to as much in all as was spent, for the largest sum of responses.

    Dynamic programming over the channels and a grid of equal steps.
    """
    budget = low.sum() / LEAST
    step = (budget - low.sum()) / STEPS
    most = np.minimum(np.floor((high - low) / step + 1e-9).astype(int), STEPS)
    added = np.arange(STEPS + 1) * step
    values = np.array([curves(low + spend) for spend in added])  # (steps + 1, channels)
    best, choices = np.where(added == 0.0, 0.0, -np.inf), []
    for channel in range(low.size):
        totals = np.full((most[channel] + 1, STEPS + 1), -np.inf)
        for steps in range(most[channel] + 1):
            totals[steps, steps:] = best[: STEPS + 1 - steps] + values[steps, channel]
        choices.append(totals.argmax(axis=0))
        best = totals.max(axis=0)
    plan, left = low.copy(), STEPS
    for channel in reversed(range(low.size)):
        taken = int(choices[channel][left])
        plan[channel] += taken * step
        left -= taken
    return plan


@dataclass(frozen=True)
class Summary:
    """One method on all data sets."""

    error: float
    relative: float
    covered: float | None
    truths: int
    width: float | None
    regrets: list[float]
    seconds: float

    @classmethod
    def of(cls, scores: list[Score]) -> Summary:
        with_intervals = [s for s in scores if s.inside is not None]
        return cls(
            float(np.median(np.concatenate([s.errors for s in scores]))),
            float(np.median(np.concatenate([s.relative for s in scores]))),
            float(np.concatenate([s.inside for s in with_intervals]).mean()) if with_intervals else None,
            sum(s.errors.size for s in scores),
            float(np.median(np.concatenate([s.widths for s in with_intervals]))) if with_intervals else None,
            [s.regret for s in scores if s.regret is not None],
            median(s.seconds for s in scores),
        )

    def row(self, name: str) -> list[str]:
        return [
            name,
            f"{self.error:.3g}",
            report.percent(self.relative),
            "" if self.covered is None else report.percent(self.covered),
            "" if self.width is None else report.percent(self.width),
            report.percent(mean(self.regrets)) if self.regrets else "",
            report.percent(max(self.regrets)) if self.regrets else "",
            report.duration(self.seconds),
        ]


def faults(summaries: dict[str, Summary]) -> list[str]:
    """What adflow claims and these data sets disprove."""
    if OURS not in summaries:
        return []
    mine, found = summaries[OURS], []
    for name, other in summaries.items():
        if other.error < mine.error:
            found.append(f"median error of ROAS {mine.error:.3g}, {name} has {other.error:.3g}")
    if mine.truths >= FEWEST_TRUTHS and not COVERED[0] <= mine.covered <= COVERED[1]:
        found.append(f"{report.percent(mine.covered)} of {mine.truths} truths within the 90 % intervals")
    if mine.regrets and mean(mine.regrets) >= REGRET:
        found.append(f"mean regret {report.percent(mean(mine.regrets))}")
    return found


def document(data_sets: list[DataSet], summaries: dict[str, Summary], today: list[float]) -> str:
    header = ["", "error of ROAS", "over truth", "covered", "width", "regret, mean", "worst", "time per data set"]
    rows = [summary.row(name) for name, summary in summaries.items()]
    if today:
        rows.append(["today's split", "", "", "", "", report.percent(mean(today)), report.percent(max(today)), ""])
    truths = sum(len(data.channels) for data in data_sets)
    lines = ["# Known truth", "", *report.machine(), "", f"{len(data_sets)} data sets, {truths} channels.", "", METHOD]
    return "\n".join([*lines, *report.table(header, rows), ""])


def log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("known_truth.md"), help="Markdown to write [known_truth.md]")
    parser.add_argument("--data", type=Path, nargs="+", help="folders to read instead of adflow's markets")
    parser.add_argument("--markets", type=int, default=MARKETS, help=f"how many [{MARKETS}]")
    parser.add_argument("--draws", type=int, default=1000, help="adflow's draws per chain [1000]")
    parser.add_argument("--iterations", type=int, default=recipes.ITERATIONS, help="of a trial of Robyn's [2000]")
    parser.add_argument("--trials", type=int, default=recipes.TRIALS, help="of Robyn's [5]")
    parser.add_argument("--quick", action="store_true", help="two markets, 200 draws, 100 iterations: smoke test")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.markets, arguments.draws, arguments.iterations, arguments.trials = 2, 200, 100, 1

    methods: dict[str, Method] = {
        "Robyn's recipe": lambda d: recipes.robyn(
            d.spend, d.outcome, d.baseline, iterations=arguments.iterations, trials=arguments.trials
        ),
        "least squares": lambda d: recipes.least_squares(d.spend, d.outcome, d.baseline),
    }
    if arguments.data:
        data_sets = [from_folder(folder) for folder in arguments.data]
        adflow = importlib.import_module("adflow") if importlib.util.find_spec("adflow") else None
    else:
        adflow = ours.load()
        seeds = range(1, arguments.markets + 1)
        data_sets = [response_ours.market(adflow, seed, CHANNELS, PERIODS) for seed in seeds]
    if response_ours.can_fit(adflow):
        methods[OURS] = lambda d: response_ours.fit(adflow, d, arguments.draws)
    else:
        log("adflow is not installed or cannot fit responses: only the others are measured")

    scores: dict[str, list[Score]] = {name: [] for name in methods}
    for data in data_sets:
        for name, method in methods.items():
            log(f"{data.name}  {name}")
            scores[name].append(score(data, method))
    summaries = {name: Summary.of(own) for name, own in scores.items()}
    today = [loss for data in data_sets if (loss := regret(data, None)) is not None]

    arguments.out.write_text(document(data_sets, summaries, today), encoding="utf-8")
    log(f"written: {arguments.out}")
    for fault in faults(summaries):
        log(fault)
    # A smoke test has too few draws and markets to judge by.
    return 1 if faults(summaries) and not arguments.quick else 0


if __name__ == "__main__":
    sys.exit(main())
