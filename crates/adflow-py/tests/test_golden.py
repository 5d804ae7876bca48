"""The golden cases, through the public API; the bits of every result are kept for the other languages to equal."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adflow

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = ROOT / "crates" / "adflow-core" / "tests" / "golden"
# The files of cases, in the order in which every language writes them down.
FILES = [
    "concave",
    "s_shaped",
    "zero_or_minimum",
    "draws",
    "edge",
    "published",
    "goals",
    "groups",
    "activation",
    "moves",
    "steps",
    "risk",
]
# Schedules, written down by themselves.
SCHEDULES = "schedule"
# Has errors only: no numbers to write down.
ERRORS = "infeasible"

Case = tuple[str, str, dict[str, Any], dict[str, Any]]


def cases(file: str) -> list[Case]:
    path = GOLDEN / f"{file}.json"
    if not path.is_file():  # `test_no_file_is_empty` says so
        return []
    document = json.loads(path.read_text(encoding="utf-8"))
    return [(file, case["name"], case["problem"], case["expect"]) for case in document["cases"]]


def one_of(kind: type, choice: dict[str, float]) -> Any:
    """{"roas": 3.0} as Target.roas(3.0)."""
    [(name, level)] = choice.items()
    return getattr(kind, name)(level)


def coupling(document: dict[str, Any], arms: int) -> adflow.Coupling:
    rows = document["matrix"]
    matrix = np.zeros((len(rows), arms))
    for row, given in zip(matrix, rows, strict=True):
        np.add.at(row, given["arms"], given["coefficients"])
    return adflow.Coupling(matrix, document["upper"], document.get("names"))


def solve(problem: dict[str, Any]) -> adflow.Plan:
    """The problem as a user would write it: curves, a budget, keyword arguments."""
    problem = dict(problem)
    assert problem.pop("version") == 1
    curves = adflow.ResponseCurves.from_json(json.dumps(problem.pop("curves")))
    unknown = set(problem) - set(
        adflow.allocate.__text_signature__.replace(",", " ").replace("=", " ").split()
    )
    if unknown:  # what a JSON reader would say
        raise adflow.InvalidInputError(f"unknown setting {unknown}", "malformed")
    written = {
        "groups": lambda groups: [adflow.Group(**group) for group in groups],
        "coupling": lambda document: coupling(document, len(curves)),
        "target": lambda choice: one_of(adflow.Target, choice),
        "risk": lambda choice: one_of(adflow.Risk, choice),
    }
    for name in written.keys() & problem.keys():
        if problem[name] is not None:
            problem[name] = written[name](problem[name])
    return adflow.allocate(curves, **problem)


def adstock(document: dict[str, Any]) -> adflow.Adstock:
    arguments = dict(document)
    make: Callable[..., adflow.Adstock] = getattr(adflow.Adstock, arguments.pop("kind"))
    return make(**arguments)


def schedule(problem: dict[str, Any]) -> adflow.SchedulePlan:
    """The same for a schedule, whose tail is off where the document does not say."""
    problem = {"tail": False, **problem}
    assert problem.pop("version") == 1
    curves = adflow.ResponseCurves.from_json(json.dumps(problem.pop("curves")))
    return adflow.schedule(curves, adstock(problem.pop("adstock")), **problem)


def bits(value: float) -> str:
    return struct.pack(">d", value).hex()


def check(plan: adflow.Plan, problem: dict[str, Any], expect: dict[str, Any]) -> None:
    assert plan.status == expect.get("status", plan.status)
    want, tolerance = expect["objective_value"], expect["objective_tolerance"]
    if expect.get("at_least"):
        assert plan.objective_value >= want - tolerance * abs(want)
    else:
        assert abs(plan.objective_value - want) <= tolerance * abs(want)
    if "spend" in expect:
        scale = problem.get("budget") or sum(expect["spend"])
        assert plan.spend == pytest.approx(expect["spend"], rel=0, abs=expect["spend_tolerance"] * scale)
    if "total_spend" in expect:
        tolerance = expect["total_spend_tolerance"]
        assert plan.total_spend == pytest.approx(expect["total_spend"], rel=tolerance, abs=0)
    if "shadow_price" in expect:
        assert plan.shadow_price == pytest.approx(
            expect["shadow_price"], rel=expect["shadow_price_tolerance"], abs=0
        )
    assert plan.gap <= expect.get("gap_at_most", 1.0)


def check_error(error: adflow.AdflowError, expect: dict[str, Any]) -> None:
    assert error.code == expect["error"]
    if "feasible_budget" in expect:
        assert isinstance(error, adflow.InfeasibleError)
        # JSON has no infinity: null is "no end".
        want = [math.inf if bound is None else bound for bound in expect["feasible_budget"]]
        assert list(error.feasible_budget) == pytest.approx(want, rel=1e-9, abs=0)
    if "feasible_target" in expect:
        assert isinstance(error, adflow.InfeasibleError)
        tolerance = expect.get("feasible_target_tolerance", 1e-6)
        assert error.feasible_target == pytest.approx(expect["feasible_target"], rel=tolerance, abs=0)
    if "conflict" in expect:
        assert isinstance(error, adflow.InfeasibleError)
        left = list(error.conflict)
        for limit in expect["conflict"]:  # what a case leaves out may be anything
            given = {key: limit[key] for key in ("limit", "arm", "name") if limit.get(key) is not None}
            left.remove(next(item for item in left if given.items() <= item.items()))
        assert left == []


CASES = [case for file in FILES for case in cases(file)]
ALL = [*CASES, *cases(ERRORS)]
PLANNED = cases(SCHEDULES)


@pytest.mark.parametrize("file", [*FILES, SCHEDULES, ERRORS])
def test_no_file_is_empty(file: str) -> None:
    assert cases(file)


@pytest.mark.parametrize(
    ("problem", "expect"), [case[2:] for case in ALL], ids=[f"{case[0]}/{case[1]}" for case in ALL]
)
def test_the_plan_is_the_reference_s(problem: dict[str, Any], expect: dict[str, Any]) -> None:
    if "error" in expect:
        with pytest.raises(adflow.AdflowError) as raised:
            solve(problem)
        check_error(raised.value, expect)
        return
    plan = solve(problem)
    check(plan, problem, expect)
    assert plan.verify().ok, plan.verify()


@pytest.mark.parametrize(
    ("problem", "expect"), [case[2:] for case in PLANNED], ids=[case[1] for case in PLANNED]
)
def test_the_schedule_is_the_reference_s(problem: dict[str, Any], expect: dict[str, Any]) -> None:
    plan = schedule(problem)
    assert plan.status == expect.get("status", plan.status)
    want, tolerance = expect["objective_value"], expect["objective_tolerance"]
    assert abs(plan.objective_value - want) <= tolerance * abs(want)
    assert plan.upper_bound >= want - tolerance * abs(want)
    assert plan.gap <= expect.get("gap_at_most", 1.0)
    if "spend" in expect:
        tolerance = expect["spend_tolerance"] * problem["budget"]
        np.testing.assert_allclose(plan.spend, expect["spend"], rtol=0, atol=tolerance)
    assert plan.verify().ok, plan.verify()


def test_the_bits_are_written_down() -> None:
    for end, answer, asked in [("", solve, CASES), ("_schedule", schedule, PLANNED)]:
        lines = [written(file, name, problem, answer) for file, name, problem, _ in asked]
        target = ROOT / "target" / "golden" / f"python{end}.txt"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("\n".join(lines) + "\n", encoding="utf-8")


def written(
    file: str,
    name: str,
    problem: dict[str, Any],
    answer: Callable[[dict[str, Any]], adflow.Plan | adflow.SchedulePlan],
) -> str:
    try:
        plan = answer(problem)
    except adflow.AdflowError as error:
        return f"{file}/{name} error {error.code}"
    values = [*plan.spend.ravel().tolist(), plan.objective_value, plan.upper_bound, plan.shadow_price]
    return " ".join([f"{file}/{name}", *map(bits, values)])
