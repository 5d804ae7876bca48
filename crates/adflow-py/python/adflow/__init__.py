"""Certified budget allocation: every plan carries a proof of how good it is.

>>> import adflow
>>> curves = adflow.ResponseCurves.hill([120.0, 80.0, 60.0], [5.0, 9.0, 4.0], [2.0, 1.5, 0.8])
>>> plan = adflow.allocate(curves, budget=20.0)
>>> bool(plan.gap <= 1e-6)
True
"""

from adflow._adflow import (
    Adstock,
    Batch,
    Coupling,
    Explanation,
    Frontier,
    Group,
    Outcome,
    Plan,
    ResponseCurves,
    Risk,
    SchedulePlan,
    Target,
    Uncertainty,
    Verification,
    allocate,
    allocate_batch,
    frontier,
    schedule,
)
from adflow._errors import AdflowError, InfeasibleError, InvalidInputError
from adflow._frame import allocate_frame

__all__ = [
    "AdflowError",
    "Adstock",
    "Batch",
    "Coupling",
    "Explanation",
    "Frontier",
    "Group",
    "InfeasibleError",
    "InvalidInputError",
    "Outcome",
    "Plan",
    "ResponseCurves",
    "Risk",
    "SchedulePlan",
    "Target",
    "Uncertainty",
    "Verification",
    "allocate",
    "allocate_batch",
    "allocate_frame",
    "frontier",
    "schedule",
]
