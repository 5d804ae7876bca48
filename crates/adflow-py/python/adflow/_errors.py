"""Exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adflow._types import Limit


class AdflowError(ValueError):
    """Base of every adflow error.

    Attributes
    ----------
    code : str
        The stable word for the cause, the same in every language: "not_finite", "out_of_domain",
        "lower_above_upper", "empty", "length_mismatch", "duplicate_name", "infeasible", "malformed".
    """

    code: str = ""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class InvalidInputError(AdflowError):
    """An input that cannot be used; the message names the field, what it must be, and what it was."""


class InfeasibleError(AdflowError):
    """No plan satisfies the limits.

    Attributes
    ----------
    conflict : list of dict
        The smallest set of limits that cannot hold together: `limit`, `arm`, `name`, `bound` of each.
    feasible_budget : (float, float)
        Smallest and largest total spend that the limits of the arms allow.
    """

    conflict: list[Limit]
    feasible_budget: tuple[float, float]

    def __init__(
        self,
        message: str,
        code: str = "infeasible",
        conflict: list[Limit] | None = None,
        feasible_budget: tuple[float, float] = (float("nan"), float("nan")),
    ) -> None:
        super().__init__(message, code)
        self.conflict = [] if conflict is None else conflict
        self.feasible_budget = feasible_budget
