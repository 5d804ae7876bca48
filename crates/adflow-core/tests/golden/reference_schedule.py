"""References for schedules: arms times periods, with carry-over.

    maximise   sum over arms and periods (and the tail) of v_i f_i(a_it),   a_it = sum_l w_i[l] x_{i,t-l}

with x before the window = carry_in (oldest first), after it 0; sum of x <= budget (= budget with spend_all), limits per
arm, per period, per arm and period. Concave curves: tangents to f_i at a_it and HiGHS until bound and answer meet.

Kernels (lags 0 .. L-1, L = max_lag, or as many as periods): geometric r^l, delayed r^((l - peak)^2), both divided by their
sum with `normalize`; Weibull CDF prod_{1..l} exp(-(t/scale)^shape); Weibull PDF, density at 1..L put on 0..1; binomial
(1 - l/L)^(1/r - 1); or given weights. The tail is the L - 1 periods after the window.
"""

import math

import numpy as np
from scipy.optimize import minimize

import reference_solver as solver
from reference import Arm, random_segment, segment_arms, short, spread

SOURCE = "carry-over as linear rows, tangents to the curves at the adstocked media and HiGHS until bound and answer meet"
INF = math.inf


def kernels(adstock, n, periods):
    """Weights per arm."""
    kind, L = adstock["kind"], adstock.get("max_lag") or periods
    at = lambda key, i: adstock[key][i] if isinstance(adstock[key], list) else adstock[key]
    if kind == "kernel":
        rows = adstock["weights"]
        return [np.array(rows[i if len(rows) > 1 else 0]) for i in range(n)]
    l, out = np.arange(L, dtype=float), []
    for i in range(n):
        if kind == "geometric":
            w = at("retention", i) ** l
        elif kind == "delayed":
            w = at("retention", i) ** ((l - at("peak", i)) ** 2)
        elif kind == "binomial":
            w = (1 - l / L) ** (1 / at("retention", i) - 1)
        else:
            shape, scale = at("shape", i), at("scale", i)
            if kind == "weibull_cdf":
                w = np.exp(-np.concatenate([[0], np.cumsum((l[1:] / scale) ** shape)]))
            else:
                d = shape / scale * ((l + 1) / scale) ** (shape - 1) * np.exp(-(((l + 1) / scale) ** shape))
                w = (d - d.min()) / (d.max() - d.min())
        out.append(w / w.sum() if adstock.get("normalize") else w)
    return out


class Schedule:
    """A schedule in plain numbers: a = W x + c per arm, over the window and the tail."""

    def __init__(self, problem):
        get = problem.get
        segments = problem["curves"]["curves"]
        places = [(s, i) for s in segments for i in range(segment_arms(s))]
        n, T = self.n, self.T = len(places), problem["periods"]
        value = get("value", 1.0)
        self.arms = [Arm(s, j, value[i] if isinstance(value, list) else value, 0.0, INF, None)
                     for i, (s, j) in enumerate(places)]
        self.budget, self.spend_all = problem["budget"], bool(get("spend_all"))

        def grid(key, default):
            v = get(key)
            v = default if v is None else v
            none = lambda x: default if x is None else x
            if not isinstance(v, list):
                return np.full((T, n), float(v))
            if not isinstance(v[0], list):
                return np.array([[none(x) for x in v]] * T, dtype=float)
            return np.array([[none(x) for x in row] for row in v], dtype=float)

        self.lower, self.upper = grid("lower", 0.0), np.minimum(grid("upper", INF), self.budget)
        per = lambda key, default: [default if x is None else x for x in (get(key) or [default] * T)]
        self.period_lower, self.period_upper = per("period_lower", 0.0), per("period_upper", INF)
        past = np.array(get("carry_in") or np.zeros((0, n)), dtype=float).reshape(-1, n)
        self.W, self.c = [], []
        for i, w in enumerate(kernels(problem["adstock"], n, T)):
            rows = T + (len(w) - 1 if get("tail") else 0)
            W, c = np.zeros((rows, T)), np.zeros(rows)
            for t in range(rows):
                for lag, weight in enumerate(w):
                    s = t - lag
                    if 0 <= s < T:
                        W[t, s] += weight
                    elif s < 0 and len(past) + s >= 0:
                        c[t] += weight * past[len(past) + s, i]
            self.W.append(W)
            self.c.append(c)
        self.first = [w[0] for w in kernels(problem["adstock"], n, T)]

    def value(self, x):
        """x: (T, n)."""
        return math.fsum(float(v) for i, a in enumerate(self.arms) for v in a.total(np, self.W[i] @ x[:, i] + self.c[i]))

    def gradient(self, x):
        with np.errstate(all="ignore"):
            return np.array([self.W[i].T @ np.minimum(a.slope(np, self.W[i] @ x[:, i] + self.c[i]), 1e30)
                             for i, a in enumerate(self.arms)]).T

    def worst(self, x):
        size, sums = self.budget, x.sum(axis=1)
        out = [(self.lower - x).max(), (x - self.upper).max(), x.sum() - self.budget,
               max(l - s for l, s in zip(self.period_lower, sums)), max(s - u for s, u in zip(sums, self.period_upper))]
        return max(out + ([self.budget - x.sum()] if self.spend_all else [])) / size


def solve(problem):
    """dict(value, bound, spend) or None."""
    s = Schedule(problem)
    X, T, n = s.budget, s.T, s.n
    U = max(abs(s.value(np.minimum(s.upper, X / T))), 1e-300)
    m = solver.Growing()
    x = [[m.column(s.lower[t, i] / X, s.upper[t, i] / X) for i in range(n)] for t in range(T)]
    m.row(1.0 if s.spend_all else -INF, 1.0, {c: 1.0 for row in x for c in row})
    for t in range(T):
        m.row(s.period_lower[t] / X, s.period_upper[t] / X, {c: 1.0 for c in x[t]})
    fixed = 0.0
    for i, arm in enumerate(s.arms):
        for row, start in zip(s.W[i], s.c[i]):
            low, high = row @ s.lower[:, i] + start, row @ np.minimum(s.upper[:, i], X) + start
            value = lambda y, arm=arm: float(arm.total(np, np.float64(y * X))) / U
            if high - low <= 1e-12 * X:
                fixed += value(low / X)
                continue
            slope = lambda y, arm=arm: float(arm.slope(np, np.float64(y * X))) * X / U
            a, t = m.column(low / X, high / X), m.column(-INF, INF, 1.0)
            m.row(start / X, start / X, {a: 1.0} | {x[k][i]: -w for k, w in enumerate(row)})
            m.curve(a, t, None, value, slope, low / X, high / X, "concave")
    got = m.lp_rounds(150)
    if got is None:
        return None
    spend = np.clip(np.array([[got[1][c] * X for c in row] for row in x]), s.lower, s.upper)
    spend[spend < 1e-11 * X] = 0.0
    value, bound = s.value(spend), (got[0] + fixed) * U
    if bound - value > 1e-9 * abs(value):
        other = climb(problem, spend)
        other[other < 1.001e-12 * X] = 0.0
        other = np.clip(other, s.lower, s.upper)
        if s.worst(other) <= 1e-9 and s.value(other) > value:
            spend, value = other, s.value(other)
    return {"value": value, "bound": bound, "spend": spend, "gap": (bound - value) / abs(value), "worst": s.worst(spend)}


def climb(problem, start, most=1000):
    """SLSQP, the second method: spends (T, n)."""
    s = Schedule(problem)
    X = s.budget
    U = max(abs(s.value(np.maximum(start, 1e-9 * X))), 1e-300)
    shape = (s.T, s.n)
    rows = [{"type": "eq" if s.spend_all else "ineq", "fun": lambda y: 1 - y.sum(), "jac": lambda y: -np.ones(y.size)}]
    for t in range(s.T):
        e = np.zeros(shape)
        e[t] = 1
        e = e.ravel()
        if s.period_upper[t] < INF:
            rows.append({"type": "ineq", "fun": lambda y, e=e, b=s.period_upper[t] / X: b - e @ y, "jac": lambda y, e=e: -e})
        if s.period_lower[t] > 0:
            rows.append({"type": "ineq", "fun": lambda y, e=e, b=s.period_lower[t] / X: e @ y - b, "jac": lambda y, e=e: e})
    floor = 1e-12
    bounds = [(max(l, floor if u > floor else 0.0), u) for l, u in zip(s.lower.ravel() / X, s.upper.ravel() / X)]
    got = minimize(lambda y: -s.value(y.reshape(shape) * X) / U, np.clip(start.ravel() / X, *zip(*bounds)),
                   jac=lambda y: -s.gradient(y.reshape(shape) * X).ravel() * X / U, bounds=bounds, constraints=rows,
                   method="SLSQP", options={"ftol": 1e-16, "maxiter": most})
    return np.clip(got.x, *zip(*bounds)).reshape(shape) * X


def random_adstock(rng, kind, n, T):
    r = [short(v, 2) for v in rng.uniform(0.2, 0.85, n)]
    L = int(rng.integers(2, 6))
    if kind == "geometric":
        return {"kind": kind, "retention": r, "max_lag": L, "normalize": bool(rng.random() < 0.5)}
    if kind == "endless":
        return {"kind": "geometric", "retention": r, "normalize": False}
    if kind == "delayed":
        return {"kind": kind, "retention": r, "peak": [short(v, 2) for v in rng.uniform(0.3, 2, n)], "max_lag": L + 1,
                "normalize": bool(rng.random() < 0.5)}
    if kind == "binomial":
        return {"kind": kind, "retention": r, "max_lag": L}
    if kind in ("weibull_cdf", "weibull_pdf"):
        return {"kind": kind, "shape": [short(v, 2) for v in rng.uniform(0.6, 3, n)],
                "scale": [short(v, 2) for v in rng.uniform(1, 4, n)], "max_lag": L + 2}
    rows = n if rng.random() < 0.5 else 1
    return {"kind": "kernel", "weights": [short(np.sort(rng.uniform(0, 1, L))[::-1], 3) for _ in range(rows)]}


def random_schedule(at, rng):
    n, T = 1 + at % 4, [2, 3, 4, 5, 6, 8][at % 6]
    kind = ["geometric", "delayed", "binomial", "kernel", "geometric", "weibull_cdf", "endless", "weibull_pdf"][at % 8]
    s, r = float(rng.choice([1.0, 100.0, 1e4])), float(rng.choice([1.0, 50.0]))
    families = sorted(str(f) for f in rng.choice(["logarithmic", "exponential", "michaelis_menten", "logistic", "tanh", "hill",
                                                  "power"], n))
    segments = [random_segment(rng, f, 1, s, r, extras=False) for f in families]
    problem = {"version": 1, "curves": {"version": 1, "curves": segments}, "adstock": random_adstock(rng, kind, n, T),
               "periods": T, "budget": short(n * T * s * rng.uniform(0.3, 1.0))}
    tail = bool(at % 2) and kind != "endless"
    if tail:
        problem["tail"] = True
    if at % 3 == 1 and kind != "endless":
        problem["carry_in"] = short(rng.uniform(0, 1.5 * s, (int(rng.integers(1, 5)), n)), 3)
    if at % 3 == 2:
        problem["spend_all"] = True
    if rng.random() < 0.4:
        problem["value"] = short(spread(rng, 0.3, 3, n), 3)
    mean = problem["budget"] / T
    if at % 4 == 1:
        problem["period_upper"] = [short(mean * v, 3) if rng.random() < 0.8 else None for v in rng.uniform(1.0, 1.6, T)]
    if at % 4 == 2:
        problem["period_lower"] = [short(mean * v, 3) for v in rng.uniform(0.3, 0.95, T)]
    if at % 5 in (2, 3):
        upper = [[short(2.5 * s, 3)] * n for _ in range(T)]
        lower = [[0.0] * n for _ in range(T)]
        for _ in range(max(1, n * T // 5)):
            t, i = int(rng.integers(T)), int(rng.integers(n))
            if rng.random() < 0.5:
                upper[t][i] = 0.0  # nothing may be spent
                lower[t][i] = 0.0
            else:
                upper[t][i] = lower[t][i] = short(s * rng.uniform(0.1, 0.6), 3)  # already booked
        problem |= {"lower": lower, "upper": upper}
    elif at % 5 == 4:
        problem["upper"] = [short(s * v, 3) if rng.random() < 0.7 else None for v in rng.uniform(0.5, 2, n)]
        problem["lower"] = short(0.1 * s, 2)
    words = [kind if kind != "endless" else "geometric to the end"] + [w for w, yes in (
        ("tail", tail), ("carry-in", "carry_in" in problem), ("all is spent", problem.get("spend_all")),
        ("period limits", "period_upper" in problem or "period_lower" in problem),
        ("fixed and blacked-out periods", at % 5 in (2, 3))) if yes]
    return f"{', '.join(words)}, {n} arms, {T} periods, {at + 1}", problem


def expectation(problem, got):
    expect = {"status": "optimal", "objective_value": got["value"], "objective_tolerance": 1e-6, "gap_at_most": 1e-6}
    s = Schedule(problem)
    other = climb(problem, got["spend"])
    if s.worst(other) < 1e-9 and s.value(other) > got["value"] * (1 + 1e-8):
        raise ArithmeticError("SLSQP is above the reference")
    apart = np.abs(other - got["spend"]).max() / s.budget
    if min(s.first) >= 0.2 and apart < 1e-4:
        expect |= {"spend": got["spend"].tolist(), "spend_tolerance": 1e-3}
    return expect


def cases(rng):
    out, at = [], 0
    while len(out) < 30:
        name, problem = random_schedule(len(out), rng)
        got = solve(problem)
        if got is None or got["worst"] > 2e-9:
            continue
        if got["gap"] > 3e-8:
            continue
        out.append({"name": name, "problem": problem, "expect": expectation(problem, got)})
    lam = [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [0.7, 0.8]]
    pymc = {"version": 1, "curves": {"version": 1, "curves": [{"family": "logistic", "beta": [0.5, 1.0], "lam": lam}]},
            "adstock": {"kind": "geometric", "retention": [0.5, 0.7], "max_lag": 4, "normalize": True},
            "periods": 30, "budget": 3000.0, "spend_all": True}
    # figures of PyMC-Marketing's own tests, and the same carried to full precision in published.json
    tail = [54.783323455654745, 45.216676544345255]
    for name, spend, more, value in (
            ("its best constant spends, with the tail", tail, {"tail": True}, 48.931664401),
            ("its best constant spends", [58.97659279361828, 41.02340720638172], {}, 44.94215734471),
            ("50 each", [50.0, 50.0], {}, 44.920703245285)):
        problem = pymc | more | {"lower": [spend] * 30, "upper": [spend] * 30, "budget": math.fsum(spend * 30), "spend_all": False}
        x = np.array([spend] * 30)
        reached = Schedule(problem).value(x)
        assert abs(reached - value) < 1e-9 * value, (name, reached)
        out.append({"name": f"PyMC-Marketing, two channels: {name}", "problem": problem, "expect": {
            "objective_value": reached, "objective_tolerance": 1e-9, "spend": x.tolist(), "spend_tolerance": 1e-9}})
    for name, more, least in (("every week free", {}, 44.94215734471), ("every week free, with the tail", {"tail": True}, 48.931664401)):
        problem = pymc | more
        got = solve(problem)
        assert got["gap"] < 1e-8 and got["value"] > least, got
        expect = expectation(problem, got)
        out.append({"name": f"PyMC-Marketing, two channels: {name}", "problem": problem, "expect": expect})
    return out
