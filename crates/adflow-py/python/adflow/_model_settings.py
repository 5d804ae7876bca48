"""Settings of a response model as the engine reads them: JSON, in which it fills in what is left out."""

from __future__ import annotations

import json
from operator import index
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from adflow._errors import InvalidInputError
from adflow._prior import LiftTest, Prior, RoasTest

if TYPE_CHECKING:
    from collections.abc import Mapping

Curve = Literal["hill", "logistic", "michaelis_menten", "exponential", "power"]
Carry = Literal["none", "geometric", "delayed", "weibull_cdf", "weibull_pdf"]
Likelihood = Literal["normal", "student_t", "negative_binomial"]
Method = Literal["nuts", "laplace"]
WHOLE = ("max_lag", "yearly", "chains", "draws", "tune", "seed")
WORDS = {"curve": Curve, "adstock": Carry, "likelihood": Likelihood, "method": Method}


def settings_json(**settings: Any) -> str:
    """Settings as the core reads them; what is None is left to it."""
    given = {name: value for name, value in settings.items() if value is not None}
    for name, words in WORDS.items():
        value = given[name]
        for word in [value] if isinstance(value, str) else value:
            if word not in get_args(words):
                choice = ", ".join(get_args(words))
                raise InvalidInputError(f"`{name}` must be one of {choice}, got {word!r}", "out_of_domain")
    given["curve"], given["adstock"] = _each(given["curve"]), _each(given["adstock"])
    for name in WHOLE:
        if name in given:
            given[name] = _whole(name, given[name])
    trend = given["trend"]
    if trend not in ("none", "linear"):
        if isinstance(trend, str):
            message = f"`trend` must be none, linear or a number of knots, got {trend!r}"
            raise InvalidInputError(message, "out_of_domain")
        given["trend"] = {"knots": _whole("trend", trend)}
    if "weekdays" in given:
        given["weekdays"] = bool(given["weekdays"])
    if "target_accept" in given:
        given["target_accept"] = float(given["target_accept"])
    for name, prior in given.get("priors", {}).items():
        if not isinstance(prior, Prior):
            raise InvalidInputError(f"`priors[{name}]` must be an adflow.Prior, got {prior!r}", "malformed")
    given["priors"] = {
        name: {"distribution": prior.distribution, **_floats(f"priors[{name}]", prior.parameters)}
        for name, prior in given.get("priors", {}).items()
    }
    given["pools"] = [
        {"name": name, "channels": list(channels)} for name, channels in given.get("pools", {}).items()
    ]
    for name, kind in (("lift_tests", LiftTest), ("roas_tests", RoasTest)):
        tests = []
        for at, test in enumerate(given[name]):
            if not isinstance(test, kind):
                message = f"`{name}[{at}]` must be an adflow.{kind.__name__}, got {test!r}"
                raise InvalidInputError(message, "malformed")
            fields = {field: getattr(test, field) for field in test.__slots__}
            label, spans = str(fields.pop("channel")), {}
            if isinstance(test, RoasTest):
                spans = {end: _whole(f"{name}[{at}].{end}", fields.pop(end)) for end in ("first", "end")}
            tests.append({"channel": label, **spans, **_floats(f"{name}[{at}]", fields)})
        given[name] = tests
    return json.dumps(given)


def _each(value: Any) -> Any:
    return value if isinstance(value, str) else list(value)


def _whole(name: str, value: Any) -> int:
    try:
        number = index(value)
    except TypeError:
        raise InvalidInputError(f"`{name}` must be a whole number, got {value!r}", "malformed") from None
    if number < 0:
        raise InvalidInputError(f"`{name}` must be 0 or more, got {number}", "out_of_domain")
    return number


def _floats(name: str, values: Mapping[str, Any]) -> dict[str, float]:
    """Finite numbers: JSON has no others."""
    read = {}
    for field, value in values.items():
        try:
            number = float(value)
        except (TypeError, ValueError):
            message = f"`{name}.{field}` must be a number, got {value!r}"
            raise InvalidInputError(message, "malformed") from None
        if not np.isfinite(number):
            raise InvalidInputError(f"`{name}.{field}` must be finite, got {number}", "not_finite")
        read[field] = number
    return read
