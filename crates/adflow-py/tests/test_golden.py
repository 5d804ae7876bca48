"""The golden cases, through the public API; the bits of every result are kept for the other languages to equal."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

import adflow

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = ROOT / "crates" / "adflow-core" / "tests" / "golden"
FILES = ["concave", "s_shaped", "zero_or_minimum", "draws", "edge", "published"]


def cases() -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    found = []
    for file in FILES:
        document = json.loads((GOLDEN / f"{file}.json").read_text(encoding="utf-8"))
        found += [(file, case["name"], case["problem"], case["expect"]) for case in document["cases"]]
    return found


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
    return adflow.allocate(curves, **problem)


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
    if "shadow_price" in expect:
        assert plan.shadow_price == pytest.approx(
            expect["shadow_price"], rel=expect["shadow_price_tolerance"], abs=0
        )
    assert plan.gap <= expect.get("gap_at_most", 1.0)


CASES = cases()


@pytest.mark.parametrize(
    ("problem", "expect"), [case[2:] for case in CASES], ids=[f"{case[0]}/{case[1]}" for case in CASES]
)
def test_the_plan_is_the_reference_s(problem: dict[str, Any], expect: dict[str, Any]) -> None:
    if "error" in expect:
        with pytest.raises(adflow.AdflowError) as raised:
            solve(problem)
        assert raised.value.code == expect["error"]
        if "feasible_budget" in expect:
            assert isinstance(raised.value, adflow.InfeasibleError)
            assert raised.value.feasible_budget == pytest.approx(expect["feasible_budget"], rel=1e-9)
        return
    plan = solve(problem)
    check(plan, problem, expect)
    assert plan.verify().ok, plan.verify()


def test_the_bits_are_written_down() -> None:
    lines = []
    for file, name, problem, _ in CASES:
        try:
            plan = solve(problem)
        except adflow.AdflowError as error:
            lines.append(f"{file}/{name} error {error.code}")
        else:
            values = [*plan.spend.tolist(), plan.objective_value, plan.upper_bound, plan.shadow_price]
            lines.append(" ".join([f"{file}/{name}", *map(bits, values)]))
    target = ROOT / "target" / "golden" / "python.txt"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
