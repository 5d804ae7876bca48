"""Measure adflow against other people's solvers, and write the tables to Markdown.

    pip install -r requirements.txt         # and adflow itself, built with --release
    python compare.py --out results.md      # a few minutes; leaves out SLSQP at n = 1,000
    python compare.py --quick               # smoke test, below 20 s
    python compare.py --full                # everything; SLSQP at n = 1,000 alone takes minutes per run

Exits with 1 when adflow's claims do not hold: a peer's plan worth more than the certified upper bound, a value
that differs when recomputed, or an overspent budget.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

# Before NumPy is loaded: SciPy's SLSQP is up to twice as fast when its small matrices stay on one thread.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np  # noqa: E402

import gradient_solvers  # noqa: E402
import ours  # noqa: E402
import report  # noqa: E402
from greedy import greedy  # noqa: E402
from problems import KINDS, Problem, random_problem  # noqa: E402
from timing import Timing, measure  # noqa: E402

SEEDS = range(1, 6)  # a solver's time varies with the problem: NLopt MMA's tenfold
CONCAVE = "michaelis-menten"
S_SHAPED = "hill, slope 1.2-6"
S_SHAPED_ARMS = 8
S_SHAPED_SEEDS = range(1000, 1050)
ROUNDING = 1e-11  # relative: how far sums and powers of two programs may differ

SCIPY_SLSQP = "SciPy SLSQP"
NLOPT_MMA = "NLopt MMA"
PEERS: dict[str, Callable[[Problem], np.ndarray]] = {
    SCIPY_SLSQP: gradient_solvers.scipy_slsqp,
    f"{SCIPY_SLSQP}, money units": gradient_solvers.scipy_slsqp_money,
    "NLopt SLSQP": gradient_solvers.nlopt_slsqp,
    NLOPT_MMA: gradient_solvers.nlopt_mma,
    "Greedy on a grid": greedy,
}

# (arms, peer, times faster) on Michaelis-Menten curves
TARGETS = [
    (10, SCIPY_SLSQP, 1e3),
    (100, SCIPY_SLSQP, 2e4),
    (1000, SCIPY_SLSQP, 1e6),
    (1000, NLOPT_MMA, 5e3),
]


@dataclass(frozen=True)
class Run:
    """What one run covers."""

    cases: list[tuple[str, int]]  # (kind, arms)
    seeds: range  # the problems of every case
    s_shaped_seeds: range
    slow: bool  # also what takes minutes

    def leaves_out(self, peer: str, problem: Problem) -> bool:
        """SLSQP's time grows with n³: at n = 1,000 it is measured on one problem, and only if asked for."""
        minutes_long = "SLSQP" in peer and problem.n >= 1000
        return minutes_long and not (self.slow and problem.kind == CONCAVE and problem.seed == self.seeds[0])


EVERY_CASE = [(kind, n) for kind in KINDS for n in (10, 100, 1000)]
SMOKE_CASES = [(CONCAVE, 10), (CONCAVE, 100), *((kind, 10) for kind in KINDS[1:])]
QUICK = Run(SMOKE_CASES, SEEDS[:1], S_SHAPED_SEEDS[:5], slow=False)
NORMAL = Run(EVERY_CASE, SEEDS, S_SHAPED_SEEDS, slow=False)
FULL = Run(EVERY_CASE, SEEDS, S_SHAPED_SEEDS, slow=True)


@dataclass(frozen=True)
class Comparison:
    """One problem through every solver."""

    problem: Problem
    ours: ours.Answer
    spends: dict[str, np.ndarray]
    our_times: ours.Times | None = None  # absent, like the peers', where only quality is measured
    timings: dict[str, Timing] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, float]:
        return {name: self.problem.value(spend) for name, spend in self.spends.items()}

    @property
    def our_value(self) -> float:
        return self.problem.value(self.ours.spend)

    @property
    def best(self) -> float:
        return max(self.our_value, *self.values.values())

    @property
    def faults(self) -> list[str]:
        """What adflow's answer claims and the other solvers or the recomputation disprove."""
        found = []
        if self.best > self.ours.upper_bound * (1 + ROUNDING):
            found.append(f"upper bound {self.ours.upper_bound} is below the value {self.best}")
        if abs(self.our_value - self.ours.objective_value) > ROUNDING * self.our_value:
            found.append(f"objective value {self.ours.objective_value} is {self.our_value} when recomputed")
        if self.ours.spend.sum() > self.problem.budget * (1 + ROUNDING):
            found.append(f"spends {self.ours.spend.sum()} of a budget of {self.problem.budget}")
        return found

    def loss_to_bound(self, value: float) -> float:
        return (self.ours.upper_bound - value) / self.ours.upper_bound

    def loss_to_best(self, value: float) -> float:
        return (self.best - value) / self.best


@dataclass(frozen=True)
class Case:
    """The problems of one kind and size."""

    kind: str
    n: int
    comparisons: list[Comparison]

    def with_peer(self, peer: str) -> list[Comparison]:
        return [c for c in self.comparisons if peer in c.timings]

    def times_faster(self, peer: str) -> tuple[float, float]:
        """Median ratio of the peer's time to adflow's: whole call, and native."""
        measured = self.with_peer(peer)
        return (
            median(c.timings[peer].seconds / c.our_times.call.seconds for c in measured),
            median(c.timings[peer].seconds / c.our_times.native.seconds for c in measured),
        )


def compare(adflow, problem: Problem, run: Run) -> Comparison:
    answer, our_times = ours.timed_solve(adflow, problem)
    spends, timings = {}, {}
    for name, solve in PEERS.items():
        if run.leaves_out(name, problem):
            continue
        log(f"n = {problem.n:<5} {problem.kind:<18} seed {problem.seed}  {name}")
        spend, timings[name] = measure(partial(solve, problem))
        spends[name] = problem.repaired(spend)
    return Comparison(problem, answer, spends, our_times, timings)


def case_table(case: Case) -> list[str]:
    rows = []
    for peer in PEERS:
        measured = case.with_peer(peer)
        if not measured:
            continue
        to_call, to_native = case.times_faster(peer)
        rows.append(
            [
                peer + (f" ({len(measured)} problem)" if len(measured) < len(case.comparisons) else ""),
                report.duration(median(c.timings[peer].seconds for c in measured)),
                report.ratio(to_call),
                report.ratio(to_native),
                report.loss(max(c.loss_to_bound(c.values[peer]) for c in measured)),
                report.loss(max(c.loss_to_best(c.values[peer]) for c in measured)),
            ]
        )
    optimal = sum(c.ours.status == "optimal" for c in case.comparisons)
    losses = [
        report.loss(max(c.loss_to_bound(c.our_value) for c in case.comparisons)),
        report.loss(max(c.loss_to_best(c.our_value) for c in case.comparisons)),
    ]
    call = report.duration(median(c.our_times.call.seconds for c in case.comparisons))
    native = report.duration(median(c.our_times.native.seconds for c in case.comparisons))
    rows.append([f"**adflow** call ({optimal} of {len(case.comparisons)} optimal)", call, "1×", "", *losses])
    rows.append(["**adflow** native", native, "", "1×", *losses])
    header = ["solver", "time", "÷ adflow call", "÷ adflow native", "loss to bound", "loss to best"]
    return report.table(header, rows)


def target_table(cases: list[Case]) -> list[str]:
    """The asked speed on concave curves, once for each way of scaling SLSQP."""
    by_size = {case.n: case for case in cases if case.kind == CONCAVE}
    rows = []
    for n, wanted_peer, target in TARGETS:
        for peer in PEERS:
            if not peer.startswith(wanted_peer):
                continue
            row = [f"n = {n:,}, {peer}", f"≥ {target:,.0f}×"]
            if n in by_size and by_size[n].with_peer(peer):
                for reached in by_size[n].times_faster(peer):
                    row += [report.ratio(reached), "yes" if reached >= target else "no"]
            else:
                row += ["not run", ""] * 2
            rows.append(row)
    header = ["Michaelis-Menten", "target", "call", "reached", "native", "reached"]
    return report.table(header, rows)


def s_shaped_losses(adflow, run: Run) -> tuple[list[Comparison], list[str]]:
    """Quality, not speed: every solver on many small S-shaped problems."""
    log(f"{len(run.s_shaped_seeds)} S-shaped problems, n = {S_SHAPED_ARMS}")
    comparisons = []
    for seed in run.s_shaped_seeds:
        problem = random_problem(S_SHAPED, S_SHAPED_ARMS, seed)
        spends = {name: problem.repaired(solve(problem)) for name, solve in PEERS.items()}
        comparisons.append(Comparison(problem, ours.solve(adflow, problem), spends))

    rows = []
    for name in (*PEERS, "**adflow**"):
        spends = [c.spends.get(name, c.ours.spend) for c in comparisons]
        losses = np.array([c.loss_to_bound(c.problem.value(x)) for c, x in zip(comparisons, spends, strict=True)])
        to_best = np.array([c.loss_to_best(c.problem.value(x)) for c, x in zip(comparisons, spends, strict=True)])
        unspent = np.array([1 - x.sum() / c.problem.budget for c, x in zip(comparisons, spends, strict=True)])
        rows.append(
            [
                name,
                report.loss(losses.mean()),
                report.loss(losses.max()),
                report.loss(to_best.mean()),
                report.loss(to_best.max()),
                f"{np.count_nonzero(losses <= 1e-6)} of {losses.size}",
                report.percent(max(0.0, unspent.mean())),
            ]
        )
    header = ["solver", "mean loss", "worst loss", "mean to best", "worst to best", "within 1e-6", "unspent, mean"]
    return comparisons, report.table(header, rows)


def document(adflow, run: Run) -> tuple[str, list[Comparison]]:
    cases = [
        Case(kind, n, [compare(adflow, random_problem(kind, n, seed), run) for seed in run.seeds])
        for kind, n in run.cases
    ]
    s_shaped, s_shaped_table = s_shaped_losses(adflow, run)

    lines = ["# adflow and its peers", "", *report.machine(), "", report.METHOD]
    lines += ["## Speed asked for and reached", "", *target_table(cases), ""]
    lines += [
        f"## S-shaped curves: {len(s_shaped)} random problems, n = {S_SHAPED_ARMS}, slopes 1.2-6",
        "",
        "Losses against adflow's certified bound, then against the best value any solver found.",
        "",
        *s_shaped_table,
        "",
    ]
    for case in cases:
        lines += [f"## {case.kind}, n = {case.n:,}, {len(case.comparisons)} problems", "", *case_table(case), ""]
    return "\n".join(lines), [c for case in cases for c in case.comparisons] + s_shaped


def log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("results.md"), help="Markdown file to write [results.md]")
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--quick", action="store_true", help="smoke test, below 20 s")
    extent.add_argument("--full", action="store_true", help="also SLSQP at n = 1,000, once: minutes per run")
    arguments = parser.parse_args()

    adflow = ours.load()
    run = QUICK if arguments.quick else FULL if arguments.full else NORMAL
    text, comparisons = document(adflow, run)
    arguments.out.write_text(text, encoding="utf-8")
    log(f"written: {arguments.out}")

    faults = [f"{c.problem.kind}, n = {c.problem.n}: {fault}" for c in comparisons for fault in c.faults]
    for fault in faults:
        log(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
