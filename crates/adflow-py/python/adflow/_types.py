"""Shapes of the plain data that plans and errors carry."""

from __future__ import annotations

from typing import Literal, TypedDict

LimitKind = Literal[
    "budget",
    "lower",
    "upper",
    "active_lower",
    "max_active",
    "group_lower",
    "group_upper",
    "group_share_lower",
    "group_share_upper",
    "coupling",
    "target",
    "marginal_roas",
    "max_change",
    "max_change_amount",
    "max_moves",
    "step",
    "extrapolation",
    "period_lower",
    "period_upper",
    "arm_lower",
    "arm_upper",
]


class Limit(TypedDict):
    """A limit as the caller stated it.

    `arm` is None where the limit is not one arm's; `name` is that of the arm, the group, the row or the period.
    """

    limit: LimitKind
    arm: int | None
    name: str | None
    bound: float


class Binding(Limit):
    """A limit that holds a plan back, and what relaxing it by one unit of money would bring."""

    price: float


class Check(TypedDict):
    """One check of a verification."""

    name: str
    ok: bool
    detail: str


class ArmExplanation(TypedDict):
    """One arm of a plan, before and after; None where there is no such number, or it is infinite."""

    arm: int
    name: str | None
    spend: float
    current: float | None
    change: float | None
    response: float
    current_response: float | None
    marginal_response: float | None
    current_marginal_response: float | None
    roas: float | None
    current_roas: float | None
    marginal_roas: float | None
    current_marginal_roas: float | None
    binding: LimitKind | None
    binding_price: float | None
    outside_observed: bool | None
    price: float | None
    why_not_more: str
    why_not_less: str
    alternative_spend: float | None
    alternative_loss: float | None
    sentence: str


class FrontierChange(TypedDict):
    """An arm that starts or stops to spend, or to be held back, as the budget rises.

    `between` are the budgets given on both sides; without `exact`, `budget` is interpolated between them.
    """

    arm: int
    name: str | None
    change: Literal["enters", "leaves", "saturates", "frees"]
    budget: float
    between: tuple[float, float]
    exact: bool


class ShareSpread(TypedDict):
    """An arm's share of the total over the best plans of single draws; `low` and `high` are its 5 and 95 % quantiles."""

    mean: float
    std: float
    low: float
    high: float
