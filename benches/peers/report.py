"""The measurements as Markdown."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

METHOD = """\
All solvers get the same problems and run one after another in one process. A call is warmed up, then
repeated at least three times (fast ones until 0.3 s or 101 samples are reached) and the median taken;
calls above 20 s are measured once. Times and ratios are medians over the problems of a case, losses the worst of them.
Curves and arrays are built outside the clock.

- **SciPy SLSQP**, **NLopt SLSQP**, **NLopt MMA**: analytic gradients (value and gradient from one vectorised
  pass), equal split as start, budget as an inequality, relative tolerance 1e-9. Spend is in equal shares and the
  objective of order n, so that variables, gradient and curvature are of order one: the best of the scalings tried.
  Linear algebra on one thread, which is faster at these sizes.
- **SciPy SLSQP, money units**: the same with spend and response unscaled and `ftol=1e-9, maxiter=1000`,
  the way PyMC-Marketing calls it.
- **Greedy on a grid**: after Meridian's optimizer, grid step 1/10,000 of the budget, no limits around current spend.
- **adflow**: default settings. *Call* is the whole Python call, *native* is `plan.elapsed`, measured inside
  native code around the solve.

*Loss* is (reference - value) / reference, the value recomputed from the spend by the same NumPy
code for every solver: against adflow's certified upper bound, and against the best value any solver found.
"""


def machine() -> list[str]:
    rows = [
        f"- {os.cpu_count()} logical cores, {platform.machine()}, {platform.system()}",
        f"- Python {platform.python_version()}",
    ]
    for package in ("adflow", "numpy", "scipy", "nlopt"):
        try:
            rows.append(f"- {package} {version(package)}")
        except PackageNotFoundError:
            rows.append(f"- {package} (version not recorded)")
    return rows


def table(header: list[str], rows: list[list[str]]) -> list[str]:
    """Text in the first column, numbers in the others."""
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return ["| " + " | ".join(cells) + " |" for cells in (header, rule, *rows)]


def duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def ratio(value: float) -> str:
    return f"{value:,.0f}×" if value >= 10 else f"{value:.2g}×"


def loss(value: float) -> str:
    if abs(value) < 1e-15:
        return "0"
    return f"{100 * value:.1f} %" if value >= 1e-3 else f"{value:.1e}"


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"
