"""Split a weekly budget over five channels, and see why the plan is the best one."""

import adflow

# What a week's spend brings: response curves as a media mix model gives them.
curves = adflow.ResponseCurves.hill(
    beta=[5200.0, 3900.0, 2600.0, 3100.0, 900.0],  # conversions at saturation
    half_saturation=[28_000.0, 41_000.0, 15_000.0, 52_000.0, 9_000.0],  # spend that brings half of them
    slope=[0.9, 1.8, 1.1, 2.4, 0.8],  # above 1: S-shaped, little happens before enough is spent
).with_names(["search", "video", "social", "tv", "display"])

plan = adflow.allocate(
    curves,
    budget=100_000.0,
    lower=[10_000.0, 0.0, 0.0, 0.0, 0.0],  # always be found
    upper=[45_000.0, None, 30_000.0, None, None],
    active_lower=[None, None, None, 20_000.0, None],  # no TV, or at least this much
    current=[40_000.0, 15_000.0, 15_000.0, 25_000.0, 5_000.0],
)

print(plan)
print()
print(plan.explain())
print()
print(plan.verify())
