# %% [markdown]
# # From a Robyn model to a plan
#
# Robyn writes its models as JSON. Here are the paid channels of one, as its allocator sees them: the Hill curve's
# `coef`, `alpha` and `inflexion`, the mean carry-over, and the spend of an average week.

# %%
import json

import adflow

MODEL = json.loads("""
{
  "channels":  ["tv",      "ooh",     "print",   "facebook", "search"],
  "coef":      [291742.0,  183554.0,  82529.9,   368248.5,   95215.0],
  "alpha":     [2.13,      1.42,      2.94,      2.99,       0.88],
  "inflexion": [38720.0,   61950.0,   11385.0,   9442.3,     6210.0],
  "carryover": [1840.0,    2210.0,    520.2,     85.3,       140.0],
  "spend":     [22000.0,   58000.0,   6500.0,    5200.0,     4900.0]
}
""")

curves = adflow.ResponseCurves.from_robyn(
    **{name: MODEL[name] for name in ("coef", "alpha", "inflexion", "carryover")}
).with_names(MODEL["channels"])
current = MODEL["spend"]
print(curves)
print("response today:", curves.response(current).round())

# %% [markdown]
# ## The same budget, better spent
#
# Every channel may move between half and twice of what it gets today. Four of the five curves are S-shaped, so a
# steepest-ascent search can end in the wrong place; the plan's gap proves that this one has not.

# %%
plan = adflow.allocate(
    curves,
    budget=sum(current),
    lower=[0.5 * spend for spend in current],
    upper=[2.0 * spend for spend in current],
    current=current,
)
print(plan)

# %%
gain = plan.total_response / curves.response(current).sum() - 1
print(f"The same {plan.total_spend:,.0f} brings {gain:+.1%}; verified: {plan.verify().ok}")
for arm in plan.explain().arms:
    print("-", arm["sentence"])

# %% [markdown]
# ## Where the plan stands on the curves

# %%
figure = plan.plot()
figure.suptitle(
    f"The same {plan.total_spend:,.0f} a week, placed anew: {gain:+.1%} response",
    x=0.01,
    ha="left",
    fontsize=12,
)
figure.savefig("robyn_curves.png", dpi=150)
print("wrote robyn_curves.png")
