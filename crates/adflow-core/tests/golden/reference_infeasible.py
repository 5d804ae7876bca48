"""Problems whose limits cannot hold together, written by hand, and what must be said of them.

A conflict is a set of limits that cannot hold together, any one of which may be dropped to let the rest hold. Limits are
dropped one at a time (an arm's lower bound becomes 0, its upper infinite, its step none) and every remaining problem is
answered by `reference_solver.py`: a limit is in every conflict if the rest without it can hold; where these limits alone
cannot hold, they are the only conflict, and `conflict` states it. `feasible_budget` are the least and most that can be
spent under all limits but the budget, `feasible_target` the best that can be reached under all limits but the target.
"""

import math


import reference_solver as solver

SOURCE = "by hand; every limit dropped in turn and the rest solved, for the conflict, the range and the best target"
INF = math.inf


def limits(problem):
    """All limits that could be dropped: (limit, arm, name)."""
    p, out = solver.Parsed(problem), []
    get = problem.get
    if get("budget") is not None:
        out.append(("budget", None, None))
    out += [("lower", i, None) for i in range(p.n) if p.lower[i] > 0]
    out += [("upper", i, None) for i in range(p.n) if p.upper[i] < INF]
    out += [("active_lower", i, None) for i in range(p.n) if p.active_lower[i] > 0]
    for key in ("max_change", "max_change_amount", "step"):
        v = get(key)
        if v is not None:
            out += [(key, i, None) for i in range(p.n) if not isinstance(v, list) or v[i] is not None]
    for g in get("groups") or []:
        out += [(f"group_{k}", None, g["name"]) for k in ("lower", "upper", "share_lower", "share_upper") if g.get(k) is not None]
    if get("coupling"):
        m = len(get("coupling")["upper"])
        out += [("coupling", None, n) for n in get("coupling").get("names") or range(m)]
    out += [(k, None, None) for k in ("max_active", "max_moves") if get(k) is not None]
    if get("target"):
        kind, = get("target")
        out.append(("marginal_roas" if kind == "marginal_roas" else "target", None, None))
    if get("extrapolation") == "cap":
        out += [("extrapolation", i, None) for i in range(p.n)]
    return out


def holds(problem, without):
    """Whether the limits can hold together without these; an arm without an upper bound gets a large one."""
    total = 10 * (sum(v for v in solver.Parsed(problem).upper if v < INF) + (problem.get("budget") or 0.0) + 100.0)
    plain = {k: v for k, v in problem.items() if k not in ("activation_cost", "move_cost")}
    p = solver.Parsed(plain)
    top = [u if u < INF and ("upper", i, None) not in without else total for i, u in enumerate(p.upper)]
    drop = {w for w in without if w[0] != "upper"}
    needs_target = plain.get("target") and not any(w[0] in ("target", "marginal_roas") for w in drop)
    problem = plain | {"upper": top}
    problem["objective"] = "response" if needs_target else "spend"
    if not needs_target:  # the curves do not matter
        seen = {k: v for k, v in plain["curves"].items() if k == "observed_spend"}
        problem["curves"] = {"version": 1, "curves": [{"family": "linear", "beta": [1.0] * p.n}]} | seen
        problem.pop("target", None)
    return solver.solve(problem, drop, tolerance=1e-6, time_limit=5.0, most=6) is not None


def conflict(problem):
    """The only conflict as a list of limits, or None where there are several."""
    all_ = limits(problem)
    needed = [l for l in all_ if holds(problem, {l})]
    others = {l for l in all_ if l not in needed}
    return needed if needed and not holds(problem, others) else None


def totals(problem):
    """Least and most that can be spent under all limits but the budget."""
    free = {k: v for k, v in problem.items() if k not in ("budget", "spend_all", "target", "activation_cost", "move_cost")}
    top = sum(solver.Parsed(free).high)
    free["upper"] = [u if u < INF else 1e3 * (problem.get("budget") or 1.0) for u in solver.Parsed(free).upper]
    linear = {"version": 1, "curves": [{"family": "linear", "beta": [1.0] * solver.Parsed(free).n}]}
    if "observed_spend" in problem["curves"]:
        linear["observed_spend"] = problem["curves"]["observed_spend"]
    free["curves"] = linear
    low = solver.solve(free | {"objective": "spend"})
    high = solver.solve(free)
    return None if low is None or top == INF else [0.0 - low["value"], high["value"]]


CURVES = {"version": 1, "curves": [{"family": "michaelis_menten", "beta": [10.0, 8.0, 5.0, 6.0], "half_saturation": [20.0, 5.0, 40.0, 10.0]}]}
SHAPED = {"version": 1, "curves": [{"family": "hill", "beta": [10.0, 8.0, 5.0, 6.0], "half_saturation": [20.0, 5.0, 40.0, 10.0],
                                    "slope": [3.0, 2.0, 1.5, 0.8]}]}
LINES = {"version": 1, "curves": [{"family": "linear", "beta": [2.0, 1.5, 1.0, 0.5]}]}
UP = [40.0, 50.0, 60.0, 30.0]


def problems():
    """(name, problem without version and curves, curves)."""
    two = [{"name": "search", "members": [0, 1]}, {"name": "video", "members": [2, 3]}]

    def grouped(*limits):
        return [g | more for g, more in zip(two, limits)]

    plain = [
        ("lower bounds above the budget", {"budget": 50.0, "lower": [20.0, 20.0, 20.0, 0.0], "upper": UP}),
        ("one lower bound above the budget", {"budget": 15.0, "lower": [20.0, 1.0, 0.0, 0.0], "upper": UP}),
        ("upper bounds below what must be spent", {"budget": 200.0, "spend_all": True, "upper": UP}),
        ("a group that must be fed from too little budget", {"budget": 60.0, "upper": UP, "groups": grouped({"lower": 70.0}, {})}),
        ("a group's least above its arms' upper bounds", {"budget": 200.0, "upper": UP, "groups": grouped({"lower": 95.0}, {})}),
        ("a group's most below its arms' lower bounds", {"budget": 100.0, "lower": [20.0, 20.0, 0.0, 0.0], "upper": UP, "groups": grouped({"upper": 30.0}, {})}),
        ("two groups need more than the budget", {"budget": 60.0, "upper": UP, "groups": grouped({"lower": 40.0}, {"lower": 30.0})}),
        ("two groups take less than must be spent", {"budget": 100.0, "spend_all": True, "upper": UP, "groups": grouped({"upper": 40.0}, {"upper": 50.0})}),
        ("shares of at least 60 % and 50 %", {"budget": 100.0, "spend_all": True, "upper": UP, "groups": grouped({"share_lower": 0.6}, {"share_lower": 0.5})}),
        ("shares of at most 40 % and 50 %", {"budget": 100.0, "spend_all": True, "upper": UP, "groups": grouped({"share_upper": 0.4}, {"share_upper": 0.5})}),
        ("a share above what the arms can take", {"budget": 120.0, "spend_all": True, "upper": UP, "groups": grouped({"share_lower": 0.8}, {})}),
        ("a nested group needs more than its parent may have", {"budget": 100.0, "upper": UP, "groups": [
            {"name": "low", "members": [0, 1], "lower": 50.0}, {"name": "top", "members": ["low", 2], "upper": 45.0}]}),
        ("parts need more than their parent's parent may have", {"budget": 150.0, "upper": UP, "groups": [
            {"name": "a", "members": [0], "lower": 30.0}, {"name": "b", "members": [1, 2], "lower": 40.0},
            {"name": "ab", "members": ["a", "b"]}, {"name": "all", "members": ["ab", 3], "upper": 60.0}]}),
        ("overlapping groups", {"budget": 150.0, "upper": UP, "groups": [
            {"name": "first", "members": [0, 1], "lower": 80.0}, {"name": "second", "members": [1, 2], "upper": 30.0}]}),
        ("a ratio against bounds", {"budget": 100.0, "lower": [0.0, 30.0, 0.0, 0.0], "upper": [10.0, 50.0, 60.0, 30.0],
            "coupling": {"upper": [0.0], "matrix": [{"arms": [1, 0], "coefficients": [0.5, -1.0]}], "names": ["a at least half of b"]}}),
        ("two rows against each other", {"budget": 100.0, "lower": [5.0, 0.0, 0.0, 0.0], "upper": UP, "coupling": {"upper": [0.0, -1.0],
            "matrix": [{"arms": [0, 1], "coefficients": [1.0, -1.0]}, {"arms": [0, 1], "coefficients": [-1.0, 1.0]}], "names": ["a below b", "b below a by 1"]}}),
        ("a row with no name against a group", {"budget": 100.0, "upper": UP, "groups": grouped({"lower": 50.0}, {}),
            "coupling": {"upper": [45.0], "matrix": [{"arms": [0, 1], "coefficients": [1.0, 1.0]}]}}),
        ("a grid whose columns need more than its rows may have", {"budget": 150.0, "upper": UP, "coupling": {"upper": [20.0, 20.0, -50.0],
            "matrix": [{"arms": [0, 1], "coefficients": [1.0, 1.0]}, {"arms": [2, 3], "coefficients": [1.0, 1.0]},
                       {"arms": [0, 1, 2, 3], "coefficients": [-1.0] * 4}], "names": ["row 1", "row 2", "total"]}}),
        ("too few arms may be active", {"budget": 100.0, "lower": [1.0, 1.0, 1.0, 0.0], "upper": UP, "max_active": 2}),
        ("two arms cannot take the budget", {"budget": 115.0, "spend_all": True, "upper": UP, "max_active": 2}),
        ("no arm may be active and one must", {"budget": 100.0, "lower": [5.0, 0.0, 0.0, 0.0], "upper": UP, "max_active": 0}),
        ("a budget between what minima allow", {"budget": 25.0, "spend_all": True, "active_lower": [30.0, 40.0, 35.0, 28.0], "upper": UP}),
        ("a minimum above a group's most that must be fed", {"budget": 100.0, "upper": UP, "active_lower": [30.0, 35.0, None, None],
            "groups": grouped({"lower": 5.0, "upper": 20.0}, {})}),
        ("change by a share against a lower bound", {"budget": 100.0, "lower": [30.0, 0.0, 0.0, 0.0], "upper": UP, "current": [20.0, 20.0, 20.0, 20.0], "max_change": 0.2}),
        ("change by a share against an upper bound", {"budget": 100.0, "upper": [10.0, 50.0, 60.0, 30.0], "current": [20.0, 20.0, 20.0, 20.0], "max_change": [0.2, None, None, None]}),
        ("change by an amount against the budget", {"budget": 60.0, "upper": UP, "current": [25.0, 25.0, 25.0, 25.0], "max_change_amount": [5.0, 5.0, 5.0, 5.0]}),
        ("change by an amount against what must be spent", {"budget": 130.0, "spend_all": True, "upper": UP, "current": [20.0, 20.0, 20.0, 20.0], "max_change_amount": 8.0}),
        ("a group against changes", {"budget": 100.0, "upper": UP, "current": [20.0, 20.0, 20.0, 20.0], "max_change": [0.1, 0.1, None, None], "groups": grouped({"upper": 30.0}, {})}),
        ("too few moves for a smaller budget", {"budget": 40.0, "upper": UP, "current": [20.0, 20.0, 20.0, 20.0], "max_moves": 1}),
        ("too few moves for the bounds", {"budget": 100.0, "lower": [22.0, 23.0, 0.0, 0.0], "upper": UP, "current": [20.0, 20.0, 20.0, 20.0], "max_moves": 1}),
        ("no multiple of a step within bounds", {"budget": 100.0, "lower": [11.0, 0.0, 0.0, 0.0], "upper": [19.0, 50.0, 60.0, 30.0], "step": [10.0, None, None, None]}),
        ("a budget that no multiples add up to", {"budget": 95.0, "spend_all": True, "upper": UP, "step": 10.0}),
        ("steps against a group", {"budget": 100.0, "upper": UP, "step": [7.0, 7.0, None, None], "groups": grouped({"lower": 8.0, "upper": 13.0}, {})}),
        ("observed ranges against what must be spent", {"budget": 100.0, "spend_all": True, "extrapolation": "cap"}),
    ]
    out = [(name, problem, CURVES) for name, problem in plain]
    out[-1] = (*out[-1][:2], CURVES | {"observed_spend": [[0.0, 30.0], [0.0, 20.0], [0.0, 25.0], [0.0, 15.0]]})
    out += [
        ("lower bounds above the budget, S-shaped", plain[0][1], SHAPED),
        ("a nested group needs more than its parent may have, S-shaped", plain[12][1], SHAPED),
        ("too few arms may be active, S-shaped", plain[19][1], SHAPED),
        ("a response target out of reach", {"budget": 60.0, "upper": UP, "target": {"response": 25.0}, "objective": "spend"}, CURVES),
        ("a response target out of reach of the upper bounds", {"upper": UP, "target": {"response": 30.0}, "objective": "spend"}, CURVES),
        ("a response target out of reach, S-shaped", {"budget": 30.0, "upper": UP, "target": {"response": 20.0}, "objective": "spend"}, SHAPED),
        ("a response target out of reach of a group", {"budget": 100.0, "upper": UP, "groups": grouped({"upper": 10.0}, {}), "target": {"response": 19.0}}, CURVES),
        ("a ROAS floor above what must be spent returns", {"budget": 100.0, "spend_all": True, "upper": UP, "target": {"roas": 1.9}}, LINES),
        ("a ROAS floor above a concave return", {"budget": 100.0, "spend_all": True, "upper": UP, "target": {"roas": 0.3}}, CURVES),
        ("a CPA cap below what must be spent costs", {"budget": 100.0, "spend_all": True, "upper": UP, "target": {"cpa": 0.5}}, LINES),
        ("a response target with few active arms", {"budget": 120.0, "upper": UP, "max_active": 2, "target": {"response": 18.0}}, CURVES),
        ("a response target with small changes", {"budget": 200.0, "upper": UP, "current": [10.0, 10.0, 10.0, 10.0], "max_change": 0.5, "target": {"response": 18.0}}, CURVES),
        ("a marginal ROAS floor with all to be spent", {"budget": 100.0, "spend_all": True, "upper": UP, "target": {"marginal_roas": 0.2}}, CURVES),
    ]
    return [(name, {"version": 1, "curves": c} | problem) for name, problem, c in out]


def cases(rng):
    out = []
    for name, problem in problems():
        assert not holds(problem, set()), f"{name}: can hold"
        expect = {"error": "infeasible"}
        found = conflict(problem)
        if found and "marginal_roas" not in (problem.get("target") or {}):
            expect |= {"conflict": [{"limit": l} | ({"arm": i} if i is not None else {}) | ({"name": n if isinstance(n, str) else f"row {n}"} if n is not None else {})
                                    for l, i, n in found], "conflict_size": len(found)}
        target = problem.get("target") or {}
        if not target:
            if (range_ := totals(problem)) is not None and range_[0] < range_[1]:
                expect["feasible_budget"] = range_
        elif "marginal_roas" not in target:
            (kind, level), = target.items()
            most = solver.solve({k: v for k, v in problem.items() if k not in ("target", "objective")})
            if kind == "response":
                expect["feasible_target"] = most["value"]
            elif problem.get("spend_all"):
                plain = most["value"]
                expect["feasible_target"] = plain / problem["budget"] if kind == "roas" else problem["budget"] / plain
        out.append({"name": name, "problem": problem, "expect": expect})
    return out
