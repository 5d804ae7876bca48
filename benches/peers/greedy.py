"""A greedy search on a spend grid, after Meridian's budget optimizer.

Every arm has a grid of spends. From the lowest point, the search repeatedly looks at every arm and
every grid point above its present one, takes the move with the highest incremental response per
unit of spend, and stops at the first move that would exceed the budget. On a concave curve the best
move is always one grid step; on an S-curve it is a jump to the tangent point, and the jump that no
longer fits leaves the rest of the budget unspent.

Meridian's default grid step lies between 1/10,000 and 1/1,000 of the budget; this one takes the
finest of these. Its default limits (±30 % of current spend) are left out: every arm is free, as for the other
solvers. Each arm remembers its own best move, so a step costs one arm's grid and not all of them.
"""

from __future__ import annotations

import numpy as np

from problems import Problem

STEPS = 10_000


def greedy(problem: Problem, steps: int = STEPS) -> np.ndarray:
    grid = np.linspace(0.0, problem.budget, steps + 1)
    response = response_grid(problem, grid)  # (n, steps + 1): one row per arm, contiguous

    position = np.zeros(problem.n, dtype=int)
    best_step = np.empty(problem.n, dtype=int)
    best_return = np.empty(problem.n)
    for arm in range(problem.n):
        best_step[arm], best_return[arm] = best_move(grid, response[arm], 0)

    left = steps  # grid steps of budget not yet given out: whole numbers, so no rounding
    while True:
        arm = int(best_return.argmax())
        left -= best_step[arm] - position[arm]
        if left < 0 or best_return[arm] == -np.inf:
            return grid[position]
        position[arm] = best_step[arm]
        best_step[arm], best_return[arm] = best_move(grid, response[arm], position[arm])


def response_grid(problem: Problem, grid: np.ndarray) -> np.ndarray:
    response = np.empty((problem.n, grid.size))
    for arm in range(problem.n):
        power = (grid / problem.half_saturation[arm]) ** problem.slope[arm]
        response[arm] = problem.beta[arm] * (power / (1.0 + power))
    return response


def best_move(grid: np.ndarray, response: np.ndarray, position: int) -> tuple[int, float]:
    """The grid point above `position` with the highest incremental response per spend."""
    if position + 1 == grid.size:
        return position, -np.inf
    ratio = (response[position + 1 :] - response[position]) / (grid[position + 1 :] - grid[position])
    best = int(ratio.argmax())
    return position + 1 + best, float(ratio[best])
