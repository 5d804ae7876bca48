"""References for risk: CVaR, mean less standard deviations, and the probability of a target, over joint draws.

R_s(x) = sum_i v_i f_is(x_i) for the draws s = 1..S; an arm with one draw counts the same in all of them.

    cvar a             max over t of t - 1/(a S) sum_s max(0, t - R_s): tangents of the draws in the tail, LPs to a proof
    mean_minus_std k   linear curves: a second-order cone program (Clarabel), refined by SLSQP; concave curves: SLSQP from
                       many starts. A plan at which every draw's weight (1 - k (R_s - mean)/sd)/S is at least 0 is the
                       best of all, as the weighted sum is concave and bounds the measure; else the case is `at_least`.
    probability        every set of draws from the largest down: can they all reach the target at once? (LPs on tangents)
"""

import itertools
import math

import cvxpy as cp
import numpy as np
from scipy.optimize import linprog, minimize

import reference_solver as solver
from reference import derivative, random_segment, response, short, spread

SOURCE = ("CVaR by tangents and HiGHS until bound and answer meet, linear curves also as one LP; mean less standard "
          "deviations by Clarabel and SLSQP; probabilities by every set of draws")
INF = math.inf
FINITE = ("logarithmic", "exponential", "michaelis_menten", "logistic", "tanh")


class Drawn:
    """Outcomes of a problem per draw, in money of spend and units of the objective."""

    def __init__(self, problem):
        self.p = solver.Parsed(problem)
        self.parameters = []
        for arm in self.p.arms:
            rows = [terms[0] for terms in arm.draws]
            self.parameters.append([np.array(c) for c in zip(*rows)])
        self.draws = max(len(q[0]) for q in self.parameters)

    def each(self, i, x):
        """v f_is(x) for all s."""
        arm, q = self.p.arms[i], self.parameters[i]
        y = response(np, arm.family, q, x / arm.cost + arm.offset)
        if not arm.keep:
            y = y - response(np, arm.family, q, 0 * x + arm.offset)
        return np.broadcast_to(y, self.draws) * arm.weight * arm.per_response

    def slopes(self, i, x):
        arm, q = self.p.arms[i], self.parameters[i]
        y = derivative(np, arm.family, q, x / arm.cost + arm.offset)
        return np.broadcast_to(y, self.draws) * arm.weight * arm.per_response / arm.cost

    def outcomes(self, x):
        return sum(self.each(i, np.float64(v)) for i, v in enumerate(x))

    def jacobian(self, x):
        return np.array([self.slopes(i, np.float64(v)) for i, v in enumerate(x)]).T

    def measure(self, x):
        r, ((kind, level),) = self.outcomes(x), self.p.risk.items()
        if kind == "cvar":
            return cvar(r, level)
        if kind == "mean_minus_std":
            return r.mean() - level * r.std()
        return np.mean(r >= level)

    def objective(self, x):
        return float(self.measure(x)) - (math.fsum(x) if self.p.objective == "profit" else 0.0)


def cvar(outcomes, alpha):
    """Mean of the worst alpha S outcomes, a part of one of them where alpha S is no whole number."""
    r, count = np.sort(outcomes), alpha * len(outcomes)
    whole = min(int(math.floor(count + 1e-12)), len(r))
    rest = max(0.0, count - whole)
    return (r[:whole].sum() + (rest * r[whole] if rest > 1e-12 and whole < len(r) else 0.0)) / count


def solve_cvar(d):
    """(value, bound, spend): the tail's draws with their own tangents, in linear programs that grow."""
    p, ((_, alpha),) = d.p, d.p.risk.items()
    n, S = p.n, d.draws
    X = p.budget or max(p.reach)
    top = [min(h, X) for h in p.reach]
    T = max(abs(d.outcomes(top).mean()), 1e-300)
    m = solver.Growing()
    m.h.setOptionValue("primal_feasibility_tolerance", 1e-9)
    money = X / T if p.objective == "profit" else 0.0
    x = [m.column(p.low[i] / X, top[i] / X, -money) for i in range(n)]
    for _, a, low, high in p.rows:
        m.row(low / X, high / X, {x[i]: a[i] for i in range(n)})
    t = m.column(-1e3, 1e3, 1.0)
    known, best, bound = {}, None, INF

    def cuts(s, at, values, slopes):
        for i in range(n):
            y = at[i] / X
            f, g = values[i][s] / T, slopes[i][s] * X / T
            size = max(1.0, abs(g))
            m.row(-INF, (f - g * y) / size, {known[s][i]: 1 / size, x[i]: -g / size})

    grids = [[np.float64(p.low[i] + (top[i] - p.low[i]) * q) for q in (0.0, 0.03, 0.1, 0.2, 0.35, 0.55, 1.0)] for i in range(n)]
    linear = [a.family == "linear" for a in p.arms]
    for _ in range(80):
        got = m.run()
        if got is None:
            return None
        bound = min(bound, got[0] * T)
        spend = np.clip(got[1][: n] * X, p.low, top)
        spend[spend < 1e-11 * X] = 0.0
        value = d.objective(spend)
        if p.worst(spend) <= 2e-9 and (best is None or value > best[0]):
            best = (value, spend)
        if best and bound - best[0] <= 2e-9 * abs(best[0]):
            break
        values = [d.each(i, np.float64(spend[i])) for i in range(n)]
        slopes = [d.slopes(i, np.float64(spend[i])) for i in range(n)]
        order = np.argsort(sum(values))[: int(math.ceil(alpha * S)) + max(3, S // 100)]
        for s in map(int, order):
            if s not in known:
                known[s] = [m.column(-INF, INF) for _ in range(n)]
                short_ = m.column(0, INF, -1 / (alpha * S))
                m.row(0, INF, {short_: 1.0, t: -1.0} | {c: 1.0 for c in known[s]})
                if not all(linear):
                    for k in range(len(grids[0])):
                        at = [g[k] for g in grids]
                        cuts(s, at, [d.each(i, at[i]) for i in range(n)], [d.slopes(i, at[i]) for i in range(n)])
                else:
                    cuts(s, spend, values, slopes)
            if not all(linear):
                cuts(s, spend, values, slopes)
    return None if best is None else (*best[:1], bound, best[1])


def cone(d):
    """Mean less k sd of linear curves by Clarabel: spend."""
    p, ((_, kappa),) = d.p, d.p.risk.items()
    X = p.budget or max(p.reach)
    top = np.array([min(h, X) for h in p.reach]) / X
    J = d.jacobian(np.zeros(p.n)) * X
    T = np.abs(J).mean()
    x = cp.Variable(p.n)
    limits = [x >= np.array(p.low) / X, x <= top]
    for _, a, low, high in p.rows:
        limits += ([a @ x >= low / X] if low > -INF else []) + ([a @ x <= high / X] if high < INF else [])
    mean = J.mean(axis=0) / T
    spread_ = (J / T - mean) / math.sqrt(d.draws)
    money = X / T if p.objective == "profit" else 0.0
    goal = cp.Maximize(mean @ x - kappa * cp.norm(spread_ @ x) - money * cp.sum(x))
    cp.Problem(goal, limits).solve(solver=cp.CLARABEL, tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12)
    return np.clip(x.value, np.array(p.low) / X, top) * X


def climb(d, start):
    """SLSQP on mean less k sd from one start."""
    p, ((_, kappa),) = d.p, d.p.risk.items()
    X = p.budget or max(p.reach)
    top = [min(h, X) for h in p.reach]
    T = max(abs(d.outcomes(top).mean()), 1e-300)
    money = X / T if p.objective == "profit" else 0.0

    def both(y):
        r, J = d.outcomes(y * X) / T, d.jacobian(y * X) * X / T
        sd = r.std()
        w = (1 - kappa * (r - r.mean()) / max(sd, 1e-300)) / d.draws
        return -(r.mean() - kappa * sd - money * y.sum()), -(w @ J - money)

    constraints = []
    for _, a, low, high in p.rows:
        kind = "eq" if low == high else "ineq"
        if high < INF:
            constraints.append({"type": kind, "fun": lambda y, a=a, b=high: b / X - a @ y, "jac": lambda y, a=a: -a})
        if low > -INF and low != high:
            constraints.append({"type": kind, "fun": lambda y, a=a, b=low: a @ y - b / X, "jac": lambda y, a=a: a})
    bounds = [(l / X, h / X) for l, h in zip(p.low, top)]
    got = minimize(both, np.array(start) / X, jac=True, bounds=bounds, constraints=constraints, method="SLSQP",
                   options={"ftol": 1e-16, "maxiter": 500})
    y = np.clip(got.x, *zip(*bounds))
    over = max((a @ y * X / high for _, a, _, high in p.rows if 0 < high < INF and (a >= 0).all()), default=0.0)
    if over > 1 and not any(p.lower) and all(low <= 0 for _, _, low, _ in p.rows):
        y = y / over  # rounding
    y[y < 1e-12] = 0.0
    return y * X


def solve_deviation(d, rng, starts):
    """(value, spend, proven, spread of the values found)."""
    p, ((_, kappa),) = d.p, d.p.risk.items()
    from reference_limits import inner_plan
    found = []
    if all(a.family == "linear" for a in p.arms):
        x = cone(d)
        found += [x, climb(d, x)]
    else:
        found += [climb(d, inner_plan(rng, p.problem)) for _ in range(starts)]
    rated = sorted(((d.objective(x), list(map(float, x))) for x in found if p.worst(x) <= 3e-9), reverse=True, key=lambda v: v[0])
    if not rated:
        return None
    r = d.outcomes(rated[0][1])
    weights = 1 - kappa * (r - r.mean()) / max(r.std(), 1e-300)
    proven = all(a.family == "linear" for a in p.arms) or weights.min() >= 0
    apart = (rated[0][0] - rated[min(len(rated) - 1, 2)][0]) / abs(rated[0][0])
    return rated[0][0], rated[0][1], proven, apart


def solve_probability(d):
    """(most draws that can reach the target together, least margin of the decision), by every set of draws."""
    p, ((_, target),) = d.p, d.p.risk.items()
    X = p.budget or max(p.reach)
    top = [min(h, X) for h in p.reach]
    m = solver.Growing()
    x = [m.column(p.low[i] / X, top[i] / X) for i in range(p.n)]
    for _, a, low, high in p.rows:
        m.row(low / X, high / X, {x[i]: a[i] for i in range(p.n)})
    margin = m.column(-1e3, 1e3, 1.0)
    rows = []
    for s in range(d.draws):
        parts = []
        for i in range(p.n):
            t = m.column(-INF, INF)
            value = lambda y, i=i, s=s: float(d.each(i, np.float64(y * X))[s]) / target
            slope = lambda y, i=i, s=s: float(d.slopes(i, np.float64(y * X))[s]) * X / target
            m.curve(x[i], t, None, value, slope, p.low[i] / X, top[i] / X, "concave")
            parts.append(t)
        rows.append(m.row(-INF, INF, {t: 1.0 for t in parts} | {margin: -1.0}))
    nearest = INF
    for k in range(d.draws, 0, -1):
        for chosen in itertools.combinations(range(d.draws), k):
            for s, row in enumerate(rows):
                m.h.changeRowBounds(row, 1.0 if s in chosen else -INF, INF)
            bound = INF
            while True:
                got = m.run()
                spend = np.clip(got[1][: p.n] * X, p.low, top)
                r = d.outcomes(spend) / target
                best = min(r[list(chosen)]) - 1
                if best >= 0 or got[0] < -1e-7 or got[0] - best < 1e-9:
                    break
                m.refine(got[1])
            if best >= 0:
                return k, min(nearest, max(got[0], best)), spend
            nearest = min(nearest, -got[0])
    return 0, nearest, [0.0] * p.n


def random_case(rng, n, S, linear, mixed=False):
    """A problem with S joint draws: every arm has its own level and its own share of a common shock."""
    s, r = float(rng.choice([1.0, 100.0, 1e4])), float(rng.choice([1.0, 50.0]))
    segments = []
    families = ["linear"] if linear else sorted(str(f) for f in rng.choice(FINITE, min(n, int(rng.integers(1, 4))), replace=False))
    for k, family in enumerate(families):
        arms = len(range(k, n, len(families)))
        seg = random_segment(rng, family, arms, s, r, None, extras=False)
        seg.pop("arms", None)
        name = {"tanh": "b"}.get(family, "beta")
        level = np.array(seg[name] if isinstance(seg[name], list) else [seg[name]] * arms)
        common = rng.normal(size=(S, 1)) * rng.uniform(-0.2, 0.4, arms)
        draws = level * np.exp(common + rng.normal(size=(S, arms)) * rng.uniform(0.05, 0.6, arms))
        if family == "tanh":
            seg["c"] = short(np.array(seg["c"] if isinstance(seg["c"], list) else [seg["c"]] * arms) * 1.0, 4)
        if not (mixed and k == 0 and len(families) > 1):
            seg[name] = short(draws, 4)
        segments.append(seg)
    upper = short(s * spread(rng, 0.3, 3, n), 3)
    budget = short(min(rng.uniform(0.25, 0.7) * n * s, 0.9 * sum(upper)), 4)
    problem = {"version": 1, "curves": {"version": 1, "curves": segments}, "budget": budget, "upper": upper}
    if rng.random() < 0.5:
        problem["spend_all"] = True
    if rng.random() < 0.25 and n > 3:
        problem["groups"] = [{"name": "first", "members": list(range(n // 2)), "share_upper": short(rng.uniform(0.3, 0.6), 2)}]
    return problem


def cases(rng):
    out = []

    def add(name, problem, value, tolerance, spend=None, at_least=False, **more):
        expect = {"objective_value": float(value), "objective_tolerance": tolerance, "gap_at_most": 1e-4} | more
        if at_least:
            expect["at_least"] = True
            expect.pop("gap_at_most")
        out.append({"name": name, "problem": problem, "expect": expect})

    shapes = [(5, 50), (5, 200), (8, 100), (10, 200), (6, 1000), (20, 100), (50, 60), (5, 2000), (12, 300), (3, 500)]
    alphas = [0.1, 0.05, 0.2, 0.5, 0.25, 0.1, 0.33, 0.95, 1.0, 0.07]
    for linear in (True, False):
        for at, (n, S) in enumerate(shapes):
            while True:
                problem = random_case(rng, n, S, linear, at % 4 == 3)
                if problem.get("groups") and problem.get("spend_all") and linear:
                    problem.pop("groups")
                problem["risk"] = {"cvar": alphas[at]}
                if at % 5 == 4:
                    problem.pop("spend_all", None)
                    scale = solve_cvar(Drawn(problem))
                    problem["value"] = [short(3 * sum(scale[2]) / scale[0], 3)] * n
                    problem["objective"] = "profit"
                got = solve_cvar(Drawn(problem))
                if got and abs(got[0]) > 0 and (got[1] - got[0]) <= 1e-7 * abs(got[0]):
                    break
            add(f"cvar {alphas[at]}, {'linear' if linear else 'concave'}, {n} arms, {S} draws", problem, got[0], 1e-4)
    kappas = [0.5, 1.0, 0.25, 2.0, 0.1, 1.5]
    for linear in (True, False):
        for at, (n, S) in enumerate([(5, 50), (8, 100), (5, 1000), (20, 100), (10, 200), (50, 60)]):
            while True:
                problem = random_case(rng, n, S, linear, at % 4 == 3)
                problem["risk"] = {"mean_minus_std": kappas[at] if linear else kappas[at] / 2}
                got = solve_deviation(Drawn(problem), rng, 12)
                r = Drawn(problem).outcomes(got[1]).mean() if got else INF
                if got and got[0] > 0.05 * r and got[3] < 1e-7:
                    break
            add(f"mean less {problem['risk']['mean_minus_std']} sd, {'linear' if linear else 'concave'}, {n} arms, {S} draws",
                problem, got[0], 1e-4, at_least=not got[2])
    for at, (n, S) in enumerate([(2, 6), (2, 9), (3, 8), (3, 12), (4, 8), (4, 10), (2, 12), (4, 12)]):
        while True:
            problem = random_case(rng, n, S, at % 3 == 0)
            problem.pop("groups", None)
            d = Drawn(problem)
            from reference_limits import inner_plan
            reached = d.outcomes(inner_plan(rng, problem))
            problem["risk"] = {"probability": short(np.quantile(reached, rng.uniform(0.35, 0.7)), 4)}
            k, margin, spend = solve_probability(Drawn(problem))
            if 0 < k < S and margin > 1e-4:
                break
        add(f"probability of a target, {n} arms, {S} draws", problem, k / S, 1e-9)
    one = {"version": 1, "curves": {"version": 1, "curves": [{"family": "linear", "beta": [[float(v)] for v in range(1, 11)]}]},
           "budget": 1.0, "spend_all": True}
    for risk, value in (({"cvar": 0.05}, 1.0), ({"cvar": 1.0}, 5.5), ({"cvar": 0.25}, 1.8), ({"cvar": 0.3}, 2.0),
                        ({"mean_minus_std": 1.0}, 5.5 - math.sqrt(8.25)), ({"mean_minus_std": 0.0}, 5.5),
                        ({"probability": 5.5}, 0.5), ({"probability": 0.5}, 1.0)):
        (kind, level), = risk.items()
        assert abs(Drawn(one | {"risk": risk}).objective([1.0]) - value) < 1e-12
        add(f"samples 1 to 10: {kind} {level}", one | {"risk": risk}, value, 1e-9)
    return out


def one_program(d):
    """CVaR of linear curves as one linear program (scipy), the second method: value."""
    p, ((_, alpha),) = d.p, d.p.risk.items()
    n, S = p.n, d.draws
    J = d.jacobian(np.zeros(n))
    X, T = p.budget, np.abs(J).mean() * p.budget
    cost = np.concatenate([[(X / T if p.objective == "profit" else 0.0)] * n, [-1.0], np.full(S, 1 / (alpha * S))])
    A = np.hstack([-J * X / T, np.ones((S, 1)), -np.eye(S)])
    rows, limits, equal, rhs = [A], [np.zeros(S)], [], []
    for _, a, low, high in p.rows:
        wide = np.concatenate([a, np.zeros(S + 1)])
        if low == high:
            equal.append(wide), rhs.append(low / X)
            continue
        if high < INF:
            rows.append(wide[None]), limits.append([high / X])
        if low > -INF:
            rows.append(-wide[None]), limits.append([-low / X])
    bounds = [(l / X, min(h, X) / X) for l, h in zip(p.low, p.reach)] + [(None, None)] + [(0, None)] * S
    got = linprog(cost, np.vstack(rows), np.concatenate(limits), np.array(equal) if equal else None, rhs or None, bounds)
    return -got.fun * T
