"""Independent references for the allocation engine: generates the golden cases beside this file.

    python reference.py            write every *.json (seed: SEED, below)
    python reference.py --check    solve every case a second way and report the differences
    python reference.py NAME ...   only these files, e.g. `concave edge`

Needs Python 3.11, numpy, scipy, mpmath (gmpy2 makes mpmath faster, the results are the same).
Nothing here uses the engine. The problem solved is

    maximise   sum_i v_i f_i(x_i)    subject to   sum_i x_i <= B (or = B),   x_i in X_i

with X_i = [l_i, u_i] or {0} + [a_i, u_i], and every arm's curve

    f(x) = value_per_response * mean over draws of sum over terms of
           ( F(x / cost_per_unit + offset) - (keep_offset_response ? 0 : F(offset)) )

where F is one of ten families:

    linear            b x
    logarithmic       b ln(1 + x/k)
    power             b x^p                                   0 < p <= 1
    exponential       b (1 - exp(-x/k))
    michaelis_menten  b x / (k + x)
    hill              b x^s / (k^s + x^s)                     S-shaped for s > 1
    logistic          b (1 - exp(-l x)) / (1 + exp(-l x))
    tanh              b tanh(x / (b c))
    hill_sigmoid      s/(1 + exp(-b (x - l))) - s/(1 + exp(b l))     S-shaped
    tabulated         straight lines through the given points

Contents: 1 curves, 2 concave problems (bisection on the multiplier), 3 any curves (dynamic
programming and zoom), 4 random problems, 5 the files, 6 second methods.
"""

import itertools
import json
import math
import sys
from pathlib import Path

import mpmath
import numpy as np
import scipy
from mpmath import fp, mp
from scipy.optimize import minimize

HERE = Path(__file__).resolve().parent
SEED = 20240611
mp.dps = 50

# ---------------------------------------------------------------------------------------------
# 1. Curves. `m` is the arithmetic: numpy (arrays), mpmath.fp (floats) or mpmath.mp (50 digits).
# ---------------------------------------------------------------------------------------------

PARAMETERS = {
    "linear": ("beta",),
    "logarithmic": ("beta", "scale"),
    "power": ("beta", "exponent"),
    "exponential": ("beta", "scale"),
    "michaelis_menten": ("beta", "half_saturation"),
    "hill": ("beta", "half_saturation", "slope"),
    "logistic": ("beta", "lam"),
    "tanh": ("b", "c"),
    "hill_sigmoid": ("sigma", "beta", "lam"),
    "tabulated": ("spend", "response"),
}


def response(m, family, p, x):
    """F(x) of the table above; `p` holds the parameters in the order of PARAMETERS."""
    if family == "linear":
        return p[0] * x
    if family == "logarithmic":
        return p[0] * m.log1p(x / p[1])
    if family == "power":
        return p[0] * x ** p[1]
    if family == "exponential":
        return -p[0] * m.expm1(-x / p[1])
    if family == "michaelis_menten":
        return p[0] * x / (p[1] + x)
    if family == "hill":
        return p[0] * x ** p[2] / (p[1] ** p[2] + x ** p[2])
    if family == "logistic":
        return -p[0] * m.expm1(-p[1] * x) / (1 + m.exp(-p[1] * x))
    if family == "tanh":
        return p[0] * m.tanh(x / (p[0] * p[1]))
    if family == "hill_sigmoid":
        return p[0] / (1 + m.exp(-p[1] * (x - p[2]))) - p[0] / (1 + m.exp(p[1] * p[2]))
    raise ValueError(family)


def derivative(m, family, p, x):
    """F'(x), analytic; infinite at 0 for power and Hill with an exponent below 1."""
    if family == "linear":
        return p[0] + 0 * x
    if family == "logarithmic":
        return p[0] / (p[1] + x)
    if family == "exponential":
        return p[0] / p[1] * m.exp(-x / p[1])
    if family == "michaelis_menten":
        return p[0] * p[1] / (p[1] + x) ** 2
    if family == "logistic":
        e = m.exp(-p[1] * x)
        return 2 * p[0] * p[1] * e / (1 + e) ** 2
    if family == "tanh":
        e = m.exp(-2 * x / (p[0] * p[1]))
        return 4 * e / (p[1] * (1 + e) ** 2)
    if family == "hill_sigmoid":
        e = m.exp(-abs(p[1] * (x - p[2])))
        return p[0] * p[1] * e / (1 + e) ** 2
    if m is not np and x == 0:  # power and Hill at 0
        s = p[1] if family == "power" else p[2]
        slope = p[0] if family == "power" else p[0] / p[1]
        return 0 * p[0] if p[0] == 0 or s > 1 else slope if s == 1 else m.inf
    with np.errstate(divide="ignore", invalid="ignore"):
        if family == "power":
            return p[0] * p[1] * x ** (p[1] - 1)
        k = p[1] ** p[2]
        return p[0] * p[2] * k * x ** (p[2] - 1) / (k + x ** p[2]) ** 2


class Arm:
    """One arm: weight v, curve f and domain, read from the problem JSON."""

    def __init__(self, segment, index, weight, lower, upper, active_lower):
        def scalar(key, default):
            value = segment.get(key, default)
            return value[index] if isinstance(value, list) else value

        self.family = segment["family"]
        self.offset = float(scalar("offset", 0.0))
        self.keep = scalar("keep_offset_response", False)
        self.cost = float(scalar("cost_per_unit", 1.0))
        self.weight = float(weight)  # `value` of the problem
        self.per_response = float(scalar("value_per_response", 1.0))
        self.lower, self.upper, self.active_lower = lower, upper, active_lower
        if self.family == "tabulated":
            spend, resp = segment["spend"], segment["response"]
            self.points = (spend[index] if isinstance(spend[0], list) else spend), resp[index]
        else:
            self.draws = parameter_draws(segment, index)

    # --- the domain ---------------------------------------------------------------------------

    def intervals(self):
        """X_i as a list of closed intervals."""
        if self.active_lower is None:
            return [(self.lower, self.upper)]
        return [(0.0, 0.0), (self.active_lower, self.upper)]

    # --- value and slope (both times `value`) ---------------------------------------------------

    def total(self, m, x):
        """v f(x)."""
        units = x / m_number(m, self.cost) + m_number(m, self.offset)
        start = m_number(m, self.offset)
        if self.family == "tabulated":
            y = self._table(m, units) - (0 if self.keep else self._table(m, start))
        else:
            y = 0
            for terms in self._numbers(m):
                for p in terms:
                    y = y + response(m, self.family, p, units)
                    if not self.keep:
                        y = y - response(m, self.family, p, start)
            y = y / len(self.draws)
        return y * m_number(m, self.weight) * m_number(m, self.per_response)

    def slope(self, m, x):
        """v f'(x) (for tabulated curves: of the piece to the right)."""
        cost = m_number(m, self.cost)
        units = x / cost + m_number(m, self.offset)
        if self.family == "tabulated":
            xs, ys = self.points
            j = np.clip(np.searchsorted(xs, units, side="right"), 1, len(xs) - 1)
            y = (np.asarray(ys)[j] - np.asarray(ys)[j - 1]) / (np.asarray(xs)[j] - np.asarray(xs)[j - 1])
        else:
            y = 0
            for terms in self._numbers(m):
                for p in terms:
                    y = y + derivative(m, self.family, p, units)
            y = y / len(self.draws)
        weight = m_number(m, self.weight) * m_number(m, self.per_response)
        return 0 * x if weight == 0 else y * weight / cost

    def _numbers(self, m):
        """Parameters [draw][term] as numbers of the arithmetic `m`."""
        if m is not mp:
            return self.draws
        if not hasattr(self, "_mp_draws"):
            self._mp_draws = [[tuple(mp.mpf(v) for v in p) for p in terms] for terms in self.draws]
        return self._mp_draws

    def _table(self, m, units):
        xs, ys = self.points
        if m is np:
            return np.interp(units, xs, ys)
        xs, ys = [m.mpf(v) for v in xs], [m.mpf(v) for v in ys]
        for (x0, x1), (y0, y1) in zip(itertools.pairwise(xs), itertools.pairwise(ys)):
            if units <= x1:
                return y0 + (y1 - y0) * (units - x0) / (x1 - x0)
        return ys[-1]

    # --- shape ----------------------------------------------------------------------------------

    def steps(self, m, lower, upper):
        """Pieces (left, right, slope) of a piecewise linear curve on [lower, upper]; None for others."""
        weight = m_number(m, self.weight) * m_number(m, self.per_response)
        if self.family == "tabulated" and weight > 0:
            xs, ys = ([m.mpf(v) for v in p] for p in self.points)
            cost, offset = m.mpf(self.cost), m.mpf(self.offset)
            pieces = []
            for (x0, x1), (y0, y1) in zip(itertools.pairwise(xs), itertools.pairwise(ys)):
                left, right = max(lower, (x0 - offset) * cost), min(upper, (x1 - offset) * cost)
                if left < right:
                    pieces.append((left, right, (y1 - y0) / (x1 - x0) * weight / cost))
            return pieces
        straight = weight == 0 or self.family == "linear"
        if not straight and self.family in ("power", "logarithmic", "exponential", "michaelis_menten",
                                            "hill", "logistic"):
            straight = all(p[0] == 0 for t in self.draws for p in t)  # flat
        if not straight and self.family == "power":
            straight = all(p[1] == 1 for t in self.draws for p in t)
        return [(lower, upper, self.slope(m, lower))] if straight else None

    def inflections(self, low, high):
        """Spends in (low, high) where the slope turns, found on a grid: only used to split searches."""
        x = np.linspace(low, high, 4002)[1:]
        turns = np.sign(np.diff(self.slope(np, x)))
        return [float(x[j]) for j in range(1, len(turns)) if turns[j] * turns[j - 1] < 0]


def m_number(m, value):
    return mp.mpf(value) if m is mp else value


def parameter_draws(segment, index):
    """[draw][term] -> tuple of parameters of arm `index`; fewer levels are broadcast."""
    values = [segment[name] for name in PARAMETERS[segment["family"]]]

    def depth(v):
        return 1 + depth(v[0]) if isinstance(v, list) else 0

    draws = max([len(v) for v in values if depth(v) >= 2], default=1)
    terms = max([len(v[0]) for v in values if depth(v) == 3], default=1)

    def pick(v, d, t):
        return float({0: lambda: v, 1: lambda: v[index], 2: lambda: v[d][index],
                      3: lambda: v[d][t][index]}[depth(v)]())

    return [[tuple(pick(v, d, t) for v in values) for t in range(terms)] for d in range(draws)]


def segment_arms(segment):
    """Number of arms of a segment of the curves JSON."""
    if "arms" in segment:
        return segment["arms"]
    if segment["family"] == "tabulated":
        return len(segment["response"])
    for name in PARAMETERS[segment["family"]]:
        v = segment[name]
        while isinstance(v, list) and isinstance(v[0], list):
            v = v[0]
        if isinstance(v, list):
            return len(v)
    return 1


def read_arms(problem):
    """The arms of a problem, every domain closed by what the budget can reach."""
    segments = problem["curves"]["curves"]
    places = [(s, i) for s in segments for i in range(segment_arms(s))]
    n = len(places)

    def per_arm(key, default):
        v = problem.get(key, default)
        return v if isinstance(v, list) else [v] * n

    lower, upper = per_arm("lower", 0.0), per_arm("upper", None)
    budget = problem.get("budget")
    reach = math.inf if budget is None else budget - math.fsum(lower)
    arms = []
    for (s, i), v, l, u, a in zip(places, per_arm("value", 1.0), lower, upper, per_arm("active_lower", None)):
        arm = Arm(s, i, v, float(l), float(l + reach if u is None else min(u, l + reach)), a)
        arm.bound = math.inf if u is None else u  # the limit as given
        if a is not None and a > arm.upper:
            arm.upper, arm.active_lower, arm.lower = 0.0, None, 0.0  # cannot be afforded
        arms.append(arm)
    return arms


# ---------------------------------------------------------------------------------------------
# 2. Concave problems: the multiplier at which the spends that it asks for add up to the budget.
# ---------------------------------------------------------------------------------------------


def decreasing_root(m, g, low, high, done):
    """Root of g in [low, high], g(low) >= 0 >= g(high): false position (Illinois) kept honest by bisection."""
    g_low, g_high = g(low), g(high)
    if g_low <= 0:
        return low
    if g_high >= 0:
        return high
    tiny = m.mpf(10) ** (-(m.dps - 3)) if m is mp else 1e-15
    for turn in range(2000):
        if turn % 3 == 2 or g_low == g_high or m.isinf(g_low):
            x = (low + high) / 2
        else:
            x = (low * g_high - high * g_low) / (g_high - g_low)
            if not low < x < high:
                x = (low + high) / 2
        y = g(x)
        if abs(y) <= done or abs(high - low) <= tiny * max(1, abs(low)):
            return x
        if y > 0:
            low, g_low, g_high = x, y, g_high / (2 if turn % 3 else 1)
        else:
            high, g_high, g_low = x, y, g_low / (2 if turn % 3 else 1)
    raise ArithmeticError("no convergence")


def spend_at(m, arm, low, high, lam):
    """argmax over [low, high] of v f(x) - lam x for a curve with a continuous decreasing slope."""
    if high <= low or arm.slope(m, low) <= lam:
        return low
    if arm.slope(m, high) >= lam:
        return high
    left = low
    if low == 0:  # search in log x: first a positive left end
        left = high / 10
        while arm.slope(m, left) < lam:
            left, high = left / 10, left
    log_lam = m.log(lam)
    done = m.mpf(10) ** (-(m.dps - 6)) if m is mp else 1e-14
    g = lambda t: m.log(arm.slope(m, m.exp(t))) - log_lam
    return min(max(m.exp(decreasing_root(m, g, m.log(left), m.log(high), done)), low), high)


def solve_concave(arms, budget, spend_all=False, m=mp, intervals=None):
    """Exact optimum of a concave problem: dict(value, spend, price or None, unique).

    Linear and tabulated arms ask for a jump of spend at each of their slopes, so the slopes are
    searched first; between two of them the spend asked for is continuous in the multiplier.
    """
    intervals = intervals or [(a.lower, a.upper) for a in arms]
    intervals = [(m.mpf(l), m.mpf(u)) for l, u in intervals]
    n, budget = len(arms), m.mpf(budget)
    pieces = [a.steps(m, l, u) for a, (l, u) in zip(arms, intervals)]

    def ask(lam, greedy):
        """Spend asked for at `lam`; piecewise linear arms at a tie take all (greedy) or nothing."""
        out = []
        for arm, (l, u), steps in zip(arms, intervals, pieces):
            if steps is None:
                out.append(spend_at(m, arm, l, u, lam))
            else:
                out.append(max([l] + [r for _, r, s in steps if s > lam or (greedy and s >= lam)]))
        return out

    tight = m.fsum(u for _, u in intervals) >= budget * (1 if m is mp else 1 - 1e-15)
    slopes = sorted({s for steps in pieces if steps for _, _, s in steps if s > 0})
    lam = None
    if m.fsum(l for l, _ in intervals) >= budget:
        spend = [l for l, _ in intervals]
    elif not tight or m.fsum(x for x in ask(m.mpf(0), False)) <= budget and not spend_all:
        spend = [u if steps is None or any(s > 0 for _, _, s in steps) else l
                 for (l, u), steps in zip(intervals, pieces)]
        spend = spend if not tight else ask(m.mpf(0), False)
    else:
        below, above = None, None  # slopes around the multiplier: too little asked above, too much below
        low, high = 0, len(slopes)
        while low < high:
            mid = (low + high) // 2
            if m.fsum(ask(slopes[mid], False)) > budget:
                below, low = slopes[mid], mid + 1
            elif m.fsum(ask(slopes[mid], True)) < budget:
                above, high = slopes[mid], mid
            else:
                lam = slopes[mid]
                break
        if lam is None:
            guess = below or above or arms[0].slope(m, intervals[0][1]) or m.mpf(1)
            above = above or guess * 10
            while m.fsum(ask(above, True)) > budget:
                above *= 10
            lowest = below or above / 10
            while below is None and lowest > 1e-200 and m.fsum(ask(lowest, False)) < budget:
                lowest /= 10
            if lowest <= 1e-200:
                lam = m.mpf(0)  # flat arms take what is left (spend_all)
            else:
                excess = lambda t: (m.fsum(ask(m.exp(t), False)) - budget) / budget
                done = m.mpf(10) ** (-(m.dps - 10)) if m is mp else 1e-14
                # just inside the two slopes, where the ties are settled as in `ask(.., False)`
                lam = m.exp(decreasing_root(m, excess, m.log(lowest), m.log(above), done))
        spend, most = ask(lam, False), ask(lam, True)
        rest = budget - m.fsum(spend)
        for i in range(n):
            extra = min(max(rest, 0), most[i] - spend[i])
            spend[i], rest = spend[i] + extra, rest - extra
        if abs(rest) > budget * (m.mpf(10) ** -35 if m is mp else 1e-10):
            raise ArithmeticError(f"budget not met: {rest}")
    return describe(m, arms, intervals, spend, budget, spend_all)


def describe(m, arms, intervals, spend, budget, spend_all):
    """Value, price and uniqueness of an optimum from its optimality conditions, which are asserted:
    no arm that can grow has a better slope than an arm that can shrink."""
    near = m.mpf(10) ** -30 if m is mp else 1e-11
    room = near * max(budget, 1e-300)
    grow, shrink = [], []  # slopes to the right of arms that can grow, to the left of arms that can shrink
    straight = []  # (slope, can grow, can shrink) of the straight piece(s) that an arm is on
    for arm, (l, u), x in zip(arms, intervals, spend):
        if u == m.mpf(arm.upper):
            u = m.mpf(arm.bound)  # `upper` is cut to what the budget reaches
        steps = arm.steps(m, l, u)
        if steps is None:
            grow += [arm.slope(m, x)] if x < u - room else []
            shrink += [arm.slope(m, x)] if x > l + room else []
            continue
        for left, right, slope in steps:
            up, down = left - room <= x < right - room, left + room < x <= right + room
            grow += [slope] if up else []
            shrink += [slope] if down else []
            straight += [(slope, up, down)] if up or down else []
    slack = m.fsum(spend) < budget * (1 - near) and not spend_all
    low, high = max([m.mpf(0), *grow]), min([m.inf, *shrink])
    if slack:
        assert low == 0, "the budget is not used up"
        price = m.mpf(0)
    else:
        assert low <= high * (1 + 1000 * near) or m is not mp, f"optimality conditions fail: {low} > {high}"
        price = high if high < m.inf and high - low <= 1000 * near * high else None
    tied = [(up, down) for slope, up, down in straight
            if price is not None and abs(slope - price) <= 1000 * near * price]
    gainers, losers = sum(up for up, _ in tied), sum(down for _, down in tied)
    if slack:  # a flat arm may spend what is left over
        unique = not tied
    else:  # two straight pieces of the price's slope may trade spend
        unique = not (gainers and losers and len(tied) > 1)
    value = m.fsum(a.total(m, x) for a, x in zip(arms, spend))
    return {"value": value, "spend": spend, "price": price, "unique": unique}


# ---------------------------------------------------------------------------------------------
# 3. Any curves: dynamic programming over the budget, then the same on ever finer grids.
# ---------------------------------------------------------------------------------------------


def convolve(a, b):
    """(max, +) convolution: best of a[i] + b[j] at every i + j."""
    out = np.full(len(a), -np.inf)
    for j in np.flatnonzero(b > -np.inf):
        np.maximum(out[j:], a[: len(a) - j] + b[j], out=out[j:])
    return out


def table(arm, base, h, cells, pieces):
    """Best value and spend of an arm for every weight 0..cells (spend - base <= weight * h)."""
    x = base + h * np.arange(cells + 1)
    value, spend = np.full(cells + 1, -np.inf), np.full(cells + 1, np.nan)
    for low, high in pieces:
        inside = (x >= low) & (x <= high)
        y = np.full(cells + 1, -np.inf)
        y[inside] = arm.total(np, x[inside])
        better = y > value
        value[better], spend[better] = y[better], x[better]
        for end in (low, high):
            j = max(0, math.ceil((end - base) / h - 1e-9))
            if j <= cells and (y_end := float(arm.total(np, np.float64(end)))) > value[j]:
                value[j], spend[j] = y_end, end
    return value, spend


def backtrack(tables, sums, weight):
    """Spends behind entry `weight` of the last sum."""
    spends = []
    for (value, spend), before in zip(tables[:0:-1], sums[-2::-1]):
        j = int(np.argmax(value[: weight + 1] + before[weight::-1]))
        spends.append(spend[j])
        weight -= j
    return [float(s) for s in [tables[0][1][weight], *spends[::-1]]]


def dynamic_program(arms, budget, cells, pieces):
    """Best plan on a grid of `cells` for arms restricted to `pieces`; None when nothing fits."""
    bases = [min(low for low, _ in p) for p in pieces]
    h = (budget - math.fsum(bases)) / cells
    if h <= 0:
        return list(bases) if h == 0 else None
    tables = [table(a, b, h, cells, p) for a, b, p in zip(arms, bases, pieces)]
    sums = [tables[0][0]]
    for t in tables[1:]:
        sums.append(convolve(sums[-1], t[0]))
    best = int(np.argmax(sums[-1]))
    return backtrack(tables, sums, best) if sums[-1][best] > -np.inf else None


def zoom(arms, budget, spend, h):
    """Improve a plan by dynamic programming over +-6 cells around it, with cells shrinking from h to 1e-12 B.

    Each arm stays in the interval of its domain that it is in. What rounding leaves of the budget
    goes to the arm with the best slope.
    """
    inside = [next(((l, u) for l, u in a.intervals() if l <= x <= u)) for a, x in zip(arms, spend)]
    spend, value = list(spend), math.fsum(float(a.total(np, np.float64(x))) for a, x in zip(arms, spend))
    reach = 6
    while h > 1e-12 * budget:
        for _ in range(40):
            span = reach * len(arms)
            options = []
            for arm, x, (l, u) in zip(arms, spend, inside):
                c = np.unique(np.clip(x + h * np.arange(-reach, reach + 1), l, u))
                w = np.ceil((c - x) / h - 1e-9).astype(int)
                options.append((c, w, arm.total(np, c)))
            limit = max(0, math.floor((budget - math.fsum(spend)) / h + 1e-9))
            state = np.full(2 * span + 1, -np.inf)
            state[span] = 0.0
            states = [state]
            for _, w, y in options:
                new = np.full_like(state, -np.inf)
                for wj, yj in zip(w, y):
                    src = states[-1][max(0, -wj) : len(state) - max(0, wj)]
                    np.maximum(new[max(0, wj) : len(state) - max(0, -wj)], src + yj,
                               out=new[max(0, wj) : len(state) - max(0, -wj)])
                states.append(new)
            t = int(np.argmax(states[-1][: span + min(limit, span) + 1]))
            new_value, new_spend = states[-1][t], []
            for (c, w, y), before in zip(options[::-1], states[-2::-1]):
                ok = (t - w >= 0) & (t - w < len(state))
                scores = np.where(ok, before[np.clip(t - w, 0, len(state) - 1)] + y, -np.inf)
                j = int(np.argmax(scores))
                new_spend.append(float(c[j]))
                t -= int(w[j])
            if not new_value > value + 1e-15 * abs(value):
                break
            spend, value = new_spend[::-1], new_value
        h /= 3
    slopes = [float(a.slope(np, np.float64(x))) for a, x in zip(arms, spend)]
    for i in sorted(range(len(arms)), key=lambda i: -slopes[i]):
        rest = budget - math.fsum(spend)
        spend[i] = min(max(spend[i] + rest, inside[i][0]), inside[i][1])
    return plan_value(arms, spend), spend


def plan_value(arms, spend):
    return float(mp.fsum(a.total(mp, mp.mpf(x)) for a, x in zip(arms, spend)))


def split_domain(arm):
    """Pieces of an arm's domain: its intervals cut at the inflections, with the interval each came from."""
    out = []
    for l, u in arm.intervals():
        cuts = [l, *(arm.inflections(l, u) if u > l else []), u]
        out += [((a, b), (l, u)) for a, b in itertools.pairwise(cuts)]
    return out


def solve_global(arms, budget, spend_all=False, cells=8000, coarse=1200, most=1500):
    """Global optimum over any curves: (value, spend).

    Candidates: the plan of one dynamic program over the whole domain on `cells` cells, and the
    best plan on `coarse` cells of every combination of pieces of the domains (below or above each
    inflection, off or on). All within 1 % of the best are zoomed in on; the best one is the answer.
    Curves never fall, so `spend_all` only asks that the limits let the budget be spent.
    """
    whole = [a.intervals() for a in arms]
    bases = [min(l for l, _ in w) for w in whole]
    room = budget - math.fsum(bases)
    plans = []
    equality_matters = spend_all and any(a.active_lower is not None for a in arms)
    if not equality_matters:
        plan = dynamic_program(arms, budget, cells, whole)
        plans.append((math.inf, plan, room / cells))
    splits = [split_domain(a) for a in arms]
    count = math.prod(len(s) for s in splits)
    if count <= most and room > 0:
        h = room / coarse
        tables = [[table(a, b, h, coarse, [p]) for p, _ in s] for a, b, s in zip(arms, bases, splits)]
        stack = [((j,), [tables[0][j][0]]) for j in range(len(splits[0]))]
        while stack:
            chosen, sums = stack.pop()
            depth = len(chosen)
            if not np.any(sums[-1] > -np.inf):
                continue
            if depth < len(arms):
                for j in range(len(splits[depth])):
                    stack.append(((*chosen, j), [*sums, convolve(sums[-1], tables[depth][j][0])]))
                continue
            if equality_matters:
                most_spend = math.fsum(splits[i][j][1][1] for i, j in enumerate(chosen))
                if most_spend < budget:
                    continue
            t = int(np.argmax(sums[-1]))
            plans.append((float(sums[-1][t]), (chosen, sums, t), h))
        plans = [
            (v, p if v == math.inf else backtrack([tables[i][j] for i, j in enumerate(p[0])], p[1], p[2]), h)
            for v, p, h in prune(plans)
        ]
    best = (-math.inf, None)
    for _, plan, h in plans:
        if plan is not None:
            best = max(best, zoom(arms, budget, plan, h))
    return best


def prune(plans):
    top = max((v for v, *_ in plans if v < math.inf), default=0.0)
    kept = sorted((p for p in plans if p[0] >= top - 0.01 * abs(top)), key=lambda p: -p[0])
    return kept[:40]


def solve_active_sets(arms, budget, spend_all=False):
    """Concave arms, some zero-or-minimum: best over every set of active arms, dict as `solve_concave`."""
    best = []
    for chosen in itertools.product(*[a.intervals() for a in arms]):
        least, most = math.fsum(l for l, _ in chosen), math.fsum(u for _, u in chosen)
        if least > budget or (spend_all and most < budget):
            continue
        got = solve_concave(arms, budget, spend_all, fp, chosen)
        best.append((got["value"], chosen))
    top = max(v for v, _ in best)
    sets = [c for v, c in best if v >= top - 1e-8 * abs(top)]
    return max((solve_concave(arms, budget, spend_all, mp, c) for c in sets), key=lambda g: g["value"])


# ---------------------------------------------------------------------------------------------
# 4. Random problems
# ---------------------------------------------------------------------------------------------

CONCAVE = ("linear", "logarithmic", "power", "exponential", "michaelis_menten", "hill", "logistic", "tanh",
           "tabulated")


def short(x, digits=5):
    """Round to a few significant digits, so that the files stay small and the parameters exact."""
    if isinstance(x, (list, tuple, np.ndarray)):
        return [short(v, digits) for v in x]
    return float(f"{float(x):.{digits}g}")


def spread(rng, low, high, size=None):
    """Log-uniform."""
    return np.exp(rng.uniform(math.log(low), math.log(high), size))


def random_segment(rng, family, arms, s, r, draws=None, s_shaped=False, extras=True):
    """A segment with natural spend `s` and response `r`; `draws`: shape in front of the arms, e.g. (8,)."""
    shape = (*(draws or ()), arms)
    size = r * spread(rng, 0.2, 2, shape)
    scale = s * spread(rng, 0.15, 4, shape)
    seg = {"family": family}
    if family == "linear":
        seg |= {"beta": short(size / s / 3)}
    elif family == "logarithmic":
        seg |= {"beta": short(size), "scale": short(scale)}
    elif family == "power":
        seg |= {"exponent": short(e := rng.uniform(0.25, 0.9, shape)), "beta": short(size / s**e)}
    elif family == "exponential":
        seg |= {"beta": short(size), "scale": short(scale)}
    elif family == "michaelis_menten":
        seg |= {"beta": short(size), "half_saturation": short(scale)}
    elif family == "hill":
        slope = rng.uniform(1.2, 6, shape) if s_shaped else rng.uniform(0.4, 1, shape)
        seg |= {"beta": short(size), "half_saturation": short(scale), "slope": short(slope, 3)}
    elif family == "logistic":
        seg |= {"beta": short(size), "lam": short(1 / scale)}
    elif family == "tanh":
        seg |= {"b": short(size), "c": short(scale / size)}
    elif family == "hill_sigmoid":
        seg |= {"sigma": short(size), "lam": short(scale), "beta": short(spread(rng, 2, 12, shape) / scale)}
    elif family == "tabulated":
        xs, ys = [], []
        for _ in range(arms):
            k = int(rng.integers(3, 8))
            x = np.concatenate([[0], np.cumsum(spread(rng, 0.1, 2, k))]) * s
            slopes = np.sort(spread(rng, 0.05, 3, k))[::-1] * r / s
            xs.append(short(x))
            ys.append(short(np.concatenate([[0], np.cumsum(slopes * np.diff(xs[-1]))]), 8))
        seg |= {"spend": xs, "response": ys}
    if extras and rng.random() < 0.35:
        seg["offset"] = short(s * rng.uniform(0.05, 1), 3) if rng.random() < 0.6 else short(
            s * rng.uniform(0, 1, arms), 3)
        if rng.random() >= 0.5:
            seg["keep_offset_response"] = True
    if extras and rng.random() < 0.3:
        seg["cost_per_unit"] = short(spread(rng, 0.3, 3, arms if rng.random() < 0.5 else None), 3)
    if extras and rng.random() < 0.3:
        seg["value_per_response"] = short(spread(rng, 0.3, 3, arms if rng.random() < 0.5 else None), 3)
    if rng.random() < 0.15 and arms > 1 and not draws:  # one number for all arms
        name = {"michaelis_menten": "half_saturation", "exponential": "scale", "hill": "slope"}.get(family)
        if name:
            seg[name] = seg[name][0]
    return seg


def random_problem(rng, families, s, r, *, load, uppers, lowers, values, spend_all=False, draws=None,
                   s_shaped=False, extras=True):
    """A problem with one arm per entry of `families`; `load` is the budget over n * s."""
    segments = []
    for family, group in itertools.groupby(families):
        k = len(list(group))
        segments.append(random_segment(rng, family, k, s, r, draws, s_shaped, extras))
    n = len(families)
    lower = short(rng.uniform(0, 0.4, n) * s * min(load, 1), 3) if lowers else [0.0] * n
    if lowers:
        lower = [x if rng.random() < 0.6 else 0.0 for x in lower]
    upper = [short(l + x) for l, x in zip(lower, s * spread(rng, 0.3, 4, n))]
    open_ended = uppers == "some"
    at = 0
    for seg in segments:
        for i in range(segment_arms(seg)):
            if seg["family"] == "tabulated":  # stay within the table
                cost, offset = (v[i] if isinstance(v := seg.get(key, default), list) else v
                                for key, default in (("cost_per_unit", 1.0), ("offset", 0.0)))
                end = (seg["spend"][i][-1] - offset) * cost
                if end <= lower[at] + 0.1 * s:  # the offset leaves too little of this table
                    seg.pop("offset", None)
                    end = seg["spend"][i][-1] * cost
                lower[at] = min(lower[at], short(end / 2, 3))
                upper[at] = math.floor(end * 1e6) / 1e6
            elif uppers is None or (open_ended and rng.random() < 0.5):
                upper[at] = None
            at += 1
    budget = short(math.fsum(lower) + load * n * s)
    finite = None not in upper
    if spend_all and finite:
        budget = short(min(budget, math.fsum(lower) + 0.85 * (math.fsum(upper) - math.fsum(lower))))
    problem = {"version": 1, "curves": {"version": 1, "curves": segments}, "budget": budget}
    if spend_all:
        problem["spend_all"] = True
    if any(lower):
        problem["lower"] = lower
    if any(u is not None for u in upper):
        problem["upper"] = upper
    if values:
        problem["value"] = short(spread(rng, 0.2, 5, n), 3)
    return problem


def concave_families(rng, n):
    """n families, the same ones side by side."""
    return sorted(rng.choice(CONCAVE, n), key=CONCAVE.index)


# ---------------------------------------------------------------------------------------------
# 5. The files
# ---------------------------------------------------------------------------------------------


def concave_expect(problem, got):
    """Expectations from an exact concave solution."""
    expect = {"status": "optimal", "objective_value": float(got["value"]), "objective_tolerance": 1e-9}
    if got["unique"]:
        expect |= {"spend": [float(x) for x in got["spend"]], "spend_tolerance": 1e-7}
    if got["price"] is not None:
        expect |= {"shadow_price": float(got["price"]), "shadow_price_tolerance": 1e-7}
    return expect | {"gap_at_most": 1e-9}


def concave_case(name, problem):
    got = solve_concave(read_arms(problem), problem["budget"], problem.get("spend_all", False))
    return {"name": name, "problem": problem, "expect": concave_expect(problem, got)}


def global_expect(value):
    return {"status": "optimal", "objective_value": value, "objective_tolerance": 1e-6, "at_least": True,
            "gap_at_most": 1e-6}


def global_case(name, problem, **options):
    value, _ = solve_global(read_arms(problem), problem["budget"], problem.get("spend_all", False), **options)
    return {"name": name, "problem": problem, "expect": global_expect(value)}


def concave_cases():
    rng = np.random.default_rng([SEED, 1])
    cases = []
    settings = itertools.cycle(itertools.product(
        (None, "all", "some"), (False, True), (False, True), (0.05, 0.4, 1.5), (False, True)))
    settings = itertools.islice(settings, 0, None, 7)  # 7 does not divide 72: all come up, well mixed
    for family in CONCAVE:
        for n in (2, 5, int(rng.integers(8, 21))):
            uppers, lowers, values, load, spend_all = next(settings)
            s, r = spread(rng, 1, 1e4), spread(rng, 0.1, 1e5)
            cases.append(concave_case(f"{family}, {n} arms", random_problem(
                rng, [family] * n, s, r, load=load * spread(rng, 0.5, 2), uppers=uppers, lowers=lowers,
                values=values, spend_all=spend_all, extras=n != 2)))
    for n in (1, 1, 2, 2, 3, 3, 4, 4, 5, 6, 6, 7, 8, 8, 9, 10, 10, 11, 12, 12, 14, 15, 16, 18, 20, 20, 22, 24,
              25, 26, 28, 30, 30):
        uppers, lowers, values, load, spend_all = next(settings)
        s, r = spread(rng, 1, 1e4), spread(rng, 0.1, 1e5)
        cases.append(concave_case(f"mixture {len(cases) - 26}, {n} arms", random_problem(
            rng, concave_families(rng, n), s, r, load=load * spread(rng, 0.5, 2), uppers=uppers,
            lowers=lowers, values=values, spend_all=spend_all)))
    return cases


def s_shaped_cases():
    rng = np.random.default_rng([SEED, 2])
    cases = []
    for k in range(60):
        n = 2 + k % 5
        kind = ("hill", "sigmoid", "both", "mixed")[k % 4]
        families = {
            "hill": ["hill"] * n,
            "sigmoid": ["hill_sigmoid"] * n,
            "both": ["hill"] * (n - n // 2) + ["hill_sigmoid"] * (n // 2),
            "mixed": ["hill"] * (n - n // 2) + sorted(rng.choice(CONCAVE[1:5], n // 2)),
        }[kind]
        load = (0.1, 0.25, 0.5, 1.0, 2.5)[int(rng.integers(5))] * spread(rng, 0.8, 1.25)
        problem = random_problem(
            rng, families, spread(rng, 1, 1e4), spread(rng, 0.1, 1e5), load=load, s_shaped=True,
            uppers=(None, "all", "some")[k % 3], lowers=k % 6 == 5, values=k % 7 == 3,
            spend_all=k % 5 == 4, extras=k % 2 == 1)
        cases.append(global_case(f"{kind} {k + 1}, {n} arms", problem))
    return cases


def zero_or_minimum_cases():
    rng = np.random.default_rng([SEED, 3])
    cases = []
    for k in range(32):
        concave = k % 2 == 0
        n = (2, 3, 4, 5, 6, 7, 8, 8)[k // 2 % 8] if concave else 2 + k // 2 % 4
        families = (concave_families(rng, n) if concave else
                    ["hill"] * (n - n // 2) + sorted(rng.choice(["hill_sigmoid", "michaelis_menten"], n // 2)))
        s, load = spread(rng, 1, 1e4), (0.2, 0.5, 1.2)[int(rng.integers(3))] * spread(rng, 0.8, 1.25)
        problem = random_problem(rng, families, s, spread(rng, 0.1, 1e5), load=load, s_shaped=not concave,
                                 uppers=("all", None, "some")[k % 3], lowers=False, values=k % 5 == 1,
                                 spend_all=k % 4 == 2, extras=k % 3 == 1)
        upper = problem.get("upper", [None] * n)
        least = [short(min(x, 0.9 * (u or math.inf)), 3)
                 for x, u in zip(s * load * spread(rng, 0.3, 4, n), upper)]
        least = [None if rng.random() < 0.2 else x for x in least]
        if k == 0:
            least[0] = upper[0] = short(problem["budget"] / 2, 3)  # all or nothing
        if k == 3:
            least[0] = short(problem["budget"] * 1.5, 3)  # cannot be afforded
            upper[0] = None
        if k == 6:
            least = short(0.7 * s * load, 3)  # one number for all arms
            problem["upper"] = [None if u is None else max(u, least) for u in upper]
        problem["active_lower"] = least
        if problem.get("spend_all") and not spendable(problem):
            del problem["spend_all"]
        name = f"{'concave' if concave else 'S-shaped'} {k + 1}, {n} arms"
        if concave:
            got = solve_active_sets(read_arms(problem), problem["budget"], problem.get("spend_all", False))
            cases.append({"name": name, "problem": problem, "expect": {
                "status": "optimal", "objective_value": float(got["value"]), "objective_tolerance": 1e-6,
                "gap_at_most": 1e-6}})
        else:
            cases.append(global_case(name, problem))
    return cases


def spendable(problem):
    """Whether some set of active arms can spend the whole budget."""
    choices = itertools.product(*[a.intervals() for a in read_arms(problem)])
    return any(math.fsum(l for l, _ in c) <= problem["budget"] <= math.fsum(u for _, u in c) for c in choices)


def draws_cases():
    rng = np.random.default_rng([SEED, 4])
    cases = []
    for k, (family, draws) in enumerate(itertools.chain(
            zip(("exponential", "michaelis_menten", "hill", "logistic", "tanh", "power", "logarithmic", "linear"),
                (2, 40, 8, 5, 10, 3, 12, 4)), [("mixture", 6), ("mixture", 20), ("mixture", 2)])):
        n = int(rng.integers(2, 7))
        families = concave_families(rng, n) if family == "mixture" else [family] * n
        families = [f if f != "tabulated" else "exponential" for f in families]
        families.sort(key=CONCAVE.index)
        problem = random_problem(rng, families, spread(rng, 1, 1e4), spread(rng, 0.1, 1e5),
                                 load=(0.1, 0.5, 1.5)[k % 3], uppers=(None, "all", "some")[k % 3],
                                 lowers=k % 4 == 1, values=k % 3 == 1, spend_all=k % 5 == 2, draws=(draws,))
        cases.append(concave_case(f"{family}, {draws} draws, {n} arms", problem))
    for k, draws in enumerate((2, 3, 5, 8, 12, 20, 30, 40, 4, 6)):
        n = 2 + k % 3
        families = ["hill"] * n if k % 2 == 0 else ["hill"] * (n - 1) + ["hill_sigmoid"]
        problem = random_problem(rng, families, s := spread(rng, 1, 1e4), spread(rng, 0.1, 1e5),
                                 load=(0.2, 0.5, 1.2)[k % 3], uppers=(None, "all", "some")[k % 3],
                                 lowers=k % 4 == 3, values=False, spend_all=k % 5 == 2, draws=(draws,),
                                 s_shaped=True, extras=k % 3 == 1)
        if k in (0, 2, 8):  # draws far apart and steep: the mean has several inflections
            hill = problem["curves"]["curves"][0]
            arms = len(hill["beta"][0])
            hill["half_saturation"] = [short(s * spread(rng, 0.8, 1.2, arms) * (0.15, 1.5)[d % 2])
                                       for d in range(draws)]
            hill["slope"] = [short(rng.uniform(3.5, 6, arms), 3) for _ in range(draws)]
        cases.append(global_case(f"S-shaped, {draws} draws, {n} arms", problem))
    cases += terms_cases(rng)
    return cases


def terms_cases(rng):
    """Curves that are sums over terms (e.g. the periods of a window), averaged over draws."""
    def segment(family, draws, terms, arms, s_shaped=False):
        return random_segment(rng, family, arms, 100.0, 10.0, (draws, terms), s_shaped, extras=False)

    def problem(segments, budget, **more):
        return {"version": 1, "curves": {"version": 1, "curves": segments}, "budget": budget, **more}

    logistic = segment("logistic", 4, 6, 3)
    mixed_depth = segment("michaelis_menten", 3, 4, 4)
    mixed_depth["beta"] = [d[0] for d in mixed_depth["beta"]]  # draws x arms beside draws x terms x arms
    one_number = segment("exponential", 2, 5, 3)
    one_number["beta"] = 4.0
    hill = segment("hill", 3, 4, 3, s_shaped=True)
    single = segment("hill_sigmoid", 1, 3, 2)
    return [
        concave_case("logistic, 4 draws of 6 terms, 3 arms", problem([logistic], 250.0)),
        concave_case("michaelis_menten, 3 draws of 4 terms, parameters of two shapes", problem(
            [mixed_depth], 300.0, upper=[None, 80.0, None, 200.0])),
        concave_case("exponential, 2 draws of 5 terms, one parameter a number", problem(
            [one_number, segment("linear", 2, 2, 1)], 180.0, lower=[10.0, 0.0, 5.0, 0.0], spend_all=True)),
        global_case("hill, 3 draws of 4 terms, S-shaped", problem([hill], 200.0)),
        global_case("hill_sigmoid, 3 terms of one draw, beside a hill with 8 draws", problem(
            [single, random_segment(rng, "hill", 1, 100.0, 10.0, (8,), True, extras=False)], 220.0)),
    ]


def edge_cases():
    def problem(segments, **more):
        return {"version": 1, "curves": {"version": 1, "curves": segments}, **more}

    def error(name, p, code, **more):
        return {"name": name, "problem": p, "expect": {"error": code, **more}}

    def seg(family, **parameters):
        return {"family": family, **parameters}

    mm = seg("michaelis_menten", beta=[10.0, 8.0, 5.0], half_saturation=[20.0, 5.0, 40.0])
    hill = seg("hill", beta=[10.0, 8.0, 5.0], half_saturation=[20.0, 5.0, 40.0], slope=[3.0, 2.0, 1.5])
    cases = []

    # --- the budget -----------------------------------------------------------------------------
    for name, s in (("concave", mm), ("S-shaped", hill)):
        cases.append({"name": f"budget 0, {name}", "problem": problem([s], budget=0.0), "expect": {
            "status": "optimal", "objective_value": 0.0, "objective_tolerance": 1e-9,
            "spend": [0.0] * 3, "spend_tolerance": 1e-7}})
        p = problem([s], budget=1000.0, upper=[30.0, 20.0, 60.0])
        value = plan_value(read_arms(p), p["upper"])
        full = {"status": "optimal", "objective_value": value, "objective_tolerance": 1e-9,
                "spend": p["upper"], "spend_tolerance": 1e-7}
        cases.append({"name": f"budget above all upper bounds, {name}", "problem": p,
                      "expect": full | {"shadow_price": 0.0, "shadow_price_tolerance": 1e-7}})
        p = problem([s], budget=110.0, upper=[30.0, 20.0, 60.0], spend_all=True)
        cases.append({"name": f"budget equal to the sum of the upper bounds, {name}", "problem": p, "expect": full})
        p = problem([s], upper=[30.0, 20.0, 60.0])
        cases.append({"name": f"no budget, {name}", "problem": p, "expect": full})
        p = problem([s], budget=45.0, lower=[20.0, 5.0, 20.0])
        cases.append({"name": f"budget equal to the sum of the lower bounds, {name}", "problem": p, "expect": {
            "status": "optimal", "objective_value": plan_value(read_arms(p), p["lower"]),
            "objective_tolerance": 1e-9, "spend": p["lower"], "spend_tolerance": 1e-7}})
        p = problem([s], budget=60.0, lower=[20.0, 5.0, 35.0], upper=[20.0, 5.0, 35.0])
        cases.append({"name": f"lower equal to upper in every arm, {name}", "problem": p, "expect": {
            "status": "optimal", "objective_value": plan_value(read_arms(p), p["lower"]),
            "objective_tolerance": 1e-9, "spend": p["lower"], "spend_tolerance": 1e-7}})
    p = problem([mm], budget=80.0, lower=[0.0, 12.0, 0.0], upper=[None, 12.0, None])
    cases.append(concave_case("lower equal to upper in one arm, concave", p))
    p = problem([hill], budget=50.0, lower=[0.0, 12.0, 0.0], upper=[None, 12.0, None])
    cases.append(global_case("lower equal to upper in one arm, S-shaped", p))

    # --- one arm ----------------------------------------------------------------------------------
    cases.append(concave_case("one arm, concave", problem([seg("logarithmic", beta=3.0, scale=7.0)], budget=50.0)))
    p = problem([seg("hill", arms=1, beta=3.0, half_saturation=7.0, slope=4.0)], budget=2.0)
    arms = read_arms(p)
    one = {"status": "optimal", "objective_value": plan_value(arms, [2.0]), "objective_tolerance": 1e-9,
           "spend": [2.0], "spend_tolerance": 1e-7, "gap_at_most": 1e-6}
    cases.append({"name": "one arm, S-shaped, budget below the inflection", "problem": p, "expect": one})
    p = problem([seg("michaelis_menten", beta=3.0, half_saturation=7.0)], budget=2.0, active_lower=2.5)
    cases.append({"name": "one arm that the budget cannot activate", "problem": p, "expect": {
        "status": "optimal", "objective_value": 0.0, "objective_tolerance": 1e-9, "spend": [0.0],
        "spend_tolerance": 1e-7}})

    # --- equal arms -------------------------------------------------------------------------------
    for n in (7, 100):
        p = problem([seg("logistic", arms=n, beta=2.0, lam=0.05)], budget=12.5 * n)
        cases.append(concave_case(f"{n} equal arms, concave", p))
    p = problem([seg("linear", arms=6, beta=1.5)], budget=30.0, upper=10.0)
    cases.append(concave_case("6 equal linear arms (any split is best)", p))
    cases += [equal_hill_case(*c) for c in (
        (20, 10.0, 3.0, 60.0, None), (20, 10.0, 3.0, 137.0, None), (20, 10.0, 2.0, 95.0, None),
        (20, 10.0, 5.0, 4.0, None), (20, 10.0, 3.0, 1000.0, None), (20, 10.0, 3.0, 103.0, 14.0),
        (20, 10.0, 1.2, 33.0, None))]

    # --- flat curves and arms without value ---------------------------------------------------------
    p = problem([seg("michaelis_menten", beta=[0.0, 10.0, 0.0], half_saturation=[5.0, 9.0, 30.0])],
                budget=40.0, upper=25.0)
    cases.append({"name": "flat curves beside one that rises", "problem": p, "expect": {
        "status": "optimal", "objective_value": 10 * 25 / 34, "objective_tolerance": 1e-9}})
    p = problem([seg("hill", beta=[0.0, 10.0], half_saturation=5.0, slope=3.0)], budget=40.0)
    cases.append({"name": "flat S-shaped curve beside one that rises", "problem": p, "expect": {
        "status": "optimal", "objective_value": 10 * 40**3 / (5**3 + 40**3), "objective_tolerance": 1e-9,
        "spend": [0.0, 40.0], "spend_tolerance": 1e-7}})
    for name, curve in (("linear", seg("linear", arms=3, beta=0.0)),
                        ("exponential", seg("exponential", arms=3, beta=0.0, scale=2.0)),
                        ("S-shaped", seg("hill", arms=3, beta=0.0, half_saturation=2.0, slope=2.5))):
        p = problem([curve], budget=40.0)
        cases.append({"name": f"every curve flat, {name}", "problem": p, "expect": {
            "status": "optimal", "objective_value": 0.0, "objective_tolerance": 1e-9}})
    p = problem([mm], budget=80.0, value=[1.0, 0.0, 2.0])
    cases.append(concave_case("an arm without value, concave", p))
    p = problem([hill], budget=60.0, value=[1.0, 0.0, 2.0])
    cases.append(global_case("an arm without value, S-shaped", p))
    p = problem([mm], budget=80.0, value=[1.0, 0.0, 2.0], upper=30.0, spend_all=True)
    cases.append(concave_case("an arm without value takes what the others cannot (spend_all)", p))
    p = problem([hill], budget=60.0, value=0.0)
    cases.append({"name": "no arm has value", "problem": p, "expect": {
        "status": "optimal", "objective_value": 0.0, "objective_tolerance": 1e-9}})
    p = problem([seg("power", beta=[2.0, 3.0], exponent=1.0)], budget=10.0, upper=[None, 6.0])
    cases.append(concave_case("power with exponent 1 is linear", p))
    p = problem([seg("hill", beta=[10.0, 8.0], half_saturation=[20.0, 5.0], slope=1.0)], budget=30.0, lower=2.0)
    cases.append(concave_case("hill with slope 1, one number for all lower bounds", p))

    # --- scale ------------------------------------------------------------------------------------
    base_mm, base_hill = problem([mm], budget=80.0), problem([hill], budget=35.0)
    for ks, kr in ((1e9, 1.0), (1e-9, 1.0), (1.0, 1e9), (1.0, 1e-9), (1e9, 1e-9), (1e-9, 1e9)):
        for name, base, case in (("concave", base_mm, concave_case), ("S-shaped", base_hill, global_case)):
            p = json.loads(json.dumps(base))
            s = p["curves"]["curves"][0]
            s["beta"] = [v * kr for v in s["beta"]]
            s["half_saturation"] = [v * ks for v in s["half_saturation"]]
            p["budget"] *= ks
            cases.append(case(f"spend times {ks:g}, response times {kr:g}, {name}", p))

    # --- infeasible -------------------------------------------------------------------------------
    limits = {"lower": [10.0, 20.0, 30.0], "upper": [40.0, 50.0, 60.0]}
    cases += [
        error("lower bounds above the budget", problem([mm], budget=50.0, **limits), "infeasible"),
        error("lower bounds above the budget, S-shaped", problem([hill], budget=50.0, **limits), "infeasible"),
        error("lower bounds above the budget (spend_all)", problem([mm], budget=50.0, spend_all=True, **limits),
              "infeasible", feasible_budget=[60.0, 150.0]),
        error("upper bounds below the budget (spend_all)", problem([mm], budget=160.0, spend_all=True, **limits),
              "infeasible", feasible_budget=[60.0, 150.0]),
        error("upper bounds below the budget (spend_all), S-shaped", problem(
            [hill], budget=160.0, spend_all=True, **limits), "infeasible", feasible_budget=[60.0, 150.0]),
        error("budget 0 below a lower bound", problem([mm], budget=0.0, lower=[0.0, 1.0, 0.0]), "infeasible"),
    ]
    # --- senseless --------------------------------------------------------------------------------
    cases += [
        error("lower above upper", problem([mm], budget=50.0, lower=[0.0, 9.0, 0.0], upper=[5.0, 8.0, 5.0]),
              "lower_above_upper"),
        error("lower above upper, both one number", problem([mm], budget=50.0, lower=2.0, upper=1.0),
              "lower_above_upper"),
        error("negative lower", problem([mm], budget=50.0, lower=[0.0, -1.0, 0.0]), "out_of_domain"),
        error("negative budget", problem([mm], budget=-1.0), "out_of_domain"),
        error("negative value", problem([mm], budget=50.0, value=[1.0, 1.0, -1.0]), "out_of_domain"),
        error("half saturation 0", problem([seg("michaelis_menten", beta=1.0, half_saturation=0.0)], budget=1.0),
              "out_of_domain"),
        error("power with an exponent above 1", problem([seg("power", beta=1.0, exponent=1.5)], budget=1.0),
              "out_of_domain"),
        error("hill with slope 0", problem([seg("hill", beta=1.0, half_saturation=1.0, slope=0.0)], budget=1.0),
              "out_of_domain"),
        error("lower of the wrong length", problem([mm], budget=50.0, lower=[0.0, 1.0]), "length_mismatch"),
        error("upper of the wrong length", problem([mm], budget=50.0, upper=[9.0] * 4), "length_mismatch"),
        error("value of the wrong length", problem([mm], budget=50.0, value=[1.0]), "length_mismatch"),
        error("names of the wrong length", problem([mm], budget=50.0, names=["a"]), "length_mismatch"),
        error("parameters of different lengths", problem(
            [seg("michaelis_menten", beta=[1.0, 2.0, 3.0], half_saturation=[1.0, 2.0])], budget=1.0),
            "length_mismatch"),
        error("no arms", problem([], budget=1.0), "empty"),
        error("two arms of one name", problem([mm], budget=50.0, names=["a", "b", "a"]), "duplicate_name"),
        error("an unknown key", problem([mm], budget=50.0, colour="red"), "malformed"),
        error("an unknown family", problem([seg("cubic", beta=1.0)], budget=50.0), "malformed"),
        error("a missing parameter", problem([seg("michaelis_menten", beta=1.0)], budget=50.0), "malformed"),
    ]
    return cases


def equal_hill_case(n, k, s, budget, upper):
    """n equal Hill arms. At an optimum at most one arm lies on the convex part, and arms on the concave
    part have equal slopes, hence equal spends (or all sit on their bound): j arms share, one takes z."""
    p = {"version": 1, "curves": {"version": 1, "curves": [
        {"family": "hill", "arms": n, "beta": 1.0, "half_saturation": k, "slope": s}]}, "budget": budget}
    if upper is not None:
        p["upper"] = upper
    return {"name": f"{n} equal arms, Hill slope {s:g}, budget {budget:g}" + (f", at most {upper:g} each" if upper else ""),
            "problem": p, "expect": global_expect(equal_hill_best(n, k, s, budget, upper)[0])}


def equal_hill_best(n, k, s, budget, upper=None):
    f = lambda x: x**s / (k**s + x**s)
    cap = upper or budget
    best = (0.0, None)
    for j in range(1, n + 1):
        total = lambda z: j * f(min((budget - z) / j, cap)) + (f(z) if j < n else 0.0)
        z_max = min(cap, budget) if j < n else 0.0
        grid = np.linspace(0, z_max, 20001) if z_max else np.zeros(1)
        values = j * f(np.minimum((budget - grid) / j, cap)) + (f(grid) if j < n else 0.0)
        i = int(np.argmax(values))
        low, high = grid[max(i - 1, 0)], grid[min(i + 1, len(grid) - 1)]
        for _ in range(120):  # ternary search around the best grid point
            a, b = low + (high - low) / 3, high - (high - low) / 3
            low, high = (low, b) if total(a) >= total(b) else (a, high)
        best = max(best, (float(values[i]), (j, float(grid[i]))), (float(total((low + high) / 2)), (j, (low + high) / 2)))
    return best


# --- published figures ---------------------------------------------------------------------------


def adstock_weights(alpha, l_max, periods, tail=0):
    """Exposure in every period of a constant spend of 1: geometric carry-over over l_max lags, weights
    summing to 1, from a standing start; `tail` more periods without spend."""
    lags = [alpha**lag for lag in range(l_max)]
    lags = [w / math.fsum(lags) for w in lags]
    return [math.fsum(w for lag, w in enumerate(lags) if 0 <= t - lag < periods) for t in range(periods + tail)]


def logistic_window(lam, beta, alpha, l_max, periods, tail=0):
    """Total response of a window at constant spend per period: sum over periods of logistic(lam w_t x)."""
    weights = [adstock_weights(a, l_max, periods, tail) for a in alpha]
    draws = [[[lam_i * w[t] for lam_i, w in zip(row, weights)] for t in range(periods + tail)] for row in lam]
    return {"family": "logistic", "beta": beta, "lam": draws}


def published_cases():
    figures = json.loads((HERE / "figures" / "published.json").read_text())
    return [*pymc_marketing_cases(figures["pymc_marketing"]), *robyn_cases(figures["robyn"]),
            *meridian_cases(figures["meridian"])]


def pymc_marketing_cases(figures):
    two, steep = figures["two_channels"], figures["steep_channel"]

    def problem(segment, budget, **more):
        return {"version": 1, "curves": {"version": 1, "curves": [segment]}, "budget": budget, **more}

    def agree(case, spend, tolerance, response=None):
        got = case["expect"]
        assert np.allclose(got["spend"], spend, atol=tolerance, rtol=0), (case["name"], got["spend"], spend)
        assert response is None or abs(got["objective_value"] - response) < 0.005, (case["name"], got)
        return case

    window = lambda tail=0: logistic_window(two["lam"], two["beta"], two["alpha"], two["l_max"], two["periods"], tail)
    name = "PyMC-Marketing, two channels"
    cases = [
        agree(concave_case(name, problem(window(), 100.0, spend_all=True)), two["spend"], 1e-2, two["response"]),
        agree(concave_case(f"{name}, at most 50 each", problem(window(), 100.0, upper=50.0, spend_all=True)),
              [50.0, 50.0], 1e-9, two["response_at_50_50"]),
        {"name": f"{name}, budget 0", "problem": problem(window(), 0.0), "expect": {
            "status": "optimal", "objective_value": 0.0, "objective_tolerance": 1e-9, "spend": [0.0, 0.0],
            "spend_tolerance": 1e-7}},
        concave_case(f"{name}, with the carry-over after the window", problem(window(two["l_max"] - 1), 100.0,
                                                                             spend_all=True)),
    ]
    segment = logistic_window([steep["lam"]], steep["beta"], steep["alpha"], steep["l_max"], steep["periods"])
    cases.append(agree(concave_case("PyMC-Marketing, one channel far steeper than the others",
                                    problem(segment, 60.0, spend_all=True)), steep["spend"], steep["spend_tolerance"]))
    return cases


def robyn_cases(figures):
    names = list(figures["params"])
    params, published = figures["params"], figures["published"]
    column = lambda key, source=params: [source[c][key] for c in names]

    def curves(chosen):
        pick = lambda key: [params[c][key] for c in chosen]
        return {"version": 1, "names": chosen, "curves": [{
            "family": "hill", "beta": pick("coef"), "half_saturation": pick("inflexion"), "slope": pick("alpha"),
            "offset": pick("mean_carryover_window"), "keep_offset_response": True}]}

    cases = []
    for point in ("init", "opt", "unbound"):  # every published response, to the error stated for it
        for c in names:
            spend, response_ = published[c][f"spend_{point}"], published[c][f"response_{point}"]
            error = abs(figures["formula_check"][c][f"rel_err_{point}"])
            tolerance = max(short(1.01 * error, 3), 1e-10)
            p = {"version": 1, "curves": curves([c]), "budget": spend, "lower": spend, "upper": spend}
            value = plan_value(read_arms(p), [spend])
            assert abs(value - response_) <= tolerance * response_, (c, point, value, response_)
            cases.append({"name": f"Robyn 3_165_9, published response of {c} at its {point} spend", "problem": p,
                          "expect": {"objective_value": response_, "objective_tolerance": tolerance,
                                     "spend": [spend], "spend_tolerance": 1e-9}})
    cases.append({"name": "Robyn 3_165_9, the published request that the limits cannot meet", "problem": {
        "version": 1, "curves": curves(names), "budget": figures["requested_per_period"], "spend_all": True,
        "lower": column("lower", published), "upper": column("upper", published)}, "expect": {
            "error": "infeasible",
            "feasible_budget": [math.fsum(column("lower", published)), math.fsum(column("upper", published))]}})
    mean = column("mean_spend_window")
    multiples = {"bounds_0.7_1.5_tv1.2": ((0.7, 1.5), (0.8, 1.2)), "bounds_0.1_2.5_tv1.6": ((0.1, 2.5), (0.1, 1.6)),
                 "bounds_0_10": ((0.0, 10.0), (0.0, 10.0))}
    for key, (others, tv) in multiples.items():  # bounds are multiples of the mean spend in the window
        known = figures["reference_optima"][key]
        p = {"version": 1, "curves": curves(names), "budget": known["total_budget"], "spend_all": True,
             "lower": [m * (tv if c == "tv_S" else others)[0] for c, m in zip(names, mean)],
             "upper": [m * (tv if c == "tv_S" else others)[1] for c, m in zip(names, mean)]}
        case = global_case(f"Robyn 3_165_9, {key.replace('_', ' ')}", p)
        found = case["expect"]["objective_value"]
        assert found >= known["response"] * (1 - 1e-8), (key, found, known["response"])
        cases.append(case)
    return cases


def meridian_cases(figures):
    """The four demo plans: maximise over the published points, joined by straight lines."""
    cases = []
    for name, plan in figures["plans"].items():
        channels = plan["channels"]
        column = lambda key: [channels[c][key] for c in channels]
        p = {"version": 1, "curves": {"version": 1, "names": list(channels), "curves": [
            {"family": "tabulated", "spend": column("spend"), "response": column("outcome")}]},
            "budget": plan["budget"], "spend_all": True, "lower": column("lower"), "upper": column("upper")}
        case = global_case(f"Meridian demo {name.replace('_', ' ')}", p)
        optimized = plan_value(read_arms(p), column("optimized_spend"))
        published = sum(column("optimized_outcome"))
        found = case["expect"]["objective_value"]
        assert abs(optimized - published) < 2e-5 * published, (name, optimized, published)
        assert found >= optimized * (1 - 1e-12), (name, found, optimized)
        cases.append(case)
    return cases


FILES = {
    "concave": (concave_cases, "bisection on the budget's multiplier with a root search on every arm's analytic slope, in 50-digit arithmetic; the optimality conditions are asserted"),
    "s_shaped": (s_shaped_cases, "dynamic programming over the budget on 8000 cells, and on 1200 cells for every combination of the convex and concave parts of the curves; every candidate within 1 % refined by dynamic programming on shrinking cells"),
    "zero_or_minimum": (zero_or_minimum_cases, "concave: every set of active arms, each solved as concave.json is; S-shaped: as s_shaped.json, over every set of active arms"),
    "draws": (draws_cases, "concave: as concave.json; S-shaped: as s_shaped.json"),
    "edge": (edge_cases, "by hand, by symmetry (equal arms), or as concave.json and s_shaped.json"),
    "published": (published_cases, "figures published by PyMC-Marketing 1.3.0, Robyn 3.11.1 and Meridian (figures/published.json names the sources), checked and carried to full precision as concave.json and s_shaped.json are"),
}


def write(name):
    make, how = FILES[name]
    cases = make()
    assert len({c["name"] for c in cases}) == len(cases), "names must differ"
    source = (f"reference.py, seed {SEED}; {how}. Python {sys.version.split()[0]}, numpy {np.__version__}, "
              f"scipy {scipy.__version__}, mpmath {mpmath.__version__}")
    lines = ",\n".join("  " + json.dumps(c, allow_nan=False) for c in cases)
    text = f'{{\n "source": {json.dumps(source)},\n "cases": [\n{lines}\n ]\n}}\n'
    (HERE / f"{name}.json").write_text(text)
    print(f"{name}.json: {len(cases)} cases, {len(text) // 1024} KiB", flush=True)


# ---------------------------------------------------------------------------------------------
# 6. Second methods
# ---------------------------------------------------------------------------------------------


def slsqp(arms, budget, spend_all, starts, rng):
    """Best of SciPy's SLSQP from many starts, on scaled variables; -inf when no start converges."""
    low, high = (np.array([getattr(a, k) for a in arms]) for k in ("lower", "upper"))
    total = lambda y: sum(float(a.total(np, np.float64(t))) for a, t in zip(arms, y))
    size = max(abs(total(np.minimum(high, budget))), 1e-300)
    best = -math.inf
    for _ in range(starts):
        start = low + rng.dirichlet(np.full(len(arms), spread(rng, 0.2, 5))) * (budget - low.sum())
        start = np.minimum(start, high)
        fun = lambda z: -total(z * budget) / size
        jac = lambda z: np.array([-min(float(a.slope(np, np.float64(max(t * budget, 1e-12 * budget)))), 1e12 * size / budget)
                                  for a, t in zip(arms, z)]) * budget / size
        with np.errstate(all="ignore"):
            got = minimize(fun, start / budget, jac=jac, method="SLSQP", bounds=list(zip(low / budget, high / budget)),
                           constraints={"type": "eq" if spend_all else "ineq", "fun": lambda z: 1 - z.sum(),
                                        "jac": lambda z: -np.ones(len(z))}, options={"ftol": 1e-13, "maxiter": 400})
        y = np.clip(got.x * budget, low, high)
        if not np.all(np.isfinite(y)):
            continue
        over = y.sum() - budget
        if over > 0:  # make it exactly affordable
            free = y - low
            y = y - over * free / max(free.sum(), 1e-300)
        best = max(best, total(y))
    return best


def dual_bound(arms, budget, points=20001):
    """min over lam >= 0 of lam B + sum_i max_x (v f(x) - lam x): no plan can be better. The inner maximum is
    over a grid (with every point of a table, so there it is exact; elsewhere up to 1e-7 too low), the outer one by ternary search."""
    grids = []
    for a in arms:
        even = np.linspace(0, 1, points)
        x = np.concatenate([l + (u - l) * part for l, u in a.intervals() for part in (even, even**4)])
        if a.family == "tabulated":
            knots = (np.array(a.points[0]) - a.offset) * a.cost
            x = np.union1d(x, knots[(knots > a.lower) & (knots < a.upper)])
        grids.append((x, a.total(np, x)))
    bound = lambda lam: lam * budget + sum(float(np.max(y - lam * x)) for x, y in grids)
    scale = sum(float(np.ptp(y)) for _, y in grids) / budget
    low, high = math.log(max(scale, 1e-300) * 1e-9), math.log(max(scale, 1e-300) * 1e6)
    for _ in range(80):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, b) if bound(math.exp(a)) <= bound(math.exp(b)) else (a, high)
    return min(bound(math.exp((low + high) / 2)), bound(0.0))


def check(name):
    """Solve each case another way; report how far that comes out above (must be about 0) and below."""
    np.seterr(all="ignore")  # slopes at 0 are infinite for some curves
    rng = np.random.default_rng([SEED, 99])
    data = json.loads((HERE / f"{name}.json").read_text())
    above, below, exact, count, duals = 0.0, [], 0.0, 0, []
    for case in data["cases"]:
        problem, expect = case["problem"], case["expect"]
        if "error" in expect or problem.get("budget", 0) in (0, None):
            continue
        arms, budget, spend_all = read_arms(problem), problem["budget"], problem.get("spend_all", False)
        value = expect["objective_value"]
        size = max(abs(value), 1e-300)
        if "spend" in expect:  # the stated spends give the stated value and keep the limits
            off = abs(plan_value(arms, expect["spend"]) - value) / size
            assert off <= max(1e-12, expect["objective_tolerance"]), (case["name"], off)
            assert math.fsum(expect["spend"]) <= budget * (1 + 1e-14), case["name"]
            assert all(a.lower * (1 - 1e-12) <= x <= a.upper * (1 + 1e-12) for a, x in zip(arms, expect["spend"]))
        if value == 0 or all(a.upper == a.lower for a in arms) or len(arms) > 30:
            continue
        duals.append((dual_bound(arms, budget) - value) / size)
        if duals[-1] < -1e-7:
            print(f"  {case['name']}: the value expected is above the dual bound by {-duals[-1]:.1e}")
        n, mixed = len(arms), any(a.active_lower is not None for a in arms)
        if mixed or n <= 4:
            # a grid of another fineness, without the split into pieces, zoomed: a lower bound on the optimum
            other = -math.inf
            if not (mixed and spend_all):
                plan = dynamic_program(arms, budget, 2777, [a.intervals() for a in arms])
                other, _ = zoom(arms, budget, plan, (budget - math.fsum(a.lower for a in arms)) / 2777)
            if mixed:
                other = max(other, solve_global(arms, budget, spend_all, coarse=431, most=7000)[0])
            exact = max(exact, abs(other - value) / size)
            if abs(other - value) > 1e-7 * size:
                print(f"  {case['name']}: the other grid gives {other!r}, expected {value!r}")
            above = max(above, (other - value) / size)
        if not mixed:
            other = slsqp(arms, budget, spend_all, 3 if "at_least" not in expect else 30, rng)
            above = max(above, (other - value) / size)
            below.append((value - other) / size)
            if other - value > 1e-9 * size:
                print(f"  {case['name']}: SLSQP gives {other!r}, expected {value!r}")
        if "shadow_price" in expect and expect["shadow_price"] > 0 and "at_least" not in expect:
            # the optimal value is concave in the budget and the price is its slope
            step, price = 1e-6 * budget, expect["shadow_price"]
            down, here, up = (float(solve_concave(read_arms(problem | {"budget": b}), b, spend_all)["value"])
                              for b in (budget - step, budget, budget + step))
            slack = 1e-5 * price + 1e-14 * size / step
            if not (up - here) / step - slack <= price <= (here - down) / step + slack:
                print(f"  {case['name']}: slopes {(up - here) / step!r}, {(here - down) / step!r}; price {price!r}")
        count += 1
    reached = sum(b < 1e-6 for b in below)
    print(f"{name}: {count} cases; another method is at most {above:.1e} above; SLSQP within 1e-6 in {reached} of "
          f"{len(below)}, worst {max(below, default=0):.1e} below; other grid differs by at most {exact:.1e}; "
          f"dual bound proves {sum(d < 1e-6 for d in duals)} of {len(duals)} to 1e-6, least {min(duals, default=0):.1e}, "
          f"most {max(duals, default=0):.1e}", flush=True)


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if a != "--check"]
    for file in arguments or FILES:
        (check if "--check" in sys.argv else write)(file)
