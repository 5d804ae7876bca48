"""Cases at the ends of what limits can say, with answers by hand: {file: cases}.

The curves are f(x) = b x / (k + x) for (b, k) = (10, 20), (8, 5), (5, 40), (6, 10), or straight lines 2 x, 1.5 x, x, 0.5 x.
"""

import math

CURVES = {"version": 1, "curves": [{"family": "michaelis_menten", "beta": [10.0, 8.0, 5.0, 6.0], "half_saturation": [20.0, 5.0, 40.0, 10.0]}]}
LINES = {"version": 1, "curves": [{"family": "linear", "beta": [2.0, 1.5, 1.0, 0.5]}]}
STEEP = {"version": 1, "curves": [{"family": "hill", "beta": [10.0, 8.0], "half_saturation": [20.0, 20.0], "slope": [2.0, 2.0]}]}
UP = [40.0, 50.0, 60.0, 30.0]


def f(*spend):
    return math.fsum(b * x / (k + x) for b, k, x in zip((10, 8, 5, 6), (20, 5, 40, 10), spend))


def cases():
    """{file: [case, ...]}; `total`: the total spend where the objective is the spend."""
    at_slopes = [max(0.0, math.sqrt(b * k) - k) for b, k in ((10, 20), (8, 5), (5, 40), (6, 10))]  # f' = 1
    half = [max(0.0, math.sqrt(2 * b * k) - k) for b, k in ((10, 20), (8, 5), (5, 40), (6, 10))]  # f' = 1/2
    top = f(*UP)
    table = {
        "goals": [
            ("least spend without a target", {"objective": "spend", "lower": [1.0, 2.0, 0.0, 0.0], "upper": UP}, CURVES, -3.0, [1.0, 2.0, 0.0, 0.0]),
            ("a target that the lower bounds meet", {"objective": "spend", "lower": [10.0, 0.0, 0.0, 0.0], "upper": UP, "target": {"response": 2.0}}, CURVES, -10.0, [10.0, 0.0, 0.0, 0.0]),
            ("a target that takes every upper bound", {"objective": "spend", "upper": UP, "target": {"response": top * (1 - 1e-12)}}, CURVES, -180.0, None),
            ("a target on straight lines", {"objective": "spend", "upper": UP, "target": {"response": 110.0}}, LINES, -60.0, [40.0, 20.0, 0.0, 0.0]),
            ("best profit is where the slopes are 1", {"objective": "profit", "upper": UP}, CURVES, f(*at_slopes) - math.fsum(at_slopes), at_slopes),
            ("best profit on straight lines", {"objective": "profit", "upper": UP}, LINES, 65.0, None),
            ("best profit is to spend nothing", {"objective": "profit", "upper": UP, "value": 0.4}, LINES, 0.0, [0.0] * 4),
            ("a marginal ROAS floor alone", {"upper": UP, "target": {"marginal_roas": 0.5}}, CURVES, f(*half), half),
            ("a marginal ROAS floor above every slope", {"upper": UP, "budget": 50.0, "target": {"marginal_roas": 3.0}}, CURVES, 0.0, [0.0] * 4),
            ("a ROAS floor that everything meets", {"upper": UP, "budget": 180.0, "target": {"roas": 0.01}}, CURVES, top, UP),
            ("a ROAS floor that straight lines share", {"upper": UP, "budget": 180.0, "target": {"roas": 1.75}}, LINES, 140.0, None),
            ("a CPA cap that straight lines share", {"upper": UP, "budget": 180.0, "target": {"cpa": 4 / 7}}, LINES, 140.0, None),
        ],
        "groups": [
            ("a group that may have nothing", {"budget": 100.0, "upper": UP, "groups": [{"name": "off", "members": [0, 2], "upper": 0.0}]}, CURVES, f(0, 50, 0, 30), [0.0, 50.0, 0.0, 30.0]),
            ("a group of all arms below the budget", {"budget": 100.0, "upper": UP, "groups": [{"name": "all", "members": [0, 1, 2, 3], "upper": 40.0}]}, LINES, 80.0, [40.0, 0.0, 0.0, 0.0]),
            ("a group without limits", {"budget": 50.0, "upper": UP, "groups": [{"name": "free", "members": [0, 1]}]}, LINES, 95.0, [40.0, 10.0, 0.0, 0.0]),
            ("a share of everything", {"budget": 60.0, "upper": UP, "groups": [{"name": "all of it", "members": [2, 3], "share_lower": 1.0}]}, LINES, 60.0, [0.0, 0.0, 60.0, 0.0]),
            ("a share of nothing", {"budget": 60.0, "upper": UP, "groups": [{"name": "none of it", "members": [0], "share_upper": 0.0}]}, LINES, 85.0, [0.0, 50.0, 10.0, 0.0]),
            ("half and half", {"budget": 60.0, "upper": UP, "groups": [{"name": "a", "members": [0], "share_lower": 0.5, "share_upper": 0.5}]}, LINES, 105.0, [30.0, 30.0, 0.0, 0.0]),
            ("a share that keeps money from being spent", {"budget": 100.0, "upper": [10.0, 50.0, 0.0, 0.0], "groups": [{"name": "a", "members": [0], "share_lower": 0.25}]}, LINES, 65.0, [10.0, 30.0, 0.0, 0.0]),
            ("limits of a group that are equal", {"budget": 100.0, "spend_all": True, "upper": UP, "groups": [{"name": "g", "members": [0, 3], "lower": 35.0, "upper": 35.0}]}, LINES, 160.0, [35.0, 50.0, 15.0, 0.0]),
            ("a at least half of b", {"budget": 45.0, "upper": UP, "value": [0.1, 1.0, 0.1, 0.1], "coupling": {"upper": [0.0], "matrix": [{"arms": [1, 0], "coefficients": [0.5, -1.0]}], "names": ["half"]}}, LINES, 48.0, [15.0, 30.0, 0.0, 0.0]),
            ("a row that asks for at least", {"budget": 45.0, "upper": UP, "coupling": {"upper": [-20.0], "matrix": [{"arms": [2, 3], "coefficients": [-1.0, -1.0]}]}}, LINES, 70.0, [25.0, 0.0, 20.0, 0.0]),
            ("a row of zeros", {"budget": 45.0, "upper": UP, "coupling": {"upper": [0.0], "matrix": [{"arms": [2, 3], "coefficients": [0.0, 0.0]}]}}, LINES, 87.5, [40.0, 5.0, 0.0, 0.0]),
        ],
        "activation": [
            ("no arm may be active", {"budget": 50.0, "upper": UP, "max_active": 0}, CURVES, 0.0, [0.0] * 4),
            ("as many arms as there are", {"budget": 180.0, "upper": UP, "max_active": 4}, CURVES, top, UP),
            ("one arm only", {"budget": 50.0, "upper": UP, "max_active": 1}, CURVES, f(0, 50), [0.0, 50.0, 0.0, 0.0]),
            ("activation costs more than any response", {"budget": 100.0, "upper": UP, "activation_cost": 11.0}, CURVES, 0.0, [0.0] * 4),
            ("an arm with a lower bound pays in any case", {"budget": 10.0, "lower": [0.0, 0.0, 10.0, 0.0], "upper": UP, "activation_cost": 0.25}, CURVES, 0.75, [0.0, 0.0, 10.0, 0.0]),
            ("activation on straight lines", {"budget": 60.0, "upper": UP, "activation_cost": [0.0, 35.0, 5.0, 0.0]}, LINES, 95.0, [40.0, 0.0, 20.0, 0.0]),
            ("one of two steep arms", {"budget": 20.0, "upper": 20.0, "activation_cost": 1.0}, STEEP, 4.0, [20.0, 0.0]),
        ],
        "moves": [
            ("nothing may change by a share", {"budget": 100.0, "upper": UP, "current": [10.0, 20.0, 30.0, 5.0], "max_change": 0.0}, CURVES, f(10, 20, 30, 5), [10.0, 20.0, 30.0, 5.0]),
            ("no arm may move", {"budget": 100.0, "upper": UP, "current": [10.0, 20.0, 30.0, 5.0], "max_moves": 0}, CURVES, f(10, 20, 30, 5), [10.0, 20.0, 30.0, 5.0]),
            ("nothing may change by an amount", {"budget": 100.0, "upper": UP, "current": [10.0, 20.0, 30.0, 5.0], "max_change_amount": 0.0}, CURVES, f(10, 20, 30, 5), [10.0, 20.0, 30.0, 5.0]),
            ("an arm without spend cannot grow by a share", {"budget": 100.0, "upper": UP, "current": [0.0, 20.0, 30.0, 20.0], "max_change": 0.5}, LINES, 102.5, [0.0, 30.0, 45.0, 25.0]),
            ("one move", {"budget": 80.0, "upper": UP, "current": [20.0, 20.0, 20.0, 20.0], "max_moves": 1}, LINES, 100.0, [20.0, 20.0, 20.0, 20.0]),
            ("two moves", {"budget": 80.0, "upper": UP, "current": [20.0, 20.0, 20.0, 20.0], "max_moves": 2}, LINES, 130.0, [40.0, 20.0, 20.0, 0.0]),
            ("moves that cost more than they bring", {"budget": 80.0, "spend_all": True, "upper": UP, "current": [20.0, 20.0, 20.0, 20.0], "move_cost": 0.8}, LINES, 100.0, [20.0, 20.0, 20.0, 20.0]),
            ("moves that pay for some", {"budget": 80.0, "spend_all": True, "upper": UP, "current": [20.0, 20.0, 20.0, 20.0], "move_cost": 0.6}, LINES, 106.0, [40.0, 20.0, 20.0, 0.0]),
            ("a move into a minimum", {"budget": 80.0, "upper": UP, "active_lower": [30.0, 30.0, None, None], "current": [20.0, 30.0, 20.0, 10.0], "max_moves": 1}, LINES, 70.0, [0.0, 30.0, 20.0, 10.0]),
        ],
        "steps": [
            ("a step above the budget", {"budget": 50.0, "upper": UP, "step": 60.0}, CURVES, 0.0, [0.0] * 4),
            ("whole units", {"budget": 7.6, "upper": UP, "step": 1.0}, LINES, 14.0, [7.0, 0.0, 0.0, 0.0]),
            ("whole units and one free arm", {"budget": 7.5, "upper": UP, "step": [1.0, None, 1.0, 1.0]}, LINES, 14.75, [7.0, 0.5, 0.0, 0.0]),
            ("one multiple within the bounds", {"budget": 50.0, "lower": [11.0, 0.0, 0.0, 0.0], "upper": [23.0, 0.0, 0.0, 0.0], "step": 12.0}, LINES, 24.0, [12.0, 0.0, 0.0, 0.0]),
            ("a minimum rounded up to the next multiple", {"budget": 20.0, "active_lower": [15.0, None, None, None], "upper": UP, "step": [10.0, 3.0, None, None]}, LINES, 40.0, [20.0, 0.0, 0.0, 0.0]),
            ("cents", {"budget": 1.0, "spend_all": True, "upper": [0.37, 0.29, 0.6, 1.0], "step": 0.01}, LINES, 0.74 + 0.435 + 0.34, [0.37, 0.29, 0.34, 0.0]),
            ("steps of 30 beside steps of 20", {"budget": 50.0, "spend_all": True, "upper": UP, "step": [30.0, 20.0, 20.0, 20.0]}, LINES, 90.0, [30.0, 20.0, 0.0, 0.0]),
        ],
    }
    out = {}
    for file, rows in table.items():
        out[file] = []
        for name, problem, curves, value, spend in rows:
            expect = {"status": "optimal", "objective_value": value, "objective_tolerance": 1e-6 if file in ("activation", "steps", "moves") else 1e-7}
            if problem.get("objective") == "spend":
                expect |= {"total_spend": -value, "total_spend_tolerance": 1e-7}
            if spend is not None:
                expect |= {"spend": spend, "spend_tolerance": 1e-4}
            out[file].append({"name": name, "problem": {"version": 1, "curves": curves} | problem, "expect": expect})
    return out
