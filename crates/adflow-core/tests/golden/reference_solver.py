"""Outer approximation: allocation problems with limits solved to proven optimality, without the engine.

The problem is written as a mixed-integer linear program in which every curve is bounded from above,

    on a concave piece by tangents            t <= f(p) z + f'(p) (x - p z)
    on a convex piece [a, b] by its secant    t <= f(a) z + (f(b) - f(a)) / (b - a) (x - a z)

with z = 1 on the piece that the arm is on. Its optimum is a bound; the curves' own values at its spends, and at those
that follow when whole numbers are kept, are answers. Tangents are added and convex pieces split where the bound was
reached, until bound and answer meet. `solve` returns both, so every value comes with its own proof.

Needs highspy (HiGHS), numpy, scipy. Problems and curves are read by `reference_problem.py`.
"""

import math

import highspy
import numpy as np
from scipy.optimize import minimize

from reference_problem import Parsed, inflection, pieces  # `inflection` is for those who import this

INF = math.inf


# ---------------------------------------------------------------------------------------------
# 1. The linear program that grows
# ---------------------------------------------------------------------------------------------


class Growing:
    """A mixed-integer program in HiGHS with curves bounded from above; all numbers are scaled to about 1."""

    def __init__(self):
        self.h = highspy.Highs()
        for key, v in (("output_flag", False), ("threads", 1), ("primal_feasibility_tolerance", 1e-10),
                       ("dual_feasibility_tolerance", 1e-10), ("mip_feasibility_tolerance", 1e-9),
                       ("mip_rel_gap", 1e-10), ("mip_abs_gap", 1e-11), ("random_seed", 1)):
            self.h.setOptionValue(key, v)
        self.h.changeObjectiveSense(highspy.ObjSense.kMaximize)
        self.columns, self.integers, self.curves = 0, [], []

    def column(self, low, high, cost=0.0, whole=False, rows=None):
        rows = rows or {}
        self.h.addCol(cost, low, high, len(rows), np.array(list(rows), dtype=np.int32),
                      np.array(list(rows.values()), dtype=float))
        self.columns += 1
        if whole:
            self.integers.append(self.columns - 1)
        return self.columns - 1

    def row(self, low, high, entries):
        entries = {k: v for k, v in entries.items() if v != 0}
        self.h.addRow(low, high, len(entries), np.array(list(entries), dtype=np.int32),
                      np.array(list(entries.values()), dtype=float))
        return self.h.getNumRow() - 1

    def curve(self, x, t, z, value, slope, low, high, kind):
        """t <= curve(x) on [low, high]; z: column that is 1 on this piece, or None."""
        c = {"x": x, "t": t, "z": z, "value": value, "slope": slope, "low": low, "high": high, "kind": kind,
             "at": set()}
        self.curves.append(c)
        if kind == "concave":
            for k in range(25):
                self.tangent(c, low + (high - low) * 10 ** (-k / 3))
            self.tangent(c, low)
        elif kind == "convex":
            self._below(c, low, value(low), (value(high) - value(low)) / (high - low))
        return c

    def tangent(self, c, p):
        with np.errstate(all="ignore"):
            slope = c["slope"](p)
        if p in c["at"] or not math.isfinite(slope):
            return False
        c["at"].add(p)
        self._below(c, p, c["value"](p), slope)
        return True

    def _below(self, c, p, f, slope):
        size = max(1.0, abs(slope))
        start = (f - slope * p) / size
        entries = {c["t"]: 1 / size, c["x"]: -slope / size}
        if c["z"] is not None:
            entries[c["z"]] = -start
            start = 0.0
        self.row(-INF, start, entries)

    def whole(self, yes):
        kind = highspy.HighsVarType.kInteger if yes else highspy.HighsVarType.kContinuous
        for j in self.integers:
            self.h.changeColIntegrality(j, kind)

    def run(self):
        """(objective, columns), or None where infeasible."""
        self.h.run()
        status = self.h.getModelStatus()
        if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            return None
        info = self.h.getInfo()
        if status not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kTimeLimit):
            self.h.clearSolver()
            self.h.run()
            status = self.h.getModelStatus()
            if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
                return None
            if status != highspy.HighsModelStatus.kOptimal:
                raise ArithmeticError(str(status))
        mip = self.integers and self.h.getLp().integrality_ and any(
            k == highspy.HighsVarType.kInteger for k in self.h.getLp().integrality_)
        bound = info.mip_dual_bound if mip else info.objective_function_value
        return bound, np.array(self.h.getSolution().col_value)

    def excess(self, c, columns):
        on = 1.0 if c["z"] is None else columns[c["z"]]
        if on < 0.5:
            return 0.0, None
        x = min(max(columns[c["x"]], c["low"]), c["high"])
        return columns[c["t"]] - c["value"](x), x

    def refine(self, columns, convex=False):
        """Tangents where the bound is above the curves; the sum of the excesses."""
        total = 0.0
        for c in list(self.curves):
            if c["kind"] == "dead":
                continue
            z = 1.0 if c["z"] is None else columns[c["z"]]
            if z < 1e-6:
                continue
            x = min(max(columns[c["x"]] / z, c["low"]), c["high"])
            excess = columns[c["t"]] - z * c["value"](x)
            total += max(0.0, excess)
            if excess <= 1e-14:
                continue
            if c["kind"] == "concave":
                if not self.tangent(c, x):  # an infinite slope: come closer
                    inner = min([q for q in c["at"] if q > x], default=c["high"])
                    self.tangent(c, x + (inner - x) / 30)
        return total

    def lp_rounds(self, most, done=2e-12):
        """Linear programs until the bound is on the curves: (objective, columns, excess) or None."""
        best = None
        for turn in range(most):
            got = self.run()
            if got is None:
                return None
            excess = self.refine(got[1])
            if best is None or excess < best[2]:
                best = (*got, excess)
            if excess <= done:
                break
        return best


# ---------------------------------------------------------------------------------------------
# 2. Allocation problems
# ---------------------------------------------------------------------------------------------


class Allocation(Growing):
    """An allocation problem as a growing program."""

    def __init__(self, p):
        super().__init__()
        self.p, n = p, p.n
        finite = [r for r in p.reach if r < INF]
        self.X = X = p.budget if p.budget else max(finite + [1e-300])
        top = [r if r < INF else X for r in p.reach]
        self.T = T = max(math.fsum(np.abs(p.totals(top))), 1e-300) if p.objective != "spend" or p.target else 1.0
        # objective in units of T (spend: of X)
        U = self.U = X if p.objective == "spend" else T
        self.money = X / U
        gain = 0.0 if p.objective == "spend" else 1.0
        self.x = [self.column(0, INF, -self.money if p.objective != "response" else 0.0) for _ in range(n)]
        self.t = [self.column(-INF, INF, gain) for _ in range(n)]
        count_active = self.row(-INF, INF if p.max_active is None else p.max_active, {})
        count_moves = self.row(-INF, INF if p.max_moves is None else p.max_moves, {})
        self.pieces, self.links = [], []
        self.empty = False
        for i in range(n):
            links = (self.row(0, 0, {self.x[i]: 1.0}), self.row(0, 0, {self.t[i]: 1.0}), self.row(1, 1, {}))
            self.links.append(links)
            parts = pieces(p, i)
            self.empty |= not parts
            for a, b, kind, active, moved in parts:
                extra = {}
                if active and p.max_active is not None:
                    extra[count_active] = 1.0
                if moved and p.max_moves is not None:
                    extra[count_moves] = 1.0
                cost = -p.activation_cost[i] / U if active else 0.0
                self.piece(i, a / X, min(b, 1e3 * X) / X, kind, extra, cost, len(parts) > 1)
            if p.step[i] > 0:
                k = self.column(0, math.ceil(min(top[i], p.reach[i]) / p.step[i]) + 1, 0.0, True)
                self.row(0, 0, {self.x[i]: 1.0, k: -p.step[i] / X})
            if p.move_cost[i] > 0:
                up, down = (self.column(0, INF, -p.move_cost[i] * self.money) for _ in range(2))
                self.row(p.current[i] / X, p.current[i] / X, {self.x[i]: 1.0, up: -1.0, down: 1.0})
            if p.penalty[i][0] < INF:
                over = self.column(0, INF, -p.penalty[i][1] * self.money)
                self.row(-INF, p.penalty[i][0] / X, {self.x[i]: 1.0, over: -1.0})
        for _, a, low, high in p.rows:
            size = max(1.0, np.abs(a).max())
            self.row(low / X / size, high / X / size, {self.x[i]: a[i] / size for i in range(n)})
        for kind, r in p.target.items():
            if kind == "response":
                self.row(r / T, INF, {t: 1.0 for t in self.t})
            if kind == "roas":
                self.row(0, INF, {t: 1.0 for t in self.t} | {x: -r * X / T for x in self.x})
            if kind == "cpa":
                size = r * T / X
                self.row(-INF, 0, {x: 1.0 / size for x in self.x}
                         | {t: -1.0 / v for t, v in zip(self.t, p.value)})

    def piece(self, i, a, b, kind, extra, cost, several):
        X, T, arm = self.X, self.T, self.p.arms[i]
        on = {self.links[i][2]: 1.0} | extra
        z = self.column(0 if several else 1, 1, cost, several, on)
        x = self.column(0, INF, 0.0, False, {self.links[i][0]: -1.0})
        t = self.column(-INF, INF, 0.0, False, {self.links[i][1]: -1.0})
        value = lambda s: float(arm.total(np, np.float64(s * X))) / T
        slope = lambda s: float(arm.slope(np, np.float64(s * X))) * X / T
        self.row(0, INF, {x: 1.0, z: -a})
        self.row(-INF, 0, {x: 1.0, z: -b})
        if kind == "point" or b - a <= 1e-13:
            self.row(-INF, 0, {t: 1.0, z: -value(a)})
            kind = "point"
        c = self.curve(x, t, z, value, slope, a, b, kind)
        c |= {"arm": i, "extra": extra, "cost": cost, "several": several}
        return c

    def split(self, c, at):
        """A convex piece becomes two."""
        for j in (c["x"], c["z"]):
            self.h.changeColBounds(j, 0, 0)
        self.h.changeColBounds(c["t"], -INF, 0)
        self.integers = [j for j in self.integers if j != c["z"]]
        self.h.changeColIntegrality(c["z"], highspy.HighsVarType.kContinuous)
        c["kind"] = "dead"
        for a, b in ((c["low"], at), (at, c["high"])):
            self.piece(c["arm"], a, b, "convex", c["extra"], c["cost"], True)

    def spends(self, columns):
        """Spends in money, exact on points, bounds and steps."""
        out = [0.0] * self.p.n
        for c in self.curves:
            if c["kind"] != "dead" and columns[c["z"]] > 0.5:
                x = min(max(columns[c["x"]], c["low"]), c["high"])
                out[c["arm"]] = x * self.X
        for i, s in enumerate(self.p.step):
            if s > 0:
                out[i] = s * round(out[i] / s)
            if abs(out[i]) < 1e-11 * self.X:
                out[i] = 0.0
        return out

    def fixed(self, columns, rounds):
        """The best plan that keeps the whole numbers of `columns`."""
        h, kept = self.h, []
        for j in self.integers:
            lp = h.getLp()
            kept.append((j, lp.col_lower_[j], lp.col_upper_[j]))
        self.whole(False)
        for j, _, _ in kept:
            v = round(columns[j])
            h.changeColBounds(j, v, v)
        got = self.lp_rounds(rounds)
        for j, low, high in kept:
            h.changeColBounds(j, low, high)
        return got

    def polish(self, spend, columns):
        """A local search within the pieces of `columns` (SLSQP, scaled): convex pieces need it."""
        p, X, T = self.p, self.X, self.T
        bounds = [None] * p.n
        for c in self.curves:
            if c["kind"] != "dead" and columns[c["z"]] > 0.5:
                a, b = c["low"], c["high"]
                i = c["arm"]
                if c["kind"] == "convex":  # the whole run of convex pieces, and the concave one after it
                    run = [d for d in self.curves if d["arm"] == i and d["kind"] in ("convex", "concave")]
                    grow = True
                    while grow:
                        grow = False
                        for d in run:
                            if abs(d["high"] - a) < 1e-13 and d["low"] < a:
                                a, grow = d["low"], True
                            if abs(d["low"] - b) < 1e-13 and d["high"] > b:
                                b, grow = d["high"], True
                bounds[i] = (a, b)
        y0 = np.array(spend) / X
        cur = None if p.current is None else np.array(p.current) / X
        for i in range(p.n):
            a, b = bounds[i]
            if p.step[i] > 0:
                a = b = y0[i]
            if p.move_cost[i] > 0 and a < cur[i] < b:
                a, b = (cur[i], b) if y0[i] > cur[i] else (a, cur[i])
            top = p.penalty[i][0] / X
            if a < top < b:
                a, b = (top, b) if y0[i] > top else (a, top)
            if a == 0.0 and b > 0 and p.arms[i].family in ("power", "hill"):
                a = min(b, 1e-12)
            bounds[i] = (a, b)
        f = lambda y: np.array([float(q.total(np, np.float64(max(v, 0.0) * X))) for q, v in zip(p.arms, y)]) / T
        g = lambda y: np.array([float(q.slope(np, np.float64(max(v, 1e-13) * X))) for q, v in zip(p.arms, y)]) * X / T
        linear = np.zeros(p.n)
        for i in range(p.n):
            if p.objective != "response":
                linear[i] -= self.money
            if p.move_cost[i] > 0:
                linear[i] -= p.move_cost[i] * self.money * (1 if y0[i] > cur[i] or bounds[i][0] >= cur[i] else -1)
            if p.penalty[i][0] < INF and bounds[i][0] >= p.penalty[i][0] / X:
                linear[i] -= p.penalty[i][1] * self.money
        gain = 0.0 if p.objective == "spend" else 1.0
        constraints = []
        for _, a, low, high in p.rows:
            if low == high:
                constraints.append({"type": "eq", "fun": lambda y, a=a, b=low: a @ y - b / X, "jac": lambda y, a=a: a})
                continue
            if low > -INF:
                constraints.append({"type": "ineq", "fun": lambda y, a=a, b=low: a @ y - b / X, "jac": lambda y, a=a: a})
            if high < INF:
                constraints.append({"type": "ineq", "fun": lambda y, a=a, b=high: b / X - a @ y, "jac": lambda y, a=a: -a})
        one = np.ones(p.n)
        for kind, r in p.target.items():
            w, m, b = {"response": (one, 0.0, r / T), "roas": (one, -r * X / T, 0.0),
                       "cpa": (1 / np.array(p.value), -X / T / r, 0.0)}.get(kind, (None, 0, 0))
            if w is not None:
                constraints.append({"type": "ineq", "fun": lambda y, w=w, m=m, b=b: w @ f(y) + m * y.sum() - b,
                                    "jac": lambda y, w=w, m=m: w * g(y) + m})
        with np.errstate(all="ignore"):
            got = minimize(lambda y: -(gain * f(y).sum() + linear @ y), y0, jac=lambda y: -(gain * g(y) + linear),
                           bounds=bounds, constraints=constraints, method="SLSQP",
                           options={"ftol": 1e-16, "maxiter": 500})
        y = np.clip(got.x, [b[0] for b in bounds], [b[1] for b in bounds])
        return [0.0 if v <= 1.0001e-12 else float(v) * X for v in y]


def solve(problem, without=(), tolerance=1e-9, most=60, time_limit=60.0, feasible_only=False):
    """dict(value, bound, spend, gap), or None where nothing is feasible."""
    p = Parsed(problem, without)
    model = Allocation(p)
    if model.empty:
        return None
    U, best = model.U, None
    simple = not model.integers and all(c["kind"] != "convex" for c in model.curves)

    def offer(spend, slack=1e-9):
        nonlocal best
        if p.worst(spend) > slack:
            return
        value = p.objective_value(spend)
        if best is None or value > best[0]:
            best = (value, spend)

    model.whole(False)
    got = model.lp_rounds(120 if simple else 12)
    if got is None:
        return None
    if simple:
        spend = model.spends(got[1])
        if p.worst(spend) > 2e-9:
            return None
        value, bound = p.objective_value(spend), got[0] * U
        return {"value": value, "bound": bound, "spend": spend, "excess": got[2],
                "gap": (bound - value) / max(abs(value), 1e-300), "worst": p.worst(spend), "proven": True}
    model.h.setOptionValue("time_limit", time_limit)
    bound = INF
    for turn in range(most):
        model.whole(True)
        got = model.run()
        if got is None:
            return None
        bound = min(bound, got[0] * U)
        columns = got[1]
        model.refine(columns)
        offer(model.spends(columns))
        if feasible_only and best:
            break
        curved = [c for c in model.curves if c["kind"] == "convex" and columns[c["z"]] > 0.5
                  and model.excess(c, columns)[0] > 1e-11]
        inner = model.fixed(columns, 60 if not curved else 8)
        at = dict((c["arm"], model.excess(c, columns)[1]) for c in curved)
        if inner is not None:
            offer(model.spends(inner[1]))
        if curved or any(c["kind"] == "convex" and columns[c["z"]] > 0.5 for c in model.curves):
            try:
                polished = model.polish(model.spends(inner[1] if inner else columns), columns)
                offer(polished)
            except ValueError:
                polished = None
            for c in curved:
                points = [at[c["arm"]]]
                if polished is not None:
                    points.insert(0, polished[c["arm"]] / model.X)
                good = [q for q in points if c["low"] + 1e-9 < q < c["high"] - 1e-9]
                if good:
                    model.split(c, good[0])
                elif c["high"] - c["low"] > 1e-6:
                    model.split(c, (c["low"] + c["high"]) / 2)
        if best and (bound - best[0]) <= tolerance * max(abs(best[0]), 1e-12 * U):
            break
    if best is None:
        return None
    gap = (bound - best[0]) / max(abs(best[0]), 1e-300)
    return {"value": best[0], "bound": bound, "spend": best[1], "gap": gap, "worst": p.worst(best[1]),
            "proven": gap <= 1e-7}
