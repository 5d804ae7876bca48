"""Curves and plans that many tests use."""

from __future__ import annotations

import pytest

import adflow


@pytest.fixture
def curves() -> adflow.ResponseCurves:
    """Three named arms, two of them S-shaped."""
    return adflow.ResponseCurves.hill([120.0, 80.0, 60.0], [5.0, 9.0, 4.0], [2.0, 1.5, 0.8]).with_names(
        ["search", "video", "social"]
    )


@pytest.fixture
def hard() -> dict[str, object]:
    """A problem whose search takes far longer than a test may: equal-looking S-shaped arms, a tolerance out of reach."""
    import numpy as np

    rng = np.random.default_rng(7)
    n = 400
    curves = adflow.ResponseCurves.hill(
        rng.uniform(0.99, 1.01, n), rng.uniform(0.99, 1.01, n), rng.uniform(3.9, 4.1, n)
    )
    return {"curves": curves, "budget": 217.3, "tolerance": 1e-15}
