"""A bar for `progress=True`."""

from __future__ import annotations

from typing import Any


class Bar:
    """Seconds passed, and of how many where there is a time limit; nothing is drawn before the first call."""

    def __init__(self, time_limit: float | None) -> None:
        try:
            from tqdm.auto import tqdm
        except ImportError as error:
            raise ImportError("`progress=True` needs tqdm: pip install adflow[progress]") from error
        self._make = tqdm
        self._limit = time_limit
        self._bar: Any = None

    def __call__(self, elapsed: float) -> None:
        if self._bar is None:
            limited = "adflow: {n:.1f} s of at most {total:g} s |{bar}|"
            format = "adflow: {n:.1f} s" if self._limit is None else limited
            self._bar = self._make(total=self._limit, bar_format=format)
        self._bar.n = elapsed if self._limit is None else min(elapsed, self._limit)
        self._bar.refresh()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class ShareBar:
    """The share that is done; nothing is drawn before the first call."""

    def __init__(self) -> None:
        try:
            from tqdm.auto import tqdm
        except ImportError as error:
            raise ImportError("`progress=True` needs tqdm: pip install adflow[progress]") from error
        self._make = tqdm
        self._bar: Any = None

    def __call__(self, share: float) -> None:
        if self._bar is None:
            self._bar = self._make(total=1.0, bar_format="adflow: {percentage:3.0f} % |{bar}| {elapsed}")
        self._bar.n = share
        self._bar.refresh()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
