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
        "lower_above_upper", "empty", "length_mismatch", "duplicate_name", "unknown_name", "cyclic_group", "infeasible",
        "malformed", "interrupted", "unfittable", "not_fitted".
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
        The smallest set of limits that cannot hold together: `limit`, `arm`, `name`, `bound` of each. Without any one
        of them the rest could.
    feasible_budget : (float, float) or None
        Smallest and largest total spend that the other limits allow; None where they allow none.
    nearest : (float or None, float or None)
        The totals next to the budget asked for that could be spent, below and above; None where there is none.
    feasible_target : float or None
        Where the target is what cannot be reached: the best that can.
    """

    conflict: list[Limit]
    feasible_budget: tuple[float, float] | None
    nearest: tuple[float | None, float | None]
    feasible_target: float | None

    def __init__(
        self,
        message: str,
        code: str = "infeasible",
        conflict: list[Limit] | None = None,
        feasible_budget: tuple[float, float] | None = None,
        nearest: tuple[float | None, float | None] = (None, None),
        feasible_target: float | None = None,
    ) -> None:
        super().__init__(message, code)
        self.conflict = [] if conflict is None else conflict
        self.feasible_budget = feasible_budget
        self.nearest = nearest
        self.feasible_target = feasible_target


class NotFittedError(AdflowError, AttributeError):
    """Something of a fit was asked of a `ResponseModel` that was not fitted."""

    def __init__(self, message: str, code: str = "not_fitted") -> None:
        super().__init__(message, code)
