"""An allocation problem read from its JSON: limits as plain numbers, values and breaches at a plan, pieces of the curves.

Curves are read as `reference.py` reads them; nothing here uses the engine.
"""

import math

import numpy as np

from reference import Arm, segment_arms

INF = math.inf


class Parsed:
    """A problem's limits in plain numbers; `rows` are the linear ones: (what, coefficients, low, high)."""

    def __init__(self, problem, without=()):
        self.problem = problem
        get = problem.get
        segments = problem["curves"]["curves"]
        places = [(s, i) for s in segments for i in range(segment_arms(s))]
        n = self.n = len(places)

        def per_arm(key, default):
            v = get(key)
            v = default if v is None else v
            v = v if isinstance(v, list) else [v] * n
            return [default if x is None else float(x) for x in v]

        dropped = lambda limit, arm=None, name=None: (limit, arm, name) in without
        keep = lambda limit, values, default: [default if dropped(limit, i) else v for i, v in enumerate(values)]
        value = per_arm("value", 1.0)
        self.value = value
        self.lower = keep("lower", per_arm("lower", 0.0), 0.0)
        self.upper = keep("upper", per_arm("upper", INF), INF)
        self.active_lower = keep("active_lower", per_arm("active_lower", 0.0), 0.0)
        self.arms = [Arm(s, i, v, 0.0, INF, None) for (s, i), v in zip(places, value)]
        self.budget = None if dropped("budget") else get("budget")
        self.spend_all = bool(get("spend_all")) and self.budget is not None
        self.current = get("current")
        self.objective = get("objective") or "response"
        self.target = {} if dropped("target") or dropped("marginal_roas") else (get("target") or {})
        self.activation_cost = per_arm("activation_cost", 0.0)
        self.max_active = None if dropped("max_active") else get("max_active")
        self.max_moves = None if dropped("max_moves") else get("max_moves")
        self.move_cost = per_arm("move_cost", 0.0)
        self.step = keep("step", per_arm("step", 0.0), 0.0)
        self.risk = get("risk")
        share, amount = per_arm("max_change", INF), per_arm("max_change_amount", INF)
        self.low, self.high = list(self.lower), list(self.upper)
        for i in range(n):
            if share[i] < INF and not dropped("max_change", i):
                self.low[i] = max(self.low[i], self.current[i] * (1 - share[i]))
                self.high[i] = min(self.high[i], self.current[i] * (1 + share[i]))
            if amount[i] < INF and not dropped("max_change_amount", i):
                self.low[i] = max(self.low[i], self.current[i] - amount[i])
                self.high[i] = min(self.high[i], self.current[i] + amount[i])
        seen = problem["curves"].get("observed_spend")
        self.penalty = [(INF, 0.0)] * n
        if get("extrapolation") is not None and seen:
            for i, (_, top) in enumerate(seen):
                if top is None:
                    continue
                if get("extrapolation") == "cap":
                    self.high[i] = self.high[i] if dropped("extrapolation", i) else min(self.high[i], top)
                else:
                    self.penalty[i] = (top, float(get("extrapolation")))
        for i, arm in enumerate(self.arms):
            if arm.family == "tabulated":
                self.high[i] = min(self.high[i], (arm.points[0][-1] - arm.offset) * arm.cost)
        self.reach = [min(h, self.budget if self.budget is not None else INF) for h in self.high]
        self.rows = self._rows(dropped)

    def members(self, group, trail=()):
        """Arms of a group, through groups of groups."""
        names = self.problem.get("names") or self.problem["curves"].get("names") or []
        groups = {g["name"]: g for g in self.problem.get("groups") or []}
        out = set()
        for m in group["members"]:
            if isinstance(m, int):
                out.add(m)
            elif m in groups:
                assert m not in trail
                out |= self.members(groups[m], (*trail, m))
            else:
                out.add(names.index(m))
        return out

    def _rows(self, dropped):
        n, rows = self.n, []
        if self.budget is not None:
            rows.append(("budget", np.ones(n), self.budget if self.spend_all else -INF, self.budget))
        for g in self.problem.get("groups") or []:
            inside = np.array([float(i in self.members(g)) for i in range(n)])
            for key, low, high in (("lower", g.get("lower"), None), ("upper", None, g.get("upper"))):
                if g.get(key) is not None and not dropped(f"group_{key}", None, g["name"]):
                    rows.append((f"group_{key} {g['name']}", inside, -INF if low is None else low,
                                 INF if high is None else high))
            for key in ("share_lower", "share_upper"):
                if g.get(key) is not None and not dropped(f"group_{key}", None, g["name"]):
                    a = inside - g[key]
                    rows.append((f"group_{key} {g['name']}", a, 0.0 if key == "share_lower" else -INF,
                                 INF if key == "share_lower" else 0.0))
        coupling = self.problem.get("coupling")
        if coupling:
            names = coupling.get("names") or [None] * len(coupling["upper"])
            labels = self.problem.get("names") or []
            for j, (row, upper, name) in enumerate(zip(coupling["matrix"], coupling["upper"], names)):
                if dropped("coupling", None, name if name is not None else j):
                    continue
                a = np.zeros(n)
                for arm, c in zip(row["arms"], row["coefficients"]):
                    a[arm if isinstance(arm, int) else labels.index(arm)] += c
                rows.append((f"coupling {j}", a, -INF, upper))
        return rows

    # --- values at a plan -------------------------------------------------------------------------

    def totals(self, x):
        """v f(x) per arm."""
        with np.errstate(all="ignore"):
            return np.array([float(a.total(np, np.float64(v))) for a, v in zip(self.arms, x)])

    def costs(self, x):
        cost = sum(c for c, v in zip(self.activation_cost, x) if v > 0)
        if any(self.move_cost):
            cost += sum(c * abs(v - u) for c, v, u in zip(self.move_cost, x, self.current))
        return cost + sum(c * max(0.0, v - top) for (top, c), v in zip(self.penalty, x) if top < INF)

    def objective_value(self, x):
        base = 0.0 if self.objective == "spend" else math.fsum(self.totals(x))
        return base - (0.0 if self.objective == "response" else math.fsum(x)) - self.costs(x)

    def violations(self, x):
        """Relative violation of every limit at x: list of (what, how much)."""
        size = max(max(np.abs(x)), self.budget or 0.0, 1e-300)
        out = []
        for i, v in enumerate(x):
            out.append((f"lower {i}", (self.low[i] - v) / size))
            out.append((f"upper {i}", (v - self.high[i]) / size))
            if self.active_lower[i] > 0 and v > 0:
                out.append((f"active_lower {i}", (self.active_lower[i] - v) / size))
            if self.step[i] > 0:
                out.append((f"step {i}", abs(v / self.step[i] - round(v / self.step[i])) * self.step[i] / size))
        for what, a, low, high in self.rows:
            y, scale = a @ np.array(x), max(size, abs(low) if low > -INF else 0, abs(high) if high < INF else 0)
            scale *= max(1.0, np.abs(a).max())
            out += [(what, (low - y) / scale if low > -INF else 0.0), (what, (y - high) / scale if high < INF else 0.0)]
        if self.max_active is not None:
            out.append(("max_active", max(0, sum(v > 0 for v in x) - self.max_active)))
        if self.max_moves is not None:
            moved = sum(abs(v - u) > 1e-9 * size for v, u in zip(x, self.current))
            out.append(("max_moves", max(0, moved - self.max_moves)))
        for kind, r in self.target.items():
            f = self.totals(x)
            if kind == "response":
                out.append(("target", (r - f.sum()) / abs(r)))
            if kind == "roas":
                out.append(("target", (r * sum(x) - f.sum()) / max(f.sum(), 1e-300)))
            if kind == "cpa":
                plain = math.fsum(y / v for y, v in zip(f, self.value))
                out.append(("target", (sum(x) - r * plain) / max(sum(x), 1e-300)))
            if kind == "marginal_roas":
                for i, v in enumerate(x):
                    if v > self.lower[i] + 1e-12 * size:
                        out.append(("target", (r - float(self.arms[i].slope(np, np.float64(v)))) / r))
        return out

    def worst(self, x):
        return max(v for _, v in self.violations(x))


def inflection(arm):
    """Spend at which the curve turns from convex to concave (None where it is concave); one draw only."""
    terms = arm.draws if arm.family != "tabulated" else []
    if arm.family in ("hill", "hill_sigmoid") and len(terms) * len(terms[0]) > 1:
        assert all(p[2] <= 1 for t in terms for p in t) and arm.family == "hill", "several S-shaped draws"
        return None
    if arm.family == "hill" and terms[0][0][2] > 1:
        _, k, s = terms[0][0]
        u = k * ((s - 1) / (s + 1)) ** (1 / s)
    elif arm.family == "hill_sigmoid":
        u = terms[0][0][2]
    else:
        return None
    return (u - arm.offset) * arm.cost


def slope_root(arm, r, low, high):
    """Spend in [low, high] at which a monotone slope is r (bisection)."""
    sign = 1.0 if arm.slope(np, np.float64(low)) > arm.slope(np, np.float64(high)) else -1.0
    for _ in range(200):
        mid = (low + high) / 2
        if sign * (float(arm.slope(np, np.float64(mid))) - r) > 0:
            low = mid
        else:
            high = mid
    return (low + high) / 2


def intervals(p, i):
    """The spends that the limits of arm i alone allow: closed intervals within what the budget reaches."""
    low, high, active = p.low[i], p.reach[i], p.active_lower[i]
    if active > 0:
        out = [(0.0, 0.0)] if low <= 0 else []
        out += [(max(active, low), high)] if max(active, low) <= high else []
    else:
        out = [(low, high)] if low <= high else []
    if "marginal_roas" in p.target:
        r, arm, inside = p.target["marginal_roas"], p.arms[i], []
        turn = inflection(arm)
        slope = lambda x: float(arm.slope(np, np.float64(x)))
        for a, b in out:
            cuts = [a] + ([turn] if turn is not None and a < turn < b else []) + [b]
            good = []
            for c, d in zip(cuts, cuts[1:]):
                sc, sd = slope(c), slope(d)
                if sc >= r and sd >= r:
                    good.append((c, d))
                elif sc >= r or sd >= r:
                    x = slope_root(arm, r, c, d)
                    good.append((c, x) if sc >= r else (x, d))
            if a == p.lower[i] and not any(g[0] == a for g in good):
                good.insert(0, (a, a))
            inside += good
        out = inside
    return out


def pieces(p, i):
    """Pieces (low, high, kind, active, moved) of arm i: kind is "point", "concave", "convex"."""
    arm, out = p.arms[i], []
    points = set()
    if p.max_active is not None or p.activation_cost[i] > 0:
        points.add(0.0)
    if p.max_moves is not None:
        points.add(float(p.current[i]))
    turn = inflection(arm)
    for a, b in intervals(p, i):
        inside = sorted(x for x in points if a <= x <= b)
        out += [(x, x, "point") for x in inside]
        if a == b:
            out += [(a, b, "point")] if a not in inside else []
            continue
        if arm.family == "tabulated":
            money = [(u - arm.offset) * arm.cost for u in arm.points[0]]
            slopes = np.diff(arm.points[1]) / np.diff(arm.points[0])
            if all(np.diff(slopes) <= 0):
                out.append((a, b, "concave"))
            else:
                cuts = [a] + [m for m in money if a < m < b] + [b]
                out += [(c, d, "convex") for c, d in zip(cuts, cuts[1:])]
        elif turn is not None and turn > a:
            out.append((a, min(turn, b), "convex"))
            if turn < b:
                out.append((turn, b, "concave"))
        else:
            out.append((a, b, "concave"))
    current = p.current[i] if p.current else None
    return [(a, b, kind, not (a == b == 0.0), not (a == b == current)) for a, b, kind in out]
