"""One call for many campaigns: a frame in, a frame of the same kind out."""

import numpy as np
import pandas as pd

import adflow

rng = np.random.default_rng(1)
campaigns, channels = 10_000, ["search", "social", "video", "display", "audio"]
rows = campaigns * len(channels)
frame = pd.DataFrame(
    {
        "campaign": np.repeat([f"campaign {number:05}" for number in range(campaigns)], len(channels)),
        "channel": channels * campaigns,
        "beta": rng.lognormal(5.0, 0.6, rows),
        "half_saturation": rng.lognormal(8.0, 0.7, rows),
        "slope": rng.uniform(0.7, 2.5, rows),
        "upper": rng.lognormal(9.0, 0.5, rows),
        "budget": np.repeat(rng.uniform(5_000, 40_000, campaigns), len(channels)),
    }
)

plans = adflow.allocate_frame(frame)
print(plans[["campaign", "channel", "spend", "response", "gap", "status"]].head(10).to_string(index=False))

gaps = plans.groupby("campaign")["gap"].first()
print(
    f"\n{campaigns} campaigns, {(plans['status'] == 'optimal').mean():.0%} proven optimal, largest gap {gaps.max():.1e}"
)

# The same with columns and offsets, where there is no frame.
curves = adflow.ResponseCurves.hill(frame["beta"], frame["half_saturation"], frame["slope"])
offsets = np.arange(campaigns + 1) * len(channels)
batch = adflow.allocate_batch(curves, offsets, frame["budget"].iloc[offsets[:-1]], upper=frame["upper"])
assert np.array_equal(batch.spend, plans["spend"])
print(batch)
