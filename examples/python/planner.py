"""The questions a planner asks, each answered with a proof: goals, groups, moves, a frontier, weeks, and risk."""

import numpy as np

import adflow

names = ["search", "shopping", "video", "social", "tv"]
curves = adflow.ResponseCurves.hill(
    beta=[520.0, 390.0, 260.0, 310.0, 390.0],  # thousand dollars of margin at saturation
    half_saturation=[28.0, 41.0, 15.0, 52.0, 60.0],  # thousand dollars that bring half of it
    slope=[0.9, 1.8, 1.1, 1.4, 2.4],
).with_names(names)
today = [30.0, 25.0, 15.0, 20.0, 10.0]


def show(question, plan):
    spends = ", ".join(f"{name} {x:.1f}" for name, x in zip(names, plan.spend, strict=True))
    assert plan.verify().ok
    print(f"{question}\n  {spends}\n  value {plan.objective_value:.2f}, gap {plan.gap:.0e}")
    for limit in plan.binding:
        print(f"  held by {limit['limit']} {limit['name'] or ''}: {limit['price']:.3f} a unit")
    print()


show("As much as 100 can bring?", adflow.allocate(curves, 100.0))
show("How little brings 800?", adflow.allocate(curves, target=adflow.Target.response(800.0), objective="spend"))
show("All that returns at least 7 a dollar?", adflow.allocate(curves, target=adflow.Target.roas(7.0)))
show("The most profit?", adflow.allocate(curves, objective="profit"))
show(
    "100, with at most 40 on performance, and TV at least half of video?",
    adflow.allocate(
        curves,
        100.0,
        groups=[
            adflow.Group("performance", ["search", "shopping"], upper=40.0),
            adflow.Group("all video", ["video", "tv"], share_lower=0.3),
        ],
        coupling=adflow.Coupling([[0, 0, 0.5, 0, -1.0]], [0.0], names=["TV at least half of video"]),
    ),
)
show(
    "100, moving at most three channels, none by more than 60 %, in whole fives?",
    adflow.allocate(curves, 100.0, current=today, max_moves=3, max_change=0.6, step=5.0, spend_all=True),
)

frontier = adflow.frontier(curves, np.linspace(20.0, 200.0, 10))
for budget, value, price in zip(frontier.budgets, frontier.objective_value, frontier.shadow_price, strict=True):
    print(f"{budget:6.0f} brings {value:7.1f}, the next unit {price:.2f}")
print()

# Eight weeks, with half of each week's pressure left over in the next; nothing on TV in weeks 3 and 4.
upper = np.full((8, 5), 40.0)
upper[2:4, 4] = 0.0
weeks = adflow.schedule(
    curves, adflow.Adstock.geometric(0.5, max_lag=6), periods=8, budget=500.0, upper=upper, period_upper=80.0
)
print(weeks)
print()

# What is known of the curves are draws: the plan whose worst tenth of outcomes is best.
random = np.random.default_rng(1)
uncertain = adflow.ResponseCurves.hill(
    beta=random.normal(1.0, [0.05, 0.1, 0.2, 0.15, 0.4], (400, 5)).clip(0.1) * [520, 390, 260, 310, 390],
    half_saturation=[28.0, 41.0, 15.0, 52.0, 60.0],
    slope=[0.9, 0.95, 1.0, 0.9, 0.8],
).with_names(names)
for risk in (None, adflow.Risk.cvar(0.1)):
    plan = adflow.allocate(uncertain, 100.0, risk=risk)
    outcome = plan.outcome
    show(f"Under uncertainty, {risk}: mean {outcome.mean:.1f}, worst tenth {outcome.cvar(0.1):.1f}", plan)

# Limits that cannot hold together are named, and so is what could be had.
try:
    adflow.allocate(curves, 100.0, target=adflow.Target.roas(12.0), lower=[0, 0, 0, 0, 40.0])
except adflow.InfeasibleError as error:
    print(error)
