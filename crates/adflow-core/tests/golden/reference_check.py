"""Second methods for the cases of `reference_limits.py`: `python reference_limits.py --check`.

Every case is solved again; its limits are checked against the JSON itself, not against the solver's reading of it; and

    concave, one budget         bisection on multipliers (`reference.solve_concave`): targets by bisection on the budget,
                                active and moved sets one by one
    concave, other limits       SLSQP from other starts comes up to the value and never above
    S-shaped                    SLSQP from many starts is never above
    steps                       dynamic programming over sums, or every combination
    CVaR, linear                one linear program; every risk: SLSQP or random plans are never above
    schedules                   SLSQP from other starts
    infeasible                  random plans never meet all limits
"""

import itertools
import json
import math

import numpy as np
from mpmath import fp

import reference_limits
import reference_risk
import reference_schedule
import reference_solver as solver
from reference import read_arms, solve_concave, spread


def breaches(problem, x):
    """Relative breach of the limits of a problem's JSON at x, apart from targets: the worst."""
    get, n = problem.get, len(x)
    size = max(max(x), get("budget") or 0.0, 1e-9)
    each = lambda key: (v if isinstance(v := get(key), list) else [v] * n)
    total, worst = math.fsum(x), [0.0]
    if get("budget") is not None:
        worst.append(total - get("budget"))
        worst.append(get("budget") - total if get("spend_all") else 0.0)
    for i, (v, l, u, a, s) in enumerate(zip(x, each("lower"), each("upper"), each("active_lower"), each("step"))):
        worst += [(l or 0.0) - v, v - u if u is not None else 0.0, (a or 0.0) - v if v > 0 else 0.0]
        worst.append(abs(v - s * round(v / s)) if s else 0.0)
    names = get("names") or []
    groups = {g["name"]: g for g in get("groups") or []}

    def arms(member):
        if isinstance(member, int):
            return {member}
        return set().union(*map(arms, groups[member]["members"])) if member in groups else {names.index(member)}

    for name, g in groups.items():
        y = math.fsum(x[i] for i in arms(name))
        worst += [g["lower"] - y] if g.get("lower") is not None else []
        worst += [y - g["upper"]] if g.get("upper") is not None else []
        worst += [g["share_lower"] * total - y] if g.get("share_lower") is not None else []
        worst += [y - g["share_upper"] * total] if g.get("share_upper") is not None else []
    for row, top in zip(*((c["matrix"], c["upper"]) if (c := get("coupling")) else ((), ()))):
        weight = max(1.0, max(abs(v) for v in row["coefficients"]))
        worst.append((math.fsum(c * x[a] for a, c in zip(row["arms"], row["coefficients"])) - top) / weight)
    now = get("current")
    if now:
        for v, c, s, a in zip(x, now, each("max_change"), each("max_change_amount")):
            worst += [abs(v - c) - s * c if s is not None else 0.0, abs(v - c) - a if a is not None else 0.0]
        if get("max_moves") is not None and sum(abs(v - c) > 1e-9 * size for v, c in zip(x, now)) > get("max_moves"):
            worst.append(size)
    if get("max_active") is not None and sum(v > 0 for v in x) > get("max_active"):
        worst.append(size)
    if get("extrapolation") == "cap":
        worst += [v - top for v, (_, top) in zip(x, problem["curves"]["observed_spend"]) if top is not None]
    return max(worst) / size


def climbs(problem, got, starts, rng):
    """Values of SLSQP from `starts` random plans (feasible ones only)."""
    model = solver.Allocation(solver.Parsed(problem))
    p, out = model.p, []
    model.whole(False)
    wide = np.zeros(model.columns)
    for _ in range(starts):
        x = np.clip(np.array(got["spend"]) * spread(rng, 0.3, 3, p.n), p.low, p.reach)
        for i in range(p.n):  # the piece that the start is on, or the next one
            own = [c for c in model.curves if c["arm"] == i]
            away = lambda c: max(c["low"] - x[i] / model.X, x[i] / model.X - c["high"], 0.0)
            nearest = min(own, key=away)
            x[i] = min(max(x[i], nearest["low"] * model.X), nearest["high"] * model.X)
            for c in own:
                wide[c["z"]] = float(c is nearest)
        y = model.polish(list(x), wide)
        if p.worst(y) <= 1e-9:
            out.append(p.objective_value(y))
    return out


def by_sets(problem):
    """Best value of a concave one-budget problem over every set of active or moved arms, or None where it has more."""
    known = {"version", "curves", "budget", "spend_all", "upper", "lower", "value", "activation_cost", "max_active", "active_lower",
             "current", "max_change", "max_change_amount", "max_moves"}
    if set(problem) - known or problem.get("budget") is None or (problem.get("max_moves") is not None and problem.get("max_active") is not None):
        return None
    p = solver.Parsed(problem)
    arms = read_arms({k: v for k, v in problem.items() if k != "active_lower"})
    if any(solver.inflection(a) is not None for a in arms):
        return None
    moved = problem.get("max_moves") is not None
    if moved and any(p.active_lower):
        return None
    keeps = moved or problem.get("max_active") is not None or any(p.activation_cost) or any(p.active_lower)
    best = -math.inf
    for off in itertools.product((False, True), repeat=p.n) if keeps else [(False,) * p.n]:
        on = p.n - sum(off)
        if on > (problem.get("max_moves" if moved else "max_active") if problem.get("max_moves" if moved else "max_active") is not None else p.n):
            continue
        rest = p.current if moved else [0.0] * p.n
        spans = [(r, r) if o else (max(l, a), h) for o, r, l, a, h in zip(off, rest, p.low, p.active_lower, p.reach)]
        if any(l > h or not low <= l <= h <= high + 1e-12 for (l, h), low, high in zip(spans, p.low, p.reach)):
            continue
        least = sum(l for l, _ in spans)
        if least > p.budget or p.spend_all and sum(h for _, h in spans) < p.budget:
            continue
        try:
            got = solve_concave(arms, p.budget, p.spend_all, m=fp, intervals=spans)
        except (ArithmeticError, ValueError, ZeroDivisionError):
            continue
        best = max(best, math.fsum(p.totals([float(v) for v in got["spend"]])) - sum(c for c, o in zip(p.activation_cost, off) if not o))
    return best


def by_budget(problem):
    """Least spend for a response target by bisection on the budget, concave curves."""
    p = solver.Parsed(problem)
    if problem.get("objective") != "spend" or "response" not in p.target or any(solver.inflection(a) is not None for a in p.arms) or set(problem) - {
            "version", "curves", "budget", "upper", "lower", "value", "objective", "target"}:
        return None
    low, high = math.fsum(p.low), math.fsum(p.reach)
    for _ in range(60):
        mid = (low + high) / 2
        arms = read_arms(problem | {"budget": mid})
        x = [float(v) for v in solve_concave(arms, mid, False, m=fp)["spend"]]
        low, high = (low, mid) if p.totals(x).sum() >= p.target["response"] else (mid, high)
    return -high


def by_sums(problem):
    """Best value where every arm has a step: dynamic programming over the sums that can be spent."""
    p = solver.Parsed(problem)
    if not all(s > 0 for s in p.step) or set(problem) - {"version", "curves", "budget", "spend_all", "upper", "lower", "value", "step", "objective"}:
        return None
    best = {0.0: 0.0}
    for arm, s, low, high in zip(p.arms, p.step, p.low, p.reach):
        first, last = math.ceil(low / s - 1e-9), math.floor(high / s + 1e-9)
        amounts = [s * k for k in range(first, last + 1)]
        gains = [float(arm.total(np, np.float64(a))) - (a if p.objective == "profit" else 0.0) for a in amounts]
        nxt = {}
        for total, value in best.items():
            for a, g in zip(amounts, gains):
                key = float(f"{total + a:.12g}")
                if key <= p.budget * (1 + 1e-9) and value + g > nxt.get(key, -math.inf):
                    nxt[key] = value + g
        if len(nxt) > 40000:
            return None
        best = nxt
    return max(v for k, v in best.items() if not p.spend_all or abs(k - p.budget) <= 1e-9 * p.budget)


def check_allocations(name, cases, rng):
    count, second, above, below, apart, binding = 0, 0, -math.inf, -math.inf, 0.0, 0
    for case in cases:
        problem, value = case["problem"], case["expect"]["objective_value"]
        got = solver.solve(problem, time_limit=10.0, most=25)
        size, sound = max(abs(value), 1e-6), max(breaches(problem, got["spend"]), got["worst"])
        if sound > 3e-9 or abs(got["value"] - value) > 1e-7 * size:
            print(f"  {case['name']}: {got['value']!r} instead of {value!r}, breach {sound:.1e}")
        for method in (by_sets, by_budget, by_sums):
            other = method(problem)
            if other is None:
                continue
            second += 1
            apart = max(apart, abs(other - value) / size)
            if abs(other - value) > 3e-8 * size and not ("at_least" in case["expect"] and other < value):
                print(f"  {case['name']}: {method.__name__} gives {other!r} instead of {value!r}")
        if "step" not in problem:
            convex = not solver.Allocation(solver.Parsed(problem)).integers
            found = climbs(problem, got, 3 if convex else 12, rng)
            if found:
                above = max(above, (max(found) - value) / size)
                below = max(below, (value - max(found)) / size) if convex else below
                if max(found) > value + 1e-8 * size:
                    print(f"  {case['name']}: SLSQP gives {max(found)!r}, above {value!r}")
        plain = {k: problem[k] for k in ("version", "curves", "budget", "upper", "lower", "value", "spend_all") if k in problem}
        if problem.get("objective", "response") == "response":
            free = solver.solve(plain, time_limit=5.0, most=8)
            binding += free is None or free["value"] > value * (1 + 1e-6)
        else:
            binding += 1
        count += 1
    print(f"{name}: {count} cases, limits matter in {binding}; {second} second answers differ by at most {apart:.1e}; "
          f"SLSQP at most {above:.1e} above, on concave ones at most {below:.1e} below", flush=True)


def check_risk(cases, rng):
    apart, above = 0.0, -math.inf
    for case in cases:
        problem, value = case["problem"], case["expect"]["objective_value"]
        d = reference_risk.Drawn(problem)
        (kind, _), = problem["risk"].items()
        if kind == "cvar" and all(a.family == "linear" for a in d.p.arms) and d.draws * d.p.n < 20000:
            apart = max(apart, abs(reference_risk.one_program(d) - value) / abs(value))
        for _ in range(200):
            x = reference_limits.inner_plan(rng, problem)
            if d.p.worst(x) <= 1e-9:
                above = max(above, (d.objective(x) - value) / abs(value))
        if kind == "mean_minus_std":
            x = reference_risk.climb(d, reference_limits.inner_plan(rng, problem))
            if d.p.worst(x) <= 1e-9:
                above = max(above, (d.objective(x) - value) / abs(value))
    print(f"risk: {len(cases)} cases; CVaR as one linear program differs by at most {apart:.1e}; other plans at most {above:.1e} above")


def check_schedules(cases, rng):
    above, below = -math.inf, -math.inf
    for case in cases:
        problem, value = case["problem"], case["expect"]["objective_value"]
        s = reference_schedule.Schedule(problem)
        starts = [np.maximum(s.lower, np.minimum(s.upper, s.budget / s.T / s.n * spread(rng, 0.3, 2, (s.T, s.n)))) for _ in range(2)]
        found = [s.value(x) for x in (reference_schedule.climb(problem, start, 400) for start in starts) if s.worst(x) <= 1e-9]
        if found:
            above, below = max(above, (max(found) - value) / value), max(below, (value - max(found)) / value)
    print(f"schedule: {len(cases)} cases; SLSQP from other starts at most {above:.1e} above and {below:.1e} below")


def check_infeasible(cases, rng):
    met = 0
    for case in cases:
        problem = case["problem"]
        p = solver.Parsed(problem | {"spend_all": False} if problem.get("budget") is None else problem)
        top = np.minimum(p.upper, 1e3)
        for _ in range(500):
            x = np.minimum(top, np.maximum(p.lower, rng.uniform(0, 1, p.n) * top * (rng.random(p.n) < 0.7)))
            if p.spend_all and x.sum() > 0:
                x = x * p.budget / x.sum()
            met += max(breaches(problem, list(x)) if x.max() > 0 else 0.0 if not any(p.lower) else 1.0, p.worst(list(x))) <= 1e-9
    print(f"infeasible: {len(cases)} cases; {met} random plans meet all limits")


def check(name):
    rng = np.random.default_rng(1)
    cases = json.loads((reference_limits.HERE / f"{name}.json").read_text())["cases"]
    special = {"risk": check_risk, "schedule": check_schedules, "infeasible": check_infeasible}
    special[name](cases, rng) if name in special else check_allocations(name, cases, rng)
