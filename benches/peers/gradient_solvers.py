"""General nonlinear solvers, given every advantage a careful user would give them.

All start from the equal split, get the value and the analytic gradient from one vectorised
evaluation, the budget as an inequality with its constant derivative, and bounds 0..budget.

Scaling decides how fast they are. `EQUAL_SPLIT` measures spend in equal shares and multiplies the
objective by n / (value at the equal split): variables, gradient and curvature are then all of
order one, which suits the identity matrix that SLSQP starts from. Among the scalings tried it is
the fastest and the most exact at n >= 100. `MONEY` passes spend and response as they are, the way
PyMC-Marketing's allocator does.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial

import nlopt
import numpy as np
from scipy.optimize import minimize

from problems import Problem

# What PyMC-Marketing asks of SLSQP. SciPy's `ftol` is absolute, so it is scaled with the objective.
TOLERANCE = 1e-9
MAX_ITERATIONS = 1000
# NLopt's budget row may be exceeded by this share of the budget; `Problem.repaired` takes it back.
CONSTRAINT_TOLERANCE = 1e-9


class Scaling(Enum):
    EQUAL_SPLIT = "equal split"
    MONEY = "money"


@dataclass(frozen=True)
class Scaled:
    """`problem` in the solver's units: spend = unit * u, objective = weight * value."""

    problem: Problem
    unit: float
    weight: float

    @classmethod
    def of(cls, problem: Problem, scaling: Scaling) -> Scaled:
        if scaling is Scaling.MONEY:
            return cls(problem, 1.0, 1.0)
        share = problem.budget / problem.n
        return cls(problem, share, problem.n / problem.value(problem.equal_split))

    @property
    def budget(self) -> float:
        return self.problem.budget / self.unit

    @property
    def start(self) -> np.ndarray:
        return self.problem.equal_split / self.unit

    def objective(self, u: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = self.problem.value_and_gradient(self.unit * u)
        return self.weight * value, (self.weight * self.unit) * gradient


def scipy_slsqp(problem: Problem, scaling: Scaling = Scaling.EQUAL_SPLIT) -> np.ndarray:
    scaled = Scaled.of(problem, scaling)
    budget = scaled.budget
    row = np.full(problem.n, -1.0)

    def loss(u):
        value, gradient = scaled.objective(u)
        return -value, -gradient

    result = minimize(
        loss,
        scaled.start,
        jac=True,
        method="SLSQP",
        bounds=[(0.0, budget)] * problem.n,
        constraints={"type": "ineq", "fun": lambda u: budget - u.sum(), "jac": lambda u: row},
        options={
            "ftol": TOLERANCE if scaling is Scaling.MONEY else TOLERANCE * problem.n,
            "maxiter": MAX_ITERATIONS,
        },
    )
    return scaled.unit * result.x


def nlopt_solve(algorithm: int, problem: Problem, time_limit: float = 600.0) -> np.ndarray:
    scaled = Scaled.of(problem, Scaling.EQUAL_SPLIT)
    budget = scaled.budget
    latest = scaled.start

    def objective(u, gradient):
        nonlocal latest
        value, derivative = scaled.objective(u)
        if gradient.size:
            gradient[:] = derivative
        latest = u.copy()
        return value

    def over_budget(u, gradient):
        if gradient.size:
            gradient[:] = 1.0 / budget
        return u.sum() / budget - 1.0

    optimizer = nlopt.opt(algorithm, problem.n)
    optimizer.set_max_objective(objective)
    optimizer.add_inequality_constraint(over_budget, CONSTRAINT_TOLERANCE)
    optimizer.set_lower_bounds(0.0)
    optimizer.set_upper_bounds(budget)
    optimizer.set_ftol_rel(TOLERANCE)
    optimizer.set_maxtime(time_limit)
    try:
        found = optimizer.optimize(scaled.start)
    except nlopt.RoundoffLimited:  # as close as its arithmetic gets: the last point is the answer
        found = latest
    return scaled.unit * found


scipy_slsqp_money = partial(scipy_slsqp, scaling=Scaling.MONEY)
nlopt_slsqp = partial(nlopt_solve, nlopt.LD_SLSQP)
nlopt_mma = partial(nlopt_solve, nlopt.LD_MMA)
