"""Independent reference for the readers of other systems' parameters: writes readers.json beside this file.

    python readers_reference.py        (Python 3.11, numpy; the long double of x86-64)

Nothing here uses the engine or its way of writing a model as a sum of curves. Every case is simulated as the system
itself would compute it: media of every period, convolution period by period, saturation of every period, sum,
mean over draws. All in extended precision, rounded to float64 at the end.
"""

import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
SEED = 20250102
L = np.longdouble
rng = np.random.default_rng(SEED)


def long(values):
    return np.asarray(values, dtype=np.float64).astype(L)


def uniform(low, high, *shape):
    """Random numbers of few digits, so that the JSON stays short."""
    return np.round(rng.uniform(low, high, shape), 4)


def listed(values):
    return np.asarray(values, dtype=np.float64).tolist()


# --------------------------------------------------------------------------------------- adstock


def causal(media, weights):
    """y[t] = sum over l of w[l] x[t-l], nothing before the first period."""
    y = np.zeros(len(media), dtype=L)
    for t in range(len(media)):
        for lag in range(len(weights)):
            if t - lag >= 0:
                y[t] += weights[lag] * media[t - lag]
    return y


def recursion(media, retention):
    """y[t] = x[t] + retention y[t-1]."""
    y = np.zeros(len(media), dtype=L)
    for t in range(len(media)):
        y[t] = media[t] + (retention * y[t - 1] if t else 0)
    return y


def weibull_density(t, shape, scale):
    return shape / scale * (t / scale) ** (shape - 1) * np.exp(-((t / scale) ** shape))


def weibull_distribution(t, shape, scale):
    return 1 - np.exp(-((t / scale) ** shape))


# ----------------------------------------------------------------------------------------- Robyn


def robyn_quantile(n, probability):
    """R: round(quantile(1:n, p), 0), type 7; np.round is half to even too."""
    return np.round(np.quantile(np.arange(1, n + 1), float(probability)))


def robyn_adstocked(x, kind, theta=None, shape=None, scale=None, windlen=None):
    """(adstocked, immediate) as in adstock_geometric and adstock_weibull."""
    if kind == "geometric":
        return recursion(x, theta), x
    windlen = windlen or len(x)
    t = np.arange(1, windlen + 1).astype(L)
    scale_trans = L(robyn_quantile(windlen, scale))
    if shape == 0 or scale == 0:
        return x, x
    if kind == "weibull_cdf":
        theta_vec = np.concatenate([[L(1)], 1 - weibull_distribution(t[:-1], shape, scale_trans)])
        kernel = np.cumprod(theta_vec)
        return causal(x, kernel), x
    density = weibull_density(t, shape, scale_trans)
    kernel = (density - density.min()) / (density.max() - density.min())
    return causal(x, kernel), x * kernel[0]


def robyn(arguments, spend):
    coef, alpha = long(arguments["coef"]), long(arguments["alpha"])
    arms = len(coef)
    if "media" in arguments:
        media = long(arguments["media"])
        window = slice(*arguments["window"]) if "window" in arguments else slice(None)
        inflexion, carryover = np.zeros(arms, dtype=L), np.zeros(arms, dtype=L)
        for i in range(arms):
            parameters = {k: long(arguments[k])[i] for k in ("theta", "shape", "scale") if k in arguments}
            y, immediate = robyn_adstocked(
                media[:, i], arguments["adstock"], windlen=arguments.get("windlen"), **parameters
            )
            inflexion[i] = L(arguments["gamma"][i]) * y[window].max()
            carryover[i] = (y - immediate)[window].mean()
    else:
        if "inflexion" in arguments:
            inflexion = long(arguments["inflexion"])
        else:
            inflexion = long(arguments["gamma"]) * long(arguments["max_adstocked"])
        carryover = long(arguments.get("carryover", [0.0] * arms))
    x = long(spend) + carryover
    return coef * x**alpha / (x**alpha + inflexion**alpha)


# Robyn's run 3_165_9 on its demo data (allocator table, Robyn 3.11.1; MIT licence). Published spends and responses
# with the error of the formula above against them: the published parameters are rounded.
PUBLISHED_ROBYN = {
    "facebook_S": {
        "coef": 368248.5235131345, "alpha": 2.9891167988, "inflexion": 9442.28140831274,
        "carryover": 85.26321733362674,
        "spend": [3273.18868673127, 4909.7830300969, 11456.1604035594],
        "response": [16028.274840653, 47773.9272174738, 237766.213085838],
        "stated_error": [-4.9416359892973105e-11, -2.7692070858620355e-11, 3.5584868385285517e-12],
    },
    "ooh_S": {
        "coef": 366029.6133531044, "alpha": 0.51639771924, "inflexion": 234126.20417686307,
        "carryover": 34557.032997668284,
        "spend": [26136.8, 39205.2, 91478.8],
        "response": [121639.68747999, 129951.477726157, 153947.898585177],
        "stated_error": [0.0003708554584263002, 0.0003582380109987682, 0.0003218127973827478],
    },
    "print_S": {
        "coef": 82529.925537053, "alpha": 2.936020043, "inflexion": 11385.01116184431,
        "carryover": 520.2053879387604,
        "spend": [3244.77333333333, 4867.16, 11356.7066666667],
        "response": [3083.94093007449, 8255.76628472168, 43824.0170493482],
        "stated_error": [9.821682134258936e-09, 9.182308247090987e-09, 4.785107865501459e-09],
    },
    "search_S": {
        "coef": 71340.0466080032, "alpha": 0.6371621796, "inflexion": 8618.481960247647,
        "carryover": 43.752567639672584,
        "spend": [12080.0, 18120.0, 42280.0],
        "response": [39532.729436483, 43986.096682528, 52349.5015106202],
        "stated_error": [1.7252410100532245e-06, 1.4836883159841108e-06, 1.0300536910090585e-06],
    },
    "tv_S": {
        "coef": 420253.2720871196, "alpha": 2.6886555963, "inflexion": 55226.90274747375,
        "carryover": 7975.863728980692,
        "spend": [34559.2573333333, 41471.1088, 69118.5146666667],
        "response": [139248.325486675, 179121.356251119, 298504.967851738],
        "stated_error": [3.4386896338611805e-05, 2.9507448357612986e-05, 1.489819734890041e-05],
    },
}


def robyn_cases():
    arms = list(PUBLISHED_ROBYN.values())
    columns = {key: [arm[key] for arm in arms] for key in ("coef", "alpha", "inflexion", "carryover")}
    rows = {key: listed(np.transpose([arm[key] for arm in arms])) for key in ("spend", "response", "stated_error")}
    yield {"name": "robyn: run 3_165_9 as published", "reader": "robyn", "arguments": columns, **rows}
    spends = listed(uniform(0, 40, 4, 3))
    base = {"coef": [120.0, 40.5, 77.0], "alpha": [0.6, 1.0, 2.7], "gamma": [0.4, 0.9, 0.55]}
    yield case("robyn", "gamma with max_adstocked", {**base, "max_adstocked": [30.0, 55.0, 41.0]}, spends)
    media = uniform(0, 30, 26, 3)
    media[rng.uniform(size=media.shape) < 0.3] = 0.0
    history = {**base, "media": listed(media), "window": [5, 22]}
    yield case("robyn", "geometric history", {**history, "adstock": "geometric", "theta": [0.0, 0.35, 0.8]}, spends)
    for kind in ("weibull_cdf", "weibull_pdf"):
        weibull = {"adstock": kind, "shape": [0.7, 2.2, 9.0], "scale": [0.06, 0.1, 0.0]}
        yield case("robyn", f"{kind} history", {**history, **weibull}, spends)
    yield case("robyn", "weibull_pdf history, longer kernel", {**history, **weibull, "windlen": 40}, spends)


# -------------------------------------------------------------------------------------- Meridian


def meridian(arguments, spend):
    media = long(arguments["media_scaled"])
    media = media[None] if media.ndim == 2 else media
    geos, times, arms = media.shape
    alpha, ec = long(arguments["alpha_m"]), long(arguments["ec_m"])
    draws = len(alpha)
    slope = long(arguments.get("slope_m", np.ones((draws, arms))))
    beta = long(arguments["beta_gm"])
    beta = np.broadcast_to(beta[:, None, :], (draws, geos, arms)) if beta.ndim == 2 else beta
    outcome = long(arguments.get("outcome_per_unit", 1.0))
    outcome = np.broadcast_to(outcome, (geos, times)) if outcome.ndim == 0 else np.atleast_2d(outcome)
    outcome = np.broadcast_to(outcome, (geos, outcome.shape[1]))
    output = outcome.shape[1]
    window = min(arguments.get("max_lag", 8) + 1, times)
    lags = np.arange(window).astype(L)
    k = long(spend) / long(arguments["spend"])

    total = np.zeros(arms, dtype=L)
    for s in range(draws):
        for i in range(arms):
            if arguments.get("adstock", "geometric") == "geometric":
                weights = alpha[s, i] ** lags
            else:
                weights = (1 - lags / window) ** (1 / alpha[s, i] - 1)
            weights = weights / weights.sum()

            def hill(a):
                return a ** slope[s, i] / (a ** slope[s, i] + ec[s, i] ** slope[s, i])

            for g in range(geos):
                x = k[i] * media[g, :, i]
                if arguments.get("hill_before_adstock", False):
                    transformed = causal(hill(x), weights)
                else:
                    transformed = hill(causal(x, weights))
                total[i] += beta[s, g, i] * (outcome[g] * transformed[-output:]).sum()
    return total / draws


def meridian_cases():
    draws, geos, times, arms = 3, 2, 14, 2
    media = uniform(0, 3, geos, times, arms)
    media[rng.uniform(size=media.shape) < 0.4] = 0.0
    media[:, :5, 1] = 0.0
    base = {
        "alpha_m": listed(uniform(0.1, 0.9, draws, arms)),
        "ec_m": listed(uniform(0.3, 2.0, draws, arms)),
        "beta_gm": listed(uniform(0.1, 1.0, draws, geos, arms)),
        "media_scaled": listed(media),
        "spend": [1200.0, 340.0],
    }
    spends = [[0.0, 0.0], [12.5, 700.0], [1200.0, 340.0], [9000.0, 33.0]]
    yield case("meridian", "geometric, two geos", base, spends)
    slope = {"slope_m": listed(uniform(0.6, 2.8, draws, arms))}
    grid = {"outcome_per_unit": listed(uniform(50, 90, geos, times))}
    yield case("meridian", "slopes and outcome per unit", {**base, **slope, **grid, "max_lag": 3}, spends)
    yield case("meridian", "binomial", {**base, **slope, "adstock": "binomial", "outcome_per_unit": 3.5}, spends)
    swapped = {**base, **slope, "hill_before_adstock": True}
    yield case("meridian", "hill before adstock", swapped, spends)
    late = {"outcome_per_unit": listed(uniform(50, 90, geos, times - 5))}
    yield case("meridian", "media before the outcome", {**base, **slope, **late}, spends)
    yield case("meridian", "hill before adstock, media before the outcome", {**swapped, **late}, spends)
    national = {
        **base,
        "beta_gm": listed(uniform(0.1, 1.0, draws, arms)),
        "media_scaled": listed(media[0]),
        "outcome_per_unit": listed(uniform(50, 90, times)),
        "max_lag": 40,
    }
    yield case("meridian", "one geo, kernel as long as the media", national, spends)
    no_carry_over = {**base, "alpha_m": [[0.0, 1.0]] * draws}
    yield case("meridian", "retention 0 and 1", no_carry_over, spends)


# -------------------------------------------------------------------------------- PyMC-Marketing

SATURATIONS = {
    "logistic": (
        {"lam": (0.2, 3), "beta": (0.2, 4)},
        lambda x, lam, beta: beta * (1 - np.exp(-lam * x)) / (1 + np.exp(-lam * x)),
    ),
    "inverse_scaled_logistic": (
        {"lam": (0.3, 2), "beta": (0.2, 4)},
        lambda x, lam, beta: beta
        * (1 - np.exp(-(np.log(L(3)) / lam) * x))
        / (1 + np.exp(-(np.log(L(3)) / lam) * x)),
    ),
    "tanh": ({"b": (0.5, 3), "c": (0.2, 2)}, lambda x, b, c: b * np.tanh(x / (b * c))),
    "tanh_baselined": (
        {"x0": (0.4, 2), "gain": (0.2, 2), "r": (0.1, 0.9), "beta": (0.5, 2)},
        lambda x, x0, gain, r, beta: beta * gain * x0 * np.tanh(x * np.arctanh(r) / x0) / r,
    ),
    "michaelis_menten": ({"alpha": (0.5, 4), "lam": (0.2, 3)}, lambda x, alpha, lam: alpha * x / (lam + x)),
    "hill": (
        {"slope": (0.6, 3), "kappa": (0.3, 2), "beta": (0.5, 3)},
        lambda x, slope, kappa, beta: beta * (1 - kappa**slope / (kappa**slope + x**slope)),
    ),
    "hill_sigmoid": (
        {"sigma": (0.5, 3), "beta": (0.5, 4), "lam": (0.2, 1.5)},
        lambda x, sigma, beta, lam: sigma / (1 + np.exp(-beta * (x - lam))) - sigma / (1 + np.exp(beta * lam)),
    ),
    "root": ({"alpha": (0.2, 0.9), "beta": (0.5, 3)}, lambda x, alpha, beta: beta * x**alpha),
    "log": ({"beta": (0.5, 3)}, lambda x, beta: beta * np.log1p(x)),
    "none": ({"beta": (0.5, 3)}, lambda x, beta: beta * x),
}


def pymc_kernel(kind, l_max, alpha=None, theta=None, lam=None, k=None):
    lags = np.arange(l_max).astype(L)
    t = lags + 1
    if kind == "geometric":
        return alpha**lags
    if kind == "delayed":
        return alpha ** ((lags - theta) ** 2)
    if kind == "binomial":
        return (1 - lags / (l_max + 1)) ** (1 / alpha - 1)
    if kind == "weibull_pdf":
        w = weibull_density(t, k, lam)
        return (w - w.min()) / (w.max() - w.min())
    if kind == "weibull_cdf":
        return np.cumprod(np.concatenate([[L(1)], 1 - weibull_distribution(t[:-1], k, lam)]))
    return np.array([L(1)])


def pymc_marketing(arguments, spend):
    names = [key for key in arguments if key.startswith(("saturation_", "adstock_")) and key != "adstock_first"]
    values = {key: np.atleast_2d(long(arguments[key])) for key in names}
    draws = max(value.shape[0] for value in values.values())
    arms = len(spend)
    at = {key: np.broadcast_to(value, (draws, arms)) for key, value in values.items()}
    channel_scale = np.broadcast_to(long(arguments.get("channel_scale", 1.0)), arms)
    target_scale = np.broadcast_to(long(arguments.get("target_scale", 1.0)), arms)
    l_max, tail = arguments.get("l_max", 1), arguments.get("include_carryover", True)
    saturation = SATURATIONS[arguments["saturation"]][1]
    total = np.zeros(arms, dtype=L)
    for s in range(draws):
        for i in range(arms):
            own = {key.split("_", 1)[1]: at[key][s, i] for key in names if key.startswith("adstock_")}
            weights = pymc_kernel(arguments["adstock"], l_max, **own)
            if arguments.get("normalize", True):
                weights = weights / weights.sum()
            shape = {key.split("_", 1)[1]: at[key][s, i] for key in names if key.startswith("saturation_")}
            media = np.zeros(arguments["num_periods"] + (l_max if tail else 0), dtype=L)
            media[: arguments["num_periods"]] = L(spend[i]) / channel_scale[i]
            if arguments.get("adstock_first", True):
                response = saturation(causal(media, weights), **shape)
            else:
                response = causal(saturation(media, **shape), weights)
            total[i] += target_scale[i] * response.sum()
    return total / draws


def pymc_cases():
    lam = [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [0.7, 0.8]]
    published = {
        "saturation": "logistic",
        "saturation_lam": lam,
        "saturation_beta": [[0.5, 1.0]] * 4,
        "adstock": "geometric",
        "adstock_alpha": [[0.5, 0.7]] * 4,
        "l_max": 4,
        "num_periods": 30,
        "include_carryover": False,
    }
    spends = [[58.97659707, 41.02340293], [58.97600120944057, 41.02399879055943], [50.0, 50.0], [0.0, 0.0]]
    yield case("pymc_marketing", "the published regression", published, spends)
    yield case(
        "pymc_marketing",
        "the published regression with its tail",
        {**published, "include_carryover": True},
        [[54.7833258772, 45.2166741228]],
    )
    draws, arms = 3, 2
    spends = [[0.0, 0.0], [40.0, 900.0], [310.0, 55.0], [2000.0, 4.0]]
    scales = {"channel_scale": [400.0, 250.0], "target_scale": 1500.0}
    adstocks = {
        "geometric": {"alpha": (0.1, 0.9)},
        "delayed": {"alpha": (0.2, 0.8), "theta": (0.3, 3)},
        "binomial": {"alpha": (0.2, 0.9)},
        "weibull_pdf": {"lam": (1, 4), "k": (0.6, 3)},
        "weibull_cdf": {"lam": (1, 4), "k": (0.6, 3)},
        "none": {},
    }

    def drawn(prefix, ranges):
        return {f"{prefix}_{name}": listed(uniform(*ends, draws, arms)) for name, ends in ranges.items()}

    kinds = list(adstocks)
    for number, (name, (ranges, _)) in enumerate(SATURATIONS.items()):
        kind = kinds[number % len(kinds)]
        arguments = {"saturation": name, **drawn("saturation", ranges), "adstock": kind}
        arguments |= {**drawn("adstock", adstocks[kind]), **scales, "num_periods": 6}
        if kind != "none":
            arguments["l_max"] = 5
        arguments["include_carryover"] = number % 2 == 0
        yield case("pymc_marketing", f"{name} after {kind}", arguments, spends)
    for kind, ranges in adstocks.items():
        arguments = {"saturation": "hill", **drawn("saturation", SATURATIONS["hill"][0]), "adstock": kind}
        arguments |= {**drawn("adstock", ranges), **scales, "l_max": 7, "num_periods": 4, "normalize": False}
        yield case("pymc_marketing", f"hill after {kind}, not normalised, short window", arguments, spends)
        yield case("pymc_marketing", f"hill before {kind}", {**arguments, "adstock_first": False}, spends)
    numbers = {"saturation": "root", "saturation_alpha": 0.5, "saturation_beta": [2.0, 3.0], "adstock": "geometric"}
    numbers |= {"adstock_alpha": listed(uniform(0.1, 0.9, draws, 1)), "l_max": 3, "num_periods": 5}
    yield case("pymc_marketing", "numbers, arms and draws of all arms together", numbers, spends)


# --------------------------------------------------------------------------------- LightweightMMM


def lightweight_mmm(arguments, spend):
    skip = ("model_name", "normalise", "number_time_periods", "media_scale", "target_scale")
    values = {key: np.atleast_2d(long(value)) for key, value in arguments.items() if key not in skip}
    draws, arms = max(value.shape[0] for value in values.values()), len(spend)
    at = {key: np.broadcast_to(value, (draws, arms)) for key, value in values.items()}
    periods = arguments["number_time_periods"]
    media_scale = np.broadcast_to(long(arguments.get("media_scale", 1.0)), arms)
    total = np.zeros(arms, dtype=L)
    for s in range(draws):
        for i in range(arms):
            own = {key: value[s, i] for key, value in at.items()}
            media = np.full(periods, L(spend[i]) / periods / media_scale[i], dtype=L)
            if arguments["model_name"] == "carryover":
                lags = np.arange(13).astype(L)
                weights = own["ad_effect_retention_rate"] ** ((lags - own["peak_effect_delay"]) ** 2)
                y = causal(media, weights) / weights.sum()
            else:
                y = recursion(media, own["lag_weight"])
                if arguments.get("normalise", True):
                    y = y * (1 - own["lag_weight"])
            if arguments["model_name"] == "hill_adstock":
                ratio = np.where(y > 0, y, L(1)) / own["half_max_effective_concentration"]
                transformed = np.where(y > 0, 1 / (1 + ratio ** -own["slope"]), L(0))
            else:
                transformed = y ** own["exponent"]
            total[i] += own["coef_media"] * transformed.sum()
    return total / draws * L(arguments.get("target_scale", 1.0))


def lightweight_cases():
    draws, arms = 3, 2
    spends = [[0.0, 0.0], [40.0, 900.0], [310.0, 55.0], [2000.0, 4.0]]
    ranges = {
        "adstock": {"lag_weight": (0.1, 0.95), "exponent": (0.4, 1)},
        "hill_adstock": {
            "lag_weight": (0.1, 0.95), "half_max_effective_concentration": (0.3, 2), "slope": (0.6, 2.5)
        },
        "carryover": {"ad_effect_retention_rate": (0.2, 0.9), "peak_effect_delay": (0, 3), "exponent": (0.4, 1)},
    }
    for name, own in ranges.items():
        for periods, more in ((1, {}), (6, {"normalise": False, "target_scale": 1200.0}), (40, {})):
            arguments = {"model_name": name, "coef_media": listed(uniform(0.1, 2, draws, arms))}
            arguments |= {key: listed(uniform(*ends, draws, arms)) for key, ends in own.items()}
            arguments |= {"number_time_periods": periods, "media_scale": [15.0, 22.0], **more}
            yield case("lightweight_mmm", f"{name}, {periods} periods", arguments, spends)


# ------------------------------------------------------------------------------------------ files

SYSTEMS = {
    "robyn": robyn,
    "meridian": meridian,
    "pymc_marketing": pymc_marketing,
    "lightweight_mmm": lightweight_mmm,
}


def case(reader, name, arguments, spends):
    response = [listed(SYSTEMS[reader](arguments, spend)) for spend in spends]
    return {
        "name": f"{reader}: {name}",
        "reader": reader,
        "arguments": arguments,
        "spend": listed(spends),
        "response": response,
    }


def main():
    assert np.finfo(L).eps < 1e-18, "needs the extended precision of x86-64"
    cases = [*robyn_cases(), *meridian_cases(), *pymc_cases(), *lightweight_cases()]
    document = {
        "source": f"readers_reference.py, seed {SEED}, long double, numpy {np.__version__}: direct simulation of each "
        "system's formulae; Robyn's run 3_165_9 as published with Robyn 3.11.1",
        "cases": cases,
    }
    lines = json.dumps(document["cases"], separators=(", ", ": "))[1:-1].replace('}, {"name"', '},\n  {"name"')
    text = f'{{\n "source": {json.dumps(document["source"])},\n "cases": [\n  {lines}\n ]\n}}\n'
    json.loads(text)
    (HERE / "readers.json").write_text(text)


if __name__ == "__main__":
    main()
