"""Independent references for goals, groups, activation, moves and steps; and the door to those of the other files.

    python reference_limits.py            write the files (seed: SEED)
    python reference_limits.py --check    solve every case a second way and report the differences
    python reference_limits.py NAME ...   only these files, e.g. `goals steps`

Needs numpy, scipy, mpmath, highspy, cvxpy, clarabel. Nothing here uses the engine: curves are read as `reference.py`
reads them, problems are read by `reference_problem.py` and solved by `reference_solver.py` (bound and answer meet), risk and schedules by
`reference_risk.py` and `reference_schedule.py`, conflicts by `reference_infeasible.py`; a few at the ends by hand in
`reference_edges.py`, second methods in `reference_check.py`.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np

import reference_edges
import reference_solver as solver
from reference import concave_families, random_problem, short, spread

HERE = Path(__file__).resolve().parent
SEED = 20250311
SMOOTH = ("logarithmic", "power", "exponential", "michaelis_menten", "hill", "logistic", "tanh")


# ---------------------------------------------------------------------------------------------
# 1. Cases from answers
# ---------------------------------------------------------------------------------------------


def strictly_concave(problem):
    """Whether the best spends are unique where the limits are convex: every curve bends everywhere."""
    p = solver.Parsed(problem)
    return all(a.family in SMOOTH and solver.inflection(a) is None and a.weight > 0
               and not (a.family == "power" and any(q[1] == 1 for t in a.draws for q in t)) for a in p.arms)


def case(name, problem, got):
    """The case with what is known of its answer, or None where the reference did not prove it or it is senseless."""
    if got is None or got["worst"] > 2e-9:
        return None
    p = solver.Parsed(problem)
    scale = math.fsum(np.abs(p.totals(got["spend"]))) if p.objective == "profit" else 0.0
    if abs(got["value"]) < 1e-2 * scale or abs(got["value"]) < 1e-9:
        return None  # a relative tolerance would ask too much of a difference that is almost nothing
    model = solver.Allocation(p)
    concave = not model.integers
    if abs(got["value"]) < 1e-3 * model.U or sum(got["spend"]) < 1e-3 * model.X:
        return None  # too small a part of what the solver's tolerances are measured by
    expect = {"objective_value": got["value"], "objective_tolerance": 1e-7 if concave else 1e-6}
    if got["gap"] <= 2e-8:
        expect = {"status": "optimal"} | expect | {"gap_at_most": 1e-6}
    elif got["gap"] <= 1e-3:
        expect |= {"at_least": True}
    else:
        return None
    if problem.get("objective") == "spend":
        expect |= {"total_spend": math.fsum(got["spend"]), "total_spend_tolerance": expect["objective_tolerance"]}
        if any(p.activation_cost) or any(p.move_cost):
            expect.pop("total_spend"), expect.pop("total_spend_tolerance")
    elif concave and got["gap"] <= 2e-9 and strictly_concave(problem):
        expect |= {"spend": got["spend"], "spend_tolerance": 2e-4}
    return {"name": name, "problem": problem, "expect": expect}


def collect(wanted, make, rng, time_limit=10.0):
    """`wanted` cases from `make(index)`, which gives (name, problem) or None."""
    cases, tries = [], 0
    while len(cases) < wanted:
        tries += 1
        if tries > 12 * wanted + 20:
            raise ArithmeticError("too few cases")
        made = make(len(cases), rng)
        if made is None:
            continue
        name, problem = made
        found = case(name, problem, solver.solve(problem, time_limit=time_limit, most=25))
        if found:
            cases.append(found)
    return cases


def scales(rng):
    return float(rng.choice([1.0, 100.0, 1e4, 1e6])), float(rng.choice([1.0, 30.0, 1e3, 1e5]))


def s_families(rng, n):
    """Half S-shaped, half concave; at least one S."""
    out = [str(rng.choice(["hill", "hill_sigmoid"])) for _ in range(max(1, n // 2))]
    out += [str(rng.choice(["logarithmic", "michaelis_menten", "exponential", "tanh", "power", "linear"]))
            for _ in range(n - len(out))]
    return sorted(out)


def base(rng, n, shaped=False, smooth=False, money=False, extras=True, **options):
    """A one-budget problem with finite upper bounds; `money`: responses are of the size of the spends."""
    s, r = scales(rng)
    if money:
        r = s * float(rng.choice([1.5, 2.5, 4.0]))
    families = s_families(rng, n) if shaped else concave_families(rng, n)
    if smooth:
        families = sorted(str(f) for f in rng.choice(SMOOTH, n))
        families = s_families(rng, n) if shaped else families
        families = ["michaelis_menten" if f == "linear" else f for f in families]
    options = {"load": float(rng.choice([0.3, 0.6, 1.0])), "uppers": "all", "lowers": rng.random() < 0.4,
               "values": rng.random() < 0.4 and not money} | options
    problem = random_problem(rng, families, s, r, s_shaped=shaped, extras=extras, **options)
    return problem, s, r


def best(problem):
    """A good plan to aim limits at; no proof wanted."""
    return solver.solve(problem, time_limit=5.0, most=8)


def inner_plan(rng, problem, total=None):
    """A random plan within the bounds of the arms that spends `total` (default: the budget, or what fits)."""
    p = solver.Parsed(problem)
    low, high = np.array(p.low), np.array(p.reach)
    total = p.budget if total is None else total
    total = min(max(total, low.sum()), low.sum() + 0.97 * (high - low).sum())
    if p.spend_all:
        total = p.budget
    x = low.copy()
    weights = spread(rng, 0.2, 5, p.n)
    for _ in range(200):
        rest = total - x.sum()
        if rest <= 1e-12 * total:
            break
        open_ = x < high - 1e-12 * total
        x = np.minimum(high, x + rest * weights * open_ / (weights * open_).sum())
    return x


# ---------------------------------------------------------------------------------------------
# 2. The files
# ---------------------------------------------------------------------------------------------


def goals(rng):
    sizes = [1, 2, 2, 3, 3, 4, 5, 6, 8, 10, 12, 20, 30]
    size = lambda at: sizes[at % len(sizes)]
    out = []

    def least_spend(shaped):
        def make(at, rng):
            n = [2, 3, 4, 5, 6][at % 5] if shaped else size(at)
            problem, _, _ = base(rng, n, shaped)
            p = solver.Parsed(problem)
            least, most = p.totals(p.low).sum(), best(problem)["value"]
            problem |= {"objective": "spend", "target": {"response": short(least + (most - least) * rng.uniform(0.3, 0.95))}}
            if at % 2:
                problem.pop("budget")
            return f"least spend, {'S-shaped' if shaped else 'concave'} {at + 1}, {n} arms", problem
        return make

    def ratio(kind, shaped):
        def make(at, rng):
            n = [2, 3, 4, 5][at % 4] if shaped else size(at + 1)
            problem, _, _ = base(rng, n, shaped, extras=kind != "cpa", smooth=kind == "marginal_roas",
                                 money=at % 3 == 0 or kind != "marginal_roas" and at % 5 == 4)
            got = best(problem)
            p = solver.Parsed(problem)
            plain = math.fsum(y / v for y, v in zip(p.totals(got["spend"]), p.value))
            reached = got["value"] / sum(got["spend"])
            slack = at % 4 == 3
            factor = 0.8 if slack else rng.uniform(1.05, 1.4)
            if kind == "roas":
                level = reached * factor
            elif kind == "cpa":
                level = sum(got["spend"]) / plain / factor
            else:
                level = rng.uniform(0.2, 2.0) * reached
            problem["target"] = {kind: short(level)}
            name = {"roas": "ROAS floor", "cpa": "CPA cap", "marginal_roas": "marginal ROAS floor"}[kind]
            if kind == "marginal_roas" and at % 3 == 1:
                problem.pop("budget")
            if kind != "marginal_roas" and at % 5 == 4:
                problem["objective"] = "profit"
            return f"{name}, {'S-shaped' if shaped else 'concave'} {at + 1}, {n} arms", problem
        return make

    def profit(shaped, target):
        def make(at, rng):
            n = [2, 3, 4, 6][at % 4] if shaped else size(at + 1)
            problem, _, _ = base(rng, n, shaped, money=True)
            problem["objective"] = "profit"
            if target:
                got = best(problem)
                most = best(problem | {"objective": "response"})
                if got is None:
                    return None
                now = solver.Parsed(problem).totals(got["spend"]).sum()
                problem["target"] = {"response": short(now + 0.6 * (most["value"] - now))}
            elif at % 2:
                problem.pop("budget")
            what = "profit with a response target" if target else "profit"
            return f"{what}, {'S-shaped' if shaped else 'concave'} {at + 1}, {n} arms", problem
        return make

    def observed(shaped):
        def make(at, rng):
            n = [2, 3, 4, 6][at % 4]
            problem, s, _ = base(rng, n, shaped)
            got = best(problem)
            if got is None:
                return None
            top = [short(max(0.1 * s, x * v), 3) if rng.random() < 0.8 else None
                   for x, v in zip(got["spend"], rng.uniform(0.4, 1.3, n))]
            if problem.get("lower") and any(t is not None and t < l for t, l in zip(top, problem["lower"])):
                return None
            problem["curves"]["observed_spend"] = [[0.0, t] for t in top]
            price = got["value"] / sum(got["spend"])
            problem["extrapolation"] = "cap" if at % 2 else short(price * rng.uniform(0.1, 0.8), 3)
            what = "observed spends as caps" if at % 2 else "a price on spends above the observed"
            return f"{what}, {'S-shaped' if shaped else 'concave'} {at + 1}, {n} arms", problem
        return make

    out += collect(6, observed(False), rng)
    out += collect(3, observed(True), rng)
    out += collect(15, least_spend(False), rng)
    out += collect(7, least_spend(True), rng)
    for kind in ("roas", "cpa", "marginal_roas"):
        out += collect(9, ratio(kind, False), rng)
        out += collect(4, ratio(kind, True), rng)
    out += collect(11, profit(False, False), rng)
    out += collect(6, profit(True, False), rng)
    out += collect(4, profit(False, True), rng)
    return out


def tree(rng, members, depth, groups, label, top=True):
    """A random tree over arms; appends groups (subgroups first) and returns the members that stand for it."""
    if depth == 0 or len(members) < 2:
        return list(members)
    parts = np.array_split(rng.permutation(members), min(len(members), int(rng.integers(2, 4))))
    inside = []
    for k, part in enumerate(parts):
        part = [int(i) for i in sorted(part)]
        name = f"{label}{k}"
        below = tree(rng, part, depth - 1, groups, name + ".", False)
        groups.append({"name": name, "members": below})
        inside.append(name)
    return inside


def limit_groups(rng, problem, groups, start, goal):
    """Limits between what a feasible plan and the plan without limits give each group."""
    total = start.sum()
    probe = solver.Parsed(problem | {"groups": groups})
    for g in groups:
        if rng.random() < 0.25 and len(groups) > 2:
            continue
        inside = [i in probe.members(g) for i in range(probe.n)]
        here, there = start[inside].sum(), goal[inside].sum()
        share = rng.random() < 0.4 and problem.get("spend_all") or rng.random() < 0.2
        if share:
            here, there = here / total, there / max(goal.sum(), 1e-300)
        level = here + rng.uniform(0.1, 0.8) * (there - here)
        key = ("share_" if share else "") + ("upper" if there > here else "lower")
        g[key] = short(level, 4)
        if rng.random() < 0.3:
            key = ("share_" if share else "") + ("lower" if there > here else "upper")
            g[key] = short(here * (0.6 if there > here else 1.5), 3)
            if share and key.startswith("share_u"):
                g[key] = min(1.0, g[key])
    return [{k: v for k, v in g.items()} for g in groups]


def group_problem(at, rng, n, shaped, what, money=False):
    problem, s, _ = base(rng, n, shaped, spend_all=rng.random() < 0.4, money=money, lowers=rng.random() < 0.2)
    if money and not problem.get("spend_all"):
        problem["objective"] = "profit"
    goal = best(problem)
    if goal is None:
        return None
    start, goal = inner_plan(rng, problem), np.array(goal["spend"])
    if what in ("tree", "both", "overlap"):
        groups = []
        depth = 1 + at % 4
        tree(rng, list(range(n)), depth, groups, "g")
        if what == "overlap" and n > 3:
            groups.append({"name": "across", "members": [0, n // 2, n - 1]})
        problem["groups"] = limit_groups(rng, problem, groups, start, goal)
        if at % 5 == 0:
            problem["names"] = [f"arm {i}" for i in range(n)]
            problem["groups"] = [g | {"members": [f"arm {m}" if isinstance(m, int) else m for m in g["members"]]}
                                 for g in problem["groups"]]
    if what in ("ratio", "both"):
        rows, upper = [], []
        for _ in range(int(rng.integers(1, max(2, n // 2) + 1))):
            a, b = (int(i) for i in rng.choice(n, 2, replace=False))
            half = goal[a] / goal[b] if goal[b] > 0 else 0.0
            fits = start[a] / start[b]
            level = short(math.sqrt(max(half, 0.3 * fits) * fits), 2)
            if half < fits:  # at least `level` of b
                rows.append({"arms": [b, a], "coefficients": [level, -1.0]})
            else:  # at most
                rows.append({"arms": [a, b], "coefficients": [1.0, -level]})
            upper.append(0.0)
        problem["coupling"] = {"upper": upper, "matrix": rows}
    if what == "grid":
        across = max(2, int(math.sqrt(n)))
        cells = [[i for i in range(n) if i % across == k] for k in range(across)]
        cells += [[i for i in range(n) if i // across == k] for k in range((n + across - 1) // across)]
        rows = [{"arms": c, "coefficients": [1.0] * len(c)} for c in cells]
        upper = [short(start[c].sum() + 0.4 * max(0.0, goal[c].sum() - start[c].sum()) + 1e-3 * s, 4) for c in cells]
        problem["coupling"] = {"upper": upper, "matrix": rows, "names": [f"cell {k}" for k in range(len(cells))]}
    if what == "general":
        rows, upper = [], []
        for _ in range(int(rng.integers(1, 4))):
            arms = sorted(int(i) for i in rng.choice(n, int(rng.integers(2, min(n, 5) + 1)), replace=False))
            c = [short(v, 3) for v in rng.normal(size=len(arms))]
            here, there = np.dot(c, start[arms]), np.dot(c, goal[arms])
            if there < here:
                c, here, there = [-v for v in c], -here, -there
            rows.append({"arms": arms, "coefficients": c})
            upper.append(short(here + 0.3 * (there - here) + 1e-3 * s, 4))
        problem["coupling"] = {"upper": upper, "matrix": rows}
    kind = "S-shaped" if shaped else "concave"
    word = {"tree": f"tree of depth {1 + at % 4}", "both": "tree and ratios", "overlap": "overlapping groups",
            "ratio": "ratios", "grid": "grid", "general": "rows of any sign"}[what]
    return f"{word}, {kind} {at + 1}, {n} arms", problem


def groups(rng):
    out = []
    plans = (("tree", 20, 12), ("both", 6, 4), ("overlap", 6, 3), ("ratio", 7, 5), ("grid", 6, 3), ("general", 5, 3))
    for what, concave, shaped in plans:
        sizes = [2, 4, 5, 6, 8, 10, 12, 20, 30, 40] if what in ("tree", "both") else [2, 4, 5, 6, 8, 9, 12]
        least = {"grid": 4, "overlap": 4}.get(what, 2)
        make = lambda at, rng: group_problem(at, rng, max(least, sizes[at % len(sizes)]), False, what, at % 6 == 5)
        out += collect(concave, make, rng)
        make = lambda at, rng: group_problem(at, rng, max(least, [3, 4, 5, 6][at % 4]), True, what, at % 4 == 3)
        out += collect(shaped, make, rng)
    return out


def activation(rng):
    def make(at, rng):
        shaped = at % 3 == 2
        n = [2, 3, 4, 5, 6, 7, 8][at % 7] if not shaped else [2, 3, 4, 5, 6][at % 5]
        money = at % 5 == 4
        problem, s, r = base(rng, n, shaped, lowers=False, money=money, spend_all=at % 4 == 3)
        words = []
        if at % 4 in (0, 1) or at % 7 == 0:
            got = best(problem)
            typical = got["value"] / n if got else r
            cost = short(typical * spread(rng, 0.05, 0.8, n), 3)
            problem["activation_cost"] = cost if at % 8 else cost[0]
            words.append("activation cost")
        if at % 4 in (1, 2, 3):
            problem["max_active"] = int(rng.integers(1, n)) if n > 1 else 1
            words.append("at most k")
        if at % 3 == 1:
            low = short(s * rng.uniform(0.1, 0.8, n), 3)
            upper = problem["upper"]
            problem["active_lower"] = [min(a, short(0.9 * u, 3)) if rng.random() < 0.6 else None for a, u in zip(low, upper)]
            words.append("minimum")
        if money and not problem.get("spend_all"):
            problem["objective"] = "profit"
        if at % 10 == 9:
            problem["groups"] = [{"name": "first", "members": list(range((n + 1) // 2)),
                                  "share_upper": short(rng.uniform(0.4, 0.7), 2)}]
            words.append("a group")
        if at % 12 == 6:
            problem["objective"] = "spend"
            got = best({k: v for k, v in problem.items() if k not in ("objective", "activation_cost")})
            if got is None:
                return None
            problem["target"] = {"response": short(0.7 * got["value"])}
            if "activation_cost" in problem:
                problem["activation_cost"] = short(s * 0.2)
            words.append("least spend")
        kind = "S-shaped" if shaped else "concave"
        return f"{', '.join(words)}, {kind} {at + 1}, {n} arms", problem

    def together(at, rng):
        """Many kinds of limits at once."""
        shaped, n = at % 3 == 2, [4, 5, 6, 7][at % 4]
        made = group_problem(at, rng, n, shaped, ["tree", "both", "general"][at % 3])
        if made is None:
            return None
        problem = made[1]
        top = problem["upper"]
        problem["current"] = [min(v, u) for v, u in zip(short(inner_plan(rng, problem), 3), top)]
        got = solver.solve(problem, time_limit=5.0, most=8)
        if got is None:
            return None
        problem["max_active"] = max(1, n - 1)
        if at % 2:
            problem["activation_cost"] = short(got["value"] / n * 0.2, 2)
        else:
            problem["move_cost"] = short(abs(got["value"]) / sum(got["spend"]) * 0.1, 2)
        if at % 4 == 1 and not problem.get("spend_all"):
            problem["step"] = [short(sum(got["spend"]) / n / 10, 1) if i % 2 else None for i in range(n)]
        if at % 4 == 2:
            problem["max_moves"] = n - 2
        return f"together, {made[0].replace(f' {at + 1},', ',')}, {at + 1}", problem

    return collect(50, make, rng) + collect(10, together, rng)


def moves(rng):
    def make(at, rng):
        shaped = at % 10 in (3, 6, 9)
        n = [2, 3, 4, 5, 6, 8][at % 6] if not shaped else [2, 3, 4, 5][at % 4]
        problem, s, r = base(rng, n, shaped, lowers=rng.random() < 0.2, spend_all=at % 3 == 1)
        now = short(inner_plan(rng, problem), 4)
        if rng.random() < 0.3:
            now[int(rng.integers(n))] = 0.0
            now = [max(a, b) for a, b in zip(now, solver.Parsed(problem).lower)]
        now = [min(a, b) for a, b in zip(now, problem["upper"])]
        problem["current"] = now
        words, kind = [], at % 5
        if kind in (0, 3):
            share = [0.1, 0.2, 0.3, 0.5][at % 4]
            problem["max_change"] = share if at % 2 else [short(share * (1 + 0.5 * (i % 3)), 3) for i in range(n)]
            words.append("change by a share")
        if kind == 1 or at % 11 == 5:
            amounts = [short(s * rng.uniform(0.05, 0.5), 2) for _ in range(n)]
            problem["max_change_amount"] = amounts[0] if at % 2 else [None if i % 3 == 2 else a for i, a in enumerate(amounts)]
            words.append("change by an amount")
        if kind in (2, 3):
            problem["max_moves"] = int(rng.integers(1, n)) if n > 1 else 1
            words.append("at most k moves")
        if kind == 4 or at % 7 == 2:
            got = best({k: v for k, v in problem.items() if k not in ("max_change", "max_change_amount")})
            if got is None:
                return None
            price = abs(got["value"]) / max(sum(got["spend"]), 1e-300)
            problem["move_cost"] = short(price * rng.uniform(0.02, 0.5), 3) if at % 2 else short(price * spread(rng, 0.01, 1, n), 3)
            words.append("moves cost")
        shape = "S-shaped" if shaped else "concave"
        return f"{', '.join(words)}, {shape} {at + 1}, {n} arms", problem

    return collect(50, make, rng)


def steps(rng):
    def make(at, rng):
        shaped = at % 5 in (2, 4)
        n = [2, 3, 4, 5, 6, 8][at % 6] if not shaped else [2, 3, 4][at % 3]
        money = at % 7 == 6
        problem, s, r = base(rng, n, shaped, lowers=rng.random() < 0.3, money=money, load=float(rng.choice([0.4, 0.8])))
        unit = s * float(rng.choice([0.01, 0.05, 0.1, 0.25]))
        if at % 3 == 0:
            step = unit
        else:
            step = [short(unit * v, 3) for v in rng.choice([1, 2, 2.5, 5], n)]
            if at % 3 == 2 and n > 2:
                step[int(rng.integers(n))] = None
        problem["step"] = step
        words = ["one step" if at % 3 == 0 else "steps"]
        if at % 4 == 1 and at % 3 == 0:
            problem["budget"] = short(unit * round(problem["budget"] / unit), 12)
            problem["spend_all"] = True
            words.append("all is spent")
        if at % 6 == 3 and n > 2:
            start, goal = inner_plan(rng, problem), best({k: v for k, v in problem.items() if k != "step"})
            if goal is None:
                return None
            groups = []
            tree(rng, list(range(n)), 1 + at % 2, groups, "g")
            problem["groups"] = limit_groups(rng, problem, groups, start, np.array(goal["spend"]))
            words.append("groups")
        if money and not problem.get("spend_all"):
            problem["objective"] = "profit"
        kind = "S-shaped" if shaped else "concave"
        return f"{', '.join(words)}, {kind} {at + 1}, {n} arms", problem

    return collect(50, make, rng)


def files():
    """Name of the file -> (what its source says, how it is made)."""
    proof = "tangents, secants and HiGHS until bound and answer meet (reference_solver.py)"
    out = {"goals": (proof, goals), "groups": (proof, groups), "activation": (proof, activation),
           "moves": (proof, moves), "steps": (proof, steps)}
    for module, names in (("reference_risk", ["risk"]), ("reference_schedule", ["schedule"]),
                          ("reference_infeasible", ["infeasible"])):
        try:
            loaded = __import__(module)
        except ModuleNotFoundError:
            continue
        for name in names:
            out[name] = (loaded.SOURCE, loaded.cases)
    return out


def write(name):
    import highspy
    import scipy
    source, make = files()[name]
    cases = make(np.random.default_rng([SEED, sum(map(ord, name))]))
    cases += reference_edges.cases().get(name, [])
    versions = f"numpy {np.__version__}, scipy {scipy.__version__}, HiGHS {highspy.Highs().version()}"
    head = json.dumps(f"reference_limits.py, seed {SEED}; {source}. {versions}")
    body = ",\n".join("  " + json.dumps(c, allow_nan=False) for c in cases)
    (HERE / f"{name}.json").write_text(f'{{"source": {head},\n "cases": [\n{body}\n]}}\n')
    loose = sum("at_least" in c["expect"] for c in cases)
    print(f"{name}: {len(cases)} cases, {loose} of them without proof", flush=True)


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if a != "--check"]
    if "--check" in sys.argv:
        from reference_check import check
        for file in arguments or files():
            check(file)
    else:
        for file in arguments or files():
            write(file)
