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
    History,
    Market,
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
from adflow._errors import AdflowError, InfeasibleError, InvalidInputError, NotFittedError
from adflow._fit import Decomposition, Forecast, Holdout, Scores, Summary
from adflow._frame import allocate_frame
from adflow._market import Intervention, MarketTruth, Replay, Simulation, TrueEffect
from adflow._prior import LiftTest, Prior, RoasTest
from adflow._response_model import ResponseModel

__all__ = [
    "AdflowError",
    "Adstock",
    "Batch",
    "Coupling",
    "Decomposition",
    "Explanation",
    "Forecast",
    "Frontier",
    "Group",
    "History",
    "Holdout",
    "InfeasibleError",
    "Intervention",
    "InvalidInputError",
    "LiftTest",
    "Market",
    "MarketTruth",
    "NotFittedError",
    "Outcome",
    "Plan",
    "Prior",
    "Replay",
    "ResponseCurves",
    "ResponseModel",
    "Risk",
    "RoasTest",
    "SchedulePlan",
    "Scores",
    "Simulation",
    "Summary",
    "Target",
    "TrueEffect",
    "Uncertainty",
    "Verification",
    "allocate",
    "allocate_batch",
    "allocate_frame",
    "frontier",
    "schedule",
]
