"""From a history to a plan: fit response curves, allocate on them, and hear what the plan was really worth."""

import numpy as np

import adflow

WEEKS = 26

# Two years of a market whose truth is known. In its place comes your own table, a row per week:
# `model.fit(frame, "revenue", time="week", controls=["price"])`.
market = adflow.Market.realistic(seed=12, channels=5)
history = market.history()
print(f"{history}\n{history.to_frame().head(4).to_string(index=False)}\n")

# What did each channel bring, and how sure is that?
model = adflow.ResponseModel(seed=1).fit(history)
print(f"{model.summary()}\n")
truth = market.truth()
low, high = np.quantile(model.roas_draws_, [0.05, 0.95], axis=0)
inside = (low <= truth.roas) & (truth.roas <= high)
print(
    f"The true ROAS, which only a simulation knows: {np.round(truth.roas, 2)}; {inside.sum()} of 5 inside.\n"
)

# Does it foretell weeks that it has not seen?
print(f"{model.holdout(13)}\n")

# The same money, spent better. The draws come along, so a plan can say how sure it is.
today = model.mean_spend_
plan = adflow.allocate(model.curves_, float(today.sum()), current=today, max_change=0.5)
assert plan.verify().ok
print(plan)
for sentence in plan.explain().summary:
    print(sentence)

# What came of it: both plans for half a year, in the market as it is.
before, after = (np.tile(spend, (WEEKS, 1)) for spend in (today, plan.spend))
best = adflow.allocate(truth.curves, float(today.sum()), current=today, max_change=0.5)
oracle = np.tile(best.spend, (WEEKS, 1))
gain, possible = market.regret(before, after), market.regret(before, oracle)
media = market.simulate_after(oracle).contributions[-WEEKS:].sum()
print(
    f"\nIn {WEEKS} weeks the plan truly brings {gain:,.0f} more than today's split; the best plan {possible:,.0f}."
)
print(f"Regret: {100 * market.regret(after, oracle) / media:.1f} % of what media bring at best.")

# The next four weeks, in which there is no sale, are taken in without starting again.
news = market.replay(4, lambda past: plan.spend)
model.refit(news.spend, news.outcome, holidays={name: np.zeros(4) for name in history.holidays})
print(f"\nAfter four more weeks ({model.diagnostics_['method']}): {model.history_}")
