"""Frames, dicts and arrays as the columns of a history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np

from adflow._errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Table = Mapping[str, Any]


def rows(
    spend: Any,
    outcome: Any,
    controls: Any,
    time: Any,
    group: Any,
    channels: Sequence[str] | None,
    exposures: Any,
    holidays: Any,
    population: Any,
) -> dict[str, Any]:
    """The columns of `History`: numbers, texts of dates, labels."""
    whole = table(spend)
    if isinstance(channels, str):
        raise InvalidInputError("`channels`: a list of names is wanted, not one string", "malformed")
    columns = _Columns(whole)
    read_outcome = columns.numbers("outcome", outcome)
    days = columns.texts("time", time, _day)
    labels = columns.texts("group", group, str)
    if whole is None:
        media = columns.array("spend", spend)
        count = media.shape[-1]
        names = [f"channel {at}" for at in range(count)] if channels is None else list(channels)
        if len(names) != count:
            message = f"`channels` must have length {count}, got {len(names)}"
            raise InvalidInputError(message, "length_mismatch")
        if media.ndim == 3:
            labels, days = _panel(media, labels, days)
    read: dict[str, Any] = {
        "outcome": read_outcome,
        "dates": days,
        "groups": labels,
        "controls": columns.named("controls", controls, "control"),
        "holidays": columns.named("holidays", holidays, "holiday"),
        "exposures": columns.named("exposures", exposures, None),
        "population": columns.population(population, labels, read_outcome.size),
    }
    if whole is not None:
        names = [name for name in whole if name not in columns.used] if channels is None else list(channels)
        if not names:
            raise InvalidInputError("`channels` is empty: no column of the frame is left", "empty")
        hint = "" if channels is not None else "; `channels` names the columns that are media"
        media = np.column_stack([columns.numbers(f"spend[{name}]", name, hint) for name in names])
    return {**read, "channels": names, "spend": media}


def table(value: Any) -> Table | None:
    """The columns of a frame or dict; None for anything else."""
    if isinstance(value, Mapping):
        return {str(name): column for name, column in value.items()}
    native = nw.from_native(value, eager_only=True, pass_through=True)
    if isinstance(native, nw.DataFrame):
        return {str(column.name): column for column in native.iter_columns()}
    return None


def column_names(value: Any) -> list[str]:
    """The names that a frame or dict holds; none for anything else."""
    columns = table(value)
    return [] if columns is None else list(columns)


def row_count(spend: Any) -> int:
    """Number of rows of spends, by group and period."""
    for column in (table(spend) or {}).values():
        return len(column)
    return int(np.prod(np.shape(spend)[:-1]))


class _Columns:
    """Arguments that are columns, or name one of the frame; remembers which were named."""

    def __init__(self, whole: Table | None) -> None:
        self.whole = whole
        self.used: set[str] = set()

    def get(self, argument: str, value: Any) -> Any:
        """The column that a text names; anything else stays."""
        if not isinstance(value, str):
            return value
        if self.whole is None:
            raise InvalidInputError(
                f"`{argument}`: {value!r} names a column, but `spend` is no frame", "malformed"
            )
        if value not in self.whole:
            raise InvalidInputError(f"`{argument}`: the frame has no column {value!r}", "unknown_name")
        self.used.add(value)
        return self.whole[value]

    def numbers(self, argument: str, value: Any, hint: str = "") -> Floats:
        """One number per row."""
        values = self.array(argument, self.get(argument, value), hint)
        return values.reshape(-1) if argument == "outcome" else values

    def array(self, argument: str, value: Any, hint: str = "") -> Floats:
        """Numbers of any shape."""
        native = nw.from_native(value, series_only=True, pass_through=True)
        if isinstance(native, nw.Series):
            if native.dtype.is_temporal():
                raise InvalidInputError(f"`{argument}`: dates, where numbers are wanted{hint}", "malformed")
            value = native.cast(nw.Float64()).to_numpy() if native.dtype.is_numeric() else native.to_numpy()
        try:
            values = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidInputError(f"`{argument}`: not numbers ({error}){hint}", "malformed") from None
        if argument == "spend" and values.ndim not in (2, 3):
            message = f"`spend` must be (T, n) or (groups, T, n), got shape {values.shape}"
            raise InvalidInputError(message, "out_of_domain")
        return values

    def texts(self, argument: str, value: Any, text: Any) -> list[str] | None:
        """One text per row."""
        if value is None:
            return None
        column = self.get(argument, value)
        native = nw.from_native(column, series_only=True, pass_through=True)
        if isinstance(native, nw.Series):
            # The day where the clock is, not in Greenwich.
            if isinstance(native.dtype, nw.Datetime) and native.dtype.time_zone is not None:
                native = native.dt.replace_time_zone(None)
            column = native.to_list()
        elif isinstance(column, np.ndarray) and column.dtype.kind == "M":
            column = column.astype("datetime64[D]").astype(str).reshape(-1)
        missing = [at for at, cell in enumerate(column) if _empty(cell)]
        if missing:
            raise InvalidInputError(f"`{argument}[{missing[0]}]` is empty", "empty")
        return [text(cell) for cell in column]

    def named(self, argument: str, value: Any, singular: str | None) -> list[tuple[str, Floats]]:
        """Columns with their names."""
        if value is None:
            return []
        if isinstance(value, str):
            value = [value]
        columns = table(value)
        if (
            columns is None
            and isinstance(value, list | tuple)
            and all(isinstance(name, str) for name in value)
        ):
            columns = {name: name for name in value}
        if columns is None:
            if singular is None:
                message = f"`{argument}` must be a frame or a dict of columns by channel"
                raise InvalidInputError(message, "malformed")
            values = self.array(argument, value)
            values = values[:, None] if values.ndim == 1 else values
            columns = {f"{singular} {at}": values[:, at] for at in range(values.shape[-1])}
        return [
            (name, self.numbers(f"{argument}[{name}]", column).reshape(-1))
            for name, column in columns.items()
        ]

    def population(self, value: Any, labels: list[str] | None, count: int) -> Floats | None:
        if value is None:
            return None
        if isinstance(value, Mapping):
            people = {str(group): number for group, number in value.items()}
            own = ["all"] * count if labels is None else labels
            for label in own:
                if label not in people:
                    raise InvalidInputError(f"`population` lacks the group {label!r}", "unknown_name")
            return self.array("population", [people[label] for label in own])
        return self.numbers("population", value)


def _empty(cell: Any) -> bool:
    """None, NaN, NaT and the like."""
    return cell is None or (not isinstance(cell, str) and str(cell) in ("nan", "NaT", "<NA>"))


def _day(cell: Any) -> str:
    """A date as text."""
    return cell.isoformat() if hasattr(cell, "isoformat") else str(cell)


def _panel(
    media: Floats, labels: list[str] | None, days: list[str] | None
) -> tuple[list[str] | None, list[str] | None]:
    """Groups and dates of every row, from those of the groups and periods."""
    groups, periods = media.shape[:2]
    names = [f"group {at}" for at in range(groups)] if labels is None else labels
    if len(names) == groups != groups * periods:
        names = [name for name in names for _ in range(periods)]
    if days is not None and len(days) == periods:
        days = days * groups
    return names, days
